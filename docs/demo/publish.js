/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The publisher page: picture, devices, size, codec, layers, bitrate, figures.
 * "?stream=studio&codec=VP8&layers=3" and so on fill in what can be chosen.
 */

import { WhipPublisher } from './whip.js';
import { $, address, deviceReason, insecure, put, veil } from './page.js';

let publisher = null;
let stream = null;
let drawing = 0;
let tone = null;


/* what this browser can send, in its own order */

function codecs() {
    const all = globalThis.RTCRtpSender
        ? RTCRtpSender.getCapabilities('video').codecs : [];
    const names = all.map((c) => c.mimeType.replace(/^video\//, ''))
        .filter((c) => !/rtx|red|ulpfec|flexfec/i.test(c));

    for (const name of new Set(names)) {
        $('codec').add(new Option(name, name));
    }
}


function size() {
    const [width, height] = $('size').value.split('x').map(Number);

    return { width, height };
}


/*
 * Layers of the picture.  Browsers that know of none take the first one, in
 * silence, so one that does nothing is asked.  libwebrtc makes none of less than
 * 270 lines beside another one, no three of less than 540; and of VP9 and AV1
 * none by rids unless each says how it is made.
 */

const LAYERS = [
    { rid: 'h', share: 0.72 },
    { rid: 'm', share: 0.21, scaleResolutionDownBy: 2 },
    { rid: 'l', share: 0.07, scaleResolutionDownBy: 4 },
];

const able = (() => {
    try {
        const pc = new RTCPeerConnection();
        const { sender } = pc.addTransceiver('video', {
            direction: 'sendonly', sendEncodings: [{ rid: 'a' }, { rid: 'b' }],
        });
        const n = sender.getParameters().encodings.length;

        pc.close();
        return n == 2;
    } catch {
        return false;
    }
})();


function layers() {
    const n = able ? Math.min(Number($('layers').value), most()) : 1;

    if (n < 2) {
        return undefined;
    }

    const used = LAYERS.slice(0, n);
    const all = used.reduce((sum, l) => sum + l.share, 0);
    const mode = /^(VP9|AV1)/i.test($('codec').value)
                 ? { scalabilityMode: 'L1T3' } : {};

    return used.map(({ share, ...l }) => (
        { ...l, ...mode, maxBitrate: Math.round(bitrate() * share / all) }));
}


const most = () => size().height >= 540 ? 3 : size().height >= 270 ? 2 : 1;


function hint() {
    const less = Number($('layers').value) > most();

    $('layers').disabled = !able || busy();
    $('layers-hint').hidden = able && !less;
    $('layers-hint').textContent = !able
        ? 'This browser sends one layer only.'
        : 'Browsers make ' + (most() == 2 ? 'two' : 'one') + ' of a picture of '
          + size().height + ' lines.';
}


/* colour bars, a clock, something that moves, and a tone */

function pattern() {
    const canvas = document.createElement('canvas');
    const g = canvas.getContext('2d', { alpha: false });
    const bars = ['#c8c8c8', '#c8c800', '#00c8c8', '#00c800', '#c800c8',
                  '#c80000', '#0000c8'];

    Object.assign(canvas, size());

    const draw = () => {
        const t = performance.now() / 1000;
        const w = 1280 / bars.length;

        g.setTransform(canvas.width / 1280, 0, 0, canvas.height / 720, 0, 0);

        bars.forEach((c, i) => {
            g.fillStyle = c;
            g.fillRect(Math.floor(i * w), 0, Math.ceil(w), 500);
        });

        g.fillStyle = '#0a0d13';
        g.fillRect(0, 500, 1280, 220);

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

    const ac = tone = new AudioContext();
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
    if (source == 'pattern') {
        return pattern();
    }

    if (!isSecureContext || !navigator.mediaDevices) {
        throw insecure(source == 'camera' ? 'Camera and microphone'
                                          : 'Pictures of the screen');
    }

    const { width, height } = size();

    if (source == 'screen') {
        return navigator.mediaDevices.getDisplayMedia({
            audio: true, video: { width: { max: width },
                                  height: { max: height } },
        });
    }

    const chosen = (id) => $(id).value ? { deviceId: { exact: $(id).value } }
                                       : {};

    return navigator.mediaDevices.getUserMedia({
        audio: $('microphone').value == 'none' ? false : chosen('microphone'),
        video: { width: { ideal: width }, height: { ideal: height },
                 ...chosen('camera') },
    });
}


/* names of devices are told to who may use them: after open() */

async function devices() {
    const all = await navigator.mediaDevices.enumerateDevices();

    for (const [id, kind, name] of [['camera', 'videoinput', 'Camera'],
                                    ['microphone', 'audioinput',
                                     'Microphone']])
    {
        const was = $(id).value;
        const found = all.filter((d) => d.kind == kind && d.deviceId);

        $(id).replaceChildren(...found.map((d, i) =>
            new Option(d.label || name + ' ' + (i + 1), d.deviceId)));

        if (!found.length) {
            $(id).add(new Option('Default', ''));
        }

        if (id == 'microphone') {
            $(id).add(new Option('None', 'none'));
        }

        const used = stream?.getTracks().find((t) => kind.startsWith(t.kind))
                     ?.getSettings().deviceId;

        $(id).value = [...$(id).options].some((o) => o.value == was && was)
                      ? was : used || $(id).options[0].value;
    }
}


/* opens what is chosen, and shows it; false: it cannot be opened */

let opening = 0;

async function preview() {
    const mine = ++opening;
    let made;

    try {
        made = await open($('source').value);

    } catch (e) {
        if (mine == opening) {
            const reason = deviceReason(e);

            release();
            $('screen').dataset.state = 'failed';
            $('veil').hidden = false;
            veil(reason.title, reason.text);
            $('announce').textContent = reason.message;
        }

        return false;
    }

    if (mine != opening) {
        made.getTracks().forEach((t) => t.stop());
        return false;
    }

    const old = stream;

    stream = made;
    $('video').srcObject = stream;

    if (publisher && busy()) {
        await publisher.replace(stream);
    }

    old?.getTracks().forEach((t) => t.stop());

    if ($('source').value == 'camera') {
        await devices().catch(() => {});
    }

    /* "Stop sharing" of the browser */

    stream.getVideoTracks()[0]?.addEventListener('ended', () => {
        if (stream == made) {
            publisher?.stop();
            release();
            show();
        }
    });

    return true;
}


const busy = () => ['connecting', 'live', 'stalled', 'retry']
                   .includes(publisher?.state);


function show() {
    const state = publisher ? publisher.state : 'idle';
    const reason = publisher?.reason;
    const name = $('name').value;
    const on = busy();

    const text = {
        idle: ['Nothing is published', 'Choose a picture and press Publish.'],
        connecting: ['Connecting', ''],
        live: ['', ''],
    }[state] || [reason.title, reason.text];

    if (reason && (state == 'connecting' || state == 'retry')) {
        text[0] = reason.title;
        text[1] = reason.code == 'waiting' ? reason.text
                  : (reason.text + ' Trying again.').trim();
    }

    $('screen').dataset.state = state == 'live' ? 'playing' : state;

    /* a preview is not covered before it is published */

    $('veil').hidden = state == 'live' || (state == 'idle' && stream);
    veil(...text);
    $('live').hidden = state != 'live';
    $('announce').textContent = state == 'live' ? name + ' is live'
                                : text.filter(Boolean).join('. ');

    $('go').textContent = on ? 'Stop' : 'Publish';
    $('go').classList.toggle('stop', on);

    for (const id of ['name', 'source', 'codec', 'token']) {
        $(id).disabled = on;
    }

    hint();

    if (state == 'failed' && /token/i.test(text[0])) {
        $('token').closest('details').open = true;
        $('token').focus({ preventScroll: true });
    }

    $('watch').hidden = state != 'live' || name.includes('/');

    if (!$('watch').hidden) {
        const a = document.createElement('a');

        a.href = './?live#' + encodeURIComponent(name);
        a.textContent = 'Watch ' + name;
        a.target = '_blank';
        $('watch').replaceChildren(a);
    }
}


function release() {
    clearInterval(drawing);
    tone?.close();
    tone = null;

    if (stream) {
        stream.getTracks().forEach((t) => t.stop());
        stream = null;
        $('video').srcObject = null;
    }
}


function figures({ detail: d }) {
    put('s-bitrate', d.bitrate / 1e6, 2);
    put('s-available', d.available / 1e6, 1);
    put('s-rtt', d.rtt);
    put('s-loss', d.loss, 1);
    put('s-fps', d.fps);
    put('s-keys', d.keys);
    put('s-again', d.again);
    put('s-size', d.width ? d.width + '×' + d.height : undefined);

    const sent = d.layers.filter((l) => l.sent && l.height);

    $('sent').hidden = d.layers.length < 2;
    put('s-layers', sent.map((l) => l.height + 'p').join(' ') || undefined);
}


const bitrate = () => parseFloat($('bitrate').value) * 1e6;

$('bitrate').addEventListener('input', () => {
    $('bitrate-text').textContent = $('bitrate').value + ' Mbit/s';
    publisher?.limit(bitrate());
});


/* a camera is shown as soon as it is chosen; a screen is asked for, and a pattern
   drawn, when it is published */

$('source').addEventListener('change', () => {
    const camera = $('source').value == 'camera';

    opening++;
    publisher = null;
    release();
    $('devices').hidden = !camera;
    show();

    if (camera) {
        preview().then((ok) => ok && show());
    }
});

$('layers').addEventListener('change', hint);

for (const id of ['camera', 'microphone', 'size']) {
    $(id).addEventListener('change', () => {
        hint();

        if (!stream) {
            return;
        }

        if ($('source').value == 'screen') {
            stream.getVideoTracks()[0].applyConstraints(
                { width: { max: size().width }, height: { max: size().height } })
                .catch(() => {});
            return;
        }

        clearInterval(drawing);
        preview().then((ok) => ok && show());
    });
}

navigator.mediaDevices?.addEventListener('devicechange', () => {
    if ($('source').value == 'camera' && stream) {
        devices().catch(() => {});
    }
});


$('form').addEventListener('submit', async (e) => {
    e.preventDefault();

    if (busy()) {
        publisher.stop();
        release();
        show();
        return;
    }

    const live = stream?.getVideoTracks()[0]?.readyState == 'live';

    if (!live && !await preview()) {
        return;
    }

    publisher = new WhipPublisher(address($('name').value, '/whip/'),
                                  { token: $('token').value.trim() });
    publisher.addEventListener('state', show);
    publisher.addEventListener('stats', figures);
    publisher.start(stream, { codec: $('codec').value, bitrate: bitrate(),
                              layers: layers() });
});


/* what the address of the page says, where that can be chosen */

function chosen() {
    const args = new URLSearchParams(location.search);

    for (const [arg, id] of [['stream', 'name'], ['source', 'source'],
                             ['size', 'size'], ['codec', 'codec'],
                             ['layers', 'layers'], ['bitrate', 'bitrate']])
    {
        const value = args.get(arg);
        const one = $(id);

        if (value && (!one.options
                      || [...one.options].some((o) => o.value == value)))
        {
            one.value = value;
        }
    }

    if ($('source').value != 'pattern') {
        $('source').dispatchEvent(new Event('change'));
    }
}


codecs();
chosen();
$('bitrate').dispatchEvent(new Event('input'));
show();
