#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Sound that comes seconds after the pictures, and the other way round, in all
# that is made of a stream: recordings, segments, MPEG-TS and MP4 over HTTP, and a
# push.  Nothing waits for it for good, nothing that was there before is lost, and
# what comes is at its place.  A publisher by WHIP has said that it would come; one
# by RTMP has not.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Beep;
use NgxWebRTC::Hls;

plan skip_all => "Debian's libnginx-mod-rtmp is not installed"
    if !-e '/usr/lib/nginx/modules/ngx_rtmp_module.so';

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" or die for qw{ rec hls };

# of RTMP: a key frame in four seconds, sound from five on; and sound from the
# beginning, pictures from five on: the header of theirs, too

my $film = $t->ffmpeg('-f', 'lavfi', '-i', 'color=black:s=160x120:r=25',
    '-f', 'lavfi', '-i', "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.2)':s=48000",
    '-vf', "drawbox=enable='lt(mod(t,1),0.2)':color=white:t=fill", '-t', '14',
    qw{ -c:v libx264 -preset ultrafast -g 100 -sc_threshold 0 -bf 0 -pix_fmt yuv420p
        -c:a aac -y }, "$dir/film.flv");
is($t->reap($film, 60), 0, 'a film of flashes and beeps is made');

# tags of a type leave, up to a time: but for their header, which comes then

sub late {
    my ($to, $late) = @_;

    my $data = slurp("$dir/film.flv");
    my $out = substr $data, 0, 13;
    my ($pos, $header) = (13, '');

    while ($pos + 11 <= length $data) {
        my ($type, $hi, $lo) = unpack 'CCn', substr $data, $pos, 4;
        my $n = ($hi << 16 | $lo) + 15;
        my $tag = substr $data, $pos, $n;
        my (undef, $l, $x) = unpack 'CnC', substr $tag, 4, 4;
        my $ts = $x << 24 | (unpack 'C', substr $tag, 4, 1) << 16 | $l;

        $pos += $n;

        if ($type == 18) {
            next;
        }

        if ($type == $late && substr($tag, 12, 1) eq "\0") {
            $header = $tag;

        } elsif ($type != $late) {
            $out .= $tag;

        } elsif ($ts >= 5000) {
            substr($header, 4, 4) = substr $tag, 4, 4 if $header ne '';
            $out .= $header . $tag;
            $header = '';
        }
    }

    $t->write_file($to, $out);
}

late('in.sound.flv', 8);
late('in.picture.flv', 9);

my $rtmp = $t->rtmp_server;

$t->start(http => 'webrtc_wait 30s;', server => <<"EOC");
webrtc_ingest  rtmp://127.0.0.1:%%PORT_ingest%%;
location = /control {
    webrtc_status  control;
}
location ~ ^/whip/(?<name>\\w+-mp4)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$webrtc_stream-%s.mp4;
    webrtc_push     rtmp://127.0.0.1:%%PORT_rtmp%%/kept/\$webrtc_stream;
}
location ~ ^/whip/(?<name>\\w+-mkv)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$webrtc_stream-%s.mkv;
}
location ~ ^/whip/(?<name>\\w+-ts)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$webrtc_stream-%s.ts;
}
location = /whip/swap {
    webrtc_publish  swap;
    webrtc_linger   60s;
    webrtc_record   $dir/rec/swap-%s.mkv;
}
location ~ ^/live/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
    webrtc_record   $dir/rec/\$webrtc_stream-%s.mkv;
    webrtc_push     rtmp://127.0.0.1:%%PORT_rtmp%%/kept/\$webrtc_stream;
}
location /hls/sound-mp4/ {
    webrtc_hls  sound-mp4 $dir/hls segment=1s window=10m on=always;
}
location /hls/picture-mp4/ {
    webrtc_hls  picture-mp4 $dir/hls segment=1s window=10m on=always;
}
location ~ ^/(?<name>[\\w-]+)\\.ts\$   { webrtc_ts   \$name; }
location ~ ^/(?<name>[\\w-]+)\\.mp4\$  { webrtc_mp4  \$name; }
EOC

sub whip {
    my ($stream, %late) = @_;

    return $t->python('whep.py', $t->url("/whip/$stream"), JSON::PP::encode_json(
        { publish => \1, beep => \1, codec => 'H264', late => \%late, most => 300,
          until => "$dir/enough" }));
}

sub rtmp {
    my ($name) = @_;

    return $t->spawn("rtmp-$name", [ '/usr/bin/python3',
        "$NgxWebRTC::ROOT/t/lib/rtmp_push.py", $t->port('ingest'), 'live', $name,
        "$dir/in.$name.flv" ]);
}

