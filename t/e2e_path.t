#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The network is another one under way, as when a phone leaves its Wi-Fi: nothing
# passes between the old addresses any more.  The player and the publisher of docs/demo,
# side by side in Chromium, find another path for the session that they have,
# without a new POST and without asking twice.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Demo;

my $t = NgxWebRTC->new(workers => 2, asan => 1);
my $relay = $t->relay(to => $t->port('udp'));

my $demo = NgxWebRTC::Demo->new($t, server => <<'EOF',
location = /whep/bars {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location = /whep/full {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    webrtc_ice   full;
}
location ~ ^/whep/(?<name>mine|still)$ { webrtc_play     $name; }
location ~ ^/whip/(?<name>mine|still)$ { webrtc_publish  $name;
                                          webrtc_linger   300s; }
EOF
    http => " webrtc_wait 10s; webrtc_candidate 127.0.0.1:$relay->{port};");

$demo->start;

sub on_page { return $demo->eval(@_) }

# in a page of its own, past the relay: a source that will be quiet

my $page = $demo->open('/page');
my ($port, $to) = ($relay->{port}, $t->port('udp'));

on_page(<<"EOF");
(async () => {
    const real = window.fetch;

    window.fetch = async (...args) => {
        const r = await real(...args);
        const body = await r.clone().text();

        r.text = async () => body.replaceAll(' $port typ', ' $to typ');
        return r;
    };

    const { WhepPlayer } = await import('/whep.js');
    const { WhipPublisher } = await import('/whip.js');

    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);

    const canvas = document.createElement('canvas');
    const g = canvas.getContext('2d');
    let n = 0;
    setInterval(() => { g.fillStyle = '#' + String(n++ % 900 + 100);
                        g.fillRect(0, 0, 300, 150); }, 100);

    window.causes = [];
    window.publisher = new WhipPublisher('/whip/still');
    window.player = new WhepPlayer('/whep/still', video);

    for (const one of [publisher, player]) {
        one.addEventListener('restart', (e) => causes.push(e.detail));
    }

    player.addEventListener('stats', (e) => { player.now = e.detail; });
    publisher.start(canvas.captureStream(10), { codec: 'VP8' });
    player.start();
})().then(() => true)
EOF

ok(on_page('player.now?.frames > 5 || null'), 'a stream plays');
on_page(<<'EOF');
publisher.pc.getSenders()[0].replaceTrack(null).then(() => {
    window.since = performance.now();
    return true;
})
EOF

$demo->open('/page');

# requests are counted by method and path, "twice" counts those that begin
# before another PATCH of the session is answered; "answers" are given by us.  While
# it is "deaf" nobody hears the browser say "disconnected"; a page that seems to be
# hidden does not look for itself

on_page(<<'EOF');
window.calls = {}, window.under = {}, window.twice = 0, window.answers = [],
(async () => {
    const real = window.fetch;

    window.fetch = async (url, o = {}) => {
        const u = new URL(url, location.href);
        const what = (o.method || 'GET') + ' ' + u.pathname;

        calls[what] = (calls[what] || 0) + 1;

        if (o.method != 'PATCH') {
            return real(url, o);
        }

        if (under[u.href]) {
            twice++;
        }

        under[u.href] = (under[u.href] || 0) + 1;

        try {
            const status = answers.shift();

            return status ? new Response(null, { status })
                          : await real(url, o);
        } finally {
            under[u.href]--;
        }
    };

    const proto = RTCPeerConnection.prototype;
    const on = Object.getOwnPropertyDescriptor(proto,
                                               'onconnectionstatechange');

    Object.defineProperty(proto, 'onconnectionstatechange', {
        set(f) {
            on.set.call(this, () => window.deaf
                        && this.connectionState == 'disconnected' || f());
        },
    });

    window.hidden = true;
    Object.defineProperty(document, 'visibilityState', {
        get: () => window.hidden ? 'hidden' : 'visible' });

    const { WhepPlayer } = await import('/whep.js');
    const { WhipPublisher } = await import('/whip.js');

    const watch = (player, name) => {
        window[name] = player;
        player.causes = [];
        player.addEventListener('restart', (e) => {
            player.causes.push(e.detail);
            player.restarted = performance.now();
        });
        player.addEventListener('stats', (e) => { player.now = e.detail; });
        player.states = [];
        player.addEventListener('state',
                                () => player.states.push(player.state));
        return player;
    };

    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    watch(new WhepPlayer('/whep/bars', video), 'player').start();

    const canvas = document.createElement('canvas');
    const g = canvas.getContext('2d');
    let n = 0;
    setInterval(() => { g.fillStyle = '#' + String(n++ % 900 + 100);
                        g.fillRect(0, 0, 300, 150); }, 100);

    watch(new WhipPublisher('/whip/mine'), 'publisher')
        .start(canvas.captureStream(10), { codec: 'VP8' });
})().then(() => true)
EOF

sub frames {
    on_page("player.now?.frames > $_[0] && player.now.frames || null");
}

sub calls { on_page("calls['$_[0]'] || 0") }

ok(frames(20), 'the player plays');
ok(on_page("publisher.state == 'live' || null"), 'the publisher is live');
ok(wait_for(30, sub { ($t->stream('mine') || {})->{state} eq 'active' }),
   'the server has its stream');

# that it has been published again would show

sub packets { ($t->stream('mine') || {})->{packets} || 0 }

