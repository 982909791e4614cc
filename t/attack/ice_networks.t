#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Networks that are not the client's, in a network namespace that has them: the
# addresses of this host's containers and virtual machines are not told, and an
# IPv6 address that holds an IPv4 address of the inner network is not dealt
# with, told or heard.  ice_ssrf.t has what needs no addresses.

use strict;
use warnings;

use IO::Socket::IP;
use Socket qw/ pack_sockaddr_in6 inet_pton AF_INET6 /;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer /;

plan skip_all => 'network namespaces are made by root' if $>;

# name, address; the first is the one to be told

my @links = ([ 'lan', '198.51.100.7' ], [ 'docker0', '172.17.0.1' ],
             [ 'br-0a1b2c', '172.18.0.1' ], [ 'virbr0', '192.168.122.1' ],
             [ 'veth12ab', '203.0.113.1' ], [ 'lxcbr0', '10.0.3.1' ]);

# of peers: without a rule, and where private networks are allowed

my @peers = (
    [ '2a00:1450::7', 1, 1, 'public' ],
    [ 'fd00::7', 0, 1, 'private' ],
    [ '64:ff9b::198.51.100.9', 1, 1, 'NAT64 of public' ],
    [ '64:ff9b::10.0.0.1', 0, 1, 'NAT64 of private' ],
    [ '64:ff9b::127.0.0.1', 0, 0, 'NAT64 of loopback' ],
    [ '64:ff9b:1::10.0.0.1', 0, 0, 'NAT64 of a network' ],
    [ '2002:c633:6409::1', 1, 1, '6to4 of public' ],
    [ '2002:a00:1::1', 0, 1, '6to4 of private' ],
    [ '2001:0:c633:6409:0:1234:39cc:9bf6', 1, 1, 'Teredo' ],
    [ '2001:0:c633:6409:0:1234:f5ff:fffe', 0, 1, 'Teredo of private' ],
    [ '2a00:1450::5efe:10.0.0.1', 0, 1, 'ISATAP of private' ],
);

if (!$ENV{NGX_WEBRTC_NETWORKS}) {
    my $n = 0;
    my $net = join ' && ', 'ip link set lo up',
        (map { my ($if, $ip) = @$_;
               $n++;
               ("ip link add $if type veth peer name wall$n",
                "ip link set $if up", "ip link set wall$n up",
                "ip addr add $ip/24 dev $if") } @links),
        'ip -6 addr add 2a00:1450:1::1/64 dev lan nodad',
        map { "ip -6 addr add $_->[0]/128 dev lo nodad" } @peers;

    plan skip_all => 'no network namespaces here'
        if system('unshare', '-n', 'sh', '-c', "($net) >/dev/null 2>&1");

    $ENV{NGX_WEBRTC_NETWORKS} = 1;
    exec('unshare', '-n', 'sh', '-c', $net . ' && exec "$@"', 'sh',
         $^X, (map { "-I$_" } @INC), $0) or die "unshare: $!";
}

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $server = <<'EOF';
location = /lite { webrtc_publish lite; }
location = /full { webrtc_publish full; webrtc_ice full; }
location = /allow {
    webrtc_publish    allow;
    webrtc_ice        full;
    webrtc_ice_allow  private;
}
EOF

my @listen = (udp => [ '%%PORT_udp%%', '[::]:%%PORT_udp%%' ]);

$t->start(@listen, server => $server);

my @sessions;

sub post {
    my ($url, $more) = @_;

    my $sdp = offer(direction => 'sendonly');
    $sdp =~ s/(a=ice-pwd:.*\r\n)/$1$more/ if $more;

    my $r = $t->post_offer($url, $sdp);

    is($r->{status}, 201, "$url: POST") or diag($r->{content}, $t->log);
    push @sessions, $r->{headers}{location};

    return $r->{content} // '';
}

sub told {
    my ($sdp) = @_;

    my %seen;

    return join ' ', sort grep { !/^127\.|:/ && !$seen{$_}++ }
                     $sdp =~ /^a=candidate:\S+ 1 udp \d+ (\S+)/mgi;
}

sub delete_all {
    is($t->http('DELETE', $_)->{status}, 200, 'DELETE') for splice @sessions;
}

for my $url (qw{ /lite /full }) {
    is(told(post($url)), '198.51.100.7', "$url: the address of lan is told");
    delete_all();
}

# what a peer tells, and what it comes from

for my $case ([ '/full', 1 ], [ '/allow', 2 ]) {
    my ($url, $column) = @$case;
    my $sdp = post($url, join '', map {
        "a=candidate:1 1 udp 2113937151 $_->[0] 9 typ host\r\n" } @peers);

    my ($port) = $sdp =~ / 2a00:1450:1::1 (\d+) typ host/;
    my ($ufrag) = $sdp =~ /^a=ice-ufrag:(\S+)\r/m;
    my ($pwd) = $sdp =~ /^a=ice-pwd:(\S+)\r/m;

    my $to = pack_sockaddr_in6($port, inet_pton(AF_INET6, '2a00:1450:1::1'));

    my $heard = sub {
        my ($from, $tries, $seconds) = @_;

        my $s = IO::Socket::IP->new(Proto => 'udp', LocalHost => $from)
            or die "$from: $@";

        for (1 .. $tries) {
            send $s, request(username => "$ufrag:tEsT", pwd => $pwd), 0, $to;
            return 1 if defined answer($s, $seconds);
        }

        return 0;
    };

    for my $peer (sort { $b->[$column] <=> $a->[$column] } @peers) {
        my $is = $peer->[$column];

        is($heard->($peer->[0], $is ? (20, 1) : (3, 0.1)), $is,
           "$url: $peer->[3] is " . ($is ? 'heard' : 'not heard'));
    }
}

# of those told, the first that is left out is a line

my ($first) = $t->log =~ /\[info\].*candidate "(\S+)" of the peer is left out/;
is($first, 'fd00::7', 'the log says what was left out');

delete_all();

# where there is nothing else, and where the operator has said so

system('ip link del lan') == 0 or die 'ip link del';

for my $url (qw{ /lite /full }) {
    is(told(post($url)), join(' ', sort map { $_->[1] } @links[1 .. $#links]),
       "$url: inner addresses are told when there are no others");
    delete_all();
}

ok($t->no_sessions, 'no session is left');

$t->reload(@listen, http => 'webrtc_candidate 172.17.0.1;',
           server => $server);

ok(wait_for(20, sub { $t->workers == 1 }), 'the old worker is gone');
is(told(post('/lite')), '172.17.0.1', 'webrtc_candidate: it is told');
delete_all();

$t->done;
