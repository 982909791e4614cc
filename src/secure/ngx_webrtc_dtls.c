
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DTLS 1.2 on OpenSSL, sans I/O.  OpenSSL reads from and writes to a BIO whose
 * data is the datagram that is being processed and the session's send callback:
 * one write is one datagram.  Nothing here knows sockets, addresses or SDP.
 *
 * RFC 6347 (DTLS 1.2), RFC 5763, 5 and RFC 8842 (roles), RFC 5764 (use_srtp and
 * the exporter), RFC 8122 (fingerprint), RFC 8827, 6.5 (algorithms).
 *
 * The peer is authenticated by its fingerprint alone: certificates are
 * self-signed, and chains, names and dates are ignored.  It is compared while
 * OpenSSL processes the peer's certificate, in both roles, so that a handshake
 * with another certificate never completes.  Resumption would bypass this check
 * and is not supported.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ngx_webrtc_dtls.h>


/* RFC 8827, 6.5: ECDHE-ECDSA-AES128-GCM-SHA256 is mandatory; AEAD only */
#define NGX_WEBRTC_DTLS_CIPHERS                                               \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"              \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"              \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

#define NGX_WEBRTC_DTLS_GROUPS                                                \
    "X25519:P-256"

#define NGX_WEBRTC_DTLS_PROFILES                                              \
    "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

/* RFC 5764, 4.2 */
#define NGX_WEBRTC_DTLS_LABEL        "EXTRACTOR-dtls_srtp"

/* bytes of a record header, the smallest datagram; RFC 6347, 4.1 */
#define NGX_WEBRTC_DTLS_HEADER       13

/* bytes that a record adds: header, explicit nonce, tag, and some to spare */
#define NGX_WEBRTC_DTLS_OVERHEAD     64

/* bytes of a record's plaintext at most; RFC 5246, 6.2.1 */
#define NGX_WEBRTC_DTLS_RECORD       16384

/* bytes of a peer's certificate message at most; chosen: self-signed ones take
 * 300 to 1500, a chain with RSA 4096 fits */
#define NGX_WEBRTC_DTLS_CERT_LIST    16384


static void ngx_webrtc_dtls_conf_cleanup(void *data);

static ngx_inline void ngx_webrtc_dtls_forgive(void);
static int ngx_webrtc_dtls_verify(X509_STORE_CTX *store, void *arg);
static unsigned int ngx_webrtc_dtls_timer(SSL *ssl, unsigned int us);

static void ngx_webrtc_dtls_keep(void *ctx, u_char *p, size_t n);
static ngx_int_t ngx_webrtc_dtls_alert(ngx_webrtc_dtls_t *dtls,
    const u_char *p, size_t n);
static ngx_uint_t ngx_webrtc_dtls_stunted(ngx_webrtc_dtls_t *dtls,
    const u_char *p, size_t n);
static ngx_int_t ngx_webrtc_dtls_process(ngx_webrtc_dtls_t *dtls);
static ngx_int_t ngx_webrtc_dtls_handshake(ngx_webrtc_dtls_t *dtls);
static ngx_int_t ngx_webrtc_dtls_read(ngx_webrtc_dtls_t *dtls);
static ngx_int_t ngx_webrtc_dtls_fail(ngx_webrtc_dtls_t *dtls,
    const char *reason);
static void ngx_webrtc_dtls_arm(ngx_webrtc_dtls_t *dtls, uint64_t now_ms);
static void ngx_webrtc_dtls_shrink(ngx_webrtc_dtls_t *dtls);
static void ngx_webrtc_dtls_grow(ngx_webrtc_dtls_t *dtls);


