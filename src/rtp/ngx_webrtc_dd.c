
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Dependency descriptors: see ngx_webrtc_dd.h.  Names are those of appendix A
 * of the RTP Payload Format For AV1.
 */


#include "ngx_webrtc_bits.h"
#include "ngx_webrtc_dd.h"
#include "ngx_webrtc_packet.h"


/* next_layer_idc */
#define NGX_WEBRTC_DD_SAME      0
#define NGX_WEBRTC_DD_TEMPORAL  1
#define NGX_WEBRTC_DD_SPATIAL   2
#define NGX_WEBRTC_DD_LAST      3


static ngx_int_t ngx_webrtc_dd_structure(ngx_webrtc_bits_t *b,
    ngx_webrtc_dd_t *dd);
static ngx_int_t ngx_webrtc_dd_layers(ngx_webrtc_bits_t *b,
    ngx_webrtc_dd_t *dd);
static void ngx_webrtc_dd_chains(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd);
static void ngx_webrtc_dd_targets(ngx_webrtc_dd_t *dd);
static uint64_t ngx_webrtc_dd_dtis(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd);
static uint32_t ngx_webrtc_dd_ns(ngx_webrtc_bits_t *b, uint32_t n);
static ngx_uint_t ngx_webrtc_dd_told(const ngx_webrtc_dd_t *dd,
    const ngx_webrtc_dd_template_t *frame);


ngx_uint_t
ngx_webrtc_dd_read(ngx_webrtc_dd_t *dd, u_char *p, size_t n)
{
    ngx_uint_t                 id, last, structure, active, dtis;
    ngx_webrtc_dd_t            next;
    ngx_webrtc_bits_t          b;
    ngx_webrtc_dd_template_t   frame;

    if (n < 3) {
        return 0;
    }

    /* mandatory_descriptor_fields() */

    last = (p[0] >> 6) & 1;
    id = p[0] & 0x3f;

    structure = 0;
    dtis = 0;

    ngx_webrtc_bits_init(&b, p + 3, p + n);

    if (n > 3) {

        /* extended_descriptor_fields() */

        structure = ngx_webrtc_bits_flag(&b);
        active = ngx_webrtc_bits_flag(&b);
        dtis = ngx_webrtc_bits_flag(&b);
        (void) ngx_webrtc_bits_get(&b, 2);  /* custom_fdiffs, custom_chains */

        if (structure) {

            if (ngx_webrtc_dd_structure(&b, &next) != NGX_OK) {
                return 0;
            }

            *dd = next;
        }

        if (active) {
            (void) ngx_webrtc_bits_get(&b, dd->ntargets);
        }
    }

    id = (id + NGX_WEBRTC_DD_TEMPLATES - dd->first) % NGX_WEBRTC_DD_TEMPLATES;

    if (id >= dd->n || dd->ntargets == 1) {
        return 0;
    }

    frame = dd->templates[id];

    if (dtis) {
        frame.dtis = ngx_webrtc_dd_dtis(&b, dd);
    }

    if (b.error) {
        return 0;
    }

    return ngx_webrtc_dd_told(dd, &frame) | (last ? NGX_WEBRTC_LAYER_END : 0);
}


/* template_dependency_structure(), but for the sizes of pictures */

static ngx_int_t
ngx_webrtc_dd_structure(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd)
{
    ngx_uint_t  i;

    ngx_memzero(dd, sizeof(ngx_webrtc_dd_t));

    dd->first = ngx_webrtc_bits_get(b, 6);
    dd->ntargets = ngx_webrtc_bits_get(b, 5) + 1;

    if (ngx_webrtc_dd_layers(b, dd) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < dd->n; i++) {
        dd->templates[i].dtis = ngx_webrtc_dd_dtis(b, dd);
    }

    /* template_fdiffs() */

    for (i = 0; i < dd->n; i++) {
        while (ngx_webrtc_bits_flag(b)) {
            (void) ngx_webrtc_bits_get(b, 4);   /* fdiff_minus_one */
        }
    }

    ngx_webrtc_dd_chains(b, dd);
    ngx_webrtc_dd_targets(dd);

    /* resolutions_present_flag */

    if (ngx_webrtc_bits_flag(b)) {
        for (i = 0; i <= dd->templates[dd->n - 1].sid; i++) {
            (void) ngx_webrtc_bits_get(b, 16);
            (void) ngx_webrtc_bits_get(b, 16);
        }
    }

    return b->error ? NGX_DECLINED : NGX_OK;
}


/* template_layers() */

