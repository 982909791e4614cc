#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# WHEP over HTTP: OPTIONS, GET, HEAD and POST of an endpoint, and what an
# unknown session answers.  RFC 9725, draft-ietf-wish-whep-03.  What needs a
# session's URL is in whep_session.t.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC;
use NgxWebRTC::Offer;

our $sdp = "Content-Type: application/sdp\n";

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
    $ENV{TEST_NGINX_MEDIA} ||= "$NgxWebRTC::BUILD/media";
}

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->http_config) {
        $block->set_value(http_config =>
            'webrtc_listen 127.0.0.1:$TEST_NGINX_UDP_PORT;'
            . ' webrtc_transcode off;');
    }

    if (!defined $block->config) {
        $block->set_value(config => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:$TEST_NGINX_MEDIA/$name.ts loop;
}
location = /nobody {
    webrtc_play  nobody;
    webrtc_wait  200ms;
}
location /moved/ {
    rewrite  ^/moved/(\w+)$ /whep/$1 last;
}
location /any/ {
    webrtc_play  any;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
location ~ ^/file/(?<path>.+)$ {
    webrtc_play  file_$path;
    webrtc_pull  file:$TEST_NGINX_MEDIA/$path.ts loop;
    webrtc_wait  200ms;
}
location = /small {
    webrtc_play     bars;
    webrtc_pull     file:$TEST_NGINX_MEDIA/bars.ts loop;
    webrtc_max_sdp  1k;
}
EOF
    }

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => '[error]');
    }
});

run_tests();

__DATA__

=== OPTIONS on an endpoint
--- request
OPTIONS /whep/bars
--- response_headers
Accept-Post: application/sdp
!Access-Control-Allow-Origin
--- raw_response_headers_like eval
qr/Access-Control-Allow-Methods: .*\bPOST\b/



=== GET on an endpoint by a browser: a page, whatever the stream is
--- request eval
[map { "GET /whep/bars?x" } 1 .. 6]
--- more_headers eval
[map { "Accept: $_" }
 "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
 "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
 "text/html", "*/*, text/html", " TEXT/HTML ; charset=utf-8 ; Q=1.0 , a/b;q=0",
 "application/sdp;q=0.5, text/html;q=0.501"]
