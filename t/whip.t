#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# WHIP over HTTP: the endpoint's methods, what offers are answered with.
# RFC 9725, 4.2.  Sessions are in patch.t and workers.t.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC::Offer;

our $sdp = "Content-Type: application/sdp\n";

sub send_only { return offer(direction => 'sendonly', @_) }

# names that no block has used

sub n { return 'n' . ++$main::n }

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->http_config) {
        $block->set_value(http_config =>
            'webrtc_listen 127.0.0.1:$TEST_NGINX_UDP_PORT;');
    }

    if (!defined $block->config) {
        $block->set_value(config => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/codecs/(?<name>\w+)$ {
    webrtc_publish  $name;
    webrtc_codecs   VP8 opus;
}
location = /small {
    webrtc_publish  small;
    webrtc_max_sdp  1k;
}
location = /replace {
    webrtc_publish           same;
    webrtc_publish_conflict  replace;
}
location = /reject {
    webrtc_publish  same;
}
location = /long {
    webrtc_publish  $arg_name;
}
EOF
    }

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => '[error]');
    }
});

run_tests();

__DATA__

=== RFC 9725, 4.2: OPTIONS on an endpoint
--- request
OPTIONS /whip/a
--- response_headers
Accept-Post: application/sdp
Accept-Patch: application/trickle-ice-sdpfrag
Access-Control-Allow-Methods: OPTIONS, GET, HEAD, POST
Allow: OPTIONS, GET, HEAD, POST



=== GET on an endpoint: 2xx without body
--- request
GET /whip/a
--- error_code: 204
--- response_body eval
""



=== RFC 9725, 4.2: POST offer: 201, answer, Location, ETag, no event link
--- request eval
"POST /whip/" . ::n() . "\n" . ::send_only()
--- more_headers eval
$::sdp
--- error_code: 201
--- response_headers
Content-Type: application/sdp
Cache-Control: no-store
!Link
--- response_headers_like
Location: /whip/n\d+\?session=[0-9a-f]{32}
ETag: "[^"]+"
--- response_body_like eval
qr/\Av=0\r\n.*^a=end-of-candidates\r\n.*^a=recvonly\r$/ms



=== the answer: ICE-lite, recvonly, BUNDLE, rtcp-mux, all candidates
--- request eval
[map { "POST /whip/" . ::n() . "\n" . ::send_only() } 1 .. 5]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201, 201, 201]
--- response_body_like eval
[qr/^a=ice-lite\r$/m, qr/^a=group:BUNDLE 0 1\r$/m, qr/^a=rtcp-mux\r$/m,
 qr/^a=end-of-candidates\r$/m,
 qr/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 $ENV{TEST_NGINX_UDP_PORT} typ host/mi]
--- response_body_unlike eval
[map { qr/^a=(?:sendonly|sendrecv|inactive)\r$/m } 1 .. 5]



=== DTLS role: offer passive makes us the client
--- request eval
["POST /whip/" . ::n() . "\n" . ::send_only(setup => 'passive'),
 "POST /whip/" . ::n() . "\n" . ::send_only(setup => 'active'),
 "POST /whip/" . ::n() . "\n" . ::send_only(setup => 'actpass')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201]
--- response_body_like eval
[qr/^a=setup:active\r$/m, qr/^a=setup:passive\r$/m, qr/^a=setup:passive\r$/m]



=== POST with another content type, with parameters
--- request eval
[map { "POST /whip/" . ::n() . "\n" . ::send_only() } 1 .. 3]
--- more_headers eval
["Content-Type: text/plain", "Content-Type: application/sdp; charset=utf-8", ""]
--- error_code eval
[415, 201, 415]



=== POST, no SDP or without what WebRTC needs
--- request eval
["POST /whip/" . ::n() . "\nhello", "POST /whip/" . ::n() . "\n",
 "POST /whip/" . ::n() . "\n" . ::send_only(without => qr/^a=ice-ufrag/),
 "POST /whip/" . ::n() . "\n" . ::send_only(without => qr/^a=fingerprint/),
 "POST /whip/" . ::n() . "\n" . ::send_only(mux => 0),
 "POST /whip/" . ::n() . "\n" . ::send_only(bundle => 0)]
