#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_pacing: viewers are held back where a burst is small and never where
# there is no limit; one that is too slow for its stream jumps to a key frame,
# is counted, and goes on.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(asan => 1, workers => 2);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait    10s;
webrtc_pacing  off;
EOF
location = /off {
    webrtc_play    off;
    webrtc_pull    file:%%MEDIA%%/noise.ts loop;
}
location = /paced {
    webrtc_play    paced;
    webrtc_pull    file:%%MEDIA%%/noise.ts loop;
    webrtc_pacing  20m burst=4k;
}
location = /slow {
    webrtc_play    slow;
    webrtc_pull    file:%%MEDIA%%/noise.ts loop;
    webrtc_pacing  1m burst=4k;
    webrtc_buffer  256k;
}
EOF

my %p = map { $_ => $t->browser->play($t->url("/$_")) } qw/ off paced slow /;

is($p{$_}{status}, 201, "$_: POST") for sort keys %p;

for my $name (qw/ off paced /) {
    cmp_ok($p{$name}->wait(75)->{framesDecoded} // 0, '>=', 75,
           "$name: plays");
}

is($t->stream('off')->{paced}, 0, 'off: never held back');
is($t->stream('off')->{lapped}, 0, 'off: not lapped');
cmp_ok($t->stream('paced')->{paced}, '>', 0, 'paced: held back');
is($t->stream('paced')->{lapped}, 0, 'paced: not lapped');

# 2.5 Mbit/s through 1: the ring's writer comes round

ok(wait_for(40, sub { $t->stream('slow')->{lapped} > 0 }),
   'slow: the viewer was lapped, and counted');
cmp_ok($t->stream('slow')->{lost}, '>', 0, 'slow: so was what it missed');

my $before = $p{slow}->stats->{framesDecoded} // 0;

cmp_ok($p{slow}->wait($before + 25)->{framesDecoded} // 0, '>=',
       $before + 25, 'slow: the picture goes on');

$_->stop for values %p;
ok($t->no_sessions, 'no session is left');
$t->done;
