
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP as WebRTC uses it: offers and answers are parsed into a struct of views
 * into the body, and answers are printed.  Decisions are made elsewhere, in
 * ngx_webrtc_negotiate.h.  Unknown lines and attributes are skipped.  Limits
 * are fixed: exceeding one is an error with a cause, nothing is silently cut
 * (except candidates: an offer may have any number, the first ones are kept).
 *
 * RFC 8866 (SDP), RFC 3264, RFC 8829 (JSEP), RFC 9143 (BUNDLE), RFC 8839 (ICE),
 * RFC 8122 (fingerprint), RFC 4145 (setup), RFC 5888 (mid), RFC 4585 (rtcp-fb),
 * RFC 5576 (ssrc), RFC 3611 (rtcp-xr), RFC 8285 (extmap), RFC 8830 (msid),
 * RFC 8841 (sctp-port), RFC 8851 (rid), RFC 8853 (simulcast).
 */


#ifndef _NGX_WEBRTC_SDP_H_INCLUDED_
#define _NGX_WEBRTC_SDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_desc.h>


/*
 * Limits, chosen: a full offer of Chromium has 3 m-lines, 50 payload types,
 * 16 extensions; a simulcast one 3 rids or 6 SSRCs
 */
#define NGX_WEBRTC_SDP_MEDIA         16
#define NGX_WEBRTC_SDP_CODECS        64      /* per m-line */
#define NGX_WEBRTC_SDP_EXTS          32      /* per m-line */
#define NGX_WEBRTC_SDP_SSRCS         16      /* per m-line */
#define NGX_WEBRTC_SDP_FIDS          8       /* per m-line */
#define NGX_WEBRTC_SDP_RIDS          8       /* per m-line */
#define NGX_WEBRTC_SDP_CANDIDATES    32      /* per description */
#define NGX_WEBRTC_SDP_BUNDLES       64      /* mids in a=group:BUNDLE */

/* of a printed description: codecs and extensions per m-line */
#define NGX_WEBRTC_SDP_OUT_CODECS    (2 + NGX_WEBRTC_DESC_ALTS)
#define NGX_WEBRTC_SDP_OUT_EXTS      8

/* ngx_webrtc_sdp_media_t.kind; audio and video as in ngx_webrtc_track.h */
#define NGX_WEBRTC_SDP_OTHER         0
#define NGX_WEBRTC_SDP_AUDIO         1
#define NGX_WEBRTC_SDP_VIDEO         2
#define NGX_WEBRTC_SDP_APPLICATION   3

/* ngx_webrtc_sdp_media_t.direction: bits, from the describing side's view */
#define NGX_WEBRTC_SDP_INACTIVE      0
#define NGX_WEBRTC_SDP_SENDONLY      1
#define NGX_WEBRTC_SDP_RECVONLY      2
#define NGX_WEBRTC_SDP_SENDRECV      3

/* ngx_webrtc_sdp_transport_t.setup; RFC 4145, 4 */
#define NGX_WEBRTC_SDP_SETUP_NONE      0
#define NGX_WEBRTC_SDP_SETUP_ACTIVE    1
#define NGX_WEBRTC_SDP_SETUP_PASSIVE   2
#define NGX_WEBRTC_SDP_SETUP_ACTPASS   3
#define NGX_WEBRTC_SDP_SETUP_HOLDCONN  4

/* ngx_webrtc_sdp_candidate_t.type; RFC 8839, 5.1 */
#define NGX_WEBRTC_SDP_HOST          0
#define NGX_WEBRTC_SDP_SRFLX         1
#define NGX_WEBRTC_SDP_PRFLX         2
#define NGX_WEBRTC_SDP_RELAY         3

/* why and where a description was refused */
typedef struct {
    const char  *cause;              /* static text, lower case, no period */
    ngx_int_t    mline;              /* index from 0, -1 = session level */
    ngx_uint_t   line;               /* from 1; 0 = not about a line */
} ngx_webrtc_sdp_error_t;


/* RFC 8839, 5.1; parsed and printed */
typedef struct {
    ngx_str_t   foundation;          /* printed: generated if empty */
    ngx_str_t   address;             /* IP address or name, no brackets */
    ngx_str_t   raddr;               /* printed if not empty */
    uint32_t    priority;            /* printed: computed if 0 */
    uint16_t    port;
    uint16_t    rport;
    uint8_t     component;           /* 1 .. 255; printed: 1 if 0 */
    uint8_t     type;                /* NGX_WEBRTC_SDP_HOST ... */
    uint8_t     tcp;                 /* 1: TCP (RFC 6544), 0: UDP */
    uint8_t     mline;               /* parsed: where it was */
} ngx_webrtc_sdp_candidate_t;


/* allowed at session level or in an m-line, which takes precedence */
typedef struct {
    ngx_str_t   ufrag;
    ngx_str_t   pwd;
    ngx_str_t   fingerprint;         /* "AB:CD:...", of the algorithm below */
    uint8_t     fingerprint_alg;     /* NGX_WEBRTC_FINGERPRINT_*, 0 = unknown;
                                      * of several, the first SHA-256, else the
                                      * first known one */
    uint8_t     fingerprint_other;   /* 1: there was one of an unknown hash */
    uint8_t     setup;               /* NGX_WEBRTC_SDP_SETUP_* */
} ngx_webrtc_sdp_transport_t;


