#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# 200 viewers in four workers that ask for key frames all at once, and again:
# the publisher is asked at most once per webrtc_keyframe_interval, as it counts
# itself; also when it makes none, so that every request stays open.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $VIEWERS = 200;
my $INTERVAL_MS = 250;

my $t = NgxWebRTC->new(workers => 4);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location = /whip {
    webrtc_publish            x;
    webrtc_keyframe_interval  250ms;
}
location = /whep {
    webrtc_play  x;
}
EOF

my $pub = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 100000, fps => 15,
                                    key => 0);

my $view = NgxWebRTC::Bench->view($t, '/whep', n => $VIEWERS, ramp => 100,
                                  pli => 40);

ok($view->wait(90, sub { $_[0]{measuring} }), 'viewers ask');
is($view->report->{playing}, $VIEWERS, 'all of them');

ok($view->wait(60, sub { $_[0]{plis_sent} >= 20 * $VIEWERS }),
   'and go on asking');

bounded('a publisher that obeys');

my $r = $pub->report;

cmp_ok($r->{keyframes}, '<=', $r->{plis} + 1, 'which is asked for each');

# from here on no key frame comes

$pub->signal('USR1');

my $before = $pub->report->{plis};

ok($pub->wait(60, sub { $_[0]{plis} >= $before + 8 }),
   'a publisher without key frames is asked again and again');

bounded('but not more often');

cmp_ok($t->stream('x')->{plis}, '>=', 20 * $VIEWERS,
       'viewers had asked that often');

$view->stop;
ok(wait_for(20, sub { $t->stream('x')->{viewers} == 0 }), 'viewers leave');

# what was asked for before they left may still be open

my $counted = wait_for(20, sub {
    my $n = $t->stream('x')->{key_requests};
    return $n == $pub->report->{plis} ? $n : undef;
});

ok($counted, 'the status has counted the same');

$pub->stop;
ok($t->no_sessions(20), 'no session is left');
$t->done;


# The first request left after the publisher began, the last one before it came
# in: n of them are n - 1 intervals.

sub bounded {
    my ($name) = @_;

    my $r = $pub->report;

    cmp_ok(($r->{plis} - 1) * $INTERVAL_MS, '<=', $r->{last_pli_ms} + 1,
           "$name: one request per interval");
}
