/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What "webrtc_status control" tells and can do, on a page.  It asks for
 * everything but the sessions every two seconds, and for the sessions of the
 * stream that is looked at.
 *
 *     dashboard.html?api=/status        where the location is; ./status
 *     dashboard.html?snapshot=/thumb/   where pictures of streams are, if
 *                                       anywhere: /thumb/NAME; ./snapshot/
 */

const query = new URLSearchParams(location.search);
const api = new URL(query.get('api') || 'status', location.href);
const pictures = new URL(query.get('snapshot') || 'snapshot/', location.href);

const PERIOD = 2000;                    // ms between two requests
const KEEP = 60;                        // values of a sparkline
const PICTURE = 10000;                  // ms between two pictures of a stream

const $ = (id) => document.getElementById(id);

const series = new Map();               // name of a sparkline => its values
let before = null;                      // the sums of the last answer
let last = null;
let chosen = null;                      // name of a stream
let timer = 0;


function element(tag, className, text) {
    const e = document.createElement(tag);
    if (className) {
        e.className = className;
    }
    if (text !== undefined) {
        e.textContent = text;
    }
    return e;
}


function bits(n) {
    for (const unit of ['bit/s', 'kbit/s', 'Mbit/s']) {
        if (n < 1000) {
            return `${n < 10 && n > 0 ? n.toFixed(1) : Math.round(n)} ${unit}`;
        }
        n /= 1000;
    }
    return `${n.toFixed(1)} Gbit/s`;
}


function seconds(s) {
    if (s < 120) {
        return `${Math.round(s)} s`;
    }
    return s < 7200 ? `${Math.round(s / 60)} min`
                    : `${Math.round(s / 3600)} h`;
}


function remember(name, value) {
    const values = series.get(name) || [];
    values.push(value);
    if (values.length > KEEP) {
        values.shift();
    }
    series.set(name, values);
    return values;
}


function spark(values, label) {
    const ns = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(ns, 'svg');
    const top = Math.max(...values, 1e-9);
    const points = values.map((v, i) =>
        `${(100 - (values.length - 1 - i) * 100 / (KEEP - 1)).toFixed(2)},`
        + `${(28 - 26 * v / top).toFixed(2)}`);

    svg.setAttribute('class', 'spark');
    svg.setAttribute('viewBox', '0 0 100 30');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);

    const first = points[0].split(',')[0];

    for (const [name, d] of [
        ['area', `M${first},30L${points.join('L')}L100,30Z`],
        ['line', `M${points.join('L')}`]])
    {
        const path = document.createElementNS(ns, 'path');
        path.setAttribute('class', name);
        path.setAttribute('d', d);
        svg.append(path);
    }

    return svg;
}


function tile(name, text, unit, value) {
    const e = element('div', 'tile');
    const p = element('p', '', text);

    if (unit) {
        p.append(' ', element('small', '', unit));
    }

    e.append(element('h3', '', name), p,
             spark(remember(`tile ${name}`, value), `${name}, last two minutes`));
    return e;
}


function showTiles(s) {
    const sum = (f) => s.workers.reduce((n, w) => n + f(w), 0);
    const viewers = sum((w) => w.viewers);
    const publishers = sum((w) => w.publishers);
    const active = s.streams.filter((st) => st.state === 'active').length;
    const incoming = s.streams.reduce((n, st) => n + st.bitrate, 0);
    const cpu = sum((w) => w.cpu_percent);
    const used = 100 * (1 - s.zone.free / s.zone.size);
    const bytes = sum((w) => w.port.bytes_out);
    const out = before && bytes >= before.bytes
                ? 8000 * (bytes - before.bytes) / (s.at - before.at) : 0;

    before = { bytes, at: s.at };

    $('tiles').replaceChildren(
        tile('Viewers', viewers, '', viewers),
        tile('Publishers', publishers, '', publishers),
        tile('Streams', active, `of ${s.streams.length}`, active),
        tile('Sent', ...bits(out).split(' '), out),
        tile('Received', ...bits(incoming).split(' '), incoming),
        tile('Processor', cpu, '%', cpu),
        tile('Zone', used.toFixed(0), '%', used));
}


function track(t) {
    return t.kind === 'video'
           ? `${t.codec} ${t.width}×${t.height}` : t.codec;
}


