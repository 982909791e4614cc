#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# A client of a file session that has the keys and means no good: aiortc makes the
# association, then its packets are of our own making.  Prints one JSON object.
#
#     sctp.py garbage|inits|holes|streams|acks|channels|pings URL SEED

import asyncio
import json
import random
import struct
import sys
import time
import urllib.request

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc import rtcsctptransport as rtcsctp

HELLO, REQ, END, PING, PONG = 0, 1, 3, 5, 6


class Session:
    async def open(self, url):
        self.pc = pc = RTCPeerConnection()

        # aiortc takes numbers of its ICE role, not of its DTLS role

        self.channel = pc.createDataChannel('files', negotiated=True, id=0)
        self.frames = {}
        self.packets = {}
        self.tsns = set()
        self.ours = False
        self.cum = 0
        self.channel.on('message', self.message)

        await pc.setLocalDescription(await pc.createOffer())

        req = urllib.request.Request(
            url, method='POST', data=pc.localDescription.sdp.encode(),
            headers={'Content-Type': 'application/sdp'})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        with opener.open(req, timeout=60) as r:
            answer = r.read().decode()

        await pc.setRemoteDescription(
            RTCSessionDescription(sdp=answer, type='answer'))

        self.sctp = pc.sctp
        take = self.sctp._handle_data

        async def handle(data):
            p = 12

            while p + 4 <= len(data):
                kind, _, n = struct.unpack_from('!BBH', data, p)
                self.packets[kind] = self.packets.get(kind, 0) + 1

                if kind == 3:
                    self.cum = struct.unpack_from('!L', data, p + 4)[0]

                elif kind == 0 and self.ours:

                    # nobody acknowledges it: it is repeated

                    if data[p + 4:p + 8] not in self.tsns:
                        self.tsns.add(data[p + 4:p + 8])
                        self.message(data[p + 16:p + n])

                p += max(n + 3 & ~3, 4)

            # what it never sent, and is acknowledged, would end it

            if not self.ours:
                await take(data)

        self.sctp._handle_data = handle

        await self.until(lambda: self.channel.readyState == 'open')

        if not await self.serves() or not self.frames.get(HELLO):
            raise RuntimeError('no Hello')

        return self

    def message(self, m):
        if isinstance(m, bytes) and len(m) >= 12:
            self.frames[m[0]] = self.frames.get(m[0], 0) + 1

    async def until(self, what, seconds=30):
        end = time.time() + seconds

        while not what() and time.time() < end:
            await asyncio.sleep(0.01)

        return bool(what())

    def closed(self):
        return (self.sctp.state == 'closed'
                or self.sctp.transport.state != 'connected')

    async def raw(self, chunks, tag=None):
        """A packet of chunks as they are, with a checksum that is right."""

        if self.closed():
            return False

        tag = self.sctp._remote_verification_tag if tag is None else tag
        head = struct.pack('!HHL', 5000, 5000, tag)
        data = head + b'\0\0\0\0' + chunks
        crc = rtcsctp.crc32c(data)

        try:
            await self.sctp.transport._send_data(
                head + struct.pack('<L', crc) + chunks)
        except ConnectionError:
            return False

        return True

    async def serves(self):
        """whether a Ping is answered yet"""

        n = self.frames.get(PONG, 0)

        try:
            self.channel.send(struct.pack('!BBHLL', PING, 0, 0, 1, 0))
        except Exception:
            return False

        return await self.until(lambda: self.frames.get(PONG, 0) > n, 10)


def chunk(kind, body, flags=0, n=None):
    n = 4 + len(body) if n is None else n
    pad = b'\0' * (-len(body) % 4)

    return struct.pack('!BBH', kind, flags, n & 0xffff) + body + pad


def noise(rnd, n):
    return bytes(rnd.getrandbits(8) for _ in range(n))


async def garbage(url, rnd):
    """chunks of all types, of lengths that are wrong, in whole packets"""

    out = {'sent': 0, 'sessions': 0}

    # each goes on until the worker has ended it, which a slow machine hears of
    # late and a fast one soon: so many packets in all, from some sessions, and not
    # from any number of them

    while (out['sessions'] < 12 or out['sent'] <= 1000) \
            and out['sessions'] < 100:
        s = await Session().open(url)
        out['sessions'] += 1
        last = out['sent'] + 400

        while out['sent'] < last and not s.closed():
            chunks = b''

            # not ABORT, SHUTDOWN and the like alone: they end it at once

            for _ in range(rnd.randrange(1, 6)):
                kind = rnd.choice((0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 15, 0x40,
                                   0x80, 0x81, 0x82, 0x84, 0xc0, 0xc1, 0xc2,
                                   rnd.randrange(256)))
                body = noise(rnd, rnd.choice((0, 1, 4, 8, 12, 16, 20, 40,
                                              rnd.randrange(200))))

                if rnd.random() < 0.3:

                    # parameters or TSNs that nearly make sense

                    body = struct.pack('!LHHHH', s.sctp._local_tsn & 0xffffffff,
                                       rnd.choice((13, 14, 15, 16, 17, 18)),
                                       rnd.randrange(40), 1, 0xffff) + body

                n = rnd.choice((None, None, None, 0, 1, 3, 4, 0xffff,
                                len(body) + 5, rnd.randrange(300)))
                chunks += chunk(kind, body, rnd.randrange(256), n)

            if not await s.raw(chunks[:1100]):
                break

            out['sent'] += 1

            if out['sent'] % 20 == 0:
                await asyncio.sleep(0)

        await s.pc.close()

    return out


