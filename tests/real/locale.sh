#!/bin/sh
# locale.sh - locales compiled into a folder of our own and used: sorting, dates, messages, numbers, wide characters,
# transliteration (which loads a converter) in sort, date, printf, python3, perl and the shell.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need localedef locale python3 perl
    [ -f /usr/share/i18n/locales/de_DE ] || { echo "no locale sources (package locales)"; exit 77; }
    mkdir locales
    for name in de_DE.UTF-8 sv_SE.UTF-8 ja_JP.EUC-JP tr_TR.ISO-8859-9; do
        run localedef --no-archive -i "${name%%.*}" -f "${name#*.}" "$PWD/locales/$name" || exit 1
    done
    export LOCPATH="$PWD/locales"
    run locale -a
    for name in de_DE.UTF-8 sv_SE.UTF-8 ja_JP.EUC-JP tr_TR.ISO-8859-9 C.UTF-8 C nonsense; do
        export LC_ALL=$name
        echo "== $name"
        run locale -k decimal_point charmap mon d_fmt currency_symbol
        TZ=Europe/Berlin run date -d '2024-03-31 12:00 UTC' '+%A %d %B %x %c'
        printf 'z\nö\na\nÄ\no\n' | run sort | tr '\n' ' '
        run /usr/bin/printf "%'d %s\n" 1234567 done
        run ls no_such_file 2>&1
        # What python3 and perl make of the locale; printed as numbers, as the character sets differ.
        run python3 -c 'import locale, time
try: print(locale.setlocale(locale.LC_ALL, ""))
except locale.Error as e: print("error", e)
print(ascii(time.strftime("%A %B", (2024, 3, 31, 0, 0, 0, 6, 91, 0))), locale.localeconv()["thousands_sep"].encode("utf-8", "surrogateescape"), ascii(locale.strxfrm("a") < locale.strxfrm("B")), ascii(locale.format_string("%.2f", 12345.678, grouping=True)))' 2>&1
        PERL_BADLANG=0 run perl -MPOSIX -we 'setlocale(LC_ALL, ""); print unpack("H*", strftime("%A", 0, 0, 0, 31, 2, 124)), " ", POSIX::strcoll("a", "B") < 0 ? 1 : 0, " ", join(",", map { $_ // "" } @{localeconv()}{qw(decimal_point)}), "\n"' 2>&1
    done
    export LC_ALL=de_DE.UTF-8
    printf 'äöü€ß\n' | run iconv -f UTF-8 -t ASCII//TRANSLIT
    run bash -c 'x=äöü; echo ${#x} ${x^^} $(printf %.2f 1,5) $"hello"'
    run grep -c -i 'ÄÖ' <<END
aäöb
END
}
compare
