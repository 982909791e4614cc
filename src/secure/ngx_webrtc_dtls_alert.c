
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The end of a DTLS 1.2 association: reads the peer's alerts without OpenSSL's
 * SSL object, with the key from the handshake.  OpenSSL has no function that
 * returns the record keys, but it gives out everything they are derived from.
 *
 * RFC 6347, 4.1; RFC 5246, 6.2.3.3, 6.3, 7.2; RFC 5288, 3; RFC 7905, 2.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <ngx_webrtc_dtls_alert.h>


/* RFC 6347, 4.1: type, version, epoch and sequence number, length */
#define NGX_WEBRTC_DTLS_ALERT_HEADER    13

/* of those, epoch and sequence number */
#define NGX_WEBRTC_DTLS_ALERT_SEQ       3
#define NGX_WEBRTC_DTLS_ALERT_SEQ_N     8

/* the epoch after the only handshake: there is no renegotiation */
#define NGX_WEBRTC_DTLS_ALERT_EPOCH     1

/* RFC 5246, 6.2.1 and 7.2: type of the record, bytes and values of an alert */
#define NGX_WEBRTC_DTLS_ALERT_TYPE      21
#define NGX_WEBRTC_DTLS_ALERT_N         2
#define NGX_WEBRTC_DTLS_ALERT_FATAL     2
#define NGX_WEBRTC_DTLS_ALERT_NOTIFY    0

/* RFC 5246, 6.2.3.3: seq_num, type, version, length */
#define NGX_WEBRTC_DTLS_ALERT_AAD       13

/* RFC 5116, 5.1 and RFC 8439, 2.8 */
#define NGX_WEBRTC_DTLS_ALERT_TAG       16
#define NGX_WEBRTC_DTLS_ALERT_NONCE     12

/* RFC 5246, 8.1 and 7.4.1.2 */
#define NGX_WEBRTC_DTLS_ALERT_MASTER    48
#define NGX_WEBRTC_DTLS_ALERT_RANDOM    32

#define NGX_WEBRTC_DTLS_ALERT_LABEL     "key expansion"


static ngx_int_t ngx_webrtc_dtls_alert_key_block(SSL *ssl, const EVP_MD *md,
    u_char *block, size_t n);
static ngx_int_t ngx_webrtc_dtls_alert_open(ngx_webrtc_dtls_alert_t *al,
    const u_char *p, size_t n, u_char *alert);


ngx_int_t
ngx_webrtc_dtls_alert_init(ngx_webrtc_dtls_alert_t *al, void *ssl,
    ngx_uint_t client)
{
    u_char             *p;
    ngx_int_t           rc;
    const EVP_MD       *md;
    const SSL_CIPHER   *cipher;
    u_char              block[2 * (NGX_WEBRTC_DTLS_ALERT_KEY
                                   + NGX_WEBRTC_DTLS_ALERT_IV)];

    ngx_memzero(al, sizeof(ngx_webrtc_dtls_alert_t));

    cipher = SSL_get_current_cipher(ssl);

    if (cipher == NULL || SSL_version(ssl) != DTLS1_2_VERSION) {
        return NGX_DECLINED;
    }

    switch (SSL_CIPHER_get_cipher_nid(cipher)) {

    case NID_aes_128_gcm:
        al->cipher = EVP_aes_128_gcm();
        al->key_n = 16;
        al->iv_n = 4;
        break;

    case NID_aes_256_gcm:
        al->cipher = EVP_aes_256_gcm();
        al->key_n = 32;
        al->iv_n = 4;
        break;

    case NID_chacha20_poly1305:
        al->cipher = EVP_chacha20_poly1305();
        al->key_n = 32;
        al->iv_n = 12;
        break;

    default:
        return NGX_DECLINED;
    }

    md = SSL_CIPHER_get_handshake_digest(cipher);

    if (md == NULL) {
        al->cipher = NULL;
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_dtls_alert_key_block(ssl, md, block,
                                        2 * (al->key_n + al->iv_n));

    if (rc == NGX_OK) {

        /*
         * RFC 5246, 6.3: client's key, server's key, client's nonce, server's
         * nonce; there are no keys of a MAC
         */

        p = block + (client ? al->key_n : 0);
        ngx_memcpy(al->key, p, al->key_n);

        p = block + 2 * al->key_n + (client ? al->iv_n : 0);
        ngx_memcpy(al->iv, p, al->iv_n);

    } else {
        al->cipher = NULL;
    }

    OPENSSL_cleanse(block, sizeof(block));
    ERR_clear_error();

    return rc;
}


static ngx_int_t
ngx_webrtc_dtls_alert_key_block(SSL *ssl, const EVP_MD *md, u_char *block,
    size_t n)
{
    u_char       *p;
    EVP_KDF      *kdf;
    ngx_int_t     rc;
    OSSL_PARAM    params[4];
    EVP_KDF_CTX  *ctx;
    u_char        master[NGX_WEBRTC_DTLS_ALERT_MASTER];
    u_char        seed[sizeof(NGX_WEBRTC_DTLS_ALERT_LABEL) - 1
                       + 2 * NGX_WEBRTC_DTLS_ALERT_RANDOM];

    rc = NGX_ERROR;
    ctx = NULL;

    kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    if (kdf == NULL) {
        return NGX_ERROR;
    }

    /* RFC 5246, 6.3: the server's random comes first here */

    p = ngx_cpymem(seed, NGX_WEBRTC_DTLS_ALERT_LABEL,
                   sizeof(NGX_WEBRTC_DTLS_ALERT_LABEL) - 1);

    if (SSL_get_server_random(ssl, p, NGX_WEBRTC_DTLS_ALERT_RANDOM)
        != NGX_WEBRTC_DTLS_ALERT_RANDOM
        || SSL_get_client_random(ssl, p + NGX_WEBRTC_DTLS_ALERT_RANDOM,
                                 NGX_WEBRTC_DTLS_ALERT_RANDOM)
           != NGX_WEBRTC_DTLS_ALERT_RANDOM
        || SSL_SESSION_get_master_key(SSL_get_session(ssl), master,
                                      sizeof(master))
           != sizeof(master))
    {
        goto done;
    }

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                          (char *) EVP_MD_get0_name(md), 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET,
                                                  master, sizeof(master));
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed,
                                                  sizeof(seed));
    params[3] = OSSL_PARAM_construct_end();

    ctx = EVP_KDF_CTX_new(kdf);

    if (ctx && EVP_KDF_derive(ctx, block, n, params) == 1) {
        rc = NGX_OK;
    }

