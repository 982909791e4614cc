
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A stream leaves as plain RTP, to two ports of the loopback: a reader of its
 * ring, as a viewer is.  Beside it the SDP that tells what it is.
 */


#ifndef _NGX_WEBRTC_RTP_OUT_H_INCLUDED_
#define _NGX_WEBRTC_RTP_OUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_legs.h"


/* bytes of an SDP of two tracks; chosen: several times what it takes */
#define NGX_WEBRTC_RTP_OUT_SDP  2048


typedef struct ngx_webrtc_rtp_out_s  ngx_webrtc_rtp_out_t;


/*
 * Begins to send to the ports of legs, whose codecs are those of the stream's
 * tracks.  Each leg takes one of worker_connections.
 *
 *   st      held; watched by the caller, who calls the functions below
 *   legs    in: ports; out: codecs and payload types
 *   cause   on failure: static text
 *   err     likewise, or 0
 *
 * NULL on failure, which is not logged
 */
ngx_webrtc_rtp_out_t *ngx_webrtc_rtp_out_open(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_legs_t *legs, ngx_log_t *log,
    const char **cause, ngx_err_t *err);

/* Says BYE, and ends. */
void ngx_webrtc_rtp_out_close(ngx_webrtc_rtp_out_t *ro);

/*
 * The stream has news: sends what is new.
 *
 * NGX_OK
 * NGX_DECLINED  it has other codecs now, and has to be opened anew
 */
ngx_int_t ngx_webrtc_rtp_out_news(ngx_webrtc_rtp_out_t *ro);

/* Once a second: sender reports. */
void ngx_webrtc_rtp_out_second(ngx_webrtc_rtp_out_t *ro);

/*
 * Prints the SDP by which what is sent can be received.
 *
 * The end of it, which is not null-terminated
 */
u_char *ngx_webrtc_rtp_out_sdp(ngx_webrtc_rtp_out_t *ro, u_char *p,
    u_char *end);


#endif /* _NGX_WEBRTC_RTP_OUT_H_INCLUDED_ */
