/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The file player: a <video> whose requests go to file-worker.js, and from there
 * come here as messages, each with a port; they are served from the DataChannel
 * that range-client.js has opened.  Nothing is kept: the element seeks, asks for
 * another range, and the one before is cancelled.  A file that the server remuxes for
 * this browser ("webrtc_file_transcode") is played by movie-client.js instead.
 */

import { MoviePlayer } from './movie-client.js';
import { playable, RangeClient } from './range-client.js';
import { $, insecure, veil } from './page.js';

const video = $('video');
const screen = $('screen');

const TYPES = { mp4: 'video/mp4', m4v: 'video/mp4', webm: 'video/webm',
                mkv: 'video/x-matroska', mov: 'video/quicktime',
                mp3: 'audio/mpeg', m4a: 'audio/mp4', ogg: 'audio/ogg',
                wav: 'audio/wav' };

/* ms; a browser ends a worker after 30 s without an event */
const ALIVE = 2000;

let file = null;
let movie = null;
let requests = 0;
let saving = null;
let rates = [];
let last = { bytes: 0, at: 0 };
let answering = 0;

/* those of the worker that are under way, by their ids */
const answers = new Map();

const state = window.player = { served: 0, errors: [] };


function show(what, title, text) {
    screen.dataset.state = what;

    if (title) {
        veil(title, text);
    }
}


/* a Reason has both, other errors a message only */

function trouble(e, title) {
    if (e && e.title) {
        show('idle', e.title, e.detail);
    } else {
        show('idle', title, e ? e.message : '');
    }
}


function server(text, cls) {
    $('server').textContent = text;
    $('server').className = 'server ' + (cls || '');
}


const ready = (async () => {
    if (!navigator.serviceWorker) {
        throw insecure('Files in a player');
    }

    await navigator.serviceWorker.register('file-worker.js');
    await navigator.serviceWorker.ready;

    if (!navigator.serviceWorker.controller) {
        await new Promise((resolve) => {
            navigator.serviceWorker.addEventListener('controllerchange',
                                                     resolve, { once: true });
        });
    }
})();

ready.catch((e) => trouble(e, 'This browser cannot do it'));


/* a request of the element, or of a download */

navigator.serviceWorker?.addEventListener('message', async (e) => {
    if (e.data.type != 'range') {
        return;
    }

    const port = e.ports[0];
    const { offset, end, kind } = e.data;
    const from = file;

    if (!file || file.closed) {
        port.postMessage({ error: 'not connected' });
        return;
    }

    requests++;

    /* one that is growing is as long as it takes, from its beginning on */

    const open = file.growing && end === null && !offset;
    const stop = end === null ? file.size - 1 : Math.min(end, file.size - 1);
    const ext = file.name.split('.').pop().toLowerCase();
    const id = Date.now() + '.' + ++answering;

    port.postMessage({ id, first: offset, last: open ? null : stop,
                       size: file.size, name: file.name,
                       type: TYPES[ext] || 'application/octet-stream' });

    if (offset > stop && !open) {
        return;
    }

    const abort = new AbortController();
    const chunks = file.stream(offset, open ? 0 : stop - offset + 1,
                               { signal: abort.signal });
    const save = kind == 'save' ? saving : null;
    let sent = 0;

    /* text: why it is not all there */

    const over = (text) => {
        if (answers.delete(id)) {
            abort.abort();

            if (text) {
                port.postMessage({ error: text });
            }

            if (save) {
                saved(save, text);
            }
        }
    };

    answers.set(id, over);

    if (save) {
        save.over = over;
    }

    let busy = Promise.resolve();

    port.onmessage = (m) => {
        if (m.data == 'stop') {
            over('the browser has stopped it');
            return;
        }

        busy = busy.then(async () => {
            try {
                const { value, done } = await chunks.next();

                if (!answers.has(id)) {
                    return;
                }

                if (done) {
                    port.postMessage({ end: true });
                    over();
                    return;
                }

                sent += value.length;
                state.served += value.length;

                if (save) {
                    progress(save, sent);
                }

                /* a copy of just these bytes moves, nothing is cloned */

                const chunk = value.slice();
                port.postMessage({ chunk }, [chunk.buffer]);

            } catch (error) {
                if (!answers.has(id)) {
                    return;
                }

                /* one that another has taken the place of was closed by us */

                if (from === file) {
                    state.errors.push(String(error));
                }

                over(error.message || String(error));
            }
        });
    };
});


/*
 * Keeps the worker alive while it answers, and learns whether it still does: one
 * that the browser has ended and started again knows nothing of them.  Answers that
 * have begun after the question are not in question.
 */

