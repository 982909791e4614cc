#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# A WHIP endpoint that is not ours, made of aiortc:
#
#     whip.py <port> <token> <file>
#
# POST /moved is answered with 307 to /whip/x, POST /whip/x with 201 and a
# relative Location, or 401 without the token.  /elsewhere leads to 127.0.0.2,
# where nobody should bring it.  What it has seen is written to the file, again
# and again: {"posts", "moved", "refused", "leaked", "deleted", "frames",
# "audio", "offer"}.  It goes on until it is ended.
#
# Other paths, which need the token too:
#
#     /busy/<n>   503 with "Retry-After: <n>" the first time, then as /whip
#     /gone       404
#     /lossy      as /whip, but every 15th packet of video is lost once
#     /plain      likewise, and RTX is not among what it answers
#     /rtp/<name> as /whip
#     /up/here    as /whip, with the Location "../session/<n>"
#
# "at" has the times of the POSTs by path, in ms.  GET /pli asks all who publish
# for a key frame.  Only /whip decodes.  What is received is in "sent", by path:
#
#     rtp    of /rtp/<name> the first packets: [kind, ssrc, seq, timestamp,
#            marker, key frame]
#     sr     by SSRC the first report: [ms of its NTP time, RTP time]
#     lost, again, rtx   packets that were lost; of these, that came again, as
#            they were, or by RTX
#     plis, keys  key frames that were asked for, and that came

import asyncio
import json
import os
import re
import sys
import time

import aioice.ice
from aiortc import (RTCPeerConnection, RTCRtpReceiver,
                    RTCSessionDescription)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ['127.0.0.1']

port, token, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]

seen = {'posts': 0, 'moved': 0, 'refused': 0, 'leaked': 0, 'deleted': 0,
        'frames': 0, 'audio': 0, 'offer': '', 'at': {}, 'sent': {}}
peers = {}
tasks = []

# packets of a session that are told
MOST = 1000


class Session:
    """What is received of one publisher."""

    def __init__(self, path):
        self.lossy = path in ('/lossy', '/plain')
        self.most = MOST if path.startswith('/rtp/') else 0
        self.decodes = path.startswith('/whip/')
        self.missing = {}
        self.receivers = []
        self.n = 0
        self.told = seen['sent'][path] = {
            'rtp': [], 'sr': {}, 'lost': 0, 'again': 0, 'rtx': 0, 'plis': 0,
            'keys': 0}

    def lose(self, ice):
        """some packets do not come"""

        was = ice._recv

        async def recv():
            while True:
                data = await was()
                # RTP, RFC 7983 and RFC 5761
                if not (128 <= data[0] < 192 and not 64 <= data[1] & 0x7f < 96
                        and self.loses(data)):
                    return data

        ice._recv = recv

    def loses(self, data):
        """a packet as it came, before SRTP sees it"""

        seq = int.from_bytes(data[2:4], 'big')

        for r in self.receivers:
            codec = r._RTCRtpReceiver__codecs.get(data[1] & 0x7f)
            if (r._RTCRtpReceiver__kind != 'video' or codec is None
                    or codec.name == 'rtx' or seq in self.missing):
                continue

            self.n += 1
            if self.n % 15 == 0:
                self.missing[seq] = True
                self.told['lost'] += 1
                return True

        return False

    def rtp(self, receiver, packet):
        kind = receiver._RTCRtpReceiver__kind
        codec = receiver._RTCRtpReceiver__codecs.get(packet.payload_type)
        rtx = codec is not None and codec.name == 'rtx'

        if rtx:
            seq = int.from_bytes(packet.payload[:2], 'big')
            if self.missing.pop(seq, None):
                self.told['rtx'] += 1
            return

        if self.missing.pop(packet.sequence_number, None):
            self.told['again'] += 1

        key = codec is not None and is_key(codec.name, packet.payload)

        if kind == 'video':
            self.told['keys'] += key

        if len(self.told['rtp']) < self.most:
            self.told['rtp'].append([kind, packet.ssrc, packet.sequence_number,
                                     packet.timestamp, packet.marker, key])

    def rtcp(self, packet):
        if isinstance(packet, RtcpSrPacket):
            ntp = packet.sender_info.ntp_timestamp
            self.told['sr'].setdefault(packet.ssrc, [
                ntp * 1000 / (1 << 32), packet.sender_info.rtp_timestamp])

    async def pli(self):
        for r in self.receivers:
            if r._RTCRtpReceiver__kind != 'video':
                continue
            for ssrc in list(r._RTCRtpReceiver__remote_streams):
                if ssrc not in r._RTCRtpReceiver__rtx_ssrc:
                    self.told['plis'] += 1
                    await r._send_rtcp_pli(ssrc)


def is_key(name, payload):
    """VP8: the first packet of a key frame (RFC 7741); H.264: an SPS"""

    if name == 'VP8':
        n = 1
        if payload[0] & 0x80:
            n += 1
            x = payload[1]
            if x & 0x80:
                n += 2 if payload[n] & 0x80 else 1
            n += bool(x & 0x40) + bool(x & 0x30)
        return (payload[0] & 0x1f) == 0x10 and not payload[n] & 1

    if name == 'H264':
        kind = payload[0] & 0x1f
        if kind == 24:
            kind = payload[3] & 0x1f
        return kind == 7

    return False


