
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Offer + policy -> answer and session description: a pure function.  Every
 * parsed offer gets either an answer or a refusal with a cause; an answer can
 * always be parsed with ngx_webrtc_sdp_parse().
 *
 * RFC 3264, RFC 8829 (JSEP), RFC 9143 (BUNDLE), RFC 9725 (WHIP),
 * draft-ietf-wish-whep-03, RFC 6184 (H.264), RFC 7587 (Opus), RFC 4588 (RTX).
 */


#ifndef _NGX_WEBRTC_NEGOTIATE_H_INCLUDED_
#define _NGX_WEBRTC_NEGOTIATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_desc.h>
#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_track.h>


/* ngx_webrtc_negotiate_policy_t.role */
#define NGX_WEBRTC_NEGOTIATE_PLAY         1    /* WHEP: we send */
#define NGX_WEBRTC_NEGOTIATE_PUBLISH      2    /* WHIP: we receive */

/* ngx_webrtc_negotiate_policy_t.exts: header extensions that we use */
#define NGX_WEBRTC_EXT_MID                0x01
#define NGX_WEBRTC_EXT_ABS_SEND_TIME      0x02
#define NGX_WEBRTC_EXT_TWCC               0x04
#define NGX_WEBRTC_EXT_CVO                0x08
#define NGX_WEBRTC_EXT_RID                0x10    /* and so simulcast */
#define NGX_WEBRTC_EXT_PLAYOUT            0x20
#define NGX_WEBRTC_EXT_DD                 0x40    /* PUBLISH only */

/* ngx_webrtc_negotiate_cause_t.kind */
#define NGX_WEBRTC_NEGOTIATE_BAD          1    /* 400 */
#define NGX_WEBRTC_NEGOTIATE_UNSUPPORTED  2    /* WHEP 406, WHIP 422 */

/* bytes, of each: cname and stream_id; chosen: a UUID has 36 */
#define NGX_WEBRTC_NEGOTIATE_NAME         64

/* bytes of "sha-512 AB:CD:..." */
#define NGX_WEBRTC_NEGOTIATE_FINGERPRINT  256

/* bytes of detail text */
#define NGX_WEBRTC_NEGOTIATE_DETAIL       256

/*
 * Room for an answer, in bytes, without candidates: enough for any offer, and
 * policies with cname and stream_id of up to 64 bytes each.  Add
 * NGX_WEBRTC_NEGOTIATE_CANDIDATE for each candidate.
 */
#define NGX_WEBRTC_NEGOTIATE_ANSWER       40960
#define NGX_WEBRTC_NEGOTIATE_CANDIDATE    512


typedef struct {
    ngx_uint_t   role;               /* NGX_WEBRTC_NEGOTIATE_* */

    /* PLAY: what the stream has, at least one track, at most 255 */
    const ngx_webrtc_track_t  *tracks;
    ngx_uint_t   ntracks;

    /*
     * PLAY: codecs that the stream's publisher may change to, as a set of bits
     * 1 << NGX_WEBRTC_CODEC_*; 0 = none.  Those that are offered get payload
     * types besides that of the stream's codec: desc's alts[].  Audio of
     * another clock rate is left out: an SSRC has only one (RFC 7160).  RED
     * goes with the codec that it wraps.
     */
    ngx_uint_t   alternatives;

    /*
     * PUBLISH: allowed codecs, NGX_WEBRTC_CODEC_*, in our order of preference.
     * All their offered payload types are accepted, in this order; n 0 = all
     * codecs, in the order of the offer.  The publisher sends the first one,
     * or any of them: desc's alts[].  RED is accepted along with the codec that
     * it wraps, which has to be the first one: if RED is in the list, or
     * without a list if the publisher prefers it to that codec.
     */
    const uint8_t  *codec_order;
    ngx_uint_t      ncodec_order;

    uint8_t      fb;                 /* NGX_WEBRTC_FB_* that we support */
    uint8_t      exts;               /* NGX_WEBRTC_EXT_* that we use */
    uint8_t      no_rtx;             /* 1: RTX is refused even where offered */
    uint8_t      ice_lite;           /* 1: say so in the answer */

    /*
     * Random, made for this session: ufrag of 4 to NGX_WEBRTC_DESC_LOCAL_UFRAG
     * and pwd of 22 to NGX_WEBRTC_DESC_LOCAL_PWD ice-chars; ssrcs are made
     * distinct and non-zero if they are not.
     */
    ngx_str_t    ufrag;
    ngx_str_t    pwd;
    uint64_t     sess_id;            /* the upper bit is ignored */
    uint32_t     ssrcs[4];           /* audio, its RTX, video, its RTX; PLAY
                                      * only: a publisher has its own */

    ngx_str_t    fingerprint;        /* "sha-256 AB:CD:..." */
    ngx_str_t    cname;              /* as in our SDES, at most 64 bytes */
    ngx_str_t    stream_id;          /* of the MediaStream that viewers see;
                                      * RFC 8830 token, at most 64 bytes */

    const ngx_webrtc_sdp_candidate_t  *candidates;
    ngx_uint_t   ncandidates;
} ngx_webrtc_negotiate_policy_t;


/* why an offer was refused; printable ASCII only, still to be JSON-escaped */
typedef struct {
    ngx_uint_t   kind;               /* NGX_WEBRTC_NEGOTIATE_BAD, ... */
    const char  *title;              /* static, "no codec in common" */
    ngx_int_t    mline;              /* index in the offer, -1 = none */
    ngx_uint_t   codec;              /* of the stream, which is not offered;
                                      * 0 = another cause */
    size_t       len;
    u_char       detail[NGX_WEBRTC_NEGOTIATE_DETAIL];
} ngx_webrtc_negotiate_cause_t;


/*
 * Decides about an offer.
 *
 *   offer   from ngx_webrtc_sdp_parse(); its text must still exist
 *   desc    out: zeroed and filled; the local credentials too
 *   pos     in: where the answer is printed; out: behind it (no null byte)
 *   end     of the room, see NGX_WEBRTC_NEGOTIATE_ANSWER
 *   cause   out when refused
 *
 * NGX_OK        desc and the answer are complete
 * NGX_DECLINED  refused, see cause; desc and the room are undefined
 * NGX_ERROR     no room for the answer, or a policy outside its limits
 */
ngx_int_t ngx_webrtc_negotiate(const ngx_webrtc_sdp_t *offer,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_webrtc_desc_t *desc,
    u_char **pos, u_char *end, ngx_webrtc_negotiate_cause_t *cause);

/* Turns an error of ngx_webrtc_sdp_parse() into a cause. */
void ngx_webrtc_negotiate_malformed(const ngx_webrtc_sdp_error_t *err,
    ngx_webrtc_negotiate_cause_t *cause);


#endif /* _NGX_WEBRTC_NEGOTIATE_H_INCLUDED_ */
