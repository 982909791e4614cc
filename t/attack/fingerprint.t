#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A certificate that is not the one whose fingerprint was offered, or none, as
# DTLS client and as server, of viewers and of publishers: the handshake does
# not complete, no media flows, the session ends (RFC 5763, 5).

use strict;
use warnings;

use Test::More;
use NgxWebRTC::Attack;

my $t = attack_server();
my $r = attack($t, 'fingerprint');

for my $case (sort grep { ref $r->{$_} } keys %$r) {
    my $got = $r->{$case};

    is($got->{status}, 201, "$case: the offer is taken");

    if ($case =~ /right$/) {
        ok($got->{up}, "$case: is up");
        cmp_ok($got->{media} + $got->{packets}, '>', 0, "$case: media flows");
        next;
    }

    is($got->{media} + $got->{packets}, 0, "$case: no media, either way");
    ok($got->{gone}, "$case: the session ends");
}

is(scalar(grep { ref $r->{$_} } keys %$r), 10, 'all cases');

my $n = () = $t->log =~ /session\ closed:\ (?:peer\ did\ not\ return\ a
                         \ certificate|certificate\ does\ not\ match)/gx;

is($n, 6, 'the log names the reason');

attack_done($t);
