#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes with each codec, Chromium watches; publisher and viewers in
# whichever of four workers the kernel puts them.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location = /vp8/limited {
    webrtc_publish  limited;
    webrtc_codecs   VP8 opus;
}
EOF

for my $codec (qw/ H264 VP8 VP9 AV1 /) {

    subtest $codec => sub {
        my $pub = $t->browser->publish($t->url("/whip/$codec"),
                                       codec => $codec);

        is($pub->{status}, 201, 'WHIP') or diag($pub->{answer});

        my $p = $t->browser->play($t->url("/whep/$codec"));

        is($p->{status}, 201, 'WHEP') or diag($p->{answer});

        my $s = $p->wait(60, 15);

        ok(!$s->{error}, 'frames are decoded');
        is($s->{codec}, $codec, 'of the codec that was sent');
        cmp_ok($s->{audioEnergy}, '>', 0.01, 'there is sound');
        is($s->{audioCodec}, 'opus', 'Opus');
        cmp_ok(abs($s->{tones}[0] - 440), '<', 20, 'of the right pitch');
        cmp_ok($s->{videoSr}, '>', 0, 'sender reports for video');
        cmp_ok($s->{audioSr}, '>', 0, 'sender reports for audio');

        my $bars = $p->bars;

        cmp_ok($bars->[0][0], '>', 150, 'the first bar is bright');
        cmp_ok($bars->[6][2], '>', 150, 'the last bar is blue');
        cmp_ok($bars->[6][0], '<', 80, 'and not red');

        my $sent = $pub->sent;

        cmp_ok($sent->{videoReports}, '>', 0, 'receiver reports with an RTT');
        cmp_ok($sent->{available}, '>', 0, 'transport-wide feedback');

        my $st = $t->stream($codec);

        is($st->{from}, 'publish', 'the status says so');
        is($st->{viewers}, 1, 'one viewer');

        is($p->stop->{status}, 200, 'the viewer leaves');
        is($pub->stop->{status}, 200, 'the publisher leaves');
    };
}

subtest 'eight viewers' => sub {
    my $pub = $t->browser->publish($t->url('/whip/many'), codec => 'VP8',
                                   width => 320, height => 180);

    is($pub->{status}, 201, 'WHIP');

    my @p = map { $t->browser->play($t->url('/whep/many')) } 1 .. 8;

    is(scalar(grep { $_->{status} == 201 } @p), 8, 'all are answered');

    for my $p (@p) {
        my $s = $p->wait(15, 15);
        ok(!$s->{error}, 'frames are decoded');
    }

    is($t->stream('many')->{viewers}, 8, 'eight viewers');
    cmp_ok($pub->sent->{plis}, '<=', 6, 'who share their key frames');

    $_->stop for @p;
    $pub->stop;
};

subtest 'a name is published once' => sub {
    my $pub = $t->browser->publish($t->url('/whip/once'), codec => 'VP8');
    my $p = $t->browser->play($t->url('/whep/once'));

    is($pub->{status}, 201, 'the first');
    ok(!$p->wait(10, 15)->{error}, 'is seen');

    is($t->browser->publish($t->url('/whip/once'), codec => 'VP8')->{status},
       409, 'the second is refused');

    ok(!$p->wait(10, 10)->{error}, 'and disturbs nobody');

    $p->stop;
    $pub->stop;
};

subtest 'webrtc_codecs' => sub {
    my $r = $t->browser->publish($t->url('/vp8/limited'), codec => 'H264');

    is($r->{status}, 422, 'H264 is refused where it is not allowed');
    like($r->{answer}, qr/codec/, 'with a cause');

    my $pub = $t->browser->publish($t->url('/vp8/limited'));

    is($pub->{status}, 201, 'an offer with both is taken');
    like($pub->{answer}, qr/VP8/, 'as VP8');
    $pub->stop;
};

ok(wait_for(10, sub { $t->no_sessions }), 'no session is left');
ok(wait_for(10, sub { !@{ $t->status->{streams} } }), 'no stream is left');

$t->done;
