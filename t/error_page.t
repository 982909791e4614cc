#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# error_page of a request that was refused before its body was there, passed on
# to an upstream that takes its time: the rest of the body comes while nobody
# wants it, and none of it is passed on.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;

my $t = NgxWebRTC->new(asan => 1, workers => 1);

my $upstream = IO::Socket::INET->new(Proto => 'tcp', Listen => 8,
    LocalAddr => '127.0.0.1', LocalPort => $t->port('upstream'),
    ReuseAddr => 1) or die "listen: $!";

$t->start(http => <<'EOF', server => <<'EOF');
proxy_read_timeout   300s;
client_body_timeout  300s;
EOF
location /ignore {
    webrtc_publish  mine;
    webrtc_max_sdp  1k;
    error_page      400 413 /ignoring;
}
location /plain {
    webrtc_publish  mine;
    webrtc_max_sdp  1k;
    error_page      400 413 /proxied;
}
location /problem {
    webrtc_publish  mine;
    webrtc_max_sdp  1k;
}
location /ignoring {
    proxy_ignore_client_abort  on;
    proxy_pass                 http://127.0.0.1:%%PORT_upstream%%;
}
location /proxied {
    proxy_pass  http://127.0.0.1:%%PORT_upstream%%;
}
EOF


# what a socket has, up to what is wanted

sub get {
    my ($s, $want) = @_;

    my $buf = '';

    wait_for(60, sub {
        return 0 if !readable($s);
        return 1 if !sysread $s, $buf, 65536, length $buf;
        return $buf =~ $want;
    });

    return $buf;
}


sub readable {
    my ($s) = @_;

    my $bits = '';
    vec($bits, fileno($s), 1) = 1;

    return select($bits, undef, undef, 0) > 0;
}


# a request behind them: the worker has seen to all that came before

sub settled { return $t->http('GET', '/problem')->{status} }


# the body comes when it is asked for, or together with the headers

sub post {
    my ($path, $body, $together) = @_;

    my $s = $t->connects('http') or die "connect: $!";
    my $expect = $together ? '' : "Expect: 100-continue\r\n";

    my $headers = "POST $path HTTP/1.1\r\nHost: localhost\r\n"
                  . "Content-Type: application/sdp\r\n$expect"
                  . "Transfer-Encoding: chunked\r\n\r\n";

    if ($together) {
        syswrite($s, $headers . $body);
        return $s;
    }

    print $s $headers;

    like(get($s, qr/\r\n\r\n/), qr/^HTTP\/1\.1 100 /, "POST $path");

    print $s $body;

    return $s;
}


my $large = "800\r\n" . 'x' x 2048 . "\r\n";
my $more = "10\r\n" . 'y' x 16 . "\r\n";

for my $row ([ '/ignore', 413, $large, 'too large' ],
             [ '/plain', 413, $large, 'too large' ],
             [ '/ignore', 413, $more . $large, 'too large as it goes on' ],
             [ '/ignore', 400, "zz\r\n", 'malformed' ],
             [ '/plain', 413, $large, 'too large, at once', 1 ],
             [ '/plain', 400, $more . "zz\r\n", 'malformed, at once', 1 ])
{
    my ($path, $status, $body, $name, $together) = @$row;

    subtest "$path: $name" => sub {
        my $s = post($path, $body, $together);

        my $up = wait_for(60, sub {
            return readable($upstream) && $upstream->accept;
        });

        ok($up, 'the page is asked for') or return;

        my $request = get($up, qr/\r\n\r\n/);

        like($request, qr/^GET /, 'with GET');
        unlike($request, qr/^Transfer-Encoding/mi, 'without an open end');
        unlike($request, qr/^Content-Length: [^0]/mi, 'without a body');
        like($request, qr/\r\n\r\n\z/, 'nor a part of one');

        for (1 .. 3) {
            print $s $more;
            is(settled(), 204, 'more comes');
        }

        print $up "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nsorry";
        close $up;

        like(get($s, qr/sorry/), qr/^HTTP\/1\.1 $status .*\r\n\r\nsorry\z/s,
             "$status with the page");
    };
}

subtest 'without a page' => sub {
    my $s = post('/problem', $large);

    like(get($s, qr/\}/), qr/^HTTP\/1\.1 413 .*^Connection: close\r.*title/ms,
         '413 of ours');

    print $s $more;
    is(settled(), 204, 'more comes');
};

$t->done;
