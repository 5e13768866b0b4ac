/* template.S - the files of the page, as they are, each ended by a zero byte. Assembled at the top of the tree. */
	.macro	file name, path
	.globl	\name
\name:
	.incbin	"\path"
	.byte	0
	.endm

	.section .rodata
	file	page_html, "tools/views/page.html"
	file	page_css, "tools/views/page.css"
	file	page_js, "tools/views/page.js"

	.section .note.GNU-stack, "", @progbits