ngx_webrtc_dtls_conf_t *
ngx_webrtc_dtls_conf_create(ngx_pool_t *pool, const ngx_str_t *cert,
    const ngx_str_t *key, const char *profiles, const char **err)
{
    SSL_CTX                 *ctx;
    ngx_pool_cleanup_t      *cln;
    ngx_webrtc_dtls_conf_t  *conf;

    *err = "no memory";

    conf = ngx_pcalloc(pool, sizeof(ngx_webrtc_dtls_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_webrtc_dtls_conf_cleanup;
    cln->data = conf;

    ctx = SSL_CTX_new(DTLS_method());
    if (ctx == NULL) {
        goto failed;
    }

    conf->ssl_ctx = ctx;

    conf->method = ngx_webrtc_dtls_bio_method();
    if (conf->method == NULL) {
        goto failed;
    }

    *err = "OpenSSL refuses the parameters of DTLS";

    if (SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) != 1
        || SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) != 1
        || SSL_CTX_set_cipher_list(ctx, NGX_WEBRTC_DTLS_CIPHERS) != 1
        || SSL_CTX_set1_groups_list(ctx, NGX_WEBRTC_DTLS_GROUPS) != 1
        || SSL_CTX_set_max_send_fragment(ctx, NGX_WEBRTC_DTLS_MTU) != 1)
    {
        goto failed;
    }

    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU
                             |SSL_OP_NO_TICKET
                             |SSL_OP_NO_RENEGOTIATION
                             |SSL_OP_NO_COMPRESSION
                             |SSL_OP_CIPHER_SERVER_PREFERENCE);

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_max_cert_list(ctx, NGX_WEBRTC_DTLS_CERT_LIST);

    /* RFC 8827, 6.5: both sides present a certificate */

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER|SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    SSL_CTX_set_cert_verify_callback(ctx, ngx_webrtc_dtls_verify, NULL);

    /* this one returns 0 on success */

    if (SSL_CTX_set_tlsext_use_srtp(ctx, profiles ? profiles
                                                  : NGX_WEBRTC_DTLS_PROFILES)
        != 0)
    {
        *err = "unknown SRTP profile";
        goto failed;
    }

    if (ngx_webrtc_certificates_use(ctx, cert, key, conf->fingerprint, err)
        != NGX_OK)
    {
        goto failed;
    }

    *err = NULL;

    return conf;

failed:

    /* the pool's cleanup frees the rest */

    ERR_clear_error();

    return NULL;
}


ngx_webrtc_dtls_conf_t *
ngx_webrtc_dtls_conf_files(ngx_pool_t *pool, const char *cert,
    const char *key, const char *profiles, const char **err)
{
    ngx_str_t                cert_text, key_text;
    ngx_webrtc_dtls_conf_t  *conf;

    ngx_str_null(&cert_text);
    ngx_str_null(&key_text);

    *err = ngx_webrtc_certificates_read(pool, cert, &cert_text);

    if (*err == NULL) {
        *err = ngx_webrtc_certificates_read(pool, key, &key_text);
    }

    conf = NULL;

    if (*err == NULL) {
        conf = ngx_webrtc_dtls_conf_create(pool, &cert_text, &key_text,
                                           profiles, err);
    }

    if (key_text.data) {
        OPENSSL_cleanse(key_text.data, key_text.len);
    }

    return conf;
}


ngx_int_t
ngx_webrtc_dtls_init(ngx_webrtc_dtls_t *dtls, ngx_webrtc_dtls_conf_t *conf,
    const ngx_webrtc_dtls_opts_t *opts)
{
    BIO           *bio;
    SSL           *ssl;

    ngx_memzero(dtls, sizeof(ngx_webrtc_dtls_t));

    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    if (opts->fingerprint_len == 0
        || opts->fingerprint_len
           != ngx_webrtc_certificates_size(opts->fingerprint_alg))
    {
        return NGX_DECLINED;
    }

    dtls->fingerprint_alg = (uint8_t) opts->fingerprint_alg;
    dtls->fingerprint_len = (uint8_t) opts->fingerprint_len;
    ngx_memcpy(dtls->fingerprint, opts->fingerprint, opts->fingerprint_len);

    dtls->client = (opts->role == NGX_WEBRTC_DTLS_CLIENT);
    dtls->bio.send = opts->send;
    dtls->bio.ctx = opts->ctx;
    dtls->recv = opts->recv;
    dtls->ctx = opts->ctx;

    ERR_clear_error();

    ssl = SSL_new(conf->ssl_ctx);
    if (ssl == NULL) {
        goto failed;
    }

    dtls->ssl = ssl;

    bio = BIO_new(conf->method);
    if (bio == NULL) {
        goto failed;
    }

    BIO_set_data(bio, &dtls->bio);
    SSL_set_bio(ssl, bio, bio);

    if (SSL_set_app_data(ssl, dtls) != 1
        || SSL_set_mtu(ssl, NGX_WEBRTC_DTLS_MTU) != NGX_WEBRTC_DTLS_MTU)
    {
        goto failed;
    }

    DTLS_set_timer_cb(ssl, ngx_webrtc_dtls_timer);

    if (dtls->client) {
        SSL_set_connect_state(ssl);

    } else {
        SSL_set_accept_state(ssl);
    }

    return NGX_OK;

failed:

    ngx_webrtc_dtls_cleanup(dtls);
    ERR_clear_error();

    return NGX_ERROR;
}