/*
 * A picture of a stream, where there is a location with webrtc_snapshot.  It is
 * the same element in all cards, so that it stays until the next one is there.
 */

const thumbs = new Map();               // name of a stream => its picture
let anyPictures;                        // once it is known

/* one request: a page of nginx's own is no answer of webrtc_snapshot */

async function findPictures(name) {
    anyPictures = false;

    try {
        const r = await fetch(pictureOf(name), { method: 'HEAD' });

        anyPictures = r.ok || /problem\+json/.test(r.headers.get('Content-Type'));

    } catch {
        /* it is elsewhere, and not for this page */
    }
}


function pictureOf(name) {
    const url = new URL(encodeURIComponent(name), pictures);

    url.search = pictures.search;
    url.searchParams.set('width', '320');

    return url;
}


function thumb(st) {
    let t = thumbs.get(st.name);

    if (!t) {
        t = { img: element('img', 'thumb'), at: -Infinity, tries: 0 };
        t.img.alt = '';
        t.img.hidden = true;
        t.img.addEventListener('load', () => {
            t.img.hidden = false;
            t.tries = 0;
        });
        t.img.addEventListener('error', () => {
            t.img.hidden = true;
            t.tries++;
        });
        thumbs.set(st.name, t);
    }

    const now = performance.now();

    if (st.state === 'active' && st.tracks.some((x) => x.kind === 'video')
        && now - t.at >= PICTURE * 2 ** Math.min(t.tries, 5))
    {
        if (anyPictures === undefined) {
            findPictures(st.name);

        } else if (anyPictures) {
            const url = pictureOf(st.name);

            url.searchParams.set('t', String(Math.round(now / PICTURE)));
            t.at = now;
            t.img.src = url;
        }
    }

    t.img.hidden ||= st.state !== 'active';

    return t.img;
}


function showStreams(s) {
    const wanted = $('filter').value.toLowerCase();
    const list = s.streams
        .filter((st) => st.name.toLowerCase().includes(wanted))
        .sort((a, b) => b.viewers - a.viewers || a.name.localeCompare(b.name));

    // a button that has the focus keeps it

    const focused = document.activeElement?.dataset?.stream;

    $('streams').replaceChildren(...list.map((st) => {
        const li = element('li');
        const b = element('button', 'card');
        const title = element('b');

        b.type = 'button';
        b.dataset.stream = st.name;
        b.setAttribute('aria-pressed', String(st.name === chosen));
        title.append(element('span', `dot ${st.state}`), st.name);

        b.append(thumb(st), title,
            element('div', 'about', [
                st.from ? `${st.state}, ${st.from}` : st.state,
                `${st.viewers} viewer${st.viewers === 1 ? '' : 's'}`,
                st.bitrate ? bits(st.bitrate) : '',
                st.fps ? `${Math.round(st.fps)} fps` : '',
                seconds(s.server.time - st.since),
            ].filter(Boolean).join(' · ')),
            element('div', 'about', st.tracks.map(track).join(' · ') || ' '));

        if (st.state !== 'active' && st.last_error) {
            b.append(element('div', 'error', st.last_error));
        }

        b.append(spark(remember(`stream ${st.name}`, st.bitrate),
                       `bit rate of ${st.name}`));
        b.addEventListener('click', () => choose(st.name));
        li.append(b);

        if (st.name === focused) {
            requestAnimationFrame(() => b.focus());
        }

        return li;
    }));

    for (const name of thumbs.keys()) {
        if (!s.streams.some((st) => st.name === name)) {
            thumbs.delete(name);
        }
    }

    $('no-streams').hidden = list.length > 0;
}


