#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# 200 viewers in four workers that ask for key frames all at once, and again:
# the publisher is asked at most once per webrtc_keyframe_interval, as it counts
# itself; also when it makes none, so that every request stays open.  A key frame
# comes some frames after the request, so that other workers ask meanwhile.

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
                                    key => 0, late => 1);

my $view = NgxWebRTC::Bench->view($t, '/whep', n => $VIEWERS, ramp => 100,
                                  pli => 40);

ok($view->wait(90, sub { $_[0]{measuring} }), 'viewers ask');
is($view->report->{playing}, $VIEWERS, 'all of them');

my $begun = $pub->report;

ok($view->wait(60, sub { $_[0]{plis_sent} >= 20 * $VIEWERS }),
   'and go on asking');

# The one in the ring serves them for three seconds, then the publisher is asked.

ok($pub->wait(60, sub { $_[0]{keyframes} >= $begun->{keyframes} + 3 }),
   'key frames come again and again');

bounded($begun, 'a publisher that obeys');

my $r = $pub->report;

cmp_ok($r->{keyframes}, '<=', $r->{plis} + 1, 'which is asked for each');

# From here on no key frame comes.  Who joins asks for one too.

$pub->signal('USR1');

my $before = $pub->report->{plis};

ok($pub->wait(60, sub { $_[0]{plis} >= $before + 2 }),
   'a publisher without key frames is asked again and again');

my $deaf = $pub->report;

my $more = NgxWebRTC::Bench->view($t, '/whep', n => 60, ramp => 30);

ok(wait_for(60, sub { $t->stream('x')->{viewers} == $VIEWERS + 60 }),
   'more viewers come');
ok($pub->wait(60, sub { $_[0]{plis} >= $deaf->{plis} + 8 }),
   'and it is asked again');

bounded($deaf, 'but not more often');

$more->stop;

cmp_ok($t->stream('x')->{plis}, '>=', 20 * $VIEWERS,
       'viewers had asked that often');

$view->stop;
ok(wait_for(60, sub { $t->stream('x')->{viewers} == 0 }), 'viewers leave');

# what was asked for before they left may still be open

my $counted = wait_for(60, sub {
    my $n = $t->stream('x')->{key_requests};
    return $n == $pub->report->{plis} ? $n : undef;
});

ok($counted, 'the status has counted the same');

$pub->stop;
ok($t->no_sessions, 'no session is left');
$t->done;


# A report counts all that has come in before it: n requests after it are n - 1
# intervals, but for one that was on its way.

sub bounded {
    my ($since, $name) = @_;

    my $r = $pub->report;
    my $n = $r->{plis} - $since->{plis};

    cmp_ok($n, '<=', ($r->{ms} - $since->{ms}) / $INTERVAL_MS + 2,
           "$name: one request per interval");
}
