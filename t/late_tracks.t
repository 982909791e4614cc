#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Tracks that are not there when a viewer comes: the first key frame of RTMP is
# seconds away, sound begins later, with another PMT, with another publisher, or
# a segment behind the picture.  They get an m-line and play when they come.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use Time::HiRes qw/ time /;

plan skip_all => "Debian's libnginx-mod-rtmp is not installed"
    if !-e '/usr/lib/nginx/modules/ngx_rtmp_module.so';

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;


# small, as it is decoded by aiortc: a key frame every 8 s

my @in = ('-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25:duration=24',
          '-f', 'lavfi', '-i', 'sine=frequency=440:duration=24');
my @enc = ('-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '200',
           '-sc_threshold', '0', '-pix_fmt', 'yuv420p', '-c:a', 'aac');

sub make {
    my ($name, @args) = @_;

    system('ffmpeg', '-nostdin', '-v', 'error', '-y', @in, @enc, @args,
           "$dir/$name") == 0 or die "ffmpeg: $name";
}

make('av.flv');
make('often.flv', '-g', '25');
make('radio.flv', '-vn');
make('silent.flv', '-an', '-t', '7', '-g', '25');
make('v.ts', '-an', '-t', '4', '-g', '25', '-f', 'mpegts');
make('av.ts', '-t', '20', '-g', '25', '-f', 'mpegts', '-tables_version', '1',
     '-output_ts_offset', '4');
make('six.m3u8', '-f', 'hls', '-hls_segment_type', 'fmp4', '-hls_time', '4',
     '-hls_list_size', '0');


# FLV tags: [type, ts, bytes], written again as the code wants them

sub flv {
    my ($from, $to, $code) = @_;

    my $data = slurp("$dir/$from");
    my $out = substr $data, 0, 13;
    my $pos = 13;

    while ($pos + 11 <= length $data) {
        my ($type, $hi, $lo) = unpack 'CCn', substr $data, $pos, 4;
        my $n = ($hi << 16 | $lo) + 15;
        my $tag = substr $data, $pos, $n;
        my ($h, $l, $x) = unpack 'CnC', substr $tag, 4, 4;

        $out .= $code->($type, $x << 24 | $h << 16 | $l, $tag);
        $pos += $n;
    }

    $t->write_file($to, $out);
}

# the first key frame is gone: nginx-rtmp sends no video before the second

my $first = 1;

flv('av.flv', 'nokey.flv', sub {
    my ($type, $ts, $tag) = @_;

    my $key = $type == 9 && substr($tag, 11, 2) eq "\x17\x01";
    return $key && $first-- > 0 ? '' : $tag;
});

# sound, its configuration too, begins after 4 s

my $header = '';

flv('often.flv', 'sound.flv', sub {
    my ($type, $ts, $tag) = @_;

    return $tag if $type != 8;

    if (substr($tag, 12, 1) eq "\0") {
        $header = $tag;
        return '';
    }

    return '' if $ts < 4000;

    my $out = $header . $tag;
    $header = '';
    return $out;
});


# nothing but what it is comes before the second key frame

my $none = 1;

flv('av.flv', 'quiet.flv', sub {
    my ($type, $ts, $tag) = @_;

    $none = 0 if $type == 9 && $ts >= 4000
                 && substr($tag, 11, 2) eq "\x17\x01";

    return $type != 8 && (!$none || substr($tag, 12, 1) eq "\0"
                          || $type == 18) ? $tag : '';
});


# a TCP server that sends FLV by its tags' times

my $quiet = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
                                  LocalPort => $t->port('flv'))
    or die "listen: $!";

$t->spawn('flv', sub {
    my $c = $quiet->accept or die "accept: $!";
    my $start = time();

    $c->send(substr slurp("$dir/quiet.flv"), 0, 13);

    flv('quiet.flv', 'sent.flv', sub {
        my ($type, $ts, $tag) = @_;

        my $due = $start + $ts / 1000;
        select undef, undef, undef, $due - time() if $due > time();
        $c->send($tag) or POSIX::_exit(0);
        return '';
    });
});


# a TCP server that sends MPEG-TS as time goes by: the files and how long each
# one is, in seconds

my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1',
                                   LocalPort => $t->port('ts'))
    or die "listen: $!";

