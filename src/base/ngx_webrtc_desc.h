
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a session has negotiated, as kept in its slot in shared memory: plain
 * data without pointers, so that any worker may copy it.  Filled by
 * ngx_webrtc_negotiate() and never changed afterwards, except for the ICE
 * credentials by an ICE restart.
 *
 * Text is not null-terminated; every text field has its length beside it.
 */


#ifndef _NGX_WEBRTC_DESC_H_INCLUDED_
#define _NGX_WEBRTC_DESC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* accepted m-lines of a session; chosen: audio, video and two inactive ones;
 * they all have to fit into a slot */
#define NGX_WEBRTC_DESC_MEDIA         4

/* payload types of an m-line besides the chosen one; chosen: Chromium offers
 * 14 for video that are not RTX or FEC */
#define NGX_WEBRTC_DESC_ALTS          15

/* bytes of a mid; RFC 5888 sets no limit, chosen: browsers use "0", "audio0",
 * others names and UUIDs */
#define NGX_WEBRTC_DESC_MID           64

/* rids of an m-line, and bytes of one; chosen: libwebrtc sends three layers,
 * and 16 bytes are the most that the one-byte form of an extension carries */
#define NGX_WEBRTC_DESC_RIDS          4
#define NGX_WEBRTC_DESC_RID           16

/* bytes of local credentials; RFC 8839, 5.4: at least 4 and 22; chosen */
#define NGX_WEBRTC_DESC_LOCAL_UFRAG   32
#define NGX_WEBRTC_DESC_LOCAL_PWD     64

/* bytes of remote credentials; RFC 8839, 5.4: at most 256 */
#define NGX_WEBRTC_DESC_REMOTE_UFRAG  256
#define NGX_WEBRTC_DESC_REMOTE_PWD    256

/* bytes of a fingerprint: SHA-512 */
#define NGX_WEBRTC_DESC_FINGERPRINT   64

/* no such payload type, no such track */
#define NGX_WEBRTC_DESC_NO_PT         0xff
#define NGX_WEBRTC_DESC_NO_TRACK      0xff

/* dtls_role, ours; RFC 5763, 5: "active" is the client */
#define NGX_WEBRTC_DTLS_SERVER        1
#define NGX_WEBRTC_DTLS_CLIENT        2

/* fingerprint_alg; RFC 8122, 5 */
#define NGX_WEBRTC_FINGERPRINT_SHA256  1
#define NGX_WEBRTC_FINGERPRINT_SHA384  2
#define NGX_WEBRTC_FINGERPRINT_SHA512  3

/* fb: a=rtcp-fb, RFC 4585, RFC 5104 */
#define NGX_WEBRTC_FB_NACK            0x01
#define NGX_WEBRTC_FB_PLI             0x02
#define NGX_WEBRTC_FB_FIR             0x04
#define NGX_WEBRTC_FB_TWCC            0x08
#define NGX_WEBRTC_FB_REMB            0x10

/* receiver reference times, from which a receiver learns the RTT: RFC 3611,
 * 4.4; offered as a=rtcp-xr:rcvr-rtt=all, or libwebrtc's a=rtcp-fb:<pt> rrtr */
#define NGX_WEBRTC_FB_RRTR            0x20

/* a=rtcp-rsize: feedback may be sent without a report, RFC 5506 */
#define NGX_WEBRTC_FB_RSIZE           0x40


/* a codec that may replace an m-line's without renegotiation */
typedef struct {
    uint8_t   codec;                  /* NGX_WEBRTC_CODEC_* */
    uint8_t   pt;
    uint8_t   rtx_pt;                 /* or NGX_WEBRTC_DESC_NO_PT */
} ngx_webrtc_desc_alt_t;


