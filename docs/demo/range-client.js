/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Reads byte ranges of a file over a WebRTC DataChannel: the client of
 * "webrtc_file".  The protocol is described in docs/datachannel.md.
 *
 *     import { RangeClient } from './range-client.js';
 *
 *     const file = new RangeClient('/media/movie.mp4');
 *     const { name, size } = await file.open();
 *     const bytes = await file.read(0, 1000);              // Uint8Array
 *     for await (const chunk of file.stream(0, size)) { ... }
 *     file.close();
 *
 *     const stop = new AbortController();                  // at once, when it waits, too
 *     file.stream(0, size, { signal: stop.signal });
 *
 * It needs whep.js beside it.  Options of the constructor: signalling: 'post' (one
 * round trip) or 'sse' (trickle both ways), reconnect: false (a connection that is
 * lost ends it), and those of docs/clients.md: headers, token, iceServers.  Events:
 * 'open', 'close', 'state', 'size', 'restart' (of ICE).  Readable: state ('idle',
 * 'connecting', 'open', 'reconnecting', 'closed'), reason, size, growing, name,
 * received (bytes), active (ranges), waiting (bytes that have come and were not read
 * yet).
 *
 * A file that is still written to ("webrtc_file_changes follow") is growing: the
 * event 'size' tells of each change of size and growing, and a stream to the end
 * goes on until it grows no more.
 *
 * A file that the browser cannot play ("webrtc_file_transcode") is remuxed for it if
 * it says what it can play: options accept (names of codecs, as playable() finds
 * them) and max ('720p').  streaming tells whether it is; then there are no ranges, but
 * the events 'info' (info has changed), 'init' and 'media' (detail: { generation,
 * start, data }, data being fragmented MP4 for a SourceBuffer; start, in seconds, of an
 * init), 'cue' (detail: { track, start, end, text }) and 'end' (detail: a status), and
 * the methods seek(seconds), quality(index), track(index) and pause().  What
 * comes of an earlier generation is left out here.  movie-client.js plays it.
 *
 * A connection that is lost is made again, for as long as it takes, and ranges go on
 * behind the last byte that has come: whoever reads them waits, and sees nothing of
 * it.  1. Packets, and Pongs while there are none, tell that the path is alive.  2. One
 * that is silent gets another path (Restarts), and is given up if that does not help.
 * 3. In the new session the file must be the same: name, size, and ETag or
 * Last-Modified as HTTP tells them; another file is an error ('changed') and not mixed
 * with what was read.  One that is growing must not be shorter, and have the bytes
 * that came last where they were.
 */

import { headersOf, noAnswer, Reason, refusal, Restarts, unreachable, useServers }
    from './whep.js';

const HELLO = 0, REQ = 1, DATA = 2, END = 3, CANCEL = 4, PING = 5, PONG = 6,
      SEEK = 7, INFO = 8, INIT = 9, QUALITY = 10, CUE = 11;

const TRANSCODING = 0x02, GROWING = 0x08;       /* flags of Hello */
const TRACK = 0x10;          /* flag of Quality */

const OUT = 2;               /* status: out of range */

/* bytes that are remembered of what came last */
const SAMPLE = 256;

/* bytes asked for at once */
const WINDOW = 2 * 1024 * 1024;

/* ms from the answer to Hello */
const OPEN = 20000;

const EVERY = 1000;          /* ms without a frame until a Ping */
const SILENT = 4000;         /* ms without a frame until another path is looked for, of
                                a hidden page, too: others need not wait for it */
const DEAD = 12000;          /* ms without a frame until another session is */
const BACKOFF = [0, 500, 1000, 2000, 4000, 5000];   /* ms, then the last */

const STATUS = ['done', 'no slot within 5 s', 'out of range',
                'read error, or the file has changed', 'cancelled',
                'stream id in use'];


export class RangeStatus extends Error {
    constructor(status) {
        super('range: ' + (STATUS[status] || 'status ' + status));
        this.name = 'RangeStatus';
        this.status = status;
    }
}


