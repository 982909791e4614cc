#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes and watches sound alone: Opus in RED, for a viewer with and
# one without it, G.722, PCMU and PCMA.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Rtp;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

my $c = NgxWebRTC::Rtp->new($t);

my @sound = (video => JSON::PP::false);

for my $row (
    # name     of the publisher       of viewers                  the stream's
    [ 'red',   [ 'red', 'opus' ], [[ 'red', 'opus' ], [ 'opus' ]],  'opus' ],
    [ 'plain', [ 'opus', 'red' ], [[ 'red', 'opus' ], [ 'opus' ]],  'opus' ],
    [ 'g722',  [ 'g722' ],        [[ 'g722' ]],                     'G722' ],
    [ 'pcmu',  [ 'pcmu' ],        [[ 'pcmu' ]],                     'PCMU' ],
    [ 'pcma',  [ 'pcma' ],        [[ 'pcma' ]],                     'PCMA' ],
) {
    my ($name, $codecs, $viewers, $codec) = @$row;

    my $pub = $t->browser->publish($t->url("/whip/$name"), @sound,
                                   audioCodecs => $codecs);

    is($pub->{status}, 201, "$name: WHIP") or diag($pub->{answer});

    my @p;

    for my $v (@$viewers) {
        my $p = $t->browser->play($t->url("/whep/$name"), @sound,
                                  audioCodecs => $v);

        is($p->{status}, 201, "$name: WHEP of @$v") or diag($p->{answer});

        my $s;

        ok(wait_for(60, sub {
            $s = $p->stats;
            return ($s->{audioEnergy} // 0) > 0.01
                   && abs($s->{tones}[0] - 440) < 20;
        }), "$name, @$v: the tone") or diag(explain($s));

        # Chromium unwraps RED before it looks

        is($s->{audioCodec}, $codec, "$name, @$v: codec");

        push @p, $p;
    }

    # what RED there is: blocks of the viewer's payload type for Opus

    if ($name eq 'red' || $name eq 'plain') {
        my $v = $c->call('open', url => $t->url("/whep/$name"), media => [
            { kind => 'audio', pts => [ 96, 97 ], lines => [
                'rtpmap:96 opus/48000/2', 'rtpmap:97 red/48000/2',
                'fmtp:97 96/96' ] } ]);

        my $r = $c->call('packets', peer => $v->{peer}, count => 20);
        my %seen;

        $seen{$_->{pt} . ($_->{pt} == 97 ? substr($_->{hex}, 0, 2) : '')}++
            for @{ $r->{packets} };

        my @want = $name eq 'red' ? '97e0' : '96';

        is_deeply([ keys %seen ], \@want, "$name: packet by packet");
        $c->call('close', peer => $v->{peer});
    }

    my $st = $t->stream($name);

    is($st->{tracks}[0]{codec}, $codec, "$name: the stream's codec");
    is($st->{damaged}, 0, "$name: nothing was malformed");
    is($st->{tracks}[0]{channels}, 1, "$name: one channel");
    unlike($_->{answer}, qr/stereo=1/, "$name: as viewers are told") for @p;

    $_->stop for @p, $pub;
}

ok($t->no_sessions, 'no session is left');

$t->done;
