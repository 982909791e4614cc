#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Sessions that are answered and never send a check, as where UDP is blocked: they
# are counted, and after some in a row a line says what clients were told.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;
use NgxWebRTC::Bench;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_transcode off;
webrtc_wait               60s;
webrtc_candidate          192.0.2.7 192.0.2.8:9;
webrtc_handshake_timeout  300ms;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location ~ ^/patient/(?<name>\w+)$ {
    webrtc_play               $name;
    webrtc_pull               file:%%MEDIA%%/bars.ts loop;
    webrtc_handshake_timeout  60s;
}
location ~ ^/counter/(?<name>\w+)$ {
    webrtc_play           $name;
    webrtc_counter_offer  on;
}
EOF

my $udp = $t->port('udp');
my $line = qr/\[error\] .*: webrtc 3 sessions in a row .*192\.0\.2\.7:$udp, 192\.0\.2\.8:9$/m;

is(post('/whep/bars')->{status}, 201, 'one');
ok(counted(1), 'is counted');

like($t->log, qr/\[warn\] .*never connected: .*session:\w{12}, stream:"bars"/,
     'and warned of');

is(post('/counter/bars', video => ['AV1'], audio => [])->{status}, 406,
   'a counter-offer that is not taken');

is(post('/whep/bars')->{status}, 201, 'another one');
ok(counted(2), 'is counted, the counter-offer is not');

unlike($t->log, $line, 'two may be chance');

subtest 'a session that tells' => sub {
    my $r = post('/patient/other');
    my $url = $r->{headers}{location};

    is($t->http('GET', $url)->{status}, 204, 'GET');

    my $s = show($url);

    is($s->{state}, 'answered', 'no check has come');
    is($s->{role}, 'play', 'role');
    like($s->{id}, qr/^[0-9a-f]{12}$/, 'public id');
    cmp_ok($s->{age_ms}, '>=', 0, 'age');

    is($t->http('DELETE', $url)->{status}, 200, 'it leaves at once');
};

is($t->status->{never_connected}, 2, 'which does not count');

is(post('/whep/other')->{status}, 201, 'a third one');
ok(counted(3), 'is counted');
like($t->log, $line, 'three in a row: what clients were told');

is(stream('bars'), 2, 'of one stream');
is(stream('other'), 1, 'of another');

my @lines = $t->log =~ /\[(?:warn|error)\].*never connected/g;

is(scalar @lines, 1, 'one line of the cause');

ok($t->no_sessions, 'no session is left');
$t->done;


sub post {
    my ($path, @offer) = @_;

    return $t->post_offer($path, offer(@offer));
}


sub counted {
    my ($n) = @_;

    return wait_for(30, sub {
        ($t->status->{never_connected} // 0) >= $n
    }) && $t->status->{never_connected} == $n;
}


sub stream { return ($t->stream($_[0]) || {})->{never_connected} }


sub show {
    my ($url) = @_;

    return json($t->http('GET', $url,
        headers => { Accept => 'application/json' })->{content}) || {};
}
