#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Looped files in Chromium: picture, sound on both channels, the seam, what the
# containers carry, with and without a master process, and several viewers.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

for my $workers (1, 4, 0) {
    my $with = $workers ? "$workers workers" : 'no master process';

    subtest $with => sub {
        my $t = NgxWebRTC->new(workers => $workers);

        $t->start(server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location = /whep/mp4 {
    webrtc_play  mp4;
    webrtc_pull  %%MEDIA%%/bars.mp4 loop;
}
EOF

        my $p = $t->browser->play($t->url('/whep/bars'));

        is($p->{status}, 201, 'POST') or do {
            diag($p->{answer}); $t->done; return;
        };

        my $s = $p->wait(50);

        cmp_ok($s->{framesDecoded}, '>=', 50, 'frames are decoded');
        is($s->{codec}, 'H264', 'codec');
        is("$s->{width}x$s->{height}", '640x360', 'size');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound');
        colour_bars_ok($p->bars, "the picture is the source's");
        note('first frame after ' . int($s->{firstFrameMs}) . ' ms');

        # over the seam of the 12 s file

        if ($workers == 1) {
            $p->mark;
            $s = $p->wait(25 * 13);

            ok(!$s->{error}, 'the loop goes on');
            is($s->{videoLost}, 0, 'no packet lost');
            $p->smoothness($s);

            ok(!$p->until(sub { abs($_[0]{tones}[0] - 440) < 15
                                && abs($_[0]{tones}[1] - 880) < 15 })->{error},
               'left and right tone');
            ok(!$p->until(sub { $_[0]{videoSr} && $_[0]{audioSr} })->{error},
               'sender reports for both');

            ok(wait_for(60, sub {
                my $skew = $p->stats->{avSkewMs};
                return defined $skew && abs($skew) < 100;
            }), 'lips in sync');

            my $st = $t->stream('bars');

            is($st->{state}, 'active', 'status: state');
            is($st->{viewers}, 1, 'status: viewers');
            is(join(' ', sort map { $_->{codec} } @{ $st->{tracks} }),
               'H264 opus', 'status: codecs');
        }

        # a file without sound starts as fast; a second viewer of a running one

        my $q = $t->browser->play($t->url('/whep/video'));
        is($q->{status}, 201, 'POST, file without sound');

        my $v = $q->wait(20);
        cmp_ok($v->{framesDecoded}, '>=', 20, 'file without sound plays');

        my $m = $t->browser->play($t->url('/whep/mp4'));
        is($m->{status}, 201, 'POST, MP4');
        cmp_ok($m->wait(20)->{framesDecoded}, '>=', 20, 'MP4 plays');
        colour_bars_ok($m->bars, "the MP4's picture");

        my $r = $t->browser->play($t->url('/whep/bars'));
        is($r->{status}, 201, 'POST, second viewer');

        $s = $r->wait(10);
        cmp_ok($s->{framesDecoded}, '>=', 10, 'second viewer plays');
        note('its first frame after ' . int($s->{firstFrameMs}) . ' ms');

        $_->stop for $q, $m, $r;
        is($p->stop->{status}, 200, 'DELETE');

        ok($t->no_sessions, 'no session is left');

        undef $p;
        $t->done;
    };
}

done_testing();