sub goes_on {
    my ($what) = @_;

    my $frames = on_page('player.now.frames');
    my $packets = packets();

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    ok(frames($frames + 25), "$what: frames are decoded");
    ok(on_page("player.state == 'playing' || null"), "$what: it says so");
    ok(wait_for(30, sub { packets() > $packets + 20 }),
       "$what: packets of the publisher arrive");
    ok(on_page("publisher.state == 'live' || null"), "$what: it is live");
    is(calls('POST /whep/bars'), 1, "$what: the player's session is the same");
    is(calls('POST /whip/mine'), 1, "$what: the publisher's, too");
}

ok($relay->cut, 'the network is gone');
ok(on_page("player.states.includes('stalled')"
           . " && publisher.states.includes('stalled') || null"), 'both see it');
goes_on('after "disconnected"');
cmp_ok(calls('PATCH /whep/bars'), '>=', 1, 'by a restart of the player');
cmp_ok(calls('PATCH /whip/mine'), '>=', 1, 'and one of the publisher');
is(calls('DELETE /whep/bars'), 0, 'nothing was deleted');

for my $name (qw/ player publisher /) {
    is(on_page("$name.causes[0]"), 'disconnected',
       "$name: a hidden page relies on the browser");
}

# the clients see it themselves

my %causes = map { $_ => on_page("$_.causes.length") } qw/ player publisher /;

on_page('window.hidden = false, window.deaf = true');
ok($relay->cut, 'gone, and the browser says nothing');
on_page('window.gone = performance.now()');

for my $name (sort keys %causes) {
    is(on_page("$name.causes[$causes{$name}] || null"), 'silence',
       "$name: nothing arrives");
}

goes_on('after silence');
diag('silence was told after '
     . join ' and ', map { sprintf '%.1f s', on_page("$_.restarted - gone") / 1000 }
                     sort keys %causes);
on_page('window.deaf = false, true');

# told by the browser, three times over, the network is there again at once

my %before = map { $_ => calls("PATCH $_") } qw{ /whep/bars /whip/mine };

ok($relay->cut, 'gone again');
on_page(<<'EOF');
for (let i = 0; i < 3; i++) {
    dispatchEvent(new Event('online'));
    navigator.connection.dispatchEvent(new Event('change'));
} true
EOF
goes_on('after "online"');

for my $url (sort keys %before) {
    my $n = calls("PATCH $url") - $before{$url};
    ok($n == 1 || $n == 2, "$url: one restart, or two on a slow machine: $n");
}

# the browser's opinion of its network changes, and so has the network

ok($relay->cut, 'and again');
on_page("navigator.connection.dispatchEvent(new Event('change')), true");
goes_on('after "change"');

# a restart that fails is tried again

ok($relay->cut, 'once more');
on_page("answers.push(503, 503), dispatchEvent(new Event('online')), true");
goes_on('after a failure');

is(on_page('twice'), 0, 'one restart at a time');

# a session that the server does not know: a new one at once

on_page("answers.push(404, 404), dispatchEvent(new Event('online')), true");
ok(on_page("calls['POST /whep/bars'] == 2 || null"), 'unknown: a new POST');
ok(on_page("player.state == 'playing' && player.now.frames > 10 || null"),
   'it plays');
is(calls('DELETE /whep/bars'), 1, 'the old session is ended');
ok(on_page("publisher.state == 'live' || null"), 'so does the publisher');

# an element that has played shows its last picture: that is not "playing"

kill STOP => $relay->{proc}{pid};
on_page(<<'EOF');
(async () => {
    const { WhepPlayer } = await import('/whep.js');

    player.stop();

    const next = window.next = new WhepPlayer('/whep/bars', player.video);

    next.states = [];
    next.addEventListener('state', () => next.states.push(next.state));
    next.start();
})().then(() => true)
EOF
ok(on_page("next.pc?.remoteDescription ? true : null"), 'a dead path: answered');
on_page('new Promise((resolve) => setTimeout(() => resolve(true), 2000))');
is(on_page("next.states.join(' ')"), 'connecting', 'not said to play');
kill CONT => $relay->{proc}{pid};
ok(on_page("next.state == 'playing' || null"), 'until it does');
on_page('next.stop(), true');

# a server that checks itself is told of our new candidates, too

on_page(<<'EOF');
(async () => {
    const { WhepPlayer } = await import('/whep.js');
    const video = document.createElement('video');

    video.muted = true;
    document.body.append(video);

    const full = window.full = new WhepPlayer('/whep/full', video);
    full.addEventListener('stats', (e) => { full.now = e.detail; });
    full.start();
})().then(() => true)
EOF

ok(on_page('full.now?.frames > 10 || null'), 'webrtc_ice full: it plays');
my $patches = calls('PATCH /whep/full');
on_page("full.from = full.now.frames, dispatchEvent(new Event('online')), true");
ok(on_page("calls['PATCH /whep/full'] > $patches + 1 || null"),
   'a restart and its candidates');
ok(on_page('full.restarts.busy ? null : true'), 'which ends');
ok(on_page('full.now.frames > full.from + 75 || null'), 'it goes on');
is(calls('POST /whep/full'), 1, 'in the same session');

on_page('player.stop(), publisher.stop(), full.stop(), true');

# all the while

$demo->{page} = $page;
ok(on_page("performance.now() - since > 10000 && player.reason?.code || null"),
   'a source is quiet for ten seconds');
is(on_page('player.reason.code'), 'quiet', 'which is told');
is(on_page("publisher.state + ' ' + causes.join()"), 'live ',
   'nobody looks for another path');
on_page(<<'EOF');
publisher.pc.getSenders()[0].replaceTrack(publisher.stream.getTracks()[0])
    .then(() => { window.from = player.now.frames; return true; })
EOF
ok(on_page("player.now.frames > from + 10 || null"), 'it goes on');
on_page('player.stop(), publisher.stop(), true');
ok($t->no_sessions, 'no session is left');
$relay->stop;

$t->done;
