#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Answers that nginx cannot write at once, since "limit_rate" or a full window of
# HTTP/2 holds them up: they come whole, and their connections are free again.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::SSL;
use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 1);

system('openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=localhost'
       . " -keyout $t->{dir}/key.pem -out $t->{dir}/cert.pem 2>/dev/null") == 0
    or die 'openssl';

$t->write_file('file.bin', 'x' x 1000);

my $locations = <<'EOF';
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location /counter {
    webrtc_play           bars;
    webrtc_counter_offer  on;
}
location /nobody {
    webrtc_play  nobody;
    webrtc_wait  100ms;
}
location /full {
    webrtc_play  bars;
    webrtc_ice   full;
}
location /mine {
    webrtc_publish  $arg_name;
}
location /files {
    alias        %%DIR%%;
    webrtc_file  on;
}
location /streams {
    webrtc_status;
}
EOF

$t->start(http => <<"EOF", server => <<"EOF");
webrtc_transcode off;
webrtc_wait               60s;
webrtc_handshake_timeout  300s;
server {
    listen      127.0.0.1:%%PORT_slow%%;
    limit_rate  700;
    $locations
}
server {
    listen               127.0.0.1:%%PORT_tls%% ssl;
    ssl_certificate      %%DIR%%/cert.pem;
    ssl_certificate_key  %%DIR%%/key.pem;
    limit_rate           700;
    gzip                 on;
    gzip_types           application/sdp application/problem+json;
    gzip_min_length      1;
    $locations
}
server {
    listen  127.0.0.1:%%PORT_h2%% http2;
    $locations
}
EOF
location = /connections {
    stub_status;
}
$locations
EOF

# what is asked for, and with which status it is answered; URLs of sessions come
# from real POSTs

my $sdp = { 'Content-Type' => 'application/sdp' };
my $frag = { 'Content-Type' => 'application/trickle-ice-sdpfrag' };
my $json = { 'Content-Type' => 'application/json' };
my $n = 0;

my $restart = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
              . "a=group:BUNDLE 0 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n"
              . "a=mid:0\r\n";

sub cases {
    my $play = session('/whep/bars', $sdp, offer());
    my $deleted = session('/whep/bars', $sdp, offer());
    my $name = 'p' . ++$n;

    my $files = session('/files/file.bin?signal', $json,
        JSON::PP::encode_json({ type => 'offer', payload =>
            JSON::PP::encode_json({ type => 'offer', sdp => data() }) }));

    return (
        [ 201, 'WHEP', POST => '/whep/bars', $sdp, offer() ],
        [ 201, 'WHEP, full ICE', POST => '/full', $sdp, offer() ],
        [ 400, 'WHEP', POST => '/whep/bars', $sdp, 'v=0' ],
        [ 406, 'WHEP', POST => '/whep/bars', $sdp,
          offer(video => ['AV1'], audio => []) ],
        [ 406, 'a counter-offer', POST => '/counter', $sdp,
          offer(video => ['AV1'], audio => []) ],
        [ 409, 'WHEP', POST => '/nobody', $sdp, offer() ],
        [ 415, 'WHEP', POST => '/whep/bars', {}, 'v=0' ],
        [ 405, 'WHEP', DELETE => '/whep/bars', {} ],
        [ 404, 'WHEP', DELETE => '/whep/bars?session=' . '0' x 32, {} ],
        [ 200, 'OPTIONS', OPTIONS => '/whep/bars', {} ],
        [ 200, 'DELETE', DELETE => $deleted, {} ],
        [ 200, 'an ICE restart', PATCH => $play, $frag, $restart ],
        [ 400, 'PATCH', PATCH => $play, $frag, "nonsense\r\n" ],
        [ 412, 'PATCH', PATCH => $play,
          { %$frag, 'If-Match' => '"other"' }, "a=end-of-candidates\r\n" ],
        [ 409, 'an answer to nothing', PATCH => $play, $sdp, offer() ],
        [ 200, 'events', GET => "$play&events", {} ],
        [ 201, 'an order of events', POST => "$play&events", $json, '[]' ],
        [ 400, 'an order of events', POST => "$play&events", $json, '["x"]' ],
        [ 404, 'events', GET => "$play&events=01234567", {} ],
        [ 201, 'WHIP', POST => "/mine?name=$name", $sdp,
          offer(direction => 'sendonly') ],
        [ 400, 'WHIP', POST => "/mine?name=$name", $sdp, 'v=0' ],
        [ 409, 'WHIP', POST => '/mine?name=taken', $sdp,
          offer(direction => 'sendonly') ],
        [ 422, 'WHIP', POST => "/mine?name=$name", $sdp, data() ],
        [ 201, 'files', POST => '/files/file.bin', $sdp, data() ],
        [ 400, 'files', POST => '/files/file.bin', $sdp, 'v=0' ],
        [ 404, 'files', POST => '/files/none.bin', $sdp, data() ],
        [ 400, 'signalling', POST => '/files/file.bin?signal', $json, '{}' ],
        [ 200, 'signalling', GET => $files,
          { Accept => 'text/event-stream' } ],
        [ 200, 'status', GET => '/streams', {} ],
        [ 405, 'status', PUT => '/streams', {} ],
    );
}


