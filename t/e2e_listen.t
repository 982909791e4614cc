#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A reload under playback that puts the lines of webrtc_listen into another order,
# adds one in front and takes one away: sessions go on where they are.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my @udp = map { "127.0.0.1:%%PORT_udp$_%%" } 0 .. 3;

my %conf = (http => <<'EOF', server => <<'EOF');
webrtc_wait     10s;
webrtc_timeout  5s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

$t->start(%conf, udp => [ @udp[0, 1, 2] ]);

# one on each port

my @p = map { $t->browser->play($t->url('/whep/bars'),
                                port => $t->port("udp$_")) } 0, 1;

is($_->{status}, 201, 'POST') for @p;
cmp_ok($_->wait(25)->{framesDecoded} // 0, '>=', 25, 'plays') for @p;

ok($t->reload(%conf, udp => [ @udp[3, 1, 0] ]), 'reload');

# the first wait is longer than webrtc_timeout: checks have been answered from
# the right port since

for my $n (0, 1) {
    my $s = $p[$n]->wait($n ? 25 : 150);

    ok(!$s->{error}, 'goes on') or diag(explain($s));
    ok($p[$n]->connected, 'on the same connection');
}

for my $n (3, 0) {
    my $q = $t->browser->play($t->url('/whep/bars'),
                              port => $t->port("udp$n"));

    is($q->{status}, 201, "a new viewer on address $n");
    ok(!$q->wait(10)->{error}, 'plays');
    $q->stop;
}

$_->stop for @p;
ok($t->no_sessions, 'no session is left');
$t->done;
