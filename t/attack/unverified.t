#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Authentic packets of a session from addresses that have passed no check:
# media, reports, requests and the end by close_notify are dropped and counted,
# without an answer (RFC 8445, 12.1; RFC 5763, 6.7.1).

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'unverified');

ok($r->{dropped}, 'all are dropped and counted');
is($r->{packets}, 0, 'no packet of a publisher is taken');
is($r->{nacks}, 0, 'nor a request of a viewer');
is($r->{sessions}, 3, 'nor an end');
is($r->{answers}, 0, 'no answer');
ok($r->{media}, 'what comes from the right address is taken');
is_deeply($r->{closed}, [ 200, 200, 200 ], 'DELETE');

attack_done($t);
