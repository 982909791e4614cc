
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
 * Who is there is decided by the fingerprint alone: certificates are
 * self-signed and neither chains nor names nor dates are looked at.  It is
 * compared while OpenSSL processes the peer's certificate, in both roles, so
 * that a handshake with another certificate never completes.  There is no
 * resumption, which would go round that.
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

/* bytes of a file with certificates or a key at most; chosen */
#define NGX_WEBRTC_DTLS_FILE         65536

/* of a generated certificate, in days; chosen */
#define NGX_WEBRTC_DTLS_NOT_BEFORE   (-1)
#define NGX_WEBRTC_DTLS_NOT_AFTER    3650


static X509 *ngx_webrtc_dtls_self_sign(EVP_PKEY *key, time_t now_sec);
static char *ngx_webrtc_dtls_read_file(ngx_pool_t *pool, const char *name,
    ngx_str_t *text);
static ngx_int_t ngx_webrtc_dtls_use_pem(ngx_webrtc_dtls_conf_t *conf,
    const ngx_str_t *cert, const ngx_str_t *key, const char **err);
static ngx_int_t ngx_webrtc_dtls_fingerprint(X509 *x509, u_char *text);
static void ngx_webrtc_dtls_conf_cleanup(void *data);

static const EVP_MD *ngx_webrtc_dtls_digest(ngx_uint_t alg);
static int ngx_webrtc_dtls_verify(X509_STORE_CTX *store, void *arg);
static unsigned int ngx_webrtc_dtls_timer(SSL *ssl, unsigned int us);

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

static BIO_METHOD *ngx_webrtc_dtls_bio_method(void);
static int ngx_webrtc_dtls_bio_create(BIO *bio);
static int ngx_webrtc_dtls_bio_read(BIO *bio, char *buf, int n);
static int ngx_webrtc_dtls_bio_write(BIO *bio, const char *buf, int n);
static long ngx_webrtc_dtls_bio_ctrl(BIO *bio, int cmd, long num, void *ptr);


ngx_int_t
ngx_webrtc_dtls_generate(time_t now_sec, u_char *buf, size_t *n)
{
    BIO        *bio;
    char       *data;
    long        len;
    X509       *cert;
    EVP_PKEY   *key;
    ngx_int_t   rc;

    rc = NGX_ERROR;
    bio = NULL;
    cert = NULL;

    key = EVP_EC_gen("P-256");
    if (key == NULL) {
        goto done;
    }

    cert = ngx_webrtc_dtls_self_sign(key, now_sec);
    if (cert == NULL) {
        goto done;
    }

    bio = BIO_new(BIO_s_secmem());

    if (bio == NULL
        || PEM_write_bio_X509(bio, cert) != 1
        || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
    {
        goto done;
    }

    len = BIO_get_mem_data(bio, &data);

    if (len <= 0 || len >= NGX_WEBRTC_DTLS_PEM) {
        goto done;
    }

    ngx_memcpy(buf, data, len);
    buf[len] = '\0';

    *n = len;
    rc = NGX_OK;

done:

    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);

    ERR_clear_error();

    return rc;
}


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

    if (ngx_webrtc_dtls_use_pem(conf, cert, key, err) != NGX_OK) {
        goto failed;
    }

    *err = NULL;

    return conf;

