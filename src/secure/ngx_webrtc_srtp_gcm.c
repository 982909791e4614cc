
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * AES-GCM by OpenSSL's EVP, and by intel-ipsec-mb where the module was built
 * with it: that one has code for processors with VAES and AVX-512, which
 * OpenSSL has from 3.1 on only, and no parameters to look up per packet.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <ngx_webrtc_ahead.h>
#include <ngx_webrtc_srtp_imb.h>
#include <ngx_webrtc_srtp_gcm.h>


/* bytes of a packet that is measured: of most packets of video */
#define NGX_WEBRTC_SRTP_GCM_PACKET  1160


static const char *ngx_webrtc_srtp_gcm_evp_usable(void);
static void *ngx_webrtc_srtp_gcm_evp_key(const u_char *secret, size_t n,
    int enc);
static void ngx_webrtc_srtp_gcm_evp_free(void *key);
static void ngx_webrtc_srtp_gcm_evp_ahead(const void *key);
static ngx_int_t ngx_webrtc_srtp_gcm_evp_seal(void *key, const u_char *iv,
    const u_char *aad, size_t aad_n, const u_char *src, u_char *dst, size_t n,
    u_char *tag);
static ngx_int_t ngx_webrtc_srtp_gcm_evp_open(void *key, const u_char *iv,
    const u_char *aad, size_t aad_n, u_char *p, size_t n, const u_char *tag);

#if (NGX_WEBRTC_IPSEC_MB)

typedef struct {
    struct gcm_key_data   data;       /* aligned by 64, so first */
    IMB_MGR              *mgr;
    unsigned              aes256:1;
} ngx_webrtc_srtp_gcm_imb_t;

static const char *ngx_webrtc_srtp_gcm_imb_usable(void);
static void *ngx_webrtc_srtp_gcm_imb_key(const u_char *secret, size_t n,
    int enc);
static void ngx_webrtc_srtp_gcm_imb_free(void *key);
static void ngx_webrtc_srtp_gcm_imb_ahead(const void *key);
static ngx_int_t ngx_webrtc_srtp_gcm_imb_seal(void *key, const u_char *iv,
    const u_char *aad, size_t aad_n, const u_char *src, u_char *dst, size_t n,
    u_char *tag);
static ngx_int_t ngx_webrtc_srtp_gcm_imb_open(void *key, const u_char *iv,
    const u_char *aad, size_t aad_n, u_char *p, size_t n, const u_char *tag);

/* never written after it is made: what is called here needs no jobs */
static ngx_webrtc_srtp_imb_t  ngx_webrtc_srtp_gcm_imb;

#endif


static const ngx_webrtc_srtp_gcm_t  ngx_webrtc_srtp_gcm_rows[] = {

    { "openssl",
      ngx_webrtc_srtp_gcm_evp_usable,
      ngx_webrtc_srtp_gcm_evp_key,
      ngx_webrtc_srtp_gcm_evp_free,
      ngx_webrtc_srtp_gcm_evp_ahead,
      ngx_webrtc_srtp_gcm_evp_seal,
      ngx_webrtc_srtp_gcm_evp_open },

#if (NGX_WEBRTC_IPSEC_MB)

    { "ipsec-mb",
      ngx_webrtc_srtp_gcm_imb_usable,
      ngx_webrtc_srtp_gcm_imb_key,
      ngx_webrtc_srtp_gcm_imb_free,
      ngx_webrtc_srtp_gcm_imb_ahead,
      ngx_webrtc_srtp_gcm_imb_seal,
      ngx_webrtc_srtp_gcm_imb_open },

#endif
};


const ngx_webrtc_srtp_gcm_t *
ngx_webrtc_srtp_gcm_row(ngx_uint_t i)
{
    return (i < sizeof(ngx_webrtc_srtp_gcm_rows)
                / sizeof(ngx_webrtc_srtp_gcm_rows[0]))
           ? &ngx_webrtc_srtp_gcm_rows[i] : NULL;
}


