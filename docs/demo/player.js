/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The demo's page: the list of streams, the player's controls, what it
 * measures.  Playing itself is whep.js.
 */

import { WhepPlayer } from './whep.js';
import { $, address, put, veil } from './page.js';

const video = $('video');
const screen = $('screen');

const LIST_MS = 2000;        /* how often the list is fetched */
const SPARK = 60;            /* points of the bitrate's curve */

let player = null;
let current = null;          /* name of the stream */
let curve = [];

/* streams that somebody publishes (publish.html): they have players' locations
   without a source behind */

const published = new Set();


/* what the server says about the one that plays, of its status */

let status = null;


/* playing */

function play(name) {
    if (player) {
        player.stop();
    }

    current = name;
    curve = [];
    status = null;

    player = new WhepPlayer(address(name, published.has(name) ? '/live/'
                                                              : '/whep/'),
                            video, { token: () => $('token').value.trim() });
    player.addEventListener('state', show);
    player.addEventListener('stats', (e) => measure(e.detail));
    player.addEventListener('muted', () => sound(false));
    player.start();

    /* the address of the page opens this stream */

    history.replaceState(null, '', name.includes('/')
                         ? '?stream=' + encodeURIComponent(name)
                         : location.pathname + '#' + encodeURIComponent(name));
    mark();
}


function stop() {
    player.stop();
}


/* why there is no picture; the last reason stays while it is tried again */

function texts() {
    const { state, reason } = player;
    const why = [reason && reason.text];

    switch (state) {

    case 'playing':
        return ['', ''];

    case 'idle':
        return [current, 'Stopped.'];

    case 'connecting':
        if (!reason) {
            return ['Connecting', 'to ' + current];
        }

        if (reason.code != 'waiting') {
            why.push('Trying again now.');
        }

        break;

    case 'retry':
        why.push('Trying again'
                 + (player.retryIn >= 1000 ? ' in ' + Math.round(
                        player.retryIn / 1000) + ' s.' : '.'));
        break;
    }

    if (status) {
        why.splice(1, 0, end('The server says: ' + status));
    }

    return [reason.title, why.filter(Boolean).join(' ')];
}


function end(text) {
    return /[.?!]$/.test(text) ? text : text + '.';
}


function show() {
    const state = player.state;
    const [title, text] = texts();

    screen.dataset.state = state;

    if (state != 'playing') {
        veil(title, text);
    }

    const running = state != 'idle' && state != 'failed';

    $('veil-play').hidden = running;
    $('toggle').disabled = false;
    $('toggle').classList.toggle('on', running);
    $('toggle').setAttribute('aria-label', running ? 'Stop' : 'Play');
    $('live').hidden = state != 'playing';
    $('title').textContent = current;

    const first = player.firstFrameMs;

    $('first').hidden = state != 'playing' || first === null;

    if (first !== null) {
        $('first').textContent = 'first frame in ' + Math.round(first) + ' ms';
        $('s-first').textContent = Math.round(first);
    }

    $('announce').textContent = state == 'playing' ? 'Playing ' + current
                                : title + '. ' + text;

    /* a token may be what is missing */

    if (state == 'failed' && /token/i.test(title)) {
        $('more-open').open = true;
        $('name').value = current;
        $('token').focus({ preventScroll: true });
    }

    if (!running) {
        blank();
    }
}


/* measuring */

function level(id, value, warn, bad) {
    const box = $(id).closest('.stat');

    box.classList.toggle('warn', value >= warn && value < bad);
    box.classList.toggle('bad', value >= bad);
}


function blank() {
    for (const id of ['bitrate', 'first', 'rtt', 'loss', 'size', 'fps',
                      'video', 'audio'])
    {
        put('s-' + id);
    }

    level('s-loss', 0, 1, 5);
    level('s-rtt', 0, 150, 400);
    curve = [];
    draw();
    $('more').replaceChildren();
}


const PROFILES = { '42': 'Baseline', '4d': 'Main', '58': 'Extended',
                   '64': 'High' };

function videoName(v) {
    if (!v || !v.codec) {
        return undefined;
    }

    const id = /profile-level-id=(..)/i.exec(v.fmtp);

    return v.codec + (id && PROFILES[id[1].toLowerCase()]
                      ? ' ' + PROFILES[id[1].toLowerCase()] : '');
}


function audioName(a) {
    if (!a || !a.codec) {
        return undefined;
    }

    const name = a.codec == 'opus' ? 'Opus' : a.codec;

    return name + (/(^|;)\s*stereo=1/.test(a.fmtp) ? ' stereo' : '');
}


