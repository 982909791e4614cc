#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Requests that wait: they keep the source running that they wait for, and end
# when their client leaves.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 2);

# an upstream that is there and brings nothing; a STUN server that never answers

my $upstream = IO::Socket::INET->new(Proto => 'tcp', Listen => 64,
    LocalAddr => '127.0.0.1', LocalPort => $t->port('upstream'),
    ReuseAddr => 1) or die "listen: $!";

my $stun = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
    LocalPort => $t->port('stun')) or die "udp: $!";

$t->start(http => <<'EOF', server => <<'EOF');
log_format           status '$arg_case $status';
access_log           %%DIR%%/status.log status;
server {
    listen           127.0.0.1:%%PORT_h2%% http2;
    location /pulled {
        webrtc_play  pulled;
        webrtc_pull  tcp://127.0.0.1:%%PORT_upstream%%;
        webrtc_wait  300s;
    }
}
EOF
location /silent {
    webrtc_play          silent;
    webrtc_pull          tcp://127.0.0.1:%%PORT_upstream%%;
    webrtc_idle_timeout  300ms;
    webrtc_wait          300s;
}
location /nobody {
    webrtc_play  nobody;
    webrtc_wait  300s;
}
location /mine {
    webrtc_publish    mine;
    webrtc_ice        full;
    webrtc_ice_server stun:127.0.0.1:%%PORT_stun%%;
}
EOF


subtest 'a request that waits keeps its source running' => sub {
    my $s = post('/silent');
    my @sources = accepted(1);

    is(scalar @sources, 1, 'its source has begun');

    # ten times webrtc_idle_timeout

    is(scalar(my @more = accepted(undef, 3)), 0, 'and is not begun anew');
    ok(!ended($sources[0], 0), 'nor stopped');

    close $s;

    ok(ended($sources[0], 20), 'it is stopped when the client has left');
};

for my $case ([ 'a stream', '/nobody' ],
              [ 'a stream that is pulled', '/silent' ],
              [ 'candidates', '/mine' ])
{
    my ($what, $path) = @$case;

    subtest "a client that waits for $what and leaves" => sub {
        my $name = $what =~ s/\W//gr;
        my $s = post("$path?case=$name");

        ok(!ended($s, 0.3), 'it waits');
        close $s;
        accepted(1) if $path eq '/silent';

        is(status($name), 499, 'is logged as 499');
    };
}

subtest 'over HTTP/2' => sub {
    my $p = $t->spawn('h2', [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/http2.py", $t->port('h2') ], pipe => 1);

    print { $p->{in} } JSON::PP::encode_json({ requests => [ {
        method => 'POST', path => '/pulled?case=http2', body => offer(),
        headers => { 'Content-Type' => 'application/sdp' } } ] });
    close $p->{in};

    ok(wait_for(20, sub { $t->stream('pulled') }), 'it waits');
    $t->kill($p);

    is(status('http2'), 499, 'is logged as 499');
};

ok($t->no_sessions, 'no session is left');
$t->done;


sub post {
    my ($path) = @_;

    my $s = $t->connects('http') or die "connect: $!";
    my $sdp = $path =~ /mine/ ? offer(direction => 'sendonly') : offer();

    print $s "POST $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/sdp\r\n"
        . "Content-Length: " . length($sdp) . "\r\n\r\n$sdp";

    return $s;
}


# as many connections of sources as are wanted, or all that come in some seconds

sub accepted {
    my ($n, $seconds) = @_;

    my @got;
    my $select = IO::Select->new($upstream);

    wait_for($seconds || 20, sub {
        push @got, scalar $upstream->accept while $select->can_read(0);
        return defined $n && @got >= $n;
    });

    return @got;
}


# whether the other end is closed, or anything has come

sub ended {
    my ($s, $seconds) = @_;

    return scalar IO::Select->new($s)->can_read($seconds);
}


sub status {
    my ($case) = @_;

    return wait_for(20, sub {
        slurp($t->dir . '/status.log') =~ /^$case (\d+)$/m && $1;
    });
}

