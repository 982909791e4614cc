
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * A publisher's payloads: frames, and the part common to all codecs.  See
 * ngx_webrtc_depay.h.
 */


#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_depay.h"
#include "ngx_webrtc_red.h"


/* 90 kHz; B-frames go back by less, a source that begins anew by any; chosen:
 * 16 pictures at 8 per second */
#define NGX_WEBRTC_DEPAY_BACK  180000


static ngx_int_t ngx_webrtc_depay_audio(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_info_t *info);
static ngx_int_t ngx_webrtc_depay_video(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind,
    ngx_webrtc_depay_info_t *info);
static void ngx_webrtc_depay_told(ngx_uint_t told,
    ngx_webrtc_depay_kind_t *kind);
static void ngx_webrtc_depay_place(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_kind_t *kind);
static ngx_uint_t ngx_webrtc_depay_trait(ngx_webrtc_depay_t *d, uint8_t trait,
    ngx_uint_t on);
static ngx_uint_t ngx_webrtc_depay_reordered(ngx_webrtc_depay_t *d,
    uint32_t ts);
static ngx_uint_t ngx_webrtc_depay_begin(ngx_webrtc_depay_t *d,
    ngx_webrtc_depay_kind_t *kind, ngx_webrtc_depay_info_t *info);
static ngx_uint_t ngx_webrtc_depay_has_sets(ngx_webrtc_depay_t *d);


