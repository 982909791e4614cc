#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Requests that cost the server more than the client: NACKs for all that was
# sent, PLIs without end, and PLIs of many viewers to one publisher.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server(http => 'webrtc_keyframe_interval 500ms;');
my $r = attack($t, 'amplify');

# 300 packets, and as many in a second

my $s = $r->{nack}{seconds} + 1;

cmp_ok($r->{nack}{n}, '>=', 50, 'a flood of NACKs');
cmp_ok($r->{nacks}, '<=', 2000 * ($s + 1), 'of 2000 packets a second at most');
cmp_ok($r->{resent}, '>', 100, 'some packets are sent again');
cmp_ok($r->{resent}, '<=', 300 * ($s + 1), 'no more than 300 a second');

# each key frame is followed by a pause as long as what was sent with it

cmp_ok($r->{plis}, '>=', 100, 'a flood of PLIs');
cmp_ok($r->{pli}{got}, '<', 1.5 * $r->{pli}{quiet} + 40000,
       'does not multiply the stream');

cmp_ok($r->{asked}{n}, '>=', 300, 'a flood of PLIs to a publisher');
cmp_ok($r->{asked}{got}, '>', 0, 'which is asked');
cmp_ok($r->{asked}{got}, '<=', $r->{asked}{seconds} / 0.5 + 2,
       'not more often than webrtc_keyframe_interval says');
is_deeply($r->{closed}, [ (200) x 6 ], 'DELETE');

attack_done($t);
