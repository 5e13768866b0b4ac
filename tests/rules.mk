include $(wildcard tests/*/rules.mk)

# Not part of `make test`, which runs the scenarios in three states: this takes four times as long as the suites do.
.PHONY: test-states
test-states: $(LDSO) $(LDR) ## suites in the four states of LDR_CACHE (SUITES="scenarios test-real" STATES="off verify")
	tests/states.sh $(SUITES)
