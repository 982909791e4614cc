/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A WHEP player in one class, for any page, without any other file:
 *
 *     import { WhepPlayer } from './whep.js';
 *
 *     const player = new WhepPlayer('/whep/camera1', video,
 *                                   { token: 'of the user' });
 *     player.addEventListener('state', () => console.log(player.state,
 *                                                        player.message));
 *     player.addEventListener('stats', (e) => console.log(e.detail));
 *     player.start();
 *     ...
 *     player.stop();
 *
 * docs/clients.md describes options, states and reasons.  Session, Restarts and
 * Reason are what whip.js and range-client.js have in common with it.
 */

const BACKOFF = [500, 1000, 2000, 4000, 5000];   /* ms, then the last */
const STALL = 3000;          /* ms without a frame until "stalled" */
const LOSSY = 5;             /* percent lost: the path may be narrow */
const DECIDE = 6000;         /* ms after which a check would have been answered:
                                browsers send one each 2.5 s (RFC 7675: 5 s) */
const GIVE_UP = 8000;        /* ms of a broken connection until a new one */
const CONNECT = 10000;       /* ms from the answer to a connection */
const SLOW = 10000;          /* ms without an answer until it is told */
const SILENT = 90000;        /* ms without an answer until it is asked anew */
const PATCHED = 5000;        /* ms to the answer of a restart */
const SETTLE = 4000;         /* ms from that to another path */
const DOUBT = 1000;          /* ms without a packet, after a change */
const SURE = 10000;          /* ms between two doubts */
const LOOK = 300;            /* ms between two looks at what has come */
const LATE = 900;            /* ms between them: timers are throttled */
const SILENCE = 1500;        /* ms without a byte, one that was asked for */
const UNANSWERED = 500;      /* ms to the answer of a check, or two round trips */
const REPORT = 1600;         /* ms between two reports, which come each second */
const REPORTS = 2400;        /* ms without one: two are missing */
const CALM = 5000;           /* ms after a restart for silence, then twice as long */
const CALMER = 120000;       /* ms, at most */


/*
 * Why something does not work: a code for programs, a title and a detail for
 * people.  "again" tells whether it is worth trying again.
 */

export class Reason extends Error {

    constructor(code, title, detail = '', again = false) {
        super(detail ? title + ': ' + detail : title);

        this.name = 'Reason';
        this.code = code;
        this.title = title;
        this.detail = detail;
        this.again = again;
    }


    /* the detail as a sentence; what begins with a name or an address stays */

    get text() {
        const text = this.detail;

        return text && (this.code == 'refused' ? text : capital(text))
                       + (/[.?!]$/.test(text) ? '' : '.');
    }
}


/* statuses without a problem's body: of nginx itself, or of a proxy */

const STATUSES = {
    200: 'There is no WebRTC at this address',
    204: 'There is no WebRTC at this address',
    401: 'The server wants a valid token',
    403: 'The server does not allow it',
    404: 'There is nothing at this address',
    405: 'There is no WebRTC at this address',
    413: 'The offer is too long for the server',
    429: 'Too many requests',
    502: 'The proxy does not reach the server',
    503: 'The server is busy',
    504: 'The proxy does not reach the server',
};

const AGAIN = [409, 429, 500, 502, 503, 504];


/* from an answer that is not 201; RFC 9457 */

export function refusal(response, body) {
    const status = response.status;
    let problem = {};

    try {
        problem = JSON.parse(body) || {};
    } catch {
        /* a page in HTML */
    }

    const again = AGAIN.includes(status);

    if (problem.title || problem.detail) {
        return new Reason('refused', capital(problem.title || problem.detail),
                          problem.title ? problem.detail : '', again);
    }

    return new Reason('refused', STATUSES[status] || 'The server refused',
                      ('HTTP ' + status + ' ' + response.statusText).trim()
                      + ' from ' + response.url, again);
}


/* unless it begins with an address or a name */

function capital(text) {
    return /^[a-z]+[ ,]/.test(text)
           ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}


/* fetch() says "TypeError" whatever has happened; what it was, in words */

