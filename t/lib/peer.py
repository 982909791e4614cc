#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# A WHIP or WHEP client whose every packet the test chooses: checks, DTLS in
# either role, SRTP and SRTCP by hand, from any socket.  No threads, no event
# loop; hostile.py has the attacks.
#
#     p = Peer(url)                  offers at once; p.status, p.answer
#     p.check()                      a check from p.sock; p.check(other)
#     p.handshake()                  true when DTLS is up
#     p.rtp(seq, ...), p.rtcp(...)   protected datagrams, not sent
#     p.read(seconds)                takes what comes, until the time is over
#                                    or what(p) is true
#
# python3-openssl, python3-pylibsrtp and python3-cryptography come with
# python3-aiortc.

import datetime
import hashlib
import hmac
import os
import re
import select
import socket
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

from OpenSSL import SSL, crypto
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pylibsrtp import Policy, Session

MAGIC = 0x2112a442

OPUS, H264 = 111, 96

TWCC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-' \
       'extensions-01'


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'test')])
    now = datetime.datetime.utcnow()

    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256()))

    return (crypto.PKey.from_cryptography_key(key),
            crypto.X509.from_cryptography(cert))


KEY, CERT = certificate()
FINGERPRINT = CERT.digest('SHA256').decode()


def http(method, url, body=None, headers=None):
    req = urllib.request.Request(url, method=method, data=body,
                                 headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(req, timeout=60) as r:
            return r.status, r.headers, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode(errors='replace')


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return s


def take(sock, seconds=0.0):
    """All datagrams that have come, waiting for the first one."""

    out = []

    if not select.select([sock], [], [], seconds)[0]:
        return out

    while True:
        try:
            out.append(sock.recv(65536))
        except BlockingIOError:
            return out


def forge(source, server, data):
    """A datagram from a port that is somebody else's; root."""

    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    raw.sendto(struct.pack('!HHHH', source.getsockname()[1], server[1],
                           8 + len(data), 0) + data, ('127.0.0.1', 0))
    raw.close()


def kind(d):
    if d[0] < 4:
        return 'stun'
    if 19 < d[0] < 64:
        return 'dtls'
    return 'rtcp' if 192 <= d[1] <= 223 else 'rtp'


def offer(publish=False, setup='actpass', fingerprint=None, more='',
          candidate=''):
    way = 'sendonly' if publish else 'recvonly'

    sdp = ('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'
           'a=group:BUNDLE 0 1\r\n')

    media = (('audio', OPUS, 'opus/48000/2', 'minptime=10;useinbandfec=1'),
             ('video', H264, 'H264/90000', 'packetization-mode=1;'
              'profile-level-id=42e01f;level-asymmetry-allowed=1'))

    for mid, (m, pt, name, fmtp) in enumerate(media):
        sdp += ('m=%s 9 UDP/TLS/RTP/SAVPF %d\r\nc=IN IP4 0.0.0.0\r\n'
                'a=ice-ufrag:tEsT\r\na=ice-pwd:a-password-of-24-letters\r\n'
                'a=fingerprint:sha-256 %s\r\na=setup:%s\r\na=mid:%d\r\n'
                'a=%s\r\na=rtcp-mux\r\na=rtpmap:%d %s\r\na=fmtp:%d %s\r\n'
                % (m, pt, fingerprint or FINGERPRINT, setup, mid, way, pt,
                   name, pt, fmtp))

        if m == 'video':
            sdp += ('a=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli\r\n'
                    'a=rtcp-fb:%d transport-cc\r\na=extmap:3 %s\r\n'
                    % (pt, pt, pt, TWCC))

        sdp += candidate

    return sdp + more


class Peer:
    def __init__(self, url, publish=False, setup='actpass', anonymous=False,
                 **o):
        self.url = url
        self.passive = setup == 'passive'
        self.sock = udp()
        self.spent = 0                 # bytes that were sent to the server
        self.got = []                  # datagrams, as they came
        self.packets = []              # RTP, in the clear
        self.reports = []              # RTCP, in the clear
        self.requests = 0              # binding requests that were answered
        self.flights = []              # datagrams of DTLS that were sent
        self.up = False

        body = offer(publish, setup, **o).encode()
        self.spent += len(body)

        self.status, headers, self.answer = http(
            'POST', url, body, {'Content-Type': 'application/sdp'})

        if self.status != 201:
            raise Exception('POST %s: %d %s' % (url, self.status,
                                                self.answer))

        self.session = urllib.parse.urljoin(url, headers['Location'])

        def field(pattern):
            m = re.search(pattern, self.answer, re.M)
            return m and m.group(1)

        self.ufrag = field(r'^a=ice-ufrag:(\S+)')
        self.pwd = field(r'^a=ice-pwd:(\S+)').encode()
        self.remote = field(r'^a=fingerprint:sha-256 (\S+)')
        self.server = ('127.0.0.1', int(field(
            r'^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+)')))

        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
                           lambda *args: 1)
        context.set_cipher_list(b'HIGH:!aNULL')
        context.set_tlsext_use_srtp(b'SRTP_AES128_CM_SHA1_80')

        if not anonymous:
            context.use_certificate(CERT)
            context.use_privatekey(KEY)

        self.ssl = SSL.Connection(context)

        if self.passive:
            self.ssl.set_accept_state()
        else:
            self.ssl.set_connect_state()

    # ICE

    def attributes(self, *list):
        out = b''
        for type, value in list:
            out += struct.pack('!HH', type, len(value)) + value
            out += b'\0' * (-len(value) % 4)
        return out

    def seal(self, type, id, body, pwd):
        """MESSAGE-INTEGRITY and FINGERPRINT, RFC 8489, 14.5 and 14.7."""

        def head(n):
            return struct.pack('!HHI', type, n, MAGIC) + id

        mac = hmac.new(pwd, head(len(body) + 24) + body, hashlib.sha1)
        body += self.attributes((8, mac.digest()))
        crc = zlib.crc32(head(len(body) + 8) + body) ^ 0x5354554e
        body += self.attributes((0x8028, struct.pack('!I', crc)))

        return head(len(body)) + body

    def request(self, use=True):
        name = ('%s:tEsT' % self.ufrag).encode()
        body = self.attributes((6, name), (0x24, b'\x6e\0\0\xff'),
                               (0x802a, b'\1' * 8))
        if use:
            body += self.attributes((0x25, b''))

        return self.seal(1, os.urandom(12), body, self.pwd)

    def send(self, d, sock=None):
        (sock or self.sock).sendto(d, self.server)
        self.spent += len(d)

    def check(self, sock=None, use=True):
        self.send(self.request(use), sock)

    def answer_request(self, d, sock=None):
        host, port = '127.0.0.1', self.server[1]
        ip = struct.unpack('!I', socket.inet_aton(host))[0] ^ MAGIC
        body = self.attributes((0x20, struct.pack('!BBHI', 0, 1,
                                                  port ^ (MAGIC >> 16), ip)))
        self.requests += 1
        self.send(self.seal(0x101, d[8:20], body, b'a-password-of-24-letters'),
                  sock)

    # DTLS: a datagram per record

    def flush(self, sock=None):
        data = b''
        while True:
            try:
                data += self.ssl.bio_read(65536)
            except SSL.WantReadError:
                break

        while data:
            n = 13 + struct.unpack('!H', data[11:13])[0]
            self.flights.append(data[:n])
            self.send(data[:n], sock)
            data = data[n:]

    def hello(self):
        """The first flight, not sent."""

        before = len(self.flights)
        sock, self.sock = self.sock, udp()      # goes nowhere
        server, self.server = self.server, self.sock.getsockname()

        try:
            self.ssl.do_handshake()
        except SSL.Error:
            pass

        self.flush()
        self.sock.close()
        self.sock, self.server = sock, server

        return b''.join(self.flights[before:])

    def step(self):
        try:
            self.ssl.do_handshake()
        except SSL.WantReadError:
            self.flush()
            return
        except SSL.Error:
            self.flush()
            self.failed = True
            return

        self.flush()

        n, m = 16, 14
        k = self.ssl.export_keying_material(b'EXTRACTOR-dtls_srtp',
                                            2 * (n + m))
        keys = [k[:n] + k[2 * n:2 * n + m], k[n:2 * n] + k[2 * n + m:]]

        if self.passive:
            keys.reverse()

        out = Policy(key=keys[0], ssrc_type=Policy.SSRC_ANY_OUTBOUND)
        out.allow_repeat_tx = True
        self.out = Session(out)
        self.into = Session(Policy(key=keys[1],
                                   ssrc_type=Policy.SSRC_ANY_INBOUND))
        self.up = True

    failed = False
    answers = 0

    def handshake(self, seconds=20):
        self.check()

        if not self.passive:
            self.step()

        self.read(seconds, lambda p: p.up or p.failed)

        return self.up

    def input(self, d):
        self.got.append(d)

        if kind(d) == 'stun':
            if d[:2] == b'\0\1':
                self.answer_request(d)
            else:
                self.answers += 1

        elif kind(d) == 'dtls':
            self.ssl.bio_write(d)

            if not self.up and not self.failed:
                self.step()

        elif self.up:
            try:
                if kind(d) == 'rtcp':
                    self.reports.append(self.into.unprotect_rtcp(d))
                else:
                    self.packets.append(self.into.unprotect(d))
            except Exception:
                pass

    def read(self, seconds=0.0, what=None):
        end = time.monotonic() + seconds
        checked = time.monotonic()

        while True:
            for d in take(self.sock, 0.02 if seconds else 0):
                self.input(d)

            if what and what(self):
                return True

            if time.monotonic() >= end:
                return False

            if time.monotonic() - checked > 1:
                checked = time.monotonic()
                self.check()

                if not self.up and not self.passive:
                    self.again()

    def sync(self):
        """Until all that was sent has been read."""

        self.answers = 0
        self.check()
        self.read(20, lambda p: p.answers)

    def again(self):
        """The last flight once more: a datagram may be lost."""

        for d in self.flights[-1:]:
            self.send(d)

    # media

    def rtp(self, seq, pt=OPUS, ssrc=1000, ts=None, payload=b'\xfc\1\2\3',
            marker=False, ext=None):
        head = struct.pack('!BBHII', 0x90 if ext else 0x80,
                           pt | (0x80 if marker else 0), seq & 0xffff,
                           (seq * 960 if ts is None else ts) & 0xffffffff,
                           ssrc)
        if ext:
            head += struct.pack('!HH', 0xbede, len(ext) // 4) + ext

        return self.out.protect(head + payload)

    def rtcp(self, data):
        return self.out.protect_rtcp(data)

    def ssrc(self, mid=1):
        m = re.findall(r'^a=ssrc:(\d+) ', self.answer.split('m=')[mid + 1],
                       re.M)
        return int(m[0])

    def nack(self, pids, blp=0xffff, ssrc=None):
        fci = b''.join(struct.pack('!HH', p & 0xffff, blp) for p in pids)
        return struct.pack('!BBHII', 0x81, 205, 2 + len(fci) // 4, 1,
                           ssrc or self.ssrc()) + fci

    def pli(self, ssrc=None):
        return struct.pack('!BBHII', 0x81, 206, 2, 1, ssrc or self.ssrc())

    def close(self):
        return http('DELETE', self.session)[0]
