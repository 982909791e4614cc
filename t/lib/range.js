/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A client of file sessions on libdatachannel (npm node-datachannel), for tests
 * of the protocol itself: docs/datachannel.md.
 *
 *     node range.js        a JSON command per line on stdin, a JSON result per
 *                          line on stdout
 *
 * Commands:
 *
 *     {"cmd":"open","url":...}      offers and waits for Hello; {"peer":n,
 *                                   "status":201,"hello":{size,name,flags}}.
 *                                   "signal":true uses SSE signalling, with
 *                                   "cut":n the event stream is cut after that
 *                                   many events and resumed, with "trickle"
 *                                   the offer has no candidates; "label",
 *                                   "protocol", "unordered", "noChannel",
 *                                   "noHello" (do not wait), "max" (our
 *                                   max-message-size), "worker" keeps HTTP
 *                                   connections apart; "negotiated": the id
 *                                   of a channel without DCEP, which sends a
 *                                   Ping so that the server knows
 *     {"cmd":"channel","peer":n}    one more channel; {"channel":k}
 *     {"cmd":"send","peer":n,"hex":...}    one binary message; "text": a string;
 *                                   "times": n; "each": frames by "ids":[a,b]
 *     {"cmd":"flood","peer":n,"type":1,"offset":...,"length":...,"times":k}
 *                                   k frames with ids of their own, type 5: Pings
 *     {"cmd":"frames","peer":n,"count":k,"timeout":s}
 *                                   waits for k frames since the last "frames";
 *                                   [{type,flags,id,len,status,head}]
 *     {"cmd":"get","peer":n,"ranges":[{id,offset,length}],"timeout":s}
 *                                   requests all at once and waits for their
 *                                   ends; [{id,status,bytes,sha256,frames,last,
 *                                   maxGap,ms}], and "order": stream ids as
 *                                   their data came, without repetitions
 *     {"cmd":"ended","peer":n,"id":i}    waits for the end of a range that was
 *                                   asked for with "noWait":true; {"status"}
 *     {"cmd":"play","peer":n,"generation":g}    waits for the end of a generation
 *                                   of a file that is remuxed, for that many
 *                                   "fragments" of it, or a "failed" job;
 *                                   {"start","bytes","fragments","status"},
 *                                   and "infos", "cues" (subtitles), "ends"
 *                                   ([id, status]), "generations"; what has come
 *                                   of it is written to "file"
 *     {"cmd":"state","peer":n}      {"pc","dc","bytes"}
 *     {"cmd":"close","peer":n}, {"cmd":"closeChannel","peer":n}, {"cmd":"quit"}
 *
 * A failure is {"error":...}.
 */

'use strict';

const crypto = require('crypto');
const fs = require('fs');
const readline = require('readline');

const { ndc, request, until } = require('./datachannel.js');

const peers = [];


function parse(m) {
    const b = Buffer.from(m);
    const f = { type: b[0], flags: b[1], id: b.readUInt32BE(4),
                len: b.readUInt32BE(8) };

    if (b.length != 12 + f.len) {
        f.broken = b.length;
    }

    if (f.type == 0) {
        f.size = Number(b.readBigUInt64BE(12));
        f.name = b.subarray(24, 24 + b.readUInt32BE(20)).toString();
    }

    if (f.type == 3) {
        f.status = b.readUInt32BE(12);
    }

    f.head = b.subarray(0, 28).toString('hex');
    f.data = b.subarray(12);

    return f;
}


function frame(type, id, payload) {
    const b = Buffer.alloc(12);
    b[0] = type;
    b.writeUInt32BE(id, 4);
    b.writeUInt32BE(payload ? payload.length : 0, 8);
    return payload ? Buffer.concat([b, payload]) : b;
}


function rangeReq(r) {
    const p = Buffer.alloc(16);
    p.writeBigUInt64BE(BigInt(r.offset), 0);
    p.writeBigUInt64BE(BigInt(r.length), 8);
    return frame(1, r.id, p);
}


