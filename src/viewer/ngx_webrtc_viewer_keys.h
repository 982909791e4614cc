
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is left of a stream where its path carries only key frames: how large
 * they are, and one at a time.
 */


#ifndef _NGX_WEBRTC_VIEWER_KEYS_H_INCLUDED_
#define _NGX_WEBRTC_VIEWER_KEYS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_viewer.h"


/* of the stream that a viewer reads, by what is in its ring; all zero at first,
 * and for another stream */
typedef struct {
    uint64_t                     next;        /* entry that is looked at next */
    uint64_t                     bytes;       /* of video so far */
    uint64_t                     least;       /* of it: nothing refers to it */
    uint32_t                     size;        /* of a key frame, mean; 0: not
                                                 known */
    uint32_t                     sum;         /* of the one that is looked at */
    uint32_t                     ts;          /* its timestamp */
    unsigned                     key:1;       /* there is one */
} ngx_webrtc_viewer_keys_t;


/* Looks at what has come since the last call. */
void ngx_webrtc_viewer_keys_look(ngx_webrtc_viewer_t *v,
    ngx_webrtc_viewer_keys_t *keys);

/* percent of the stream that nothing refers to; 0: not known */
ngx_uint_t ngx_webrtc_viewer_keys_share(const ngx_webrtc_viewer_keys_t *keys);

/* bits per second of a key frame each few seconds; 0: not known */
uint32_t ngx_webrtc_viewer_keys_rate(const ngx_webrtc_viewer_keys_t *keys);

/* Is a key frame being sent to a viewer who gets only these? */
ngx_uint_t ngx_webrtc_viewer_keys_under_way(ngx_webrtc_viewer_t *v);

/* The newest key frame of what it reads has come so many ms ago, or before. */
ngx_uint_t ngx_webrtc_viewer_keys_older(ngx_webrtc_viewer_t *v, ngx_msec_t ms);


#endif /* _NGX_WEBRTC_VIEWER_KEYS_H_INCLUDED_ */
