#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What nginx has around a location works around ours: auth_basic, auth_request,
# bearer tokens by map, limit_req, limit_conn, client_max_body_size, access_log
# with our variables, if, limit_except, error_page, redirects with 307.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC::Offer;

our $sdp = "Content-Type: application/sdp\n";

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    my $http = defined $block->http_config ? $block->http_config : '';

    $block->set_value(http_config =>
        "webrtc_listen 127.0.0.1:\$TEST_NGINX_UDP_PORT;\n"
        . "webrtc_wait 300ms;\n$http");
});

run_tests();

__DATA__

=== auth_basic
--- config
location /whip {
    auth_basic            realm;
    auth_basic_user_file  html/users;
    webrtc_publish        mine;
}
--- user_files
>>> users
alice:{PLAIN}wonder
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'),
 "POST /whip\n" . ::offer(direction => 'sendonly'),
 "DELETE /whip?session=x"]
--- more_headers eval
[$::sdp, $::sdp . "Authorization: Basic YWxpY2U6d29uZGVy", '']
--- error_code_like eval
[401, qr/^(?:201|403|500)$/, 401]



=== auth_request: asked before the body is looked at, its refusal is the answer
--- config
location /whip {
    auth_request    /auth;
    webrtc_publish  mine;
}
location = /auth {
    internal;
    if ($http_authorization = "Bearer secret") { return 204; }
    return 403;
}
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'), "POST /whip\nnonsense",
 "POST /whip\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
[$::sdp, $::sdp, $::sdp . "Authorization: Bearer secret"]
--- error_code eval
[403, 403, 201]



=== bearer tokens by map
--- http_config
map $http_authorization $token_ok { default 0; "Bearer secret" 1; }
--- config
location /whip {
    if ($token_ok = 0) { return 401; }
    webrtc_publish  mine;
}
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'),
 "POST /whip\n" . ::offer(direction => 'sendonly'),
 "GET /whip?session=x"]
--- more_headers eval
[$::sdp, $::sdp . "Authorization: Bearer secret", '']
--- error_code eval
[401, 201, 401]



=== limit_req
--- http_config
limit_req_zone $binary_remote_addr zone=req:1m rate=1r/m;
--- config
location /whip {
    limit_req       zone=req burst=1 nodelay;
    webrtc_publish  $arg_name;
}
--- request eval
[map { "POST /whip?name=$_\n" . ::offer(direction => 'sendonly') } 1 .. 3]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 503]



=== limit_conn: counts requests that wait
--- http_config
limit_conn_zone $server_name zone=conn:1m;
--- config
location /whep {
    limit_conn   conn 1;
    webrtc_play  nobody;
}
--- request eval
["POST /whep\n" . ::offer(), "POST /whep\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code eval
[409, 409]



=== client_max_body_size: nginx's own 413
--- config
location /whip {
    client_max_body_size  1k;
    webrtc_publish        mine;
}
--- request eval
["POST /whip\n" . ::offer() . 'x' x 2000,
 "PATCH /whip?session=0123456789abcdef0123456789abcdef\n" . 'x' x 2000]
--- more_headers eval
$::sdp
--- error_code eval
[413, 413]



=== access_log with our variables
--- http_config
log_format  webrtc  '[$webrtc_role|$webrtc_stream|$webrtc_codec|$webrtc_session|$webrtc_cause]';
--- config
location /whip {
    access_log      html/webrtc.log webrtc;
    add_header      X-Stream $webrtc_stream;
    add_header      X-Role $webrtc_role;
    add_header      X-Codec $webrtc_codec;
    add_header      X-Session $webrtc_session;
    add_header      X-Cause $webrtc_cause always;
    webrtc_publish  mine;
}
location /whep {
    add_header      X-Role $webrtc_role always;
    add_header      X-Stream $webrtc_stream always;
    add_header      X-Cause $webrtc_cause always;
    webrtc_play     nobody;
}
location = /log { alias html/webrtc.log; }
--- user_files
>>> webrtc.log
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'),
 "POST /whip\n" . ::offer(direction => 'sendonly'), "POST /whep\n" . ::offer(),
 "GET /whip?session=x", "OPTIONS /whip", "GET /log"]
--- more_headers eval
$::sdp
--- error_code eval
[201, 409, 409, 404, 200, 200]
--- response_headers_like eval
["X-Stream: mine\nX-Role: publish\nX-Codec: (?:H264|VP8),opus\nX-Session: [0-9a-f]{12}",
 "X-Cause: the stream is already published",
 "X-Role: play\nX-Stream: nobody\nX-Cause: the stream is not live",
 "X-Cause: no such session", '', '']
--- response_body_like eval
[qr/^v=0/, qr/already/, qr/not live/, qr/no such/, qr/\A\z/,
 qr/\A\[publish\|mine\|(?:H264|VP8),opus\|[0-9a-f]{12}\|-\]\n\[publish\|mine\|-\|-\|the stream is already published\]\n\[-\|-\|-\|-\|no such session\]\n\[-\|-\|-\|-\|-\]\n\z/]



=== if: the location goes on inside
--- config
location /whip {
    webrtc_publish  $arg_name;
    set $x 1;
    if ($request_method = POST) { add_header X-Posted 1; }
    if ($arg_gone) { return 410; }
}
--- request eval
["POST /whip?name=a\n" . ::offer(direction => 'sendonly'), "OPTIONS /whip",
 "POST /whip?name=b&gone=1\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 200, 410]
--- response_headers_like eval
["X-Posted: 1", '', '']



=== if: another stream inside
--- config
location /whip {
    webrtc_publish  a;
    if ($arg_b) { webrtc_publish  b; }
    add_header X-Stream $webrtc_stream;
}
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'),
 "POST /whip?b=1\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201]



=== limit_except: the location goes on inside
--- config
location /whip {
    webrtc_publish  a;
    limit_except GET { deny all; }
}
location /open {
    webrtc_publish  b;
    limit_except GET { allow all; }
}
--- request eval
["POST /whip\n" . ::offer(direction => 'sendonly'), "GET /whip",
 "POST /open\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[403, 204, 201]



=== error_page: takes the place of our problem, Retry-After and variables stay
--- config
error_page 409 /later;
location /whep { webrtc_play  nobody; }
location = /later {
    add_header  X-Cause $webrtc_cause always;
    return      200 "come back\n";
}
--- request eval
["POST /whep\n" . ::offer(), "POST /whep\nx"]
--- more_headers eval
$::sdp
--- error_code eval
[409, 400]
--- response_headers_like eval
["X-Cause: the stream is not live\nRetry-After: \\d+",
 "Content-Type: application/problem\\+json"]
--- response_body_like eval
[qr/^come back$/, qr/title/]



=== error_page: to a named location of ours
--- config
location /a {
    webrtc_play  nobody;
    error_page   409 = @whip;
}
location @whip { return 418; }
--- request eval
"POST /a\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 418



=== redirects: 307 by return and rewrite
--- config
location /return { return 307 /whip?x=1; }
location /rewrite { rewrite ^ /whip last; }
location /whip { webrtc_publish  mine; }
--- request eval
["POST /return\n" . ::offer(direction => 'sendonly'),
 "POST /rewrite\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[307, 201]
--- response_headers_like eval
["Location: .*/whip\\?x=1", "Location: /rewrite\\?session=[0-9a-f]{32}"]
