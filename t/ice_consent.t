#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Consent of sessions with full ICE (RFC 7675): a client that answers nothing
# for 13 seconds goes on watching afterwards; one that does so for more than 30
# is sent nothing any more.  Clients are aiortc's, stopped by a signal.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(asan => 1);

$t->start(http => 'webrtc_wait 30s; webrtc_timeout 60s;', server => <<'EOF2');
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_ice   full;
    webrtc_play  $name;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
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


my %p = map { $_ => viewer($_) } qw/ short long /;

for my $name (sort keys %p) {
    ok(wait_for(45, sub { frames($name) > 25 }), "$name: plays");
    kill STOP => $p{$name}{pid};
}

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
ok($t->no_sessions(10), 'long: the session ends');

kill CONT => $p{long}{pid};
$t->kill($p{long}, 'TERM');

$t->done;
