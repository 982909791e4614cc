
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The protocol between a worker and its media process.  Both sides use these
 * functions; either treats the other as a peer that may send anything.
 *
 * There is a socket (SOCK_SEQPACKET) for the process, and one for each job:
 *
 *   worker                        process
 *     START, with descriptors:                 the job's socket, its ring to
 *                                              the worker, one to the job where
 *                                              its kind is fed, and the file
 *                                              where it is given one
 *     PING                          PONG       every second, the same number
 *                                   HELLO      first of all
 *
 *   worker                        job
 *                                   NOTE       UP and TRACKS wait for GO
 *     GO
 *                                   DATA       there are records in the ring
 *     ROOM                                     ... and room in it again
 *     DATA                                     the same two of the ring to
 *                                   ROOM       the job
 *     KEYFRAME                                 somebody needs one
 *     BITRATE                                  of what is encoded from now on
 *     SEEK                                     what is wanted of a file
 *                                   ASK        who listens on an address?
 *     PORTS
 *     STOP
 *                                   ENDED      and closed
 *
 * A job's notes follow the records that were written before them: the
 * receiver of a note reads the ring first.
 *
 * All numbers are big-endian.
 */


#ifndef _NGX_WEBRTC_MEDIA_MESSAGE_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie.h"
#include "ngx_webrtc_track.h"


/* of HELLO; incremented with every change of the protocol */
#define NGX_WEBRTC_MEDIA_VERSION   6

/* largest message in bytes; START with four long URLs is 9 kB */
#define NGX_WEBRTC_MEDIA_MESSAGE   16384

/* upstreams of a job; chosen: main and sub stream, a spare, a file */
#define NGX_WEBRTC_MEDIA_FROM      4

/*
 * one video and one audio track, each at a fixed index whether present or
 * not, so that viewers waiting for one that comes later find it
 */
#define NGX_WEBRTC_MEDIA_VIDEO     0
#define NGX_WEBRTC_MEDIA_AUDIO     1
#define NGX_WEBRTC_MEDIA_TRACKS    2

/* bytes of a note's text; chosen: one line of a log */
#define NGX_WEBRTC_MEDIA_TEXT      256

/* workers whose nginx-rtmp is asked */
#define NGX_WEBRTC_MEDIA_PORTS     128

/* bytes of the name of a kind of hardware; chosen: "videotoolbox" and more */
#define NGX_WEBRTC_MEDIA_HW        16

/*
 * limits of what may be asked of an encoder, no narrower than those of
 * ngx_webrtc_variant.h
 */
#define NGX_WEBRTC_MEDIA_SIZE      16384
#define NGX_WEBRTC_MEDIA_FPS       240
#define NGX_WEBRTC_MEDIA_BPS_MIN   10000
#define NGX_WEBRTC_MEDIA_BPS_MAX   (1024 * 1024 * 1024)
#define NGX_WEBRTC_MEDIA_KEY_MS    600000

/* bytes of the name of a container */
#define NGX_WEBRTC_MEDIA_FORMAT    8

/* bytes of a fragment's part at most: of a frame of the range protocol */
#define NGX_WEBRTC_MEDIA_CHUNK     65536

/* bytes of an address: IPv6 with port */
#define NGX_WEBRTC_MEDIA_ADDR      28


typedef enum {
    NGX_WEBRTC_MEDIA_HELLO = 1,
    NGX_WEBRTC_MEDIA_START,
    NGX_WEBRTC_MEDIA_PING,
    NGX_WEBRTC_MEDIA_PONG,

    NGX_WEBRTC_MEDIA_GO,
    NGX_WEBRTC_MEDIA_STOP,
    NGX_WEBRTC_MEDIA_ROOM,
    NGX_WEBRTC_MEDIA_PORTS_ARE,
    NGX_WEBRTC_MEDIA_ASK,
    NGX_WEBRTC_MEDIA_DATA,
    NGX_WEBRTC_MEDIA_NOTE,
    NGX_WEBRTC_MEDIA_ENDED,
    NGX_WEBRTC_MEDIA_KEYFRAME,
    NGX_WEBRTC_MEDIA_BITRATE,
    NGX_WEBRTC_MEDIA_SEEK
} ngx_webrtc_media_type_e;


typedef enum {
    NGX_WEBRTC_MEDIA_UP = 1,       /* tracks; waits for GO */
    NGX_WEBRTC_MEDIA_MORE,         /* same; one more has come later */
    NGX_WEBRTC_MEDIA_DOWN,         /* was up; text, retry_ms */
    NGX_WEBRTC_MEDIA_FAILED,       /* could not start; text, retry_ms */
    NGX_WEBRTC_MEDIA_LOG,          /* level, text */
    NGX_WEBRTC_MEDIA_REFUSED       /* the job could not be started; text */
} ngx_webrtc_media_note_e;


