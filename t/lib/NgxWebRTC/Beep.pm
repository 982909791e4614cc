package NgxWebRTC::Beep;

# Copyright (C) the ngx_http_webrtc_module authors
#
# A film of flashes and beeps, one of each in a second at the same time, and how
# far apart they are in what has become of it.
#
#     my $made = NgxWebRTC::Beep::film($t, "$dir/beep.ts", '-bf', '2');
#     my ($n, $most) = NgxWebRTC::Beep::apart("$dir/some.mp4");
#     NgxWebRTC::Beep::together("$dir/v.mp4", "$dir/a.mp4");

use strict;
use warnings;

use Test::More ();


# a process of FFmpeg; the sound is Opus, mono

sub film {
    my ($t, $file, @more) = @_;

    return $t->ffmpeg('-f', 'lavfi', '-i', 'color=black:s=160x120:r=25',
        '-f', 'lavfi', '-i', "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.2)'",
        '-vf', "drawbox=enable='lt(mod(t,1),0.2)':color=white:t=fill", '-t', '6',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt',
        'yuv420p', @more, '-c:a', 'libopus', '-f', 'mpegts', '-y', $file);
}


# how many flashes there are, and the most seconds between one and its beep; the
# sound may be in a file of its own, of the same time; or come late, at so many
# seconds

sub apart {
    my ($file, $sound, $from_s) = @_;

    # of the file's own time, but from 0 on, as six digits are printed of it

    my ($start) = `ffprobe -v error -show_entries format=start_time -of csv=p=0 '$file'` =~ /([\d.]+)/;
    my $from = 'PTS-' . ($start // 0) . '/TB';
    my @in = ('-copyts', '-i', "'$file'", $sound ? ('-i', "'$sound'", qw{ -map 0:v -map 1:a }) : ());
    my $said = `ffmpeg -nostdin @in -vf setpts=$from,blackdetect=d=0.1:pix_th=0.2 -af asetpts=$from,silencedetect=n=-30dB:d=0.1 -f null - 2>&1`;
    my @flash = $said =~ /black_end:([\d.]+)/g;
    my @beep = $said =~ /silence_end: ([\d.]+)/g;
    my ($n, $most) = (0, 0);

    # black ends with the file, too

    pop @flash;

    for my $flash (grep { $_ > ($from_s // -1) } @flash) {
        my ($off) = sort { $a <=> $b } map { abs($_ - $flash) } @beep;

        $off //= 9;
        $n++;
        $most = $off if $off > $most;
    }

    return ($n, $most);
}


# what people do not notice (ITU-R BT.1359), and less

sub together {
    my ($file, $sound, $from_s) = @_;

    my ($n, $most) = apart($file, $sound, $from_s);
    my ($name) = $file =~ m{([^/]*)$};

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::cmp_ok($n, '>=', 2, "$name: flashes and beeps");
    Test::More::cmp_ok($most, '<', 0.04, "$name: are less than 40 ms apart");
    Test::More::note("$name: offset $most s, $n times");
}


1;
