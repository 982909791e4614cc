#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Upstreams as they are in the field, and as no tool of Debian's makes them, of
# an FLV file with H.264 and AAC:
#
#     odd.py make <FLV file> <directory>
#         pairs.ts      two pictures in a PES packet
#         cut.ts        PES packets of 4000 bytes, whatever is in them
#         halves.ts     half a picture in each, a time in every other one
#         scrambled.ts  all of it; its payload.ts: PES headers are clear
#         silent.ts     the same with scrambled video only
#         private.ts    two PIDs with private data
#         hevc12.flv, enhanced.flv   as if its video was H.265
#         annexb.flv    start codes in place of lengths
#
#     odd.py hevc <H.265 file> <FLV file>
#         enhanced RTMP of a raw stream of 25 pictures per second, without
#         B-frames, with access unit delimiters
#
#     odd.py rtsp <port> <FLV file>
#         over and over, in real time; every slice in an RTP packet of its own,
#         with the parameter sets in front of each (RFC 6184); interleaved
#
#     odd.py push <FLV file> <port> <name>
#         over and over, in real time, tag by tag as it is, to RTMP on
#         127.0.0.1, application live

import asyncio
import os
import socket
import struct
import sys
import time

AUD = b'\0\0\0\1\x09\xf0'


def read_flv(name):
    data = open(name, 'rb').read()
    tags = []
    at = 13

    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], 'big')
        ms = int.from_bytes(data[at + 4:at + 7], 'big') | data[at + 7] << 24
        tags.append((data[at], ms, data[at + 11:at + 11 + size]))
        at += 11 + size + 4

    return data[:13], tags


def write_flv(name, head, tags):
    with open(name, 'wb') as f:
        f.write(head)

        for kind, ms, data in tags:
            f.write(bytes([kind]) + len(data).to_bytes(3, 'big')
                    + (ms & 0xffffff).to_bytes(3, 'big')
                    + bytes([ms >> 24, 0, 0, 0]) + data
                    + (11 + len(data)).to_bytes(4, 'big'))


def nals(data):
    """NAL units behind lengths of 4 bytes."""
    out = []

    while data:
        size = int.from_bytes(data[:4], 'big')
        out.append(data[4:4 + size])
        data = data[4 + size:]

    return out


def sets(avcc):
    out = []
    at = 5

    for mask in 0x1f, 0xff:
        n = avcc[at] & mask
        at += 1

        for _ in range(n):
            size = int.from_bytes(avcc[at:at + 2], 'big')
            out.append(avcc[at + 2:at + 2 + size])
            at += 2 + size

    return out


def frames(tags):
    """(ms, video, [NAL units] or an ADTS frame, key), and parameter sets"""
    params = []
    asc = b''
    out = []

    for kind, ms, data in tags:
        if kind == 9 and data[1] == 0:
            params = sets(data[5:])
        elif kind == 9 and data[1] == 1:
            out.append((ms, True, nals(data[5:]), data[0] >> 4 == 1))
        elif kind == 8 and data[1] == 0:
            asc = data[2:]
        elif kind == 8:
            n = len(data) - 2 + 7
            rate = (asc[0] & 7) << 1 | asc[1] >> 7
            channels = asc[1] >> 3 & 15
            out.append((ms, False, bytes([
                0xff, 0xf1, ((asc[0] >> 3) - 1) << 6 | rate << 2
                | channels >> 2, (channels & 3) << 6 | n >> 11, n >> 3 & 255,
                (n & 7) << 5 | 0x1f, 0xfc]) + data[2:], True))

    return out, params


def annexb(units):
    return b''.join(b'\0\0\0\1' + u for u in units)


