#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Variants of a stream: a viewer who cannot play it gets its video encoded anew,
# and keeps that when the encoder's process is killed, and after a reload.
# Nothing of it is left at the end.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

$t->start(http => 'webrtc_wait 40s; webrtc_transcode auto;', server => <<'EOF');
location = /whep/file {
    webrtc_play          file;
    webrtc_pull          file:%%MEDIA%%/bars_b.ts loop;
    webrtc_idle_timeout  1s;
}
location = /whip/live {
    webrtc_publish       live;
}
location = /whep/live {
    webrtc_play          live;
    webrtc_idle_timeout  1s;
}
EOF

my $n = 0;


# a viewer; what it has seen so far is in a file

sub view {
    my ($path, %o) = @_;

    my $f = $t->dir . '/viewer.' . ++$n;

    my $p = $t->python('whep.py', $t->url($path),
        JSON::PP::encode_json({ until => "$f.end", progress => $f, %o }));

    return { p => $p, file => $f };
}

sub seen { return (slurp($_[0]{file}) =~ /(\d+)/)[0] // 0 }

sub plays {
    my ($v, $what, $more) = @_;

    my $had = seen($v);

    ok(wait_for(60, sub { seen($v) > $had + ($more // 20) }), $what)
        or diag($t->log);
}

sub ends {
    my ($v) = @_;

    open my $fh, '>', "$v->{file}.end" or die $!;
    close $fh;

    return $t->python_result($v->{p});
}

sub variants { return @{ ($t->stream($_[0]) || {})->{variants} || [] } }

sub encoders {
    return grep { slurp("/proc/$_/status") =~ /^State:\s+[^ZX]/m }
           $t->log =~ /webrtc media process (\d+) started/g;
}


my $pub = view('/whip/live', publish => JSON::PP::true(), codec => 'H264');

ok(wait_for(60, sub { ($t->stream('live') || {})->{frames} }),
   'somebody publishes H.264');

my $file = view('/whep/file', codec => 'H264');
my $live = view('/whep/live', codec => 'VP8');

plays($file, 'B-frames, encoded anew: plays');
plays($live, 'H.264, for a viewer who has VP8: plays');

is(scalar(variants('file')), 1, 'a variant of the one');
is(scalar(variants('live')), 1, 'and of the other');

my @streams = @{ $t->status->{streams} };
is(scalar(@streams), 2, 'which are no streams of their own');


# all processes are killed: decoding goes on with new ones

kill KILL => encoders();

plays($_, 'its media process was killed: plays on', 20) for $file, $live;


# a reload: the new workers take over what the old ones have no viewers of

ok($t->reload, 'reloaded');

plays($_, 'after a reload: plays on', 20) for $file, $live;


for my $v ($file, $live) {
    my $r = ends($v);

    is($r->{status}, 201, 'one answer was enough');
    is($r->{ptsBackwards}, 0, 'time went forward');
    cmp_ok($r->{audioFrames}, '>', 50, 'with sound') if $v == $file;
}

ok(wait_for(60, sub { !variants('live') }), 'without viewers it is not made');
ok(wait_for(60, sub { !$t->stream('file') }), 'nor pulled');

ends($pub);

ok(wait_for(60, sub { !encoders() }), 'no encoder is left');
ok($t->no_sessions, 'no session is left');
is(scalar(@{ $t->status->{streams} }), 0, 'no stream is left');

$t->done;