export class RangeClient extends EventTarget {
    constructor(url, options = {}) {
        super();

        this.url = new URL(url, location.href).href;
        this.options = options;
        this.streaming = false;
        this.info = null;
        this.generation = 0;         /* what is older is left out */
        this.state = 'idle';
        this.reason = null;
        this.size = 0;
        this.growing = false;
        this.name = '';
        this.sample = null;
        this.received = 0;
        this.streams = new Map();
        this.nextId = 1;
        this.attempts = 0;
        this.closed = false;
        this.link = null;
        this.ononline = () => this.wake?.();
    }

    get active() {
        return this.streams.size;
    }

    get waiting() {
        let n = 0;

        for (const s of this.streams.values()) {
            n += s.bytes;
        }

        return n;
    }

    /* of the session that there is now */

    get pc() {
        return this.link?.pc;
    }

    get session() {
        return this.link?.session;
    }

    set(state, reason) {
        this.state = state;
        this.reason = reason;
        this.dispatchEvent(new Event('state'));
    }

    /* resolves with { name, size, growing } when the server has said Hello */

    async open() {
        globalThis.addEventListener?.('online', this.ononline);
        this.set('connecting', null);

        try {
            const { name, size, growing, streaming } = await this.connect();

            this.streaming = streaming;
            this.name = name;
            this.size = size;
            this.growing = growing;

        } catch (e) {
            this.end(e);
            throw e;
        }

        this.version = this.identify();
        this.up();

        return { name: this.name, size: this.size, growing: this.growing };
    }

    /* what Hello says, of a new session */

    async connect() {
        this.generation = 0;

        const link = this.link = new Link(asking(this.url, this.options),
                                          this.options, {
            message: (data) => this.message(data),
            hello: (hello) => this.link === link && this.told(hello),
            lost: (error) => this.link === link && this.lost(error),
            restart: (cause) => this.dispatchEvent(
                new CustomEvent('restart', { detail: cause })),
        });

        try {
            return await link.open();

        } catch (e) {
            link.close();
            throw this.closed ? this.error : e;
        }
    }

    /* a Hello after the first one */

    told({ size, growing }) {
        if (this.state == 'open'
            && (size != this.size || growing != this.growing))
        {
            this.size = size;
            this.growing = growing;
            this.dispatchEvent(new Event('size'));
        }
    }

    up() {
        if (!this.closed) {
            this.set('open', null);
            this.dispatchEvent(new Event('open'));
        }
    }

    lost(error) {
        this.link.close();
        this.probe?.finish(error);

        if (this.closed || this.state != 'open') {
            return;
        }

        if (this.options.reconnect === false) {
            this.end(error);
            return;
        }

        this.set('reconnecting', error);
        this.reconnect().catch((e) => this.end(e));
    }

    /* goes on where it was */

    async reconnect() {
        for ( ;; ) {
            const after = this.reason?.after
                          ?? BACKOFF[Math.min(this.attempts,
                                              BACKOFF.length - 1)];

            this.attempts++;

            await new Promise((resolve) => {
                this.wake = resolve;
                setTimeout(resolve, after);
            });

            if (this.closed) {
                return;
            }

            try {
                await this.compare(await this.connect(), await this.version,
                                   await this.identify());

            } catch (e) {
                if (this.closed || final(e)) {
                    throw e;
                }

                this.link.close();
                this.set('reconnecting', e);
                continue;
            }

            /* lost while it was compared */

            if (this.link.closed) {
                continue;
            }

            for (const s of [...this.streams.values()]) {
                this.ask(s);
            }

            this.streaming = this.link.hello.streaming;
            this.up();
            this.told(this.link.hello);
            return;
        }
    }

    /* what HTTP calls this version of the file; null if it does not tell */

    async identify() {
        try {
            const r = await fetch(this.url, {
                method: 'HEAD', cache: 'no-store',
                headers: await headersOf(this.options),
                signal: AbortSignal.timeout(OPEN),
            });

            return r.ok ? r.headers.get('ETag')
                          || r.headers.get('Last-Modified') : null;
        } catch {
            return null;
        }
    }

    async compare({ name, size, growing }, was, is) {
        const same = (this.growing || growing)
            ? size >= this.size && await this.recall()
            : size == this.size && (!was || !is || was == is);

        if (name != this.name || !same) {
            throw new Reason('changed', 'The file has changed',
                             'it is another one than what was read until the'
                             + ' connection was lost; open it again.');
        }
    }