typedef struct {
    ngx_str_t   name;                /* as written, compare ignoring case; empty
                                      * for a dynamic type without rtpmap */
    ngx_str_t   fmtp;                /* "a=1;b=2", may be empty */
    uint32_t    clock_rate;
    uint8_t     pt;                  /* 0 .. 127 */
    uint8_t     channels;            /* 1 if the rtpmap doesn't say */
    uint8_t     apt;                 /* of rtx: the original payload type, else
                                      * NGX_WEBRTC_DESC_NO_PT */
    uint8_t     fb;                  /* NGX_WEBRTC_FB_*, with those of "*" */
} ngx_webrtc_sdp_codec_t;


typedef struct {
    ngx_str_t   uri;
    uint8_t     id;                  /* 1 .. 255 */
    uint8_t     direction;           /* NGX_WEBRTC_SDP_*, sendrecv by default */
} ngx_webrtc_sdp_ext_t;


typedef struct {
    uint32_t    ssrc;
    ngx_str_t   cname;
} ngx_webrtc_sdp_ssrc_t;


typedef struct {
    uint32_t    ssrc;
    uint32_t    rtx_ssrc;
} ngx_webrtc_sdp_fid_t;


typedef struct {
    ngx_str_t   id;
    ngx_str_t   params;              /* behind the direction, may be empty */
    uint8_t     direction;           /* sendonly or recvonly */
} ngx_webrtc_sdp_rid_t;


typedef struct {
    ngx_str_t   type;                /* "video", at most 32 bytes */
    ngx_str_t   proto;               /* "UDP/TLS/RTP/SAVPF", at most 64 bytes */
    ngx_str_t   fmts;                /* payload types as written */
    ngx_str_t   mid;                 /* empty = none */
    ngx_str_t   msid;                /* "stream track" */

    uint16_t    port;
    uint8_t     kind;                /* NGX_WEBRTC_SDP_AUDIO ... */
    uint8_t     direction;           /* NGX_WEBRTC_SDP_SENDRECV ... */

    /* 0 or 1 */
    uint8_t     rtp;                 /* proto is one of JSEP's for RTP */
    uint8_t     rejected;            /* port 0 without bundle-only */
    uint8_t     bundle_only;
    uint8_t     bundled;             /* its mid is in a=group:BUNDLE */
    uint8_t     rtcp_mux;
    uint8_t     rtcp_rsize;
    uint8_t     rcvr_rtt;            /* a=rtcp-xr:rcvr-rtt=all */

    uint8_t     fb;                  /* a=rtcp-fb:*, also in each codec's */
    uint16_t    sctp_port;           /* 0 = none */
    uint64_t    max_message_size;    /* 0 = not said, see RFC 8841, 6 */

    /* after parsing: the session's values where the m-line had none */
    ngx_webrtc_sdp_transport_t  transport;

    ngx_str_t                   simulcast;

    ngx_uint_t                  ncodecs;
    ngx_uint_t                  nexts;
    ngx_uint_t                  nssrcs;
    ngx_uint_t                  nfids;
    ngx_uint_t                  nrids;

    /* only the first n of each are set */
    ngx_webrtc_sdp_codec_t      codecs[NGX_WEBRTC_SDP_CODECS];
    ngx_webrtc_sdp_ext_t        exts[NGX_WEBRTC_SDP_EXTS];
    ngx_webrtc_sdp_ssrc_t       ssrcs[NGX_WEBRTC_SDP_SSRCS];
    ngx_webrtc_sdp_fid_t        fids[NGX_WEBRTC_SDP_FIDS];
    ngx_webrtc_sdp_rid_t        rids[NGX_WEBRTC_SDP_RIDS];
} ngx_webrtc_sdp_media_t;


/* large, about 73 kB: allocate it from a pool, not on the stack */
typedef struct {
    uint64_t    sess_id;             /* of o=, 0 if it is no number */
    uint64_t    sess_version;

    /* 0 or 1 */
    uint8_t     ice_lite;
    uint8_t     trickle;             /* a=ice-options:trickle */
    uint8_t     bundle;              /* there is an a=group:BUNDLE */
    uint8_t     mixed_exts;          /* a=extmap-allow-mixed */
    uint8_t     end_of_candidates;

    uint8_t     direction;           /* session level only */

    ngx_webrtc_sdp_transport_t  transport;       /* session level only */

    ngx_uint_t                  nbundles;
    ngx_uint_t                  nexts;           /* session level only */
    ngx_uint_t                  ncandidates;
    ngx_uint_t                  nmedia;

    /* only the first n of each are set */
    ngx_webrtc_sdp_ext_t        exts[NGX_WEBRTC_SDP_EXTS];
    ngx_str_t                   bundles[NGX_WEBRTC_SDP_BUNDLES];
    ngx_webrtc_sdp_candidate_t  candidates[NGX_WEBRTC_SDP_CANDIDATES];
    ngx_webrtc_sdp_media_t      media[NGX_WEBRTC_SDP_MEDIA];
} ngx_webrtc_sdp_t;


