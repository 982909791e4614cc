#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A viewer whose address changes under way, in whichever worker the new one
# ends up; and one behind a path that loses, delays and reorders.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

subtest 'the address changes' => sub {
    my $relay = $t->relay(to => $t->port('udp'));
    my $p = $t->browser->play($t->url('/whep/bars'), port => $relay->{port});

    is($p->{status}, 201, 'POST') or return;

    my $s = $p->wait(25);

    cmp_ok($s->{framesDecoded}, '>=', 25, 'plays through the relay');
    like($s->{remote}, qr/:$relay->{port}$/, 'which is what it talks to');

    # enough changes for the kernel to choose another worker

    for my $n (1 .. 4) {
        ok($relay->rebind, "change $n");

        my $after = $p->wait(50);

        ok(!$after->{error}, "playback goes on, change $n");
        ok($p->connected, 'on the same connection');
    }

    colour_bars_ok($p->bars, 'the picture is right');
    is($t->status->{sessions}, 1, 'one session');
    is($p->stop->{status}, 200, 'DELETE');
    $relay->stop;
};

subtest '3 % loss each way, 40 ms and 15 ms of jitter' => sub {
    my $relay = $t->relay(to => $t->port('udp'), loss => 3, delay => 40,
                          jitter => 15);
    my $p = $t->browser->play($t->url('/whep/bars'), port => $relay->{port});

    is($p->{status}, 201, 'POST') or return;

    $p->wait(25);
    $p->mark;

    my $s = $p->wait(8 * 25);

    ok(!$s->{error}, 'frames are decoded');
    cmp_ok($s->{nacks}, '>', 0, 'with retransmissions');
    $p->smoothness($s);

    my $st = $t->stream('bars');

    cmp_ok($st->{nacks}, '>', 0, 'which we have counted');
    cmp_ok($st->{resent}, '>', 0, 'and answered');

    is($p->stop->{status}, 200, 'DELETE');
    $relay->stop;
};

ok($t->no_sessions, 'no session is left');

$t->done;
