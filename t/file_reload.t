#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A reload while a file is on its way: the session goes on in the worker that
# shuts down, streams of events come back in a new one.  A worker that is killed:
# its sessions' slots and files are taken back.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

mkdir $t->dir . '/www';

my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff }
                    0 .. 1024 * 1024 - 1;
$t->write_file('www/a.bin', $data);

my %conf = (http => 'webrtc_zone live 2m;', server => <<'EOF');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
    limit_rate   1m;
}
EOF

$t->start(%conf);

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';
my @p = map { $c->call('open', url => $t->url('/files/a.bin'), signal => 1)
              ->{peer} } 1 .. 4;

for my $n (@p) {
    $c->call('get', peer => $n, noWait => 1, ranges => [
        { id => 1, offset => '0', length => '100' } ]);
}

$c->send('get', peer => $p[0], ranges => [
    { id => 2, offset => '0', length => '0' } ]);

ok($t->reload, 'reload');

my $r = $c->result(60);
is($r->{ranges}[0]{sha256}, sha256_hex($data), 'a download goes through it');

for my $n (@p[1 .. 3]) {
    is($c->get($n, [ 3, 5, 70000 ])->{ranges}[0]{bytes}, 70000,
       'the others are there too');
}

ok(wait_for(60, sub {
    my $n = 0;
    for (@p) {
        $c->call('send', peer => $_, hex => '050000000000000100000000');
        $n += @{ $c->call('frames', peer => $_, count => 1)->{frames} } > 0;
    }
    return $n == @p;
}), 'all answer a Ping');

# bye through a worker that does not have the session

my $url = $c->call('state', peer => $p[3])->{url};
is($t->http('POST', $url, body => '{"type":"bye"}',
            headers => { 'Content-Type' => 'application/json' })->{status},
   200, 'bye');
ok(wait_for(60, sub {
    my $s = $c->call('state', peer => $p[3]);
    return $s->{bye} || $s->{gone};
}), 'its stream of events tells');

$c->call('close', peer => $_) for @p;
ok($t->no_sessions, 'all end');

# killed: what its sessions had in the zone is free again, or a zone of 2 MB
# would be full soon

ok(wait_for(60, sub { $t->workers == 2 }), 'the old workers have gone');

for my $round (1 .. 5) {
    my @q = map { $c->call('open', url => $t->url('/files/a.bin'),
                           signal => 1)->{peer} } 1 .. 8;
    my ($pid) = $t->workers;
    $t->{killed}++;
    kill 'KILL', $pid;
    $c->call('close', peer => $_) for @q;
    ok(wait_for(60, sub { my @w = $t->workers; @w == 2
                          && !grep({ $_ == $pid } @w)
                          && $t->connects('http') }), 'a new worker');
}

ok($t->no_sessions, 'no session is left');

my $p = $c->call('open', url => $t->url('/files/a.bin'));
is($p->{status}, 201, 'and there is room');
is($c->get($p->{peer}, [ 1, 0, 1000 ])->{ranges}[0]{bytes}, 1000, 'served');
$c->call('close', peer => $p->{peer});

$t->allow(qr/worker process \d+ exited on signal 9/);
$t->done;
