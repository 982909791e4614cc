#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# 200 file sessions whose clients have stopped reading, and then none: their memory
# goes back to the system.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 1);

my $N = 200;

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x (16 * 1024 * 1024));

$t->start(http => 'webrtc_file_memory 1g; webrtc_timeout 120s;',
          server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF2

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub rss {
    my ($pid) = $t->workers;
    return slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
}

# what is made once is there

my $p = $c->call('open', url => $t->url('/files/a.bin'));
is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{status}, 0, 'served');

my $before = rss();
my $slow = NgxWebRTC::Range->new($t);
my @many = map { $slow->call('open', url => $t->url('/files/a.bin')) } 1 .. $N;

is(scalar(grep { $_->{hello} } @many), $N, "$N sessions");

my $idle = rss() - $before;

$slow->call('get', peer => $_->{peer}, noWait => 1, ranges => [
    map { { id => $_, offset => '0', length => '0' } } 1 .. 4 ]) for @many;
kill 'STOP', $slow->pid;

my $most = 0;

ok(wait_for(60, sub { $most = rss() if rss() > $most;
                      $most > $before + $idle + $N * 64 }), 'they hold much')
    or diag("$before kB before, $idle kB more, $most kB at most");

$t->http('DELETE', $_->{location}) for @many;

ok(wait_for(60, sub { ($t->status->{sessions} // 9) == 1 }), 'they end');
ok(wait_for(60, sub { rss() < $before + 4096 }),
   'memory goes back to the system');

diag(sprintf '%d kB before, %d idle, %d with full windows, %d after', $before,
     $before + $idle, $most, rss());

kill 'KILL', $slow->pid;
$c->call('close', peer => $p->{peer});

ok($t->no_sessions, 'no session is left');

$t->done;