failed:

    /* the rest is up to the pool's cleanup */

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

    *err = ngx_webrtc_dtls_read_file(pool, cert, &cert_text);

    if (*err == NULL) {
        *err = ngx_webrtc_dtls_read_file(pool, key, &key_text);
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
    const EVP_MD  *md;

    ngx_memzero(dtls, sizeof(ngx_webrtc_dtls_t));

    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    md = ngx_webrtc_dtls_digest(opts->fingerprint_alg);

    if (md == NULL || opts->fingerprint_len != (size_t) EVP_MD_get_size(md)) {
        return NGX_DECLINED;
    }

    dtls->fingerprint_alg = (uint8_t) opts->fingerprint_alg;
    dtls->fingerprint_len = (uint8_t) opts->fingerprint_len;
    ngx_memcpy(dtls->fingerprint, opts->fingerprint, opts->fingerprint_len);

    dtls->client = (opts->role == NGX_WEBRTC_DTLS_CLIENT);
    dtls->send = opts->send;
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

    BIO_set_data(bio, dtls);
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
     * Everything else that is wrong with a record OpenSSL drops in silence.
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

    dtls->in = p;
    dtls->in_n = n;

    rc = ngx_webrtc_dtls_process(dtls);

    dtls->in = NULL;
    dtls->in_n = 0;

    ngx_webrtc_dtls_arm(dtls, now_ms);
    ngx_webrtc_dtls_shrink(dtls);

    return rc;
}


/*
 * RFC 6347, 4.1.2.7: an invalid record is dropped.  OpenSSL 3.0.19 ends the
 * connection when an encrypted one is shorter than its nonce and tag, which
 * anybody can send who knows the addresses.
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
    ngx_int_t  rc;

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

    dtls->keep = 1;

    (void) SSL_shutdown(dtls->ssl);

    dtls->keep = 0;

    ERR_clear_error();

    SSL_free(dtls->ssl);

    dtls->ssl = NULL;
    dtls->deadline_ms = NGX_WEBRTC_DTLS_NO_DEADLINE;

    return NGX_OK;
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

    ERR_clear_error();
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
            dtls->send(dtls->ctx, dtls->alert.close, dtls->alert.close_n);
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


static X509 *
ngx_webrtc_dtls_self_sign(EVP_PKEY *key, time_t now_sec)
{
    X509       *cert;
    u_char      serial[8];
    BIGNUM     *bn;
    X509_NAME  *name;

    bn = NULL;

    cert = X509_new();
    if (cert == NULL) {
        return NULL;
    }

    if (RAND_bytes(serial, sizeof(serial)) != 1) {
        goto failed;
    }

    /* RFC 5280, 4.1.2.2: positive */

    serial[0] = (serial[0] & 0x7f) | 0x40;

    bn = BN_bin2bn(serial, sizeof(serial), NULL);

    /* RFC 8827, 6.5: a name that tells nothing about the host */

    name = X509_get_subject_name(cert);

    if (bn == NULL
        || BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) == NULL
        || X509_set_version(cert, X509_VERSION_3) != 1
        || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (u_char *) "WebRTC", -1, -1, 0) != 1
        || X509_set_issuer_name(cert, name) != 1
        || X509_time_adj_ex(X509_getm_notBefore(cert),
                            NGX_WEBRTC_DTLS_NOT_BEFORE, 0, &now_sec) == NULL
        || X509_time_adj_ex(X509_getm_notAfter(cert),
                            NGX_WEBRTC_DTLS_NOT_AFTER, 0, &now_sec) == NULL
        || X509_set_pubkey(cert, key) != 1
        || X509_sign(cert, key, EVP_sha256()) == 0)
    {
        goto failed;
    }

    BN_free(bn);

    return cert;

failed:

    BN_free(bn);
    X509_free(cert);

    return NULL;
}


/* returns the cause, static text, or NULL; the text is allocated from pool */

static char *
ngx_webrtc_dtls_read_file(ngx_pool_t *pool, const char *name, ngx_str_t *text)
{
    int   n;
    BIO  *bio;

    bio = BIO_new_file(name, "r");
    if (bio == NULL) {
        ERR_clear_error();
        return "cannot open the file of the certificate or key";
    }

    text->data = ngx_pnalloc(pool, NGX_WEBRTC_DTLS_FILE);
    if (text->data == NULL) {
        BIO_free(bio);
        return "no memory";
    }

    n = BIO_read(bio, text->data, NGX_WEBRTC_DTLS_FILE);

    BIO_free(bio);
    ERR_clear_error();

    /* set in any case, so that the caller wipes a key */

    text->len = ngx_max(n, 0);

    if (n <= 0 || n == NGX_WEBRTC_DTLS_FILE) {
        return "the file of the certificate or key is empty or too large";
    }

    return NULL;
}


