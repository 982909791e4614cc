#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Reads that the page cache cannot answer: nginx's thread pool does them, whatever
# becomes of the session meanwhile.  And what takes its time: ranges that wait,
# a channel that is never opened.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 1, asan => 1, log_level => 'debug');

mkdir $t->dir . '/www';

my $SIZE = 24 * 1024 * 1024;
my $data;
open my $fh, '<', '/dev/urandom' or die;
read $fh, $data, $SIZE;
my $file = $t->write_file('www/cold.bin', $data);

# out of the page cache

sub cold {
    return system('sync', $file) == 0
           && system("dd if='$file' iflag=nocache count=0 status=none") == 0;
}

$t->start(main => <<'MAIN', server => <<'EOF');
thread_pool default threads=2;
thread_pool other   threads=1;
MAIN
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;

    location /files/one/ {
        alias               %%DIR%%/www/;
        webrtc_file_ranges  1;
        limit_rate          40k;
    }
    location /files/other/ {
        alias               %%DIR%%/www/;
        aio                 threads=other;
    }
}
EOF

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

# Whether threads of a pool have read of the file, which is as it should be.  To
# leave the cache is a wish that the kernel need not grant at once.

sub threads {
    my ($pool, $path) = @_;

    for (1 .. 20) {
        cold() or return 0;
        my $q = $c->call('open', url => $t->url($path));
        my $got = $c->get($q->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256};
        $c->call('close', peer => $q->{peer});

        return 0 if $got ne sha256_hex($data);
        return 1 if $t->log =~ /run task #\d+ in thread pool "$pool"/;
    }

    return 0;
}


# nobody opens a channel of a known protocol here: gone after 30 s

my $idle = $c->call('open', url => $t->url('/files/cold.bin'),
                    protocol => 'other', noHello => 1);
is($idle->{status}, 201, 'a session without a channel');

ok(cold(), 'out of the cache');
my $p = $c->call('open', url => $t->url('/files/cold.bin'));
my $r = $c->get($p->{peer}, [ 1, 0, 0 ], [ 2, $SIZE / 2, 0 ],
                [ 3, 100, 1000000 ])->{ranges};
is($r->[0]{sha256}, sha256_hex($data), 'the whole file');
is($r->[1]{sha256}, sha256_hex(substr $data, $SIZE / 2), 'its second half');
is($r->[2]{sha256}, sha256_hex(substr $data, 100, 1000000), 'a part');

SKIP: {
    skip 'nothing was cold here', 2
        if $t->log !~ /task #\d+/ && $ENV{NGX_WEBRTC_COLD_OPTIONAL};
    ok(threads('default', '/files/cold.bin'), 'threads have read');
    ok(threads('other', '/files/other/cold.bin'),
       'those of another pool with aio threads=other');
}

# sessions and channels that go while threads read for them

for my $i (1 .. 12) {
    cold();
    my $q = $c->call('open', url => $t->url('/files/cold.bin'));
    $c->call('get', peer => $q->{peer}, noWait => 1, ranges => [
        map { { id => $_, offset => ($_ * 5 * 1024 * 1024) . '',
                length => '0' } } 1 .. 4 ]);
    if ($i % 3 == 0) {
        $c->call('closeChannel', peer => $q->{peer});
    } elsif ($i % 3 == 1) {
        $t->http('DELETE', $q->{location});
    }
    $c->call('close', peer => $q->{peer});
}

cold();
is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256}, sha256_hex($data),
   'others go on');

# a cold file that is cut while it is read

$t->write_file('www/cut.bin', $data);
$file = $t->dir . '/www/cut.bin';
cold();
my $q = $c->call('open', url => $t->url('/files/cut.bin'));
$c->call('get', peer => $q->{peer}, noWait => 1, ranges => [
    map { { id => $_, offset => '0', length => '0' } } 1 .. 4 ]);
truncate $file, 5000;
is($c->get($q->{peer}, [ 9, 0, 0 ])->{ranges}[0]{status}, 3, 'cut: status 3');
$c->call('close', peer => $_->{peer}) for $p, $q;

# one slot, and it is taken for longer than 5 s

$p = $c->call('open', url => $t->url('/files/one/cold.bin'));
$r = $c->call('get', peer => $p->{peer}, ranges => [
    { id => 2, offset => '0', length => '10' } ]);
is($r->{ranges}[0]{status}, 0, 'a slot that is free');
$c->call('get', peer => $p->{peer}, noWait => 1, ranges => [
    { id => 1, offset => '0', length => '0' } ]);
$r = $c->call('get', peer => $p->{peer}, cancel => [ 3 ], ranges => [
    { id => 3, offset => '0', length => '10' } ]);
is($r->{ranges}[0]{status}, 4, 'cancel of a range that waits');
$r = $c->call('get', peer => $p->{peer}, ranges => [
    { id => 4, offset => '0', length => '10' } ]);
is($r->{ranges}[0]{status}, 1, 'no slot within 5 s: 1');
cmp_ok($r->{ranges}[0]{ms}, '>', 4800, 'not before');
note("but after $r->{ranges}[0]{ms} ms");
$c->call('close', peer => $p->{peer});

ok(wait_for(60, sub { $t->log =~ /closed: no channel was opened/ }),
   'no channel within 30 s');

ok($t->no_sessions, 'no session is left');

$t->done;
