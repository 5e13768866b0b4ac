# tools/crash: libdwfl and the x86 half of capstone as one object each, with no name of theirs left but those that are called: libdw and
# libdwarf define functions of the same names, and all of capstone would be five times as large with 10,000 relocations at each start.
# libdw asks a debuginfod by dlopen; nobody asks here, and a static program has none.
CRASH_OBJS := $(B)/tools/crash/libdwfl.o $(B)/tools/crash/capstone.o
CRASH_LIBS := -llzma -lbz2
DWFL_CALLED := dwfl_begin dwfl_report_begin dwfl_report_module dwfl_report_end dwfl_attach_state dwfl_getthread_frames \
	dwfl_thread_state_registers dwfl_frame_pc dwfl_frame_reg dwfl_errmsg
CAPSTONE_CALLED := cs_open cs_option cs_disasm cs_insn_group
CAPSTONE_LEFT_OUT := AArch64 ARM EVM M680X M68K Mips PPC Sparc SystemZ TMS320C64x XCore

$(B)/tools/crash/libdwfl.o: tools/crash/rules.mk
	@mkdir -p $(@D)
	ld -r -o $@ $(DWFL_CALLED:%=-u %) $$($(CC) -print-file-name=libdw.a)
	objcopy $(DWFL_CALLED:%=--keep-global-symbol=%) $(foreach f,dlopen dlsym dlclose,--redefine-sym $f=crash_no_$f) $@
$(B)/tools/crash/capstone.o: tools/crash/rules.mk
	@mkdir -p $(@D)
	ld -r -o $@ $(CAPSTONE_CALLED:%=-u %) $(foreach a,$(CAPSTONE_LEFT_OUT),--defsym $(a)_global_init=0 --defsym $(a)_option=0) \
		$$($(CC) -print-file-name=libcapstone.a)
	objcopy $(CAPSTONE_CALLED:%=--keep-global-symbol=%) $@
