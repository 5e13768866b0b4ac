# graph TEXT - build the libraries and the program of one graph in a folder of their own, and run it.
graph() {
    local text=$1 number=g$((++GRAPHS)) part opened= node from to dst names
    declare -A needs=() seen=()
    for part in ${text//;/ }; do
        if [[ $part == *!* ]]; then opened=${part#*!}; part=${part%%!*}; for ((i = 0; i < ${#opened}; i++)); do seen[${opened:i:1}]=1; done; fi
        from=
        for node in ${part//->/ }; do
            node=${node//[\[\]]/}
            for ((i = 0; i < ${#node}; i++)); do
                dst=${node:i:1}; seen[$dst]=1
                for ((j = 0; j < ${#from}; j++)); do needs[${from:j:1}]+=" -lN$dst"; done
            done
            from=$node
        done
    done
    mkdir -p "$D/$number"
    # an empty stand-in for every library first, so that cycles can be linked
    names=$(printf '%s\n' "${!seen[@]}" | grep -v m | sort)
    [ -f "$W/obj/empty.so" ] || gcc -shared -nostdlib -o "$W/obj/empty.so" -x c /dev/null || exit 1
    for node in $names; do cp "$W/obj/empty.so" "$D/$number/libN$node.so" || exit 1; done
    for node in $names; do
        [ -f "$W/obj/node-$node.o" ] || gcc -c -O1 -fPIC -I"$ROOT/testlibs" -DNAME="$node" -o "$W/obj/node-$node.o" "$S/node.c" || exit 1
        gcc -shared -Wl,--no-as-needed,-rpath,'$ORIGIN' -o "$D/$number/libN$node.so.new" "$W/obj/node-$node.o" -L"$D/$number" ${needs[$node]-} || exit 1
        mv "$D/$number/libN$node.so.new" "$D/$number/libN$node.so"
    done
    prog "$number/m=main.c" -L"$D/$number" ${needs[m]-}
    run "./$number/m" $(for ((i = 0; i < ${#opened}; i++)); do echo "@D/$number/libN${opened:i:1}.so"; done)
}
GRAPHS=0
