# rules.mk of tests/explain: what `ldr tree`, `why`, `relocs` and `check` say, against the system's linker, libelf and broken programs.
#   make test-explain                 everything
.PHONY: test-explain
$(B)/explain/libelf_relocs: tests/explain/libelf_relocs.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $< -lelf
test-explain: ## tree, why, relocs and check against the system's linker and libelf, and the corpus of broken programs
	@sh tools/setup.sh build test
	@$(MAKE) --no-print-directory -s all $(B)/bad/cases/cases $(B)/bad/endings $(B)/explain/libelf_relocs $(B)/tests/tools/ldr-sanitized
	@tests/explain/run.sh $(B)
