/* link_names.c - symbols that exist only to be seen by a link editor when ld-ldr.so stands at the system linker's path (exports.map).
 * At run time nobody is bound to them: the search for ld-linux-x86-64.so.2 passes over ourselves (run/load.c). */
#include "../shim.h"

#define SEEN __attribute__((visibility("default"), used))

#define FUNCTION(name) SEEN void name(void); SEEN void name(void) { __builtin_trap(); }
FUNCTION(_dl_mcount) FUNCTION(__rtld_version_placeholder) FUNCTION(__nptl_change_stack_perm) FUNCTION(__tunable_get_val)
FUNCTION(_dl_allocate_tls) FUNCTION(_dl_allocate_tls_init) FUNCTION(_dl_audit_preinit) FUNCTION(_dl_audit_symbind_alt)
FUNCTION(_dl_catch_error) FUNCTION(_dl_catch_exception) FUNCTION(_dl_deallocate_tls) FUNCTION(_dl_exception_create)
FUNCTION(_dl_exception_create_format) FUNCTION(_dl_exception_free) FUNCTION(_dl_fatal_printf) FUNCTION(_dl_find_dso_for_object)
FUNCTION(_dl_get_tls_static_info) FUNCTION(_dl_rtld_di_serinfo) FUNCTION(_dl_signal_error) FUNCTION(_dl_signal_exception)
FUNCTION(_dl_x86_get_cpu_features)
SEEN void __tls_get_addr(void);
SEEN void __tls_get_addr(void) { __builtin_trap(); }

/* Data: sizes as in the system's linker; in .bss, never touched, so they cost address space only. */
#define DATA(name, size) extern __attribute__((visibility("default"))) char name[size]; COLD_DATA char name[size]
DATA(__libc_stack_end, 8); DATA(__rseq_flags, 4); DATA(__rseq_offset, 8); DATA(__rseq_size, 4); DATA(__libc_enable_secure, 4);
DATA(_dl_argv, 8); DATA(_rtld_global, 4336); DATA(_rtld_global_ro, 896); DATA(__nptl_initial_report_events, 1);
