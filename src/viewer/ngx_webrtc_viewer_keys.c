
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Key frames alone: see the header file.
 *
 * What they take is not what the stream takes: of noise at 2.5 Mbit/s they are
 * a tenth, of a picture that hardly moves nearly all.  So they are measured, in
 * the ring, as a viewer who needs that has not been sent to at a known rate
 * before.  Only viewers on narrow paths look, and each packet once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_viewer_keys.h"
#include "ngx_webrtc_bus_ring.h"
#include "ngx_webrtc_time.h"


/* entries of the ring that are looked at first; chosen: two seconds of
 * 10 Mbit/s */
#define NGX_WEBRTC_VIEWER_KEYS_FIRST  2048

/* bytes around each payload: headers, extensions, SRTP's tag */
#define NGX_WEBRTC_VIEWER_KEYS_HEADER 40

/* bytes of which frames that nothing refers to are a part; chosen: half a
 * second of 1 Mbit/s */
#define NGX_WEBRTC_VIEWER_KEYS_SHARE  60000

/* ms in which the path has to carry one; chosen: a picture that is older tells
 * nothing any more */
#define NGX_WEBRTC_VIEWER_KEYS_MS     4000


static void ngx_webrtc_viewer_keys_done(ngx_webrtc_viewer_keys_t *keys);


void
ngx_webrtc_viewer_keys_look(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_keys_t *keys)
{
    size_t                      n;
    uint64_t                    head;
    ngx_webrtc_ring_t          *ring;
    ngx_webrtc_viewer_track_t  *t;
    ngx_webrtc_ring_packet_t    pkt;

    ring = v->st->ring;
    head = ngx_webrtc_ring_head(ring);

    if (keys->next + NGX_WEBRTC_VIEWER_KEYS_FIRST < head
        || keys->next > head)
    {
        keys->next = (head > NGX_WEBRTC_VIEWER_KEYS_FIRST)
                     ? head - NGX_WEBRTC_VIEWER_KEYS_FIRST : 0;
        keys->key = 0;
    }

    for ( /* void */ ; keys->next < head; keys->next++) {

        if (ngx_webrtc_ring_peek(ring, keys->next, &pkt, NULL) != NGX_OK) {
            keys->key = 0;
            continue;
        }

        t = &v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)];

        if (!t->used || t->kind != NGX_WEBRTC_VIDEO) {
            continue;
        }

        n = pkt.len + NGX_WEBRTC_VIEWER_KEYS_HEADER;

        keys->bytes += n;

        if (pkt.flags & NGX_WEBRTC_PKT_DISCARD) {
            keys->least += n;
        }

        if (keys->key && pkt.ts != keys->ts) {
            ngx_webrtc_viewer_keys_done(keys);
        }

        if (!keys->key
            && (pkt.flags & (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
               == (NGX_WEBRTC_PKT_KEY|NGX_WEBRTC_PKT_FIRST))
        {
            keys->key = 1;
            keys->ts = pkt.ts;
            keys->sum = 0;
        }

        keys->sum += keys->key ? (uint32_t) n : 0;
    }
}


/* all of a key frame was there */

static void
ngx_webrtc_viewer_keys_done(ngx_webrtc_viewer_keys_t *keys)
{
    keys->key = 0;

    keys->size = keys->size ? (uint32_t) (((uint64_t) keys->size * 3
                                           + keys->sum) / 4)
                            : keys->sum;
}


ngx_uint_t
ngx_webrtc_viewer_keys_share(const ngx_webrtc_viewer_keys_t *keys)
{
    if (keys->bytes < NGX_WEBRTC_VIEWER_KEYS_SHARE) {
        return 0;
    }

    return (ngx_uint_t) (keys->least * 100 / keys->bytes);
}


uint32_t
ngx_webrtc_viewer_keys_rate(const ngx_webrtc_viewer_keys_t *keys)
{
    return (uint32_t) ((uint64_t) keys->size * 8 * 1000
                       / NGX_WEBRTC_VIEWER_KEYS_MS);
}


ngx_uint_t
ngx_webrtc_viewer_keys_under_way(ngx_webrtc_viewer_t *v)
{
    ngx_webrtc_ring_packet_t  pkt;

    /* what it is sent next is of the frame that has been begun */

    return v->thin == NGX_WEBRTC_VIEWER_KEYS && !v->cut
           && ngx_webrtc_ring_peek(v->st->ring, v->cursor, &pkt, NULL)
              == NGX_OK
           && pkt.ts == v->frame_ts
           && !(pkt.flags & NGX_WEBRTC_PKT_FIRST)
           && v->tracks[pkt.track & (NGX_WEBRTC_TRACKS - 1)].kind
              == NGX_WEBRTC_VIDEO;
}


ngx_uint_t
ngx_webrtc_viewer_keys_older(ngx_webrtc_viewer_t *v, ngx_msec_t ms)
{
    uint64_t                  n;
    ngx_webrtc_ring_packet_t  pkt;

    n = ngx_webrtc_ring_keyframe(v->st->ring);

    return n == NGX_WEBRTC_RING_NONE
           || ngx_webrtc_ring_peek(v->st->ring, n, &pkt, NULL) != NGX_OK
           || (int64_t) (ngx_webrtc_time_now() - pkt.arrival_us)
              >= (int64_t) ms * 1000;
}