/* kinds of jobs; each has a row in ngx_webrtc_media_message.c */
typedef enum {
    NGX_WEBRTC_MEDIA_SOURCE = 1,   /* reads an upstream */
    NGX_WEBRTC_MEDIA_TRANSCODE,    /* fed: makes another codec of a video */
    NGX_WEBRTC_MEDIA_FILE,         /* probes a file, or plays it for a client */
    NGX_WEBRTC_MEDIA_RECORD,       /* fed: writes a file */
    NGX_WEBRTC_MEDIA_OUTPUT,       /* fed: sends to a URL, or back */
    NGX_WEBRTC_MEDIA_PICTURE,      /* fed: makes one picture of a key frame */
    NGX_WEBRTC_MEDIA_KINDS
} ngx_webrtc_media_kind_e;


/*
 * One of the upstreams of a job.
 *
 *   url         final, after variables
 *   format      name of a libavformat demuxer to force, or empty
 *   program     of MPEG-TS, 0: the first one with video
 *   loop        repeat files
 *   lists       a file may be a playlist of HLS
 *   links       "disable_symlinks" for files: 0 off, 1 on, 2 if_not_owner
 *   links_from  leading bytes of the path that may contain links
 */
typedef struct {
    ngx_str_t                  url;
    ngx_str_t                  format;
    uint32_t                   program;
    uint8_t                    loop;
    uint8_t                    lists;
    uint8_t                    links;
    uint32_t                   links_from;
} ngx_webrtc_media_from_t;


/*
 * What a TRANSCODE makes of the video that it is fed: BEGIN, TRACK (its codec
 * and configuration), TURN, then FRAMEs in decoding order from a key frame on,
 * their ts being the times of presentation.  It says UP with the one track
 * that it makes, and MORE when its size changes; frames come back with the ts
 * of the pictures that they show.  now_us of a frame is when it came: pictures
 * that are late by it are left out; 0: none is.
 *
 *   codec         NGX_WEBRTC_CODEC_*, of video, to be made
 *   width,height  at most; 0: the source's.  The shape is kept, never enlarged
 *   fps           at most, 0: the source's
 *   bitrate       bit/s, 0: by size and rate
 *   key_ms        most between key frames, 0: 10 s
 *   deinterlace   1: interlaced pictures are made whole ones
 *   upright       1: pictures are turned as TURN says; 0: they stay as they
 *                 are coded
 *   hw            "auto", "none", or a kind of hardware: a-z, 0-9, "_"
 */
typedef struct {
    uint8_t                    codec;
    uint8_t                    deinterlace;
    uint8_t                    upright;
    uint16_t                   width;
    uint16_t                   height;
    uint16_t                   fps;
    uint32_t                   bitrate;
    uint32_t                   key_ms;
    ngx_str_t                  hw;
} ngx_webrtc_media_transcode_t;


/*
 * What is wanted of a file.
 *
 *   quality   one of ngx_webrtc_movie_qualities()
 *   audio     place of the sound; NGX_WEBRTC_MOVIE_NONE: the plan's
 */
typedef struct {
    uint32_t                   generation;
    uint64_t                   ms;
    uint8_t                    quality;
    uint8_t                    audio;
} ngx_webrtc_media_seek_t;


/*
 *   probe     says what the file is, and ends
 *   chunk     bytes of a fragment's part at most
 */
typedef struct {
    uint8_t                    probe;
    uint32_t                   chunk;
    ngx_webrtc_movie_plan_t    plan;
    ngx_webrtc_media_seek_t    seek;
} ngx_webrtc_media_movie_t;


/*
 * What a RECORD or an OUTPUT makes of the frames that it is fed: BEGIN, a TRACK
 * for each that there will be (its codec and configuration; ts: of video its
 * traits, of audio its channels), TURN, FRAMEs in decoding order, and END.  Its
 * first frame of video is a key frame; what is of other tracks and earlier is
 * left out.  It says MUXED now and then.
 *
 *   format   "fmp4", "mkv", "ts", "ts-aac", "flv", "rtsp", "cmaf"
 *   url      where an OUTPUT sends to (ngx_webrtc_target.h), after a first
 *            MUXED that says that it is connected; empty: MUXED comes back,
 *            with the bytes
 *   verify   1: the certificate of who is there has to be right
 *   segment  of "cmaf": ms of a segment, and
 *   part     of its parts
 *
 * "cmaf" has a MUXED for each head and part of a track: ts is where it begins,
 * in the track's clock, now_us how long it is, and value also says which track
 * it is, and of how many frames.  A head's ts is the clock, and its data begins
 * with the codec's name (RFC 6381) and a zero byte.
 */
