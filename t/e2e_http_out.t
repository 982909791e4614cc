#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# webrtc_mp4 in Chromium, by fetch() and Media Source Extensions: it plays, with
# sound, and goes on to play; the page is that of docs/recipes.md.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

my ($page) = slurp("$NgxWebRTC::ROOT/docs/recipes.md")
             =~ m{^```html\n(<!-- live\.html.*?)^```}ms;
ok($page, 'the recipe has a page');
mkdir $t->dir . '/html';
$t->write_file('html/live.html', $page);

$t->start(http => 'types { text/html html; } webrtc_wait 20s;',
          server => <<'EOC');
location / {
    root  %%DIR%%/html;
}
location = /live/bars.mp4 {
    webrtc_mp4   bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location = /live/vp9.mp4 {
    webrtc_mp4   vp9;
    webrtc_pull  file:%%MEDIA%%/vp9.webm loop;
}
EOC

my $b = $t->browser;

plan skip_all => 'no Chromium' if !$b;

for my $name (qw{ bars vp9 }) {
    my $p = $b->page($t->url("/live.html?/live/$name.mp4"));

    my $on_page = sub {
        return $b->call('eval', page => $p->{page}, script => $_[0],
                        timeout => 60)->{value};
    };

    ok($on_page->("(() => { const v = document.querySelector('video'); return"
                  . " v.videoWidth == 640 && v.currentTime > v.buffered.start(0)"
                  . " + 1.5 && v.getVideoPlaybackQuality().totalVideoFrames > 30"
                  . " && v.webkitAudioDecodedByteCount > 0; })()"),
       "$name plays, with sound");
    my $said = $on_page->("JSON.stringify([document.querySelector('video').error"
                          . "?.message, document.querySelector('video').currentTime,"
                          . " document.title])");
    like($said, qr/^\[null,/, "$name has no error") or diag($said);
    is("@{ $b->call('eval', page => $p->{page}, script => 'true', timeout => 5)
           ->{errors} || [] }", '', "nor has the page");
}

$t->done;
