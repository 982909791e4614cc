
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_viewer_keys: how large key frames are, and which of them a viewer
 * gets who is sent only these, one at a time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "tap.h"

#include <ngx_webrtc_viewer_keys.h>
#include <ngx_webrtc_viewer_thin.h>
#include <ngx_webrtc_time.h>


#define SIZE    (1024 * 1024)
#define HEADER  40           /* that each packet is counted with */


static u_char                    *mem;
static ngx_webrtc_stream_t        stream;
static ngx_webrtc_ring_writer_t   writer;
static ngx_webrtc_viewer_t        v;
static uint32_t                   ts;


static void
begin(void)
{
    memset(&writer, 0, sizeof(writer));
    memset(&v, 0, sizeof(v));

    stream.ring = ngx_webrtc_ring_init(mem, SIZE);
    ngx_webrtc_ring_attach(stream.ring, &writer);

    ts = 1000;

    v.st = &stream;
    v.tracks[0].used = 1;
    v.tracks[0].kind = NGX_WEBRTC_VIDEO;
    v.tracks[1].used = 1;
    v.tracks[1].kind = NGX_WEBRTC_AUDIO;

    ngx_webrtc_viewer_thin_init(&v);
    ngx_webrtc_rewrite_init(&v.tracks[0].rw, 1, 96, 1, 0);
}


/* a frame of so many packets of 1000 bytes, by its letter: k, p, d (nothing
 * refers to it), a (sound) */

static void
frame(int kind, ngx_uint_t packets)
{
    ngx_uint_t                i;
    ngx_webrtc_ring_packet_t  pkt;
    static u_char             payload[1000];

    ts += 3600;

    for (i = 0; i < packets; i++) {
        memset(&pkt, 0, sizeof(pkt));

        pkt.ts = ts;
        pkt.len = 1000;
        pkt.arrival_us = ngx_webrtc_time_now();
        pkt.track = (kind == 'a');
        pkt.layer = 0;
        pkt.flags = (i == 0) ? NGX_WEBRTC_PKT_FIRST : 0;
        pkt.flags |= (i + 1 == packets) ? NGX_WEBRTC_PKT_MARKER : 0;
        pkt.flags |= (kind == 'k') ? NGX_WEBRTC_PKT_KEY : 0;
        pkt.flags |= (kind == 'd') ? NGX_WEBRTC_PKT_DISCARD : 0;

        if (kind == 'a') {
            pkt.flags = NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_MARKER;
        }

        (void) ngx_webrtc_ring_write(&writer, &pkt, payload);
    }

    ngx_webrtc_ring_publish(&writer);
}


static void
test_sizes(void)
{
    ngx_uint_t                i;
    ngx_webrtc_viewer_keys_t  keys;

    begin();
    memset(&keys, 0, sizeof(keys));

    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(ngx_webrtc_viewer_keys_rate(&keys) == 0, "none so far");
    tap_ok(ngx_webrtc_viewer_keys_share(&keys) == 0, "no share either");

    frame('p', 3);
    frame('k', 25);
    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(ngx_webrtc_viewer_keys_rate(&keys) == 0, "one that is not over");

    frame('a', 1);
    frame('p', 2);
    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(ngx_webrtc_viewer_keys_rate(&keys) == 25 * (1000 + HEADER) * 2,
           "one in four seconds: %u bit/s",
           ngx_webrtc_viewer_keys_rate(&keys));

    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(keys.bytes == 30 * (1000 + HEADER), "each packet once, no sound");

    for (i = 0; i < 20; i++) {
        frame('k', 5);
        frame('d', 3);
        frame('p', 4);
        ngx_webrtc_viewer_keys_look(&v, &keys);
    }

    tap_ok(keys.size >= 5 * (1000 + HEADER) && keys.size < 5500,
           "the mean follows: %u bytes", keys.size);

    tap_ok(ngx_webrtc_viewer_keys_share(&keys) == 60 * 100 / 270,
           "what nothing refers to: %u%%",
           (unsigned) ngx_webrtc_viewer_keys_share(&keys));

    /* two key frames in a row, and a ring that went on without us */

    frame('k', 10);
    frame('k', 10);
    frame('p', 1);
    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(keys.size > 6000 && keys.size < 8500, "each is one: %u bytes",
           keys.size);

    frame('k', 10);
    ngx_webrtc_viewer_keys_look(&v, &keys);

    for (i = 0; i < 3000; i++) {
        frame('p', 1);
    }

    i = keys.size;
    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(keys.size == i, "one whose end was not seen does not count");

    /* another stream */

    begin();
    frame('k', 7);
    frame('p', 1);

    ngx_webrtc_viewer_keys_look(&v, &keys);
    tap_ok(keys.next == 8, "another ring, from its beginning");
}


