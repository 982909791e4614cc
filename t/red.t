#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# RED, RFC 2198, packet by packet: from a publisher to a viewer who has
# negotiated it, under his payload types, and to one who has not, unwrapped.
# What is malformed or of something else is dropped.  It is made for a viewer
# whose path loses packets.  And the other thing that viewers get to smooth what
# a path does: the playout delay of video.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Rtp;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $c = NgxWebRTC::Rtp->new($t)
    or plan skip_all => 'node-datachannel is not installed';

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location = /listed/red {
    webrtc_publish  listed;
    webrtc_codecs   red opus;
}
location = /listed/opus {
    webrtc_publish  listed;
    webrtc_codecs   opus;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location = /set/video {
    webrtc_play           video;
    webrtc_playout_delay  0 400ms;
}
location = /off/video {
    webrtc_play           video;
    webrtc_playout_delay  off;
}
EOF

# an m-line with Opus and RED

sub red {
    my ($opus, $red, @order) = @_;

    return { kind => 'audio', pts => \@order,
             lines => [ "rtpmap:$opus opus/48000/2", "rtpmap:$red red/48000/2",
                        "fmtp:$red $opus/$opus" ] };
}

my $pub = $c->call('open', url => $t->url('/whip/red'), publish => 1,
                   media => [ red(111, 63, 63, 111) ]);

is($pub->{status}, 201, 'a publisher that prefers RED');
like($pub->{answer}, qr/^m=audio 9 \S+ 63 111\r$/m, 'is answered so');
like($pub->{answer}, qr/^a=fmtp:63 111\/111\r$/m, 'with what RED wraps');

my ($seq, $n) = (100, 0);

# Opus of a frame, with a number in it

sub block { return sprintf 'fc%04x', $_[0] & 0xffff }

sub wrapped {
    my ($n) = @_;

    return 'ef0f0003' . '6f' . block($n - 1) . block($n);
}

sub send_packets {
    my @packets = map {
        my ($pt, $payload) = @$_;
        rtp(pt => $pt, seq => $seq++, ts => 960 * $n++, ssrc => 0x1234,
            payload => $payload);
    } @_;

    $c->call('send', peer => $pub->{peer}, packets => \@packets);
}

send_packets([ 63, wrapped($n) ]);

ok(wait_for(60, sub { ($t->stream('red') || {})->{packets} }),
   'a packet of RED is taken');
is($t->stream('red')->{tracks}[0]{codec}, 'opus', 'the codec is what it wraps');

# the first has other payload types, the second no RED

my $with = $c->call('open', url => $t->url('/whep/red'),
                    media => [ red(96, 97, 96, 97) ]);
my $plain = $c->call('open', url => $t->url('/whep/red'), media => [ opus() ]);
my $same = $c->call('open', url => $t->url('/whep/red'),
                    media => [ red(111, 63, 111, 63) ]);

like($with->{answer}, qr/^m=audio 9 \S+ 96 97\r$/m, 'a viewer with RED');
like($with->{answer}, qr/^a=fmtp:97 96\/96\r$/m, 'in his payload types');
like($plain->{answer}, qr/^m=audio 9 \S+ 111\r$/m, 'a viewer without');

# RED, Opus as it is, RED; what is malformed in between is dropped

my $first = $n;
my $damaged = $t->stream('red')->{damaged};

send_packets([ 63, wrapped($n) ]);
send_packets([ 111, block($n) ]);
send_packets([ 63, wrapped($n) ],
             [ 63, 'ef' ],                          # cut
             [ 63, 'ef0f00ff6f0102' ],              # a block that is not there
             [ 63, 'ee0f00036f' . '0102030405' ],   # of another payload type
             [ 63, 'ef0f00036e' . '0102030405' ],
             [ 63, '' ], [ 63, 'ef0000006f' ]);     # nothing in it
send_packets([ 63, 'ef1e0003ef0f00036f' . block($n - 2) . block($n - 1)
                   . block($n) ]);

my @from = ($first, $first + 1, $first + 2, $first + 9);

sub got {
    my ($peer, $name, @want) = @_;

    my $r = $c->call('packets', peer => $peer->{peer}, count => scalar @want);
    my @p = @{ $r->{packets} || [] };

    is(scalar(@p), scalar(@want), "$name: as many packets");
    is_deeply([ map { [ $_->{pt}, $_->{hex} ] } @p ], \@want,
              "$name: what is in them");
    is_deeply([ map { ($_->{seq} - $p[0]{seq}) & 0xffff } @p ], [ 0 .. $#p ],
              "$name: sequence numbers");
    is_deeply([ map { ($_->{ts} - $p[0]{ts}) & 0xffffffff } @p ],
              [ map { 960 * ($_ - $from[0]) } @from ], "$name: timestamps");
}

sub red_of {
    my ($pt, $red) = @_;

    my $r = sprintf '%02x', $pt | 0x80;
    my $p = sprintf '%02x', $pt;

    return ([ $red, "${r}0f0003$p" . block($from[0] - 1) . block($from[0]) ],
            [ $pt, block($from[1]) ],
            [ $red, "${r}0f0003$p" . block($from[2] - 1) . block($from[2]) ],
            [ $red, "${r}1e0003${r}0f0003$p" . block($from[3] - 2)
                    . block($from[3] - 1) . block($from[3]) ]);
}

got($with, 'RED', red_of(96, 97));
got($same, 'RED with the same payload types', red_of(111, 63));
got($plain, 'unwrapped', map { [ 111, block($_) ] } @from);

is($t->stream('red')->{damaged} - $damaged, 4, 'malformed ones are counted');

$c->call('close', peer => $_->{peer}) for $with, $plain, $same, $pub;

made();
playout();

# webrtc_codecs

for my $row ([ red => qr/^m=audio 9 \S+ 63 111\r$/m, 'RED where it is listed' ],
             [ opus => qr/^m=audio 9 \S+ 111\r$/m, 'none where it is not' ])
{
    my ($where, $re, $name) = @$row;

    my $p = $c->call('open', url => $t->url("/listed/$where"), publish => 1,
                     media => [ red(111, 63, $where eq 'red'
                                             ? (111, 63) : (63, 111)) ]);

    like($p->{answer}, $re, $name);
    $c->call('close', peer => $p->{peer});

    ok(wait_for(60, sub { $t->no_sessions }), 'the publisher leaves');
}

$t->done;


# RED of a publisher's plain Opus, once a viewer reports loss

sub made {
    my $pub = $c->call('open', url => $t->url('/whip/made'), publish => 1,
                       media => [ opus() ]);
    my ($seq, $ts) = (100, 0);

    my $sound = sub {
        my ($payload, $after) = @_;

        $c->call('send', peer => $pub->{peer}, packets => [
            rtp(pt => 111, seq => $seq++, ts => $ts += $after // 960,
                ssrc => 0x99, payload => $payload) ]);
    };

    $sound->(block(0));
    ok(wait_for(60, sub { ($t->stream('made') || {})->{packets} }),
       'a publisher without RED');

    my ($lossy, $calm) = map {
        $c->call('open', url => $t->url('/whep/made'),
                 media => [ { %{ red(96, 97, 96, 97) }, both => 1 } ]);
    } 1 .. 2;

    like($lossy->{answer}, qr/^m=audio 9 \S+ 96 97\r$/m, 'a viewer with it');

    $sound->(block($_)) for 1 .. 3;

    my %got;

    for my $peer ($lossy, $calm) {
        my $r = $c->call('packets', peer => $peer->{peer}, count => 3,
                         timeout => 60);

        is_deeply([ map { $_->{hex} } @{ $r->{packets} }[-3 .. -1] ],
                  [ map { block($_) } 1 .. 3 ], 'gets Opus as it is');
        $got{ssrc} //= $r->{packets}[0]{ssrc};
    }

    # a receiver report, RFC 3550, 6.4.2: 20 % were lost

    $c->call('send', peer => $lossy->{peer}, packets => [
        unpack 'H*', pack 'NNNNNNNN', 0x81c90007, 1, $got{ssrc}, 51 << 24 | 1,
                     $seq, 0, 0, 0 ]);

    ok(wait_for(60, sub { $t->log =~ /sound repeated packets:2 lost:19%/ }),
       'and repetitions, once it has lost packets');

    my $large = 'fc' . '11' x 1100;

    $sound->(block(4));
    $sound->(block(5));
    $sound->($large);
    $sound->(block(7));
    $sound->(block(8), 48000);

    my @red = ([ 97, 'e01e0003e00f000360' . block(2) . block(3) . block(4) ],
               [ 97, 'e01e0003e00f000360' . block(3) . block(4) . block(5) ],
               [ 97, 'e01e0003e00f000360' . block(4) . block(5) . $large ],
               [ 97, 'e01e000360' . block(5) . block(7) ],
               [ 96, block(8) ]);

    my $r = $c->call('packets', peer => $lossy->{peer}, count => 5,
                     timeout => 60);

    is_deeply([ map { [ $_->{pt}, $_->{hex} ] } @{ $r->{packets} } ], \@red,
              'two earlier ones in each, as far as they fit');

    $r = $c->call('packets', peer => $calm->{peer}, count => 5, timeout => 60);

    is_deeply([ map { $_->{pt} } @{ $r->{packets} } ], [ (96) x 5 ],
              'none for a viewer that loses nothing');

    $c->call('close', peer => $_->{peer}) for $lossy, $calm, $pub;
}


# playout delay: as published, as configured, or not at all

sub playout {
    my $uri = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

    my $video = sub {
        my ($id) = @_;

        my $m = h264();

        push @{ $m->{pts} }, 97;
        push @{ $m->{lines} }, 'rtpmap:97 rtx/90000', 'fmtp:97 apt=96',
                               "extmap:$id $uri";
        return $m;
    };

    my $pub = $c->call('open', url => $t->url('/whip/video'), publish => 1,
                       media => [ $video->(4) ]);
    my ($seq, $ts) = (100, 0);

    like($pub->{answer}, qr/^a=extmap:4 \Q$uri\E\r$/m,
         'a publisher may send a playout delay');

    # 100 to 500 ms with a key frame, another one with the frame behind it

    my $frame = sub {
        my ($payload, $delay) = @_;

        $c->call('send', peer => $pub->{peer}, packets => [
            rtp(pt => 96, seq => $seq++, ts => $ts += 3000, ssrc => 0x77,
                marker => 1, payload => $payload,
                $delay ? (ext => [ 0xbede, "42$delay" ]) : ()) ]);
    };

    my $key = '7800046742c00d000468ce3c80000565aabbccdd';

    $frame->($key, '00a032');
    ok(wait_for(60, sub { ($t->stream('video') || {})->{packets} }),
       'it does');

    my @viewers = map { $c->call('open', url => $t->url("/$_/video"),
                                 media => [ $video->(5) ]) } qw/ whep set off /;

    $frame->('41aabb');

    my @want = ([ 'bede00015200a032', undef ], [ 'bede000152000028', undef ],
                [ undef, undef ]);
    my @name = ('as it is published', 'as it is configured', 'not at all');

    for (0 .. 2) {
        my $r = $c->call('packets', peer => $viewers[$_]{peer}, count => 2,
                         timeout => 60);

        is_deeply([ map { $_->{ext} } @{ $r->{packets} } ], $want[$_],
                  "with a key frame, $name[$_]");
    }

    like($viewers[0]{answer}, qr/^a=extmap:5 \Q$uri\E\r$/m, 'by its number');
    unlike($viewers[2]{answer}, qr/\Q$uri\E/, 'off: not in the answer');

    $c->call('close', peer => $_->{peer}) for @viewers, $pub;
}
