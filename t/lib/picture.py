#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Pictures that say their number: what viewers have got is compared with the
# source's, one by one.
#
#     picture.py source N ARG...         N pictures, 25 per second, encoded by
#                                        ffmpeg: ARG... are its outputs
#     picture.py run JOB                 views and publishes; prints one line of
#                                        JSON, a hash of "view"
#
# JOB is {"n": pictures of the source,
#         "view": {name: url, ...}, "pictures": how many each waits for,
#         "publish": {url: {"file": MPEG-TS, "bare": its SPS does not say that
#                     there are B-frames}},
#         "pli": [name, ...], who ask for key frames, and wait for one}
#
# A view is {"pictures", "expected": as many as the source has between the first
# and the last, "backwards", "untimely": [number, 90 kHz that its time is wrong]
# among the last 50 (what a viewer begins with has its times squeezed), "psnr":
# of the worst twentieth, "least": of all, "keys": frames, "fresh": those of
# pictures up to 5 s later than what it had when it asked for one, "ahead": ms
# by which sound comes before the pictures that it belongs to}.

import concurrent.futures
import functools
import json
import struct
import subprocess
import sys
import time

import av
import numpy

import peer

W, H, TICK = 320, 180, 3600
BITS, SIDE = 10, 16

X, Y = numpy.meshgrid(numpy.arange(W), numpy.arange(H))


@functools.lru_cache(None)
def luma(n):
    """Ramps and rings that move; its number in black and white above."""

    r = numpy.hypot(X - W / 2 - 60 * numpy.sin(n / 20), Y - 110)
    y = 110 + 50 * numpy.sin(X / 17 + n / 9) + 40 * numpy.cos(r / 9 - n / 5)
    y[:32] = 128

    for i in range(BITS):
        x = 16 + 20 * i
        y[8:8 + SIDE, x:x + SIDE] = 235 if n >> i & 1 else 16

    return y.clip(16, 235).astype(numpy.uint8)


def number(y):
    return sum((y[16, 24 + 20 * i] > 128) << i for i in range(BITS))


