
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a client can play, and what is done to a file for it.  Pure.
 */


#ifndef _NGX_WEBRTC_MOVIE_PLAN_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_PLAN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie.h"


/* bytes of the reason for a refusal */
#define NGX_WEBRTC_MOVIE_CAUSE   160


/*
 * Takes the name of a codec apart (RFC 6381; ISO/IEC 14496-15, Annex E; the
 * codecs parameter of VP9 and AV1 in ISOBMFF).  Unknown ones are of family 0.
 */
void ngx_webrtc_movie_codec(const u_char *p, size_t n,
    ngx_webrtc_movie_codec_t *codec);

/*
 * Reads what a client says in its query, still percent-encoded.
 *
 *   names   "accept": names of codecs, separated by commas; unknown ones, and
 *           those beyond NGX_WEBRTC_MOVIE_ACCEPTS, do not count
 *   max     "max": "720p" or "720"; empty: any
 *
 * NGX_OK
 * NGX_DECLINED   too long, or max is no height
 */
ngx_int_t ngx_webrtc_movie_accept(const ngx_str_t *names, const ngx_str_t *max,
    ngx_webrtc_movie_accept_t *accept);

/*
 * Decides how a file is played.
 *
 *   how     NGX_WEBRTC_MOVIE_REMUX, NGX_WEBRTC_MOVIE_ON
 *   cause   NGX_WEBRTC_MOVIE_CAUSE bytes; null-terminated
 *
 * NGX_OK         *plan is set; mode NGX_WEBRTC_MOVIE_OFF: the client can play
 *                the file as it is, or it is no media file
 * NGX_DECLINED   it cannot be played; *cause names the codec
 */
ngx_int_t ngx_webrtc_movie_plan(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_accept_t *accept, ngx_webrtc_movie_how_e how,
    ngx_webrtc_movie_plan_t *plan, u_char *cause);

/*
 * What becomes of a track, by its place in the movie.
 *
 *   height   of the quality that was asked for; 0: as it is
 */
ngx_webrtc_movie_action_e ngx_webrtc_movie_action(
    const ngx_webrtc_movie_t *movie, const ngx_webrtc_movie_plan_t *plan,
    ngx_uint_t track, ngx_uint_t height);

/*
 * The qualities that a client can choose from: heights, the first one is that
 * of the file itself, or what the plan makes of it.
 *
 * Returns their number, 0 where there is no picture
 */
ngx_uint_t ngx_webrtc_movie_qualities(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_plan_t *plan,
    uint16_t heights[NGX_WEBRTC_MOVIE_QUALITIES]);


#endif /* _NGX_WEBRTC_MOVIE_PLAN_H_INCLUDED_ */
