# rules.mk of tests/fuzz: one libFuzzer program for each reader of floors 0-2, built with clang's sanitizers.
#   make fuzz RUNS=1000000 [FUZZ=symbols]   that many runs of each reader; what is found stays in build/fuzz/crashes
#   make fuzz-smoke                         the saved corpus, then 20,000 runs of each: part of make test
#   make fuzz-corpus                        shrink what the last runs found into tests/fuzz/corpus
# Ten million and more over all readers: make fuzz RUNS=1300000, one process at a time at nice 19, about 25 minutes, of which the search
# paths take most (each input makes thousands of candidates); it goes on from what the run before found, in build/fuzz/found.
.PHONY: fuzz fuzz-smoke fuzz-build fuzz-corpus
FUZZ_ALL  := header symbols versions relocs notes ldcache expand search
FUZZ      ?= $(FUZZ_ALL)
RUNS      ?= 1000000
FUZZ_CC   ?= clang
# The 20 sanitizers of "undefined" and unsigned overflow left out: hashes overflow on purpose.
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra \
	-Wno-unused-parameter
FUZZ_CORE := $(CORE_SRC:%.c=$(B)/fuzz/%.o)
FUZZ_BINS := $(FUZZ:%=$(B)/fuzz/fuzz_%)

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(B)/fuzz/fuzz_%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(B)/fuzz/tests/fuzz/fuzz.o $(B)/fuzz/tests/fuzz/mutate.o $(FUZZ_CORE)
	@$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $(if $(filter header symbols versions relocs notes,$*),$^,$(filter-out %/mutate.o,$^))
.PRECIOUS: $(B)/fuzz/%.o
-include $(FUZZ_CORE:.o=.d) $(wildcard $(B)/fuzz/tests/fuzz/*.d)

fuzz-build:
	@sh tools/setup.sh build test
	@$(MAKE) --no-print-directory -s $(FUZZ_BINS)

fuzz: fuzz-build ## RUNS=1000000: that many inputs for each reader of ELF files, caches and search paths
	@tests/fuzz/run.sh $(B)/fuzz long $(RUNS) $(FUZZ)

fuzz-smoke: fuzz-build ## the saved fuzz corpus and 20,000 more inputs for each reader
	@tests/fuzz/run.sh $(B)/fuzz smoke 20000 $(FUZZ)

fuzz-corpus: fuzz-build
	@tests/fuzz/run.sh $(B)/fuzz keep 0 $(FUZZ)
