
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a demuxer's packets into video access units, each with a time.
 *
 *   FRAMES  the container's packets are access units (FLV, MP4, Matroska)
 *   TIME    several packets of one time are one (RTSP: RFC 6184, 5.1)
 *   BYTES   a byte stream cut at arbitrary points (PES, H.222.0, 2.14).
 *           Three states, as finding the end of a unit costs one unit of
 *           delay:
 *
 *           CHECK    each packet has been one so far; the last one is held,
 *                    until the next shows that it was whole
 *           DIRECT   as many were that it is taken for granted (live)
 *           SPLIT    they are not: the bytes are joined and searched, from
 *                    then on
 *   PARSE   the same for codecs other than H.264 and H.265: libavcodec's parser
 *           finds units, and which of them are key frames
 *
 * What is handed out has timestamps: those of its packet, or, where several
 * units begin in one, from the distance of units that have some.
 *
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_UNIT_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_UNIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>

#include "ngx_webrtc_track.h"
#include "ngx_webrtc_unit.h"


/* packets whose bytes may be in the buffer beside the unit's; chosen */
#define NGX_WEBRTC_SOURCE_UNIT_MARKS    16

/* units without a time that wait for the first one with a time; chosen */
#define NGX_WEBRTC_SOURCE_UNIT_PENDING  64


typedef enum {
    NGX_WEBRTC_SOURCE_UNIT_FRAMES = 0,
    NGX_WEBRTC_SOURCE_UNIT_TIME,
    NGX_WEBRTC_SOURCE_UNIT_CHECK,
    NGX_WEBRTC_SOURCE_UNIT_DIRECT,
    NGX_WEBRTC_SOURCE_UNIT_SPLIT,
    NGX_WEBRTC_SOURCE_UNIT_PARSE
} ngx_webrtc_source_unit_e;


/* where the bytes of a packet begin in the buffer */
typedef struct {
    size_t                     at;
    int64_t                    pts;
    int64_t                    dts;
} ngx_webrtc_source_unit_mark_t;


typedef struct {
    AVPacket                  *pkt;
    int64_t                    poc;
    unsigned                   key:1;
} ngx_webrtc_source_unit_pending_t;


/*
 * Takes over an access unit: moves the packet's reference.
 *
 *   pts, dts  90 kHz, unwrapped; or both AV_NOPTS_VALUE
 *   duration  90 kHz, 0: unknown
 *
 * 0, or a negative error of libav*
 */
typedef int (*ngx_webrtc_source_unit_out_pt)(void *ctx, AVPacket *pkt,
    int64_t pts, int64_t dts, int64_t duration);


typedef struct {
    ngx_webrtc_source_unit_e           state;
    ngx_webrtc_unit_t                  unit;
    unsigned                           nal:1;     /* H.264 or H.265 */
    unsigned                           live:1;
    ngx_uint_t                         run;       /* packets that were one */

    ngx_webrtc_source_unit_out_pt      out;
    void                              *ctx;
    uint32_t                           damaged;   /* left out so far */

    /* CHECK, TIME */

    AVPacket                          *held;
    int64_t                            held_pts;
    int64_t                            held_dts;

    /* SPLIT: the current unit is [start, used) */

    u_char                            *buf;
    size_t                             size;
    size_t                             start;
    size_t                             used;
    ngx_uint_t                         nmarks;
    ngx_webrtc_source_unit_mark_t      marks[NGX_WEBRTC_SOURCE_UNIT_MARKS];

    /* times */

    AVCodecParserContext              *parser;    /* picture order; PARSE */
    AVCodecContext                    *parser_ctx;

    unsigned                           set:1;     /* the three below */
    unsigned                           sequence:1;/* poc and pts too */
    unsigned                           reorders:1;/* pts may differ from dts */
    int64_t                            dts;       /* of the last with a time */
    int64_t                            poc;
    int64_t                            pts;

    int64_t                            delay;     /* pts - dts of key frames */
    int64_t                            step;      /* 90 kHz, 0: unknown */
    int64_t                            candidate;
    int64_t                            poc_step;  /* 90 kHz * 256 */
    ngx_uint_t                         untimed;   /* since then */

    ngx_uint_t                         npending;
    ngx_webrtc_source_unit_pending_t   pending[NGX_WEBRTC_SOURCE_UNIT_PENDING];
} ngx_webrtc_source_unit_t;


/*
 * Starts on a stream; the previous one must have been closed.
 *
 *   par    of the stream
 *   state  FRAMES, TIME, or CHECK
 *   live   delay counts
 *
 * Codecs other than H.264 and H.265 are PARSE unless they are FRAMES, or no
 * parser is needed or known.
 */
void ngx_webrtc_source_unit_init(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par, ngx_webrtc_source_unit_e state,
    ngx_uint_t live, ngx_webrtc_source_unit_out_pt out, void *ctx);

void ngx_webrtc_source_unit_close(ngx_webrtc_source_unit_t *u);

/*
 * Takes a packet, whose reference is moved.
 *
 *   pts, dts  90 kHz, unwrapped, or AV_NOPTS_VALUE
 *   duration  90 kHz, 0: unknown
 *
 * 0, or a negative error
 */
int ngx_webrtc_source_unit_put(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts, int64_t duration);

/*
 * What is known of the video of a codec of ngx_webrtc_foreign.h.
 *
 *   pkt   the first key frame
 */
void ngx_webrtc_source_unit_track(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par, AVPacket *pkt, ngx_webrtc_track_t *track);

/* A packet was lost between the last one and the next. */
void ngx_webrtc_source_unit_lost(ngx_webrtc_source_unit_t *u);

/* Hands out what is held back; called at the end. */
int ngx_webrtc_source_unit_drain(ngx_webrtc_source_unit_t *u);


/* For the file of PARSE: sets the state if the codec's packets are pieces. */
void ngx_webrtc_source_unit_parse_init(ngx_webrtc_source_unit_t *u,
    const AVCodecParameters *par);

/* Takes a packet as put() does, or NULL: hands out what is held back. */
int ngx_webrtc_source_unit_parse(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts);

/*
 * For the file of times: an access unit with or without timestamps, in order.
 * It moves the reference.
 */
int ngx_webrtc_source_unit_give(ngx_webrtc_source_unit_t *u, AVPacket *pkt,
    int64_t pts, int64_t dts, int64_t duration);

/* Gives units waiting for a time the best one known. */
int ngx_webrtc_source_unit_flush(ngx_webrtc_source_unit_t *u);


#endif /* _NGX_WEBRTC_SOURCE_UNIT_H_INCLUDED_ */
