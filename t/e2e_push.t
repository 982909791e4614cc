#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes VP8 and Opus: a real nginx-rtmp gets H.264 and AAC of it by
# webrtc_push, and a second instance of ours VP8 and Opus by WHIP, where Chromium
# watches.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $far = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;
my $there = $far->port('http');
my $rtmp = $t->rtmp_server;

plan skip_all => 'no nginx-rtmp here' if !$rtmp;

$far->start(http => 'webrtc_wait 60s;', server => <<'EOF2');
location = /whip { webrtc_publish  cam; }
location = /whep { webrtc_play     cam; }
EOF2

$t->start(http => 'webrtc_wait 60s;', server => <<"EOF2");
location = /whip {
    webrtc_publish    cam;
    webrtc_transcode  auto hw=none;
    webrtc_push       rtmp://127.0.0.1:%%PORT_rtmp%%/kept/cam;
    webrtc_push       whip://127.0.0.1:$there/whip;
}
EOF2

sub output {
    my ($like) = @_;

    my ($ol) = grep { $_->{to} =~ $like } @{ ($t->stream('cam') || {})->{outputs} || [] };

    return $ol || {};
}

my $pub = $t->browser->publish($t->url('/whip'), codec => 'VP8', width => 320, height => 180);

is($pub->{status}, 201, 'Chromium publishes') or BAIL_OUT($pub->{answer});

ok(wait_for(60, sub { (output(qr/^rtmp/)->{media_ms} || 0) > 2000 }), 'it is pushed by RTMP')
    or diag(explain($t->stream('cam')), $t->log);
ok(wait_for(60, sub { (output(qr/^whip/)->{state} // '') eq 'active' }), 'and by WHIP')
    or diag(explain($t->stream('cam')), $t->log);

my $p = $t->browser->play($far->url('/whep'));

is($p->{status}, 201, 'Chromium watches there') or BAIL_OUT($p->{answer});

my $s = $p->wait(40);

ok(!$s->{error}, 'frames are decoded');
is($s->{codec}, 'VP8', 'as they were sent');
is($s->{audioCodec}, 'opus', 'with Opus');
ok(!$p->until(sub { abs(($_[0]{tones} || [0])->[0] - 440) < 20 })->{error},
   'of the right pitch');
cmp_ok($p->bars->[6][2], '>', 150, 'the last bar is blue');

is($p->stop->{status}, 200, 'the viewer leaves');
is($pub->stop->{status}, 200, 'the publisher leaves');

ok(wait_for(60, sub { !grep { $_->{state} eq 'active' } @{ $far->status->{streams} } }),
   'the second instance sees that');

# what nginx-rtmp has kept

ok($t->kill($rtmp, 'TERM'), 'nginx-rtmp ends');

my $said = `ffprobe -v error -count_frames -show_entries stream=codec_name,width,nb_read_frames -of csv=p=0 $dir/cam.flv 2>&1`;
my ($video) = $said =~ /^h264,320,(\d+)$/m;
my ($sound) = $said =~ /^aac,(\d+)$/m;

cmp_ok($video // 0, '>', 30, 'H.264') or diag($said);
cmp_ok($sound // 0, '>', 60, 'AAC') or diag($said);

subtest 'the second instance' => sub { $far->done };

$t->done;
