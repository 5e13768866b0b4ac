#!/usr/bin/env bash
# run.sh DIR MODE RUNS TARGET... - runs fuzz programs one after the other. DIR holds them and gets what they find.
#   smoke  saved corpus, then RUNS inputs from a fixed seed      long  RUNS inputs from a new seed, finds kept in DIR/found
#   keep   the smallest set of DIR/found and the saved corpus that reaches as much, into tests/fuzz/corpus;
#          files named broke-* stay: each stopped a fuzzer once
# Closing line: N passed, N failed, N skipped. A line of executions for each target and their sum come before it.
set -u
dir=$1 mode=$2 runs=$3
shift 3
here=$(dirname "$0")
passed=0 failed=0 total=0
mkdir -p "$dir/crashes"
for target in "$@"; do
    saved=$here/corpus/$target found=$dir/found/$target log=$dir/$target.log
    mkdir -p "$saved" "$found"
    options="-artifact_prefix=$dir/crashes/$target- -timeout=10 -rss_limit_mb=1500 -max_len=16384 -print_final_stats=1 -verbosity=1"
    # shellcheck disable=SC2086 # options are a list
    case $mode in
    smoke)
        # Replayed first, then mutated. What is found goes to a folder that is thrown away: the first folder named is written to.
        rm -rf "$dir/scratch" && mkdir -p "$dir/scratch" && "$dir/fuzz_$target" $options -runs=0 "$saved" >"$log" 2>&1 &&
            "$dir/fuzz_$target" $options -runs="$runs" -seed=1 "$dir/scratch" "$saved" >>"$log" 2>&1 ;;
    long)
        if [ -z "$(ls -A "$saved")" ] && [ -z "$(ls -A "$found")" ]; then
            bash "$here/seeds.sh" "$dir/seeds" && cp -r "$dir/seeds/." "$dir/found/" || exit 1
        fi
        nice -n 19 "$dir/fuzz_$target" $options -runs="$runs" "$found" "$saved" >"$log" 2>&1 ;;
    keep)
        rm -rf "$dir/kept" && mkdir -p "$dir/kept" &&
            nice -n 19 "$dir/fuzz_$target" $options -merge=1 -use_counters=0 -max_len=2600 "$dir/kept" "$saved" "$found" >"$log" 2>&1 &&
            find "$saved" -type f ! -name 'broke-*' -delete && cp "$dir"/kept/* "$saved" ;;
    esac
    status=$?
    # replay and mutation print one count each
    done_now=$(awk '/stat::number_of_executed_units/ { n += $2 } END { print n + 0 }' "$log")
    total=$((total + done_now))
    if ((status)); then
        failed=$((failed + 1))
        echo "not ok $target: status $status after $done_now runs, see $log"
        grep -E 'ERROR|runtime error|SUMMARY|Test unit written|deadly' "$log" | head -5 | sed 's/^/    /'
    else
        passed=$((passed + 1))
        echo "$target: $done_now runs, $(find "$saved" -type f | wc -l) files saved"
    fi
done
echo "$total executions"
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
