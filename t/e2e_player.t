#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A browser is led to a WHEP URL: the page of the module plays the stream, with
# a token in the URL, behind auth_basic, and behind a proxy that takes a prefix
# off; and says why it does not.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

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
    webrtc_play         bars;
    webrtc_pull         file:%%MEDIA%%/bars.ts loop;
    webrtc_public_path  $http_x_forwarded_prefix$request_uri;
}
location = /whep/nobody {
    webrtc_play     nobody;
}
location = /whip {
    webrtc_publish  nobody;
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

is($b->page($t->url('/whep/bars'))->{status}, 403, 'not without the token');

$t->done;