    /* are the bytes that came last where they were? */

    async recall() {
        if (!this.sample) {
            return true;
        }

        const { at, bytes } = this.sample;
        const s = this.probe = new Stream(0, at, bytes.length);
        const is = [];

        this.streams.set(s.id, s);

        try {
            this.ask(s);

            for (let c; (c = await s.next()) !== null; ) {
                is.push(...c);
            }

        } finally {
            this.streams.delete(s.id);
            this.probe = null;
        }

        return is.length == bytes.length && is.every((b, i) => b == bytes[i]);
    }

    message(data) {
        if (typeof data == 'string' || data.byteLength < 12) {
            return;
        }

        const v = new DataView(data);
        const s = this.streams.get(v.getUint32(4));

        this.received += data.byteLength;

        if (this.link?.hello?.streaming && this.streamed(v, data)) {
            return;
        }

        switch (v.getUint8(0)) {

        case DATA:
            this.attempts = 0;

            if (s && s !== this.probe && data.byteLength > 12) {
                const bytes = new Uint8Array(data, 12).slice(0, SAMPLE);

                this.sample = { at: s.offset + s.got, bytes };
            }

            s?.push(new Uint8Array(data, 12));
            break;

        case END:
            if (s) {
                const status = v.getUint32(12);
                this.streams.delete(s.id);

                /* one that went on after an outage has got all there is */

                s.finish(status && !(status == OUT && s.got)
                         ? new RangeStatus(status) : null);
            }
            break;
        }
    }

    /* frames of a file that is remuxed; true: it was one */

    streamed(v, data) {
        const tell = (type, detail) => this.dispatchEvent(
            new CustomEvent(type, { detail }));

        const generation = v.getUint32(4);
        const type = v.getUint8(0);

        if (type < DATA || type == CANCEL || type == PING || type == PONG) {
            return false;
        }

        if (type == INFO) {
            try {
                this.info = JSON.parse(text(data, 12));
            } catch {
                return true;
            }

            tell('info', this.info);
            return true;
        }

        /* of before a seek */

        if (generation < this.generation) {
            return true;
        }

        switch (type) {

        case INIT:
            if (data.byteLength < 20) {
                break;
            }

            this.generation = generation;
            this.attempts = 0;
            tell('init', { generation,
                           start: Number(v.getBigUint64(12)) / 1000,
                           data: new Uint8Array(data, 20) });
            break;

        case DATA:
            tell('media', { generation, data: new Uint8Array(data, 12) });
            break;

        case CUE: {
            const cue = data.byteLength > 16 && parseCue(text(data, 16));

            if (cue) {
                tell('cue', { track: v.getUint32(12), ...cue });
            }

            break;
        }

        case END:
            if (data.byteLength >= 16) {
                tell('end', v.getUint32(12));
            }
        }

        return true;
    }

    /* Another generation begins: the server numbers them as we do. */

    seek(seconds) {
        const payload = new DataView(new ArrayBuffer(8));

        payload.setBigUint64(0, BigInt(Math.max(0, Math.round(seconds * 1000))));
        this.next(SEEK, 0, payload);
    }

    quality(index) {
        const payload = new DataView(new ArrayBuffer(4));

        payload.setUint32(0, index);
        this.next(QUALITY, 0, payload);
    }

    track(index) {
        const payload = new DataView(new ArrayBuffer(4));

        payload.setUint32(0, index);
        this.next(QUALITY, TRACK, payload);
    }

    /* until seek() */

    pause() {
        this.link?.send(CANCEL, 0);
    }

    next(type, flags, payload) {
        if (this.state == 'open') {
            this.generation = Math.max(this.generation, 1) + 1;
            this.link.send(type, 0, payload, flags);
        }
    }

    /*
     * The bytes from offset on as an async iterator of Uint8Arrays; length 0:
     * to the end, which a file that is growing has when it grows no more; until
     * then whoever reads what has not been written yet waits.  Whoever leaves the loop early, calls return(), or aborts the
     * signal cancels the rest, at once: a next() that waits ends, too.
     *
     * A DataChannel of a browser cannot be told to wait.  So a long range is
     * asked for piece by piece, two ahead of the reader: that bounds what is
     * kept here, and what still comes after a seek.
     */

