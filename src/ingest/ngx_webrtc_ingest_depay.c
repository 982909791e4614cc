
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the packets of a track are: see the header file for the contracts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest_depay.h"
#include "ngx_webrtc_ingest_track.h"


static void ngx_webrtc_ingest_depay_packet(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_packet_t *pkt);


ngx_int_t
ngx_webrtc_ingest_depay(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info)
{
    uint64_t                   frames, keyframes;
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_webrtc_ingest_out_t   *out;
    ngx_webrtc_depay_packet_t  pkt;

    ngx_webrtc_ingest_depay_packet(t, rp, &pkt);

    frames = t->depay.frames;
    keyframes = t->depay.keyframes;

    rc = ngx_webrtc_depay_input(&t->depay, &pkt, info);

    for (i = 0; i < t->nouts; i++) {
        out = t->outs[i];

        if (t->media->kind == NGX_WEBRTC_VIDEO) {
            ngx_webrtc_atomic_add(&out->st->stat.frames,
                                  t->depay.frames - frames);
            ngx_webrtc_atomic_add(&out->st->stat.keyframes,
                                  t->depay.keyframes - keyframes);
        }

        if (info->changed) {
            ngx_webrtc_ingest_track_show(t, out);
            out->news = 1;
        }
    }

    return rc;
}


ngx_uint_t
ngx_webrtc_ingest_depay_key(const ngx_webrtc_depay_info_t *info)
{
    return (info->flags & NGX_WEBRTC_PKT_KEY)
           && !info->key_needed
           && (info->prefix || (info->flags & NGX_WEBRTC_PKT_FIRST));
}


ngx_uint_t
ngx_webrtc_ingest_depay_ahead(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp)
{
    ngx_webrtc_depay_t         depay;
    ngx_webrtc_depay_info_t    info;
    ngx_webrtc_depay_packet_t  pkt;

    if (ngx_webrtc_desc_payload(t->media, rp->pt) != t->depay.track.codec) {
        return 0;
    }

    ngx_webrtc_ingest_depay_packet(t, rp, &pkt);

    pkt.gap = 1;
    depay = t->depay;

    return ngx_webrtc_depay_input(&depay, &pkt, &info) == NGX_OK
           && ngx_webrtc_ingest_depay_key(&info);
}


static void
ngx_webrtc_ingest_depay_packet(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_packet_t *pkt)
{
    ngx_memzero(pkt, sizeof(ngx_webrtc_depay_packet_t));

    pkt->payload = rp->payload;
    pkt->n = rp->n;
    pkt->ts = rp->ts;
    pkt->marker = rp->marker;
    pkt->gap = (rp->lost != 0);
    pkt->told = rp->told;
    pkt->red = (rp->pt == t->media->red_pt);
    pkt->block_pt = t->media->pt;
}
