
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
 * The values are stored in shared memory that survives a reload: append only.
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
    NGX_WEBRTC_CODEC_N
};


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
    uint8_t      pad[3];
} ngx_webrtc_track_t;


#endif /* _NGX_WEBRTC_TRACK_H_INCLUDED_ */
