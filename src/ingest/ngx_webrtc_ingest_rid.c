
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layer of a simulcast a packet is of (RFC 8852): see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_rid.h"
#include "ngx_webrtc_cursor.h"


static ngx_webrtc_ingest_layer_t *ngx_webrtc_ingest_rid_by_ext(
    ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp, ngx_uint_t id);
static ngx_uint_t ngx_webrtc_ingest_rid_apt(ngx_webrtc_desc_media_t *m,
    ngx_uint_t rtx_pt);


ngx_webrtc_ingest_track_t *
ngx_webrtc_ingest_rid_track(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp)
{
    ngx_webrtc_ingest_layer_t  *l;

    if (t->layer == NULL) {
        return t;
    }

    l = ngx_webrtc_ingest_rid_by_ext(t->in, rtp, t->media->ext_rid);

    return l ? l->t : NULL;
}


static ngx_webrtc_ingest_layer_t *
ngx_webrtc_ingest_rid_by_ext(ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp,
    ngx_uint_t id)
{
    ngx_uint_t                  i;
    ngx_webrtc_rtp_ext_t        ext;
    ngx_webrtc_ingest_layer_t  *l;

    if (id == 0 || ngx_webrtc_rtp_ext_find(rtp, id, &ext) != NGX_OK) {
        return NULL;
    }

    for (i = 0; i < in->nlayers; i++) {
        l = &in->layers[i];

        if (l->rid.len == ext.len
            && ngx_memcmp(l->rid.data, ext.data, ext.len) == 0)
        {
            return l;
        }
    }

    return NULL;
}


ngx_int_t
ngx_webrtc_ingest_rid_rtx(ngx_webrtc_ingest_t *in, ngx_webrtc_rtp_t *rtp)
{
    u_char                     *p;
    uint16_t                    osn;
    ngx_uint_t                  i, pt;
    ngx_webrtc_ingest_layer_t  *l;

    pt = ngx_webrtc_ingest_rid_apt(in->layers[0].t->media, rtp->pt);

    if (pt == NGX_WEBRTC_DESC_NO_PT) {
        return NGX_DECLINED;
    }

    for (i = 0; i < in->nlayers; i++) {
        if (in->layers[i].rtx_ssrc == rtp->ssrc) {
            break;
        }
    }

    l = (i < in->nlayers && rtp->ssrc)
        ? &in->layers[i]
        : ngx_webrtc_ingest_rid_by_ext(in, rtp,
                                       in->layers[0].t->media->ext_rrid);

    /* browsers probe with RTX packets of padding only */

    if (rtp->len == 0) {
        return NGX_DONE;
    }

    p = ngx_webrtc_read_u16(rtp->payload, rtp->payload + rtp->len, &osn);

    if (l == NULL || p == NULL) {
        return NGX_DECLINED;
    }

    if (l->t->ssrc == 0) {
        return NGX_AGAIN;
    }

    l->rtx_ssrc = rtp->ssrc;

    rtp->payload = p;
    rtp->len -= NGX_WEBRTC_RTX_OSN;
    rtp->seq = osn;
    rtp->pt = (uint8_t) pt;
    rtp->ssrc = l->t->ssrc;

    return NGX_OK;
}


/* the payload type that one of RTX repeats */

static ngx_uint_t
ngx_webrtc_ingest_rid_apt(ngx_webrtc_desc_media_t *m, ngx_uint_t rtx_pt)
{
    ngx_uint_t  i;

    if (m->rtx_pt == rtx_pt) {
        return m->pt;
    }

    for (i = 0; i < m->nalts; i++) {
        if (m->alts[i].rtx_pt == rtx_pt) {
            return m->alts[i].pt;
        }
    }

    return NGX_WEBRTC_DESC_NO_PT;
}
