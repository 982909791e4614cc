#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The id in a session's URL is a secret: it is in no log, and the public id that is
# in its place is the same in error_log, variables, status and the session itself.

use strict;
use warnings;

use Digest::SHA qw/ sha1_hex /;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->write_file('file.bin', 'x');

$t->start(http => <<'EOF', server => <<'EOF');
log_format  webrtc  '$request_method $uri $webrtc_session';
access_log  %%DIR%%/webrtc.log webrtc;
webrtc_wait 60s;
webrtc_handshake_timeout 2s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    add_header   X-Session $webrtc_session;
}
location /mine {
    webrtc_publish  mine;
    limit_except POST { deny all; }
}
location /files {
    alias        %%DIR%%;
    webrtc_file  on;
}
location /proxied {
    webrtc_play  proxied;
    error_page   415 = @nobody;
}
location @nobody {
    proxy_pass  http://127.0.0.1:%%PORT_none%%;
}
EOF

# real ones, whose life is logged

my $view = NgxWebRTC::Bench->view($t, '/whep/bars', codecs => 'h264');

ok($view->wait(60, sub { $_[0]{playing} }), 'a viewer plays');

my ($real) = @{ list() };

is($real->{state}, 'connected', 'is listed as connected');
is($real->{role}, 'play', 'role');
is($real->{stream}, 'bars', 'stream');
like($t->log, qr/session up.*session:$real->{id},/, 'the same id in error_log');

my ($url) = $t->post_offer('/whep/bars', offer())->{headers}{location};
my ($secret) = $url =~ /session=([0-9a-f]{32})/;
my $public = substr sha1_hex($secret), 0, 12;

is($t->http('GET', $url)->{headers}{'x-session'}, $public, '$webrtc_session');
is(json($t->http('GET', $url, headers => { Accept => 'application/json' })
        ->{content})->{id}, $public, 'the session itself');

my ($listed) = grep { $_->{id} eq $public } @{ list() };

is($listed->{state}, 'answered', 'the status') or diag(explain(list()));

# lines that nginx and we write about requests with it

my ($mine) = $t->post_offer('/mine', offer(direction => 'sendonly'))
             ->{headers}{location};
my ($publisher) = $mine =~ /session=([0-9a-f]{32})/;

is($t->http('DELETE', $mine)->{status}, 403, 'a request that is denied');
is($t->http('PATCH', "/proxied?session=$secret")->{status}, 502,
   'one whose error_page cannot be reached');
is($t->http('DELETE', $url)->{status}, 200, 'DELETE');

$view->stop;

ok($t->no_sessions, 'no session is left');

my $log = $t->log;

unlike($log, qr/$secret|$publisher/, 'no secret id in error_log');
unlike(slurp($t->dir . '/webrtc.log'), qr/[0-9a-f]{32}/, 'nor in access_log');

my $id = substr sha1_hex($publisher), 0, 12;

like($log, qr/forbidden by rule.*"DELETE \/mine\?session=$id HTTP/,
     'the public one in a line of nginx');
my $request = qr{"PATCH /proxied\?session=$public HTTP/1.1"};
my $upstream = qr{"http://127.0.0.1:\d+/proxied\?session=$public"};

like($log, qr/connect\(\) failed.* $request, upstream: $upstream,/,
     'and in both URLs of another');

my @ids = $log =~ /session[:=]([^,& "]+)/g;

cmp_ok(scalar @ids, '>=', 5, 'there are ids in error_log');
is(scalar(grep { !/^[0-9a-f]{12}$/ } @ids), 0, 'all of them are public')
    or diag("@ids");

$t->done;


sub list {
    return json($t->http('GET', '/streams?sessions')->{content})
           ->{session_list};
}
