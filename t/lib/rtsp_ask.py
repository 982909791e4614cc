#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# A publisher by RTSP as nobody's library writes it, and prints one line of JSON
# with what it was answered:
#
#     rtsp_ask.py <port> '[{"url": "/live/cam"}, ...]'
#
#     url        its path, in each request
#     ask        methods, in this order; otherwise ANNOUNCE alone
#     fields     of ANNOUNCE: {"Authorization": "..."}
#     transport  of SETUP
#     hold       the connection stays open until the end of all
#     wait       until that one has been closed by the server, 60 s at most
#     raw        hex of what is sent instead of RTSP
#
#     [["200 OK", ...], ["401 Unauthorized WWW-Authenticate: ..."], ...]
#
#     rtsp_ask.py <port> '{"url": "/live/cam", "h264": "file"}'
#
# publishes until it is killed: of a file with start codes, without parameter
# sets in its SDP, and PCMU.  The sound is set up first, control URLs are
# absolute, all requests go at once and byte by byte, and others come between
# frames.  Without "h264" it is sound only, whose control is "*", by UDP, each
# second packet before the first, and another port of the host's sends one
# before all.  RFC 2326, 6184.

import json
import re
import socket
import struct
import sys
import time

WAIT = 60
SDP = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'
PCMU = 'm=audio 0 RTP/AVP 0\r\na=control:%s\r\n'
H264 = ('m=video 0 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n'
        'a=fmtp:99 packetization-mode=1\r\na=control:%s\r\n')
UDP = 'RTP/AVP;unicast;client_port=%d;mode=record'
TCP = 'RTP/AVP/TCP;unicast;interleaved=%d-%d;mode=record'


class Client:
    def __init__(self, port, path):
        self.s = socket.create_connection(('127.0.0.1', port))
        self.url = 'rtsp://127.0.0.1:%d%s' % (port, path)
        self.cseq = 0
        self.got = b''

    def request(self, method, url=None, fields={}, body=''):
        self.cseq += 1
        f = dict(fields, CSeq=self.cseq)
        if body:
            f['Content-Type'] = 'application/sdp'
            f['Content-Length'] = len(body)
        return ('%s %s RTSP/1.0\r\n' % (method, url or self.url)
                + ''.join('%s: %s\r\n' % i for i in f.items())
                + '\r\n' + body).encode()

    # the next answer; empty: closed, None: nothing came

    def answer(self):
        end = time.monotonic() + WAIT
        self.s.settimeout(1)
        while b'\r\n\r\n' not in self.got:
            try:
                b = self.s.recv(65536)
            except socket.timeout:
                if time.monotonic() > end:
                    return None
                continue
            except OSError:
                b = b''
            if not b:
                return ''
            self.got += b
        head, self.got = self.got.split(b'\r\n\r\n', 1)
        head = head.decode('latin1')
        said = head.split('\r\n')[0].split(' ', 1)[1]
        for name in 'WWW-Authenticate', 'Transport':
            m = re.search('^%s: .*$' % name, head, re.M)
            said += ' ' + m.group(0).strip() if m else ''
        return said

    def ask(self, case):
        said = []
        for m in case.get('ask', ['ANNOUNCE']):
            fields, body, url = {}, '', None
            if m == 'ANNOUNCE':
                fields = case.get('fields', {})
                body = SDP + PCMU % 'a'
            if m == 'SETUP':
                fields = {'Transport': case.get('transport', TCP % (0, 1))}
                url = self.url + '/a'
            self.s.sendall(self.request(m, url, fields, body))
            said.append(self.answer())
        return said


def frame(channel, pt, marker, seq, ts, ssrc, payload):
    rtp = struct.pack('!BBHII', 0x80, marker << 7 | pt, seq & 0xffff,
                      ts & 0xffffffff, ssrc) + payload
    return b'$' + struct.pack('!BH', channel, len(rtp)) + rtp


def report(channel, ssrc, now, ts):
    sr = struct.pack('!BBHIIIIII', 0x80, 200, 6, ssrc, int(now),
                     int(now % 1 * (1 << 32)), ts & 0xffffffff, 0, 0)
    return b'$' + struct.pack('!BH', channel, len(sr)) + sr


