/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The service worker of the file player: answers the ranges that a <video>
 * element, or a download, asks for under "via/", with what the page reads from
 * its DataChannel.  The page has the connection (a worker cannot), each answer
 * is fed through a MessagePort of its own, one chunk when one is asked for:
 * so that the element's own back-pressure reaches the server.
 *
 * A browser ends a worker that has had no event for 30 s, whatever it is answering
 * (Firefox), and takes what has come until then for all there is.  So the page sends
 * a message every other second while answers are under way, and is told which of
 * them there are: a worker that has been ended nevertheless knows none.  (Not by
 * waitUntil(): Chromium, which needs no message, ends events of 5 minutes, and the
 * worker with them.)
 */

const answers = new Set();

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (e) => e.waitUntil(self.clients.claim()));

/* a page asks what it is known by: a download's frame is not the page */

self.addEventListener('message', (e) => {
    e.ports[0]?.postMessage(e.data == 'who' ? e.source.id : [...answers]);
});

self.addEventListener('fetch', (e) => {
    const u = new URL(e.request.url);
    const at = new URL('via/', self.registration.scope);

    if (u.origin == at.origin && u.pathname.startsWith(at.pathname)) {
        e.respondWith(answer(e, u));
    }
});


async function answer(e, u) {
    const page = await self.clients.get(u.searchParams.get('page')
                                        || e.clientId);

    if (!page) {
        return new Response('the page is gone\n', { status: 404 });
    }

    const { port1, port2 } = new MessageChannel();
    const range = /^bytes=(\d+)-(\d*)$/.exec(e.request.headers.get('Range')
                                             || '');
    const queue = [];
    let wake = null;

    port1.onmessage = (m) => {
        queue.push(m.data);
        wake?.();
    };

    const next = async () => {
        while (!queue.length) {
            await new Promise((resolve) => { wake = resolve; });
        }

        return queue.shift();
    };

    page.postMessage({ type: 'range', file: u.searchParams.get('file'),
                       offset: range ? +range[1] : 0,
                       end: range && range[2] ? +range[2] : null,
                       kind: u.searchParams.get('save') ? 'save' : 'play' },
                     [port2]);

    const head = await next();

    if (head.error) {
        port1.close();
        return new Response(head.error + '\n', { status: 502 });
    }

    /* one that is growing has no length yet, and no ranges */

    const open = head.last === null;

    if (!open && head.first >= head.size && head.size) {
        port1.close();
        return new Response(null, { status: 416, headers: {
            'Content-Range': 'bytes */' + head.size } });
    }

    let left = open ? 0 : head.last - head.first + 1;

    answers.add(head.id);

    const over = () => {
        answers.delete(head.id);
        port1.close();
    };

    const body = new ReadableStream({
        async pull(c) {
            port1.postMessage('more');

            const m = await next();

            if (m.chunk) {
                left -= m.chunk.length;
                c.enqueue(m.chunk);

            } else if (m.error || (left && !open)) {
                over();
                c.error(new Error(m.error || 'not all of it has come'));

            } else {
                over();
                c.close();
            }
        },
        cancel() {
            port1.postMessage('stop');
            over();
        },
    }, { highWaterMark: 2 });

    const headers = {
        'Content-Type': head.type,
        'Cache-Control': 'no-store',
    };

    if (!open) {
        headers['Content-Length'] = String(left);
        headers['Accept-Ranges'] = 'bytes';
    }

    if (u.searchParams.get('save')) {
        headers['Content-Disposition'] = "attachment; filename*=UTF-8''"
            + encodeURIComponent(head.name);
    }

    if (range && !open) {
        headers['Content-Range'] = `bytes ${head.first}-${head.last}`
                                   + `/${head.size}`;
    }

    return new Response(body, { status: range && !open ? 206 : 200, headers });
}
