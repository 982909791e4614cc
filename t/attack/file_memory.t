#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Clients of files that stop acknowledging: what is kept for all of them has a
# limit, who reads is served on, and memory goes back to the system.

use strict;
use warnings;

use Digest::SHA;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 1);

my $N = 40;

mkdir $t->dir . '/www';

my $data = pack 'N*', map { $_ * 2654435761 & 0xffffffff } 0 .. 1024 * 1024 - 1;
$t->write_file('www/a.bin', $data);
$t->write_file('www/large.bin', $data x 16);

my $want = Digest::SHA::sha256_hex($data);

$t->start(http => 'webrtc_file_memory 2m;', server => <<'EOF2');
location /files/ {
    alias        %%DIR%%/www/;
    webrtc_file  on;
}
EOF2

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

my $p = $c->call('open', url => $t->url('/files/a.bin'));
is($c->get($p->{peer}, [ 1, 0, 0 ])->{ranges}[0]{sha256}, $want, 'served');

# answers of 12 bytes that are not acknowledged: they take far more than they have

sub ended {
    my $n = () = $t->log =~ /webrtc_file_memory is used up/g;
    return $n;
}

my $py = $t->python('sctp.py', 'pings', $t->url('/files/a.bin'), 1);
my $pings = $t->python_result($py);

ok(wait_for(30, sub { ended() == 1 }),
   'who asks for thousands of small answers and acknowledges none is ended')
    or diag(explain($pings));

# sessions that ask for much, and whose process stops

my $slow = NgxWebRTC::Range->new($t);

my @slow = map { $slow->call('open', url => $t->url('/files/large.bin')) }
               1 .. $N;
is(scalar(grep { $_->{hello} } @slow), $N, "$N sessions");

$slow->call('get', peer => $_->{peer}, noWait => 1, ranges => [
    { id => 1, offset => '0', length => '0' } ]) for @slow;
kill 'STOP', $slow->pid;

# each holds some 64 kB, more than there is; three quarters may be kept

ok(wait_for(30, sub { ended() >= 9 }),
   'sessions that acknowledge nothing are ended')
    or diag(ended(), ' ended');

my @warned = $t->log =~ /\[warn\].*webrtc_file_memory of 2097152 bytes/g;
is(scalar @warned, 1, 'one warning');

is($c->get($p->{peer}, [ 2, 0, 0 ])->{ranges}[0]{sha256}, $want,
   'who reads is served on');

kill 'CONT', $slow->pid;
$slow->call('close', peer => $_->{peer}) for @slow;
$c->call('close', peer => $p->{peer});

ok($t->no_sessions, 'no session is left');

my ($ok, $text) = $t->test_config(server => 'webrtc_file_memory 2m;');
ok(!$ok, 'webrtc_file_memory in server');
like($text, qr/"webrtc_file_memory" directive is not allowed here/, 'why');

$t->done;
