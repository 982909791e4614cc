#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Threads that have no room for a read: it waits for them, and not the event
# loop for the disk.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

# the shim: sanitizers would have to come first

my $t = NgxWebRTC->new(workers => 1, asan => 0);

my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff } 0 .. 100_000;
my $shim = $t->dir . '/shim';

mkdir $t->dir . '/www';
mkdir $shim;
$t->write_file('www/a.bin', $data);

$t->{env} = { LD_PRELOAD => NgxWebRTC::fileshim(), FILESHIM => $shim };
$t->start(main => "env FILESHIM;\nthread_pool tiny threads=1 max_queue=1;",
          server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    aio          threads=tiny;
    webrtc_file  on;
}
EOF2

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

my @n = map { $c->call('open', url => $t->url('/files/a.bin'))->{peer} } 1 .. 5;

# one is being read, one may wait, three are refused

$t->write_file('shim/fadvise', '');

$c->call('get', peer => $_, noWait => 1,
         ranges => [ { id => 1, offset => '1000', length => '99999' } ])
    for @n;

ok(wait_for(60, sub { -e "$shim/fadvise.held" }), 'a thread reads');

my $refused = qr/thread pool "tiny" queue overflow/;

ok(wait_for(60, sub { my @all = $t->log =~ /$refused/g; @all >= 8 }),
   'others are refused, and try again');
ok(!-e "$shim/pread.loop", 'the event loop does not read');
is($t->http('GET', '/streams')->{status}, 200, 'and does its work');

# who is refused may go

$c->call('close', peer => pop @n);
is($c->call('get', peer => $n[3], cancel => [ 1 ], ranges => [])->{error},
   undef, 'or cancel');

unlink "$shim/fadvise" or die "fadvise: $!";

for my $i (0 .. 2) {
    is($c->call('ended', peer => $n[$i], id => 1)->{status}, 0,
       "session $i: all of it comes");
}

my $want = sha256_hex(substr $data, 5000, 200_000);

for my $i (0 .. 3) {
    is($c->get($n[$i], [ 2, 5000, 200_000 ])->{ranges}[0]{sha256}, $want,
       "session $i: and what is asked for afterwards");
}

my @all = $t->log =~ /$refused/g;
cmp_ok(scalar @all, '<', 2000, 'attempts have pauses: ' . @all);

$c->call('close', peer => $_) for @n;
ok($t->no_sessions, 'no session is left');

$t->done;
