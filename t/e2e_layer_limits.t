#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes layers of which one takes more than webrtc_max_bitrate gives
# it, and listens to nobody: it is left out, viewers go on with the next one, and
# it is back when it obeys.  Inside one encoding it is left out, too, and what is
# recorded has whole pictures.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

mkdir $t->dir . '/rec' or die;

$t->start(http => 'webrtc_wait 30s; webrtc_keyframe_interval 500ms;',
          server => <<'EOF');
webrtc_max_bitrate  0 layer=h:250k layer=m:2m layer=x:16k layer=0:16k;
location = /whip/three {
    webrtc_publish  three;
}
location ~ ^/whip/(?<name>vp9|av1)$ {
    webrtc_publish      $name;
    webrtc_max_bitrate  0 layer=1:100k;
    webrtc_record       %%DIR%%/rec/$name.mkv;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location = /metrics {
    webrtc_metrics  streams=10;
}
EOF

my $json = { 'Content-Type' => 'application/json' };
my $true = JSON::PP::true();

sub layers { return ($t->stream($_[0]) || {})->{layers} || [] }

sub layer {
    my ($name, $key, $value) = @_;

    my ($l) = grep { $_->{$key} eq $value } @{ layers($name) };

    return $l || {};
}

sub height {
    my ($p, $height, $what) = @_;

    my $s = $p->until(sub { ($_[0]{height} || 0) == $height });

    ok(!$s->{error}, $what);

    $s = $p->wait(8);
    ok(!$s->{error}, "$what: frames are decoded");
    $p->smoothness($s);
    $p->mark;
}

sub published {
    my ($name, $codec, %o) = @_;

    my $pub = $t->browser->publish($t->url("/whip/$name"), codec => $codec,
                                   fps => 10, noise => 0.5, %o);
    is($pub->{status}, 201, "$codec: WHIP") or BAIL_OUT($pub->{answer});

    my $p = $t->browser->play($t->url("/whep/$name"));
    is($p->{status}, 201, "$codec: WHEP") or BAIL_OUT($p->{answer});

    return ($pub, $p);
}

# by rids

my ($pub, $p) = published('three', 'VP8', width => 960, height => 540, layers => [
    { rid => 'h', maxBitrate => 900_000 },
    { rid => 'm', scaleResolutionDownBy => 2, maxBitrate => 200_000 },
    { rid => 'l', scaleResolutionDownBy => 4, maxBitrate => 80_000 },
]);

height($p, 540, 'the best one, at first');

is(layer('three', rid => 'h')->{limit}, 256_000, 'the status has its limit, of the server');
is(layer('three', rid => 'm')->{limit}, 2_097_152, 'and that of another');
is(layer('three', rid => 'l')->{limit}, 0, 'one has none');

ok(wait_for(90, sub { layer('three', rid => 'h')->{over} }), 'it takes more')
    or diag(explain(layers('three')));

my $l = layer('three', rid => 'h');

ok(!$l->{active}, 'it is left out');
cmp_ok($l->{bitrate}, '>', 256_000, 'the status says how much it takes');

like($t->log, qr/\[warn\] .*webrtc publisher layer left out, above webrtc_max_bitrate/,
     'the log says so');
like($t->log, qr/webrtc_max_bitrate rid:"h" bitrate:\d+ limit:256000/,
     'which it is, how much it takes and may take');

height($p, 270, 'the viewer goes on with the next one');

ok(wait_for(60, sub { layer('three', rid => 'm')->{best} }),
   'which is the best now');
ok(layer('three', rid => 'l')->{active}, 'the lowest is as before');
is($pub->sent->{state}, 'connected', 'the publisher stays');

my ($url) = ($p->{link} // '')
            =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;

sub choose {
    my ($body, $what) = @_;

    is($t->http('POST', $url, body => $body, headers => $json)->{status}, 200,
       $what);
}

choose('{"encodingId":"l"}', 'another one may be chosen');
height($p, 135, 'which comes');
choose('{}', 'and none');

like($t->http('GET', '/metrics')->{content},
     qr/^nginx_webrtc_stream_layers_left_out_total\{stream="three"\} [1-9]/m,
     'it is counted');

$pub->active('h', $true, maxBitrate => 120_000);

ok(wait_for(90, sub {
    my $h = layer('three', rid => 'h');
    return !$h->{over} && $h->{active};
}), 'it obeys, and is back') or diag(explain(layers('three')));

like($t->log, qr/webrtc publisher layer let in again rid:"h"/, 'the log says so');
height($p, 540, 'the viewer has it again');

is($p->stop->{status}, 200, 'the viewer leaves');
is($pub->stop->{status}, 200, 'the publisher leaves');

# spatial layers of one encoding: Chromium makes one only on a machine that is busy

sub inside {
    my ($codec, $mode) = @_;

    my $name = lc $codec;

    ($pub, $p) = published($name, $codec, noise => 0.2, width => 640, height => 360,
                           layers => [ { scalabilityMode => $mode } ]);

    ok(wait_for(90, sub { layer($name, spatial => 1)->{over} }),
       "$codec: the upper one takes more") or diag(explain(layers($name)));

    ok(!layer($name, spatial => 1)->{active}, 'it is left out');
    ok(layer($name, spatial => 0)->{best}, 'the lower one is the best');
    is(layer($name, spatial => 0)->{limit}, 0,
       'what stands above is not inherited beside limits of its own');

    height($p, 180, 'which the viewer gets');

    my ($track) = grep { $_->{kind} eq 'video' } @{ $t->stream($name)->{tracks} };

    is("$track->{width}x$track->{height}", '320x180', 'the track has that size');

    # as many pictures as are counted below, however long a busy machine takes

    ok(!$p->wait(30)->{error}, 'for a while');

    is($p->stop->{status}, 200, 'the viewer leaves');
    is($pub->stop->{status}, 200, 'the publisher leaves');

    my $of = qr/"[^"]*\/$name(?:-\d+)?\.mkv"/;

    ok(wait_for(60, sub {
        my $begun = () = $t->log =~ /webrtc record begins path:$of/g;
        my $done = () = $t->log =~ /webrtc record done path:$of/g;

        return $begun && $begun == $done;
    }), 'what was recorded is closed');

    my @files = glob $t->dir . "/rec/$name*.mkv";

    ok(scalar @files, 'there it is') or return;

    my @sizes;

    for my $file (@files) {
        my $said = `ffmpeg -nostdin -v warning -xerror -i $file -map 0:v -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`;

        is("$? $said", '0 ', substr($file, length $t->dir) . ' is decoded without an error');

        my @heights = `ffprobe -v error -select_streams v -show_entries frame=height -of csv=p=0 $file 2>&1` =~ /(\d+)/g;
        push @sizes, @heights;
    }

    cmp_ok(scalar(grep { $_ == 180 } @sizes), '>', 20, 'the lower layer is in it')
        or diag("heights: @sizes");
}

inside('VP9', 'L2T3_KEY');
inside('AV1', 'L2T3_KEY');

ok($t->no_sessions, 'no session is left');

$t->done;