export async function unreachable(url) {
    const at = new URL(url);
    const here = globalThis.location;
    const local = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

    if (here && here.protocol == 'https:' && at.protocol == 'http:'
        && !local.test(at.hostname))
    {
        return new Reason('mixed-content', 'The browser blocks this address',
                          'this page came over https, and ' + at.origin
                          + ' is http; use https for both.');
    }

    if (globalThis.navigator?.onLine === false) {
        return new Reason('offline', 'This device is offline', '', true);
    }

    /* whether something answers there at all, whatever it says */

    if (here && at.origin != here.origin
        && await fetch(at, { method: 'HEAD', mode: 'no-cors',
                             cache: 'no-store',
                             signal: AbortSignal.timeout(SLOW) })
                 .then(() => true, () => false))
    {
        return new Reason('cors', 'The server is there, but not for this page',
                          at.origin + ' lets pages of ' + here.origin
                          + ' not read its answers (CORS); it needs'
                          + ' "webrtc_cors_origin ' + here.origin + '".');
    }

    return new Reason('no-answer', 'The server does not answer',
                      at.origin + ' cannot be reached.', true);
}


/* RFC 9725, 4.6: Link: <turn:...>; rel="ice-server"; username="u"; ... */

export function iceServers(link) {
    const servers = [];
    const one = /<([^>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^",;\s]*))?)*)/g;
    const param = /;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))/g;

    for (const [, url, params] of (link || '').matchAll(one)) {
        const p = {};

        for (const [, name, quoted, bare] of params.matchAll(param)) {
            p[name.toLowerCase()] ??= quoted !== undefined
                                      ? quoted.replace(/\\(.)/g, '$1') : bare;
        }

        if (!(p.rel || '').split(/\s+/).includes('ice-server')
            || !/^(stun|turn)s?:/i.test(url))
        {
            continue;
        }

        if (/^stun/i.test(url)) {
            servers.push({ urls: url });

        } else if (p.username && p.credential) {
            servers.push({ urls: url, username: p.username,
                           credential: p.credential });
        }
    }

    return servers;
}


/* where a session's answer says that something more is; RFC 8288 */

export function linked(link, rel) {
    return new RegExp('<([^>]*)>\\s*;[^,]*rel="' + rel + '"')
        .exec(link || '')?.[1];
}


/* unless the page has given its own; one that the browser refuses is no reason not
   to play */

export function useServers(pc, response, options) {
    const servers = iceServers(response.headers.get('Link'));

    if (!servers.length || options.iceServers || !pc.setConfiguration) {
        return;
    }

    try {
        pc.setConfiguration({ ...pc.getConfiguration(), iceServers: servers });
    } catch (e) {
        console.warn('ICE servers of the answer:', e.message);
    }
}


/* "headers" and "token" may be functions, for tokens that end; async ones, too */

export async function headersOf(options, more = {}) {
    const value = (v) => typeof v == 'function' ? v() : v;
    const token = await value(options.token);

    return { ...(token ? { Authorization: 'Bearer ' + token } : {}),
             ...await value(options.headers), ...more };
}


/* addresses that an answer tells; all are of UDP with us */

function candidates(sdp) {
    return [...sdp.matchAll(
        /^a=candidate:\S+ \d+ \S+ \d+ (\S+) (\d+) typ/gm)]
        .map(([, address, port]) => ({ address, port }));
}


/* answered over HTTP, and then nothing; in the words of the log and status */

export function noAnswer(pc) {
    if (['connected', 'completed'].includes(pc.iceConnectionState)) {
        return new Reason('dtls', 'The encryption is not agreed on',
                          'packets arrive, but the DTLS handshake does not'
                          + ' end.', true);
    }

    const told = candidates(pc.remoteDescription?.sdp || '');

    if (!told.length) {
        return new Reason('no-candidate', 'The answer names no address',
                          'the server needs a webrtc_listen or'
                          + ' webrtc_candidate that this device can reach.',
                          true);
    }

    const ports = [...new Set(told.map((c) => c.port))].join(', ');
    const all = [...new Set(told.map((c) => (c.address.includes(':')
        ? '[' + c.address + ']' : c.address) + ':' + c.port))].join(', ');

    return new Reason('udp', 'No packets arrive: UDP port ' + ports
                      + ' blocked?',
                      'the session was answered, and its checks are not: is UDP'
                      + ' blocked, or "webrtc_candidate" wrong? We were told '
                      + all + '.', true);
}


const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));


/* an offer's credentials for a PATCH, with an attribute more; RFC 9725, 4.3 */

function fragment(sdp, ...more) {
    const line = (re) => re.exec(sdp)?.[0].trim();

    return [line(/^a=ice-ufrag:.*$/m), line(/^a=ice-pwd:.*$/m),
            line(/^m=.*$/m), line(/^a=mid:.*$/m) || 'a=mid:0',
            ...more, ''].join('\r\n');
}


