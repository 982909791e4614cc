#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The upstream goes and comes back: the same browser session shows moving frames
# again, with the right picture, and time never runs backwards.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $rtmp = -e '/usr/lib/nginx/modules/ngx_rtmp_module.so';

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whep/ts {
    webrtc_play  ts;
    webrtc_pull  tcp://127.0.0.1:%%PORT_ts%%;
}
location = /whep/cam {
    webrtc_play  cam;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/cam;
}
EOF

sub again {
    my ($p, $name, $again) = @_;

    my $before = $p->wait(50);
    cmp_ok($before->{framesDecoded}, '>=', 50, "$name: plays")
        or return;

    for my $n (1 .. 2) {
        $again->();

        my $s = $p->wait(75);

        ok(!$s->{error}, "$name: moving frames again, restart $n");
        ok($p->connected, "$name: on the same session");
        ok(!$p->until(sub { $_[0]{audioEnergy} > $before->{audioEnergy} })
           ->{error}, "$name: sound again");
        colour_bars_ok($p->bars, "$name: the right picture");
        $before = $s;
    }
}

subtest 'MPEG-TS over TCP: killed and started again' => sub {
    my $url = 'tcp://127.0.0.1:' . $t->port('ts') . '?listen=1';
    my $ffmpeg = $t->publish('bars.ts', 'mpegts', $url);

    my $p = $t->browser->play($t->url('/whep/ts'));
    is($p->{status}, 201, 'POST') or return;

    again($p, 'tcp', sub {
        $t->kill($ffmpeg);

        ok(wait_for(60, sub { ($t->stream('ts') || {})->{state}
                             eq 'inactive' }), 'status: inactive');

        $ffmpeg = $t->publish('bars.ts', 'mpegts', $url);
    });

    is($t->stream('ts')->{state}, 'active', 'status: active');
    cmp_ok($t->stream('ts')->{starts}, '>=', 3, 'status: starts');

    is($p->stop->{status}, 200, 'DELETE');
    $t->kill($ffmpeg);
};

SKIP: {
    skip('no nginx-rtmp', 2) if !$rtmp;

    my $server = $t->rtmp_server;
    my $url = 'rtmp://127.0.0.1:' . $t->port('rtmp') . '/live/cam';
    my $ffmpeg = $t->publish('bars.mp4', 'flv', $url);

    my $p = $t->browser->play($t->url('/whep/cam'));
    is($p->{status}, 201, 'POST');

    subtest 'RTMP: another publisher on the same server' => sub {
        again($p, 'publisher', sub {
            $t->kill($ffmpeg);
            $ffmpeg = $t->publish('bars.mp4', 'flv', $url);
        });
    };

    subtest 'RTMP: the server killed and started again' => sub {
        again($p, 'server', sub {
            $t->kill($server, 'TERM');
            $t->kill($ffmpeg);
            $server = $t->rtmp_server;
            $ffmpeg = $t->publish('bars.mp4', 'flv', $url);
        });
    };

    is($p->stop->{status}, 200, 'DELETE');
}

ok($t->no_sessions, 'no session is left');

my $downs = () = $t->log =~ /\[notice\][^\n]*webrtc/g;
cmp_ok($downs, '>=', 4, 'the log says when the upstream goes and comes');

$t->done;
