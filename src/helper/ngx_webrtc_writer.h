
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Writes the frames that an output is fed in a container: into a file, to
 * another server, or for clients of HTTP.  Belongs to one thread.
 *
 *   - It begins with the first key frame where there is video, at time 0.
 *     Frames that come later and are earlier are left out.
 *   - Tracks are told before the first frame and stay what they are: whoever
 *     has other ones begins another file.
 *   - What a container cannot hold is left out, and said; if that is all,
 *     writing fails.
 *
 * A container is a row of functions.
 */


#ifndef _NGX_WEBRTC_WRITER_H_INCLUDED_
#define _NGX_WEBRTC_WRITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_movie_mux.h"
#include "ngx_webrtc_movie_sound.h"
#include "ngx_webrtc_target.h"
#include "ngx_webrtc_track.h"


/* zero bytes after a record's data, for what reads too far */
#define NGX_WEBRTC_WRITER_SPARE  AV_INPUT_BUFFER_PADDING_SIZE

/*
 * pictures by which one with B-frames may be decoded before it is shown;
 * chosen: the most of what encoders make by default is 2
 */
#define NGX_WEBRTC_WRITER_DEPTH  4

/* FF_COMPLIANCE_EXPERIMENTAL: what is new in a container for FFmpeg */
#define NGX_WEBRTC_WRITER_STRICT  (-2)


typedef struct ngx_webrtc_writer_s      ngx_webrtc_writer_t;
typedef struct ngx_webrtc_writer_ops_s  ngx_webrtc_writer_ops_t;


/*
 *   bytes     takes what has been written; flags: NGX_WEBRTC_MEDIA_MUXED_*.
 *             NGX_OK; NGX_ERROR: no more can be (it has said why)
 *   seek      goes to an offset of the file, -1: its end.  The offset, or -1.
 *             NULL: there is no file, but a stream of bytes
 *   stopped   has writing to end at once?
 *   say       tells the operator; text without secrets
 *   ctx       of all of these
 *   format    null-terminated
 *   url       where to, instead of bytes(); null-terminated, or NULL.  Then:
 *   target    its scheme
 *   verify    certificates are to be right
 *   late      ends calls of libavformat that wait: 1, see stopped.  With ctx
 *   part      takes what "cmaf" makes instead of bytes(); likewise
 *   *_us      of "cmaf": how long a segment is, and a part
 */
typedef struct {
    ngx_int_t              (*bytes)(void *ctx, u_char *p, size_t n,
                                    ngx_uint_t flags);
    int64_t                (*seek)(void *ctx, int64_t offset);
    ngx_uint_t             (*stopped)(void *ctx);
    void                   (*say)(void *ctx, ngx_uint_t level,
                                  const char *text);
    void                    *ctx;
    const char              *format;
    const char              *url;
    const ngx_webrtc_target_t  *target;
    ngx_uint_t               verify;     /* unsigned  verify:1; */
    int                    (*late)(void *ctx);
    ngx_int_t              (*part)(void *ctx, ngx_webrtc_media_record_t *r);
    int64_t                  segment_us;
    int64_t                  part_us;
} ngx_webrtc_writer_conf_t;


/*
 *   name     of "format"
 *   muxer    libavformat's name
 *   codecs   that it holds, up to AV_CODEC_ID_NONE; NULL: the muxer knows
 *   sound    what sound is encoded as; AV_CODEC_ID_NONE: it stays as it is
 *   begin    w->tracks[].par are set; there are frames of the first moment
 *   packet   one of a track; its times are in w->tracks[].units, its dts is
 *            not set.  It is left empty
 *   end      completes what has begun
 *   free     frees w->part; may be repeated
 *   raw      a packet of sound before it is encoded, to be left as it is; or
 *            NULL.  Then times are the stream's, and do not begin at 0
 *
 * begin, packet, raw: NGX_OK; NGX_ERROR: it has said why; raw: NGX_DECLINED, it
 * is left out
 */
struct ngx_webrtc_writer_ops_s {
    const char              *name;
    const char              *muxer;
    const enum AVCodecID    *codecs;
    enum AVCodecID           sound;
    ngx_int_t              (*begin)(ngx_webrtc_writer_t *w);
    ngx_int_t              (*packet)(ngx_webrtc_writer_t *w, ngx_uint_t i,
                                     AVPacket *pkt);
    void                   (*end)(ngx_webrtc_writer_t *w);
    void                   (*free)(ngx_webrtc_writer_t *w);
    ngx_int_t              (*raw)(ngx_webrtc_writer_t *w, AVPacket *pkt);
};


