#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Files that Chromium does not play as they are, on the page of docs/demo: they
# play, seek and end, with sound and picture at the same time, and subtitles;
# and what it plays comes as ranges.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw/ time /;
use NgxWebRTC;
use NgxWebRTC::Demo;

my $t = NgxWebRTC->new(workers => 2);

my $media = "$NgxWebRTC::BUILD/media";

mkdir $t->dir . '/files';
system('cp', "$media/movie.mkv", "$media/bars_b.ts", "$media/bars.mp4",
       $t->dir . '/files');

my $demo = NgxWebRTC::Demo->new($t, server => <<'EOT');
location /files/ {
    alias                  %%DIR%%/files/;
    webrtc_file            on;
    webrtc_file_transcode  on;
}
EOT

$demo->start;

plan skip_all => 'no Chromium' if !$demo->browser;

# numbers of the element, when the condition holds

sub when {
    my ($condition, $what) = @_;

    my $r = $demo->eval(<<"EOS", 60);
(() => {
    const v = document.getElementById('video');
    const { movie } = player;
    const frames = v.getVideoPlaybackQuality();

    return ($condition) && JSON.stringify({
        time: v.currentTime, duration: v.duration, width: v.videoWidth,
        frames: frames.totalVideoFrames, ended: v.ended,
        sound: v.webkitAudioDecodedByteCount, mode: movie()?.info?.mode,
        cues: [...v.textTracks].map((t) => t.cues ? t.cues.length : 0).join(),
    }) || null;
})()
EOS

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok($r, $what);

    return json($r || '{}') || {};
}

for my $row (
    [ 'bars_b.ts', 'H.264 and AAC in MPEG-TS', 'remux', 12 ],
    [ 'movie.mkv', 'HEVC and AC-3 in Matroska', 'transcode', 8 ])
{
    my ($file, $name, $mode, $duration) = @$row;

    my $began = time;

    $demo->open("/file.html?file=/files/$file");

    ok($demo->eval("document.getElementById('video').readyState >= 2 || null"),
       "$name: a picture");
    note(sprintf '%s: a picture after %.1f s, with the page', $name,
         time - $began);

    my $r = when('v.currentTime > 1 && frames.totalVideoFrames > 15',
                 "$name: plays");

    is($r->{mode}, $mode, "$name: $mode");
    is($r->{width}, 640, "$name: its picture");
    cmp_ok($r->{sound} || 0, '>', 10000, "$name: its sound is decoded");
    cmp_ok(abs($r->{duration} - $duration), '<', 0.2, "$name: its duration");

    # what is buffered of both begins and ends together: there is no hole

    $r = $demo->eval(<<'EOS');
(() => {
    const v = document.getElementById('video');
    return v.buffered.length ? v.buffered.length + ' ' + v.buffered.start(0) : null;
})()
EOS
    like($r, qr/^1 0(?:\.0\d*)?$/, "$name: without holes, from 0 on");

    # a seek to the end, and back, which takes what is there

    $began = time;
    $demo->eval("document.getElementById('video').currentTime = "
                . ($duration - 1.5) . ', true');
    $demo->eval("!document.getElementById('video').seeking || null");
    note(sprintf '%s: a seek takes %.1f s', $name, time - $began);
    $r = when('v.ended', "$name: a seek, and its end");
    cmp_ok(abs($r->{time} - $duration), '<', 0.3, "$name: when it should");

    $demo->eval(<<'EOS');
(() => {
    const v = document.getElementById('video');
    v.again = false;
    v.ontimeupdate = () => {
        v.again ||= v.currentTime > 2.5 && v.currentTime < 7;
    };
    v.currentTime = 2;
    v.play();
    return true;
})()
EOS
    when('v.again', "$name: and plays again");
    $demo->close;
}

# sound and picture at the same time: the movie has a tone from the start, and
# the buffered ranges of both are those of the file

$demo->open('/file.html?file=/files/movie.mkv');
my $r = when("v.textTracks.length == 1 && v.textTracks[0].cues?.length == 2",
             'subtitles');
is($r->{cues}, '2', 'both cues');
like($demo->eval('(() => { const c = document.getElementById("video")'
                 . '.textTracks[0].cues[0]; return c.startTime + " "'
                 . ' + c.endTime + " " + c.text; })()'),
     qr/^1(?:\.0\d*)? 2\.5\d* one &amp; so on$/, 'one of them');
is($demo->eval("document.getElementById('quality').options.length"), 2,
   'two qualities');
$demo->eval("document.getElementById('quality').value = '1', "
            . "document.getElementById('quality').dispatchEvent("
            . "new Event('change')), true");
when('v.videoHeight == 240 && v.currentTime > 0', 'the other quality');
$demo->close;

# as it is

$demo->open('/file.html?file=/files/bars.mp4');
$r = when('v.currentTime > 1 && frames.totalVideoFrames > 15',
          'MP4: plays');
is($r->{mode}, undef, 'MP4: by ranges');
$demo->close;

ok($t->no_sessions, 'no session is left');

$t->done;
