/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHEP player in one class, for any page:
 *
 *     import { WhepPlayer } from './whep.js';
 *
 *     const player = new WhepPlayer('/whep/camera1', video);
 *     player.addEventListener('state', () => console.log(player.state));
 *     player.addEventListener('stats', (e) => console.log(e.detail));
 *     player.start();
 *     ...
 *     player.stop();
 *
 * States: idle, connecting, playing, stalled (connected, but the stream has
 * gone quiet: it resumes by itself), retry (player.message says why,
 * player.retryIn when), failed (no use in trying again).
 */

const BACKOFF = [500, 1000, 2000, 4000, 5000];   /* ms, then the last */
const STALL = 3000;          /* ms without a frame until "stalled" */
const GIVE_UP = 8000;        /* ms of a broken connection until a new one */
const CONNECT = 10000;       /* ms from the answer to a connection */


export class WhepPlayer extends EventTarget {

    constructor(url, video) {
        super();

        this.url = new URL(url, location.href).href;
        this.video = video;
        this.state = 'idle';
        this.message = '';
        this.retryIn = 0;
        this.firstFrameMs = null;
        this.attempt = 0;
        this.run = 0;

        this.onpagehide = () => this.stop();
    }


    start() {
        if (this.state != 'idle' && this.state != 'failed') {
            return;
        }

        addEventListener('pagehide', this.onpagehide);
        this.attempt = 0;
        this.connect();
    }


    stop() {
        removeEventListener('pagehide', this.onpagehide);
        this.close();
        this.set('idle');
    }


    /* everything of one attempt; "run" tells its callbacks from later ones */

    async connect() {
        const run = ++this.run;
        const stale = () => run != this.run;

        this.set('connecting');
        this.firstFrameMs = null;
        this.last = null;

        const pc = this.pc = new RTCPeerConnection();
        const stream = new MediaStream();

        /* not before there is a track: a video that waits for data holds up
           the page's load event, and the last picture may stay meanwhile */

        pc.ontrack = (e) => {
            stream.addTrack(e.track);

            if (this.video.srcObject != stream) {
                this.video.srcObject = stream;
            }
        };

        pc.onconnectionstatechange = () => {
            if (stale()) {
                return;
            }

            switch (pc.connectionState) {

            case 'connected':
                clearTimeout(this.timer);
                break;

            case 'disconnected':
                this.timer = setTimeout(
                    () => this.retry('The connection was lost.'), GIVE_UP);
                break;

            case 'failed':
            case 'closed':
                this.retry('The connection ended.');
            }
        };

        pc.addTransceiver('video', { direction: 'recvonly' });
        pc.addTransceiver('audio', { direction: 'recvonly' });

        try {
            const offer = await pc.createOffer();

            /* else Chromium decodes Opus to mono */

            offer.sdp = offer.sdp.replace(/(a=fmtp:\d+ .*useinbandfec=1)/g,
                                          '$1;stereo=1');

            await pc.setLocalDescription(offer);

            if (stale()) {
                return;
            }

            /* no gathering: the server is ICE-lite and learns where we are
               from our checks */

            const began = performance.now();
            const abort = this.abort = new AbortController();

            const response = await fetch(this.url, {
                method: 'POST',
                headers: { 'Content-Type': 'application/sdp' },
                body: offer.sdp,
                signal: abort.signal,
            });

            const body = await response.text();

            if (response.status == 201) {
                this.session = new URL(response.headers.get('Location'),
                                       this.url).href;
            }

            if (stale()) {
                this.remove();
                return;
            }

            if (response.status != 201) {
                this.refused(response, body);
                return;
            }

            this.timer = setTimeout(
                () => this.retry('No answer over UDP.'), CONNECT);

            await pc.setRemoteDescription({ type: 'answer', sdp: body });

            if (stale()) {
                return;
            }

            this.frames(run, began);
            this.ticker = setInterval(() => this.tick(run), 1000);
            this.video.play().catch(() => {});

        } catch (e) {
            if (!stale() && e.name != 'AbortError') {
                this.retry(e instanceof TypeError
                           ? 'The server does not answer.' : e.message);
            }
        }
    }


    refused(response, body) {
        let problem = {};

        try {
            problem = JSON.parse(body);
        } catch (e) {
            /* not ours, nginx's own page */
        }

        const text = problem.detail || problem.title
                     || response.status + ' ' + response.statusText;

        const after = parseInt(response.headers.get('Retry-After'), 10);

        if ([409, 429, 500, 502, 503, 504].includes(response.status)) {
            this.retry(text, after >= 0 ? after * 1000 : undefined);

        } else {
            this.close();
            this.set('failed', text);
        }
    }


