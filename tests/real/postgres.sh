#!/bin/sh
# postgres.sh - initdb, a server on a socket and on loopback, queries, joins in parallel workers, JIT where it is
# installed, extensions (dlopen), a crash of one backend and a dump; as an unprivileged user, as postgres demands.
. "$(dirname "$0")/lib.sh"
limit=300

work() {
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
    [ -x "$bin/initdb" ] || { echo "no postgres"; exit 77; }
    if [ "$(id -u)" = 0 ]; then
        account=$(id -un postgres 2>/dev/null || echo nobody)
        as() { setpriv --reuid "$account" --regid "$(id -g "$account")" --clear-groups env HOME="$PWD" "$@"; }
        chown "$account" . tmp
    else
        as() { "$@"; }
    fi
    as "$bin/initdb" -D data -U me -A trust -E UTF8 --locale=C.UTF-8 -N >initdb.log 2>&1 || { cat initdb.log; exit 1; }
    tail -n 1 initdb.log | cut -c1-40
    port=$(free_port)
    cat >>data/postgresql.conf <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$PWD'
fsync = off
shared_buffers = 32MB
max_parallel_workers_per_gather = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
END
    as "$bin/pg_ctl" -D data -l server.log -w -t 30 start >start.log 2>&1 || { cat start.log server.log; exit 1; }
    trap 'as "$bin/pg_ctl" -D data -m immediate stop >/dev/null 2>&1' EXIT
    query() { as "$bin/psql" -h 127.0.0.1 -p "$port" -U me -d postgres -X -q -A -t -v ON_ERROR_STOP=0 "$@" 2>&1; }
    query <<'END'
create table points as select i id, 'name ' || i % 997 name, i * 1.5 x, md5(i::text) h from generate_series(1, 60000) i;
create index on points (name);
create index on points using gin (to_tsvector('english', name));
analyze points;
select count(*), sum(x), min(h), max(h) from points;
select name, count(*) from points group by name order by 2 desc, 1 limit 3;
select count(*) from points a join points b on a.id = b.id + 1 where a.name > b.name;
select to_tsvector('english', 'The quick foxes jumped') @@ to_tsquery('fox & jump');
select regexp_replace('abc123', '\d+', 'X'), upper('straße'), 'ä' < 'z' collate "C", '2020-02-29'::date + interval '1 year';
select json_build_object('a', array_agg(i)) from generate_series(1, 3) i;
create function twice(n int) returns int language plpgsql as $$ begin return n * 2; end $$;
select twice(21);
do $$ begin perform 1 / 0; exception when division_by_zero then raise notice 'caught'; end $$;
create extension if not exists plpgsql;
create extension pgcrypto;
select encode(digest('abc', 'sha256'), 'hex'), crypt('x', '$1$saltsalt');
create extension hstore;
select 'a=>1, b=>2'::hstore -> 'b';
select xmlelement(name a, 'b');
set jit_above_cost = 0; set jit = on;
select sum(id * 2 + 1) from points where x > 10 and id % 7 = 3;
select pg_jit_available() is not null;
select 1 / 0;
select no_such_function();
begin; delete from points; rollback; select count(*) from points;
END
    query -c 'explain (costs off) select sum(x) from points' | grep -c Parallel
    query -c 'select pg_terminate_backend(pg_backend_pid())' | head -n 1 | cut -c1-40
    for client in 1 2 3 4; do query -c "insert into points select 100000 + $client * 10 + i, 'new', 0, '' from generate_series(1, 10) i" & pids="${pids:-} $!"; done
    # shellcheck disable=SC2086 # a list
    wait $pids
    query -c "select count(*) from points where name = 'new'"
    as "$bin/pg_dump" -h "$PWD" -p "$port" -U me postgres | grep -v -e '^--' -e '^\\' | sort | cksum
    as "$bin/pg_ctl" -D data -w -m fast stop
    as "$bin/pg_controldata" data | grep state
    grep -E 'PANIC|FATAL|signal' server.log | grep -v 'terminating connection' | sed 's/.*\(PANIC\|FATAL\|LOG\)/\1/'
    true
}
tidy() { sed 's/pid [0-9]*/pid N/'; }
compare
