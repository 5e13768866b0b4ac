# rules.mk of tools/views/: the files of the HTML page, assembled into the command.
$(B)/tools/views/template.o: tools/views/template.S tools/views/page.html tools/views/page.css tools/views/page.js
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<
