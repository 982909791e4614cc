
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of what there is of a stream in segments, and what is asked of a
 * playlist.  Pure.
 *
 *     index.m3u8                 multivariant playlist
 *     manifest.mpd               of DASH
 *     v0.m3u8  aac.m3u8          playlist of a track
 *     v0.65f1a2b3.1.mp4          head of a run
 *     v0.65f1a2b3.17.m4s         segment
 *     v0.65f1a2b3.17.2.m4s       a part of it: no file, but a piece of one
 */


#ifndef _NGX_WEBRTC_HLS_NAME_H_INCLUDED_
#define _NGX_WEBRTC_HLS_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_hls.h"


/* bytes of a name with its end; of a channel's directory */
#define NGX_WEBRTC_HLS_NAME  64
#define NGX_WEBRTC_HLS_DIR   200


typedef enum {
    NGX_WEBRTC_HLS_FILE_INDEX = 1,
    NGX_WEBRTC_HLS_FILE_MPD,
    NGX_WEBRTC_HLS_FILE_LIST,
    NGX_WEBRTC_HLS_FILE_HEAD,
    NGX_WEBRTC_HLS_FILE_SEGMENT,
    NGX_WEBRTC_HLS_FILE_PART
} ngx_webrtc_hls_file_e;


typedef struct {
    ngx_uint_t        kind;      /* ngx_webrtc_hls_file_e */
    ngx_uint_t        track;
    uint32_t          gen;
    uint32_t          number;    /* a run, or a segment's */
    uint32_t          part;
} ngx_webrtc_hls_file_t;


/* delivery directives (draft-pantos-hls-rfc8216bis, 6.2.5) */
typedef struct {
    uint32_t          msn;
    uint32_t          part;
    unsigned          has_msn:1;
    unsigned          has_part:1;
    unsigned          skip:1;
} ngx_webrtc_hls_ask_t;


/* NGX_OK; NGX_DECLINED: there is no such file */
ngx_int_t ngx_webrtc_hls_name_parse(u_char *p, size_t n,
    ngx_webrtc_hls_file_t *file);

/* Returns its end. */
u_char *ngx_webrtc_hls_name_print(u_char *p, u_char *last,
    const ngx_webrtc_hls_file_t *file);

/* The name of a track. */
extern const ngx_str_t  ngx_webrtc_hls_names[NGX_WEBRTC_HLS_TRACKS];

/*
 * Reads arguments of a request.
 *
 * NGX_OK; NGX_DECLINED: a directive that makes no sense
 */
ngx_int_t ngx_webrtc_hls_ask_parse(u_char *p, size_t n,
    ngx_webrtc_hls_ask_t *ask);

/*
 * A name of a directory for a stream's name and the number of a directive:
 * other streams have others, and it has letters, digits, "-", "_", "~" alone.
 *
 *   to   null-terminated
 */
void ngx_webrtc_hls_name_dir(u_char to[NGX_WEBRTC_HLS_DIR + 1],
    const ngx_str_t *name, uint32_t id);


#endif /* _NGX_WEBRTC_HLS_NAME_H_INCLUDED_ */