function measure(s) {
    put('s-bitrate', s.bitrate / 1e6, 2);
    put('s-first', s.firstFrameMs);
    put('s-rtt', s.rttMs, s.rttMs < 10 ? 1 : 0);
    put('s-loss', s.lossPercent, s.lossPercent > 0 && s.lossPercent < 10
                                 ? 1 : 0);
    put('s-size', s.width ? s.width + '×' + s.height : undefined);
    put('s-fps', s.fps);
    put('s-video', videoName(s.video));
    put('s-audio', audioName(s.audio));

    level('s-loss', s.lossPercent || 0, 1, 5);
    level('s-rtt', s.rttMs || 0, 150, 400);

    if (s.bitrate !== undefined) {
        curve.push(s.bitrate);
        curve = curve.slice(-SPARK);
        draw();
    }

    const rows = [
        ['Server', s.remote],
        ['Encryption', [s.dtls && 'DTLS ' + s.dtls, s.srtp]
                       .filter(Boolean).join(', ')],
        ['Packets', s.packets],
        ['Packets lost', s.lost],
        ['Frames decoded', s.frames],
        ['Frames dropped', s.dropped],
        ['Freezes', s.freezes],
        ['Retransmissions asked', s.video && s.video.nacks],
        ['Key frames asked', s.video && s.video.plis],
        ['Jitter', s.video && s.video.jitterMs.toFixed(1) + ' ms'],
        ['Jitter buffer', s.bufferMs && s.bufferMs.toFixed(0) + ' ms'],
        ['Decoder', s.decoder],
    ];

    $('more').replaceChildren(...rows
        .filter((row) => row[1] !== undefined && row[1] !== null
                         && row[1] !== '')
        .map(([name, value]) => {
            const div = document.createElement('div');
            const dt = document.createElement('dt');
            const dd = document.createElement('dd');

            dt.textContent = name;
            dd.textContent = value;
            div.append(dt, dd);
            return div;
        }));
}


function draw() {
    const [area, edge] = $('spark').querySelectorAll('path');

    if (curve.length < 2) {
        area.setAttribute('d', '');
        edge.setAttribute('d', '');
        return;
    }

    const max = Math.max(...curve) * 1.25 || 1;
    const from = 120 - (curve.length - 1) * 120 / (SPARK - 1);

    const line = curve.map((v, i) =>
        (from + i * 120 / (SPARK - 1)).toFixed(1) + ' '
        + (34 - 28 * v / max).toFixed(1)).join('L');

    edge.setAttribute('d', 'M' + line);
    area.setAttribute('d', 'M' + line + 'L120 36L' + from.toFixed(1) + ' 36Z');
}


/* the list */

const items = new Map();     /* name => its <li> */

function item(name) {
    const li = document.createElement('li');

    li.innerHTML = '<button class="item" type="button">'
                   + '<span class="dot"></span><span class="name"></span>'
                   + '<span class="viewers"></span><span class="tags"></span>'
                   + '</button>';

    li.querySelector('.name').textContent = name;
    li.firstChild.addEventListener('click', () => play(name));

    return li;
}


/* of "/whep/bars", too */

