
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Reads a demuxer: one video and one audio stream of one program, as whole
 * coded frames with unwrapped timestamps of 90 kHz, in a queue.
 *
 * Belongs to one thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_READ_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reader.h"


/* NGX_OK, NGX_ERROR: no memory */
ngx_int_t ngx_webrtc_source_read_init(ngx_webrtc_source_read_t *rd);

/* Attaches the first demuxer, or another one in its place. */
void ngx_webrtc_source_read_attach(ngx_webrtc_source_read_t *rd,
    AVFormatContext *ic, ngx_uint_t paced);

void ngx_webrtc_source_read_cleanup(ngx_webrtc_source_read_t *rd);

/*
 * Reads one packet, which yields any number of items.
 *
 * 0, or a negative error of libavformat
 */
int ngx_webrtc_source_read_next(ngx_webrtc_source_read_t *rd);

/* Hands out what has been held back; called at the end. */
void ngx_webrtc_source_read_drain(ngx_webrtc_source_read_t *rd);

/*
 * Goes back to the start.  Timestamps continue after the greatest so far.
 *
 * NGX_OK
 * NGX_AGAIN     not seekable: open it again and attach
 * NGX_DECLINED  this pass was empty
 */
ngx_int_t ngx_webrtc_source_read_rewind(ngx_webrtc_source_read_t *rd);

/*
 * Reports an FLV codec that libavformat has no name for, once per kind.
 *
 *   codec, p, n   as for ngx_webrtc_sniff_flv()
 *
 * Nonzero: it has been reported
 */
ngx_uint_t ngx_webrtc_source_read_flv(ngx_webrtc_source_read_t *rd,
    ngx_uint_t kind, ngx_uint_t codec, u_char *p, size_t n);


#endif /* _NGX_WEBRTC_SOURCE_READ_H_INCLUDED_ */