setInterval(() => {
    const worker = navigator.serviceWorker?.controller;
    const asked = [...answers];

    if (!worker || !asked.length) {
        return;
    }

    const { port1, port2 } = new MessageChannel();

    port1.onmessage = (e) => {
        port1.close();

        for (const [id, over] of asked) {
            if (e.data.includes(id)) {
                over.known = true;

            } else if (over.known) {
                over('the browser has ended its worker');
            }
        }
    };

    worker.postMessage('alive', [port2]);
}, ALIVE);


async function play(url) {
    movie?.stop();
    movie = null;
    choices(null);

    video.removeAttribute('src');
    video.load();
    $('save').disabled = true;

    const old = file;
    file = null;
    old?.close();

    show('connecting', 'Connecting', url);
    server('connecting');

    requests = 0;
    last = { bytes: 0, at: performance.now() };
    rates = [];

    let f;

    try {
        f = file = new RangeClient(url, {
            signalling: $('sse').checked ? 'sse' : 'post',
            token: $('token').value.trim(),
            accept: playable(),
        });

        const m = movie = new MoviePlayer(video, f);

        m.addEventListener('info', () => movie === m && choices(m));
        m.addEventListener('error', (e) => {
            if (movie === m) {
                trouble(e.detail, 'It cannot be played');
            }
        });

        f.addEventListener('close', () => {
            if (file === f) {
                server('closed', 'down');
                trouble(f.error, 'The connection has ended');
                $('save').disabled = true;
            }
        });

        f.addEventListener('state', () => {
            if (file === f && f.state == 'reconnecting') {
                server('connection lost, trying again: ' + f.reason.message,
                       'down');
            } else if (file === f && f.state == 'open') {
                server('connected: ' + f.name, 'up');
            }
        });

        f.addEventListener('size', () => {
            if (file === f) {
                sized();
            }
        });

        await f.open();

        if (file !== f) {
            f.close();
            return;
        }

    } catch (e) {
        if (f && file !== f) {
            return;
        }

        server('failed', 'down');
        trouble(e, 'That did not work');
        return;
    }

    sized();

    if (f.streaming) {
        movie.start();
        video.play().catch(() => {});
        return;
    }

    movie.stop();
    movie = null;

    try {
        await ready;
    } catch {
        return;
    }

    if (file === f) {
        $('save').disabled = false;
        source(url);
    }
}


/* what there is to choose from, of a file that is remuxed */

function choices(m) {
    const { qualities = [], tracks = [], reason = '' } = m?.info || {};
    const sounds = tracks.filter((t) => t.kind == 'audio');

    const fill = (id, list, name, value) => {
        const options = list.map((item) => {
            const o = new Option(name(item), value(item));

            o.selected = !!item.selected;
            return o;
        });

        $(id).replaceChildren(...options);
        $(id).parentElement.hidden = list.length < 2;
    };

    fill('quality', qualities, (q) => q.name + (q.original ? ' (original)' : ''),
         (q) => qualities.indexOf(q));
    fill('sound', sounds, (t) => [t.title, t.language, t.codec].filter(Boolean)
                                 .join(', '), (t) => t.index);

    $('remuxed').textContent = m ? 'Made playable by the server: ' + reason + '.'
                                 : '';
    $('remuxed').hidden = !m;
}


$('quality').addEventListener('change', (e) => movie?.quality(+e.target.value));
$('sound').addEventListener('change', (e) => movie?.track(+e.target.value));


function sized() {
    $('s-size').textContent = megabytes(file.size) + (file.growing ? '+' : '');

    if (saving) {
        saving.size = file.size;
        saving.growing = file.growing;
    }
}


function source(url) {
    video.src = 'via/file?file=' + encodeURIComponent(url)
                + '&t=' + Date.now();
    video.play().catch(() => {});
}


video.addEventListener('loadeddata', () => show('playing'));

/* one that has played is asked for again where it was: its worker was ended, or so */

let resumed = 0;

video.addEventListener('error', () => {
    if (!video.getAttribute('src') || !file || file.closed || movie) {
        return;
    }

    const time = video.currentTime;

    if (time > 0 && performance.now() - resumed > 5000) {
        resumed = performance.now();
        source(file.url);
        video.currentTime = time;
        return;
    }

    show('idle', 'The browser cannot play it',
         (video.error && video.error.message) || 'download it instead');
});


/* download */

