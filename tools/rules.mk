# rules.mk of tools/: the `ldr` command, its installation and tests, and the main job.
# build/ldr is made from these files and Debian's libraries only; ld-ldr.so is found when it runs.

TOOL_SRCS := tools/ldr.c $(wildcard tools/cmd_*.c tools/host/*.c tools/pages/*.c)
TOOL_OBJS := $(TOOL_SRCS:%.c=$(B)/%.o)
TOOL_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers \
	-fstack-protector-strong -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DLDR_PREFIX='"$(PREFIX)"'
TOOL_LIBS := -lelf -ljson-c

all:: $(LDR)

$(LDR): $(TOOL_OBJS)
	$(CC) -o $@ $(TOOL_OBJS) -Wl,-z,relro,-z,now $(TOOL_LIBS)

$(B)/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(TOOL_OBJS:.o=.d)
