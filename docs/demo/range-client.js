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
 * It needs whep.js beside it.  Options of the constructor: signalling: 'post' (one
 * round trip) or 'sse' (trickle both ways), and those of docs/clients.md: headers,
 * token, iceServers.  Events: 'open', 'close'.  Readable: size, name, received
 * (bytes), active (ranges), waiting (bytes that have come and were not read yet).
 */

import { headersOf, noAnswer, Reason, refusal, unreachable, useServers }
    from './whep.js';

const HELLO = 0, REQ = 1, DATA = 2, END = 3, CANCEL = 4, PING = 5, PONG = 6;

/* bytes asked for at once */
const WINDOW = 2 * 1024 * 1024;

/* ms from the answer to Hello */
const OPEN = 20000;

const STATUS = ['done', 'no slot within 5 s', 'out of range', 'read error',
                'cancelled', 'stream id in use'];


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
        this.size = 0;
        this.name = '';
        this.received = 0;
        this.streams = new Map();
        this.nextId = 1;
        this.closed = false;
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

    /* resolves with { name, size } when the server has said Hello */

    async open() {
        const pc = this.pc = new RTCPeerConnection({
            iceServers: this.options.iceServers || [],
        });

        const dc = this.dc = pc.createDataChannel('files', {
            protocol: 'range.v1',
        });

        dc.binaryType = 'arraybuffer';

        const hello = new Promise((resolve, reject) => {
            this.hello = resolve;
            this.failed = reject;
        });

        hello.catch(() => {});

        dc.onmessage = (e) => this.message(e.data);
        dc.onclose = () => this.end(new Error('the channel was closed'));
        dc.onerror = (e) => this.end(e.error || new Error('channel error'));

        pc.onconnectionstatechange = () => {
            if (pc.connectionState == 'failed') {
                this.end(this.size ? new Error('the connection was lost')
                                   : noAnswer(pc));
            }
        };

        try {
            if (this.options.signalling == 'sse') {
                await this.signal(pc);
            } else {
                await this.post(pc);
            }

        } catch (e) {
            this.end(e);
            throw e;
        }

        const timer = setTimeout(() => this.end(noAnswer(pc)), OPEN);

        try {
            await hello;
        } finally {
            clearTimeout(timer);
        }

        this.dispatchEvent(new Event('open'));

        return { name: this.name, size: this.size };
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
            throw refusal(r, await r.text());
        }

        const at = r.headers.get('Location');

        if (!at) {
            throw new Reason('cors', 'The address of the session is hidden',
                             'the answer has no Location that this page may'
                             + ' read.');
        }

        this.session = new URL(at, r.url).href;

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
                    this.end(new Error('the server has ended the session'));
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
            if (!this.closed) {
                this.end(e);
            }
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

    message(data) {
        if (typeof data == 'string' || data.byteLength < 12) {
            return;
        }

        const v = new DataView(data);
        const type = v.getUint8(0);
        const id = v.getUint32(4);
        const s = this.streams.get(id);

        this.received += data.byteLength;

        switch (type) {

        case HELLO:
            this.size = Number(v.getBigUint64(12));
            this.name = new TextDecoder().decode(
                new Uint8Array(data, 24, v.getUint32(20)));
            this.hello();
            break;

        case DATA:
            if (s) {
                s.push(new Uint8Array(data, 12));
            }
            break;

        case END:
            if (s) {
                const status = v.getUint32(12);
                this.streams.delete(id);
                s.finish(status ? new RangeStatus(status) : null);
            }
            break;

        case PING:
            this.send(PONG, id);
            break;
        }
    }

    send(type, id, payload) {
        if (this.dc.readyState != 'open') {
            return;
        }

        const n = payload ? payload.byteLength : 0;
        const buf = new Uint8Array(12 + n);
        const v = new DataView(buf.buffer);

        v.setUint8(0, type);
        v.setUint32(4, id);
        v.setUint32(8, n);

        if (n) {
            buf.set(new Uint8Array(payload.buffer || payload), 12);
        }

        this.dc.send(buf);
    }

    /*
     * The bytes from offset on as an async iterator of Uint8Arrays; length 0:
     * to the end.  Whoever leaves the loop early cancels the rest.
     *
     * A DataChannel of a browser cannot be told to wait.  So a long range is
     * asked for piece by piece, two ahead of the reader: that bounds what is
     * kept here, and what still comes after a seek.
     */

    async *stream(offset = 0, length = 0) {
        const end = length ? Math.min(offset + length, this.size) : this.size;
        const pieces = [];
        let at = offset;

        const ask = () => {
            const n = Math.max(0, Math.min(WINDOW, end - at));
            pieces.push(this.request(at, n));
            at += Math.max(n, 1);
        };

        try {
            do {
                ask();
            } while (at < end && pieces.length < 2);

            while (pieces.length) {
                for ( ;; ) {
                    const chunk = await pieces[0].next();

                    if (chunk === null) {
                        break;
                    }

                    yield chunk;
                }

                pieces.shift();

                if (at < end) {
                    ask();
                }
            }

        } finally {
            for (const s of pieces) {
                if (!s.done) {
                    this.send(CANCEL, s.id);
                    s.finish(new RangeStatus(4));

                    /* until RangeEnd 4 comes the id stays taken */
                }
            }
        }
    }

    /* One RangeReq. */

    request(offset, length) {
        if (this.closed || !this.dc) {
            throw new Error('not open');
        }

        const id = this.nextId;
        const s = new Stream(id);
        const payload = new DataView(new ArrayBuffer(16));

        this.nextId = (this.nextId + 1) >>> 0 || 1;

        payload.setBigUint64(0, BigInt(offset));
        payload.setBigUint64(8, BigInt(length));

        this.streams.set(id, s);
        this.send(REQ, id, payload);

        return s;
    }

    /* The bytes at once. */

    async read(offset, length) {
        const parts = [];
        let n = 0;

        for await (const chunk of this.stream(offset, length)) {
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
        this.failed?.(error);

        for (const s of this.streams.values()) {
            s.finish(error);
        }

        this.streams.clear();
        this.events?.close();
        this.pc?.close();

        this.dispatchEvent(new Event('close'));
    }

    close() {
        const session = this.closed ? null : this.session;

        const remove = (headers) => session
            && fetch(session, { method: 'DELETE', keepalive: true, headers })
               .catch(() => {});

        /* before the connection closes, which ends the session, too */

        if (this.options.token || typeof this.options.headers == 'function') {
            headersOf(this.options).then(remove);
        } else {
            remove(this.options.headers);
        }

        this.end(new Error('closed'));
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
    constructor(id) {
        this.id = id;
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
