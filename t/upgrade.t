#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Binary upgrade.  From USR2 on the workers of two binaries read the same
# sockets, and what one reads may be the other's: who was answered by either
# binary gets media, sessions of both lose nothing, in the window, after WINCH,
# after a rollback, and with other numbers of workers.
#
# Each configuration has a port of its own for HTTP, so that a test chooses who
# answers.

use strict;
use warnings;

use IO::Socket::INET;
use POSIX qw/ WNOHANG /;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;
use NgxWebRTC::Stun;

my $t = NgxWebRTC->new(asan => 1, workers => 2);

# while it is there, new workers of the first binary do not begin
my $slow = $t->dir . '/slow';

# sanitizers' library comes first

chomp(my $asan = `cc -print-file-name=libasan.so`);

$t->{env} = { LD_PRELOAD => "$asan " . $t->bindshim, BINDSHIM => $slow };

my (%master, @clients);


start('one', 2);

my $pub_one = publish('one');
my @one = view('one', 3);

ok(playing(@one), 'viewers before');


subtest 'both binaries have the port' => sub {
    upgrade('one' => 'two', 3);

    my $pub_two = publish('two');

    push @one, view('one', 5);
    my @two = view('two', 5);

    ok(playing(@one), 'those whom the old binary answers');
    ok(playing(@two), 'those whom the new binary answers');

    going_on('sessions of both go on', @one, @two);

    # answered by who is about to leave

    my $late = offered('one');

    CORE::kill('WINCH', $master{one});
    ok(wait_for(30, sub { !serving('one') }), 'the old one leaves');

    ok(bound($late), 'whom it has answered is connected');

    push @two, view('two', 3);

    ok(playing(@two), 'new viewers');
    going_on('sessions of both go on', @one, @two);

    rollback('two' => 'one', sub {
        going_on('and while new workers begin', @one, @two);
    });

    push @one, view('one', 3);
    ok(playing(@one), 'new viewers after the rollback');
    going_on('sessions of both go on', @one, @two);

    arrived('the new binary', $pub_two);
    $_->stop for @two, $pub_two;
};


subtest 'fewer workers, and the old binary quits' => sub {
    ok(wait_for(60, sub { gone($master{two}) }), 'the second one has gone');

    upgrade('one' => 'three', 1);

    my $pub_three = publish('three');
    my @three = view('three', 5);

    ok(playing(@three), 'those whom the new binary answers');

    CORE::kill('QUIT', $master{one});
    ok(wait_for(30, sub { !serving('one') }), 'the old one leaves');

    push @three, view('three', 5);

    ok(playing(@three), 'new viewers');
    going_on('sessions of both go on', @one, @three);

    arrived('the old binary', $pub_one);
    $_->stop for @one, $pub_one;
    ok(wait_for(60, sub { gone($master{one}) }), 'the old one ends with them');

    going_on('those of the new one go on', @three);

    arrived('the one with fewer workers', $pub_three);
    $_->stop for @three, $pub_three;
};

CORE::kill('TERM', $master{three});
ok(wait_for(60, sub { gone($master{three}) }), 'the last one ends');

$t->done;


sub conf {
    my ($name, $workers) = @_;

    local $t->{ports}{http} = $t->port("http_$name");
    local $t->{workers} = $workers;

    my $conf = $t->config(
        http => 'webrtc_timeout 10s; webrtc_wait 30s;', server => <<'CONF');
location /whip { webrtc_publish x; }
location /whep { webrtc_play x; }
CONF

    $conf =~ s/daemon off/daemon on/;
    $conf =~ s/(worker_shutdown_timeout) 30s/$1 200s/;

    $t->write_file('nginx.conf', $conf);
}


sub start {
    my ($name, $workers) = @_;

    conf($name, $workers);

    my $p = $t->spawn('nginx', [ $t->binary, '-p', $t->dir, '-e',
        $t->dir . '/error.log', '-c', $t->dir . '/nginx.conf' ],
        env => { $t->_env(0) });

    is($t->reap($p, 60), 0, 'nginx starts') or diag($t->log);

    $master{$name} = pid_in('nginx.pid', 0);
}


sub upgrade {
    my ($from, $name, $workers) = @_;

    conf($name, $workers);

    CORE::kill('USR2', $master{$from});
    $master{$name} = pid_in('nginx.pid', $master{$from});

    ok($master{$name} && wait_for(60, sub {
        local $t->{pid} = $master{$name};
        return $t->workers == $workers && $t->connects("http_$name");
    }), "$name beside $from") or diag($t->log);
}


