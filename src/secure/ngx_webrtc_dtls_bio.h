
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A BIO of datagrams: OpenSSL reads the one being processed, and each of its
 * writes goes to a callback as one datagram.
 */


#ifndef _NGX_WEBRTC_DTLS_BIO_H_INCLUDED_
#define _NGX_WEBRTC_DTLS_BIO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a datagram that we send at most; chosen: as for media, and far
 * below what IPv6 and tunnels carry */
#define NGX_WEBRTC_DTLS_MTU          1200


/*
 * Sends one datagram of n <= NGX_WEBRTC_DTLS_MTU bytes, owned by the engine.
 * It may be lost.  It must not call the engine.
 */
typedef void (*ngx_webrtc_dtls_send_pt)(void *ctx, u_char *p, size_t n);


/* data of the BIO, BIO_set_data(); its owner's */
typedef struct {
    const u_char             *in;        /* datagram being read, or NULL */
    size_t                    in_n;
    ngx_webrtc_dtls_send_pt   send;
    void                     *ctx;
} ngx_webrtc_dtls_bio_t;


/* Returns a BIO_METHOD, ended with BIO_meth_free(); NULL: no memory. */
void *ngx_webrtc_dtls_bio_method(void);


#endif /* _NGX_WEBRTC_DTLS_BIO_H_INCLUDED_ */
