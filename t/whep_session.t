#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What happens to a session's URL, from any of four workers: the life of a slot
# that nobody claims, DELETE, the wait for a stream that is not there yet.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw/ time /;

use IO::Socket::INET;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1, workers => 4);

my %conf = (http => <<'EOF', server => <<'EOF');
webrtc_wait               2s;
webrtc_handshake_timeout  60s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location /short {
    webrtc_play               bars;
    webrtc_pull               file:%%MEDIA%%/bars.ts loop;
    webrtc_handshake_timeout  1s;
}
location /late {
    webrtc_play  late;
    webrtc_pull  udp://127.0.0.1:%%PORT_late%%;
    webrtc_wait  8s;
}
location /patient {
    webrtc_play  patient;
    webrtc_pull  tcp://127.0.0.1:%%PORT_none%%;
    webrtc_wait  300s;
}
location /never {
    webrtc_play  never;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_never%%/live/never;
    webrtc_wait  700ms;
}
EOF

$t->start(%conf);


# a session, over and over from all workers: each request is a new connection

my $r = $t->post_offer('/whep/bars', offer());

is($r->{status}, 201, 'POST') or diag($r->{content});

my $location = $r->{headers}{location} // '';
my $etag = $r->{headers}{etag};

like($location, qr{^/whep/bars\?session=[0-9a-f]{32}$}, 'Location');
like($etag, qr{^"[^"]+"$}, 'a strong ETag');

for (1 .. 12) {
    my $o = $t->http('OPTIONS', $location);
    is($o->{status}, 200, 'OPTIONS on the session');
    like($o->{headers}{'access-control-allow-methods'} // '', qr/DELETE/,
         'which names DELETE');

    my $g = $t->http('GET', $location);
    like($g->{status}, qr/^2..$/, 'GET of the session');
    is($g->{content} // '', '', 'without body');
}

for my $method (qw/ PUT POST /) {
    my $m = $t->http($method, $location, body => 'x',
                     headers => { 'Content-Type' => 'text/plain' });
    is($m->{status}, 405, "$method on the session");
    like($m->{headers}{allow} // '', qr/DELETE/, 'Allow');
}

# another location's session, or none

is($t->http('DELETE', '/whep/bars?session=' . 'f' x 32)->{status}, 404,
   'DELETE of an unknown one');

is($t->http('DELETE', $location, headers => { 'If-Match' => '"other"' })
   ->{status}, 200, 'DELETE, whatever If-Match says');
is($t->http('DELETE', $location)->{status}, 404, 'DELETE again');
is($t->http('GET', $location)->{status}, 404, 'GET of an ended one');
is($t->http('OPTIONS', '/whep/bars')->{status}, 200, 'the endpoint stays');


# ids and credentials are never the same

my (%id, %ufrag, %etag);

for (1 .. 100) {
    my $p = $t->post_offer('/whep/bars', offer());
    $id{$1}++ if ($p->{headers}{location} // '') =~ /session=(\w+)/;
    $ufrag{$1}++ if ($p->{content} // '') =~ /^a=ice-ufrag:(\S+)/m;
    $etag{$p->{headers}{etag} // ''}++;
}

is(scalar(keys %id), 100, '100 ids');
is(scalar(keys %ufrag), 100, '100 user fragments');
is($t->status->{sessions}, 100, '100 sessions');

my $deleted = grep { $t->http('DELETE', "/whep/bars?session=$_")->{status}
                     == 200 } sort keys %id;

is($deleted, 100, '100 deleted');
ok($t->no_sessions, 'none is left');


# a slot that nobody claims

$t->post_offer('/short', offer()) for 1 .. 20;
is($t->status->{sessions}, 20, '20 slots');
ok($t->no_sessions, 'which expire by webrtc_handshake_timeout');


# waiting

my $start = time();
$r = $t->post_offer('/never', offer());
my $took = time() - $start;

is($r->{status}, 409, 'nothing live after webrtc_wait');
like($r->{headers}{'retry-after'} // '', qr/^\d+$/, 'Retry-After');
is($r->{headers}{'content-type'}, 'application/problem+json', 'and a problem');
cmp_ok($took, '>=', 0.6, 'not before');
note("but after $took s");

# the source comes while the request waits

my $child = $t->spawn('late', sub {
    my $p = $t->post_offer('/late', offer());
    print STDERR "status $p->{status}\n";
});

ok(wait_for(60, sub { $t->stream('late') }), 'the offer has made the stream');
ok(!$t->exited($child), 'the offer waits');

my $ffmpeg = $t->publish('bars.ts', 'mpegts',
                         'udp://127.0.0.1:' . $t->port('late')
                         . '?pkt_size=1316');

$t->reap($child, 15);
like(slurp($child->{log}), qr/^status 201$/m,
     'it is answered when the stream is there');

# a client that goes away while it waits leaves nothing

my $gone = $t->spawn('gone', sub {
    $t->post_offer('/never', offer());
});

wait_for(0.3, sub { 0 });
$t->kill($gone);

# nor does one that is gone before it begins to wait

for my $n (1 .. 8) {
    my $body = offer();
    my $s = IO::Socket::INET->new(Proto => 'tcp',
        PeerAddr => '127.0.0.1', PeerPort => $t->port('http')) or die;

    print $s "POST /patient?$n HTTP/1.1\r\nHost: localhost\r\n"
             . "Content-Type: application/sdp\r\nContent-Length: "
             . length($body) . "\r\n\r\n$body";
    close $s;
}

ok(wait_for(60, sub {
    8 == (() = slurp($t->dir . '/access.log')
               =~ m{"POST /patient\?\d [^"]*" 499}g);
}), 'who has gone is noticed') or diag(slurp($t->dir . '/access.log'));

for (1 .. 12) {
    is($t->http('OPTIONS', '/never')->{status}, 200, 'workers go on');
}


# the demo's zone survives a reload, and so do slots in it

$r = $t->post_offer('/whep/bars', offer());
$location = $r->{headers}{location};

ok($t->reload(%conf), 'reload');
is($t->http('GET', $location)->{status}, 204, 'the session is still there');
is($t->http('DELETE', $location)->{status}, 200, 'DELETE after the reload');


# sources end with their viewers: slots count until they expire

$t->done;
