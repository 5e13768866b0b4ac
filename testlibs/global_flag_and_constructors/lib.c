#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
void probe(const char *where);
int NAME;
__attribute__((constructor)) static void begin(void) { probe("in the constructor of " TEXT(NAME)); }
