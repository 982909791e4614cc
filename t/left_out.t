#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What is left out of a stream is said once, in the log and in the status, with
# the codec's name or what to do: codecs that nobody can play, a codec that an
# offer does not have, B-frames.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my @make = (
    [ 'mpeg2.ts', '-c:v mpeg2video -b:v 400k -c:a aac -bf 0' ],
    [ 'gsm.mov', '-c:v libx264 -preset ultrafast -bf 0 -g 15 '
                 . '-c:a adpcm_ima_wav' ],
    [ 'hevc.ts', '-c:v libx265 -preset ultrafast -x265-params '
                 . 'log-level=none:bframes=0:keyint=15 -an' ],
);

for my $row (@make) {
    my ($file, $args) = @$row;

    system('ffmpeg -nostdin -v error -y -f lavfi -i '
           . 'testsrc2=size=160x120:rate=15:duration=4 -f lavfi -i '
           . "sine=frequency=440:duration=4 $args " . $t->dir . "/$file") == 0
        or plan skip_all => 'no encoder';
}

$t->start(http => 'webrtc_wait 20s; webrtc_idle_timeout 60s;'
                  . 'webrtc_transcode off;',
          server => <<'EOC');
location ~ ^/whep/(?<name>[\w.]+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%DIR%%/$name loop;
}
location = /b { webrtc_play b; webrtc_pull %%MEDIA%%/bars_b.ts loop; }
EOC

sub said {
    my ($name, $re) = @_;

    my @lines = grep { /$re/ && m{stream: ?"\Q$name\E"|/\Q$name\E HTTP} }
                split /\n/, $t->log;

    return scalar @lines;
}

my %want = (
    'mpeg2.ts' => [ 201, 'error', qr/video codec 'mpeg2video' cannot be sent/ ],
    'gsm.mov'  => [ 201, 'error',
                    qr/audio codec 'adpcm_ima_wav' cannot be sent/ ],
    'hevc.ts'  => [ 406, 'warn',
                    qr/video is H265, which the viewer's offer does not/ ],
);

for my $file (sort keys %want) {
    my ($status, $level, $re) = @{ $want{$file} };

    for my $time (1 .. 2) {
        my $r = $t->post_offer("/whep/$file", offer());

        is($r->{status}, $status, "$file: answer $time") or diag($r->{content});
    }

    ok(wait_for(30, sub {
        ($t->stream($file)->{last_error} || '') =~ $re;
    }), "$file: the status names it") or diag(explain($t->stream($file)));

    is(said($file, qr/\[$level\].*$re/), 1,
       "$file: so does one line of the log")
        or diag($t->log);
}

is($t->post_offer('/b', offer())->{status}, 201, 'B-frames');

ok(wait_for(60, sub {
    ($t->stream('b')->{last_error} || '') =~ /B-frames.*tune zerolatency/;
}), 'the status says what to set') or diag(explain($t->stream('b')));

is(said('b', qr/\[warn\].*B-frames/), 1, 'so does one line of the log');

$t->done;
