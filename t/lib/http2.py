# Copyright (C) the ngx_http_webrtc_module authors
#
# Requests over HTTP/2 whose answers the server cannot write at once: the
# streams' windows are empty until all headers of answers have come.
#
#     http2.py PORT < JSON
#
# JSON: {"vanish": bool, "requests": [{"method", "path", "headers": {},
# "body"}]}.  With "vanish" the connection is closed then, else the windows are
# opened and all is read.  Writes a list of {"status", "body", "ended"}; a
# response that goes on (text/event-stream) has its first data only.

import json
import socket
import sys
import time

import h2.config
import h2.connection
import h2.events
import h2.settings

WINDOW = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE


def main():
    order = json.load(sys.stdin)

    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    s.settimeout(1)

    c = h2.connection.H2Connection(h2.config.H2Configuration())
    c.local_settings = h2.settings.Settings(
        client=True, initial_values={WINDOW: 0})
    c.initiate_connection()

    answers = {}

    for r in order['requests']:
        stream = c.get_next_available_stream_id()
        body = r.get('body', '').encode()
        headers = [(':method', r['method']), (':scheme', 'http'),
                   (':authority', 'localhost'), (':path', r['path'])]
        headers += [(k.lower(), v) for k, v in r.get('headers', {}).items()]

        if body:
            headers.append(('content-length', str(len(body))))

        c.send_headers(stream, headers, end_stream=not body)

        if body:
            c.send_data(stream, body, end_stream=True)

        answers[stream] = {'status': 0, 'body': '', 'ended': False,
                           'goes_on': False}

    s.sendall(c.data_to_send())

    end = time.monotonic() + 60

    read(s, c, answers, end, lambda a: a['status'])

    if not order.get('vanish'):
        c.update_settings({WINDOW: 65535})
        read(s, c, answers, end,
             lambda a: a['ended'] or (a['goes_on'] and a['body']))

    s.close()

    json.dump([answers[i] for i in sorted(answers)], sys.stdout)
    print()


def read(s, c, answers, end, done):
    while not all(done(a) for a in answers.values()):
        s.sendall(c.data_to_send())

        try:
            data = s.recv(65536)
        except socket.timeout:
            data = None

        if data == b'' or time.monotonic() > end:
            return

        for e in c.receive_data(data) if data else []:
            a = answers.get(getattr(e, 'stream_id', None))

            if a is None:
                continue

            if isinstance(e, h2.events.ResponseReceived):
                h = {k.decode(): v.decode() for k, v in map(as_bytes, e.headers)}
                a['status'] = int(h[':status'])
                a['goes_on'] = h.get('content-type') == 'text/event-stream'

            elif isinstance(e, h2.events.DataReceived):
                a['body'] += e.data.decode()
                c.acknowledge_received_data(e.flow_controlled_length,
                                            e.stream_id)

            elif isinstance(e, h2.events.StreamEnded):
                a['ended'] = True

    s.sendall(c.data_to_send())


def as_bytes(pair):
    return tuple(x if isinstance(x, bytes) else x.encode() for x in pair)


main()
