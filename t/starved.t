#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A source that cannot be started, as there is no descriptor, no connection or no
# thread left: tried with a pause, said once, and it plays when there is.  Agents
# of full ICE, which anybody can have made, leave connections for others.

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

# seconds that it is watched for, of which a third may be work; attempts come
# after 0, 0.5, 1.5 and 3.5 s
my $SECONDS = 3;

my $TICKS = POSIX::sysconf(POSIX::_SC_CLK_TCK());

my %t;

# "user root" and the shims: sanitizers would have to come first

$t{descriptors} = NgxWebRTC->new(workers => 1, asan => 0);
$t{connections} = NgxWebRTC->new(workers => 1, asan => 0, connections => 48);
$t{threads} = NgxWebRTC->new(workers => 2, asan => 0);

$t{threads}{env} = { LD_PRELOAD => NgxWebRTC::threadshim(),
                     THREADSHIM => $t{threads}->dir . '/none' };
$t{threads}->write_file('none', '');

# nginx's own

$t{descriptors}->allow(qr/failed \(24: Too many open files\)/);
$t{connections}->allow(qr/worker_connections are not enough/);

for my $t (values %t) {
    $t->start(http => 'webrtc_wait 50s; webrtc_idle_timeout 300s;',
              main => $t == $t{threads} ? 'env THREADSHIM; env LD_PRELOAD;'
                    : $t == $t{descriptors} ? 'worker_rlimit_nofile 50;' : '',
              server => <<'EOF2');
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location = /whep/full {
    webrtc_play  always;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
    webrtc_ice   full;
}
EOF2
}


# a connection that nginx keeps: its request has begun

sub half {
    my ($t, $line) = @_;

    my $s = $t->connects('http') or return undef;
    $s->autoflush(1);
    print $s "$line HTTP/1.1\r\nHost: localhost\r\n";

    return $s;
}

sub rest {
    my ($s) = @_;

    my $offer = offer();
    print $s "Content-Type: application/sdp\r\nConnection: close\r\n",
             'Content-Length: ', length $offer, "\r\n\r\n", $offer;
}

sub answer {
    my ($s) = @_;
    my $text = '';

    wait_for(60, sub {
        my $bits = '';
        vec($bits, fileno($s), 1) = 1;
        return select($bits, undef, undef, 0) > 0
               && !sysread $s, $text, 65536, length $text;
    });

    return $text;
}

sub ticks {
    my ($t) = @_;
    my $sum = 0;

    for my $pid ($t->workers) {
        my @f = split ' ', (slurp("/proc/$pid/stat") =~ /\) (.*)/s)[0];
        $sum += $f[11] + $f[12];
    }

    return $sum;
}

