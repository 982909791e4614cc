
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a client is told of a movie, as JSON: docs/datachannel.md, Info.
 */


#ifndef _NGX_WEBRTC_MOVIE_INFO_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_INFO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_in.h"
#include "ngx_webrtc_movie_plan.h"


/* bytes; chosen: all tracks with titles */
#define NGX_WEBRTC_MOVIE_INFO   16384

/* bytes of a title that are shown */
#define NGX_WEBRTC_MOVIE_TITLE  96


/*
 *   video, audio   names of codecs as they are sent; NULL: there is none
 *   track          place of the sound in the movie
 *   quality        one of the movie's
 *   encoded        the picture is
 *
 * Returns the length of what was written to buf, NGX_WEBRTC_MOVIE_INFO bytes
 */
size_t ngx_webrtc_movie_info(ngx_webrtc_movie_in_t *in,
    const ngx_webrtc_movie_plan_t *plan, const char *video, const char *audio,
    ngx_uint_t track, ngx_uint_t quality, ngx_uint_t encoded, u_char *buf);

/* Bits per second that a picture of that height is encoded with at most. */
ngx_uint_t ngx_webrtc_movie_info_rate(ngx_uint_t height);


#endif /* _NGX_WEBRTC_MOVIE_INFO_H_INCLUDED_ */