ngx_int_t
ngx_webrtc_dtls_start(ngx_webrtc_dtls_t *dtls, uint64_t now_ms)
{
    ngx_int_t  rc;

    if (dtls->state != NGX_WEBRTC_DTLS_NEW || dtls->ssl == NULL) {
        return (dtls->state == NGX_WEBRTC_DTLS_FAILED) ? NGX_ERROR : NGX_OK;
    }

    dtls->state = NGX_WEBRTC_DTLS_HANDSHAKING;

    if (!dtls->client) {
        return NGX_OK;
    }

    rc = ngx_webrtc_dtls_process(dtls);

    ngx_webrtc_dtls_arm(dtls, now_ms);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_webrtc_dtls_input(ngx_webrtc_dtls_t *dtls, const u_char *p, size_t n,
    uint64_t now_ms)
{
    ngx_int_t  rc;

    switch (dtls->state) {

    case NGX_WEBRTC_DTLS_CLOSED:
        return NGX_DONE;

    case NGX_WEBRTC_DTLS_FAILED:
        return NGX_ERROR;

    default:
        break;
    }

    /*
     * RFC 7983, 7 and RFC 6347, 4.1: content type, then version {254, x}.
     * OpenSSL silently drops records that are invalid in any other way.
     */

    if (n < NGX_WEBRTC_DTLS_HEADER
        || p[0] < 20 || p[0] > 63 || p[1] != 0xfe)
    {
        return NGX_DECLINED;
    }

    if (dtls->ssl == NULL) {
        return ngx_webrtc_dtls_alert(dtls, p, n);
    }

    if (ngx_webrtc_dtls_stunted(dtls, p, n)) {
        return NGX_DECLINED;
    }

    if (dtls->state == NGX_WEBRTC_DTLS_NEW) {
        dtls->state = NGX_WEBRTC_DTLS_HANDSHAKING;
    }

    dtls->bio.in = p;
    dtls->bio.in_n = n;

    rc = ngx_webrtc_dtls_process(dtls);

    dtls->bio.in = NULL;
    dtls->bio.in_n = 0;

    ngx_webrtc_dtls_arm(dtls, now_ms);
    ngx_webrtc_dtls_shrink(dtls);

    return rc;
}


/*
 * RFC 6347, 4.1.2.7: an invalid record is dropped.  OpenSSL 3.0.19 ends the
 * connection when an encrypted one is shorter than its nonce and tag, which
 * anybody who knows the addresses can send.
 */

static ngx_uint_t
ngx_webrtc_dtls_stunted(ngx_webrtc_dtls_t *dtls, const u_char *p, size_t n)
{
    size_t             len, least;
    const SSL_CIPHER  *cipher;

    /* RFC 5288, 3: 8 bytes of nonce and 16 of tag; RFC 7905, 2: the tag */

    cipher = SSL_get_current_cipher(dtls->ssl);

    least = (cipher
             && SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305)
            ? 16 : 24;

    while (n >= NGX_WEBRTC_DTLS_HEADER) {
        len = (p[11] << 8) | p[12];

        if (len > n - NGX_WEBRTC_DTLS_HEADER) {
            return 0;
        }

        if ((p[3] || p[4]) && len < least) {
            return 1;
        }

        p += NGX_WEBRTC_DTLS_HEADER + len;
        n -= NGX_WEBRTC_DTLS_HEADER + len;
    }

    return 0;
}


uint64_t
ngx_webrtc_dtls_deadline(const ngx_webrtc_dtls_t *dtls)
{
    return dtls->ssl ? dtls->deadline_ms : NGX_WEBRTC_DTLS_NO_DEADLINE;
}


ngx_int_t
ngx_webrtc_dtls_timeout(ngx_webrtc_dtls_t *dtls, uint64_t now_ms)
{
    int  rc;

    if (dtls->state == NGX_WEBRTC_DTLS_FAILED) {
        return NGX_ERROR;
    }

    if (dtls->ssl == NULL || now_ms < dtls->deadline_ms) {
        return NGX_OK;
    }

    if (dtls->state == NGX_WEBRTC_DTLS_CONNECTED) {

        if (ngx_webrtc_dtls_settle(dtls) == NGX_ERROR) {
            dtls->deadline_ms = now_ms + NGX_WEBRTC_DTLS_LINGER;
        }

        return NGX_OK;
    }

    if (dtls->state != NGX_WEBRTC_DTLS_HANDSHAKING) {
        return NGX_OK;
    }

    ERR_clear_error();

    rc = DTLSv1_handle_timeout(dtls->ssl);

    if (rc < 0) {
        return ngx_webrtc_dtls_fail(dtls, "too many retransmissions");
    }

    if (rc == 0) {

        /* OpenSSL's own clock was set back, or no timer is running */

        dtls->deadline_ms = now_ms + NGX_WEBRTC_DTLS_TIMEOUT;
    }

    ngx_webrtc_dtls_arm(dtls, now_ms);

    return NGX_OK;
}


const char *
ngx_webrtc_dtls_cipher(ngx_webrtc_dtls_t *dtls)
{
    return dtls->ssl ? SSL_get_cipher_name(dtls->ssl) : "";
}


ngx_int_t
ngx_webrtc_dtls_export(ngx_webrtc_dtls_t *dtls, ngx_webrtc_srtp_key_t *local,
    ngx_webrtc_srtp_key_t *remote)
{
    size_t                    key, salt;
    u_char                   *p;
    u_char                    secret[2 * (NGX_WEBRTC_SRTP_KEY
                                          + NGX_WEBRTC_SRTP_SALT)];
    ngx_int_t                 rc;
    ngx_webrtc_srtp_key_t    *client, *server;
    SRTP_PROTECTION_PROFILE  *profile;

    ngx_memzero(local, sizeof(ngx_webrtc_srtp_key_t));
    ngx_memzero(remote, sizeof(ngx_webrtc_srtp_key_t));

    if (dtls->ssl == NULL
        || dtls->state != NGX_WEBRTC_DTLS_CONNECTED
        || !dtls->verified)
    {
        return NGX_DECLINED;
    }

    profile = SSL_get_selected_srtp_profile(dtls->ssl);

    if (profile == NULL) {
        return NGX_DECLINED;
    }

    /* OpenSSL's ids are the IANA numbers */

    ngx_webrtc_srtp_sizes(profile->id, &key, &salt);

    if (key == 0) {
        return NGX_DECLINED;
    }

    if (SSL_export_keying_material(dtls->ssl, secret, 2 * (key + salt),
                                   NGX_WEBRTC_DTLS_LABEL,
                                   sizeof(NGX_WEBRTC_DTLS_LABEL) - 1,
                                   NULL, 0, 0)
        != 1)
    {
        ERR_clear_error();
        rc = NGX_ERROR;
        goto done;
    }

    client = dtls->client ? local : remote;
    server = dtls->client ? remote : local;

    client->profile = (uint16_t) profile->id;
    server->profile = (uint16_t) profile->id;

    /* RFC 5764, 4.2: client key, server key, client salt, server salt */

    p = secret;

    ngx_memcpy(client->key, p, key);
    p += key;

    ngx_memcpy(server->key, p, key);
    p += key;

    ngx_memcpy(client->salt, p, salt);
    p += salt;

    ngx_memcpy(server->salt, p, salt);

    rc = NGX_OK;

done:

    OPENSSL_cleanse(secret, sizeof(secret));

    return rc;
}


ngx_int_t
ngx_webrtc_dtls_settle(ngx_webrtc_dtls_t *dtls)
{
    ngx_int_t              rc;
    ngx_webrtc_dtls_bio_t  bio;

    if (dtls->state != NGX_WEBRTC_DTLS_CONNECTED || dtls->recv) {
        return NGX_DECLINED;
    }

    if (dtls->ssl == NULL) {
        return NGX_OK;
    }

    if (dtls->unsettled) {
        return NGX_ERROR;
    }

    rc = ngx_webrtc_dtls_alert_init(&dtls->alert, dtls->ssl, dtls->client);

    if (rc != NGX_OK) {
        dtls->unsettled = 1;
        return NGX_ERROR;
    }

    /* OpenSSL writes its last record: into dtls->alert.close */

    ERR_clear_error();
    ngx_webrtc_dtls_grow(dtls);

    bio = dtls->bio;

    dtls->bio.send = ngx_webrtc_dtls_keep;
    dtls->bio.ctx = &dtls->alert;

    (void) SSL_shutdown(dtls->ssl);

    dtls->bio = bio;

    ERR_clear_error();

    SSL_free(dtls->ssl);

    dtls->ssl = NULL;
    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    return NGX_OK;
}


/* ngx_webrtc_dtls_send_pt: the record of our close_notify, for later */

static void
ngx_webrtc_dtls_keep(void *ctx, u_char *p, size_t n)
{
    ngx_webrtc_dtls_alert_t *alert = ctx;

    if (n <= NGX_WEBRTC_DTLS_ALERT_RECORD) {
        ngx_memcpy(alert->close, p, n);
        alert->close_n = (uint8_t) n;
    }
}


/* a datagram for a settled session */

static ngx_int_t
ngx_webrtc_dtls_alert(ngx_webrtc_dtls_t *dtls, const u_char *p, size_t n)
{
    if (dtls->alert.cipher == NULL) {
        return NGX_DECLINED;
    }

    switch (ngx_webrtc_dtls_alert_input(&dtls->alert, p, n)) {

    case NGX_DONE:

        /* RFC 5246, 7.2.1: answered with our close_notify */

        ngx_webrtc_dtls_close(dtls);
        return NGX_DONE;

    case NGX_ERROR:
        return ngx_webrtc_dtls_fail(dtls, "fatal alert");

    default:
        return NGX_OK;
    }
}


ngx_int_t
ngx_webrtc_dtls_send(ngx_webrtc_dtls_t *dtls, const u_char *p, size_t n)
{
    int  rc;

    if (dtls->ssl == NULL
        || dtls->state != NGX_WEBRTC_DTLS_CONNECTED
        || n == 0 || n > NGX_WEBRTC_DTLS_MTU - NGX_WEBRTC_DTLS_OVERHEAD)
    {
        return NGX_DECLINED;
    }

    ngx_webrtc_dtls_forgive();
    ngx_webrtc_dtls_grow(dtls);

    rc = SSL_write(dtls->ssl, p, (int) n);

    if (rc <= 0) {
        return ngx_webrtc_dtls_fail(dtls, NULL);
    }

    return NGX_OK;
}


void
ngx_webrtc_dtls_close(ngx_webrtc_dtls_t *dtls)
{
    if (dtls->state == NGX_WEBRTC_DTLS_CONNECTED) {

        if (dtls->ssl) {
            ERR_clear_error();
            ngx_webrtc_dtls_grow(dtls);

            (void) SSL_shutdown(dtls->ssl);

            ERR_clear_error();

        } else if (dtls->alert.close_n) {
            dtls->bio.send(dtls->bio.ctx, dtls->alert.close,
                           dtls->alert.close_n);
        }
    }

    if (dtls->state != NGX_WEBRTC_DTLS_FAILED) {
        dtls->state = NGX_WEBRTC_DTLS_CLOSED;
    }

    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;
}


void
ngx_webrtc_dtls_cleanup(ngx_webrtc_dtls_t *dtls)
{
    if (dtls->ssl) {

        /* frees the BIO too; there is no session to be kept */

        SSL_free(dtls->ssl);
        dtls->ssl = NULL;
    }

    ngx_webrtc_dtls_alert_cleanup(&dtls->alert);

    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;
}


static void
ngx_webrtc_dtls_conf_cleanup(void *data)
{
    ngx_webrtc_dtls_conf_t *conf = data;

    SSL_CTX_free(conf->ssl_ctx);
    BIO_meth_free(conf->method);

    conf->ssl_ctx = NULL;
    conf->method = NULL;
}


/*
 * Per record: the thread's queue of errors, which takes some time to clear, is
 * empty as a rule.
 */

static ngx_inline void
ngx_webrtc_dtls_forgive(void)
{
    if (ERR_peek_error()) {
        ERR_clear_error();
    }
}


/*
 * RFC 8122, 6.2; RFC 5763, 5: only the fingerprint matters.  OpenSSL itself
 * verifies that the peer holds the key.
 */

static int
ngx_webrtc_dtls_verify(X509_STORE_CTX *store, void *arg)
{
    SSL                *ssl;
    ngx_webrtc_dtls_t  *dtls;

    (void) arg;

    ssl = X509_STORE_CTX_get_ex_data(store,
                                     SSL_get_ex_data_X509_STORE_CTX_idx());
    dtls = SSL_get_app_data(ssl);

    if (!ngx_webrtc_certificates_match(X509_STORE_CTX_get0_cert(store),
                                       dtls->fingerprint_alg,
                                       dtls->fingerprint,
                                       dtls->fingerprint_len))
    {
        dtls->reason = "certificate does not match the fingerprint";

        /* becomes the alert bad_certificate */
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);

        return 0;
    }

    dtls->verified = 1;

    X509_STORE_CTX_set_error(store, X509_V_OK);

    return 1;
}


