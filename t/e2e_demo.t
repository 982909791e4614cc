#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The demo's page in Chromium: lists, plays, measures, stops, and comes back
# when the server was away.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2);

my %conf = (http => <<'EOF', server => <<'EOF');
types { text/html html; text/css css; text/javascript js; }
webrtc_wait  2s;
EOF
location / {
    root   %%ROOT%%/docs/demo;
    index  index.html;
}
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop start=always;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

# the demo's own configuration is a right one

my $demo = slurp("$NgxWebRTC::ROOT/docs/demo/nginx.conf");
my $build = $NgxWebRTC::BUILD;

$demo =~ s/\@module\@/$build\/ngx_http_webrtc_module.so/;
$demo =~ s/\@media\@/$build\/media/g;
$demo =~ s/\@demo\@/$NgxWebRTC::ROOT\/docs\/demo/g;
$demo =~ s/listen  8080/'listen  127.0.0.1:' . $t->port('demo')/e;
$demo =~ s/webrtc_listen  8000/'webrtc_listen  ' . $t->port('demo_udp')/e;

mkdir $t->dir . '/temp';
my $check = $t->spawn('nginx-t', [ 'nginx', '-t', '-e', 'stderr', '-p',
    $t->dir . '/', '-c', $t->write_file('demo.conf', $demo) ]);
$t->reap($check, 20);
like(slurp($check->{log}), qr/test is successful/, 'docs/demo/nginx.conf')
    or diag(slurp($check->{log}));

$t->start(%conf);

my $b = $t->browser;
my $page = $b->page($t->url('/'));

is($page->{status}, 200, 'the page');

sub on_page {
    my ($script, $timeout) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => $timeout || 10);
}

sub text { return "document.getElementById('$_[0]').textContent" }

ok(on_page("document.querySelector('.item .name')?.textContent == 'bars'")
   ->{value}, 'it lists the stream');
ok(on_page("document.getElementById('screen').dataset.state == 'playing'",
           15)->{value}, 'and plays it unasked');

like(on_page(text('s-size') . " != '\\u2013' && " . text('s-size'))->{value},
     qr/^640.360$/, 'it shows the size');
like(on_page(text('s-video') . " != '\\u2013' && " . text('s-video'))->{value},
     qr/^H264/, 'the codec');
ok(on_page("+" . text('s-bitrate') . " > 0.05")->{value}, 'the bitrate');
ok(on_page("+" . text('s-fps') . " > 15")->{value}, 'the frame rate');
ok(on_page("+" . text('s-first') . " > 0")->{value}, 'the first-frame time');
ok(on_page(text('s-rtt') . " != '\\u2013'")->{value}, 'the round trip');
is(on_page(text('s-loss'))->{value}, '0', 'the loss');

$b->call('shot', page => $page->{page}, path => $t->dir . '/page.png',
         width => 1280, height => 800);
ok(-s $t->dir . '/page.png', 'a picture of it');

# stop, and another by its name

on_page("document.getElementById('toggle').click(), true");
ok(on_page("document.getElementById('screen').dataset.state == 'idle'")
   ->{value}, 'stops');
ok($t->no_sessions, 'with DELETE');

on_page("document.getElementById('name').value = 'video',"
        . " document.getElementById('open').requestSubmit(), true");
ok(on_page("document.getElementById('screen').dataset.state == 'playing'",
           15)->{value}, 'plays another');

# the server is away for a moment

my @errors = @{ on_page('true')->{errors} || [] };
is("@errors", '', 'no errors so far');

ok($t->stop, 'the server stops');
ok(on_page("['retry', 'stalled', 'connecting'].includes("
           . "document.getElementById('screen').dataset.state)", 20)->{value},
   'the page notices');

$t->start(%conf);
ok(on_page("document.getElementById('screen').dataset.state == 'playing'",
           30)->{value}, 'and comes back by itself');

# something that is not there, and says so

on_page("document.getElementById('name').value = 'nothing',"
        . " document.getElementById('open').requestSubmit(), true");
ok(on_page("document.getElementById('screen').dataset.state == 'retry'",
           15)->{value}, 'a stream that is not live is tried again');

$t->done;
