#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Pictures that are to be turned, as video orientation (RFC 7742; 3GPP TS
# 26.114, 7.4.5): of a file's display matrix, of a publisher; packet by packet,
# and in Chromium, which turns them, or gets what has been turned.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Rtp;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

# as phones make them; the MOV has B-frames as well, so that it is encoded anew

my $mp4 = slurp($t->media . '/bars.mp4');

$t->write_file('0.mp4', $mp4);
$t->write_file('90.mp4', turned($mp4, 360));

is($t->reap($t->ffmpeg('-i', $t->media . '/bars_b.ts', qw/ -c copy -movflags
    faststart -bsf:a aac_adtstoasc /, $t->dir . '/bars.mov'), 60), 0, 'a MOV');

$t->write_file('90.mov', turned(slurp($t->dir . '/bars.mov'), 360));

my $c = NgxWebRTC::Rtp->new($t);

$t->start(http => 'webrtc_wait 20s; webrtc_idle_timeout 60s;'
                  . 'webrtc_transcode off;',
          server => <<'EOC');
location ~ ^/file/(?<name>\d+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%DIR%%/$name.mp4 loop;
}
location ~ ^/pulled/(?<name>\w+)\.(?<ext>\w+)$ {
    webrtc_play       $name$ext;
    webrtc_pull       http://127.0.0.1:%%PORT_http%%/media/$name.$ext;
    webrtc_transcode  auto;
}
location /media/ { alias %%DIR%%/; }
location = /whip { webrtc_publish pub; }
location = /whep { webrtc_play pub; }
EOC

my $uri = 'urn:3gpp:video-orientation';

sub video {
    my ($id) = @_;

    my $m = h264();

    push @{ $m->{lines} }, "extmap:$id $uri" if $id;

    return $m;
}

# what packets with the marker tell, and others

sub told {
    my (%told, %other);

    (($_->{marker}) ? \%told : \%other)->{$_->{ext} || 'none'}++ for @_;

    return [ join(' ', sort keys %told), join(' ', sort keys %other) ];
}

sub view {
    my ($path, $id, $count) = @_;

    my $v = $c->call('open', url => $t->url($path), media => [ video($id) ]);

    is($v->{status}, 201, "a viewer of $path");
    like($v->{answer}, $id ? qr/^a=extmap:$id \Q$uri\E\r$/m : qr/^(?!a=extmap)/m,
         'with the extension if it offers that');

    my $p = $count ? $c->call('packets', peer => $v->{peer}, count => $count,
                              timeout => 40) : undef;

    return ($v->{peer}, @{ $p->{packets} || [] });
}

SKIP: {
    skip 'node-datachannel is not installed', 1 if !$c;

    my ($peer, @p) = view('/file/90', 5, 200);

    is_deeply(told(@p), [ 'bede000150010000', 'none' ],
              'each frame of a file on its side tells it, with its last packet');
    $c->call('close', peer => $peer);

    my $st = $t->stream('90')->{tracks}[0];

    is($st->{rotation}, 90, 'the status says so');
    is($st->{width} . 'x' . $st->{height}, '640x360', 'beside the coded size');

    ($peer, @p) = view('/file/90', 0, 100);

    is_deeply(told(@p), [ 'none', 'none' ],
              'who has not offered it gets nothing');
    ok(wait_for(20, sub {
        $t->log =~ /\[warn\].*viewer sees it turned.*by 90 degrees.*no '\Q$uri\E'/
    }), 'which is a warning') or diag($t->log);
    $c->call('close', peer => $peer);

    ($peer, @p) = view('/file/0', 5, 100);

    is_deeply(told(@p), [ 'none', 'none' ], 'nothing for one that is upright');
    $c->call('close', peer => $peer);

    # a publisher; numbers of extensions differ from the viewer's

    my $pub = $c->call('open', url => $t->url('/whip'), publish => 1,
                       media => [ video(3) ]);

    is($pub->{status}, 201, 'a publisher');
    like($pub->{answer}, qr/^a=extmap:3 \Q$uri\E\r$/m, 'may tell it');

    my ($seq, $ts) = (100, 1000);
    my $key = '7800046742c00d000468ce3c80000565aabbccdd';

    my $frame = sub {
        my ($payload, $cvo) = @_;

        $c->call('send', peer => $pub->{peer}, packets => [
            rtp(pt => 96, seq => $seq++, ts => $ts += 3000, ssrc => 0x77,
                marker => 1, payload => $payload,
                defined $cvo ? (ext => [ 0xbede, "30$cvo" ]) : ()) ]);
    };

    $frame->($key, '02');

    ok(wait_for(30, sub { ($t->stream('pub') || {})->{keyframes} }),
       'its key frame is there');

    ($peer) = view('/whep', 7, 0);

    # a turn in the middle, back again, mirrored; what is not told stays

    my @send = ([ $key, '02' ], [ '61aabb', '03' ], [ '61aabb', undef ],
                [ '61aabb', '00' ], [ '61aabb', undef ], [ $key, undef ],
                [ '61aabb', '0d' ], [ '61aabb', undef ]);

    $frame->(@$_) for @send;

    my @want = ('02', '02', '03', '03', '00', 'none', '00', '05', '05');
    my @got;

    my $end = time() + 60;

    while (@got < @want && time() < $end) {
        my $p = $c->call('packets', peer => $peer, count => 1, timeout => 5);

        push @got, map {
            ($_->{ext} || '') =~ /^bede000170(..)0000$/ ? $1 : 'none';
        } @{ $p->{packets} || [] };
    }

    is_deeply(\@got, \@want, 'a viewer is told as it turns');
    is($t->stream('pub')->{tracks}[0]{rotation}, 90, 'and the status');
    is($t->stream('pub')->{tracks}[0]{flip}, 1, 'that it is mirrored, too');

    $c->call('close', peer => $_) for $peer, $pub->{peer};
}

for my $row ([ '/file/90', 'a file' ], [ '/pulled/90.mp4', 'pulled' ],
             [ '/pulled/90.mov', 'pulled, and encoded anew' ])
{
    my ($path, $name) = @$row;

subtest "Chromium: $name" => sub {
    my $p = $t->browser->play($t->url($path));

    is($p->{status}, 201, 'POST') or return;

    my $s = $p->wait(30);

    cmp_ok($s->{framesDecoded}, '>=', 30, 'frames are decoded');

    ok(!$p->until(sub { ($_[0]{shown} || '') eq '360x640' })->{error},
       'it stands upright: 360x640') or diag(explain($p->stats));

    # clockwise: what was on the left is on the top

    my $colours = $p->sample(map { [ 0.7, ($_ + 0.5) / 7 ] } 0 .. 6);

    colour_bars_ok($colours->{colours} || [], 'and not on its head');

    is($p->stop->{status}, 200, 'DELETE');
};
}

ok($t->no_sessions, 'no session is left');

$t->done;
