#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Upstreams that no Debian package of ours serves, on 127.0.0.1:
#
#     upstream.py tls <port> <to port> <certificate> <key>
#                     what comes over TLS goes on in clear
#     upstream.py rtsp <port> <SDP file> <RTP port> ...
#                     RFC 2326: the SDP file's media, in its order, as RTP
#                     comes to these ports (RTCP to the ones behind them);
#                     interleaved transport only

import asyncio
import re
import ssl
import sys


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def tls(port, to, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def client(reader, writer):
        up_reader, up_writer = await asyncio.open_connection('127.0.0.1', to)
        await asyncio.gather(pipe(reader, up_writer),
                             pipe(up_reader, writer))

    return await asyncio.start_server(client, '127.0.0.1', port, ssl=context)


class Media(asyncio.DatagramProtocol):
    """Whoever plays: (writer, channel)."""

    def __init__(self):
        self.players = {}

    def datagram_received(self, data, addr):
        for writer, channel in self.players.values():
            writer.write(b'$' + bytes([channel])
                         + len(data).to_bytes(2, 'big') + data)


async def rtsp(port, sdp_file, ports):
    loop = asyncio.get_event_loop()
    media = []

    for n in ports:
        for at in n, n + 1:
            media.append((await loop.create_datagram_endpoint(
                Media, local_addr=('127.0.0.1', at)))[1])

    def describe():
        sdp = open(sdp_file).read()
        head, *rest = re.split(r'(?m)^(?=m=)', sdp[sdp.index('v=0'):])
        rest = [re.sub(r'(?m)^(m=\w+) \d+', r'\1 0', m)
                + f'a=control:track{i}\r\n' for i, m in enumerate(rest)]
        return ''.join([head] + rest)

    async def client(reader, writer):
        setup = {}
        try:
            while True:
                first = await reader.readexactly(1)

                if first == b'$':
                    size = await reader.readexactly(3)
                    await reader.readexactly(size[1] << 8 | size[2])
                    continue

                text = (first + await reader.readuntil(b'\r\n\r\n')).decode()
                method, url = text.split(' ', 2)[:2]
                seq = re.search(r'(?mi)^CSeq: *(\d+)', text)[1]
                status, more, body = '200 OK', '', ''

                if method == 'OPTIONS':
                    more = ('Public: OPTIONS, DESCRIBE, SETUP, PLAY, '
                            'TEARDOWN, GET_PARAMETER\r\n')

                elif method == 'DESCRIBE':
                    body = describe()
                    more = 'Content-Type: application/sdp\r\n'

                elif method == 'SETUP':
                    m = re.search(r'interleaved=(\d+)-(\d+)', text)
                    track = int(re.search(r'track(\d+)$', url)[1])

                    if m:
                        for i in 0, 1:
                            setup[2 * track + i] = (writer, int(m[1 + i]))
                        more = ('Session: 1\r\nTransport: RTP/AVP/TCP;unicast;'
                                f'interleaved={m[1]}-{m[2]}\r\n')
                    else:
                        status = '461 Unsupported transport'

                elif method == 'PLAY':
                    more = 'Session: 1\r\n'

                writer.write((f'RTSP/1.0 {status}\r\nCSeq: {seq}\r\n{more}'
                              f'Content-Length: {len(body)}\r\n\r\n{body}')
                             .encode())

                if method == 'PLAY':
                    for i, where in setup.items():
                        media[i].players[writer] = where

                elif method == 'TEARDOWN':
                    break

        except (OSError, asyncio.IncompleteReadError):
            pass

        for m in media:
            m.players.pop(writer, None)
        writer.close()

    return await asyncio.start_server(client, '127.0.0.1', port)


async def main(kind, port, *args):
    if kind == 'tls':
        server = await tls(int(port), int(args[0]), *args[1:])
    else:
        server = await rtsp(int(port), args[0], [int(n) for n in args[1:]])

    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
