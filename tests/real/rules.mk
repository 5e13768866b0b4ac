# Real programs doing real work under both linkers; see run.sh. AGAINST=PATH compares another linker than the one just built.
.PHONY: test-real
test-real: $(LDSO) ## real programs doing real work under both linkers
	tools/setup.sh test
	LDSO=$(abspath $(or $(AGAINST),$(LDSO))) tests/real/run.sh
