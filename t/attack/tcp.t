#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Strangers at the TCP port: what can be no check is closed at its first bytes,
# what is slow at its deadline, what is too many at once; and what a session's
# own connection carries besides.  A viewer plays meanwhile.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw/ time /;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun qw/ request parse /;

my $t = NgxWebRTC->new(asan => 1, workers => 1);

$t->start(http => 'webrtc_wait 20s; webrtc_handshake_timeout 60s;',
          server => <<'EOF');
location = /whip { webrtc_publish x; }
location = /whep { webrtc_play x; }
EOF

my $pub = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 300000);
my $view = NgxWebRTC::Bench->view($t, '/whep', tcp => undef);

ok($view->wait(60, sub { $_[0]{playing} }), 'a viewer');

my $location;
my ($ufrag, $pwd) = session();
my $check = framed(request(username => "$ufrag:tEsT", pwd => $pwd, use => 1));

# slow ones first: they have to wait for their deadline

my %slow = map { $_ => conn() } qw/ nothing length part drip /;

$slow{length}->syswrite(substr $check, 0, 1);
$slow{part}->syswrite(substr $check, 0, 30);

# closed at once

my @rows = (
    [ 'HTTP', "GET / HTTP/1.1\r\nHost: x\r\n\r\n" ],
    [ 'TLS', "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'x' x 32 ],
    [ 'its first two bytes', 'GE' ],
    [ 'an empty frame', "\0\0" ],
    [ 'one of 65535 bytes', "\xff\xff" . 'x' x 100 ],
    [ 'one of 1025 bytes', "\x04\x01\0\1" ],
    [ 'one that is too short', "\0\x13\0\1" . 'x' x 17 ],
    [ 'DTLS', framed("\x16\xfe\xff" . 'x' x 60) ],
    [ 'a response', framed("\1\1\0\0\x21\x12\xa4\x42" . 'x' x 12) ],
    [ 'a request of another kind', framed("\0\3\0\0\x21\x12\xa4\x42" . 'x' x 12) ],
    [ 'no user name', framed(request(pwd => $pwd)) ],
    [ 'another user name', framed(request(username => 'aaaa:tEsT', pwd => 'x')) ],
    [ 'no integrity', framed(request(username => "$ufrag:tEsT")) ],
    [ 'another password', framed(request(username => "$ufrag:tEsT",
                                         pwd => 'x' x 24)) ],
    [ 'garbage', framed("\0\1\0\x50\x21\x12\xa4\x42" . "\xff" x 92) ],
    [ 'a length that is not its own', framed("\0\1\xff\xf0\x21\x12\xa4\x42"
                                             . "\0" x 12) ],
);

for my $row (@rows) {
    my $s = conn();
    $s->syswrite($row->[1]);
    ok(closed($s, 4), "$row->[0]: closed");
}

like($t->log, qr/\[info\].*webrtc tcp connection closed: .*client: 127\.0\.0\.1/,
     'the log says so');

# half a check and its end

my $s = conn();
$s->syswrite(substr $check, 0, 40);
shutdown $s, 1;
ok(closed($s, 4), 'half a check, and no more to come: closed');

# byte by byte

my $drip = $slow{drip};

for my $byte (split //, $check) {
    last if closed($drip, 0.15) || !defined $drip->syswrite($byte);
}

for my $name (sort keys %slow) {
    ok(closed($slow{$name}, 30), "slow, $name: closed at its deadline");
}

# more than may be: the oldest go, the newest is served

my @many = map { conn() } 1 .. 300;

ok(wait_for(30, sub { (tcp()->{accepted} // 0) > 320
                      && tcp()->{pending} <= 128 }), 'a flood: few stay')
    or diag(explain(tcp()));

ok(closed($many[0], 10), 'a flood: the oldest does not');

my $own = conn();
$own->syswrite($check);

my $r = parse(frame($own, 20) // '');

is($r->{type}, 0x101, 'who is somebody is answered meanwhile');

@many = ();

# on a session's connection: what is too long is passed over, what is of another
# session is not looked at

$own->syswrite("\xff\xff" . 'x' x 65535);
$own->syswrite(framed("\x80\xc8" . 'x' x 100) . framed("\0") . "\0\0"
               . framed(request(username => 'other:tEsT', pwd => 'x')));

for my $part (unpack '(a7)*', framed(request(username => "$ufrag:tEsT",
                                             pwd => $pwd)))
{
    $own->syswrite($part);
}

is(parse(frame($own, 20) // '')->{type}, 0x101, 'then a check, in pieces');

# DELETE ends the connection, too

is($t->http('DELETE', $location)->{status}, 200, 'DELETE');
ok(closed($own, 20), 'the connection of a session that has ended: closed');

my $n = $view->report->{packets};

ok($view->wait(60, sub { $_[0]{packets} > $n + 50 }), 'the viewer plays on');

$r = $view->stop;

is($r->{$_}, 0, "the viewer: $_") for qw/ failed lost auth_fail seq_breaks /;

$pub->stop;

ok($t->no_sessions, 'no session is left');
ok(wait_for(30, sub { tcp()->{pending} == 0 && tcp()->{connections} == 0 }),
   'no connection is left');
cmp_ok(tcp()->{refused}, '>', 180, 'they were counted');

$t->done;


sub conn {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $t->port('udp'), Timeout => 20) || die "connect: $!";
}


sub framed { return pack('n', length $_[0]) . $_[0] }


# the next datagram of a connection

sub frame {
    my ($s, $seconds) = @_;

    my $buf = '';
    my $end = time() + $seconds;

    while (time() < $end) {
        next if !IO::Select->new($s)->can_read($end - time());
        last if !$s->sysread($buf, 4096, length $buf);

        if (length $buf > 1 && length $buf >= 2 + unpack 'n', $buf) {
            return substr $buf, 2, unpack 'n', $buf;
        }
    }

    return undef;
}


# whether the server closes it within so many seconds

sub closed {
    my ($s, $seconds) = @_;

    my $end = time() + $seconds;

    for ( ;; ) {
        my $left = $end - time();

        return 0 if !IO::Select->new($s)->can_read($left > 0 ? $left : 0);
        return 1 if !$s->sysread(my $buf, 4096);
    }
}


# a session that waits for its check

sub session {
    my $r = $t->post_offer('/whep', offer());

    my ($ufrag) = $r->{content} =~ /^a=ice-ufrag:(\S+)/m;
    my ($pwd) = $r->{content} =~ /^a=ice-pwd:(\S+)/m;

    $location = $t->url($r->{headers}{location});

    return ($ufrag // '', $pwd // '');
}


sub tcp {
    my $r = json($t->http('GET', '/streams?part=workers')->{content}) || {};

    return $r->{workers}[0]{tcp} || {};
}
