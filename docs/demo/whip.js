/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHIP publisher in one class, for any page; it needs whep.js beside it:
 *
 *     import { WhipPublisher } from './whip.js';
 *
 *     const publisher = new WhipPublisher('/whip/studio', { token: 'secret' });
 *     publisher.addEventListener('state', () => console.log(publisher.state));
 *     publisher.addEventListener('stats', (e) => console.log(e.detail));
 *     publisher.start(mediaStream, { codec: 'VP8', bitrate: 2500000 });
 *     ...
 *     publisher.stop();
 *
 * docs/clients.md describes options, states and reasons.
 */

import { Reason, Session, linked } from './whep.js';


export class WhipPublisher extends Session {

    /* the tracks stay the caller's: they are not stopped here */

    start(stream, how = {}) {
        if (!['idle', 'failed'].includes(this.state)) {
            return;
        }

        this.stream = stream;
        this.how = how;
        this.been = false;
        this.begin();
    }


    async attempt(run) {
        const pc = this.peer(run);

        this.last = null;

        for (const track of this.stream.getTracks()) {
            const init = { direction: 'sendonly', streams: [this.stream] };

            if (track.kind == 'video' && this.how.layers) {
                init.sendEncodings = this.how.layers.map((e) => ({ ...e }));
            }

            const tr = pc.addTransceiver(track, init);

            if (track.kind == 'video') {
                this.prefer(tr);
            }
        }

        const offer = await pc.createOffer();

        if (this.stale(run) || !await this.exchange(run, pc, offer)) {
            return;
        }

        this.limit(this.how.bitrate);
        this.ticker = setInterval(() => this.tick(run), 1000);

        const events = linked(this.link, 'urn:ietf:params:whip:ext:core:'
                                         + 'server-sent-events');

        if (events) {
            this.listen(run, events);
        }
    }


    /* layers that nobody watches are not encoded, nor sent */

    async told(event) {
        const media = Object.values(event.medias || {})[0] || {};
        const active = new Map((media.layers || []).map(
            (l) => [l.encodingId, l.active]));

        for (const sender of this.pc?.getSenders() || []) {
            if (sender.track?.kind != 'video') {
                continue;
            }

            const p = sender.getParameters();
            let changed = false;

            for (const e of p.encodings || []) {
                const on = active.get(e.rid);

                if (on !== undefined && e.active != on) {
                    e.active = on;
                    changed = true;
                }
            }

            if (changed) {
                await sender.setParameters(p).catch(() => {});
            }
        }
    }


    connected() {
        super.connected();
        this.attempts = 0;
        this.been = true;
        this.set('live', null);
    }


    broken() {
        this.set('stalled', this.lost());
    }


    /* a name that another publishes is not fought for, unless it was ours */

    refused(response, body) {
        const reason = super.refused(response, body);

        if (response.status == 409 && !this.been) {
            reason.again = false;
        }

        return reason;
    }


    prefer(tr) {
        const { codec } = this.how;

        if (!codec || !tr.setCodecPreferences) {
            return;
        }

        const all = RTCRtpSender.getCapabilities('video').codecs;
        const mime = 'video/' + codec.toLowerCase();

        if (!all.some((c) => c.mimeType.toLowerCase() == mime)) {
            throw new Reason('codec', 'This browser cannot send ' + codec);
        }

        tr.setCodecPreferences(
            all.filter((c) => c.mimeType.toLowerCase() == mime
                              || /rtx$/i.test(c.mimeType)));
    }


    /* bits per second; may be called while live */

    limit(bitrate) {
        if (this.how) {
            this.how.bitrate = bitrate;
        }

        if (!this.pc || !bitrate) {
            return;
        }

        for (const sender of this.pc.getSenders()) {
            if (!sender.track || sender.track.kind != 'video') {
                continue;
            }

            const p = sender.getParameters();

            if (p.encodings && p.encodings.length == 1) {
                p.encodings[0].maxBitrate = bitrate;
                sender.setParameters(p).catch(() => {});
            }
        }
    }


    /* another camera, without a new session */

    async replace(stream) {
        this.stream = stream;

        for (const sender of this.pc ? this.pc.getSenders() : []) {
            const track = sender.track && stream.getTracks().find(
                (t) => t.kind == sender.track.kind);

            if (track) {
                await sender.replaceTrack(track);
            }
        }
    }


    async tick(run) {
        const stats = await this.pc.getStats();

        if (this.stale(run)) {
            return;
        }

        const now = { bytes: 0, packets: 0, frames: 0, keys: 0, again: 0 };
        const d = {};

        let chosen;
        stats.forEach((s) => { chosen = s.selectedCandidatePairId || chosen; });

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

            } else if (s.type == 'candidate-pair'
                       && (chosen ? s.id == chosen : s.nominated))
            {
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
}