function channel(p, o) {
    const c = { frames: [], seen: 0, ranges: new Map(), order: [], bytes: 0,
                messages: 0, infos: [], cues: [], plays: new Map() };

    c.dc = p.pc.createDataChannel(o.label || 'files', {
        protocol: o.protocol || '',
        unordered: !!o.unordered,
        ...(o.negotiated === undefined ? {}
            : { negotiated: true, id: o.negotiated }),
    });

    c.dc.onOpen(() => { c.open = true; });
    c.dc.onClosed(() => { c.closed = true; });

    c.dc.onMessage((m) => {
        if (typeof m == 'string') {
            c.frames.push({ type: -1, text: m });
            return;
        }

        c.messages++;
        c.bytes += m.length || m.byteLength;

        const f = parse(m);
        const r = c.ranges.get(f.id);

        if (f.type == 2 && r && r.status === undefined) {
            const now = Date.now();
            r.hash.update(f.data);
            r.bytes += f.len;
            r.frames++;
            r.last = f.flags & 1;
            r.maxFrame = Math.max(r.maxFrame, f.len);
            r.maxGap = Math.max(r.maxGap, now - r.at);
            r.at = now;

            if (c.order[c.order.length - 1] !== f.id) {
                c.order.push(f.id);
            }

            return;
        }

        if (f.type == 3 && r && r.status === undefined && f.status != 5) {
            r.status = f.status;
            r.ms = Date.now() - r.start;
            return;
        }

        if (played(c, f)) {
            return;
        }

        if (f.type == 0 && !c.hello) {
            c.hello = f;
            return;
        }

        delete f.data;
        c.frames.push(f);
    });

    return c;
}


/* of a file that is remuxed: what has come of each generation */

function played(c, f) {
    if (f.type == 8) {
        c.infos.push(f.data.toString());
        return true;
    }

    if (f.type == 11) {
        c.cues.push(f.data.readUInt32BE(0) + ' '
                    + f.data.subarray(4).toString());
        return true;
    }

    if (f.type == 9) {
        c.plays.set(f.id, { start: Number(f.data.readBigUInt64BE(0)),
                            parts: [f.data.subarray(8)], bytes: 0,
                            fragments: 0 });
        return true;
    }

    const g = c.plays.get(f.id);

    if (f.type == 2 && g) {
        g.parts.push(f.data);
        g.bytes += f.len;
        g.fragments += f.flags & 1;
        return true;
    }

    if (f.type == 3 && (g || c.infos.length) && !c.ranges.has(f.id)) {
        c.ends = (c.ends || []).concat([[f.id, f.status]]);

        if (g) {
            g.status = f.status;
        }

        return f.status != 2;
    }

    return false;
}


async function events(p, url, o, onmessage) {
    let last = '';
    let n = 0;
    let done = false;

    p.events = [];

    while (!done) {
        const headers = { Accept: 'text/event-stream' };

        if (last) {
            headers['Last-Event-ID'] = last;
        }

        const res = await request('GET', url, headers, undefined, true);

        if (res.statusCode != 200) {
            p.gone = res.statusCode;
            return;
        }

        let buf = '';

        await new Promise((resolve) => {
            res.setEncoding('utf8');
            res.on('data', (d) => {
                buf += d;
                let i;

                while ((i = buf.indexOf('\n\n')) >= 0) {
                    const block = buf.slice(0, i);
                    buf = buf.slice(i + 2);
                    const data = /^data: (.*)$/m.exec(block);
                    const id = /^id: (.*)$/m.exec(block);

                    if (id) {
                        last = id[1];
                    }

                    if (!data) {
                        continue;
                    }

                    const m = JSON.parse(data[1]);
                    p.events.push({ id: last, type: m.type, from: m.from,
                                    ts: m.ts });
                    onmessage(m);

                    if (m.type == 'bye') {
                        done = true;
                    }

                    if (o.cut && ++n % o.cut == 0) {
                        res.destroy();
                        resolve();
                        return;
                    }
                }
            });
            res.on('end', resolve);
            res.on('close', resolve);
            res.on('error', resolve);
        });

        if (p.stopped) {
            return;
        }
    }
}


