#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A Chromium watches a stream of one quality that its path does not carry: it
# gets what key frames the path has room for, and is told; and all of it again
# when there is room.  One on a path that loses packets, and is wide, gets all.

use strict;
use warnings;

use HTTP::Tiny;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whep/noise {
    webrtc_play  noise;
    webrtc_pull  file:%%MEDIA%%/noise.ts loop;
}
EOF

# what the status says of the viewer

sub session {
    my ($s) = grep { $_->{role} eq 'play' }
                   @{ json($t->http('GET', '/streams?sessions')->{content})
                      ->{session_list} };

    return $s || {};
}

# the events of the session, until one of them matches

sub event {
    my ($p, $re, $what) = @_;

    my $got = '';
    my $end = time + 60;

    HTTP::Tiny->new(timeout => 60)->get($t->url("$p->{location}&events"), {
        data_callback => sub {
            $got .= $_[0];
            die "enough\n" if $got =~ $re || time > $end;
        },
    });

    like($got, $re, $what);
}

# 500 kbit/s of 2.5, with a key frame of 33 kB or more each second

my $relay = $t->relay(to => $t->port('udp'));
my $p = $t->browser->play($t->url('/whep/noise'), port => $relay->{port});

is($p->{status}, 201, 'POST') or BAIL_OUT($p->{answer});
ok(!$p->wait(25)->{error}, 'the stream');

my $log = 'viewer path is narrow';

unlike($t->log, qr/$log/, 'nobody estimates a path that carries it');
is(session()->{bandwidth}, 0, 'so nothing is known of it');

$relay->shape(rate => 500, queue => 300);

event($p, qr/"current":"original","automatic":true,"limited":"key\ frames"/x,
      'too narrow: it is told that it gets key frames');
ok(wait_for(60, sub { my $s = session();
                      $s->{limited} eq 'key frames' && $s->{bandwidth} > 0 }),
   'so is the status, with what the path carries');

my $from = $p->stats;

ok(!$p->until(sub { $_[0]{framesDecoded} >= $from->{framesDecoded} + 5 })
      ->{error}, 'pictures come');

note(join ', ', map { "$_ " . ($p->stats->{$_} // '-') }
     qw/ framesDecoded maxGapMs plis nacks videoLost /);

$relay->shape(rate => 20000);

event($p, qr/"limited":""/, 'room again: it is told that it gets all');
ok(wait_for(60, sub { session()->{limited} eq '' }), 'so is the status');

$from = $p->stats;

ok(!$p->until(sub { $_[0]{framesDecoded} >= $from->{framesDecoded} + 250 })
      ->{error}, 'all pictures come');
ok(wait_for(60, sub { session()->{limited} eq '' }), 'and go on to');

is($p->stop->{status}, 200, 'DELETE');
ok($t->no_sessions, 'it is gone');

# loss alone, of 10 %, and a long way

$relay->shape(rate => 20000, loss => 10, delay => 50);

$p = $t->browser->play($t->url('/whep/noise'), port => $relay->{port});

ok(!$p->wait(250)->{error}, 'a path that loses packets: all pictures come');
ok(wait_for(60, sub { session()->{limited} eq '' }),
   'it is not taken for a narrow one');

is($p->stop->{status}, 200, 'DELETE');

$relay->stop;
ok($t->no_sessions, 'no session is left');

$t->done;
