#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# The attacks of t/attack/*.t: hostile.py <attack> <json of arguments>, one line
# of JSON with what came of it.  What is right is said by the tests.

import json
import os
import random
import struct
import sys
import time

from peer import (H264, OPUS, Peer, forge, http, kind, take, udp)

# parameter sets of 320x180 and an IDR picture in one packet, RFC 6184, 5.7.1
KEY = bytes.fromhex('7800046742c00d000468ce3c80000565aabbccdd')


def status(o):
    return json.loads(http('GET', o['status'])[2])


def stream(o, name):
    for s in status(o)['streams']:
        if s['name'] == name:
            return s
    return {}


def wait(what, seconds=30):
    end = time.monotonic() + seconds

    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)

    return True


def gone(p, seconds=30):
    return wait(lambda: http('GET', p.session)[0] == 404, seconds)


def media(p, seconds=20, n=5):
    """Has it got n packets more?"""

    n += len(p.packets)
    return p.read(seconds, lambda p: len(p.packets) >= n)


def name(o, what):
    """A name that is this attack's own."""

    return what + '-' + sys.argv[1]


def publisher(o, what='pub'):
    p = Peer(o['whip'] + name(o, what), publish=True)

    if not p.handshake():
        raise Exception('the publisher has no session')

    p.seq = 100
    play(p, o, 1)

    if not wait(lambda: stream(o, name(o, what)).get('packets', 0) > 0):
        raise Exception('the publisher is not live')

    return p


def play(p, o, n, ext=None, key=True):
    """n pictures and as many frames of sound."""

    for _ in range(n):
        p.seq += 1
        p.send(p.rtp(p.seq, ts=p.seq * 960))
        p.send(p.rtp(p.seq, pt=H264, ssrc=2000, ts=p.seq * 1800, marker=True,
                     payload=KEY if key else b'\x41\x9a\x10', ext=ext))
    p.read()


# who greets first

def hello(o):
    """A stranger's ClientHello, before and after the check of who is meant."""

    p = Peer(o['whep'])
    thief = Peer(o['whep'])            # for a ClientHello of its own
    first = thief.hello()

    strangers = [udp() for _ in range(8)]      # some reach each worker
    out = {'answers': 0}

    def race():
        for s in strangers:
            for _ in range(3):
                p.send(first, s)

    race()
    p.check()
    p.read(20, lambda p: p.got)
    race()

    out['up'] = p.handshake()
    race()
    out['media'] = media(p)
    out['answers'] = sum(len(take(s, 0.05)) for s in strangers)

    if os.geteuid() == 0:

        # from the address itself, when it is up

        for d in (first, b'\x15\xfe\xfd' + b'\0' * 8 + b'\0\2\2\x28',
                  b'\x15\xfe\xfd' + b'\0' * 8 + b'\0\2\1\0',
                  b'\x14\xfe\xfd' + b'\0' * 8 + b'\0\1\1',
                  b'\x15\xfe\xfd\0\1' + b'\0' * 6 + b'\0\x1a' + b'\0' * 26):
            for _ in range(5):
                forge(p.sock, p.server, d)

        out['forged'] = media(p, n=50)

    out['closed'] = [p.close(), thief.close()]

    return out


# authentic packets, and others, from where no check has come

