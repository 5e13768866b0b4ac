# make bench         every row, ours beside the system's linker: tables on stdout, build/bench.json
#      ROWS="true clang-stub"   only these      RUNS=30   that many runs of each
#      STATES="off first warm"        the states of the cache to measure (all three)
#      LINKER=FILE   another linker as ours (not LDSO=FILE: that is the file the linker's own rule would write)
#      tests/bench/profile.sh ROW [ldr|system]   where the time of one row goes
# make bench-explain tree, why, relocs and check on large programs, check of all of /usr/bin, against their bars; part of make bench without ROWS
# make bench-trace   what LDR_TRACE costs: true, 100 and 400 libraries, a million relocations
# make bench-crash   what --crash-report costs a program that does not crash: starts, processes of a shell, 2 to 20,000 threads
# make bench-stall   how long reading a process of 8 GiB without pause holds it up: ldr pages beside smaps and smem (RUNS=4 turns; takes minutes)
# make bench-check   does the benchmark itself work: two rows, two runs, the system's linker against itself
STATES          ?= off first warm
LINKER          ?= $(B)/ld-ldr.so
SYSTEM_LDSO     ?= /lib64/ld-linux-x86-64.so.2
BENCH           := $(B)/bench
BENCH_ROWS_FILE := tests/bench/rows
BENCH_ALL_ROWS  := $(shell awk '!/^\#/ { print $$1 }' $(BENCH_ROWS_FILE))
ROWS            ?= $(BENCH_ALL_ROWS)
BENCH_LIBRARIES := $(foreach k,$(shell seq -w 0 399),$(BENCH)/generated/libg$(k).so)

# What a row needs built before it can run: only chosen rows are paid for.
bench_needs = $(patsubst %-stub,$(BENCH)/stubs/%,$(filter %-stub,$(1))) \
              $(patsubst gen-%,$(BENCH)/generated/main-%,$(filter gen-%,$(1))) \
              $(if $(filter million,$(1)),$(BENCH)/generated/main-million) \
              $(if $(filter ls,$(1)),$(BENCH)/few)

# How a file came into the page cache decides how many pages one fault maps: 40 MB freshly linked take 2,240 faults
# to load, written by cp 2,633. Dropped and read in order, as after a reboot, they take 2,365 every time.
bench_settle = dd of=$(1) oflag=nocache conv=notrunc,fdatasync count=0 status=none && cat $(1) >/dev/null

# RUNS as the user gave it: other folders have defaults of that name for their own targets.
runs_given = $(if $(filter command environment,$(firstword $(origin RUNS))),$(RUNS))
bench_runs = $(addprefix -n ,$(runs_given))

# make bench-pages   ldr pages beside smem -t: time and memory (ROWS="python100 million10" RUNS=9); part of make bench without ROWS
.PHONY: bench bench-floor bench-check bench-setup bench-trace bench-pages bench-explain bench-stall bench-crash
bench: $(filter $(B)/%,$(LINKER)) bench-setup $(BENCH)/bench $(call bench_needs,$(ROWS)) ## ld-ldr.so beside the system's linker: time, faults, private memory (ROWS="true clang-stub" RUNS=30)
	$(if $(filter million,$(ROWS)),$(call bench_settle,$(BENCH)/generated/libmillion.so))
	$(foreach state,$(STATES),$(BENCH)/bench -t $(state) -o $(LINKER) -s $(SYSTEM_LDSO) -d $(BENCH) -r $(BENCH_ROWS_FILE) -j $(B)/bench-$(state).json $(bench_runs) $(ROWS) && echo &&) true
	$(if $(filter file,$(firstword $(origin ROWS))),$(MAKE) --no-print-directory bench-pages bench-explain bench-trace bench-crash)

bench_pages_rows = $(if $(filter command environment,$(firstword $(origin ROWS))),$(ROWS))
bench-pages: $(LDR) bench-setup ## ldr pages beside smem -t: 100 python3, 1,000 processes, 10 million pages
	$(if $(bench_runs),RUNS=$(RUNS)) tests/bench/report.py $(abspath $(LDR)) $(bench_pages_rows)

bench-stall: $(LDR) $(BENCH)/stall bench-setup ## the worst stall of a process of 8 GiB while ldr pages, smaps or smem read it without pause
	$(if $(bench_runs),RUNS=$(RUNS)) tests/bench/stall.py $(abspath $(LDR)) $(BENCH)/stall $(BENCH)

