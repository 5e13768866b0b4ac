# rules.mk of tools/: the `ldr` command, its installation and tests, and the main job.
# build/ldr is made from these files and Debian's libraries only; ld-ldr.so is found when it runs.

TOOL_SRCS := $(wildcard tools/*.c tools/host/*.c tools/pages/*.c tools/views/*.c tools/trace/*.c tools/explain/*.c tools/cache/*.c)
TOOL_SRCS += $(wildcard tools/debuginfo/*.c tools/why/*.c tools/watch/*.c tools/crash/*.c)
include tools/crash/rules.mk
TOOL_OBJS := $(TOOL_SRCS:%.c=$(B)/%.o) $(B)/tools/views/template.o $(CRASH_OBJS)
TOOL_CFLAGS := -std=gnu11 -O2 -g -pthread -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers \
	-fstack-protector-strong -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DLDR_PREFIX='"$(PREFIX)"' -DSYSTEM_CACHE='"$(SYSTEM_CACHE)"'
# Static: LD_LIBRARY_PATH, LD_PRELOAD and LD_DEBUG given to `ldr run` are for the program, not for ldr itself.
TOOL_LIBS := -ldwarf -liberty -lelf -lz -ljson-c $(CRASH_LIBS)

all:: $(LDR)

# The linker's own readers, so that there is no second one for display.
$(LDR): $(TOOL_OBJS) $(B)/core/libldrcore.a
	$(CC) -static-pie -o $@ $(TOOL_OBJS) $(B)/core/libldrcore.a -pthread -Wl,-z,relro,-z,now $(TOOL_LIBS)

$(B)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(TOOL_OBJS:.o=.d)

.PHONY: run install uninstall help test-tools

run: ## install missing packages, build, start programs through ldr and print the pages they share
	@sh tools/setup.sh build run
	@$(MAKE) --no-print-directory all
	@tools/demo.sh $(LDR)

# Pages and completions by pattern: a command that is added brings its own.
MANUALS := $(wildcard tools/*.[178])
installed_manuals = $(foreach page,$(MANUALS),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
INSTALLED_COMPLETION = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ldr $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ldr \
	$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ldr.fish

install: all ## install into PREFIX (default /usr/local), below DESTDIR if set
	install -D -m 755 $(LDR) $(DESTDIR)$(PREFIX)/bin/ldr
	install -D -m 755 $(LDSO) $(DESTDIR)$(PREFIX)/lib/ldr/ld-ldr.so
	$(foreach page,$(MANUALS),install -D -m 644 $(page) $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)) &&) true
	install -D -m 644 tools/completion/ldr.bash $(word 1,$(INSTALLED_COMPLETION))
	install -D -m 644 tools/completion/_ldr $(word 2,$(INSTALLED_COMPLETION))
	install -D -m 644 tools/completion/ldr.fish $(word 3,$(INSTALLED_COMPLETION))

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/ldr $(DESTDIR)$(PREFIX)/lib/ldr/ld-ldr.so $(installed_manuals) $(INSTALLED_COMPLETION)
	-rmdir $(DESTDIR)$(PREFIX)/lib/ldr

include tools/explain/rules.mk

# ---- tests: cmocka tables with sanitizers, then scripts; one closing line for all ----
TOOL_UNITS := $(patsubst tests/tools/unit/%.c,$(B)/tests/tools/%,$(wildcard tests/tools/unit/*.c))
TOOL_TEST_PROGRAMS := $(patsubst tests/tools/programs/%.c,$(B)/tests/tools/%,$(wildcard tests/tools/programs/*.c))

TOOL_TEST_LIBS := $(addprefix $(B)/tests/tools/,libpattern.so libcauses.so libcauses-relr.so)

$(TOOL_UNITS): $(B)/tests/tools/%: tests/tools/unit/%.c $(wildcard tools/pages/*.c tools/pages/*.h) tools/support.c tools/parallel.c tools/progress.c tools/guard.c tools/ldr.h
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -U_FORTIFY_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ $(filter %.c,$^) -lcmocka

$(B)/tests/tools/test_proc: tools/host/proc.c

# Without a C library, so that every page it has was asked for.
$(B)/tests/tools/mapper: tests/tools/programs/mapper.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -static -nostdlib -ffreestanding -fno-stack-protector -fno-tree-loop-distribute-patterns -o $@ $<

$(filter-out %/mapper,$(TOOL_TEST_PROGRAMS)): $(B)/tests/tools/%: tests/tools/programs/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -o $@ $<

$(B)/tests/tools/libpattern.so: tests/tools/pattern.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -shared -fPIC -Wl,-z,now,-z,relro,-z,separate-code -o $@ $<

# The same library with its relative relocations in DT_RELA and in DT_RELR.
$(B)/tests/tools/libcauses.so: tests/tools/causes.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -shared -fPIC -Wl,-z,now,-z,relro,-z,separate-code -o $@ $<
$(B)/tests/tools/libcauses-relr.so: tests/tools/causes.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g -shared -fPIC -Wl,-z,now,-z,relro,-z,separate-code,-z,pack-relative-relocs -o $@ $<

include tools/debuginfo/rules.mk

test-tools: ## the tests of the ldr command
	@sh tools/setup.sh build run test
	@$(MAKE) --no-print-directory all $(TOOL_UNITS) $(TOOL_TEST_PROGRAMS) $(TOOL_TEST_LIBS) $(SANITIZED_LDR) $(DEBUGINFO_TESTS)
	@tests/tools/run.sh $(B)

# Every target whose rule line ends in "## text" is listed, whichever rules.mk it is in.
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