--- more_headers eval
$::sdp
--- error_code eval
[400, 400, 400, 400, 400, 400]
--- response_headers eval
[map { "Content-Type: application/problem+json" } 1 .. 6]
--- response_body_like eval
[map { qr/"title":"[^"]+"/ } 1 .. 6]



=== POST, a body over the limit
--- request eval
"POST /small\n" . ::send_only() . 'a=' . 'x' x 1000 . "\r\n"
--- more_headers eval
$::sdp
--- error_code: 413



=== POST, a wrong direction
--- request eval
["POST /whip/" . ::n() . "\n" . ::offer(), "POST /whip/" . ::n() . "\n" . ::offer(direction => 'inactive')]
--- more_headers eval
$::sdp
--- error_code eval
[422, 422]
--- response_headers eval
[map { "Content-Type: application/problem+json" } 1 .. 2]



=== POST, two tracks of one kind
--- request eval
"POST /whip/" . ::n() . "\n" . ::send_only(video => [['H264'], ['H264']])
--- more_headers eval
$::sdp
--- error_code: 422



=== RFC 3264, 6.1: every codec of the offer that is taken, in its order
--- request eval
["POST /whip/" . ::n() . "\n" . ::send_only(video => ['VP8', 'H264', 'AV1', 'VP9'], audio => ['PCMU', 'opus', 'G722']),
 "POST /whip/" . ::n() . "\n" . ::send_only(video => ['H264', 'VP8'], audio => [])]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]
--- response_body_like eval
[qr/^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 102 45 98\r\n(?:.*\r\n)*m=audio 9 UDP\/TLS\/RTP\/SAVPF 0 111 9\r$/m,
 qr/^m=video 9 UDP\/TLS\/RTP\/SAVPF 102 96\r$/m]



=== webrtc_codecs: the publisher's first allowed one per kind
--- request eval
["POST /codecs/" . ::n() . "\n" . ::send_only(video => ['H264', 'VP8']),
 "POST /codecs/" . ::n() . "\n" . ::send_only(video => ['H264']),
 "POST /codecs/" . ::n() . "\n" . ::send_only(video => ['VP9', 'VP8'], audio => [])]
--- more_headers eval
$::sdp
--- error_code eval
[201, 422, 201]
--- response_body_like eval
[qr/^a=rtpmap:96 VP8/m, qr/H264/, qr/^a=rtpmap:96 VP8/m]



=== POST, the name is taken: 409
--- request eval
["POST /reject\n" . ::send_only(), "POST /reject\n" . ::send_only()]
--- more_headers eval
$::sdp
--- error_code eval
[201, 409]
--- response_body_like eval
[qr/^v=0/, qr/already published.*same/]



=== POST, no name or one that is too long
--- request eval
["POST /long\n" . ::send_only(),
 "POST /long?name=" . ::n() . 'x' x 120 . "\n" . ::send_only(),
 "POST /long?name=" . 'x' x 128 . "\n" . ::send_only()]
--- more_headers eval
$::sdp
--- error_code eval
[404, 201, 404]



=== other methods: 405 with Allow
--- request eval
["PUT /whip/a\n", "DELETE /whip/a", "PATCH /whip/a\n"]
--- error_code eval
[405, 405, 405]
--- response_headers eval
[map { "Allow: OPTIONS, GET, HEAD, POST" } 1 .. 3]



=== unknown sessions: 404, whatever the method
--- request eval
[map { "$_ /whip/a?session=0123456789abcdef0123456789abcdef" }
 qw/ OPTIONS GET HEAD DELETE PATCH POST PUT /]
--- error_code eval
[map { 404 } 1 .. 7]



=== conditional headers of caches do not matter
--- request eval
["OPTIONS /whip/a", "HEAD /whip/a"]
--- more_headers
If-Match: "x"
If-None-Match: *
If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT
--- error_code eval
[200, 200]
