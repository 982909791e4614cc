
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


static void ngx_webrtc_ingest_ring_lost_key(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out);
static void ngx_webrtc_ingest_ring_activate(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out);


void
ngx_webrtc_ingest_ring_flush(ngx_webrtc_ingest_t *in)
{
    ngx_uint_t  i;

    ngx_webrtc_ingest_ring_flush_one(in, &in->out);

    for (i = 0; i < in->nlayers; i++) {
        ngx_webrtc_ingest_ring_flush_one(in, &in->layers[i].out);
    }
}


void
ngx_webrtc_ingest_ring_flush_one(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out)
{
    if (!out->dirty) {
        return;
    }

    out->dirty = 0;

    if (out->news) {
        out->news = 0;
        ngx_webrtc_bus_set_tracks(out->st, out->stream, out->nstream);
    }

    ngx_webrtc_ring_publish(&out->writer);

    if (out->writer.state != NGX_WEBRTC_RING_HELD) {
        ngx_webrtc_ingest_ring_lost_key(in, out);
    }

    ngx_webrtc_ingest_ring_activate(in, out);

    in->ops->news(in->data, out->st);
}


void
ngx_webrtc_ingest_ring_grow(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out, uint64_t now_us)
{
    ngx_int_t  rc;

    if (out->full_us && now_us < out->full_us) {
        return;
    }

    rc = ngx_webrtc_bus_enlarge(in->bus, out->st, &out->writer, 0, in->log);

    if (rc == NGX_OK) {
        out->full_us = 0;
        out->dry_us = 0;
        return;
    }

    out->full_us = now_us + NGX_WEBRTC_INGEST_FULL;

    if (ngx_webrtc_ring_room(out->writer.ring)) {
        return;
    }

    /* nothing can be kept, so nobody can be shown anything */

    if (out->dry_us == 0) {
        out->dry_us = now_us;

    } else if (now_us - out->dry_us > NGX_WEBRTC_INGEST_DRY
               && out == &in->out)
    {
        in->ops->close(in->data, "no memory for packets in webrtc_zone");
    }
}


const ngx_webrtc_ring_keep_t *
ngx_webrtc_ingest_ring_keep(ngx_webrtc_ingest_out_t *out)
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

    if (out->from && out->from->deaf) {
        return &deaf;
    }

    return (out->from && out->from->answers) ? &answers : &unknown;
}


/*
 * The key frame that new viewers start with has left the ring, which could not
 * grow when it had to.  A publisher that makes key frames when asked needs no
 * larger ring for this, unless the key frame itself is too large.
 */

static void
ngx_webrtc_ingest_ring_lost_key(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out)
{
    if (out->writer.state <= out->told
        || (out->writer.state != NGX_WEBRTC_RING_TORN
            && !(out->from && out->from->deaf)))
    {
        return;
    }

    out->told = out->writer.state;

    if (ngx_webrtc_bus_enlarge(in->bus, out->st, &out->writer, 0, in->log)
        == NGX_OK
        && out->told == NGX_WEBRTC_RING_TORN)
    {
        /* the next one fits, or nearly */
        ngx_webrtc_ingest_feedback_keyframe(in, out->st);
    }
}


/* there are packets: makes the stream ACTIVE */

static void
ngx_webrtc_ingest_ring_activate(ngx_webrtc_ingest_t *in,
    ngx_webrtc_ingest_out_t *out)
{
    if (in->video && !out->key
        && (out != &in->out
            || in->last_us - in->first_us < NGX_WEBRTC_INGEST_NO_KEY))
    {
        /* viewers would have nothing to see, nor know what it will be */
        return;
    }

    if (out != &in->out) {
        ngx_webrtc_timeline_follow(&out->st->timeline, &in->st->timeline);
    }

    if (ngx_webrtc_bus_state(out->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_set_state(in->bus, out->st, NGX_WEBRTC_STREAM_ACTIVE,
                                 ngx_current_msec);
    }
}