const shortName = () => String(current).replace(/^.*\//, '');


function mark() {
    for (const [name, li] of items) {
        li.firstChild.setAttribute('aria-pressed', name == shortName());
    }
}


function tags(tracks) {
    return (tracks || []).map((t) => {
        const span = document.createElement('span');

        span.className = 'tag';
        span.textContent = t.codec
                           + (t.width ? ' ' + t.width + '×' + t.height : '');
        return span;
    });
}


/* last_error of a stream that is not on */

function trouble(s) {
    const e = s && s.last_error;

    return !e || /^active$/i.test(s.state) ? ''
           : typeof e == 'string' ? e : e.text || '';
}


/* has the problem of the answer said it already?  It has "*" for names of hosts,
   URLs and paths */

function toldBy(detail, text) {
    const words = (detail || '').split(' ');

    return words.some((_, i) => {
        const said = words.slice(i).map((w) => w.split('*').map(
            (part) => part.replace(/[^\w]/g, '\\$&')).join('\\S*')).join(' ');

        return new RegExp('^' + said + '$').test(text);
    });
}


function told(stream) {
    const text = trouble(stream);

    const news = text && !toldBy(player?.reason?.detail, text) ? text : null;

    if (news != status) {
        status = news;

        if (player?.reason) {
            show();
        }
    }
}


function list(streams) {
    const names = new Set(streams.map((s) => s.name));

    for (const s of streams) {
        if (s.from == 'publish') {
            published.add(s.name);
        } else if (s.from == 'pull') {
            published.delete(s.name);
        }
    }

    for (const [name, li] of items) {
        if (!names.has(name)) {
            li.remove();
            items.delete(name);
        }
    }

    $('list').querySelectorAll('.none').forEach((li) => li.remove());

    told(streams.find((s) => s.name == shortName()));

    for (const s of streams) {
        let li = items.get(s.name);

        if (!li) {
            li = item(s.name);
            items.set(s.name, li);
            $('list').append(li);
        }

        const state = String(s.state).toLowerCase();
        const n = s.viewers || 0;

        li.querySelector('.dot').className = 'dot ' + state;
        li.querySelector('.viewers').textContent =
            n + (n == 1 ? ' viewer' : ' viewers');
        li.querySelector('.tags').replaceChildren(...tags(s.tracks));
        li.firstChild.title = trouble(s);
        li.firstChild.setAttribute(
            'aria-label', s.name + ', ' + state + ', ' + n
            + (n == 1 ? ' viewer' : ' viewers'));
    }

    if (!streams.length) {
        const li = document.createElement('li');

        li.className = 'none';
        li.textContent = 'Nothing is on yet. A stream appears here with its '
                         + 'first viewer.';
        $('list').append(li);
    }

    $('count').textContent = streams.length || '';
    mark();
}


async function poll() {
    const server = $('server');

    try {
        const response = await fetch('/streams', { cache: 'no-store' });

        if (!response.ok) {
            server.className = 'server';
            server.textContent = 'no list of streams here (HTTP '
                                 + response.status + ')';
            setTimeout(poll, 5 * LIST_MS);
            return;
        }

        const data = await response.json();
        const streams = Array.isArray(data) ? data : data.streams || [];

        list(streams);

        const viewers = streams.reduce((n, s) => n + (s.viewers || 0), 0);

        server.className = 'server up';
        server.textContent = streams.length
            + (streams.length == 1 ? ' stream, ' : ' streams, ')
            + viewers + (viewers == 1 ? ' viewer' : ' viewers');

        /* the first look at the page should show something moving */

        if (!player && current === null) {
            const ready = streams.find((s) => /^active$/i.test(s.state))
                          || streams[0];

            if (ready) {
                play(ready.name);
            }
        }

    } catch (e) {
        server.className = 'server down';
        server.textContent = 'the server does not answer';
    }

    setTimeout(poll, LIST_MS);
}


/* controls */

$('toggle').addEventListener('click', () => {
    if ($('toggle').classList.contains('on')) {
        stop();
    } else {
        play(current);
    }
});

$('veil-play').addEventListener('click', () => play(current));

function sound(on) {
    video.muted = !on;
    $('mute').setAttribute('aria-pressed', on);
    $('mute').setAttribute('aria-label', on ? 'Sound off' : 'Sound on');
}

$('mute').addEventListener('click', () => sound(video.muted));

$('volume').addEventListener('input', (e) => {
    video.volume = e.target.value;
    sound(e.target.value > 0);
});

$('full').addEventListener('click', () => {
    if (document.fullscreenElement) {
        document.exitFullscreen();
    } else if (screen.requestFullscreen) {
        screen.requestFullscreen();
    } else if (video.webkitEnterFullscreen) {
        video.webkitEnterFullscreen();
    }
});

$('open').addEventListener('submit', (e) => {
    e.preventDefault();
    play($('name').value);
    $('stage').focus();
});

addEventListener('keydown', (e) => {
    if (e.target.closest('input, button, summary') || e.ctrlKey || e.metaKey
        || e.altKey)
    {
        return;
    }

    if (e.key == 'm') {
        sound(video.muted);
    } else if (e.key == 'f') {
        $('full').click();
    }
});

video.volume = $('volume').value;

/* the address of a stream: "#camera1" or "?stream=/whep/camera1" */

function opened() {
    const query = new URLSearchParams(location.search);
    const hash = decodeURIComponent(location.hash.slice(1));
    const name = query.get('stream') || hash;

    if (query.has('live') && hash) {
        published.add(hash);
    }

    if (/^[^\/\s]+$|^(https?:\/)?\/./.test(name) && name != current) {
        play(name);
    }
}

addEventListener('hashchange', opened);

opened();
poll();
