
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The packet ring of a publisher's stream: when viewers see what was written,
 * and when the ring has to grow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_publisher_ring.h"
#include "ngx_webrtc_publisher_feedback.h"
#include "ngx_webrtc_roles.h"


/* us from the first packet until the stream is ACTIVE without a key frame */
#define NGX_WEBRTC_PUBLISHER_NO_KEY    1000000

/* us until a ring that could not grow may try again; chosen */
#define NGX_WEBRTC_PUBLISHER_FULL      500000

/* us that a publisher goes on without a ring; chosen: others may end */
#define NGX_WEBRTC_PUBLISHER_DRY       2000000


static void ngx_webrtc_publisher_ring_lost_key(ngx_webrtc_session_t *s);
static void ngx_webrtc_publisher_ring_activate(ngx_webrtc_session_t *s);


void
ngx_webrtc_publisher_ring_flush(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub == NULL || !pub->claimed || !pub->dirty) {
        return;
    }

    pub->dirty = 0;

    if (pub->news) {
        pub->news = 0;
        ngx_webrtc_bus_set_tracks(s->st, pub->stream, pub->nstream);
    }

    ngx_webrtc_ring_publish(&pub->writer);

    if (pub->writer.state != NGX_WEBRTC_RING_HELD) {
        ngx_webrtc_publisher_ring_lost_key(s);
    }

    ngx_webrtc_publisher_ring_activate(s);

    ngx_webrtc_roles_news(s->wk, s->st);
    ngx_webrtc_bus_wake_others(s->wk->bus, s->st);
}


void
ngx_webrtc_publisher_ring_grow(ngx_webrtc_session_t *s, uint64_t now_us)
{
    ngx_int_t                rc;
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub->full_us && now_us < pub->full_us) {
        return;
    }

    rc = ngx_webrtc_bus_enlarge(s->wk->bus, s->st, &pub->writer, 0, &s->log);

    if (rc == NGX_OK) {
        pub->full_us = 0;
        pub->dry_us = 0;
        return;
    }

    pub->full_us = now_us + NGX_WEBRTC_PUBLISHER_FULL;

    if (ngx_webrtc_ring_room(pub->writer.ring)) {
        return;
    }

    /* nothing can be kept, so nobody can be shown anything */

    if (pub->dry_us == 0) {
        pub->dry_us = now_us;

    } else if (now_us - pub->dry_us > NGX_WEBRTC_PUBLISHER_DRY) {
        ngx_webrtc_session_close(s, "no memory for packets in webrtc_zone");
    }
}


const ngx_webrtc_ring_keep_t *
ngx_webrtc_publisher_ring_keep(ngx_webrtc_publisher_t *pub)
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

    if (pub->deaf) {
        return &deaf;
    }

    return pub->answers ? &answers : &unknown;
}


/*
 * The key frame that new viewers start with has left the ring, which could not
 * grow when it had to.  A publisher that makes key frames when asked needs no
 * larger ring for this, unless the key frame itself is too large.
 */

static void
ngx_webrtc_publisher_ring_lost_key(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub->writer.state <= pub->told
        || (pub->writer.state != NGX_WEBRTC_RING_TORN && !pub->deaf))
    {
        return;
    }

    pub->told = pub->writer.state;

    if (ngx_webrtc_bus_enlarge(s->wk->bus, s->st, &pub->writer, 0, &s->log)
        == NGX_OK
        && pub->told == NGX_WEBRTC_RING_TORN)
    {
        /* the next one fits, or nearly */
        ngx_webrtc_publisher_feedback_keyframe(s);
    }
}


/* there are packets: makes the stream ACTIVE */

static void
ngx_webrtc_publisher_ring_activate(ngx_webrtc_session_t *s)
{
    ngx_webrtc_publisher_t  *pub;

    pub = s->part;

    if (pub->video && !pub->key
        && pub->last_us - pub->first_us < NGX_WEBRTC_PUBLISHER_NO_KEY)
    {
        /* viewers would have nothing to see, nor know what it will be */
        return;
    }

    if (ngx_webrtc_bus_state(s->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_set_state(s->wk->bus, s->st, NGX_WEBRTC_STREAM_ACTIVE,
                                 ngx_current_msec);
    }
}
