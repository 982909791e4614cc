
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Two legs of plain RTP, video and audio: where they are received and what
 * they carry, as text ("webrtc_rtp" and "webrtc_exec"), from an SDP, and as the
 * description of a sender.
 *
 *     [address:]port [video=codec[/type]] [audio=codec[/type]]
 *         [audio_port=port] [rtcp_mux] [from=address[/bits]]
 *
 * Pure: no clock, no allocation.  RFC 3550, 11; RFC 3551, 6; RFC 5761.
 */


#ifndef _NGX_WEBRTC_LEGS_H_INCLUDED_
#define _NGX_WEBRTC_LEGS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"
#include "ngx_webrtc_desc.h"
#include "ngx_webrtc_sdp.h"


#define NGX_WEBRTC_LEG_VIDEO   0
#define NGX_WEBRTC_LEG_AUDIO   1
#define NGX_WEBRTC_LEGS        2

/* payload types that are not given; as in Chromium's offers */
#define NGX_WEBRTC_LEG_VIDEO_PT  102
#define NGX_WEBRTC_LEG_AUDIO_PT  111

/* from a leg's port to the next one's: RTP is on an even port, RTCP on the odd
 * one behind it */
#define NGX_WEBRTC_LEG_STEP    2

/* bytes of text; chosen: several times what all parameters take */
#define NGX_WEBRTC_LEGS_TEXT   512


typedef struct {
    uint8_t             codec;        /* NGX_WEBRTC_CODEC_*; NONE: no leg */
    uint8_t             pt;
    in_port_t           port;         /* of RTP */
} ngx_webrtc_leg_t;


typedef struct {
    ngx_webrtc_leg_t    legs[NGX_WEBRTC_LEGS];
    ngx_webrtc_addr_t   addr;         /* received on; its port is 0 */
    ngx_cidr_t          from;         /* senders; family 0: any */
    unsigned            mux:1;        /* RTCP only on the ports of RTP */
} ngx_webrtc_legs_t;


/* Begins: loopback, no legs, no ports. */
void ngx_webrtc_legs_init(ngx_webrtc_legs_t *legs);

/*
 * Takes "video=" or "audio=".
 *
 * NGX_OK
 * NGX_DECLINED  another word
 * NGX_ERROR     not valid: *cause is what was expected, static text
 */
ngx_int_t ngx_webrtc_legs_codec(ngx_webrtc_legs_t *legs, const ngx_str_t *word,
    const char **cause);

/* H.264 and Opus with their usual types, if there is no leg so far. */
void ngx_webrtc_legs_default(ngx_webrtc_legs_t *legs);

/*
 * Parses all of it; words are separated by spaces.
 *
 * NGX_OK
 * NGX_ERROR   *word is the one that is not valid, empty: something is missing;
 *             *cause is what was expected, static text
 */
ngx_int_t ngx_webrtc_legs_parse(ngx_webrtc_legs_t *legs, const ngx_str_t *text,
    ngx_str_t *word, const char **cause);

/*
 * Takes codecs, payload types and ports from an SDP: of each kind the first
 * m-line with a codec of ours.
 *
 *   sdp   room for the parser
 *
 * NGX_OK
 * NGX_DECLINED  *cause is what is wrong with it, static text
 */
ngx_int_t ngx_webrtc_legs_sdp(ngx_webrtc_legs_t *legs, u_char *p, u_char *end,
    ngx_webrtc_sdp_t *sdp, const char **cause);

/* Prints what ngx_webrtc_legs_parse() takes.  The end; NULL: no room. */
u_char *ngx_webrtc_legs_print(const ngx_webrtc_legs_t *legs, u_char *p,
    u_char *end);

/* Fills the m-lines of a description, as of a sender that takes PLI. */
void ngx_webrtc_legs_desc(const ngx_webrtc_legs_t *legs,
    ngx_webrtc_desc_t *desc);


#endif /* _NGX_WEBRTC_LEGS_H_INCLUDED_ */
