#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_hls in Chromium: hls.js plays it by the page of docs/recipes.md, with
# sound and with low latency; dash.js plays the same segments.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $npm = "$NgxWebRTC::BUILD/node_modules";

plan skip_all => 'hls.js and dash.js are not installed (make browser)'
    if !-e "$npm/hls.js/dist/hls.min.js" || !-e "$npm/dashjs/dist/dash.all.min.js";

my $t = NgxWebRTC->new(workers => 2);
my $dir = $t->dir;

my ($page) = slurp("$NgxWebRTC::ROOT/docs/recipes.md")
             =~ m{^```html\n(<!-- hls\.html.*?)^```}ms;
mkdir "$dir/$_" for qw{ html hls };
$t->write_file('html/hls.html', $page);
$t->write_file('html/dash.html', <<'EOP');
<!doctype html>
<script src="dash.all.min.js"></script>
<video controls muted autoplay playsinline></video>
<script>
const player = dashjs.MediaPlayer().create();
player.initialize(document.querySelector('video'), location.search.slice(1), true);
</script>
EOP

$t->start(http => 'types { text/html html; text/javascript js; }
                   webrtc_wait 60s;',
          server => <<"EOC");
location / { root %%DIR%%/html; }
location = /hls.min.js { alias $npm/hls.js/dist/hls.min.js; }
location = /dash.all.min.js { alias $npm/dashjs/dist/dash.all.min.js; }
location /hls/bars/ {
    webrtc_hls   bars $dir/hls segment=1s part=250ms;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOC

my $b = $t->browser;

plan skip_all => 'no Chromium' if !$b;


# a script until it is true, or its value

sub on {
    my ($page, $script) = @_;

    return $b->call('eval', page => $page->{page}, script => $script, timeout => 120)->{value};
}

sub plays {
    my ($page, $name, $frames) = @_;

    ok(on($page, "(() => { const v = document.querySelector('video'); return"
                 . " v.videoWidth == 640 && v.getVideoPlaybackQuality().totalVideoFrames >= $frames"
                 . " && v.webkitAudioDecodedByteCount > 0; })()"),
       "$name plays, with sound")
        or diag(on($page, "JSON.stringify([document.querySelector('video').error?.message,"
                          . " document.querySelector('video').currentTime,"
                          . " document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames,"
                          . " document.querySelector('video').webkitAudioDecodedByteCount])"));
}


ok($page, 'the recipe has a page');

my $hls = $b->page($t->url('/hls.html?/hls/bars/index.m3u8'));
plays($hls, 'hls.js', 25);

# of what hls.js asks for are parts, once it has played what it began with; how
# far it is behind is a figure

sub asked {
    my ($what) = @_;

    return wait_for(60, sub { slurp("$dir/access.log") =~ /GET \/hls\/bars\/v0\.$what/ });
}

ok(asked(qr/m3u8\?_HLS_msn=\d+&_HLS_part=\d+/), 'it reloads by parts');
ok(asked(qr/[0-9a-f]+\.\d+\.\d+\.m4s /), 'and fetches parts');
note('latency of hls.js, s: ', on($hls, 'hls.latency') // '');

on($hls, 'hls.destroy() || 1');

plays($b->page($t->url('/dash.html?/hls/bars/manifest.mpd')), 'dash.js', 25);


$t->done;
