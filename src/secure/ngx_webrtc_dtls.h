
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DTLS 1.2 of a WebRTC session on OpenSSL, sans I/O: the handshake in either
 * role, checking the peer's certificate against its fingerprint, SRTP keys,
 * application data (for SCTP), close_notify.  It knows neither sockets nor
 * addresses: only datagrams from addresses that passed an ICE check may be
 * passed in, so there is no need for cookies.
 *
 * RFC 6347 (DTLS), RFC 5763 and RFC 5764 (DTLS-SRTP), RFC 8122 (fingerprint),
 * RFC 8827 (WebRTC security), RFC 8842 (DTLS in SDP).
 */


#ifndef _NGX_WEBRTC_DTLS_H_INCLUDED_
#define _NGX_WEBRTC_DTLS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_certificates.h>
#include <ngx_webrtc_desc.h>         /* NGX_WEBRTC_DTLS_* */
#include <ngx_webrtc_dtls_bio.h>
#include <ngx_webrtc_dtls_alert.h>
#include <ngx_webrtc_srtp.h>         /* ngx_webrtc_srtp_key_t */


/* milliseconds until the first retransmission; RFC 6347, 4.2.4.1 wants 1 s
 * "to avoid congestion" and allows less where latency matters; chosen: above
 * most round trips, so that a lost flight costs little of the start */
#define NGX_WEBRTC_DTLS_TIMEOUT      200

/* milliseconds, the interval doubles up to it; chosen: a handful of flights
 * within webrtc_handshake_timeout even on a bad path */
#define NGX_WEBRTC_DTLS_TIMEOUT_MAX  3200

/*
 * milliseconds for which the server is ready to repeat its last flight, unless
 * the peer is known to have it; RFC 6347, 4.2.4: twice the default MSL of TCP
 */
#define NGX_WEBRTC_DTLS_LINGER       240000

/* "there is no deadline" */
#define NGX_WEBRTC_DTLS_NO_DEADLINE  ((uint64_t) -1)


typedef enum {
    NGX_WEBRTC_DTLS_NEW = 0,         /* -> HANDSHAKING: start() or input() */
    NGX_WEBRTC_DTLS_HANDSHAKING,     /* -> CONNECTED, FAILED, CLOSED */
    NGX_WEBRTC_DTLS_CONNECTED,       /* -> CLOSED, FAILED */
    NGX_WEBRTC_DTLS_CLOSED,          /* close_notify either way; final */
    NGX_WEBRTC_DTLS_FAILED           /* see ->reason; final */
} ngx_webrtc_dtls_state_e;


/*
 * Receives the application data of one record, n bytes owned by the engine.  It
 * may call ngx_webrtc_dtls_send(), but no other function of the engine.
 */
typedef void (*ngx_webrtc_dtls_recv_pt)(void *ctx, u_char *p, size_t n);


/* shared by all sessions of a configuration; owned by its pool */
typedef struct {
    void       *ssl_ctx;             /* SSL_CTX */
    void       *method;              /* BIO_METHOD */
    u_char      fingerprint[NGX_WEBRTC_CERTIFICATES_FINGERPRINT];
                                     /* SHA-256, text */
} ngx_webrtc_dtls_conf_t;


typedef struct {
    ngx_uint_t               role;       /* NGX_WEBRTC_DTLS_SERVER, _CLIENT */

    /* of the peer's certificate, from its SDP; copied */
    ngx_uint_t               fingerprint_alg;    /* NGX_WEBRTC_FINGERPRINT_* */
    const u_char            *fingerprint;
    size_t                   fingerprint_len;

    ngx_webrtc_dtls_send_pt  send;
    ngx_webrtc_dtls_recv_pt  recv;       /* NULL: data is thrown away */
    void                    *ctx;        /* for both */
} ngx_webrtc_dtls_opts_t;


