#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A check proves who sent it, and not where it came from: what a session can do
# to addresses that are not its own.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my %conf = (http => 'webrtc_wait 30s;', server => <<'EOF2');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/full/(?<name>\w+)$ {
    webrtc_ice   full;
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/live/(?<name>\w+)$ { webrtc_play    $name; }
EOF2

$t->start(%conf);

for my $url (qw{ /whep/bars /full/bars }) {
  subtest "a stream is not sent to who has not asked for it: $url" => sub {
    my $r = $t->python_json('theft.py', 'reflect', $t->url($url));

    cmp_ok($r->{before}, '>=', 25, 'the viewer plays');

    # full ICE asks others when the viewer's own address is silent

    cmp_ok($r->{requests}, '>', 0, 'the victim is asked') if $url !~ /full/;
    cmp_ok($r->{got}, '<=', 3 * $r->{sent}, 'and gets no multiple of it')
        or diag explain $r;
    cmp_ok($r->{after}, '>', 0, 'while the viewer plays on');
    note explain $r;
  };
}

ok($t->no_sessions, 'no session is left');

subtest 'an address is its owner\'s' => sub {
    plan skip_all => 'addresses are forged by root' if $>;

    # nothing of a worker's is in the reach of another: one has them all

    my $one = NgxWebRTC->new(workers => 1, asan => 1);

    $one->start(%conf);

    my $r = $one->python_json('theft.py', 'steal', $one->url('/whip/own'),
                              $one->url('/live/own'));

    cmp_ok($r->{before}, '>=', 15, 'the publisher is seen');
    cmp_ok($r->{after}, '>=', 60, 'and goes on to be (30 a second, 4 s)')
        or diag explain $r;
    note explain $r;

    ok($one->no_sessions, 'no session is left');
    $one->done;
};

$t->done;
