#!/usr/bin/env bash
# tools/debuginfo against truth: crafted variables with the answers beside them (members.c, members.cc), as DWARF 4 and 5, by gcc and
# clang, compressed, in separate debug files by build-id and by link, shared by dwz, stripped; all data symbols of libraries by readelf.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

whereis=$build/tests/tools/whereis
check() { python3 "$here/debuginfo/check.py" "$whereis" "$@" 2>&1; }
head_of() { "$whereis" "$1" "${2:-0}" "${@:3}" 2>&1 | head -1; } # [-c] FILE [ADDRESS]
cp "$here"/debuginfo/members.* "$work"
cd "$work" || exit 1
export LDR_DEBUG_DIR=$work/debug
mkdir -p debug/.build-id

compile() { # OUT OPTION...: members.c and members.cc
    local out=$1; shift
    "${cc:-gcc}" -std=gnu11 -O1 -fPIC -shared -Wl,--build-id "$@" -o "$out.c.so" members.c &&
        "${cxx:-g++}" -O1 -fPIC -shared -Wl,--build-id "$@" -o "$out.cc.so" members.cc
}
both() { # NAME FILE LEVEL [WHOLE]: both languages
    local language
    for language in c cc; do
        equal "$1, members.$language" "$(check "$2.$language.so" members.$language "$3" ${4:+"$4.$language.so"})" ""
    done
}

for version in 4 5; do
    compile whole$version -gdwarf-$version && both "DWARF $version" whole$version dwarf
    compile typed$version -gdwarf-$version -fdebug-types-section && both "DWARF $version with type units" typed$version dwarf
    compile packed$version -gdwarf-$version -gz=zlib && both "DWARF $version compressed" packed$version dwarf
done
compile old -gdwarf-4 -gz=zlib-gnu && both "DWARF 4 compressed the old way" old dwarf
if command -v clang >/dev/null; then
    cc=clang cxx=clang++ compile clang -gdwarf-5 && both "clang" clang dwarf
else
    skip "clang" "not installed"
fi

# separate: the debug file is found by build-id; by the link beside the file, in .debug and below the debug folder
for language in c cc; do
    for how in id link dot folder wrong gone; do
        cp whole5.$language.so $how.$language.so
        objcopy --only-keep-debug whole5.$language.so $how.$language.debug
        [ $how = id ] || objcopy --remove-section .note.gnu.build-id $how.$language.so 2>/dev/null
        strip --strip-all $how.$language.so
        [ $how = id ] || objcopy --add-gnu-debuglink=$how.$language.debug $how.$language.so
    done
    id=$(readelf -n id.$language.so | sed -n 's/.*Build ID: //p')
    mkdir -p "debug/.build-id/${id:0:2}" .debug "debug$work"
    mv id.$language.debug "debug/.build-id/${id:0:2}/${id:2}.debug"
    mv dot.$language.debug .debug
    mv folder.$language.debug "debug$work"
    printf x >>wrong.$language.debug
    rm gone.$language.debug
done
both "separate, by build-id" id dwarf whole5
both "separate, by link" link dwarf whole5
both "separate, by link in .debug" dot dwarf whole5
for language in c cc; do # by its full path, so that the folder is known
    equal "separate, by link below the debug folder, members.$language" "$(check "$work/folder.$language.so" members.$language dwarf whole5.$language.so)" ""
done
both "stripped" gone symbol whole5 | grep -v "no symbol" >"$work/stripped"
# local names are gone with the symbol table: what is left of it is .dynsym, and sections for the rest
equal "stripped: nothing by DWARF" "$(check gone.c.so members.c symbol whole5.c.so | grep -c "'dwarf'")" 0
contains "wrong CRC: said" "$(head_of wrong.c.so)" "has CRC"
contains "wrong CRC: symbols instead" "$(head_of wrong.c.so)" '"how":"symbol"'
wrong=debug/.build-id/${id:0:2}/${id:2}.debug
cp whole4.cc.so "$wrong"
contains "another build-id than its name: said" "$(head_of id.cc.so)" "another build-id"
cp whole5.c.so bare.c.so && strip --strip-all bare.c.so && objcopy --remove-section .note.gnu.build-id bare.c.so
at=$(readelf -sW bare.c.so | awk '$8 == "plain" { print $2 }')
contains "stripped: dynamic symbol" "$("$whereis" bare.c.so "$at")" '"how":"symbol"'
compile plain -g0 && both "no debug information, symbols" plain symbol
contains "no debug information: no problem" "$(head_of plain.c.so)" '"problem":""'

# a link that would lead elsewhere is no file name
cp bare.c.so evil.so
printf '../../evil.debug\0\0\0\0\0\0\0\0' >evil.link && objcopy --add-section .gnu_debuglink=evil.link evil.so
contains "a link with a path is not followed" "$(strace -f -e trace=openat,newfstatat "$whereis" evil.so 0 2>&1 | grep -c 'evil\.debug')" 0

# dwz puts what two files have in common into a third
if command -v dwz >/dev/null; then
    compile dwza -gdwarf-4 && compile dwzb -gdwarf-4 -DOTHER
    if dwz -m "$work/common.debug" dwza.c.so dwzb.c.so 2>dwz.err && readelf -SW dwza.c.so | grep -q gnu_debugaltlink; then
        equal "dwz" "$(check dwza.c.so members.c dwarf)" ""
        mv common.debug elsewhere
        contains "dwz, the common file gone: said" "$(head_of dwza.c.so)" "is not there"
    else
        skip "dwz" "it shares nothing: $(tail -1 dwz.err)"
    fi