/* Must not be moved while initialized.  Readable: state, reason. */
typedef struct {
    ngx_webrtc_dtls_state_e  state;
    const char              *reason;     /* of FAILED: static text; or NULL */

    /* private */
    void                    *ssl;        /* SSL; NULL when settled */
    ngx_webrtc_dtls_bio_t    bio;
    ngx_webrtc_dtls_recv_pt  recv;
    void                    *ctx;
    uint64_t                 deadline_ms;
    uint32_t                 interval_ms;
    unsigned                 client:1;
    unsigned                 verified:1; /* certificate fits the fingerprint */
    unsigned                 rearm:1;    /* OpenSSL has started its timer */
    unsigned                 shrunk:1;   /* OpenSSL's buffers are freed */
    unsigned                 unsettled:1;/* OpenSSL refused the key, for good */
    uint8_t                  fingerprint_alg;
    uint8_t                  fingerprint_len;
    u_char                   fingerprint[NGX_WEBRTC_DESC_FINGERPRINT];
    ngx_webrtc_dtls_alert_t  alert;      /* when settled */
} ngx_webrtc_dtls_t;


/*
 * Makes the configuration from a certificate (chain) and key in PEM: both in
 * one text (as of ngx_webrtc_certificates_generate(), so that it may be kept
 * over a reload), or in two.  ECDSA and RSA.
 *
 *   pool       owner of the result, gets a cleanup
 *   cert       PEM text, the session's own certificate first
 *   key        PEM text; NULL: it is in cert
 *   profiles   protection profiles in our order of preference as of
 *              SSL_CTX_set_tlsext_use_srtp(), null-terminated; NULL: AEAD
 *              128, AEAD 256, AES_CM
 *   err        out: cause, static text, in case of NULL
 */
ngx_webrtc_dtls_conf_t *ngx_webrtc_dtls_conf_create(ngx_pool_t *pool,
    const ngx_str_t *cert, const ngx_str_t *key, const char *profiles,
    const char **err);

/* The same from files (null-terminated names), for `webrtc_certificate`. */
ngx_webrtc_dtls_conf_t *ngx_webrtc_dtls_conf_files(ngx_pool_t *pool,
    const char *cert, const char *key, const char *profiles,
    const char **err);


/*
 * Prepares a session; sends nothing.
 *
 *   dtls    zeroed or cleaned up
 *   conf    has to outlive dtls
 *
 * NGX_OK        to be ended with ngx_webrtc_dtls_cleanup()
 * NGX_DECLINED  the fingerprint's algorithm or length is not accepted
 * NGX_ERROR     OpenSSL failed; nothing to clean up
 */
ngx_int_t ngx_webrtc_dtls_init(ngx_webrtc_dtls_t *dtls,
    ngx_webrtc_dtls_conf_t *conf, const ngx_webrtc_dtls_opts_t *opts);

/*
 * To be called once ICE has an address: the client sends its ClientHello, the
 * server just waits.  Repeated calls do nothing.
 *
 *   now_ms    of a monotonic clock, here and below
 *
 * NGX_OK, NGX_ERROR (state FAILED)
 */
ngx_int_t ngx_webrtc_dtls_start(ngx_webrtc_dtls_t *dtls, uint64_t now_ms);

/*
 * Takes a datagram (first byte 20 .. 63, RFC 7983).  Sends any replies and
 * passes application data to the recv callback.
 *
 *   p, n    whole datagram; not modified
 *
 * NGX_OK        CONNECTED; if it was not before, the keys may now be exported
 * NGX_AGAIN     still HANDSHAKING
 * NGX_DONE      CLOSED: the peer has sent close_notify (ours went out in turn),
 *               or it was closed before
 * NGX_DECLINED  not DTLS, dropped; the state is as before
 * NGX_ERROR     FAILED; an alert has been sent if there is one for this error
 */
ngx_int_t ngx_webrtc_dtls_input(ngx_webrtc_dtls_t *dtls, const u_char *p,
    size_t n, uint64_t now_ms);

/*
 * The instant at which ngx_webrtc_dtls_timeout() is to be called, in the units
 * of now_ms, or NGX_WEBRTC_DTLS_NO_DEADLINE.  Changes with every call above.
 */
