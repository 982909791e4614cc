/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plays a file that is remuxed or transcoded ("webrtc_file_transcode") in a <video>, by
 * Media Source Extensions (ManagedMediaSource on an iPhone).
 *
 *     import { RangeClient, playable } from './range-client.js';
 *     import { MoviePlayer } from './movie-client.js';
 *
 *     const file = new RangeClient('/media/movie.mkv', { accept: playable() });
 *     const player = new MoviePlayer(video, file);     // before open(): nothing is missed
 *
 *     await file.open();
 *
 *     if (file.streaming) {
 *         player.start();
 *     }
 *
 * 1. The element's own controls seek: what is not there is asked for, and comes from
 *    the key frame before.  2. When AHEAD seconds are there the server is told to pause,
 *    and to go on from the end of them when LEAST are left: a DataChannel cannot be told
 *    to wait.  3. What has been played is dropped after BEHIND seconds.  4. quality() and
 *    track() take effect where the element is.  5. After an outage it goes on where
 *    there is nothing more.  6. Subtitles become text tracks of the element.
 */

/* seconds */
const AHEAD = 30;
const LEAST = 12;
const BEHIND = 30;
const NEAR = 1.5;            /* a beginning this much after the place is as good */


export class MoviePlayer extends EventTarget {
    constructor(video, file) {
        super();

        this.video = video;
        this.file = file;
        this.info = null;
        this.queue = [];                 /* bytes that wait for the buffer */
        this.source = null;
        this.buffer = null;
        this.started = false;
        this.paused = false;             /* the server */
        this.over = false;
        this.fresh = false;              /* a generation has begun */
        this.generation = 0;             /* counted */
        this.appended = 0;               /* what was appended last is of this one */
        this.ends = [];                  /* of the ranges that are there */
        this.reach = 0;                  /* the end of what came of this generation */
        this.asked = false;              /* another one was asked for */
        this.starved = 0;                /* times that it ran dry */
        this.texts = new Map();
        this.undo = [];

        this.on(file, 'info', (e) => this.told(e.detail));
        this.on(file, 'init', (e) => this.begin(e.detail));
        this.on(file, 'media', (e) => this.add(e.detail.data));
        this.on(file, 'cue', (e) => this.cue(e.detail));
        this.on(file, 'end', (e) => this.end(e.detail));
        this.on(file, 'open', () => this.started && this.again());
        this.on(video, 'seeking', () => this.seek());
        this.on(video, 'timeupdate', () => this.steer());
        this.on(video, 'waiting', () => {
            this.starved++;
            this.steer();
        });
    }

    on(target, type, handler) {
        target.addEventListener(type, handler);
        this.undo.push(() => target.removeEventListener(type, handler));
    }

    start() {
        const Source = globalThis.ManagedMediaSource || globalThis.MediaSource;

        this.started = true;
        this.source = new Source();

        /* Safari's managed source has to be told that there is no AirPlay */

        if (globalThis.ManagedMediaSource) {
            this.video.disableRemotePlayback = true;
        }

        this.url = URL.createObjectURL(this.source);
        this.video.src = this.url;

        this.on(this.source, 'sourceopen', () => this.open());
    }

    told(info) {
        const { mime } = this.info || {};

        this.info = info;

        if (info.mode == 'failed') {
            this.fail(new Error(info.reason));
            return;
        }

        for (const t of info.subtitles) {
            if (!this.texts.has(t.index)) {
                const track = this.video.addTextTrack('subtitles',
                    t.title || t.language || 'subtitles', t.language || '');

                track.mode = t.default ? 'showing' : 'hidden';
                this.texts.set(t.index, { track, known: new Set() });
            }
        }

        if (this.buffer && mime != info.mime) {
            this.queue.push({ mime: info.mime });
        }

        this.open();
        this.dispatchEvent(new CustomEvent('info', { detail: info }));
    }

    open() {
        if (!this.info || this.buffer || this.source?.readyState != 'open') {
            return;
        }

        if (this.info.duration_ms) {
            this.source.duration = this.info.duration_ms / 1000;
        }

        try {
            this.buffer = this.source.addSourceBuffer(this.info.mime);
        } catch (e) {
            this.fail(e);
            return;
        }

        this.on(this.buffer, 'updateend', () => this.pump());
        this.pump();
    }

    /* what was queued of the generation before is of no use */

    begin({ start, data }) {
        this.generation++;
        this.queue = this.queue.filter((item) => item.mime);
        this.queue.push({ data, first: true });
        this.over = false;
        this.asked = false;
        this.reach = start;
        this.pump();
    }

    add(data) {
        this.queue.push({ data });
        this.pump();
    }

    end(status) {
        if (status == 0) {
            this.over = true;
            this.pump();
        } else if (!this.info || this.info.mode != 'failed') {
            this.fail(new Error('the server cannot play it any further'));
        }
    }

    cue({ track, start, end, text }) {
        const t = this.texts.get(track);
        const key = start + ' ' + text;

        if (t && !t.known.has(key)) {
            t.known.add(key);
            t.track.addCue(new VTTCue(start, end, text));
        }
    }

