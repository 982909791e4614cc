#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The file player in Chromium: an H.264/AAC MP4 of 100 MB is played through the
# DataChannel, sought in the middle and near the end, read as a whole and
# compared, downloaded to disk.  NGX_WEBRTC_FILE_MB changes the size.

use strict;
use warnings;

use Digest::SHA;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

my $mb = $ENV{NGX_WEBRTC_FILE_MB} || 100;
my $file = $t->dir . '/movie.mp4';

# noise costs bits: 60 s at what makes the size

my $rate = int($mb * 8e6 / 60);
my $p = $t->ffmpeg('-f', 'lavfi', '-i',
    'testsrc2=size=640x360:rate=25,noise=alls=60:allf=t', '-f', 'lavfi', '-i',
    'sine=frequency=440:sample_rate=48000', '-t', 60, '-c:v', 'libx264',
    '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', 50, '-b:v', $rate,
    '-minrate', $rate, '-maxrate', $rate, '-bufsize', $rate,
    '-x264-params', 'nal-hrd=cbr', '-c:a', 'aac', '-movflags', '+faststart',
    $file);

is($t->reap($p, 240), 0, 'ffmpeg makes the file')
    or diag(slurp($p->{log}));

my $size = -s $file;
cmp_ok($size, '>', 0.8 * $mb * 1e6, "of $size bytes");

my $conf = <<'EOF';
location / {
    root   %%ROOT%%/docs/demo;
    index  index.html;
}
location /files/ {
    alias        %%DIR%%/;
    webrtc_file  on;
}
EOF

$t->start(http => 'types { text/html html; text/css css;'
                  . ' text/javascript js; video/mp4 mp4; }',
          server => $conf);

my $b = $t->browser;
my $url = $t->url('/file.html');
$url =~ s/127\.0\.0\.1/localhost/;

my $page = $b->page($url);
is($page->{status}, 200, 'the page');

sub on_page {
    my ($script, $timeout) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => $timeout || 60);
}

my $v = "document.getElementById('video')";

for my $sse (0, 1) {
    my $how = $sse ? 'SSE' : 'POST';

    on_page("document.getElementById('sse').checked = !!$sse,"
            . " $v.muted = true, player.play('/files/movie.mp4'), true");

    ok(on_page("$v.readyState >= 3 && $v.currentTime > 0.5 || null", 60)
       ->{value}, "$how: it plays");
    is(on_page("$v.videoWidth")->{value}, 640, "$how: the picture");
    ok(abs(on_page("$v.duration")->{value} - 60) < 1, "$how: the duration");

    for my $to (30, 57, 5) {
        on_page("$v.currentTime = $to, true");
        ok(on_page("!$v.seeking && $v.currentTime > $to + 0.3 || null", 60)
           ->{value}, "$how: seeks to $to s and goes on");
    }

    my $got = on_page('player.file().received')->{value};
    cmp_ok($got, '<', 2.5 * $size, "$how: not the whole file for each");

    ok(on_page("+document.getElementById('s-received').textContent > 0"
               . ' || null')->{value}, "$how: measurements");
    is(on_page("document.getElementById('s-active').textContent"
               . " !== '\\u2013' || null")->{value}, JSON::PP::true,
       "$how: active ranges");
}

$b->call('shot', page => $page->{page}, path => $t->dir . '/page.png',
         width => 1280, height => 860);
ok(-s $t->dir . '/page.png', 'a picture of it');

# the whole file, twice at once: by the client and against HTTP

on_page("$v.pause(), $v.removeAttribute('src'), $v.load(), true");

my $want = Digest::SHA->new(256)->addfile($file)->hexdigest;

on_page(<<'EOF');
(async () => {
    const f = player.file();
    const all = new Uint8Array(f.size);
    let at = 0;
    const start = performance.now();
    for await (const c of f.stream(0, 0)) { all.set(c, at); at += c.length; }
    window.ms = performance.now() - start;
    const d = await crypto.subtle.digest('SHA-256', all.subarray(0, at));
    window.sum = [...new Uint8Array(d)].map((x) =>
        x.toString(16).padStart(2, '0')).join('');
})().catch((e) => { window.sum = String(e); }), true
EOF
is(on_page('window.sum || null', 90)->{value}, $want, 'sha256 of the whole');
diag(sprintf 'Chromium: %.0f Mbit/s',
     8 * $size / 1000 / (on_page('window.ms')->{value} || 1));

# download: through the worker, into a file of the browser's

on_page("document.getElementById('save').click(), true");
ok(on_page("/^Downloaded/.test(document.getElementById('progress')"
           . '.textContent) || null', 90)->{value}, 'a download')
    or diag(on_page("document.getElementById('progress').textContent")
            ->{value}, explain(on_page('player.errors')->{value}));

is(join(' ', @{ on_page('player.errors')->{value} || [] }), '', 'no errors');

on_page('player.file().close(), true');
ok($t->no_sessions, 'close ends the session');

on_page("player.play('/files/none.mp4'), true");
ok(on_page("/No such file/.test(document.getElementById('veil-title')"
           . '.textContent) || null')->{value}, 'a file that is not there');

$t->done;