uint64_t ngx_webrtc_dtls_deadline(const ngx_webrtc_dtls_t *dtls);

/*
 * Retransmits the last flight if that is due, and settles a connected session
 * if that is due; harmless otherwise.
 *
 * Time.  The schedule is ours, from now_ms: NGX_WEBRTC_DTLS_TIMEOUT, doubled up
 * to NGX_WEBRTC_DTLS_TIMEOUT_MAX.  But OpenSSL 3 retransmits only if its own
 * timer, which reads gettimeofday(), has expired too.  It is given half of our
 * interval (DTLS_set_timer_cb()) and so has expired whenever ours has, unless
 * the wall clock was set back meanwhile: then the next try follows after
 * NGX_WEBRTC_DTLS_TIMEOUT.  Past half of our interval an unexpected datagram
 * from the peer makes OpenSSL retransmit too, as in RFC 6347, 4.2.4.  Tests
 * replace gettimeofday().
 *
 * NGX_OK        fine
 * NGX_ERROR     FAILED: too many retransmissions (12)
 */
ngx_int_t ngx_webrtc_dtls_timeout(ngx_webrtc_dtls_t *dtls, uint64_t now_ms);

/* The name of the cipher suite once connected, before settling; else "". */
const char *ngx_webrtc_dtls_cipher(ngx_webrtc_dtls_t *dtls);

/*
 * RFC 5764, 4.2.  Exports the master keys; only in state CONNECTED, which
 * implies that the peer's certificate matched its fingerprint.
 *
 *   local     out: of what we send
 *   remote    out: of what the peer sends; the caller wipes both
 *
 * NGX_OK
 * NGX_DECLINED  not connected, or the peer negotiated no profile
 * NGX_ERROR     OpenSSL failed
 */
ngx_int_t ngx_webrtc_dtls_export(ngx_webrtc_dtls_t *dtls,
    ngx_webrtc_srtp_key_t *local, ngx_webrtc_srtp_key_t *remote);

/*
 * Frees OpenSSL's state, 35 kB, of a session without a recv callback whose keys
 * have been exported: only its end is still expected.  From then on the peer's
 * close_notify and fatal alerts are understood and answered as before, close()
 * sends what was encrypted in advance, everything else is ignored, and send()
 * and export() decline.
 *
 * To be called when the peer is known to have our last flight: it has sent an
 * authentic SRTP or SRTCP packet, or is the server.  If that never becomes
 * known, timeout() settles it after NGX_WEBRTC_DTLS_LINGER.
 *
 * NGX_OK        settled, now or before
 * NGX_DECLINED  not connected, or there is a recv callback
 * NGX_ERROR     OpenSSL failed; all is as before
 */
ngx_int_t ngx_webrtc_dtls_settle(ngx_webrtc_dtls_t *dtls);

/*
 * Frees the record buffers, 18 kB, of an idle connection with a recv callback,
 * until the next record is received or sent.  Must not be called from a
 * callback; harmless at any other time.
 */
void ngx_webrtc_dtls_idle(ngx_webrtc_dtls_t *dtls);

/*
 * Sends application data as one record and datagram.
 *
 *   p, n    n <= NGX_WEBRTC_DTLS_MTU - 64 bytes, n > 0
 *
 * NGX_OK
 * NGX_DECLINED  not connected, or n is out of range
 * NGX_ERROR     OpenSSL failed: FAILED
 */
ngx_int_t ngx_webrtc_dtls_send(ngx_webrtc_dtls_t *dtls, const u_char *p,
    size_t n);

/*
 * Sends close_notify if connected; the state is CLOSED (or stays FAILED).  May
 * be called in any state, and twice; not from a callback.
 */
void ngx_webrtc_dtls_close(ngx_webrtc_dtls_t *dtls);

/*
 * Frees and wipes; sends nothing.  The state is kept.  May be called for a
 * zeroed struct, and twice; not from a callback.
 */
void ngx_webrtc_dtls_cleanup(ngx_webrtc_dtls_t *dtls);


#endif /* _NGX_WEBRTC_DTLS_H_INCLUDED_ */
