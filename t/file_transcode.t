#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_file_transcode: files that a client cannot play as they are, remuxed or
# transcoded for it, with a scripted client; what it gets is read by ffmpeg.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Range;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $dir = $t->dir . '/www';
my $media = "$NgxWebRTC::BUILD/media";

mkdir $dir;

# HEVC with B-frames and AC-3, a key frame every 2 s, subtitles; names and
# languages that JSON has to escape

system('cp', "$media/movie.mkv", "$media/bars.mp4", "$media/bars_b.ts",
       "$media/mpeg2.mkv", $dir);
$t->write_file('www/text.mkv', 'no media at all, whatever it is called');

my $HEVC = 'hvc1.1.6.L120.B0,avc1.640028,mp4a.40.2,opus';
my $AVC = 'avc1.640028,mp4a.40.2';

$t->start(server => <<'EOT');
location /files/ {
    alias                  %%DIR%%/www/;
    webrtc_file            on;
    webrtc_file_transcode  remux max=3;

    location /files/off/ {
        alias                  %%DIR%%/www/;
        webrtc_file_transcode  off;
    }
    location /files/on/ {
        alias                  %%DIR%%/www/;
        webrtc_file_transcode  on max=8;
    }
    location /files/slow/ {
        alias       %%DIR%%/www/;
        limit_rate  40k;
    }
}
EOT

my $c = NgxWebRTC::Range->new($t) or plan skip_all => 'no node-datachannel';

sub offer {
    my ($path, $accept, %o) = @_;

    return $c->call('open', url => $t->url($path)
                    . (defined $accept ? "?accept=$accept" : ''), %o);
}

sub info {
    my ($r) = @_;

    return JSON::PP->new->decode($r->{infos}[0] || '{}');
}

# a frame of a client: type, id, payload

sub send_frame {
    my ($p, $type, $flags, $id, $payload) = @_;

    $c->call('send', peer => $p->{peer},
             hex => unpack 'H*', pack('CCnNN', $type, $flags, 0, $id,
                                      length $payload) . $payload);
}

sub seek_to { send_frame($_[0], 7, 0, 0, pack 'Q>', $_[1]) }

# what ffmpeg makes of a file: frames decoded, and all that it complains of

sub decoded {
    my ($file) = @_;

    my $said = `ffmpeg -nostdin -v error -xerror -i $file -f null - 2>&1`;
    my $count = `ffprobe -v error -count_frames -show_entries \\
        stream=codec_name,nb_read_frames -of csv=p=0 $file 2>&1`;

    return ($said, join ' ', split /\s+/, $count);
}

# ms: a file begins with what its encoder of sound needed to begin

