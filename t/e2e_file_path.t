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

my $t = NgxWebRTC->new(workers => 2);
my $relay = $t->relay(to => $t->port('udp'));

my $conf = <<'EOF';
location / { root %%ROOT%%/docs/demo; }
location = /page { default_type text/html; return 200 '<!doctype html>'; }
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

$conf =~ s/%%ROOT%%/$NgxWebRTC::ROOT/;

mkdir $t->dir . '/files';

my $data = join '', map { pack 'N', $_ * 2654435761 & 0xffffffff }
                    0 .. 640 * 1024 - 1;
my $size = length $data;

$t->write_file("files/$_", $data) for map { "$_.bin" } 'a' .. 'e';

my %conf = (http => "types { text/html html; text/javascript js;"
                    . " text/css css; } webrtc_timeout 60s;"
                    . " webrtc_candidate 127.0.0.1:$relay->{port};",
            server => $conf);

$t->start(%conf);

my ($b, $page) = ($t->browser);

sub on_page {
    my ($script, $timeout) = @_;

    return $b->call('eval', page => $page->{page}, script => $script,
                    timeout => $timeout || 60)->{value};
}

sub open_page {
    my ($path) = @_;

    (my $url = $t->url($path)) =~ s/127\.0\.0\.1/localhost/;

    $page = $b->page($url);
}

open_page('/page');
my $client = $page;

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

    const { RangeClient } = await import('/range-client.js');

    window.take = async (name, options) => {
        const f = window[name] = new RangeClient('/files/' + name + '.bin',
                                                 options);
        f.states = [];
        f.addEventListener('state', () => f.states.push(f.state));
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
ok($relay->cut, 'the network is gone');

for my $name (qw/ a b /) {
    is(on_page("$name.sum || null"), sha256_hex($data),
       "$name goes on: sha256 of the whole");
    ok(on_page("!$name.states.includes('reconnecting')"),
       'in the same session');
    cmp_ok(on_page("calls['PATCH /files/$name.bin'] || 0"), '>=', 1,
           'by a restart');
}

ok(on_page("c.states.includes('reconnecting') || null"),
   'where it cannot be restarted the path is noticed to be dead');
is(on_page('c.sum || null'), sha256_hex($data), 'sha256 of what has come');
is(on_page("calls['POST /files/c.bin']"), 2, 'in two sessions');

is(on_page("calls['POST /slow/a.bin']"), 1, 'one that waits is kept by pings');
on_page('window.idle = slow.received');
ok(on_page('slow.received > idle || null'), 'which are answered');


# the server is started again; one of the files is another one by then

on_page("take('d'), take('e', { signalling: 'sse' }), true");
ok(on_page("['d', 'e'].every((n) => window[n]?.at > 100000) || null"),
   'two downloads');
ok($t->stop, 'the server stops');
$t->write_file('files/e.bin', scalar reverse $data);
ok(on_page("d.states.includes('reconnecting') || null"), 'which is noticed');
ok($t->start(%conf), 'and starts');

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