/*
 * OpenSSL is about to start its retransmission timer: us == 0 for a new flight,
 * else after a retransmission.  It gets half of our interval, see
 * ngx_webrtc_dtls_timeout().
 */

static unsigned int
ngx_webrtc_dtls_timer(SSL *ssl, unsigned int us)
{
    ngx_webrtc_dtls_t  *dtls;

    dtls = SSL_get_app_data(ssl);

    if (us == 0) {
        dtls->interval_ms = NGX_WEBRTC_DTLS_TIMEOUT;

    } else {
        dtls->interval_ms = ngx_min(dtls->interval_ms * 2,
                                    NGX_WEBRTC_DTLS_TIMEOUT_MAX);
    }

    dtls->rearm = 1;

    return dtls->interval_ms * 1000 / 2;
}


static ngx_int_t
ngx_webrtc_dtls_process(ngx_webrtc_dtls_t *dtls)
{
    ngx_int_t  rc;

    ngx_webrtc_dtls_forgive();

    if (dtls->state == NGX_WEBRTC_DTLS_HANDSHAKING) {

        rc = ngx_webrtc_dtls_handshake(dtls);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* also after the handshake: data may have come with the last flight */

    dtls->shrunk = 0;

    return ngx_webrtc_dtls_read(dtls);
}


static ngx_int_t
ngx_webrtc_dtls_handshake(ngx_webrtc_dtls_t *dtls)
{
    int  rc;

    rc = SSL_do_handshake(dtls->ssl);

    if (rc == 1) {

        /* cannot fail: guards against a change above that lets anyone in */

        if (!dtls->verified || SSL_get0_peer_certificate(dtls->ssl) == NULL) {
            return ngx_webrtc_dtls_fail(dtls, "no certificate");
        }

        dtls->state = NGX_WEBRTC_DTLS_CONNECTED;

        return NGX_OK;
    }

    switch (SSL_get_error(dtls->ssl, rc)) {

    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        ERR_clear_error();
        return NGX_AGAIN;

    case SSL_ERROR_ZERO_RETURN:
        return ngx_webrtc_dtls_fail(dtls, "closed by the peer");

    default:
        return ngx_webrtc_dtls_fail(dtls, NULL);
    }
}


/* hands out the records of the current datagram */

static ngx_int_t
ngx_webrtc_dtls_read(ngx_webrtc_dtls_t *dtls)
{
    int     n;
    u_char  buf[NGX_WEBRTC_DTLS_RECORD];

    for ( ;; ) {

        n = SSL_read(dtls->ssl, buf, sizeof(buf));

        if (n > 0) {
            if (dtls->recv) {
                dtls->recv(dtls->ctx, buf, n);

                if (dtls->state != NGX_WEBRTC_DTLS_CONNECTED) {

                    /* a reply could not be sent */
                    return NGX_ERROR;
                }
            }

            continue;
        }

        switch (SSL_get_error(dtls->ssl, n)) {

        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            ngx_webrtc_dtls_forgive();
            return NGX_OK;

        case SSL_ERROR_ZERO_RETURN:

            /* RFC 5246, 7.2.1: answered with our close_notify */

            ngx_webrtc_dtls_close(dtls);
            return NGX_DONE;

        default:
            return ngx_webrtc_dtls_fail(dtls, NULL);
        }
    }
}


/* OpenSSL has already sent an alert, if there is one for this error */

static ngx_int_t
ngx_webrtc_dtls_fail(ngx_webrtc_dtls_t *dtls, const char *reason)
{
    unsigned long  e;

    e = ERR_peek_error();

    if (dtls->reason == NULL) {

        if (reason == NULL && e) {
            reason = ERR_reason_error_string(e);
        }

        dtls->reason = reason ? reason : "unknown error";
    }

    dtls->state = NGX_WEBRTC_DTLS_FAILED;
    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    ERR_clear_error();

    return NGX_ERROR;
}


/* sets our deadline when OpenSSL has started its timer or stopped it */

static void
ngx_webrtc_dtls_arm(ngx_webrtc_dtls_t *dtls, uint64_t now_ms)
{
    struct timeval  tv;

    if (dtls->state == NGX_WEBRTC_DTLS_CONNECTED && dtls->recv == NULL) {

        /* also postponed when handshake messages arrive again */

        dtls->deadline_ms = now_ms + NGX_WEBRTC_DTLS_LINGER;

    } else if (dtls->state != NGX_WEBRTC_DTLS_HANDSHAKING
               || DTLSv1_get_timeout(dtls->ssl, &tv) != 1)
    {
        dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    } else if (dtls->rearm) {
        dtls->deadline_ms = now_ms + dtls->interval_ms;
    }

    dtls->rearm = 0;
}


/*
 * SSL_MODE_RELEASE_BUFFERS has no effect on DTLS, but a connected media session
 * receives almost no DTLS, and its buffers are a good part of a viewer's
 * memory.  OpenSSL allocates new ones when it reads, not when it writes, hence
 * ngx_webrtc_dtls_grow().
 */

static void
ngx_webrtc_dtls_shrink(ngx_webrtc_dtls_t *dtls)
{
    if (!dtls->recv) {
        ngx_webrtc_dtls_idle(dtls);
    }
}


void
ngx_webrtc_dtls_idle(ngx_webrtc_dtls_t *dtls)
{
    if (dtls->ssl == NULL || dtls->shrunk
        || dtls->state != NGX_WEBRTC_DTLS_CONNECTED)
    {
        return;
    }

    if (SSL_free_buffers(dtls->ssl) == 1) {
        dtls->shrunk = 1;
    }
}


static void
ngx_webrtc_dtls_grow(ngx_webrtc_dtls_t *dtls)
{
    char  c;

    if (!dtls->shrunk) {
        return;
    }

    /* there is no datagram: nothing is read */

    (void) SSL_peek(dtls->ssl, &c, 1);

    dtls->shrunk = 0;

    ERR_clear_error();
}
