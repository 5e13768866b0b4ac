# Every installed program under both linkers; see sweep.py. AGAINST=PATH compares another linker than the one just built.
.PHONY: test-sweep
test-sweep: $(LDSO) ## every installed program under both linkers
	tools/setup.sh test
	LDSO=$(abspath $(or $(AGAINST),$(LDSO))) tests/sweep/sweep.py
