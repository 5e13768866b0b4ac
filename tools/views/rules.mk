# rules.mk of tools/views/: the files of the HTML page, assembled into the command.
$(B)/tools/views/template.o: tools/views/template.S tools/views/page.html tools/views/page.css tools/views/page.js
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

# The whole command with sanitizers, the linker's readers in it too: for files and recordings that were changed at random.
SANITIZED_LDR := $(B)/tests/tools/ldr-sanitized
$(B)/sanitized/tools/%.o: tools/%.c
	@mkdir -p $(@D)
	$(CC) $(TOOL_CFLAGS) -I/usr/include/libdwarf -U_FORTIFY_SOURCE -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -MMD -MP -c -o $@ $<
$(SANITIZED_LDR): $(patsubst $(B)/%,$(B)/sanitized/%,$(TOOL_SRCS:%.c=$(B)/%.o)) $(B)/tools/views/template.o $(CRASH_OBJS) $(B)/host/libldrcore.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined -o $@ $^ $(TOOL_LIBS)
-include $(TOOL_SRCS:%.c=$(B)/sanitized/%.d)
