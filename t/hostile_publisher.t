#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher who has all rights and sends nonsense: too many SSRCs, packets that
# are too long, header extensions without end, malformed payloads and reports,
# more than webrtc_max_bitrate.  It is counted and dropped, and what is good in
# between reaches the viewer in order.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Rtp;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

my $c = NgxWebRTC::Rtp->new($t)
    or plan skip_all => 'node-datachannel is not installed';

my $flood = NgxWebRTC::Rtp->new($t);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location = /limited {
    webrtc_publish      limited;
    webrtc_max_bitrate  100k;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

# it goes on while the others are at work

my $over = $flood->call('open', url => $t->url('/limited'), publish => 1,
                        media => [ opus() ]);

is($over->{status}, 201, 'a publisher with a limit');
is($flood->call('flood', peer => $over->{peer}, pt => 111, ssrc => 7,
                bytes => 1000, ms => 5)->{error}, undef, 'who ignores it');

my ($audio, $video) = (0, 1);
my $pub = $c->call('open', url => $t->url('/whip/x'), publish => 1,
                   media => [ opus(), h264() ]);

is($pub->{status}, 201, 'a publisher');

my %seq = (0 => 65530, 1 => 65530);
my %ts = (0 => 0, 1 => 0);

# packets of a track, with its numbers: [ payload, more of rtp() ]

sub send_to {
    my ($track, @packets) = @_;

    $c->call('send', peer => $pub->{peer}, track => $track, packets => [ map {
        my ($payload, %o) = @$_;

        $ts{$track} += $track == $audio ? 960 : 3000;

        rtp(pt => $track == $audio ? 111 : 96, seq => $seq{$track}++,
            ts => $ts{$track}, ssrc => $track == $audio ? 1000 : 2000,
            marker => $track == $video, payload => $payload, %o);
    } @packets ]);
}

# parameter sets of 320x180 and an IDR picture in one packet, RFC 6184, 5.7.1

my $key = '7800046742c00d000468ce3c80000565aabbccdd';

my $n = 0;

sub sound { return sprintf 'fc%06x', $n++ }

sub dropped { return $t->status->{dropped}{$_[0]} }

send_to($video, [ $key ]);
send_to($audio, [ sound() ]);

ok(wait_for(60, sub { (($t->stream('x') || {})->{packets} || 0) >= 2 }),
   'is live');

# a picture of more packets than a browser has room for, RFC 6184, 5.8

$ts{$video} += 3000;

for my $i (0 .. 20) {
    my $had = $t->stream('x')->{packets};

    send_to($video, map { [ '7c' . ($_ ? '05' : '85') . 'aabbcc',
                            ts => $ts{2} // ($ts{2} = $ts{$video} + 3000),
                            marker => 0 ] } 100 * $i .. 100 * $i + 99);

    wait_for(30, sub { $t->stream('x')->{packets} >= $had + 100 }) or last;
}

my @large = $t->log =~ /\[warn\].*pictures of more than 2048 packets.*"x"/g;

is(@large, 1, 'a picture of 2100 packets: a warning');

my $p = $c->call('open', url => $t->url('/whep/x'), media => [ opus() ]);

is($p->{status}, 201, 'a viewer, of the sound');

my $last;

# what is sent as good comes, with the next numbers, behind some that are lost

sub good {
    my ($name, $lost, @more) = @_;

    my @want = map { sound() } 1 .. 3;

    send_to($audio, map { [ $_ ] } @want);

    my $r = $c->call('packets', peer => $p->{peer}, count => @more + @want);
    my @got = @{ $r->{packets} || [] };

    is_deeply([ map { $_->{hex} } @got ], [ @more, @want ],
              "$name: the viewer gets what is good");

    $last //= $got[0]{seq} - 1;

    is_deeply([ map { ($_->{seq} - $last - $lost) & 0xffff } @got ],
              [ 1 .. @got ], "$name: the numbers go on");

    $last = $got[-1]{seq};
}

good('at first', 0);

# payload types that were not negotiated, on a known SSRC and on others

my $rtp = dropped('rtp');

send_to($audio, map { [ 'fc', pt => $_, ssrc => 99 ] } 0, 97, 127);
$seq{$audio} -= 3;
send_to($audio, map { [ 'fc', pt => $_ ] } 0, 63, 96, 127);

ok(wait_for(60, sub { dropped('rtp') == $rtp + 7 }), 'other payload types')
    or diag(dropped('rtp') - $rtp);
good('other payload types', 4);

# packet size: 2048 bytes with header and tag are what we take

my $limit = dropped('limit');
my $long = 'ab' x 2018;

send_to($audio, [ $long ]);
good('the longest packet', 0, $long);

send_to($audio, [ 'ab' x 2019 ], [ 'ab' x 2020 ]);
ok(wait_for(60, sub { dropped('limit') == $limit + 2 }), 'longer ones')
    or diag(dropped('limit') - $limit);
good('longer ones', 2);

$limit = dropped('limit');
send_to($audio, map { [ 'ab' x $_ ] } 2100, 9000, 30000);
ok(wait_for(60, sub { dropped('limit') == $limit + 3 }), 'cut by the socket')
    or diag(dropped('limit') - $limit);
good('cut by the socket', 3);

# header extensions of the two-byte form, without data

$limit = dropped('limit');

my @many = (sound(), sound());

send_to($audio, [ $many[0], ext => [ 0x1000, '0100' x 32 ] ],
                [ $many[1], ext => [ 0xbede, '10ff' x 20 ] ]);
good('32 header extensions', 0, @many);

send_to($audio, map { [ 'fc', ext => [ 0x1000, '0100' x $_ ] ] } 33, 500);
ok(wait_for(60, sub { dropped('limit') == $limit + 2 }), 'more of them')
    or diag(dropped('limit') - $limit);
good('more of them', 2);

# malformed payloads: fragments without an end, lengths that lie, nothing at all

my $damaged = $t->stream('x')->{damaged};

srand 1;

my @bad = ('78ffff00', '7800', '78000067', '7c', '7c85', '7ce5aabb', '00',
           '78' . '0001' x 500, 'fc' x 1000, '1f', '7900010101', '7d850000',
           map { join '', map { sprintf '%02x', int rand 256 }
                              1 .. 1 + rand 300 } 1 .. 300);

send_to($video, map { [ $_ ] } @bad);
send_to($video, [ '' ], map { [ $bad[$_], seq => rand 65536,
                                ts => rand 2 ** 32 ] } 0 .. 200);

ok(wait_for(60, sub { $t->stream('x')->{damaged} > $damaged + 5 }),
   'malformed payloads are counted');
good('malformed payloads', 0);

# reports: SR and XR with times of another world, cut ones, BYE of others

$c->call('send', peer => $pub->{peer}, track => $audio, packets => [
    '80c80006' . '000003e8' . 'ffffffffffffffff' . 'ffffffff' . '00' x 8,
    '80c80006' . '000003e8' . '0000000000000000' . '00000000' . 'ff' x 8,
    '80c80006' . '000007d0' . '8000000000000000' . '80000000' . 'ff' x 8,
    '9fc80006' . '000003e8' . 'ff' x 20, '80c8ffff' . '00' x 24,
    '80cf0004' . '000003e8' . '05000002' . 'ff' x 12,
    '80cf0001' . '000003e8', '81cb0001' . '00000063', '8fcd0002' . 'ff' x 8,
    '8fcdffff' . 'ff' x 40, 'bfce0003' . '00' x 12 ]);
good('reports', 0);

# SSRCs: the last one is the track's, however many there were; what is held of
# the one before comes out, too

my $packets = $t->stream('x')->{packets};

send_to($video, map { [ '41aabb', ssrc => 5000 + $_, seq => 1 ] } 1 .. 20);

ok(wait_for(60, sub { $t->stream('x')->{packets} >= $packets + 20 }),
   'twenty SSRCs of a track, one after the other')
    or diag($t->stream('x')->{packets} - $packets);
good('many SSRCs', 0);

is($c->call('state', peer => $pub->{peer})->{state}, 'connected',
   'the publisher is still there');

# more than 32 can never be decrypted

send_to($video, map { [ '41aabb', ssrc => 6000 + $_, seq => 1 ] } 1 .. 20);

ok(wait_for(60, sub { $t->log =~ /session closed: too many ssrcs/ }),
   'a publisher with more than 32 SSRCs is ended');

$c->call('close', peer => $_->{peer}) for $p, $pub;

# layers, by rid: of others, of none, and more SSRCs than there are layers

my $layered = h264();

push @{ $layered->{lines} },
    'extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
    'rid:h send', 'rid:l send', 'simulcast:send h;l';

$pub = $c->call('open', url => $t->url('/whip/y'), publish => 1,
                media => [ $layered ]);

is($pub->{status}, 201, 'a publisher of layers');
like($pub->{answer}, qr/^a=simulcast:recv h;l\r$/m, 'of two');

my %key = (h => $key, l => $key =~ s/dd$/ee/r);
my %number;

# of an SSRC, with a header extension

sub layer {
    my ($ssrc, $ext, $payload) = @_;

    $c->call('send', peer => $pub->{peer}, track => 0, packets => [
        rtp(pt => 96, seq => $number{$ssrc}++, ts => 3000 * $number{$ssrc},
            ssrc => $ssrc, marker => 1, payload => $payload,
            $ext ? (ext => $ext) : ()) ]);
}

my %rid = map { $_ => [ 0xbede, 'a0' . unpack('H*', $_) ] } qw/ h l x /;

sub layers { return @{ ($t->stream('y') || {})->{layers} || [] } }

layer(1, $rid{h}, $key{h});

ok(wait_for(60, sub { grep { $_->{best} } layers() }), 'the best is live');

# it gets a ring with its key frame, and is told of once that is there

ok(wait_for(60, sub {
    layer(2, $rid{l}, $key{l});
    return 2 == grep { $_->{active} } layers();
}), 'the other one is live');

$rtp = dropped('rtp');

layer(3, $rid{x}, $key);
layer(4, undef, $key);
layer(5, [ 0xbede, 'a16868' ], $key);
layer(6, [ 0x1000, '0a00' ], $key);

ok(wait_for(60, sub { dropped('rtp') == $rtp + 4 }),
   'of no layer that was negotiated') or diag(dropped('rtp') - $rtp);

layer(10 + $_, $rid{l}, '41aabb') for 1 .. 20;
layer(30, $rid{l}, $key{l});

ok(wait_for(60, sub { 2 == grep { $_->{active} } layers() }),
   'many SSRCs of one');

for my $rid (qw/ h l /) {
    my $v = $c->call('open', url => $t->url("/whep/y?layer=$rid"),
                     media => [ h264() ]);

    is($v->{status}, 201, "a viewer of $rid");

    my $r = $c->call('packets', peer => $v->{peer}, count => 1);

    is($r->{packets}[0]{hex}, $key{$rid}, 'gets that');
    $c->call('close', peer => $v->{peer});
}

$c->call('close', peer => $pub->{peer});

# ten seconds above its limit

ok(wait_for(60, sub { $t->log =~ /publisher down reason:"above webrtc_max_bitrate/ }),
   'a publisher above webrtc_max_bitrate is ended');

$flood->call('close', peer => $over->{peer});

$t->done;
