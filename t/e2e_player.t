#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A browser is led to a WHEP URL: the page of the module plays the stream, with
# a token in the URL, behind auth_basic, and behind a proxy that takes a prefix
# off; and says why it does not.  It offers what was recorded, and plays that, and
# the layers inside one encoding.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

mkdir $t->dir . '/rec' or die;
$t->write_file("rec/$_.mp4", slurp($t->media . '/bars.mp4')) for 'a', 'b & c';

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait  1s;

server {
    listen 127.0.0.1:%%PORT_proxy%%;
    location /media/ {
        proxy_pass        http://127.0.0.1:%%PORT_http%%/;
        proxy_set_header  X-Forwarded-Prefix /media;
    }
}
EOF
location = /whep/bars {
    if ($arg_token != abc) { return 403; }
    webrtc_wait         30s;
    webrtc_play         bars;
    webrtc_pull         file:%%MEDIA%%/bars.ts loop;
    webrtc_public_path  $http_x_forwarded_prefix$request_uri;
}
location = /whep/recorded {
    webrtc_play    bars;
    webrtc_player  on recordings=/list/;
}
location /list/ {
    webrtc_recordings  %%DIR%%/rec/ url=/rec/;
}
location /rec/ {
    alias  %%DIR%%/rec/;
    types { video/mp4 mp4; }
}
location = /whep/nobody {
    webrtc_play     nobody;
}
location = /whip {
    webrtc_publish  nobody;
}
location = /whip/layers {
    webrtc_publish  layers;
}
location = /whep/layers {
    webrtc_play  layers;
}
EOF

my $b = $t->browser;

plan skip_all => 'no Chromium' if !$b;


sub look {
    my ($page, $script) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => 30)->{value};
}


for my $url ($t->url('/whep/bars?token=abc'),
             'http://127.0.0.1:' . $t->port('proxy')
             . '/media/whep/bars?token=abc#x')
{
    my $page = $b->page($url);

    is($page->{status}, 200, $url);
    ok(look($page, "document.documentElement.dataset.state == 'playing'"),
       'plays');
    is(look($page, "document.getElementById('video').videoWidth"), 640,
       'the stream');
    ok(look($page, "document.getElementById('video')"
            . ".getVideoPlaybackQuality().totalVideoFrames > 30"),
       'frames are decoded');
    is(look($page, 'document.title'), 'bars', 'its title');
    is_deeply($b->call('eval', page => $page->{page}, script => 'true')
              ->{errors} || [], [], 'no errors');
    look($page, "location.href = 'about:blank', true");
}

ok($t->no_sessions, 'a page that is left ends its session');

my $page = $b->page($t->url('/whep/nobody'));

ok(look($page, "document.documentElement.dataset.state == 'retry'"),
   'a stream that is not live is tried again');
like(look($page, "document.getElementById('title').textContent"), qr/live/,
     'and said to be so');

# what was recorded, the newest first

$page = $b->page($t->url('/whep/recorded'));

is(look($page, "[...document.querySelectorAll('#recordings option')]"
               . ".map((o) => o.value).join(' ') || null"),
   ' /rec/b%20&%20c.mp4 /rec/a.mp4', 'the live stream and recordings');

look($page, "((s) => { s.value = '/rec/b%20&%20c.mp4';"
            . " s.dispatchEvent(new Event('change')); return true; })"
            . "(document.getElementById('recordings'))");

ok(look($page, "((v) => v.currentSrc.endsWith('/rec/b%20&%20c.mp4') && v.videoWidth == 640"
               . " && v.getVideoPlaybackQuality().totalVideoFrames > 0)"
               . "(document.getElementById('video'))"), 'one is played')
    or diag(look($page, "document.getElementById('video').currentSrc || 'nothing'"));

is($b->page($t->url('/whep/bars'))->{status}, 403, 'not without the token');

look($page, "location.href = 'about:blank', true");

# layers inside one encoding: a menu of sizes, and of parts of the pictures

my $pub = $b->publish($t->url('/whip/layers'), codec => 'VP9', width => 640,
                      height => 360, fps => 12,
                      layers => [ { scalabilityMode => 'L2T3_KEY' } ]);

is($pub->{status}, 201, 'a publisher of two sizes') or BAIL_OUT($pub->{answer});

# the upper one may begin later

my @menu = map { my $size = "original ($_)";
                 ($size, map { "$size, $_ of the pictures" } '1/2', '1/4') }
           '360p', '180p';
my $options = "[...document.querySelectorAll('#layers option')]";

$page = $b->page($t->url('/whep/layers'));

ok(wait_for(60, sub {
    my $text = look($page, "$options.map((o) => o.text).join('\\n') || null");

    return ($text // '') eq join "\n", "Auto: $menu[0]", @menu;
}), 'the menu has all of them') or diag(look($page, "$options.map((o) => o.text)"));

sub take {
    my ($text, $height, $what) = @_;

    ok(look($page, "((s, o) => { o.selected = true;"
                   . " s.dispatchEvent(new Event('change')); return true; })"
                   . "(document.getElementById('layers'),"
                   . " $options.find((o) => o.text.startsWith('$text')))"),
       "$what is taken");
    ok(look($page, "document.getElementById('video').videoHeight == $height"),
       'its size comes');
    ok(look($page, "$options.find((o) => o.selected).text.startsWith('$text')"),
       'and stands in the menu');

    my $frames = "document.getElementById('video').getVideoPlaybackQuality()"
                 . '.totalVideoFrames';
    my $n = look($page, $frames);

    ok(look($page, "$frames > $n + 5"), 'frames are decoded');
}

take($menu[3], 180, 'the lower one');
take($menu[5], 180, 'a quarter of its pictures');
take($menu[1], 360, 'half of the pictures of the upper one');
take('Auto', 360, 'what the path carries');

is_deeply($b->call('eval', page => $page->{page}, script => 'true')->{errors} || [], [],
          'no errors');
is($pub->stop->{status}, 200, 'the publisher leaves');

$t->done;
