
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DTLS certificates: generates and reads them, compares fingerprints.
 *
 * RFC 8122 (fingerprint), RFC 8827, 6.5 (algorithms).
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

#include <ngx_webrtc_certificates.h>


/* maximum size of a certificate or key file, in bytes; chosen */
#define NGX_WEBRTC_CERTIFICATES_FILE         65536

/* validity of a generated certificate, in days; chosen */
#define NGX_WEBRTC_CERTIFICATES_NOT_BEFORE   (-1)
#define NGX_WEBRTC_CERTIFICATES_NOT_AFTER    3650


static X509 *ngx_webrtc_certificates_sign(EVP_PKEY *key, time_t now_sec);
static ngx_int_t ngx_webrtc_certificates_print(X509 *x509, u_char *text);
static const EVP_MD *ngx_webrtc_certificates_digest(ngx_uint_t alg);


ngx_int_t
ngx_webrtc_certificates_generate(time_t now_sec, u_char *buf, size_t *n)
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

    cert = ngx_webrtc_certificates_sign(key, now_sec);
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

    if (len <= 0 || len >= NGX_WEBRTC_CERTIFICATES_PEM) {
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


static X509 *
ngx_webrtc_certificates_sign(EVP_PKEY *key, time_t now_sec)
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

    /* RFC 8827, 6.5: a name that reveals nothing about the host */

    name = X509_get_subject_name(cert);

    if (bn == NULL
        || BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) == NULL
        || X509_set_version(cert, X509_VERSION_3) != 1
        || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (u_char *) "WebRTC", -1, -1, 0) != 1
        || X509_set_issuer_name(cert, name) != 1
        || X509_time_adj_ex(X509_getm_notBefore(cert),
                            NGX_WEBRTC_CERTIFICATES_NOT_BEFORE, 0, &now_sec)
           == NULL
        || X509_time_adj_ex(X509_getm_notAfter(cert),
                            NGX_WEBRTC_CERTIFICATES_NOT_AFTER, 0, &now_sec)
           == NULL
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


const char *
ngx_webrtc_certificates_read(ngx_pool_t *pool, const char *name,
    ngx_str_t *text)
{
    int   n;
    BIO  *bio;

    bio = BIO_new_file(name, "r");
    if (bio == NULL) {
        ERR_clear_error();
        return "cannot open the file of the certificate or key";
    }

    text->data = ngx_pnalloc(pool, NGX_WEBRTC_CERTIFICATES_FILE);
    if (text->data == NULL) {
        BIO_free(bio);
        return "no memory";
    }

    n = BIO_read(bio, text->data, NGX_WEBRTC_CERTIFICATES_FILE);

    BIO_free(bio);
    ERR_clear_error();

    /* set even on failure, so that the caller can wipe a key */

    text->len = ngx_max(n, 0);

    if (n <= 0 || n == NGX_WEBRTC_CERTIFICATES_FILE) {
        return "the file of the certificate or key is empty or too large";
    }

    return NULL;
}


ngx_int_t
ngx_webrtc_certificates_use(void *ssl_ctx, const ngx_str_t *cert,
    const ngx_str_t *key, u_char *fingerprint, const char **err)
{
    BIO        *bio;
    X509       *x509;
    EVP_PKEY   *pkey;
    SSL_CTX    *ctx;
    ngx_int_t   rc;

    rc = NGX_ERROR;
    ctx = ssl_ctx;
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
        || ngx_webrtc_certificates_print(x509, fingerprint) != NGX_OK)
    {
        goto done;
    }

    /* the rest of the chain: peers ignore it, but it was configured */

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

    /* the passphrase "" keeps OpenSSL from asking on the terminal */

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
ngx_webrtc_certificates_print(X509 *x509, u_char *text)
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


/*
 * RFC 8122, 6.2; RFC 5763, 5: the certificate must match the signalled
 * fingerprint; nothing else in it matters.
 */

ngx_uint_t
ngx_webrtc_certificates_match(void *x509, ngx_uint_t alg,
    const u_char *fingerprint, size_t len)
{
    u_char         digest[EVP_MAX_MD_SIZE];
    unsigned int   n;
    const EVP_MD  *md;

    md = ngx_webrtc_certificates_digest(alg);

    return x509 != NULL
           && md != NULL
           && X509_digest(x509, md, digest, &n) == 1
           && n == len
           && CRYPTO_memcmp(digest, fingerprint, n) == 0;
}


ngx_uint_t
ngx_webrtc_certificates_size(ngx_uint_t alg)
{
    const EVP_MD  *md;

    md = ngx_webrtc_certificates_digest(alg);

    return md ? (ngx_uint_t) EVP_MD_get_size(md) : 0;
}


/* RFC 8122, 5: MD5 and MD2 must not be used; SHA-1 is refused too */

static const EVP_MD *
ngx_webrtc_certificates_digest(ngx_uint_t alg)
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
