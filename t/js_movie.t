#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# range-client.js and movie-client.js with files that are remuxed: which frames
# count, what is asked for, when the server is paused; with a buffer of our own.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;

my $t = NgxWebRTC->new;
my $dir = $t->dir;

$t->write_file('test.mjs', <<"EOT" . <<'EOF');
globalThis.location = new URL('https://here.example/page');
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};

const { RangeClient, playable } =
    await import('file://$NgxWebRTC::ROOT/docs/demo/range-client.js');
const { MoviePlayer } =
    await import('file://$NgxWebRTC::ROOT/docs/demo/movie-client.js');
EOT

const out = {};

const frame = (type, id, payload, flags = 0) => {
    const b = new Uint8Array(12 + payload.length);
    const v = new DataView(b.buffer);

    v.setUint8(0, type);
    v.setUint8(1, flags);
    v.setUint32(4, id);
    v.setUint32(8, payload.length);
    b.set(payload, 12);

    return b.buffer;
};

const text = (s) => new TextEncoder().encode(s);
const init = (ms, s) => [...new Uint8Array(8).fill(0, 0, 8).map((_, i) =>
    Number((BigInt(ms) >> BigInt(8 * (7 - i))) & 255n)), ...text(s)];

/* a client with a link of ours */

function client() {
    const c = new RangeClient('/movie.mkv');

    c.sent = [];
    c.state = 'open';
    c.streaming = true;
    c.link = {
        hello: { streaming: true },
        send: (type, id, payload, flags = 0) => c.sent.push(
            [type, flags, payload ? Number(payload.byteLength == 8
                ? payload.getBigUint64(0) : payload.getUint32(0)) : null]
            .join(' ')),
    };

    return c;
}

{
    const c = client();
    const seen = [];

    for (const type of ['info', 'init', 'media', 'cue', 'end']) {
        c.addEventListener(type, ({ detail: d }) => seen.push(type + ' '
            + (d.mime || (d.data && new TextDecoder().decode(d.data))
               || d.text || d) + (d.start === undefined ? '' : ' ' + d.start)));
    }

    c.message(frame(8, 1, text('{"mime":"m"}')));
    c.message(frame(9, 1, init(0, 'i1')));
    c.message(frame(2, 1, text('d1')));
    c.message(frame(11, 1, [0, 0, 0, 3,
        ...text('00:00:01.000 --> 01:02:03.500\none\ntwo')]));
    c.message(frame(11, 1, [0, 0, 0, 3, ...text('nonsense')]));
    c.message(frame(8, 1, text('{nonsense')));
    c.seek(61.5);
    c.message(frame(2, 1, text('old')));
    c.message(frame(3, 1, [0, 0, 0, 0]));
    c.message(frame(9, 2, init(60000, 'i2')));
    c.message(frame(2, 2, text('d2')));
    c.quality(2);
    c.track(3);
    c.message(frame(2, 2, text('old')));
    c.message(frame(9, 3, init(1, 'old')));
    c.message(frame(9, 4, init(62000, 'i4')));
    c.pause();

    /* the server has begun another one by itself */

    c.message(frame(9, 5, init(70000, 'i5')));
    c.message(frame(3, 5, [0, 0, 0, 0]));

    out.seen = seen;
    out.sent = c.sent;
}

/* what it says of itself */

{
    const c = new RangeClient('/movie.mkv?token=x',
                              { accept: ['a', 'b'], max: '720p' });
    let url = null;

    globalThis.RTCPeerConnection = class extends EventTarget {
        createDataChannel() { return {}; }
        async createOffer() { return { sdp: '' }; }
        close() {}
    };
    globalThis.fetch = async (u) => {
        url = u;
        throw new Error('enough');
    };

    await c.open().catch(() => {});
    out.url = url;

    globalThis.MediaSource = { isTypeSupported: (t) =>
        /avc1\.640028|mp4a|webm.*vp8/.test(t) };
    out.playable = playable().join();
}

/* a player, with a buffer that appends at once */

