#!/usr/bin/env bash
# freestanding.sh FILE - what the finished linker may not have, by readelf. Closing line: N passed, N failed, N skipped.
set -u
file=${1:-build/ld-ldr.so}
passed=0 failed=0
if [ ! -e "$file" ]; then echo "not ok $file does not exist"; echo "0 passed, 1 failed, 0 skipped"; exit 1; fi

# empty NAME TEXT: the check holds when TEXT (what offends) is empty
empty() {
    if [ -z "$2" ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    printf 'not ok %s:\n%s\n' "$1" "$2" | sed '2,$s/^/    /'
}

headers=$(readelf -lW "$file") dynamic=$(readelf -dW "$file") symbols=$(readelf --dyn-syms -sW "$file") relocs=$(readelf -rW "$file")
segments=$(grep -E '^ +[A-Z_]+ +0x' <<<"$headers")
empty "readelf reads it" "$(readelf -hlSdrsW "$file" 2>&1 >/dev/null)"
empty "undefined symbol" "$(awk '$1 ~ /^[0-9]+:$/ && $7 == "UND" && NF > 7' <<<"$symbols")"
empty "needed library" "$(grep -E '\((NEEDED|FILTER|AUXILIARY)\)' <<<"$dynamic")"
empty "thread-local storage" "$(grep -E '^ +TLS ' <<<"$segments")$(awk '$4 == "TLS"' <<<"$symbols")"
empty "text relocation" "$(grep -E '\(TEXTREL\)|FLAGS.*TEXTREL' <<<"$dynamic")"
empty "relocation other than relative" "$(grep -E 'R_X86_64_' <<<"$relocs" | grep -v 'R_X86_64_RELATIVE ')"
empty "lazily bound slot" "$(grep -E '\((JMPREL|PLTRELSZ)\)' <<<"$dynamic")"
empty "interpreter of its own" "$(grep -E '^ +INTERP ' <<<"$segments")"
# readelf -lW: Type Offset VirtAddr PhysAddr FileSiz MemSiz Flg Align, where Flg may be "R E" in two fields
empty "segment writable and executable" "$(grep -E '^ +LOAD ' <<<"$segments" | grep -E ' R?WE +0x')"
empty "segment executable and unreadable" "$(grep -E '^ +LOAD ' <<<"$segments" | grep -E ' +E +0x' | grep -vE ' R E +0x')"
stack=$(grep -E '^ +GNU_STACK ' <<<"$segments")
empty "PT_GNU_STACK other than RW" "$(if [ -z "$stack" ]; then echo absent; else grep -vE ' RW +0x' <<<"$stack"; fi)"
# Nothing in the file's pages is ever written, so there is nothing to seal: the only writable segment has no bytes in the file.
empty "writable bytes in the file" "$(awk '$1 == "LOAD" && / RW / && $5 != "0x000000"' <<<"$segments")"
empty "type other than DYN" "$(readelf -hW "$file" | grep -E '^ +Type:' | grep -v DYN)"
empty "soname other than the system linker's" "$(grep -q 'Library soname: \[ld-linux-x86-64.so.2\]' <<<"$dynamic" || echo "${dynamic:-no dynamic section}")"
# A lazily bound call and a TLS access interrupt the program between any two instructions: its vector registers are not ours.
empty "vector register used" "$(objdump -d --no-show-raw-insn "$file" | grep -E '%[xyz]mm[0-9]' | head -5)"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
