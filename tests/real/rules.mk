# Real programs doing real work under both linkers; see run.sh.
.PHONY: test-real
test-real: $(LDSO)
	tools/setup.sh test
	LDSO=$(abspath $(LDSO)) tests/real/run.sh
