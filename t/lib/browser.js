/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plays WHEP streams in a headless Chromium and reports what it sees.  With
 * BROWSER=firefox in the environment it is a Firefox (firefox.js), which cannot
 * do "shot".
 *
 *     node browser.js                        a JSON command per line on stdin,
 *                                            a JSON result per line on stdout
 *     node browser.js play <url> <seconds>   one run, one result
 *
 * Commands (NgxWebRTC::Browser in t/lib drives them):
 *
 *     {"cmd":"play","url":...}      POSTs an offer; {"player":n,"status":201,
 *                                   "offer","answer","location","etag",
 *                                   "postMs"}; options: "audio":false,
 *                                   "video":false, "codec":"H264" (the only
 *                                   one offered), "audioCodecs":["red","opus"]
 *                                   (the only ones), "stereo":false, "port":n (rewrites the
 *                                   port of the answer's candidates: a relay),
 *                                   "iceTimeout", "rtc" (configuration of the
 *                                   RTCPeerConnection), "only":"relay" (drops
 *                                   other candidates of the answer), "trickle",
 *                                   "addresses" (candidates have addresses
 *                                   instead of mDNS names)
 *     {"cmd":"restart","player":n}  restarts ICE; {"status","frag","etag"}
 *     {"cmd":"patched","player":n}  {"patched":[204,...]}: of "trickle"
 *     {"cmd":"publish","url":...}   the same for WHIP, with colour bars and a tone:
 *                                   "codec", "audio":false, "width", "height",
 *                                   "fps", "port", "mic" (the tone is that of
 *                                   the browser's fake microphone),
 *                                   "video":false, "noise":1 (no picture; less:
 *                                   some of it),
 *                                   "layers" (sendEncodings: simulcast)
 *     {"cmd":"active","player":n,"rid":"h","active":false}
 *                                   a layer of a publisher stops, or begins;
 *                                   "maxBitrate" of it
 *     {"cmd":"scale","player":n,"mode":"L2T2"}
 *                                   the layers inside of what it publishes
 *     {"cmd":"sent","player":n}     a publisher's statistics
 *     {"cmd":"wait","player":n,"frames":50,"timeout":10}
 *                                   until so many more frames are decoded
 *     {"cmd":"run","player":n,"seconds":5}
 *                                   lets it play, then as "stats"
 *     {"cmd":"stats","player":n}    see stats() in the page
 *     {"cmd":"mark","player":n}     maxGapMs and longGaps (over 300 ms) count from
 *                                   here
 *     {"cmd":"sample","player":n,"points":[[x,y],...]}
 *                                   colours [r,g,b], x and y from 0 to 1
 *     {"cmd":"screenshot","player":n,"path":...}
 *     {"cmd":"stop","player":n}     DELETEs; {"status":200}
 *     {"cmd":"drop","player":n}     closes without DELETE
 *     {"cmd":"leave","player":n}    pc.close() without DELETE
 *     {"cmd":"page","url":...}      opens a page; {"page":n}; "context": options
 *                                   of a browser context of its own
 *                                   (colorScheme, viewport, ...)
 *     {"cmd":"eval","page":n,"script":...,"timeout":s}
 *                                   until the expression is not null; {"value"}
 *     {"cmd":"close","page":n}
 *     {"cmd":"shot","page":n,"path":...,"width":w,"height":h}
 *     {"cmd":"quit"}
 *
 * A failure is {"error":...}.  Nothing but this machine is reached.
 */

'use strict';

const path = require('path');
const readline = require('readline');

const build = process.env.WEBRTC_BUILD
              || path.join(__dirname, '..', '..', 'build');

const engine = process.env.BROWSER == 'firefox'
               ? require('./firefox.js')
               : require(path.join(build, 'node_modules', 'playwright-core'))
                 .chromium;

const FLAGS = [
    '--no-sandbox',
    '--headless',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-client-side-phishing-detection',
    '--disable-features=OptimizationHints,MediaRouter,Translate',
    '--no-first-run',
    '--no-pings',
    '--disable-quic',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    /* http://far.test is this machine, too, but browsers do not trust it */

    '--host-resolver-rules=MAP far.test 127.0.0.1, MAP * ~NOTFOUND, '
        + 'EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1',
];


/* runs inside the page: one player per page */

function inPage() {
    const t = window.tester = {};

    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

    /* audio codecs by name, the preferred one first, and no others */

    t.prefer = function (tr, side, names) {
        const all = side.getCapabilities('audio').codecs;

        tr.setCodecPreferences(names.map((name) => all.find(
            (c) => c.mimeType.toLowerCase() == 'audio/' + name)));
    };

    t.play = async function (o) {

        /* who may use the microphone may know addresses: no mDNS names */

        if (o.addresses) {
            await navigator.mediaDevices.getUserMedia({ audio: true });
        }

        const pc = t.pc = new RTCPeerConnection(o.rtc);
        const video = t.video = document.createElement('video');

        t.frames = 0;
        t.maxGap = 0;
        t.longGaps = 0;
        t.last = 0;
        t.first = 0;

        video.autoplay = true;
        video.playsInline = true;
        video.style.width = '640px';
        document.body.appendChild(video);

        const stream = new MediaStream();
        video.srcObject = stream;

        pc.ontrack = (e) => {
            stream.addTrack(e.track);

            if (e.track.kind == 'audio') {
                t.listen(e.track);
            }
        };

        const onframe = (now) => {
            t.frames++;

            if (t.last) {
                t.maxGap = Math.max(t.maxGap, now - t.last);
                t.longGaps += now - t.last > 300;
            } else {
                t.first = now;
            }

            t.last = now;
            video.requestVideoFrameCallback(onframe);
        };

        video.requestVideoFrameCallback(onframe);

        for (const kind of ['video', 'audio']) {
            if (o[kind] === false) {
                continue;
            }

            const tr = pc.addTransceiver(kind, { direction: 'recvonly' });

            if (kind == 'video' && o.codec) {
                tr.setCodecPreferences(
                    RTCRtpReceiver.getCapabilities('video').codecs.filter(
                        (c) => c.mimeType.toLowerCase()
                               == 'video/' + o.codec.toLowerCase()
                               || /rtx/.test(c.mimeType)));
            }

            if (kind == 'audio' && o.audioCodecs) {
                t.prefer(tr, RTCRtpReceiver, o.audioCodecs);
            }
        }

        const offer = await pc.createOffer();

        /* Chromium decodes Opus to mono unless its own offer says otherwise */

        if (o.stereo !== false) {
            offer.sdp = offer.sdp.replace(/(useinbandfec=1)/g, '$1;stereo=1');
        }

        await pc.setLocalDescription(offer);

        t.start = performance.now();

        const r = await fetch(o.url, {
            method: 'POST',
            headers: { 'Content-Type': 'application/sdp' },
            body: pc.localDescription.sdp,
        });

        const body = await r.text();

        const res = {
            status: r.status,
            postMs: performance.now() - t.start,
            location: r.headers.get('Location'),
            etag: r.headers.get('ETag'),
            link: r.headers.get('Link'),
            type: r.headers.get('Content-Type'),
            retryAfter: r.headers.get('Retry-After'),
            offer: offer.sdp,
            answer: body,
        };

        if (r.status != 201) {
            pc.close();
            return res;
        }

        t.session = new URL(res.location, o.url).href;

        let sdp = body;

        if (o.only) {
            sdp = sdp.split('\r\n').filter((l) => !/^a=candidate/.test(l)
                                     || l.includes(' typ ' + o.only))
                     .join('\r\n');
        }

        if (o.trickle) {
            t.trickle(res.etag);
        }

        if (o.port) {
            sdp = sdp.replace(
                /^(a=candidate:\S+ \d+ \S+ \d+ \S+) \d+/gm,
                '$1 ' + o.port);
        }

        await pc.setRemoteDescription({ type: 'answer', sdp });

        return res;
    };

    /* RFC 9725, 4.3.2: sends candidates as they come */

    const ufrag = (sdp) => /^a=ice-ufrag:.*$/m.exec(sdp)[0] + '\r\n'
                           + /^a=ice-pwd:.*$/m.exec(sdp)[0] + '\r\n';

    t.patch = (etag, body) => fetch(t.session, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/trickle-ice-sdpfrag',
                   'If-Match': etag },
        body,
    });

    t.trickle = function (etag) {
        t.patches = [];

        const send = async (c) => {
            const r = await t.patch(etag || '*',
                ufrag(t.pc.localDescription.sdp)
                + 'm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n'
                + (c ? 'a=' + c.candidate : 'a=end-of-candidates') + '\r\n');

            t.patches.push(r.status);
        };

        t.pc.onicecandidate = (e) => e.candidate && e.candidate.candidate
                                     ? send(e.candidate) : send(null);

        /* those that came while we waited for the answer */

        for (const m of t.pc.localDescription.sdp
                            .matchAll(/^a=(candidate:.*?)\r?$/gm))
        {
            send({ candidate: m[1] });
        }
    };

    t.patched = async () => ({ patched: t.patches || [] });

    /* RFC 9725, 4.3.3; waits until the new credentials are connected */

    t.restart = async function () {
        const pc = t.pc;
        const offer = await pc.createOffer({ iceRestart: true });

        pc.onicecandidate = null;
        await pc.setLocalDescription(offer);

        /* with all candidates */

        for (let i = 0; i < 50 && pc.iceGatheringState != 'complete'; i++) {
            await wait(100);
        }

        const sdp = pc.localDescription.sdp;
        const cands = [...new Set(sdp.match(/^a=candidate:.*$/gm) || [])];

        const r = await t.patch('*', ufrag(sdp)
            + 'm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n'
            + cands.map((c) => c.trim() + '\r\n').join(''));

        const res = { status: r.status, frag: await r.text(),
                      etag: r.headers.get('ETag'), sent: cands };

        if (r.status != 200) {
            return res;
        }

        const line = (name) => new RegExp('^a=' + name + ':(.*?)\r?$', 'm')
                               .exec(res.frag)[1];

        let answer = pc.remoteDescription.sdp
            .replace(/^a=candidate:.*\r\n/gm, '')
            .replace(/^a=end-of-candidates\r\n/gm, '')
            .replace(/^a=ice-ufrag:.*$/gm, 'a=ice-ufrag:' + line('ice-ufrag'))
            .replace(/^a=ice-pwd:.*$/gm, 'a=ice-pwd:' + line('ice-pwd'));

        await pc.setRemoteDescription({ type: 'answer', sdp: answer });

        for (const c of res.frag.match(/^a=candidate:.*$/gm) || []) {
            await pc.addIceCandidate({ candidate: c.substr(2).trim(),
                                       sdpMid: '0' });
        }

        return res;
    };

    /* colour bars and a tone, as of t/lib/media.sh's, made here */

    t.publish = async function (o) {
        const pc = t.pc = new RTCPeerConnection(o.rtc);
        const canvas = document.createElement('canvas');
        const g = canvas.getContext('2d');
        const colours = ['#c0c0c0', '#c0c000', '#00c0c0', '#00c000',
                         '#c000c0', '#c00000', '#0000c0'];
        let n = 0;

        canvas.width = o.width || 640;
        canvas.height = o.height || 360;

        const noise = document.createElement('canvas');

        if (o.noise) {
            noise.width = 2 * canvas.width;
            noise.height = 2 * canvas.height;

            const ng = noise.getContext('2d');
            const im = ng.createImageData(noise.width, noise.height);

            for (let i = 0; i < im.data.length; i++) {
                im.data[i] = Math.random() * 256;
            }

            ng.putImageData(im, 0, 0);
        }

        const draw = () => {
            const w = canvas.width / 7;

            colours.forEach((c, i) => {
                g.fillStyle = c;
                g.fillRect(Math.floor(i * w), 0, Math.ceil(w), canvas.height);
            });

            g.fillStyle = '#fff';
            g.font = '24px sans-serif';
            g.fillText(String(n), 10, canvas.height - 10);
            g.fillRect((n * 7) % canvas.width, canvas.height * 0.7, 40, 40);
            n++;

            if (o.noise) {

                /* what no encoder makes small: parts of a larger one, too far
                   from each other for its search, as to make one takes long */

                g.globalAlpha = o.noise;
                g.drawImage(noise, -Math.random() * canvas.width,
                            -Math.random() * canvas.height);
                g.globalAlpha = 1;
            }
        };

        draw();
        setInterval(draw, 1000 / (o.fps || 30));

        const tr = o.video === false ? null : pc.addTransceiver(
            canvas.captureStream(o.fps || 30).getVideoTracks()[0],
            o.layers ? { direction: 'sendonly', sendEncodings: o.layers }
                     : { direction: 'sendonly' });

        if (o.codec) {
            tr.setCodecPreferences(
                RTCRtpSender.getCapabilities('video').codecs.filter(
                    (c) => c.mimeType.toLowerCase()
                           == 'video/' + o.codec.toLowerCase()
                           || /rtx/.test(c.mimeType)));
        }

        if (o.mic) {
            const ms = await navigator.mediaDevices.getUserMedia(
                { audio: true });

            pc.addTransceiver(ms.getAudioTracks()[0],
                              { direction: 'sendonly' });

        } else if (o.audio !== false) {
            const ac = new AudioContext();
            const osc = ac.createOscillator();
            const dst = ac.createMediaStreamDestination();

            osc.frequency.value = 440;
            osc.connect(dst);
            osc.start();

            const atr = pc.addTransceiver(dst.stream.getAudioTracks()[0],
                                          { direction: 'sendonly' });

            if (o.audioCodecs) {
                t.prefer(atr, RTCRtpSender, o.audioCodecs);
            }
        }

        await pc.setLocalDescription(await pc.createOffer());

        const r = await fetch(o.url, {
            method: 'POST',
            headers: { 'Content-Type': 'application/sdp' },
            body: pc.localDescription.sdp,
        });

        const res = { status: r.status, answer: await r.text(),
                      offer: pc.localDescription.sdp,
                      link: r.headers.get('Link'),
                      location: r.headers.get('Location') };

        if (r.status != 201) {
            pc.close();
            return res;
        }

        t.session = new URL(res.location, o.url).href;

        let sdp = res.answer;

        if (o.port) {
            sdp = sdp.replace(
                /^(a=candidate:\S+ \d+ \S+ \d+ \S+) \d+/gm,
                '$1 ' + o.port);
        }

        await pc.setRemoteDescription({ type: 'answer', sdp });

        return res;
    };

    /* the pair that media takes: Chromium sends before it has nominated it,
       Firefox has no transports */

    t.chosen = function (all, pair) {
        let id;

        all.forEach((s) => { id = s.selectedCandidatePairId || id; });

        return id ? pair.id == id
                  : pair.nominated && pair.state == 'succeeded';
    };

    t.active = async function (o) {
        const sender = t.pc.getSenders().find((s) => s.track.kind == 'video');
        const p = sender.getParameters();

        const e = p.encodings.find((one) => one.rid == o.rid);

        e.active = o.active;

        if (o.maxBitrate) {
            e.maxBitrate = o.maxBitrate;
        }

        await sender.setParameters(p);

        return {};
    };

    t.scale = async function (o) {
        const sender = t.pc.getSenders().find((s) => s.track.kind == 'video');
        const p = sender.getParameters();

        p.encodings[0].scalabilityMode = o.mode;

        try {
            await sender.setParameters(p);
        } catch (e) {
            return { refused: String(e) };
        }

        return {};
    };

    t.sent = async function () {
        const r = { state: t.pc.connectionState, layers: {} };
        const all = await t.pc.getStats();

        all.forEach((s) => {
            if (s.type == 'outbound-rtp') {
                const k = s.kind;

                r[k + 'Packets'] = s.packetsSent;
                r[k + 'Resent'] = s.retransmittedPacketsSent;
                r[k + 'Nacks'] = s.nackCount;

                if (k == 'video') {
                    r.layers[s.rid || ''] = {
                        height: s.frameHeight, frames: s.framesSent,
                        plis: s.pliCount, nacks: s.nackCount,
                    };
                    r.framesEncoded = s.framesEncoded;
                    r.keyFramesEncoded = s.keyFramesEncoded;
                    r.plis = s.pliCount;
                    r.firs = s.firCount;
                    r.targetBitrate = s.targetBitrate;
                }
            }

            if (s.type == 'remote-inbound-rtp') {
                r[s.kind + 'Rtt'] = s.roundTripTime;
                r[s.kind + 'Fraction'] = s.fractionLost;
                r[s.kind + 'Reports'] = s.roundTripTimeMeasurements;
            }

            if (s.type == 'candidate-pair' && t.chosen(all, s)) {
                r.available = s.availableOutgoingBitrate;
                r.protocol = (all.get(s.localCandidateId) || {}).protocol;
            }
        });

        return r;
    };

    /* the strongest tone of each channel, by the analyser's largest bin */

    t.listen = function (track) {
        const ac = new AudioContext();
        const src = ac.createMediaStreamSource(new MediaStream([track]));
        const split = ac.createChannelSplitter(2);

        src.connect(split);

        t.tones = [0, 1].map((i) => {
            const an = ac.createAnalyser();
            an.fftSize = 8192;
            split.connect(an, i);

            return () => {
                const bins = new Float32Array(an.frequencyBinCount);
                an.getFloatFrequencyData(bins);

                let max = 0;
                bins.forEach((db, n) => { if (db > bins[max]) { max = n; } });

                return bins[max] > -70
                       ? Math.round(max * ac.sampleRate / an.fftSize) : 0;
            };
        });
    };

    t.stats = async function () {
        const all = [];
        const r = { maxGapMs: 0 };

        (await t.pc.getStats()).forEach((s) => all.push(s));

        const byId = (id) => all.find((s) => s.id == id) || {};

        for (const s of all) {
            if (s.type == 'inbound-rtp' && s.kind == 'video') {
                Object.assign(r, {
                    framesDecoded: s.framesDecoded || 0,
                    framesDropped: s.framesDropped || 0,
                    keyFramesDecoded: s.keyFramesDecoded || 0,
                    freezeCount: s.freezeCount || 0,
                    freezeSeconds: s.totalFreezesDuration || 0,
                    width: s.frameWidth,
                    height: s.frameHeight,
                    videoPackets: s.packetsReceived,
                    videoLost: s.packetsLost,
                    videoBytes: s.bytesReceived,
                    nacks: s.nackCount,
                    plis: s.pliCount,
                    rtx: s.retransmittedPacketsReceived,
                    videoJitter: s.jitter,
                    videoNtp: s.estimatedPlayoutTimestamp,
                    codec: (byId(s.codecId).mimeType || '')
                           .replace(/.*\//, ''),
                    codecFmtp: byId(s.codecId).sdpFmtpLine,
                });
            }

            if (s.type == 'inbound-rtp' && s.kind == 'audio') {
                Object.assign(r, {
                    audioEnergy: s.totalAudioEnergy || 0,
                    audioSeconds: s.totalSamplesDuration || 0,
                    audioLevel: s.audioLevel || 0,
                    audioPackets: s.packetsReceived,
                    audioLost: s.packetsLost,
                    audioConcealed: s.concealedSamples,
                    audioBytes: s.bytesReceived,
                    audioNtp: s.estimatedPlayoutTimestamp,
                    audioCodec: (byId(s.codecId).mimeType || '')
                                .replace(/.*\//, ''),
                });
            }

            if (s.type == 'remote-outbound-rtp') {
                /* Firefox does not count them, but has this with the first */
                r[s.kind + 'Sr'] = s.reportsSent || +!!s.packetsSent;
            }

            if (s.type == 'candidate-pair' && t.chosen(all, s)) {
                const l = byId(s.localCandidateId);
                const c = byId(s.remoteCandidateId);

                r.rttMs = s.currentRoundTripTime * 1000;
                r.protocol = l.protocol;
                r.local = l.address + ':' + l.port;
                r.remote = c.address + ':' + c.port;
            }

            if (s.type == 'transport') {
                r.srtp = s.srtpCipher;
                r.dtls = s.dtlsState;
            }
        }

        if (r.videoNtp && r.audioNtp) {
            r.avSkewMs = r.videoNtp - r.audioNtp;
        }

        r.state = t.pc.connectionState;
        r.ice = t.pc.iceConnectionState;
        r.presented = t.frames;
        r.longGaps = t.longGaps;
        r.firstFrameMs = t.first ? t.first - t.start : null;
        r.maxGapMs = t.last
                     ? Math.max(t.maxGap, performance.now() - t.last) : null;
        r.tones = t.tones ? t.tones.map((f) => f()) : [0, 0];
        r.currentTime = t.video.currentTime;

        /* as shown, turned where the stream says so */
        r.shown = t.video.videoWidth + 'x' + t.video.videoHeight;

        return r;
    };

    t.mark = async function () {
        t.maxGap = 0;
        t.longGaps = 0;
        return {};
    };

    t.wait = async function (o) {
        const from = (await t.stats()).framesDecoded || 0;
        const end = performance.now() + (o.timeout || 10) * 1000;

        for ( ;; ) {
            const s = await t.stats();

            if ((s.framesDecoded || 0) >= from + o.frames) {
                return s;
            }

            if (performance.now() > end) {
                s.error = 'only ' + ((s.framesDecoded || 0) - from)
                          + ' frames of ' + o.frames + ' in '
                          + (o.timeout || 10) + ' s';
                return s;
            }

            await wait(20);
        }
    };

    t.canvas = function () {
        const v = t.video;
        const c = document.createElement('canvas');

        c.width = v.videoWidth;
        c.height = v.videoHeight;
        c.getContext('2d').drawImage(v, 0, 0);

        return c;
    };

    /* the mean of 5 by 5 pixels */

    t.sample = async function (o) {
        const c = t.canvas();

        if (!c.width) {
            return { error: 'no picture' };
        }

        const g = c.getContext('2d');

        return { colours: o.points.map((p) => {
            const d = g.getImageData(Math.round(p[0] * c.width) - 2,
                                     Math.round(p[1] * c.height) - 2,
                                     5, 5).data;
            const sum = [0, 0, 0];

            for (let i = 0; i < d.length; i += 4) {
                for (let j = 0; j < 3; j++) {
                    sum[j] += d[i + j] / 25;
                }
            }

            return sum.map(Math.round);
        }) };
    };

    t.image = async function () {
        return { data: t.canvas().toDataURL('image/png') };
    };

    t.stop = async function (o) {
        let status = null;

        if (o.remove) {
            status = (await fetch(t.session, { method: 'DELETE' })).status;
        }

        t.pc.close();

        return { status };
    };
}


let browser;
let context;
const players = [];
const pages = [];


async function start() {
    browser = await engine.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        args: FLAGS,
        headless: true,
        chromiumSandbox: false,
        timeout: 60000,
    });

    context = await browser.newContext({ viewport: { width: 1280,
                                                     height: 800 } });
}


