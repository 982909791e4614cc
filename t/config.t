#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Directives: wrong values are refused and say what was expected; right ones
# are taken in each of their contexts; duplicates.  What they do is tested where
# it shows: webrtc_play, webrtc_pull, webrtc_cors_origin, webrtc_max_sdp in
# whep.t, timeouts in whep_session.t, webrtc_status, webrtc_idle_timeout in
# e2e_*.t.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC;
use NgxWebRTC::Offer;

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
    $ENV{TEST_NGINX_MEDIA} ||= "$NgxWebRTC::BUILD/media";
}

our $sdp = "Content-Type: application/sdp\n";

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->config) {
        $block->set_value(config => 'location = /t { return 204; }');
    }
});

run_tests();

__DATA__

=== everything, everywhere it may stand
--- http_config
webrtc_zone               one 8m;
webrtc_listen             127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_candidate          192.0.2.7 192.0.2.8:9000;
webrtc_gso                off;
webrtc_wait               1s;
webrtc_idle_timeout       1s;
webrtc_timeout            10s;
webrtc_handshake_timeout  10s;
webrtc_buffer             1m;
webrtc_buffer_max         4m;
webrtc_pacing             off;
webrtc_max_sdp            16k;
webrtc_cors_origin        https://example.com;
webrtc_public_path        /a$request_uri;
--- config
webrtc_wait               2s;
webrtc_idle_timeout       2s;
webrtc_timeout            20s;
webrtc_handshake_timeout  20s;
webrtc_buffer             512k;
webrtc_buffer_max         512k;
webrtc_pacing             20m;
webrtc_max_sdp            8k;
webrtc_cors_origin        *;
webrtc_public_path        https://example.com/b$uri;
webrtc_pull               file:$TEST_NGINX_MEDIA/bars.ts loop start=demand;

location = /whep/bars {
    webrtc_play               bars;
    webrtc_wait               3s;
    webrtc_idle_timeout       3s;
    webrtc_timeout            30s;
    webrtc_handshake_timeout  30s;
    webrtc_buffer             256k;
    webrtc_buffer_max         2m;
    webrtc_pacing             16g burst=4k;
    webrtc_max_sdp            4k;
    webrtc_cors_origin        "";
    webrtc_public_path        off;
}
location = /inherits {
    webrtc_play               bars;
}
location = /if {
    if ($arg_name = bars) {
        webrtc_play           bars;
        webrtc_pull           file:$TEST_NGINX_MEDIA/bars.ts format=mpegts;
    }
    return 404;
}
location = /streams {
    webrtc_status;
}
location = /control {
    webrtc_status control;
}
location = /limited {
    webrtc_status      control;
    webrtc_cors_origin https://example.com;
    limit_except GET { allow all; }
}
--- request eval
["POST /whep/bars\n" . ::offer(), "POST /inherits\n" . ::offer(),
 "GET /streams", "POST /streams?reconnect=bars", "POST /control",
 "POST /control?reconnect=b%61rs", "POST /control?reconnect=none",
 "DELETE /control", "POST /control?reconnect=bars",
 "POST /limited?reconnect=bars", "POST /limited?reconnect=bars"]
--- more_headers eval
[$::sdp, $::sdp, "", "", "", "", "", "", "Origin: https://example.org\n",
 "Origin: https://example.com\n", "Origin: *\n"]
--- error_code eval
[201, 201, 200, 405, 400, 200, 200, 405, 403, 200, 403]
--- response_headers eval
["!Access-Control-Allow-Origin", "Access-Control-Allow-Origin: *",
 "Content-Type: application/json", "Allow: GET, HEAD",
 "Content-Type: application/problem+json", "Content-Type: application/json",
 "Content-Type: application/json", "Allow: GET, HEAD, POST",
 "Content-Type: application/problem+json", "Content-Type: application/json",
 "Content-Type: application/problem+json"]