    stream(offset = 0, length = 0, { signal } = {}) {
        const how = { pieces: [], over: false, error: null };
        const chunks = this.chunks(how, offset, length);

        const stop = (error) => {
            how.over = true;
            how.error = error;
            signal?.removeEventListener('abort', abort);

            /* until RangeEnd 4 comes the id stays taken */

            for (const s of how.pieces) {
                if (!s.done) {
                    this.link?.send(CANCEL, s.id);
                }

                s.drop(error);
            }
        };

        const abort = () => stop(signal.reason);

        if (signal?.aborted) {
            abort();
        } else {
            signal?.addEventListener('abort', abort);
        }

        how.stop = stop;

        return {
            next: () => chunks.next(),
            return: (value) => {
                stop(null);
                return chunks.return(value);
            },
            throw: (error) => {
                stop(null);
                return chunks.throw(error);
            },
            [Symbol.asyncIterator]() {
                return this;
            },
        };
    }

    async *chunks(how, offset, length) {
        const { pieces } = how;
        let at = offset;

        const end = () => Math.min(length ? offset + length : Infinity,
                                   this.growing ? Infinity : this.size);
        const more = () => at < end() || at == offset;

        const ask = () => {
            const n = Math.max(0, Math.min(WINDOW, end() - at));

            pieces.push(this.request(at, n));
            at += Math.max(n, 1);
        };

        try {
            while (!how.over && (pieces.length || more())) {

                while (pieces.length < 2 && more()) {
                    ask();
                }

                const piece = pieces[0];
                const chunk = await piece.next().catch((e) => {

                    /* the file has ended with the piece before */

                    if (e.status == OUT && piece.offset > offset) {
                        return null;
                    }

                    throw e;
                });

                if (chunk !== null) {
                    yield chunk;
                    continue;
                }

                pieces.shift();

                if (piece.got < piece.length) {
                    break;
                }
            }

            if (how.error) {
                throw how.error;
            }

        } finally {
            how.stop(how.error);
        }
    }

    /* One RangeReq; while there is no connection it waits for one. */

    request(offset, length) {
        if (this.closed || this.state == 'idle') {
            throw this.error || new Error('not open');
        }

        const s = new Stream(this.nextId, offset, length);

        this.nextId = (this.nextId + 1) >>> 0 || 1;
        this.streams.set(s.id, s);

        if (this.state == 'open') {
            this.ask(s);
        }

        return s;
    }

    /* what is missing of it, if anything */

    ask(s) {
        const at = s.offset + s.got;

        if (s.got && (at >= this.size && !this.growing || s.got == s.length)) {
            s.finish(null);
        }

        if (s.done) {
            this.streams.delete(s.id);
            return;
        }

        const payload = new DataView(new ArrayBuffer(16));

        payload.setBigUint64(0, BigInt(at));
        payload.setBigUint64(8, BigInt(s.length ? s.length - s.got : 0));

        this.link.send(REQ, s.id, payload);
    }

    /* The bytes at once. */

    async read(offset, length, options) {
        const parts = [];
        let n = 0;

        for await (const chunk of this.stream(offset, length, options)) {
            parts.push(chunk);
            n += chunk.length;
        }

        const out = new Uint8Array(n);
        let at = 0;

        for (const part of parts) {
            out.set(part, at);
            at += part.length;
        }

        return out;
    }

    end(error) {
        if (this.closed) {
            return;
        }

        this.closed = true;
        this.error = error;
        this.wake?.();
        globalThis.removeEventListener?.('online', this.ononline);

        for (const s of this.streams.values()) {
            s.finish(error);
        }

        this.streams.clear();
        this.link?.close();

        this.set('closed', error);
        this.dispatchEvent(new Event('close'));
    }

    close() {
        this.end(new Error('closed'));
    }
}


/* what the client says of itself, in the query of its offer */

function asking(url, options) {
    if (!options.accept) {
        return url;
    }

    const u = new URL(url);

    u.searchParams.set('accept', [].concat(options.accept).join(','));

    if (options.max) {
        u.searchParams.set('max', options.max);
    }

    return u.href;
}


