
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What header extensions say of a packet: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest_ext.h"
#include "ngx_webrtc_playout.h"


uint8_t
ngx_webrtc_ingest_ext_cvo(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp)
{
    ngx_webrtc_rtp_ext_t  ext;

    if (t->media->ext_cvo == 0
        || ngx_webrtc_rtp_ext_find(rtp, t->media->ext_cvo, &ext) != NGX_OK
        || ext.len != 1)
    {
        return 0;
    }

    return NGX_WEBRTC_CVO_TOLD | (ext.data[0] & NGX_WEBRTC_CVO_MASK);
}


void
ngx_webrtc_ingest_ext_playout(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp)
{
    uint32_t               value;
    ngx_uint_t             i;
    ngx_webrtc_rtp_ext_t   ext;
    ngx_webrtc_stream_t   *st;

    if (ngx_webrtc_rtp_ext_find(rtp, t->media->ext_playout, &ext) != NGX_OK) {
        return;
    }

    value = ngx_webrtc_playout_read(ext.data, ext.len);

    for (i = 0; value && i < t->nouts; i++) {
        st = t->outs[i]->st;

        if (st && ngx_webrtc_atomic_load(&st->playout) != value) {
            ngx_webrtc_atomic_store(&st->playout, value);
        }
    }
}


uint16_t
ngx_webrtc_ingest_ext_layer(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp)
{
    ngx_webrtc_rtp_ext_t  ext;

    if (t->media->kind != NGX_WEBRTC_VIDEO
        || t->media->ext_dd == 0
        || ngx_webrtc_rtp_ext_find(rtp, t->media->ext_dd, &ext) != NGX_OK)
    {
        return 0;
    }

    return (uint16_t) ngx_webrtc_dd_read(&t->dd, ext.data, ext.len);
}
