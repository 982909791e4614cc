#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A file over paths that lose packets at random, one of them behind a TURN server:
# all of it comes as it is, and what was lost was repeated by us
# (ngx_webrtc_sctp_repair), not by usrsctp.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', pack('N*', 0 .. 1024 * 1024 - 1));

my $turn = $t->turn;
my $port = $t->port('turn');

$t->start(server => <<"EOF2");
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
location /relay/ {
    alias              %%DIR%%/www/;
    webrtc_file        on;
    webrtc_ice         relay;
    webrtc_ice_allow   loopback;
    webrtc_ice_server  turn:127.0.0.1:$port username=u credential=p;
}
EOF2

# the paths are made by the clients

my @paths = (
    [ 'no loss', rate => 50, rtt => 40, queue => 1000, loss => 0 ],
    [ '1 %', rate => 20, rtt => 50, queue => 1000, loss => 1 ],
    [ '5 %', rate => 20, rtt => 20, queue => 1000, loss => 5 ],
    $turn ? [ 'TURN, 1 %', rate => 20, rtt => 20, queue => 1000, loss => 1 ]
          : (),
);

my $seen = 0;

for my $row (@paths) {
    my ($name, %o) = @$row;
    my $json = $t->dir . "/loss.$seen.json";
    my $relay = $name =~ /TURN/;

    my $p = $t->spawn('filebench', [ "$NgxWebRTC::BUILD/unit/filebench",
        '-quiet', '-json', $json, '-url',
        $t->url($relay ? '/relay/a.bin' : '/files/a.bin'),
        '-file', $t->dir . '/www/a.bin', '-timeout', 90,
        map { ("-$_", $o{$_}) } sort keys %o ],
        env => { ASAN_OPTIONS => 'detect_leaks=0' });

    $t->reap($p, 120);
    my $r = json(slurp($json)) || {};

    is($r->{error}, '', "$name: all of it comes") or diag explain $r;
    is($r->{bytes}, 4 * 1024 * 1024, "$name: of that size");
    is($r->{bad}, 0, "$name: as in the file");

    # one line for each session, when it ends

    my @lines = (undef) x $seen;

    ok(wait_for(60, sub {
        @lines = $t->log =~ /file session sent:\d+ repeated:(\d+)/g;
        return @lines > $seen;
    }), "$name: the session has ended") or next;

    $seen = @lines;
    my $repeated = $lines[-1];

    note("$name: $r->{path_lost} lost, $repeated repeated, $r->{ms} ms");

    if ($o{loss}) {
        cmp_ok($r->{path_lost}, '>', 5, "$name: some was lost");

        # among what was lost there may be a SACK or a check

        cmp_ok($repeated, '>=', $r->{path_lost} - 5, "$name: we repeated it");
    }
}

ok($t->no_sessions, 'no session is left');

$t->done;