was_rtp = RTCRtpReceiver._handle_rtp_packet
was_rtcp = RTCRtpReceiver._handle_rtcp_packet


async def handle_rtp(self, packet, arrival_time_ms):
    if hasattr(self, 'session'):
        self.session.rtp(self, packet)

        if not self.session.decodes and self._RTCRtpReceiver__decoder_thread:
            self._RTCRtpReceiver__decoder_queue.put(None)
            self._RTCRtpReceiver__decoder_thread = None

    await was_rtp(self, packet, arrival_time_ms)


async def handle_rtcp(self, packet):
    if hasattr(self, 'session'):
        self.session.rtcp(packet)
    await was_rtcp(self, packet)


RTCRtpReceiver._handle_rtp_packet = handle_rtp
RTCRtpReceiver._handle_rtcp_packet = handle_rtcp


def tell():
    with open(name + '.new', 'w') as f:
        f.write(json.dumps(seen))
    os.rename(name + '.new', name)


async def consume(track):
    try:
        while True:
            await track.recv()
            seen['frames' if track.kind == 'video' else 'audio'] += 1
    except MediaStreamError:
        pass


async def publish(offer, path):
    pc = RTCPeerConnection()
    pc.session = Session(path)
    seen['offer'] = offer

    @pc.on('track')
    def on_track(track):
        tasks.append(asyncio.ensure_future(consume(track)))

    await pc.setRemoteDescription(RTCSessionDescription(offer, 'offer'))

    for tr in pc.getTransceivers():
        tr.receiver.session = pc.session
        pc.session.receivers.append(tr.receiver)

    if pc.session.lossy:
        pc.session.lose(pc.getTransceivers()[0].receiver.transport.transport)

    await pc.setLocalDescription(await pc.createAnswer())
    return pc


async def reply(method, path, headers, body):
    if method == 'DELETE':
        pc = peers.pop(path, None)
        if pc is None:
            return '404 Not Found', [], ''
        seen['deleted'] += 1
        await pc.close()
        return '200 OK', [], ''

    if headers.get('host', '').startswith('127.0.0.2'):
        seen['leaked'] += 'authorization' in headers
        return '403 Forbidden', [], ''

    if path == '/elsewhere':
        return ('308 Permanent Redirect',
                ['Location: http://127.0.0.2:%d/whip/x' % port], '')

    if path.startswith('/moved'):
        seen['moved'] += 1
        return '307 Temporary Redirect', ['Location: whip/x?a=b'], ''

    if path == '/pli':
        for pc in peers.values():
            await pc.session.pli()
        return '200 OK', [], ''

    if headers.get('authorization') != 'Bearer ' + token:
        seen['refused'] += 1
        return '401 Unauthorized', [], ''

    times = seen['at'].setdefault(path, [])
    times.append(time.monotonic() * 1000)

    if path == '/gone':
        return '404 Not Found', [], ''

    if path.startswith('/busy/') and len(times) == 1:
        return ('503 Service Unavailable',
                ['Retry-After: ' + path[len('/busy/'):]], '')

    seen['posts'] += 1
    at = '/session/%d' % seen['posts']
    pc = await publish(body, path)
    peers[at] = pc

    answer = pc.localDescription.sdp

    if path == '/plain':
        for pt in re.findall(r'a=rtpmap:(\d+) rtx/', answer):
            answer = re.sub(r'a=(rtpmap|fmtp):%s .*\r\n' % pt, '', answer)
            answer = re.sub(r'(m=video .*) %s\b' % pt, r'\1', answer)

    if path == '/up/here':
        at = '..' + at

    return ('201 Created', ['Location: ' + at, 'ETag: "x"',
                            'Link: <stun:127.0.0.1:9>; rel="ice-server"',
                            'Content-Type: application/sdp'],
            answer)


async def client(reader, writer):
    line = (await reader.readline()).decode().split()
    headers = {}

    if len(line) < 2:
        writer.close()
        return

    while True:
        h = (await reader.readline()).decode().strip()
        if not h:
            break
        key, value = h.split(':', 1)
        headers[key.lower()] = value.strip()

    body = await reader.readexactly(int(headers.get('content-length', 0)))
    status, more, text = await reply(line[0], line[1], headers,
                                      body.decode())

    # in chunks, after an interim reply

    writer.write(b'HTTP/1.1 102 Processing\r\n\r\n')
    head = ['HTTP/1.1 ' + status, 'Transfer-Encoding: chunked'] + more
    writer.write(('\r\n'.join(head) + '\r\n\r\n').encode())
    for i in range(0, len(text), 700):
        part = text[i:i + 700].encode()
        writer.write(b'%x;a=b\r\n%s\r\n' % (len(part), part))
    writer.write(b'0\r\nX-Trailer: 1\r\n\r\n')
    await writer.drain()
    writer.close()


async def main():
    await asyncio.start_server(client, ['127.0.0.1', '127.0.0.2'], port)
    while True:
        tell()
        await asyncio.sleep(0.2)


asyncio.run(main())
