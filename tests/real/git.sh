#!/bin/sh
# git.sh - a repository's life: commits, branches, merge, tags, gc, clone over a pipe, log, blame, bisect, fsck.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need git
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
    export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
    run git init -q -b main repo
    cd repo || exit 1
    run git config gc.auto 0
    for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        seq $n $((n * 200)) >"file$((n % 5))"
        mkdir -p "dir$n"
        echo "line $n" >>"dir$n/notes"
        run git add -A
        GIT_AUTHOR_DATE="$((1700000000 + n)) +0000" GIT_COMMITTER_DATE="$((1700000000 + n)) +0000" \
            run git commit -q -m "commit $n" || exit 1
    done
    export GIT_AUTHOR_DATE="1700001000 +0000" GIT_COMMITTER_DATE="1700001000 +0000"
    run git checkout -q -b side HEAD~4
    echo side >side
    run git add side
    run git commit -q -m side
    run git checkout -q main
    run git merge -q --no-edit side
    run git tag -a -m "a tag" v1
    run git gc -q --aggressive --prune=now
    run git count-objects -v | grep -v size
    run git fsck --full --strict
    run git log --graph --stat --format='%H %an %s'
    run git blame -s file2 | head -n 20
    run git grep -n -c 'line' | head
    cd ..
    run git clone -q --no-local repo copy
    run git clone -q --bare repo bare.git
    run git -C copy log --format='%T %s' | head -n 5
    run git -C copy bundle create -q ../all.bundle --all
    run git -C copy bundle verify -q ../all.bundle
    run git -C copy archive --format=tar.gz HEAD | gzip -dc | tar -tf - | sort | cksum
    echo change >>copy/file1
    run git -C copy stash push -q
    run git -C copy stash show -p | tail -n 3
    echo more >>copy/side
    run git -C copy commit -q -am more
    run git -C copy push -q ../bare.git HEAD:refs/heads/new
    run git -C bare.git for-each-ref
    run git -C copy bisect start HEAD HEAD~6
    run git -C copy bisect run sh -c "test ! -e side" 2>&1 | grep "first bad"
    run git -C copy fsck --full
}
compare
