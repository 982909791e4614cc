
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A media file that a worker has opened: what it is, and its packets.
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_MOVIE_IN_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_IN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>

#include "ngx_webrtc_movie.h"


typedef struct {
    int                  fd;
    int64_t              pos;
    uint64_t             until_us;       /* reading fails then; 0: never */
    ngx_uint_t         (*over)(void *ctx);   /* or if this says so */
    void                *ctx;
    AVFormatContext     *ic;
    int64_t              start_us;       /* of the file's own timeline */
    ngx_webrtc_movie_t   movie;
} ngx_webrtc_movie_in_t;


/*
 * Opens a file and finds out what it is.  Nothing but the descriptor is read:
 * neither what the file refers to, nor playlists.
 *
 *   in      zeroed, but for over and ctx
 *   fd      stays the caller's; its offset is not used
 *   cause   constant text
 *
 * NGX_OK         in->movie is set; without tracks it is no media file
 * NGX_ERROR      no memory, it cannot be read, or it takes too long; *cause
 *
 * in has to be closed in either case.
 */
ngx_int_t ngx_webrtc_movie_in_open(ngx_webrtc_movie_in_t *in, int fd,
    const char **cause);
void ngx_webrtc_movie_in_close(ngx_webrtc_movie_in_t *in);

/*
 * Goes to the last key frame at or before us, of the movie's timeline, which
 * begins at 0; of a stream, or of the file (-1).
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_movie_in_seek(ngx_webrtc_movie_in_t *in, int stream,
    int64_t us);

/*
 * The next packet, with times from the beginning of the movie in its stream's
 * time base.  To be unreferenced by the caller.
 *
 * NGX_OK, NGX_DONE (the end), NGX_ERROR
 */
ngx_int_t ngx_webrtc_movie_in_read(ngx_webrtc_movie_in_t *in, AVPacket *pkt);


#endif /* _NGX_WEBRTC_MOVIE_IN_H_INCLUDED_ */
