#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The main job: ffmpeg publishes H.264 and AAC to nginx-rtmp, Chromium plays it
# over WHEP, with one worker and with four.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

plan skip_all => "Debian's libnginx-mod-rtmp is not installed"
    if !-e '/usr/lib/nginx/modules/ngx_rtmp_module.so';

for my $workers (1, 4) {

    subtest "$workers workers" => sub {
        my $t = NgxWebRTC->new(workers => $workers, asan => $workers == 4);

        $t->rtmp_server;

        my $rtmp = 'rtmp://127.0.0.1:' . $t->port('rtmp') . '/live/cam';
        my $ffmpeg = $t->publish('bars.mp4', 'flv', $rtmp);

        $t->start(http => 'webrtc_idle_timeout 1s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/$name;
    webrtc_wait  30s;
}
EOF

        my $p = $t->browser->play($t->url('/whep/cam'));

        is($p->{status}, 201, 'POST') or do {
            diag($p->{answer}); $t->done; return;
        };

        my $s = $p->wait(100);

        cmp_ok($s->{framesDecoded}, '>=', 100, 'frames are decoded');
        is($s->{codec}, 'H264', 'codec');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound');
        $p->smoothness($s);
        is($s->{videoLost} + $s->{audioLost}, 0, 'no loss');
        colour_bars_ok($p->bars, 'the picture is the source\'s');
        like($s->{srtp}, qr/GCM/, "SRTP profile is $s->{srtp}");

        # a stream that is live: from the ring, at once

        my @more = map { $t->browser->play($t->url('/whep/cam')) } 1 .. 3;

        for my $q (@more) {
            is($q->{status}, 201, 'another viewer');
            my $v = $q->wait(25);
            cmp_ok($v->{framesDecoded}, '>=', 25, 'plays');
            note('first frame ' . int($v->{firstFrameMs})
                 . ' ms after POST, POST took ' . int($q->{postMs}) . ' ms');
        }

        my $st = $t->stream('cam');
        is($st->{viewers}, 4, 'four viewers');
        is($st->{starts}, 1, 'of one source');

        is($_->stop->{status}, 200, 'DELETE') for $p, @more;
        ok($t->no_sessions, 'no session is left');

        # the source ends webrtc_idle_timeout after the last viewer

        ok(wait_for(60, sub {
            my $x = $t->stream('cam');
            !$x || $x->{state} eq 'idle';
        }), 'the source stops without viewers');

        undef $p;
        @more = ();
        $t->done;
    };
}

done_testing();
