#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Live HLS.  Without EXT-X-ENDLIST there is no end: a playlist that cannot be
# read for a while, or that begins anew, is an upstream that comes back.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

mkdir "$dir/$_" for qw/ hls gone anew early end /;

sub hls {
    my ($name, @more) = @_;

    return $t->publish('bars.ts', 'hls', "$dir/$name/live.m3u8", '-hls_time',
                       1, '-hls_list_size', 4, '-hls_flags',
                       'delete_segments', @more);
}

$t->start(http => 'webrtc_wait 40s; webrtc_idle_timeout 100s;',
          server => join '', <<'EOF',
location /hls/ {
    alias  %%DIR%%/;
    types { }

    if (-f %%DIR%%/hidden) { return 404; }
}

location /open/ {
    alias  %%DIR%%/;
    types { }
}
EOF
    map { my ($name, $from) = @$_; <<"EOF" }
location = /whep/$name {
    webrtc_play  $name;
    webrtc_pull  $from/$name/live.m3u8;
}
EOF
    [ gone => 'http://127.0.0.1:%%PORT_http%%/hls' ],
    [ anew => 'http://127.0.0.1:%%PORT_http%%/open' ],
    [ early => 'file:%%DIR%%' ],
    [ end => 'http://127.0.0.1:%%PORT_http%%/open' ]);

my %ffmpeg = map { $_ => hls($_) } qw/ gone anew /;

$ffmpeg{early} = hls('early', '-hls_list_size', 8);

# four seconds, and then its end

$ffmpeg{end} = $t->ffmpeg('-re', '-i', $t->media . '/bars.ts', '-c', 'copy',
    '-t', 4, '-f', 'hls', '-hls_time', 1, '-hls_list_size', 4,
    "$dir/end/live.m3u8");

sub frames { ($t->stream($_[0]) || {})->{frames} // 0 }

sub playlist { slurp("$dir/$_[0]/live.m3u8") }

for my $name (qw/ early anew gone end /) {
    ok(wait_for(60, sub { playlist($name) =~ /EXTINF/ }), "$name: playlist");

    my $r = $t->post_offer("/whep/$name", offer());
    is($r->{status}, 201, "$name: POST") or diag($r->{content}, $t->log);
    ok(wait_for(60, sub { frames($name) > 5 }), "$name: frames come");
}

# begins anew: "early" before a segment has expired, so that the first number is
# the same, and there are fewer of them

sub again {
    my ($name) = @_;

    $t->kill($ffmpeg{$name});
    $ffmpeg{$name} = hls($name);
}

ok(wait_for(60, sub { playlist('early') =~ /(?:EXTINF.*){6}/s }),
   'early: some segments later');
again('early');

ok(wait_for(60, sub { playlist('anew') =~ /SEQUENCE:[1-9]/ }),
   'anew: some segments later');
again('anew');

$t->write_file('hidden', '');

for my $name (qw/ early anew gone /) {
    ok(wait_for(60, sub { ($t->stream($name) || {})->{state} eq 'inactive'
                          || ($t->stream($name) || {})->{starts} > 1 }),
       "$name: is lost");
}

unlink "$dir/hidden";

for my $name (qw/ early anew gone /) {
    ok(wait_for(60, sub { ($t->stream($name) || {})->{starts} >= 2 }),
       "$name: is found again");

    my $n = frames($name);

    ok(wait_for(60, sub { frames($name) > $n + 25 }), "$name: plays again");
    is($t->stream($name)->{state}, 'active', "$name: and is live");
}

like($t->log, qr/webrtc source down .*begins anew".*stream: "$_"/,
     "$_: the log says why") for qw/ early anew /;

# the end is an end

ok(wait_for(60, sub { $t->log =~ /retry_ms:0 reason:"end of file", stream: "end"/
                    }), 'end: with EXT-X-ENDLIST it ends');
is(($t->stream('end') || { starts => 1 })->{starts}, 1,
   'end: and is not started again');

$t->done;