typedef struct {
    /* of the stream's side; 0 = none.  Of a publisher: what it has announced */
    uint32_t  ssrc;
    uint32_t  rtx_ssrc;

    /* of the payload type, in Hz */
    uint32_t  clock_rate;

    /* NGX_WEBRTC_CODEC_*: values of ngx_webrtc_track.h */
    uint8_t   codec;

    /* index into the stream's tracks, or NGX_WEBRTC_DESC_NO_TRACK: the m-line
     * is accepted but inactive, nothing is ever sent or received for it */
    uint8_t   track;

    /*
     * rtx_pt: NGX_WEBRTC_DESC_NO_PT without RFC 4588 retransmission.  rtx_ssrc
     * is set if the codec or one of its alternatives has RTX.
     */
    uint8_t   pt;
    uint8_t   rtx_pt;

    /* RED (RFC 2198) wrapping the codec; packets may also come without it.
     * Such an m-line has no RTX.  NGX_WEBRTC_DESC_NO_PT: none */
    uint8_t   red_pt;

    /* ids of RTP header extensions as negotiated (1 .. 14), 0 = not used */
    uint8_t   ext_mid;
    uint8_t   ext_abs_send_time;
    uint8_t   ext_twcc;
    uint8_t   ext_cvo;                /* orientation of video */
    uint8_t   ext_playout;            /* playout delay; ngx_webrtc_playout.h */
    uint8_t   ext_rid;                /* of a layer; RFC 8852 */
    uint8_t   ext_rrid;               /* of one that is sent again */

    uint8_t   fb;                     /* NGX_WEBRTC_FB_* of both sides */

    /* a byte together: slots have no room for more */
    uint8_t   kind:2;                 /* NGX_WEBRTC_AUDIO, ..._VIDEO */
    uint8_t   sending:1;              /* 1: we send media here */
    uint8_t   receiving:1;            /* 1: we receive media here */
    uint8_t   stereo:1;               /* 1: Opus announced as stereo */

    /* slots have no room for both */
    union {
        /* where we send: video beyond 4:2:0 of 8 bit that the viewer has
         * offered to take: three bits per codec, see ngx_webrtc_choice.c */
        uint16_t  formats;

        /* where we receive: a header extension, the dependency descriptor;
         * ngx_webrtc_dd.h */
        uint8_t   ext_dd;
    };

    uint8_t   mline;                  /* index of the m-line in the offer */
    uint8_t   mid_len;                /* may be 0: single m-line, no BUNDLE */

    /*
     * Behind the mid: the rids of a publisher's layers, in its order, each with
     * its length before it, as far as there is room; ngx_webrtc_desc_rid().
     */
    u_char    mid[NGX_WEBRTC_DESC_MID];

    /*
     * Where we send: other codecs of the same clock rate, each once.  Where we
     * receive: all other payload types that the peer may send, including
     * others of the same codec and of other clock rates.
     */
    uint8_t                nalts;
    ngx_webrtc_desc_alt_t  alts[NGX_WEBRTC_DESC_ALTS];
} ngx_webrtc_desc_media_t;


typedef struct {
    /*
     * The accepted m-lines in the order of the offer.  The first one is the
     * tagged one (RFC 9143, 7.3.1), which carries the transport in the answer;
     * it may be inactive.
     */
    ngx_webrtc_desc_media_t  media[NGX_WEBRTC_DESC_MEDIA];
    uint8_t   nmedia;

    uint8_t   dtls_role;              /* NGX_WEBRTC_DTLS_* */
    uint8_t   remote_lite;            /* the peer is an ICE lite agent */

    /* DataChannels: the peer's a=sctp-port, 0 = none, and a=max-message-size,
     * as far as it matters to us */
    uint16_t  sctp_port;
    uint32_t  max_message;

    uint8_t   fingerprint_alg;        /* NGX_WEBRTC_FINGERPRINT_*, the peer's */
    uint8_t   fingerprint_len;

    uint8_t   local_ufrag_len;
    uint8_t   local_pwd_len;
    uint16_t  remote_ufrag_len;
    uint16_t  remote_pwd_len;

    u_char    fingerprint[NGX_WEBRTC_DESC_FINGERPRINT];
    u_char    local_ufrag[NGX_WEBRTC_DESC_LOCAL_UFRAG];
    u_char    local_pwd[NGX_WEBRTC_DESC_LOCAL_PWD];
    u_char    remote_ufrag[NGX_WEBRTC_DESC_REMOTE_UFRAG];
    u_char    remote_pwd[NGX_WEBRTC_DESC_REMOTE_PWD];
} ngx_webrtc_desc_t;


