#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A Chromium behind a path that becomes too narrow for the stream: it gets a
# rendition of it, and the stream again when there is room, in the session that
# it has.  Nobody encodes the rendition before it is needed, nor afterwards.

use strict;
use warnings;

use HTTP::Tiny;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

$t->start(http => 'webrtc_wait 30s;', server => <<'EOF');
location = /whep/noise {
    webrtc_play       noise;
    webrtc_pull       file:%%MEDIA%%/noise.ts loop;
    webrtc_transcode  auto hw=none;
    webrtc_rendition  low 180 300k fps=15;
}
EOF

sub variants { return @{ ($t->stream('noise') || {})->{variants} || [] } }

my $relay = $t->relay(to => $t->port('udp'));
my $p = $t->browser->play($t->url('/whep/noise'), port => $relay->{port});

is($p->{status}, 201, 'POST') or BAIL_OUT($p->{answer});

like($p->{answer}, qr/^a=extmap:\d+ \S*transport-wide-cc\S*\r$/m,
     'it is asked to report of its bandwidth');

sub height {
    my ($height, $what) = @_;

    my $s = $p->until(sub { ($_[0]{height} || 0) == $height });

    ok(!$s->{error}, $what);

    $s = $p->wait(25);
    ok(!$s->{error}, "$what: frames are decoded");

    note(join ', ', map { "$_ " . ($s->{$_} // '-') }
         qw/ framesDecoded freezeCount freezeSeconds maxGapMs plis nacks
             videoLost /);
}

height(360, 'the stream');

# a path that is a few times too narrow

$relay->shape(rate => 800, queue => 800);
height(180, 'too narrow: the rendition');

my ($low) = variants();

is($low->{label}, 'low', 'which is encoded now');
is($low->{viewers}, 1, 'for its viewer');

$relay->shape(rate => 20000);
height(360, 'room again: the stream');

# its own choice

my ($url) = ($p->{link} // '')
            =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;

ok($url, 'it may choose') or diag($p->{link});

sub choose {
    my ($body, $type) = @_;

    return $t->http('POST', $url, body => $body,
                    headers => { 'Content-Type' => $type // 'application/json' });
}

# the events of the session, until one of them matches

sub event {
    my ($re, $what) = @_;

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

my %wrong = ('{"encodingId":"best"}' => 404, '{"mediaId":"video"}' => 404,
             '{"encodingId":1}' => 400, '[' => 400);

for my $body (sort keys %wrong) {
    my $r = choose($body);

    is($r->{status}, $wrong{$body}, "$body: refused");
    like($r->{headers}{'content-type'}, qr/problem\+json/, 'with a problem');
}

is(choose('{}', 'text/plain')->{status}, 415, 'not JSON');
is($t->http('GET', $url)->{status}, 405, 'GET');
event(qr/^event:\ layers\n.*\ndata:\ .*"encodingId":"low".*"height":180.*
         "current":"original","automatic":true,"limited":""\}$/mx,
      'it is told of the layers');

is(choose('{"encodingId":"low"}')->{status}, 200, 'a layer');
height(180, 'which it gets');
event(qr/"current":"low","automatic":false/, 'and is told');

is(choose('{}')->{status}, 200, 'what the path carries');
height(360, 'which is the stream');

my @went = $t->log =~ /viewer switched layer:"(\w+)"/g;

is($went[0], 'low', 'down');
is($went[-1], 'original', 'and up');

is($p->stop->{status}, 200, 'DELETE');
$relay->stop;

ok(wait_for(60, sub { !variants() }), 'nobody watches the rendition any more');
ok($t->no_sessions, 'no session is left');

$t->done;
