#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What is in a session's URL beside the path: the query that the endpoint was
# asked with, so that tokens in URLs work for all that is told, and the prefix
# that a proxy has taken off (webrtc_public_path).

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 2);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_transcode off;
webrtc_pull        file:%%MEDIA%%/bars.ts loop;
webrtc_ice_server  stun:127.0.0.1;

server {
    listen 127.0.0.1:%%PORT_proxy%%;
    location /media/ {
        proxy_pass        http://127.0.0.1:%%PORT_http%%/;
        proxy_set_header  X-Forwarded-Prefix /media;
    }
}
server {
    listen              127.0.0.1:%%PORT_public%%;
    webrtc_public_path  /media$request_uri;

    location /whep { webrtc_play  bars; }
    location /off  { webrtc_play  bars; webrtc_public_path off; }
    location /host { webrtc_play  bars;
                     webrtc_public_path https://media.example.com/a; }
    location /some { webrtc_play  bars;
                     webrtc_public_path $scheme://$host:8443/b$request_uri; }
    location /var  { webrtc_play  bars;
                     webrtc_public_path $http_x_public; }
    location /uri/ { webrtc_play  bars; webrtc_public_path /p$uri; }
}
EOF
location /whep/ {
    if ($arg_token != abc) { return 403; }
    webrtc_play  bars;
}
location /counter/ {
    if ($arg_token != abc) { return 403; }
    webrtc_play           bars;
    webrtc_counter_offer  on;
}
location /full/ {
    if ($arg_token != abc) { return 403; }
    webrtc_play  bars;
    webrtc_ice   full;
}
location /whip {
    if ($arg_token != abc) { return 403; }
    webrtc_publish           $arg_n;
    webrtc_publish_conflict  replace;
}
location /files/ {
    if ($arg_token != abc) { return 403; }
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
location /open/ {
    webrtc_play  bars;
}
location /proxied/ {
    webrtc_play         bars;
    webrtc_public_path  $http_x_forwarded_prefix$request_uri;
}
location = /control {
    webrtc_status  control;
}
EOF

my $id = '[0-9a-f]{32}';

# H.264 and Opus, sendonly; and a DataChannel

my $sends = offer(direction => 'sendonly');
my $data = offer(video => [], audio => [], application => 1);

my %frag = ('Content-Type' => 'application/trickle-ice-sdpfrag');
my %json = ('Content-Type' => 'application/json');

my $trickle = "a=ice-ufrag:tEsT\r\na=ice-pwd:a-password-of-24-letters\r\n"
              . "m=%s\r\na=mid:0\r\na=end-of-candidates\r\n";


sub links {
    my ($r) = @_;

    return map { ref $_ ? @$_ : split /,\s+(?=<)/ } $r->{headers}{link} // ();
}


sub signal {
    my ($sdp) = @_;

    return JSON::PP::encode_json({ type => 'offer', payload =>
        JSON::PP::encode_json({ type => 'offer', sdp => $sdp }) });
}


# the first bytes of an event stream that match; $then is done once it is open

sub stream {
    my ($path, $re, $then) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) or die;
    my $buf = '';

    print $s "GET $path HTTP/1.1\r\nHost: x\r\n"
             . "Accept: text/event-stream\r\n\r\n";

    wait_for(60, sub {
        my $bits = '';
        vec($bits, fileno($s), 1) = 1;
        return 0 if select($bits, undef, undef, 0) <= 0;
        return 1 if !sysread $s, $buf, 65536, length $buf;

        if ($then && $buf =~ /\r\n\r\n/) {
            $then->();
            $then = undef;
        }

        return $buf =~ $re;
    });

    return $buf;
}


subtest 'a token in the URL is enough for all that is told' => sub {

    for my $row ([ '/whep/a', offer(), 201, 204 ],
                 [ '/whip', $sends, 201, 204 ],
                 [ '/full/a', offer(), 201, 204 ],
                 [ '/files/a.bin', $data, 201, 200 ],
                 [ '/counter/a', offer(video => [ 'VP8' ]), 406, 204 ])
    {
        my ($path, $sdp, $status, $get) = @$row;

        is($t->post_offer("$path?n=1", $sdp)->{status}, 403,
           "$path without the token");

        my $r = $t->post_offer("$path?n=1&token=abc", $sdp);
        my $url = $r->{headers}{location} // '';

        is($r->{status}, $status, "$path with it") or diag($r->{content});
        like($url, qr{^\Q$path\E\?n=1&token=abc&session=$id$}, 'Location');

        is($t->http('OPTIONS', $url)->{status}, 200, 'OPTIONS');
        is($t->http('GET', $url)->{status}, $get, 'GET');

        if ($status == 201) {
            my ($m) = $sdp =~ /^m=(.*?)\r$/m;
            my $p = $t->http('PATCH', $url, headers => \%frag,
                             body => sprintf $trickle, $m);
            is($p->{status}, 204, 'PATCH') or diag($p->{content});
        }

        if ($path =~ /whep|full/) {
            my ($link) = map { m{^<([^>]+)>; rel="urn:.*server-sent} }
                         links($r);

            is($link // '', "$url&events", 'Link');

            my $e = $t->http('POST', $link, headers => \%json,
                             body => '["active"]');
            is($e->{status}, 201, 'an order of events');
            like($e->{headers}{location} // '',
                 qr{^\Q$url\E&events=[0-9a-f]{8}$}, 'and its Location');
            is($t->http('DELETE', $e->{headers}{location})->{status}, 200,
               'DELETE of the order');
            like(stream($link, qr/event: active/), qr/event: active/,
                 'events');
        }

        is($t->http('DELETE', $url)->{status}, 200, 'DELETE');
    }
};


subtest 'signalling by events' => sub {
    my $r = $t->http('POST', '/files/a.bin?signal&token=abc',
                     headers => \%json, body => signal($data));
    my $url = $r->{headers}{location} // '';

    is($r->{status}, 201, 'POST') or diag($r->{content});
    like($url, qr{^/files/a\.bin\?token=abc&session=$id$}, 'Location');
    like(stream($url, qr/candidate-end/), qr/candidate-end/, 'events');
    is($t->http('POST', $url, headers => \%json,
                body => '{"type":"bye","payload":""}')->{status}, 200, 'bye');
};


subtest 'reconnect leads to the endpoint' => sub {
    my $r = $t->post_offer('/open/a?token=abc&x', offer());
    my $url = $r->{headers}{location};
    my $buf = stream("$url&events", qr/event: reconnect\n.*\n\n/s, sub {
        $t->http('POST', '/control?reconnect=bars');
    });

    like($buf, qr/^data: \{"url":"\/open\/a\?token=abc&x"\}/m, 'with its query');
    $t->http('DELETE', $url);
};


# what clients ask with, and what they are told

my $long = 'x=' . 'y' x 6000;

for my $row (
    [ '?',                       '?' ],
    [ '?&&',                     '?' ],
    [ '?a',                      '?a&' ],
    [ '?a=',                     '?a=&' ],
    [ '?&a=1&&b=2&',             '?a=1&b=2&' ],
    [ '?sessions=1',             '?sessions=1&' ],
    [ '?xsession=1',             '?xsession=1&' ],
    [ '?Session=1',              '?Session=1&' ],
    [ '?events=1&a',             '?a&' ],
    [ '?signal=1&events&a&b',    '?a&b&' ],
    [ '?a=b?c=d',                '?a=b?c=d&' ],
    [ '?a=/../%2e%2E/b',         '?a=/../%2e%2E/b&' ],
    [ '?a=%0d%0aX-Evil:%201',    '?a=%0d%0aX-Evil:%201&' ],
    [ '?a=%00%ff%zz%',           '?a=%00%ff%zz%&' ],
    [ '?a="<b>\\',               '?a=%22%3Cb%3E%5C&' ],
    [ "?a=\xc3\xa4",             '?a=%C3%A4&' ],
    [ '?a=1,2;3',                '?a=1,2;3&' ],
    [ '?a#frag?b',               '?a&' ],
    [ "?$long",                  "?$long&" ])
{
    my ($query, $want) = @$row;
    my $name = length $query > 40 ? 'a long query' : $query;
    $name =~ s/[^ -~]/./g;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) or die;

    print $s "POST /open/a$query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             . "Content-Type: application/sdp\r\nContent-Length: "
             . length(offer()) . "\r\n\r\n" . offer();

    my $buf = do { local $/; readline $s } // '';

    like($buf, qr{^HTTP/1.1 201 }, $name);

    my ($url) = $buf =~ /^Location: (.*)\r$/m;

    like($url // '', qr{^/open/a\Q$want\Esession=$id$}, 'Location');
    like($buf, qr{^Link: <\Q$url\E&events>; rel="urn}m, 'Link');
    unlike($buf, qr/^X-Evil/m, 'no header of theirs');

    is($t->http('DELETE', $url)->{status}, 200, 'DELETE');
}

# such a URL is one of a session

is($t->post_offer("/open/a?$_", offer())->{status}, $_ eq 'x' ? 201 : 405,
   "POST ?$_") for 'x';

is($t->post_offer("/open/a?$_", offer())->{status}, 404, "POST ?$_")
    for 'session', 'session=&x', 'session=old&token=x';


subtest 'an order of events replaces what is there' => sub {
    my $url = $t->post_offer('/open/a?token=x', offer())->{headers}{location};
    my ($session) = $url =~ /(session=\w+)/;

    for my $query ("$session&token=x&events", "events&token=x&$session",
                   "token=x&$session&events&events=00000000")
    {
        my $e = $t->http('POST', "/open/a?$query", headers => \%json,
                         body => '["active"]');

        is($e->{status}, 201, $query);
        like($e->{headers}{location} // '',
             qr{^/open/a\?token=x&$session&events=[0-9a-f]{8}$}, 'Location');
        is($t->http('DELETE', $e->{headers}{location})->{status}, 200,
           'DELETE');
    }

    $t->http('DELETE', $url);
};


subtest 'webrtc_public_path' => sub {
    my $public = 'http://127.0.0.1:' . $t->port('public');

    for my $row ([ '/whep?a', '/media/whep?a&' ],
                 [ '/whep?a?b', '/media/whep?a?b&' ],
                 [ '/off/x?a', '/off/x?a&' ],
                 [ '/host?a', 'https://media.example.com/a?a&' ],
                 [ '/some?a', 'http://127.0.0.1:8443/b/some?a&' ],
                 [ '/uri/a%20%0d%0a%3cb%3e?a', '/p/uri/a%20%0D%0A%3Cb%3E?a&' ],
                 [ '/var?a', '/var?a&', '' ],
                 [ '/var?a', '/x?a&', '/x' ],
                 [ '/var?a', '/x?a&', 'x?y' ],
                 [ '/var?a', '/evil.example/x?a&', '//evil.example/x' ],
                 [ '/var?a', '/x?a&', 'https://evil.example/x' ],
                 [ '/var?a', '/var?a&', 'HTTPS://evil.example' ],
                 [ '/var?a', '/a%3E;b?a&', '/a>;b' ])
    {
        my ($path, $want, $header) = @$row;

        my $r = $t->http('POST', "$public$path", body => offer(), headers => {
            'Content-Type' => 'application/sdp',
            defined $header ? ('X-Public' => $header) : () });

        is($r->{status}, 201, $path . (defined $header ? ", $header" : ''))
            or diag($r->{content});
        like($r->{headers}{location} // '', qr{^\Q$want\Esession=$id$},
             'Location');

        my ($link) = map { m{^<([^>]+)&events>; rel="urn} } links($r);
        is($link, $r->{headers}{location}, 'Link');
    }

    # through a proxy that takes a prefix off

    my $base = 'http://127.0.0.1:' . $t->port('proxy');
    my $r = $t->post_offer("$base/media/proxied/x?token=1", offer());
    my $url = $r->{headers}{location} // '';

    like($url, qr{^/media/proxied/x\?token=1&session=$id$}, 'Location');
    is($t->http('DELETE', "$base$url")->{status}, 200, 'works there');

    # a value that is wrong

    for my $value ('media', '""', '/a?b', '"/a#b"', 'ftp://x/', '?x') {
        my ($ok, $said) = $t->test_config(http => "webrtc_public_path $value;");
        ok(!$ok, "refused: $value");
        like($said, qr/\[emerg\].*webrtc_public_path, expected "off"/,
             'and says so');
    }

    my ($ok, $said) = $t->test_config(
        http => "webrtc_public_path /a;\nwebrtc_public_path /b;");
    like($said, qr/"webrtc_public_path" directive is duplicate/, 'twice');
};


$t->done;