done:

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);

    OPENSSL_cleanse(master, sizeof(master));

    return rc;
}


ngx_int_t
ngx_webrtc_dtls_alert_input(ngx_webrtc_dtls_alert_t *al, const u_char *p,
    size_t n)
{
    size_t         len;
    u_char         alert[NGX_WEBRTC_DTLS_ALERT_N];
    const u_char  *end;

    if (al->cipher == NULL) {
        return NGX_OK;
    }

    end = p + n;

    while ((size_t) (end - p) >= NGX_WEBRTC_DTLS_ALERT_HEADER) {

        len = (size_t) (p[11] << 8 | p[12]);

        if (len > (size_t) (end - p) - NGX_WEBRTC_DTLS_ALERT_HEADER) {
            break;
        }

        len += NGX_WEBRTC_DTLS_ALERT_HEADER;

        if (p[0] == NGX_WEBRTC_DTLS_ALERT_TYPE
            && (p[3] << 8 | p[4]) == NGX_WEBRTC_DTLS_ALERT_EPOCH
            && ngx_webrtc_dtls_alert_open(al, p, len, alert) == NGX_OK)
        {
            /* RFC 5246, 7.2.1: close_notify is a warning by its level */

            if (alert[1] == NGX_WEBRTC_DTLS_ALERT_NOTIFY) {
                return NGX_DONE;
            }

            if (alert[0] == NGX_WEBRTC_DTLS_ALERT_FATAL) {
                return NGX_ERROR;
            }
        }

        p += len;
    }

    return NGX_OK;
}


/* NGX_OK; NGX_DECLINED: not an alert, or not authentic */

static ngx_int_t
ngx_webrtc_dtls_alert_open(ngx_webrtc_dtls_alert_t *al, const u_char *p,
    size_t n, u_char *alert)
{
    int              len;
    size_t           i, explicit;
    u_char          *tag;
    ngx_int_t        rc;
    EVP_CIPHER_CTX  *ctx;
    u_char           aad[NGX_WEBRTC_DTLS_ALERT_AAD];
    u_char           nonce[NGX_WEBRTC_DTLS_ALERT_NONCE];
    u_char           data[NGX_WEBRTC_DTLS_ALERT_N
                          + NGX_WEBRTC_DTLS_ALERT_TAG];

    explicit = NGX_WEBRTC_DTLS_ALERT_NONCE - al->iv_n;

    if (n != NGX_WEBRTC_DTLS_ALERT_HEADER + explicit + sizeof(data)) {
        return NGX_DECLINED;
    }

    /* RFC 5246, 6.2.3.3; RFC 6347, 4.1.2.1: epoch and number are seq_num */

    ngx_memcpy(aad, p + NGX_WEBRTC_DTLS_ALERT_SEQ, NGX_WEBRTC_DTLS_ALERT_SEQ_N);
    aad[8] = p[0];
    aad[9] = p[1];
    aad[10] = p[2];
    aad[11] = 0;
    aad[12] = NGX_WEBRTC_DTLS_ALERT_N;

    ngx_memcpy(nonce, al->iv, al->iv_n);

    if (explicit) {

        /* RFC 5288, 3: salt, then what the record begins with */

        ngx_memcpy(nonce + al->iv_n, p + NGX_WEBRTC_DTLS_ALERT_HEADER,
                   explicit);

    } else {

        /* RFC 7905, 2: the number, padded on the left, xored */

        for (i = 0; i < NGX_WEBRTC_DTLS_ALERT_SEQ_N; i++) {
            nonce[NGX_WEBRTC_DTLS_ALERT_NONCE - NGX_WEBRTC_DTLS_ALERT_SEQ_N + i]
                ^= p[NGX_WEBRTC_DTLS_ALERT_SEQ + i];
        }
    }

    ngx_memcpy(data, p + NGX_WEBRTC_DTLS_ALERT_HEADER + explicit, sizeof(data));
    tag = data + NGX_WEBRTC_DTLS_ALERT_N;

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (EVP_DecryptInit_ex(ctx, al->cipher, NULL, al->key, nonce) == 1
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
                               NGX_WEBRTC_DTLS_ALERT_TAG, tag) == 1
        && EVP_DecryptUpdate(ctx, NULL, &len, aad, sizeof(aad)) == 1
        && EVP_DecryptUpdate(ctx, alert, &len, data,
                             NGX_WEBRTC_DTLS_ALERT_N) == 1
        && EVP_DecryptFinal_ex(ctx, data, &len) == 1)
    {
        rc = NGX_OK;
    }

    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();

    return rc;
}


void
ngx_webrtc_dtls_alert_cleanup(ngx_webrtc_dtls_alert_t *al)
{
    OPENSSL_cleanse(al, sizeof(ngx_webrtc_dtls_alert_t));
}