async function patch(session, options, etag, body) {
    return fetch(session, {
        method: 'PATCH',
        headers: await headersOf(options, {
            'Content-Type': 'application/trickle-ice-sdpfrag',
            ...(etag ? { 'If-Match': etag } : {}) }),
        body,
        signal: AbortSignal.timeout(PATCHED),
    });
}


/*
 * Has the path of a connection gone silent?  Browsers say "disconnected" 5 to 7 s
 * after the last packet; nobody need wait for that.  A source that is quiet is
 * something else: the server goes on to answer checks, which browsers send every
 * 2.5 s, and to send a report each second.
 *
 * 1. Any byte is a sign of life, and so is an answer to a check.
 * 2. Without one for SILENCE the path is dead if something was asked since that must
 *    have been answered by now: a check, or a ping of the file client.
 * 3. So it is if reports came each second before, and two are missing.  (Firefox does
 *    not tell of its checks.)
 * 4. A look that comes late tells nothing, nor does one of a hidden page: its timers
 *    are throttled.  Counting begins anew.
 * 5. Between two such verdicts are CALM ms, then twice as many, until it was well for
 *    that long.
 */

export class Silence {

    constructor() {
        this.calm = CALM;
        this.until = 0;
        this.at = -Infinity;
        this.every = Infinity;
        this.reported = -Infinity;
        this.seen = {};
    }


    /*
     * At the time now (ms): true, the path is dead.
     *
     *   seen.bytes    what has come in all, of any unit
     *   seen.asked    how many answers were asked for
     *   seen.report   changes with each report
     *   seen.rtt      ms, if it is known
     *
     * or null if nothing can be told now.
     */

    look(now, seen) {
        const late = now - this.at > LATE;
        const last = this.seen;

        this.at = now;

        if (seen === null || late) {
            this.seen = seen || {};
            this.every = Infinity;
            this.alive(now);
            return false;
        }

        if (seen.report != last.report) {
            this.every = now - this.reported;
            this.reported = now;
        }

        this.seen = seen;

        if (seen.bytes != last.bytes) {
            this.alive(now);
            return false;
        }

        if (seen.asked != last.asked) {
            this.asked ??= now;
        }

        const silent = now - this.heard;
        const answer = Math.max(UNANSWERED, 2 * (seen.rtt || 0));

        return silent >= SILENCE
               && (now - this.asked >= answer
                   || (this.every <= REPORT && now - this.reported >= REPORTS))
               && this.dead(now);
    }


    alive(now) {
        this.heard = now;
        this.asked = undefined;
    }


    dead(now) {
        if (now < this.until) {
            return false;
        }

        this.alive(now);
        this.calm = now < this.until + this.calm
                    ? Math.min(2 * this.calm, CALMER) : CALM;
        this.until = now + this.calm;

        return true;
    }
}


/*
 * RFC 9725, 4.3.3: another path for a session whose own is dead, as after a change
 * of networks: 2 s instead of the 14 s that a new session takes, and the session
 * stays.  The old path serves until the new one works, so that a restart too many
 * does no harm.
 *
 * 1. One at a time: whoever wants one meanwhile gets the one that is under way.
 * 2. A network that has come ("online") or is another one ("type") is a reason by
 *    itself.  Other changes are of what the browser believes of it, and happen all
 *    the time: these count only if nothing arrives.
 * 3. So is a path that is silent (Silence), before the browser says so.
 * 4. A failed one is repeated, later each time.  When the session is given up is
 *    its owner's to say, who then ends this, too.
 *
 *   how.session()           URL of the session, or null
 *   how.options             "headers" and "token"
 *   how.edit(sdp)           what has been done to the POST's offer, if anything
 *   how.trickle(sdp, etag)  the server wants our candidates, if anybody tells them
 *   how.gone()              the server does not know the session
 *   how.asked()             how many answers the owner has asked for, if any
 *   how.begins(cause)       one begins: "silence", "disconnected", "online",
 *                           "network"
 */

export class Restarts {

    constructor(pc, how) {
        const end = this.over = new AbortController();
        const net = globalThis.navigator?.connection;

        this.pc = pc;
        this.how = how;
        this.busy = false;
        this.able = true;
        this.sure = 0;
        this.type = net?.type;

        globalThis.addEventListener('online', () => {
            this.wake?.();
            this.want('online');
        }, { signal: end.signal });

        net?.addEventListener?.('change', () => this.changed(net.type),
                                { signal: end.signal });

        this.silence = new Silence();
        this.ticker = setInterval(() => this.look(), LOOK);
    }


