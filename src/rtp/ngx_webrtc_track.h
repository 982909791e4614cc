
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Tracks, and the numbers of codecs.
 */


#ifndef _NGX_WEBRTC_TRACK_H_INCLUDED_
#define _NGX_WEBRTC_TRACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* media kinds; 0 is none */

#define NGX_WEBRTC_AUDIO  1
#define NGX_WEBRTC_VIDEO  2


/*
 * The values are stored in shared memory that survives a reload; how many there
 * are is part of its layout.
 */

enum ngx_webrtc_codec_e {
    NGX_WEBRTC_CODEC_NONE = 0,
    NGX_WEBRTC_CODEC_H264,
    NGX_WEBRTC_CODEC_H265,
    NGX_WEBRTC_CODEC_VP8,
    NGX_WEBRTC_CODEC_VP9,
    NGX_WEBRTC_CODEC_AV1,
    NGX_WEBRTC_CODEC_OPUS,
    NGX_WEBRTC_CODEC_PCMU,
    NGX_WEBRTC_CODEC_PCMA,
    NGX_WEBRTC_CODEC_G722,
    NGX_WEBRTC_CODEC_RED,

    /* not sent to anybody, but transcoded: see ngx_webrtc_foreign.h */

    NGX_WEBRTC_CODEC_MPEG1,
    NGX_WEBRTC_CODEC_MPEG2,
    NGX_WEBRTC_CODEC_MPEG4,       /* part 2 */
    NGX_WEBRTC_CODEC_MJPEG,
    NGX_WEBRTC_CODEC_H263,
    NGX_WEBRTC_CODEC_FLV1,        /* Sorenson's H.263 */
    NGX_WEBRTC_CODEC_VP6F,        /* of FLV */
    NGX_WEBRTC_CODEC_VP6A,        /* same, with a second picture: alpha */
    NGX_WEBRTC_CODEC_VC1,
    NGX_WEBRTC_CODEC_WMV3,
    NGX_WEBRTC_CODEC_PRORES,
    NGX_WEBRTC_CODEC_DNXHD,
    NGX_WEBRTC_CODEC_JPEG2000,
    NGX_WEBRTC_CODEC_DV,
    NGX_WEBRTC_CODEC_N
};


/* 1: one of those that are only transcoded */
#define ngx_webrtc_foreign(codec)                                             \
    ((codec) >= NGX_WEBRTC_CODEC_MPEG1 && (codec) < NGX_WEBRTC_CODEC_N)


/*
 * ngx_webrtc_track_t.flags: what is known of a track before it starts.
 *
 *   PENDING     nothing of it has come yet
 *   ANNOUNCED   the source says that it will come
 *   GUESSED     it or its codec was not announced: a likely guess
 */

#define NGX_WEBRTC_TRACK_PENDING    0x01
#define NGX_WEBRTC_TRACK_ANNOUNCED  0x02
#define NGX_WEBRTC_TRACK_GUESSED    0x04


/*
 * ngx_webrtc_track_t.traits, of video; a trait is not there until it has been
 * seen or announced by the stream's headers.
 *
 *   REORDERED   pictures are not shown in decoding order: it has B-frames.
 *               Stays for as long as the source runs
 *   NO_IDR      decoding begins at a recovery point (intra refresh, or open
 *               groups of pictures), where browsers cannot.  Goes when there
 *               is an IDR picture
 *   INTERLACED  coded as fields, or as frames of two fields
 */

#define NGX_WEBRTC_TRACK_REORDERED   0x01
#define NGX_WEBRTC_TRACK_NO_IDR      0x02
#define NGX_WEBRTC_TRACK_INTERLACED  0x04
#define NGX_WEBRTC_TRACK_TRAITS      0x07


/* ngx_webrtc_track_t.chroma; 1 to 3 as chroma_format_idc of H.264 and H.265 */

#define NGX_WEBRTC_CHROMA_UNKNOWN    0
#define NGX_WEBRTC_CHROMA_420        1
#define NGX_WEBRTC_CHROMA_422        2
#define NGX_WEBRTC_CHROMA_444        3
#define NGX_WEBRTC_CHROMA_MONO       4


/*
 * Pictures that may be shown before one that precedes them in the stream: of
 * decoders' headers, kept beside a track.
 */

#define NGX_WEBRTC_REORDER_UNKNOWN   0xff


/*
 * One track of a stream.  Plain data, lives in shared memory; written by the
 * holder of the stream's claim.  All zero is "no track".
 */

typedef struct {
    uint8_t      kind;            /* NGX_WEBRTC_AUDIO, NGX_WEBRTC_VIDEO */
    uint8_t      codec;           /* NGX_WEBRTC_CODEC_* */
    uint8_t      channels;        /* audio; 0 for video */
    uint8_t      flags;           /* NGX_WEBRTC_TRACK_*, 0: it is there */
    uint32_t     clock_rate;      /* RTP timestamp units per second */

    /*
     * Video, 0 while unknown.
     *   H.264     the 24 bits of profile-level-id, RFC 6184, 8.1
     *   H.265     profile-id << 16 | tier-flag << 8 | level-id, RFC 7798, 7.1
     *   VP9       profile << 16                      (level is not coded)
     *   AV1       profile << 16 | tier << 8 | level-idx, AV1 RTP, 7.2.1
     *   VP8       0
     */
    uint32_t     profile;

    uint16_t     width;           /* luma samples after cropping; 0 unknown */
    uint16_t     height;

    uint8_t      cvo;             /* video: its orientation, bits of
                                     NGX_WEBRTC_CVO_MASK */
    uint8_t      traits;          /* video: NGX_WEBRTC_TRACK_REORDERED ... */
    uint8_t      depth;           /* video: bits of a luma sample; 0 unknown */
    uint8_t      chroma;          /* NGX_WEBRTC_CHROMA_* */
} ngx_webrtc_track_t;


#endif /* _NGX_WEBRTC_TRACK_H_INCLUDED_ */
