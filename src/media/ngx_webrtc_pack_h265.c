
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * H.265 packetizer, RFC 7798, single RTP stream, no DONL: see
 * ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_pack_nal.h"


static ngx_int_t ngx_webrtc_pack_h265_config(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static ngx_int_t ngx_webrtc_pack_h265_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_h265_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_uint_t ngx_webrtc_pack_h265_is_params(u_char *nal, size_t n);
static ngx_int_t ngx_webrtc_pack_h265_params(ngx_webrtc_pack_t *pack,
    u_char *p, size_t n);
static void ngx_webrtc_pack_h265_track(ngx_webrtc_pack_t *pack,
    ngx_webrtc_h265_sps_t *sps);
static ngx_uint_t ngx_webrtc_pack_h265_sends(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame, u_char *nal, size_t n);


/* a header, something after it, and the base layer */

#define ngx_webrtc_pack_h265_is_base(nal, n)                                  \
    ((n) > 2 && ngx_webrtc_h265_layer(nal) == 0)


static const ngx_webrtc_pack_nal_ops_t  ngx_webrtc_pack_h265_nal = {
    2,
    ngx_webrtc_pack_h265_is_params,
    ngx_webrtc_pack_h265_params,
    ngx_webrtc_pack_h265_sends
};


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_h265 = {
    ngx_webrtc_pack_h265_config,
    ngx_webrtc_pack_h265_probe,
    ngx_webrtc_pack_h265_frame
};


static ngx_int_t
ngx_webrtc_pack_h265_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_uint_t             length_size;
    ngx_webrtc_h265_sps_t  sps;

    /* Annex B begins with 00 00 01 or 00 00 00 01, hvcC with a version */

    if (n < 4 || p[0] != 0 || p[1] != 0 || p[2] > 1) {

        if (ngx_webrtc_h265_hvcc(p, n, &pack->params, &length_size, &sps)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        pack->length_size = (uint8_t) length_size;

        if (sps.width) {
            ngx_webrtc_pack_h265_track(pack, &sps);
        }

        return NGX_OK;
    }

    return ngx_webrtc_pack_nal_config(&ngx_webrtc_pack_h265_nal, pack, p, n);
}


static ngx_int_t
ngx_webrtc_pack_h265_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char            *nal;
    size_t             n;
    ngx_int_t          rc;
    ngx_uint_t         type, referenced;
    ngx_webrtc_nal_t   it;

    referenced = 0;

    ngx_webrtc_nal_init(&it, frame->data, frame->size, pack->length_size);

    while ((rc = ngx_webrtc_nal_next(&it, &nal, &n)) == NGX_OK) {

        if (!ngx_webrtc_pack_h265_is_base(nal, n)) {
            continue;
        }

        type = ngx_webrtc_h265_type(nal);

        if (ngx_webrtc_pack_h265_is_params(nal, n)) {
            frame->params = 1;

        } else if (type <= NGX_WEBRTC_H265_VCL_LAST) {
            frame->picture = 1;

            if (type >= NGX_WEBRTC_H265_IRAP_FIRST
                && type <= NGX_WEBRTC_H265_IRAP_LAST)
            {
                frame->key = 1;
            }

            /*
             * 7.4.2.2: even types up to RSV_VCL_N14 are sub-layer non-reference
             * pictures: others of the same sub-layer do not refer to them
             */

            if (type >= NGX_WEBRTC_H265_VCL_R15 || (type & 1)
                || ngx_webrtc_h265_tid(nal) != pack->max_tid + 1)
            {
                referenced = 1;
            }
        }
    }

    if (rc == NGX_DECLINED || (!frame->picture && !frame->params)) {
        return NGX_DECLINED;
    }

    frame->discardable = (frame->picture && !referenced);

    if (frame->params) {
        ngx_webrtc_pack_nal_keep(&ngx_webrtc_pack_h265_nal, pack, frame);

    } else if (pack->params.n == 0) {
        /* nobody could start there */
        frame->key = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_h265_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    return ngx_webrtc_pack_nal_frame(&ngx_webrtc_pack_h265_nal, pack, frame);
}


static ngx_uint_t
ngx_webrtc_pack_h265_is_params(u_char *nal, size_t n)
{
    ngx_uint_t  type;

    if (!ngx_webrtc_pack_h265_is_base(nal, n)) {
        return 0;
    }

    type = ngx_webrtc_h265_type(nal);

    return type >= NGX_WEBRTC_H265_VPS && type <= NGX_WEBRTC_H265_PPS;
}


static ngx_int_t
ngx_webrtc_pack_h265_params(ngx_webrtc_pack_t *pack, u_char *p, size_t n)
{
    ngx_int_t              rc;
    ngx_webrtc_h265_sps_t  sps;

    ngx_memzero(&sps, sizeof(ngx_webrtc_h265_sps_t));

    rc = ngx_webrtc_h265_params(&pack->params, p, n, &sps);

    if (rc == NGX_OK && sps.width) {
        ngx_webrtc_pack_h265_track(pack, &sps);
    }

    return rc;
}


static void
ngx_webrtc_pack_h265_track(ngx_webrtc_pack_t *pack, ngx_webrtc_h265_sps_t *sps)
{
    pack->track.profile = sps->profile;
    pack->track.width = sps->width;
    pack->track.height = sps->height;

    pack->max_tid = sps->max_tid;
}


static ngx_uint_t
ngx_webrtc_pack_h265_sends(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame,
    u_char *nal, size_t n)
{
    ngx_uint_t  type;

    if (!ngx_webrtc_pack_h265_is_base(nal, n)) {
        return 0;
    }

    type = ngx_webrtc_h265_type(nal);

    if (type <= NGX_WEBRTC_H265_VCL_LAST) {
        return 1;
    }

    if (type == NGX_WEBRTC_H265_PREFIX_SEI
        || type == NGX_WEBRTC_H265_SUFFIX_SEI)
    {
        return ngx_webrtc_h264_sei(nal, n, 2) & ~NGX_WEBRTC_SEI_FILLER;
    }

    if (ngx_webrtc_pack_h265_is_params(nal, n)) {
        /* the sets kept are in front of a key frame already */
        return !(frame->key && ngx_webrtc_params_has(&pack->params, nal, n));
    }

    /*
     * Not sent: AUD, ends of sequence and bitstream, filler, and what is
     * reserved or, in RTP, has another meaning (48 and above)
     */

    return 0;
}