    close() {
        clearInterval(this.ticker);
        this.over.abort();
        this.wake?.();
    }


    get closed() {
        return this.over.signal.aborted;
    }


    async look() {
        const told = !this.busy && this.able
            && ['connected', 'disconnected'].includes(this.pc.connectionState)
            && globalThis.document?.visibilityState != 'hidden';
        const path = told ? await this.path().catch(() => null) : null;

        if (!this.closed && !this.busy
            && this.silence.look(performance.now(), path))
        {
            this.want('silence');
        }
    }


    async changed(type) {
        if (type != this.type) {
            this.type = type;
            this.want('network');
            return;
        }

        if (performance.now() < this.sure) {
            return;
        }

        this.sure = performance.now() + SURE;

        try {
            const before = await this.path();

            await sleep(DOUBT);

            if ((await this.path()).bytes <= before.bytes) {
                this.want('network');
            }

        } catch {
            /* closed */
        }
    }


    want(cause) {
        if (!this.busy && this.able && !this.closed && this.how.session()
            && this.pc.remoteDescription)
        {
            this.busy = true;
            this.how.begins?.(cause);
            this.attempts().finally(() => { this.busy = false; });
        }
    }


    async attempts() {
        for (const pause of BACKOFF) {
            let status = 0;

            try {
                status = await this.once();
            } catch {
                /* no network yet, or closed */
            }

            if (this.closed) {
                return;
            }

            if (status == 200) {
                if (await this.settled()) {
                    return;
                }

            } else if (status == 404 || status == 410) {
                this.how.gone();
                return;

            } else if ([400, 401, 403, 405, 406, 415, 422, 501]
                       .includes(status))
            {
                this.able = false;
                return;
            }

            await Promise.race([sleep(pause), new Promise((resolve) => {
                this.wake = resolve;
            })]);

            if (this.closed) {
                return;
            }
        }
    }


    /* nothing of ours has changed unless the server says 200 */

    async once() {
        const { pc, how } = this;
        const sdp = (how.edit || ((same) => same))(
            (await pc.createOffer({ iceRestart: true })).sdp);

        this.before = await this.path();

        const r = await patch(how.session(), how.options, '*', fragment(sdp));
        const answer = await r.text();

        if (r.status != 200 || this.closed) {
            return r.status;
        }

        const value = (name) => new RegExp('^a=' + name + ':(.*?)\r?$', 'm')
                                .exec(answer)?.[1];
        const remote = pc.remoteDescription.sdp
            .replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '')
            .replace(/^(a=ice-ufrag:).*$/gm, '$1' + value('ice-ufrag'))
            .replace(/^(a=ice-pwd:).*$/gm, '$1' + value('ice-pwd'));

        if (!/^a=ice-lite/m.test(answer)) {
            how.trickle?.(sdp, r.headers.get('ETag'));
        }

        try {
            await pc.setLocalDescription({ type: 'offer', sdp });
            await pc.setRemoteDescription({ type: 'answer', sdp: remote });

        } catch (e) {
            if (pc.signalingState == 'have-local-offer') {
                await pc.setLocalDescription({ type: 'rollback' });
            }

            throw e;
        }

        for (const [, candidate] of answer.matchAll(/^a=(candidate:.*?)\r?$/gm)) {
            await pc.addIceCandidate({ candidate, sdpMid: value('mid') ?? '0' });
        }

        return 200;
    }


    /*
     * What is sent over, what has come there, and what was asked for, as Silence
     * wants it.  Checks of other pairs may be answered by nobody.
     */

    async path() {
        const stats = await this.pc.getStats();
        const path = { id: null, bytes: 0, report: 0,
                       asked: this.how.asked?.() || 0 };

        stats.forEach((s) => {
            if (s.type == 'candidate-pair') {
                path.bytes += (s.bytesReceived || 0)
                              + (s.responsesReceived || 0)
                              + (s.requestsReceived || 0);

                if (s.selected) {
                    path.id ??= s.id;
                }

            } else if (s.type == 'transport' && s.selectedCandidatePairId) {
                path.id = s.selectedCandidatePairId;

            } else if (/^remote-(in|out)bound-rtp$/.test(s.type)) {
                path.report += s.remoteTimestamp ?? s.timestamp;
            }
        });

        const pair = stats.get(path.id);

        path.asked += pair?.requestsSent || 0;
        path.rtt = 1000 * (pair?.currentRoundTripTime || 0);

        return path;
    }


    async settled() {
        const end = performance.now() + SETTLE;

        for ( ;; ) {
            const up = this.pc.connectionState == 'connected';

            if (this.closed || (up && (await this.path()).id != this.before.id)
                || performance.now() > end)
            {
                return this.closed || up;
            }

            await sleep(100);
        }
    }
}


