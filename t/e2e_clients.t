#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# aiortc: another ICE, DTLS and SRTP (AES128_CM_SHA1_80 only), over IPv4 and
# IPv6, with one worker, four, and none but the master.

use strict;
use warnings;

use Test::More;
use IO::Socket::IP;
use NgxWebRTC;

plan skip_all => 'python3-aiortc is not installed'
    if system('/usr/bin/python3 -c "import aiortc" 2>/dev/null') != 0;

my $ipv6 = IO::Socket::IP->new(LocalHost => '::1', Proto => 'udp');

for my $workers (1, 4, 0) {

    subtest "$workers workers" => sub {
        my $t = NgxWebRTC->new(workers => $workers, asan => $workers != 1);

        $t->start(udp => [ '127.0.0.1:%%PORT_udp%%',
                           $ipv6 ? '[::1]:%%PORT_udp%%' : () ],
                  http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
EOF

        for my $address ('127.0.0.1', '::1') {

            SKIP: {
                skip('no IPv6 here', 1) if $address eq '::1' && !$ipv6;

                my $r = $t->aiortc($t->url('/whep/bars'), frames => 50,
                                   address => $address, codec => 'H264');

                is($r->{status}, 201, "$address: POST")
                    or diag(explain($r));
                cmp_ok($r->{frames} // 0, '>=', 50, "$address: frames")
                    or diag($r->{error} // '');
                is($r->{ptsBackwards}, 0,
                   "$address: time does not run backwards");
                cmp_ok($r->{audioFrames} // 0, '>=', 100,
                       "$address: audio frames");
                cmp_ok($r->{audioPeak} // 0, '>', 3000,
                       "$address: which are not silent");
                colour_bars_ok($r->{colours} || [], "$address: the picture");
                is($r->{delete}, 200, "$address: DELETE");
            }
        }

        ok($t->no_sessions, 'no session is left');
        $t->done;
    };
}

done_testing();