function text(data, from) {
    return new TextDecoder().decode(new Uint8Array(data, from));
}


/* WebVTT, 4.1: hours, minutes, seconds of its two times, then the text */

function parseCue(cue) {
    const m = /^(\d+):(\d\d):(\d\d\.\d{3}) --> (\d+):(\d\d):(\d\d\.\d{3})\n(.*)$/s
              .exec(cue);

    return m && { start: m[1] * 3600 + m[2] * 60 + +m[3],
                  end: m[4] * 3600 + m[5] * 60 + +m[6], text: m[7] };
}


/* names of codecs that may be in a file, the most demanding first */

const CODECS = ['avc1.640034', 'avc1.640028', 'avc1.42e01f',
                'hvc1.2.4.L153.B0', 'hvc1.1.6.L153.B0', 'hvc1.1.6.L120.B0',
                'av01.0.12M.10', 'av01.0.08M.08', 'vp09.02.51.10', 'vp09.00.51.08',
                'mp4a.40.2', 'mp3', 'opus', 'flac', 'ac-3', 'ec-3'];


/* what this browser can play of a stream: option accept */

export function playable() {
    const source = globalThis.ManagedMediaSource || globalThis.MediaSource;
    const can = (type) => !!source?.isTypeSupported(type);

    const names = CODECS.filter((name) => can(`video/mp4; codecs="${name}"`)
                                          || can(`audio/mp4; codecs="${name}"`));

    /* of files only: ranges of WebM */

    if (can('video/webm; codecs="vp8"')) {
        names.push('vp8');
    }

    if (can('audio/webm; codecs="vorbis"')) {
        names.push('vorbis');
    }

    return names;
}


/* what trying again does not help; a proxy without its server looks like "cors" */

function final(e) {
    return e instanceof Reason && !e.again && e.code != 'cors';
}


/*
 * One session with its channel.  open() resolves when the server has said Hello;
 * on.lost(error) is called once, if it ends by itself after that.
 */

class Link {
    constructor(url, options, on) {
        this.url = url;
        this.options = options;
        this.on = on;
        this.session = null;
        this.closed = false;
        this.hello = null;
        this.pings = 0;
    }

    async open() {
        const pc = this.pc = new RTCPeerConnection({
            iceServers: this.options.iceServers || [],
            ...(this.options.iceTransportPolicy
                ? { iceTransportPolicy: this.options.iceTransportPolicy } : {}),
        });

        const dc = this.dc = pc.createDataChannel('files', {
            protocol: 'range.v1',
        });

        dc.binaryType = 'arraybuffer';

        const hello = new Promise((resolve, reject) => {
            this.greeted = resolve;
            this.failed = reject;
        });

        hello.catch(() => {});

        dc.onmessage = (e) => this.message(e.data);
        dc.onclose = () => this.lost(new Error('the channel was closed'));
        dc.onerror = (e) => this.lost(e.error || new Error('channel error'));

        this.restarts = new Restarts(pc, {
            session: () => this.hello && this.session,
            options: this.options,
            gone: () => this.lost(new Error('the session has ended')),
            asked: () => this.pings,
            begins: (cause) => this.on.restart(cause),
        });

        pc.onconnectionstatechange = () => {
            if (pc.connectionState == 'failed') {
                this.lost(this.hello ? new Error('the connection was lost')
                                     : noAnswer(pc));

            } else if (pc.connectionState == 'disconnected') {
                this.restarts.want('disconnected');
            }
        };

        if (this.options.signalling == 'sse') {
            await this.signal(pc);
        } else {
            await this.post(pc);
        }

        const timer = setTimeout(() => this.lost(noAnswer(pc)), OPEN);

        try {
            await hello;
        } finally {
            clearTimeout(timer);
        }

        this.ticked = performance.now();
        this.ticker = setInterval(() => this.tick(), EVERY);

        return this.hello;
    }

