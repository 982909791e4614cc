#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# ICE-TCP: a publisher and viewers whose datagrams all go over connections, four
# workers, of which any accepts; a reload under play; a viewer that does not read
# for a while.  And a TCP port that is not free.

use strict;
use warnings;

use IO::Socket::INET;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

my $names = 0;

my %conf = (http => 'webrtc_wait 20s;', server => <<'END');
location = /whip { webrtc_publish x; }
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location = /whep { webrtc_play x; }
END

$t->start(%conf);

my $pub = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 4000000,
                                    tcp => undef, audio => undef);

ok($pub->wait(60, sub { ($_[0]{packets} // 0) > 50 }), 'a publisher over TCP');

my $slow = NgxWebRTC::Bench->view($t, '/whep', tcp => undef, audio => undef,
                                  rcvbuf => 8192, settle => 2, stall => 4);
my $view = NgxWebRTC::Bench->view($t, '/whep', n => 6, ramp => 20,
                                  tcp => undef, audio => undef);
my $udp = NgxWebRTC::Bench->view($t, '/whep', n => 2, audio => undef);

ok($view->wait(60, sub { ($_[0]{playing} // 0) == 6 }), 'viewers over TCP');
ok($udp->wait(60, sub { ($_[0]{playing} // 0) == 2 }), 'and over UDP');

ok(wait_for(60, sub { tcp('connections') == 8 }), 'so many connections')
    or diag(explain($t->status->{workers}));

is(scalar(grep { $_->{ice_pair} eq 'tcp' } sessions()), 8,
   'the status says which sessions have one');

ok(wait_for(60, sub { (stream()->{lapped} // 0) > 0 }),
   'one does not read: it is left behind');

my $n = $slow->report->{packets};

ok($slow->wait(60, sub { $_[0]{packets} > $n + 500 }), 'then it reads again');
is(tcp('dropped'), 0, 'nothing that was sent to it was thrown away');

my $r = $slow->stop;

is($r->{$_}, 0, "slow: $_") for qw(failed lost auth_fail seq_breaks backwards);

$t->reload(%conf);

$n = $view->report->{packets};

ok($view->wait(60, sub { $_[0]{packets} > $n + 1000 }), 'on after a reload');

my $more = NgxWebRTC::Bench->view($t, '/whep', n => 4, ramp => 20,
                                  tcp => undef);

ok($more->wait(60, sub { ($_[0]{playing} // 0) == 4 }), 'new ones, too');

$more->stop;
$udp->stop;
$r = $view->stop;

is($r->{$_}, 0, "viewers: $_") for qw(failed lost reordered auth_fail broken
                                      seq_breaks backwards missing);

is($pub->stop->{failed}, 0, 'the publisher');
ok($t->no_sessions, 'no session is left');
ok(wait_for(60, sub { tcp('connections') == 0 }), 'no connection is left');

# the TCP port is another one's

my $port = $t->port('taken');
my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                  LocalPort => $port);

$t->reload(%conf, udp => "127.0.0.1:$port");

like($t->log, qr/\[warn\].*no media over TCP on 127\.0\.0\.1:$port, another program/,
     'by default it is done without');

# old workers may answer for a while

ok(wait_for(60, sub { !grep { /^tcp/ } candidates() }),
   'and clients are not told of it');

$t->reload(%conf, udp => '127.0.0.1:' . $t->port('http'));

like($t->log, qr/no media over TCP on .*, another "listen" has that port/,
     'nor of one of the configuration');

my ($ok, $said) = $t->test_config(%conf,
    udp => '127.0.0.1:' . $t->port('http') . ' tcp');

ok(!$ok, 'nor can it be had twice');
like($said, qr/\[emerg\].*is that of another "listen", expected one/, 'it says');

# one port for each, and others told

$t->reload(%conf, http => 'webrtc_candidate 192.0.2.1:443/tcp 192.0.2.2;',
           udp => [ '127.0.0.1:%%PORT_one%% udp', '127.0.0.1:%%PORT_two%% tcp' ]);

my ($one, $two) = map { $t->port($_) } qw/ one two /;

my $want = join ', ', "udp 2130706431 192.0.2.2 $one typ host",
    'tcp 1520434943 192.0.2.1 443 typ host tcptype passive',
    "tcp 1520434687 192.0.2.2 $two typ host tcptype passive";
my $got = '';

wait_for(60, sub { $got = join ', ', candidates(); $got eq $want });
is($got, $want, 'UDP comes first');

$t->done;


sub sessions {
    my $r = json($t->http('GET', '/streams?sessions')->{content}) || {};

    return @{ $r->{session_list} || [] };
}


# a sum over the workers

sub tcp {
    my ($what) = @_;

    my $r = json($t->http('GET', '/streams?part=workers')->{content}) || {};
    my $sum = 0;

    $sum += $_->{tcp}{$what} // 0 for @{ $r->{workers} || [] };

    return $sum;
}


sub stream { return $t->stream('x') || {} }

# those of an answer, to another publisher each time

sub candidates {
    my $r = $t->post_offer('/whip/' . ++$names, offer(direction => 'sendonly'));

    return $r->{content}
           =~ /^a=candidate:\S+ 1 (\w+ \d+ \S+ \d+ typ host.*?)\r/mg;
}
