# tools/debuginfo: part of the ldr command; here are the tests of it alone (tests/tools/debuginfo).
DEBUGINFO_SRCS := $(wildcard tools/debuginfo/*.c) tools/support.c
DEBUGINFO_LIBS := -ldwarf -liberty -lelf -lz

# whereis FILE ADDRESS[:LEN]...: the answers as JSON lines, for scripts
$(B)/tests/tools/whereis: tests/tools/debuginfo/whereis.c $(DEBUGINFO_SRCS) $(wildcard tools/debuginfo/*.h)
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -o $@ $(filter %.c,$^) $(DEBUGINFO_LIBS) -ljson-c

DEBUGINFO_TESTS := $(B)/tests/tools/whereis
