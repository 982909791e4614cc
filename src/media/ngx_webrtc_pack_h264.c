
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.264 packetizer, RFC 6184, non-interleaved mode: see ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_pack_nal.h"


static ngx_int_t ngx_webrtc_pack_h264_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_pack_h264_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_h264_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_uint_t ngx_webrtc_pack_h264_is_params(u_char *nal, size_t n);
static ngx_int_t ngx_webrtc_pack_h264_params(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_pack_h264_sends(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, u_char *nal, size_t n);


static const ngx_webrtc_pack_nal_ops_t  ngx_webrtc_pack_h264_nal = {
    1,
    ngx_webrtc_pack_h264_is_params,
    ngx_webrtc_pack_h264_params,
    ngx_webrtc_pack_h264_sends
};


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_h264 = {
    ngx_webrtc_pack_h264_config,
    ngx_webrtc_pack_h264_probe,
    ngx_webrtc_pack_h264_frame
};


static ngx_int_t
ngx_webrtc_pack_h264_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_uint_t             length_size;
    ngx_webrtc_h264_sps_t  sps;

    /* avcC begins with configurationVersion 1, Annex B with zero bytes */

    if (p[0] == 1) {

        if (ngx_webrtc_h264_avcc(p, n, &pack->params, &length_size, &sps)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        pack->length_size = (uint8_t) length_size;
        pack->track.profile = sps.profile;
        pack->track.width = sps.width;
        pack->track.height = sps.height;

        return NGX_OK;
    }

    return ngx_webrtc_pack_nal_config(&ngx_webrtc_pack_h264_nal, pack, p, n);
}


static ngx_int_t
ngx_webrtc_pack_h264_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         type, nri, idr, recovery;
    ngx_webrtc_nal_t   it;

    nri = 0;
    idr = 0;
    recovery = 0;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while ((rc = ngx_webrtc_nal_next(&it, &nal, &n)) == NGX_OK) {

        type = ngx_webrtc_h264_type(nal);

        if (type == NGX_WEBRTC_H264_SEI) {
            recovery |= ngx_webrtc_h264_sei(nal, n, 1)
                        & NGX_WEBRTC_SEI_RECOVERY;

        } else if (ngx_webrtc_pack_h264_is_params(nal, n)) {
            frame->params = 1;

        } else if (type >= NGX_WEBRTC_H264_SLICE
                   && type <= NGX_WEBRTC_H264_IDR)
        {
            frame->picture = 1;
            nri |= ngx_webrtc_h264_nri(nal);

            if (type == NGX_WEBRTC_H264_IDR) {
                idr = 1;
            }
        }
    }

    if (rc == NGX_DECLINED || (!frame->picture && !frame->params)) {
        return NGX_DECLINED;
    }

    if (frame->picture) {
        frame->key = ngx_webrtc_pack_recovery(pack, idr) && recovery;
        frame->key |= idr;
        frame->discardable = (nri == 0 && !frame->key);
    }

    if (frame->params) {
        ngx_webrtc_pack_nal_keep(&ngx_webrtc_pack_h264_nal, pack, frame);

    } else if (pack->params.n == 0) {
        /* nobody could start there */
        frame->key = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_h264_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    return ngx_webrtc_pack_nal_frame(&ngx_webrtc_pack_h264_nal, pack, frame);
}


static ngx_uint_t
ngx_webrtc_pack_h264_is_params(u_char *nal, size_t n)
{
    ngx_uint_t  type;

    (void) n;

    type = ngx_webrtc_h264_type(nal);

    return type == NGX_WEBRTC_H264_SPS || type == NGX_WEBRTC_H264_PPS
           || type == NGX_WEBRTC_H264_SPS_EXT;
}


static ngx_int_t
ngx_webrtc_pack_h264_params(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_int_t              rc;
    ngx_webrtc_h264_sps_t  sps;

    ngx_memzero(&sps, sizeof(ngx_webrtc_h264_sps_t));

    rc = ngx_webrtc_h264_params(&pack->params, p, n, &sps);

    if (rc == NGX_OK && sps.width) {
        pack->track.profile = sps.profile;
        pack->track.width = sps.width;
        pack->track.height = sps.height;
    }

    return rc;
}


static ngx_uint_t
ngx_webrtc_pack_h264_sends(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
    u_char *nal, size_t n)
{
    ngx_uint_t  type;

    type = ngx_webrtc_h264_type(nal);

    if (type >= NGX_WEBRTC_H264_SLICE && type <= NGX_WEBRTC_H264_IDR) {
        return 1;
    }

    if (type == NGX_WEBRTC_H264_SEI) {
        return ngx_webrtc_h264_sei(nal, n, 1) & ~NGX_WEBRTC_SEI_FILLER;
    }

    if (ngx_webrtc_pack_h264_is_params(nal, n)) {
        /* the sets kept are in front of a key frame already */
        return !(frame->key && ngx_webrtc_params_has(&pack->params, nal, n));
    }

    /*
     * Not sent: AUD, ends, filler; NAL units of other layers and views (14, 15,
     * 20, 21), auxiliary pictures (19), and what is reserved or, in RTP, has
     * another meaning (24 and above)
     */

    return 0;
}