# an offer alone would hold its name for three seconds

my $taken = NgxWebRTC::Bench->publish($t, '/mine?name=taken', t => 3600);

ok($taken->wait(60, sub { ($_[0]{packets} // 0) > 0 }), 'a publisher');

ok(wait_for(20, sub { connections() == 1 }), 'connections at first');

subtest 'limit_rate' => sub {
    my @cases = cases();

    check(\@cases, http1(\@cases, sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => $t->port('slow'));
    }));
};

subtest 'limit_rate, TLS and gzip' => sub {
    my @cases = cases();

    check(\@cases, http1(\@cases, sub {
        IO::Socket::SSL->new(PeerAddr => '127.0.0.1',
            PeerPort => $t->port('tls'), SSL_verify_mode => 0);
    }));
};

subtest 'a full window of HTTP/2' => sub {
    my @cases = cases();
    check(\@cases, http2(\@cases));
};

subtest 'clients that leave with a full window' => sub {
    my @cases = cases();
    my $got = http2(\@cases, vanish => JSON::PP::true);

    is($got->[$_]{status}, $cases[$_][0], "$cases[$_][1]: $cases[$_][0]")
        for 0 .. $#cases;
};

ok(wait_for(20, sub { connections() == 1 }), 'connections in the end')
    or diag(connections());

$t->done;


sub session {
    my ($path, $headers, $body) = @_;

    my $r = $t->http('POST', $path, headers => $headers, body => $body);

    is($r->{status}, 201, "a session of $path") or diag($r->{content});

    return $r->{headers}{location};
}


sub data {
    return offer(video => [], audio => [], application => 1);
}


# each answer has come, and is what it should be

sub check {
    my ($cases, $got) = @_;

    for my $i (0 .. $#$cases) {
        my ($status, $name) = @{ $cases->[$i] };
        my $a = $got->[$i];

        is($a->{status}, $status, "$name: $status") or diag(explain($a));
        ok($a->{ended} || $a->{goes_on}, 'has come whole')
            or diag(explain($a));
    }
}


# all at once, each over a connection of its own

sub http1 {
    my ($cases, $connect) = @_;

    my (%of, @answers);
    my $select = IO::Select->new;

    for my $case (@$cases) {
        my (undef, undef, $method, $path, $headers, $body) = @$case;

        $body //= '';

        my $s = $connect->() or die "connect: $!";

        print $s "$method $path HTTP/1.1\r\nHost: localhost\r\n"
            . "Accept-Encoding: gzip\r\n"
            . join('', map { "$_: $headers->{$_}\r\n" } keys %$headers)
            . "Content-Length: " . length($body) . "\r\n\r\n$body";

        push @answers, { raw => '', status => 0 };
        $of{$s} = $answers[-1];
        $select->add($s);
    }

    wait_for(60, sub {
        for my $s ($select->can_read(0.1)) {
            my $a = $of{$s};
            my $more = 1;

            while ($more && sysread $s, $a->{raw}, 65536, length $a->{raw}) {
                $more = $s->can('pending') && $s->pending;
            }

            $select->remove($s) if $more || whole($a);
        }

        return !$select->count;
    });

    return \@answers;
}


sub whole {
    my ($a) = @_;

    my ($head, $body) = $a->{raw} =~ /^(.*?\r\n)\r\n(.*)/s or return 0;

    ($a->{status}) = $head =~ m{^HTTP/1.1 (\d+)};

    my ($length) = $head =~ /^Content-Length: (\d+)\r$/mi;

    if ($head =~ m{^Content-Type: text/event-stream}mi) {
        $a->{goes_on} = $body =~ /retry/;

    } elsif (defined $length) {
        $a->{ended} = length $body == $length;

    } else {
        $a->{ended} = $body =~ /(?:^|\n)0\r\n\r\n\z/;
    }

    return $a->{ended} || $a->{goes_on};
}


sub http2 {
    my ($cases, %o) = @_;

    my @requests = map {
        my (undef, undef, $method, $path, $headers, $body) = @$_;
        { method => $method, path => $path, headers => $headers,
          body => $body // '' }
    } @$cases;

    my $p = $t->spawn('h2', [ '/usr/bin/python3', "$NgxWebRTC::ROOT/t/lib/http2.py",
                              $t->port('h2') ], pipe => 1);

    print { $p->{in} } JSON::PP::encode_json({ %o, requests => \@requests });
    close $p->{in};

    my $text = do { local $/; readline $p->{out} };

    is($t->reap($p, 90), 0, 'http2.py') or diag(slurp($p->{log}));

    return json($text) || [];
}


sub connections {
    my ($active) = $t->http('GET', '/connections')->{content}
                   =~ /Active connections: (\d+)/;
    return $active;
}
