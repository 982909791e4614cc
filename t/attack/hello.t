#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Who greets first: a ClientHello of somebody else must neither get an answer
# nor take the place of the peer's, before its handshake, in it and after it.

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'hello');

is($r->{answers}, 0, 'strangers get no answer');
ok($r->{up}, 'the handshake of the peer completes');
ok($r->{media}, 'and it gets media');

SKIP: {
    skip 'addresses are forged by root', 1 if $>;
    ok($r->{forged}, 'hellos and alerts from its address end nothing');
}

is_deeply($r->{closed}, [ 200, 200 ], 'DELETE');

attack_done($t);