/* an empty page of the server's own origin, so that CORS does not matter */

async function blank(url) {
    const page = await context.newPage();
    const at = new URL('/__blank', url).href;

    await page.route(at, (route) => route.fulfill({
        contentType: 'text/html',
        body: '<!doctype html><title>test</title><body>',
    }));

    await page.goto(at);
    await page.evaluate(inPage);

    return page;
}


const commands = {

    async play(o) {
        const page = await blank(o.url);
        const res = await page.evaluate((a) => window.tester.play(a), o);

        res.player = players.push(page) - 1;
        return res;
    },

    async publish(o) {
        const page = await blank(o.url);
        const res = await page.evaluate((a) => window.tester.publish(a), o);

        res.player = players.push(page) - 1;
        return res;
    },

    async page(o) {
        const own = o.context ? await browser.newContext(o.context) : context;
        const page = await own.newPage();
        const errors = page.errors = [];

        page.on('pageerror', (e) => errors.push(String(e)));
        page.on('console', (m) => {
            if (m.type() == 'error') {
                errors.push(m.text());
            }
        });

        const r = await page.goto(o.url, { waitUntil: 'domcontentloaded' });
        return { page: pages.push(page) - 1, status: r.status() };
    },

    async close(o) {
        await pages[o.page].close();
        return {};
    },

    async eval(o) {
        const page = pages[o.page];
        const end = Date.now() + (o.timeout || 10) * 1000;

        for ( ;; ) {
            const value = await page.evaluate(o.script);

            if (value !== null && value !== undefined && value !== false) {
                return { value, errors: page.errors };
            }

            if (Date.now() > end) {
                return { error: 'not in time: ' + o.script,
                         errors: page.errors };
            }

            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    },

    async shot(o) {
        const page = pages[o.page];

        if (o.width) {
            await page.setViewportSize({ width: o.width, height: o.height });
        }

        await page.screenshot({ path: o.path, fullPage: !!o.full });
        return {};
    },

    async run(o) {
        const page = players[o.player];

        await new Promise((resolve) => setTimeout(resolve, o.seconds * 1000));
        return page.evaluate(() => window.tester.stats());
    },

    async screenshot(o) {
        const r = await players[o.player].evaluate(
            () => window.tester.image());

        require('fs').writeFileSync(
            o.path, Buffer.from(r.data.replace(/^[^,]*,/, ''), 'base64'));

        return {};
    },

    async stop(o) {
        const page = players[o.player];
        const r = await page.evaluate(
            () => window.tester.stop({ remove: true }));

        await page.close();
        return r;
    },

    async leave(o) {
        await players[o.player].evaluate(
            () => window.tester.stop({ remove: false }));
        return {};
    },

    async drop(o) {
        await players[o.player].close();
        return {};
    },
};

for (const name of ['stats', 'sent', 'mark', 'wait', 'sample', 'restart',
                    'patched', 'active', 'scale']) {
    commands[name] = (o) => players[o.player].evaluate(
        ([n, a]) => window.tester[n](a), [name, o]);
}


async function once(url, seconds) {
    await start();

    const p = await commands.play({ url });

    if (p.status != 201) {
        return p;
    }

    const r = await commands.run({ player: p.player, seconds });

    const points = [];
    for (let i = 0; i < 7; i++) {
        points.push([(i + 0.5) / 7, 0.3]);
    }

    Object.assign(r, { status: p.status, postMs: p.postMs },
                  await commands.sample({ player: p.player, points }),
                  { stop: (await commands.stop(p)).status });
    return r;
}


async function serve() {
    const input = readline.createInterface({ input: process.stdin });

    for await (const line of input) {
        let r;

        try {
            const o = JSON.parse(line);

            if (o.cmd == 'quit') {
                break;
            }

            if (!browser) {
                await start();
            }

            r = await commands[o.cmd](o);

        } catch (e) {
            r = { error: String(e && e.message || e) };
        }

        process.stdout.write(JSON.stringify(r) + '\n');
    }
}


(async () => {
    let status = 0;

    try {
        if (process.argv[2] == 'play') {
            console.log(JSON.stringify(
                await once(process.argv[3], +process.argv[4] || 5), null, 1));

        } else {
            await serve();
        }

    } catch (e) {
        console.log(JSON.stringify({ error: String(e && e.message || e) }));
        status = 1;
    }

    if (browser) {
        await browser.close().catch(() => {});
    }

    process.exit(status);
})();