bench-explain: $(LDR) bench-setup ## tree, why, relocs, check on clang, gdb, node...: 300 ms each; check of /usr/bin: a minute
	tests/explain/speed.sh $(B) all

bench-floor: $(BENCH)/bench $(BENCH)/floor $(call bench_needs,gen-100 gen-400 million) ## what the kernel alone takes for 100 and 400 libraries, beside the system's linker
	@rm -f $(BENCH)/generated/*.floor
	@for main in 100 400 million; do $(BENCH)/floor $(abspath $(BENCH))/generated/main-$$main; done
	$(BENCH)/bench -m 0 -o $(BENCH)/floor -s $(SYSTEM_LDSO) -d $(BENCH) -r $(BENCH_ROWS_FILE) $(bench_runs) gen-100 gen-400 million

bench-check: $(BENCH)/bench $(call bench_needs,ls) ## does the benchmark itself work: two rows, two runs
	$(BENCH)/bench -o $(SYSTEM_LDSO) -s $(SYSTEM_LDSO) -d $(BENCH) -r $(BENCH_ROWS_FILE) -j $(BENCH)/check.json -n 2 -m 1 true ls
	@test $$(grep -c '"cpu_bar_met"' $(BENCH)/check.json) = 2

bench-trace: $(LINKER) $(call bench_needs,gen-100 gen-400 million) ## what LDR_TRACE costs: cpu of a start with and without
	python3 tests/bench/trace_cost.py $(LINKER) $(or $(runs_given),40) /usr/bin/true $(addprefix $(BENCH)/generated/main-,100 400 million)

bench-setup:
	tools/setup.sh build bench

$(BENCH)/bench: $(addprefix tests/bench/,bench.c pair.c pages.c cache.c command.c bench.h) | $(BENCH)/
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $(filter %.c,$^) -lm

$(BENCH)/floor: tests/bench/floor.c | $(BENCH)/
	$(CC) -std=gnu11 -O2 -Wall -Wextra -static -o $@ $<

bench-crash: $(LDR) $(BENCH)/threads $(BENCH)/signals ## what --crash-report costs a program that does not crash
	python3 tests/bench/crash_cost.py $(abspath $(LDR)) $(or $(runs_given),20) $(BENCH)/threads $(BENCH)/signals

$(BENCH)/threads $(BENCH)/signals: $(BENCH)/%: tests/bench/%.c | $(BENCH)/
	$(CC) $(CFLAGS) -o $@ $< -pthread

$(BENCH)/stall: tests/bench/stall.c | $(BENCH)/
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $<

$(BENCH)/generate: tests/bench/generate.c | $(BENCH)/
	$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $<

$(BENCH)/ $(BENCH)/generated/ $(BENCH)/stubs/:
	mkdir -p $@

# A small directory for ls, the same on every machine.
$(BENCH)/few: | $(BENCH)/
	mkdir -p $@ && cd $@ && touch a b c d e f g h

$(BENCH)/stubs/clang: bench_program := /usr/bin/clang
$(BENCH)/stubs/gdb:   bench_program := /usr/bin/gdb
$(BENCH)/stubs/cmake: bench_program := /usr/bin/cmake
$(BENCH)/stubs/perf:  bench_program := /usr/bin/perf
$(BENCH)/stubs/node:  bench_program := /usr/bin/node
$(BENCH)/stubs/%: tests/bench/stub.sh | bench-setup $(BENCH)/stubs/
	tests/bench/stub.sh $(bench_program) $@

$(BENCH)/generated/lib%.so: $(BENCH)/generate | $(BENCH)/generated/
	@$< $(if $(filter g%,$*),library $(patsubst g%,%,$*),$*) >$(@:.so=.s)
	@$(CC) -shared -Wl,-soname,$(@F) -o $@ $(@:.so=.s) && rm $(@:.so=.s)

# --no-as-needed: the programs use nothing of them; -rpath: found beside the program, without a search.
bench_link = echo 'int main(void) { return 0; }' | $(CC) -O2 -x c - -x none -o $@ -Wl,--no-as-needed $(filter %.so,$^) -Wl,-rpath,'$$ORIGIN'
$(BENCH)/generated/main-100: $(wordlist 1,100,$(BENCH_LIBRARIES))
	@echo "link $@ with $(words $(filter %.so,$^)) libraries"; $(bench_link)
$(BENCH)/generated/main-400: $(BENCH_LIBRARIES)
	@echo "link $@ with $(words $(filter %.so,$^)) libraries"; $(bench_link)
$(BENCH)/generated/main-million: $(BENCH)/generated/libmillion.so
	$(bench_link)