$t->spawn('ts', sub {
    my $c = $listen->accept or die "accept: $!";
    my $start = time();

    for ([ 'v.ts', 4 ], [ 'av.ts', 20 ]) {
        my $data = slurp("$dir/$_->[0]");
        my $step = 188 * int(length($data) / 188 / $_->[1] / 25 + 1);

        for (my $pos = 0; $pos < length $data; $pos += $step) {
            my $due = $start + $_->[1] * $pos / length $data;
            select undef, undef, undef, $due - time() if $due > time();
            $c->send(substr $data, $pos, $step) or return;
        }

        $start += $_->[1];
    }
});

$t->rtmp_server;

sub push_flv {
    my ($name, @files) = @_;

    $t->spawn("push-$name", [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/rtmp_push.py", $t->port('rtmp'), 'live', $name,
        map { "$dir/$_" } @files ]);
}

push_flv('nokey', 'nokey.flv');
push_flv('sound', 'sound.flv');
push_flv('second', 'silent.flv', 'av.flv');
push_flv('radio', 'radio.flv');

$t->start(server => <<'EOF');
webrtc_wait  2s;

location ~ ^/whep/(?<name>nokey|sound|radio)$ {
    webrtc_play  $name;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/$name;
}

location = /whep/second {
    webrtc_play  second;
    webrtc_pull  rtmp://127.0.0.1:%%PORT_rtmp%%/live/second;
    webrtc_wait  20s;
}

location = /whep/pmt {
    webrtc_play  pmt;
    webrtc_pull  tcp://127.0.0.1:%%PORT_ts%% format=mpegts;
}

location = /whep/quiet {
    webrtc_play  quiet;
    webrtc_pull  tcp://127.0.0.1:%%PORT_flv%% format=flv;
}

location = /whep/fmp4 {
    webrtc_play  fmp4;
    webrtc_pull  file:%%DIR%%/six.m3u8 loop;
    webrtc_wait  20s;
}
EOF


sub viewer {
    my ($name, %o) = @_;

    return $t->spawn("viewer-$name", [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/whep.py", $t->url("/whep/$name"),
        JSON::PP::encode_json(\%o) ], pipe => 1);
}

sub result {
    my ($p) = @_;

    return json(NgxWebRTC::_read_line($p->{out}, 95) // '') || {};
}

# the direction of an m-line of an answer

sub direction {
    my ($answer, $kind) = @_;

    my ($m) = grep { /^m=$kind / } split /(?=^m=)/m, $answer || '';

    return ($m // '') =~ /^a=(sendonly|inactive)/m ? $1 : 'none';
}


my %viewers = map { $_ => viewer($_, frames => 30) }
              qw/ nokey sound second pmt fmp4 /;

my $quiet_viewer = viewer('quiet', seconds => 11);
my $radio = viewer('radio', seconds => 8);

for my $name (sort keys %viewers) {
    my $r = result($viewers{$name});

    is($r->{status}, 201, "$name: POST") or diag($r->{body});
    is(direction($r->{answer}, $_), 'sendonly', "$name: $_ is sendonly")
        for qw/ video audio /;
    cmp_ok($r->{frames} // 0, '>=', 30, "$name: the picture is seen");
    cmp_ok($r->{audioFrames} // 0, '>=', 60, "$name: the sound is heard");
    cmp_ok($r->{audioPeak} // 0, '>', 1000, "$name: and is no silence");
}

# video alone, none of it before the answer

my $q = result($quiet_viewer);

is($q->{status}, 201, 'quiet: POST') or diag($q->{body});
is(direction($q->{answer}, 'video'), 'sendonly', 'quiet: video is sendonly');
cmp_ok($q->{frames} // 0, '>=', 30, 'quiet: the picture is seen');

# never there, but who knows

my $r = result($radio);

is($r->{status}, 201, 'radio: POST') or diag($r->{body});
is(direction($r->{answer}, 'video'), 'sendonly', 'radio: video may come');
cmp_ok($r->{audioFrames} // 0, '>', 100, 'radio: the sound is heard');

is($t->stream('radio')->{starts}, 1, 'radio: one start');
is(scalar(@{ $t->stream('radio')->{tracks} }), 1,
   'radio: what is not there is not in the status');

like($t->log, qr/webrtc source up tracks:"H264\(to come\) opus".*stream: "nokey"/,
     'the log tells what is to come');

# whoever comes later is not made to wait again

my $start = time();
my $later = viewer('radio', seconds => 1);

ok(wait_for(30, sub { ($t->stream('radio') || {})->{viewers_total} >= 2 }),
   'radio: another viewer');
is(result($later)->{status}, 201, 'radio: POST');

$t->done;
