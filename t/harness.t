#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The harness itself: whatever a test starts ends with it, however it ends, and
# what cannot be ended is told.

use strict;
use warnings;

use File::Path qw/ remove_tree /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Left;

my $t = NgxWebRTC->new(workers => 2, asan => 0);

# Each starts a server with workers, which ignore TERM where that can be told;
# its child; and a grandchild that leaves the group and its parent.

my $start = <<'EOF';
use strict;
use warnings;
use Test::More;
use NgxWebRTC;
use POSIX ();

my $t = NgxWebRTC->new(workers => 2, asan => 0);

# with the time that it has started at: numbers are used again

sub told {
    open my $fh, '>>', $ENV{PIDS};

    for my $pid (@_) {
        my ($start) = NgxWebRTC::slurp("/proc/$pid/stat") =~ /^.*\) (?:\S+ ){19}(\d+)/s;
        print $fh "$pid $start\n";
    }
}

$t->start;
told($t->{pid}, $t->workers);

if (my $p = $t->rtmp_server) {
    told($p->{pid}, map { /(\d+)/ } split /\n/,
                    `ps -o pid= --ppid $p->{pid}`);
}

my $deaf = $t->spawn('deaf', sub {
    $SIG{TERM} = $SIG{INT} = $SIG{HUP} = 'IGNORE';

    for my $daemon (0, 1) {
        next if fork;
        POSIX::setsid() if $daemon;
        next if $daemon && fork;
        last;
    }
    told($$);
    sleep 600;
});

wait_for(30, sub { (() = NgxWebRTC::slurp($ENV{PIDS}) =~ /\n/g) >= 3 + 3 });
open my $fh, '>>', $ENV{PIDS};
print $fh "ready\n";
close $fh;
EOF

my %end = (
    'done'       => '$t->done;',
    'die'        => 'ok(1); die "as a test may\n";',
    'exit'       => 'ok(1); exit 3;',
    'TERM'       => 'sleep 600;',
    'INT'        => 'sleep 600;',
    'leader ends first' => '$t->kill($deaf, "KILL"); $t->done;',
);

for my $how (sort keys %end) {
    (my $name = $how) =~ tr/ /_/;

    my $pids = $t->dir . "/$name.pids";
    my $p = $t->spawn($name, [ $^X, '-I', "$NgxWebRTC::ROOT/t/lib",
        $t->write_file("$name.pl", $start . $end{$how}) ],
        env => { PIDS => $pids });

    my $ready = wait_for(60, sub {
        slurp($pids) =~ /ready/ || $t->exited($p);
    });
    ok($ready && slurp($pids) =~ /ready/, "$how: it has started")
        or diag(slurp($p->{log}));

    CORE::kill($how, $p->{pid}) if $how =~ /^[A-Z]+$/;

    ok(defined $t->reap($p, 60), "$how: it ends");

    my %pids = slurp($pids) =~ /^(\d+) (\d+)$/mg;

    cmp_ok(scalar(keys %pids), '>=', 6, "$how: of several processes");

    my @left = grep {
        slurp("/proc/$_/stat") =~ /^.*\) (\S+) (?:\S+ ){18}$pids{$_} /s
        && $1 ne 'Z';
    } sort keys %pids;

    is("@left", '', "$how: none is left");
    # what it left for a look

    remove_tree(glob "$NgxWebRTC::BUILD/tmp/$name.pl.$p->{pid}.*");

    like(slurp($p->{log}), qr/left \d+ .*, which has been ended/,
         "$how: and the test tells what it had to end");
}

# what cannot be ended is told, and fails the test: here as it need not end

{
    no warnings 'redefine';
    local $NgxWebRTC::Left::PATIENCE = 0.3;
    local *NgxWebRTC::Left::_all = sub { return { 99999999 => [ 'D', $$, 1 ] } };

    my ($ended, $stay) = NgxWebRTC::Left::end_orphans({});

    is(scalar(@$ended), 0, 'none of them has ended');
    like($stay->[0], qr/^99999999 /, 'one that stays is told');
}

$t->start;
$t->done;
