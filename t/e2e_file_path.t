#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The file client when the ground moves: its network changes, the server is
# started again in the middle of a download, the file is another one by then; a
# reader that stops while it waits.

use strict;
use warnings;

use Digest::SHA qw/ sha256_hex /;
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Demo;

my $t = NgxWebRTC->new(workers => 2);
my $relay = $t->relay(to => $t->port('udp'));

my $demo = NgxWebRTC::Demo->new($t, files => [ map { "$_.bin" } 'a' .. 'e' ],
    http => " webrtc_timeout 60s; webrtc_candidate 127.0.0.1:$relay->{port};",
    server => <<'EOF');
location /files/ {
    alias        %%DIR%%/files/;
    webrtc_file  on;
    limit_rate   500k;
}
location /slow/ {
    alias        %%DIR%%/files/;
    webrtc_file  on;
    limit_rate   10k;
}
EOF

my $data = $demo->{data};

$demo->start;

sub on_page { return $demo->eval(@_) }

$demo->open('/page');

on_page(<<'EOF');
(async () => {
    const real = window.fetch;

    window.calls = {};
    window.fetch = (url, o = {}) => {
        const what = (o.method || 'GET') + ' '
                     + new URL(url, location).pathname;

        calls[what] = (calls[what] || 0) + 1;

        /* a server that restarts no ICE */

        return what == 'PATCH /files/c.bin' ? new Response('', { status: 405 })
                                            : real(url, o);
    };

    /* what the browser says of a connection, until it is not to be believed */

    const proto = RTCPeerConnection.prototype;
    const on = Object.getOwnPropertyDescriptor(proto,
                                               'onconnectionstatechange');

    Object.defineProperty(proto, 'onconnectionstatechange', {
        set(f) {
            on.set.call(this, () => window.deaf
                        && this.connectionState == 'disconnected' || f());
        },
    });

    const { RangeClient } = await import('/range-client.js');

    window.take = async (name, options) => {
        const f = window[name] = new RangeClient('/files/' + name + '.bin',
                                                 options);
        f.states = [];
        f.causes = [];
        f.addEventListener('state', () => f.states.push(f.state));
        f.addEventListener('restart', (e) => f.causes.push(e.detail));
        await f.open();

        const all = new Uint8Array(f.size);
        f.at = 0;

        try {
            for await (const c of f.stream()) {
                all.set(c, f.at);
                f.at += c.length;
            }

            const d = await crypto.subtle.digest('SHA-256',
                                                 all.subarray(0, f.at));
            f.sum = [...new Uint8Array(d)].map((x) =>
                x.toString(16).padStart(2, '0')).join('');
        } catch (e) {
            f.sum = e.code || e.name + ': ' + e.message;
        }
    };

    window.slow = new RangeClient('/slow/a.bin');
    await slow.open();
})().then(() => true)
EOF


# a reader stops while it waits

is(on_page(<<'EOF'), 'AbortError AbortError 0', 'aborted while it waits');
(async () => {
    const stop = new AbortController();
    const chunks = slow.stream(0, 0, { signal: stop.signal });

    /* more than comes in the time of the test */

    const rest = (async () => { for await (const c of chunks) { } })();
    setTimeout(() => stop.abort(), 300);

    const name = await rest.then(() => 'done', (e) => e.name);
    const late = await slow.read(0, 10, { signal: stop.signal })
                           .then(() => 'done', (e) => e.name);
    return name + ' ' + late + ' ' + slow.waiting;
})()
EOF

is(on_page('slow.active == 0 || null'), JSON::PP::true(),
   'which the server was told');

is(on_page(<<'EOF'), 'true true 10', 'return() ends a next() that waits');
(async () => {
    const chunks = slow.stream(100, 0);
    let last;
    const rest = (async () => { do { last = await chunks.next(); }
                                while (!last.done); })();
    await new Promise((resolve) => setTimeout(resolve, 300));

    const end = await chunks.return();
    await rest;
    return last.done + ' ' + end.done + ' '
           + (await slow.read(5, 10)).length;
})()
EOF


# another network, in the middle

on_page("take('a'), take('b', { signalling: 'sse' }), take('c'), true");
ok(on_page("['a', 'b', 'c'].every((n) => window[n]?.at > 100000) || null"),
   'three downloads');
on_page('window.deaf = true');
ok($relay->cut, 'the network is gone');

for my $name (qw/ a b /) {
    is(on_page("$name.sum || null"), sha256_hex($data),
       "$name goes on: sha256 of the whole");
    ok(on_page("!$name.states.includes('reconnecting')"),
       'in the same session');
    cmp_ok(on_page("calls['PATCH /files/$name.bin'] || 0"), '>=', 1,
           'by a restart');
    is(on_page("$name.causes[0]"), 'silence',
       'for silence, before the browser has said anything');
}

ok(on_page("c.states.includes('reconnecting') || null"),
   'where it cannot be restarted the path is noticed to be dead');
is(on_page('c.sum || null'), sha256_hex($data), 'sha256 of what has come');
is(on_page("calls['POST /files/c.bin']"), 2, 'in two sessions');

is(on_page("calls['POST /slow/a.bin']"), 1, 'one that waits is kept by pings');
on_page('window.idle = slow.received');
ok(on_page('slow.received > idle || null'), 'which are answered');


# the server is started again; one of the files is another one by then

on_page("window.deaf = false, take('d'), take('e', { signalling: 'sse' }), true");
ok(on_page("['d', 'e'].every((n) => window[n]?.at > 100000) || null"),
   'two downloads');
ok($t->stop, 'the server stops');
$t->write_file('files/e.bin', scalar reverse $data);
ok(on_page("d.states.includes('reconnecting') || null"), 'which is noticed');
ok($demo->start, 'and starts');

is(on_page('d.sum || null'), sha256_hex($data),
   'the download goes on: sha256 of the whole');
cmp_ok(on_page("calls['POST /files/d.bin']"), '>=', 2, 'in a new session');
is(on_page('d.state'), 'open', 'which is open');
is(on_page('e.sum || null'), 'changed', 'another file is not mixed with it');
is(on_page("e.state + ' ' + e.error.code"), 'closed changed', 'that is told');

on_page('a.close(), b.close(), c.close(), d.close(), slow.close(), true');
ok($t->no_sessions, 'no session is left');
$relay->stop;

$t->done;
