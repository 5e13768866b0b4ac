# spoil GOOD BAD DEFECT - a copy of a good library with one defect; offsets are those of the 64-bit ELF header.
segment() { # FILE TYPE: file offset of the first program header of that type
    echo $((64 + 56 * $(readelf -lW "$1" | awk -v t="$2" '/^  [A-Z_]+ +0x/ { if ($1 == t) { print n + 0; exit } n++ }')))
}
put() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
spoil() {
    cp "$1" "$2"
    case $3 in
    class)            put "$2" 4 '\001' ;;
    order)            put "$2" 5 '\002' ;;
    version)          put "$2" 6 '\007' ;;
    osabi)            put "$2" 7 '\011' ;;
    type)             put "$2" 16 '\001' ;;
    machine)          put "$2" 18 '\267' ;;
    phentsize)        put "$2" 54 '\060' ;;
    no_segments)      put "$2" 56 '\000' ;;
    no_dynamic)       put "$2" "$(segment "$1" DYNAMIC)" '\000' ;;
    congruence)       put "$2" $(($(segment "$1" LOAD) + 16)) '\020' ;;
    relocation)       put "$2" $(($(readelf -SW "$1" | awk '$2 == ".rela.dyn" || $3 == ".rela.dyn" { for (i = 1; i <= NF; i++) if ($i == "RELA") print "0x" $(i + 2) "+0x" $(i + 3) }') - 16)) '\143' ;; # the last one: a symbolic one
    truncated_header) truncate -s 40 "$2" ;;
    truncated_phdrs)  truncate -s 100 "$2" ;;
    truncated_middle) truncate -s 4096 "$2" ;;
    empty)            truncate -s 0 "$2" ;;
    text)             rm "$2"; for _ in {1..100}; do echo "INPUT(libgood.so.1) this is text"; done >"$2" ;;
    directory)        rm "$2"; mkdir "$2" ;;
    esac
}