def unverified(o):
    p = publisher(o)
    viewer = Peer(o['live'] + name(o, 'pub'))
    viewer.handshake()

    before = status(o)['dropped']
    packets = stream(o, name(o, 'pub'))['packets']

    strangers = [udp() for _ in range(8)]
    n = 0

    for i, s in enumerate(strangers):
        p.send(p.rtp(p.seq + 1 + i), s)
        p.send(p.rtcp(struct.pack('!BBHI', 0x81, 203, 1, 1000)), s)
        viewer.send(viewer.rtcp(viewer.nack([1])), s)
        viewer.send(viewer.rtcp(viewer.pli()), s)
        n += 4

    # the owner's close_notify, which is his to send, elsewhere

    v = Peer(o['live'] + name(o, 'pub'))
    v.handshake()
    v.ssl.shutdown()
    for s in strangers:
        v.send(v.ssl.bio_read(65536) if s is strangers[0] else b'\x15', s)
        n += 1

    def dropped():
        now = status(o)['dropped']
        return sum(now.values()) - sum(before.values())

    out = {'dropped': wait(lambda: dropped() >= n),
           'packets': stream(o, name(o, 'pub'))['packets'] - packets,
           'sessions': status(o)['sessions'],
           'answers': sum(len(take(s)) for s in strangers)}

    # and what comes from the right place is taken

    play(p, o, 5)
    out['media'] = viewer.read(20, lambda v: len(v.packets) >= 5)
    out['nacks'] = stream(o, name(o, 'pub'))['nacks']
    out['closed'] = [x.close() for x in (p, viewer, v)]

    return out


# who sends to the port is not sent to

def bleed(o):
    p = Peer(o['whep'])
    out = {'up': p.handshake(), 'before': media(p)}

    thieves = [udp() for _ in range(8)]
    report = struct.pack('!BBHI', 0x80, 201, 1, 1)
    authentic = p.rtcp(report)

    for _ in range(20):
        for s in thieves:
            for d in (b'\x80\x60' + os.urandom(30), b'\x80\xc9\0\1\0\0\0\1',
                      b'\x80\x60\0\1' + b'\0' * 172, authentic,
                      p.rtcp(report), b'\x81\xce\0\2' + os.urandom(8)):
                p.send(d, s)
        p.read(0.02)

    out['after'] = media(p, n=30)
    out['bled'] = sum(len(d) for s in thieves for d in take(s, 0.05))
    out['closed'] = p.close()

    return out


# a certificate that is not the one of the offer

def fingerprint(o):
    out = {}

    for role in 'actpass', 'passive':
        for what in 'whep', 'whip':
            for case in 'other', 'none', 'right':
                if case == 'none' and role == 'passive':
                    continue           # a DTLS server has one in any case

                key = '%s-%s-%s' % (what, role, case)

                p = Peer(o[what] + (key if what == 'whip' else ''),
                         publish=what == 'whip', setup=role,
                         anonymous=case == 'none',
                         fingerprint=':'.join(['AB'] * 32)
                         if case == 'other' else None)

                got = out[key] = {'status': p.status, 'gone': False}
                got['up'] = p.handshake(20 if case == 'right' else 1)

                # some believe to be up, and have keys

                for i in range(5 if got['up'] else 0):
                    p.send(p.rtp(1 + i))

                if got['up'] and what == 'whep':
                    p.read(1, lambda p: p.packets)

                if case != 'right':
                    got['gone'] = gone(p, 10)

                elif what == 'whip':
                    wait(lambda: stream(o, key).get('packets', 0) > 0)

                else:
                    media(p)

                got['media'] = len(p.packets)
                got['packets'] = stream(o, key).get('packets', 0)

                if case == 'right':
                    got['closed'] = p.close()

    return out


# what has been sent before

