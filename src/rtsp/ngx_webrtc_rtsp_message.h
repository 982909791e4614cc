
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests of RTSP 1.0 (RFC 2326): the line, the header fields that matter, and
 * what is in some of them.  Parse results are views into the caller's bytes.
 */


#ifndef _NGX_WEBRTC_RTSP_MESSAGE_H_INCLUDED_
#define _NGX_WEBRTC_RTSP_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* digits of CSeq; chosen: 32 bits */
#define NGX_WEBRTC_RTSP_CSEQ  10


/* what is absent is empty */
typedef struct {
    ngx_str_t    method;
    ngx_str_t    uri;
    ngx_str_t    version;         /* "RTSP/1.0" */

    ngx_str_t    cseq;
    ngx_str_t    session;
    ngx_str_t    transport;
    ngx_str_t    agent;
    ngx_str_t    authorization;
    ngx_str_t    type;            /* of the body */
    ngx_str_t    length;
    ngx_str_t    require;

    size_t       content_length;
} ngx_webrtc_rtsp_message_t;


/*
 * RFC 2326, 4 and 6.  Parses a request up to its blank line; lines may end in
 * LF alone.
 *
 * NGX_OK
 * NGX_DECLINED   it is none, or a field is malformed; m has what could be read
 */
ngx_int_t ngx_webrtc_rtsp_message_parse(u_char *p, u_char *end,
    ngx_webrtc_rtsp_message_t *m);

/*
 * RFC 2326, 3.2.  What follows the authority of an URL, which is absolute or a
 * path.
 *
 *   host   out, with the port, without a user; or empty.  May be NULL
 *   path   out: with the query; "/" at least
 */
void ngx_webrtc_rtsp_message_url(ngx_str_t *uri, ngx_str_t *host,
    ngx_str_t *path);

/*
 * RFC 2326, 12.39.  The first transport that is RTP over this connection.
 *
 *   channel   out: the one that is asked for, -1: any
 *
 * NGX_OK
 * NGX_DECLINED   there is none
 */
ngx_int_t ngx_webrtc_rtsp_message_transport(ngx_str_t *transport,
    ngx_int_t *channel);

/*
 * The same over UDP, to one receiver.
 *
 *   port   out: the client's, of RTP
 *
 * NGX_OK, NGX_DECLINED
 */
ngx_int_t ngx_webrtc_rtsp_message_udp(ngx_str_t *transport, ngx_uint_t *port);

/* Whether s begins with a word, in any case. */
ngx_uint_t ngx_webrtc_rtsp_message_begins(ngx_str_t *s, const char *word);


#endif /* _NGX_WEBRTC_RTSP_MESSAGE_H_INCLUDED_ */
