#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The range protocol of docs/datachannel.md, every rule and vector, with
# libdatachannel as the client.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $SIZE = 3 * 1024 * 1024 + 17;
my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff }
                    0 .. $SIZE / 4;
$data = substr $data, 0, $SIZE;

mkdir $t->dir . '/www';
$t->write_file('www/movie.mp4', $data);
$t->write_file('www/empty.bin', '');
$t->write_file('www/slow.bin', $data);
$t->write_file('www/many.bin', $data);
$t->write_file("www/na\xc3\xafve.txt", 'x');
$t->write_file("www/bad\xff.txt", 'x');

$t->start(server => <<'EOF');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;

    location /files/slow/ {
        alias             %%DIR%%/www/;
        limit_rate        200k;
        limit_rate_after  64k;
    }
    location /files/big/ {
        alias              %%DIR%%/www/;
        webrtc_file_chunk  65536;
    }
    location /files/one/ {
        alias               %%DIR%%/www/;
        webrtc_file_ranges  1;
    }
    location /files/off/ {
        alias        %%DIR%%/www/;
        webrtc_file  off;
    }
}
EOF

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub open_ok {
    my ($path, $name, %o) = @_;

    my $p = $c->call('open', url => $t->url($path), %o);
    is($p->{status}, 201, "$name: 201") or diag(explain($p));
    return $p;
}

sub part { return sha256_hex(substr $data, $_[0], $_[1]) }

my $p = open_ok('/files/movie.mp4', 'open');
my $n = $p->{peer};

is($p->{hello}{size}, $SIZE, 'Hello: size');
is($p->{hello}{name}, 'movie.mp4', 'Hello: name');
is($p->{hello}{flags}, 4, 'Hello: seekable');
is($p->{hello}{id}, 0, 'Hello: stream id 0');
like($p->{answer}, qr/^m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r$/m,
     'answer: m-line');
like($p->{answer}, qr/^a=sctp-port:5000\r$/m, 'answer: sctp-port');
like($p->{answer}, qr/^a=max-message-size:262144\r$/m, 'answer: max size');

# whole, clamped, at both ends

for my $row (
    [ 'whole',            0,          0,               $SIZE ],
    [ 'length to the end', 100,       0,               $SIZE - 100 ],
    [ 'above 2^63-1 is the rest', 5, '9223372036854775808', $SIZE - 5 ],
    [ '2^64-1 is the rest', 5, '18446744073709551615', $SIZE - 5 ],
    [ 'longer is clamped', $SIZE - 10, 1000,           10 ],
    [ 'one byte',         17,         1,               1 ],
    [ 'the last byte',    $SIZE - 1,  1,               1 ],
    [ 'one chunk',        0,          16384,           16384 ],
    [ 'a chunk and one',  0,          16385,           16385 ])
{
    my ($name, $offset, $length, $want) = @$row;

    my $r = $c->get($n, [ 1, $offset, $length ])->{ranges}[0];

    is($r->{status}, 0, "$name: status");
    is($r->{bytes}, $want, "$name: bytes");
    is($r->{sha256}, part($offset, $want), "$name: content");
    is($r->{last}, 1, "$name: the last frame says so");
    cmp_ok($r->{maxFrame}, '<=', 16384, "$name: chunks");
    is($r->{frames}, int(($want + 16383) / 16384), "$name: frames");
}

for my $row (
    [ 'at the end', $SIZE, 1 ],
    [ 'past the end', $SIZE + 1, 0 ],
    [ '2^63', '9223372036854775808', 1 ],
    [ '2^64-1', '18446744073709551615', 0 ])
{
    my ($name, $offset, $length) = @$row;

    my $r = $c->get($n, [ 9, $offset, $length ])->{ranges}[0];

    is($r->{status}, 2, "$name: status 2");
    is($r->{bytes}, 0, "$name: no data");
}

# vectors, as bytes

sub vector {
    my ($name, $hex, @want) = @_;

    $c->call('send', peer => $n, hex => $hex);
    my $f = $c->call('frames', peer => $n, count => scalar @want)->{frames};
    is(join(' ', map { $_->{head} } @$f), join(' ', @want), $name);
}

vector('RangeReq 2^63', '01000000000000030000001080000000000000000000000000000001',
       '03000000000000030000000400000002');
