#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A session whose client leaves when one TURN server has allocated, and the answer of
# another one that has is on its way: both allocations are given back, and nothing of
# it stays.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 1);
my $turn = $t->turn or plan(skip_all => 'no coturn');
my $port = $t->port('turn');
my $slow = $t->relay(to => $port, delay => 220);

$t->start(http => 'webrtc_ice full;', server => <<"EOF");
webrtc_ice_allow   loopback;
webrtc_ice_server  turn:127.0.0.1:$port username=u credential=p;
webrtc_ice_server  turn:127.0.0.1:$slow->{port} username=u credential=p;
location = /whip { webrtc_publish x; }
EOF

# the worker is up, and has what it keeps

$t->status;

my $before = $t->sockets;

for my $n (1 .. 3) {
    session();

    ok(wait_for(60, sub { !left() }), "$n: they are given back")
        or diag(slurp($turn->{turn}));
}

ok(wait_for(60, sub { $t->sockets <= $before }), 'all sockets are closed')
    or diag($before, ' ', $t->sockets);

my ($old) = $t->workers;

ok($t->reload, 'a reload');
ok(wait_for(60, sub { !kill(0, $old) }), 'which ends the worker');

$t->done;


# POST, by a client that leaves when both have allocated

sub session {
    my $had = allocations();

    my $client = $t->spawn('post', sub {
        $t->post_offer('/whip', offer(direction => 'sendonly'));
    });

    ok(wait_for(60, sub { allocations() == $had + 2 }), 'both have allocated');

    kill('KILL', $client->{pid});
    $t->reap($client, 60);
}


sub allocations {
    my $n = () = slurp($turn->{turn}) =~ /session \d+: new, .* lifetime=[1-9]/g;

    return $n;
}


# those that are not given back

sub left {
    my $log = slurp($turn->{turn});
    my %left;

    $left{$1} = 1 while $log =~ /session (\d+): new, .* lifetime=[1-9]/g;
    delete $left{$1} while $log =~ /session (\d+): refreshed, .* lifetime=0\b/g;

    return scalar(keys %left);
}
