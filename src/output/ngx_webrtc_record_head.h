
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the beginning of a recorded MP4 says: how long it is, and its codecs.
 * ISO/IEC 14496-12, 8.2.2, 8.5.2.
 *
 * Pure.
 */


#ifndef _NGX_WEBRTC_RECORD_HEAD_H_INCLUDED_
#define _NGX_WEBRTC_RECORD_HEAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes that hold all of it in files of ours; chosen: with parameter sets */
#define NGX_WEBRTC_RECORD_HEAD        8192

#define NGX_WEBRTC_RECORD_HEAD_TRACKS  4


typedef struct {
    uint64_t     duration_ms;          /* 0: not known, as it is not whole */
    ngx_uint_t   n;
    const char  *codecs[NGX_WEBRTC_RECORD_HEAD_TRACKS];   /* static */
} ngx_webrtc_record_head_t;


/*
 *   p, n   as much as has been read
 *   head   out: zeroed and filled, as far as it is understood
 */
void ngx_webrtc_record_head(const u_char *p, size_t n,
    ngx_webrtc_record_head_t *head);


#endif /* _NGX_WEBRTC_RECORD_HEAD_H_INCLUDED_ */
