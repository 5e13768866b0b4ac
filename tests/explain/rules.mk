# rules.mk of tests/explain: what `ldr tree`, `why`, `relocs` and `check` say, against the system's linker, libelf and broken programs.
#   make test-explain                 everything
.PHONY: test-explain
$(B)/explain/libelf_relocs: tests/explain/libelf_relocs.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $< -lelf
# The command with sanitizers; dynamic, because sanitizers are. What is no C file of ours comes as it is.
$(B)/explain/ldr-sanitized: $(TOOL_SRCS) $(wildcard tools/explain/*.h) $(B)/host/libldrcore.a
	@mkdir -p $(@D)
	@$(CC) $(TOOL_CFLAGS) -U_FORTIFY_SOURCE -O1 -I/usr/include/libdwarf -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(TOOL_SRCS) \
		$(filter-out $(TOOL_SRCS:%.c=$(B)/%.o),$(TOOL_OBJS)) $(B)/host/libldrcore.a $(TOOL_LIBS)
test-explain: ## tree, why, relocs and check against the system's linker and libelf, and the corpus of broken programs
	@sh tools/setup.sh build test
	@$(MAKE) --no-print-directory -s all $(B)/bad/cases/cases $(B)/bad/run $(B)/explain/libelf_relocs $(B)/explain/ldr-sanitized
	@tests/explain/run.sh $(B)