/* up to n packets are sent, as ngx_webrtc_viewer_send() does it */

static ngx_uint_t
pump(ngx_uint_t n)
{
    uint32_t                  out_ts;
    uint64_t                  to;
    ngx_uint_t                sent;
    ngx_webrtc_ring_packet_t  pkt;

    sent = 0;

    while (ngx_webrtc_ring_peek(stream.ring, v.cursor, &pkt, NULL) == NGX_OK) {

        if (pkt.track == 0
            && !(v.partial && ngx_webrtc_viewer_thin(&v, &v.tracks[0], &pkt)))
        {
            if (sent == n) {
                break;
            }

            ngx_webrtc_rewrite_jump(&v.tracks[0].rw, pkt.index);
            (void) ngx_webrtc_rewrite_map(&v.tracks[0].rw, pkt.index, pkt.ts,
                                          &to, &out_ts);
            sent++;
        }

        v.cursor++;
    }

    return sent;
}


static void
test_one(void)
{
    ngx_uint_t  i;

    begin();

    ngx_webrtc_viewer_thin_set(&v, NGX_WEBRTC_VIEWER_KEYS,
                               NGX_WEBRTC_LAYER_ALL);

    frame('p', 3);
    frame('k', 10);
    frame('p', 3);

    tap_ok(pump(4) == 4, "a key frame is begun");
    tap_ok(ngx_webrtc_viewer_keys_under_way(&v), "it is under way");

    frame('k', 11);
    frame('p', 3);

    tap_ok(pump(5) == 5, "it goes on, though there is a newer one");

    /* three more: the last one is next */

    frame('k', 12);
    frame('p', 3);
    frame('k', 13);
    frame('p', 3);
    frame('k', 14);
    frame('p', 3);

    tap_ok(pump(1) == 1, "to its end");
    tap_ok(pump(0) == 0 && !ngx_webrtc_viewer_keys_under_way(&v),
           "then there is none");
    tap_ok(pump(100) == 14, "then the newest, all of it, and no other");
    tap_ok(pump(100) == 0, "none behind it");

    /* one waits to be begun, for want of room: a newer one replaces it */

    frame('k', 15);
    tap_ok(pump(0) == 0, "one waits");
    tap_ok(!ngx_webrtc_viewer_keys_under_way(&v), "it has not been begun");

    frame('k', 16);
    frame('p', 1);
    tap_ok(pump(100) == 16, "and is left out for a newer one");

    tap_ok(!ngx_webrtc_viewer_keys_older(&v, 60000), "that is new");
    tap_ok(ngx_webrtc_viewer_keys_older(&v, 0), "not that new");

    /* all of it again, from a key frame on */

    frame('k', 4);
    (void) pump(2);

    ngx_webrtc_viewer_thin_set(&v, NGX_WEBRTC_VIEWER_WHOLE,
                               NGX_WEBRTC_LAYER_ALL);
    tap_ok(!ngx_webrtc_viewer_keys_under_way(&v), "of all there is none");

    frame('k', 4);
    frame('p', 3);
    i = pump(100);
    tap_ok(i == 2 + 4 + 3, "all: %u packets", (unsigned) i);

    /* nothing in the ring */

    begin();
    tap_ok(ngx_webrtc_viewer_keys_older(&v, 1000), "no key frame: it is old");
}


int
main(void)
{
    mem = aligned_alloc(64, SIZE);

    test_sizes();
    test_one();

    free(mem);

    return tap_done();
}