vector('Ping', '05000000deadbeef00000000', '06000000deadbeef00000000');
vector('a range of one byte',
       '010000000000000500000010' . '0000000000000000' . '0000000000000001',
       '02010000' . '00000005' . '00000001' . unpack('H*', substr $data, 0, 1),
       '03000000000000050000000400000000');
vector('SeekHint, and the channel lives',
       '0700000000000000000000080000000000' . '01e240',
       ());

$c->call('send', peer => $n, hex => $_)
    for '010203', '0100000000000001ffffffff', '01000000000000010000000f'
        . '00' x 15, '010000000000000100000011' . '00' x 17,
        '070000000000000000000007' . '00' x 7, '', 'ff0000000000000000000000',
        '000000000000000000000000', '02000000000000010000000100',
        '030000000000000100000004' . '00000000', '00' x 3000;
$c->call('send', peer => $n, text => 'a string');
vector('after malformed frames the channel lives', '050000000000000100000000',
       '060000000000000100000000');

$c->call('close', peer => $n);

$p = open_ok('/files/slow/slow.bin', 'slow', noHello => 0);
$n = $p->{peer};

my $start = time();
my $r = $c->get($n, [ 1, 0, 64 * 1024 + 400 * 1024 ])->{ranges}[0];
my $took = time() - $start;
is($r->{status}, 0, 'limit_rate: status');
cmp_ok($took, '>', 0.8, 'limit_rate holds');
note("limit_rate: 400 kB in $took s");

# a slow range is active: cancel it, use its id again

$r = $c->call('get', peer => $n, ranges => [
    { id => 7, offset => '0', length => '0' } ], cancel => [ 7 ],
    cancelAfter => 16384);
is($r->{ranges}[0]{status}, 4, 'cancel of an active range');
cmp_ok($r->{ranges}[0]{bytes}, '<', $SIZE, 'ends it early');
is($c->get($n, [ 7, 10, 10 ])->{ranges}[0]{status}, 0, 'its id is free again');

$c->call('get', peer => $n, noWait => 1, ranges => [
    { id => 8, offset => '0', length => '0' } ]);
$c->call('send', peer => $n,
         hex => '010000000000000800000010' . '00' x 15 . '01');
is($c->call('frames', peer => $n, count => 1)->{frames}[0]{head},
   '03000000000000080000000400000005', 'a stream id that is in use: 5');
$c->call('send', peer => $n, hex => '0400000000000999' . '00000000');
$c->call('send', peer => $n, hex => '040000000000000800000000');
is($c->call('ended', peer => $n, id => 8)->{status}, 4, 'cancelled: 4');
is($c->get($n, [ 8, 10, 10 ])->{ranges}[0]{status}, 0, 'and its id is free');

$c->call('close', peer => $n);

# slots: one active range, one waits and is refused after 5 s, one is cancelled

$p = open_ok('/files/one/movie.mp4', 'one', noHello => 0);
$n = $p->{peer};
$r = $c->get($n, map { [ $_, 0, 100000 ] } 1 .. 20);
is(scalar(grep { $_->{status} == 0 && $_->{bytes} == 100000 }
          @{ $r->{ranges} }), 20, 'ranges that wait get their turn');
is("@{ $r->{order} }", join(' ', 1 .. 20), 'one at a time');
$c->call('close', peer => $n);

# channels without DCEP: the first frame opens them

for my $id (0, 5, 200) {
    $p = open_ok('/files/movie.mp4', "negotiated $id", negotiated => $id);
    $n = $p->{peer};

    is($p->{hello}{size}, $SIZE, "negotiated $id: Hello");
    is($c->call('frames', peer => $n, count => 1)->{frames}[0]{type}, 6,
       "negotiated $id: Pong");
    is($c->get($n, [ 1, 5, 100000 ])->{ranges}[0]{sha256}, part(5, 100000),
       "negotiated $id: content");

    # one more of each kind

    ok($c->call('channel', peer => $n, negotiated => $id + 2)->{hello},
       "negotiated $id: another one");
    ok($c->call('channel', peer => $n)->{hello}, "negotiated $id: with DCEP");
    $c->call('close', peer => $n);
}

# fair: four active ranges share the channel

$p = open_ok('/files/many.bin', 'fair');
$n = $p->{peer};
$r = $c->get($n, map { [ $_, 0, 0 ] } 1 .. 4);
is(scalar(grep { $_->{sha256} eq part(0, $SIZE) } @{ $r->{ranges} }), 4,
   'four ranges at once: content');
