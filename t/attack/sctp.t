#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# SCTP of a peer who has the keys: malformed chunks, floods of INITs, chunks behind
# holes, streams without number, acknowledgements of what was never sent.  No
# worker is hurt, what is kept is bounded, other clients are served.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $seed = $ENV{TEST_SEED} // 20;
note("TEST_SEED=$seed");

my $data = pack 'N*', map { $_ * 2654435761 & 0xffffffff } 0 .. 262143;

sub server {
    my (%o) = @_;

    my $t = NgxWebRTC->new(workers => 1, %o);

    mkdir $t->dir . '/www';
    $t->write_file('www/a.bin', $data);
    $t->start(server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF2

    return $t;
}

sub run {
    my ($t, $what) = @_;

    my $r = $t->python_json('sctp.py', $what, $t->url('/files/a.bin'), $seed);

    ok(!$r->{error}, "$what is carried out") or diag($r->{error});
    note(explain($r));

    return $r;
}

sub served {
    my ($t, $name) = @_;

    my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';
    my $p = $c->call('open', url => $t->url('/files/a.bin'));

    is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256},
       sha256_hex($data), "$name: others are served");
    $c->call('close', peer => $p->{peer});
}

# with sanitizers: what parses

my $t = server(asan => 1);
my $workers = join ' ', sort $t->workers;

my $r = run($t, 'garbage');
cmp_ok($r->{sent}, '>', 1000, 'malformed chunks');

$r = run($t, 'acks');
is($r->{abort}, 'closed', 'abort ends the session');
is($r->{$_}, 'open', "$_ does not") for qw/ cookie beats /;

served($t, 'afterwards');
is(join(' ', sort $t->workers), $workers, 'the worker lives');
ok($t->no_sessions, 'no session is left');
ok($t->stop, 'and stops');
is_deeply([ $t->complaints ], [], 'no alerts, no sanitizer reports');

# without: what is kept

$t = server();

sub rss {
    my ($pid) = $t->workers;
    return slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}

served($t, 'before');

$r = run($t, 'inits');
cmp_ok($r->{acks}, '<=', 8 * ($r->{seconds} + 2),
       'INITs: no more than 8 a second are answered');
ok($r->{serves}, 'INITs: the association goes on');

for my $row ([ holes => 20_000, 8000 ], [ streams => 2000, 3000 ]) {
    my ($what, $least, $kb) = @$row;

    my $before = rss();
    my $p = $t->python('sctp.py', $what, $t->url('/files/a.bin'), $seed);
    my $line = json(NgxWebRTC::_read_line($p->{out}, 95) // '') || {};

    cmp_ok($line->{held} // 0, '>', $least, "$what are sent")
        or diag(slurp($p->{log}));

    my $more = rss() - $before;

    diag("$what: $line->{held}, $more kB");
    cmp_ok($more, '<', $kb, "$what: what is kept is bounded");
    served($t, $what);

    print { $p->{in} } "\n";
    $t->python_result($p);
}

ok($t->no_sessions, 'no session is left');
$t->done;
