#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Packets of Chromium differ by a byte: they leave padded to one size, and both
# Chromium and aiortc play them.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $shim = "$NgxWebRTC::BUILD/sendshim.so";

my $out = `cc -O2 -Wall -Wextra -Werror -fPIC -shared -o $shim.$$ \\
           $NgxWebRTC::ROOT/t/lib/sendshim.c -ldl 2>&1 \\
           && mv $shim.$$ $shim`;
is($?, 0, 'the shim is built') or diag($out);

my $t = NgxWebRTC->new(workers => 1);
my $log = $t->dir . '/shim.log';

$t->{env} = { LD_PRELOAD => $shim, SENDSHIM_LOG => $log };

$t->start(http => 'webrtc_wait 15s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish $name; }
location ~ ^/whep/(?<name>\w+)$ { webrtc_play    $name; }
EOF

for my $codec (qw/ VP8 H264 /) {
    my $pub = $t->browser->publish($t->url("/whip/$codec"), codec => $codec,
                                    noise => 1, width => 320, height => 180);
    is($pub->{status}, 201, "$codec: published");

    my $p = $t->browser->play($t->url("/whep/$codec"));
    is($p->{status}, 201, "$codec: watched by Chromium");
    cmp_ok($p->wait(60)->{framesDecoded} // 0, '>=', 60, "$codec: plays");

    my $r = $t->aiortc($t->url("/whep/$codec"), seconds => 4);
    is($r->{status}, 201, "$codec: watched by aiortc") or diag(explain($r));
    cmp_ok($r->{frames}, '>', 0, "$codec: plays there");

    $_->stop for $p, $pub;
}

ok($t->no_sessions, 'no session is left');

my ($n, $padded, $largest, $messages) = (0, 0, 0, 0);
my $text = slurp($log);

while ($text =~ /^R (\d+) (\d+) (\d+) (\d)$/gm) {
    $n++;
    $padded += $4;
    $messages += 1 / $3;
    $largest = $3 if $3 > $largest;
}

cmp_ok($padded, '>', 0, "padded: $padded of $n packets");
cmp_ok($largest, '>', 1, "up to $largest packets in a message");
diag(sprintf 'packets in a message: %.2f', $n / $messages);

$t->done;
