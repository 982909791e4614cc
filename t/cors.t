#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_cors_origin: every answer, also errors of nginx's own, and preflights
# under whatever asks for credentials.  WHATWG Fetch, 3.2; RFC 9725, 4.2.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC::Offer;

our $sdp = "Content-Type: application/sdp\n";
our $preflight = "Origin: https://player.example\n"
                 . "Access-Control-Request-Method: POST\n"
                 . "Access-Control-Request-Headers: content-type\n";

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->http_config) {
        $block->set_value(http_config => <<'EOF');
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_cors_origin  https://player.example;
map $http_authorization $token_ok { default 0; "Bearer secret" 1; }
EOF
    }

    if (!defined $block->config) {
        $block->set_value(config => <<'EOF');
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
location /basic {
    auth_basic            realm;
    auth_basic_user_file  /dev/null;
    webrtc_play           bars;
}
location /request {
    auth_request  /no;
    webrtc_play   bars;
}
location = /no { internal; return 401; }
location /deny {
    deny         all;
    webrtc_play  bars;
}
location /bearer {
    if ($token_ok = 0) { return 401; }
    webrtc_publish  mine;
}
location /if {
    auth_request  /no;
    if ($arg_x) { webrtc_play  bars; }
    return 404;
}
location /other { auth_request  /no; }
EOF
    }
});

run_tests();

__DATA__

=== preflight of an endpoint: 200, methods, headers, no ICE servers
--- request
OPTIONS /whep
--- more_headers eval
$::preflight
--- response_headers
Access-Control-Allow-Origin: https://player.example
Access-Control-Allow-Methods: OPTIONS, GET, HEAD, POST
Access-Control-Allow-Headers: Authorization, Content-Type, If-Match
Vary: Origin
--- raw_response_headers_unlike: ^Link:



=== preflight of a session: PATCH and DELETE, known or not
--- request eval
["OPTIONS /whep?session=x", "OPTIONS /whep?session=x&events",
 "OPTIONS /whep?session=x&events=01234567"]
--- more_headers eval
$::preflight
--- response_headers eval
["Access-Control-Allow-Methods: OPTIONS, GET, HEAD, PATCH, DELETE",
 "Access-Control-Allow-Methods: OPTIONS, GET, HEAD, POST",
 "Access-Control-Allow-Methods: OPTIONS, GET, HEAD, DELETE"]



=== preflight: what was asked for is allowed, once
--- request eval
[map { "OPTIONS /whep" } 1 .. 8]
--- more_headers eval
[map { "Origin: https://player.example\nAccess-Control-Request-Method: $_\n" }
 "POST\nAccess-Control-Request-Headers: content-type, x-token,X-Trace-Id",
 "PATCH\nAccess-Control-Request-Headers: if-match",
 "post\nAccess-Control-Request-Headers: x-a , ,x-A,\tx-b,",
 "POST\nAccess-Control-Request-Headers: x-a: b",
 "P ST\nAccess-Control-Request-Headers: x-a, \"x\"",
 "POST\nAccess-Control-Request-Headers: " . 'x' x 513,
 "POST\nAccess-Control-Request-Headers: " . 'x' x 512,
 "POST\nAccess-Control-Request-Private-Network: true"]
--- response_headers eval
my $methods = "Access-Control-Allow-Methods: OPTIONS, GET, HEAD, POST";
my $headers = "Access-Control-Allow-Headers: Authorization, Content-Type, If-Match";
["$methods\n$headers, x-token, X-Trace-Id\n!Access-Control-Allow-Private-Network",
 "$methods, PATCH\n$headers", "$methods\n$headers, x-a, x-b",
 "$methods\n$headers", "$methods\n$headers", "$methods\n$headers",
 "$methods\n$headers, " . 'x' x 512,
 "$methods\n$headers\nAccess-Control-Allow-Private-Network: true"]



=== preflight needs no credentials: auth_basic, auth_request, deny, bearer token
--- request eval
["OPTIONS /basic", "OPTIONS /request", "OPTIONS /deny", "OPTIONS /bearer"]
--- more_headers eval
$::preflight
--- error_code eval
[200, 200, 200, 200]
--- response_headers eval
[map { "Access-Control-Allow-Origin: https://player.example" } 1 .. 4]



=== what is no preflight does need them, and its refusal carries the origin
--- request eval
["OPTIONS /basic", "OPTIONS /request", "OPTIONS /deny", "OPTIONS /bearer",
 "POST /bearer\nx"]
--- more_headers
Origin: https://player.example
Content-Type: application/sdp
--- error_code eval
[401, 401, 403, 401, 401]
--- response_headers eval
[map { "Access-Control-Allow-Origin: https://player.example" } 1 .. 5]
--- error_log
--- no_error_log
[alert]



=== a preflight of somebody else's location is not ours
--- request
OPTIONS /other
--- more_headers eval
$::preflight
--- error_code: 401
--- response_headers
!Access-Control-Allow-Origin



=== answers and errors expose what scripts need
--- request eval
["POST /whep\n" . ::offer(), "POST /whep\nx", "PUT /whep\n",
 "PATCH /whep?session=x\n", "GET /whep", "DELETE /whep?session=x&events"]
--- more_headers eval
$::sdp
--- error_code eval
[201, 400, 405, 404, 204, 404]
--- response_headers eval
[map { "Access-Control-Expose-Headers: Location, ETag, Link, Retry-After, "
       . "Accept-Patch" } 1 .. 6]



=== off by default: no header, and preflights ask for credentials
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
map $http_authorization $token_ok { default 0; "Bearer secret" 1; }
--- request eval
["OPTIONS /whep", "OPTIONS /request"]
--- more_headers eval
$::preflight
--- error_code eval
[200, 401]
--- response_headers eval
["!Access-Control-Allow-Origin", "!Access-Control-Allow-Origin"]
