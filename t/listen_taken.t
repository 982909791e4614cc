#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# An address of webrtc_listen that somebody else has: nginx does not start with
# it, nor reloads.  Its own it has again after reload and binary upgrade, also
# one that it had before, which old workers may still have.

use strict;
use warnings;

use IO::Socket::INET;
use POSIX qw/ WNOHANG /;
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2);
my $other = NgxWebRTC->new(workers => 2);
my $up = NgxWebRTC->new(workers => 2);

my $ports = { map { $_ => $t->port($_) } qw/ udp next / };

my %conf = (server => <<'EOF');
location /whip {
    webrtc_publish  x;
}
location /whep {
    webrtc_play  x;
}
EOF

sub listening {
    my (@addrs) = @_;
    return (%conf, udp => [ map { s/\b(udp|next)\b/$ports->{$1}/r } @addrs ]);
}


$t->start(listening('127.0.0.1:udp'));

my $pub = NgxWebRTC::Bench->publish($t, '/whip', bitrate => 200000);
my $view = NgxWebRTC::Bench->view($t, '/whep');

my @second = map { second($_) } '127.0.0.1:udp', 'udp';

for my $s (@second) {
    subtest "a second nginx with $s->{addr}" => sub {
        is($t->reap($s->{check}, 30), 0, 'nginx -t takes it');
        isnt($t->reap($s->{start}, 30) // 0, 0, 'it does not start');

        my $ip = $s->{addr} =~ /:/ ? '127.0.0.1' : '0.0.0.0';

        like(slurp($s->{start}{log}),
             qr/\[emerg\].*bind\(\)\ to\ \Q$ip\E:$ports->{udp}
                \ failed\ \(98:\ Address\ already/x, 'and says why');
    };
}

subtest 'reload with an address of another process' => sub {
    my $port = $t->port('taken');

    my $taken = IO::Socket::INET->new(Proto => 'udp', ReuseAddr => 1,
        ReusePort => 1, LocalAddr => '127.0.0.1', LocalPort => $port)
        or die "udp: $!";

    my %workers = map { $_ => 1 } $t->workers;

    $t->write_file('nginx.conf', $t->config(listening('127.0.0.1:udp',
                                                      "127.0.0.1:$port")));
    CORE::kill('HUP', $t->pid);

    ok(wait_for(30, sub { $t->log =~ /still could not bind/ }), 'is refused');
    like($t->log, qr/bind\(\) to 127\.0\.0\.1:$port failed \(98/, 'by name');
    is(scalar(grep { !$workers{$_} } $t->workers), 0, 'no worker is new');

    close $taken;

    ok($t->reload, 'when it is free it is taken');
    ok(plays($view), 'sessions go on');
};

subtest 'signals need no port' => sub {
    my $p = $t->spawn('signal', [ $t->binary, '-p', $t->dir, '-e', 'stderr',
        '-c', $t->dir . '/nginx.conf', '-s', 'reopen' ]);

    is($t->reap($p, 30), 0, 'nginx -s') or diag(slurp($p->{log}));
};

# the workers before have sessions, and so the address, until the end

subtest 'reload with an address that was dropped' => sub {
    ok($t->reload(listening('127.0.0.1:next')), 'without it');
    ok($t->reload(listening('udp')), 'with it, as part of a wildcard');
    ok($t->reload(listening('127.0.0.1:udp')), 'with it');
    unlike($t->log, qr/bind\(\) to \S+:$ports->{udp} failed/,
           'it was never missed');
};

$_->stop for $view, $pub;

subtest 'binary upgrade' => sub {
    my $conf = $up->config(%conf);
    $conf =~ s/daemon off/daemon on/;

    $up->write_file('nginx.conf', $conf);

    # it executes itself again: by its whole name

    my ($nginx) = grep { -x } $up->binary,
                  map { "$_/" . $up->binary } split /:/, $ENV{PATH};

    my $p = $up->spawn('nginx', [ $nginx, '-p', $up->dir, '-e',
        $up->dir . '/error.log', '-c', $up->dir . '/nginx.conf' ]);

    is($up->reap($p, 30), 0, 'nginx starts') or diag($up->log);

    my $old = $up->{pid} = pid_in('nginx.pid');

    CORE::kill('USR2', $old);

    my $new = wait_for(30, sub {
        my $pid = pid_in('nginx.pid');
        return -e $up->dir . '/nginx.pid.oldbin' && $pid && $pid != $old
               && $pid;
    });

    ok($new, 'a new master') or diag($up->log);

    CORE::kill('WINCH', $old);
    ok(wait_for(30, sub { !grep { $_ != $new } $up->workers }),
       'the old workers leave');

    $pub = NgxWebRTC::Bench->publish($up, '/whip', bitrate => 200000);
    $view = NgxWebRTC::Bench->view($up, '/whep');

    ok(plays($view), 'the new ones have the port');
    $_->stop for $view, $pub;

    CORE::kill('QUIT', $old);
    ok(wait_for(30, sub { gone($old) }), 'the old master leaves');

    $up->{pid} = $new;
    ok($up->reload, 'the new one reloads');

    CORE::kill('TERM', $new);
    ok(wait_for(30, sub { gone($new) }), 'and leaves');

    is(scalar $up->complaints, 0, 'no complaints')
        or diag(join "\n", $up->complaints);
};

$t->allow(qr/bind\(\) to 127\.0\.0\.1:\d+ failed \(98/,
          qr/still could not bind/);
$t->done;

$_->{remove} = $t->{remove} for $other, $up;


# another nginx with the same address, at once

sub second {
    my ($addr) = @_;

    my $name = $addr =~ s/\W/_/gr;
    my $conf = $other->write_file("$name.conf",
                                  $other->config(listening($addr)));
    my @argv = ($other->binary, '-p', $other->dir, '-e', 'stderr', '-c', $conf);

    return { addr => $addr, check => $t->spawn('check', [ @argv, '-t' ]),
             start => $t->spawn('second', \@argv) };
}


# it may have become our child, as those whose parents end do

sub gone {
    my ($pid) = @_;

    return waitpid($pid, WNOHANG) == $pid || !CORE::kill(0, $pid);
}


sub pid_in {
    my ($file) = @_;

    return wait_for(30, sub {
        slurp($up->dir . "/$file") =~ /^(\d+)\n/ && $1;
    });
}


# ten more frames

sub plays {
    my ($view) = @_;

    my $n = ($view->report->{viewer0}{video}{stamped} // 0) + 10;

    return $view->wait(60, sub {
        ($_[0]{viewer0}{video}{stamped} // 0) >= $n;
    });
}


# a daemon is nobody's child

END {
    my $status = $?;
    CORE::kill('KILL', $_) for grep { $_ } map { slurp("$up->{dir}/$_")
                                 =~ /^(\d+)\n/ } 'nginx.pid',
                                                   'nginx.pid.oldbin';
    $? = $status;
}
