#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Makes the test streams in the directory given: colour bars with a block that
# moves along the bottom, 440 Hz on the left and 880 Hz on the right channel,
# a key frame every second.

set -e

dir=$1
mkdir -p "$dir"

video="smptebars=size=640x360:rate=25[bars];
       color=white:size=40x40:rate=25[block];
       [bars][block]overlay=x='mod(t*160\,W-40)':y=H-50:shortest=0"
audio="aevalsrc='0.3*sin(2*PI*440*t)|0.3*sin(2*PI*880*t)':s=48000"

x264="-c:v libx264 -preset veryfast -pix_fmt yuv420p -b:v 800k -maxrate 800k
      -bufsize 800k -g 25 -keyint_min 25 -sc_threshold 0"

make() {
    out=$1; shift
    [ -e "$dir/$out" ] && return
    ffmpeg -nostdin -v error -y -f lavfi -i "$video" -f lavfi -i "$audio" \
        "$@" "$dir/new.$out"
    mv "$dir/new.$out" "$dir/$out"
}

# 2.5 Mbit/s that no encoder gets below, key frames of 40 kB

[ -e "$dir/noise.ts" ] || {
    ffmpeg -nostdin -v error -y -f lavfi \
        -i "testsrc2=size=640x360:rate=25,noise=alls=20:allf=t" -t 6 \
        -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p \
        -b:v 2500k -maxrate 2500k -bufsize 2500k -bf 0 -g 25 -keyint_min 25 \
        -sc_threshold 0 "$dir/new.noise.ts"
    mv "$dir/new.noise.ts" "$dir/noise.ts"
}

make bars.ts      -t 12 $x264 -bf 0 -c:a aac -b:a 96k
make bars_b.ts    -t 12 $x264 -bf 2 -c:a aac -b:a 96k
make bars.mp4     -t 12 $x264 -bf 0 -c:a aac -b:a 96k -movflags +faststart
make video.ts     -t 12 $x264 -bf 0 -an
make opus.mkv     -t 12 $x264 -bf 0 -c:a libopus -b:a 64k
# what browsers do not play: HEVC and AC-3, with another sound and subtitles

cat > "$dir/movie.srt" << 'END'
1
00:00:01,000 --> 00:00:02,500
<i>one</i> & so on

2
00:00:05,000 --> 00:00:06,000
three
END

make movie.mkv    -i "$dir/movie.srt" -t 8 -map 0 -map 1 -map 1 -map 2 \
                  -c:v libx265 -preset ultrafast -b:v 400k \
                  -x265-params \
                  keyint=50:min-keyint=50:scenecut=0:bframes=3:log-level=error \
                  -c:a:0 ac3 -b:a:0 192k -c:a:1 aac -b:a:1 96k -c:s srt \
                  -metadata:s:a:0 language=ger \
                  -metadata:s:a:0 title='so "said"'

# a flash and a tone at the same time, 3 s after the beginning

[ -e "$dir/mpeg2.mkv" ] || {
    ffmpeg -nostdin -v error -y -f lavfi -i "color=black:size=640x360:rate=25,
            drawbox=color=white:t=fill:enable='between(t,3,3.3)'" \
        -f lavfi -i "aevalsrc='if(between(t,3,3.3),sin(2*PI*1000*t),0)':s=48000" \
        -t 4 -c:v mpeg2video -b:v 2M -g 12 -bf 2 -c:a ac3 -b:a 128k \
        "$dir/new.mpeg2.mkv"
    mv "$dir/new.mpeg2.mkv" "$dir/mpeg2.mkv"
}

make vp8.webm     -t 6 -c:v libvpx -deadline realtime -cpu-used 8 -g 25 \
                  -b:v 800k -c:a libopus -b:a 64k
make vp9.webm     -t 6 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 \
                  -row-mt 1 -b:v 800k -c:a libopus -b:a 64k
make av1.webm     -t 6 -c:v libsvtav1 -preset 12 -g 25 -b:v 600k \
                  -c:a libopus -b:a 64k
