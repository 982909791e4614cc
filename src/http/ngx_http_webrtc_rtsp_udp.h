
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * RTP and RTCP of one track of an RTSP publisher, over UDP: a pair of ports of
 * the address that the publisher has come to.  Datagrams are those of the
 * publisher's address and port, as it has said in SETUP.  Behind a NAT that is
 * another one: the first packet of the track's payload type decides, unless
 * one from the port that was named comes within a second, and until there has
 * been silence for that long.
 */


#ifndef _NGX_HTTP_WEBRTC_RTSP_UDP_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_RTSP_UDP_H_INCLUDED_


#include "ngx_http_webrtc_ingest_tcp.h"


typedef struct ngx_http_webrtc_rtsp_udp_s  ngx_http_webrtc_rtsp_udp_t;


/*
 * Takes a packet: of RTP in order, of RTCP as it has come.
 *
 *   track   as in the configuration
 *   p       may be changed in its place
 */
typedef void (*ngx_http_webrtc_rtsp_udp_pt)(void *data, ngx_uint_t track,
    ngx_uint_t rtcp, u_char *p, size_t n);


typedef struct {
    ngx_uint_t                     track;     /* for the handler */
    ngx_uint_t                     pt;        /* of its packets */
    ngx_uint_t                     video;     /* or sound */
    in_port_t                      from;      /* the publisher's, of RTP; that
                                                 of RTCP is the next one */
    ngx_http_webrtc_rtsp_udp_pt    handler;
    void                          *data;
} ngx_http_webrtc_rtsp_udp_conf_t;


/*
 * Opens the ports; takes two of worker_connections.
 *
 *   tc     of the publisher, lives longer
 *   port   out: of RTP; that of RTCP is the next one
 *
 * NULL: no ports, no connections, or no memory
 */
ngx_http_webrtc_rtsp_udp_t *ngx_http_webrtc_rtsp_udp_open(
    ngx_http_webrtc_ingest_tcp_t *tc,
    const ngx_http_webrtc_rtsp_udp_conf_t *conf, in_port_t *port);

/* What waits is read, not from within. */
void ngx_http_webrtc_rtsp_udp_resume(ngx_http_webrtc_rtsp_udp_t *u);

/* Closes them; not from within the handler. */
void ngx_http_webrtc_rtsp_udp_close(ngx_http_webrtc_rtsp_udp_t *u);


#endif /* _NGX_HTTP_WEBRTC_RTSP_UDP_H_INCLUDED_ */