static ngx_int_t
ngx_webrtc_dd_layers(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd)
{
    ngx_uint_t  sid, tid, idc;

    sid = 0;
    tid = 0;

    do {
        if (dd->n == NGX_WEBRTC_DD_TEMPLATES || sid > 3 || tid > 7) {
            return NGX_DECLINED;
        }

        dd->templates[dd->n].sid = (uint8_t) sid;
        dd->templates[dd->n].tid = (uint8_t) tid;
        dd->n++;

        idc = ngx_webrtc_bits_get(b, 2);

        if (idc == NGX_WEBRTC_DD_TEMPORAL) {
            tid++;

        } else if (idc == NGX_WEBRTC_DD_SPATIAL) {
            tid = 0;
            sid++;
        }

        if (b->error) {
            return NGX_DECLINED;
        }

    } while (idc != NGX_WEBRTC_DD_LAST);

    return NGX_OK;
}


/* template_chains(), which are passed over */

static void
ngx_webrtc_dd_chains(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd)
{
    ngx_uint_t  i, n;

    n = ngx_webrtc_dd_ns(b, (uint32_t) dd->ntargets + 1);   /* chain_cnt */

    if (n == 0) {
        return;
    }

    for (i = 0; i < dd->ntargets; i++) {
        (void) ngx_webrtc_dd_ns(b, (uint32_t) n);   /* protected by */
    }

    for (i = 0; i < dd->n * n && !b->error; i++) {
        (void) ngx_webrtc_bits_get(b, 4);           /* template_chain_fdiff */
    }
}


/* "DecodeTargetSpatialId": the highest layers of what is in a target */

static void
ngx_webrtc_dd_targets(ngx_webrtc_dd_t *dd)
{
    ngx_uint_t                 i, k;
    ngx_webrtc_dd_template_t  *t;

    for (i = 0; i < dd->n; i++) {
        t = &dd->templates[i];

        for (k = 0; k < dd->ntargets; k++) {
            if ((t->dtis >> (2 * k)) & 3) {
                dd->sids[k] = ngx_max(dd->sids[k], t->sid);
                dd->tids[k] = ngx_max(dd->tids[k], t->tid);
            }
        }
    }
}


static uint64_t
ngx_webrtc_dd_dtis(ngx_webrtc_bits_t *b, ngx_webrtc_dd_t *dd)
{
    uint64_t    dtis;
    ngx_uint_t  i;

    dtis = 0;

    for (i = 0; i < dd->ntargets; i++) {
        dtis |= (uint64_t) ngx_webrtc_bits_get(b, 2) << (2 * i);
    }

    return dtis;
}


/* A.8.1: ns(n), a number below n */

static uint32_t
ngx_webrtc_dd_ns(ngx_webrtc_bits_t *b, uint32_t n)
{
    uint32_t    v, m;
    ngx_uint_t  w;

    for (w = 0; n >> w; w++) { /* void */ }

    m = ((uint32_t) 1 << w) - n;

    v = ngx_webrtc_bits_get(b, w - 1);

    if (v < m) {
        return v;
    }

    return (v << 1) - m + ngx_webrtc_bits_flag(b);
}


/*
 * "Switch" for a target: all that follows of it can be decoded by who gets this
 * frame.  For the frame's own layers that is where they may begin.
 */

static ngx_uint_t
ngx_webrtc_dd_told(const ngx_webrtc_dd_t *dd,
    const ngx_webrtc_dd_template_t *frame)
{
    ngx_uint_t  i, tid, told;

    tid = ngx_min(frame->tid, NGX_WEBRTC_LAYER_MOST - 1);

    told = NGX_WEBRTC_DD_TOLD | tid
           | (ngx_min(frame->sid, NGX_WEBRTC_LAYER_MOST - 1) << 3)
           | (ngx_min(dd->templates[dd->n - 1].sid, NGX_WEBRTC_LAYER_MOST - 1)
              << NGX_WEBRTC_DD_SID);

    for (i = 0; i < dd->ntargets; i++) {

        if (((frame->dtis >> (2 * i)) & 3) != NGX_WEBRTC_DD_SWITCH
            || dd->sids[i] != frame->sid)
        {
            continue;
        }

        if (dd->tids[i] == frame->tid) {
            told |= NGX_WEBRTC_LAYER_SYNC;

        } else if (dd->tids[i] > tid && dd->tids[i] < NGX_WEBRTC_LAYER_MOST) {
            told |= (ngx_uint_t) 1 << (NGX_WEBRTC_DD_UPS + dd->tids[i]);
        }
    }

    return told;
}
