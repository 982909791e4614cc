
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * State of reading a source: its two streams and the queued frames; shared by
 * the parts that read (ngx_webrtc_source_read.h and below).
 */


#ifndef _NGX_WEBRTC_SOURCE_READER_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_READER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "ngx_webrtc_aac.h"
#include "ngx_webrtc_track.h"
#include "ngx_webrtc_timestamp.h"
#include "ngx_webrtc_splice.h"
#include "ngx_webrtc_feed.h"
#include "ngx_webrtc_source_unit.h"


typedef struct ngx_webrtc_source_item_s  ngx_webrtc_source_item_t;

/* 16 bits are program numbers: ISO/IEC 13818-1, 2.4.4.5 */
#define NGX_WEBRTC_SOURCE_NO_PROGRAM  (-1)


/* a coded frame */
struct ngx_webrtc_source_item_s {
    ngx_webrtc_source_item_t    *next;
    ngx_webrtc_source_item_t    *prev;

    AVPacket                    *pkt;
    int64_t                      pts;        /* 90 kHz */
    int64_t                      dts;
    unsigned                     kind:2;     /* NGX_WEBRTC_VIDEO, _AUDIO */
    unsigned                     seam:1;     /* the track's first in a pass */
    unsigned                     untimed:1;  /* follows the previous one */

    /* the caller's */
    unsigned                     seen:1;
    unsigned                     arrived:1;
    unsigned                     key:1;
    int64_t                      back_us;    /* it should have come before */
};


/* one of the two streams */
typedef struct {
    int                          index;      /* in the demuxer, -1: none */
    enum AVCodecID               id;
    enum AVCodecID               first;      /* the track's, as announced */
    ngx_uint_t                   codec;      /* NGX_WEBRTC_CODEC_*, video */

    AVCodecParserContext        *parser;     /* if packets are not frames */
    AVCodecContext              *parser_ctx;
    ngx_webrtc_aac_t             aac;

    ngx_webrtc_source_item_t    *hidden;     /* see ngx_webrtc_source_hide.h */
    ngx_webrtc_source_item_t    *hidden_last;
    ngx_uint_t                   nhidden;
    size_t                       hidden_size;

    unsigned                     set:1;      /* the two below */
    unsigned                     seam:1;
    int64_t                      dts;        /* of the previous frame */
    int64_t                      next;       /* its end, expected */
} ngx_webrtc_source_stream_t;


typedef struct {
    AVFormatContext             *ic;         /* not owned */
    AVPacket                    *pkt;

    unsigned                     paced:1;
    unsigned                     ts:1;       /* MPEG-TS: frames made here */
    unsigned                     flv:1;
    unsigned                     rtp:1;      /* RTSP */
    unsigned                     enhanced:1; /* see _enhanced.h: there is one */
    unsigned                     enhanced_anew:1; /* ... and a new header */
    unsigned                     foreign:1;  /* codecs that are transcoded are
                                                taken */
    unsigned                     warned:2;   /* kinds, of unknown codecs */
    unsigned                     scrambled:2; /* kinds that do not come */
    unsigned                     chosen:1;   /* program, see _program.h */
    unsigned                     all:1;      /* programs are known */

    int                          enhanced_index;  /* in this stream */

    int                          wanted;     /* program, as configured */
    int                          program;    /* being played */
    ngx_uint_t                   nskipped;   /* packets before, */
    int64_t                      since_us;   /* and when the first one came */

    ngx_webrtc_ts_unwrap_t       unwrap;
    ngx_webrtc_source_stream_t   video;
    ngx_webrtc_source_stream_t   audio;
    ngx_webrtc_source_unit_t     unit;       /* of video */

    ngx_webrtc_splice_t          splice;     /* by kind: audio, video */
    int64_t                      came_us;    /* the current packet */
    int64_t                      lead;       /* most that one track came
                                                before the other, 90 kHz */
    int64_t                      offset;     /* of this pass of a loop */
    int64_t                      first;      /* least pts of a pass, raw */
    int64_t                      end;        /* greatest end of a frame */
    ngx_uint_t                   nread;      /* frames of this pass */

    uint32_t                     damaged;    /* frames dropped so far */

    ngx_uint_t                   n;          /* the queue, by dts when paced */
    size_t                       size;
    ngx_webrtc_source_item_t    *head;
    ngx_webrtc_source_item_t    *tail;

    /* called for a stream whose codec cannot be used; once per kind */
    void                       (*unknown)(void *ctx, ngx_uint_t kind,
                                          const char *codec);
    void                        *ctx;
} ngx_webrtc_source_read_t;


#endif /* _NGX_WEBRTC_SOURCE_READER_H_INCLUDED_ */
