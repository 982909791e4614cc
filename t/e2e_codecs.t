#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# What sources carry beside H.264 and AAC: Opus passed through, VP8, VP9, AV1,
# and H.264 with B-frames, of which a viewer sees none run backwards.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

$t->start(http => 'webrtc_wait 30s; webrtc_transcode off;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)\.(?<ext>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.$ext loop;
}
EOF

for my $row (
    # file           codec   audio
    [ 'opus.mkv',    'H264', 'opus' ],
    [ 'vp8.webm',    'VP8',  'opus' ],
    [ 'vp9.webm',    'VP9',  'opus' ],
    [ 'av1.webm',    'AV1',  'opus' ],
    [ 'bars_b.ts',   'H264', 'opus' ],
) {
    my ($file, $codec, $audio) = @$row;
    my ($name) = $file =~ /^(\w+)/;

    subtest $file => sub {
        my $p = $t->browser->play($t->url("/whep/$file"));

        is($p->{status}, 201, 'POST') or do {
            diag($p->{answer}); return;
        };

        my $s = $p->wait(60);

        ok(!$s->{error}, 'frames are decoded');
        is($s->{codec}, $codec, 'codec');
        is($s->{audioCodec}, $audio, 'audio codec');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error},
           'there is sound');
        $p->smoothness($s);
        colour_bars_ok($p->bars, 'the picture is the source\'s');

        is($p->stop->{status}, 200, 'DELETE');
    };
}

my $st = $t->stream('bars_b');

cmp_ok($st->{b_frames_dropped}, '>', 0, 'B-frames are counted');

my $warnings = () = $t->log =~ /\[warn\][^\n]*B-frames/gi;

is($warnings, 1, 'and one line says so');

ok($t->no_sessions, 'no session is left');

$t->done;
