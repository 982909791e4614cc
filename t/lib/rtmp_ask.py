#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Asks an RTMP server whether it lets us publish, and prints one line of JSON
# with what it says:
#
#     rtmp_ask.py <port> '[{"app": "live", "name": "cam"}, ...]'
#
#     then      "play": asks to play instead; "raw": hex of what is sent instead
#               of RTMP
#     hold      the connection stays open until the end of all
#     wait      until that one has been closed by the server, 60 s at most
#
#     [{"code": "NetStream.Publish.Start", "description": "..."}, ...]
#
# One after the other.  A code is empty where the connection was closed without
# one, and "open" where nothing came.  Adobe's RTMP specification 1.0.

import json
import re
import socket
import sys
import time

from rtmp_push import Publisher, number, string

WAIT = 60


class Asks(Publisher):
    def __init__(self, port, case):
        self.case = case
        self.said = b''
        super().__init__(port, case['app'], case['name'])

    def drain(self):
        pass

    def message(self, csid, type, stream, ts, data):
        if self.case.get('then') == 'play' and data.startswith(
                string('publish')):
            data = string('play') + number(3) + b'\x05' + string('cam')
        super().message(csid, type, stream, ts, data)

    # what it says last: the answers are short, and their chunks whole

    def answer(self, closed=False):
        end = time.monotonic() + WAIT
        self.s.settimeout(1)
        while time.monotonic() < end:
            try:
                b = self.s.recv(65536)
                if not b:
                    break
                self.said += b
            except socket.timeout:
                continue
            except OSError:
                break
            if not closed and len(self.codes()) > 1:
                break
        c = self.codes()
        d = re.findall(rb'description\x02\x00(.)', self.said, re.S)
        text = b''
        if d:
            i = self.said.rindex(b'description\x02\x00') + 14
            text = self.said[i:i + d[-1][0]]
        return {'code': c[-1] if c else '',
                'description': text.decode('latin1')}

    def codes(self):
        return [m.decode() for m in
                re.findall(rb'Net[A-Z]\w+\.\w+\.\w+', self.said)]


def raw(port, data):
    s = socket.create_connection(('127.0.0.1', port))
    s.settimeout(WAIT)
    s.sendall(bytes.fromhex(data))
    try:
        while s.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout:
        return {'code': 'open', 'description': ''}
    return {'code': '', 'description': ''}


port = int(sys.argv[1])
cases = []
result = []

for case in json.loads(sys.argv[2]):
    if case.get('then') == 'raw':
        result.append(raw(port, case['raw']))
        continue
    if 'wait' in case:
        result.append(cases[case['wait']].answer(True))
        continue
    a = Asks(port, case)
    result.append(a.answer())
    cases.append(a)
    if not case.get('hold'):
        a.s.close()

print(json.dumps(result), flush=True)