def replay(o):
    p = publisher(o)
    s = lambda: stream(o, name(o, 'pub'))
    out = {}

    # SRTP

    sent = [p.rtp(p.seq + 1 + i) for i in range(40)]
    p.seq += 40

    before = s()['packets']
    for d in sent:
        p.send(d)
    wait(lambda: s()['packets'] == before + 40, 10)
    out['srtp'] = s()['packets'] - before

    rtp = status(o)['dropped']['rtp']
    for _ in range(3):
        for d in sent:
            p.send(d)
    wait(lambda: status(o)['dropped']['rtp'] >= rtp + 120, 10)
    out['srtpAgain'] = s()['packets'] - before
    out['srtpDropped'] = status(o)['dropped']['rtp'] - rtp

    # SRTCP: a NACK makes us send

    v = Peer(o['live'] + name(o, 'pub'))
    v.handshake()
    play(p, o, 3)
    v.read(20, lambda v: [d for d in v.packets if d[1] & 127 == H264])

    video = [d for d in v.packets if d[1] & 127 == H264]
    nack = v.rtcp(v.nack([struct.unpack('!H', video[-1][2:4])[0]], 0))

    v.send(nack)
    wait(lambda: s()['nacks'] == 1)

    rtcp = status(o)['dropped']['rtcp']
    for _ in range(50):
        v.send(nack)
    wait(lambda: status(o)['dropped']['rtcp'] >= rtcp + 50, 10)
    out['srtcp'] = s()['nacks']
    out['srtcpDropped'] = status(o)['dropped']['rtcp'] - rtcp

    # what was for one session, to another one of the same owner

    w = Peer(o['live'] + name(o, 'pub'))
    w.handshake()
    w.send(v.rtcp(v.nack([1], 0)))
    wait(lambda: status(o)['dropped']['rtcp'] >= rtcp + 51, 10)
    out['other'] = s()['nacks']

    # the handshake, when it is over

    for _ in range(3):
        for d in v.flights:
            v.send(d)

    n = len(v.packets)
    play(p, o, 3)
    out['dtls'] = v.read(20, lambda v: len(v.packets) > n)
    out['closed'] = [x.close() for x in (p, v, w)]

    return out


# NACK and PLI

def amplify(o):
    out = {}

    quiet, loud = Peer(o['whep']), Peer(o['whep'])
    p = publisher(o)                   # its only key frame gets old
    viewers = [Peer(o['live'] + name(o, 'pub')) for _ in range(3)]

    for v in [quiet, loud] + viewers:
        v.handshake()

    def video(v):
        return [d for d in v.packets if d[1] & 127 == H264]

    for v in quiet, loud:
        v.read(20, lambda v: len(video(v)) > 20)

    def size(v):
        return sum(len(d) for d in v.got)

    def flood(who, what, seconds):
        """The requests, while the publisher sends; who: floods."""

        n, start = 0, time.monotonic()
        before = size(loud), size(quiet)

        while time.monotonic() - start < seconds:
            for v in who:
                for d in what(v):
                    v.send(v.rtcp(d))
                    n += 1
                v.read()

            quiet.read(0.02)
            play(p, o, 1, key=False)

        loud.read(0.2)
        quiet.read()

        return {'n': n, 'got': size(loud) - before[0],
                'quiet': size(quiet) - before[1],
                'seconds': time.monotonic() - start}

    s = lambda: stream(o, 'bars')

    # the last 51 packets, more than once a frame

    def nacks(v):
        last = struct.unpack('!H', video(v)[-1][2:4])[0]
        return [v.nack([last - 17 * k for k in range(3)])] * 3

    before = s()
    out['nack'] = flood([loud], nacks, 1.5)
    after = s()
    out['resent'] = after['resent'] - before['resent']
    out['nacks'] = after['nacks'] - before['nacks']

    out['pli'] = flood([loud], lambda v: [v.pli()] * 5, 2)
    out['plis'] = s()['plis'] - after['plis']

    # of viewers to a publisher

    p.reports.clear()
    out['asked'] = flood(viewers, lambda v: [v.pli()] * 10, 2)
    p.read(0.2)
    out['asked']['got'] = sum(d.count(b'\x81\xce\0\2') for d in p.reports)
    out['closed'] = [x.close() for x in [p, quiet, loud] + viewers]

    return out


# authentic RTCP, and numbers of transport-wide feedback, without sense