else
    skip "dwz" "not installed"
fi

# every variable of a real library; and instructions, by LLVM's addr2line
unset LDR_DEBUG_DIR
library=/usr/lib/x86_64-linux-gnu/libpython3.11d.so.1.0
if [ -r $library ] && command -v llvm-addr2line >/dev/null; then
    equal "every data symbol of $(basename $library)" "$(python3 "$here/debuginfo/check.py" "$whereis" $library --symbols 2>/dev/null)" ""
    readelf -sW $library | python3 -c '
import sys
rows = (line.split() for line in sys.stdin)
found = sorted({int(f[1], 16) + int(f[2], 0) // 2 for f in rows if len(f) > 7 and f[3] == "FUNC" and int(f[2], 0) > 40})
print(*(f"{x:x}" for x in found[::40]), sep="\n")' >code
    llvm-addr2line -C -f -e $library <code | paste - - | sed 's/ (discriminator.*//; s/\.\(cold\|part\|isra\|constprop\)[.0-9a-z]*//' | awk '{ n = split($2, p, "/"); print $1, p[n] }' >expected
    "$whereis" -c $library - <code | tail -n +2 | python3 -c '
import json, sys
for line in sys.stdin:
    a = json.loads(line)
    print(a["name"].split(".")[0], a["file"].split("/")[-1] + ":" + str(a["line"]) if a["line"] else "??:0")' >found
    good=$(paste -d' ' expected found | awk '$1 == $3 && $2 == $4' | wc -l) all=$(wc -l <code)
    # addr2line names the innermost inlined function, we the one that has the code: lines must agree
    lines=$(paste -d' ' expected found | awk '$2 == $4 || $2 ~ /\?/' | wc -l)
    equal "$all instructions: lines as addr2line ($good with its name for the function)" "$lines" "$all"
else
    skip "a library with debug information" "$library or llvm-addr2line is not installed"
fi

# Every instruction of functions in several pieces, in functions and in unnamed namespaces: line as addr2line, whole names.
lines_of() { # FILE; by LLVM, because GNU addr2line too takes file 0 for the default, which is 1
    nm -S --defined-only "$1" | awk 'NF == 4 && $3 ~ /[tTwW]/ && $4 ~ /two_pieces|report|nested|outer|from_header/ { print $1, $2 }' | while read -r from size; do
        for ((at = 0x$from; at < 0x$from + 0x$size; at += 3)); do printf '%x\n' $at; done
    done | sort -u >code
    llvm-addr2line -e "$1" <code | sed 's/ (discriminator.*//; s/.*\///' >expected
    "$whereis" -c "$1" - <code | tail -n +2 | python3 -c '
import json, sys
for line in sys.stdin:
    a = json.loads(line)
    print(a["file"].split("/")[-1] + ":" + str(a["line"]) if a["line"] else "??:0", a["how"], a["name"])' >found
    # a "?" and 0 are rows without a line
    paste -d' ' code expected found | awk '$2 !~ /\?|:0$/ && ($2 != $3 || $4 != "dwarf")' | head -3
    [ "$(wc -l <code)" -gt 60 ] || echo "too few instructions"
}
cp "$here"/debuginfo/code.* .
for compiler in g++ clang++; do
    if ! { command -v $compiler && command -v llvm-addr2line; } >/dev/null; then skip "code by $compiler" "it or llvm-addr2line is not installed"; continue; fi
    for options in "-gdwarf-4 -O2" "-gdwarf-5 -O0 -ffunction-sections"; do
        # shellcheck disable=SC2086 # several words
        $compiler $options -fPIC -shared -o code.so code.cc
        equal "code by $compiler $options" "$(lines_of code.so)" ""
    done
    for name in "nested(int)::local::get(int) const" "outer::(anonymous namespace)::hidden(int)"; do
        contains "code by $compiler: $name" "$(cat found)" "$name"
    done
done
for version in 4 5; do
    g++ -gdwarf-$version -gsplit-dwarf -O2 -fPIC -shared -o split.so code.cc
    if command -v llvm-addr2line >/dev/null; then equal "split DWARF $version: lines" "$(lines_of split.so)" ""; else skip "split DWARF $version: lines" "llvm-addr2line is not installed"; fi
    contains "split DWARF $version: said of code" "$(head_of -c split.so "$(nm split.so | awk '/ T .*nested/ { print $1 }')")" "split.so has split DWARF: what the compiler put into .dwo files"
    contains "split DWARF $version: said of data" "$(head_of split.so "$(nm split.so | awk '$3 == "table" { print $1 }')")" "split.so has split DWARF"
done
g++ -gdwarf-5 -O2 -fPIC -shared -o code.so code.cc
equal "no split DWARF: not said" "$(head_of -c code.so "$(nm code.so | awk '/ T .*nested/ { print $1 }')" | grep -c split)" 0
cold=$(nm code.so | awk '/two_pieces.*cold/ { print $1 }')
if [ -n "$cold" ]; then
    contains "the piece that was moved away" "$("$whereis" -c code.so "$cold")" '"name":"two_pieces(int, int const*)"'
else
    skip "the piece that was moved away" "the compiler made none"
fi

# damaged files: always an answer, never the end of the asking process
for damaged in whole5.c.so whole4.cc.so packed5.cc.so; do
    equal "damaged copies of $damaged" "$(python3 "$here/debuginfo/fuzz.py" "$whereis" $damaged 60 7 2>/dev/null)" ""
done
