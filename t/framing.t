#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Pictures and frames of audio are whole and in time, however they are cut into
# PES packets, RTP packets, LATM and Opus packets.  What each of them is made
# into, and when, is in t/unit/source_unit.c.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $dir = $t->dir;
my $odd = "$NgxWebRTC::ROOT/t/lib/odd.py";

my @video = ('-c:v', 'libx264', '-preset', 'ultrafast', '-tune',
             'zerolatency', '-x264-params', 'slices=4:keyint=25', '-bf', '0');

my $made = $t->ffmpeg('-y',
    '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4',
    '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=4', '-map', '0:v',
    '-map', '1:a', @video, '-c:a', 'aac', "$dir/odd.flv",
    '-map', '0:v', '-map', '1:a', @video, '-c:a', 'aac', '-mpegts_flags',
    'latm', "$dir/latm.ts",
    '-map', '0:v', '-map', '1:a', @video, '-c:a', 'libopus',
    '-frame_duration', '120', '-b:a', '80k', '-vbr', 'off', "$dir/long.mkv",
    '-map', '0:v', '-map', '1:a', @video, '-c:a', 'libopus', '-ac', '2',
    '-b:a', '510k', '-vbr', 'off', "$dir/thick.mkv");

is($t->reap($made, 60), 0, 'the streams are made') or diag(slurp($made->{log}));

is(system('/usr/bin/python3', $odd, 'make', "$dir/odd.flv", $dir), 0,
   'and cut');

my $rtsp = $t->spawn('odd', [ '/usr/bin/python3', $odd, 'rtsp',
                              $t->port('rtsp'), "$dir/odd.flv" ]);

ok(wait_for(30, sub { $t->connects('rtsp') }), 'RTSP server');

my %pull = (
    pairs  => "http://127.0.0.1:%%PORT_http%%/files/pairs.ts",
    cut    => "file:$dir/cut.ts loop",
    halves => "file:$dir/halves.ts loop",
    annexb => "file:$dir/annexb.flv loop",
    slices => "rtsp://127.0.0.1:%%PORT_rtsp%%/cam",
    latm   => "file:$dir/latm.ts loop",
    long   => "file:$dir/long.mkv loop",
    thick  => "file:$dir/thick.mkv loop",
);

$t->start(http => 'webrtc_wait 40s; webrtc_idle_timeout 60s;', server => join '',
    "location /files/ { alias $dir/; }\n",
    map { "location = /whep/$_ { webrtc_play $_; webrtc_pull $pull{$_}; }\n" }
    sort keys %pull);

# all at once: each decodes what it gets

my %p = map {
    my $name = $_;
    my $o = $name eq 'slices' || $name eq 'pairs'
            ? '{"seconds": 6}' : '{"frames": 60}';

    $name => $t->spawn("play-$name", [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/whep.py", $t->url("/whep/$name"), $o ],
        log => "$dir/$name.json");
} sort keys %pull;

# their output is behind what the libraries say

for my $name (sort keys %pull) {

    $t->reap($p{$name}, 95);

    my ($line) = slurp("$dir/$name.json") =~ /^(\{.*\})$/m;
    my $r = json($line // '') || {};
    my $st = $t->stream($name) || {};

    is($r->{status}, 201, "$name: POST");
    cmp_ok($r->{frames} // 0, '>=', 20, "$name: pictures are decoded")
        or diag(slurp("$dir/$name.json"));
    is($r->{ptsBackwards}, 0, "$name: in order");

    # that one has ended

    is($st->{damaged}, 0, "$name: nothing is damaged") if $name ne 'pairs';

    next if $name eq 'slices';

    cmp_ok($r->{audioFrames} // 0, '>=', 40, "$name: sound is decoded");
    cmp_ok($r->{audioPeak} // 0, '>', 1000, "$name: and heard");
}

$t->done;