--- response_headers eval
[("Content-Type: text/html; charset=utf-8
Vary: Accept
Cache-Control: no-cache
X-Content-Type-Options: nosniff") x 6]
--- response_body_like eval
[map { qr{^<!doctype html>.*class WhepPlayer.*new WhepPlayer\(location.*</html>$}s } 1 .. 6]



=== GET on an endpoint by whoever is no browser: as ever
--- request eval
[map { "GET /whep/bars" } 1 .. 14]
--- more_headers eval
["", map { "Accept: $_" } "*/*", "application/sdp", "text/event-stream",
 "application/sdp, text/html", "text/html;q=0", "text/html;q=0.9, */*",
 "text/html;q=x", "text/htmlx", "text/*", ",;,", "text/html;q=",
 "text/html;q=0.8, application/sdp;q=0.8", "application/json;q=1, text/html;q=0.999"]
--- error_code eval
[(204) x 14]
--- response_headers eval
[("Vary: Accept") x 14]
--- response_body eval
[("") x 14]



=== webrtc_player off, a session, HEAD, WHIP: no page
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_player  off;
--- config
location /off { webrtc_play bars; webrtc_pull file:$TEST_NGINX_MEDIA/bars.ts; }
location /on  { webrtc_play bars; webrtc_pull file:$TEST_NGINX_MEDIA/bars.ts;
                webrtc_player on; }
location /whip { webrtc_publish x; webrtc_player on; }
--- request eval
["GET /off", "GET /on", "HEAD /on", "GET /on?session=x", "GET /whip"]
--- more_headers
Accept: text/html
--- error_code eval
[204, 200, 200, 404, 204]
--- response_headers eval
["!Vary", "Content-Type: text/html; charset=utf-8",
 "Content-Type: application/sdp", "Content-Type: application/problem+json",
 "!Vary"]



=== GET on an endpoint: 2xx without body
--- request
GET /whep/bars
--- error_code: 204
--- response_body eval
""



=== HEAD on an endpoint
--- request
HEAD /whep/bars
--- response_headers
Content-Type: application/sdp



=== POST offer: 201, answer, Location, ETag
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 201
--- response_headers
Content-Type: application/sdp
!Access-Control-Allow-Origin
--- response_headers_like
Location: /whep/bars\?session=[0-9a-f]{32}
ETag: "[^"]+"
--- response_body_like eval
qr/\Av=0\r\n.*a=group:BUNDLE 0 1\r\n/s



=== the answer: ICE-lite, sendonly, rtcp-mux, all candidates
--- request eval
["POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer(),
 "POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer(),
 "POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201, 201, 201, 201]
--- response_body_like eval
[qr/^a=ice-lite\r$/m, qr/^a=sendonly\r$/m, qr/^a=rtcp-mux\r$/m,
 qr/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 $ENV{TEST_NGINX_UDP_PORT} typ host/mi,
 qr/^a=end-of-candidates\r$/m, qr/^a=fingerprint:sha-256 [0-9A-F:]{95}\r$/m]
--- response_body_unlike eval
[map { qr/^a=(?:recvonly|sendrecv|inactive)\r$/m } 1 .. 6]



=== the answer: H264 and Opus as offered, the rest not
--- request eval
["POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]
--- response_body_like eval
[qr{^m=video \d+ UDP/TLS/RTP/SAVPF 102\r\n.*^a=rtpmap:102 H264/90000\r\n}ms,
 qr{^m=audio \d+ UDP/TLS/RTP/SAVPF 111\r\n.*^a=rtpmap:111 opus/48000/2\r$}ms]
--- response_body_unlike eval
[qr/VP8/, qr/VP8/]



=== DTLS role: actpass and active make us passive
--- request eval
["POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer(setup => 'active')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]
--- response_body_like eval
[qr/^a=setup:passive\r$/m, qr/^a=setup:passive\r$/m]



=== DTLS role: passive makes us active
--- request eval
"POST /whep/bars\n" . ::offer(setup => 'passive')
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_like eval
qr/^a=setup:active\r$/m



=== POST, sendrecv is answered sendonly
--- request eval
"POST /whep/bars\n" . ::offer(direction => 'sendrecv')
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_like eval
qr/^a=sendonly\r$/m



=== POST, parameters of the content type are fine
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers
Content-Type: Application/SDP; charset=utf-8
--- error_code: 201



=== POST, another content type
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers
Content-Type: application/sdpx
--- error_code: 415
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "title"



=== POST, no content type
--- request eval
"POST /whep/bars\n" . ::offer()
--- error_code: 415



=== POST, not SDP
--- request
POST /whep/bars
{"type":"offer"}
--- more_headers eval
$::sdp
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "title"



=== POST, an empty body
--- request
POST /whep/bars
--- more_headers eval
$::sdp
--- error_code: 400



=== POST, SDP without what WebRTC needs
--- request eval
["POST /whep/bars\n" . ::offer(without => qr/^a=ice-ufrag/),
 "POST /whep/bars\n" . ::offer(without => qr/^a=ice-pwd/),
 "POST /whep/bars\n" . ::offer(without => qr/^a=fingerprint/),
 "POST /whep/bars\n" . ::offer(mux => 0),
 "POST /whep/bars\n" . ::offer(bundle => 0)]
--- more_headers eval
$::sdp
--- error_code eval
[400, 400, 400, 400, 400]
--- response_headers eval
[map { "Content-Type: application/problem+json" } 1 .. 5]
--- response_body_like eval
[qr/ufrag|credential/i, qr/pwd|credential/i, qr/fingerprint/i,
 qr/rtcp-mux/i, qr/bundle/i]



=== POST, bytes that are no text
--- request eval
["POST /whep/bars\n" . CORE::join('', map { chr($_ % 256) } 1 .. 3000),
 "POST /whep/bars\nv=0\r\n" . "a=x\r\n" x 5000,
 "POST /whep/bars\nv=0\r\nm=" . 'x' x 3000,
 "POST /whep/bars\nv=0\r\n" . "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" x 500]
--- more_headers eval
$::sdp
--- error_code eval
[400, 406, 400, 400]



=== POST, a body over webrtc_max_sdp
--- request eval
"POST /small\n" . ::offer() . 'a=' . 'x' x 1000 . "\r\n"
--- more_headers eval
$::sdp
--- error_code: 413
--- response_headers
Content-Type: application/problem+json



=== POST, a body over the default
--- request eval
"POST /whep/bars\nv=0\r\n" . 'x' x 70000
--- more_headers eval
$::sdp
--- error_code: 413



=== POST, a chunked body
--- raw_request eval
my $o = ::offer();
"POST /whep/bars HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Content-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n"
. CORE::join('', map { sprintf("%x\r\n%s\r\n", length $_, $_) }
                 $o =~ /.{1,100}/gs) . "0\r\n\r\n"
--- error_code: 201



=== POST, no codec in common: the problem names it
--- request eval
"POST /whep/bars\n" . ::offer(video => ['VP8'])
--- more_headers eval
$::sdp
--- error_code: 406
--- response_headers
Content-Type: application/problem+json
--- response_body_like: H264



=== POST, a wrong direction
--- request eval
"POST /whep/bars\n" . ::offer(direction => 'sendonly')
--- more_headers eval
$::sdp
--- error_code: 406
--- response_headers
Content-Type: application/problem+json



=== POST, two tracks of one kind
--- request eval
"POST /whep/bars\n" . ::offer(video => [['H264'], ['H264']])
--- more_headers eval
$::sdp
--- error_code: 406



=== POST, video only and audio only of a stream with both
--- request eval
["POST /whep/bars\n" . ::offer(audio => []),
 "POST /whep/bars\n" . ::offer(video => [])]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]
--- response_body_unlike eval
[qr/^m=audio/m, qr/^m=video/m]



=== POST, audio of a stream without: its m-line stays, without media
--- request eval
"POST /whep/video\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_like eval
qr/^m=audio (?:0 |.*^a=inactive\r$)/ms



=== POST, a DataChannel beside the media is refused in place
--- request eval
"POST /whep/bars\n" . ::offer(application => 1)
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_like eval
qr/^a=group:BUNDLE 0 1\r\n.*^m=application 0 /ms



=== POST, nothing live and the wait is over
--- request eval
"POST /nobody\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 409
--- response_headers
Content-Type: application/problem+json
--- response_headers_like
Retry-After: \d+



=== Location is built from the path that the client asked for
--- request eval
["POST /moved/bars\n" . ::offer(), "POST /any/thing/else\n" . ::offer(),
 "POST /whep/bars?token=x&y=1\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201]
--- response_headers_like eval
["Location: /moved/bars\\?session=[0-9a-f]{32}",
 "Location: /any/thing/else\\?session=[0-9a-f]{32}",
 "Location: /whep/bars\\?.*session=[0-9a-f]{32}.*"]



=== a variable leads out of no directory
--- request eval
["POST /file/../../../../etc/passwd\n" . ::offer(),
 "POST /file/%2e%2e/media/bars\n" . ::offer(),
 "POST /file/x/..%2f../media/bars\n" . ::offer(),
 "POST /file/concat:bars\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code_like eval
[400, 404, 404, qr/^(?:404|409)$/]
--- no_error_log
[alert]



=== an unknown session
--- request eval
[map { "$_ /whep/bars?session=0123456789abcdef0123456789abcdef" }
     qw/ GET DELETE HEAD /]
--- error_code eval
[404, 404, 404]



=== a session that is no id
--- request eval
[map { "DELETE /whep/bars?session=$_" } '0', 'x' x 32, '0' x 64, '%00', '']
--- error_code_like eval
[404, 404, 404, 404, qr/^(?:404|405)$/]



=== other methods on an endpoint
--- request eval
["PUT /whep/bars\n", "DELETE /whep/bars", "PATCH /whep/bars\n"]
--- error_code eval
[405, 405, 405]
--- response_headers_like eval
[map { "Allow: .*\\bPOST\\b.*" } 1 .. 3]



=== CORS: preflight
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_cors_origin  https://player.example;
--- request
OPTIONS /whep/bars
--- more_headers
Origin: https://player.example
Access-Control-Request-Method: POST
Access-Control-Request-Headers: content-type
--- response_headers
Access-Control-Allow-Origin: https://player.example
--- raw_response_headers_like eval
qr/(?=.*^Access-Control-Allow-Headers:[^\r]*\bAuthorization\b)(?=.*^Access-Control-Allow-Headers:[^\r]*\bContent-Type\b)(?=.*^Access-Control-Allow-Headers:[^\r]*\bIf-Match\b)/msi
--- raw_response_headers_unlike: ^Link:



=== CORS: answers and errors carry the origin and expose the headers
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_cors_origin  *;
--- request eval
["POST /whep/bars\n" . ::offer(), "POST /whep/bars\nx",
 "DELETE /whep/bars?session=0123456789abcdef0123456789abcdef",
 "PUT /whep/bars\n"]
--- more_headers eval
$::sdp
--- error_code eval
[201, 400, 404, 405]
--- response_headers eval
[map { "Access-Control-Allow-Origin: *" } 1 .. 4]
--- raw_response_headers_like eval
[map { qr/^Access-Control-Expose-Headers:[^\r]*\bLocation\b/mi } 1 .. 4]



=== CORS: switched off in a location
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_cors_origin  *;
--- config
location = /whep/bars {
    webrtc_play         bars;
    webrtc_pull         file:$TEST_NGINX_MEDIA/bars.ts loop;
    webrtc_cors_origin  "";
}
--- request
OPTIONS /whep/bars
--- response_headers
!Access-Control-Allow-Origin



=== POST, a body over client_max_body_size
--- config
location = /nginx_small {
    client_max_body_size  1k;
    webrtc_play           bars;
    webrtc_pull           file:$TEST_NGINX_MEDIA/bars.ts loop;
}
--- request eval
"POST /nginx_small\n" . ::offer() . 'a=' . 'x' x 1000 . "\r\n"
--- more_headers eval
$::sdp
--- error_code: 413
--- no_error_log
[alert]



=== a zone without room refuses the newcomer with 503
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_zone    small 1m;
webrtc_buffer  8m;
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 503
--- response_headers_like
Retry-After: \d+
--- error_log
[error]
--- no_error_log
[alert]
