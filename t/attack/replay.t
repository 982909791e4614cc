#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What has been sent before, by who has seen it: SRTP, SRTCP (RFC 3711, 3.3.2),
# DTLS; and what was sent in another session.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'replay');

is($r->{srtp}, 40, 'SRTP is taken');
is($r->{srtpAgain}, 40, 'and not again');
is($r->{srtpDropped}, 120, 'but counted');
is($r->{srtcp}, 1, 'SRTCP is taken once');
is($r->{srtcpDropped}, 50, 'and counted then');
is($r->{other}, 1, 'and not in another session');
ok($r->{dtls}, 'a handshake that comes again ends nothing');
is_deeply($r->{closed}, [ 200, 200, 200 ], 'DELETE');

attack_done($t);
