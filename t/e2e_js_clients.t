#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# JavaScript clients as npm has them, over their whole life in Chromium: play or
# publish, trickle, ICE restart, events, stop.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;

plan skip_all => 'the clients are not installed (make browser)'
    if !-d "$NgxWebRTC::BUILD/node_modules/whip-whep";

my $t = NgxWebRTC->new(asan => 1, workers => 2);

# whip-whep 1.2 puts a comma between candidates when ICE is restarted: one only

$t->start(udp => '127.0.0.1:%%PORT_udp%% udp', http => <<'EOF', server => <<"EOF");
types { text/html html; text/javascript js; }
webrtc_wait  8s;
EOF
location = /clients.html { root $NgxWebRTC::ROOT/t/lib; }
location /npm/ { alias $NgxWebRTC::BUILD/node_modules/; }
location ~ ^/whep/(?<name>\\w+)\$ {
    webrtc_play  \$name;
    webrtc_pull  file:%%MEDIA%%/\$name.ts loop;
}
location ~ ^/strict/(?<name>\\w+)\$ {
    webrtc_play  \$name;
    webrtc_pull  file:%%MEDIA%%/\$name.ts loop;
    webrtc_etag  strict;
}
location ~ ^/whip/(?<name>\\w+)\$ {
    webrtc_publish  \$name;
}
EOF


sub client {
    my ($name, $url) = @_;

    my $page = $t->browser->page($t->url("/clients.html#$name=$url"));
    my $r = $t->browser->call('eval', page => $page->{page},
                              script => 'window.result', timeout => 180);

    my $v = $r->{value};
    $v = json($v) if defined $v && !ref $v;
    diag(explain($r)) if !$v || $v->{error};

    return $v || {};
}


subtest 'whip-whep: WHEPClient' => sub {
    my $r = client('whep', '/whep/bars');
    ok($r->{played}, 'plays');
    ok($r->{restarted}, 'goes on after an ICE restart');
    like($t->log, qr/webrtc session ice restarted/, 'which took place');
    is($r->{events}, 1, 'its event stream is open');
    is($r->{status}, 404, 'stop() ends the session');
};

subtest 'whip-whep: WHIPClient' => sub {
    my $r = client('whip', '/whip/one');
    ok($r->{connected}, 'publishes');
    ok($r->{restarted}, 'goes on after an ICE restart');
    is($r->{status}, 404, 'stop() ends the session');
};

subtest '@eyevinn/webrtc-player' => sub {
    my $r = client('player', '/whep/bars');
    ok($r->{played}, 'plays');
};

subtest '@eyevinn/whip-web-client' => sub {
    my $r = client('ingest', '/whip/two');
    ok($r->{connected}, 'publishes');
    is($r->{status}, 404, 'destroy() ends the session');
};

ok($t->no_sessions, 'no session is left');

$t->done;