    message(data) {
        this.heard = performance.now();

        if (typeof data == 'string' || data.byteLength < 12) {
            return;
        }

        const v = new DataView(data);

        switch (v.getUint8(0)) {

        case HELLO:
            if (data.byteLength >= 24) {
                this.hello = {
                    size: Number(v.getBigUint64(12)),
                    growing: !!(v.getUint8(1) & GROWING),
                    streaming: !!(v.getUint8(1) & TRANSCODING),
                    name: new TextDecoder().decode(new Uint8Array(data, 24,
                              Math.min(v.getUint32(20), data.byteLength - 24))),
                };
                this.greeted();
                this.on.hello(this.hello);
            }
            break;

        case PING:
            this.send(PONG, v.getUint32(4));
            break;
        }

        this.on.message(data);
    }

    tick() {
        const now = performance.now();

        /* the device has slept: nothing could have come */

        if (now - this.ticked > SILENT) {
            this.heard = now - SILENT;
        }

        this.ticked = now;

        const silent = now - this.heard;

        if (silent >= DEAD) {
            this.lost(new Error('nothing arrives from the server any more'));
            return;
        }

        if (silent >= SILENT) {
            this.restarts.want('silence');
        }

        if (silent >= EVERY) {
            this.pings++;
            this.send(PING, 0);
        }
    }

    lost(error) {
        if (this.closed) {
            return;
        }

        this.failed?.(error);

        if (this.hello) {
            this.on.lost(error);
        } else {
            this.close();
        }
    }

    /* the session is deleted before the connection closes, which ends it, too */

    close() {
        if (this.closed) {
            return;
        }

        this.closed = true;
        this.failed?.(new Error('closed'));
        clearInterval(this.ticker);
        this.restarts?.close();
        this.events?.close();
        this.remove();
        this.pc?.close();
    }

    remove() {
        const remove = (headers) => this.session
            && fetch(this.session, { method: 'DELETE', keepalive: true, headers })
               .catch(() => {});

        if (this.options.token || typeof this.options.headers == 'function') {
            headersOf(this.options).then(remove, () => {});
        } else {
            remove(this.options.headers);
        }
    }

    /* one round trip: the offer with all candidates, the answer with all */

    async post(pc) {

        /* a lite server needs none of ours; full ICE goes by checks alone.  The
           local description is set when we know the servers of "Link". */

        const offer = await pc.createOffer();
        const r = await this.begin(this.url, 'application/sdp', offer.sdp);

        useServers(pc, r, this.options);

        await pc.setLocalDescription(offer);
        await pc.setRemoteDescription({ type: 'answer', sdp: await r.text() });
    }

    /* begins the session */

    async begin(url, type, body) {
        const headers = await headersOf(this.options, { 'Content-Type': type });
        let r;

        try {
            r = await fetch(url, { method: 'POST', headers, body });
        } catch (e) {
            throw e instanceof TypeError ? await unreachable(url) : e;
        }

        if (r.status != 201) {
            const after = parseInt(r.headers.get('Retry-After'), 10);

            throw Object.assign(refusal(r, await r.text()),
                                after >= 0 ? { after: after * 1000 } : {});
        }

        const at = r.headers.get('Location');

        if (!at) {
            throw new Reason('cors', 'The address of the session is hidden',
                             'the answer has no Location that this page may'
                             + ' read.');
        }

        this.session = new URL(at, r.url).href;

        /* closed meanwhile */

        if (this.closed) {
            this.remove();
            throw new Error('closed');
        }

        return r;
    }

    /* SSE signalling */

    async signal(pc) {
        const early = [];

        const tell = async (type, payload) => fetch(this.session, {
            method: 'POST',
            headers: await headersOf(this.options,
                                     { 'Content-Type': 'application/json' }),
            body: JSON.stringify({ type, payload }),
        }).catch(() => {});

        pc.onicecandidate = (e) => {
            const m = e.candidate
                ? ['candidate', JSON.stringify(e.candidate.toJSON())]
                : ['candidate-end', ''];

            if (this.session) {
                tell(...m);
            } else {
                early.push(m);
            }
        };

        const offer = await pc.createOffer();
        const u = new URL(this.url);

        u.search += (u.search ? '&' : '?') + 'signal';

        const r = await this.begin(u.href, 'application/json',
            JSON.stringify({ type: 'offer', payload: JSON.stringify(offer) }));

        useServers(pc, r, this.options);
        await pc.setLocalDescription(offer);

        early.forEach((m) => tell(...m));

        /* candidates have to wait for the answer, which comes first */

        let answered = Promise.resolve();

        this.listen((data) => {
            const m = JSON.parse(data);

            answered = answered.then(async () => {
                switch (m.type) {
                case 'answer':
                    await pc.setRemoteDescription(JSON.parse(m.payload));
                    break;
                case 'candidate':
                    await pc.addIceCandidate(JSON.parse(m.payload));
                    break;
                case 'bye':
                    this.lost(new Error('the server has ended the session'));
                }
            }).catch((error) => console.warn('signalling', error));
        });
    }

