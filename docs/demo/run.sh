#!/bin/sh
#
# Copyright (C) the ngx_http_webrtc_module authors
#
#     run.sh <build directory>
#
# Makes the demo's streams once, fills in nginx.conf, and starts nginx in the
# foreground.  Everything is written below <build directory>/demo.

set -e

build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")" && pwd)
demo=$build/demo

mkdir -p "$demo/temp"

seconds=40
font=
for file in /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf \
            /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
do
    [ -n "$font" ] || [ ! -e $file ] || font=$file
done

text() {
    # text size x y colour
    if [ -n "$font" ]; then
        echo ",drawtext=fontfile=$font:text='$1':fontsize=$2:x=$3:y=$4:fontcolor=$5"
    fi
}

clock="gradients=size=1280x720:rate=30:speed=0.012:nb_colors=4:seed=7"
clock="$clock:c0=0x0a1024:c1=0x123a5e:c2=0x0f766e:c3=0x312e81[sky];"
clock="$clock smptebars=size=1280x40:rate=30[strip];"
clock="$clock color=0x5eead4:size=8x40:rate=30[mark];"
clock="$clock [strip][mark]overlay=x='mod(t*256\,W)':y=0[low];"
clock="$clock [sky][low]overlay=x=0:y=H-40:shortest=0"
clock="$clock$(text '%{pts\:hms}' 132 '(w-tw)/2-39' '(h-th)/2-30' white)"
clock="$clock$(text 'frame %{n}' 34 '(w-tw)/2' '(h/2)+76' 0xa7f3d0)"
clock="$clock$(text 'nginx WebRTC' 30 '(w-tw)/2' 590 0xcbd5e1)"

bars="smptehdbars=size=1280x720:rate=30[b]; color=white:size=60x60:rate=30[m];"
bars="$bars [b][m]overlay=x='(W-w)/2+(W-w)/2*sin(t*PI/2)':y=H-h-20:shortest=0"
bars="$bars$(text '%{pts\:hms}' 48 '(w-tw)/2-14' 330 white@0.9)"

beep="aevalsrc='0.03*sin(2*PI*220*t)+0.25*sin(2*PI*880*t)*lt(mod(t\,1)\,0.07)"
beep="$beep|0.03*sin(2*PI*330*t)+0.25*sin(2*PI*880*t)*lt(mod(t\,1)\,0.07)'"
beep="$beep:s=48000"
tone="aevalsrc='0.05*sin(2*PI*440*t)|0.05*sin(2*PI*660*t)':s=48000"

# a key frame every second and no B-frames: made for low delay

make() {
    [ -e "$demo/$1" ] && return
    echo "generating $1 ($seconds seconds, once)"
    ffmpeg -nostdin -v error -y -f lavfi -i "$2" -f lavfi -i "$3" \
        -t $seconds -c:v libx264 -preset veryfast -tune zerolatency \
        -profile:v high -pix_fmt yuv420p -bf 0 -g 30 -keyint_min 30 \
        -sc_threshold 0 -b:v 2500k -maxrate 2500k -bufsize 2500k \
        -c:a aac -b:a 128k -f mpegts "$demo/new.ts"
    mv "$demo/new.ts" "$demo/$1"
}

make clock.ts "$clock" "$beep"
make bars.ts "$bars" "$tone"

# the same with an index in front, for the file player

mkdir -p "$demo/files"

if [ ! -e "$demo/files/movie.mp4" ]; then
    ffmpeg -nostdin -v error -y -i "$demo/clock.ts" -c copy \
        -bsf:a aac_adtstoasc -movflags +faststart "$demo/new.mp4"
    mv "$demo/new.mp4" "$demo/files/movie.mp4"
fi

# workers as the owner of the tree: they read it wherever it lies

user=
if [ "$(id -u)" = 0 ]; then
    user="user $(stat -c '%U %G' "$source");"
fi

{
    printf '%s\n' "$user"
    sed -e "s|@module@|$build/ngx_http_webrtc_module.so|" \
        -e "s|@media@|$demo|" -e "s|@demo@|$source|" "$source/nginx.conf"
} > "$demo/nginx.conf"

cat <<END

    Open  http://localhost:8080/ for live streams,
          http://localhost:8080/file.html for files over a DataChannel

    Media goes over UDP port 8000.  Stop with Ctrl-C.

END

exec nginx -p "$demo/" -e stderr -c nginx.conf