async def inits(url, rnd):
    """INITs by the thousand; each answer is a cookie, made and signed"""

    s = await Session().open(url)
    before = s.packets.get(2, 0)
    sent = 0
    began = time.time()

    while sent < 5000:
        body = struct.pack('!LLHHL', rnd.getrandbits(32) | 1, 131072, 65535,
                           65535, rnd.getrandbits(32))
        await s.raw(chunk(1, body), tag=0)
        sent += 1

        if sent % 50 == 0:
            await asyncio.sleep(0.001)

    serves = await s.serves()
    took = time.time() - began

    await s.pc.close()

    return {'sent': sent, 'acks': s.packets.get(2, 0) - before,
            'seconds': took, 'serves': serves}


async def holes(url, rnd):
    """DATA of streams whose first message never comes: it is kept"""

    s = await Session().open(url)
    tsn = s.sctp._local_tsn
    sent = 0

    for i in range(40000):
        body = struct.pack('!LHHL', (tsn + i) & 0xffffffff, 2 + i % 250,
                           1 + i // 250, 53) + b'x'

        if not await s.raw(chunk(0, body, 3)):
            break

        sent += 1

        if sent % 100 == 0:
            await asyncio.sleep(0.001)

    print(json.dumps({'held': sent}), flush=True)
    sys.stdin.readline()
    await s.pc.close()

    return {'sent': sent}


async def streams(url, rnd):
    """RE-CONFIG: 65535 streams more, and resets of all, again and again"""

    s = await Session().open(url)
    seq = s.sctp._local_tsn
    sent = 0

    for i in range(3000):
        kind = (17, 18, 13)[i % 3]

        if kind == 13:
            body = struct.pack('!HHLLL', 13, 16, seq + i, 0, seq - 1)
        else:
            body = struct.pack('!HHLHH', kind, 12, seq + i, 65000, 0)

        await s.raw(chunk(130, body))
        sent += 1

        if sent % 50 == 0:
            await asyncio.sleep(0.001)

    print(json.dumps({'held': sent}), flush=True)
    sys.stdin.readline()
    await s.pc.close()

    return {'sent': sent}


async def acks(url, rnd):
    """SACKs of what was never sent, ABORTs, SHUTDOWNs, cookies of nobody"""

    out = {}

    for what, data in (
        ('sack', chunk(3, struct.pack('!LLHH', 0x7fffffff, 1 << 20, 0, 0))),
        ('gaps', chunk(3, struct.pack('!LLHH', 0, 1 << 20, 250, 0)
                       + struct.pack('!HH', 1, 65535) * 250)),
        ('cookie', chunk(10, b'\0' * 600)),
        ('abort', chunk(6, b'')),
        ('shutdown', chunk(7, struct.pack('!L', 0)) * 20),
        ('forward', chunk(192, struct.pack('!LHH', 0xffffffff, 1, 1))),
        ('beats', chunk(4, struct.pack('!HH', 1, 1000) + b'x' * 996)),
    ):
        s = await Session().open(url)

        for _ in range(200):
            if not await s.raw(data):
                break

        await s.until(s.closed, 20 if what == 'abort' else 0.05)
        out[what] = 'closed' if s.closed() else 'open'
        await s.pc.close()

    return out


async def channels(url, rnd):
    """DCEP: an OPEN on every stream, again and again"""

    s = await Session().open(url)
    first = tsn = s.sctp._local_tsn
    packets = []
    s.ours = True
    m = struct.pack('!BBHLHH', 3, 0, 0, 0, 20, 0) + b'x' * 20
    opens = [(turn, stream) for turn in range(20) for stream in range(2, 256)]

    for i in range(0, len(opens), 20):
        chunks = b''

        for turn, stream in opens[i:i + 20]:
            chunks += chunk(0, struct.pack('!LHHL', tsn & 0xffffffff, stream,
                                           turn, 50) + m, 3)
            tsn += 1

        packets.append((tsn - 1, chunks))

    end = time.time() + 5

    def acked():
        n = s.cum - first + 1 & 0xffffffff
        return n if n < 1 << 31 else 0

    while not s.closed() and time.time() < end and acked() < tsn - first:
        for last, chunks in packets:
            if last - first >= acked():
                await s.raw(chunks)
                await asyncio.sleep(0.0005)

        await asyncio.sleep(0.1)

    print(json.dumps({'held': acked()}), flush=True)
    sys.stdin.readline()

    out = {'hellos': s.frames.get(HELLO, 0)}

    await s.pc.close()

    return out


async def pings(url, rnd):
    """Pings, of whose answers none is acknowledged"""

    s = await Session().open(url)
    tsn = s.sctp._local_tsn
    seq = s.sctp._outbound_stream_seq.get(0, 0)
    packets = []
    s.ours = True

    for i in range(0, 6000, 25):
        packets.append(b''.join(
            chunk(0, struct.pack('!LHHL', tsn + k & 0xffffffff, 0,
                                 seq + k & 0xffff, 53)
                  + struct.pack('!BBHLL', PING, 0, 0, k, 0), 3)
            for k in range(i, i + 25)))

    end = time.time() + 60
    i = 0

    while not s.closed() and time.time() < end and i < len(packets):

        # a part at a time, again until it has been acknowledged

        last = tsn + min(i + 20, len(packets)) * 25 - 1 & 0xffffffff

        for data in packets[i:i + 20]:
            await s.raw(data)
            await asyncio.sleep(0.0005)

        await s.until(lambda: s.cum == last or s.closed(), 0.2)

        if s.cum == last:
            i += 20

    await s.until(s.closed, 30)
    await s.pc.close()

    return {'sent': i * 25, 'pongs': s.frames.get(PONG, 0)}


def main():
    what, url, seed = sys.argv[1:4]
    out = asyncio.run(globals()[what](url, random.Random(int(seed))))

    print(json.dumps(out), flush=True)


main()
