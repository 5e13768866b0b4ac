# One non-recursive Makefile: this file names the trees, each folder's rules.mk adds its own targets.
#   build/rt/    floors 0-6, freestanding, position independent: becomes build/ld-ldr.so
#   build/host/  floors 0-2 again, hosted with sanitizers: build/host/libldrcore.a, for tools' tests and fuzzers
#   build/core/  floors 0-2, hosted, optimised: build/core/libldrcore.a, for the ldr command
B     := build
override LDSO := $(B)/ld-ldr.so
override LDR := $(B)/ldr
CC    := gcc
PREFIX  ?= /usr/local
DESTDIR ?=
# Where the system's start-up caches lie (ldr/ARCHITECTURE.md, "The system's stores"): fixed when it is built, no variable moves it then.
SYSTEM_CACHE ?= /var/cache/ldr

.DEFAULT_GOAL := all
.PHONY: all clean help
.DELETE_ON_ERROR:
all:: ; @:

include $(wildcard ldr/rules.mk tools/rules.mk testlibs/rules.mk tests/rules.mk)

clean: ## remove build/
	rm -rf $(B)

.PHONY: setup test
setup:
	@tools/setup.sh build run test

test: ## install missing packages, build, run every test
	@$(MAKE) -s setup
	@$(MAKE) -s -j$(shell nproc) all test-programs
	tests/test.sh $(SUITES)

include $(wildcard tools/gen/rules.mk tools/views/rules.mk)

# What the suites are made of, made before they run: two lanes of suites make nothing that both need.
.PHONY: test-programs
test-programs: $(B)/host/libldrcore.a $(UNIT_TESTS) $(FUZZ_BINS) $(B)/oracle/oracle $(BAD)/cases/cases $(BAD)/run $(B)/explain/libelf_relocs \
	$(TOOL_UNITS) $(TOOL_TEST_PROGRAMS) $(TOOL_TEST_LIBS) $(SANITIZED_LDR) $(DEBUGINFO_TESTS)
