# rules.mk of tools/: the `ldr` command, its installation and tests, and the main job.
# build/ldr is made from these files and Debian's libraries only; ld-ldr.so is found when it runs.

TOOL_SRCS := $(wildcard tools/*.c tools/host/*.c tools/pages/*.c)
TOOL_OBJS := $(TOOL_SRCS:%.c=$(B)/%.o)
TOOL_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers \
	-fstack-protector-strong -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DLDR_PREFIX='"$(PREFIX)"'
TOOL_LIBS := -lelf -ljson-c

all:: $(LDR)

$(LDR): $(TOOL_OBJS)
	$(CC) -o $@ $(TOOL_OBJS) -Wl,-z,relro,-z,now $(TOOL_LIBS)

$(B)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(TOOL_OBJS:.o=.d)

.PHONY: run install uninstall help test-tools

run: ## install missing packages, build, start programs through ldr and print the pages they share
	@sh tools/setup.sh build run
	@$(MAKE) --no-print-directory all
	@tools/demo.sh $(LDR)

install: all ## install into PREFIX (default /usr/local), below DESTDIR if set
	install -D -m 755 $(LDR) $(DESTDIR)$(PREFIX)/bin/ldr
	install -D -m 755 $(LDSO) $(DESTDIR)$(PREFIX)/lib/ldr/ld-ldr.so
	install -D -m 644 tools/ldr.1 $(DESTDIR)$(PREFIX)/share/man/man1/ldr.1

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/ldr $(DESTDIR)$(PREFIX)/lib/ldr/ld-ldr.so $(DESTDIR)$(PREFIX)/share/man/man1/ldr.1
	-rmdir $(DESTDIR)$(PREFIX)/lib/ldr

# Every target whose rule line ends in "## text" is listed, whichever rules.mk it is in.
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
