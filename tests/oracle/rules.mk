# rules.mk of tests/oracle: our readers against libelf, over the machine's own files.
#   make oracle [ORACLE_DIRS="..."] [SAMPLE_OF_1000=100]    all files below the folders, or a sample from a fixed seed
ORACLE_DIRS ?= /usr/lib/x86_64-linux-gnu /usr/bin /usr/sbin /usr/libexec
export SAMPLE_OF_1000
.PHONY: oracle
$(B)/oracle/oracle: tests/oracle/oracle.c $(B)/core/libldrcore.a
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -o $@ $^ -lelf
oracle: $(B)/oracle/oracle ## every ELF file of the machine: our readers and libelf say the same
	@$(B)/oracle/oracle $(ORACLE_DIRS)
