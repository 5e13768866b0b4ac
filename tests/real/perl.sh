#!/bin/sh
# perl.sh - every compiled module of perl's own loaded at once, then threads, fork, sockets, regular expressions, Encode.
. "$(dirname "$0")/lib.sh"
forms="namespace command"

work() {
    need perl
    # Every module with a shared library, in one process: dlopen some fifty times.
    cat >modules.pl <<'END'
use strict; use Config; use File::Find;
my %seen;
for my $dir ($Config{archlibexp}, $Config{vendorarchexp}) {
    next unless -d "$dir/auto";
    find({ no_chdir => 1, wanted => sub {
        return unless m{^\Q$dir\E/auto/(.+)/[^/]+\.so$};
        (my $module = $1) =~ s{/}{::}g;
        $seen{$module} = 1;
    } }, "$dir/auto");
}
for my $module (sort keys %seen) {
    local $SIG{__WARN__} = sub {};
    my $ok = eval "require $module; 1";
    (my $why = $ok ? "" : $@) =~ s/\n.*//s;
    no strict 'refs';
    printf "%s %s\n", $module, $ok ? ${"${module}::VERSION"} // "loaded" : "not loaded: $why";
}
my @objects = grep { /\.so/ } do { open my $maps, '<', '/proc/self/maps'; <$maps> };
my %files = map { (split)[-1] => 1 } @objects;
print scalar(grep { m{/auto/} } keys %files), " module libraries mapped\n";
END
    run perl modules.pl || exit 1
    cat >threads.pl <<'END'
use strict; use warnings; use threads; use threads::shared; use Thread::Queue;
my $sum :shared = 0; my $queue = Thread::Queue->new(1 .. 400); $queue->end;
my @workers = map { threads->create(sub {
    my $n = 0;
    while (defined(my $item = $queue->dequeue)) { lock $sum; $sum += $item; $n++ }
    my $caught = eval { die { code => $n } ; 1 } ? 0 : 1;
    require Digest::SHA; Digest::SHA::sha256_hex($caught);
}) } 1 .. 6;
my %answers; $answers{$_->join}++ for @workers;
print "sum $sum, answers ", join(",", %answers), "\n";
END
    run perl threads.pl || exit 1
    cat >various.pl <<'END'
use strict; use warnings; use utf8; use POSIX qw(:sys_wait_h strtol floor setlocale LC_ALL); use Socket; use Encode;
use Storable qw(freeze thaw); use Digest::MD5 qw(md5_hex); use MIME::Base64; use List::Util qw(reduce shuffle sum);
use Compress::Zlib; use Time::HiRes qw(usleep); use Data::Dumper; use IO::Socket::INET; use Unicode::Normalize;
use Math::BigInt; use B::Deparse; use Safe; use Sys::Hostname; use Fcntl ':flock'; use Time::Local;
$Data::Dumper::Sortkeys = 1; binmode STDOUT, ':utf8';
print md5_hex(join ",", 1 .. 10000), " ", encode_base64("x" x 50), Dumper(thaw(freeze({ a => [1, 2], b => { c => undef } })));
my $text = "na\x{ef}ve \x{3b1}\x{3b2} " x 100; my $bytes = encode("UTF-8", $text);
print length(Compress::Zlib::memGunzip(Compress::Zlib::memGzip($bytes))), " ", length encode("iso-8859-7", $text), " ", NFD("\x{e9}"), "\n";
print encode("UTF-16BE", "ab") eq "\0a\0b" ? "utf-16\n" : "wrong\n", decode("shiftjis", "\x83\x65") , decode("gb2312", "\xb0\xa1"), decode("big5", "\xa4\x40"), decode("euc-kr", "\xb0\xa1"), "\n";
print Math::BigInt->new(2)->bpow(400), "\n", B::Deparse->new->coderef2text(sub { my $x = shift; return $x * 2 + 1 }), "\n";
my $cpt = Safe->new; print $cpt->reval("6 * 7"), " ", defined $cpt->reval("system 'true'") ? "escaped" : "held", "\n";
my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", Proto => "tcp") or die;
my $pid = fork // die;
if (!$pid) { my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport) or POSIX::_exit(3); print $c "hello\n"; close $c; POSIX::_exit(7) }
my $peer = $server->accept; print "got ", scalar <$peer>; waitpid $pid, 0; print "child ", WEXITSTATUS($?), "\n";
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; 1 while 1 }; print "caught $@";
my $n = () = ("the quick brown fox " x 500) =~ /\b(?<w>\p{Ll}+)\b(?{ 1 })/g; print "$n words\n";
print join(" ", map { sprintf "%.15g", $_ } sin 1, exp 1, atan2(1, 2), sqrt 2), " ", floor(-2.5), " ", (strtol("ff", 16))[0], "\n";
print timegm(0, 0, 0, 1, 0, 2000), " ", (getpwuid 0)[0], " ", (getservbyname "https", "tcp")[2], " ", inet_ntoa(scalar gethostbyname "localhost"), "\n";
print `echo from a shell`; system "sh", "-c", "exit 5"; print $? >> 8, "\n"; END { print "END block\n" }
END
    run perl various.pl || exit 1
    run perl -de 'print "debugged\n"' </dev/null 2>&1 | grep -c Loading
    run perl -e 'kill 9, $$'
    echo "killed: $?"
}
compare
