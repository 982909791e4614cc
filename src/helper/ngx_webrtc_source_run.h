
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A run of a source: what its parts share.  Each of them includes only those
 * above it, except for calls through a pointer:
 *
 *   ngx_webrtc_source_open     opens what libavformat reads
 *   ngx_webrtc_source_hls      watches the playlists that it reads
 *   ngx_webrtc_source_refuse   finds out what cannot be played
 *   ngx_webrtc_source_input    opens, reads, closes
 *   ngx_webrtc_source_tracks   finds the tracks
 *   ngx_webrtc_source_play     plays them, live or in real time
 *   ngx_webrtc_source_av       from start to end
 */


#ifndef _NGX_WEBRTC_SOURCE_RUN_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_RUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_sniff.h"
#include "ngx_webrtc_source_audio.h"
#include "ngx_webrtc_source_packets.h"
#include "ngx_webrtc_source_playlist.h"
#include "ngx_webrtc_source_reader.h"
#include "ngx_webrtc_source_rtmp.h"
#include "ngx_webrtc_source_thread.h"


/* limit of the queue before tracks are known and in a burst; chosen */
#define NGX_WEBRTC_SOURCE_QUEUE          4096
#define NGX_WEBRTC_SOURCE_QUEUE_SIZE     (32 * 1024 * 1024)


/* bytes of a codec's name; chosen: with how it was carried */
#define NGX_WEBRTC_SOURCE_REFUSED        48


/* bytes of the reason why it must not be played; chosen: a clause */
#define NGX_WEBRTC_SOURCE_REFUSAL        128


/* open at a time: playlists, segments, the next ones; chosen */
#define NGX_WEBRTC_SOURCE_HLS_FILES      8

/* media playlists of a source; further ones are not tracked; chosen */
#define NGX_WEBRTC_SOURCE_HLS_LISTS      16


/* something that libavformat has opened */
typedef struct {
    AVIOContext                  *pb;
    void                         *opaque;       /* of pb, NULL: not in use */
    uint32_t                      url;          /* its hash */
    ngx_webrtc_source_playlist_t  list;
} ngx_webrtc_source_hls_file_t;


/* a media playlist, when it was read with the most segments so far */
typedef struct {
    uint32_t                      url;
    uint64_t                      first;        /* number of a segment */
    uint64_t                      end;          /* number of the next one */
    uint64_t                      behind;       /* segments of readings since
                                                   that had fewer, in all */
} ngx_webrtc_source_hls_list_t;


typedef struct {
    int                         (*io_open)(AVFormatContext *ic,
                                      AVIOContext **pb, const char *url,
                                      int flags, AVDictionary **options);
    int                         (*read)(void *opaque, uint8_t *buf, int size);

    ngx_webrtc_source_run_t      *run;

    ngx_webrtc_source_hls_file_t  files[NGX_WEBRTC_SOURCE_HLS_FILES];
    ngx_uint_t                    next;
    ngx_uint_t                    variants;     /* of all master playlists */

    ngx_webrtc_source_hls_list_t  lists[NGX_WEBRTC_SOURCE_HLS_LISTS];
    ngx_uint_t                    nlists;
    unsigned                      anew:1;       /* one has restarted */
    unsigned                      ended:1;      /* the one that was read last */
} ngx_webrtc_source_hls_t;


/* see ngx_webrtc_source_open.c */
typedef struct {
    int                         (*io_open)(AVFormatContext *ic,
                                      AVIOContext **pb, const char *url,
                                      int flags, AVDictionary **options);
    int                         (*io_close)(AVFormatContext *ic,
                                      AVIOContext *pb);
    AVIOContext                  *pb;           /* of a local file, ours */
    ngx_webrtc_source_packets_t  *packets;      /* or this, or NULL */
    unsigned                      opened:1;     /* the upstream itself */
} ngx_webrtc_source_open_t;


typedef struct {
    int64_t                       dts;
    uint64_t                      us;           /* of reading_us */
    ngx_uint_t                    set;
} ngx_webrtc_source_pace_t;


struct ngx_webrtc_source_run_s {
    ngx_webrtc_source_thread_t   *th;

    /* called while nothing comes; not NGX_OK: stop waiting */
    ngx_int_t                   (*silent)(ngx_webrtc_source_run_t *run);

    /* takes the audio transcoder's output; ctx is the run */
    void                        (*sound)(void *ctx, u_char *data, size_t n,
                                      int64_t ts);

    AVFormatContext              *ic;
    ngx_webrtc_source_rtmp_t     *rtmp;         /* of several workers, or
                                                   NULL */
    uint64_t                      waiting_us;   /* since when, for input */
    ngx_uint_t                    moved;        /* to another worker */
    ngx_webrtc_source_open_t      open;
    char                          refusal[NGX_WEBRTC_SOURCE_REFUSAL];
                                                /* what ends it, "": nothing */
    ngx_webrtc_source_hls_t       hls;
    ngx_webrtc_source_read_t      rd;
    ngx_webrtc_source_audio_t    *audio;

    unsigned                      paced:1;
    unsigned                      eof:1;

    /* see ngx_webrtc_source_refuse.h */

    ngx_webrtc_sniff_t            sniff;
    u_char                        refused[2][NGX_WEBRTC_SOURCE_REFUSED];
                                                /* codecs: audio, video */
    int                         (*io_open)(AVFormatContext *ic,
                                           AVIOContext **pb, const char *url,
                                           int flags, AVDictionary **options);
    int                         (*io_read)(void *opaque, uint8_t *buf,
                                           int size);

    /* finding tracks */

    unsigned                      video_seen:1;
    unsigned                      video_ready:1;
    unsigned                      video_told:1;
    unsigned                      audio_ready:1;
    unsigned                      audio_told:1;
    unsigned                      audio_failed:1;
    unsigned                      no_key:1;     /* already logged */

    uint64_t                      opened_us;
    uint64_t                      seen_us;      /* the first frame of any */
    uint64_t                      video_us;     /* the first one of video */
    ngx_uint_t                    audio_tries;
    ngx_webrtc_track_t            video;

    ngx_webrtc_track_t            tracks[NGX_WEBRTC_SOURCE_TRACKS]; /* told */

    /* start of a live upstream */

    unsigned                      started:1;
    unsigned                      caught_up:1;
    uint64_t                      reading_us;   /* spent waiting for input */
    ngx_webrtc_source_pace_t      pace[2];      /* audio, video */

    int64_t                       now_us;       /* of the current audio */
    uint32_t                      damaged;      /* of rd, as last reported */
    uint32_t                      steps;        /* likewise */
};


#endif /* _NGX_WEBRTC_SOURCE_RUN_H_INCLUDED_ */
