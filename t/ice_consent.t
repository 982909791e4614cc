#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Consent of sessions with full ICE (RFC 7675): a client that answers nothing
# for 13 seconds goes on watching afterwards; one that does so for more than 30
# is sent nothing any more.  One that answers is watching still, also through a
# TURN server, which our requests have to pass.  Clients are aiortc's, stopped by a signal.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(asan => 1);

my $turn = $t->turn;
my $port = $t->port('turn');

$t->start(http => 'webrtc_wait 30s; webrtc_timeout 60s;', server => <<"EOF2");
location ~ ^/whep/(?<name>short|long|calm)\$ {
    webrtc_ice   full;
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location = /whep/udp {
    webrtc_ice         relay;
    webrtc_ice_allow   loopback;
    webrtc_ice_server  turn:127.0.0.1:$port username=u credential=p;
    webrtc_play        bars;
    webrtc_pull        file:%%MEDIA%%/bars.ts loop;
}
location = /whep/tcp {
    webrtc_ice         relay;
    webrtc_ice_allow   loopback;
    webrtc_ice_server  turn:127.0.0.1:$port?transport=tcp username=u
                       credential=p;
    webrtc_play        bars;
    webrtc_pull        file:%%MEDIA%%/bars.ts loop;
}
EOF2

sub viewer {
    my ($name) = @_;

    return $t->python('whep.py', $t->url("/whep/$name"),
                      JSON::PP::encode_json({
                          until => $t->dir . "/$name.end",
                          progress => $t->dir . "/$name.frames" }));
}


sub frames {
    my ($name) = @_;

    return slurp($t->dir . "/$name.frames") || 0;
}


my @calm = ('calm', $turn ? qw/ udp tcp / : ());
my %p = map { $_ => viewer($_) } qw/ short long /, @calm;

for my $name (sort keys %p) {
    ok(wait_for(45, sub { frames($name) > 25 }), "$name: plays");
}

kill STOP => map { $p{$_}{pid} } qw/ short long /;

my $since = time();

# 13 s is more than what libnice's own consent lasts

wait_for(30, sub { time() - $since >= 13 });

kill CONT => $p{short}{pid};

# more than it may have received before consent was lost: 10 s, 25 a second

my $before = frames('short');

ok(wait_for(60, sub { frames('short') > $before + 350 }),
   'short: plays on after 13 s');

open my $fh, '>', $t->dir . '/short.end' or die;
close $fh;

is($t->python_result($p{short})->{delete}, 200, 'short: DELETE');

ok(wait_for(60, sub { $t->log =~ /webrtc session consent lost/ }),
   'long: consent is lost');
ok(wait_for(20, sub { $t->status->{sessions} == @calm }),
   'long: the session ends');

for my $name (@calm) {
    my $seen = frames($name);
    ok(wait_for(20, sub { frames($name) > $seen + 50 }), "$name: plays still");

    open $fh, '>', $t->dir . "/$name.end" or die;
    close $fh;
    is($t->python_result($p{$name})->{delete}, 200, "$name: DELETE");
}

like($t->log, qr/nice sends by channel:4/, 'udp: past libnice') if $turn;

kill CONT => $p{long}{pid};
$t->kill($p{long}, 'TERM');

$t->done;