is(join(' ', @{ $r->{order} }[20 .. 23]), join(' ', @{ $r->{order} }[24 .. 27]),
   'in turn');

# 10,000 ranges at once: each has an end

$r = $c->get($n, map { [ $_, $_, 10 ] } 1 .. 10000);
my %status;
$status{$_->{status}}++ for @{ $r->{ranges} };
is(($status{0} || 0) + ($status{1} || 0), 10000, '10,000 ranges: each ends');
cmp_ok($status{0} || 0, '>', 5000, 'most are served');

# a second channel serves too, on its own

is($c->call('channel', peer => $n)->{hello}, 1, 'a second channel');
$r = $c->call('get', peer => $n, channel => 1, ranges => [
    { id => 1, offset => '0', length => '0' } ]);
is($r->{ranges}[0]{sha256}, part(0, $SIZE), 'serves');
$c->call('closeChannel', peer => $n, channel => 1);
is($c->get($n, [ 1, 0, 10 ])->{ranges}[0]{status}, 0, 'the first one goes on');

$c->call('close', peer => $n);

# chunks: as configured, and as the peer takes

$p = open_ok('/files/big/movie.mp4', 'big');
$r = $c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0];
is($r->{maxFrame}, 65536, 'webrtc_file_chunk');
is($r->{sha256}, part(0, $SIZE), 'content');
$c->call('close', peer => $p->{peer});

$p = open_ok('/files/big/movie.mp4', 'small messages', max => 5000);
$r = $c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0];
is($r->{maxFrame}, 5000 - 12, "the peer's max-message-size");
is($r->{sha256}, part(0, $SIZE), 'content');
$c->call('close', peer => $p->{peer});

# empty file, names

$p = open_ok('/files/empty.bin', 'empty');
is($p->{hello}{size}, 0, 'size 0');
is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{status}, 2, 'nothing in it');
$c->call('close', peer => $p->{peer});

$p = open_ok('/files/na%C3%AFve.txt', 'utf-8');
is($p->{hello}{name}, "na\x{ef}ve.txt", 'name');
$c->call('close', peer => $p->{peer});

$p = open_ok('/files/bad%FF.txt', 'not utf-8');
is($p->{hello}{name}, 'bad?.txt', 'name');
$c->call('close', peer => $p->{peer});

# protocols

$p = open_ok('/files/movie.mp4', 'range.v1', protocol => 'range.v1');
ok($p->{hello}, 'Hello');
$c->call('close', peer => $p->{peer});

for my $o ([ protocol => 'other' ], [ unordered => JSON::PP::true ]) {
    $p = open_ok('/files/movie.mp4', "@$o", @$o);
    ok(!$p->{hello}, 'is closed');
    $c->call('close', peer => $p->{peer});
}

# the file changes while it is served

for my $how (qw/ truncated replaced touched removed /) {
    my $file = $t->write_file("www/$how.bin", $data);

    $p = open_ok("/files/slow/$how.bin", $how);
    $n = $p->{peer};
    $c->call('get', peer => $n, noWait => 1, ranges => [
        { id => 1, offset => '0', length => '0' } ]);
    wait_for(60, sub { $c->call('state', peer => $n)->{bytes} > 70000 });

    if ($how eq 'truncated') {
        truncate $file, 1000;
    } elsif ($how eq 'replaced') {
        $t->write_file("www/new", 'y' x $SIZE);
        rename $t->dir . '/www/new', $file;
    } elsif ($how eq 'touched') {
        utime 1, 1, $file;
    } else {
        unlink $file;
    }

    $r = $c->get($n, [ 2, 0, 0 ])->{ranges}[0];
    is($r->{status}, 3, "$how: status 3");
    ok(!defined $r->{error}, 'the channel lives');
    $c->call('close', peer => $n);
}

is($c->call('open', url => $t->url('/files/off/movie.mp4'))->{status}, 405,
   'webrtc_file off');

ok($t->no_sessions, 'all sessions end with their peers');

my ($ok, $text) = $t->test_config(server => 'webrtc_file maybe;');
ok(!$ok, 'webrtc_file maybe');
($ok, $text) = $t->test_config(server => 'webrtc_file_chunk 100;');
ok(!$ok, 'webrtc_file_chunk 100');
($ok, $text) = $t->test_config(server => 'webrtc_file_ranges 0;');
ok(!$ok, 'webrtc_file_ranges 0');

$t->done;