--- response_body_like eval
[qr/^a=candidate:\S+ 1 udp \d+ 192\.0\.2\.7 $ENV{TEST_NGINX_UDP_PORT} typ host\r\n(?=.*^a=candidate:\S+ 1 udp \d+ 192\.0\.2\.8 9000 )/msi,
 qr/^a=candidate:/m, qr/"name":"bars"/, qr/405|not allowed/i,
 qr/\?reconnect=<stream>/, qr/^\{"reconnect":2\}$/, qr/^\{"reconnect":0\}$/,
 qr/405|not allowed/i, qr/another site/, qr/^\{"reconnect":2\}$/,
 qr/another site/]
--- no_error_log
[error]



=== webrtc_candidate takes the place of the listen address
--- http_config
webrtc_listen     127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_candidate  192.0.2.7;
--- config
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_unlike eval
qr/^a=candidate:.* 127\.0\.0\.1 /m
--- no_error_log
[error]



=== a wildcard listen offers loopback to those who come over it
--- http_config
webrtc_listen  $TEST_NGINX_UDP_PORT;
--- config
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
--- request eval
"POST /whep/bars\n" . ::offer()
--- more_headers eval
$::sdp
--- error_code: 201
--- response_body_like eval
qr/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 $ENV{TEST_NGINX_UDP_PORT} typ host/mi
--- response_body_unlike eval
qr/ 0\.0\.0\.0 $ENV{TEST_NGINX_UDP_PORT} /
--- no_error_log
[error]



=== webrtc_pull start=always needs no viewer
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- config
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop start=always;
}
location = /streams {
    webrtc_status;
}
--- request
GET /streams
--- wait: 3
--- error_log
webrtc source up
--- no_error_log
[error]



=== without the module's locations no port is opened
--- http_config
webrtc_listen  192.0.2.77:9;
--- config
location = / { return 204; }
--- request
GET /
--- error_code: 204
--- no_error_log
[error]



=== webrtc_zone: no size
--- http_config
webrtc_zone  one;
--- must_die
--- error_log
invalid number of arguments in "webrtc_zone"



=== webrtc_zone: no number
--- http_config
webrtc_zone  one big;
--- must_die
--- error_log
invalid size "big" of webrtc_zone "one", expected at least



=== webrtc_zone: too small
--- http_config
webrtc_zone  one 16k;
--- must_die
--- error_log
invalid size "16k" of webrtc_zone "one", expected at least



=== webrtc_zone: twice
--- http_config
webrtc_zone  one 8m;
webrtc_zone  two 8m;
--- must_die
--- error_log
"webrtc_zone" directive is duplicate



=== webrtc_zone: not in a server
--- config
webrtc_zone  one 8m;
--- must_die
--- error_log
"webrtc_zone" directive is not allowed here



=== webrtc_listen: no port
--- http_config
webrtc_listen  127.0.0.1;
--- must_die
--- error_log
in webrtc_listen "127.0.0.1", expected a port or an address with a port



=== webrtc_listen: no number
--- http_config
webrtc_listen  127.0.0.1:many;
--- must_die
--- error_log
in webrtc_listen "127.0.0.1:many"



=== webrtc_listen: too high
--- http_config
webrtc_listen  70000;
--- must_die
--- error_log
in webrtc_listen "70000"



=== webrtc_listen: twice the same
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- must_die
--- error_log
duplicate webrtc_listen



=== webrtc_candidate: neither address nor name
--- http_config
webrtc_candidate  192.0.2.1:port;
--- must_die
--- error_log
in webrtc_candidate "192.0.2.1:port", expected an address or name



=== webrtc_candidate: a name that does not exist
--- http_config
webrtc_candidate  does-not-exist.invalid;
--- must_die
--- error_log
in webrtc_candidate "does-not-exist.invalid"



=== webrtc_certificate without its key
--- http_config
webrtc_certificate  cert.pem;
--- config
location = /whep/bars { webrtc_play bars; }
--- must_die
--- error_log
"webrtc_certificate" and "webrtc_certificate_key" need each other



=== webrtc_certificate: no such file
--- http_config
webrtc_certificate      does-not-exist.pem;
webrtc_certificate_key  does-not-exist.key;
--- config
location = /whep/bars { webrtc_play bars; }
--- must_die
--- error_log
does-not-exist



