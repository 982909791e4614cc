#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# docs/demo as an npm package: packed, unpacked as npm install would, imported by
# its name; and what its functions say without a browser.

use strict;
use warnings;

use File::Path qw/ make_path /;
use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new;
my $dir = $t->dir;

my $pack = $t->spawn('npm', [ 'npm', 'pack', '--json', '--ignore-scripts',
    '--offline', '--cache', "$dir/cache", '--pack-destination', $dir,
    "$NgxWebRTC::ROOT/docs/demo" ], env => { HOME => $dir });

is($t->reap($pack, 120), 0, 'npm pack') or diag(slurp($pack->{log}));

my ($tgz) = glob "$dir/*.tgz";
my $home = "$dir/node_modules/ngx-http-webrtc-clients";

make_path($home);

is(system('tar', 'xzf', $tgz, '-C', $home, '--strip-components=1'), 0,
   'unpacked');
is(join(' ', sort map { s{.*/}{}r } glob "$home/*"),
   'README.md index.d.ts index.js movie-client.js package.json range-client.js'
   . ' whep.js whip.js',
   'the clients and nothing of the pages');

$t->write_file('test.mjs', <<'EOF');
globalThis.location = new URL('https://here.example/page');

const all = await import('ngx-http-webrtc-clients');
const one = await import('ngx-http-webrtc-clients/whep.js');
const { iceServers, headersOf, refusal, unreachable, noAnswer } = all;

const out = {
    names: Object.keys(all).sort().join(' '),
    same: one.WhepPlayer === all.WhepPlayer,
};

/* RFC 9725, 4.6, its example; RFC 8288, 3 */

out.servers = [
    null,
    '',
    '<stun:stun.example.net>; rel="ice-server", '
    + '<turn:turn.example.net?transport=udp>; rel="ice-server"; '
    + 'username="user"; credential="myPassword"; credential-type="password", '
    + '<turns:turn.example.net?transport=tcp>; rel="ice-server"; '
    + 'username="user"; credential="myPassword"; credential-type="password"',
    '</whep/x?session=1&events>; rel="urn:ietf:params:whep:ext:core:'
    + 'server-sent-events"; events="active,inactive", '
    + '<stun:a>; rel=ice-server',
    '<turn:a>;rel=ice-server;username="1700000000:o\\"x, <y>; z";'
    + 'credential="a+/b=="',
    '<turn:a> ; REL = "next ice-server" ; Username = u ; credential = p',
    '<https://evil.example>; rel="ice-server"',
    '<turn:a; rel="ice-server"',
    'rel="ice-server"',
    '<turn:a>; rel="ice-server"; username="open',
].map((link) => JSON.stringify(iceServers(link)));

/* what a long header costs is bounded by its length */

const long = '<turn:a>' + '; x="\\'.repeat(20000);
const began = process.cpuUsage().user;

iceServers(long);
out.quick = (process.cpuUsage().user - began) / 1e6 < 20;

let n = 0;

out.headers = [
    await headersOf({}),
    await headersOf({ token: 'a' }, { X: 'y' }),
    await headersOf({ token: async () => 't' + ++n,
                      headers: () => ({ Z: '1' }) }),
    await headersOf({ token: () => 't' + ++n }),
    await headersOf({ token: '' }),
].map((h) => JSON.stringify(h));

const answer = (status, text = '') => ({ status, statusText: text,
                                         url: 'https://s.example/whep/a' });
const said = (r) => [r.code, r.again, r.title, r.detail].join('|');

out.refused = [
    [answer(409), '{"title":"the stream is not live","status":409,'
                  + '"detail":"nobody publishes a"}'],
    [answer(406), '{"detail":"no codec in common"}'],
    [answer(401, 'Unauthorized'), '<html>'],
    [answer(502), ''],
    [answer(418), 'null'],
    [answer(400), '[]'],
].map((a) => said(refusal(...a)));

/* as sentences: names and addresses stay as they are */

