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

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)\.(?<ext>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.$ext loop;
}
EOF

for my $row (
    # file           codec   audio   frames per second at least
    [ 'opus.mkv',    'H264', 'opus', 20 ],
    [ 'vp8.webm',    'VP8',  'opus', 20 ],
    [ 'vp9.webm',    'VP9',  'opus', 20 ],
    [ 'av1.webm',    'AV1',  'opus', 20 ],
    [ 'bars_b.ts',   'H264', 'opus', 6 ],
) {
    my ($file, $codec, $audio, $fps) = @$row;
    my ($name) = $file =~ /^(\w+)/;

    SKIP: {
        skip("no $file", 1) if !-e $t->media . "/$file";

        subtest $file => sub {
            my $p = $t->browser->play($t->url("/whep/$file"));

            is($p->{status}, 201, 'POST') or do {
                diag($p->{answer}); return;
            };

            my $first = $p->wait(10, 10);
            my $s = $p->run(3);

            cmp_ok($s->{framesDecoded} - $first->{framesDecoded}, '>=',
                   3 * $fps * 0.9, 'frames are decoded');
            is($s->{codec}, $codec, 'codec');
            is($s->{audioCodec}, $audio, 'audio codec');
            cmp_ok($s->{audioEnergy}, '>', 0.01, 'there is sound');
            cmp_ok($s->{freezeSeconds}, '<', 1, 'no long freeze');
            colour_bars_ok($p->bars, 'the picture is the source\'s');

            is($p->stop->{status}, 200, 'DELETE');
        };
    }
}

my $st = $t->stream('bars_b');

cmp_ok($st->{b_frames_dropped}, '>', 0, 'B-frames are counted');

my $warnings = () = $t->log =~ /\[warn\][^\n]*B-frames/gi;

is($warnings, 1, 'and one line says so');

ok($t->no_sessions, 'no session is left');

$t->done;
