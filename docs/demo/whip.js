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

        this.orders = null;
        this.adjust();
        this.ticker = setInterval(() => this.tick(run), 1000);

        const events = linked(this.link, 'urn:ietf:params:whip:ext:core:'
                                         + 'server-sent-events');

        if (events) {
            this.listen(run, events);
        }
    }


    /*
     * What the server has told of layers: those that nobody watches are not
     * encoded, nor sent, and none takes more than it may
     */

    told(event) {
        const media = Object.values(event.medias || {})[0] || {};

        this.orders = new Map((media.layers || []).map(
            (l) => [l.encodingId, l]));

        return this.adjust();
    }


    /*
     * Encodings are what start() and limit() want, and the server.  One change
     * at a time: parameters that have been got are no good after another one
     */

    adjust() {
        this.adjusting = (this.adjusting || Promise.resolve()).then(
            () => this.adjustNow());

        return this.adjusting;
    }


    async adjustNow() {
        for (const sender of this.pc?.getSenders() || []) {
            if (sender.track?.kind != 'video') {
                continue;
            }

            const p = sender.getParameters();
            const changed = (p.encodings || []).map(
                (e) => this.adjusted(e, p.encodings.length));

            if (changed.some(Boolean)) {
                await sender.setParameters(p).catch(() => {});
            }
        }
    }


    adjusted(e, n) {
        const order = this.orders?.get(e.rid);
        const on = order?.active ?? e.active;
        const most = Math.min(this.wanted(e, n) ?? Infinity,
                              order?.maxBitrate ?? Infinity);

        if (e.active == on && (e.maxBitrate ?? Infinity) == most) {
            return false;
        }

        e.active = on;

        if (most < Infinity) {
            e.maxBitrate = most;
        } else {
            delete e.maxBitrate;
        }

        return true;
    }


    /* of several, each has its part of the whole */

    wanted(e, n) {
        const { bitrate, layers } = this.how;
        const one = layers?.find((l) => l.rid == e.rid || n == 1)?.maxBitrate;

        if (!bitrate || n == 1) {
            return bitrate || one;
        }

        return one && Math.round(one * bitrate / layers.reduce(
            (sum, l) => sum + (l.maxBitrate || 0), 0));
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


    /* bits per second, of all layers together; may be called while live */

    limit(bitrate) {
        if (this.how) {
            this.how.bitrate = bitrate;
            this.adjust();
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

        const now = { bytes: 0, keys: 0, again: 0, layers: {} };
        const d = { layers: [] };

        let chosen;
        stats.forEach((s) => { chosen = s.selectedCandidatePairId || chosen; });

        stats.forEach((s) => {
            if (s.type == 'outbound-rtp') {
                now.bytes += s.bytesSent;
                now.again += s.retransmittedPacketsSent || 0;
                now.at = s.timestamp;

                if (s.kind == 'video') {
                    now.layers[s.rid || ''] = s;
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

        this.measured(now, last, d);

        d.keys = now.keys;
        d.again = now.again;

        if (last && now.at > last.at) {
            const s = (now.at - last.at) / 1000;

            d.bitrate = (now.bytes - last.bytes) * 8 / s;
        }

        this.dispatchEvent(new CustomEvent('stats', { detail: d }));
    }


    /* the picture is that of the largest layer that is sent */

    measured(now, last, d) {
        for (const [rid, s] of Object.entries(now.layers)) {
            const was = last?.layers[rid];
            const ms = was && s.timestamp - was.timestamp;
            const sent = !was || s.framesEncoded > was.framesEncoded;

            d.layers.push({
                rid, sent, width: s.frameWidth, height: s.frameHeight,
                bitrate: ms ? (s.bytesSent - was.bytesSent) * 8000 / ms
                            : undefined });

            now.keys += s.keyFramesEncoded || 0;

            if (sent && s.frameHeight && !(d.height >= s.frameHeight)) {
                d.fps = ms ? (s.framesEncoded - was.framesEncoded) * 1000 / ms
                           : undefined;
                d.width = s.frameWidth;
                d.height = s.frameHeight;
            }
        }

        d.layers.sort((a, b) => (b.height || 0) - (a.height || 0));
    }
}
