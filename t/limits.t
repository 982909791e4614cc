#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Limits: webrtc_max_sessions, webrtc_max_viewers, what is too large or too many
# in an SDP.  protocols.md, section 2.  Slots are freed by the requests of the
# blocks that follow, or by the end of their server.

use lib 't/lib';

use Test::Nginx::Socket 'no_plan';
use NgxWebRTC::Offer;

our $sdp = "Content-Type: application/sdp\n";

BEGIN {
    $ENV{TEST_NGINX_UDP_PORT} ||= 20000 + $$ % 10000;
}

add_block_preprocessor(sub {
    my ($block) = @_;

    if (!defined $block->config) {
        $block->set_value(config => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:$TEST_NGINX_MEDIA/$name.ts loop;
}
location ~ ^/one/(?<name>\w+)$ {
    webrtc_play         $name;
    webrtc_pull         file:$TEST_NGINX_MEDIA/$name.ts loop;
    webrtc_max_viewers  1;
}
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
EOF
    }
});

run_tests();

__DATA__

=== webrtc_max_sessions: 503 with Retry-After
--- http_config
webrtc_listen        127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_sessions  3;
--- request eval
["POST /whep/bars\n" . ::offer(),
 "POST /whip/a\n" . ::offer(direction => 'sendonly'),
 "POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer(),
 "POST /whip/b\n" . ::offer(direction => 'sendonly'), "OPTIONS /whep/bars"]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201, 503, 503, 200]
--- response_headers_like eval
['', '', '', "Retry-After: \\d+\nContent-Type: application/problem\\+json",
 "Retry-After: \\d+", '']
--- response_body_like eval
[qr/^v=0/, qr/^v=0/, qr/^v=0/, qr/too many sessions/, qr/too many sessions/,
 qr/\A\z/]
--- no_error_log
[alert]



=== webrtc_max_sessions: slots that nobody claims make room when they expire
--- http_config
webrtc_listen             127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_sessions       1;
webrtc_handshake_timeout  300ms;
--- config
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:$TEST_NGINX_MEDIA/bars.ts loop;
}
location /wait {
    webrtc_play  nothing;
    webrtc_wait  1s;
}
location /again {
    rewrite      ^ /whep last;
}
--- request eval
["POST /whep\n" . ::offer(), "POST /whep\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code_like eval
[201, qr/^(?:201|503)$/]



=== webrtc_max_viewers: of a stream, in each location its own
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_viewers  2;
--- request eval
["POST /one/bars\n" . ::offer(), "POST /one/bars\n" . ::offer(),
 "POST /whep/bars\n" . ::offer(), "POST /whep/bars\n" . ::offer(),
 "POST /one/video\n" . ::offer(),
 "POST /whip/a\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 503, 201, 503, 201, 201]
--- response_headers_like eval
['', "Retry-After: \\d+", '', "Retry-After: \\d+", '', '']
--- response_body_like eval
[qr/^v=0/, qr/too many viewers.*bars/, qr/^v=0/, qr/too many viewers/,
 qr/^v=0/, qr/^v=0/]
--- no_error_log
[alert]



=== webrtc_max_viewers: none by default
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- request eval
[map { "POST /whep/bars\n" . ::offer() } 1 .. 5]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 201, 201, 201]



=== webrtc_max_sessions: a wrong value
--- http_config
webrtc_max_sessions  many;
--- must_die
--- error_log
invalid value "many" in webrtc_max_sessions, expected a number



=== webrtc_max_sessions: belongs to http
--- http_config
--- config
webrtc_max_sessions  1;
--- must_die
--- error_log
"webrtc_max_sessions" directive is not allowed here



=== webrtc_max_viewers: a wrong value
--- http_config
webrtc_max_viewers  -1;
--- must_die
--- error_log
invalid value "-1" in webrtc_max_viewers, expected a number



=== more m-lines, codecs and candidates than there can be
--- http_config
webrtc_listen  127.0.0.1:$TEST_NGINX_UDP_PORT;
--- request eval
["POST /whep/bars\n" . ::offer(video => [map { ['H264'] } 1 .. 20]),
 "POST /whep/bars\n" . ::offer()
 . "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" x 200,
 "POST /whep/bars\n" . ::offer()
 . CORE::join('', map { "a=extmap:$_ urn:x:$_\r\n" } 1 .. 100),
 "POST /whep/bars\n" . ::offer() . "a=ssrc:1 cname:x\r\n" x 300]
--- more_headers eval
$::sdp
--- error_code_like eval
[qr/^40[06]$/, qr/^(?:201|400)$/, qr/^(?:201|400)$/, qr/^(?:201|400)$/]
--- no_error_log
[alert]



=== webrtc_max_pending: sessions of a client that have not connected
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_pending  2;
--- request eval
["POST /whep/bars\n" . ::offer(),
 "POST /whip/a\n" . ::offer(direction => 'sendonly'),
 "POST /whep/bars\n" . ::offer(),
 "POST /whip/b\n" . ::offer(direction => 'sendonly')]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 503, 503]
--- response_headers_like eval
['', '', "Retry-After: \\d+", "Retry-After: \\d+"]
--- response_body_like eval
[qr/^v=0/, qr/^v=0/, qr/too many pending sessions.*this client/,
 qr/too many pending sessions/]
--- error_log
too many pending sessions: of one client that have not connected, raise webrtc_max_pending
--- no_error_log
[alert]



=== webrtc_max_pending: names of streams that are not live
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_pending  100 names=2;
--- request eval
["POST /whip/a\n" . ::offer(direction => 'sendonly'),
 "POST /whip/b\n" . ::offer(direction => 'sendonly'),
 "POST /whip/c\n" . ::offer(direction => 'sendonly'),
 "POST /whep/bars\n" . ::offer()]
--- more_headers eval
$::sdp
--- error_code eval
[201, 201, 503, 503]
--- response_body_like eval
[qr/^v=0/, qr/^v=0/, qr/too many new streams.*this client/,
 qr/too many new streams/]
--- error_log
raise names= of webrtc_max_pending



=== webrtc_max_pending: by a variable, an empty one does not count
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_pending  1 key=$arg_who;
--- request eval
[map { "POST /whep/bars$_\n" . ::offer() }
 '?who=a', '?who=a', '?who=b', '?who=b', '', '']
--- more_headers eval
$::sdp
--- error_code eval
[201, 503, 201, 503, 201, 201]



=== webrtc_max_pending: inherited, and off
--- http_config
webrtc_listen       127.0.0.1:$TEST_NGINX_UDP_PORT;
webrtc_max_pending  1 key=$arg_who;
--- config
location /kept {
    webrtc_publish      kept;
    webrtc_publish_conflict replace;
}
location /two {
    webrtc_publish      two;
    webrtc_publish_conflict replace;
    webrtc_max_pending  2;
}
location /off {
    webrtc_publish      off;
    webrtc_publish_conflict replace;
    webrtc_max_pending  off;
}
--- request eval
[map { "POST /$_\n" . ::offer(direction => 'sendonly') }
 'kept?who=a', 'kept?who=a', 'two?who=a', 'two?who=b', 'two?who=c',
 'off', 'off', 'off']
--- more_headers eval
$::sdp
--- error_code eval
[201, 503, 201, 201, 503, 201, 201, 201]



=== webrtc_max_pending: a wrong value
--- http_config
webrtc_max_pending  none;
--- must_die
--- error_log
invalid value "none" in webrtc_max_pending, expected "off" or a number from 1
