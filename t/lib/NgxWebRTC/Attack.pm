package NgxWebRTC::Attack;

# Copyright (C) the ngx_http_webrtc_module authors
#
# What tests of t/attack with t/lib/hostile.py have in common.
#
#     my $t = attack_server();               two workers, with sanitizers
#     my $r = attack($t, 'replay');          what hostile.py says
#     attack_done($t);                       workers live, no session is left

use strict;
use warnings;

use Exporter qw/ import /;
use JSON::PP ();
use NgxWebRTC;
use Test::More;

our @EXPORT = qw/ attack_server attack attack_done /;

sub attack_server {
    my (%o) = @_;

    my $t = NgxWebRTC->new(workers => 2, asan => 1);

    $t->start(http => <<'HTTP' . ($o{http} || ''), server => <<'SERVER');
webrtc_wait               30s;
webrtc_handshake_timeout  60s;
webrtc_timeout            60s;
HTTP
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/$name.ts loop;
}
location ~ ^/short/(?<name>\w+)$ {
    webrtc_play               $name;
    webrtc_pull               file:%%MEDIA%%/$name.ts loop;
    webrtc_handshake_timeout  2s;
}
location ~ ^/whip/(?<name>[\w-]+)$ { webrtc_publish $name; }
location ~ ^/live/(?<name>[\w-]+)$ { webrtc_play    $name; }
SERVER

    $t->{attacked} = join ' ', sort $t->workers;

    return $t;
}

sub attack {
    my ($t, $name, %o) = @_;

    my $r = $t->python_json('hostile.py', $name, JSON::PP::encode_json({
        whep => $t->url('/whep/bars'), short => $t->url('/short/bars'),
        whip => $t->url('/whip/'), live => $t->url('/live/'),
        status => $t->url('/streams'), %o }));

    ok(!$r->{error}, "$name is carried out") or diag($r->{error});
    note(explain($r));

    return $r;
}

sub attack_done {
    my ($t) = @_;

    is(join(' ', sort $t->workers), $t->{attacked}, 'all workers live');
    ok($t->no_sessions, 'no session is left');

    $t->done;
}

1;
