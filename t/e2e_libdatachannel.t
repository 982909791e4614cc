#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# libdatachannel publishes H.264 with a packetizer of its own, and never hears of
# a PLI; Chromium and aiortc watch.  H.265 goes to a viewer on libdatachannel: no
# browser here knows it.  And what viewers are told of clocks, packet by packet.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Rtp;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $c = NgxWebRTC::Rtp->new($t)
    or plan skip_all => 'node-datachannel is not installed';

# pictures with delimiters, in which nothing is packetized yet

my $file = $t->dir . '/bars.h264';
my $p = $t->ffmpeg('-i', $t->media . '/bars.ts', '-map', '0:v', '-c', 'copy',
                   '-bsf:v', 'h264_metadata=aud=insert', '-f', 'h264', $file);

is($t->reap($p, 60), 0, 'the pictures') or diag(slurp($p->{log}));

$t->start(http => 'webrtc_wait 15s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location ~ ^/file/(?<name>\w+)\.(?<ext>\w+)$ {
    webrtc_play  file_$name;
    webrtc_pull  file:%%MEDIA%%/$name.$ext loop;
}
EOF

my $pub = $c->call('open', url => $t->url('/whip/bars'), publish => 1,
                   media => [ h264(ssrc => 42) ]);

is($pub->{status}, 201, 'WHIP') or diag($pub->{answer});

my $r = $c->call('h264', peer => $pub->{peer}, file => $file, pt => 96,
                 ssrc => 42, fps => 25);

cmp_ok($r->{pictures}, '>', 50, 'pictures to send');

my $v = $t->browser->play($t->url('/whep/bars'));

is($v->{status}, 201, 'WHEP') or diag($v->{answer});

my $s = $v->wait(50);

ok(!$s->{error}, 'Chromium decodes it') or diag(explain($s));
is($s->{codec}, 'H264', 'H.264');
colour_bars_ok($v->bars, 'the picture is the publisher\'s');

SKIP: {
    skip('python3-aiortc is not installed', 2)
        if system('/usr/bin/python3 -c "import aiortc" 2>/dev/null') != 0;

    my $a = $t->aiortc($t->url('/whep/bars'), seconds => 3, codec => 'H264');

    is($a->{status}, 201, 'aiortc: WHEP') or diag(explain($a));
    cmp_ok($a->{frames} // 0, '>', 10, 'aiortc decodes it');
}

my $st = $t->stream('bars');

is($st->{tracks}[0]{codec}, 'H264', 'the stream\'s codec');
cmp_ok($st->{keyframes}, '>', 0, 'key frames are seen');
is($st->{damaged}, 0, 'nothing was malformed');
is($c->call('state', peer => $pub->{peer})->{state}, 'connected',
   'the publisher is well');

$v->stop;
is($c->call('close', peer => $pub->{peer})->{status}, 200, 'DELETE');

sub h265 {
    return { kind => 'video', pts => [ 98 ],
             lines => [ 'rtpmap:98 H265/90000', 'rtcp-fb:98 nack pli' ], @_ };
}

$pub = $c->call('open', url => $t->url('/whip/hevc'), publish => 1,
                media => [ h265(ssrc => 43) ]);

is($pub->{status}, 201, 'H.265: WHIP') or diag($pub->{answer});

$c->call('h264', peer => $pub->{peer}, pt => 98, ssrc => 43, fps => 25,
         h265 => 1, file => "$NgxWebRTC::ROOT/t/data/media/bframes.h265");

$v = $c->call('open', url => $t->url('/whep/hevc'), media => [ h265() ]);

is($v->{status}, 201, 'H.265: WHEP') or diag($v->{answer});

$r = $c->call('packets', peer => $v->{peer}, count => 100, timeout => 30);

my @p = @{ $r->{packets} || [] };

# it begins with parameter sets: an aggregation packet, or a VPS alone

like($p[0]{hex} // '', qr/^(?:6001|4001)/, 'H.265: the beginning');
is_deeply([ map { ($_->{seq} - $p[0]{seq}) & 0xffff } @p ], [ 0 .. $#p ],
          'H.265: sequence numbers');
is(scalar(grep { $_->{pt} == 98 } @p), scalar(@p), 'H.265: payload types');

$st = $t->stream('hevc');

is($st->{tracks}[0]{codec}, 'H265', 'H.265: the stream\'s codec');
is($st->{tracks}[0]{width}, 320, 'H.265: its size');
cmp_ok($st->{keyframes}, '>', 1, 'H.265: key frames are seen');
is($st->{damaged}, 0, 'H.265: nothing was malformed');

$c->call('close', peer => $_->{peer}) for $v, $pub;

# Lip sync begins with two reports of each track, as libwebrtc draws a line
# through two.  By those, sound and picture of a moment come at the same time:
# the least delayed of their packets.

sub lips {
    my ($path) = @_;

    my $v = $c->call('open', url => $t->url($path), media => [ h264(), opus() ]);

    return { error => $v->{answer} } if $v->{status} != 201;

    my (@p, %sr, %least, %before);

    for (1 .. 40) {
        push @p, @{ $c->call('packets', peer => $v->{peer}, count => 50,
                             timeout => 20)->{packets} || [] };

        %sr = ();
        push @{ $sr{$_->{ssrc}} }, $_
            for @{ $c->call('reports', peer => $v->{peer})->{reports} };

        last if @p >= 300 && keys %sr == 2 && !grep { @$_ < 2 } values %sr;
    }

    $c->call('close', peer => $v->{peer});

    for my $i (0 .. $#p) {
        my $sr = ($sr{$p[$i]{ssrc}} || [])->[1] or next;
        my ($kind, $rate) = $p[$i]{pt} == 111 ? ('audio', 48000)
                                              : ('video', 90000);
        my $ticks = ($p[$i]{ts} - $sr->{rtp}) & 0xffffffff;

        $ticks -= 2 ** 32 if $ticks >= 2 ** 31;

        my $late = $p[$i]{at} - $sr->{ntp} - $ticks / $rate;

        $least{$kind} = $late
            if !defined $least{$kind} || $late < $least{$kind};
        $before{$kind}++ if $i < $sr->{after};
    }

    return { error => 'no reports' } if keys %least != 2;

    return { skew => 1000 * ($least{video} - $least{audio}),
             before => $before{audio} || 0 };
}

for my $file (qw/ bars.ts opus.mkv /) {
    my $r;

    ok(wait_for(90, sub {
        $r = lips("/file/$file");
        return !$r->{error} && $r->{before} < 45 && abs($r->{skew}) < 40;
    }), "$file: sound and picture are within 40 ms from the beginning");

    note(join ', ', map { "$_ $r->{$_}" } sort keys %$r);
}

ok($t->no_sessions, 'no session is left');

$t->done;
