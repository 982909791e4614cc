
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What a codec is to all that uses codecs: one const row, which stands in the
 * codec's own file beside what it points to.  The table of all rows is
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
 * Format parameters, a=fmtp: all of them text of ngx_webrtc_fmtp.h.  Each
 * function may be NULL.
 */

typedef struct {
    /*
     * How far an offered payload type is from what will be sent; 0, or NULL:
     * it is the same.
     *
     *   track   what will be sent, or NULL: not known
     */
    ngx_uint_t (*distance)(const ngx_webrtc_track_t *track,
                           const ngx_str_t *fmtp);

    /* 1: it is a form of the codec that we cannot receive */
    ngx_uint_t (*refused)(const ngx_str_t *fmtp);

    /* 1: its sender announces two channels; NULL: there is but one form */
    ngx_uint_t (*stereo)(const ngx_str_t *fmtp);

    /*
     * Prints the parameters of an answer.  NULL: there are none.
     *
     *   fmtp      of the offer
     *   stereo    1: with two channels
     *   sending   1: we are the one who sends
     */
    u_char *(*answer)(u_char *p, u_char *end, const ngx_str_t *fmtp,
                      ngx_uint_t stereo, ngx_uint_t sending);

    /*
     * Prints the parameters of an offer of ours.  NULL: there are none.
     *
     *   profile   as in ngx_webrtc_track_t, 0: not known
     *   channels  0: not known
     */
    u_char *(*offer)(u_char *p, u_char *end, uint32_t profile,
                     ngx_uint_t channels);
} ngx_webrtc_codec_fmtp_t;


typedef struct {
    ngx_str_t    name;            /* as in a=rtpmap: "H264", "opus" */
    uint8_t      kind;            /* NGX_WEBRTC_AUDIO, NGX_WEBRTC_VIDEO */
    uint8_t      codec;           /* NGX_WEBRTC_CODEC_*, its place in the
                                     table */
    uint8_t      channels;        /* in a=rtpmap; 0 where not written */
    int8_t       static_pt;       /* RFC 3551, 6; -1: none */
    uint32_t     clock_rate;      /* RTP; G.722 says 8000: RFC 3551, 4.5.2 */

    /* of offers of ours; NGX_WEBRTC_CODEC_NO_PT: never offered, without RTX */
    uint8_t      offer_pt;
    uint8_t      offer_rtx_pt;

    uint8_t      wraps;           /* 1: carries packets of another codec, and
                                     is nothing by itself (RED) */

    const ngx_webrtc_codec_fmtp_t        *fmtp;     /* never NULL */

    /* ngx_webrtc_pack.h, ngx_webrtc_depay.h; NULL: there is none */
    const struct ngx_webrtc_pack_ops_s   *pack;
    const struct ngx_webrtc_depay_ops_s  *depay;
} ngx_webrtc_codec_t;


/* of codecs that have no parameters: all NULL */
extern const ngx_webrtc_codec_fmtp_t  ngx_webrtc_codec_no_fmtp;


/*
 * Sets a track to what is said of its codec; profile and size 0.
 * channels: 0 takes the codec's (1 where it has none).
 */

void ngx_webrtc_codec_track(const ngx_webrtc_codec_t *codec,
    ngx_webrtc_track_t *track, ngx_uint_t channels);


#endif /* _NGX_WEBRTC_CODEC_H_INCLUDED_ */
