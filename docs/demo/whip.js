/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHIP publisher in one class, for any page:
 *
 *     import { WhipPublisher } from './whip.js';
 *
 *     const publisher = new WhipPublisher('/whip/studio');
 *     publisher.addEventListener('state', () => console.log(publisher.state));
 *     publisher.addEventListener('stats', (e) => console.log(e.detail));
 *     publisher.start(mediaStream, { codec: 'VP8', bitrate: 2500000 });
 *     ...
 *     publisher.stop();
 *
 * States: idle, connecting, live, failed (publisher.message says why).
 */

const CONNECT = 10000;      /* ms from the answer to a connection */


export class WhipPublisher extends EventTarget {

    constructor(url) {
        super();

        this.url = new URL(url, location.href).href;
        this.state = 'idle';
        this.message = '';
        this.run = 0;

        this.onpagehide = () => this.stop();
    }


    async start(stream, options = {}) {
        const run = ++this.run;
        const stale = () => run != this.run;

        this.set('connecting');
        addEventListener('pagehide', this.onpagehide);

        const pc = this.pc = new RTCPeerConnection();

        pc.onconnectionstatechange = () => {
            if (stale()) {
                return;
            }

            if (pc.connectionState == 'connected') {
                clearTimeout(this.timer);
                this.set('live');

            } else if (['failed', 'closed'].includes(pc.connectionState)) {
                this.fail('The connection ended.');
            }
        };

        for (const track of stream.getTracks()) {
            const tr = pc.addTransceiver(track, { direction: 'sendonly',
                                                  streams: [stream] });

            if (track.kind == 'video') {
                this.prefer(tr, options);
            }
        }

        try {
            await pc.setLocalDescription(await pc.createOffer());

            const response = await fetch(this.url, {
                method: 'POST',
                headers: { 'Content-Type': 'application/sdp' },
                body: pc.localDescription.sdp,
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
                this.fail(this.reason(response, body));
                return;
            }

            this.timer = setTimeout(() => this.fail('No answer over UDP.'),
                                    CONNECT);

            await pc.setRemoteDescription({ type: 'answer', sdp: body });
            this.limit(options.bitrate);

            this.ticker = setInterval(() => this.tick(run), 1000);

        } catch (e) {
            if (!stale()) {
                this.fail(e instanceof TypeError
                          ? 'The server does not answer.' : e.message);
            }
        }
    }


    stop() {
        removeEventListener('pagehide', this.onpagehide);
        this.close();
        this.set('idle');
    }


    fail(message) {
        this.close();
        this.set('failed', message);
    }


    close() {
        this.run++;
        clearTimeout(this.timer);
        clearInterval(this.ticker);
        this.remove();

        if (this.pc) {
            this.pc.close();
            this.pc = null;
        }
    }


    remove() {
        if (this.session) {
            fetch(this.session, { method: 'DELETE', keepalive: true })
                .catch(() => {});
            this.session = null;
        }
    }


    reason(response, body) {
        try {
            const problem = JSON.parse(body);
            return problem.title + (problem.detail ? ': ' + problem.detail
                                                   : '');
        } catch (e) {
            return response.status + ' ' + response.statusText;
        }
    }


    prefer(tr, { codec }) {
        if (!codec || !tr.setCodecPreferences) {
            return;
        }

        const all = RTCRtpSender.getCapabilities('video').codecs;
        const mime = 'video/' + codec.toLowerCase();

        tr.setCodecPreferences(
            all.filter((c) => c.mimeType.toLowerCase() == mime
                              || /rtx$/i.test(c.mimeType)));
    }


    /* bits per second; may be called while live */

    limit(bitrate) {
        if (!this.pc || !bitrate) {
            return;
        }

        for (const sender of this.pc.getSenders()) {
            if (!sender.track || sender.track.kind != 'video') {
                continue;
            }

            const p = sender.getParameters();

            if (p.encodings && p.encodings.length) {
                p.encodings[0].maxBitrate = bitrate;
                sender.setParameters(p).catch(() => {});
            }
        }
    }


    async tick(run) {
        const stats = await this.pc.getStats();

        if (run != this.run) {
            return;
        }

        const now = { bytes: 0, packets: 0, frames: 0, keys: 0, again: 0 };
        const d = {};

        stats.forEach((s) => {
            if (s.type == 'outbound-rtp') {
                now.bytes += s.bytesSent;
                now.again += s.retransmittedPacketsSent || 0;
                now.at = s.timestamp;

                if (s.kind == 'video') {
                    now.frames = s.framesEncoded;
                    now.keys = s.keyFramesEncoded;
                    d.width = s.frameWidth;
                    d.height = s.frameHeight;
                }

            } else if (s.type == 'remote-inbound-rtp' && s.kind == 'video') {
                d.rtt = s.roundTripTime * 1000;
                d.loss = s.fractionLost * 100;

            } else if (s.type == 'candidate-pair' && s.nominated) {
                d.available = s.availableOutgoingBitrate;
            }
        });

        const last = this.last;
        this.last = now;

        d.keys = now.keys;
        d.again = now.again;

        if (last && now.at > last.at) {
            const s = (now.at - last.at) / 1000;

            d.bitrate = (now.bytes - last.bytes) * 8 / s;
            d.fps = (now.frames - last.frames) / s;
        }

        this.dispatchEvent(new CustomEvent('stats', { detail: d }));
    }


    set(state, message = '') {
        this.state = state;
        this.message = message;
        this.dispatchEvent(new Event('state'));
    }
}
