#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# From a picture's sending until a viewer has all of one that shows its number:
#
#     glass.py BASE FILE SCALE SECONDS PATH...
#
# publishes FILE (t/lib/picture.py's pictures, enlarged by SCALE) to
# BASE/whip/g and watches each BASE + PATH; a line of JSON: {path: {"pictures",
# "p50", "p95", in ms}}.  Viewers note when packets come, and decode later.

import concurrent.futures
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '../lib'))

import av
import numpy

import picture


class View(picture.View):
    def __init__(self, url):
        self.came = {}                 # by timestamp: its last packet
        super().__init__(url)

    def payload(self, ts, d):
        super().payload(ts, d)
        self.came[ts] = time.monotonic()

    def delays(self, sent, scale, of):
        codec = av.CodecContext.create('h264', 'r')
        base = self.units[0][0]
        came, ms = {}, []

        def take(frames):
            for f in frames:
                y = numpy.frombuffer(f.planes[0], numpy.uint8).reshape(
                    f.height, -1)
                n = sum((y[16 * scale, (24 + 20 * i) * scale] > 128) << i
                        for i in range(picture.BITS))
                was = [t for t in sent.get(n % of, []) if t <= came[f.pts]]

                if was:
                    ms.append((came[f.pts] - was[-1]) * 1000)

        for ts, data, key in self.units[:-1]:
            p = av.Packet(bytes(data))
            p.pts = p.dts = (ts - base + (1 << 31)) % (1 << 32) - (1 << 31)
            came[p.pts] = self.came[ts]
            take(codec.decode(p))

        take(codec.decode(None))

        # not the start, with what was there before

        return sorted(ms[50:])


class Publisher(picture.Publisher):
    sent = []

    def send(self, ts, nals):
        super().send(ts, nals)
        self.sent.append((ts, time.monotonic()))


def main(base, file, scale, seconds, *paths):
    pub = Publisher(base + '/whip/g', file)
    end = time.monotonic() + float(seconds)
    views = {}

    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        made = {path: pool.submit(View, base + path) for path in paths}

        while time.monotonic() < end:
            pub.read()

            for path, f in made.items():
                if path not in views and f.done():
                    views[path] = f.result()

            for v in views.values():
                v.read()

            time.sleep(0.001)

    of = len(pub.units)
    sent = {}

    for ts, at in pub.sent:
        sent.setdefault((ts - pub.units[0][0]) // picture.TICK % of,
                        []).append(at)

    r = {}

    for path, v in views.items():
        ms = v.delays(sent, int(scale), of)
        v.p.close()

        if ms:
            r[path] = {'pictures': len(ms), 'p50': ms[len(ms) // 2],
                       'p95': ms[len(ms) * 95 // 100]}

    pub.p.close()
    print(json.dumps(r))


main(*sys.argv[1:])