    retry(message, delay) {
        this.close();

        if (delay === undefined) {
            delay = BACKOFF[Math.min(this.attempt, BACKOFF.length - 1)];
            delay *= 0.8 + 0.4 * Math.random();
        }

        this.attempt++;
        this.retryIn = delay;
        this.set('retry', message);
        this.timer = setTimeout(() => this.connect(), delay);
    }


    /* the first frame, and when the last one was */

    frames(run, began) {
        const seen = () => {
            if (run != this.run) {
                return;
            }

            if (this.firstFrameMs === null) {
                this.firstFrameMs = performance.now() - began;
                this.attempt = 0;
            }

            this.lastFrame = performance.now();

            if (this.state != 'playing') {
                this.set('playing');
            }
        };

        this.seen = seen;

        if (this.video.requestVideoFrameCallback) {
            const next = () => {
                seen();

                if (run == this.run) {
                    this.video.requestVideoFrameCallback(next);
                }
            };

            this.video.requestVideoFrameCallback(next);

        } else {
            this.video.addEventListener('timeupdate', seen);
        }

        /* a stream without video */
        this.video.addEventListener('playing', seen, { once: true });
    }


    async tick(run) {
        const report = await this.pc.getStats();

        if (run != this.run) {
            return;
        }

        const all = new Map();
        report.forEach((s) => all.set(s.id, s));

        const now = { time: performance.now(), bytes: 0, lost: 0, packets: 0,
                      frames: 0, firstFrameMs: this.firstFrameMs };

        for (const s of all.values()) {

            if (s.type == 'inbound-rtp') {
                const codec = all.get(s.codecId) || {};

                now.bytes += s.bytesReceived + (s.headerBytesReceived || 0);
                now.lost += s.packetsLost || 0;
                now.packets += s.packetsReceived || 0;

                now[s.kind] = {
                    codec: (codec.mimeType || '').replace(/.*\//, ''),
                    fmtp: codec.sdpFmtpLine || '',
                    rate: codec.clockRate,
                    channels: codec.channels,
                    jitterMs: (s.jitter || 0) * 1000,
                    nacks: s.nackCount,
                    plis: s.pliCount,
                };

                if (s.kind == 'video') {
                    now.frames = s.framesDecoded || 0;
                    now.width = s.frameWidth;
                    now.height = s.frameHeight;
                    now.dropped = s.framesDropped;
                    now.freezes = s.freezeCount;
                    now.decoder = s.decoderImplementation;
                    now.bufferMs = s.jitterBufferEmittedCount
                                   ? s.jitterBufferDelay * 1000
                                     / s.jitterBufferEmittedCount : null;
                }
            }

            if (s.type == 'candidate-pair' && s.nominated
                && s.state == 'succeeded')
            {
                const remote = all.get(s.remoteCandidateId) || {};

                now.rttMs = s.currentRoundTripTime * 1000;
                now.remote = remote.address
                             ? remote.address + ':' + remote.port : '';
            }

            if (s.type == 'transport') {
                now.srtp = (s.srtpCipher || '').replace(/^SRTP_/, '');
                now.dtls = s.tlsVersion == 'FEFD' ? '1.2'
                         : s.tlsVersion == 'FEFC' ? '1.3' : '';
            }
        }

        const last = this.last;
        this.last = now;

        if (last) {
            const seconds = (now.time - last.time) / 1000;
            const lost = now.lost - last.lost;
            const got = now.packets - last.packets;

            now.bitrate = 8 * (now.bytes - last.bytes) / seconds;
            now.fps = (now.frames - last.frames) / seconds;
            now.lossPercent = lost + got > 0
                              ? Math.max(0, 100 * lost / (lost + got)) : 0;

            if (!now.video && got) {
                this.seen();
            }
        }

        if (this.state == 'playing'
            && performance.now() - this.lastFrame > STALL
            && document.visibilityState == 'visible')
        {
            this.set('stalled');
        }

        this.dispatchEvent(new CustomEvent('stats', { detail: now }));
    }


    /* ends the attempt: nothing of it calls back any more */

    close() {
        this.run++;

        clearTimeout(this.timer);
        clearInterval(this.ticker);

        if (this.abort) {
            this.abort.abort();
            this.abort = null;
        }

        /* DELETE first: the server ends a session whose connection closes */

        const pc = this.pc;

        this.pc = null;
        this.remove().finally(() => pc && pc.close());
    }


    async remove() {
        const session = this.session;

        if (session) {
            this.session = null;
            await fetch(session, { method: 'DELETE', keepalive: true })
                .catch(() => {});
        }
    }


    set(state, message = '') {
        this.state = state;
        this.message = message;
        this.dispatchEvent(new Event('state'));
    }
}
