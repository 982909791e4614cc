#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Plays a WHEP stream with aiortc (python3-aiortc) and prints one line of JSON:
#
#     whep.py <url> '{"seconds": 5, "address": "::1"}'
#
#     frames     until so many of video, and twice as many of audio, are here;
#                45 s at most
#     until      until there is a file of this name, 45 s at most
#     most       another number of seconds instead of these 45
#     seconds    otherwise: this long, by default 5
#     address    gather candidates of this address only (default: 127.0.0.1)
#     codec      the only video codec to offer: "H264" or "VP8"
#     setup      "passive": let the server be the DTLS client
#     keep       true: no DELETE, the end is DTLS' close_notify
#     headers    of the requests: {"Authorization": "Bearer x"}
#     progress   the number of frames is written to a file of this name
#     port       that of a relay: candidates of the answer get this port, and
#                there are none in the offer, so that nothing else is a path
#     consent    seconds between checks of a connection that is up, by default 5
#     stats      what it has counted is written to a file of this name, again and
#                again: {"video": {"received", "lost", "jitter"}, "audio": ...}
#     without    a header extension that is not offered
#     remb       the bits per second in a file of this name are what it tells
#                that its path carries, twenty times a second; nothing without one
#     publish    true: a WHIP endpoint, send a moving picture and a tone
#     beep       true: rather flashes and beeps, one of each in a second, whose
#                times in sender reports are exact
#     sound      a codec of the sound, such as "PCMU"
#     late       {"audio": 5}: seconds after which the first of one of these is
#                sent; "behind" of the result: by how much the latest frame was not
#                sent when it was due, in ms
#     changes    of what is published: so many times it is VP8 in place of H.264,
#                or the other way, and each second time the picture has another
#                size, after 20 pictures each; then it stays, as VP8
#     changed    how often it has is written to a file of this name
#
#     {"status", "frames", "width", "height", "colours": 7 * [r, g, b],
#      "audioFrames", "audioPeak", "ice", "srtp", "firstFrameMs", "ptsBackwards",
#      "delete"}

import asyncio
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import contextvars
import fractions

import aioice.ice
import aiortc.clock
import aiortc.rtcrtpsender
import av
import numpy
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import (AudioStreamTrack, MediaStreamError,
                                 MediaStreamTrack, VideoStreamTrack)
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci


class Picture(VideoStreamTrack):
    """A white bar that moves over green."""

    n = 0
    height = 180

    async def recv(self):
        pts, time_base = await self.next_timestamp()

        rgb = numpy.zeros((self.height, 320, 3), numpy.uint8)
        rgb[:, :, 1] = 160
        rgb[:, (self.n * 4) % 300:(self.n * 4) % 300 + 20] = 255
        self.n += 1

        frame = av.VideoFrame.from_ndarray(rgb, format='rgb24')
        frame.pts = pts
        frame.time_base = time_base

        return frame


class Tone(AudioStreamTrack):
    """440 Hz."""

    async def recv(self):
        frame = await super().recv()
        n = frame.samples

        t = (frame.pts + numpy.arange(n)) / frame.sample_rate
        tone = (8000 * numpy.sin(2 * numpy.pi * 440 * t)).astype(numpy.int16)

        out = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format='s16',
                                         layout='mono')
        out.pts = frame.pts
        out.sample_rate = frame.sample_rate
        out.time_base = fractions.Fraction(1, frame.sample_rate)

        return out


class Signal(MediaStreamTrack):
    """Frames number n of so many a second, each due at its time."""

    begun = None
    behind = 0

    def __init__(self, late):
        super().__init__()
        self.n = int(late * self.rate)

    async def recv(self):
        if Signal.begun is None:
            Signal.begun = time.time()

        n = self.n
        self.n += 1

        await asyncio.sleep(max(0, Signal.begun + n / self.rate
                                - time.time()))

        Signal.behind = max(Signal.behind, time.time() - Signal.begun
                            - n / self.rate)

        frame = self.frame(n)
        frame.pts = n * self.clock // self.rate
        frame.time_base = fractions.Fraction(1, self.clock)

        return frame


class Flash(Signal):
    kind, rate, clock = 'video', 25, 90000

    def frame(self, n):
        return av.VideoFrame.from_ndarray(
            numpy.full((120, 160, 3), 255 if n % 25 < 5 else 0, numpy.uint8),
            format='rgb24')


