#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# RTCP without sense from peers who have the keys, and transport-wide sequence
# numbers that jump: no worker is hurt, what we send back is bounded, and the
# stream plays on.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $seed = $ENV{TEST_SEED} // 20;
note("TEST_SEED=$seed");

my $t = attack_server();
my $r = attack($t, 'garbage', seed => $seed);

cmp_ok($r->{dropped}, '>', $r->{sent} * 0.6, 'what is malformed is counted');
cmp_ok($r->{twcc}{got}, '<', $r->{twcc}{sent},
       'feedback about numbers that jump is less than what caused it');
ok($r->{media}, 'the stream plays on');
is_deeply($r->{closed}, [ 200, 200 ], 'DELETE');

attack_done($t);
