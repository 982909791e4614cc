#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What a third party gets whose address somebody forges: nothing without a
# session, and with one, from its first check on, no more than the offer, the
# check and the ClientHello have cost.  address.t has sessions that are up.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'reflect');

is($r->{strangers}, 0, 'nothing for who has no session');

for my $role (qw/ actpass passive /) {
    my $got = $r->{$role};

    cmp_ok($got->{dtls}, '>', 0, "$role: the handshake is tried");
    cmp_ok($got->{got}, '<=', 3 * $got->{sent}, "$role: it is no lever");
    ok($got->{gone}, "$role: and ends soon");
}

attack_done($t);
