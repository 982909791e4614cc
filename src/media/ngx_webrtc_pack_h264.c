
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
static void ngx_webrtc_pack_h264_keep(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_h264_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_h264_params(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_pack_h264_next(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, ngx_webrtc_nal_t *it, u_char **nal, size_t *n);
static ngx_uint_t ngx_webrtc_pack_h264_sends(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, u_char *nal, size_t n);


#define ngx_webrtc_pack_h264_is_params(type)                                  \
    ((type) == NGX_WEBRTC_H264_SPS || (type) == NGX_WEBRTC_H264_PPS           \
     || (type) == NGX_WEBRTC_H264_SPS_EXT)


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_h264 = {
    ngx_webrtc_pack_h264_config,
    ngx_webrtc_pack_h264_probe,
    ngx_webrtc_pack_h264_frame
};


static ngx_int_t
ngx_webrtc_pack_h264_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    u_char                 *nal;
    size_t                  len;
    ngx_uint_t              length_size;
    ngx_webrtc_nal_t        it;
    ngx_webrtc_h264_sps_t   sps;

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

    ngx_webrtc_nal_init(&it, p, n, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &len) == NGX_OK) {

        if (ngx_webrtc_pack_h264_is_params(ngx_webrtc_h264_type(nal))
            && ngx_webrtc_pack_h264_params(pack, nal, len) == NGX_DECLINED)
        {
            return NGX_DECLINED;
        }
    }

    return pack->params.n ? NGX_OK : NGX_DECLINED;
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

        } else if (ngx_webrtc_pack_h264_is_params(type)) {
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
        ngx_webrtc_pack_h264_keep(pack, frame);

    } else if (pack->params.n == 0) {
        /* nobody could start there */
        frame->key = 0;
    }

    return NGX_OK;
}


static void
ngx_webrtc_pack_h264_keep(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_webrtc_nal_t   it;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while (ngx_webrtc_nal_next(&it, &nal, &n) == NGX_OK) {
        if (ngx_webrtc_pack_h264_is_params(ngx_webrtc_h264_type(nal))) {
            /* those that cannot be kept are sent where they are */
            (void) ngx_webrtc_pack_h264_params(pack, nal, n);
        }
    }
}


static ngx_int_t
ngx_webrtc_pack_h264_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char                 *nal, *next;
    size_t                  n, next_n;
    ngx_int_t               rc;
    ngx_uint_t              last, params;
    ngx_webrtc_nal_t        it;
    ngx_webrtc_pack_nal_t   pn;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);
    ngx_webrtc_pack_nal_init(&pn, pack, frame, 1);

    if (ngx_webrtc_pack_h264_next(pack, frame, &it, &nal, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (frame->key) {
        rc = ngx_webrtc_pack_nal_params(&pn);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* one NAL unit ahead, to know the last one */

    do {
        last = ngx_webrtc_pack_h264_next(pack, frame, &it, &next, &next_n)
               != NGX_OK;

        params = ngx_webrtc_pack_h264_is_params(ngx_webrtc_h264_type(nal));

        rc = ngx_webrtc_pack_nal_add(&pn, nal, n, params, last);

        if (rc != NGX_OK) {
            return rc;
        }

        nal = next;
        n = next_n;

    } while (!last);

    return NGX_OK;
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


/* the next NAL unit that is sent */

static ngx_int_t
ngx_webrtc_pack_h264_next(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
    ngx_webrtc_nal_t *it, u_char **nal, size_t *n)
{
    ngx_int_t  rc;

    do {
        rc = ngx_webrtc_nal_next(it, nal, n);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (!ngx_webrtc_pack_h264_sends(pack, frame, *nal, *n));

    return NGX_OK;
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

    if (ngx_webrtc_pack_h264_is_params(type)) {
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
