package NgxWebRTC::Beep;

# Copyright (C) the ngx_http_webrtc_module authors
#
# A film of flashes and beeps, one of each in a second at the same time, and how
# far apart they are in what has become of it.
#
#     my $made = NgxWebRTC::Beep::film($t, "$dir/beep.ts", '-bf', '2');
#     my ($n, $most) = NgxWebRTC::Beep::apart("$dir/some.mp4");

use strict;
use warnings;


# a process of FFmpeg; the sound is Opus, mono

sub film {
    my ($t, $file, @more) = @_;

    return $t->ffmpeg('-f', 'lavfi', '-i', 'color=black:s=160x120:r=25',
        '-f', 'lavfi', '-i', "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.2)'",
        '-vf', "drawbox=enable='lt(mod(t,1),0.2)':color=white:t=fill", '-t', '6',
        '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt',
        'yuv420p', @more, '-c:a', 'libopus', '-f', 'mpegts', '-y', $file);
}


# how many flashes there are, and the most seconds between one and its beep

sub apart {
    my ($file) = @_;

    my $said = `ffmpeg -nostdin -i '$file' -vf blackdetect=d=0.1:pix_th=0.2 -af silencedetect=n=-30dB:d=0.1 -f null - 2>&1`;
    my @flash = $said =~ /black_end:([\d.]+)/g;
    my @beep = $said =~ /silence_end: ([\d.]+)/g;
    my ($n, $most) = (0, 0);

    # black ends with the file, too

    pop @flash;

    for my $flash (@flash) {
        my ($off) = sort { $a <=> $b } map { abs($_ - $flash) } @beep;

        $off //= 9;
        $n++;
        $most = $off if $off > $most;
    }

    return ($n, $most);
}


1;
