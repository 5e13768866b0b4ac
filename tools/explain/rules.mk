# rules.mk of tools/explain: the manual pages of `ldr tree`, `why`, `relocs` and `check`. Their sources are part of TOOL_SRCS.
.PHONY: install-explain uninstall-explain
EXPLAIN_PAGES := $(addprefix ldr-,$(addsuffix .1,tree why relocs check))
install: install-explain
install-explain:
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(addprefix tools/,$(EXPLAIN_PAGES)) $(DESTDIR)$(PREFIX)/share/man/man1
uninstall: uninstall-explain
uninstall-explain:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,$(EXPLAIN_PAGES))