/*
 * What a player and a publisher have in common: one session at a time, its HTTP
 * requests, and when to try again.  Whoever inherits has attempt(run), and
 * "stale(run)" tells it that the attempt is over.
 */

export class Session extends EventTarget {

    constructor(url, options = {}) {
        super();

        this.url = new URL(url, location.href).href;
        this.options = options;
        this.state = 'idle';
        this.reason = null;
        this.retryIn = 0;
        this.attempts = 0;
        this.run = 0;

        this.onpagehide = () => this.stop();
        this.ononline = () => this.hurry();
    }


    get message() {
        return this.reason ? this.reason.message : '';
    }


    begin() {
        addEventListener('pagehide', this.onpagehide);
        addEventListener('online', this.ononline);
        this.attempts = 0;
        this.worked = false;
        this.reason = null;
        this.connect();
    }


    stop() {
        removeEventListener('pagehide', this.onpagehide);
        removeEventListener('online', this.ononline);
        this.close();
        this.set('idle', null);
    }


    stale(run) {
        return run != this.run;
    }


    /* what was wrong stays told while it is tried again */

    async connect() {
        const run = ++this.run;

        this.set('connecting', this.reason);

        if (!globalThis.RTCPeerConnection) {
            this.fail(new Reason('no-webrtc', 'This browser has no WebRTC',
                                 'it is too old, or WebRTC is switched off.'));
            return;
        }

        try {
            await this.attempt(run);

        } catch (e) {
            if (!this.stale(run)) {
                this.end(e instanceof Reason ? e
                         : new Reason('error', 'That did not work', e.message,
                                      true));
            }
        }
    }


    /* what has worked was let in: a proxy without its server says this, too */

    end(reason) {
        if (reason.again || (this.worked && reason.code == 'cors')) {
            this.retry(reason, reason.after);
        } else {
            this.fail(reason);
        }
    }


    fail(reason) {
        this.close();
        this.set('failed', reason);
    }


    retry(reason, delay) {
        this.close();

        if (delay === undefined) {
            delay = BACKOFF[Math.min(this.attempts, BACKOFF.length - 1)];
            delay *= 0.8 + 0.4 * Math.random();
        }

        this.attempts++;
        this.retryIn = delay;
        this.set('retry', reason);
        this.timer = setTimeout(() => this.connect(), delay);
    }


    /* the network has come, unless it is the server that wants us to wait */

    hurry() {
        if (this.state == 'retry' && this.reason.after === undefined) {
            clearTimeout(this.timer);
            this.connect();
        }
    }


    /*
     * A device that is offline has nobody to ask for a new session, and could not
     * end the old one, which keeps a publisher's name: it waits for its network,
     * and then for a restart.
     */

    giveUp(reason) {
        if (this.seen && globalThis.navigator?.onLine === false) {
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.giveUp(reason), GIVE_UP);
            return;
        }

