
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a media file is, as the media process finds out and tells its worker,
 * and how it is played for a client that cannot play it as it is
 * (webrtc_file_transcode).  Pure; both sides use it.
 *
 * Codecs have the names of RFC 6381, as browsers know them.  A name that a
 * client accepts stands for what is less demanding, too: a lower profile or
 * level of the same codec.
 */


#ifndef _NGX_WEBRTC_MOVIE_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* tracks of a file; chosen: a disc's; more are not looked at */
#define NGX_WEBRTC_MOVIE_TRACKS    32

/* bytes of a codec's name, and of FFmpeg's own name for it */
#define NGX_WEBRTC_MOVIE_CODEC     40
#define NGX_WEBRTC_MOVIE_PLAIN     24

/* codecs that a client accepts; chosen: more than there are */
#define NGX_WEBRTC_MOVIE_ACCEPTS   32

/* bytes of "accept"; chosen: all names that it may have */
#define NGX_WEBRTC_MOVIE_ACCEPT    1024

/* qualities of a file: as it is, and the heights below it */
#define NGX_WEBRTC_MOVIE_QUALITIES  6

/* ms; chosen: a year */
#define NGX_WEBRTC_MOVIE_LONGEST   (366ull * 86400 * 1000)

/* bytes of a movie that is written at most */
#define NGX_WEBRTC_MOVIE_SIZE                                                 \
    (16 + NGX_WEBRTC_MOVIE_TRACKS                                             \
          * (12 + NGX_WEBRTC_MOVIE_CODEC + NGX_WEBRTC_MOVIE_PLAIN))


typedef enum {
    NGX_WEBRTC_MOVIE_VIDEO = 1,
    NGX_WEBRTC_MOVIE_AUDIO,
    NGX_WEBRTC_MOVIE_TEXT
} ngx_webrtc_movie_kind_e;


/* containers that browsers play as they are, by ranges; OTHER: none of these */
typedef enum {
    NGX_WEBRTC_MOVIE_OTHER = 0,
    NGX_WEBRTC_MOVIE_MP4,
    NGX_WEBRTC_MOVIE_WEBM,
    NGX_WEBRTC_MOVIE_SOUND          /* MP3, FLAC, Ogg, ADTS */
} ngx_webrtc_movie_container_e;


/* of a track */
#define NGX_WEBRTC_MOVIE_COPY      0x01    /* fits fragmented MP4 as it is */
#define NGX_WEBRTC_MOVIE_DECODE    0x02    /* there is a decoder for it */
#define NGX_WEBRTC_MOVIE_DEFAULT   0x04    /* the file says so */

/* of a movie */
#define NGX_WEBRTC_MOVIE_SEEKABLE  0x01
#define NGX_WEBRTC_MOVIE_TO_H264   0x02    /* there are encoders for these */
#define NGX_WEBRTC_MOVIE_TO_AAC    0x04
#define NGX_WEBRTC_MOVIE_TO_OPUS   0x08


typedef struct {
    uint8_t                       kind;
    uint8_t                       flags;
    uint8_t                       channels;
    uint16_t                      stream;     /* its number in the file */
    uint16_t                      width;
    uint16_t                      height;     /* as it is shown */
    uint8_t                       codec_len;
    uint8_t                       plain_len;
    u_char                        codec[NGX_WEBRTC_MOVIE_CODEC];
    u_char                        plain[NGX_WEBRTC_MOVIE_PLAIN];
} ngx_webrtc_movie_track_t;


typedef struct {
    uint8_t                       container;
    uint8_t                       flags;
    uint64_t                      duration_ms;     /* 0: not known */
    ngx_uint_t                    ntracks;         /* 0: no media file */
    ngx_webrtc_movie_track_t      tracks[NGX_WEBRTC_MOVIE_TRACKS];
} ngx_webrtc_movie_t;


/* a codec's name in parts; family 0: none of which is known what it covers */
typedef struct {
    uint8_t                       family;
    uint8_t                       profile;    /* by what it demands */
    uint8_t                       level;      /* 0: any */
    uint8_t                       depth;      /* bits; 0: any */
} ngx_webrtc_movie_codec_t;


/* what a client can play */
typedef struct {
    ngx_uint_t                    n;
    ngx_webrtc_movie_codec_t      codecs[NGX_WEBRTC_MOVIE_ACCEPTS];
    uint16_t                      height;     /* at most; 0: any */
} ngx_webrtc_movie_accept_t;


/* webrtc_file_transcode */
typedef enum {
    NGX_WEBRTC_MOVIE_OFF = 0,
    NGX_WEBRTC_MOVIE_REMUX,
    NGX_WEBRTC_MOVIE_ON
} ngx_webrtc_movie_how_e;


/* what is done to a track */
typedef enum {
    NGX_WEBRTC_MOVIE_LEAVE = 0,     /* there is none, or it is left out */
    NGX_WEBRTC_MOVIE_AS_IS,
    NGX_WEBRTC_MOVIE_H264,
    NGX_WEBRTC_MOVIE_AAC,
    NGX_WEBRTC_MOVIE_OPUS
} ngx_webrtc_movie_action_e;


/*
 * How a file is played for one client.
 *
 *   mode         NGX_WEBRTC_MOVIE_OFF: byte ranges, and the rest is 0
 *   video,
 *   audio        tracks to begin with, by their place in the movie; only of
 *                meaning where there is one, see picture and sound
 *   copy         bits by place: tracks that go as they are
 *   picture,
 *   sound        what is done to any other one; LEAVE: it cannot be played
 *   height       of a picture that is encoded, at most; 0: any
 *   scale        lower qualities can be made
 */
typedef struct {
    uint8_t                       mode;
    uint8_t                       video;
    uint8_t                       audio;
    uint8_t                       picture;
    uint8_t                       sound;
    uint8_t                       scale;
    uint16_t                      height;
    uint32_t                      copy;
} ngx_webrtc_movie_plan_t;

/* no such track */
#define NGX_WEBRTC_MOVIE_NONE      0xff


/*
 * Writes a movie.  Returns the end of what was written, or NULL if it does not
 * fit in [p, last).
 */
u_char *ngx_webrtc_movie_write(u_char *p, u_char *last,
    const ngx_webrtc_movie_t *movie);

/*
 * Reads a movie, all of [p, last).  Names have printable characters only that
 * need no escaping in JSON.
 *
 * NGX_OK
 * NGX_DECLINED   malformed; *movie is undefined
 */
ngx_int_t ngx_webrtc_movie_parse(u_char *p, u_char *last,
    ngx_webrtc_movie_t *movie);

/* The same for a plan. */
u_char *ngx_webrtc_movie_plan_write(u_char *p, u_char *last,
    const ngx_webrtc_movie_plan_t *plan);
u_char *ngx_webrtc_movie_plan_read(u_char *p, u_char *last,
    ngx_webrtc_movie_plan_t *plan);


#endif /* _NGX_WEBRTC_MOVIE_H_INCLUDED_ */
