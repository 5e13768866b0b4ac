# Every installed program under both linkers; see sweep.py. LDSO=PATH chooses another linker to compare.
.PHONY: test-sweep
test-sweep: $(LDSO)
	tools/setup.sh test
	LDSO=$(abspath $(LDSO)) tests/sweep/sweep.py
