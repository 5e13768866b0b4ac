#!/bin/sh
# redis.sh - a server on loopback: every kind of value, Lua, a snapshot by fork, an append-only log, a replica, restart.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need redis-server redis-cli
    port=$(free_port)
    start() {
        become redis-server --port "$1" --bind 127.0.0.1 --dir "$PWD/$2" --daemonize no --save '' --appendonly "$3" \
            --logfile "$PWD/$2.log" --enable-debug-command yes --io-threads 2 --repl-diskless-sync-delay 0 &
        eval "$2=$!"
        wait_for redis-cli -p "$1" ping || { cat "$2.log"; exit 1; }
    }
    ask() { run redis-cli -p "$port" "$@"; }
    mkdir first second
    trap 'kill $first $second 2>/dev/null' EXIT
    start "$port" first yes
    ask set greeting hello
    ask append greeting ' there'
    ask getrange greeting 0 6
    ask rpush list a b c d
    ask lrange list 1 -1
    ask zadd scores 3 x 1 y 2 z
    ask zrange scores 0 -1 withscores
    ask hset hash f1 v1 f2 v2
    ask hgetall hash
    ask sadd set 1 2 3
    ask sort set desc
    ask geoadd places 13.361389 38.115556 a 15.087269 37.502669 b
    ask geodist places a b km
    ask pfadd visitors a b c a
    ask pfcount visitors
    ask xadd stream '1-1' field value
    ask xrange stream - +
    ask eval 'local s = 0; for i = 1, 1000 do s = s + i; redis.call("incr", "counter") end; return {s, redis.call("get", "counter"), cjson.encode({1, 2}), struct.pack("<I4", 7), bit.bxor(5, 1)}' 0
    ask eval 'error("from lua")' 0 2>&1 | sed 's/ script:.*//'
    seq 1 5000 | sed 's/.*/SET key& value&/' | run redis-cli -p "$port" --pipe | tail -n 1
    ask dbsize
    second_port=$(free_port)
    start "$second_port" second no
    redis-cli -p "$second_port" replicaof 127.0.0.1 "$port"
    wait_for sh -c "redis-cli -p $second_port info replication | grep -q master_link_status:up"
    wait_for sh -c "test \$(redis-cli -p $second_port dbsize) = \$(redis-cli -p $port dbsize)"
    echo "same data: $(test "$(redis-cli -p "$second_port" debug digest)" = "$(ask debug digest)" && echo yes)"
    # the replica was fed by a forked child: while that runs, a rewrite is only put off
    wait_for sh -c "redis-cli -p $port info persistence | grep -q rdb_bgsave_in_progress:0"
    ask bgrewriteaof
    wait_for sh -c "redis-cli -p $port info persistence | grep -q aof_rewrite_in_progress:0"
    ask save
    digest=$(ask debug digest)
    run redis-check-rdb first/dump.rdb | grep -c 'looks OK'
    kill "$first"
    wait "$first"
    echo "stopped: $?"
    start "$port" first yes
    echo "after restart: $(test "$(ask debug digest)" = "$digest" && echo the same)"
    ask shutdown nosave
    wait "$first"
    echo "shut down: $?"
}
compare
