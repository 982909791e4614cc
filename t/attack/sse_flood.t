#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Event streams without number, of viewers and of file sessions: each session
# has a few, others are told so, connections that come and go leave nothing,
# and all end with their session.

use strict;
use warnings;

use IO::Select;
use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => 'webrtc_handshake_timeout 120s;', server => <<'EOF');
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
EOF

my $N = 60;
my @workers = $t->workers;

# a source has files, and opens and closes others

sub sockets {
    return scalar grep { (readlink // '') =~ /^socket:/ }
                       map { glob "/proc/$_/fd/*" } @workers;
}

my $r = $t->post_offer('/whep', offer());
is($r->{status}, 201, 'a viewer');
my $viewer = $r->{headers}{location};

my $data = offer(video => [], audio => [], application => 1);

$r = $t->http('POST', '/files/a.bin?signal', headers => {
        'Content-Type' => 'application/json' },
    body => JSON::PP::encode_json({ type => 'offer',
        payload => JSON::PP::encode_json({ type => 'offer',
                                           sdp => $data }) }));
is($r->{status}, 201, 'a file session');
my $file = $r->{headers}{location};

my $idle = sockets();

# opens so many streams; the status of each, and those that go on

sub flood {
    my ($path) = @_;

    my (@all, %status);

    for (1 .. $N) {
        my $s = $t->connects('http') or die "connect: $!";

        print $s "GET $path HTTP/1.1\r\nHost: x\r\n"
                 . "Accept: text/event-stream\r\nConnection: close\r\n\r\n";
        push @all, $s;
    }

    for my $s (@all) {
        my $head = '';

        wait_for(20, sub {
            sysread($s, $head, 4096, length $head) || return 1
                if IO::Select->new($s)->can_read(0.02);
            return $head =~ /\r\n\r\n/;
        });

        $status{ $head =~ /^HTTP\S+ (\d+)/ ? $1 : 'none' }++;
    }

    return (\@all, \%status);
}

# reads what there is; true at the end

sub over {
    my ($s) = @_;

    while (IO::Select->new($s)->can_read(0)) {
        return 1 if !sysread $s, my $got, 65536;
    }

    return 0;
}

sub open_ones { return grep { !over($_) } @{ $_[0] } }

my ($events, $status) = flood("$viewer&events");

cmp_ok($status->{200} // 0, '>=', 8, 'some event streams of a viewer');
cmp_ok($status->{200} // 0, '<=', 8 * @workers, 'eight per worker at most');
is(($status->{200} // 0) + ($status->{503} // 0), $N, 'the others get 503')
    or diag(explain($status));

my @orders = map {
    $t->http('POST', "$viewer&events", body => '["active"]', headers => {
        'Content-Type' => 'application/json' })->{status} } 1 .. 20;

is(scalar(grep { $_ == 201 } @orders), 4, 'four orders of a viewer');
is(scalar(grep { $_ == 503 } @orders), 16, 'the others get 503');

my ($signals, $signal) = flood($file);

is($signal->{200}, $N, 'streams of a file session');
ok(wait_for(20, sub { open_ones($signals) <= @workers }),
   'the newest of each worker goes on, the others end');

# what is not there

($_, $status) = flood('/whep?session=' . 'a' x 32 . '&events');
is($status->{404}, $N, 'streams of no session');

# they come and go

close $_ for @$events, @$signals;

for my $round (1 .. 4) {
    my @gone = map { $t->connects('http') } 1 .. 50;

    for my $s (@gone) {
        my $path = $round % 2 ? "$viewer&events" : $file;
        print $s "GET $path HTTP/1.1\r\nHost: x\r\n"
                 . "Accept: text/event-stream\r\n\r\n";
    }

    close $_ for @gone;
}

ok(wait_for(30, sub { sockets() <= $idle + 2 }), 'nothing is left of them')
    or diag(sockets() - $idle);

# one of each kind, and the end

($events) = flood("$viewer&events");
($signals) = flood($file);

is($t->http('DELETE', $_)->{status}, 200, 'DELETE') for $viewer, $file;

ok(wait_for(30, sub { !open_ones($events) && !open_ones($signals) }),
   'all streams end with their session');

is(join(' ', sort $t->workers), join(' ', sort @workers), 'all workers live');
ok($t->no_sessions, 'no session is left');

$t->done;