# single NAL units and FU-A

def payloads(nal):
    if len(nal) <= 1200:
        return [nal]
    parts = [nal[i:i + 1200] for i in range(1, len(nal), 1200)]
    return [bytes([nal[0] & 0x60 | 28, nal[0] & 0x1f
                   | (0x80 if i == 0 else 0)
                   | (0x40 if i == len(parts) - 1 else 0)]) + p
            for i, p in enumerate(parts)]


# pictures, as lists of NAL units

def pictures(name):
    nals = [n for n in re.split(rb'\x00\x00\x00?\x01',
                                open(name, 'rb').read()) if n]
    now = []
    for n in nals:
        if now and any(1 <= m[0] & 0x1f <= 5 for m in now) and (
                n[0] & 0x1f in (6, 7, 8, 9)
                or 1 <= n[0] & 0x1f <= 5 and n[1] & 0x80):
            yield now
            now = []
        now.append(n)
    yield now


def publish(port, case):
    film = list(pictures(case['h264'])) if 'h264' in case else []
    c = Client(port, case['url'])
    udp = []
    for i in range(0 if film else 2):
        udp.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp[i].bind(('127.0.0.1', 0))
    base = 'rtsp://somewhere' + case['url'].split('?')[0]
    audio, video = ((base + '/track=1', base + '/track=2') if film
                    else ('*', None))
    all = c.request('OPTIONS', '*')
    all += c.request('ANNOUNCE', body=SDP
                     + (H264 % video if film else '') + PCMU % audio)
    all += c.request('SETUP', audio if film else None,
                     {'Transport': TCP % (6, 7) if film else UDP
                      % udp[0].getsockname()[1]})
    if film:
        all += c.request('SETUP', video, {'Transport': TCP % (2, 3)})
    all += c.request('RECORD')
    c.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(len(all)):
        c.s.sendall(all[i:i + 1])
    for i in range(c.cseq):
        said = c.answer() or ''
        if said[:3] != '200':
            sys.exit('refused')
        port = re.search('server_port=([0-9]+)', said)
        for i in range(2) if port else []:
            to = ('127.0.0.1', int(port.group(1)) + i)
            other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            other.sendto(frame(6, 0, 0, 9999, 7, 3, b'x' * 160)[4:], to)
            udp[i].connect(to)
    n, seq, start = 0, 0, time.time()
    while True:
        if n % 50 == 0:
            sr = report(7, 1, time.time() + 2208988800, n * 320)
            if udp:
                udp[1].send(sr[4:])
            out = (sr + report(3, 2, time.time() + 2208988800, n * 3600)
                   + c.request('GET_PARAMETER'))
            c.s.sendall(out)
            c.answer()
        out = b''
        for nal in film[n % len(film)] if film else []:
            last = nal is film[n % len(film)][-1]
            p = payloads(nal)
            for i, part in enumerate(p):
                out += frame(2, 99, int(last and i == len(p) - 1), seq,
                             n * 3600, 2, part)
                seq += 1
        tone = bytes(0x80 if (t // 20) % 2 else 0x00 for t in range(160))
        for i in 1, 0:
            p = frame(6, 0, 0, 2 * n + (i if udp else 1 - i),
                      (2 * n + (i if udp else 1 - i)) * 160, 1, tone)
            if udp:
                udp[0].send(p[4:])
            else:
                out += p
        c.s.sendall(out)
        n += 1
        time.sleep(max(0, start + n * 0.04 - time.time()))


def main():
    port, what = int(sys.argv[1]), json.loads(sys.argv[2])
    if isinstance(what, dict):
        return publish(port, what)
    clients, result = [], []
    for case in what:
        if 'wait' in case:
            c = clients[case['wait']]
            result.append(c.answer())
            continue
        c = Client(port, case.get('url', '/'))
        clients.append(c)
        if 'raw' in case:
            c.s.sendall(bytes.fromhex(case['raw']))
            result.append(c.answer())
            continue
        result.append(c.ask(case))
        if not case.get('hold'):
            c.s.close()
    print(json.dumps(result), flush=True)


main()