ngx_int_t
ngx_webrtc_depay_init(ngx_webrtc_depay_t *d, const ngx_webrtc_codec_t *codec)
{
    if (codec->depay == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(d, sizeof(ngx_webrtc_depay_t));

    /* one channel until a packet has two */

    ngx_webrtc_codec_track(codec, &d->track, codec->depay->channels ? 1 : 0);

    d->ops = codec->depay;
    d->max_tid = 0xff;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_depay_input(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_info_t *info)
{
    ngx_int_t                rc;
    ngx_webrtc_depay_kind_t  kind;

    ngx_memzero(info, sizeof(ngx_webrtc_depay_info_t));

    d->prefix = 0;

    if (pkt->gap) {
        d->gap = 1;
        info->key_needed = (d->track.kind == NGX_WEBRTC_VIDEO);
    }

    if (pkt->n == 0) {
        return NGX_DONE;
    }

    if (d->ops->kind == NULL) {
        rc = ngx_webrtc_depay_audio(d, pkt, info);

    } else {
        ngx_memzero(&kind, sizeof(ngx_webrtc_depay_kind_t));

        rc = d->ops->kind(d, pkt, &kind);

        if (rc == NGX_OK) {
            info->changed = kind.changed;

            if (pkt->told && kind.layered != NGX_WEBRTC_DEPAY_LAYERED) {
                ngx_webrtc_depay_told(pkt->told, &kind);
            }

            rc = ngx_webrtc_depay_video(d, pkt, &kind, info);
        }
    }

    if (rc == NGX_DECLINED) {
        /* its contents are lost */
        d->gap = 1;
        d->malformed++;

    } else {
        d->gap = 0;
    }

    return rc;
}


u_char *
ngx_webrtc_depay_plain(ngx_webrtc_depay_t *d, u_char *p, u_char *end)
{
    return d->ops->plain ? d->ops->plain(p, end) : p;
}


u_char *
ngx_webrtc_depay_join(ngx_webrtc_depay_t *d, u_char *p, size_t *n,
    ngx_uint_t more, u_char *buf)
{
    if (d->ops->join == NULL) {
        return p;
    }

    p = d->ops->join(p, n, d->joins, buf);

    if (more) {
        p[0] |= d->ops->open;
    }

    d->joins = ((p[0] & d->ops->open) != 0);

    return p;
}


ngx_int_t
ngx_webrtc_depay_prefix(ngx_webrtc_depay_t *d, u_char *buf, size_t size,
    size_t *n, ngx_uint_t *flags)
{
    ngx_uint_t  next;

    if (d->prefix == 0) {
        return NGX_DONE;
    }

    size = ngx_min(size, NGX_WEBRTC_DEPAY_PAYLOAD);

    next = d->prefix_next;

    *n = d->ops->prefix(d, &next, buf, size);

    if (*n == 0) {

        /* a caller that drops the frame gets them before the next one */

        d->prefix = 0;
        d->pending = 0;

        return NGX_DONE;
    }

    *flags = d->flags | NGX_WEBRTC_PKT_PARAMS;

    if (d->prefix == 1) {
        *flags |= NGX_WEBRTC_PKT_FIRST;
        d->prefix = 2;
    }

    d->prefix_next = (uint8_t) next;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_depay_audio(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_info_t *info)
{
    size_t                  n;
    u_char                 *p;
    ngx_uint_t              i, count, channels;
    ngx_webrtc_red_block_t  blocks[NGX_WEBRTC_RED_BLOCKS];

    p = pkt->payload;
    n = pkt->n;

    if (pkt->red) {

        if (ngx_webrtc_red_parse(pkt->payload, pkt->n, blocks, &count)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        /* viewers get the blocks under a payload type of their own */

        for (i = 0; i < count; i++) {
            if (blocks[i].pt != pkt->block_pt) {
                return NGX_DECLINED;
            }
        }

        p = blocks[count - 1].data;
        n = blocks[count - 1].n;

        if (n == 0) {
            return NGX_DONE;
        }

        info->flags = NGX_WEBRTC_PKT_RED;
    }

    if (d->ops->channels) {
        channels = d->ops->channels(p, n);

        if (channels > d->track.channels) {
            d->track.channels = (uint8_t) channels;
            info->changed = 1;
        }
    }

    info->dtx = (n <= d->ops->silence);
    info->frame = 1;
    info->flags |= NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST;

    if (pkt->marker) {
        info->flags |= NGX_WEBRTC_PKT_MARKER;
    }

    d->started = 1;
    d->ts = pkt->ts;
    d->frames++;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_depay_video(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_kind_t *kind,
    ngx_webrtc_depay_info_t *info)
{
    if (!d->started || d->ts != pkt->ts) {

        if (d->started && ngx_webrtc_depay_reordered(d, pkt->ts)) {
            info->changed = 1;
        }

        d->started = 1;
        d->ts = pkt->ts;
        d->flags = 0;
        d->begun = 0;
        d->written = 0;
        d->recovery = 0;
        d->placed = 0;
        d->layer = 0;
        d->joins = 0;
    }

    if (d->gap) {
        d->open = 0;
    }

    if (kind->layered && !(kind->sets && !kind->picture)) {
        ngx_webrtc_depay_place(d, kind);
    }

    if (kind->recovery) {
        d->recovery = 1;
    }

    if (kind->sets && !kind->picture && !kind->other
        && !(d->written && pkt->marker))
    {
        /* parameter sets alone, and not the end of a frame */

        if (kind->fresh) {
            d->pending = 1;
        }

        return NGX_DONE;
    }

    if (kind->picture && !d->begun) {
        d->begun = 1;
        d->frames++;
        d->key_age++;

        info->frame = 1;

        info->flags = ngx_webrtc_depay_begin(d, kind, info);

    } else if (kind->picture && kind->key) {
        /* the part before this one was lost */
        d->flags |= NGX_WEBRTC_PKT_KEY;
    }

    info->flags |= d->flags;
    info->layer = d->layer;

    if (kind->layered) {
        info->layer |= ngx_min(kind->sid, NGX_WEBRTC_LAYER_MOST - 1) << 3;

        if (kind->end) {
            info->layer |= NGX_WEBRTC_LAYER_END;
        }
    }

    if (kind->sets && !kind->picture && !kind->other) {
        info->flags |= NGX_WEBRTC_PKT_PARAMS;
    }

    if (pkt->marker) {
        info->flags |= NGX_WEBRTC_PKT_MARKER|NGX_WEBRTC_PKT_LAST;
    }

    d->written = 1;

    return NGX_OK;
}


/*
 * The first samples of a frame: which kind of frame is it, and what has to
 * precede it?  Returns FIRST if this packet gets that flag.
 */

static ngx_uint_t
ngx_webrtc_depay_begin(ngx_webrtc_depay_t *d, ngx_webrtc_depay_kind_t *kind,
    ngx_webrtc_depay_info_t *info)
{
    ngx_uint_t  key;

    key = kind->key;

    if (kind->key) {
        d->key_age = 0;
        info->changed |= ngx_webrtc_depay_trait(d, NGX_WEBRTC_TRACK_NO_IDR, 0);

    } else if (kind->intra && d->recovery
               && d->key_age > NGX_WEBRTC_DEPAY_RECOVERY)
    {
        key = 1;
        info->changed |= ngx_webrtc_depay_trait(d, NGX_WEBRTC_TRACK_NO_IDR, 1);
    }

    if (kind->discard) {
        d->flags |= NGX_WEBRTC_PKT_DISCARD;
    }

    if (key) {
        d->flags |= NGX_WEBRTC_PKT_KEY;
        d->open = ngx_webrtc_depay_above(0);

        if (!kind->start || (!kind->whole && !ngx_webrtc_depay_has_sets(d))) {

            /* decoding cannot start here */

            info->key_needed = 1;
            return 0;
        }

        if (kind->whole || d->ops->types == 0) {

            /* whatever is missing before it; else it may be new sets */

            info->key_needed = 0;
        }

        d->keyframes++;
    }

    if (!kind->start) {
        return 0;
    }

    if (d->params.n && (d->pending || (key && !kind->whole))) {
        d->prefix = 1;
        d->prefix_next = 0;
        info->prefix = 1;

        return 0;
    }

    return NGX_WEBRTC_PKT_FIRST;
}


/* what a dependency descriptor says */

static void
ngx_webrtc_depay_told(ngx_uint_t told, ngx_webrtc_depay_kind_t *kind)
{
    kind->layered = NGX_WEBRTC_DEPAY_LAYERED;

    kind->tid = (uint8_t) ngx_webrtc_layer_tid(told);
    kind->sid = (uint8_t) ngx_webrtc_layer_sid(told);
    kind->sync = (told & NGX_WEBRTC_LAYER_SYNC) ? 1 : 0;
    kind->end = (told & NGX_WEBRTC_LAYER_END) ? 1 : 0;
    kind->ups = (uint8_t) (told >> NGX_WEBRTC_DD_UPS);
    kind->sids = (uint8_t) (((told >> NGX_WEBRTC_DD_SID)
                             & (NGX_WEBRTC_LAYER_MOST - 1)) + 1);
}


/*
 * The temporal layer of a frame, by its first packet, and whether one may begin
 * there, by that of its picture.  Behind a frame that says so, higher layers
 * depend on none of their frames before it: each may be begun with its next
 * frame, by those who get the ones below.  That holds for no later one, which
 * may depend on it.
 *
 * Where the spatial layers of a picture are of different temporal ones
 * (L2T2_KEY_SHIFT), no picture can be left out.
 */

static void
ngx_webrtc_depay_place(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_kind_t *kind)
{
    ngx_uint_t  tid;

    tid = ngx_min(kind->tid, NGX_WEBRTC_LAYER_MOST - 1);

    if (!d->placed) {
        d->placed = 1;
        d->layered = 1;
        d->shifted = (d->shifted && !kind->key);
        d->layer = (uint8_t) (d->shifted ? 0 : tid);

    } else if (tid != ngx_webrtc_layer_tid(d->layer)) {
        d->shifted = 1;
    }

    if (kind->sids) {
        d->sids = kind->sids;

    } else if (kind->picture && kind->sid >= d->sids) {
        d->sids = (uint8_t) (kind->sid + 1);
    }

    if (!kind->picture || d->begun) {
        return;
    }

    tid = ngx_webrtc_layer_tid(d->layer);

    if (kind->sync || (d->open & (1 << tid))) {
        d->layer |= NGX_WEBRTC_LAYER_SYNC;
    }

    d->open &= (uint8_t) ~(1 << tid);
    d->open |= kind->ups & ngx_webrtc_depay_above(tid);
}


/* sets or clears a trait of the track; returns 1 if that is new */

static ngx_uint_t
ngx_webrtc_depay_trait(ngx_webrtc_depay_t *d, uint8_t trait, ngx_uint_t on)
{
    if (((d->track.traits & trait) != 0) == on) {
        return 0;
    }

    d->track.traits ^= trait;

    return 1;
}


/*
 * A frame that is shown before the one that precedes it, and not a source that
 * begins anew; returns 1 if it is the first one.
 */

static ngx_uint_t
ngx_webrtc_depay_reordered(ngx_webrtc_depay_t *d, uint32_t ts)
{
    if (d->ts - ts >= NGX_WEBRTC_DEPAY_BACK) {
        return 0;
    }

    return ngx_webrtc_depay_trait(d, NGX_WEBRTC_TRACK_REORDERED, 1);
}


/* whether the parameter sets kept are enough to decode a key frame */

static ngx_uint_t
ngx_webrtc_depay_has_sets(ngx_webrtc_depay_t *d)
{
    ngx_uint_t  i, n;

    n = d->ops->types;

    /* count different types; they are sorted */

    for (i = 0; i < d->params.n && n; i++) {
        if (i == 0 || d->params.sets[i].type != d->params.sets[i - 1].type) {
            n--;
        }
    }

    return n == 0;
}


ngx_uint_t
ngx_webrtc_depay_track(ngx_webrtc_depay_t *d, uint32_t profile,
    ngx_uint_t width, ngx_uint_t height)
{
    if (width == 0 || height == 0) {
        width = d->track.width;
        height = d->track.height;
    }

    if (d->track.profile == profile && d->track.width == width
        && d->track.height == height)
    {
        return 0;
    }

    d->track.profile = profile;
    d->track.width = (uint16_t) width;
    d->track.height = (uint16_t) height;

    return 1;
}


ngx_uint_t
ngx_webrtc_depay_form(ngx_webrtc_depay_t *d, ngx_uint_t depth,
    ngx_uint_t chroma, ngx_uint_t traits, ngx_uint_t reorder)
{
    ngx_webrtc_track_t  *track;

    track = &d->track;

    traits |= track->traits & ~NGX_WEBRTC_TRACK_INTERLACED;

    if (reorder != 0 && reorder != NGX_WEBRTC_REORDER_UNKNOWN) {
        traits |= NGX_WEBRTC_TRACK_REORDERED;
    }

    if (track->depth == depth && track->chroma == chroma
        && track->traits == traits)
    {
        return 0;
    }

    track->depth = (uint8_t) depth;
    track->chroma = (uint8_t) chroma;
    track->traits = (uint8_t) traits;

    return 1;
}