{
    const video = Object.assign(new EventTarget(), {
        currentTime: 0, buffered: null, tracks: [],
        addTextTrack(kind, label, language) {
            const track = { kind, label, language, cues: [], mode: '',
                            addCue(cue) { this.cues.push(cue.text); } };
            this.tracks.push(track);
            return track;
        },
    });

    let ranges = [];

    const buffered = () => ({ length: ranges.length,
                              start: (i) => ranges[i][0],
                              end: (i) => ranges[i][1] });

    const log = [];

    globalThis.VTTCue = class { constructor(a, b, text) { this.text = text; } };
    URL.createObjectURL = () => 'blob:x';

    globalThis.MediaSource = class extends EventTarget {
        readyState = 'open';
        addSourceBuffer(mime) {
            log.push('buffer ' + mime);

            return this.buffer = Object.assign(new EventTarget(), {
                updating: false,
                get buffered() { return buffered(); },
                abort: () => log.push('abort'),
                changeType: (m) => log.push('type ' + m),
                remove: (a, b) => log.push(`remove ${a} ${b}`),
                appendBuffer(data) {
                    log.push('append ' + new TextDecoder().decode(data));
                },
            });
        }
        endOfStream() { log.push('end'); }
    };

    Object.defineProperty(video, 'buffered', { get: buffered });

    const c = client();
    const p = new MoviePlayer(video, c);
    const info = { mime: 'm1', mode: 'remux', duration_ms: 100000,
                   subtitles: [{ index: 2, language: 'en' }] };

    p.start();
    c.message(frame(8, 1, text(JSON.stringify(info))));
    c.message(frame(9, 1, init(0, 'i1')));
    c.message(frame(2, 1, text('d1')));
    out.first = log.splice(0);

    c.message(frame(11, 1, [0, 0, 0, 2,
        ...text('00:00:01.000 --> 00:00:03.500\none')]));
    c.message(frame(11, 1, [0, 0, 0, 2,
        ...text('00:00:01.000 --> 00:00:03.500\none')]));
    out.cues = video.tracks[0].cues;

    /* enough is there, then little is left */

    ranges = [[0, 31]];
    c.message(frame(2, 1, text('d2')));
    out.enough = c.sent.splice(0);
    video.currentTime = 20;
    video.dispatchEvent(new Event('timeupdate'));
    out.little = c.sent.splice(0);

    /* a place that is there, and one that is not */

    video.currentTime = 5;
    video.dispatchEvent(new Event('seeking'));
    out.there = c.sent.splice(0);
    video.currentTime = 50;
    video.dispatchEvent(new Event('seeking'));
    out.elsewhere = c.sent.splice(0);
    log.splice(0);
    c.message(frame(9, 3, init(49800, 'i3')));
    c.message(frame(2, 3, text('d3')));
    out.again = log.splice(0);

    /* it begins a little later than it was asked for */

    ranges = [[50.4, 52]];
    c.message(frame(2, 3, text('d4')));
    out.later = video.currentTime;

    /*
     * Back in what is there, little is left: what follows is asked for, and not again by
     * the beginning of it, or when it is over without anything
     */

    ranges = [[0, 2.02], [50.4, 100]];
    c.message(frame(2, 3, text('d5')));
    c.message(frame(3, 3, [0, 0, 0, 0]));
    c.sent.splice(0);
    video.currentTime = 2;
    video.dispatchEvent(new Event('timeupdate'));
    out.follows = c.sent.splice(0);
    c.message(frame(9, 4, init(2020, 'i4')));
    video.dispatchEvent(new Event('timeupdate'));
    c.message(frame(2, 4, text('d6')));
    video.dispatchEvent(new Event('waiting'));
    c.message(frame(3, 4, [0, 0, 0, 0]));
    video.dispatchEvent(new Event('waiting'));
    out.once = c.sent.splice(0);

    /* the same, and what comes begins after a hole; a range that was there is none */

    ranges = [[0, 2.02]];
    p.go(2.02);
    ranges = [[0, 2.02], [2.9, 4]];
    video.dispatchEvent(new Event('timeupdate'));
    out.stays = [video.currentTime, ...c.sent.splice(0)];
    c.message(frame(9, 5, init(2020, 'i5')));
    ranges = [[0, 2.02], [2.4, 2.6], [2.9, 4]];
    c.message(frame(2, 5, text('d7')));
    out.hole = [video.currentTime, ...c.sent.splice(0)];

    /* another kind, the end */

    log.splice(0);
    ranges = [[50.4, 52]];
    video.currentTime = 50.5;
    c.message(frame(8, 5, text(JSON.stringify({ ...info, mime: 'm2' }))));
    c.message(frame(9, 6, init(49800, 'i6')));
    c.message(frame(3, 6, [0, 0, 0, 0]));
    out.over = log.splice(0);

    p.addEventListener('error', (e) => { out.error = e.detail.message; });
    c.message(frame(8, 6, text('{"mode":"failed","reason":"bad"}')));
    c.message(frame(3, 6, [0, 0, 0, 3]));
}

console.log(JSON.stringify(out));
EOF

my $p = $t->spawn('node', [ 'node', "$dir/test.mjs" ]);
$t->reap($p, 60);
my ($line) = (slurp($p->{log}) // '') =~ /^(\{.*\})$/m;
my $out = json($line // '') or diag(slurp($p->{log}));

sub has {
    my ($key, $want, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_deeply($out->{$key}, $want, $name) or diag(explain($out->{$key}));
}

has(seen => [ 'info m', 'init i1 0', 'media d1', "cue one\ntwo 1",
              'init i2 60', 'media d2', 'init i4 62', 'init i5 70', 'end 0' ],
    'frames of older generations are left out, and what is malformed');
has(sent => [ '7 0 61500', '10 0 2', '10 16 3', '4 0 ' ], 'frames of a client');
has(url => 'https://here.example/movie.mkv?token=x&accept=a%2Cb&max=720p',
    'what it says of itself');
has(playable => 'avc1.640028,mp4a.40.2,vp8', 'what a browser can play');

has(first => [ 'buffer m1', 'abort', 'append i1', 'append d1' ],
    'a buffer, and what is appended');
has(cues => [ 'one' ], 'a cue that comes twice is there once');
has(enough => [ '4 0 ' ], 'enough is there: paused');
has(little => [ '7 0 31000' ], 'little is left: from its end on');
has(there => [], 'a place that is there');
has(elsewhere => [ '7 0 50000' ], 'one that is not is asked for');
has(again => [ 'abort', 'append i3', 'append d3' ], 'and comes');
has(later => 50.401, 'it begins where there is something');
has(follows => [ '7 0 2020' ], 'what follows, in front of another range');
has(once => [], 'is asked for once');
has(stays => [ 2, '7 0 2020' ], 'a range after a hole');
has(hole => [ 2.401 ], 'a hole, when what comes begins after it');
has(over => [ 'type m2', 'abort', 'append i6', 'end' ],
    'another type, and the end');
has(error => 'bad', 'what cannot be played');

$t->done;