typedef struct {
    ngx_str_t                  format;
    ngx_str_t                  url;
    uint8_t                    verify;
    uint32_t                   segment;
    uint32_t                   part;
} ngx_webrtc_media_output_t;


/*
 * What a PICTURE makes of the frames that it is fed, as an OUTPUT is: one IMAGE
 * of the first picture that can be decoded of them.  If there is none by END,
 * it says why (FAILED).
 *
 *   webp           1: WebP, if FFmpeg here makes it; else JPEG
 *   quality        1 to 100
 *   width, height  at most, of the upright picture; 0: the stream's.  The shape
 *                  is kept, never enlarged
 */
typedef struct {
    uint8_t                    webp;
    uint8_t                    quality;
    uint16_t                   width;
    uint16_t                   height;
} ngx_webrtc_media_picture_t;


/*
 *   kind    ngx_webrtc_media_kind_e
 *   name    of the stream: not a secret where it is part of a URL
 *   fd      the file, given along, where the kind has one; not written
 *
 * SOURCE:
 *   given   fd is a stream that the worker writes, from[0] says what it is, and
 *           the job ends with it
 *   *_timeout, backoff_*   ms, not 0
 *   doors   nginx-rtmp listens in this nginx
 *   transcode  what browsers cannot play is wanted, too
 *
 * TRANSCODE:
 *   encode  what is to be made
 *
 * FILE:
 *   movie   what is to be done with it
 *
 * RECORD, OUTPUT:
 *   output  what is to be made
 *
 * PICTURE:
 *   picture  likewise
 */
typedef struct {
    uint8_t                    kind;
    int                        fd;
    ngx_str_t                  name;
    ngx_webrtc_media_from_t    from[NGX_WEBRTC_MEDIA_FROM];
    ngx_uint_t                 nfrom;
    uint32_t                   backoff_min;
    uint32_t                   backoff_max;
    uint32_t                   connect_timeout;
    uint32_t                   read_timeout;
    uint8_t                    doors;
    uint8_t                    transcode;
    uint8_t                    given;

    ngx_webrtc_media_transcode_t  encode;
    ngx_webrtc_media_movie_t   movie;
    ngx_webrtc_media_output_t  output;
    ngx_webrtc_media_picture_t picture;
} ngx_webrtc_media_start_t;


typedef struct {
    uint8_t                    type;       /* ngx_webrtc_media_note_e */
    uint8_t                    level;      /* NGX_LOG_*; of LOG, and of DOWN and
                                              FAILED: NOTICE, it is nobody's
                                              fault, or ERR */
    uint8_t                    from;       /* index of the upstream */
    uint32_t                   retry_ms;   /* 0: not, or at once */
    ngx_uint_t                 ntracks;
    ngx_webrtc_track_t         tracks[NGX_WEBRTC_MEDIA_TRACKS];
    size_t                     len;
    u_char                     text[NGX_WEBRTC_MEDIA_TEXT];
} ngx_webrtc_media_note_t;


typedef struct {
    uint8_t                    family;     /* of the ports: AF_INET, AF_INET6 */
    ngx_uint_t                 n;
    uint16_t                   ports[NGX_WEBRTC_MEDIA_PORTS];
} ngx_webrtc_media_ports_t;


/* strings of a parsed message point into the bytes it was parsed from */
typedef struct {
    ngx_webrtc_media_type_e    type;
    uint32_t                   number;     /* HELLO: version; PING, PONG;
                                              BITRATE: bit/s */

    union {
        ngx_webrtc_media_start_t   start;
        ngx_webrtc_media_note_t    note;
        ngx_webrtc_media_ports_t   ports;
        ngx_webrtc_media_seek_t    seek;

        struct {
            size_t                 len;
            u_char                 data[NGX_WEBRTC_MEDIA_ADDR];
        } addr;                            /* ASK: a struct sockaddr */
    } u;
} ngx_webrtc_media_message_t;


/*
 * Writes a message.  Returns the end of what was written; NULL: it does not
 * fit in [p, last), or a string is too long.
 */
u_char *ngx_webrtc_media_message_write(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);

/*
 * Reads a message, which is all of [p, last).
 *
 * NGX_OK
 * NGX_DECLINED   malformed; *m is undefined
 */
ngx_int_t ngx_webrtc_media_message_parse(u_char *p, u_char *last,
    ngx_webrtc_media_message_t *m);

/* 1: a job of that kind has a ring to it, and START one descriptor more. */
ngx_uint_t ngx_webrtc_media_fed(ngx_uint_t kind);