=== webrtc_gso: neither on nor off
--- http_config
webrtc_gso  maybe;
--- must_die
--- error_log
invalid value "maybe" in "webrtc_gso" directive, it must be "on" or "off"



=== webrtc_pacing: no rate
--- http_config
webrtc_pacing  on;
--- must_die
--- error_log
invalid rate "on" in webrtc_pacing, expected "off" or bits per second from 64k to 16g



=== webrtc_pacing: too slow
--- http_config
webrtc_pacing  63k;
--- must_die
--- error_log
invalid rate "63k" in webrtc_pacing



=== webrtc_pacing: too fast
--- http_config
webrtc_pacing  17g;
--- must_die
--- error_log
invalid rate "17g" in webrtc_pacing



=== webrtc_pacing: off with more
--- http_config
webrtc_pacing  off burst=64k;
--- must_die
--- error_log
invalid rate "off" in webrtc_pacing



=== webrtc_pacing: another parameter
--- http_config
webrtc_pacing  80m delay=1ms;
--- must_die
--- error_log
invalid parameter "delay=1ms" in webrtc_pacing, expected "burst=size"



=== webrtc_pacing: a burst that no packet fits
--- http_config
webrtc_pacing  80m burst=4095;
--- must_die
--- error_log
invalid burst "4095" in webrtc_pacing, expected a size from 4k to 1024m



=== webrtc_pacing: no burst
--- http_config
webrtc_pacing  80m burst=much;
--- must_die
--- error_log
invalid burst "much" in webrtc_pacing



=== webrtc_pacing: twice
--- http_config
webrtc_pacing  80m; webrtc_pacing off;
--- must_die
--- error_log
"webrtc_pacing" directive is duplicate



=== webrtc_play: an empty name
--- config
location = /whep { webrtc_play ""; }
--- must_die
--- error_log
invalid stream name in



=== webrtc_play: a name that is too long
--- config eval
"location = /whep { webrtc_play " . 'x' x 200 . "; }"
--- must_die
--- error_log
invalid stream name in



=== webrtc_play: twice
--- config
location = /whep { webrtc_play a; webrtc_play b; }
--- must_die
--- error_log
"webrtc_play" directive is duplicate



=== webrtc_play: not in a server
--- config
webrtc_play a;
--- must_die
--- error_log
"webrtc_play" directive is not allowed here



