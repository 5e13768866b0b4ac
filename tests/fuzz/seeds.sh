#!/usr/bin/env bash
# shellcheck disable=SC2016 # $ORIGIN and its kin stay as they are
# seeds.sh DIR - the files fuzzing starts from: small libraries and a program made by the compiler, without section headers, and small
# search strings and caches. The saved corpus (tests/fuzz/corpus) grew out of these; they are made again only to grow a new one.
set -eu
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
elf="$out/header $out/symbols $out/versions $out/relocs $out/notes"
# shellcheck disable=SC2086 # a list of folders
mkdir -p $elf "$out/ldcache" "$out/expand" "$out/search"

cat >"$work/lib.c" <<'C'
int shared = 3, other[40] = { 1 };
int *pointer = &shared, **pointer_pointer = &pointer;
extern int puts(const char *);
extern int weak_one(void) __attribute__((weak));
__thread int thread_local = 7;
int call(void) { return puts("x") + (weak_one ? weak_one() : 0) + thread_local; }
__attribute__((constructor)) static void start(void) { shared++; }
__attribute__((visibility("hidden"))) int hidden(void) { return 1; }
int (*table[])(void) = { call, hidden };
C
cat >"$work/ver.c" <<'C'
__asm__(".symver old_f,f@V1"); __asm__(".symver new_f,f@@V2");
int old_f(void) { return 1; }
int new_f(void) { return 2; }
int g(void) { return 3; }
C
echo 'V1 { global: f; local: *; }; V2 { global: g; } V1; V3 { } V2;' >"$work/ver.map"
echo 'extern int f(void), g(void); int h(void) { return f() + g(); }' >"$work/user.c"
echo 'int main(void) { return 0; } void _start(void) { main(); }' >"$work/prog.c"

base="-O1 -fno-asynchronous-unwind-tables -nostdlib -Wl,-z,noseparate-code,-z,max-page-size=4096"
lib="$base -shared -fPIC"
small="$lib -Wl,-z,norelro,--build-id=none"
make_one() { local name=$1; shift; gcc "$@" -o "$work/$name.so"; }
# shellcheck disable=SC2086 # options are lists
{
    make_one ver $small -Wl,--version-script="$work/ver.map",-soname,ver.so "$work/ver.c"
    make_one gnu $small -Wl,--hash-style=gnu,-rpath,'$ORIGIN/lib' "$work/lib.c"
    make_one sysv $small -Wl,--hash-style=sysv,--disable-new-dtags,-rpath,/x "$work/lib.c"
    make_one both $lib -Wl,--hash-style=both,--build-id=sha1 -fcf-protection=full "$work/lib.c"
    make_one relr $small -Wl,-z,pack-relative-relocs "$work/lib.c"
    make_one now $lib -Wl,-z,now,-z,relro "$work/lib.c"
    make_one user $small "$work/user.c" "$work/ver.so"
    make_one pie $base -pie -fPIE "$work/prog.c"
    make_one exec $base -no-pie "$work/prog.c"
    make_one filter $small -Wl,-f,aux.so,-F,filter.so "$work/user.c"
}
for file in "$work"/*.so; do
    # Cut the section headers off: the linker never reads them, and they would be most of the bytes.
    end=0
    while read -r _ offset _ _ length _; do
        if ((offset + length > end)); then end=$((offset + length)); fi
    done < <(readelf -lW "$file" | grep '^ *LOAD')
    head -c "$end" "$file" >"$work/cut"
    for dir in $elf; do cp "$work/cut" "$dir/$(basename "$file")"; done
done

printf '\7$ORIGIN/../lib/$LIB/${PLATFORM}' >"$out/expand/all"
printf '\5$ORIGIN/x' >"$out/expand/secure"
printf '\376${ORIGIN' >"$out/expand/unclosed"
printf '\30libx.so\0/a:$ORIGIN/b:\0$ORIGIN/../lib:/c//\0LD_LIBRARY_PATH=/d;/e:\0/f\0plugin.so\0x86-64-v2\0extra:x86-64-v4\0' >"$out/search/all"
printf '\363./sub/libx.so\0/a\0\0LD_PRELOAD=q\0/usr/lib:;\0\0x86-64-v3\0p\0' >"$out/search/slash"
printf '\31libx.so\0$LIB:$PLATFORM\0/usr/lib/$ORIGIN\0LD_ORIGIN_PATH=/o\0\0plugin.so:q\0\0\0' >"$out/search/secure"

# A cache of libraries of our own, so that no machine's contents are kept: ldconfig writes it for a folder that holds only these.
ldconfig=$(PATH=$PATH:/usr/sbin:/sbin command -v ldconfig || true)
if [ -n "$ldconfig" ]; then
    mkdir -p "$work/root/l/glibc-hwcaps/x86-64-v2" "$work/root/l/glibc-hwcaps/x86-64-v3"
    for n in libc.so.6 libm.so.6 liba9.so liba10.so libz.so.1; do
        gcc -shared -nostdlib -x c /dev/null -Wl,-soname,"$n" -o "$work/root/l/$n"
    done
    cp "$work/root/l/libz.so.1" "$work/root/l/glibc-hwcaps/x86-64-v2"
    cp "$work/root/l/libz.so.1" "$work/root/l/libm.so.6" "$work/root/l/glibc-hwcaps/x86-64-v3"
    # run inside the folder: the cache then holds the paths below / only
    : >"$work/root/conf"
    "$ldconfig" -r "$work/root" -f /conf -C /cache -X /l 2>/dev/null && cp "$work/root/cache" "$out/ldcache/real"
fi