function showSessions(s) {
    $('sessions').replaceChildren(...s.session_list.map((x) => {
        const li = element('li', 'session');
        const about = element('div');
        const id = element('div', 'id');
        const end = element('button', 'danger', 'End');
        const sends = x.role === 'publish';
        const lost = element('span', x.loss > 0.05 ? 'bad' : '',
                             `loss ${(100 * x.loss).toFixed(1)} %`);
        const quality = element('div', 'about', [
            bits(sends ? x.bitrate_received : x.bitrate_sent),
            x.layer ? `layer ${x.layer}` : '',
            x.bandwidth ? `room for ${bits(x.bandwidth)}` : '',
            x.rtt_ms ? `round trip ${Math.round(x.rtt_ms)} ms` : '',
            `jitter ${Math.round(x.jitter_ms)} ms`,
            `asked again ${x.nacks}`,
            `key frames ${x.plis}`,
        ].filter(Boolean).join(' · ') + ' · ');

        quality.append(lost);
        id.append(element('span', `dot ${x.state}`), `${x.role} ${x.id}`);
        about.append(id,
            element('div', 'about', [
                x.remote || x.state, x.tracks.map((t) => t.codec).join(', '),
                x.srtp.replace('SRTP_', ''), `ICE ${x.ice}`,
                seconds(x.age_ms / 1000),
            ].filter(Boolean).join(' · ')),
            quality,
            element('div', 'about', x.user_agent));

        end.type = 'button';
        end.setAttribute('aria-label', `End session ${x.id}`);
        end.addEventListener('click', () => act({ end: x.id }));
        li.append(about, end);
        return li;
    }));

    $('no-sessions').hidden = s.session_list.length > 0;
    $('more').hidden = s.sessions_next === undefined;
}


function showRows(s) {
    $('workers').replaceChildren(...s.workers.map((w) => {
        const li = element('li');
        const bar = element('span', 'load');
        const part = element('i');

        part.style.width = `${Math.min(100, w.cpu_percent)}%`;
        bar.append(part);
        li.append(element('span', '', `${w.pid}`),
                  element('span', 'about', `${w.sessions} sessions · `
                          + `${w.cpu_percent} % · late ${w.late_ms} ms`), bar);
        return li;
    }));

    $('errors').replaceChildren(...s.errors.map((e) => {
        const li = element('li');
        li.append(element('span', '', `${e.stream}: ${e.error}`),
                  element('span', 'about', (e.count > 1 ? `${e.count} times · `
                                                         : '')
                          + `${seconds(s.server.time - e.time)} ago`));
        return li;
    }));

    $('no-errors').hidden = s.errors.length > 0;

    $('drain').setAttribute('aria-pressed', String(s.server.draining));
    $('drain').textContent = s.server.draining ? 'Take new sessions'
                                               : 'Refuse new sessions';
}


async function ask(args, method = 'GET') {
    const url = new URL(api);
    for (const [name, value] of Object.entries(args)) {
        url.searchParams.set(name, value);
    }

    const r = await fetch(url, { method, cache: 'no-store' });

    if (!r.ok) {
        const problem = await r.json().catch(() => ({}));
        throw new Error(problem.title || `status ${r.status}`);
    }

    return r.json();
}


async function refresh() {
    clearTimeout(timer);

    try {
        const s = await ask({});
        s.at = performance.now();
        last = s;

        $('server').textContent = `${s.server.hostname} · nginx `
            + s.server.nginx + (s.server.draining ? ' · draining' : '');

        showTiles(s);
        showStreams(s);
        showRows(s);

        if (chosen !== null) {
            showSessions(await ask({ stream: chosen, part: 'sessions' }));
        }

    } catch (e) {
        $('server').textContent = `not reached: ${e.message}`;
    }

    clearTimeout(timer);

    if (!document.hidden) {
        timer = setTimeout(refresh, PERIOD);
    }
}


function choose(name) {
    chosen = (name === chosen) ? null : name;
    $('detail').hidden = chosen === null;
    $('detail-title').textContent = chosen ?? '';
    $('sessions').replaceChildren();

    if (last) {
        showStreams(last);
    }

    refresh();
}


async function act(args) {
    try {
        await ask(args, 'POST');
        $('toast').hidden = true;

    } catch (e) {
        $('toast').textContent = e.message;
        $('toast').hidden = false;
        setTimeout(() => { $('toast').hidden = true; }, 4000);
    }

    refresh();
}


$('filter').addEventListener('input', () => last && showStreams(last));
$('close').addEventListener('click', () => choose(chosen));
$('keyframe').addEventListener('click', () => act({ keyframe: chosen }));
$('end-stream').addEventListener('click', () => act({ end_stream: chosen }));
$('drain').addEventListener('click', () =>
    act({ drain: last?.server.draining ? 'off' : 'on' }));
document.addEventListener('visibilitychange', () => {
    if (!document.hidden) {
        refresh();
    }
});

refresh();
