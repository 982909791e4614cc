#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# RED, RFC 2198, packet by packet: from a publisher to a viewer who has
# negotiated it, under his payload types, and to one who has not, unwrapped.
# What is malformed or of something else is dropped.

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
