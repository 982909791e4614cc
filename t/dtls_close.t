#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The end of a session by DTLS' close_notify, when OpenSSL's part of it has long
# been freed: of a viewer and a publisher, in both DTLS roles, and of Chromium.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(asan => 1, workers => 1);

$t->{log_level} = 'debug';

$t->start(http => <<'EOF', server => <<'EOF');
webrtc_wait     10s;
webrtc_timeout  120s;
EOF
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
EOF

my $closed = 0;

sub settled {
    my $n = () = $t->log =~ /webrtc session dtls settled rc:0/g;

    return $n;
}

sub ends {
    my ($what) = @_;

    $closed++;

    # the timeout is far away: nothing else than the alert can end it

    ok(wait_for(60, sub {
        my $n = () = $t->log =~ /webrtc session closed: closed by peer/g;
        $n >= $closed;
    }), "$what: its close_notify is read");

    is(settled(), $closed, "$what: which OpenSSL was not needed for");
}

for my $setup (undef, 'passive') {
    my @setup = $setup ? (setup => $setup) : ();
    my $role = $setup ? 'DTLS server' : 'DTLS client';

    my $r = $t->aiortc($t->url('/whep/bars'), seconds => 4, keep => 1, @setup);

    is($r->{status}, 201, "viewer, $role") or diag(explain($r));
    cmp_ok($r->{frames}, '>', 0, "viewer, $role: plays");
    ends("viewer, $role");

    $r = $t->aiortc($t->url('/whip/pub'), seconds => 4, keep => 1, publish => 1,
                    @setup);

    is($r->{status}, 201, "publisher, $role") or diag(explain($r));
    ends("publisher, $role");
}

my $p = $t->browser->play($t->url('/whep/bars'));

is($p->{status}, 201, 'Chromium');
cmp_ok($p->wait(75)->{framesDecoded} // 0, '>=', 75, 'Chromium: plays');
ok(wait_for(60, sub { settled() > $closed }),
   'Chromium: has sent its first report');
$p->leave;
ends('Chromium');

ok($t->no_sessions, 'no session is left');
$t->done;
