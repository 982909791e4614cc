#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What a publisher is told: how much it may send, and how often it is asked for
# a key frame.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whip/small {
    webrtc_publish      small;
    webrtc_max_bitrate  300k;
}
location = /whip/rare {
    webrtc_publish            rare;
    webrtc_keyframe_interval  60s;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

subtest 'webrtc_max_bitrate' => sub {
    my $pub = $t->browser->publish($t->url('/whip/small'), codec => 'VP8');

    is($pub->{status}, 201, 'published');

    ok(wait_for(60, sub {
        my $rate = $pub->sent->{targetBitrate};
        $rate && $rate <= 330_000;
    }), 'the encoder is told') or diag(explain($pub->sent));

    is($pub->sent->{state}, 'connected', 'and is not ended when it obeys');
    $pub->stop;
};

subtest 'webrtc_keyframe_interval' => sub {
    my $pub = $t->browser->publish($t->url('/whip/rare'), codec => 'VP8');

    is($pub->{status}, 201, 'published');

    my @p = map { $t->browser->play($t->url('/whep/rare')) } 1 .. 4;

    for my $p (@p) {
        ok(!$p->wait(10)->{error}, 'a viewer');
    }

    cmp_ok($pub->sent->{plis}, '<=', 1, 'one request for all of them');

    $_->stop for @p;
    $pub->stop;
};

ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');
$t->done;
