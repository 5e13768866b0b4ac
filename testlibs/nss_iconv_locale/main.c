#include "scenario.h"
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <wchar.h>
static void convert(const char *to, const char *from, const char *text)
{
    char out[100] = "", hex[300] = "", *in = (char *)text, *at = out;
    size_t left = strlen(text), room = sizeof out;
    iconv_t converter = iconv_open(to, from);
    if (converter == (iconv_t)-1) {
        say("no conversion %s to %s", from, to);
        return;
    }
    iconv(converter, &in, &left, &at, &room);
    for (char *p = out; p < at; p++)
        sprintf(hex + strlen(hex), "%02x", (unsigned char)*p);
    say("%s to %s: %s", from, to, hex);
    iconv_close(converter);
}
int main(void)
{
    struct passwd *root = getpwnam("root");
    say("%s %d", root ? root->pw_name : "none", root ? (int)root->pw_uid : -1);
    say("%s", getpwnam("no-such-user-here") ? "found" : "none");
    struct servent *service = getservbyname("http", "tcp");
    say("%d", service ? service->s_port >> 8 : 0);
    say("%d", gethostbyname("localhost") != NULL);
    convert("UTF-16LE", "UTF-8", "a\xc3\xa4");
    convert("ISO-8859-15", "UTF-8", "\xe2\x82\xac");
    convert("EUC-JP", "UTF-8", "\xe6\x97\xa5");
    convert("IBM1047", "ISO-8859-1", "EBCDIC");
    convert("NONE", "UTF-8", "x");
    const char *locale = setlocale(LC_ALL, "");
    wchar_t wide[10] = { 0 };
    size_t len = mbstowcs(wide, "\xc3\xa4!", 10);
    say("%s %s %ld", locale ? locale : "no locale", nl_langinfo(CODESET), (long)len);
    return 0;
}
