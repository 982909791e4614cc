
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * VP8 packetizer, RFC 7741: see ngx_webrtc_pack.h.
 */


#include "ngx_webrtc_vp8.h"
#include "ngx_webrtc_pack.h"


/*
 * RFC 7741, 4.2.  Four bytes: the required one, the extension flags, and a
 * PictureID of 15 bits.  A frame is sent as one partition (PID 0), whose first
 * packet has S.
 */

#define NGX_WEBRTC_VP8_DESC        4

#define NGX_WEBRTC_VP8_X           0x80
#define NGX_WEBRTC_VP8_NONREF      0x20
#define NGX_WEBRTC_VP8_S           0x10
#define NGX_WEBRTC_VP8_I           0x80
#define NGX_WEBRTC_VP8_M           0x80


static ngx_int_t ngx_webrtc_pack_vp8_probe(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);
static ngx_int_t ngx_webrtc_pack_vp8_frame(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);


const ngx_webrtc_pack_ops_t  ngx_webrtc_pack_vp8 = {
    NULL,
    ngx_webrtc_pack_vp8_probe,
    ngx_webrtc_pack_vp8_frame
};


static ngx_int_t
ngx_webrtc_pack_vp8_probe(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    ngx_webrtc_vp8_t  vp8;

    if (ngx_webrtc_vp8_parse(frame->data, frame->size, &vp8) != NGX_OK) {
        return NGX_DECLINED;
    }

    frame->picture = 1;
    frame->key = vp8.key;
    frame->discardable = vp8.discardable;
    frame->hidden = !vp8.show;

    if (vp8.key) {
        pack->track.width = vp8.width;
        pack->track.height = vp8.height;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_pack_vp8_frame(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame)
{
    u_char      *p, *data;
    size_t       n, len, size, parts;
    ngx_int_t    rc;
    ngx_uint_t   flags;

    data = frame->data;
    n = frame->size;

    size = ngx_webrtc_pack_split(n, NGX_WEBRTC_VP8_DESC, pack->max, &parts);
    size -= NGX_WEBRTC_VP8_DESC;

    p = pack->buf;

    p[0] = NGX_WEBRTC_VP8_X|NGX_WEBRTC_VP8_S;
    p[1] = NGX_WEBRTC_VP8_I;
    p[2] = (u_char) (NGX_WEBRTC_VP8_M | (pack->picture_id >> 8));
    p[3] = (u_char) pack->picture_id;

    flags = NGX_WEBRTC_PKT_FIRST;

    if (frame->key) {
        flags |= NGX_WEBRTC_PKT_KEY;
    }

    if (frame->discardable) {
        flags |= NGX_WEBRTC_PKT_DISCARD;
        p[0] |= NGX_WEBRTC_VP8_NONREF;
    }

    pack->picture_id = (pack->picture_id + 1) & 0x7fff;

    while (parts--) {

        if (parts == 0) {
            flags |= NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER;
        }

        len = ngx_min(size, n);

        ngx_memcpy(p + NGX_WEBRTC_VP8_DESC, data, len);

        rc = pack->out(pack->ctx, p, NGX_WEBRTC_VP8_DESC + len, flags);

        if (rc != NGX_OK) {
            return rc;
        }

        data += len;
        n -= len;

        p[0] &= (u_char) ~NGX_WEBRTC_VP8_S;
        flags &= ~NGX_WEBRTC_PKT_FIRST;
    }

    return NGX_OK;
}
