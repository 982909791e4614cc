#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Publishers whose checks end with the handshake, as FFmpeg 8.0's, live as long as
# they send; viewers do not, as nothing may be sent without consent.  And one
# that takes feedback only where it is the first of its datagram, as FFmpeg 8.1.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Bench;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 60s; webrtc_timeout 1s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play     $name;
    webrtc_timeout  60s;
}
location ~ ^/strict/(?<name>\w+)$ {
    webrtc_play     $name;
}
location ~ ^/alone/(?<name>\w+)$ {
    webrtc_publish  $name;
    webrtc_timeout  60s;
}
EOF

my $alone = publish('/alone/alone', alone => undef, key => 0,
                    drop => 20);
my $deaf = view('/whep/alone');

subtest 'a publisher without checks' => sub {
    my $pub = publish('/whip/x', unchecked => undef);
    my $view = view('/whep/x');

    # at 30 frames a second, 5 times webrtc_timeout

    ok($view->wait(60, sub {
        ($_[0]{viewer0}{video}{stamped} // 0) >= 150
    }), 'is seen');

    is($pub->report->{publishing}, 1, 'it lives');

    my $strict = view('/strict/x', unchecked => undef);

    ok($strict->wait(60, sub { $_[0]{failed} }), 'a viewer without checks ends');
    like($t->log, qr/session closed: no connectivity checks,/, 'as is logged');

    is($view->stop->{failed}, 0, 'the one with them leaves');

    $pub->signal('STOP');

    like(wait_for(30, sub {
        $t->log =~ /(session closed: .* no media)/ && $1;
    }), qr/no media/, 'a publisher that is silent ends');

    $pub->signal('CONT');
    ok($pub->stop, 'and stops');
    $strict->stop;
};

subtest 'feedback that is alone in its datagram' => sub {
    ok($deaf->wait(60, sub {
        ($_[0]{viewer0}{video}{stamped} // 0) >= 300
    }), 'is seen');

    # the key frame is old by now

    my $late = view('/whep/alone');

    ok($late->wait(60, sub { $_[0]{playing} }), 'somebody comes later');
    ok($alone->wait(60, sub { $_[0]{plis} }), 'so that a key frame is asked for');
    $late->stop;

    my $v = $deaf->stop;
    my $p = $alone->stop;

    is($v->{failed}, 0, 'the viewer leaves');
    is($p->{failed}, 0, 'the publisher leaves');
    cmp_ok($p->{dropped}, '>=', 10, 'packets were dropped');
    cmp_ok($p->{resent}, '>=', $p->{dropped} / 2, 'and were asked for');
    cmp_ok($p->{twcc_received}, '>=', $p->{packets} / 2,
           'transport-wide feedback came');
    cmp_ok($p->{report_blocks}, '>=', 1, 'reports came');
    cmp_ok($p->{ignored}, '<=', $p->{report_blocks},
           'all was alone, but for REMB, which stands behind reports');
    cmp_ok($v->{viewer0}{video}{missing}, '<=', $p->{dropped} / 2,
           'most of what was dropped has reached the viewer');
};

ok($t->no_sessions, 'no session is left');
$t->done;


sub publish {
    my ($path, %o) = @_;

    return NgxWebRTC::Bench->publish($t, $path, bitrate => 800000, size => 600,
                                     %o);
}


sub view {
    my ($path, %o) = @_;

    return NgxWebRTC::Bench->view($t, $path, codecs => 'h264', %o);
}
