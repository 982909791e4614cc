
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playlists of HLS (RFC 8216, draft-pantos-hls-rfc8216bis) and the manifest of
 * DASH (ISO/IEC 23009-1) of a stream in segments.  Pure.
 */


#ifndef _NGX_WEBRTC_HLS_TEXT_H_INCLUDED_
#define _NGX_WEBRTC_HLS_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_hls.h"
#include "ngx_webrtc_hls_name.h"


/*
 * Discontinuities of a playlist, and periods of a manifest but one, at most: a
 * line of the former for each run, also where a track has nothing of it.  What
 * is older than that is not listed.  Chosen: one in 30 s, in a window of four
 * hours
 */
#define NGX_WEBRTC_HLS_RUNS  500


/*
 * Is there what is asked of a playlist?
 *
 *   list   of the track
 *
 * NGX_OK         yes, or nothing is asked
 * NGX_AGAIN      it is to come
 * NGX_DECLINED   that is too far ahead (6.2.5.2)
 */
ngx_int_t ngx_webrtc_hls_text_has(const ngx_webrtc_hls_info_t *info,
    ngx_uint_t track, const ngx_webrtc_hls_ask_t *ask);

/* Is there enough for players to begin with? */
ngx_uint_t ngx_webrtc_hls_text_ready(const ngx_webrtc_hls_info_t *info);

/*
 * Bytes that they take at most.
 *
 *   query   behind every name, such as "?token=..."; may be empty
 */
size_t ngx_webrtc_hls_text_index_size(const ngx_str_t *query);
size_t ngx_webrtc_hls_text_list_size(const ngx_webrtc_hls_list_t *list,
    const ngx_str_t *query);
size_t ngx_webrtc_hls_text_mpd_size(const ngx_webrtc_hls_list_t *lists,
    const ngx_str_t *query);

/* The multivariant playlist.  Its end */
u_char *ngx_webrtc_hls_text_index(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_str_t *query);

/* The playlist of a track. */
u_char *ngx_webrtc_hls_text_list(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, const ngx_webrtc_hls_ask_t *ask,
    const ngx_str_t *query);

/*
 *   lists    NGX_WEBRTC_HLS_TRACKS of them
 *   now_us   the wall clock
 */
u_char *ngx_webrtc_hls_text_mpd(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_list_t *lists,
    int64_t now_us, const ngx_str_t *query);

/* A date (ISO 8601), in UTC. */
u_char *ngx_webrtc_hls_text_date(u_char *p, u_char *last, int64_t us);


#endif /* _NGX_WEBRTC_HLS_TEXT_H_INCLUDED_ */