# the configuration is read anew: as it was; the code is called while the new
# workers begin

sub rollback {
    my ($from, $name, $code) = @_;

    conf($name, 2);

    $t->write_file('slow', '');

    CORE::kill('HUP', $master{$name});
    ok(wait_for(60, sub { 2 == (() = glob "$slow.*") }), 'new workers begin');

    $code->();

    unlink $slow;

    ok(wait_for(60, sub { serving($name) == 2 }), "$name is back");

    CORE::kill('QUIT', $master{$from});
    ok(wait_for(60, sub { !serving($from) }), "$from leaves");
}


# How many workers of a binary have begun and do not leave.  Not whether its
# port can be connected to: it can without any of them, as the master keeps the
# socket that listens, until as many have connected as may wait there.

sub serving {
    my ($name) = @_;

    local $t->{pid} = $master{$name};

    return scalar grep {
        slurp("/proc/$_/cmdline") =~ /worker process\s*\0*$/
    } $t->workers;
}


sub pid_in {
    my ($file, $not) = @_;

    return wait_for(60, sub {
        return slurp($t->dir . "/$file") =~ /^(\d+)\n/ && $1 != $not && $1;
    });
}


sub gone {
    my ($pid) = @_;

    return waitpid($pid, WNOHANG) == $pid || !CORE::kill(0, $pid);
}


sub publish {
    my ($name) = @_;

    local $t->{ports}{http} = $t->port("http_$name");

    my $p = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 300000,
                                      consent => 1);

    push @clients, $p;

    return $p;
}


# one process each: a port of its own, as viewers have

sub view {
    my ($name, $n) = @_;

    local $t->{ports}{http} = $t->port("http_$name");

    my @views = map {
        NgxWebRTC::Bench->view($t, '/whep', consent => 1)
    } 1 .. $n;

    push @clients, @views;

    return @views;
}


sub playing {
    my (@views) = @_;

    return !grep { !$_->wait(60, sub { ($_[0]{playing} // 0) == 1 }) } @views;
}


# of a publisher whose packets are read by the wrong binary half are asked for
# again

sub arrived {
    my ($name, $pub) = @_;

    my $r = $pub->report;

    cmp_ok($r->{nacks} * 10, '<=', $r->{packets},
           "$name: of $r->{packets} packets $r->{nacks} asked for again");
}


# More media for each, and all but little of it.  Checks are sent once a second:
# a machine that is busy, or the death of a worker with a datagram unread, does
# not end a session, but a server that gets none does.

sub going_on {
    my ($name, @views) = @_;

    my @was = map { $_->report } @views;

    my @late = grep {
        my $was = $was[$_]{packets} // 0;
        my $r = $views[$_]->wait(60, sub {
            ($_[0]{packets} // 0) > $was + 40 || $_[0]{failed};
        });
        !$r || $r->{failed};
    } 0 .. $#views;

    is("@late", '', $name);

    my ($packets, $lost) = (0, 0);

    for my $i (0 .. $#views) {
        my $r = $views[$i]->report;
        $packets += ($r->{packets} // 0) - ($was[$i]{packets} // 0);
        $lost += ($r->{lost} // 0) - ($was[$i]{lost} // 0);
    }

    cmp_ok($lost * 10, '<=', $packets, "$name: of $packets packets $lost lost");
}


# an offer that is answered, and not connected yet

sub offered {
    my ($name) = @_;

    local $t->{ports}{http} = $t->port("http_$name");

    my $r = $t->post_offer('/whep', offer());

    is($r->{status}, 201, 'an offer is answered') or diag($r->{content});

    my ($ufrag) = $r->{content} =~ /^a=ice-ufrag:(\S+)/m;
    my ($pwd) = $r->{content} =~ /^a=ice-pwd:(\S+)/m;
    my ($remote) = offer() =~ /^a=ice-ufrag:(\S+)/m;

    return { username => "$ufrag:$remote", pwd => $pwd };
}


sub bound {
    my ($cred) = @_;

    my $sock = IO::Socket::INET->new(Proto => 'udp',
        PeerAddr => '127.0.0.1', PeerPort => $t->port('udp')) or die "udp: $!";

    return wait_for(20, sub {
        $sock->send(NgxWebRTC::Stun::request(%$cred));
        my $m = NgxWebRTC::Stun::parse(NgxWebRTC::Stun::answer($sock, 1));
        return $m && $m->{type} == 0x0101;
    });
}