        this.retry(reason);
    }


    /* RTCPeerConnection with the states that all of them look at */

    peer(run) {
        const { iceServers: given, iceTransportPolicy } = this.options;

        const pc = this.pc = new RTCPeerConnection({
            iceServers: given || [],
            ...(iceTransportPolicy ? { iceTransportPolicy } : {}),
        });

        this.restarts = new Restarts(pc, {
            session: () => this.session,
            options: this.options,
            edit: (sdp) => this.edit(sdp),
            trickle: (sdp, etag) => this.trickle(run, pc, sdp, etag),
            gone: () => this.stale(run) || this.retry(new Reason('ended',
                'The session has ended', 'the server does not know it any more.',
                true), 0),
            begins: (cause) => this.dispatchEvent(
                new CustomEvent('restart', { detail: cause })),
        });

        pc.onconnectionstatechange = () => {
            if (this.stale(run)) {
                return;
            }

            clearTimeout(this.timer);

            switch (pc.connectionState) {

            case 'connected':
                this.connected();
                break;

            case 'disconnected':
                this.broken();
                this.timer = setTimeout(() => this.giveUp(this.lost()),
                                        GIVE_UP);
                this.restarts.want('disconnected');
                break;

            case 'failed':
            case 'closed':
                this.giveUp(this.seen ? new Reason('ended',
                                'The connection ended', '', true)
                            : noAnswer(pc));
                break;

            default:
                this.await(pc);
            }
        };

        return pc;
    }


    await(pc) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.giveUp(this.seen ? this.lost()
                                                  : noAnswer(pc)), CONNECT);
    }


    connected() {
        this.seen = this.worked = true;
    }


    /* what is done to an offer, that of a restart, too */

    edit(sdp) {
        return sdp;
    }


    broken() {
    }


    lost() {
        return new Reason('lost', 'The connection was lost',
                          'nothing arrives from the server any more.', true);
    }


    /*
     * POSTs the offer and takes the answer.  The local description is set after
     * it: so that the servers of its Link are there when candidates are gathered
     * (RFC 9725, 4.6).  A lite server wants no candidates of ours.
     */

    async exchange(run, pc, offer) {
        const abort = this.abort = new AbortController();

        this.seen = false;

        const headers = await headersOf(this.options,
                                        { 'Content-Type': 'application/sdp' });
        const slow = setTimeout(() => this.set('connecting', new Reason(
            'waiting', 'The server has not answered yet',
            'it may be waiting for the stream, or be stuck.', true)), SLOW);
        const silent = setTimeout(() => abort.abort(new Reason('no-answer',
            'The server does not answer',
            'it was asked, and has said nothing.', true)), SILENT);
        let response, body;

        abort.signal.addEventListener('abort', () => clearTimeout(slow));

        try {
            response = await fetch(this.url, { method: 'POST', headers,
                                               body: offer.sdp,
                                               signal: abort.signal });
            body = await response.text();

        } catch (e) {
            throw e instanceof TypeError && !this.stale(run)
                  ? await unreachable(this.url) : e;

        } finally {
            clearTimeout(slow);
            clearTimeout(silent);
        }

        const at = response.headers.get('Location');

        if (response.status == 201 && at) {
            this.session = new URL(at, response.url).href;
        }

        if (this.stale(run)) {
            this.remove();
            return false;
        }

        if (response.status != 201) {
            throw this.refused(response, body);
        }

        useServers(pc, response, this.options);
        this.link = response.headers.get('Link');

        if (!/^a=ice-lite/m.test(body)) {
            this.trickle(run, pc, offer.sdp, response.headers.get('ETag'));
        }

        await pc.setLocalDescription(offer);
        await pc.setRemoteDescription({ type: 'answer', sdp: body });

        if (this.stale(run)) {
            return false;
        }

        if (pc.connectionState != 'connected') {
            this.await(pc);
        }

        return true;
    }


    refused(response, body) {
        const reason = refusal(response, body);
        const after = parseInt(response.headers.get('Retry-After'), 10);

        if (after >= 0) {
            reason.after = after * 1000;
        }

        return reason;
    }


    /* candidates for a server that checks itself; RFC 9725, 4.3.2 */

    trickle(run, pc, sdp, etag) {
        let rest = Promise.resolve();

        pc.onicecandidate = ({ candidate }) => {
            rest = rest.then(async () => {
                if (!this.stale(run) && this.session) {
                    await patch(this.session, this.options, etag, fragment(sdp,
                        candidate && candidate.candidate
                        ? 'a=' + candidate.candidate
                        : 'a=end-of-candidates'));
                }
            }).catch(() => {});
        };
    }


    /* ends the attempt: nothing of it calls back any more */

    close() {
        this.run++;

        clearTimeout(this.timer);
        clearInterval(this.ticker);
        this.restarts?.close();

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

            try {
                await fetch(session, { method: 'DELETE', keepalive: true,
                                       headers: await headersOf(
                                           this.options) });
            } catch {
                /* it ends by itself */
            }
        }
    }


    set(state, reason) {
        this.state = state;
        this.reason = reason;
        this.dispatchEvent(new Event('state'));
    }


    /* "layers" events of the session, for as long as it lasts: told() gets them */

    async listen(run, events) {
        while (!this.stale(run)) {
            try {
                const response = await fetch(new URL(events, this.url), {
                    headers: await headersOf(this.options,
                                             { Accept: 'text/event-stream' }),
                    cache: 'no-store',
                    signal: this.abort?.signal,
                });

                if (!response.ok) {
                    return;
                }

                await this.read(run, response.body);

            } catch {
                /* cut off */
            }

            await sleep(BACKOFF[2]);
        }
    }


    async read(run, body) {
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';

        for ( ;; ) {
            const { value, done } = await reader.read();

            if (done || this.stale(run)) {
                return;
            }

            const all = (text + value).split('\n\n');

            text = all.pop();

            for (const event of all) {
                const data = /^event: layers$/m.test(event)
                             && /^data: (.*)$/m.exec(event);

                if (data) {
                    this.told(JSON.parse(data[1]));
                }
            }
        }
    }
}