class Beep(Signal):
    kind, rate, clock = 'audio', 50, 48000

    def frame(self, n):
        t = numpy.arange(960) / 48000
        tone = 8000 * numpy.sin(2 * numpy.pi * 1000 * t) * (n % 50 < 10)

        frame = av.AudioFrame.from_ndarray(
            tone.astype(numpy.int16).reshape(1, -1), format='s16',
            layout='mono')
        frame.sample_rate = 48000

        return frame


def exact_reports():
    """A sender report says when a frame was due, not when it was encoded."""

    due = contextvars.ContextVar('due', default=None)
    now = aiortc.clock.current_ntp_time
    encoded = aiortc.rtcrtpsender.RTCRtpSender._next_encoded_frame

    async def next_encoded_frame(self, codec):
        frame = await encoded(self, codec)
        due.set(Signal.begun + frame.timestamp / codec.clockRate)
        return frame

    def current_ntp_time():
        at = due.get()
        if at is None:
            return now()
        at += 2208988800
        return (int(at) << 32) | int((at - int(at)) * (1 << 32))

    aiortc.rtcrtpsender.RTCRtpSender._next_encoded_frame = next_encoded_frame
    aiortc.clock.current_ntp_time = current_ntp_time


def change(pc, options):
    """Another codec every 20 pictures: what the sender has of its codec is
    written over, and its encoder made anew."""

    sender = pc.getTransceivers()[0].sender
    name = '_RTCRtpSender__encoder'
    codecs = [[c for c in pc.getTransceivers()[0]._codecs if c.name == n][0]
              for n in ('VP8', 'H264')]
    kept = [vars(c).copy() for c in codecs]
    was = sender._next_encoded_frame
    done = [0]

    async def encoded(codec):
        track = sender.track

        if done[0] < options['changes'] and track.n >= 20 * (done[0] + 1):
            done[0] += 1
            vars(codec).update(kept[(options['changes'] - done[0]) % 2])
            track.height = (180, 180, 240, 240)[done[0] % 4]
            setattr(sender, name, None)

            if options.get('changed'):
                with open(options['changed'], 'w') as f:
                    f.write(str(done[0]))

        return await was(codec)

    sender._next_encoded_frame = encoded


def request(method, url, sent, body=None):
    req = urllib.request.Request(url, method=method, data=body, headers=sent)
    if body is not None:
        req.add_header('Content-Type', 'application/sdp')
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(req, timeout=45) as r:
            return r.status, r.headers, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode(errors='replace')


async def tell_remb(pc, name):
    """The receiver's own estimate, which a file holds, of its video."""

    try:
        with open(name) as f:
            bitrate = int(f.read())
    except (OSError, ValueError):
        return

    for tr in pc.getTransceivers():
        if tr.kind != 'video':
            continue

        ssrcs = [source.source
                 for source in tr.receiver.getSynchronizationSources()]
        ours = getattr(tr.receiver, '_RTCRtpReceiver__rtcp_ssrc')

        if ours:
            await tr.receiver._send_rtcp(RtcpPsfbPacket(
                fmt=RTCP_PSFB_APP, ssrc=ours, media_ssrc=0,
                fci=pack_remb_fci(bitrate, ssrcs)))


def write_stats(pc, name):
    stats = {}

    # getStats() has one SSRC of each receiver, maybe that of RTX
    for tr in pc.getTransceivers():
        streams = tr.receiver._RTCRtpReceiver__remote_streams
        rtx = tr.receiver._RTCRtpReceiver__rtx_ssrc
        for s in [s for ssrc, s in streams.items() if ssrc not in rtx]:
            stats[tr.kind] = {'received': s.packets_received,
                              'lost': s.packets_lost, 'jitter': s.jitter}

    with open(name + '.new', 'w') as f:
        f.write(json.dumps(stats))
    os.rename(name + '.new', name)


