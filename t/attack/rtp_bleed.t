#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# RTP bleed: who sends RTP or RTCP to the port, even authentic RTCP, does not
# get the media of others, nor takes it away from them.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'bleed');

ok($r->{up} && $r->{before}, 'a viewer plays');
is($r->{bled}, 0, 'others get nothing');
ok($r->{after}, 'the viewer plays on');
is($r->{closed}, 200, 'DELETE');

attack_done($t);
