# Debuggers, checkers and tracers under our linker; see run.sh. AGAINST=PATH compares another linker than the one just built.
.PHONY: test-tooling
test-tooling: $(LDSO) ## gdb, valgrind, sanitizers, perf, strace under ours
	tools/setup.sh test
	LDSO=$(abspath $(or $(AGAINST),$(LDSO))) tests/tooling/run.sh
