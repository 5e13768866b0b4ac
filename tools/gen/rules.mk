# tools/gen: programs a person runs to write files that are committed. Not part of `make all`.
#   make build/glibc-layout            the generator
#   make glibc-row                     rewrite the row of the glibc installed here (needs libc6-dbg)
#   make check-layout-live             the state of a running process, read through the row
#   make check-layout                  the committed rows, the derivation and the descriptors agree (tests/layout)
GEN_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -I/usr/include/libdwarf
GEN_DEPS   := $(wildcard tools/gen/*.h ldr/compat/glibc/*.h ldr/compat/glibc/layout/*)

$(B)/gen/%.o: tools/gen/%.c $(GEN_DEPS)
	@mkdir -p $(@D)
	$(CC) $(GEN_CFLAGS) -c -o $@ $<

$(B)/glibc-layout: $(B)/gen/glibc_layout.o $(B)/gen/types.o $(B)/gen/object.o
	$(CC) -o $@ $^ -ldwarf -lelf -lz

# make glibc-row LD_SO=... LIBC_SO=... ROW=2_36.h (then name the file in layout/rows.h)
LD_SO   ?= /lib64/ld-linux-x86-64.so.2
LIBC_SO ?= /lib/x86_64-linux-gnu/libc.so.6
ROW     ?= 2_36.h
.PHONY: glibc-row
glibc-row: $(B)/glibc-layout
	$(B)/glibc-layout -o ldr/compat/glibc/layout/$(ROW) $(LD_SO) $(LIBC_SO)

# The loader's own sources, hosted with sanitizers, over this machine's glibc (check-layout) and others (check-layout-others).
LAYOUT_SRC := ldr/compat/glibc/derive.c ldr/compat/glibc/facts.c ldr/compat/glibc/walk.c ldr/compat/glibc/decode.c
$(B)/test_layout: tests/layout/test_layout.c tools/gen/object.c $(LAYOUT_SRC) $(GEN_DEPS)
	@mkdir -p $(@D)
	$(CC) $(GEN_CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ $(filter %.c,$^) -lelf

$(B)/live: tests/layout/live.c $(GEN_DEPS)
	@mkdir -p $(@D)
	$(CC) $(GEN_CFLAGS) -o $@ $<

.PHONY: check-layout check-layout-others check-layout-live
check-layout: $(B)/glibc-layout $(B)/test_layout
	@B=$(B) tests/layout/check.sh || [ $$? = 77 ]

# A running process compares glibc's private state with public interfaces, under the system's linker and under ours.
check-layout-live: $(B)/live
	@B=$(B) LDSO=$(LDSO) tests/layout/live.sh || [ $$? = 77 ]

# The same over every other glibc that apt offers as configured (downloads a few MB into build/).
check-layout-others: $(B)/glibc-layout $(B)/test_layout
	@B=$(B) tests/layout/check.sh $$(tests/layout/others.sh $(B)/glibcs)