sub reads {
    my ($stream, $ext) = @_;

    return $t->spawn("curl-$stream-$ext", [ 'curl', '-sN', '-o', "$dir/http-$stream.$ext",
                                           $t->url("/$stream.$ext") ]);
}

# s from where on they are where they belong: when a report of the sender has
# come, a first picture that was late is made up for slowly

my $known = 6;

# when packets of a kind begin and end, and how many there are

sub packets {
    my ($file, $kind) = @_;

    my @at = `ffprobe -v error -select_streams $kind -show_entries packet=pts_time -of csv=p=0 '$file'`
             =~ /^(-?[\d.]+)/mg;
    @at = sort { $a <=> $b } @at;

    return { n => scalar @at, from => $at[0] // -1, to => $at[-1] // -1,
             hole => (sort { $b <=> $a } 0, map { $at[$_] - $at[$_ - 1] } 1 .. $#at)[0] };
}

sub decodes {
    my ($file) = @_;

    my $said = `ffmpeg -nostdin -v warning -xerror -i '$file' -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`;
    is("$? $said", '0 ', $file =~ s{.*/}{}r . ' is decoded');
}

sub outlet {
    my ($stream, $kind) = @_;

    my ($o) = grep { $_->{kind} eq $kind } @{ ($t->stream($stream) || {})->{outputs} || [] };

    return $o || {};
}

# files of a recording, in order

sub recorded {
    my ($stream) = @_;

    ok(wait_for(60, sub { !glob "$dir/rec/$stream-[0-9]*-part" }), "$stream: its recording ends");

    return map { $_->[1] } sort { $a->[0] <=> $b->[0] }
           map { [ (stat)[9], $_ ] } glob "$dir/rec/$stream-[0-9]*";
}


my @streams = qw{ sound-mp4 sound-mkv sound-ts picture-mp4 };
my @whip = map { whip($_, /sound/ ? 'audio' : 'video' => 6) } @streams;

subtest 'before it comes' => sub {
    for my $stream (@streams) {
        ok(wait_for(60, sub { outlet($stream, 'record')->{bytes} }),
           "$stream: is recorded")
            or diag(explain($t->stream($stream)), $t->log);
    }
};

# these come when there is one track

my %curl;

for my $stream (qw{ sound-mp4 picture-mp4 }) {
    $curl{"$stream.$_"} = reads($stream, $_) for qw{ ts mp4 };
}

my %rtmp = map { $_ => rtmp($_) } qw{ sound picture };

subtest 'until there is enough' => sub {
    for my $stream (@streams) {
        ok(wait_for(60, sub { outlet($stream, 'record')->{media_ms} >= 20000 }),
           "$stream: 20 s") or diag(explain($t->stream($stream)), $t->log);
    }

    for my $stream (qw{ sound-mp4 picture-mp4 }) {
        my $c = NgxWebRTC::Hls->new($t, "/hls/$stream/v0.m3u8", part => 0);
        ok($c->whole(3), "$stream: segments");
    }

    is($t->reap($rtmp{$_}, 120), 0, "RTMP: $_") for sort keys %rtmp;
};

my %hls;

for my $stream (qw{ sound-mp4 picture-mp4 }) {
    for my $name (qw{ v0 aac }) {
        my $c = NgxWebRTC::Hls->new($t, "/hls/$stream/$name.m3u8", part => 0);
        ok($c->reload(now => 1), "$stream: $name");

        # of the newest run

        my @s = grep { $_->{data} } $c->fetch;
        @s = grep { $_->{map} eq $s[-1]{map} } @s;
        $hls{"$stream.$name"} = "$dir/hls-$stream.$name.mp4";
        $t->write_file("hls-$stream.$name.mp4", join '', $s[0]{head}, map { $_->{data} } @s);
        is($c->said, '', "$stream: $name: by the rules") or diag($c->list->{text});
    }
}

$t->write_file('enough', '1');

# who sends in fits and starts, as the machine is busy, proves nothing of clocks

my %steady;

for my $i (0 .. $#whip) {
    my $r = $t->python_result($whip[$i]);
    is($r->{status}, 201, "$streams[$i]: a publisher by WHIP") or diag(explain($r));
    $steady{$streams[$i]} = ($r->{behind} // 9999) < 100
        or note("$streams[$i]: frames were $r->{behind} ms late");
}

sub together {
    my ($stream, @args) = @_;

    NgxWebRTC::Beep::together(@args) if $steady{$stream};
}

$t->reap($curl{$_}, 60) // $t->kill($curl{$_}) for sort keys %curl;


subtest 'sound late, by WHIP' => sub {
    for my $ext (qw{ mp4 mkv ts }) {
        my @files = recorded("sound-$ext");

        is(scalar(@files), 1, "$ext: one file") or diag(explain(\@files));
        decodes($files[0]);

        my ($v, $a) = map { packets($files[0], $_) } qw{ v a };
        cmp_ok($v->{n}, '>=', 400, "$ext: pictures");
        cmp_ok($v->{hole}, '<', 0.3, "$ext: without a hole");
        cmp_ok($a->{n}, '>=', 200, "$ext: sound");
        cmp_ok($a->{from} - $v->{from}, '>', 3, "$ext: which is late");
        together("sound-$ext", $files[0], undef, $a->{from} - $v->{from} + $known);
    }

    for my $ext (qw{ ts mp4 }) {
        my $file = "$dir/http-sound-mp4.$ext";
        my ($v, $a) = map { packets($file, $_) } qw{ v a };
        cmp_ok($v->{n}, '>=', 100, "$ext over HTTP: pictures");
        cmp_ok($a->{n}, '>=', 50, "$ext over HTTP: sound");
    }

    together('sound-mp4', @hls{map { "sound-mp4.$_" } qw{ v0 aac }}, 6 + $known);
};


subtest 'pictures late, by WHIP' => sub {
    for my $ext ('mp4') {
        my @files = recorded("picture-$ext");

        is(scalar(@files), 2, "$ext: two files") or diag(explain(\@files));
        decodes($_) for @files;

        my $a = packets($files[0], 'a');
        is(packets($files[0], 'v')->{n}, 0, "$ext: the first one has sound");
        cmp_ok($a->{to} - $a->{from}, '>', 4.5, "$ext: all of it");
        cmp_ok($a->{hole}, '<', 0.1, "$ext: without a hole");
        together("picture-$ext", $files[1], undef, $known);
    }

    together('picture-mp4', @hls{map { "picture-mp4.$_" } qw{ v0 aac }}, $known);
};


# who comes next has the camera off, and other sound: there is no key frame to
# wait for

subtest 'sound is another, and there are no pictures' => sub {
    sub swap {
        my ($until, %o) = @_;

        return $t->python('whep.py', $t->url('/whip/swap'), JSON::PP::encode_json(
            { publish => \1, beep => \1, codec => 'H264', most => 120,
              until => "$dir/$until", %o }));
    }

    my $p = swap('first');
    ok(wait_for(60, sub { (outlet('swap', 'record')->{media_ms} // 0) > 2000 }),
       'pictures and sound are recorded') or diag(explain($t->stream('swap')));

    $t->write_file('first', '1');
    $t->python_result($p);

    my $was = outlet('swap', 'record')->{media_ms};

    $p = swap('second', sound => 'PCMU', late => { video => 1000 });
    ok(wait_for(60, sub { (outlet('swap', 'record')->{media_ms} // 0) > $was + 3000 }),
       'and then sound alone') or diag(explain($t->stream('swap')), $t->log);

    $t->write_file('second', '1');
    $t->python_result($p);
    $t->http('POST', '/control?end_stream=swap');

    my @files = recorded('swap');
    my $a = packets($files[-1], 'a');

    is(packets($files[-1], 'v')->{n}, 0, 'in a file of its own');
    cmp_ok($a->{n}, '>=', 100, 'which has it');
};


# nothing is asked of a publisher by RTMP: there is a key frame each four seconds,
# and a recording that begins late begins with a later one.  From there on nothing
# is lost: of 350 pictures, or of 225 from 5 s on, 150 from a key frame on; but for
# the last one, of who hangs up

subtest 'by RTMP' => sub {
    for my $row ([ sound => 350 ], [ picture => 150 ]) {
        my ($name, $all) = @$row;
        my @files = recorded($name);

        cmp_ok(scalar(@files), '>=', 1, "$name late: files") or diag($t->log);
        decodes($_) for @files;

        my $n = 0;
        $n += packets($_, 'v')->{n} for @files;

        cmp_ok($n, '>=', 50, "$name: pictures") or diag(explain(\@files), $t->log);
        cmp_ok(($all - $n) % 100, '<=', 1, "$name: all from a key frame on ($n)");
        NgxWebRTC::Beep::together($files[-1]);
    }
};


subtest 'pushed' => sub {
    $t->kill($rtmp, 'TERM');

    for my $stream (qw{ sound-mp4 picture-mp4 sound picture }) {
        my ($file) = sort { -s $b <=> -s $a } glob "$dir/$stream-*.flv $dir/$stream.flv";

        ok($file, "$stream: there is a file") or next;
        my ($v, $a) = map { packets($file, $_) } qw{ v a };
        cmp_ok($v->{n}, '>=', 50, "$stream: pictures");
        cmp_ok($a->{n}, '>=', 50, "$stream: and sound");
    }
};

$t->done;
