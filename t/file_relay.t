#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Files over full ICE and TURN servers, where packets are sent and read past
# libnice: every byte, at once and on a long path, with loss, too.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $turn = $t->turn;
my $port = $t->port('turn');

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', pack('N*', 0 .. 4 * 1024 * 1024 - 1));

$t->start(server => <<"EOF2");
webrtc_ice_allow  loopback;
webrtc_file       on;
location /lite/ {
    alias  %%DIR%%/www/;
}
location /full/ {
    alias       %%DIR%%/www/;
    webrtc_ice  full;
}
location /udp/ {
    alias              %%DIR%%/www/;
    webrtc_ice         relay;
    webrtc_ice_server  turn:127.0.0.1:$port username=u credential=p;
}
location /tcp/ {
    alias              %%DIR%%/www/;
    webrtc_ice         relay;
    webrtc_ice_server  turn:127.0.0.1:$port?transport=tcp username=u
                       credential=p;
}
EOF2

my $n = 0;

for my $ice (qw/ lite full /, $turn ? qw/ udp tcp / : ()) {

    for my $row ([ 'at once' ], [ '50 ms', rtt => 50 ],
                 [ '50 ms, 2 % lost', rtt => 50, loss => 2 ])
    {
        my ($path, %o) = @$row;
        my $json = $t->dir . '/relay.' . $n++ . '.json';

        my $p = $t->spawn('filebench', [ "$NgxWebRTC::BUILD/unit/filebench",
            '-quiet', '-json', $json, '-url', $t->url("/$ice/a.bin"),
            '-file', $t->dir . '/www/a.bin', '-timeout', 60,
            map { ("-$_", $o{$_}) } sort keys %o ],
            env => { ASAN_OPTIONS => 'detect_leaks=0' });

        $t->reap($p, 90);
        my $r = json(slurp($json)) || {};

        is($r->{error}, '', "$ice, $path: no error") or diag explain $r;
        is($r->{status}, 0, "$ice, $path: to the end");
        is($r->{bytes}, 16 * 1024 * 1024, "$ice, $path: all of it");
        is($r->{bad}, 0, "$ice, $path: as in the file");
        note("$ice, $path: $r->{Mbit_per_s} Mbit/s");
    }
}

like($t->log, qr/nice sends by channel:4/, 'udp: past libnice') if $turn;
ok($t->no_sessions, 'no session is left');

# Each gives its allocation back, and reads the answer: libnice repeats a request
# whose answer is not read, and what waits in a socket keeps the worker busy.
# One may be late.

if ($turn) {
    my %ends;
    my $all = qr/session (\d+): refreshed, .* lifetime=0$/m;

    wait_for(60, sub { (() = slurp($turn->{turn}) =~ /$all/g) >= 6 });

    $ends{$_}++ for slurp($turn->{turn}) =~ /$all/g;

    is(scalar(keys %ends), 6, 'each allocation is given back');
    ok((grep { $_ > 1 } values %ends) < 2, 'and once') or diag explain \%ends;
}

$t->done;
