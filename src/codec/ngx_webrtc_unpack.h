
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Depacketizers: RTP payloads in, a frame out; what ngx_webrtc_pack.h does, the
 * other way round.
 *
 *   H.264   RFC 6184   single NAL unit, STAP-A, FU-A -> Annex B
 *   H.265   RFC 7798   single NAL unit, AP, FU; no DONL -> Annex B
 *   VP8     RFC 7741   a frame
 *   VP9     RFC 9628   a frame; those of several spatial layers: a superframe
 *   AV1     AV1 RTP    a temporal unit of OBUs with sizes, without delimiter
 *   audio              a frame; of RED (RFC 2198) the primary block
 *   ngx_webrtc_foreign.h   the codec's configuration, and a frame
 *
 * Start codes have four bytes.  The payloads are those of one frame, all of
 * them and in order: the caller knows where frames begin and end, and what was
 * lost.
 *
 * Sans-I/O: no allocation, no clock, no globals.  The caller provides a buffer
 * and makes it larger between two payloads: it may move.
 */


#ifndef _NGX_WEBRTC_UNPACK_H_INCLUDED_
#define _NGX_WEBRTC_UNPACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_codec.h"
#include "ngx_webrtc_vp9_hide.h"


/*
 * Bytes that a payload of n may add to the frame, at most, with what ends a
 * frame: start codes take the place of lengths of two bytes before NAL units of
 * one; 34 are the index of a superframe, whose frames may have a byte more
 * each.
 */
#define ngx_webrtc_unpack_room(n)  (2 * (n) + 64)

/* frames of a superframe: VP9, Annex B */
#define NGX_WEBRTC_UNPACK_LAYERS   8


typedef struct ngx_webrtc_unpack_s      ngx_webrtc_unpack_t;
typedef struct ngx_webrtc_unpack_ops_s  ngx_webrtc_unpack_ops_t;


/* a codec's implementation of the functions below; end may be NULL */

struct ngx_webrtc_unpack_ops_s {
    ngx_int_t  (*payload)(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
                          ngx_uint_t flags);
    ngx_int_t  (*end)(ngx_webrtc_unpack_t *u);
};


struct ngx_webrtc_unpack_s {
    const ngx_webrtc_unpack_ops_t  *ops;

    u_char      *data;            /* the caller's */
    size_t       n;               /* bytes of the frame so far */

    /*
     * Leading bytes of these that are the codec's configuration, as it is in
     * libavcodec's extradata; 0 where it is part of the frame, or of none
     */
    size_t       config;

    /* the rest is the codecs' own */

    size_t       mark;            /* where a piece that is cut begins */
    size_t       layers[NGX_WEBRTC_UNPACK_LAYERS];
    uint8_t      nlayers;
    unsigned     open:1;          /* the last piece goes on */

    ngx_webrtc_vp9_refs_t  refs;  /* of all frames so far */
};


/*
 *   codec   its row, ngx_webrtc_codec()
 *
 * NGX_OK
 * NGX_DECLINED  no depacketizer for this codec
 */

ngx_int_t ngx_webrtc_unpack_init(ngx_webrtc_unpack_t *u,
    const ngx_webrtc_codec_t *codec);

/* A new frame begins: what there was of the last one is forgotten. */

void ngx_webrtc_unpack_begin(ngx_webrtc_unpack_t *u);

/*
 * Adds a payload of the frame.
 *
 *   u->data  has room for u->n + ngx_webrtc_unpack_room(n) bytes
 *   p, n     the payload, not padded; not modified
 *   flags    NGX_WEBRTC_PKT_*
 *
 * NGX_OK
 * NGX_DECLINED  malformed, or a piece of something whose beginning is missing:
 *               the frame is no use any more
 */

ngx_int_t ngx_webrtc_unpack_payload(ngx_webrtc_unpack_t *u, u_char *p,
    size_t n, ngx_uint_t flags);

/*
 * There are no more payloads.
 *
 * NGX_OK        u->data, u->n are the frame
 * NGX_DECLINED  its end is missing, or it is empty
 */

ngx_int_t ngx_webrtc_unpack_end(ngx_webrtc_unpack_t *u);


/*
 * For the codecs.
 *
 *   put      appends bytes
 *   audio    as ops->payload, for all audio
 */

void ngx_webrtc_unpack_put(ngx_webrtc_unpack_t *u, const u_char *p, size_t n);
ngx_int_t ngx_webrtc_unpack_audio(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    ngx_uint_t flags);

extern const ngx_webrtc_unpack_ops_t  ngx_webrtc_unpack_audio_ops;

/*
 * For H.264 and H.265: a whole NAL unit; the units of an aggregation packet,
 * from behind its header; a fragment.
 *
 *   header   bytes of NAL unit header that nal has, as it was
 *   p, n     of the fragment, what follows its headers
 *   start, end   bits of the FU header, not 0: set
 *
 * NGX_OK, NGX_DECLINED
 */

void ngx_webrtc_unpack_nal(ngx_webrtc_unpack_t *u, u_char *p, size_t n);
ngx_int_t ngx_webrtc_unpack_nals(ngx_webrtc_unpack_t *u, u_char *p, size_t n,
    size_t header);
ngx_int_t ngx_webrtc_unpack_fragment(ngx_webrtc_unpack_t *u, u_char *nal,
    size_t header, u_char *p, size_t n, ngx_uint_t start, ngx_uint_t end);


#endif /* _NGX_WEBRTC_UNPACK_H_INCLUDED_ */
