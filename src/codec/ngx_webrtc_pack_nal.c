
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Packetization of NAL units: see ngx_webrtc_pack_nal.h.
 *
 *                  H.264, RFC 6184         H.265, RFC 7798
 *     alone        5.6                     4.4.1
 *     aggregated   5.7.1, STAP-A           4.4.2, AP
 *     fragmented   5.8, FU-A               4.4.3, FU
 */


#include "ngx_webrtc_pack_nal.h"


#define NGX_WEBRTC_FU_START  0x80
#define NGX_WEBRTC_FU_END    0x40


/*
 * NAL units to be sent in one packet.  Two or more are already in pack->buf as
 * an aggregation packet; a single one is only pointed to.
 */

typedef struct {
    const ngx_webrtc_pack_nal_ops_t  *ops;
    ngx_webrtc_pack_t                *pack;
    ngx_uint_t                        flags;     /* for the next packet */

    u_char                           *nal;
    size_t                            size;
    ngx_uint_t                        count;
    size_t                            used;      /* in pack->buf */
    unsigned                          params:1;  /* only parameter sets */
} ngx_webrtc_pack_nal_t;


static void ngx_webrtc_pack_nal_init(ngx_webrtc_pack_nal_t *pn,
    const ngx_webrtc_pack_nal_ops_t *ops, ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_nal_add(ngx_webrtc_pack_nal_t *pn,
    u_char *nal, size_t n, ngx_uint_t params, ngx_uint_t last);
static ngx_int_t ngx_webrtc_pack_nal_params(ngx_webrtc_pack_nal_t *pn);
static ngx_int_t ngx_webrtc_pack_nal_next(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame, ngx_webrtc_nal_t *it,
    u_char **nal, size_t *n);
static void ngx_webrtc_pack_nal_aggregate(ngx_webrtc_pack_nal_t *pn,
    u_char *nal, size_t n);
static ngx_int_t ngx_webrtc_pack_nal_flush(ngx_webrtc_pack_nal_t *pn,
    ngx_uint_t last);
static ngx_int_t ngx_webrtc_pack_nal_fragment(ngx_webrtc_pack_nal_t *pn,
    u_char *nal, size_t n, ngx_uint_t params, ngx_uint_t last);
static ngx_int_t ngx_webrtc_pack_nal_out(ngx_webrtc_pack_nal_t *pn, u_char *p,
    size_t n, ngx_uint_t params, ngx_uint_t last);


ngx_int_t
ngx_webrtc_pack_nal_config(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    u_char            *nal;
    size_t             len;
    ngx_webrtc_nal_t   it;

    ngx_webrtc_nal_init(&it, p, n, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &len) == NGX_OK) {

        if (ops->is_params(nal, len)
            && ops->params(pack, nal, len) == NGX_DECLINED)
        {
            return NGX_DECLINED;
        }
    }

    return pack->params.n ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_pack_nal_keep(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_webrtc_nal_t   it;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {
        if (ops->is_params(nal, n)) {
            /* those that cannot be kept are sent in place */
            (void) ops->params(pack, nal, n);
        }
    }
}


ngx_int_t
ngx_webrtc_pack_nal_frame(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char                 *nal, *next;
    size_t                  n, next_n;
    ngx_int_t               rc;
    ngx_uint_t              last;
    ngx_webrtc_nal_t        it;
    ngx_webrtc_pack_nal_t   pn;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);
    ngx_webrtc_pack_nal_init(&pn, ops, pack, frame);

    if (ngx_webrtc_pack_nal_next(ops, pack, frame, &it, &nal, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (frame->key) {
        rc = ngx_webrtc_pack_nal_params(&pn);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* reads one NAL unit ahead, to recognize the last one */

    do {
        last = ngx_webrtc_pack_nal_next(ops, pack, frame, &it, &next, &next_n)
               != NGX_OK;

        rc = ngx_webrtc_pack_nal_add(&pn, nal, n, ops->is_params(nal, n),
                                     last);

        if (rc != NGX_OK) {
            return rc;
        }

        nal = next;
        n = next_n;

    } while (!last);

    return NGX_OK;
}


static void
ngx_webrtc_pack_nal_init(ngx_webrtc_pack_nal_t *pn,
    const ngx_webrtc_pack_nal_ops_t *ops, ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame)
{
    ngx_memzero(pn, sizeof(ngx_webrtc_pack_nal_t));

    pn->ops = ops;
    pn->pack = pack;
    pn->flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        pn->flags |= NGX_WEBRTC_PKT_KEY;
    }

    if (frame->discardable) {
        pn->flags |= NGX_WEBRTC_PKT_DISCARD;
    }
}


/*
 * Adds a NAL unit, longer than its header; sends what cannot share a packet
 * with it.
 *
 *   params   it is a parameter set
 *   last     it is the last one of the frame: everything is sent
 *
 * NGX_OK, or what pack->out returned.
 */

static ngx_int_t
ngx_webrtc_pack_nal_add(ngx_webrtc_pack_nal_t *pn, u_char *nal, size_t n,
    ngx_uint_t params, ngx_uint_t last)
{
    size_t      used;
    ngx_int_t   rc;
    ngx_uint_t  aggregates;

    /* with the other NAL units waiting, or alone in an aggregation packet */

    used = pn->count ? pn->used : pn->ops->header;
    aggregates = (used + 2 + n <= pn->pack->max);

    if (pn->count && !aggregates) {
        rc = ngx_webrtc_pack_nal_flush(pn, 0);

        if (rc != NGX_OK) {
            return rc;
        }

        aggregates = (pn->ops->header + 2 + n <= pn->pack->max);
    }

    if (n > pn->pack->max) {
        return ngx_webrtc_pack_nal_fragment(pn, nal, n, params, last);
    }

    if (!aggregates) {
        /* just short enough to go alone */
        return ngx_webrtc_pack_nal_out(pn, nal, n, params, last);
    }

    pn->params = (pn->count == 0 || pn->params) && params;

    ngx_webrtc_pack_nal_aggregate(pn, nal, n);

    return last ? ngx_webrtc_pack_nal_flush(pn, 1) : NGX_OK;
}


/* Adds all parameter sets known and sends them; results as above. */

static ngx_int_t
ngx_webrtc_pack_nal_params(ngx_webrtc_pack_nal_t *pn)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_webrtc_param_t   *set;
    ngx_webrtc_params_t  *ps;

    ps = &pn->pack->params;

    for (i = 0; i < ps->n; i++) {
        set = &ps->sets[i];

        rc = ngx_webrtc_pack_nal_add(pn, ps->data + set->offset, set->size,
                                     1, 0);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_webrtc_pack_nal_flush(pn, 0);
}


/* the next NAL unit that is sent */

static ngx_int_t
ngx_webrtc_pack_nal_next(const ngx_webrtc_pack_nal_ops_t *ops,
    ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame, ngx_webrtc_nal_t *it,
    u_char **nal, size_t *n)
{
    ngx_int_t  rc;

    do {
        rc = ngx_webrtc_nal_next(it, nal, n);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (!ops->sends(pack, frame, *nal, *n));

    return NGX_OK;
}


static void
ngx_webrtc_pack_nal_aggregate(ngx_webrtc_pack_nal_t *pn, u_char *nal, size_t n)
{
    u_char  *p;

    if (pn->count == 0) {
        pn->nal = nal;
        pn->size = n;
        pn->used = pn->ops->header;
    }

    pn->ops->aggregate(pn->pack->buf, nal, pn->count == 0);

    p = pn->pack->buf + pn->used;

    *p++ = (u_char) (n >> 8);
    *p++ = (u_char) n;

    ngx_memcpy(p, nal, n);

    pn->used += 2 + n;
    pn->count++;
}


static ngx_int_t
ngx_webrtc_pack_nal_flush(ngx_webrtc_pack_nal_t *pn, ngx_uint_t last)
{
    u_char      *p;
    size_t       n;
    ngx_uint_t   count;

    count = pn->count;

    if (count == 0) {
        return NGX_OK;
    }

    /* RFC 7798, 4.4.2: an AP MUST carry at least two */

    if (count == 1) {
        p = pn->nal;
        n = pn->size;

    } else {
        p = pn->pack->buf;
        n = pn->used;
    }

    pn->count = 0;

    return ngx_webrtc_pack_nal_out(pn, p, n, pn->params, last);
}


static ngx_int_t
ngx_webrtc_pack_nal_fragment(ngx_webrtc_pack_nal_t *pn, u_char *nal, size_t n,
    ngx_uint_t params, ngx_uint_t last)
{
    u_char     *p, *fu;
    size_t      size, parts, len, header;
    ngx_int_t   rc;

    p = pn->pack->buf;
    header = pn->ops->header;

    /* the header of the NAL unit is rebuilt from those of the fragments */

    pn->ops->fragment(p, nal);

    fu = p + header;

    nal += header;
    n -= header;

    size = ngx_webrtc_pack_split(n, header + 1, pn->pack->max, &parts);
    size -= header + 1;

    /*
     * n + header is above max, so there are at least two parts: S and E are
     * never both set (RFC 6184, 5.8; RFC 7798, 4.4.3)
     */

    *fu |= NGX_WEBRTC_FU_START;

    while (parts--) {

        len = ngx_min(size, n);

        if (parts == 0) {
            *fu |= NGX_WEBRTC_FU_END;
        }

        ngx_memcpy(fu + 1, nal, len);

        rc = ngx_webrtc_pack_nal_out(pn, p, header + 1 + len, params,
                                     last && parts == 0);
        if (rc != NGX_OK) {
            return rc;
        }

        *fu &= (u_char) ~NGX_WEBRTC_FU_START;

        nal += len;
        n -= len;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_nal_out(ngx_webrtc_pack_nal_t *pn, u_char *p, size_t n,
    ngx_uint_t params, ngx_uint_t last)
{
    ngx_uint_t  flags;

    flags = pn->flags;

    if (params) {
        flags |= NGX_WEBRTC_PKT_PARAMS;
    }

    if (last) {
        flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
    }

    pn->flags &= ~NGX_WEBRTC_PKT_FIRST;

    return pn->pack->out(pn->pack->ctx, p, n, flags);
}
