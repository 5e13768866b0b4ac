# shellcheck shell=bash
# build.sh - sourced by crash.sh and crash_kernel.sh: the programs that die, in the current folder.
gcc -g -O1 -shared -fPIC -o libplugin.so plugin.c
gcc -g -O1 -shared -fPIC -o libused.so library.c
# shellcheck disable=SC2016 # for the linker
gcc -g -O1 -fPIE -pie -fstack-protector-strong -fno-optimize-sibling-calls -w -Wl,-z,lazy -Wl,-z,relro -o cases cases.c -L. -lused -Wl,-rpath,'$ORIGIN' -pthread
