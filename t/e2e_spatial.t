#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Layers inside one encoding, spatial and temporal, of AV1 and VP9: a Chromium
# publishes them, another one watches and is stepped through all of them.  Each
# is decoded without an error: a decoder that misses a reference asks for a key
# frame, and none does.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);

$t->start(http => 'webrtc_wait 30s; webrtc_keyframe_interval 500ms;',
          server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my ($pub, $p, $url, $name);

sub inside { return @{ ($t->stream($name) || {})->{layers} || [] } }


# no less than 240 x 135 of the lowest: Chromium makes fewer layers then

sub begin {
    my ($codec, $mode) = @_;

    $name = lc $codec;

    $pub = $t->browser->publish($t->url("/whip/$name"), codec => $codec,
        width => 960, height => 544, fps => 12, audio => JSON::PP::false(),
        layers => [ { scalabilityMode => $mode, maxBitrate => 1_200_000 } ]);

    is($pub->{status}, 201, "$codec: WHIP") or BAIL_OUT($pub->{answer});

    $p = $t->browser->play($t->url("/whep/$name"),
                           audio => JSON::PP::false());

    is($p->{status}, 201, "$codec: WHEP") or BAIL_OUT($p->{answer});

    ($url) = ($p->{link} // '')
             =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;
    ok($url, "$codec: it may choose") or diag($p->{link});
}


sub choose {
    my ($sid, $tid) = @_;

    my $r = $t->http('POST', $url,
        body => qq({"encodingId":"original","spatialLayerId":$sid,)
                . qq("temporalLayerId":$tid}),
        headers => { 'Content-Type' => 'application/json' });

    return $r->{status} == 200 || diag($r->{content});
}


# the publisher's picture

sub bars {
    my ($what) = @_;

    my @want = map { [ map { hex } /../g ] }
               qw/ c0c0c0 c0c000 00c0c0 00c000 c000c0 c00000 0000c0 /;
    my @got = @{ $p->bars };

    my $off = grep { my $i = $_; grep { abs(($got[$i][$_] // -99) - $want[$i][$_]) > 40 }
                                 0 .. 2 } 0 .. 6;

    is($off, 0, "$what: its colours") or diag(explain(\@got));
}


# S and T layers: to each of them from another one; upper ones come with a key
# frame, which the server asks for

sub steps {
    my ($what, $all) = @_;

    my ($s, $t_) = $what =~ / .(\d)T(\d)/;

    ok(wait_for(60, sub {
        my @l = inside();

        return @l == $s && ($l[0]{temporal} // 0) == $t_
               && ($l[0]{height} // 0) == 544;
    }), "$what: that many layers") or diag(explain([ inside() ]), $t->log);

    choose($s - 1, $t_ - 1);
    $p->until(sub { ($_[0]{height} || 0) == 544 });

    my $before = $p->stats;

    my @to = reverse map { my $sid = $_; map { [ $sid, $_ ] } 0 .. $t_ - 1 }
                         0 .. $s - 1;

    @to = ([ $s - 2, $t_ - 1 ], [ 0, 0 ]) if !$all;

    for my $to (@to, [ $s - 1, 0 ], [ $s - 1, $t_ - 1 ]) {
        my ($sid, $tid) = @$to;
        my $height = 544 / 2 ** ($s - 1 - $sid);
        my $share = 1 / 2 ** ($t_ - 1 - $tid);
        my @last;

        choose($sid, $tid);

        ok(wait_for(60, sub {
            my ($sent, $r) = ($pub->sent, $p->stats);

            @last = () if ($r->{height} || 0) != $height;
            push @last, [ $sent->{framesEncoded}, $r->{framesDecoded} ];

            # what is encoded counts for each spatial layer

            my ($x, $y) = @last[0, -1];
            my $n = ($y->[0] - $x->[0]) / $s;

            return 0 if $n < 12 || $y->[1] - $x->[1] < 3;

            my $got = ($y->[1] - $x->[1]) / $n;

            return 1 if $got > $share * 0.65 && $got < $share * 1.4;

            shift @last;

            return 0;
        }), "$what: spatial $sid, temporal $tid: that much of it is decoded")
            or diag(explain(\@last), $t->log =~ /viewer wants.*/g);

        bars("$what: spatial $sid") if $all && $tid == $t_ - 1;
    }

    my $after = $p->stats;

    is($after->{plis}, $before->{plis}, "$what: nothing was missed");

    note(join ', ', map { "$_ " . (($after->{$_} // 0) - ($before->{$_} // 0)) }
         qw/ framesDecoded keyFramesDecoded framesDropped freezeCount
             freezeSeconds nacks videoLost /);
}


my %more = (AV1 => [ qw/ L3T3_KEY L2T2 L2T2_KEY S2T3 / ],
            VP9 => [ qw/ L3T3_KEY / ]);

for my $codec (sort keys %more) {
    begin($codec, 'L3T3');
    steps("$codec L3T3", 1);

    for my $mode (@{ $more{$codec} }) {
        is($pub->scale($mode)->{refused}, undef, "$codec $mode");
        steps("$codec $mode");
    }

    is($p->stop->{status}, 200, 'the viewer leaves');
    is($pub->stop->{status}, 200, 'the publisher leaves');
}

ok($t->no_sessions, 'no session is left');
unlike($t->log, qr/stream encoded/, 'nothing was encoded');

$t->done;
