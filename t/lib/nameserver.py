#!/usr/bin/python3
#
# Copyright (C) the ngx_http_webrtc_module authors
#
# A name server that knows one name:
#
#     nameserver.py <port> <name> <address>
#
# RFC 1035.  Other names do not exist; the one has no IPv6 address.

import socket
import struct
import sys

port, name, address = int(sys.argv[1]), sys.argv[2], sys.argv[3]

known = b''.join(bytes([len(label)]) + label.encode()
                 for label in name.split('.')) + b'\0'

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(('127.0.0.1', port))

while True:
    query, peer = sock.recvfrom(512)
    end = query.find(b'\0', 12) + 1

    if end == 0 or len(query) < end + 4:
        continue

    kind, = struct.unpack('!H', query[end:end + 2])
    same = query[12:end].lower() == known
    found = same and kind == 1

    # a response, recursion is available; no error, or no such name

    reply = query[:2] + struct.pack('!HHHHH', 0x8180 | (0 if same else 3), 1,
                                    found, 0, 0) + query[12:end + 4]

    if found:
        reply += struct.pack('!HHHIH', 0xc00c, 1, 1, 1, 4)
        reply += socket.inet_aton(address)

    sock.sendto(reply, peer)