    /* the session's events; an EventSource sends no headers, fetch() does */

    listen(take) {
        if (!this.options.headers && !this.options.token) {
            const events = this.events = new EventSource(this.session);

            events.addEventListener('signal', (e) => take(e.data));
            return;
        }

        const abort = new AbortController();

        this.events = { close: () => abort.abort() };
        this.readEvents(take, abort.signal).catch((e) => {
            this.lost(e);
        });
    }

    /* goes on where a stream was cut, as an EventSource does */

    async readEvents(take, signal) {
        let id = '';

        while (!this.closed) {
            const headers = await headersOf(this.options, {
                Accept: 'text/event-stream',
                ...(id ? { 'Last-Event-ID': id } : {}) });

            const r = await fetch(this.session, { headers, signal,
                                                  cache: 'no-store' })
                            .catch(() => null);

            if (r && r.status != 200) {
                throw refusal(r, await r.text());
            }

            try {
                for await (const event of r ? eventsOf(r.body) : []) {
                    id = event.id || id;

                    if (event.event == 'signal') {
                        take(event.data);
                    }
                }
            } catch {
                /* cut */
            }

            await new Promise((resolve) => setTimeout(resolve, 1000));
        }
    }

    send(type, id, payload, flags = 0) {
        if (this.dc.readyState != 'open') {
            return;
        }

        const n = payload ? payload.byteLength : 0;
        const buf = new Uint8Array(12 + n);
        const v = new DataView(buf.buffer);

        v.setUint8(0, type);
        v.setUint8(1, flags);
        v.setUint32(4, id);
        v.setUint32(8, n);

        if (n) {
            buf.set(new Uint8Array(payload.buffer || payload), 12);
        }

        this.dc.send(buf);
    }
}


/* WHATWG HTML, 9.2: the events of a text/event-stream */

async function *eventsOf(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';

    try {
        for ( ;; ) {
            const { value, done } = await reader.read();

            if (done) {
                return;
            }

            const parts = (text + value).split(/\r?\n\r?\n/);
            text = parts.pop();

            for (const part of parts) {
                const event = { id: '', event: 'message', data: [] };

                for (const line of part.split(/\r?\n/)) {
                    const [, name, rest] = /^([^:]*):? ?(.*)$/s.exec(line);

                    if (name == 'data') {
                        event.data.push(rest);
                    } else if (name) {
                        event[name] = rest;
                    }
                }

                yield { ...event, data: event.data.join('\n') };
            }
        }

    } finally {
        reader.cancel().catch(() => {});
    }
}


/* the chunks of a range on their way to whoever reads it */

class Stream {
    constructor(id, offset, length) {
        this.id = id;
        this.offset = offset;
        this.length = length;
        this.got = 0;
        this.chunks = [];
        this.bytes = 0;
        this.done = false;
        this.error = null;
        this.wake = null;
    }

    push(chunk) {
        if (this.done) {
            return;
        }

        this.got += chunk.length;
        this.chunks.push(chunk);
        this.bytes += chunk.length;
        this.wake?.();
    }

    finish(error) {
        if (!this.done) {
            this.done = true;
            this.error = error;
            this.wake?.();
        }
    }

    /* nobody reads it any more */

    drop(error) {
        this.finish(error);
        this.chunks = [];
        this.bytes = 0;
    }

    async next() {
        for ( ;; ) {
            const chunk = this.chunks.shift();

            if (chunk) {
                this.bytes -= chunk.length;
                return chunk;
            }

            if (this.done) {
                if (this.error) {
                    throw this.error;
                }

                return null;
            }

            await new Promise((resolve) => { this.wake = resolve; });
            this.wake = null;
        }
    }
}
