#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# Callers of an SRT port, with libsrt by ctypes, one after another; prints one
# line of JSON, a list of what became of each:
#
#     srt_ask.py PORT LOG '[{"streamid": ..., "passphrase": ...,
#                            "hold": name}, ...]'
#
#     {"connected": 0, "reason": SRT_REJ_* or SRT_REJX_*}   not let in
#     {"connected": 1, "closed": 1}        let in, and closed by the other side
#     {"connected": 1, "closed": 0}        "hold": let in, and nginx's LOG says
#                                          that it publishes that stream
#
# What is sent is MPEG-TS without any stream.  Those that are held are closed at
# the end of all.

import ctypes
import json
import re
import socket
import struct
import sys
import time

LIB = None

for name in ('libsrt-gnutls.so.1.5', 'libsrt.so.1.5', 'libsrt-openssl.so.1.5'):
    try:
        LIB = ctypes.CDLL(name)
        break
    except OSError:
        pass

SRTO_PASSPHRASE = 26
SRTO_STREAMID = 46
SRTS_CONNECTED = 5
NULLS = (b'\x47\x1f\xff\x10' + b'\xff' * 184) * 7


def publishes(log, name):
    with open(log, errors='replace') as f:
        return re.search(r'webrtc publisher up protocol:srt.*stream:"%s"'
                         % re.escape(name), f.read())


def ask(port, log, one):
    s = LIB.srt_create_socket()

    for option, value in ((SRTO_STREAMID, one.get('streamid')),
                          (SRTO_PASSPHRASE, one.get('passphrase'))):
        if value is not None:
            value = value.encode()
            LIB.srt_setsockflag(s, option, value, len(value))

    sa = struct.pack('=HH4s8x', socket.AF_INET, socket.htons(port),
                     socket.inet_aton('127.0.0.1'))

    if LIB.srt_connect(s, sa, len(sa)) < 0:
        said = {'connected': 0, 'reason': LIB.srt_getrejectreason(s)}
        LIB.srt_close(s)
        return said, None

    end = time.monotonic() + 60
    hold = one.get('hold')

    while LIB.srt_getsockstate(s) == SRTS_CONNECTED:
        LIB.srt_sendmsg(s, NULLS, len(NULLS), -1, 1)

        if hold and publishes(log, hold):
            return {'connected': 1, 'closed': 0}, s

        if time.monotonic() >= end:
            return {'connected': 1, 'closed': None}, s

        time.sleep(0.02)

    LIB.srt_close(s)

    return {'connected': 1, 'closed': 1}, None


def main():
    LIB.srt_startup()
    LIB.srt_setloglevel(0)

    held = []
    said = []

    for one in json.loads(sys.argv[3]):
        what, s = ask(int(sys.argv[1]), sys.argv[2], one)
        said.append(what)
        held.append(s)

    print(json.dumps(said), flush=True)

    for s in held:
        if s is not None:
            LIB.srt_close(s)


main()
