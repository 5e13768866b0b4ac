#!/bin/sh
# nss_iconv.sh - what libc loads by itself with dlopen: name services (passwd, group, hosts, services ...) and character
# set converters, each converter both ways, from the shell and from threads of one program.
. "$(dirname "$0")/lib.sh"
forms="namespace command interp"

work() {
    need getent iconv gcc
    for base in passwd group shadow hosts services protocols networks ethers rpc aliases; do
        run getent $base | cksum
        echo "$base: $?"
    done
    run getent ahosts localhost
    run getent passwd root 0 no_such_user
    echo "status $?"
    run getent -s files hosts localhost
    run getent -s 'no_such_service files' passwd root
    run getent -s dns hosts no.such.host.invalid
    echo "status $?"
    run id -a root
    printf 'The quick brown fox 0123456789\n' >ascii
    # Every converter there is: to it and back. Some cannot spell this text, which shows in the status.
    run iconv -l | tr -d '/' | awk '{ print $1 }' | sort -u >sets
    wc -l <sets
    cat >convert.c <<'END'
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <pthread.h>
static const char text[] = "The quick brown fox 0123456789\n";
static char names[2000][64]; static int count; static unsigned results[4][2000];
static unsigned try_set(const char *name) {
    char middle[1024], back[1024], *in = (char *)text, *out = middle; size_t in_left = sizeof text - 1, out_left = sizeof middle;
    iconv_t to = iconv_open(name, "UTF-8"); if (to == (iconv_t)-1) return 1000 + errno;
    size_t r = iconv(to, &in, &in_left, &out, &out_left); if (r == (size_t)-1) { iconv_close(to); return 2000 + errno; }
    iconv(to, NULL, NULL, &out, &out_left); iconv_close(to);
    iconv_t from = iconv_open("UTF-8", name); if (from == (iconv_t)-1) return 3000 + errno;
    in = middle; in_left = out - middle; out = back; out_left = sizeof back;
    r = iconv(from, &in, &in_left, &out, &out_left); iconv_close(from);
    unsigned sum = 0; for (char *p = middle; p < middle + (sizeof middle - 0) && p - middle < 200; p++) sum = sum * 31 + (p < middle + (in - middle) ? (unsigned char)*p : 0);
    return r == (size_t)-1 ? 4000 + errno : memcmp(back, text, sizeof text - 1) ? 5000 : sum | 0x80000000u;
}
static void *work(void *which) { long w = (long)which; for (int i = 0; i < count; i++) { int n = w & 1 ? i : count - 1 - i; results[w][n] = try_set(names[n]); } return NULL; }
int main(void) {
    while (count < 2000 && scanf("%63s", names[count]) == 1) count++;
    pthread_t t[4]; for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, work, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < count; i++) printf("%s %u%s\n", names[i], results[0][i], memcmp(&results[0][i], &results[1][i], 4) || results[0][i] != results[2][i] || results[0][i] != results[3][i] ? " threads differ" : "");
    return 0;
}
END
    gcc -O1 -pthread -Wl,--dynamic-linker="$interp" convert.c -o convert || exit 1
    PATH=.:$PATH
    run convert <sets
    for set in UTF-16 UTF-32LE ISO-8859-15 SHIFT_JIS EUC-JP GB18030 BIG5 KOI8-R CP1252 IBM037 UTF-7; do
        run iconv -f ASCII -t $set ascii | cksum
        run iconv -f ASCII -t $set ascii | run iconv -f $set -t UTF-8
    done
    printf '\303\244\342\202\254' | run iconv -f UTF-8 -t ASCII//TRANSLIT
    echo
    printf '\303\244' | run iconv -f UTF-8 -t ASCII
    echo "status $?"
}
compare
