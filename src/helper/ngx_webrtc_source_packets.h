
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP that the worker gives, for libavformat's demuxer of SDP with its
 * "custom_io": a description, and then packets, one for each read.  Nothing is
 * opened for that.
 */


#ifndef _NGX_WEBRTC_SOURCE_PACKETS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_PACKETS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <libavformat/avformat.h>


typedef struct ngx_webrtc_source_packets_s  ngx_webrtc_source_packets_t;


/*
 * Begins; the descriptor is duplicated.
 *
 *   fd         a stream of frames, as in ngx_webrtc_rtsp_server.h
 *   interrupt  asked while nothing comes
 *
 * NULL: no memory, or no descriptor
 */
ngx_webrtc_source_packets_t *ngx_webrtc_source_packets_open(ngx_fd_t fd,
    AVIOInterruptCB *interrupt);

/* What avformat_open_input() reads: the description, and its end. */
AVIOContext *ngx_webrtc_source_packets_text(ngx_webrtc_source_packets_t *sp);

/* What is read afterwards; reports that are written to it go nowhere. */
AVIOContext *ngx_webrtc_source_packets_io(ngx_webrtc_source_packets_t *sp);

/* Frees all, when the demuxer has been closed. */
void ngx_webrtc_source_packets_close(ngx_webrtc_source_packets_t *sp);


#endif /* _NGX_WEBRTC_SOURCE_PACKETS_H_INCLUDED_ */