async def main(url, options):
    address = options.get('address', '127.0.0.1')

    # as aioice would, but of one address, loopback included
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]

    if 'consent' in options:
        aioice.ice.CONSENT_INTERVAL = options['consent']

    pc = RTCPeerConnection()
    loop = asyncio.get_event_loop()
    result = {'frames': 0, 'audioFrames': 0, 'audioPeak': 0,
              'ptsBackwards': 0, 'firstFrameMs': None, 'colours': None}
    picture = [None]
    tasks = []
    start = time.monotonic()

    async def video(track):
        last = None
        while True:
            frame = await track.recv()
            result['frames'] += 1
            if result['firstFrameMs'] is None:
                result['firstFrameMs'] = (time.monotonic() - start) * 1000
            if last is not None and frame.pts <= last:
                result['ptsBackwards'] += 1
            last = frame.pts
            result['width'] = frame.width
            result['height'] = frame.height
            picture[0] = frame

    async def audio(track):
        while True:
            frame = await track.recv()
            result['audioFrames'] += 1
            result['audioPeak'] = max(result['audioPeak'],
                                      int(abs(frame.to_ndarray()
                                              .astype(int)).max()))

    async def consume(track):
        try:
            await (video if track.kind == 'video' else audio)(track)
        except MediaStreamError:
            pass

    @pc.on('track')
    def on_track(track):
        tasks.append(asyncio.ensure_future(consume(track)))

    if options.get('beep'):
        exact_reports()

    for kind in 'video', 'audio':
        if options.get('beep'):
            tr = pc.addTransceiver(
                (Flash if kind == 'video' else Beep)(
                    options.get('late', {}).get(kind, 0)),
                direction='sendonly')
        elif options.get('publish'):
            tr = pc.addTransceiver(Picture() if kind == 'video' else Tone(),
                                   direction='sendonly')
        else:
            tr = pc.addTransceiver(kind, direction='recvonly')

        wanted = options.get('codec' if kind == 'video' else 'sound')

        if wanted:
            tr.setCodecPreferences([
                c for c in RTCRtpReceiver.getCapabilities(kind).codecs
                if c.name == wanted or c.name == 'rtx'])

    await pc.setLocalDescription(await pc.createOffer())

    start = time.monotonic()

    offer = pc.localDescription.sdp
    sent = options.get('headers', {})

    if options.get('setup'):
        offer = offer.replace('a=setup:actpass',
                              'a=setup:' + options['setup'])

    if options.get('without'):
        offer = re.sub(r'a=extmap:.*%s\r\n' % options['without'], '', offer)

    if 'port' in options:
        offer = re.sub(r'a=candidate:.*\r\n', '', offer)

    status, headers, body = await loop.run_in_executor(
        None, request, 'POST', url, sent, offer.encode())

    result['status'] = status

    if 'port' in options:
        body = re.sub(r'(a=candidate:\S+ 1 udp \d+ \S+) \d+',
                      r'\1 %d' % options['port'], body)

    if status != 201:
        result['body'] = body
        await pc.close()
        return result

    result['answer'] = body
    await pc.setRemoteDescription(RTCSessionDescription(body, 'answer'))

    if options.get('changes'):
        change(pc, options)

    if 'frames' in options:
        def done():
            return (result['frames'] >= options['frames']
                    and result['audioFrames'] >= 2 * options['frames'])
    elif 'until' in options:
        def done():
            return os.path.exists(options['until'])
    else:
        def done():
            return time.monotonic() >= start + options.get('seconds', 5)

    end = time.monotonic() + options.get('most', 45)
    while time.monotonic() < end and not done():
        if options.get('stats'):
            write_stats(pc, options['stats'])
        if options.get('progress'):
            with open(options['progress'], 'w') as f:
                f.write(str(result['frames']))
        if options.get('remb'):
            await tell_remb(pc, options['remb'])
        await asyncio.sleep(0.05)

    result['ice'] = pc.iceConnectionState
    result['behind'] = int(Signal.behind * 1000)
    result['state'] = pc.connectionState

    dtls = pc.getTransceivers()[0].receiver.transport
    result['dtls'] = getattr(dtls, '_role', None)
    ssl = getattr(dtls, '_ssl', None) or getattr(dtls, 'ssl', None)
    try:
        result['srtp'] = ssl.get_selected_srtp_profile().decode()
    except AttributeError:
        result['srtp'] = None

    frame = picture[0]

    if frame is not None:
        rgb = frame.to_ndarray(format='rgb24')
        y = int(frame.height * 0.3)
        result['colours'] = [
            [int(v) for v in rgb[y][int(frame.width * (i + 0.5) / 7)]]
            for i in range(7)]

    if not options.get('keep'):
        result['delete'] = (await loop.run_in_executor(
            None, request, 'DELETE',
            urllib.parse.urljoin(url, headers['Location']), sent))[0]

    for task in tasks:
        task.cancel()

    await pc.close()

    return result


if __name__ == '__main__':
    given = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    out = asyncio.get_event_loop().run_until_complete(asyncio.wait_for(
        main(sys.argv[1], given), 45 + given.get('most', 45)))

    print(json.dumps(out), flush=True)