class Mux:
    """MPEG-TS, H.222.0"""

    def __init__(self):
        self.packets = []
        self.counters = {}

    def packet(self, pid, start, data, pcr=None):
        """as many bytes of data as go in; those that remain are returned"""
        field = b''

        if pcr is not None:
            field = bytes([0x10, pcr >> 25 & 255, pcr >> 17 & 255,
                           pcr >> 9 & 255, pcr >> 1 & 255,
                           (pcr & 1) << 7 | 0x7e, 0])

        room = 184 - (len(field) + 1 if field else 0)
        rest = data[room:]
        data = data[:room]
        pad = room - len(data)

        if pad or field:
            if not field and pad == 1:
                field = b'\0'
            else:
                if not field:
                    field = b'\0'
                    pad -= 1
                    pad -= 1
                field = bytes([len(field) + pad]) + field + b'\xff' * pad

        count = self.counters.get(pid, 0)
        self.counters[pid] = count + 1 & 15

        p = struct.pack('>BHB', 0x47, (0x4000 if start else 0) | pid,
                        (0x30 if field else 0x10) | count) + field + data
        assert len(p) == 188, len(p)
        self.packets.append(p)

        return rest

    def put(self, pid, data, pcr=None):
        start = True

        while data:
            data = self.packet(pid, start, data, pcr)
            start = False
            pcr = None

    def section(self, pid, table, number, data):
        data = struct.pack('>BHHBBB', table, 0xb000 | len(data) + 9, number,
                           0xc1, 0, 0) + data
        crc = 0xffffffff

        for byte in data:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ (0x04c11db7 if crc >> 31 else 0)) \
                      & 0xffffffff

        self.put(pid, b'\0' + data + crc.to_bytes(4, 'big'))

    def tables(self, video, audio):
        self.section(0, 0, 1, struct.pack('>HH', 1, 0xe000 | 0x1000))
        self.section(0x1000, 2, 1, struct.pack('>HH', 0xe000 | 0x100, 0xf000)
                     + struct.pack('>BHH', video, 0xe100, 0xf000)
                     + struct.pack('>BHH', audio, 0xe101, 0xf000))

    def pes(self, pid, stream, pts, data, scrambled=0, bounded=False):
        when = b''

        if pts is not None:
            when = bytes([0x21 | pts >> 29 & 14, pts >> 22 & 255,
                          pts >> 14 & 254 | 1, pts >> 7 & 255,
                          pts << 1 & 254 | 1])

        size = 3 + len(when) + len(data)

        self.put(pid, b'\0\0\1' + bytes([stream])
                 + (size if bounded else 0).to_bytes(2, 'big')
                 + bytes([0x80 | scrambled << 4, 0x80 if when else 0,
                          len(when)]) + when + data,
                 pts - 900 if pts is not None and pid == 0x100 else None)

    def scramble(self, pids):
        """transport_scrambling_control, and bytes that mean nothing"""
        for i, p in enumerate(self.packets):
            pid = (p[1] & 0x1f) << 8 | p[2]

            if pid in pids:
                at = 4 + (p[4] + 1 if p[3] & 0x20 else 0)
                self.packets[i] = (p[:3] + bytes([p[3] | 0x80]) + p[4:at]
                                   + bytes(b ^ (j * 37 + 11 & 255)
                                           for j, b in enumerate(p[at:])))

    def write(self, name):
        with open(name, 'wb') as f:
            f.write(b''.join(self.packets))


def ts(units, params, shape, pids=(), video=0x1b, audio=0x0f, pes=0):
    """shape: of the PES packets of video, from [(pts, picture)]"""
    mux = Mux()
    pictures = [(90 * ms + 9000, AUD + annexb((params if key else []) + data))
                for ms, is_video, data, key in units if is_video]
    queue = [(pts, True, data) for pts, data in shape(pictures)]
    last = 0

    # one without a time stays behind the one before

    timed = []
    for pts, _, data in queue:
        last = last if pts is None else pts
        timed.append((last, len(timed), True, pts, data))

    for ms, is_video, data, _ in units:
        if not is_video:
            pts = 90 * ms + 9000
            timed.append((pts, len(timed), False, pts, data))

    for i, (_, _, is_video, pts, data) in enumerate(sorted(timed)):
        if i % 20 == 0:
            mux.tables(video, audio)

        if pes:
            data = bytes(b ^ 0x5a for b in data)

        if video == 6:
            mux.pes(0x100 if is_video else 0x101, 0xbd, pts,
                    bytes(b ^ 0xa5 for b in data[:1000]))
        elif is_video:
            mux.pes(0x100, 0xe0, pts, data, pes)
        else:
            mux.pes(0x101, 0xc0, pts, data, pes, True)

    mux.scramble(pids)

    return mux


def pairs(pictures):
    return [(pictures[i][0], b''.join(p for _, p in pictures[i:i + 2]))
            for i in range(0, len(pictures), 2)]