sub near {
    my ($got, $want, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    cmp_ok(abs(($got // -1e9) - $want), '<', 50, $name);
}

# s: when a file has a flash and a tone

sub events {
    my ($file) = @_;

    my $events = `ffmpeg -nostdin -i $file -vf blackdetect=d=0.1 \\
        -af silencedetect=n=-30dB:d=0.1 -f null - 2>&1`;

    return (($events =~ /black_end:([\d.]+)/)[0] // -1,
            ($events =~ /silence_end: ([\d.]+)/)[0] // -9);
}

# s: by how much libavformat shows pictures of a fragmented file too late: where
# one is shown before it is decoded it moves all, and leaves the sound

sub moved {
    my ($file) = @_;

    my $data = slurp($file);
    my ($scale) = $data =~ /mdhd(?:\x00{4}.{8}|\x01.{19})(.{4})/s;
    my ($dts, $cts) = $data =~ /tfdt\x01\x00{3}(.{8}).{4}trun.{24}(.{4})/s;
    my ($pts) = `ffprobe -v error -select_streams v -show_entries packet=pts \\
                 -of csv=p=0 $file` =~ /(\d+)/;

    return ($pts - unpack('Q>', $dts) - unpack('l>', $cts)) / unpack 'N', $scale;
}

# as it is

for my $row (
    [ '/files/movie.mkv', undef, 'no accept' ],
    [ '/files/off/movie.mkv', $HEVC, 'off' ],
    [ '/files/bars.mp4', $AVC, 'a file that the client can play' ],
    [ '/files/text.mkv', $AVC, 'no media file' ])
{
    my ($path, $accept, $name) = @$row;

    my $p = offer($path, $accept);
    is($p->{status}, 201, "$name: 201");
    is($p->{hello}{flags}, 4, "$name: byte ranges");
    cmp_ok($p->{hello}{size}, '>', 0, "$name: with its size");
    $c->call('close', peer => $p->{peer});
}

# remuxed

my $p = offer('/files/movie.mkv', $HEVC);
is($p->{status}, 201, 'remux: 201') or diag(explain($p));
is($p->{hello}{flags}, 6, 'Hello: transcoding, seekable');
is($p->{hello}{size}, 0, 'Hello: no size');
is($p->{hello}{name}, 'movie.mkv', 'Hello: name');

my $file = $t->dir . '/out.mp4';
my $r = $c->call('play', peer => $p->{peer}, generation => 1, file => $file);
my $i = info($r);

is($r->{status}, 0, 'it ends') or diag(explain($r));
near($r->{start}, 0, 'it begins at 0');
cmp_ok($r->{fragments}, '>=', 4, 'fragments');
is($i->{mode}, 'remux', 'Info: mode');
cmp_ok(abs($i->{duration_ms} - 8000), '<', 100, 'Info: duration');
like($i->{mime}, qr{^video/mp4; codecs="hvc1\.1\.6\.L\d+(?:\.\w+)*,mp4a\.40\.2"$},
     'Info: mime');
is($i->{reason}, 'sound ac3 becomes AAC', 'Info: reason');
is(scalar(@{ $i->{qualities} }), 1, 'Info: one quality');
is_deeply([ map { "$_->{kind} $_->{codec}" =~ s/hvc1.*/hvc1/r }
                @{ $i->{tracks} } ],
          [ 'video hvc1', 'audio ac-3', 'audio mp4a.40.2' ], 'Info: tracks');
is($i->{tracks}[1]{language}, 'ger', 'Info: a language');
is($i->{tracks}[1]{title}, 'so "said"', 'Info: a title');
is(scalar(@{ $i->{subtitles} }), 1, 'Info: subtitles');
like(join('|', @{ $r->{cues} }),
     qr/^3\ 00:00:01\.0\d\d\ -->\ 00:00:02\.5\d\d\none\ &amp;\ so\ on
        \|3\ 00:00:05\.0\d\d\ -->\ 00:00:06\.0\d\d\nthree$/x,
     'cues of WebVTT');

my ($pid) = $t->log =~ /webrtc media process (\d+) started/;
my @ticks = split / /, slurp("/proc/$pid/stat") || '';
note(sprintf 'remux: %.1f %% of a processor', ($ticks[13] + $ticks[14]) / 8)
    if @ticks > 14;

my ($said, $count) = decoded($file);
is($said, '', 'ffmpeg finds nothing wrong with it');
like($count, qr/^hevc,200 aac,37\d$/, 'and all that there was');

# a range, and a ping

$c->call('send', peer => $p->{peer}, hex => '010000000000006300000010'
         . '00000000000000000000000000000010');
$c->call('send', peer => $p->{peer}, hex => '05000000deadbeef00000000');
my $frames = $c->call('frames', peer => $p->{peer}, count => 2,
                      timeout => 20)->{frames};
is_deeply([ map { "$_->{type} $_->{id} " . ($_->{status} // '') } @$frames ],
          [ '3 99 2', '6 3735928559 ' ], 'RangeReq: status 2; Pong');

# seeks: the key frame before, and behind the end

seek_to($p, 5000);
$r = $c->call('play', peer => $p->{peer}, generation => 2, file => $file);
near($r->{start}, 4000, 'a seek begins at the key frame before');
is($r->{status}, 0, 'and goes to the end');
($said, $count) = decoded($file);
is($said, '', 'ffmpeg reads it');
like($count, qr/^hevc,100 aac,18\d$/, 'from there on');

seek_to($p, 999999999);
$r = $c->call('play', peer => $p->{peer}, generation => 3);
is($r->{status}, 0, 'behind the end: ends');
near($r->{start}, 6000, 'with the last group of pictures');

# another sound, which goes as it is

send_frame($p, 10, 0x10, 0, pack 'N', 2);
seek_to($p, 0);
$r = $c->call('play', peer => $p->{peer}, generation => 5, file => $file);
is($r->{status}, 0, 'another sound');
($said, $count) = decoded($file);
is($said, '', 'ffmpeg reads it');
is(JSON::PP->new->decode($r->{infos}[-1])->{tracks}[2]{selected},
   JSON::PP::true(), 'Info: selected');
$c->call('close', peer => $p->{peer});

# by SSE signalling, too

$p = offer('/files/bars_b.ts', $AVC, signal => JSON::PP::true());
is($p->{status}, 201, 'SSE signalling: 201');
is($p->{hello}{flags}, 6, 'SSE signalling: transcoding');
$c->call('close', peer => $p->{peer});

# Annex B and ADTS, and times that do not begin at 0

$p = offer('/files/bars_b.ts', $AVC);
$r = $c->call('play', peer => $p->{peer}, generation => 1, file => $file);
is(info($r)->{mode}, 'remux', 'MPEG-TS: remuxed');
is(info($r)->{reason}, 'container', 'MPEG-TS: for its container');
cmp_ok($r->{start}, '<', 100, 'MPEG-TS: begins at 0');
($said, $count) = decoded($file);
is($said, '', 'MPEG-TS: ffmpeg reads it');
like($count, qr/^h264,(?:299|300) aac,5\d\d$/, 'MPEG-TS: all of it');

seek_to($p, 6400);
$r = $c->call('play', peer => $p->{peer}, generation => 2, file => $file);
cmp_ok(abs($r->{start} - 6000), '<=', 100, 'MPEG-TS: a seek without an index');
($said, $count) = decoded($file);
is($said, '', 'MPEG-TS: ffmpeg reads it');
$c->call('close', peer => $p->{peer});

# sound and picture together: HEVC with B-frames and AC-3

SKIP: {
    my $made = $t->ffmpeg('-f', 'lavfi', '-i', 'color=black:size=320x180:rate=25,'
        . "drawbox=color=white:t=fill:enable='between(t,2.99,3.29)'",
        '-f', 'lavfi', '-i',
        "aevalsrc='if(between(t,3,3.3),sin(2*PI*1000*t),0)':s=48000",
        '-t', '4', qw/ -c:v libx265 -preset ultrafast -x265-params
        keyint=50:bframes=3:log-level=error -c:a ac3 -y /, "$dir/flash.mkv");

    skip 'no x265', 8 if ($t->reap($made, 60) // 1) != 0;

    for my $row ([ 'AAC', $HEVC ], [ 'Opus', 'hvc1.1.6.L120.B0,opus' ]) {
        my ($codec, $accept) = @$row;

        $p = offer('/files/flash.mkv', $accept);
        is(($c->call('play', peer => $p->{peer}, generation => 1,
                     file => $file))->{status}, 0, "to $codec");

        my ($flash, $tone) = events($file);

        cmp_ok(abs($flash - moved($file) - $tone), '<', 0.015,
               "$codec: sound within 15 ms of the picture");

        seek_to($p, 2300);
        is(($c->call('play', peer => $p->{peer}, generation => 2,
                     file => $file))->{status}, 0, 'from 2 s on');

        ($flash, $tone) = events($file);
        cmp_ok(abs($flash - moved($file) - $tone), '<', 0.015,
               "$codec: and behind a seek");
        $c->call('close', peer => $p->{peer});
    }
}

# what cannot be played

$p = offer('/files/movie.mkv', $AVC);
is($p->{status}, 406, 'remux does not encode video: 406');
like($p->{answer}, qr/video codec hevc \(hvc1\.[^)]*\)/, 'which names it');
$p = offer('/files/movie.mkv', 'hvc1,vorbis');
is($p->{status}, 406, 'nor for sound');
like($p->{answer}, qr/audio codec ac3 \(ac-3\)/, 'which names it');
$p = offer('/files/movie.mkv', "$HEVC&max=tall");
is($p->{status}, 400, 'max is a height');

# a file that changes

system('cp', "$media/movie.mkv", "$dir/changing.mkv");
$p = offer('/files/slow/changing.mkv', $HEVC);
$c->call('play', peer => $p->{peer}, generation => 1, fragments => 1);
open my $fh, '>>', "$dir/changing.mkv" or die;
print $fh 'more';
close $fh;
$r = $c->call('play', peer => $p->{peer}, generation => 1, failed => 1);
is_deeply($r->{ends}, [ [ 1, 3 ] ], 'a file that changes: status 3');
is_deeply(JSON::PP->new->decode($r->{infos}[-1] || '{}'),
          { mode => 'failed', reason => 'the file has changed' },
          'and the reason');
$c->call('close', peer => $p->{peer});
ok($t->no_sessions, 'no session is left so far');

# as many as may be, paused, and with the rate of the location

my @many = map { offer('/files/slow/movie.mkv', $HEVC) } 1 .. 3;
is_deeply([ map { $_->{status} } @many ], [ 201, 201, 201 ], 'three at once');
$p = offer('/files/movie.mkv', $HEVC);
is($p->{status}, 503, 'a fourth: 503');
like($p->{answer}, qr/webrtc_file_transcode max/, 'and a sentence');
$p = offer('/files/bars.mp4', $AVC);
is($p->{status}, 201, 'but not where nothing is transcoded');
$c->call('close', peer => $p->{peer});

$r = $c->call('play', peer => $many[0]{peer}, generation => 1, fragments => 1);
send_frame($many[0], 4, 0, 1, '');
seek_to($many[1], 3000);
$r = $c->call('play', peer => $many[1]{peer}, generation => 2, fragments => 2);
near($r->{start}, 2000, 'a seek in the middle');
my $paused = $c->call('play', peer => $many[0]{peer}, generation => 1,
                      fragments => 1)->{bytes};
seek_to($many[0], 0);
$r = $c->call('play', peer => $many[0]{peer}, generation => 2, fragments => 1);
near($r->{start}, 0, 'a paused one goes on with a seek');
is($c->call('play', peer => $many[0]{peer}, generation => 1,
            fragments => 1)->{bytes}, $paused, 'and nothing came meanwhile');

# the process is killed

kill 'KILL', $_ for $t->log =~ /webrtc media process (\d+) started/g;
$r = $c->call('play', peer => $many[1]{peer}, generation => 3, fragments => 1);
cmp_ok($r->{start} // -1, '>=', 2000,
       'killed: it goes on where it was, as a new generation');
$c->call('close', peer => $_->{peer}) for @many;

# video too: at the very time, and smaller

SKIP: {
    my $has = `ffmpeg -v error -encoders 2>/dev/null`;
    skip 'no x264', 1 if $has !~ /libx264/;

    $p = offer('/files/on/mpeg2.mkv', $AVC);
    is($p->{status}, 201, 'on: 201') or diag(explain($p));
    $r = $c->call('play', peer => $p->{peer}, generation => 1,
                  file => $file, timeout => 80);
    $i = info($r);
    is($i->{mode}, 'transcode', 'on: the video is encoded');
    like($i->{mime}, qr/codecs="avc1\.\w{6},mp4a\.40\.2"/, 'to H.264');
    is_deeply([ map { $_->{height} } @{ $i->{qualities} } ], [ 360, 240 ],
              'in two qualities');
    ($said, $count) = decoded($file);
    is($said, '', 'on: ffmpeg reads it');
    like($count, qr/^h264,100 aac,18\d$/, 'on: all of it');

    send_frame($p, 10, 0, 0, pack 'N', 1);
    seek_to($p, 2300);
    $r = $c->call('play', peer => $p->{peer}, generation => 3,
                  file => $file, timeout => 80);
    is($r->{start}, 2300, 'on: a seek is exact');

    my ($flash, $tone) = events($file);
    cmp_ok(abs($flash - (3 - 2.3)), '<', 0.1, 'on: the picture, too');
    cmp_ok(abs($flash - $tone), '<', 0.04, 'on: sound within 40 ms of it');
    like(`ffprobe -v error -select_streams v -show_entries stream=width,height \\
          -of csv=p=0 $file`, qr/^42[46],240$/, 'and the quality a smaller one');
    $c->call('close', peer => $p->{peer});
}

ok($t->no_sessions, 'no session is left');

$t->done;
