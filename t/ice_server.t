#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_ice_server: STUN and TURN servers as Link headers, RFC 9725, 4.6; and
# TURN credentials from a shared secret.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC::Offer;
use JSON::PP ();

our $sdp = "Content-Type: application/sdp\n";

our $json = "Content-Type: application/json\n";

our $data = offer(video => [], audio => [], application => 1);

our $signal = JSON::PP::encode_json({ type => 'offer', payload =>
    JSON::PP::encode_json({ type => 'offer', sdp => $data }) });

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->http_config) {
        $block->set_value(http_config => <<'EOF');
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_transcode  off;
webrtc_ice_server  stun:stun.example.net;
webrtc_ice_server  turn:turn.example.net?transport=udp username=user credential=myPassword;
EOF
    }

    if (!defined $block->config) {
        $block->set_value(config => <<'EOF');
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
location /own {
    webrtc_play        bars;
    webrtc_pull        file:$TEST_NGINX_MEDIA/bars.ts loop;
    webrtc_ice_server  stuns:own.example.net:5349;
}
location /none {
    webrtc_play        bars;
    webrtc_pull        file:$TEST_NGINX_MEDIA/bars.ts loop;
    webrtc_ice_server  off;
}
location /whip {
    webrtc_publish  mine;
}
EOF
    }
});

run_tests();

__DATA__

=== RFC 9725, 4.6: a Link per server in the 201
--- request eval
["POST /whep\n" . ::offer(), "POST /whip\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]
--- raw_response_headers_like eval
[map { qr{^Link: <stun:stun\.example\.net>; rel="ice-server"\r\nLink: <turn:turn\.example\.net\?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"\r$}m } 1, 2]



=== RFC 9725, 4.6: and whatever else makes a session
--- config
location /lite/ {
    alias        html/;
    webrtc_file  on;
}
location /full/ {
    alias              html/;
    webrtc_file        on;
    webrtc_ice         full;
    webrtc_ice_server  stun:127.0.0.1;
}
location /counter {
    webrtc_play           bars;
    webrtc_pull           file:$TEST_NGINX_MEDIA/bars.ts loop;
    webrtc_counter_offer  on;
}
--- user_files
>>> a.bin
0123456789
--- request eval
["POST /lite/a.bin\n" . $::data, "POST /lite/a.bin?signal\n" . $::signal,
 "POST /full/a.bin\n" . $::data, "POST /full/a.bin?signal\n" . $::signal,
 "POST /counter\n" . ::offer(video => [ 'VP8' ]), "OPTIONS /lite/a.bin"]
--- more_headers eval
[$::sdp, $::json, $::sdp, $::json, $::sdp, ""]
--- error_code eval
[201, 201, 201, 201, 406, 200]
--- raw_response_headers_like eval
[(qr{^Link: <stun:stun\.example\.net>; rel="ice-server"\r\nLink: <turn:turn\.example\.net\?transport=udp>; rel="ice-server"; username="user";}m) x 2,
 (qr{^Link: <stun:127\.0\.0\.1>; rel="ice-server"\r$}m) x 2,
 (qr{^Link: <stun:stun\.example\.net>; rel="ice-server"\r$}m) x 2]
--- response_headers_like eval
[(qq{Location: .*session=.*\nETag: "[^"]+"\nCache-Control: no-store}) x 5, ""]



=== RFC 9725, 4.6: and in the answer to OPTIONS
--- request eval
["OPTIONS /whep", "OPTIONS /whip"]
--- raw_response_headers_like eval
[qr{^Link: <stun:stun\.example\.net>; rel="ice-server"\r$}m,
 qr{^Link: <stun:stun\.example\.net>; rel="ice-server"\r$}m]



=== RFC 9725, 4.6: but not in that to a CORS preflight
--- request
OPTIONS /whep
--- more_headers
Origin: https://player.example
Access-Control-Request-Method: POST
--- raw_response_headers_unlike: ^Link:



=== nor in refusals
--- request eval
["POST /whep\n" . 'x', "PUT /whep\n", "GET /whep"]
--- more_headers eval
$::sdp
--- error_code eval
[400, 405, 204]
--- raw_response_headers_unlike eval
[qr/ice-server/, qr/ice-server/, qr/ice-server/]



=== a location's own servers take the place of inherited ones
--- request eval
["OPTIONS /own", "OPTIONS /none"]
--- raw_response_headers_like eval
[qr{^Link: <stuns:own\.example\.net:5349>; rel="ice-server"\r$}m, qr/^Allow/m]
--- raw_response_headers_unlike eval
[qr/stun\.example/, qr/^Link/m]



=== a shared secret makes time-limited credentials
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_ice_server  turn:turn.example.net secret=north ttl=1h;
--- request
OPTIONS /whep
--- raw_response_headers_like eval
qr{^Link:\ <turn:turn\.example\.net>;\ rel="ice-server";\ username="(\d+)(??{
   $1 > time() + 3500 && $1 <= time() + 3600 ? '' : '(?!)' })";
   \ credential="([^"]+)(??{ require Digest::SHA;
   $2 eq Digest::SHA::hmac_sha1_base64($1, 'north') . '=' ? '' : '(?!)' })";
   \ credential-type="password"\r$}mx



=== one for nginx alone is not told
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_ice_server  turn:127.0.0.1 secret=north internal;
webrtc_ice_server  stun:stun.example.net;
--- request
OPTIONS /whep
--- response_headers
Link: <stun:stun.example.net>; rel="ice-server"



=== a shared secret, a name with variables, a secret longer than a block
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_ice_server  turns:turn.example.net secret=0123456789012345678901234567890123456789012345678901234567890123456789 username=$arg_user;
--- request
OPTIONS /whep?user=al"ice
--- raw_response_headers_like eval
qr{username="(\d+):al\\"ice";\ credential="([^"]+)(??{ require Digest::SHA;
   $2 eq Digest::SHA::hmac_sha1_base64("$1:al\"ice", '0123456789' x 7) . '='
   ? '' : '(?!)' })"}mx



=== quotes in credentials are escaped
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_ice_server  turn:turn.example.net 'username=a"b\\c' credential=x;
--- request
OPTIONS /whep
--- raw_response_headers_like eval
qr{username="a\\"b\\\\c"; credential="x"}



=== refused: a TURN server without credentials
--- http_config
webrtc_ice_server  turn:turn.example.net;
--- must_die
--- error_log
TURN servers need



=== refused: a user name without a credential
--- http_config
webrtc_ice_server  turn:turn.example.net username=x;
--- must_die
--- error_log
TURN servers need



=== refused: credentials for a STUN server
--- http_config
webrtc_ice_server  stun:stun.example.net username=x credential=y;
--- must_die
--- error_log
STUN servers take no credentials



=== refused: no such scheme
--- http_config
webrtc_ice_server  http://stun.example.net;
--- must_die
--- error_log
expected stun:, stuns:, turn: or turns:



=== refused: a URL that would end the Link
--- http_config
webrtc_ice_server  'stun:a>; rel=x';
--- must_die
--- error_log
a character that is not allowed there



=== refused: an unknown parameter
--- http_config
webrtc_ice_server  turn:turn.example.net user=x;
--- must_die
--- error_log
invalid parameter "user=" in webrtc_ice_server
