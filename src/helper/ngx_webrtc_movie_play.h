
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Plays a movie for one client: from a place in it on, as it is wanted, until
 * something else is.  Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_MOVIE_PLAY_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_PLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_movie_in.h"
#include "ngx_webrtc_movie_info.h"
#include "ngx_webrtc_movie_mux.h"
#include "ngx_webrtc_movie_picture.h"
#include "ngx_webrtc_movie_plan.h"
#include "ngx_webrtc_movie_sound.h"
#include "ngx_webrtc_movie_text.h"


/* packets that are read before it is known where to begin; chosen: a group of
 * pictures of ten seconds, with its sound */
#define NGX_WEBRTC_MOVIE_PLAY_HELD   4096


/*
 * Where it goes.
 *
 *   put     a record; data may be longer than one: it comes in parts.  NGX_OK;
 *           NGX_ABORT: it is over
 *   ahead   a fragment that ends then has been put: waits until it is wanted.
 *           NGX_OK; NGX_ABORT: it is over, or something else is wanted
 *   over    the latter; stopped: the former alone
 */
typedef struct {
    ngx_int_t              (*put)(void *ctx, ngx_uint_t type, int64_t ms,
                                 u_char *data, size_t n);
    ngx_int_t              (*ahead)(void *ctx, int64_t us);
    ngx_uint_t             (*over)(void *ctx);
    ngx_uint_t             (*stopped)(void *ctx);
    void                    *ctx;
} ngx_webrtc_movie_out_t;


typedef struct {
    ngx_webrtc_movie_out_t   out;
    ngx_webrtc_movie_plan_t  plan;
    ngx_webrtc_movie_in_t    in;
    ngx_webrtc_movie_mux_t   mux;
    ngx_webrtc_movie_sound_t sound;
    ngx_webrtc_movie_picture_t  picture;
    ngx_webrtc_movie_text_t  texts[NGX_WEBRTC_MOVIE_TRACKS];

    /* of the generation */

    ngx_webrtc_media_seek_t  seek;
    int64_t                  target_us;  /* what was asked for */
    int64_t                  start_us;   /* what it begins with */
    int                      video;      /* streams; -1: there is none */
    int                      audio;
    ngx_webrtc_movie_action_e  video_is;
    ngx_webrtc_movie_action_e  audio_is;
    AVPacket                *held[NGX_WEBRTC_MOVIE_PLAY_HELD];
    ngx_uint_t               nheld;
    size_t                   bytes;      /* of them */
    ngx_uint_t               height;     /* of the picture, at most */
    unsigned                 key:1;      /* they begin with one */
    unsigned                 started:1;
    unsigned                 described:1;  /* INIT was put */
    unsigned                 pictured:1;   /* an encoded picture has come */
    unsigned                 aborted:1;
    unsigned                 moved:1;    /* the file is not at its beginning */

    size_t                   ninfo;
    u_char                   info[NGX_WEBRTC_MOVIE_INFO];    /* as told */
    const char              *cause;      /* of a failure */
} ngx_webrtc_movie_play_t;


/*
 * Opens the file.
 *
 *   play   zeroed, but for out and plan
 *
 * NGX_OK; NGX_ERROR: play->cause.  To be closed in either case.
 */
ngx_int_t ngx_webrtc_movie_play_open(ngx_webrtc_movie_play_t *play, int fd);
void ngx_webrtc_movie_play_close(ngx_webrtc_movie_play_t *play);

/*
 * Plays a generation.
 *
 * NGX_OK      to the end
 * NGX_ABORT   out said so
 * NGX_ERROR   play->cause
 */
ngx_int_t ngx_webrtc_movie_play(ngx_webrtc_movie_play_t *play,
    const ngx_webrtc_media_seek_t *seek);


#endif /* _NGX_WEBRTC_MOVIE_PLAY_H_INCLUDED_ */