/* 1: it has a file, likewise */
ngx_uint_t ngx_webrtc_media_filed(ngx_uint_t kind);


/* Records in a job's rings. */

typedef enum {
    NGX_WEBRTC_MEDIA_BEGIN = 1,    /* a new run: no tracks */
    NGX_WEBRTC_MEDIA_TRACK,        /* value: codec; data: its configuration */
    NGX_WEBRTC_MEDIA_CONFIG,       /* data: a new configuration */
    NGX_WEBRTC_MEDIA_TURN,         /* value: how pictures are to be turned, bits
                                      of NGX_WEBRTC_CVO_MASK */
    NGX_WEBRTC_MEDIA_FRAME,        /* ts, now_us, data: an access unit; value:
                                      NGX_WEBRTC_MEDIA_KEY or 0 */
    NGX_WEBRTC_MEDIA_UNHOLD,       /* audio does not wait for a key frame */
    NGX_WEBRTC_MEDIA_SEAM,         /* frames do not continue those before */
    NGX_WEBRTC_MEDIA_DAMAGED,      /* a frame was lost before it came here */
    NGX_WEBRTC_MEDIA_STEPPED,      /* a step of the source's clock was hidden */
    NGX_WEBRTC_MEDIA_END,          /* the run is over */

    /* of a file that is played; value: the generation, ts: ms */

    NGX_WEBRTC_MEDIA_MOVIE,        /* data: ngx_webrtc_movie_t; of a probe */
    NGX_WEBRTC_MEDIA_INFO,         /* data: JSON for the client */
    NGX_WEBRTC_MEDIA_INIT,         /* ts: where it begins; data: a segment */
    NGX_WEBRTC_MEDIA_FRAGMENT,     /* data: a part of one; track: 1, the last;
                                      ts: its end */
    NGX_WEBRTC_MEDIA_CUE,          /* data: a subtitle for the client */
    NGX_WEBRTC_MEDIA_OVER,         /* the file has ended */
    NGX_WEBRTC_MEDIA_WRONG,        /* data: text; nothing else comes */

    NGX_WEBRTC_MEDIA_MUXED,        /* of an output; ts: ms of media so far,
                                      now_us: bytes so far; value: what the
                                      data is, NGX_WEBRTC_MEDIA_MUXED_* */
    NGX_WEBRTC_MEDIA_IMAGE,        /* of a picture; value: 1, WebP; 0, JPEG */
    NGX_WEBRTC_MEDIA_RECORDS
} ngx_webrtc_media_record_e;


/* of FRAME: decoding may start there; said of ngx_webrtc_foreign.h's codecs */
#define NGX_WEBRTC_MEDIA_KEY  1

/* of MUXED: what every client needs first; what a client may begin with next */
#define NGX_WEBRTC_MEDIA_MUXED_HEAD  1
#define NGX_WEBRTC_MEDIA_MUXED_KEY   2

/* of "cmaf": a segment begins; it is sound, encoded, or as it came; a segment
 * ends; from which bit on frames are counted, 255 at most */
#define NGX_WEBRTC_MEDIA_MUXED_SEGMENT  4
#define NGX_WEBRTC_MEDIA_MUXED_AAC      8
#define NGX_WEBRTC_MEDIA_MUXED_SOUND    16
#define NGX_WEBRTC_MEDIA_MUXED_LAST     32
#define NGX_WEBRTC_MEDIA_MUXED_FRAMES   8


/*
 *   ts       unwrapped, of the source: video 90 kHz, audio the track's clock
 *            rate, with the same zero
 *   now_us   when it is to be sent, monotonic clock, us
 */
typedef struct {
    uint8_t                    type;       /* ngx_webrtc_media_record_e */
    uint8_t                    track;      /* NGX_WEBRTC_MEDIA_VIDEO, _AUDIO */
    uint16_t                   value;
    int64_t                    ts;
    int64_t                    now_us;
    u_char                    *data;
    size_t                     len;
} ngx_webrtc_media_record_t;


/* bytes before a record's data */
#define NGX_WEBRTC_MEDIA_RECORD_HEAD  20

/* Writes the head of a record. */
void ngx_webrtc_media_record_write(u_char p[NGX_WEBRTC_MEDIA_RECORD_HEAD],
    ngx_webrtc_media_record_t *r);

/* Reads a record, all of [p, last).  NGX_OK; NGX_DECLINED: malformed */
ngx_int_t ngx_webrtc_media_record_parse(u_char *p, u_char *last,
    ngx_webrtc_media_record_t *r);


#endif /* _NGX_WEBRTC_MEDIA_MESSAGE_H_INCLUDED_ */
