#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Offers, messages and orders that come a byte at a time, or not at all after
# their header: they take no session, stream or source, keep nobody waiting,
# and end by client_body_timeout.

use strict;
use warnings;

use IO::Select;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $EACH = 12;

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_handshake_timeout  60s;
client_body_timeout       1s;
lingering_timeout         1s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /whip   { webrtc_publish mine; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
EOF

my ($worker) = $t->workers;

# a source has files, and opens and closes others

sub sockets {
    return scalar grep { (readlink // '') =~ /^socket:/ }
                       glob "/proc/$worker/fd/*";
}

my $r = $t->post_offer('/whep/bars', offer());
is($r->{status}, 201, 'a session');
my $url = $r->{headers}{location};

my $idle = sockets();

my @rows = (
    [ POST  => '/whep/slow',          'application/sdp' ],
    [ POST  => '/whip',               'application/sdp' ],
    [ POST  => '/files/a.bin',        'application/sdp' ],
    [ POST  => '/files/a.bin?signal', 'application/json' ],
    [ POST  => "$url&events",         'application/json' ],
    [ PATCH => $url, 'application/trickle-ice-sdpfrag' ],
);

my $select = IO::Select->new;
my %slow;

for my $row (@rows) {
    for my $n (1 .. $EACH) {
        my ($method, $path, $type) = @$row;
        my $s = $t->connects('http') or die "connect: $!";

        # a third sends nothing, a third begins, a third is chunked

        my ($length, $begin) = $n % 3 == 0 ? ('Content-Length: 4000', '')
                             : $n % 3 == 1 ? ('Content-Length: 4000', 'v=0')
                             : ('Transfer-Encoding: chunked', "fa0\r\nv=0");

        print $s "$method $path HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
                 . "$length\r\n\r\n$begin";

        $select->add($s);
        $slow{fileno $s} = $path;
    }
}

my $n = keys %slow;

ok(wait_for(20, sub { sockets() >= $idle + $n - 2 }), 'they are read');

# while these drip, the others are served

ok(wait_for(20, sub {
    $t->post_offer('/whep/bars', offer())->{status} == 201 }),
   'another one is served');

is($t->status->{sessions}, 2, 'they take no session');
is($t->stream('slow'), undef, 'nor start a source');
is($t->stream('mine'), undef, 'nor take a name');

# one that drips goes on for as long as it drips, and is served then

my $drip = $t->connects('http');
my $sdp = offer();

print $drip "POST /whep/bars HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            . "Content-Type: application/sdp\r\nContent-Length: "
            . length($sdp) . "\r\n\r\n";

for my $part ($sdp =~ /.{1,100}/sg) {
    syswrite $drip, $part;
    select undef, undef, undef, 0.01;
}

sysread $drip, my $head, 65536;
like($head // '', qr/^HTTP\S+ 201 /, 'an honest one that drips is served');

my %got;

wait_for(30, sub {
    for my $s ($select->can_read(0)) {
        my $got = '';
        sysread $s, $got, 65536;
        my ($status) = ($got // '') =~ /^HTTP\S+ (\d+)/;
        $got{$status // 'closed'}++;
        $select->remove($s);
        close $s;
    }

    return !$select->count;
});

is($select->count, 0, 'all are ended by client_body_timeout')
    or diag(explain(\%got));
is($got{201}, undef, 'none was served');

# answers of before may keep their connections

ok(wait_for(20, sub { sockets() <= $idle + 2 }), 'no descriptor is left')
    or diag(sockets() - $idle);
is($t->status->{sessions}, 3, 'no session either');

is(join(' ', $t->workers), $worker, 'the worker lives');

is($t->http('DELETE', $url)->{status}, 200, 'DELETE');

$t->done;