/*
 * A description to print: an answer or an offer.  All text belongs to the
 * caller, must outlive the call and must be free of control characters.
 */

typedef struct {
    ngx_str_t   name;
    ngx_str_t   fmtp;                /* printed if not empty */
    uint32_t    clock_rate;
    uint8_t     pt;
    uint8_t     channels;            /* printed if above 1 */
    uint8_t     fb;                  /* NGX_WEBRTC_FB_* */
    uint8_t     rtx_pt;              /* NGX_WEBRTC_DESC_NO_PT = no RTX */
} ngx_webrtc_sdp_answer_codec_t;


typedef struct {
    ngx_str_t   type;
    ngx_str_t   proto;
    ngx_str_t   fmt;                 /* of a rejected m-line: any one format */
    ngx_str_t   mid;                 /* printed if not empty */

    uint8_t     rejected;            /* 1: port 0, the rest is not used */
    uint8_t     bundled;             /* 1: part of a=group:BUNDLE */
    uint8_t     rtcp_rsize;
    uint8_t     rcvr_rtt;            /* 1: a=rtcp-xr:rcvr-rtt=all */
    uint8_t     direction;           /* NGX_WEBRTC_SDP_* */

    ngx_uint_t                     ncodecs;      /* at least one */
    ngx_webrtc_sdp_answer_codec_t  codecs[NGX_WEBRTC_SDP_OUT_CODECS];

    ngx_uint_t                  nexts;
    ngx_webrtc_sdp_ext_t        exts[NGX_WEBRTC_SDP_OUT_EXTS];
    uint8_t                     mixed_exts;  /* a=extmap-allow-mixed */

    /* layers that we receive: their direction is not used */
    ngx_uint_t                  nrids;
    ngx_webrtc_sdp_rid_t        rids[NGX_WEBRTC_DESC_RIDS];

    /* of what we send; ssrc 0 = none, no msid either */
    uint32_t    ssrc;
    uint32_t    rtx_ssrc;
    ngx_str_t   track_id;            /* msid is "stream_id track_id" */
} ngx_webrtc_sdp_answer_media_t;


typedef struct {
    uint64_t    sess_id;             /* below 2^63 */
    uint64_t    sess_version;

    unsigned    ice_lite:1;
    unsigned    end_of_candidates:1;
    uint8_t     setup;               /* NGX_WEBRTC_SDP_SETUP_ACTIVE, _PASSIVE,
                                      * of an offer _ACTPASS */

    ngx_str_t   ufrag;
    ngx_str_t   pwd;
    ngx_str_t   fingerprint;         /* with the hash: "sha-256 AB:CD:..." */
    ngx_str_t   cname;
    ngx_str_t   stream_id;

    const ngx_webrtc_sdp_candidate_t  *candidates;
    ngx_uint_t                         ncandidates;

    ngx_uint_t                     nmedia;
    ngx_webrtc_sdp_answer_media_t  media[NGX_WEBRTC_SDP_MEDIA];
} ngx_webrtc_sdp_answer_t;


/*
 * Parses a whole description.  Lines end in CRLF or LF.  Fills in what is
 * implied by other lines: static payload types (RFC 3551), session-level
 * transport and extensions, `rtcp-fb:*`, apt of RTX, bundled.
 *
 *   sdp     need not be initialised; holds views into p .. end
 *   err     filled when refused
 *
 * NGX_OK
 * NGX_DECLINED  not SDP, malformed, or over a limit
 */
ngx_int_t ngx_webrtc_sdp_parse(u_char *p, u_char *end, ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_sdp_error_t *err);

/*
 * RFC 8122, 5.  Turns "AB:CD:..." into bytes.
 *
 *   alg     NGX_WEBRTC_FINGERPRINT_*: how many bytes there must be
 *   out     NGX_WEBRTC_DESC_FINGERPRINT bytes of room
 *
 * Returns the number of bytes, 0 if malformed or of the wrong length.
 */
size_t ngx_webrtc_sdp_parse_fingerprint(const ngx_str_t *text, ngx_uint_t alg,
    u_char *out);

/*
 * RFC 8445, 5.1.2.1.  Priority of our candidate number i (from 0) of that type,
 * component 1: earlier ones are preferred.
 */
uint32_t ngx_webrtc_sdp_priority(ngx_uint_t type, ngx_uint_t i);

/*
 * Prints a description.  Candidates and end-of-candidates go into the first
 * m-line that isn't rejected.
 *
 * Returns the position behind it (no null byte), or NULL if there is no room.
 */
u_char *ngx_webrtc_sdp_print(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer);

/*
 * Prints one candidate, "candidate:..." without "a=" and line end.
 *
 *   i       its number from 0, to generate a priority or foundation
 *           (RFC 8839, 5.1: both are required)
 *
 * Returns the position behind it, or NULL if there is no room or p is NULL.
 */
u_char *ngx_webrtc_sdp_print_candidate(u_char *p, u_char *end,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t i);


#endif /* _NGX_WEBRTC_SDP_H_INCLUDED_ */
