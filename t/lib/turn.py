#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# TURN servers that refuse, each in its way: one process, UDP and TCP.
#
#     turn.py '{"udp": [[port, "how"], ...], "tcp": [[port, "how"], ...]}'
#
#     silent      does not answer
#     asks        asks for credentials, and does not answer to them
#     closes      (TCP) closes the connection with the first request
#     halves      401, in two parts (TCP)
#     "486 Allocation Quota Reached" and such: that error, once there are
#                 credentials; of "401 ..." as of any
#
# Prints "ready" when all ports are open, and ends with its input.

import json
import socket
import struct
import sys
import threading

MAGIC = 0x2112a442


def attribute(kind, value):
    return (struct.pack('!HH', kind, len(value)) + value
            + bytes(-len(value) % 4))


def error(message, code, reason, more=b''):
    body = attribute(9, struct.pack('!HBB', 0, code // 100, code % 100)
                     + reason.encode('latin-1')) + more
    kind = struct.unpack('!H', message[:2])[0] | 0x0110
    return struct.pack('!HHI', kind, len(body), MAGIC) + message[8:20] + body


def answers(how, message):
    """what is sent in answer to a request, in parts"""

    if how == 'silent':
        return []

    asked = attribute(0x14, b'test') + attribute(0x15, b'nonce-of-the-test')

    # MESSAGE-INTEGRITY or not: with credentials or without

    if b'\0\x08\0\x14' not in message:
        return [error(message, 401, 'Unauthorized', asked)]

    if how == 'asks':
        return []

    if how == 'halves':
        m = error(message, 401, 'In Two Parts', asked)
        return [m[:9], m[9:]]

    return [error(message, int(how[:3]), how[4:], asked)]


def udp(sock, how):
    while True:
        message, address = sock.recvfrom(2048)
        for part in answers(how, message):
            sock.sendto(part, address)


def tcp(sock, how):
    kept = []

    while True:
        c, _ = sock.accept()
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kept.append(c)
        threading.Thread(target=stream, args=(c, how), daemon=True).start()


def stream(c, how):
    buf = b''

    while True:
        got = c.recv(2048)
        if not got:
            return

        buf += got

        if how == 'closes':
            c.close()
            return

        while len(buf) >= 20:
            n = 20 + struct.unpack('!H', buf[2:4])[0]
            if len(buf) < n:
                break
            for part in answers(how, buf[:n]):
                c.sendall(part)
                threading.Event().wait(0.05)
            buf = buf[n:]


conf = json.loads(sys.argv[1])

for kind, serve in (('udp', udp), ('tcp', tcp)):
    for port, how in conf[kind]:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'udp'
                          else socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', port))
        if kind == 'tcp':
            s.listen(16)
        threading.Thread(target=serve, args=(s, how), daemon=True).start()

print('ready', flush=True)
sys.stdin.read()
