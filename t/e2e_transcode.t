#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What encoders make by default, and browsers cannot play as it is, in Chromium:
# B-frames of x264's presets, key frames ten seconds apart, H.265, intra
# refresh, 10 bit, MPEG-2, MJPEG; and what cameras send by RTSP.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

my $dir = $t->dir;

my %made = (
    veryfast => [ 'mp4', qw/ -c:v libx264 -preset veryfast -g 250 / ],
    medium   => [ 'flv', qw/ -c:v libx264 -preset medium -g 250 / ],
    flat     => [ 'ts', qw/ -c:v libx264 -preset veryfast -bf 2
                            -x264-params b-pyramid=none -g 250 / ],
    refresh  => [ 'ts', qw/ -c:v libx264 -preset veryfast -bf 0
                            -x264-params intra-refresh=1:keyint=50 / ],
    deep     => [ 'mkv', qw/ -c:v libx264 -preset veryfast
                             -pix_fmt yuv420p10le / ],
    hevc     => [ 'mp4', qw/ -c:v libx265 -preset ultrafast
                             -x265-params log-level=error / ],
    mjpeg    => [ 'mkv', qw/ -c:v mjpeg -q:v 3 / ],
    mpeg2    => [ 'ts', qw/ -c:v mpeg2video -bf 2 -b:v 2M / ],
);

for my $name (sort keys %made) {
    my ($format, @codec) = @{ $made{$name} };
    my @pix = (grep { $_ eq '-pix_fmt' } @codec) ? ()
              : ('-pix_fmt', $name eq 'mjpeg' ? 'yuvj420p' : 'yuv420p');

    my $p = $t->ffmpeg('-f', 'lavfi', '-i', 'smptebars=size=320x180:rate=25',
        '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '11', @codec, @pix,
        '-c:a', 'aac', '-y', "$dir/$name.$format");

    is($t->reap($p, 120), 0, "$name is made");
}

# cameras, which GStreamer's RTSP server plays

my $python = '/usr/bin/python3';

my $gst = system($python, '-c', 'import gi;'
                 . 'gi.require_version("GstRtspServer", "1.0")') == 0;

if ($gst) {
    is($t->reap($t->ffmpeg('-stream_loop', 30, '-i', "$dir/hevc.mp4",
                           '-an', '-c', 'copy', "$dir/hevc.mkv"), 60), 0,
       'five minutes for a camera');

    my $p = $t->spawn('cameras', [ $python, "$NgxWebRTC::ROOT/t/lib/cameras.py",
                                   $t->port('rtsp'), "$dir/hevc.mkv" ]);

    ok(wait_for(60, sub { slurp($p->{log}) =~ /^ready/m }), 'cameras')
        or diag(slurp($p->{log}));
}

$t->start(http => 'webrtc_wait 30s; webrtc_max_transcodes 8;',
          server => <<"END");
location ~ ^/whep/(?<name>\\w+)\\.(?<ext>\\w+)\$ {
    webrtc_play  \$name;
    webrtc_pull  file:$dir/\$name.\$ext loop;
}
location ~ ^/camera/(?<name>\\w+)\$ {
    webrtc_play  camera_\$name;
    webrtc_pull  rtsp://127.0.0.1:%%PORT_rtsp%%/\$name;
}
END

for my $name (sort keys %made) {

    subtest $name => sub {
        my $p = $t->browser->play($t->url("/whep/$name.$made{$name}[0]"));

        is($p->{status}, 201, 'POST') or do { diag($p->{answer}); return };

        my $s = $p->wait(75);

        cmp_ok($s->{framesDecoded}, '>=', 75, 'frames are decoded');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound');
        colour_bars_ok($p->bars, 'the picture is the source\'s');

        $s = $p->stats;
        note(join ', ', map { "$_ " . ($s->{$_} // '-') }
             qw/ codec framesDecoded framesDropped freezeCount pliCount
                 totalFreezesDuration avSkewMs /);

        is($p->stop->{status}, 200, 'DELETE');
    };
}

for my $name (qw/ mjpeg hevc /) {

    subtest "a camera, $name" => sub {
        plan skip_all => 'gir1.2-gst-rtsp-server-1.0 is not installed'
            if !$gst;

        my $p = $t->browser->play($t->url("/camera/$name"));

        is($p->{status}, 201, 'POST') or do { diag($p->{answer}); return };

        cmp_ok($p->wait(30)->{framesDecoded} || 0, '>=', 30,
               'frames are decoded');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound') if $name eq 'mjpeg';
        colour_bars_ok($p->bars, 'the picture is the camera\'s');
        is($p->stop->{status}, 200, 'DELETE');
    };
}

ok($t->no_sessions, 'no session is left');

$t->done;
