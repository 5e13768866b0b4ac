/* dlfcn.h - the dl family as libc's hook table calls it (dlopen(3) and friends; `caller`: an address inside the calling object). */
#ifndef LDR_DLFCN_H
#define LDR_DLFCN_H

#include "../run/run.h"

struct dl_info { const char *dli_fname; void *dli_fbase; const char *dli_sname; void *dli_saddr; };

void *dl_dlopen(const char *file, int mode, void *caller);
int dl_dlclose(void *handle);
void *dl_dlsym(void *handle, const char *name, void *caller);
void *dl_dlvsym(void *handle, const char *name, const char *version, void *caller);
char *dl_dlerror(void);
int dl_dladdr(const void *address, struct dl_info *info);
int dl_dladdr1(const void *address, struct dl_info *info, void **extra, int flags);
int dl_dlinfo(void *handle, int request, void *arg);
void *dl_dlmopen(long nsid, const char *file, int mode, void *caller);
/* libc's internal uses (NSS, iconv, libgcc_s): no dlerror state is touched */
void *dl_libc_dlopen(const char *name, int mode);
void *dl_libc_dlsym(void *map, const char *name);
void *dl_libc_dlvsym(void *map, const char *name, const char *version);
int dl_libc_dlclose(void *map);

#endif
