
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DTLS certificates: generates and reads them, compares fingerprints.
 */


#ifndef _NGX_WEBRTC_CERTIFICATES_H_INCLUDED_
#define _NGX_WEBRTC_CERTIFICATES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_desc.h>         /* NGX_WEBRTC_FINGERPRINT_* */


/* bytes of a generated certificate and key in PEM, at most */
#define NGX_WEBRTC_CERTIFICATES_PEM          2048

/* bytes of "AB:CD:..." of SHA-256, without a terminating null */
#define NGX_WEBRTC_CERTIFICATES_FINGERPRINT  (32 * 3 - 1)


/*
 * Makes an ECDSA P-256 key and a self-signed certificate (RFC 8827, 6.5), valid
 * from a day before to ten years after `now`.
 *
 *   now_sec    seconds since the Unix epoch
 *   buf        room for NGX_WEBRTC_CERTIFICATES_PEM bytes; out: both as PEM,
 *              the certificate first, null-terminated
 *   n          out: bytes, without the null
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_certificates_generate(time_t now_sec, u_char *buf,
    size_t *n);

/*
 * Reads a file with certificates or a key.
 *
 *   pool    for the text
 *   name    null-terminated
 *   text    out: set even after a failure, so that the caller wipes a key
 *
 * Returns the cause of a failure, static text, or NULL on success.
 */
const char *ngx_webrtc_certificates_read(ngx_pool_t *pool, const char *name,
    ngx_str_t *text);

/*
 * Loads a certificate (chain) and key into an SSL_CTX.
 *
 *   cert, key     as of ngx_webrtc_dtls_conf_create()
 *   fingerprint   out: SHA-256 of the certificate as text,
 *                 NGX_WEBRTC_CERTIFICATES_FINGERPRINT bytes
 *   err           out: cause, static text, on NGX_ERROR
 *
 * NGX_OK, NGX_ERROR
 */
ngx_int_t ngx_webrtc_certificates_use(void *ssl_ctx, const ngx_str_t *cert,
    const ngx_str_t *key, u_char *fingerprint, const char **err);

/*
 * Whether an X509 matches the signalled fingerprint (NGX_WEBRTC_FINGERPRINT_*,
 * len bytes).
 */
ngx_uint_t ngx_webrtc_certificates_match(void *x509, ngx_uint_t alg,
    const u_char *fingerprint, size_t len);

/* Fingerprint size of an algorithm, in bytes; 0 if it is not accepted. */
ngx_uint_t ngx_webrtc_certificates_size(ngx_uint_t alg);


#endif /* _NGX_WEBRTC_CERTIFICATES_H_INCLUDED_ */
