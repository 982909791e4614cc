#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Streams that a viewer cannot play as they are: they are encoded anew, once for
# all who need it, and the others get the original.  A viewer goes over and back
# when another publisher comes, in the session it has.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $rtmp = $t->rtmp_server;
my $dir = $t->dir;

# H.265 and MPEG-2 with B-frames, of the same bars

my %made = (
    hevc  => [ '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params',
               'log-level=error:keyint=25:bframes=0' ],
    mpeg2 => [ '-c:v', 'mpeg2video', '-bf', '2', '-g', '12', '-b:v', '1M' ],
);

for my $name (sort keys %made) {
    my $p = $t->ffmpeg('-f', 'lavfi', '-i', 'smptebars=size=320x180:rate=25',
        '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '4',
        @{ $made{$name} }, '-pix_fmt', 'yuv420p', '-c:a', 'aac',
        '-f', 'mpegts', '-y', "$dir/$name.ts");

    is($t->reap($p, 60), 0, "$name is made");
}

$t->start(http => 'webrtc_wait 30s; webrtc_max_transcodes 5;',
          server => <<"END");
location ~ ^/whep/(?<name>\\w+)\\.ts\$ {
    webrtc_play       \$name;
    webrtc_pull       file:%%MEDIA%%/\$name.ts loop;
    webrtc_transcode  auto hw=none;
    webrtc_rendition  low 90 100k fps=10;
}
location ~ ^/made/(?<name>\\w+)\\.ts\$ {
    webrtc_play       \$name;
    webrtc_pull       file:$dir/\$name.ts loop;
    webrtc_transcode  auto hw=none;
}
location ~ ^/off/(?<name>\\w+)\\.ts\$ {
    webrtc_play       off_\$name;
    webrtc_pull       file:$dir/\$name.ts loop;
    webrtc_transcode  off;
}
location = /live {
    webrtc_play       live;
    webrtc_pull       rtmp://127.0.0.1:%%PORT_rtmp%%/live/cam;
    webrtc_transcode  auto hw=none;
}
END

sub viewer {
    my ($path, $id) = @_;

    return $t->python('whep.py', $t->url($path), JSON::PP::encode_json(
        { until => "$dir/enough_$id", progress => "$dir/seen_$id" }));
}

sub seen { return (slurp("$dir/seen_$_[0]") // '') || 0 }

sub enough {
    my ($id, $p) = @_;

    $t->write_file("enough_$id", '1');

    return $t->python_result($p);
}

sub variant {
    my ($name) = @_;

    my $st = $t->stream($name) || {};
    my ($variant) = @{ $st->{variants} || [] };

    return $variant || {};
}

# side by side

my %row = (
    'whep/bars_b' => [ 'bars_b', 'B-frames' ],
    'made/hevc'   => [ 'hevc', 'codec not offered' ],
    'made/mpeg2'  => [ 'mpeg2', 'codec not offered' ],
);

my %viewers = map { $row{$_}[0] => viewer("/$_.ts", $row{$_}[0]) }
              sort keys %row;

$viewers{second} = viewer('/whep/bars_b.ts', 'second');
$viewers{plain} = viewer('/whep/bars.ts', 'plain');
$viewers{low} = viewer('/whep/bars.ts?layer=low', 'low');

for my $id (sort keys %viewers) {
    ok(wait_for(60, sub { seen($id) > 50 }), "$id: frames are decoded");
}

for my $row (values %row) {
    my ($name, $why) = @$row;
    my $variant = variant($name);

    is($variant->{label}, 'h264', "$name: encoded as H.264");
    is($variant->{why}, $why, "$name: why");
    cmp_ok($variant->{viewers} || 0, '>', 0, "$name: its viewers");
}

is(variant('bars_b')->{viewers}, 2, 'two viewers, one encode');
is($t->stream('bars_b')->{viewers}, 2, 'they count for the stream');
is(variant('bars')->{label}, 'low', 'a rendition beside the original');
is(variant('bars')->{why}, 'rendition', 'why');
is(variant('bars')->{viewers}, 1, 'its viewer');
is($t->stream('bars')->{viewers}, 2, 'with the one of the original');

my @said = $t->log =~ /\[notice\][^\n]*stream encoded stream:"bars_b"/g;

is(scalar @said, 1, 'said once');

for my $name (map { $_->[0] } values %row) {
    my $p = enough($name, $viewers{$name});

    is($p->{status}, 201, "$name: answered");
    is($p->{ptsBackwards}, 0, "$name: no picture runs backwards");
    colour_bars_ok($p->{colours}, "$name: the picture is the source's");
    cmp_ok($p->{audioPeak} || 0, '>', 0, "$name: there is sound");
}

my $p = enough('low', $viewers{low});

# where there are renditions, viewers are asked for what they know of the path

like($p->{answer}, qr/abs-send-time/, 'their bandwidth matters');
like($p->{answer}, qr/goog-remb/, 'which they report');

is($p->{height}, 90, 'a rendition has its height');
colour_bars_ok($p->{colours}, 'and is the source\'s');
is(enough('plain', $viewers{plain})->{height}, 360, 'the original has its own');
is(enough('second', $viewers{second})->{status}, 201, 'the second one');

# no such layer; and what is not encoded is refused

$p = $t->aiortc($t->url('/whep/bars.ts?layer=best'), seconds => 1);
is($p->{status}, 404, 'no such layer');

$p = $t->aiortc($t->url('/off/hevc.ts'), seconds => 1);
is($p->{status}, 406, 'off: no codec in common');

# another publisher, in a session

SKIP: {
    skip 'no nginx-rtmp', 8 if !$rtmp;

    my $url = 'rtmp://127.0.0.1:%%PORT_rtmp%%/live/cam';
    my $from = $t->publish('bars.ts', 'flv', $url, '-bsf:a', 'aac_adtstoasc');
    my $live = viewer('/live', 'live');

    ok(wait_for(60, sub { seen('live') > 50 }), 'without B-frames');
    is_deeply($t->stream('live')->{variants}, [], 'the original');

    $t->kill($from, 'TERM');
    $from = $t->publish('bars_b.ts', 'flv', $url, '-bsf:a', 'aac_adtstoasc');

    ok(wait_for(60, sub { (variant('live')->{viewers} || 0) == 1 }),
       'with B-frames it goes over');

    my $n = seen('live');

    ok(wait_for(60, sub { seen('live') > $n + 50 }), 'and sees them');

    $t->kill($from, 'TERM');
    $from = $t->publish('bars.ts', 'flv', $url, '-bsf:a', 'aac_adtstoasc');

    ok(wait_for(60, sub { (variant('live')->{viewers} || 0) == 0 }),
       'without them it goes back');

    $n = seen('live');

    ok(wait_for(60, sub { seen('live') > $n + 50 }), 'and sees the original');

    my $p = enough('live', $live);

    is($p->{ptsBackwards}, 0, 'no picture ran backwards');
    unlike($p->{answer}, qr/abs-send-time|goog-remb/,
           'nothing follows the bandwidth where there is only the original');

    $t->kill($from, 'TERM');
}

ok($t->no_sessions, 'no session is left');

$t->done;
