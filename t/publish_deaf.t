#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that makes no key frame when it is asked, as many encoders: who
# comes long after the last one starts with that, as long as the ring has it.
# And whose camera is off for a while: who has asked meanwhile sees it go on.

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

my $r;

ok(video($view, 1), 'eight viewers have video');
cmp_ok($pub->report->{plis}, '>=', 1, 'the publisher was asked');
is($t->stream('x')->{keyframes}, 1, 'in vain');

my $asks = NgxWebRTC::Bench->view($t, '/whep', n => 8, audio => undef,
                                  pli => 100);

ok(video($asks, 1), 'and eight that ask all the time');

$pub->signal('USR2');

my $n = $pub->report->{packets};
my $plis = $asks->report->{plis_sent};

ok($pub->wait(60, sub { $_[0]{packets} > $n + 100 })
   && $asks->wait(60, sub { $_[0]{plis_sent} > $plis + 100 }),
   'audio alone, and they ask');

$n = seen($asks);
$pub->signal('USR2');

ok(video($asks, $n + 100), 'they see video again');

$r = $asks->stop;

is($r->{$_}, 0, $_) for qw(failed auth_fail broken seq_breaks backwards);

$r = $view->stop;

is($r->{$_}, 0, $_) for qw(seq_breaks backwards missing);

$pub->stop;
ok($t->no_sessions, 'no session is left');
$t->done;


# whether each of eight viewers has that many packets of video

sub video {
    my ($v, $packets) = @_;

    return $v->wait(60, sub {
        8 == grep { ($_[0]{"viewer$_"}{video}{packets} // 0) >= $packets } 0 .. 7;
    });
}


# the most that one of them has

sub seen {
    my $r = $_[0]->report;

    return (sort { $b <=> $a }
            map { $r->{"viewer$_"}{video}{packets} // 0 } 0 .. 7)[0];
}
