#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium where UDP goes nowhere: it plays, publishes and reads a file over TCP
# (ICE-TCP).  And with both, where it uses UDP.

use strict;
use warnings;

use Digest::SHA;
use IO::Socket::INET;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

# a socket that nobody reads takes what is sent to the candidate over UDP

my $hole = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1');
my $port = $hole->sockport;

$t->write_file('data', join '', map { chr int rand 256 } 1 .. 500_000);

my %server = (server => <<'EOF');
location / {
    root  %%ROOT%%/docs/demo;
}
location = /whip { webrtc_publish x; }
location = /whep { webrtc_play x; }
location = /data {
    root         %%DIR%%;
    webrtc_file  on;
}
EOF

$t->start(%server, http => "webrtc_wait 30s; types { text/html html;"
    . " text/javascript js; } webrtc_candidate 127.0.0.1:$port/udp"
    . ' 127.0.0.1:%%PORT_udp%%/tcp;');

my $pub = $t->browser->publish($t->url('/whip'), codec => 'VP8');

like($pub->{answer}, qr/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 $port typ host/m,
     'the answer has a candidate that is of no use');

my $p = $t->browser->play($t->url('/whep'));

is($p->{status}, 201, 'WHEP') or diag($p->{answer});

my $s = $p->wait(50);

ok(!$s->{error}, 'frames are decoded');
is($s->{protocol}, 'tcp', 'over TCP');
ok(!$p->until(sub { ($_[0]{audioEnergy} || 0) > 0.01 })->{error}, 'and sound');
is($pub->sent->{protocol}, 'tcp', 'published over TCP');

my $r = json($t->http('GET', '/streams?sessions')->{content}) || {};

is(join(' ', sort map { "$_->{role} $_->{ice_pair}" } @{ $r->{session_list} }),
   'play tcp publish tcp', 'as the status has it');

# a file, byte for byte

my $page = $t->browser->page($t->url('/file.html'));

my $script = <<'EOF';
window.got ||= (async () => {
    const { RangeClient } = await import('/range-client.js');
    const client = new RangeClient('/data');
    const file = await client.open();
    const bytes = await client.read(0, file.size);
    const sum = await crypto.subtle.digest('SHA-1', bytes);
    let protocol = '';
    const stats = await client.link.pc.getStats();

    stats.forEach((s) => {
        if (s.type == 'transport') {
            const pair = stats.get(s.selectedCandidatePairId);
            protocol = stats.get(pair.localCandidateId).protocol;
        }
    });

    window.sum = protocol + ' ' + [...new Uint8Array(sum)].map(
        (b) => b.toString(16).padStart(2, '0')).join('');
})().catch((e) => { window.sum = String(e) }), window.sum || null
EOF

is($t->browser->call('eval', page => $page->{page}, script => $script,
                     timeout => 60)->{value},
   'tcp ' . Digest::SHA->new(1)->addfile($t->dir . '/data')->hexdigest,
   'a file over TCP');

# UDP is preferred where it works

$t->reload(%server, http => 'webrtc_wait 30s;');

my $both = $t->browser->play($t->url('/whep'));

is($both->{status}, 201, 'both are offered') or diag($both->{answer});
$s = $both->wait(50);
is($s->{protocol}, 'udp', 'it plays over UDP');

my $frames = $p->stats->{framesDecoded};

ok(!$p->until(sub { $_[0]{framesDecoded} > $frames + 25 })->{error},
   'the one over TCP goes on after the reload');

$_->stop for $p, $both, $pub;
$t->browser->call('close', page => $page->{page});

ok($t->no_sessions(60), 'no session is left');
$t->done;
