#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Hooks of what has happened: sessions that have ended, streams that came and
# went; and webrtc_notify, which ends sessions that are refused later.  Their
# requests are the module's own: with proxy_pass, "internal" locations, an
# upstream that is slow or dead.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1, connections => 512);

my $app = $t->write_file('app.py', <<'EOF');
import http.server, os, socketserver, sys, time

class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[2], 'a') as f:
            f.write(self.path + '\n')
        if 'hangs' in self.path:
            time.sleep(60)
        refused = 'notify' in self.path and os.path.exists(sys.argv[3])
        body = b'' if 'publish?' in self.path else b'x' * 200000
        self.send_response(403 if refused else 200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

Server(('127.0.0.1', int(sys.argv[1])), App).serve_forever()
EOF

$t->spawn('app', [ '/usr/bin/python3', $app, $t->port('app'),
                   $t->dir . '/app.log', $t->dir . '/refuse' ]);

ok(wait_for(20, sub { $t->connects('app') }), 'the upstream runs');

$t->start(http => <<'EOF', server => <<'EOF2');
webrtc_wait  15s;
webrtc_max_pending  off;
webrtc_handshake_timeout  3s;
log_format  calls  '$request_uri $status';
webrtc_on_publish_done  /hook/$webrtc_event?stream=$webrtc_stream&role=$webrtc_role&id=$webrtc_session&why=$webrtc_end&received=$webrtc_packets_received;
webrtc_on_play_done     /hook/$webrtc_event?stream=$webrtc_stream&role=$webrtc_role&id=$webrtc_session&why=$webrtc_end&sent=$webrtc_packets_sent;
webrtc_on_stream_up     /hook/up?stream=$webrtc_stream&role=$webrtc_role;
webrtc_on_stream_down   /hook/down?stream=$webrtc_stream&received=$webrtc_packets_received;
EOF
access_log  %%DIR%%/calls.log  calls;
location /hook {
    internal;
    proxy_pass          http://127.0.0.1:%%PORT_app%%;
    proxy_read_timeout  2s;
}
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location /checked {
    webrtc_publish          checked;
    webrtc_on_publish       /hook/$webrtc_event?stream=$webrtc_stream&id=$webrtc_session;
    webrtc_notify           1s;
}
location /quiet {
    webrtc_publish          quiet;
    webrtc_on_publish_done  off;
    webrtc_on_stream_up     off;
    webrtc_on_stream_down   off;
}
location /static {
    webrtc_publish          static;
    webrtc_on_publish_done  /nothing?stream=static;
    webrtc_on_stream_up     /empty;
}
location = /empty {
    internal;
    return 204;
}
location /dead {
    webrtc_publish          dead;
    webrtc_on_publish_done  /down;
}
location = /down {
    internal;
    proxy_pass  http://127.0.0.1:%%PORT_dead%%;
}
EOF2

sub told { return slurp($t->dir . '/app.log') }

# the line of the hook, as soon as it is there

sub hook {
    my ($re) = @_;

    return wait_for(30, sub { my ($l) = told() =~ /^($re.*)$/m; return $l });
}


my %pub = map { $_ => NgxWebRTC::Bench->publish($t, $_, bitrate => 200000,
                          size => 600, codec => 'vp8') }
          qw{ /whip/live /checked /quiet /static /dead };
my $view = NgxWebRTC::Bench->view($t, '/whep/live', codecs => 'vp8');

ok($view->wait(40, sub { ($_[0]{viewer0}{video}{packets} // 0) >= 50 }),
   'a viewer');

is(hook(qr{/hook/up\?stream=live}), '/hook/up?stream=live&role=publish',
   'a stream is up');

my %id = map { $_->{role} => $_->{id} }
         @{ json($t->http('GET', '/streams?stream=live')->{content})
            ->{session_list} };

$view->stop;
my $line = hook(qr{/hook/session\?stream=live&role=play});
like($line, qr/&id=$id{play}&why=deleted&sent=\d\d+$/, 'a viewer has left');

$pub{'/whip/live'}->stop;
$line = hook(qr{/hook/session\?stream=live&role=publish});
like($line, qr/&id=$id{publish}&why=deleted&received=\d\d+$/,
     'a publisher has left');
like(hook(qr{/hook/down\?stream=live}), qr/received=\d\d+$/,
     'the stream is down');

subtest 'never connected' => sub {
    $t->post_offer('/whip/never', offer(direction => 'sendonly'));

    like(hook(qr{/hook/session\?stream=never}), qr/&why=never%20connected&/,
         'is told, too');
};

subtest 'notify' => sub {
    like(hook(qr{/hook/publish\?stream=checked}), qr/&id=$/,
         'the offer is decided');
    $line = hook(qr{/hook/notify\?stream=checked});
    like($line, qr/&id=[0-9a-f]{12}$/, 'and asked again');
    ok(wait_for(20, sub { (() = told() =~ m{/hook/notify}g) >= 3 }),
       'from time to time');
    ok($t->stream('checked')->{state} =~ /active/, 'it goes on');

    $t->write_file('refuse', '');

    ok(wait_for(30, sub {
        !@{ json($t->http('GET', '/streams?stream=checked&part=sessions')
                 ->{content})->{session_list} }
    }), 'until it is refused');
    like($t->log, qr/session closed: refused by a hook/, 'the log says so');
};

subtest 'off, an answer of nginx, a dead upstream' => sub {
    $pub{$_}->stop for qw{ /quiet /static /dead };

    ok(wait_for(20, sub {
        slurp($t->dir . '/calls.log') =~ m{^/nothing\?stream=static 404$}m
    }), 'any answer will do');
    like(slurp($t->dir . '/calls.log'), qr{^/empty 204$}m, 'or an empty one');
    ok(wait_for(20, sub {
        slurp($t->dir . '/calls.log') =~ m{^/down 502$}m
    }), 'an upstream that is not there');
    unlike(told(), qr/quiet/, 'off');
};

subtest 'an upstream that hangs' => sub {
    my @where = map {
        $t->post_offer('/whip/hangs' . $_, offer(direction => 'sendonly'))
          ->{headers}{location}
    } 1 .. 100;

    is($t->http('DELETE', $_)->{status}, 200, 'DELETE') for @where;
    is($t->post_offer('/quiet', offer(direction => 'sendonly'))->{status}, 201,
       'holds nobody up');

    # not more than so many at a time, but all of them in the end

    ok(wait_for(60, sub { (() = told() =~ /hangs/g) == 100 }), 'all are told')
        or diag(scalar(() = told() =~ /hangs/g));
    ok(wait_for(30, sub {
        (() = slurp($t->dir . '/calls.log') =~ /hangs\S* 504$/mg) == 100
    }), 'and given up');
};

$t->allow(qr/upstream timed out|connect\(\) failed/);

ok($t->no_sessions, 'no session is left');
$t->done;