def halves(pictures):
    out = []

    for pts, p in pictures:
        out += [(pts, p[:len(p) // 2]), (None, p[len(p) // 2:])]

    return out


def cut(pictures):
    data = b''.join(p for _, p in pictures)
    starts = []
    at = 0

    for pts, p in pictures:
        starts.append((at, pts))
        at += len(p)

    return [(next((pts for s, pts in starts if i <= s < i + 4000), None),
             data[i:i + 4000]) for i in range(0, len(data), 4000)]


def make(name, out):
    head, tags = read_flv(name)
    units, params = frames(tags)
    whole = list

    for shape in pairs, halves, cut:
        ts(units, params, shape).write(f'{out}/{shape.__name__}.ts')

    ts(units, params, whole, (0x100, 0x101)).write(out + '/scrambled.ts')
    ts(units, params, whole, (0x100,)).write(out + '/silent.ts')
    ts(units, params, whole, pes=2).write(out + '/payload.ts')
    ts(units, params, whole, video=6, audio=6).write(out + '/private.ts')

    write_flv(out + '/hevc12.flv', head,
              [(k, ms, bytes([d[0] & 0xf0 | 12]) + d[1:] if k == 9 else d)
               for k, ms, d in tags])

    def announced(data, codec):
        at = data.find(b'videocodecid\0') + 13
        return data[:at] + struct.pack('>d', codec) + data[at + 8:]

    # PacketTypeCodedFrames is 1 and has a composition time, as AVC's NALU

    write_flv(out + '/enhanced.flv', head,
              [(k, ms, bytes([0x80 | d[0] & 0x70 | d[1]]) + b'hvc1'
                + (d[2:] if d[1] else d[5:]) if k == 9
                else announced(d, 0x68766331) if k == 18 else d)
               for k, ms, d in tags])

    write_flv(out + '/annexb.flv', head,
              [(k, ms, d[:5] + annexb(nals(d[5:]))
                if k == 9 and d[1] == 1 else d) for k, ms, d in tags])


def hevc(name, out):
    sets, pictures = {}, []

    for unit in open(name, 'rb').read().split(b'\0\0\1')[1:]:
        unit = unit.rstrip(b'\0')
        kind = unit[0] >> 1 & 63

        if kind == 35:
            pictures.append([])
        elif 32 <= kind <= 34:
            sets[kind] = unit
        elif kind < 32:
            pictures[-1].append(unit)

    # ISO/IEC 14496-15, 8.3.3.1; the profile is that of the SPS

    config = (b'\1' + sets[33].replace(b'\0\0\3', b'\0\0')[3:15]
              + bytes.fromhex('f000fcfdf8f800000f') + bytes([len(sets)]))

    for kind, unit in sorted(sets.items()):
        config += (bytes([0x80 | kind]) + b'\0\1'
                   + len(unit).to_bytes(2, 'big') + unit)

    tags = [(9, 0, b'\x90hvc1' + config)]

    # with a composition time of 0, or the shorter form, in turn

    for i, units in enumerate(pictures):
        key = 16 <= units[0][0] >> 1 & 63 <= 21
        head = bytes([(0x90 if key else 0xa0) | (3 if i & 1 else 1)]) + b'hvc1'

        tags.append((9, i * 40, head + (b'' if i & 1 else b'\0\0\0')
                     + b''.join(len(u).to_bytes(4, 'big') + u for u in units)))

    write_flv(out, b'FLV\1\1\0\0\0\x09\0\0\0\0', tags)


async def rtsp(port, name):
    units, params = frames(read_flv(name)[1])
    video = [u for u in units if u[1]]
    step = 3600

    def packets(n, count):
        ts_rtp = n * step & 0xffffffff
        data = video[n % len(video)][2]
        slices = [u for u in data if u[0] & 31 in (1, 5)]

        for i, u in enumerate(slices):
            for k, part in enumerate(params + [u]):
                last = i == len(slices) - 1 and k == len(params)
                pieces = [part]

                if len(part) > 1200:                     # 5.8, FU-A
                    body = part[1:]
                    pieces = [bytes([part[0] & 0xe0 | 28, part[0] & 31
                                     | (0x80 if at == 0 else 0)
                                     | (0x40 if at + 1200 >= len(body)
                                        else 0)])
                              + body[at:at + 1200]
                              for at in range(0, len(body), 1200)]

                for j, piece in enumerate(pieces):
                    marker = last and j == len(pieces) - 1
                    rtp = struct.pack('>BBHII', 0x80, 96 | marker << 7,
                                      count & 0xffff, ts_rtp, 1) + piece
                    count += 1
                    yield count, rtp

    async def play(writer):
        count = 0
        start = time.monotonic()
        n = 0

        try:
            while True:
                for count, rtp in packets(n, count):
                    writer.write(b'$\0' + len(rtp).to_bytes(2, 'big') + rtp)
                await writer.drain()
                n += 1
                await asyncio.sleep(max(0, start + n * step / 90000
                                        - time.monotonic()))
        except OSError:
            pass

    async def client(reader, writer):
        task = None

        try:
            while True:
                first = await reader.readexactly(1)

                if first == b'$':
                    size = await reader.readexactly(3)
                    await reader.readexactly(size[1] << 8 | size[2])
                    continue

                text = (first + await reader.readuntil(b'\r\n\r\n')).decode()
                lines = text.split('\r\n')
                method, url = lines[0].split()[:2]
                seq = next(line.split(':')[1].strip() for line in lines
                           if line.lower().startswith('cseq'))
                more = body = ''

                if method == 'OPTIONS':
                    more = 'Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n'
                elif method == 'DESCRIBE':
                    body = ('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\n'
                            't=0 0\r\nm=video 0 RTP/AVP 96\r\n'
                            'c=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\n'
                            'a=fmtp:96 packetization-mode=1\r\n'
                            'a=control:video\r\n')
                    more = (f'Content-Base: {url}/\r\n'
                            'Content-Type: application/sdp\r\n'
                            f'Content-Length: {len(body)}\r\n')
                elif method == 'SETUP':
                    more = ('Transport: RTP/AVP/TCP;unicast;'
                            'interleaved=0-1\r\nSession: 1\r\n')
                elif method == 'PLAY':
                    more = 'Session: 1\r\n'

                writer.write(f'RTSP/1.0 200 OK\r\nCSeq: {seq}\r\n{more}\r\n'
                             f'{body}'.encode())

                if method == 'PLAY' and task is None:
                    task = asyncio.ensure_future(play(writer))
        except (asyncio.IncompleteReadError, OSError):
            pass

        if task:
            task.cancel()
        writer.close()

    return await asyncio.start_server(client, '127.0.0.1', port)


def amf(*values):
    out = b''

    for v in values:
        if isinstance(v, str):
            out += b'\2' + struct.pack('>H', len(v)) + v.encode()
        elif isinstance(v, dict):
            out += b'\3' + b''.join(struct.pack('>H', len(k)) + k.encode()
                                    + amf(x) for k, x in v.items()) + b'\0\0\t'
        elif v is None:
            out += b'\5'
        else:
            out += b'\0' + struct.pack('>d', v)

    return out


def push(name, port, stream):
    tags = read_flv(name)[1]
    s = socket.create_connection(('127.0.0.1', port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(n):
        data = b''
        while len(data) < n:
            data += s.recv(n - len(data)) or sys.exit('closed')
        return data

    chunk = 128

    def send(channel, kind, number, ms, data):
        out = (bytes([channel]) + ms.to_bytes(3, 'big')
               + len(data).to_bytes(3, 'big') + bytes([kind])
               + number.to_bytes(4, 'little'))

        for at in range(0, len(data), chunk):
            out += (bytes([0xc0 | channel]) if at else b'') \
                   + data[at:at + chunk]

        s.sendall(out)

    s.sendall(b'\3' + bytes(8) + os.urandom(1528))
    s.sendall(get(1 + 1536 + 1536)[1:1537])

    send(2, 1, 0, 0, (65536).to_bytes(4, 'big'))
    chunk = 65536

    send(3, 20, 0, 0, amf('connect', 1, {
        'app': 'live', 'tcUrl': f'rtmp://127.0.0.1:{port}/live'}))
    send(3, 20, 0, 0, amf('createStream', 2, None))
    send(3, 20, 1, 0, amf('publish', 3, None, stream, 'live'))

    s.setblocking(True)
    start = time.monotonic()
    base = 0

    while True:
        for kind, ms, data in tags:
            time.sleep(max(0, start + (base + ms) / 1000 - time.monotonic()))

            while s in __import__('select').select([s], [], [], 0)[0]:
                if not s.recv(65536):
                    sys.exit('closed')

            if kind == 18:
                data = amf('@setDataFrame') + data
            send({8: 4, 9: 6}.get(kind, 5), kind, 1, base + ms, data)

        base += tags[-1][1] + 40


def main():
    what, *args = sys.argv[1:]

    if what == 'make':
        make(*args)
    elif what == 'hevc':
        hevc(*args)
    elif what == 'push':
        push(args[0], int(args[1]), args[2])
    else:
        async def serve():
            server = await rtsp(int(args[0]), args[1])
            print('ready', flush=True)
            async with server:
                await server.serve_forever()

        asyncio.run(serve())


main()
