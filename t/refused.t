#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What cannot be played is refused by name, in the log, in the status, and in
# the 409's detail: codecs, also those that libavformat has no name for,
# scrambled transport streams, private data, what is no media at all.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $dir = $t->dir;
my $odd = "$NgxWebRTC::ROOT/t/lib/odd.py";

my $made = $t->ffmpeg('-y',
    '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=6',
    '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=6',
    '-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-preset', 'ultrafast',
    '-g', '25', '-bf', '0', '-c:a', 'aac', "$dir/odd.flv",
    '-map', '0:v', '-c:v', 'mpeg2video', "$dir/mpeg2.ts",
    '-map', '0:v', '-c:v', 'flv1', "$dir/flv1.flv");

is($t->reap($made, 60), 0, 'the streams are made') or diag(slurp($made->{log}));

is(system('/usr/bin/python3', $odd, 'make', "$dir/odd.flv", $dir), 0,
   'and changed');

# H.265 in FLV without sound

for my $name (qw/ hevc12 enhanced /) {
    my $flv = slurp("$dir/$name.flv");
    my ($out, $at) = (substr($flv, 0, 13), 13);

    substr($out, 4, 1) = "\x01";

    while ($at + 11 <= length $flv) {
        my ($kind, $high, $low) = unpack 'CCn', substr($flv, $at, 4);
        my $n = 11 + ($high << 16 | $low) + 4;
        $out .= substr($flv, $at, $n) if $kind == 9;
        $at += $n;
    }

    $t->write_file("$name-mute.flv", $out);
}

$t->write_file('page.html', "<!DOCTYPE html>\n<html><body>" . '<p>no' x 5000);
$t->write_file('noise.bin', join '', map { chr(($_ * 7919 + 13) % 251) }
                                    1 .. 60000);

my $http = 'http://127.0.0.1:%%PORT_http%%/files';

# name => [ upstream, what is said, whether sound is there ]

my %case = (
    hevc12    => [ "file:$dir/hevc12-mute.flv loop", qr/hevc as number 12/ ],
    enhanced  => [ "file:$dir/enhanced-mute.flv loop",
                   qr/hevc of enhanced RTMP/ ],
    mpeg2     => [ "file:$dir/mpeg2.ts loop", qr/mpeg2video/ ],
    flv1      => [ "file:$dir/flv1.flv loop", qr/flv1/ ],
    scrambled => [ "$http/scrambled.ts", qr/scrambled/ ],
    payload   => [ "file:$dir/payload.ts loop", qr/scrambled/ ],
    private   => [ "file:$dir/private.ts loop",
                   qr/no video and no audio: .*0x06/ ],
    page      => [ "$http/page.html", qr/HTML and no media/ ],
    noise     => [ "$http/noise.bin", qr/Invalid data/ ],
    sound12   => [ "file:$dir/hevc12.flv loop", qr/hevc as number 12/, 1 ],
    silent    => [ "file:$dir/silent.ts loop", qr/video is scrambled/, 1 ],
);

my $rtmp = $t->rtmp_server;

if ($rtmp) {

    # the real thing, which sends a new player no sequence header of these

    for my $name (qw/ hevc12 enhanced /) {
        $t->spawn('push', [ '/usr/bin/python3', $odd, 'push',
                            "$dir/$name.flv", $t->port('rtmp'), $name ]);
        $case{"rtmp-$name"} = [ "rtmp://127.0.0.1:%%PORT_rtmp%%/live/$name",
                                $case{$name}[1], 1 ];
    }
}

my $dead = 'webrtc_wait 4s; webrtc_idle_timeout 60s;';

$t->start(http => 'webrtc_buffer 256k; webrtc_transcode off;',
          server => join '',
    "location /files/ { alias $dir/; types { } default_type video/MP2T; }\n",
    map { "location = /whep/$_ { webrtc_play $_; webrtc_pull $case{$_}[0];"
          . ($case{$_}[2] ? 'webrtc_wait 30s; webrtc_idle_timeout 60s;'
                          : $dead) . " }\n" } sort keys %case);

# all at once

my %r;

for my $name (sort keys %case) {
    $r{$name} = $t->spawn("post-$name", sub {
        my $r = $t->post_offer("/whep/$name", offer());
        print "$r->{status} $r->{content}";
    }, log => "$dir/$name.log");
}

for my $name (sort keys %case) {
    my ($url, $want, $sound) = @{ $case{$name} };

    $t->reap($r{$name}, 60);

    my ($status, $body) = slurp("$dir/$name.log") =~ /^(\d+) (.*)/s;

    is($status, $sound ? 201 : 409, "$name: status");

    like((json($body // '') || {})->{detail} // '', $want,
         "$name: by name in the detail") if !$sound;

    ok(wait_for(30, sub {
        (($t->stream($name) || {})->{last_error} // '') =~ $want;
    }), "$name: in the status") or diag(explain($t->stream($name)));

    my @lines = grep { /\[error\].*stream: "$name"/ && /$want/ }
                split /\n/, $t->log;

    cmp_ok(scalar(@lines), '>=', 1, "$name: in the log");
    cmp_ok(scalar(@lines), '<=', 2, "$name: and not over and over");

    if ($sound) {
        is(join(' ', map { $_->{codec} } @{ $t->stream($name)->{tracks} }),
           'opus', "$name: sound is there");
    }
}

$t->done;
