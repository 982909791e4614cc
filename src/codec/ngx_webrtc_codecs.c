
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The table of codecs: see ngx_webrtc_codecs.h.
 */


#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_h264.h"
#include "ngx_webrtc_h265.h"
#include "ngx_webrtc_vp8.h"
#include "ngx_webrtc_vp9.h"
#include "ngx_webrtc_av1.h"
#include "ngx_webrtc_opus.h"
#include "ngx_webrtc_pcm.h"
#include "ngx_webrtc_foreign.h"


/* those of SDP come before those that are only transcoded */
#define NGX_WEBRTC_CODECS  NGX_WEBRTC_CODEC_MPEG1


static const ngx_webrtc_codec_t  ngx_webrtc_codec_none = {
    ngx_null_string, 0, NGX_WEBRTC_CODEC_NONE, 0, -1, 0,
    NGX_WEBRTC_CODEC_NO_PT, NGX_WEBRTC_CODEC_NO_PT, 0,
    &ngx_webrtc_codec_no_fmtp, NULL, NULL, NULL
};


/*
 * RFC 2198: wraps another codec and has no packetizer; its contents are
 * classified by that codec's depacketizer.  RED can't be offered alone.
 */

static const ngx_webrtc_codec_t  ngx_webrtc_codec_red = {
    ngx_string("red"), NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_RED, 2, -1, 48000,
    NGX_WEBRTC_CODEC_NO_PT, NGX_WEBRTC_CODEC_NO_PT, 1,
    &ngx_webrtc_codec_no_fmtp, NULL, NULL, NULL
};


/* by NGX_WEBRTC_CODEC_* */

static const ngx_webrtc_codec_t  *ngx_webrtc_codecs[NGX_WEBRTC_CODECS] = {
    &ngx_webrtc_codec_none,
    &ngx_webrtc_codec_h264,
    &ngx_webrtc_codec_h265,
    &ngx_webrtc_codec_vp8,
    &ngx_webrtc_codec_vp9,
    &ngx_webrtc_codec_av1,
    &ngx_webrtc_codec_opus,
    &ngx_webrtc_codec_pcmu,
    &ngx_webrtc_codec_pcma,
    &ngx_webrtc_codec_g722,
    &ngx_webrtc_codec_red
};


const ngx_webrtc_codec_t *
ngx_webrtc_codec(ngx_uint_t codec)
{
    if (ngx_webrtc_foreign(codec)) {
        return &ngx_webrtc_codecs_foreign[codec - NGX_WEBRTC_CODECS];
    }

    if (codec >= NGX_WEBRTC_CODECS) {
        codec = NGX_WEBRTC_CODEC_NONE;
    }

    return ngx_webrtc_codecs[codec];
}


const ngx_webrtc_codec_t *
ngx_webrtc_codec_find(u_char *name, size_t n, uint32_t clock_rate)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = NGX_WEBRTC_CODEC_NONE + 1; i < NGX_WEBRTC_CODECS; i++) {
        c = ngx_webrtc_codecs[i];

        if (c->name.len == n && c->clock_rate == clock_rate
            && ngx_strncasecmp(c->name.data, name, n) == 0)
        {
            return c;
        }
    }

    return NULL;
}


const ngx_webrtc_codec_t *
ngx_webrtc_codec_static(ngx_uint_t pt)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *c;

    for (i = NGX_WEBRTC_CODEC_NONE + 1; i < NGX_WEBRTC_CODECS; i++) {
        c = ngx_webrtc_codecs[i];

        if (c->static_pt >= 0 && (ngx_uint_t) c->static_pt == pt) {
            return c;
        }
    }

    return NULL;
}
