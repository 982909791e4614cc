#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Session URLs work wherever the client got them: prefix, regex, nested, named
# and rewritten locations, behind a proxying nginx, over TLS and HTTP/2.
# protocols.md, section 1.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 2);

my $made = system('openssl req -x509 -newkey ec -pkeyopt '
                  . 'ec_paramgen_curve:prime256v1 -nodes -days 2 '
                  . "-subj /CN=localhost -keyout '" . $t->dir . "/key.pem' "
                  . "-out '" . $t->dir . "/cert.pem' >/dev/null 2>&1");
is($made, 0, 'a certificate');

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_handshake_timeout  60s;
webrtc_pull               file:%%MEDIA%%/bars.ts loop;
webrtc_ice_server         stun:stun.example.net;

server {
    listen               127.0.0.1:%%PORT_tls%% ssl http2;
    ssl_certificate      %%DIR%%/cert.pem;
    ssl_certificate_key  %%DIR%%/key.pem;
    location /tls/ { webrtc_play  bars; }
}
server {
    listen 127.0.0.1:%%PORT_proxy%%;
    location / {
        proxy_pass          http://127.0.0.1:%%PORT_http%%;
        proxy_http_version  1.1;
        proxy_set_header    Host $http_host;
    }
    location /outer/ { proxy_pass http://127.0.0.1:%%PORT_http%%/prefix/; }
}
EOF
location /prefix/ { webrtc_play  bars; }
location = /exact { webrtc_play  bars; }
location ~ ^/regex/(\w+)$ { webrtc_play  bars; }
location /nested/ {
    location ~ \.whep$ { webrtc_play  bars; }
}
location /rewritten/ { rewrite ^ /prefix/x last; }
location /args/ { rewrite ^ /prefix/x?fixed=1 last; }
location /break/ {
    rewrite ^ /elsewhere break;
    webrtc_play  bars;
}
location /named/ { try_files /no-such-file @named; }
location @named { webrtc_play  bars; }
location /errors/ { error_page 418 = @named; return 418; }
EOF

my $frag = "a=ice-ufrag:tEsT\r\na=ice-pwd:a-password-of-24-letters\r\n";


# the life of a session by its Location

sub life {
    my ($base, $path, $want) = @_;

    my $r = $t->post_offer("$base$path", offer());
    is($r->{status}, 201, "POST $path") or return diag($r->{content});

    my $url = $r->{headers}{location} // '';
    like($url, qr/^\Q$want\E[?&]session=[0-9a-f]{32}$/, "Location of $path");

    my ($events) = grep { /server-sent/ } map { ref $_ ? @$_ : split /,\s+(?=<)/ }
                   $r->{headers}{link} // '';
    like($events // '', qr/^<\Q$url\E&events>/, 'Link');

    $url = $base . $url;

    is($t->http('OPTIONS', $url)->{status}, 200, 'OPTIONS');
    is($t->http('GET', $url)->{status}, 204, 'GET');
    is($t->http('PATCH', $url, body => $frag, headers =>
                { 'Content-Type' => 'application/trickle-ice-sdpfrag' })
       ->{status}, 204, 'PATCH');
    is($t->http('HEAD', "$url&events")->{status}, 200, 'events');
    is($t->http('DELETE', $url)->{status}, 200, 'DELETE');
    is($t->http('GET', $url)->{status}, 404, 'gone');
}


my $here = $t->url('');

for my $path ('/prefix/', '/prefix/a/b', '/exact', '/regex/cam1',
              '/nested/cam.whep', '/rewritten/cam', '/args/cam', '/break/cam',
              '/named/cam', '/errors/cam')
{
    subtest $path => sub { life($here, $path, $path) };
}

subtest 'arguments are carried along' => sub {
    life($here, '/prefix/cam?token=secret', '/prefix/cam?token=secret');
    life($here, '/args/cam?token=secret', '/args/cam?token=secret');
};

subtest 'a path that would leave the Link, or the host' => sub {
    life($here, '/prefix/a>b%22%3c', '/prefix/a%3Eb%22%3c');

    my $r = $t->post_offer($here . '//prefix//x', offer());
    is($r->{status}, 201, 'POST //prefix//x');
    like($r->{headers}{location}, qr{^/prefix//x\?session=},
         'no host in the Location');
};

my $proxy = 'http://127.0.0.1:' . $t->port('proxy');

for my $path ('/prefix/cam', '/regex/cam1', '/named/cam') {
    subtest "behind a proxy: $path" => sub { life($proxy, $path, $path) };
}

subtest 'behind a proxy that renames' => sub {
    my $r = $t->post_offer("$proxy/outer/cam", offer());
    is($r->{status}, 201, 'POST');

    # proxy_redirect changes absolute URLs only: the path is the inner one,
    # which is why protocols.md wants locations of equal names

    like($r->{headers}{location}, qr{^/(?:prefix|outer)/cam\?session=},
         'Location');
};


# TLS and HTTP/2, with curl

sub curl {
    my (@args) = @_;

    my $out = '';
    open my $fh, '-|', 'curl', '-s', '-k', '-i', '--max-time', '20', @args
        or return {};
    $out .= $_ while <$fh>;
    close $fh;

    my ($status) = $out =~ m{^HTTP/\S+ (\d+)};
    my ($proto) = $out =~ m{^HTTP/(\S+)};
    my ($location) = $out =~ /^location: (\S+)/mi;

    return { status => $status, location => $location, out => $out,
             proto => $proto };
}

my $tls = 'https://127.0.0.1:' . $t->port('tls');

$t->write_file('offer.sdp', offer());
$t->write_file('frag', $frag);

for my $version ('--http1.1', '--http2') {
    subtest "TLS $version" => sub {
        my @sdp = ('-H', 'Content-Type: application/sdp', '--data-binary',
                   '@' . $t->dir . '/offer.sdp');
        my $r = curl($version, @sdp, "$tls/tls/cam");
        is($r->{status}, 201, 'POST') or diag($r->{out});
        is($r->{proto}, $version eq '--http2' ? '2' : '1.1', 'protocol');
        like($r->{location} // '', qr{^/tls/cam\?session=\w{32}$}, 'Location');

        my $url = $tls . ($r->{location} // '');

        is(curl($version, '-X', 'OPTIONS', $url)->{status}, 200, 'OPTIONS');
        is(curl($version, $url)->{status}, 204, 'GET');
        is(curl($version, '-X', 'PATCH', '-H',
                'Content-Type: application/trickle-ice-sdpfrag',
                '--data-binary', '@' . $t->dir . '/frag', $url)->{status}, 204,
           'PATCH');
        is(curl($version, '-X', 'PUT', $url)->{status}, 405, 'PUT');

        # events until curl's time is over

        my $e = curl($version, '--max-time', '1.5', "$url&events");
        is($e->{status}, 200, 'events');
        like($e->{out}, qr/^event: active$/m, 'active');
        like($e->{out}, qr/^data: \{"viewercount":0\}$/m, 'viewercount');

        is(curl($version, '-X', 'DELETE', $url)->{status}, 200, 'DELETE');
        is(curl($version, $url)->{status}, 404, 'gone');
    };
}

$t->done;
