#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher that loses packets: they are asked for, come as RTX or again, and
# viewers get them.  As DTLS server too, which WHIP allows (setup:passive),
# and with each protection profile.

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

my %case = (
    rtx     => [ 1, {} ],
    again   => [ 0, { nortx => undef } ],
    passive => [ 1, { setup => 'passive', codec => 'vp8' } ],
    active  => [ 1, { setup => 'active', srtp => 'sha1_80' } ],
);

for my $name (sort keys %case) {
    subtest $name => sub {
        my ($rtx, $o) = @{ $case{$name} };

        my $pub = NgxWebRTC::Bench->publish($t, "/whip/$name", drop => 25,
            bitrate => 1000000, size => 600, %$o);

        my $view = NgxWebRTC::Bench->view($t, "/whep/$name",
                                          codecs => 'h264,vp8');

        ok($view->wait(30, sub {
            ($_[0]{viewer0}{video}{stamped} // 0) >= 400
        }), 'a viewer sees it');

        my $v = $view->stop;

        is($v->{failed}, 0, 'and leaves');
        is($v->{auth_fail}, 0, 'every packet is authentic');
        is($v->{viewer0}{video}{backwards}, 0, 'timestamps are in order');
        is($v->{viewer0}{video}{again}, 0, 'nothing twice');

        my $p = $pub->stop;

        is($p->{failed}, 0, 'the publisher leaves');
        is($p->{rtx}, $rtx, $rtx ? 'RTX' : 'no RTX');
        is($p->{unknown}, 0, 'nobody asked for what was not sent');
        cmp_ok($p->{dropped}, '>=', 10, 'packets were dropped');

        # all but the last ones; but nobody waits for one that does not get the
        # processor for a tenth of a second

        cmp_ok($p->{resent}, '>=', $p->{dropped} / 2, 'and were asked for');
        cmp_ok($v->{viewer0}{video}{missing}, '<=', $p->{dropped} / 2,
               'most of them have reached the viewer');

        cmp_ok($p->{report_blocks}, '>', 0, 'there are receiver reports');
        cmp_ok($p->{twcc_received}, '>=', $p->{packets} / 2,
               'transport-wide feedback of what came');
        cmp_ok($p->{twcc_lost}, '>', 0, 'and of what did not');
    };
}

ok($t->no_sessions, 'no session is left');
$t->done;
