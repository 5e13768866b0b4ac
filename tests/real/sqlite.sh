#!/bin/sh
# sqlite.sh - the sqlite3 shell: a database built, indexed, queried, dumped, checked; two writers at once.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need sqlite3
    run sqlite3 -batch one.db <<'END' || exit 1
pragma journal_mode = wal;
create table points (id integer primary key, name text, x real, body blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
    insert into points select i, 'name ' || (i * 7919 % 1000), i / 3.0, zeroblob(i % 50) from n;
create index by_name on points (name, x);
create virtual table words using fts5(body);
insert into words select name || ' ' || name from points where id < 500;
create view totals as select name, count(*) n, round(sum(x), 3) s from points group by name;
select * from totals order by name limit 5;
select count(*) from words where words match '"name 77"';
select json_group_array(id) from (select id from points where name = 'name 5' order by x desc limit 4);
select name, rank() over (order by n desc, name) from totals limit 3;
select printf('%.6f %s', avg(x), hex(zeroblob(2))), strftime('%Y-%m-%d', 86400, 'unixepoch') from points;
explain query plan select * from points where name = 'a' order by x;
begin; update points set x = x + 1 where id % 3 = 0; rollback;
pragma integrity_check;
END
    run sqlite3 one.db .dump | cksum
    for writer in 1 2; do
        run sqlite3 -cmd '.timeout 20000' one.db \
            "create table if not exists w$writer (v); insert into w$writer select id from points where id < 1000;" &
    done
    wait
    run sqlite3 one.db 'select count(*), sum(v) from w1; select count(*), sum(v) from w2; pragma quick_check;'
    run sqlite3 one.db 'select no_such_column from points' 2>&1
    echo "status $?"
    run sqlite3 -json one.db 'select * from points where id in (1, 2)'
}
compare
