
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP9 packetizer, RFC 9628, non-flexible mode without layers: see
 * ngx_webrtc_pack.h.  A superframe goes as one frame.
 */


#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_pack.h"


/* RFC 9628, 4.2: the flags, and a PictureID of 15 bits */

#define NGX_WEBRTC_VP9_DESC  3

#define NGX_WEBRTC_VP9_I     0x80
#define NGX_WEBRTC_VP9_P     0x40      /* inter-picture predicted */
#define NGX_WEBRTC_VP9_B     0x08      /* start of frame */
#define NGX_WEBRTC_VP9_E     0x04      /* end of frame */
#define NGX_WEBRTC_VP9_V     0x02      /* scalability structure present */
#define NGX_WEBRTC_VP9_M     0x80

/*
 * 4.2.1: the scalability structure, in the first packet of a key frame.  One
 * spatial layer (N_S 0), its size (Y), and a group of one picture (G) that
 * refers to the picture before it: TID 0, U 0, R 1, P_DIFF 1.
 */

#define NGX_WEBRTC_VP9_SS    8

#define NGX_WEBRTC_VP9_SS_Y  0x10
#define NGX_WEBRTC_VP9_SS_G  0x08
#define NGX_WEBRTC_VP9_R1    0x04


static ngx_int_t ngx_webrtc_pack_vp9_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_vp9_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static u_char *ngx_webrtc_pack_vp9_structure(ngx_webrtc_pack_t *pack,
    u_char *p);


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_vp9 = {
    NULL,
    ngx_webrtc_pack_vp9_probe,
    ngx_webrtc_pack_vp9_frame
};


static ngx_int_t
ngx_webrtc_pack_vp9_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    ngx_webrtc_vp9_t  vp9;

    if (ngx_webrtc_vp9_parse(frame->data, frame->size, &vp9) != NGX_OK) {
        return NGX_DECLINED;
    }

    frame->picture = 1;
    frame->key = vp9.key;
    frame->hidden = !vp9.show;

    if (vp9.key) {
        pack->track.profile = (uint32_t) vp9.profile << 16;
        pack->track.width = vp9.width;
        pack->track.height = vp9.height;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_vp9_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char      *p, *q, *data;
    size_t       n, len, size, parts, structure;
    ngx_int_t    rc;
    ngx_uint_t   flags;

    data = frame->data;
    n = frame->size;

    structure = frame->key ? NGX_WEBRTC_VP9_SS : 0;

    size = ngx_webrtc_pack_split(n + structure, NGX_WEBRTC_VP9_DESC,
                                 pack->max, &parts);

    p = pack->buf;

    p[0] = NGX_WEBRTC_VP9_I|NGX_WEBRTC_VP9_B;
    p[1] = (u_char) (NGX_WEBRTC_VP9_M | (pack->picture_id >> 8));
    p[2] = (u_char) pack->picture_id;

    q = p + NGX_WEBRTC_VP9_DESC;

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
        p[0] |= NGX_WEBRTC_VP9_V;
        q = ngx_webrtc_pack_vp9_structure(pack, q);

    } else {
        p[0] |= NGX_WEBRTC_VP9_P;
    }

    pack->picture_id = (pack->picture_id + 1) & 0x7fff;

    while (parts--) {

        if (parts == 0) {
            flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
            p[0] |= NGX_WEBRTC_VP9_E;
        }

        len = ngx_min(size - (q - p), n);

        ngx_memcpy(q, data, len);

        rc = pack->out(pack->ctx, p, (q - p) + len, flags);

        if (rc != NGX_OK) {
            return rc;
        }

        data += len;
        n -= len;

        p[0] &= (u_char) ~(NGX_WEBRTC_VP9_B|NGX_WEBRTC_VP9_V);
        q = p + NGX_WEBRTC_VP9_DESC;
        flags &= ~NGX_WEBRTC_PKT_FIRST;
    }

    return NGX_OK;
}


static u_char *
ngx_webrtc_pack_vp9_structure(ngx_webrtc_pack_t *pack, u_char *p)
{
    *p++ = NGX_WEBRTC_VP9_SS_Y|NGX_WEBRTC_VP9_SS_G;

    *p++ = (u_char) (pack->track.width >> 8);
    *p++ = (u_char) pack->track.width;
    *p++ = (u_char) (pack->track.height >> 8);
    *p++ = (u_char) pack->track.height;

    *p++ = 1;                               /* N_G */
    *p++ = NGX_WEBRTC_VP9_R1;
    *p++ = 1;                               /* P_DIFF */

    return p;
}
