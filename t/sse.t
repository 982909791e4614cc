#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Server-sent events of WHEP sessions: how they are ordered, what comes, when it
# ends; protocols.md, "Server-sent events of a WHEP session"; WHATWG HTML, 9.2.
# Four workers: an event stream is nearly always in another one than the
# session.

use strict;
use warnings;

use IO::Socket::INET;
use Socket;
use Test::More;
use Time::HiRes qw/ time /;

use NgxWebRTC;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request answer parse /;

my $t = NgxWebRTC->new(asan => 1, workers => 4);

my %conf = (main => 'worker_shutdown_timeout 4s;', http => <<'EOF',
webrtc_handshake_timeout  120s;
webrtc_wait               8s;
EOF
    server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location /live {
    webrtc_play  live;
    webrtc_pull  tcp://127.0.0.1:%%PORT_live%%;
    webrtc_idle_timeout  60s;
}
location /whip {
    webrtc_publish  published;
}
location = /control {
    webrtc_status  control;
}
listen 127.0.0.1:%%PORT_slow%% sndbuf=4k;
location /slow {
    webrtc_play   bars;
    send_timeout  1s;
}
EOF

{
    no warnings 'redefine';

    # this test has its own worker_shutdown_timeout

    my $config = \&NgxWebRTC::config;
    *NgxWebRTC::config = sub {
        my $text = $config->(@_);
        $text =~ s/worker_shutdown_timeout 30s;//;
        return $text;
    };
}

$t->start(%conf);

my %json = ('Content-Type' => 'application/json');


# an event stream: {sock, head, buf}

sub events {
    my ($path, %h) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http')) or die;
    print $s "GET $path HTTP/1.1\r\nHost: localhost\r\n"
             . join('', map { "$_: $h{$_}\r\n" } sort keys %h) . "\r\n";

    my $e = { sock => $s, buf => '' };

    more($e, 30, sub { $e->{buf} =~ /\r\n\r\n/ });
    $e->{head} = $1 if $e->{buf} =~ s/^(.*?\r\n)\r\n//s;

    return $e;
}


# reads until the condition is true, or the time or the stream are over

sub more {
    my ($e, $seconds, $until) = @_;

    my $end = time() + $seconds;

    while (!$until->() && !$e->{eof}) {
        my $left = $end - time();
        my $bits = '';
        vec($bits, fileno($e->{sock}), 1) = 1;

        return 0 if $left <= 0 || select($bits, undef, undef, $left) <= 0;

        $e->{eof} = 1 if !sysread $e->{sock}, $e->{buf}, 65536,
                                  length $e->{buf};
    }

    return $until->() ? 1 : 0;
}


sub has {
    my ($e, $seconds, $re, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return ok(more($e, $seconds, sub { $e->{buf} =~ $re }), $name)
           || diag($e->{head}, $e->{buf});
}


sub order {
    my ($s, $body, %h) = @_;

    return $t->http('POST', "$s&events", body => $body,
                    headers => { %json, %h });
}


my $r = $t->post_offer('/whep/bars', offer());
is($r->{status}, 201, 'POST') or diag($r->{content});

my $url = $r->{headers}{location};

subtest 'the 201 has a Link to the events of the session' => sub {
    my $link = $r->{headers}{link};
    like(ref $link ? join ',', @$link : $link // '',
         qr/^<\Q$url\E&events>;\ rel="urn:ietf:params:whep:ext:core:server-sent
            -events";\ events="active,inactive,layers,reconnect,viewercount"$/x,
         'Link');

    my $whip = $t->post_offer('/whip', offer(direction => 'sendonly'));
    is($whip->{status}, 201, 'WHIP');
    ok(!$whip->{headers}{link}, 'has none');
    $t->http('DELETE', $whip->{headers}{location});
};


subtest 'POST of event names: 201 and the Location of the stream' => sub {
    for my $body ('["active"]', '', '[]',
                  '["active","inactive","layers","reconnect","viewercount"]')
    {
        my $p = order($url, $body);
        is($p->{status}, 201, "201: $body") or diag($p->{content});

        my $stream = $p->{headers}{location} // '';
        like($stream, qr/^\Q$url\E&events=[0-9a-f]{8}$/, 'Location');

        my $o = $t->http('OPTIONS', $stream);
        is($o->{status}, 200, 'OPTIONS');
        like($o->{headers}{allow} // '', qr/DELETE/, 'names DELETE');

        my $h = $t->http('HEAD', $stream);
        is($h->{status}, 200, 'HEAD');
        is($h->{headers}{'content-type'}, 'text/event-stream', 'its type');

        for my $method (qw/ PUT PATCH POST /) {
            my $m = $t->http($method, $stream, body => 'x');
            is($m->{status}, 405, "405: $method");
        }

        is($t->http('DELETE', $stream)->{status}, 200, 'DELETE');
        is($t->http('DELETE', $stream)->{status}, 404, 'then 404');
        is($t->http('GET', $stream)->{status}, 404, 'GET as well');
    }
};


subtest 'POST of what is no list of known events' => sub {
    for my $body ('["scte35"]', '["active","x"]', '{}', '[',
                  '["active"', 'active', '["active",]', "[\"\0\"]")
    {
        my $p = order($url, $body);
        is($p->{status}, 400, "400: $body");
        is($p->{headers}{'content-type'}, 'application/problem+json',
           'a problem');
        ok(!$p->{headers}{location}, 'and no stream');
    }

    is(order($url, '[]', 'Content-Type' => 'text/plain')->{status}, 415,
       'another type: 415');
    is(order($url, '[' . ' ' x 5000 . ']')->{status}, 413, 'too long: 413');
    is(order('/whep/bars?session=' . '0' x 32, '')->{status}, 404,
       'unknown session: 404');
    is($t->http('DELETE', "$url&events")->{status}, 405,
       'what was not ordered cannot be deleted');
    is($t->http('GET', "$url&events=$_")->{status}, 404, "no stream $_")
        for '00000000', '1', 'x' x 8, 'ffffffffffffffff';
};


subtest 'only so many are kept for a session' => sub {
    my @streams = map { order($url, '')->{headers}{location} // () } 1 .. 4;
    is(scalar(@streams), 4, 'four');

    my $p = order($url, '');
    is($p->{status}, 503, 'not five');
    like($p->{headers}{'retry-after'} // '', qr/^\d+$/, 'Retry-After');

    $t->http('DELETE', $_) for @streams;
    is(order($url, '')->{status}, 201, 'room again');
};


subtest 'GET: text/event-stream, active at once, a count of viewers' => sub {
    my $e = events("$url&events");

    like($e->{head}, qr{^HTTP/1.1 200 }, 'status');
    like($e->{head}, qr{^Content-Type: text/event-stream\r$}m, 'type');
    like($e->{head}, qr{^Cache-Control: no-store\r$}m, 'not to be cached');

    has($e, 30, qr/^retry: \d+\n\n/m, 'retry');
    has($e, 30, qr/^event: active\nid: 1-\ndata: \{\}\n\n/m, 'active');
    has($e, 30, qr/^event:\ viewercount\nid:\ 1-0\n
                   data:\ \{"viewercount":0\}\n\n/mx, 'viewercount');

    # somebody connects: aiortc, since it has to be a viewer and no mere check

    my $child = $t->spawn('viewer', sub {
        $t->aiortc($t->url('/whep/bars'), seconds => 2);
    });

    has($e, 30, qr/^data: \{"viewercount":1\}\n\n/m, 'one more');
    has($e, 30, qr/^data: \{"viewercount":1\}\n\n.*\{"viewercount":0\}\n\n/ms,
        'one less');
    unlike($e->{buf}, qr/inactive/, 'never an initial inactive');

    $t->reap($child, 20);
};


subtest 'only what was ordered' => sub {
    my $stream = order($url, '["viewercount"]')->{headers}{location};
    my $e = events($stream);

    has($e, 30, qr/viewercount/, 'viewercount');
    unlike($e->{buf}, qr/event: active/, 'no active');

    is($t->http('DELETE', $stream)->{status}, 200, 'DELETE');
    ok(more($e, 30, sub { $e->{buf} =~ /\r\n0\r\n\r\n\z/ }), 'ends it')
        or diag($e->{buf});
};


subtest 'Last-Event-ID: what is known is not told again' => sub {
    my $e = events("$url&events", 'Last-Event-ID' => '1-0');
    has($e, 30, qr/retry/, 'a stream');
    ok(!more($e, 1.3, sub { $e->{buf} =~ /event:/ }), 'without news')
        or diag($e->{buf});

    $e = events("$url&events", 'Last-Event-ID' => '2-7');
    has($e, 30, qr/event: active.*\{"viewercount":0\}/s, 'what has changed');

    for my $id ('x', '1-99999999999999999999', '', '9-9', '-' x 100) {
        $e = events("$url&events", 'Last-Event-ID' => $id);
        has($e, 30, qr/event: active/, "no id of ours: $id");
    }
};


subtest 'inactive and active, as the upstream goes and comes' => sub {
    my $from = 'tcp://127.0.0.1:' . $t->port('live') . '?listen=1';
    my $ffmpeg = $t->publish('bars.ts', 'mpegts', $from);
    my $p = $t->post_offer('/live', offer());
    is($p->{status}, 201, 'POST') or diag($p->{content});

    my @e = map { events("$p->{headers}{location}&events") } 1 .. 3;

    has($_, 30, qr/event: active/, 'active') for @e;

    $t->kill($ffmpeg);

    has($_, 30, qr/event: inactive\nid: 2-/, 'inactive') for @e;

    $ffmpeg = $t->publish('bars.ts', 'mpegts', $from);

    has($_, 30, qr/event: inactive.*event: active/s, 'active again') for @e;

    is($t->http('DELETE', $p->{headers}{location})->{status}, 200, 'DELETE');

    for my $e (@e) {
        ok(more($e, 30, sub { $e->{buf} =~ /\r\n0\r\n\r\n\z/ }),
           'ends the event streams of the session');
    }

    $t->kill($ffmpeg);
};


subtest 'a hundred event streams, half of which go away' => sub {
    my @urls = map { $t->post_offer('/whep/bars', offer())
                     ->{headers}{location} } 1 .. 25;
    my @e = map { my $u = $_; map { events("$u&events") } 1 .. 4 } @urls;

    has($e[$_], 30, qr/event: active/, "stream $_") for 0, 50, 99;
    close $_->{sock} for @e[0 .. 49];

    $t->http('DELETE', $_) for @urls;

    ok(more($_, 30, sub { $_->{buf} =~ /\r\n0\r\n\r\n\z/ }), 'ended')
        for @e[50, 75, 99];
};


subtest 'heartbeat: a comment every 15 s' => sub {
    plan skip_all => 'set NGX_WEBRTC_SLOW=1' if !$ENV{NGX_WEBRTC_SLOW};

    my $e = events("$url&events");
    has($e, 60, qr/^:\n\n.*^:\n\n/ms, 'two comments');
};


# a session of the old workers, an event stream of the new ones

my $sock = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
    PeerAddr => '127.0.0.1', PeerPort => $t->port('udp'));

subtest 'reconnect on demand, as often as it is demanded' => sub {
    my $r = $t->post_offer('/whep/bars', offer());
    my $one = events("$r->{headers}{location}&events");

    has($one, 30, qr/event: active/, 'an event stream');

    for my $n (1 .. 2) {
        my $c = $t->http('POST', '/control?reconnect=bars');

        is($c->{status}, 200, 'demanded');
        like($c->{content}, qr/^\{"reconnect":[1-9]/, 'of some viewers');
        has($one, 30, qr{(?:event:\ reconnect\nid:\ \S+\n
                         data:\ \{"url":"/whep/bars"\}\n\n.*){$n}}sx,
            "reconnect, $n");
    }

    is($t->http('DELETE', $r->{headers}{location})->{status}, 200, 'DELETE');
};


# nothing of it is read: the URL makes the events long

subtest 'a client that does not read: send_timeout' => sub {
    my $r = $t->post_offer('/slow/' . 'x' x 3000, offer());
    is($r->{status}, 201, 'a session') or diag($r->{content});

    socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
    setsockopt($s, SOL_SOCKET, SO_RCVBUF, 2048) or die;
    connect($s, pack_sockaddr_in($t->port('slow'), inet_aton('127.0.0.1')))
        or die;
    syswrite $s, "GET $r->{headers}{location}&events HTTP/1.1\r\n"
                 . "Host: localhost\r\n\r\n";

    ok(wait_for(100, sub {
        $t->http('POST', '/control?reconnect=bars');
        return $t->log =~ /client timed out.*\/slow\//;
    }), 'it is given up');

    is($t->http('GET', $r->{headers}{location})->{status}, 204,
       'its session goes on');
    is($t->http('DELETE', $r->{headers}{location})->{status}, 200, 'DELETE');
};


subtest 'reconnect near the end of worker_shutdown_timeout' => sub {
    $r = $t->post_offer('/whep/bars', offer());
    $url = $r->{headers}{location};

    my ($ufrag) = $r->{content} =~ /^a=ice-ufrag:(\S+)/m;
    my ($pwd) = $r->{content} =~ /^a=ice-pwd:(\S+)/m;

    $sock->send(request(username => "$ufrag:tEsT", pwd => $pwd, use => 1));
    ok(parse(answer($sock, 30)), 'a session');

    my $old = events("$url&events");
    has($old, 30, qr/event: active/, 'an event stream');

    ok($t->reload(%conf), 'reload');

    ok(more($old, 30, sub { $old->{eof} }), 'ends it');
    unlike($old->{buf}, qr/reconnect/, 'the session goes on');

    my $new = events("$url&events", 'Last-Event-ID' => '1-0');
    has($new, 30, qr{^event:\ reconnect\nid:\ \S+\ndata:\ \{"url":"/whep/bars"\}
                     \n\n}mx, 'reconnect');
};


$t->done;