$('save').addEventListener('click', () => {
    saving?.over?.('another download was begun');
    saving = { name: file.name, got: 0 };
    sized();
    progress(saving, 0);
    $('stop').disabled = false;

    /* a frame, so that the answer is a download and the page stays */

    const frame = document.createElement('iframe');
    frame.hidden = true;
    frame.id = 'download';

    pageId.then((id) => {
        frame.src = 'via/file?save=1&page=' + encodeURIComponent(id)
                    + '&t=' + Date.now();
        document.getElementById('download')?.remove();
        document.body.append(frame);
    });
});

/* the answer ends with an error, so that the browser's download fails */

$('stop').addEventListener('click', () => {
    if (saving?.over) {
        saving.over('stopped');
    } else if (saving) {
        document.getElementById('download')?.remove();
        saved(saving, 'stopped');
    }
});


function progress(save, n) {
    save.got = n;

    if (save !== saving) {
        return;
    }

    const part = save.size ? n / save.size : 0;

    $('meter').firstElementChild.style.width = 100 * part + '%';
    $('meter').setAttribute('aria-valuenow', Math.floor(100 * part));
    $('progress').textContent = megabytes(n) + ' of ' + megabytes(save.size)
                                + ' MB' + (save.growing ? ', growing' : '');
}


function megabytes(n) {
    return (n / 1e6).toFixed(1);
}


/* what was wrong, if anything: a file that is cut must not pass for a whole one */

function saved(save, wrong) {
    if (save !== saving) {
        return;
    }

    saving = null;
    $('stop').disabled = true;
    $('progress').textContent = !wrong ? 'Downloaded.'
        : 'Not complete (' + wrong + '): ' + megabytes(save.got) + ' of '
          + megabytes(save.size) + ' MB. What the browser has kept of '
          + save.name + ' is not the whole file.';
}


/* what the worker knows this page by */

const pageId = ready.then(() => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (e) => resolve(e.data);
    navigator.serviceWorker.controller.postMessage('who', [port2]);
}));


/* measurements */

setInterval(async () => {
    if (!file) {
        return;
    }

    const now = performance.now();
    const rate = 8 * (file.received - last.bytes) / (now - last.at) / 1000;

    last = { bytes: file.received, at: now };
    rates.push(rate);
    rates = rates.slice(-40);

    $('s-rate').textContent = rate.toFixed(1);
    $('s-received').textContent = (file.received / 1e6).toFixed(1);
    $('s-buffered').textContent = (file.waiting / 1e6).toFixed(1);
    $('s-active').textContent = file.active;
    $('s-requests').textContent = requests;

    let ahead = 0;

    for (let i = 0; i < video.buffered.length; i++) {
        if (video.buffered.start(i) <= video.currentTime
            && video.buffered.end(i) >= video.currentTime)
        {
            ahead = video.buffered.end(i) - video.currentTime;
        }
    }

    $('s-ahead').textContent = ahead.toFixed(1);

    const top = Math.max(1, ...rates);
    const points = rates.map((r, i) => `${120 * i / 39},${35 - 32 * r / top}`);
    const spark = $('spark');

    spark.querySelector('.edge').setAttribute('d', 'M' + points.join('L'));
    spark.querySelector('.area').setAttribute('d', 'M0,36L' + points.join('L')
        + `L${120 * (rates.length - 1) / 39},36Z`);

    if (file.pc && !file.closed) {
        const all = [...(await file.pc.getStats()).values()];
        const chosen = all.map((s) => s.selectedCandidatePairId).find(Boolean);

        for (const s of all) {
            if (s.type == 'candidate-pair'
                && (chosen ? s.id == chosen : s.nominated)
                && s.currentRoundTripTime !== undefined)
            {
                $('s-rtt').textContent =
                    (1000 * s.currentRoundTripTime).toFixed(0);
            }
        }
    }
}, 500);


$('open').addEventListener('submit', (e) => {
    e.preventDefault();
    play($('name').value);
});

/* one that comes back as it was goes on where it was */

let hidden = null;

window.addEventListener('pagehide', () => {
    hidden = file && { url: file.url, time: video.currentTime,
                       paused: video.paused };
    file?.close();
});

window.addEventListener('pageshow', async (e) => {
    if (!e.persisted || !hidden) {
        return;
    }

    const { url, time, paused } = hidden;

    await play(url);
    video.currentTime = time;

    if (paused) {
        video.pause();
    }
});

/* closing the page would cut a download */

window.addEventListener('beforeunload', (e) => {
    if (saving) {
        e.preventDefault();
    }
});

const wanted = new URLSearchParams(location.search).get('file');

if (wanted) {
    $('name').value = wanted;
    play(wanted);
}

state.file = () => file;
state.play = play;
state.movie = () => movie;
