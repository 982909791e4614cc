#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Full ICE sends checks to the candidates that a client tells: not into networks
# that the client could not reach itself, unless the operator says so.  Each
# location has sockets of its own on 127.0.0.1 as victims; what is allowed gets
# checks, and by then those that are not would have had theirs.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer parse /;

my %rules = (
    default => '',
    other   => 'webrtc_ice_allow private; webrtc_ice_allow 10.0.0.0/8;',
    deny    => 'webrtc_ice_deny 127.0.0.1; webrtc_ice_allow 127.0.0.0/8;',
    allow   => 'webrtc_ice_allow 10.1.2.3 loopback;',
    all     => 'webrtc_ice_allow all;',
    cidr    => 'webrtc_ice_deny 127.0.1.0/24; webrtc_ice_allow 127.0.0.0/8;',
);

my %checked = map { $_ => 1 } qw/ allow all cidr inherit /;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

$t->start(server => join('', map { <<"EOF" } sort keys %rules) . <<'EOF');
location = /$_ {
    webrtc_publish  $_;
    webrtc_ice      full;
    $rules{$_}
}
EOF
location /inherit/ {
    webrtc_ice_allow  127.0.0.0/8;
    location = /inherit/x { webrtc_publish x; webrtc_ice full; }
}
EOF

sub victim {
    return IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1');
}

sub candidate {
    my ($address, $sock) = @_;

    return "a=candidate:1 1 udp 2113937151 $address " . $sock->sockport
           . " typ host\r\n";
}

sub checks {
    my ($sock, $seconds) = @_;

    while (defined(my $d = answer($sock, $seconds))) {
        return 1 if (parse($d) || { type => 0 })->{type} == 1;
    }

    return 0;
}

my (%offered, %trickled, %answer);

for my $name (sort keys %rules, 'inherit') {
    my $url = $name eq 'inherit' ? '/inherit/x' : "/$name";

    $offered{$name} = victim();
    $trickled{$name} = victim();

    # 0.0.0.0 is this host, too

    my $more = candidate('127.0.0.1', $offered{$name});

    $more .= candidate('0.0.0.0', $offered{$name}) if !$checked{$name};

    my $sdp = offer(direction => 'sendonly');
    $sdp =~ s/(a=ice-pwd:.*\r\n)/$1$more/ or die 'no place in the offer';

    my $r = $answer{$name} = $t->post_offer($url, $sdp);

    is($r->{status}, 201, "$name: POST") or diag($r->{content});

    is($t->http('PATCH', $r->{headers}{location}, headers => {
        'Content-Type' => 'application/trickle-ice-sdpfrag',
        'If-Match' => '*' }, body => "a=ice-ufrag:tEsT\r\n"
        . "a=ice-pwd:a-password-of-24-letters\r\n"
        . "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        . candidate('127.0.0.1', $trickled{$name}))->{status}, 204,
       "$name: PATCH");
}

for my $name (sort keys %checked) {
    ok(checks($offered{$name}, 20), "$name: a candidate of the offer is asked");
    ok(checks($trickled{$name}, 20), "$name: and one of a PATCH");
}

for my $name (grep { !$checked{$_} } sort keys %offered) {
    ok(!checks($offered{$name}, 0.5), "$name: that of the offer is not");
    ok(!checks($trickled{$name}, 0.5), "$name: nor that of the PATCH");
}

my $said = () = $t->log =~ /\[info\].*candidate "\S+" of the peer is left out/g;

is($said, 3, 'the log has a line for each session');

# what is heard: a check of the client's own network is answered by default, and
# what it comes from is asked then; not where a rule is against it

sub heard {
    my ($name, $tries, $seconds) = @_;

    my $sock = victim();
    my $sdp = $answer{$name}{content};
    my ($port) = $sdp =~ / 127\.0\.0\.1 (\d+) typ host/;
    my ($ufrag) = $sdp =~ /^a=ice-ufrag:(\S+)\r/m;
    my ($pwd) = $sdp =~ /^a=ice-pwd:(\S+)\r/m;

    my $to = pack_sockaddr_in($port, inet_aton('127.0.0.1'));

    for (1 .. $tries) {
        $sock->send(request(username => "$ufrag:tEsT", pwd => $pwd), 0, $to);
        return 1 if defined answer($sock, $seconds);
    }

    return 0;
}

ok(heard('default', 10, 2), 'default: the client itself is heard');
ok(heard('all', 10, 2), 'all: it is');
ok(!heard('deny', 5, 0.2), 'deny: it is not');

for my $name (sort keys %answer) {
    is($t->http('DELETE', $answer{$name}{headers}{location})->{status}, 200,
       "$name: DELETE");
}

ok($t->no_sessions, 'no session is left');

$t->done;
