#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# 4 workers, 50 sessions at once, one client that stops reading: the others get
# what they asked for, as fast as without it, and memory stays bounded.

use strict;
use warnings;

use Digest::SHA;
use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 4);

my $SIZE = 4 * 1024 * 1024;
my $SESSIONS = 50;

mkdir $t->dir . '/www';
open my $fh, '<', '/dev/urandom' or die;
my $data;
read $fh, $data, $SIZE;
$t->write_file('www/a.bin', $data);
$t->write_file('www/large.bin', $data x 8);

my $want = Digest::SHA::sha256_hex($data);

$t->start(server => <<'EOF');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub rss {
    my $sum = 0;

    for my $pid ($t->workers) {
        slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m and $sum += $1;
    }

    return $sum;
}

# some sessions, so that what is made once is there in every worker

my @first = map { $c->call('open', url => $t->url('/files/a.bin'))->{peer} }
                1 .. 20;
is($c->get($first[0], [ 1, 0, 0 ])->{ranges}[0]{sha256}, $want, 'one');

my $before = rss();
my @peers;

for (1 .. $SESSIONS) {
    my $p = $c->call('open', url => $t->url('/files/a.bin'));
    push @peers, $p->{peer} if $p->{hello};
}

is(scalar @peers, $SESSIONS, "$SESSIONS sessions");

my $idle = (rss() - $before) / $SESSIONS;
diag(sprintf 'idle session: %.0f kB', $idle);
cmp_ok($idle, '<', 250, 'memory of an idle session, in kB');

sub round {
    my $start = time();

    for my $n (@peers) {
        $c->call('get', peer => $n, noWait => 1, ranges => [
            { id => 1, offset => '0', length => "$SIZE" } ]);
    }

    my $all = wait_for(120, sub {
        my $done = 0;

        for my $n (@peers) {
            $done += $c->call('state', peer => $n)->{bytes} >= $SIZE;
        }

        return $done == @peers;
    });

    return ($all, time() - $start);
}

my ($all, $alone) = round();
ok($all, 'all are served');

sub ten {
    my ($name) = @_;

    my $start = time();
    my $gap = 0;

    for my $i (0 .. 9) {
        my $r = $c->get($peers[$i], [ 2, 0, 0 ])->{ranges}[0];
        is($r->{sha256}, $want, "$name: $i");
        $gap = $r->{maxGap} if $r->{maxGap} > $gap;
    }

    note("$name: longest pause $gap ms");

    return time() - $start;
}

my $without = ten('alone');
my $idle_rss = rss();

# a client of its own that asks for much and stops

my $slow = NgxWebRTC::Range->new($t);
my $s = $slow->call('open', url => $t->url('/files/large.bin'));
is($s->{hello}{size}, 8 * $SIZE, 'the slow one');
$slow->call('get', peer => $s->{peer}, noWait => 1, ranges => [
    map { { id => $_, offset => '0', length => '0' } } 1 .. 8 ]);
kill 'STOP', $slow->pid;

# it has 256 MB to come: what is kept for it stops growing

my $with = ten('beside the slow one');
my $rss = rss();

diag(sprintf '%d x 4 MB in %.1f s; 10 x 4 MB alone in %.1f s, beside the slow '
     . 'one in %.1f s, which takes %d kB', $SESSIONS, $alone, $without, $with,
     $rss - $idle_rss);

cmp_ok($rss - $idle_rss, '<', 24000, 'memory is bounded, in kB');

kill 'CONT', $slow->pid;
$slow->call('close', peer => $s->{peer});

$c->call('close', peer => $_) for @peers, @first;
ok($t->no_sessions, 'all sessions end');

$t->done;
