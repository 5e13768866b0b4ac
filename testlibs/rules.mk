# The scenario corpus: each folder here, under the system's linker and under ours in three ways.
#   make scenarios                 all of them against build/ld-ldr.so
#   make scenarios SCENARIOS="NAME..."   only some; another linker: LDSO=FILE tests/system/run.sh
#   make scenarios-oracle          the system's linker against itself: proves the corpus, not the linker
.PHONY: scenarios scenarios-oracle
scenarios: $(LDSO) ## the corpus under the system's linker and ours in three ways (SCENARIOS="NAME...")
	LDSO=$(LDSO) tests/system/run.sh $(SCENARIOS)

# The same with starts from the cache: each made anew and compared with its record (of the run before), and none at all. In the namespace
# programs are entered as with our linker as their interpreter: left out.
.PHONY: scenarios-verify scenarios-off
scenarios-verify: $(LDSO)
	LDR_CACHE=verify WAYS="command interp" LDSO=$(LDSO) tests/system/run.sh $(SCENARIOS)
scenarios-off: $(LDSO)
	LDR_CACHE=off WAYS="command interp" LDSO=$(LDSO) tests/system/run.sh $(SCENARIOS)

scenarios-oracle:
	LDSO=/lib64/ld-linux-x86-64.so.2 tests/system/run.sh $(SCENARIOS)
