#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_pull by scheme, where no browser is needed to see that frames come:
# https, HLS, unix, srt, rtsp, and rtmps.  The others are in e2e_*.t.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $made = system('openssl req -x509 -newkey ec -pkeyopt '
                  . 'ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '
                  . '/CN=localhost -keyout ' . $t->dir . '/key.pem -out '
                  . $t->dir . '/cert.pem 2>/dev/null');
is($made, 0, 'a certificate');

my %pull = (
    https => 'https://127.0.0.1:%%PORT_tls%%/live.ts',
    hls   => 'http://127.0.0.1:%%PORT_http%%/hls/live.m3u8',
    unix  => 'unix:%%DIR%%/live.sock',
    srt   => 'srt://127.0.0.1:%%PORT_srt%%?mode=caller',
    rtsp  => 'rtsp://127.0.0.1:%%PORT_rtsp%%/cam',
    rtmps => 'rtmps://127.0.0.1:%%PORT_rtmps%%/live/cam',
);

my $dir = $t->dir;
mkdir "$dir/hls";

my ($rtp) = map { $t->port("rtp$_") } grep { $t->port("rtp$_") % 2 == 0 }
            1 .. 40;
my ($rtp2) = map { $t->port("rtp$_") } grep { $t->port("rtp$_") % 2 == 0
             && $t->port("rtp$_") != $rtp } 1 .. 80;

my @bars = ('-re', '-stream_loop', '-1', '-i', $t->media . '/bars.ts');

my %upstream = (
    https => sub { $t->publish('bars.ts', 'mpegts', 'http://127.0.0.1:'
                               . $t->port('ts_http') . '/live.ts',
                               '-listen', '1') },
    hls   => sub { $t->publish('bars.ts', 'hls', "$dir/hls/live.m3u8",
                               '-hls_time', 1, '-hls_list_size', 4,
                               '-hls_flags', 'delete_segments') },
    unix  => sub { $t->publish('bars.ts', 'mpegts', "unix:$dir/live.sock",
                               '-listen', '1') },
    srt   => sub { $t->publish('bars.ts', 'mpegts', 'srt://127.0.0.1:'
                               . $t->port('srt') . '?mode=listener') },
    rtsp  => sub {
        my $f = $t->ffmpeg(@bars, '-map', '0:v', '-c', 'copy', '-f', 'rtp',
                           "rtp://127.0.0.1:$rtp", '-map', '0:a', '-c',
                           'libopus', '-f', 'rtp', "rtp://127.0.0.1:$rtp2",
                           '-sdp_file', "$dir/cam.sdp");

        wait_for(60, sub { -s "$dir/cam.sdp" });
        $t->spawn('rtsp', [ '/usr/bin/python3', "$NgxWebRTC::ROOT/t/lib/"
                            . 'upstream.py', 'rtsp', $t->port('rtsp'),
                            "$dir/cam.sdp", $rtp, $rtp2 ]);
        return $f;
    },
    rtmps => sub {
        return undef if !$t->rtmp_server;

        $t->spawn('tls', [ '/usr/bin/python3', "$NgxWebRTC::ROOT/t/lib/"
                           . 'upstream.py', 'tls', $t->port('rtmps'),
                           $t->port('rtmp'), "$dir/cert.pem",
                           "$dir/key.pem" ]);

        return $t->publish('bars.mp4', 'flv', 'rtmp://127.0.0.1:'
                           . $t->port('rtmp') . '/live/cam');
    },
);

$t->start(http => <<'EOF' . 'webrtc_wait 40s;', server => join '',
server {
    listen               127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate      %%DIR%%/cert.pem;
    ssl_certificate_key  %%DIR%%/key.pem;

    location = /live.ts {
        proxy_pass       http://127.0.0.1:%%PORT_ts_http%%;
        proxy_buffering  off;
    }
}
EOF
    "location /hls/ { root $dir; types { } }\n",
    map { "location = /whep/$_ { webrtc_play $_; webrtc_pull $pull{$_}; }\n" }
    sort keys %pull);

for my $name (sort keys %pull) {
    subtest $name => sub {
        my $p = $upstream{$name}->()
            or plan skip_all => "Debian's libnginx-mod-rtmp is not installed";

        my $r = $t->post_offer("/whep/$name", offer());

        is($r->{status}, 201, 'POST') or diag($r->{content}, $t->log);

        ok(wait_for(60, sub {
            (($t->stream($name) || {})->{frames} // 0) > 50;
        }), 'frames come') or diag(explain($t->stream($name)));

        is(join(' ', sort map { $_->{codec} }
                     @{ $t->stream($name)->{tracks} || [] }),
           'H264 opus', 'codecs');

        is($t->http('DELETE', $r->{headers}{location})->{status}, 200,
           'DELETE') if $r->{status} == 201;
        $t->kill($p);
    };
}

$t->done;
