# Debuggers, checkers and tracers under our linker; see run.sh.
.PHONY: test-tooling
test-tooling: $(LDSO)
	tools/setup.sh test
	LDSO=$(abspath $(LDSO)) tests/tooling/run.sh
