#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Never black: publishers that vanish, come back, are replaced and change their
# codec, under one and the same viewer.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => "webrtc_wait 30s; webrtc_linger 60s;", server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/short/(?<name>\w+)$ {
    webrtc_publish  $name;
    webrtc_linger   1s;
}
location ~ ^/replace/(?<name>\w+)$ {
    webrtc_publish           $name;
    webrtc_publish_conflict  replace;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location ~ ^/pull/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  %%MEDIA%%/bars.ts loop;
}
EOF

my $url = $t->url('/whip/x');
my $p;

subtest 'a publisher vanishes and comes back' => sub {
    my $pub = $t->browser->publish($url, codec => 'VP8');
    $p = $t->browser->play($t->url('/whep/x'));

    ok(!$p->wait(30)->{error}, 'plays');

    $pub->drop;
    ok(wait_for(60, sub { $t->stream('x')->{state} eq 'inactive' }),
       'the stream is inactive');
    ok($p->connected, 'the viewer stays');

    $pub = $t->browser->publish($url, codec => 'VP8');
    is($pub->{status}, 201, 'published again');

    my $s = $p->wait(30);
    ok(!$s->{error}, 'the same viewer sees it');
    is($s->{codec}, 'VP8', 'VP8');

    $pub->stop;
};

subtest 'another codec takes its place' => sub {
    for my $codec (qw/ H264 VP9 AV1 VP8 /) {
        my $pub = $t->browser->publish($url, codec => $codec);
        is($pub->{status}, 201, "published as $codec");

        my $s = $p->wait(30);
        ok(!$s->{error}, "the same viewer sees $codec");
        is($s->{codec}, $codec, 'with its payload type');
        ok($p->connected, 'on the same connection');

        $pub->stop;
    }
};

subtest 'a newcomer replaces the publisher' => sub {
    my $first = $t->browser->publish($t->url('/replace/x'), codec => 'VP8');
    ok(!$p->wait(20)->{error}, 'the first is seen');

    my $second = $t->browser->publish($t->url('/replace/x'), codec => 'VP8');
    is($second->{status}, 201, 'the second is taken');

    ok(wait_for(60, sub { $first->sent->{state} ne 'connected' }),
       'the first is ended');
    ok(!$p->wait(30)->{error}, 'the viewer sees the second');

    is($t->stream('x')->{state}, 'active', 'active');
    $second->stop;
};

subtest 'nobody comes back' => sub {
    my $pub = $t->browser->publish($t->url('/short/x'), codec => 'VP8');
    ok(!$p->wait(20)->{error}, 'the last one is seen');
    $pub->stop;

    ok(wait_for(60, sub { $p->stats->{state} ne 'connected' }),
       'the viewer is ended after webrtc_linger');
    $p->drop;
};

subtest 'a source and a publisher' => sub {
    my $q = $t->browser->play($t->url('/pull/y'));
    ok(!$q->wait(20)->{error}, 'a source feeds the stream');

    is($t->browser->publish($t->url('/replace/y'), codec => 'VP8')->{status},
       409, 'nobody can publish it');
    ok(!$q->wait(20)->{error}, 'it goes on');
    $q->stop;
};

ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');

$t->done;