export class WhepPlayer extends Session {

    constructor(url, video, options = {}) {
        super(url, options);

        this.video = video;
        this.firstFrameMs = null;
        this.forget();
    }


    /* nothing is known of layers */

    forget() {
        this.layers = [];
        this.layer = null;
        this.spatial = 0;
        this.temporal = null;
        this.automatic = true;
        this.limited = '';
    }


    start() {
        if (this.state == 'idle' || this.state == 'failed') {
            this.begin();
        }
    }


    async attempt(run) {
        this.firstFrameMs = null;
        this.last = null;

        const pc = this.peer(run);
        const stream = new MediaStream();

        /* not before something comes: a video that waits for data holds up
           the page's load event, the last picture may stay meanwhile, and a
           track that has yet to begin would keep the other one from playing */

        pc.ontrack = (e) => {
            const add = () => {
                stream.addTrack(e.track);

                if (!this.stale(run) && this.video.srcObject != stream) {
                    this.video.srcObject = stream;
                }
            };

            if (e.track.muted) {
                e.track.addEventListener('unmute', add, { once: true });

            } else {
                add();
            }
        };

        pc.addTransceiver('video', { direction: 'recvonly' });
        pc.addTransceiver('audio', { direction: 'recvonly' });

        const sdp = this.edit((await pc.createOffer()).sdp);

        if (this.stale(run)) {
            return;
        }

        const began = performance.now();

        if (!await this.exchange(run, pc, { type: 'offer', sdp })) {
            return;
        }

        this.frames(run, began);
        this.ticker = setInterval(() => this.tick(run), 1000);
        this.play();
        this.follow(run);
    }


    /*
     * The qualities that the server has of the stream, if it has several: events
     * of the session tell of them, as of which one it is.  Of one quality they
     * tell what is left of it on a path that does not carry it, so nobody asks
     * before something is lost.  An extra: nothing ends without it.
     */

    async follow(run) {
        const rel = 'urn:ietf:params:whep:ext:core:';
        const events = linked(this.link, rel + 'server-sent-events');
        const choice = linked(this.link, rel + 'layer');

        this.forget();
        this.choice = choice && new URL(choice, this.url);
        this.events = events;

        if (choice) {
            await this.hear(run);
        }
    }


    async hear(run) {
        const events = this.events;

        this.events = null;

        if (events) {
            await this.listen(run, events);
        }
    }


    told(event) {
        const media = Object.values(event.medias || {})[0] || {};

        /* each with its highest temporal layer comes first */

        this.layers = [];

        for (const { encodingId: name, spatialLayerId: spatial = 0,
                     temporalLayerId: temporal = 0, bitrate, width, height }
             of media.layers || []) {
            const last = this.layers.at(-1);

            if (last?.name == name && last.spatial == spatial) {
                last.parts.push(temporal);

            } else {
                this.layers.push({ name, spatial, temporal, bitrate, width,
                                   height, parts: [] });
            }
        }

        this.layer = event.current ?? null;
        this.spatial = event.spatialLayerId ?? 0;
        this.temporal = event.temporalLayerId ?? null;
        this.automatic = event.automatic !== false;
        this.limited = event.limited || '';

        this.dispatchEvent(new Event('layers'));
    }


    /*
     * A layer by its name; null: what the path carries.  Of that, no spatial
     * and temporal layers above these, as "layers" has them; null: all.
     */

    async choose(name, spatial = null, temporal = null) {
        if (!this.choice) {
            return false;
        }

        const response = await fetch(this.choice, {
            method: 'POST',
            headers: await headersOf(this.options,
                                     { 'Content-Type': 'application/json' }),
            body: JSON.stringify({ encodingId: name, spatialLayerId: spatial,
                                   temporalLayerId: temporal }),
        });

        return response.ok;
    }


    /* else Chromium decodes Opus to mono */

    edit(sdp) {
        return sdp.replace(/(a=fmtp:\d+ .*useinbandfec=1)(?!.*stereo=1)/g,
                           '$1;stereo=1');
    }


    /* sound without a click is not allowed everywhere: muted then */

    play() {
        this.video.play().catch((e) => {
            if (e.name == 'NotAllowedError' && !this.video.muted) {
                this.video.muted = true;
                this.dispatchEvent(new Event('muted'));
                this.video.play().catch(() => {});
            }
        });
    }