out.texts = [
    refusal(answer(409), '{"title":"a","detail":"mine"}'),
    refusal(answer(400), '{"detail":"https://s.example is not one"}'),
    new all.Reason('cors', 'T', 'https://s.example lets pages not'),
    new all.Reason('lost', 'T', 'nothing arrives.'),
    new all.Reason('udp', 'T', 'is it blocked?'),
    new all.Reason('ended', 'T'),
].map((r) => r.title + '|' + r.text);

/* fetch() fails; the probe without CORS does, or does not */

const up = async (url, o) => {
    if (o.mode != 'no-cors') {
        throw new TypeError('x');
    }
};
const down = async () => { throw new TypeError('x'); };

out.unreachable = [];

for (const [url, probe] of [
    ['http://s.example/whep/a', up],
    ['http://127.0.0.1/whep/a', down],
    ['http://[::1]/whep/a', up],
    ['https://s.example/whep/a', up],
    ['https://s.example/whep/a', down],
    ['https://here.example/whep/a', up],
])
{
    globalThis.fetch = probe;
    out.unreachable.push((await unreachable(url)).code);
}

const pc = (sdp, state = 'checking') => ({ remoteDescription: { sdp },
                                           iceConnectionState: state });
const sdp = 'a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host\r\n'
            + 'a=candidate:2 1 udp 2130706431 2001:db8::1 8001 typ host\r\n';

out.silent = [pc(sdp), pc(''), pc(sdp, 'connected'), {}]
    .map((p) => said(noAnswer(p)));

/* a file that grows: the server is a script, a line per piece that is asked for */

const frame = (type, id, payload, flags = 0) => {
    const v = new DataView(new ArrayBuffer(12 + payload.length));

    v.setUint8(0, type);
    v.setUint8(1, flags);
    v.setUint32(4, id);
    v.setUint32(8, payload.length);
    new Uint8Array(v.buffer, 12).set(payload);
    return v.buffer;
};

const W = 2 * 1024 * 1024;

/* size, growing, offset, length; what each piece gets: bytes and status */

const grow = async (size, growing, offset, length, answers) => {
    const f = new all.RangeClient('/a.bin');
    const asked = [];

    Object.assign(f, { state: 'open', size, growing });
    f.link = { send(type, id, p) {
        if (type != 1) {
            asked.push('cancel');
            return;
        }

        asked.push(p.getBigUint64(0) + '+' + p.getBigUint64(8));

        const [n, status] = answers[asked.length - 1] || [];

        setTimeout(() => {
            if (n) {
                f.message(frame(2, id, new Uint8Array(n)));
            }

            if (status !== undefined) {
                f.message(frame(3, id, [0, 0, 0, status]));
            }
        });
    } };

    let got = 0;

    try {
        for await (const c of f.stream(offset, length)) {
            got += c.length;
        }
    } catch (e) {
        got += ' ' + e.name + ' ' + e.status;
    }

    return asked.join(' ') + ': ' + got;
};

out.growing = [
    await grow(100, false, 0, 0, [ [100, 0] ]),
    await grow(100, true, 0, 0, [ [150, 0] ]),
    await grow(100, true, 0, 0, [ [W, 0], [10, 0] ]),
    await grow(100, true, 0, 0, [ [W, 0], [0, 2] ]),
    await grow(100, true, 50, 200, [ [200, 0] ]),
    await grow(100, true, 500, 0, [ [0, 2], [0, 2] ]),
    await grow(100, true, 50, 200, [ [60, 2] ]),
    await grow(100, true, 0, 0, [ [60, 3], [0, 3] ]),
];

const g = new all.RangeClient('/a.bin');
const told = [];

g.state = 'open';
g.addEventListener('size', () => told.push(g.size + (g.growing ? '+' : '')));
g.told({ size: 5, growing: true });
g.told({ size: 5, growing: true });
g.told({ size: 9, growing: true });
g.told({ size: 9, growing: false });
out.told = told.join(' ');

console.log(JSON.stringify(out));
EOF

my $run = $t->spawn('node', [ 'node', "$dir/test.mjs" ]);

