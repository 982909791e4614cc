/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHIP and WHEP clients on libdatachannel (npm node-datachannel), packet by
 * packet: a test says what is in an RTP packet that is sent, and sees what is
 * in one that comes.
 *
 *     node rtp.js        a JSON command per line on stdin, a JSON result per
 *                        line on stdout
 *
 * Commands:
 *
 *     {"cmd":"open","url":...,"media":[{"kind":"audio","pts":[111,63],
 *      "lines":["rtpmap:111 opus/48000/2",...]}],"publish":true}
 *                        offers these m-lines, with mids "0", "1", ...;
 *                        {"peer":n,"status":201,"answer"}, when it is 201 it
 *                        waits until it is connected
 *     {"cmd":"send","peer":n,"track":k,"packets":[hex,...]}
 *                        whole RTP packets, each in a datagram; {"refused":k}
 *                        that libsrtp did not send
 *     {"cmd":"flood","peer":n,"pt":...,"ssrc":...,"bytes":...,"ms":...}
 *                        a packet of so many bytes every so many ms, until
 *                        "close"
 *     {"cmd":"packets","peer":n,"count":k,"timeout":s}
 *                        waits until so many RTP packets have come since the
 *                        last "packets"; [{pt,marker,seq,ts,ssrc,ext,hex}]
 *     {"cmd":"h264","peer":n,"track":k,"file":...,"pt":...,"ssrc":...,
 *      "fps":25}         plays an Annex B file in a circle, with libdatachannel's
 *                        packetizer, sender reports and retransmission; one
 *                        access unit delimiter per picture; {"pictures":n}.
 *                        "h265":true
 *     {"cmd":"state","peer":n}       {"state","pictures"}
 *     {"cmd":"close","peer":n}       DELETEs; {"status"}
 *     {"cmd":"quit"}
 *
 * A failure is {"error":...}.
 */

'use strict';

const fs = require('fs');
const readline = require('readline');

const { ndc, request, until } = require('./datachannel.js');

const peers = [];


/* the library's offer has the transport, the test says the rest */

function rewrite(sdp, media) {
    let i = -1;

    return sdp.split(/\r?\n/).map((line) => {
        if (/^m=/.test(line)) {
            const m = media[++i];

            return line.replace(/^(m=\S+ \S+ \S+).*/,
                                '$1 ' + m.pts.join(' '))
                   + m.lines.map((l) => '\r\na=' + l).join('');
        }

        return i >= 0 && /^a=(rtpmap|fmtp|rtcp-fb|ssrc|msid|rtcp:)/.test(line)
               ? null : line;

    }).filter((line) => line !== null).join('\r\n');
}


function received(p, m) {
    const b = Buffer.from(m);

    /* RTCP, RFC 5761, 4 */

    if (b.length >= 20 && b[1] == 200) {

        /* a sender report */

        p.reports.push({ ssrc: b.readUInt32BE(4),
                         ntp: b.readUInt32BE(8) + b.readUInt32BE(12) / 2 ** 32,
                         rtp: b.readUInt32BE(16), after: p.packets.length });
    }

    if (b.length < 12 || (b[1] >= 192 && b[1] <= 223)) {
        return;
    }

    let at = 12 + 4 * (b[0] & 15);
    let ext;

    if (b[0] & 16) {
        const n = 4 + 4 * b.readUInt16BE(at + 2);

        ext = b.subarray(at, at + n).toString('hex');
        at += n;
    }

    p.packets.push({ pt: b[1] & 127, marker: b[1] >> 7,
                     seq: b.readUInt16BE(2), ts: b.readUInt32BE(4),
                     ssrc: b.readUInt32BE(8), ext,
                     at: performance.now() / 1000,
                     hex: b.subarray(at).toString('hex') });
}


/* pictures of an Annex B stream that has access unit delimiters */

function pictures(file, h265) {
    const b = fs.readFileSync(file);
    const at = [];

    const delimiter = (head) => h265 ? (head >> 1 & 63) == 35
                                     : (head & 31) == 9;

    for (let i = 0; i + 4 < b.length; i++) {
        if (b[i] == 0 && b[i + 1] == 0 && b[i + 2] == 0 && b[i + 3] == 1
            && delimiter(b[i + 4]))
        {
            at.push(i);
        }
    }

    return at.map((start, n) => b.subarray(start, at[n + 1]));
}