    connected() {
        super.connected();

        if (this.state == 'stalled') {
            this.lastPacket = this.lastAnswer = performance.now();
        }

        this.lastFrame ??= performance.now();
    }


    broken() {
        this.stall(this.lost());
    }


    /* the first frame, and when the last one was */

    frames(run, began) {
        this.lastFrame = null;
        this.lastPacket = this.lastAnswer = performance.now();

        if (this.pc.connectionState == 'connected') {
            this.lastFrame = performance.now();
        }

        /* an element that has played before may still show that */

        const shown = this.shown = () => {
            if (this.stale(run)
                || ['new', 'connecting'].includes(this.pc.connectionState))
            {
                return;
            }

            if (this.firstFrameMs === null) {
                this.firstFrameMs = performance.now() - began;
                this.attempts = 0;
            }

            this.lastFrame = performance.now();

            if (this.state != 'playing') {
                this.set('playing', null);
            }
        };

        if (this.video.requestVideoFrameCallback) {
            const next = () => {
                shown();

                if (!this.stale(run)) {
                    this.video.requestVideoFrameCallback(next);
                }
            };

            this.video.requestVideoFrameCallback(next);

        } else {
            this.video.addEventListener('timeupdate', shown);
        }

        /* a stream without video; tick() sees one that says so too early */
        this.video.addEventListener('playing', shown, { once: true });
    }


    async tick(run) {
        const report = await this.pc.getStats();

        if (this.stale(run)) {
            return;
        }

        const now = this.figures(report);
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

            if (now.lossPercent >= LOSSY) {
                this.hear(run);
            }

            if (got > 0) {
                this.lastPacket = now.time;

                if (!now.video) {
                    this.shown();
                }
            }

            if (now.answers === undefined || now.answers > last.answers) {
                this.lastAnswer = now.time;
            }
        }

        this.judge(now);
        this.dispatchEvent(new CustomEvent('stats', { detail: now }));
    }


    /*
     * No frame for a while.  Packets that are no picture, a server that answers
     * connectivity checks and sends nothing else, and no word from it at all are
     * three different things.
     */

    judge(now) {
        if (!['playing', 'stalled', 'connecting'].includes(this.state)
            || !this.lastFrame || now.time - this.lastFrame <= STALL
            || document.visibilityState != 'visible'
            || this.pc.connectionState != 'connected')
        {
            return;
        }

        if (now.time - this.lastPacket <= STALL) {
            this.stall(new Reason('no-picture', 'Packets arrive, but no picture',
                'the decoder waits for a key frame'
                + (now.video && now.video.codec ? ' of ' + now.video.codec
                                                : '') + '.'));

        } else if (this.lastAnswer > this.lastPacket
                   && now.time - this.lastAnswer <= DECIDE)
        {
            this.stall(new Reason('quiet', 'The source is quiet',
                'the server is there and has nothing to send; it goes on as'
                + ' soon as the source does.'));

        } else if (now.time - this.lastPacket <= DECIDE) {
            this.stall(new Reason('stalled', 'Waiting for the picture'));

        } else {
            this.stall(new Reason('silent', 'Nothing arrives',
                'neither the stream nor answers of the server.'));
            this.restarts.want('silence');
        }
    }


    /* told once per cause */

    stall(reason) {
        if (this.state != 'stalled' || this.reason?.code != reason.code) {
            this.set('stalled', reason);
        }
    }


    figures(report) {
        const all = new Map();
        let chosen;

        /* media may flow before a pair is nominated; Firefox has no transport */

        report.forEach((s) => {
            all.set(s.id, s);
            chosen = s.selectedCandidatePairId || chosen;
        });

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

            if (s.type == 'candidate-pair' && (chosen ? s.id == chosen
                                               : s.nominated
                                                 && s.state == 'succeeded'))
            {
                const remote = all.get(s.remoteCandidateId) || {};
                const local = all.get(s.localCandidateId) || {};

                now.rttMs = s.currentRoundTripTime * 1000;
                now.answers = s.responsesReceived;
                now.remote = remote.address
                             ? remote.address + ':' + remote.port : '';
                now.relay = local.candidateType == 'relay' ? local.url : '';
            }

            if (s.type == 'transport') {
                now.srtp = (s.srtpCipher || '').replace(/^SRTP_/, '');
                now.dtls = s.tlsVersion == 'FEFD' ? '1.2'
                         : s.tlsVersion == 'FEFC' ? '1.3' : '';
            }
        }

        return now;
    }
}