const ngx_webrtc_srtp_gcm_t *
ngx_webrtc_srtp_gcm_find(const char *name)
{
    ngx_uint_t                    i;
    const ngx_webrtc_srtp_gcm_t  *gcm;

    for (i = 0; (gcm = ngx_webrtc_srtp_gcm_row(i)) != NULL; i++) {
        if (ngx_strcmp(gcm->name, name) == 0) {
            return gcm;
        }
    }

    return NULL;
}


const ngx_webrtc_srtp_gcm_t *
ngx_webrtc_srtp_gcm_use(const ngx_webrtc_srtp_gcm_t *gcm)
{
    static const ngx_webrtc_srtp_gcm_t  *used = &ngx_webrtc_srtp_gcm_rows[0];

    if (gcm) {
        used = gcm;
    }

    return used;
}


ngx_int_t
ngx_webrtc_srtp_gcm_run(const ngx_webrtc_srtp_gcm_t *gcm, ngx_uint_t n)
{
    void       *key;
    u_char      iv[NGX_WEBRTC_SRTP_GCM_IV], tag[NGX_WEBRTC_SRTP_GCM_TAG];
    u_char      packet[NGX_WEBRTC_SRTP_GCM_PACKET];
    ngx_int_t   rc;
    ngx_uint_t  i;

    ngx_memzero(packet, sizeof(packet));
    ngx_memzero(iv, sizeof(iv));

    key = gcm->key(packet, 16, 1);
    if (key == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; i < n && rc == NGX_OK; i++) {
        rc = gcm->seal(key, iv, packet, NGX_WEBRTC_SRTP_GCM_AAD, packet, packet,
                       sizeof(packet), tag);
    }

    gcm->free(key);

    return rc;
}


static const char *
ngx_webrtc_srtp_gcm_evp_usable(void)
{
    return NULL;
}


static void *
ngx_webrtc_srtp_gcm_evp_key(const u_char *secret, size_t n, int enc)
{
    EVP_CIPHER_CTX  *ctx;

    ctx = EVP_CIPHER_CTX_new();

    if (ctx == NULL
        || EVP_CipherInit_ex(ctx, n == 32 ? EVP_aes_256_gcm()
                                          : EVP_aes_128_gcm(),
                             NULL, secret, NULL, enc)
           != 1)
    {
        EVP_CIPHER_CTX_free(ctx);
        ERR_clear_error();
        return NULL;
    }

    return ctx;
}


static void
ngx_webrtc_srtp_gcm_evp_free(void *key)
{
    /* wipes, and takes NULL */

    EVP_CIPHER_CTX_free(key);
}


/* where it keeps its schedule is OpenSSL's */

static void
ngx_webrtc_srtp_gcm_evp_ahead(const void *key)
{
    ngx_webrtc_ahead(key, 1);
}


static ngx_int_t
ngx_webrtc_srtp_gcm_evp_seal(void *key, const u_char *iv, const u_char *aad,
    size_t aad_n, const u_char *src, u_char *dst, size_t n, u_char *tag)
{
    EVP_CIPHER_CTX *ctx = key;

    int         len;
    OSSL_PARAM  params[2];

    params[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                                  tag, NGX_WEBRTC_SRTP_GCM_TAG);
    params[1] = OSSL_PARAM_construct_end();

    /* EVP_EncryptFinal_ex() writes nothing but has to be called: no padding */

    if (EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL) != 1
        || EVP_EncryptUpdate(ctx, NULL, &len, aad, (int) aad_n) != 1
        || (n && EVP_EncryptUpdate(ctx, dst, &len, src, (int) n) != 1)
        || EVP_EncryptFinal_ex(ctx, dst + n, &len) != 1
        || EVP_CIPHER_CTX_get_params(ctx, params) != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_srtp_gcm_evp_open(void *key, const u_char *iv, const u_char *aad,
    size_t aad_n, u_char *p, size_t n, const u_char *tag)
{
    EVP_CIPHER_CTX *ctx = key;

    int  len;

    /* the last one compares the tags, and writes nothing */

    if (EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL) != 1
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
                               NGX_WEBRTC_SRTP_GCM_TAG, (void *) tag)
           != 1
        || EVP_DecryptUpdate(ctx, NULL, &len, aad, (int) aad_n) != 1
        || (n && EVP_DecryptUpdate(ctx, p, &len, p, (int) n) != 1)
        || EVP_DecryptFinal_ex(ctx, p + n, &len) != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}