static ngx_int_t
ngx_webrtc_dtls_use_pem(ngx_webrtc_dtls_conf_t *conf, const ngx_str_t *cert,
    const ngx_str_t *key, const char **err)
{
    BIO        *bio;
    X509       *x509;
    EVP_PKEY   *pkey;
    SSL_CTX    *ctx;
    ngx_int_t   rc;

    rc = NGX_ERROR;
    ctx = conf->ssl_ctx;
    pkey = NULL;

    bio = BIO_new_mem_buf(cert->data, (int) cert->len);
    if (bio == NULL) {
        *err = "no memory";
        return NGX_ERROR;
    }

    *err = "no valid certificate in PEM";

    x509 = PEM_read_bio_X509(bio, NULL, NULL, (void *) "");

    if (x509 == NULL
        || SSL_CTX_use_certificate(ctx, x509) != 1
        || ngx_webrtc_dtls_fingerprint(x509, conf->fingerprint) != NGX_OK)
    {
        goto done;
    }

    /* the rest of the chain: no one looks at it, but it was configured */

    for ( ;; ) {
        X509_free(x509);

        x509 = PEM_read_bio_X509(bio, NULL, NULL, (void *) "");
        if (x509 == NULL) {
            break;
        }

        if (SSL_CTX_add1_chain_cert(ctx, x509) != 1) {
            goto done;
        }
    }

    BIO_free(bio);

    if (key == NULL) {
        key = cert;
    }

    bio = BIO_new_mem_buf(key->data, (int) key->len);
    if (bio == NULL) {
        *err = "no memory";
        return NGX_ERROR;
    }

    *err = "no valid private key in PEM, or it has a passphrase";

    /* with "" for a passphrase OpenSSL does not ask on the terminal */

    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");

    if (pkey == NULL) {
        goto done;
    }

    *err = "the private key does not belong to the certificate";

    if (SSL_CTX_use_PrivateKey(ctx, pkey) != 1
        || SSL_CTX_check_private_key(ctx) != 1)
    {
        goto done;
    }

    rc = NGX_OK;

done:

    BIO_free(bio);
    X509_free(x509);
    EVP_PKEY_free(pkey);

    ERR_clear_error();

    return rc;
}


/* RFC 8122, 5: upper case hex, colons */

static ngx_int_t
ngx_webrtc_dtls_fingerprint(X509 *x509, u_char *text)
{
    u_char             md[EVP_MAX_MD_SIZE];
    ngx_uint_t         i;
    unsigned int       n;
    static const char  hex[] = "0123456789ABCDEF";

    if (X509_digest(x509, EVP_sha256(), md, &n) != 1) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (i) {
            *text++ = ':';
        }

        *text++ = hex[md[i] >> 4];
        *text++ = hex[md[i] & 0x0f];
    }

    return NGX_OK;
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


/* RFC 8122, 5: MD5 and MD2 must not be used; SHA-1 is refused too */

static const EVP_MD *
ngx_webrtc_dtls_digest(ngx_uint_t alg)
{
    switch (alg) {

    case NGX_WEBRTC_FINGERPRINT_SHA256:
        return EVP_sha256();

    case NGX_WEBRTC_FINGERPRINT_SHA384:
        return EVP_sha384();

    case NGX_WEBRTC_FINGERPRINT_SHA512:
        return EVP_sha512();

    default:
        return NULL;
    }
}


/*
 * RFC 8122, 6.2; RFC 5763, 5: the certificate has to be the one whose
 * fingerprint was signalled, whatever else it says.  That the peer has its key
 * OpenSSL verifies itself.
 */