def garbage(o):
    r = random.Random(o.get('seed', 1))
    p = publisher(o)
    v = Peer(o['live'] + name(o, 'pub'))
    v.handshake()

    def rubbish(ssrc):
        pt = r.choice([192, 195, 200, 201, 202, 203, 204, 205, 206, 207, 208,
                       223])
        count = r.randrange(32)
        body = bytearray(r.randbytes(4 * r.randrange(60)))
        if len(body) >= 8 and r.randrange(2):
            body[4:8] = struct.pack('!I', ssrc)
        words = len(body) // 4

        if r.randrange(4) == 0:
            words = r.choice([0, words + 1, 0xffff, words ^ 1])

        first = r.choice([0x80, 0x80, 0x80, 0xa0, 0x40]) | count
        out = struct.pack('!BBH', first, pt, words) + bytes(body)

        # compounds: a good one before it

        if r.randrange(3) == 0:
            out = struct.pack('!BBHI', 0x80, 201, 1, 1) + out

        # what libsrtp encrypts

        return out + b'\0' * (8 - len(out))

    n = 0
    ssrc = v.ssrc()

    for i in range(1500):
        v.send(v.rtcp(rubbish(ssrc)))
        p.send(p.rtcp(rubbish(2000)))
        n += 2
        if i % 50 == 49:
            p.sync()
            v.sync()

    out = {'sent': n}

    # feedback of all kinds, and of a viewer to us

    for i in range(200):
        packets = r.choice([0, 1, 7, 8192, 65535])
        d = struct.pack('!BBHIIHHI', 0x8f, 205, 0, 1, ssrc, r.randrange(65536),
                        packets, r.randrange(1 << 32))
        d += r.randbytes(4 * r.randrange(20))
        d = d[:2] + struct.pack('!H', len(d) // 4 - 1) + d[4:]
        v.send(v.rtcp(d))
        p.send(p.rtcp(d))

    # numbers that jump: each packet may leave a gap

    before = sum(len(d) for d in p.got)
    sent = p.spent
    start = time.monotonic()

    for i in range(300):
        number = r.randrange(65536)
        play(p, o, 1, ext=struct.pack('!BHB', 0x31, number, 0))
        if i % 20 == 0:
            p.read(0.02)

    p.read(0.5)
    out['twcc'] = {'sent': p.spent - sent,
                   'got': sum(len(d) for d in p.got) - before,
                   'seconds': time.monotonic() - start}

    count = len(v.packets)
    play(p, o, 3)
    out['media'] = v.read(20, lambda v: len(v.packets) > count)
    out['dropped'] = status(o)['dropped']['rtcp']
    out['closed'] = [x.close() for x in (p, v)]

    return out


# what a third party gets that somebody else names

def reflect(o):
    out = {}

    # nobody who has no session makes us send

    s = udp()
    p = Peer(o['whep'])
    for d in [p.request()[:-4] + b'\0' * 4, os.urandom(100), b'\0\1\0\0',
              b'\x16\xfe\xfd' + os.urandom(200), b'\x80\xc9' + os.urandom(90),
              struct.pack('!HHI', 1, 0, 0x2112a442) + os.urandom(12),
              struct.pack('!HHI', 0x101, 0, 0x2112a442) + os.urandom(12)]:
        for _ in range(10):
            p.send(d, s)
    out['strangers'] = sum(len(d) for d in take(s, 0.3))
    p.close()

    # the address of a first check is somebody else's: as DTLS server we answer
    # a ClientHello that claims to be from there, as client we send one

    peers = {}

    for role in 'actpass', 'passive':
        p = peers[role] = Peer(o['short'], setup=role)
        p.victim = udp()
        p.check(p.victim)

        if role == 'actpass':
            p.send(p.hello(), p.victim)

    for role, p in peers.items():
        left = gone(p)
        got = take(p.victim, 0.2)
        out[role] = {'sent': p.spent, 'gone': left,
                     'got': sum(len(d) for d in got),
                     'dtls': len([d for d in got if kind(d) == 'dtls'])}

    return out


if __name__ == '__main__':
    run = globals()[sys.argv[1]]
    print(json.dumps(run(json.loads(sys.argv[2]))), flush=True)