#if (NGX_WEBRTC_IPSEC_MB)

static const char *
ngx_webrtc_srtp_gcm_imb_usable(void)
{
    return ngx_webrtc_srtp_imb_usable(&ngx_webrtc_srtp_gcm_imb);
}


static void *
ngx_webrtc_srtp_gcm_imb_key(const u_char *secret, size_t n, int enc)
{
    void                       *p;
    IMB_MGR                    *mgr;
    ngx_webrtc_srtp_gcm_imb_t  *key;

    (void) enc;                          /* one key serves both */

    mgr = ngx_webrtc_srtp_imb_mgr(&ngx_webrtc_srtp_gcm_imb);

    if (mgr == NULL
        || posix_memalign(&p, 64, sizeof(ngx_webrtc_srtp_gcm_imb_t)) != 0)
    {
        return NULL;
    }

    key = p;

    ngx_memzero(key, sizeof(ngx_webrtc_srtp_gcm_imb_t));

    key->mgr = mgr;
    key->aes256 = (n == 32);

    if (key->aes256) {
        IMB_AES256_GCM_PRE(mgr, secret, &key->data);

    } else {
        IMB_AES128_GCM_PRE(mgr, secret, &key->data);
    }

    return key;
}


static void
ngx_webrtc_srtp_gcm_imb_free(void *key)
{
    if (key) {
        OPENSSL_cleanse(key, sizeof(ngx_webrtc_srtp_gcm_imb_t));
        free(key);
    }
}


static void
ngx_webrtc_srtp_gcm_imb_ahead(const void *key)
{
    ngx_webrtc_ahead(key, sizeof(ngx_webrtc_srtp_gcm_imb_t));
}


static ngx_int_t
ngx_webrtc_srtp_gcm_imb_seal(void *data, const u_char *iv, const u_char *aad,
    size_t aad_n, const u_char *src, u_char *dst, size_t n, u_char *tag)
{
    ngx_webrtc_srtp_gcm_imb_t *key = data;

    struct gcm_context_data  ctx;

    if (key->aes256) {
        IMB_AES256_GCM_ENC(key->mgr, &key->data, &ctx, dst, src, n, iv, aad,
                           aad_n, tag, NGX_WEBRTC_SRTP_GCM_TAG);

    } else {
        IMB_AES128_GCM_ENC(key->mgr, &key->data, &ctx, dst, src, n, iv, aad,
                           aad_n, tag, NGX_WEBRTC_SRTP_GCM_TAG);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_srtp_gcm_imb_open(void *data, const u_char *iv, const u_char *aad,
    size_t aad_n, u_char *p, size_t n, const u_char *tag)
{
    ngx_webrtc_srtp_gcm_imb_t *key = data;

    u_char                   got[NGX_WEBRTC_SRTP_GCM_TAG];
    struct gcm_context_data  ctx;

    if (key->aes256) {
        IMB_AES256_GCM_DEC(key->mgr, &key->data, &ctx, p, p, n, iv, aad, aad_n,
                           got, NGX_WEBRTC_SRTP_GCM_TAG);

    } else {
        IMB_AES128_GCM_DEC(key->mgr, &key->data, &ctx, p, p, n, iv, aad, aad_n,
                           got, NGX_WEBRTC_SRTP_GCM_TAG);
    }

    return (CRYPTO_memcmp(got, tag, NGX_WEBRTC_SRTP_GCM_TAG) == 0)
           ? NGX_OK : NGX_ERROR;
}

#endif