def source(n, args):
    p = subprocess.Popen(
        ['ffmpeg', '-nostdin', '-v', 'error', '-f', 'rawvideo', '-pix_fmt',
         'yuv420p', '-s', '%dx%d' % (W, H), '-r', '25', '-i', 'pipe:0',
         '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
         '-y', *args],
        stdin=subprocess.PIPE)

    grey = numpy.full(W * H // 2, 128, numpy.uint8).tobytes()

    for i in range(n):
        p.stdin.write(luma(i).tobytes() + grey)

    p.stdin.close()
    return p.wait()


# what a viewer gets

class View:
    def __init__(self, url):
        self.p = peer.Peer(url)
        self.units = []                # [timestamp, Annex B, key]
        self.asked = None
        self.video, self.audio = self.p.ssrc(1), self.p.ssrc(0)
        self.heard = None              # timestamp of sound
        self.pairs = []                # of both, as they came
        self.seen = 0
        self.looked = 0                # key frames after "asked"

        if not self.p.handshake():
            raise Exception('%s: no DTLS' % url)

    def read(self):
        self.p.read(0)

        for d in self.p.packets[self.seen:]:
            n = 12 + 4 * (d[0] & 15)

            ssrc, ts = struct.unpack('!II', d[8:12] + d[4:8])

            if ssrc == self.audio:
                self.heard = ts

            if ssrc != self.video:
                continue

            if d[0] & 0x10:
                n += 4 + 4 * int.from_bytes(d[n + 2:n + 4], 'big')

            self.payload(ts, d[n:-d[-1] if d[0] & 0x20 else None])

            if self.heard is not None and d[1] & 0x80:
                self.pairs.append((ts, self.heard))

        self.seen = len(self.p.packets)

    def payload(self, ts, d):
        """RFC 6184, 5.6 to 5.8."""

        if not d:
            return

        if not self.units or self.units[-1][0] != ts:
            self.units.append([ts, bytearray(), False])

        unit = self.units[-1]
        start = b'\0\0\0\1'

        if d[0] & 31 == 24:
            d = d[1:]
            while d:
                n = int.from_bytes(d[:2], 'big')
                unit[1] += start + d[2:2 + n]
                unit[2] |= d[2] & 31 == 5
                d = d[2 + n:]

        elif d[0] & 31 == 28:
            if d[1] & 0x80:
                unit[1] += start + bytes([d[0] & 0xe0 | d[1] & 31])
            unit[2] |= d[1] & 31 == 5
            unit[1] += d[2:]

        else:
            unit[1] += start + d
            unit[2] |= d[0] & 31 == 5

    def ahead(self):
        """RFC 3550, 6.4.1: by the clock of the sender's reports."""

        at = {}

        for d in self.p.reports:
            if d[1] == 200:
                ssrc, ntp, rtp = struct.unpack('!IQI', d[4:20])
                at[ssrc] = (ntp / (1 << 32), rtp)

        if self.video not in at or self.audio not in at:
            return None

        def clock(ssrc, ts, rate):
            ntp, rtp = at[ssrc]
            return ntp + ((ts - rtp + (1 << 31)) % (1 << 32) - (1 << 31)) / rate

        ms = sorted(1000 * (clock(self.audio, a, 48000)
                            - clock(self.video, v, 90000))
                    for v, a in self.pairs[25:])

        return ms and round(ms[len(ms) // 2])

    def result(self, n, enough):
        pictures, psnr = [], []
        codec = av.CodecContext.create('h264', 'r')
        base = self.units[0][0] if self.units else 0

        def take(frames):
            for f in frames:
                y = numpy.frombuffer(f.planes[0], numpy.uint8).reshape(
                    f.height, -1)[:, :f.width]
                num = int(number(y))
                e = numpy.mean((y.astype(numpy.float32) - luma(num)) ** 2)
                psnr.append(10 * numpy.log10(255 ** 2 / max(e, 0.01)))
                pictures.append((num, f.pts, f.key_frame))

        # the last one may not be whole

        for ts, data, key in self.units[:-1][:enough]:
            p = av.Packet(bytes(data))
            p.pts = p.dts = (ts - base + (1 << 31)) % (1 << 32) - (1 << 31)
            try:
                take(codec.decode(p))
            except av.AVError:
                pass

        take(codec.decode(None))

        r = {'pictures': len(pictures), 'expected': 1, 'backwards': 0,
             'untimely': [], 'keys': sum(p[2] for p in pictures),
             'ahead': self.ahead()}

        if self.asked and len(pictures) > self.asked:
            had = pictures[self.asked - 2][0]
            r['fresh'] = sum(0 < (num - had) % n < 125 and key
                             for num, at, key in pictures[self.asked - 1:])

        for i in range(1, len(pictures)):
            (a, at, _), (b, bt, _) = pictures[i - 1:i + 1]
            step = (b - a) % n
            r['expected'] += step
            r['backwards'] += bt <= at or step > n // 2

            # a file that is played again may have a pause there

            if (b > a and i >= len(pictures) - 50
                    and abs(bt - at - step * TICK) > 90):
                r['untimely'].append([b, bt - at - step * TICK])

        psnr.sort()
        r['psnr'] = psnr[len(psnr) // 20] if psnr else 0
        r['least'] = psnr[0] if psnr else 0

        return r


    def has(self, job):
        """As many as it should; who asks, the key frame it has asked for."""

        if self.asked is None:
            return len(self.units) > job['pictures']

        keys = sum(u[2] for u in self.units[self.asked:-5])

        if keys == self.looked:
            return False

        self.looked = keys

        return self.result(job['n'], None).get('fresh', 0) > 0

    def ask(self, after):
        """For a key frame; again, as one that is young enough is sent anew."""

        if len(self.units) > (self.asked or 0) + after:
            self.asked = len(self.units)
            self.looked = 0
            self.p.send(self.p.rtcp(struct.pack('!BBHI', 0x80, 201, 1, 1)
                                    + self.p.pli()))


# what a publisher sends

def bare(sps):
    """Without VUI: nothing says how pictures are put in order."""

    bits = ''.join('%08d' % int(bin(b)[2:]) for b in
                   sps.replace(b'\0\0\3', b'\0\0'))
    at = 32

    def ue():
        nonlocal at
        zeros = bits.index('1', at) - at
        at += 2 * zeros + 1
        return int(bits[at - zeros - 1:at], 2) - 1

    ue()                                # id
    if sps[1] in (100, 110, 122, 244):
        if ue() == 3:
            at += 1
        ue(), ue()
        at += 1
        assert bits[at] == '0'
        at += 1
    ue()
    if ue() == 0:
        ue()
    ue()
    at += 1
    ue(), ue()
    at += 1 if bits[at] == '1' else 2
    at += 1
    if bits[at] == '1':
        at += 1
        ue(), ue(), ue(), ue()
    else:
        at += 1
    assert bits[at] == '1'

    bits = bits[:at] + '01'
    bits += '0' * (-len(bits) % 8)
    out = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))

    return out.replace(b'\0\0\0', b'\0\0\3\0').replace(b'\0\0\1', b'\0\0\3\1')


class Publisher:
    def __init__(self, url, file, plain=False):
        self.units = []
        self.seq = 1
        self.n = 0

        with av.open(file) as f:
            for p in f.demux(video=0):
                if p.size:
                    self.units.append((p.pts, p.dts, bytes(p)))

        if plain:
            self.units = [(pts, dts, self.strip(d))
                          for pts, dts, d in self.units]

        self.p = peer.Peer(url, publish=True)

        if not self.p.handshake():
            raise Exception('%s: no DTLS' % url)

        self.start = time.monotonic()

    def nals(self, data):
        return [x.rstrip(b'\0') for x in
                data.replace(b'\0\0\0\1', b'\0\0\1').split(b'\0\0\1') if x]

    def strip(self, data):
        return b''.join(b'\0\0\1' + (bare(x) if x[0] & 31 == 7 else x)
                        for x in self.nals(data))

    def read(self):
        """Sends what is due, over and over, by the time of decoding."""

        self.p.read(0)

        while True:
            pts, dts, data = self.units[self.n % len(self.units)]
            round = self.n // len(self.units) * len(self.units) * TICK
            due = (dts - self.units[0][1] + round) / 90000

            if time.monotonic() - self.start < due:
                return

            self.send((pts + round) % (1 << 32), self.nals(data))
            self.n += 1

    def send(self, ts, nals):
        out = []

        for x in nals:
            if x[0] & 31 in (6, 9):
                continue

            if len(x) <= 1100:
                out.append(x)
                continue

            parts = [x[i:i + 1100] for i in range(1, len(x), 1100)]

            for i, part in enumerate(parts):
                out.append(bytes([x[0] & 0xe0 | 28,
                                  (0x80 if i == 0 else 0)
                                  | (0x40 if i == len(parts) - 1 else 0)
                                  | x[0] & 31]) + part)

        for i, d in enumerate(out):
            self.p.send(self.p.rtp(self.seq, pt=peer.H264, ssrc=2000, ts=ts,
                                   payload=d, marker=i == len(out) - 1))
            self.seq += 1


def run(job):
    ways, views = [], {}
    end = time.monotonic() + 80

    for url, o in job.get('publish', {}).items():
        ways.append(Publisher(url, o['file'], o.get('bare')))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        made = {name: pool.submit(View, url)
                for name, url in job['view'].items()}

        waits = set(made)

        while time.monotonic() < end and waits:
            for name, f in made.items():
                if name not in views and f.done():
                    views[name] = f.result()

            for x in ways + list(views.values()):
                x.read()

            for name in job.get('pli', []):
                if name in views and name in waits:
                    views[name].ask(job['pictures'] * 3 / 4)

            waits -= {name for name in waits
                      if name in views and views[name].has(job)}
            time.sleep(0.005)

    for x in list(views.values()) + ways:
        x.p.close()

    return {name: v.result(job['n'], None if v.asked else job['pictures'] + 10)
            for name, v in views.items()}


if __name__ == '__main__':
    if sys.argv[1] == 'source':
        sys.exit(source(int(sys.argv[2]), sys.argv[3:]))

    print(json.dumps(run(json.loads(sys.argv[2]))), flush=True)
