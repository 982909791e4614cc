
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Negotiation, internal: which of the offered payload types suits a codec best,
 * and the format parameters of the answer.  For ngx_webrtc_negotiate*.c only.
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_CODEC_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_CODEC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_codecs.h>


/* bytes of an answer's fmtp; chosen: our longest has 110 */
#define NGX_WEBRTC_NEGOTIATE_FMTP  192


/* RFC 5761, 4: with the marker bit such a packet would be taken for RTCP */
#define ngx_webrtc_negotiate_clashes(pt)  ((pt) >= 64 && (pt) <= 95)


typedef struct {
    const ngx_webrtc_codec_t      *codec;
    const ngx_webrtc_sdp_codec_t  *offered;  /* the payload type chosen */
    uint8_t                        rtx_pt;   /* or NGX_WEBRTC_DESC_NO_PT */
} ngx_webrtc_negotiate_choice_t;


/* ngx_webrtc_negotiate_pick_t.state */
#define NGX_WEBRTC_NEGOTIATE_REJECTED  0
#define NGX_WEBRTC_NEGOTIATE_INACTIVE  1
#define NGX_WEBRTC_NEGOTIATE_ACTIVE    2


/* the decision on an m-line */
typedef struct {
    uint8_t                        state;
    uint8_t                        track;
    ngx_webrtc_negotiate_choice_t  choice;    /* unless rejected */

    /* RED wrapping the choice, or NULL */
    const ngx_webrtc_sdp_codec_t  *red;
    ngx_uint_t                     red_first; /* it is preferred */

    /* if active: what else may be sent there */
    ngx_uint_t                     nalts;
    ngx_webrtc_negotiate_choice_t  alts[NGX_WEBRTC_DESC_ALTS];
} ngx_webrtc_negotiate_pick_t;


/*
 * Chooses a payload type of the m-line for a codec.
 *
 *   codec   NGX_WEBRTC_CODEC_*
 *   track   what will be sent, its profile decides among several payload types;
 *           NULL: not known, the first one that suits us
 *
 * NGX_OK        choice is filled
 * NGX_DECLINED  the m-line hasn't that codec
 */
ngx_int_t ngx_webrtc_negotiate_codec(const ngx_webrtc_sdp_media_t *media,
    ngx_uint_t codec, const ngx_webrtc_track_t *track,
    ngx_webrtc_negotiate_choice_t *choice);

/*
 * Accepts a payload type of the m-line as it is.
 *
 * NGX_OK        choice is filled
 * NGX_DECLINED  not one of ours, or one that we cannot receive: RED, or an
 *               unsupported form of a codec (interleaved H.264)
 */
ngx_int_t ngx_webrtc_negotiate_offered(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered,
    ngx_webrtc_negotiate_choice_t *choice);

/*
 * RFC 2198, 5.  The RED that wraps an offered payload type, NULL if there is
 * none.
 */
const ngx_webrtc_sdp_codec_t *ngx_webrtc_negotiate_red(
    const ngx_webrtc_sdp_media_t *media, const ngx_webrtc_sdp_codec_t *offered);

/*
 * The table's entry of an offered codec, NULL if it is not one of ours, or
 * could not be told from RTCP.
 */
const ngx_webrtc_codec_t *ngx_webrtc_negotiate_known(
    const ngx_webrtc_sdp_media_t *media, const ngx_webrtc_sdp_codec_t *offered);

/*
 * Prints the format parameters for the answer.
 *
 *   stereo  1: with two channels, where the codec says so
 *   sending 1: we send
 *   buf     NGX_WEBRTC_NEGOTIATE_FMTP bytes of room
 *
 * Returns the length, may be 0.
 */
size_t ngx_webrtc_negotiate_fmtp(const ngx_webrtc_negotiate_choice_t *choice,
    ngx_uint_t stereo, ngx_uint_t sending, u_char *buf);


#endif /* _NGX_WEBRTC_NEGOTIATE_CODEC_H_INCLUDED_ */
