
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of SSE signalling as clients send them, parsed with jansson: the
 * only place that knows it.
 */


#ifndef _NGX_WEBRTC_SIGNAL_JSON_H_INCLUDED_
#define _NGX_WEBRTC_SIGNAL_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_signal.h>


typedef struct {
    ngx_uint_t   type;               /* NGX_WEBRTC_SIGNAL_* */
    ngx_str_t    text;               /* of OFFER and ANSWER the SDP, of
                                        CANDIDATE "candidate:..." or empty;
                                        else empty */

    /* private */
    void        *message;
    void        *payload;
} ngx_webrtc_signal_t;


/*
 * Parses {"type": ..., "payload": ...}.
 *
 *   msg     out, to be ended with ngx_webrtc_signal_free() on NGX_OK
 *   cause   out when refused, constant text
 *
 * NGX_OK
 * NGX_DECLINED  not JSON, an unknown type, or a payload that does not fit the
 *               type; msg needs no freeing
 */
ngx_int_t ngx_webrtc_signal_parse(const u_char *p, size_t n,
    ngx_webrtc_signal_t *msg, const char **cause);

/* May be called twice. */
void ngx_webrtc_signal_free(ngx_webrtc_signal_t *msg);


#endif /* _NGX_WEBRTC_SIGNAL_JSON_H_INCLUDED_ */