/*
 * Finds an m-line's payload types for a codec: its own or an alternative.
 *
 *   codec   NGX_WEBRTC_CODEC_*
 *   alt     out: a copy
 *
 * NGX_OK
 * NGX_DECLINED  not negotiated: the peer has to negotiate again
 */
static ngx_inline ngx_int_t
ngx_webrtc_desc_codec(const ngx_webrtc_desc_media_t *m, ngx_uint_t codec,
    ngx_webrtc_desc_alt_t *alt)
{
    ngx_uint_t  i;

    if (m->codec == codec) {
        alt->codec = m->codec;
        alt->pt = m->pt;
        alt->rtx_pt = m->rtx_pt;

        return NGX_OK;
    }

    for (i = 0; i < m->nalts; i++) {
        if (m->alts[i].codec == codec) {
            *alt = m->alts[i];
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * A publisher's layer, RFC 8851.
 *
 *   i      which one, from 0
 *   rid    out: a view into m
 *
 * NGX_OK
 * NGX_DECLINED  there are no more
 */
static ngx_inline ngx_int_t
ngx_webrtc_desc_rid(ngx_webrtc_desc_media_t *m, ngx_uint_t i, ngx_str_t *rid)
{
    size_t  pos;

    pos = m->mid_len;

    for ( ;; ) {

        if (pos + 1 >= NGX_WEBRTC_DESC_MID
            || m->mid[pos] == 0
            || m->mid[pos] > NGX_WEBRTC_DESC_MID - pos - 1)
        {
            return NGX_DECLINED;
        }

        if (i-- == 0) {
            rid->len = m->mid[pos];
            rid->data = &m->mid[pos + 1];

            return NGX_OK;
        }

        pos += 1 + m->mid[pos];
    }
}


/*
 * Is that a name of a layer: 1 to "most" letters, digits, "-" and "_"?
 * RFC 8851, 10: rid-id.
 */
static ngx_inline ngx_uint_t
ngx_webrtc_desc_is_name(const ngx_str_t *name, size_t most)
{
    u_char  *p, *last;

    last = name->data + name->len;

    for (p = name->data; p < last; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_'))
        {
            return 0;
        }
    }

    return name->len != 0 && name->len <= most;
}


/* NGX_OK: it is one more; NGX_DECLINED: there is no room for it */
static ngx_inline ngx_int_t
ngx_webrtc_desc_add_rid(ngx_webrtc_desc_media_t *m, const ngx_str_t *rid)
{
    size_t      pos;
    ngx_str_t   last;
    ngx_uint_t  i;

    pos = m->mid_len;

    for (i = 0; ngx_webrtc_desc_rid(m, i, &last) == NGX_OK; i++) {
        pos += 1 + last.len;
    }

    if (i == NGX_WEBRTC_DESC_RIDS
        || rid->len == 0
        || rid->len > NGX_WEBRTC_DESC_RID
        || pos + 1 + rid->len > NGX_WEBRTC_DESC_MID)
    {
        return NGX_DECLINED;
    }

    m->mid[pos] = (u_char) rid->len;
    ngx_memcpy(&m->mid[pos + 1], rid->data, rid->len);

    return NGX_OK;
}


/*
 * Where we receive: the codec of a packet, NGX_WEBRTC_CODEC_*, by its payload
 * type; for RED, the codec that it wraps.  0: not negotiated.
 */
static ngx_inline ngx_uint_t
ngx_webrtc_desc_payload(const ngx_webrtc_desc_media_t *m, ngx_uint_t pt)
{
    ngx_uint_t  i;

    /* no packet has the payload type NGX_WEBRTC_DESC_NO_PT */

    if (m->pt == pt || m->red_pt == pt) {
        return m->codec;
    }

    for (i = 0; i < m->nalts; i++) {
        if (m->alts[i].pt == pt) {
            return m->alts[i].codec;
        }
    }

    return 0;
}


#endif /* _NGX_WEBRTC_DESC_H_INCLUDED_ */
