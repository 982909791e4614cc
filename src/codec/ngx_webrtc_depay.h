
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Classifies a publisher's RTP payloads, which are passed on untouched: which
 * frame one belongs to, whether that is a key frame, whether viewers may start
 * there.  Nothing is reassembled.
 *
 *   H.264   RFC 6184   single NAL unit, STAP-A, FU-A
 *   H.265   RFC 7798   single NAL unit, AP, FU; no DONL
 *   VP8     RFC 7741
 *   VP9     RFC 9628
 *   AV1     RTP Payload Format For AV1 (v1.0)
 *   Opus, G.722, PCMU, PCMA    RFC 7587, RFC 3551
 *   RED     RFC 2198, see ngx_webrtc_red.h
 *
 * Parameter sets (H.264, H.265) in packets of their own are kept and not passed
 * on in place: all known ones are sent again in front of the next frame that
 * needs them.  So a key frame always begins with its parameter sets, which have
 * its timestamp, however the publisher sends them.  The same is done with the
 * sequence header of AV1.
 *
 * Sans-I/O: no allocation, no clock, no globals.  Plain memory, one per track
 * and publisher, 2.5 KB.
 *
 * Usage, per packet in the order of sequence numbers (ngx_webrtc_reorder.h):
 *
 *     rc = ngx_webrtc_depay_input(d, &pkt, &info);
 *
 *     if (rc == NGX_OK) {
 *         while (ngx_webrtc_depay_prefix(d, buf, sizeof(buf), &n, &flags)
 *                == NGX_OK)
 *         {
 *             (write n bytes of buf with flags, with the packet's timestamp)
 *         }
 *
 *         (write the packet with info.flags)
 *     }
 *
 *     if (info.changed) {
 *         (d->track has news: copy it to the stream)
 *     }
 */


#ifndef _NGX_WEBRTC_DEPAY_H_INCLUDED_
#define _NGX_WEBRTC_DEPAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_dd.h"
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_codec.h"
#include "ngx_webrtc_nal.h"


typedef struct ngx_webrtc_depay_s      ngx_webrtc_depay_t;
typedef struct ngx_webrtc_depay_ops_s  ngx_webrtc_depay_ops_t;


/*
 * Bytes of a payload that ngx_webrtc_depay_prefix() makes, at most; datagrams
 * stay within 1200 bytes, as with the packetizers.  A parameter set that does
 * not fit is passed on in place.
 */
#define NGX_WEBRTC_DEPAY_PAYLOAD    1150

/*
 * H.264, H.265: frames without an IDR (IRAP) picture after which one with a
 * recovery point counts as a key frame; as in ngx_webrtc_pack_probe()
 */
#define NGX_WEBRTC_DEPAY_RECOVERY   300


/* one RTP packet, its header parsed */
typedef struct {
    u_char      *payload;         /* n bytes, without padding; not owned */
    size_t       n;
    uint32_t     ts;              /* as in its header */
    unsigned     marker:1;        /* as in its header */
    unsigned     gap:1;           /* packets before it are lost for good */
    unsigned     red:1;           /* audio: wrapped in RED */
    uint8_t      block_pt;        /* of RED: the codec's payload type */
    uint16_t     told;            /* NGX_WEBRTC_DD_*: what a header extension
                                     says of its layer; 0: there is none */
} ngx_webrtc_depay_packet_t;


typedef struct {
    /*
     * NGX_WEBRTC_PKT_*.
     *
     * FIRST is where a decoder can start reading the frame: after SEI and
     * access unit delimiters in packets of their own, and never if the
     * beginning was lost.  KEY is on all packets of a key frame from the one
     * that identifies it (the first one, except for such SEI and delimiters).
     * MARKER is the marker bit as received; LAST is the same for video.  A
     * frame whose last packet was lost has neither.
     *
     * A packet with a prefix does not have FIRST: the prefix has it.  Audio
     * packets are FIRST and LAST.
     */
    ngx_uint_t   flags;

    ngx_uint_t   layer;           /* NGX_WEBRTC_LAYER_*; a prefix has no END */

    unsigned     prefix:1;        /* call ngx_webrtc_depay_prefix() first */
    unsigned     changed:1;       /* d->track is new, on any result */
    unsigned     frame:1;         /* first packet seen of a frame's picture,
                                     whole or not: for counting */
    unsigned     key_needed:1;    /* decoding cannot start or go on here: the
                                     publisher should be asked for a key frame
                                     (cut key frame, no parameter sets, or a
                                     gap in video, unless a key frame with all
                                     it needs begins behind it) */
    unsigned     dtx:1;           /* Opus: only comfort noise; a pause of up to
                                     400 ms may follow */
} ngx_webrtc_depay_info_t;


/* what a codec reports about one payload */

typedef struct {
    unsigned     picture:1;       /* has coded samples */
    unsigned     start:1;         /* they are the first ones of the frame */
    unsigned     key:1;           /* of a key frame, or of its first part */
    unsigned     intra:1;         /* may be one at a recovery point */
    unsigned     discard:1;       /* nothing refers to the frame */
    unsigned     recovery:1;      /* a recovery point SEI */
    unsigned     sets:1;          /* parameter sets, kept */
    unsigned     fresh:1;         /* one of these is new */
    unsigned     whole:1;         /* all that a key frame needs */
    unsigned     other:1;         /* anything else */
    unsigned     changed:1;       /* d->track */

    /* layers inside the stream; ..._NUMBERS: a header extension knows better */
    unsigned     layered:2;       /* NGX_WEBRTC_DEPAY_LAYERED, ..._NUMBERS */
    unsigned     sync:1;          /* the frame depends on lower temporal layers
                                     only */
    unsigned     end:1;           /* of the spatial layer in the picture */
    uint8_t      tid;             /* temporal layer */
    uint8_t      sid;             /* spatial layer */
    uint8_t      ups;             /* temporal layers, a bit each, that may be
                                     begun behind this frame */
    uint8_t      sids;            /* spatial layers that there may be, 0: not
                                     told */
} ngx_webrtc_depay_kind_t;


#define NGX_WEBRTC_DEPAY_LAYERED  1
#define NGX_WEBRTC_DEPAY_NUMBERS  2

/* all temporal layers above tid, a bit each */
#define ngx_webrtc_depay_above(tid)                                           \
    ((uint8_t) (((1 << NGX_WEBRTC_LAYER_MOST) - 1) & ~((2 << (tid)) - 1)))


/*
 * A codec's functions.  Of d they may change track, params, max_tid, reduced,
 * sids, tids and group, and only once the whole payload was found to be
 * well-formed.
 */

struct ngx_webrtc_depay_ops_s {
    /*
     * kind: zeroed by the caller.  NGX_OK; NGX_DECLINED: malformed.  NULL:
     * audio, each packet is a frame.
     */
    ngx_int_t  (*kind)(ngx_webrtc_depay_t *d,
                       const ngx_webrtc_depay_packet_t *pkt,
                       ngx_webrtc_depay_kind_t *kind);

    /*
     * Writes kept parameter sets, from number *next on, into one payload;
     * advances *next.  Returns the bytes, or 0: no more, or no room.  NULL:
     * the codec has none.
     */
    size_t     (*prefix)(ngx_webrtc_depay_t *d, ngx_uint_t *next,
                         u_char *buf, size_t size);

    ngx_uint_t   types;         /* of parameter sets that a key frame needs */

    /* audio: bytes of a packet without sound, at most; 0: no such packets */
    size_t       silence;

    /*
     * Audio: whether 1 or 2 channels are in a packet; NULL: it does not say.  A
     * track has two from the first packet with two on, as encoders leave out
     * the second one where both are the same.
     */
    ngx_uint_t (*channels)(u_char *p, size_t n);

    /* ngx_webrtc_depay_plain(); NULL: payloads have no such numbers */
    u_char    *(*plain)(u_char *p, u_char *end);

    /*
     * ngx_webrtc_depay_join(), but for the bits below.  NULL: payloads do not
     * say what is a frame.
     *
     *   joins   1: the packet before has these bits, and is to be continued
     */
    u_char    *(*join)(u_char *p, size_t *n, ngx_uint_t joins, u_char *buf);

    /* bits of a payload's first byte: the next packet continues its frame */
    u_char       open;
};


/*
 * VP9, without flexible mode: the pictures of a group, which repeats itself
 * from the one on that announces it; RFC 9628, 4.2.1
 */
#define NGX_WEBRTC_DEPAY_GROUP  32

/* pictures back, more than one may refer to (P_DIFF has 7 bits); a power of
 * two */
#define NGX_WEBRTC_DEPAY_PICTURES  128

typedef struct {
    uint8_t                n;           /* pictures; 0: not known */
    uint8_t                wide;        /* their numbers have 15 bits, not 7 */
    uint16_t               first;       /* number of the first one */
    uint32_t               ups;         /* a bit each: switching up points, */
    uint32_t               syncs;       /* and those that refer to lower
                                           temporal layers only */
} ngx_webrtc_depay_group_t;


/* private except for track, layered, sids and the counters */
struct ngx_webrtc_depay_s {
    const ngx_webrtc_depay_ops_t  *ops;
    ngx_webrtc_track_t     track;       /* profile, size, traits as last
                                           seen */

    uint64_t               frames;
    uint64_t               keyframes;
    uint64_t               malformed;   /* packets declined */

    uint32_t               ts;          /* of the frame */
    uint32_t               key_age;     /* frames since an IDR, IRAP */
    ngx_uint_t             flags;       /* KEY, DISCARD of the frame */

    uint8_t                max_tid;     /* H.265: highest TemporalId, 0xff:
                                           not known */
    uint8_t                reduced;     /* AV1: reduced_still_picture_header */
    uint8_t                prefix;      /* to be returned: 1 the first, 2 more
                                           of them, 0 none */
    uint8_t                prefix_next; /* the next set of params */
    uint8_t                layer;       /* of the frame: NGX_WEBRTC_LAYER_TID
                                           and _SYNC */
    uint8_t                open;        /* temporal layers, a bit each, that may
                                           be begun with their next frame */
    uint8_t                sids;        /* spatial layers, 0: not known */
    ngx_webrtc_depay_group_t  group;    /* VP9 */
    uint8_t                tids[NGX_WEBRTC_DEPAY_PICTURES];
                                        /* VP9, flexible mode: of the last
                                           pictures, by their numbers */

    unsigned               started:1;   /* there was a frame */
    unsigned               begun:1;     /* its kind is known */
    unsigned               written:1;   /* a packet of it was passed on */
    unsigned               pending:1;   /* parameter sets taken in, and new */
    unsigned               recovery:1;  /* a recovery point SEI was in it */
    unsigned               gap:1;       /* directly before the next packet */
    unsigned               layered:1;   /* its frames say of which temporal
                                           layer they are */
    unsigned               placed:1;    /* so does the frame: layer is set */
    unsigned               joins:1;     /* the last packet of it is open */
    unsigned               shifted:1;   /* frames of a picture are of different
                                           temporal layers */

    ngx_webrtc_params_t    params;
};


/*
 *   codec   its row, ngx_webrtc_codec()
 *
 * NGX_OK
 * NGX_DECLINED  no codec of ours, or RED
 */

ngx_int_t ngx_webrtc_depay_init(ngx_webrtc_depay_t *d,
    const ngx_webrtc_codec_t *codec);

/*
 * Classifies one packet.
 *
 *   info   always filled in
 *
 * NGX_OK        to be written, after what ngx_webrtc_depay_prefix() returns
 * NGX_DONE      kept (parameter sets), or empty (padding, with n == 0): not to
 *               be written
 * NGX_DECLINED  malformed, or RED with another codec; not to be written
 */

ngx_int_t ngx_webrtc_depay_input(ngx_webrtc_depay_t *d,
    const ngx_webrtc_depay_packet_t *pkt, ngx_webrtc_depay_info_t *info);

/*
 * Makes the next payload to be sent before the packet for which input()
 * returned NGX_OK.
 *
 *   buf, size   room; NGX_WEBRTC_DEPAY_PAYLOAD bytes are always enough
 *   n           out: bytes written
 *   flags       out: NGX_WEBRTC_PKT_*
 *
 * NGX_OK        write it, and call again
 * NGX_DONE      no more
 *
 * A caller that drops a frame need not call this: new sets then go before the
 * next frame.
 */

ngx_int_t ngx_webrtc_depay_prefix(ngx_webrtc_depay_t *d, u_char *buf,
    size_t size, size_t *n, ngx_uint_t *flags);

/*
 * A payload without what numbers its frames and layers (VP8, VP9), so that
 * frames of another encoder may follow: receivers then go by the packets'
 * sequence numbers alone.  It is changed in place.
 *
 *   p, end   a payload that ngx_webrtc_depay_input() has found well-formed
 *
 * It is needed also where frames of temporal layers are left out later, but not
 * where they are of several spatial ones: ngx_webrtc_depay_numbered().
 *
 * Returns where it begins now.
 */
u_char *ngx_webrtc_depay_plain(ngx_webrtc_depay_t *d, u_char *p, u_char *end);

/*
 * A payload, so that receivers see one frame in all packets of a picture.  Of
 * AV1 without dependency descriptors they take for a frame what lies between
 * two packets that end with an OBU: each spatial layer is one, a sequence
 * header in front, and a group of tiles.  libwebrtc puts frames of one time
 * together only if descriptors say how (CombineAndDeleteFrames()).
 *
 *   p, n    a payload of input() or prefix(), in their order; it is changed in
 *           place
 *   more    1: others of its picture follow
 *   buf     room for n + NGX_WEBRTC_DEPAY_JOIN bytes
 *
 * Returns where it begins now, *n are its bytes.
 *
 * Where the rest of a picture is left out, the first byte of the last packet
 * that is sent is ngx_webrtc_depay_closed().
 */
#define NGX_WEBRTC_DEPAY_JOIN  3

u_char *ngx_webrtc_depay_join(ngx_webrtc_depay_t *d, u_char *p, size_t *n,
    ngx_uint_t more, u_char *buf);

/* bytes by which a payload may become longer */
#define ngx_webrtc_depay_grows(d)                                             \
    ((d)->ops->join ? NGX_WEBRTC_DEPAY_JOIN : 0)

#define ngx_webrtc_depay_closed(ops, byte)  ((u_char) ((byte) & ~(ops)->open))

/* 1: frames may be left out, and receivers would miss their numbers */
#define ngx_webrtc_depay_numbered(d)  ((d)->layered && (d)->sids < 2)


/*
 * For the codecs.  Sets profile and size of d->track; 0 leaves the size as it
 * is.  Returns 1 if the track changed.
 */

ngx_uint_t ngx_webrtc_depay_track(ngx_webrtc_depay_t *d, uint32_t profile,
    ngx_uint_t width, ngx_uint_t height);

/* The same for what an SPS says of decoding: see ngx_webrtc_h264_sps_t. */

ngx_uint_t ngx_webrtc_depay_form(ngx_webrtc_depay_t *d, ngx_uint_t depth,
    ngx_uint_t chroma, ngx_uint_t traits, ngx_uint_t reorder);


#endif /* _NGX_WEBRTC_DEPAY_H_INCLUDED_ */