sub plays {
    my ($t, $stream) = @_;

    return wait_for(60, sub { (($t->stream($stream) || {})->{frames} // 0)
                              > 5 });
}

sub lines { my @l = $_[0]->log =~ /^.*webrtc.*$/mg; return @l }

sub said {
    my ($t, $stream) = @_;

    return scalar(() = $t->log =~
        /\[error\].*source not started reason:"[^"]*", stream: "$stream"/g);
}


# what asks, and then what takes the rest

my (%ask, %full, %hold, %before);

for my $what (sort keys %t) {
    my $t = $t{$what};

    $ask{$what} = half($t, 'POST /whep/bars');
    $full{$what} = half($t, 'POST /whep/full');

    next if $what eq 'threads';

    ok(plays($t, 'always'), "$what: a source has begun before");

    my $over = $what eq 'descriptors' ? qr/\(24: Too many open files\)/
                                      : qr/alert.*connections are not enough/;

    ok(wait_for(30, sub {
        push @{ $hold{$what} }, half($t, 'GET /') for 1 .. 10;
        return $t->log =~ $over;
    }), "$what: none is left");
}

for my $what (sort keys %t) {
    rest($ask{$what});
    ok(wait_for(30, sub { said($t{$what}, 'bars') }), "$what: the log says so")
        or diag($t{$what}->log);
    $before{$what} = [ ticks($t{$what}), scalar lines($t{$what}) ];
}

wait_for($SECONDS, sub { 0 });

for my $what (sort keys %t) {
    my $t = $t{$what};
    my ($ticks, $lines) = @{ $before{$what} };

    $ticks = ticks($t) - $ticks;
    $lines = lines($t) - $lines;

    note("$what: $ticks ticks, $lines lines");
    cmp_ok($ticks, '<', $SECONDS * $TICKS / 3 * ($what eq 'threads' ? 2 : 1),
           "$what: it is not tried all the time");
    cmp_ok($lines, '<', 30, "$what: nor told of");
    is(said($t, 'bars'), 1, "$what: one error");
}

# an agent of libnice: GLib would end the process

rest($full{descriptors});
ok(wait_for(30, sub { $t{descriptors}->log =~ /no descriptors for an agent/ }),
   'descriptors: no agent either');

is(said($t{threads}, 'always'), 1, 'threads: one error of "always"');
like(($t{threads}->stream('bars') || {})->{last_error} // '',
     qr/no thread: /, 'threads: the status says it');

# and back

unlink $t{threads}->dir . '/none';

for my $what (sort keys %t) {
    my $t = $t{$what};

    if ($hold{$what}) {
        close $_ for grep { $_ } @{ $hold{$what} };
    }

    like(answer($ask{$what}), qr{^HTTP/1.1 201 }, "$what: then it is answered");
    ok(plays($t, 'bars'), "$what: and plays");
}

ok(plays($t{threads}, 'always'), 'threads: "always" plays');

like(answer($full{descriptors}), qr{^HTTP/1.1 50[03] },
     'descriptors: full ICE is refused');

for my $what (sort keys %t) {
    my $t = $t{$what};

    subtest $what => sub {
        $t->done;
    };
}


# offers for full ICE by a client that never connects

subtest agents => sub {
    my $t = NgxWebRTC->new(workers => 1, asan => 1, connections => 64);

    $t->start(server => <<'EOF');
webrtc_max_pending        off;
webrtc_handshake_timeout  300s;
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; webrtc_ice full; }
EOF

    my $offer = offer(direction => 'sendonly');

    my @answers = map { $t->post_offer("/whip/s$_", $offer) } 1 .. 80;
    my @made = grep { $_->{status} == 201 } @answers;
    my @not = grep { $_->{status} == 503 } @answers;

    note(scalar @made, ' made, ', scalar @not, ' refused');

    is(@made + @not, 80, 'each is made or refused');
    cmp_ok(@made, '>', 10, 'there are agents');
    cmp_ok(@not, '>', 10, 'but not for all');
    is_deeply([ map { $_->{status} } @answers[0 .. $#made] ],
              [ (201) x @made ], 'those that came first');
    my $last = $not[-1] || { content => '' };

    like($last->{content}, qr/"title":"no room.*"detail":"[^"]*connections/,
         'a client is told');
    ok($last->{headers}{'retry-after'}, 'and when to come back');

    my @others = map { half($t, 'GET /streams') } 1 .. 8;

    print $_ "Connection: close\r\n\r\n" for @others;
    is(scalar(grep { answer($_) =~ m{^HTTP/1.1 200 } } @others), 8,
       'HTTP goes on');

    my @lines = $t->log =~ /^.*\[(?:alert|error|warn)\].*$/mg;

    is(scalar @lines, 1, 'one line for the operator') or diag("@lines");
    like($lines[0] // '', qr/too few free connections .*worker_connections/,
         'that says what to do');

    $t->http('DELETE', $_->{headers}{location}) for @made;
    ok($t->no_sessions, 'no session is left');

    is(scalar(grep { $t->post_offer("/whip/t$_", $offer)->{status} == 201 }
              1 .. @made), scalar @made, 'as many can be made again');

    $t->done;
};

done_testing();
