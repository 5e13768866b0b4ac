# rules.mk of tests/unit: unit tables of floors 0-2, and the two scripts that judge the tree and the finished linker.
.PHONY: unit floors freestanding
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_FLAGS := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers

$(B)/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	@$(CC) $(UNIT_FLAGS) -MMD -MP -c -o $@ $<
$(B)/unit/test_%: $(B)/unit/test_%.o $(B)/unit/elfgen.o $(B)/unit/rows.o $(B)/host/libldrcore.a
	@$(CC) $(UNIT_FLAGS) -o $@ $^ -lcmocka
# No sanitizers: it runs generated code on stacks of its own.
UNIT_TESTS += $(B)/unit/outcome_truth
$(B)/unit/outcome_truth: tests/unit/outcome_truth.c tests/unit/outcome_code.c tests/unit/outcome_code.h tests/unit/outcome_object.h $(B)/core/libldrcore.a
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O1 -g -D_GNU_SOURCE -Wall -Wextra -o $@ $(filter-out %.h,$^) -lcmocka
.PRECIOUS: $(B)/unit/%.o
-include $(wildcard $(B)/unit/*.d)

unit: ## tables for every reader and decision of floors 0-2
	@sh tools/setup.sh build test
	@$(MAKE) --no-print-directory -s $(UNIT_TESTS)
	@tests/unit/run.sh $(UNIT_TESTS)

floors: $(B)/core/libldrcore.a ## no upward include, no system call and no writable global in floors 0-2
	@tests/floors.sh $(B)

freestanding: $(LDSO) ## ld-ldr.so needs nothing and no page of it is writable and executable
	@tests/freestanding.sh $(LDSO)
