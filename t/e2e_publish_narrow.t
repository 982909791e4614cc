#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes three layers through a path that becomes too narrow for the
# best one, and wide again: it is told by feedback, and who watches over a good
# path sees a lower layer go on, and the best one when it is back.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s; webrtc_keyframe_interval 500ms;',
          server => <<'EOF');
location = /whip {
    webrtc_publish  narrow;
}
location = /whep {
    webrtc_play  narrow;
}
EOF

my $relay = $t->relay(to => $t->port('udp'));

my $pub = $t->browser->publish($t->url('/whip'), port => $relay->{port},
    codec => 'VP8', width => 960, height => 540, fps => 10, noise => 0.3,
    layers => [
        { rid => 'h', maxBitrate => 900_000 },
        { rid => 'm', scaleResolutionDownBy => 2, maxBitrate => 200_000 },
        { rid => 'l', scaleResolutionDownBy => 4, maxBitrate => 80_000 },
    ]);
is($pub->{status}, 201, 'WHIP') or BAIL_OUT($pub->{answer});

my $p = $t->browser->play($t->url('/whep'));
is($p->{status}, 201, 'WHEP') or BAIL_OUT($p->{answer});

sub active {
    return join ' ', sort map { $_->{rid} } grep { $_->{active} }
                     @{ ($t->stream('narrow') || {})->{layers} || [] };
}

ok(wait_for(60, sub { active() eq 'h l m' }), 'three layers')
    or diag(explain($t->stream('narrow')));
ok(!$p->until(sub { ($_[0]{height} || 0) == 540 })->{error}, 'the best one');

$p->mark;
$relay->shape(up => 400, queue => 300);

ok(!$p->until(sub { ($_[0]{height} || 540) < 540 })->{error},
   'a narrow path: a lower layer') or diag(explain($t->stream('narrow')));
ok(wait_for(60, sub { active() !~ /h/ }), 'the best one is not sent')
    or diag(active());

my $s = $p->wait(30);
ok(!$s->{error}, 'frames are decoded');
$p->smoothness($s);

cmp_ok($s->{height}, '<', 540, 'of a lower layer');

$p->mark;
$relay->shape(up => 0);

ok(wait_for(120, sub { active() eq 'h l m' }), 'a wide path: all are sent')
    or diag(explain($pub->sent));
ok(!$p->until(sub { ($_[0]{height} || 0) == 540 })->{error}, 'the best one');

$s = $p->wait(20);
ok(!$s->{error}, 'frames are decoded');
$p->smoothness($s);

$_->stop for $p, $pub, $relay;

$t->done;