const commands = {

    async open(o) {
        const pc = new ndc.PeerConnection('test', { iceServers: [],
            bindAddress: '127.0.0.1', disableAutoNegotiation: true });

        const p = { pc, tracks: [], packets: [], reports: [], seen: 0, pictures: 0,
                    url: o.url };

        o.media.forEach((m, i) => {
            const d = new ndc[m.kind == 'audio' ? 'Audio' : 'Video'](
                String(i), m.both ? 'SendRecv'
                                  : o.publish ? 'SendOnly' : 'RecvOnly');

            if (m.kind == 'audio') {
                d.addOpusCodec(m.pts[0]);
            } else {
                d.addH264Codec(m.pts[0]);
            }

            if (m.ssrc) {
                d.addSSRC(m.ssrc, 'test', 'test', 'track' + i);
            }

            const track = pc.addTrack(d);

            track.onMessage((b) => received(p, b));
            p.tracks.push(track);
        });

        pc.setLocalDescription('offer');

        await until(10, () => pc.gatheringState() == 'complete');

        const r = await request('POST', o.url,
            { 'Content-Type': 'application/sdp' },
            rewrite(pc.localDescription().sdp, o.media));

        const res = { status: r.status, answer: r.text };

        if (r.status != 201) {
            pc.close();
            return res;
        }

        p.session = new URL(r.headers.location, o.url).href;

        pc.setRemoteDescription(r.text, 'answer');

        await until(20, () => pc.state() == 'connected'
                              && p.tracks.every((t) => t.isOpen()));

        res.peer = peers.push(p) - 1;
        return res;
    },

    async send(o) {
        const track = peers[o.peer].tracks[o.track || 0];
        let refused = 0;

        for (const hex of o.packets) {
            try {
                track.sendMessageBinary(Buffer.from(hex, 'hex'));

            } catch {
                /* a number that is too old for libsrtp */
                refused++;
            }
        }

        return { refused };
    },

    async flood(o) {
        const p = peers[o.peer];
        let n = 0;

        p.timer = setInterval(() => {
            const b = Buffer.alloc(12 + o.bytes, 0xfc);

            b.writeUInt16BE(0x8000 | o.pt, 0);
            b.writeUInt16BE(n & 0xffff, 2);
            b.writeUInt32BE(n++ * 960, 4);
            b.writeUInt32BE(o.ssrc, 8);

            if (p.tracks[0].isOpen()) {
                p.tracks[0].sendMessageBinary(b);
            }
        }, o.ms);

        return {};
    },

    async packets(o) {
        const p = peers[o.peer];
        const from = p.seen;

        await until(o.timeout || 10, () => p.packets.length - from >= o.count);

        p.seen = p.packets.length;
        return { packets: p.packets.slice(from) };
    },

    async reports(o) {
        return { reports: peers[o.peer].reports };
    },

    async h264(o) {
        const p = peers[o.peer];
        const track = p.tracks[o.track || 0];
        const list = pictures(o.file, o.h265);
        const config = new ndc.RtpPacketizationConfig(o.ssrc, 'test', o.pt,
                                                      90000);
        const packetizer = new (o.h265 ? ndc.H265RtpPacketizer
                                       : ndc.H264RtpPacketizer)(
            'StartSequence', config);

        packetizer.addToChain(new ndc.RtcpSrReporter(config));
        packetizer.addToChain(new ndc.RtcpNackResponder());
        track.setMediaHandler(packetizer);

        const start = Date.now();

        p.timer = setInterval(() => {
            const due = Math.floor((Date.now() - start) * o.fps / 1000);

            while (p.pictures <= due && track.isOpen()) {
                config.timestamp = (p.pictures * 90000 / o.fps) >>> 0;
                track.sendMessageBinary(list[p.pictures % list.length]);
                p.pictures++;
            }
        }, 10);

        return { pictures: list.length };
    },

    async state(o) {
        return { state: peers[o.peer].pc.state(),
                 pictures: peers[o.peer].pictures };
    },

    async close(o) {
        const p = peers[o.peer];

        clearInterval(p.timer);

        const r = await request('DELETE', p.session, {});

        p.pc.close();
        return { status: r.status };
    },
};


(async () => {
    const input = readline.createInterface({ input: process.stdin });

    for await (const line of input) {
        let r;

        try {
            const o = JSON.parse(line);

            if (o.cmd == 'quit') {
                break;
            }

            r = await commands[o.cmd](o);

        } catch (e) {
            r = { error: String(e && e.message || e) };
        }

        process.stdout.write(JSON.stringify(r) + '\n');
    }

    process.exit(0);
})();
