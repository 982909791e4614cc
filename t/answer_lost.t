#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Answers that never reach their client: nobody knows of those sessions, so none
# is left, whatever its role and whoever sees to its ICE.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1);
my $log = $t->dir . '/shim.log';

$t->{env} = { LD_PRELOAD => $t->sendshim, SENDSHIM => 'CREATED',
              SENDSHIM_LOG => $log };

$t->write_file('file.bin', 'x' x 1000);

$t->start(http => 'webrtc_handshake_timeout 1h;', server => <<'EOF');
location ~ ^/whep/(?<ice>\w+)$ {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /full/whep {
    webrtc_play  bars;
    webrtc_ice   full;
}
location /whip {
    webrtc_publish  mine;
}
location /full/whip {
    webrtc_publish  other;
    webrtc_ice      full;
}
location /files {
    alias        %%DIR%%;
    webrtc_file  on;
}
location /full/files {
    alias        %%DIR%%;
    webrtc_file  on;
    webrtc_ice   full;
}
EOF

my $sdp = 'application/sdp';
my $json = 'application/json';
my $send = offer(direction => 'sendonly');
my $data = offer(video => [], audio => [], application => 1);
my $signal = JSON::PP::encode_json({ type => 'offer', payload =>
    JSON::PP::encode_json({ type => 'offer', sdp => $data }) });

my @cases = (
    [ '/whep/bars',                  $sdp,  offer() ],
    [ '/full/whep',                  $sdp,  offer() ],
    [ '/whip',                       $sdp,  $send ],
    [ '/full/whip',                  $sdp,  $send ],
    [ '/files/file.bin',             $sdp,  $data ],
    [ '/full/files/file.bin',        $sdp,  $data ],
    [ '/files/file.bin?signal',      $json, $signal ],
    [ '/full/files/file.bin?signal', $json, $signal ],
);

for my $case (@cases) {
    my ($path, $type, $body) = @$case;

    my $r = $t->http('POST', $path, body => $body,
                     headers => { 'Content-Type' => $type });

    is($r->{status}, 599, "POST $path: no answer") or diag($r->{content});
    ok($t->no_sessions(20), 'no session');
}

is(() = NgxWebRTC::slurp($log) =~ /^X created$/mg, scalar @cases,
   'answers that were lost');

my $status = $t->status;

is($status->{never_connected} // 0, 0, 'nobody is said to have never connected');

$t->done;
