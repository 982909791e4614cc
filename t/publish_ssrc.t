#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher whose SSRCs change, and with them numbers and timestamps: viewers
# see one stream of which nothing is missing, and what is lost is asked for by
# the new SSRC and comes as RTX of whatever SSRC.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 10s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
EOF

# numbers that look late, that look like a start anew, another SSRC of RTX, an
# SSRC that was there before; fewer than 32 SSRCs in all

my @changes = ('-1000', '-20000r', '-1000', 'back', '30000');

my %case = (
    video => [ [ (@changes) x 4 ], {}, 'video' ],
    audio => [ [ (@changes) x 2 ], { audio => undef }, 'video', 'audio' ],
    loss  => [ [ (@changes) x 4 ], { drop => 20 }, 'video' ],
    again => [ [ (@changes) x 2 ], { drop => 20, nortx => undef }, 'video' ],
);

for my $name (sort keys %case) {
    subtest $name => sub {
        my ($list, $o, @kinds) = @{ $case{$name} };
        my $late = $t->status->{dropped}{rtp};

        my $pub = NgxWebRTC::Bench->publish($t, "/whip/$name", hold => 60,
            change => join(',', @$list), bitrate => 500000, size => 600, %$o);

        my $view = NgxWebRTC::Bench->view($t, "/whep/$name",
            exists $o->{audio} ? (audio => undef) : ());

        my $sent;

        ok($pub->wait(120, sub {
            ($_[0]{changes} // 0) == @$list && ($sent //= $_[0]{packets})
                && $_[0]{packets} >= $sent + 60;
        }), @$list . ' changes');

        my $v = $view->stop;

        is($v->{failed}, 0, 'a viewer leaves');
        is($v->{auth_fail}, 0, 'every packet is authentic');

        my $p = $pub->stop;

        is($p->{failed}, 0, 'the publisher, too');
        is($p->{unknown}, 0, 'nobody asked for what was not sent');

        for my $kind (@kinds) {
            my $s = $v->{viewer0}{$kind};

            cmp_ok($s->{stamped}, '>=', 60, "$kind is seen");
            is($s->{backwards}, 0, "$kind: timestamps are in order");
            is($s->{again}, 0, "$kind: nothing twice");

            cmp_ok($s->{spread_ms}, '<', 60000,
                   "$kind: timestamps go on with the time of sending");

            if ($o->{drop}) {

                # the last one of an SSRC is never found missing, and nobody
                # waits for one that does not get the processor for a while

                cmp_ok($p->{resent}, '>', 0, "$kind: losses are asked for");
                cmp_ok($s->{missing}, '<', $p->{dropped}, "$kind: and comes");
                note("$kind: $p->{dropped} lost, $p->{resent} sent again, "
                     . "$s->{missing} missing");

            } elsif ($t->status->{dropped}{rtp} == $late) {
                is($s->{seq_breaks}, 0, "$kind: numbers unbroken");
                is($s->{missing}, 0, "$kind: nothing missing");

            } else {
                # a worker that had not run while an SSRC came and went
                note("$kind: packets were too late for their SSRC");
            }
        }
    };
}

ok($t->no_sessions, 'no session is left');
$t->done;