is($t->reap($run, 60), 0, 'imported') or diag(slurp($run->{log}));

my $out = json(slurp($run->{log})) || {};

is($out->{names}, 'MoviePlayer RangeClient RangeStatus Reason Restarts Session Silence'
   . ' WhepPlayer WhipPublisher headersOf iceServers linked noAnswer playable'
   . ' refusal unreachable useServers',
   'what it exports');
ok($out->{same}, 'one class by both ways');
ok($out->{quick}, 'a Link without end is read in time');

my $turn = '"username":"user","credential":"myPassword"';

is_deeply($out->{servers}, [
    '[]',
    '[]',
    '[{"urls":"stun:stun.example.net"},'
        . '{"urls":"turn:turn.example.net?transport=udp",' . $turn . '},'
        . '{"urls":"turns:turn.example.net?transport=tcp",' . $turn . '}]',
    '[{"urls":"stun:a"}]',
    '[{"urls":"turn:a","username":"1700000000:o\\"x, <y>; z",'
        . '"credential":"a+/b=="}]',
    '[{"urls":"turn:a","username":"u","credential":"p"}]',
    '[]',
    '[]',
    '[]',
    '[]',
], 'ICE servers of Link') or diag(explain($out->{servers}));

is_deeply($out->{headers}, [
    '{}',
    '{"Authorization":"Bearer a","X":"y"}',
    '{"Authorization":"Bearer t1","Z":"1"}',
    '{"Authorization":"Bearer t2"}',
    '{}',
], 'headers and tokens');

is_deeply($out->{refused}, [
    'refused|true|The stream is not live|nobody publishes a',
    'refused|false|No codec in common|',
    'refused|false|The server wants a valid token'
        . '|HTTP 401 Unauthorized from https://s.example/whep/a',
    'refused|true|The proxy does not reach the server'
        . '|HTTP 502 from https://s.example/whep/a',
    'refused|false|The server refused|HTTP 418 from https://s.example/whep/a',
    'refused|false|The server refused|HTTP 400 from https://s.example/whep/a',
], 'refusals') or diag(explain($out->{refused}));

is_deeply($out->{texts}, [
    'a|mine.',
    'https://s.example is not one|',
    'T|https://s.example lets pages not.',
    'T|Nothing arrives.',
    'T|Is it blocked?',
    'T|',
], 'details as sentences') or diag(explain($out->{texts}));

is_deeply($out->{unreachable}, [qw/ mixed-content no-answer cors cors no-answer
                                    no-answer /], 'why nothing comes back');

my $W = 2 * 1024 * 1024;

is_deeply($out->{growing}, [
    '0+100: 100',
    "0+$W $W+$W cancel: 150",
    "0+$W $W+$W " . 2 * $W . "+$W cancel: " . ($W + 10),
    "0+$W $W+$W " . 2 * $W . "+$W cancel: $W",
    '50+200: 200',
    "500+$W " . (500 + $W) . "+$W cancel: 0 RangeStatus 2",
    '50+200: 60',
    "0+$W $W+$W cancel: 60 RangeStatus 3",
], 'streams of a file that grows') or diag(explain($out->{growing}));
is($out->{told}, '5+ 9+ 9', 'the event "size"');

like($out->{silent}[0], qr/^udp\|true\|No\ packets\ arrive:\ UDP\ port\ 8000,
     \ 8001\ blocked\?.*192\.0\.2\.1:8000,\ \[2001:db8::1\]:8001/x,
     'no packets: ports and addresses');
like($out->{silent}[1], qr/^no-candidate/, 'no address in the answer');
like($out->{silent}[2], qr/^dtls/, 'no handshake');
like($out->{silent}[3], qr/^no-candidate/, 'no answer yet');

# the types are right, where a compiler is at hand: every name is declared

my $types = slurp("$home/index.d.ts");

for my $name (split / /, $out->{names}) {
    like($types, qr/export\ (?:class|function)\ \Q$name\E\b/x,
         "a type of $name");
}

$t->done;
