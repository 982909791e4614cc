#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Several webrtc_pull in one location: tried in order, back to the first one
# when it returns; viewers keep their sessions, and the log says which one is
# on.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

plan skip_all => "Debian's libnginx-mod-rtmp is not installed"
    if !-e '/usr/lib/nginx/modules/ngx_rtmp_module.so';

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

system('ffmpeg', '-nostdin', '-v', 'error', '-y', '-t', 2, '-i',
       $t->media . '/bars.mp4', '-c', 'copy', "$dir/short.mp4") == 0
    or die 'ffmpeg';

$t->rtmp_server;

$t->start(http => <<'EOF2', server => <<'EOF');
webrtc_wait 20s;

webrtc_pull  tcp://127.0.0.1:1 format=mpegts;
webrtc_pull  file:%%MEDIA%%/bars.ts loop;

server {
    listen 127.0.0.1:%%PORT_other%%;
    location = /whep/outer { webrtc_play outer; }
}
EOF2

# a block that has any inherits none

webrtc_pull  tcp://127.0.0.1:1 format=flv;
webrtc_pull  tcp://127.0.0.1:1 format=mpegts;
webrtc_pull  file:%%MEDIA%%/bars.mp4 loop;

location = /whep/inner { webrtc_play inner; }

location = /whep/own {
    webrtc_play  own;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}

# nginx-rtmp accepts whoever wants to play what nobody publishes

location = /whep/cam {
    webrtc_play  cam;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/main;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}

location = /whep/third {
    webrtc_play  third;
    webrtc_pull  tcp://127.0.0.1:1 format=mpegts;
    webrtc_pull  file:%%DIR%%/none.mp4;
    webrtc_pull  file:%%MEDIA%%/bars.mp4 loop;
}

# a file that was played to its end is over

location = /whep/intro {
    webrtc_play  intro;
    webrtc_pull  file:%%DIR%%/short.mp4;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}

location = /whep/files {
    webrtc_play  files;
    webrtc_pull  file:%%DIR%%/short.mp4;
    webrtc_pull  file:%%DIR%%/short.mp4;
}

location = /whep/none {
    webrtc_play  none;
    webrtc_wait  3s;
    webrtc_pull  tcp://127.0.0.1:1 format=mpegts;
    webrtc_pull  tcp://127.0.0.1:1 format=flv;
}
EOF


# the upstreams that were up so far, as in "2 1 2"; a track that comes later is
# told in a line of its own

sub ups {
    my ($name) = @_;

    my $ups = join ' ', $t->log =~
        /webrtc source up upstream:(\d).*stream: "$name"/g;

    $ups =~ s/(\d)(?: \1)+/$1/g;

    return $ups;
}

sub frames { ($t->stream($_[0]) || {})->{frames} // 0 }

sub plays {
    my ($name, $what) = @_;

    my $n = frames($name);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(wait_for(60, sub { frames($name) > $n + 25 }), $what);
}


is($t->post_offer("/whep/$_", offer())->{status}, 201, "$_: POST")
    for qw/ cam third intro files inner own /;
is($t->post_offer('http://127.0.0.1:' . $t->port('other') . '/whep/outer',
                  offer())->{status}, 201, 'outer: POST');

# what they inherit, as the status tells

sub upstream {
    my $st = $t->stream($_[0]) || {};
    return ($st->{upstream} // '') . '/' . ($st->{upstreams} // '');
}

is(upstream('outer'), '2/2', 'outer: has those of http');
is(upstream('inner'), '3/3', 'inner: has those of server');
is(upstream('own'), '1/1', 'own: has its own one');
is(upstream('cam'), '2/2', 'cam: the second one');

is($t->post_offer('/whep/none', offer())->{status}, 409,
   'none: POST, none of them is there');

ok(wait_for(60, sub { ups('cam') eq '2' }), 'cam: the stand-by is on');
plays('cam', 'cam: and plays');

is(ups('third'), '3', 'third: the first one that is there');
plays('third', 'third: plays');

ok(wait_for(60, sub { ups('intro') eq '1 2' }), 'intro: then what follows');
plays('intro', 'intro: plays on');

ok(wait_for(60, sub { $t->log =~ /retry_ms:0 reason:"end of file".*"files"/ }),
   'files: all of them are over');
is(ups('files'), '1 2', 'files: each was played once');

# a viewer that sees all of it: with one session to the end

my $until = "$dir/until";
my $viewer = $t->spawn('viewer', [ '/usr/bin/python3',
    "$NgxWebRTC::ROOT/t/lib/whep.py", $t->url('/whep/cam'),
    JSON::PP::encode_json({ until => $until }) ], pipe => 1);

ok(wait_for(60, sub { ($t->stream('cam') || {})->{viewers} }), 'a viewer');

# the first one comes, and goes

my $main = $t->publish('bars.mp4', 'flv', 'rtmp://127.0.0.1:'
                       . $t->port('rtmp') . '/live/main');

ok(wait_for(60, sub { ups('cam') eq '2 1' }), 'cam: back to the first one');
is(upstream('cam'), '1/2', 'cam: the status says so');
plays('cam', 'cam: which plays');

is(() = $t->log =~ /webrtc source down.*"cam"/g, 0,
   'cam: the stream was never down for that');

$t->kill($main);

ok(wait_for(60, sub { ups('cam') eq '2 1 2' }), 'cam: lost, the stand-by');
plays('cam', 'cam: plays');

is(ups('intro'), '1 2', 'intro: what is over does not come back');

$t->write_file('until', '');

my $r = json(NgxWebRTC::_read_line($viewer->{out}, 95) // '') || {};

is($r->{status}, 201, 'the viewer: POST') or diag($r->{body});
cmp_ok($r->{frames} // 0, '>', 40, 'the viewer: saw it in one session');
is($r->{state}, 'connected', 'the viewer: to the end');
is($r->{ptsBackwards}, 0, 'the viewer: time never ran back');

$t->done;
