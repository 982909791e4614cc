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

import asyncio
import json
import os
import sys

import aioice.ice
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ['127.0.0.1']

port, token, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]

seen = {'posts': 0, 'moved': 0, 'refused': 0, 'leaked': 0, 'deleted': 0,
        'frames': 0, 'audio': 0, 'offer': ''}
peers = {}
tasks = []


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


async def publish(offer):
    pc = RTCPeerConnection()
    seen['offer'] = offer

    @pc.on('track')
    def on_track(track):
        tasks.append(asyncio.ensure_future(consume(track)))

    await pc.setRemoteDescription(RTCSessionDescription(offer, 'offer'))
    await pc.setLocalDescription(await pc.createAnswer())
    return pc


async def answer(method, path, headers, body):
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

    if headers.get('authorization') != 'Bearer ' + token:
        seen['refused'] += 1
        return '401 Unauthorized', [], ''

    seen['posts'] += 1
    pc = await publish(body)
    at = '/session/%d' % seen['posts']
    peers[at] = pc

    return ('201 Created', ['Location: ' + at, 'ETag: "x"',
                            'Link: <stun:127.0.0.1:9>; rel="ice-server"',
                            'Content-Type: application/sdp'],
            pc.localDescription.sdp)


async def client(reader, writer):
    line = (await reader.readline()).decode().split()
    headers = {}
    while True:
        h = (await reader.readline()).decode().strip()
        if not h:
            break
        key, value = h.split(':', 1)
        headers[key.lower()] = value.strip()

    body = await reader.readexactly(int(headers.get('content-length', 0)))
    status, more, text = await answer(line[0], line[1], headers,
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
        await asyncio.sleep(0.1)


asyncio.run(main())