typedef struct {
    AVCodecParameters       *par;        /* NULL: not known yet, or left out */
    u_char                  *config;     /* as told */
    size_t                   nconfig;
    int64_t                  base;       /* ts of the file's 0 */
    int64_t                  end;        /* where its last frame ended */
    uint32_t                 clock;      /* of its frames, per second */
    uint32_t                 units;      /* of its packets */
    uint8_t                  codec;      /* 0: there is none */
    uint8_t                  traits;     /* of video */
    uint8_t                  channels;   /* of audio */
    unsigned                 left:1;     /* out: the container cannot hold it */
} ngx_webrtc_writer_track_t;


struct ngx_webrtc_writer_s {
    const ngx_webrtc_writer_conf_t  *conf;
    const ngx_webrtc_writer_ops_t   *ops;
    void                            *part;
    ngx_webrtc_writer_track_t        tracks[NGX_WEBRTC_MEDIA_TRACKS];
    AVPacket                        *pkt;
    AVIOContext                     *io;         /* to its URL, or NULL */
    ngx_webrtc_movie_sound_t         sound;      /* is encoded */
    AVCodecParameters               *raw;        /* of it, before that */
    uint64_t                         bytes;      /* of packets so far */
    uint8_t                          cvo;
    unsigned                         begun:1;
    unsigned                         sounds:1;   /* "sound" is in use */
};


/* conf outlives it.  NULL: no memory, or there is no such format. */
ngx_webrtc_writer_t *ngx_webrtc_writer_create(
    const ngx_webrtc_writer_conf_t *conf);
void ngx_webrtc_writer_destroy(ngx_webrtc_writer_t *w);

/*
 * Connects to its URL, where that can be done before there is media.
 *
 * NGX_OK; NGX_ERROR: it has said why
 */
ngx_int_t ngx_webrtc_writer_connect(ngx_webrtc_writer_t *w);

/*
 * Takes a record of what an output is fed (NGX_WEBRTC_MEDIA_BEGIN, ...);
 * NGX_WEBRTC_WRITER_SPARE bytes behind its data are 0.
 *
 * NGX_OK
 * NGX_DONE    END: it is complete
 * NGX_ERROR   it cannot go on, and has said why
 */
ngx_int_t ngx_webrtc_writer_record(ngx_webrtc_writer_t *w,
    ngx_webrtc_media_record_t *r);

/* Completes it; may be repeated. */
void ngx_webrtc_writer_end(ngx_webrtc_writer_t *w);

/* ms of media so far */
int64_t ngx_webrtc_writer_ms(ngx_webrtc_writer_t *w);

/* For the rows. */
void ngx_webrtc_writer_say(ngx_webrtc_writer_t *w, ngx_uint_t level,
    const char *fmt, ...);


/*
 * The camera's orientation (3GPP TS 26.114, 7.4.5).
 */
void ngx_webrtc_writer_fmp4_turn(ngx_webrtc_writer_t *w,
    ngx_webrtc_movie_mux_t *mux);

/* A frame of sound, also for who makes some. */
ngx_int_t ngx_webrtc_writer_heard(ngx_webrtc_writer_t *w, AVPacket *pkt);


/* the rows' functions: fragments of MP4, and what libavformat muxes */
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_fmp4;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_cmaf;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_mkv;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_ts;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_ts_aac;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_flv;
extern const ngx_webrtc_writer_ops_t  ngx_webrtc_writer_rtsp;


/*
 * ngx_webrtc_writer_target.c: what libavformat gets for a URL.
 *
 *   d     options are added to it
 */
void ngx_webrtc_writer_target_options(const ngx_webrtc_writer_conf_t *conf,
    AVDictionary **d);

/* Opens the URL of a writer: *io is set.  0, or an error of libavformat */
int ngx_webrtc_writer_target_open(const ngx_webrtc_writer_conf_t *conf,
    AVIOContext **io);

/* Says what went wrong with it. */
void ngx_webrtc_writer_target_wrong(ngx_webrtc_writer_t *w, const char *doing,
    int rc);


/*
 * ngx_webrtc_writer_par.c: what libavformat has to know of a track.
 *
 *   t        its codec, configuration and so on
 *   p, n     its first frame, of video a key frame; NGX_WEBRTC_WRITER_SPARE
 *            bytes follow
 *
 * NGX_OK; NGX_DECLINED: it is not a frame to begin with; NGX_ERROR: no memory
 */
ngx_int_t ngx_webrtc_writer_par(ngx_webrtc_writer_track_t *t, u_char *p,
    size_t n, AVCodecParameters *par);


#endif /* _NGX_WEBRTC_WRITER_H_INCLUDED_ */
