
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring of a publisher's stream: when viewers see what was written,
 * and when the ring has to grow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_feedback.h"


/* us from the first packet until the stream is ACTIVE without a key frame */
#define NGX_WEBRTC_INGEST_NO_KEY    1000000

/* us until a ring that could not grow may try again; chosen */
#define NGX_WEBRTC_INGEST_FULL      500000

/* us that a publisher goes on without a ring; chosen: others may end */
#define NGX_WEBRTC_INGEST_DRY       2000000


static void ngx_webrtc_ingest_ring_lost_key(ngx_webrtc_ingest_t *in);
static void ngx_webrtc_ingest_ring_activate(ngx_webrtc_ingest_t *in);


void
ngx_webrtc_ingest_ring_flush(ngx_webrtc_ingest_t *in)
{
    if (!in->dirty) {
        return;
    }

    in->dirty = 0;

    if (in->news) {
        in->news = 0;
        ngx_webrtc_bus_set_tracks(in->st, in->stream, in->nstream);
    }

    ngx_webrtc_ring_publish(&in->writer);

    if (in->writer.state != NGX_WEBRTC_RING_HELD) {
        ngx_webrtc_ingest_ring_lost_key(in);
    }

    ngx_webrtc_ingest_ring_activate(in);

    in->ops->news(in->data);
}


void
ngx_webrtc_ingest_ring_grow(ngx_webrtc_ingest_t *in, uint64_t now_us)
{
    ngx_int_t  rc;

    if (in->full_us && now_us < in->full_us) {
        return;
    }

    rc = ngx_webrtc_bus_enlarge(in->bus, in->st, &in->writer, 0, in->log);

    if (rc == NGX_OK) {
        in->full_us = 0;
        in->dry_us = 0;
        return;
    }

    in->full_us = now_us + NGX_WEBRTC_INGEST_FULL;

    if (ngx_webrtc_ring_room(in->writer.ring)) {
        return;
    }

    /* nothing can be kept, so nobody can be shown anything */

    if (in->dry_us == 0) {
        in->dry_us = now_us;

    } else if (now_us - in->dry_us > NGX_WEBRTC_INGEST_DRY) {
        in->ops->close(in->data, "no memory for packets in webrtc_zone");
    }
}


const ngx_webrtc_ring_keep_t *
ngx_webrtc_ingest_ring_keep(ngx_webrtc_ingest_t *in)
{
    /*
     * If a publisher makes a key frame when asked, its last one is useful for
     * three seconds, and half a second more.
     */

    static const ngx_webrtc_ring_keep_t  answers = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 3500000
    };

    static const ngx_webrtc_ring_keep_t  deaf = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 0
    };

    /* not asked yet: two of encoders' default intervals, 8.3 s and 10 s */

    static const ngx_webrtc_ring_keep_t  unknown = {
        NGX_WEBRTC_KEEP_US, NGX_WEBRTC_KEEP_MAX, 20000000
    };

    if (in->deaf) {
        return &deaf;
    }

    return in->answers ? &answers : &unknown;
}


/*
 * The key frame that new viewers start with has left the ring, which could not
 * grow when it had to.  A publisher that makes key frames when asked needs no
 * larger ring for this, unless the key frame itself is too large.
 */

static void
ngx_webrtc_ingest_ring_lost_key(ngx_webrtc_ingest_t *in)
{
    if (in->writer.state <= in->told
        || (in->writer.state != NGX_WEBRTC_RING_TORN && !in->deaf))
    {
        return;
    }

    in->told = in->writer.state;

    if (ngx_webrtc_bus_enlarge(in->bus, in->st, &in->writer, 0, in->log)
        == NGX_OK
        && in->told == NGX_WEBRTC_RING_TORN)
    {
        /* the next one fits, or nearly */
        ngx_webrtc_ingest_feedback_keyframe(in);
    }
}


/* there are packets: makes the stream ACTIVE */

static void
ngx_webrtc_ingest_ring_activate(ngx_webrtc_ingest_t *in)
{
    if (in->video && !in->key
        && in->last_us - in->first_us < NGX_WEBRTC_INGEST_NO_KEY)
    {
        /* viewers would have nothing to see, nor know what it will be */
        return;
    }

    if (ngx_webrtc_bus_state(in->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_set_state(in->bus, in->st, NGX_WEBRTC_STREAM_ACTIVE,
                                 ngx_current_msec);
    }
}
