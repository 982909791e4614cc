
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * State kept for a DTLS association once only its end is still expected: our
 * close_notify, encrypted beforehand, and the key that reads the peer's alerts.
 * It replaces OpenSSL's 35 kB in media sessions.
 *
 * RFC 6347, 4.1 (records), RFC 5246, 6.3 (key block), RFC 5288 and RFC 7905
 * (ciphers).
 */


#ifndef _NGX_WEBRTC_DTLS_ALERT_H_INCLUDED_
#define _NGX_WEBRTC_DTLS_ALERT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes of a cipher's key and implicit nonce at most */
#define NGX_WEBRTC_DTLS_ALERT_KEY     32
#define NGX_WEBRTC_DTLS_ALERT_IV      12

/* bytes of a record with an alert at most: header, nonce, alert, tag */
#define NGX_WEBRTC_DTLS_ALERT_RECORD  (13 + 8 + 2 + 16)


/* Private; owns no pointers, may be copied. */
typedef struct {
    const void   *cipher;            /* EVP_CIPHER, static; NULL: unused */
    uint8_t       key_n;
    uint8_t       iv_n;
    uint8_t       close_n;
    u_char        key[NGX_WEBRTC_DTLS_ALERT_KEY];      /* the peer's */
    u_char        iv[NGX_WEBRTC_DTLS_ALERT_IV];
    u_char        close[NGX_WEBRTC_DTLS_ALERT_RECORD]; /* set by the caller */
} ngx_webrtc_dtls_alert_t;


/*
 * Derives the peer's key of a connection.
 *
 *   ssl      SSL whose handshake is done: DTLS 1.2 with an AEAD cipher
 *   client   1: we are the client
 *
 * NGX_OK        to be ended with ngx_webrtc_dtls_alert_cleanup()
 * NGX_DECLINED  another cipher
 * NGX_ERROR     OpenSSL failed; nothing to clean up
 */
ngx_int_t ngx_webrtc_dtls_alert_init(ngx_webrtc_dtls_alert_t *al, void *ssl,
    ngx_uint_t client);

/*
 * RFC 5246, 7.2.  Looks for an alert that ends the connection.  Replays are not
 * detected: the connection ends only once.
 *
 *   p, n     whole datagram; not modified
 *
 * NGX_OK        there is none; other records and forged ones are ignored
 * NGX_DONE      close_notify
 * NGX_ERROR     a fatal alert
 */
ngx_int_t ngx_webrtc_dtls_alert_input(ngx_webrtc_dtls_alert_t *al,
    const u_char *p, size_t n);

/* Wipes the struct.  May be called for a zeroed one, and twice. */
void ngx_webrtc_dtls_alert_cleanup(ngx_webrtc_dtls_alert_t *al);


#endif /* _NGX_WEBRTC_DTLS_ALERT_H_INCLUDED_ */
