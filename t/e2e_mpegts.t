#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# MPEG-TS over UDP, TCP and HTTP in Chromium.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whep/udp {
    webrtc_play  udp;
    webrtc_pull  udp://127.0.0.1:%%PORT_ts%%;
}
location = /whep/tcp {
    webrtc_play  tcp;
    webrtc_pull  tcp://127.0.0.1:%%PORT_ts%%;
}
location = /whep/http {
    webrtc_play  http;
    webrtc_pull  http://127.0.0.1:%%PORT_ts_http%%/live.ts;
}
EOF

my $ts = $t->port('ts');

my %from = (
    udp  => [ "udp://127.0.0.1:$ts?pkt_size=1316" ],
    tcp  => [ "tcp://127.0.0.1:$ts?listen=1" ],
    http => [ 'http://127.0.0.1:' . $t->port('ts_http') . '/live.ts',
              '-listen', '1' ],
);

for my $name (qw/ udp tcp http /) {

    subtest "MPEG-TS over $name" => sub {
        my ($url, @options) = @{ $from{$name} };
        my $ffmpeg = $t->publish('bars.ts', 'mpegts', $url, @options);

        my $p = $t->browser->play($t->url("/whep/$name"));

        is($p->{status}, 201, 'POST') or do { diag($p->{answer}); return };

        my $s = $p->wait(100);

        cmp_ok($s->{framesDecoded}, '>=', 100, 'frames are decoded');
        is($s->{codec}, 'H264', 'codec');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound');
        colour_bars_ok($p->bars, 'the picture is the source\'s');

        # the muxer sends sound in bursts of 240 ms; Chromium takes a moment to
        # give the picture that delay, too

        if ($name eq 'udp') {
            my $skew;

            ok(wait_for(60, sub {
                $skew = $p->stats->{avSkewMs};
                return defined $skew && abs($skew) < 100;
            }), 'lips in sync') or diag("skew $skew ms");
        }

        is($p->stop->{status}, 200, 'DELETE');
        $t->kill($ffmpeg);
    };
}

ok($t->no_sessions, 'no session is left');

$t->done;
