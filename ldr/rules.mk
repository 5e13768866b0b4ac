# The linker: every floor's sources, freestanding. Hosted builds of floors 0-2 follow below.
CORE_SRC := $(wildcard ldr/base/*.c ldr/image/*.c ldr/link/*.c) $(wildcard ldr/arch/x86_64/*.c)
RT_SRC   := $(CORE_SRC) $(wildcard ldr/sys/*.c ldr/run/*.c ldr/cache/*.c ldr/debug/*.c ldr/api/*.c ldr/compat/glibc/*.c ldr/start/*.c)
RT_ASM   := $(wildcard ldr/arch/x86_64/*.S ldr/sys/*.S ldr/start/*.S)
RT_OBJ   := $(RT_SRC:%.c=$(B)/rt/%.o) $(RT_ASM:%.S=$(B)/rt/%.o)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter
# No vector registers: a lazily bound call or a TLS access must never disturb the program's. No jump-through tables of pointers: they
# would be relocated, and so private, memory. Frame pointers: tools unwind through us without our symbols.
RT_CFLAGS := -std=gnu11 -O2 -g -fPIC -ffreestanding -fvisibility=hidden -fno-stack-protector -mgeneral-regs-only \
	-fno-tree-switch-conversion -fno-omit-frame-pointer -fasynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
	-fcf-protection=branch -ffunction-sections -DLDR_FREESTANDING -DSYSTEM_CACHE='"$(SYSTEM_CACHE)"' $(WARN)
RT_LDFLAGS := -shared -nostdlib -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,text -Wl,-z,now -Wl,-z,norelro -Wl,-z,noexecstack -Wl,-T,ldr/link.ld \
	-Wl,--hash-style=gnu -Wl,--build-id=sha1 -Wl,-soname,ld-linux-x86-64.so.2 -Wl,-e,_start -Wl,--gc-sections \
	-Wl,--version-script=ldr/api/exports.map

$(B)/rt/%.o: %.c ldr/rules.mk
	@mkdir -p $(@D)
	$(CC) $(RT_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/rt/%.o: %.S
	@mkdir -p $(@D)
	$(CC) -fPIC -g -c -o $@ $<

$(LDSO): $(RT_OBJ) ldr/api/exports.map ldr/link.ld
	$(CC) $(RT_LDFLAGS) -o $@ $(RT_OBJ)

all:: $(LDSO)

# Floors 0-2 as an ordinary library for the ldr command.
CORE_OBJ := $(CORE_SRC:%.c=$(B)/core/%.o)
$(B)/core/%.o: %.c ldr/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -MMD -MP -c -o $@ $<
$(B)/core/libldrcore.a: $(CORE_OBJ)
	rm -f $@ && ar rcs $@ $^

# The same with sanitizers, for unit tests and fuzzers.
HOST_OBJ := $(CORE_SRC:%.c=$(B)/host/%.o)
$(B)/host/%.o: %.c ldr/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined $(WARN) -MMD -MP -c -o $@ $<
$(B)/host/libldrcore.a: $(HOST_OBJ)
	rm -f $@ && ar rcs $@ $^

-include $(RT_OBJ:.o=.d) $(CORE_OBJ:.o=.d) $(HOST_OBJ:.o=.d)
