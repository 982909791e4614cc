#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Every method against a session of another worker: four workers, each session
# claimed by one of them with a connectivity check, each request a connection of
# its own, until each worker has answered each method.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer parse /;

my $t = NgxWebRTC->new(asan => 1, workers => 4);

# with "reuseport" the kernel spreads connections evenly

$t->start(http => <<'EOF');
webrtc_handshake_timeout  60s;
webrtc_max_viewers        200;
server {
    listen      127.0.0.1:%%PORT_spread%% reuseport;
    add_header  X-Pid $pid always;
    location ~ ^/whep/(?<name>\w+)$ {
        webrtc_play  $name;
        webrtc_pull  file:%%MEDIA%%/$name.ts loop;
    }
    location ~ ^/whip/(?<name>\w+)$ {
        webrtc_publish  $name;
    }
}
EOF

my $base = 'http://127.0.0.1:' . $t->port('spread');

my $sock = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
    PeerAddr => '127.0.0.1', PeerPort => $t->port('udp'));


# a session that some worker has: (url, ufrag, pwd)

sub session {
    my ($path, %o) = @_;

    my $r = $t->post_offer("$base$path", offer(%o));
    my ($ufrag) = $r->{content} =~ /^a=ice-ufrag:(\S+)/m;
    my ($pwd) = $r->{content} =~ /^a=ice-pwd:(\S+)/m;

    $sock->send(request(username => ($ufrag // '') . ':tEsT', pwd => $pwd,
                        use => 1));
    ok(parse(answer($sock, 30)), "a session of $path");

    return ($base . $r->{headers}{location}, $ufrag, $pwd, $r->{headers}{'x-pid'});
}


my $frag = "a=ice-ufrag:tEsT\r\na=ice-pwd:a-password-of-24-letters\r\n";
my $type = 'application/trickle-ice-sdpfrag';

for my $path ('/whep/bars', '/whip/mine') {
    my %o = $path =~ /whip/ ? (direction => 'sendonly') : ();
    my ($url) = session($path, %o);

    my %rules = (
        OPTIONS => [ 200 ], GET => [ 204 ], HEAD => [ 204 ], PUT => [ 405 ],
        PATCH => [ 204, body => $frag, headers => { 'Content-Type' => $type } ],
    );

    for my $method (sort keys %rules) {
        my ($status, @more) = @{ $rules{$method} };
        my %pids;

        for (1 .. 200) {
            my $r = $t->http($method, $url, @more);
            $pids{$r->{headers}{'x-pid'} // ''}++;

            if ($r->{status} != $status) {
                is($r->{status}, $status, "$method $path");
                last;
            }

            last if keys %pids == 4;
        }

        is(scalar(keys %pids), 4, "$method $path: by each worker");
    }

    # DELETE and an ICE restart change what they are about: many sessions

    $t->http('DELETE', $url);

    my %pids;

    for my $n (1 .. 40) {
        my ($url, $ufrag, $pwd) = session($path, %o);

        my $r = $t->http('PATCH', $url, headers => { 'Content-Type' => $type,
            'If-Match' => '*' }, body => "a=ice-ufrag:new$n\r\na=ice-pwd:"
            . 'p' x 24 . "\r\n");
        is($r->{status}, 200, "restart $n of $path");
        $pids{restart}{$r->{headers}{'x-pid'}}++;

        my ($u) = $r->{content} =~ /^a=ice-ufrag:(\S+)/m;
        my ($p) = $r->{content} =~ /^a=ice-pwd:(\S+)/m;

        $sock->send(request(username => "$u:new$n", pwd => $p, use => 1));
        ok(parse(answer($sock, 30)), 'and it works');

        $r = $t->http('DELETE', $url);
        is($r->{status}, 200, "DELETE $n");
        $pids{DELETE}{$r->{headers}{'x-pid'}}++;
        is($t->http('GET', $url)->{status}, 404, 'then 404');

        last if keys %{ $pids{restart} } == 4 && keys %{ $pids{DELETE} } == 4;
    }

    is(scalar(keys %{ $pids{$_} }), 4, "$_ $path: by each worker")
        for qw/ restart DELETE /;
}

ok($t->no_sessions, 'no session is left');

$t->done;
