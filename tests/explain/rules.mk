# rules.mk of tests/explain: what `ldr tree`, `why`, `relocs` and `check` say, against the system's linker, libelf and broken programs.
#   make test-explain                 everything
.PHONY: test-explain
test-explain: ## tree, why, relocs and check against the system's linker and libelf, and the corpus of broken programs
	@sh tools/setup.sh build test
	@$(MAKE) --no-print-directory -s all $(B)/bad/cases/cases $(B)/bad/run
	@tests/explain/run.sh $(B)
