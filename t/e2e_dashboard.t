#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The dashboard in Chromium: streams, sessions, ending them, draining; on a
# phone, light and dark.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2);

$t->start(http => <<'EOF', server => <<'EOF2');
types { text/html html; text/css css; text/javascript js; }
webrtc_wait  15s; webrtc_transcode  off;
EOF
location / {
    root  %%ROOT%%/docs/demo;
}
location = /status {
    webrtc_status       control;
    webrtc_cors_origin  http://127.0.0.1:%%PORT_http%%;
}
location ~ ^/whip/(?<name>.+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>.+)$ {
    webrtc_play  $name;
}
location ~ ^/snapshot/(?<name>.+)$ {
    webrtc_snapshot  $name;
}
EOF2

my $pub = NgxWebRTC::Bench->publish($t, '/whip/studio', bitrate => 500000,
                                    size => 600, codec => 'h264');
my $view = NgxWebRTC::Bench->view($t, '/whep/studio', codecs => 'h264');

ok($view->wait(40, sub { ($_[0]{viewer0}{video}{packets} // 0) >= 50 }),
   'a viewer');

# a name that must not become HTML

$t->post_offer('/whip/%3Cimg%20src=x%20onerror=hacked=1%3E',
               offer(direction => 'sendonly'));

my $b = $t->browser;
my $page = $b->page($t->url('/dashboard.html'));

is($page->{status}, 200, 'the page');

sub on_page {
    my ($script, $timeout) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => $timeout || 15)->{value};
}

ok(on_page("document.querySelectorAll('.card').length == 2"), 'two streams');
ok(on_page("document.querySelector('.card b').textContent == 'studio'"),
   'the one with viewers first');
ok(on_page("/1 viewer/.test(document.querySelector('.card .about')"
           . ".textContent)"), 'its viewers');
ok(on_page("document.querySelectorAll('.tile').length == 7"), 'sums');
ok(on_page("document.querySelector('.tile p').textContent == '1'"),
   'one viewer in all');
ok(on_page("[...document.querySelectorAll('.tile, .card')].every((e) => {"
           . " const a = e.getBoundingClientRect(),"
           . " b = e.querySelector('.spark').getBoundingClientRect();"
           . " return b.height > 20 && b.top > a.top && b.bottom < a.bottom"
           . " && b.left > a.left && b.right < a.right; })"),
   'each has its line in it');
ok(on_page("[...document.querySelectorAll('body *')].every((e) =>"
           . " getComputedStyle(e).position != 'fixed' || e.hidden)"
           . " && [...document.querySelectorAll('.rows li')].every((e) =>"
           . " [...e.children].every((c) => c.getBoundingClientRect().bottom"
           . " <= e.getBoundingClientRect().bottom + 1))"),
   'nothing lies over it');
is(on_page("String(window.hacked)"), 'undefined', 'names are no HTML');
ok(on_page("/\\/snapshot\\/studio\\?/.test(document.querySelector("
           . "'.card .thumb').src)", 60), 'a picture of the stream is asked for');

on_page("document.querySelector('.card').click(), true");
ok(on_page("document.querySelectorAll('.session').length == 2"),
   'its sessions');
ok(on_page("/127\\.0\\.0\\.1:\\d+/.test(document.querySelector('.session')"
           . ".textContent)"), 'with addresses');

for my $size ([ 1280, 900, 'desk' ], [ 375, 700, 'phone' ]) {
    my ($width, $height, $name) = @$size;

    $b->call('shot', page => $page->{page}, path => $t->dir . "/$name.png",
             width => $width, height => $height);
    ok(-s $t->dir . "/$name.png", "a picture of it: $name");
}

ok(on_page("document.documentElement.scrollWidth <= innerWidth"),
   'nothing is wider than a phone');

# what can be done

on_page("[...document.querySelectorAll('.session')].find((s) =>"
        . " /^play /.test(s.querySelector('.id').textContent))"
        . ".querySelector('button').click(), true");
ok(on_page("document.querySelectorAll('.session').length == 1"),
   'the viewer is ended');
like($t->log, qr/session closed: ended by the operator/, 'the log says so');

on_page("document.getElementById('drain').click(), true");
ok(on_page("document.getElementById('drain').getAttribute('aria-pressed')"
           . " == 'true'"), 'new sessions are refused');
is($t->post_offer('/whip/new', offer(direction => 'sendonly'))->{status}, 503,
   'they are');

on_page("document.getElementById('drain').click(), true");
ok(on_page("document.getElementById('drain').getAttribute('aria-pressed')"
           . " == 'false'"), 'and taken again');

on_page("document.getElementById('end-stream').click(), true");
ok(on_page("document.getElementById('no-sessions').hidden == false"),
   'all are ended');

# what is published is no video, and so has no picture

my @errors = grep { !/favicon|status of 503/ }
             @{ $b->call('eval', page => $page->{page}, script => 'true',
                         timeout => 5)->{errors} || [] };
is("@errors", '', 'no errors on the page');

$_->kill for $pub, $view;
$t->done;
