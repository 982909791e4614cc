
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The interface of a codec: one const row, defined in the codec's own file
 * along with what it points to.  The table of all rows is in
 * ngx_webrtc_codecs.h.
 */


#ifndef _NGX_WEBRTC_CODEC_H_INCLUDED_
#define _NGX_WEBRTC_CODEC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_track.h"


/* no such payload type; NGX_WEBRTC_DESC_NO_PT */
#define NGX_WEBRTC_CODEC_NO_PT  0xff


/*
 * Format parameters, a=fmtp, as text in the form of ngx_webrtc_fmtp.h.  Each
 * function may be NULL.
 */

typedef struct {
    /*
     * How far an offered payload type is from what will be sent; 0, or a NULL
     * function: they match.
     *
     *   track   what will be sent, or NULL: not known
     */
    ngx_uint_t (*distance)(const ngx_webrtc_track_t *track,
                           const ngx_str_t *fmtp);

    /* 1: a form of the codec that we cannot receive */
    ngx_uint_t (*refused)(const ngx_str_t *fmtp);

    /* 1: its sender announces two channels; NULL: there is only one form */
    ngx_uint_t (*stereo)(const ngx_str_t *fmtp);

    /*
     * Prints the parameters of an answer.  NULL: there are none.
     *
     *   fmtp      of the offer
     *   stereo    1: with two channels
     *   sending   1: we send
     */
    u_char *(*answer)(u_char *p, u_char *end, const ngx_str_t *fmtp,
                      ngx_uint_t stereo, ngx_uint_t sending);

    /*
     * Prints the parameters of our offers.  NULL: there are none.
     *
     *   profile   as in ngx_webrtc_track_t, 0: not known
     *   channels  0: not known
     */
    u_char *(*offer)(u_char *p, u_char *end, uint32_t profile,
                     ngx_uint_t channels);
} ngx_webrtc_codec_fmtp_t;


typedef struct {
    ngx_str_t    name;            /* as in a=rtpmap: "H264", "opus"; of
                                     ngx_webrtc_foreign.h: for people only */
    uint8_t      kind;            /* NGX_WEBRTC_AUDIO, NGX_WEBRTC_VIDEO */
    uint8_t      codec;           /* NGX_WEBRTC_CODEC_*, its place in the
                                     table */
    uint8_t      channels;        /* in a=rtpmap; 0 where not written */
    int8_t       static_pt;       /* RFC 3551, 6; -1: none */
    uint32_t     clock_rate;      /* RTP; G.722 says 8000: RFC 3551, 4.5.2 */

    /* in our offers; NGX_WEBRTC_CODEC_NO_PT: never offered, without RTX */
    uint8_t      offer_pt;
    uint8_t      offer_rtx_pt;

    uint8_t      wraps;           /* 1: carries packets of another codec, and
                                     is no codec by itself (RED) */

    const ngx_webrtc_codec_fmtp_t        *fmtp;     /* never NULL */

    /* ngx_webrtc_pack.h, ngx_webrtc_depay.h, ngx_webrtc_unpack.h; NULL: there
     * is none */
    const struct ngx_webrtc_pack_ops_s    *pack;
    const struct ngx_webrtc_depay_ops_s   *depay;
    const struct ngx_webrtc_unpack_ops_s  *unpack;
} ngx_webrtc_codec_t;


/* for codecs without parameters: all NULL */
extern const ngx_webrtc_codec_fmtp_t  ngx_webrtc_codec_no_fmtp;


/*
 * Sets up a track for a codec; profile and size are 0.
 * channels: 0: the codec's (1 if it has none).
 */

void ngx_webrtc_codec_track(const ngx_webrtc_codec_t *codec,
    ngx_webrtc_track_t *track, ngx_uint_t channels);


#endif /* _NGX_WEBRTC_CODEC_H_INCLUDED_ */
