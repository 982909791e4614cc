#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A disk that does not answer while a stream is recorded: the recording ends with
# a line, viewers do not notice, and what was written before is whole.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

# the shim and sanitizers do not go together

my $t = NgxWebRTC->new(workers => 1, asan => 0);
my $dir = $t->dir;
my $stuck = $t->write_file('stuck', '0');

mkdir "$dir/rec" or die "$dir/rec: $!";

$t->{env} = { LD_PRELOAD => $t->diskshim, DISKSHIM => $stuck };

$t->start(main => 'env LD_PRELOAD; env DISKSHIM;',
          http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whip/live {
    webrtc_publish  live;
    webrtc_record   %%DIR%%/rec/live.mp4 segment=1h;
}
location = /whep/live {
    webrtc_play  live;
}
EOF

sub disk {
    open my $f, '+<', $stuck or die "$stuck: $!";
    syswrite $f, $_[0] or die "$stuck: $!";
    close $f;
}

sub recording { ($t->stream('live') || {})->{outputs}[0] || {} }
sub written { my ($file) = glob "$dir/rec/*"; return $file ? -s $file : 0 }

# much of it, so that what waits for the disk is soon too much

my $pub = NgxWebRTC::Bench->publish($t, '/whip/live', bitrate => 20_000_000,
                                    audio => undef);
my $view = NgxWebRTC::Bench->view($t, '/whep/live');

ok($view->wait(60, sub { $_[0]{playing} }), 'somebody watches');
ok(wait_for(60, sub { written() > 1_000_000 }), 'and it is recorded')
    or diag(explain(recording()), $t->log);

disk(1);

ok(wait_for(120, sub { $t->log =~ /: a slow disk/ }), 'the disk does not answer')
    or diag(written(), $t->log);

my $frames = $t->stream('live')->{frames};

ok(wait_for(60, sub { $t->stream('live')->{frames} > $frames + 60 }),
   'the stream goes on');

my @lines = $t->log =~ /\[error\][^\n]*record[^\n]*/g;

is(scalar(@lines), 1, 'one line') or diag(join "\n", @lines);
like(recording()->{last_error} // '', qr/slow disk/, 'the status says so')
    or diag(explain(recording()));

my $r = $view->report;

is($r->{lost} + $r->{broken} + $r->{seq_breaks}, 0, 'the viewer has lost nothing')
    or diag(explain($r));

disk(0);

my ($file) = glob "$dir/rec/*";

ok(wait_for(60, sub { $t->log =~ /webrtc record done/ }), 'the file is ended')
    or diag($t->log);

($file) = glob "$dir/rec/*";

# boxes of MP4 to its end, and what they are

my ($data, $at, %boxes) = (slurp($file), 0);

while ($at + 8 <= length $data) {
    my ($size, $type) = unpack 'N a4', substr $data, $at, 8;

    last if $size < 8;
    $boxes{$type}++;
    $at += $size;
}

is($at, length $data, 'what is there is whole') or diag(explain(\%boxes));
cmp_ok($boxes{moof} || 0, '>', 1, 'fragments');

$pub->kill;
$view->kill;

$t->done;