    /* one thing at a time */

    pump() {
        const { buffer } = this;

        if (!buffer || buffer.updating || !this.started) {
            return;
        }

        const item = this.queue[0];

        if (!item) {
            if (this.over && this.source.readyState == 'open') {
                this.source.endOfStream();
                this.dispatchEvent(new Event('end'));
            }

            this.steer();
            return;
        }

        try {
            if (item.first) {
                this.fresh = true;

                /* a fragment that was cut off by a seek */

                if (this.source.readyState == 'open') {
                    buffer.abort();
                }
            }

            if (item.mime) {
                buffer.changeType(item.mime);
                this.queue.shift();
                this.pump();
                return;
            }

            buffer.appendBuffer(item.data);
            this.queue.shift();
            this.appended = this.generation;

        } catch (e) {
            if (e.name == 'QuotaExceededError') {
                this.full();
            } else {
                this.fail(e);
            }

            return;
        }

        this.steer();
    }

    /* the browser keeps no more: what was played goes, or it waits to be */

    full() {
        const { buffered } = this.buffer;
        const before = this.video.currentTime - 2;

        this.hold();

        if (buffered.length && buffered.start(0) < before) {
            this.buffer.remove(0, before);
        }
    }

    /* the end of what there is at a place; -1: nothing */

    ahead(time) {
        const b = this.video.buffered;

        for (let i = 0; i < b.length; i++) {
            if (b.start(i) <= time + 0.05 && b.end(i) > time) {
                return b.end(i);
            }
        }

        return -1;
    }

    /*
     * What was appended last has moved an end: that of the range that grows.  Begun anew
     * by a seek it may be any of them, also one that was there.
     */

    grown() {
        const b = this.video.buffered;
        const ends = Array.from({ length: b.length }, (_, i) => b.end(i));
        const end = ends.find((e) => !this.ends.includes(e));

        if (end !== undefined && this.appended == this.generation) {
            this.reach = end;
        }

        this.ends = ends;
    }

    /* the end of what comes now; -1: nothing of it is there */

    coming() {
        return this.ahead(this.reach - 0.05);
    }

    /*
     * Whether to ask for what follows "end".  What comes may be paused, or be elsewhere
     * after a seek; but not when nothing of it has come yet: asking again would drop it
     * each time.  Nor twice for one place: there is nothing.
     */

    lacks(end) {
        if (this.asked || this.queue.length || end > this.source.duration - 0.3) {
            return false;
        }

        if (this.paused) {
            return true;
        }

        const coming = this.coming();

        return end != this.wanted && (coming < 0 ? this.over : end != coming);
    }

    steer() {
        if (!this.buffer || !this.started || !this.file.link) {
            return;
        }

        this.grown();

        const now = this.video.currentTime;
        const end = this.ahead(now);

        /* it begins a little later than asked for, or than the end of what was there */

        if (end - now < 0.1 && this.fresh && !this.asked) {
            const b = this.video.buffered;

            for (let i = 0; i < b.length; i++) {
                if (b.start(i) > now && b.start(i) - now < NEAR
                    && b.end(i) == this.reach)
                {
                    this.fresh = false;
                    this.video.currentTime = b.start(i) + 0.001;
                    return;
                }
            }
        }

        if (end - now > AHEAD) {
            this.hold();

        } else if (end >= 0 && end - now < LEAST && this.lacks(end)) {
            this.go(end);
        }

        const { buffered } = this.buffer;

        if (!this.buffer.updating && buffered.length
            && buffered.start(0) < now - 2 * BEHIND && !this.queue.length)
        {
            this.buffer.remove(0, now - BEHIND);
        }
    }

    hold() {
        if (!this.paused) {
            this.paused = true;
            this.file.pause();
        }
    }

    /* by the user */

    seek() {
        if (!this.started || !this.info) {
            return;
        }

        const now = this.video.currentTime;

        if (this.ahead(now) < 0 && !(this.fresh && this.video.seeking
                                     && this.wanted == now))
        {
            this.go(now);
        }
    }

    go(time) {
        this.wanted = time;
        this.asked = true;
        this.queue = this.queue.filter((item) => item.mime);
        this.paused = false;
        this.over = false;
        this.file.seek(time);
    }

    /* there is another connection */

    again() {
        const end = this.ahead(this.video.currentTime);

        this.go(end < 0 ? this.video.currentTime : end);
    }

    quality(index) {
        this.file.quality(index);
        this.go(this.video.currentTime);
    }

    track(index) {
        this.file.track(index);
        this.go(this.video.currentTime);
    }

    fail(error) {
        this.error = error;
        this.dispatchEvent(new CustomEvent('error', { detail: error }));
    }

    stop() {
        this.started = false;
        this.undo.forEach((undo) => undo());

        for (const { track } of this.texts.values()) {
            track.mode = 'disabled';
        }

        if (this.url) {
            this.video.removeAttribute('src');
            this.video.load();
            URL.revokeObjectURL(this.url);
        }
    }
}
