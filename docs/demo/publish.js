/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The publisher page: picture, codec, bitrate, figures.
 */

import { WhipPublisher } from './whip.js';

const $ = (id) => document.getElementById(id);

let publisher = null;
let stream = null;
let drawing = 0;


/* what this browser can send, in its own order */

function codecs() {
    const all = RTCRtpSender.getCapabilities('video').codecs
        .map((c) => c.mimeType.replace(/^video\//, ''))
        .filter((c) => !/rtx|red|ulpfec|flexfec/i.test(c));

    for (const name of [...new Set(all)]) {
        $('codec').add(new Option(name, name));
    }
}


/* colour bars, a clock, something that moves, and a tone */

function pattern() {
    const canvas = document.createElement('canvas');
    const g = canvas.getContext('2d', { alpha: false });
    const bars = ['#c8c8c8', '#c8c800', '#00c8c8', '#00c800', '#c800c8',
                  '#c80000', '#0000c8'];

    canvas.width = 1280;
    canvas.height = 720;

    const draw = () => {
        const t = performance.now() / 1000;
        const w = canvas.width / bars.length;

        bars.forEach((c, i) => {
            g.fillStyle = c;
            g.fillRect(Math.floor(i * w), 0, Math.ceil(w), 500);
        });

        g.fillStyle = '#0a0d13';
        g.fillRect(0, 500, canvas.width, 220);

        g.fillStyle = '#34d399';
        g.beginPath();
        g.arc(640 + 560 * Math.sin(t), 610, 46, 0, 2 * Math.PI);
        g.fill();

        g.fillStyle = '#fff';
        g.font = '600 72px system-ui, sans-serif';
        g.textAlign = 'center';
        g.fillText(new Date().toISOString().slice(11, 23), 640, 636);
    };

    draw();
    drawing = setInterval(draw, 1000 / 30);

    const ac = new AudioContext();
    const osc = ac.createOscillator();
    const gain = ac.createGain();
    const out = ac.createMediaStreamDestination();

    osc.frequency.value = 440;
    gain.gain.value = 0.1;
    osc.connect(gain).connect(out);
    osc.start();

    const made = canvas.captureStream(30);
    made.addTrack(out.stream.getAudioTracks()[0]);

    return made;
}


async function open(source) {
    switch (source) {

    case 'camera':
        return navigator.mediaDevices.getUserMedia({
            audio: true, video: { width: 1280, height: 720 },
        });

    case 'screen':
        return navigator.mediaDevices.getDisplayMedia({
            audio: true, video: true,
        });
    }

    return pattern();
}


function show() {
    const state = publisher ? publisher.state : 'idle';
    const name = $('name').value;

    const text = {
        idle: ['Nothing is published', 'Choose a picture and press Publish.'],
        connecting: ['Connecting', ''],
        live: ['', ''],
        failed: ['Not published', publisher && publisher.message],
    }[state];

    $('screen').dataset.state = state == 'live' ? 'playing' : state;
    $('veil').hidden = state == 'live' || state == 'connecting';
    $('veil-title').textContent = text[0];
    $('veil-text').textContent = text[1];
    $('live').hidden = state != 'live';
    $('announce').textContent = state == 'live' ? name + ' is live' : text[0];

    const busy = state == 'connecting' || state == 'live';

    $('go').textContent = busy ? 'Stop' : 'Publish';

    for (const id of ['name', 'source', 'codec']) {
        $(id).disabled = busy;
    }

    $('watch').hidden = state != 'live';

    if (state == 'live') {
        const a = document.createElement('a');

        a.href = './?live#' + encodeURIComponent(name);
        a.textContent = 'Watch ' + name;
        a.target = '_blank';
        $('watch').replaceChildren(a);
    }

    if (!busy) {
        release();
    }
}


function release() {
    clearInterval(drawing);

    if (stream) {
        stream.getTracks().forEach((t) => t.stop());
        stream = null;
        $('video').srcObject = null;
    }
}


function figures({ detail: d }) {
    const put = (id, v, digits = 0) => {
        $(id).textContent = v === undefined || Number.isNaN(v)
                            ? '–' : v.toFixed(digits);
    };

    put('s-bitrate', d.bitrate / 1e6, 2);
    put('s-available', d.available / 1e6, 1);
    put('s-rtt', d.rtt);
    put('s-loss', d.loss, 1);
    put('s-fps', d.fps);
    put('s-keys', d.keys);
    put('s-again', d.again);
    $('s-size').textContent = d.width ? d.width + '×' + d.height : '–';
}


const bitrate = () => parseFloat($('bitrate').value) * 1e6;

$('bitrate').addEventListener('input', () => {
    $('bitrate-text').textContent = $('bitrate').value + ' Mbit/s';

    if (publisher) {
        publisher.limit(bitrate());
    }
});

$('form').addEventListener('submit', async (e) => {
    e.preventDefault();

    if (publisher && ['connecting', 'live'].includes(publisher.state)) {
        publisher.stop();
        return;
    }

    publisher = new WhipPublisher('/whip/'
                                  + encodeURIComponent($('name').value));
    publisher.addEventListener('state', show);
    publisher.addEventListener('stats', figures);

    try {
        stream = await open($('source').value);
    } catch (err) {
        publisher.fail(err.message);
        return;
    }

    $('video').srcObject = stream;

    publisher.start(stream, { codec: $('codec').value, bitrate: bitrate() });
});

$('bitrate').dispatchEvent(new Event('input'));
codecs();
show();
