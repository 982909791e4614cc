#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Pushes FLV files to an RTMP server, one after the other in real time, their
# tags byte for byte, as ffmpeg would not:
#
#     rtmp_push.py <port> <app> <name> <file> ...
#
# Each file is a publisher of its own: it connects anew, and its time begins at
# what its tags say.  Adobe's RTMP specification 1.0.

import os
import socket
import struct
import sys
import threading
import time

CHUNK = 4096


def string(s):
    return b'\x02' + struct.pack('>H', len(s)) + s.encode()


def number(n):
    return b'\x00' + struct.pack('>d', n)


def objects(d):
    return (b'\x03'
            + b''.join(struct.pack('>H', len(k)) + k.encode() + string(v)
                       for k, v in d.items())
            + b'\x00\x00\x09')


def tags(path):
    with open(path, 'rb') as f:
        d = f.read()
    pos = 13
    while pos + 11 <= len(d):
        n = int.from_bytes(d[pos + 1:pos + 4], 'big')
        ts = int.from_bytes(d[pos + 4:pos + 7], 'big') | d[pos + 7] << 24
        yield d[pos], ts, d[pos + 11:pos + 11 + n]
        pos += 11 + n + 4


class Publisher:
    def __init__(self, port, app, name):
        self.chunk = 128
        self.s = s = socket.create_connection(('127.0.0.1', port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        s.sendall(b'\x03' + bytes(8) + os.urandom(1528))
        s.sendall(self.read(1 + 1536 + 1536)[1:1537])

        self.message(2, 1, 0, 0, struct.pack('>I', CHUNK))
        self.chunk = CHUNK

        threading.Thread(target=self.drain, daemon=True).start()

        self.message(3, 20, 0, 0, string('connect') + number(1)
                     + objects({'app': app, 'tcUrl': 'rtmp://127.0.0.1:%d/%s'
                                % (port, app)}))
        self.message(3, 20, 0, 0, string('createStream') + number(2)
                     + b'\x05')
        self.message(4, 20, 1, 0, string('publish') + number(3) + b'\x05'
                     + string(name) + string('live'))

    def read(self, n):
        b = b''
        while len(b) < n:
            c = self.s.recv(n - len(b))
            if not c:
                raise EOFError
            b += c
        return b

    def drain(self):
        try:
            while self.s.recv(65536):
                pass
        except OSError:
            pass

    def message(self, csid, type, stream, ts, data):
        out = bytearray([csid]) + struct.pack('>I', ts)[1:]
        out += struct.pack('>I', len(data))[1:] + bytes([type])
        out += struct.pack('<I', stream)
        for i in range(0, len(data), self.chunk):
            if i:
                out.append(0xc0 | csid)
            out += data[i:i + self.chunk]
        self.s.sendall(out)

    def play(self, path):
        start = time.monotonic()
        for type, ts, body in tags(path):
            time.sleep(max(0, start + ts / 1000 - time.monotonic()))
            if type == 18:
                body = string('@setDataFrame') + body
            self.message({8: 6, 9: 7, 18: 5}[type], type, 1, ts, body)


if __name__ == '__main__':
    for path in sys.argv[4:]:
        p = Publisher(int(sys.argv[1]), sys.argv[2], sys.argv[3])
        p.play(path)
        p.s.shutdown(socket.SHUT_RDWR)
        p.s.close()
