# rules.mk of tests/unit: unit tables of floors 0-2, and the two scripts that judge the tree and the finished linker.
.PHONY: unit floors freestanding

floors: $(B)/core/libldrcore.a ## no upward include, no system call and no writable global in floors 0-2
	@tests/floors.sh $(B)

freestanding: $(LDSO) ## ld-ldr.so needs nothing and no page of it is writable and executable
	@tests/freestanding.sh $(LDSO)
