
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Payloads that a server takes for H.264, VP8 and Opus, with a stamp in each:
 * who sent it when, and the how manieth it was.
 */


#ifndef _STAMP_H_INCLUDED_
#define _STAMP_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* payload types of our offers; RTX has the next one */
#define STAMP_PT_VP8     96
#define STAMP_PT_H264    102
#define STAMP_PT_OPUS    111

/* bytes of a stamp, of a payload at least */
#define STAMP_SIZE       46
#define STAMP_MIN        (STAMP_SIZE + 16)


typedef enum {
    STAMP_H264 = 0,
    STAMP_VP8,
    STAMP_OPUS
} stamp_codec_t;


typedef struct {
    uint32_t   gen;               /* of the publisher */
    uint8_t    track;             /* 0 video, 1 audio */
    uint32_t   n;                 /* of stamped packets of the track */
    uint32_t   frame;
    uint64_t   ns;                /* CLOCK_MONOTONIC, when it was sent */
} stamp_t;


/* what a packet is within its frame */
typedef struct {
    stamp_codec_t   codec;
    int             key;
    int             first;
    int             last;
} stamp_frame_t;


int stamp_pt(stamp_codec_t codec);
uint32_t stamp_rate(unsigned pt);          /* RTP clock of a payload type, Hz */

/*
 * Fills n >= STAMP_MIN bytes.  No byte but those of headers is 0, so that there
 * are no start codes in H.264.
 */
void stamp_write(unsigned char *p, size_t n, const stamp_frame_t *f,
    const stamp_t *s);

/* H.264: STAP-A of SPS and PPS; returns bytes */
size_t stamp_params(unsigned char *p);

/* 1: found, s is set */
int stamp_read(const unsigned char *p, size_t n, stamp_t *s);

/* whether the payload begins a key frame */
int stamp_is_key(unsigned pt, const unsigned char *p, size_t n);


#endif /* _STAMP_H_INCLUDED_ */
