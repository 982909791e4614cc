#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Clients that come and go, for t/soak/soak.pl: churn.py <json>
#
#     seconds, seed, peers          how long, of what, how many at a time
#     whep, whip, live              lists of URLs
#     progress                      a file that gets the counts as JSON
#
# A client ends by DELETE, by close_notify, or by not being there any more; some
# never come after their POST.  What is refused is counted by its status.

import json
import os
import random
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))

from peer import H264, Peer

# parameter sets of 320x180 and an IDR picture in one packet, RFC 6184, 5.7.1
KEY = bytes.fromhex('7800046742c00d000468ce3c80000565aabbccdd')
PICTURE = b'\x41\x9a\x10'

o = json.loads(sys.argv[1])
r = random.Random(o['seed'])
count = {}


def counted(what):
    count[what] = count.get(what, 0) + 1


class Client:
    def __init__(self):
        publish = r.random() < 0.35
        url = r.choice(o['whip'] if publish else o['whep'] + o['live'])
        setup = r.choice(['actpass', 'actpass', 'passive'])

        self.events = None
        self.publish = publish
        self.p = p = Peer(url, publish=publish, setup=setup)
        self.end = time.monotonic() + r.choice([0.3, 1, 3, 8, 15])
        self.how = r.choice(['delete', 'delete', 'close', 'vanish', 'never'])
        self.checked = self.sent = 0
        self.seq = r.randrange(65536)

        if self.how != 'never' and not p.handshake(5):
            counted('failed')
            self.how = 'delete'
            self.end = 0
            return

        counted('publishers' if publish else 'viewers')

        if not publish and r.random() < 0.3:
            u = urllib.parse.urlsplit(p.session)
            self.events = socket.create_connection((u.hostname, u.port))
            self.events.sendall(('GET %s?%s&events HTTP/1.1\r\nHost: x\r\n\r\n'
                                 % (u.path, u.query)).encode())
            counted('events')

    def turn(self, now):
        p = self.p

        if not p.up:
            return

        p.read()
        del p.got[:], p.reports[:], p.packets[:-50]

        if now - self.checked > 2:
            self.checked = now
            p.check()

        if now - self.sent < 0.04:
            return

        self.sent = now

        if self.publish:
            self.seq += 1
            p.send(p.rtp(self.seq, ts=self.seq * 960))
            p.send(p.rtp(self.seq, pt=H264, ssrc=2000, ts=self.seq * 3600,
                         payload=KEY if self.seq % 25 == 0 else PICTURE,
                         marker=True))
        elif r.random() < 0.02:
            p.send(p.rtcp(p.pli()))
        elif r.random() < 0.05:
            p.send(p.rtcp(p.nack([r.randrange(65536)])))

    def stop(self):
        if self.events:
            self.events.close()

        if self.how == 'delete':
            self.p.close()
        elif self.how == 'close' and self.p.up:
            self.p.ssl.shutdown()
            self.p.flush()

        self.p.sock.close()
        counted('by ' + self.how)


clients = []
end = time.monotonic() + o['seconds']
told = 0

while True:
    now = time.monotonic()

    if now < end and len(clients) < o['peers'] and r.random() < 0.2:
        try:
            clients.append(Client())
        except Exception as e:
            words = str(e).split()
            counted('refused ' + (words[2] if words[:1] == ['POST'] else
                                  type(e).__name__))

    for c in clients[:]:
        try:
            c.turn(now)
            if now < end and now < c.end:
                continue
            c.stop()
        except Exception as e:
            counted('lost ' + type(e).__name__)

        clients.remove(c)

    if now - told > 1:
        told = now
        with open(o['progress'] + '.new', 'w') as f:
            json.dump(count, f)
        os.rename(o['progress'] + '.new', o['progress'])

    if now >= end and not clients:
        break

    time.sleep(0.01)
