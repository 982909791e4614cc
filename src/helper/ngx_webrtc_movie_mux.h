
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fragmented MP4 (ISO/IEC 14496-12) of a picture and a sound track, for Media
 * Source Extensions: an initialization segment, then fragments of one moof and
 * one mdat each.  Belongs to one thread.
 *
 * Times begin at the movie's beginning.  There are no edit lists: what is shown
 * at time t has t as its presentation time, and decoding times follow from the
 * order of the pictures, never later than the first picture shown.
 */


#ifndef _NGX_WEBRTC_MOVIE_MUX_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_MUX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>

#include "ngx_webrtc_movie_buf.h"


#define NGX_WEBRTC_MOVIE_MUX_TRACKS   2

/* units per second of a picture's times */
#define NGX_WEBRTC_MOVIE_MUX_CLOCK    90000

/* us of a fragment at most; of the first one, so that it comes early; and at
 * least, where there is a key frame */
#define NGX_WEBRTC_MOVIE_MUX_LONG     2000000
#define NGX_WEBRTC_MOVIE_MUX_FIRST    500000
#define NGX_WEBRTC_MOVIE_MUX_SHORT    300000

/* us of a fragment at most, live; chosen: delay against the size of its head */
#define NGX_WEBRTC_MOVIE_MUX_LIVE     300000

/* bytes of a fragment, after which it ends as soon as it can; chosen: a second
 * of what discs have */
#define NGX_WEBRTC_MOVIE_MUX_LARGE    (6 * 1024 * 1024)

/* bytes of packets that are kept at most; chosen: of tracks that are seconds
 * apart in their file */
#define NGX_WEBRTC_MOVIE_MUX_KEEP     (48 * 1024 * 1024)

/* us that tracks may be apart in the file before one is taken for sparse */
#define NGX_WEBRTC_MOVIE_MUX_APART    3000000


/* a packet; dts and duration once they are known */
typedef struct {
    AVPacket                 *pkt;
    int64_t                   dts;
    unsigned                  known:1;
} ngx_webrtc_movie_sample_t;


typedef struct {
    AVCodecParameters        *par;
    AVBSFContext             *bsf;        /* of AAC with ADTS headers */
    uint32_t                  clock;
    ngx_uint_t                depth;      /* packets until a dts is known */
    ngx_webrtc_movie_sample_t  *samples;
    ngx_uint_t                n;
    ngx_uint_t                max;
    ngx_uint_t                known;      /* of them: their dts */
    int64_t                  *order;      /* pts of the others, sorted */
    ngx_uint_t                norder;
    int64_t                   next;       /* dts at which the last known ends */
    int64_t                   seen_us;    /* of the last packet */
    unsigned                  begun:1;
    unsigned                  annexb:1;   /* NAL units with start codes */
    unsigned                  video:1;
} ngx_webrtc_movie_mux_track_t;


typedef struct {
    ngx_webrtc_movie_mux_track_t   tracks[NGX_WEBRTC_MOVIE_MUX_TRACKS];
    ngx_uint_t                ntracks;
    size_t                    bytes;      /* kept */
    int64_t                   begin_us;   /* of the fragment to come */
    int64_t                   long_us;    /* how long it is at most, */
    int64_t                   short_us;   /* and at least */
    uint32_t                  sequence;
    int32_t                   matrix[9];  /* of the picture, if it is turned */
    unsigned                  turned:1;
    unsigned                  first:1;    /* none has been made */
    unsigned                  over:1;     /* no more packets come */
    ngx_webrtc_movie_buf_t    out;        /* what was made last */
} ngx_webrtc_movie_mux_t;


/*
 * Begins; any number of times, for another generation.
 *
 *   video, audio   what the packets will be; NULL: there is none
 *   depth          pictures by which one may be decoded before it is shown
 *   begin_us       time of the first picture
 *
 * NGX_OK; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_movie_mux_begin(ngx_webrtc_movie_mux_t *mux,
    const AVCodecParameters *video, const AVCodecParameters *audio,
    ngx_uint_t depth, int64_t begin_us);
void ngx_webrtc_movie_mux_end(ngx_webrtc_movie_mux_t *mux);

/*
 * Takes a packet, and leaves pkt empty.
 *
 *   tb   units of its times
 *
 * NGX_OK        also if it was of no use
 * NGX_ERROR     no memory, or too much would be kept
 */
ngx_int_t ngx_webrtc_movie_mux_packet(ngx_webrtc_movie_mux_t *mux,
    ngx_uint_t video, AVPacket *pkt, AVRational tb);

/*
 * Short fragments, for who plays them as they are made; each key frame begins
 * one.  After begin().
 */
void ngx_webrtc_movie_mux_live(ngx_webrtc_movie_mux_t *mux);

/* The picture is to be turned: a display matrix of libavutil; before init(). */
void ngx_webrtc_movie_mux_turn(ngx_webrtc_movie_mux_t *mux,
    const uint8_t *matrix);

/*
 * What the picture is like, as its encoder knows when it has had the first one;
 * before the first packet.  NGX_OK; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_movie_mux_encoder(ngx_webrtc_movie_mux_t *mux,
    const AVCodecContext *enc);

/* No more packets come. */
void ngx_webrtc_movie_mux_flush(ngx_webrtc_movie_mux_t *mux);

/*
 * Makes the initialization segment, in mux->out; once a fragment can be made:
 * some codecs describe themselves in their packets.
 *
 * NGX_OK; NGX_ERROR: there is no way to describe the tracks, or no memory
 */
ngx_int_t ngx_webrtc_movie_mux_init(ngx_webrtc_movie_mux_t *mux);

/*
 * Can a fragment be made?
 *
 *   cut_us   up to when
 *
 * NGX_OK, NGX_AGAIN, NGX_DONE (all has been made)
 */
ngx_int_t ngx_webrtc_movie_mux_ready(ngx_webrtc_movie_mux_t *mux,
    int64_t *cut_us);

/*
 * Makes the fragment up to then, in mux->out.
 *
 * NGX_OK; NGX_DECLINED: there would be nothing in it; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_movie_mux_fragment(ngx_webrtc_movie_mux_t *mux,
    int64_t cut_us);


#endif /* _NGX_WEBRTC_MOVIE_MUX_H_INCLUDED_ */
