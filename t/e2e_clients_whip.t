#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# aiortc publishes and Chromium watches; aiortc as DTLS server ("setup:passive",
# as FFmpeg offers it), so that the module is the client, in both directions.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

plan skip_all => 'python3-aiortc is not installed'
    if system('/usr/bin/python3 -c "import aiortc" 2>/dev/null') != 0;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF

subtest 'a viewer that is the DTLS server' => sub {
    my $r = $t->aiortc($t->url('/whep/bars'), frames => 40,
                       codec => 'H264', setup => 'passive');

    is($r->{status}, 201, 'POST') or diag(explain($r));
    like($r->{answer}, qr/a=setup:active/, 'our side is the client');
    is($r->{dtls}, 'server', 'theirs the server');
    cmp_ok($r->{frames}, '>=', 40, 'frames');
    is($r->{delete}, 200, 'DELETE');
};

for my $setup (undef, 'passive') {

    subtest 'a publisher, setup:' . ($setup // 'actpass') => sub {
        my $seen = $t->dir . '/seen.' . ($setup // '');
        my $pid = fork() // die;

        if ($pid == 0) {
            my $r = $t->aiortc($t->url('/whip/py'), until => $seen,
                               codec => 'VP8', publish => 1,
                               $setup ? (setup => $setup) : ());
            require POSIX;
            POSIX::_exit($r->{status} == 201 && $r->{delete} == 200 ? 0 : 1);
        }

        my $p = $t->browser->play($t->url('/whep/py'));
        my $s = $p->wait(30);

        ok(!$s->{error}, 'Chromium decodes it') or diag($s->{error});
        is($s->{codec}, 'VP8', 'VP8');
        ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.001 })->{error},
           'with sound');

        open my $fh, '>', $seen or die;
        close $fh;

        $p->stop;
        waitpid($pid, 0);
        is($? >> 8, 0, 'published and deleted');
    };
}

ok(wait_for(60, sub { $t->no_sessions }), 'no session is left');
$t->done;
