#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The DTLS certificate: made at start and kept over a reload, or the
# configured one, ECDSA and RSA.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my %server = (server => <<'EOF');
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
EOF

sub fingerprint {
    my ($t) = @_;

    my $r = $t->post_offer('/whep/bars', offer());
    my ($print) = ($r->{content} // '')
                  =~ /^a=fingerprint:sha-256 ([0-9A-F:]{95})\r$/m;
    return $print;
}

subtest 'made at start' => sub {
    my $t = NgxWebRTC->new(asan => 1, workers => 2);

    $t->start(%server);

    my $print = fingerprint($t);
    ok($print, 'a fingerprint');

    my %all = map { (fingerprint($t) // '') => 1 } 1 .. 8;
    is(join(' ', keys %all), $print, 'one for all workers');

    ok($t->reload(%server), 'reload');
    is(fingerprint($t), $print, 'which is kept over a reload');

    $t->done;
};

for my $kind ('ec -pkeyopt ec_paramgen_curve:P-256', 'rsa:2048') {

    subtest $kind => sub {
        my $t = NgxWebRTC->new(asan => 1, workers => 1);
        my $dir = $t->dir;

        system("openssl req -x509 -newkey $kind -nodes -days 2 -subj /CN=x "
               . "-keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null") == 0
            or do { fail('openssl req'); $t->done; return };

        my ($want) = `openssl x509 -in $dir/cert.pem -noout -fingerprint \\
                      -sha256` =~ /=([0-9A-F:]+)/;

        $t->start(%server, http => <<'EOF');
webrtc_certificate      %%DIR%%/cert.pem;
webrtc_certificate_key  %%DIR%%/key.pem;
EOF

        is(fingerprint($t), $want, 'its fingerprint is in the answer');

        my $p = $t->browser->play($t->url('/whep/bars'));
        cmp_ok($p->wait(10)->{framesDecoded} // 0, '>=', 10,
               'Chromium takes it');
        is($p->stop->{status}, 200, 'DELETE');

        $t->done;
    };
}

subtest 'a key of another certificate' => sub {
    my $t = NgxWebRTC->new(asan => 1);
    my $dir = $t->dir;

    for my $n (1, 2) {
        system("openssl req -x509 -newkey ec -pkeyopt "
               . "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x "
               . "-keyout $dir/key$n.pem -out $dir/cert$n.pem 2>/dev/null");
    }

    my ($ok, $said) = $t->test_config(%server, http => <<'EOF');
webrtc_certificate      %%DIR%%/cert1.pem;
webrtc_certificate_key  %%DIR%%/key2.pem;
EOF

    ok(!$ok, 'is refused');
    like($said, qr/\[emerg\].*(?:cert|key)/, 'and said');

    $t->done;
};

done_testing();
