#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A NAT in front of a viewer or publisher rebinds: its checks come from another
# port, and nothing arrives at the one before.  With full ICE as with ICE lite
# media is back soon, again and again, in the same session.  Clients are aiortc's.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF2');
location = /whep/lite {
    webrtc_play       bars;
    webrtc_pull       file:%%MEDIA%%/bars.ts loop;
}
location = /whep/full {
    webrtc_play       bars;
    webrtc_pull       file:%%MEDIA%%/bars.ts loop;
    webrtc_ice        full;
    webrtc_ice_ports  %%PORT_full%%-%%PORT_full%%;
}
location = /whip/mine {
    webrtc_publish    mine;
    webrtc_ice        full;
    webrtc_ice_ports  %%PORT_mine%%-%%PORT_mine%%;
}
EOF2

my %relay = (
    '/whep/lite' => $t->relay(to => $t->port('udp')),
    '/whep/full' => $t->relay(to => $t->port('full')),
    '/whip/mine' => $t->relay(to => $t->port('mine')),
);

my @urls = sort keys %relay;

sub file { return $t->dir . '/' . $_[0] =~ tr{/}{-}r . ".$_[1]" }

my %p = map {
    $_ => $t->python('whep.py', $t->url($_), JSON::PP::encode_json({
        port => $relay{$_}{port}, consent => 2, until => file($_, 'end'),
        progress => file($_, 'frames'), publish => m{whip} ? 1 : 0 }))
} @urls;

# of a publisher: what we got

sub media {
    my ($url) = @_;

    return slurp(file($url, 'frames')) || 0 if $url !~ /whip/;

    return ($t->stream('mine') || {})->{packets} || 0;
}

for my $url (@urls) {
    ok(wait_for(45, sub { media($url) > 25 }), "$url: media flows");
}

for my $n (1 .. 3) {
    my %since;

    for my $url (@urls) {
        ok($relay{$url}->rebind, "$url: another port, $n");
        $since{$url} = [ time(), media($url) ];
    }

    # more than may have been under way

    for my $url (@urls) {
        ok(wait_for(30, sub { media($url) > $since{$url}[1] + 25 }),
           "$url: goes on, $n");
        diag(sprintf '%s: 25 more after %.1f s', $url,
                     time() - $since{$url}[0]);
    }
}

is($t->status->{sessions}, 3, 'three sessions still');

for my $url (@urls) {
    open my $fh, '>', file($url, 'end') or die;
    close $fh;
    is($t->python_result($p{$url})->{delete}, 200, "$url: DELETE");
}

$t->done;