const commands = {

    async open(o) {
        const p = { n: peers.length };
        peers.push(p);

        p.pc = new ndc.PeerConnection('p' + p.n, {
            iceServers: [],
            bindAddress: '127.0.0.1',
            maxMessageSize: o.max || 262144,
            disableAutoNegotiation: true,
        });

        const gathered = new Promise((resolve) => {
            p.pc.onGatheringStateChange((s) => {
                if (s == 'complete') {
                    resolve();
                }
            });
        });

        p.channels = [];

        if (!o.noChannel) {
            p.channels.push(channel(p, o));
        } else {
            p.pc.createDataChannel('x');
        }

        p.pc.setLocalDescription('offer');

        await gathered;

        let sdp = p.pc.localDescription().sdp;
        const out = { peer: p.n };
        const late = [];

        if (o.trickle) {
            sdp = sdp.replace(/^a=(candidate:.*|end-of-candidates)\r\n/mg,
                (m, c) => { late.push(c); return ''; });
        }

        if (o.signal) {
            const u = new URL(o.url);
            const r = await request('POST',
                o.url + (u.search ? '&' : '?') + 'signal',
                { 'Content-Type': 'application/json' }, JSON.stringify({
                    type: 'offer',
                    payload: JSON.stringify({ type: 'offer', sdp }) }));

            out.status = r.status;
            out.location = r.headers.location;
            out.body = r.text;

            if (r.status != 201) {
                return out;
            }

            p.url = new URL(r.headers.location, u).href;
            p.late = [];
            out.trickled = [];

            for (const c of late) {
                const t = await request('POST', p.url,
                    { 'Content-Type': 'application/json' }, JSON.stringify(
                        c == 'end-of-candidates' ? { type: 'candidate-end' }
                        : { type: 'candidate', payload: JSON.stringify(
                            { candidate: c, sdpMid: '0' }) }));

                out.trickled.push(t.status);
            }

            events(p, p.url, o, (m) => {
                if (m.type == 'answer') {
                    const d = JSON.parse(m.payload);
                    p.answer = d.sdp;
                    p.pc.setRemoteDescription(d.sdp, d.type);
                }

                if (m.type == 'candidate') {
                    const c = JSON.parse(m.payload);
                    p.pc.addRemoteCandidate(c.candidate, c.sdpMid);
                }

                if (m.type == 'bye') {
                    p.bye = true;
                }
            }).catch((e) => { p.error = String(e); });

        } else {
            const r = await request('POST', o.url,
                { 'Content-Type': 'application/sdp' }, sdp);

            out.status = r.status;
            out.location = r.headers.location;
            out.answer = r.text;

            if (r.status != 201) {
                return out;
            }

            p.url = new URL(r.headers.location, o.url).href;
            p.pc.setRemoteDescription(r.text, 'answer');
        }

        if (o.negotiated !== undefined) {
            await until(o.timeout || 15, () => p.channels[0].open);
            p.channels[0].dc.sendMessageBinary(frame(5, 0));
        }

        if (o.noHello || o.noChannel) {
            return out;
        }

        await until(o.timeout || 60, () => p.channels[0].hello
                                           || p.channels[0].closed);

        const h = p.channels[0].hello;

        if (h) {
            out.hello = { size: h.size, name: h.name, flags: h.flags,
                          id: h.id };
        }

        return out;
    },

    async channel(o) {
        const p = peers[o.peer];
        const c = channel(p, o);
        p.channels.push(c);

        if (o.negotiated !== undefined) {
            await until(10, () => c.open);
            c.dc.sendMessageBinary(frame(5, 0));
        }

        await until(o.timeout || 60, () => c.hello || c.closed);
        return { channel: p.channels.length - 1, hello: !!c.hello };
    },

    async send(o) {
        const c = peers[o.peer].channels[o.channel || 0];

        for (let i = 0; i < (o.times || 1); i++) {
            if (o.text !== undefined) {
                c.dc.sendMessage(o.text);
            } else {
                c.dc.sendMessageBinary(Buffer.from(o.hex, 'hex'));
            }
        }

        return { sent: true };
    },

    async flood(o) {
        const c = peers[o.peer].channels[0];

        for (let id = 1; id <= o.times; id++) {
            c.dc.sendMessageBinary(o.type == 1 ? rangeReq({ ...o, id })
                                               : frame(o.type, id));
        }

        return { sent: o.times };
    },

    async frames(o) {
        const c = peers[o.peer].channels[o.channel || 0];

        await until(o.timeout || 60, () => c.frames.length - c.seen
                                           >= o.count).catch(() => {});

        const list = c.frames.slice(c.seen);
        c.seen = c.frames.length;
        return { frames: list };
    },

    async ended(o) {
        const c = peers[o.peer].channels[o.channel || 0];

        await until(o.timeout || 60,
                    () => c.ranges.get(o.id).status !== undefined)
            .catch(() => {});

        return { status: c.ranges.get(o.id).status };
    },

    async get(o) {
        const c = peers[o.peer].channels[o.channel || 0];
        const list = [];

        c.order = [];

        for (const r of o.ranges) {
            const now = Date.now();
            const x = { id: r.id, hash: crypto.createHash('sha256'), bytes: 0,
                        frames: 0, last: 0, maxFrame: 0, maxGap: 0, at: now,
                        start: now };
            c.ranges.set(r.id, x);
            list.push(x);
        }

        for (const r of o.ranges) {
            c.dc.sendMessageBinary(rangeReq(r));
        }

        for (const id of o.cancel || []) {
            if (o.cancelAfter) {
                await until(10, () => c.ranges.get(id).bytes
                                      >= o.cancelAfter);
            }

            c.dc.sendMessageBinary(frame(4, id));
        }

        if (o.noWait) {
            return { asked: true };
        }

        await until(o.timeout || 60,
                    () => list.every((x) => x.status !== undefined));

        return {
            ranges: list.map((x) => ({ id: x.id, status: x.status,
                bytes: x.bytes, frames: x.frames, last: x.last,
                maxFrame: x.maxFrame, maxGap: x.maxGap, ms: x.ms,
                sha256: x.hash.digest('hex') })),
            order: c.order.slice(0, 200),
        };
    },

    async play(o) {
        const c = peers[o.peer].channels[o.channel || 0];
        const { plays } = c;
        const id = o.generation;

        await until(o.timeout || 40, () =>
            o.failed ? (c.ends || []).some(([, status]) => status == 3)
            : plays.has(id)
              && (plays.get(id).status !== undefined
                  || plays.get(id).fragments >= (o.fragments || Infinity)))
            .catch(() => {});

        const g = plays.get(id);

        if (g && o.file) {
            fs.writeFileSync(o.file, Buffer.concat(g.parts));
        }

        return { infos: c.infos, cues: c.cues, generations: [...plays.keys()],
                 ends: c.ends || [],
                 ...(g ? { start: g.start, bytes: g.bytes, status: g.status,
                           fragments: g.fragments } : {}) };
    },

    async state(o) {
        const p = peers[o.peer];
        const c = p.channels[o.channel || 0];
        return { pc: p.pc.state(), bye: !!p.bye, gone: p.gone,
                 events: p.events, closed: c ? !!c.closed : undefined,
                 queued: c ? c.dc.bufferedAmount() : 0,
                 bytes: c ? c.bytes : 0, messages: c ? c.messages : 0,
                 url: p.url, error: p.error, answer: p.answer };
    },

    async wait(o) {
        const p = peers[o.peer];
        await until(o.timeout || 60, () => p.bye
            || (p.channels[0] && p.channels[0].closed)
            || p.pc.state() == 'closed' || p.pc.state() == 'failed'
            || p.pc.state() == 'disconnected');
        return commands.state(o);
    },

    async closeChannel(o) {
        peers[o.peer].channels[o.channel || 0].dc.close();
        return { closed: true };
    },

    async close(o) {
        const p = peers[o.peer];
        p.stopped = true;
        p.pc.close();
        return { closed: true };
    },
};


const rl = readline.createInterface({ input: process.stdin });

let queue = Promise.resolve();

rl.on('line', (line) => {
    queue = queue.then(async () => {
        const o = JSON.parse(line);

        if (o.cmd == 'quit') {
            process.exit(0);
        }

        try {
            const r = await commands[o.cmd](o);
            process.stdout.write(JSON.stringify(r) + '\n');
        } catch (e) {
            process.stdout.write(JSON.stringify({ error: String(e) }) + '\n');
        }
    });
});

rl.on('close', () => queue.then(() => process.exit(0)));
