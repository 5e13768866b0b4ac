# rules.mk of tests/bad: damaged libraries and programs, each loaded by the finished linker.
#   make bad                     every case; a failed one is told with its folder under build/bad/cases
#   build/bad/run LDSO build/bad/cases/cases all      how every single case ended
BAD := $(B)/bad
BAD_LIB := $(CC) -std=gnu11 -O1 -g0 -shared -fPIC -Wl,-soname,libvictim.so,--version-script=tests/bad/victim.map -o
.PHONY: bad

$(BAD)/good/prog: $(wildcard tests/bad/*.c tests/bad/*.map) tests/bad/rules.mk
	@mkdir -p $(BAD)/good/gnu $(BAD)/good/sysv
	@$(BAD_LIB) $(BAD)/good/gnu/libvictim.so -Wl,--hash-style=gnu,-z,lazy,-init,victim_add tests/bad/victim.c
	@$(BAD_LIB) $(BAD)/good/sysv/libvictim.so -Wl,--hash-style=sysv,-z,now,-z,pack-relative-relocs tests/bad/victim.c
	@$(CC) -O1 -o $(BAD)/good/opener tests/bad/opener.c
	@$(CC) -O1 -Wl,-rpath,'$$ORIGIN' -o $(BAD)/good/prog-beside tests/bad/prog.c $(BAD)/good/gnu/libvictim.so
	@$(CC) -O1 -o $@ tests/bad/prog.c $(BAD)/good/gnu/libvictim.so
$(BAD)/cases/cases: tests/bad/make.py $(BAD)/good/prog
	@rm -rf $(@D) && mkdir -p $(@D)
	@python3 tests/bad/make.py $(abspath $(BAD)/good) $(abspath $(@D))
$(BAD)/run: tests/bad/run.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -o $@ $<

# How every case ended, by name, whatever it was: test-explain compares what `ldr check` says.
$(BAD)/endings: $(BAD)/cases/cases $(BAD)/run $(LDSO)
	@$(BAD)/run $(abspath $(LDSO)) $(BAD)/cases/cases all >$@ || true

bad: ## thousands of damaged libraries and programs: a message, never a signal or a hang
	@rm -f $(BAD)/endings
	@$(MAKE) --no-print-directory -s $(BAD)/endings
	@! grep '^not ok' $(BAD)/endings; tail -n 2 $(BAD)/endings; tail -n 1 $(BAD)/endings | grep -q ' passed, 0 failed, 0 skipped$$'
