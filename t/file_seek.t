#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A seek on a slow path: how much of what is not wanted any more comes between
# Cancel and the first bytes of the next range.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', pack('N*', 0 .. 4 * 1024 * 1024 - 1));

$t->start(server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF2

# the paths are made by the clients, which run side by side; bytes: a second of
# the path, and twice the round trip

my @paths = (
    [ '1 Mbit/s', 131072, rate => 1, rtt => 40, queue => 20000, seek => 4 ],
    [ '1 Mbit/s, a queue of 400 ms', 131072,
      rate => 1, rtt => 40, queue => 400, seek => 4 ],
    [ '2 Mbit/s, 300 ms', 400_000,
      rate => 2, rtt => 300, queue => 20000, seek => 4 ],
    [ '8 Mbit/s', 1_100_000, rate => 8, rtt => 40, queue => 20000, seek => 4 ],
);

my $n = 0;

for my $row (@paths) {
    my ($name, $most, %o) = @$row;
    my $json = $t->dir . '/seek.' . $n++ . '.json';

    my $p = $t->spawn('filebench', [ "$NgxWebRTC::BUILD/unit/filebench",
        '-quiet', '-json', $json, '-url', $t->url('/files/a.bin'),
        '-file', $t->dir . '/www/a.bin', '-timeout', 60,
        map { ("-$_", $o{$_}) } sort keys %o ],
        env => { ASAN_OPTIONS => 'detect_leaks=0' });

    push @$row, { p => $p, json => $json };
}

for my $row (@paths) {
    my ($name, $most, $run) = ($row->[0], $row->[1], $row->[-1]);

    $t->reap($run->{p}, 90);
    my $r = json(slurp($run->{json})) || {};

    is($r->{error}, '', "$name: the next range comes") or diag explain $r;
    is($r->{bad}, 0, "$name: as in the file");
    cmp_ok($r->{bytes}, '>', 200_000, "$name: some came before");
    cmp_ok($r->{seek_bytes}, '<', $most, "$name: what is still sent of it");
    note("$name: $r->{seek_bytes} bytes, $r->{seek_ms} ms");
}

ok($t->no_sessions, 'no session is left');

$t->done;
