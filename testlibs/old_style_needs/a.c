#include "scenario.h"
void *__tls_get_addr(void *);
extern int __libc_enable_secure;
static __thread int local = 8;
int read_local(void) { return local + __libc_enable_secure; }
void *its_tls_get_addr(void) { return (void *)__tls_get_addr; }
