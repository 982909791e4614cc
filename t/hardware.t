#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Hardware encoders that do not work: devices that are there, can be opened, and
# are none.  What was asked for by name is made in software, with a line in the
# log, "auto" without one; each is an encode of its own.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my @hw = qw/ vaapi qsv nvenc v4l2m2m /;

# a /dev of our own, in which /dev/null is a graphics card

my $fake = <<'END';
set -e
d=$(mktemp -d)
mount -t tmpfs tmpfs "$d"
for n in null zero full random urandom tty; do
    touch "$d/$n"
    mount --bind /dev/$n "$d/$n"
done
mkdir "$d/shm" "$d/dri"
mount --bind /dev/shm "$d/shm"
for n in dri/renderD128 nvidiactl nvidia0 video0; do
    touch "$d/$n"
    mount --bind /dev/null "$d/$n"
done
ln -s /proc/self/fd "$d/fd"
mount --rbind "$d" /dev
END

if (!$> && !$ENV{NGX_WEBRTC_ALONE}
    && system('unshare', '-m', 'sh', '-c', "($fake) 2>/dev/null") == 0)
{
    $ENV{NGX_WEBRTC_ALONE} = 1;
    exec('unshare', '-m', 'sh', '-c', "$fake\nexec \"\$@\"", 'sh', $^X,
         (map { "-I$_" } @INC), $0)
        or die "unshare: $!";
}

note($ENV{NGX_WEBRTC_ALONE} ? 'with devices that are none'
                            : 'without devices');

my $t = NgxWebRTC->new(workers => 2);
my $dir = $t->dir;

is($t->reap($t->ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25',
    '-t', 6, qw/ -pix_fmt yuv420p -c:v libx264 -preset veryfast -bf 2 -g 25
    -y /, "$dir/b.ts"), 60), 0, 'made');

$t->start(http => 'webrtc_wait 40s; webrtc_max_transcodes 10;',
          server => join '', map { <<"END" } @hw, 'auto');
location = /whep/$_ {
    webrtc_play       b;
    webrtc_pull       file:$dir/b.ts loop;
    webrtc_transcode  auto hw=$_;
}
END

my %view = map { ($_ => NgxWebRTC::Bench->view($t, "/whep/$_")) } @hw, 'auto';

for my $hw (@hw, 'auto') {
    ok($view{$hw}->wait(60, sub { $_[0]{playing} }), "$hw: plays");
}

my $said = qr/H264 of 160x90 cannot be encoded by '(\w+)' on this machine: done/;

for my $hw (@hw) {
    ok(wait_for(60, sub { grep { $_ eq $hw } $t->log =~ /\[warn\].*$said in software/g }),
       "$hw: the log says that it is software");
}

is(scalar(grep { $_ eq 'auto' } $t->log =~ /$said/g), 0, 'auto: says nothing');
is(scalar(@{ ($t->stream('b') || {})->{variants} || [] }), 5,
   'each is an encode of its own');

for my $hw (@hw, 'auto') {
    my $r = $view{$hw}->report;
    is($r->{broken}, 0, "$hw: and H.264 as it should be");
}

$_->kill for values %view;

$t->done;