static int
ngx_webrtc_dtls_verify(X509_STORE_CTX *store, void *arg)
{
    SSL                *ssl;
    X509               *cert;
    u_char              digest[EVP_MAX_MD_SIZE];
    unsigned int        n;
    const EVP_MD       *md;
    ngx_webrtc_dtls_t  *dtls;

    (void) arg;

    ssl = X509_STORE_CTX_get_ex_data(store,
                                     SSL_get_ex_data_X509_STORE_CTX_idx());
    dtls = SSL_get_app_data(ssl);
    cert = X509_STORE_CTX_get0_cert(store);

    md = ngx_webrtc_dtls_digest(dtls->fingerprint_alg);

    if (cert == NULL
        || md == NULL
        || X509_digest(cert, md, digest, &n) != 1
        || n != dtls->fingerprint_len
        || CRYPTO_memcmp(digest, dtls->fingerprint, n) != 0)
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

    ERR_clear_error();

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

        /* cannot fail: it is here so that no change above lets anyone in */

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
            ERR_clear_error();
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


/* OpenSSL has sent an alert already, if there is one for it */

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

        /* also put off by what comes of the handshake again */

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
 * SSL_MODE_RELEASE_BUFFERS does nothing for DTLS, but once connected a media
 * session gets next to no DTLS any more, and its buffers are a good part of
 * what a viewer costs.  OpenSSL makes new ones when it reads, not when it
 * writes, hence ngx_webrtc_dtls_grow().
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


/*
 * BIO_get_new_index() has only 127 numbers per process, and every reload would
 * take one; nobody looks for this type.
 */

static BIO_METHOD *
ngx_webrtc_dtls_bio_method(void)
{
    BIO_METHOD  *method;

    method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "webrtc datagram");

    if (method == NULL) {
        return NULL;
    }

    if (BIO_meth_set_create(method, ngx_webrtc_dtls_bio_create) != 1
        || BIO_meth_set_read(method, ngx_webrtc_dtls_bio_read) != 1
        || BIO_meth_set_write(method, ngx_webrtc_dtls_bio_write) != 1
        || BIO_meth_set_ctrl(method, ngx_webrtc_dtls_bio_ctrl) != 1)
    {
        BIO_meth_free(method);
        return NULL;
    }

    return method;
}


static int
ngx_webrtc_dtls_bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);

    return 1;
}


/* a datagram is read in one piece, what does not fit is lost */

static int
ngx_webrtc_dtls_bio_read(BIO *bio, char *buf, int n)
{
    size_t              len;
    ngx_webrtc_dtls_t  *dtls;

    BIO_clear_retry_flags(bio);

    dtls = BIO_get_data(bio);

    if (dtls->in == NULL || n <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }

    len = ngx_min((size_t) n, dtls->in_n);

    ngx_memcpy(buf, dtls->in, len);

    dtls->in = NULL;
    dtls->in_n = 0;

    return (int) len;
}


static int
ngx_webrtc_dtls_bio_write(BIO *bio, const char *buf, int n)
{
    ngx_webrtc_dtls_t  *dtls;

    BIO_clear_retry_flags(bio);

    dtls = BIO_get_data(bio);

    if (dtls->keep) {

        if (n > 0 && n <= NGX_WEBRTC_DTLS_ALERT_RECORD) {
            ngx_memcpy(dtls->alert.close, buf, n);
            dtls->alert.close_n = (uint8_t) n;
        }

        return n;
    }

    if (n > 0) {
        dtls->send(dtls->ctx, (u_char *) buf, n);
    }

    return n;
}


static long
ngx_webrtc_dtls_bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void) bio;
    (void) num;
    (void) ptr;

    switch (cmd) {

    case BIO_CTRL_FLUSH:
        return 1;

    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return NGX_WEBRTC_DTLS_MTU;

    default:
        return 0;
    }
}
