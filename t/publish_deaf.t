#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that makes no key frame when it is asked, as many encoders: who
# comes long after the last one starts with that, as long as the ring has it.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location = /whip { webrtc_publish x; }
location = /whep { webrtc_play x; }
EOF

my $pub = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 500000, fps => 25,
                                    key => 0, deaf => undef, audio => undef);

# more than three seconds: what is younger is replayed at once

ok($pub->wait(60, sub { ($_[0]{packets} // 0) > 800 }), 'a stream of some seconds');

my $keyframes = $t->stream('x')->{keyframes};

is($keyframes, 1, 'with one key frame');

my $view = NgxWebRTC::Bench->view($t, '/whep', n => 8, ramp => 50);

my $r = $view->wait(60, sub {
    8 == grep { ($_[0]{"viewer$_"}{video}{packets} // 0) > 0 } 0 .. 7;
});

ok($r, 'eight viewers have video');
cmp_ok($pub->report->{plis}, '>=', 1, 'the publisher was asked');
is($t->stream('x')->{keyframes}, 1, 'in vain');

$r = $view->stop;

is($r->{$_}, 0, $_) for qw(seq_breaks backwards missing);

$pub->stop;
ok($t->no_sessions, 'no session is left');
$t->done;

