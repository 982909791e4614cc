
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Boxes of ISO/IEC 14496-12 in memory.
 */


#ifndef _NGX_WEBRTC_MOVIE_BUF_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_BUF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* data is of malloc() */
typedef struct {
    u_char                   *data;
    size_t                    len;
    size_t                    size;
    unsigned                  failed:1;   /* no memory */
} ngx_webrtc_movie_buf_t;


/* Room for n bytes more; NULL: no memory. */
u_char *ngx_webrtc_movie_buf_add(ngx_webrtc_movie_buf_t *b, size_t n);

void ngx_webrtc_movie_buf_u32(ngx_webrtc_movie_buf_t *b, uint32_t v);

/* Begins a box.  Returns where it is, for done(). */
size_t ngx_webrtc_movie_buf_box(ngx_webrtc_movie_buf_t *b, const char *type);

/* It is complete: its size is set. */
void ngx_webrtc_movie_buf_done(ngx_webrtc_movie_buf_t *b, size_t at);


#endif /* _NGX_WEBRTC_MOVIE_BUF_H_INCLUDED_ */