=== webrtc_pull: an unknown scheme
--- config
location = /whep { webrtc_play a; webrtc_pull gopher://example.com/; }
--- must_die
--- error_log
in webrtc_pull



=== webrtc_pull: a scheme from a variable
--- config
location = /whep { webrtc_play a; webrtc_pull $arg_url; }
--- must_die
--- error_log
in webrtc_pull



=== webrtc_pull: a host from a variable is fine, a directory too
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- config
location = /a { webrtc_play $host/a; webrtc_pull rtmp://$host/live/a; }
location = /b { webrtc_play $arg_a; webrtc_pull file:/var/media/$arg_a/b.ts; }
location = / { return 204; }
--- request
GET /
--- error_code: 204
--- no_error_log
[error]



=== webrtc_pull: a protocol inside a file's name
--- config
location = /whep { webrtc_play a; webrtc_pull concat:/etc/passwd; }
--- must_die
--- error_log
in webrtc_pull



=== webrtc_pull: an unknown parameter
--- config
location = /whep { webrtc_play a; webrtc_pull rtmp://127.0.0.1/a once; }
--- must_die
--- error_log
invalid parameter "once" in webrtc_pull, expected "loop"



=== webrtc_pull: a program
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- config
location = /a { webrtc_play a; webrtc_pull tcp://127.0.0.1:1 program=1; }
location = /b { webrtc_play b; webrtc_pull tcp://127.0.0.1:1 program=65535; }
location = / { return 204; }
--- request
GET /
--- error_code: 204
--- no_error_log
[error]



=== webrtc_pull: no number of a program
--- config
location = /whep { webrtc_play a; webrtc_pull tcp://127.0.0.1:1 program=0; }
--- must_die
--- error_log
invalid parameter "program=0" in webrtc_pull, expected "program=number" from 1 to 65535



=== webrtc_pull: start at another time
--- config
location = /whep { webrtc_play a; webrtc_pull rtmp://127.0.0.1/a start=soon; }
--- must_die
--- error_log
invalid parameter "start=soon" in webrtc_pull



=== webrtc_pull: several, tried in their order
--- config
location = /whep {
    webrtc_play  a;
    webrtc_pull  rtmp://127.0.0.1/a start=always;
    webrtc_pull  rtmp://127.0.0.1/b;
    webrtc_pull  file:/srv/standby.mp4 loop;
}
location = / { return 204; }
--- request
GET /
--- error_code: 204



=== webrtc_pull: more than there is room for
--- config
location = /whep {
    webrtc_play  a;
    webrtc_pull  rtmp://127.0.0.1/a;
    webrtc_pull  rtmp://127.0.0.1/b;
    webrtc_pull  rtmp://127.0.0.1/c;
    webrtc_pull  rtmp://127.0.0.1/d;
    webrtc_pull  rtmp://127.0.0.1/e;
}
--- must_die
--- error_log
too many webrtc_pull directives, expected at most 4



=== webrtc_pull: start of another one than the first
--- config
location = /whep {
    webrtc_play  a;
    webrtc_pull  rtmp://127.0.0.1/a;
    webrtc_pull  rtmp://127.0.0.1/b start=always;
}
--- must_die
--- error_log
"start=always" in another webrtc_pull than the first one of its block



=== webrtc_wait: no time
--- http_config
webrtc_wait  soon;
--- must_die
--- error_log
invalid value "soon" in webrtc_wait, expected a time



=== webrtc_idle_timeout: no time
--- http_config
webrtc_idle_timeout  soon;
--- must_die
--- error_log
invalid value "soon" in webrtc_idle_timeout, expected a time



=== webrtc_timeout: no time
--- http_config
webrtc_timeout  soon;
--- must_die
--- error_log
invalid value "soon" in webrtc_timeout, expected a time



=== webrtc_handshake_timeout: no time
--- http_config
webrtc_handshake_timeout  soon;
--- must_die
--- error_log
invalid value "soon" in webrtc_handshake_timeout, expected a time



=== webrtc_buffer: too small
--- http_config
webrtc_buffer  1k;
--- config
location = /whep { webrtc_play a; }
--- must_die
--- error_log
invalid value "1k" in webrtc_buffer, expected a size from "64k" to "1g"



=== webrtc_buffer_max: less than webrtc_buffer
--- config
location = /whep { webrtc_play a; webrtc_buffer 4m; webrtc_buffer_max 3m; }
--- must_die
--- error_log
"webrtc_buffer_max" must not be less than "webrtc_buffer", which is 4096k here



=== webrtc_buffer_max: one that is inherited gives way
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_buffer_max  4m;
--- config
location = /whep { webrtc_play a; webrtc_buffer 8m; }
location = / { return 204; }
--- request
GET /
--- error_code: 204
--- no_error_log
[error]



=== webrtc_max_sdp: too small
--- http_config
webrtc_max_sdp  100;
--- config
location = /whep { webrtc_play a; }
--- must_die
--- error_log
invalid value "100" in webrtc_max_sdp, expected a size from "1k" to "1m"



=== webrtc_cors_origin: two origins
--- http_config
webrtc_cors_origin  https://a.example https://b.example;
--- must_die
--- error_log
invalid number of arguments in "webrtc_cors_origin"



=== webrtc_codecs: RED without what it wraps
--- config
location = /whip { webrtc_publish x; webrtc_codecs VP8 red; }
--- must_die
--- error_log
"red" in webrtc_codecs wraps another codec, expected "opus" too



=== webrtc_status: neither "control" nor nothing
--- config
location = /streams { webrtc_status on; }
--- must_die
--- error_log
invalid value "on" in webrtc_status, expected "control" or nothing
