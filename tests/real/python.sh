#!/bin/sh
# python.sh - slices of python3's own test suite, every result compared test by test: compiled modules (ctypes, ssl,
# sqlite3, ...), threads, signals, subprocesses, process pools; left out is what mostly waits for time to pass.
. "$(dirname "$0")/lib.sh"
limit=420

# results FILE: `class.method outcome` of every test, sorted.
results() {
    /usr/bin/python3 - "$1" <<'END'
import sys, xml.etree.ElementTree as tree
lines = set()
for case in tree.parse(sys.argv[1]).iter("testcase"):
    bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    lines.add("%s %s" % (case.get("name"), bad[0] if bad else case.get("result")))
print("\n".join(sorted(lines)))
END
}

work() {
    need python3
    python3 -c 'import test.libregrtest' 2>/dev/null || { echo "no package libpython3.11-testsuite"; exit 77; }
    # Four files at a time, the long ones first: most of the time they wait.
    timeout 400 python3 -m test -q -j4 --junit-xml results.xml \
        test_multiprocessing_spawn test_multiprocessing_fork test_ssl test_subprocess test_signal test_threading \
        test_faulthandler test_importlib test_datetime test_bz2 test_decimal test_ctypes test_os test_posix test_pty \
        test_zlib test_hashlib test_struct test_array test_mmap test_codecs test_binascii test_audioop test_pyexpat \
        test_xml_etree_c test_json test_dbm_ndbm test_dbm_gnu test_crypt test_spwd test_resource test_fcntl test_uuid \
        test_curses test_readline test_locale test_imp test_import test_exceptions test_embed test_thread \
        test_threading_local test_queue test_context test_popen test_select \
        -i '*imeout*' -i 'Siginterrupt*' -i '*dump_traceback_later*' -i '*test_echo*' -i '*sni_callback*' \
        -i '*test_alpn_protocols*' -i '*Stress*' -i '*itimer*' -i '*wakeup_fd*' -i '*recv_zero*' -i '*sendfile*' \
        -i 'PidfdOpenTests' -i 'SimpleBackgroundTests' -i '*test_PROTOCOL*' -i '*test_bug_1727780*' -i '*test_session*' \
        -i '*WithThreads*' -i '*TestWait*' -i '*TestFinalize*' -i '*TestResourceTracker*' -i '*TestPoll*' \
        -i '*TestCondition*' -i '*TestBarrier*' -i '*test_send_signal_dead*' -i '*test_terminate_dead*' \
        -i '*test_kill_dead*' -i '*repeated_call_after_stdout_close*' -i '*WithManager*' -i '*EINTR*' -i '*Eintr*' \
        -i '*Decompress4G*' -i '*no_failfast*' -i '*WorkerLifetime*' -i '*sigwait*' -i '*sigtimedwait*' >suite.log 2>&1
    status=$?
    results results.xml
    [ $status = 0 ] || sed -n '/failed/,$p' suite.log
    return $status
}
compare
