
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The BIO that OpenSSL reads from and writes to: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/bio.h>

#include <ngx_webrtc_dtls_bio.h>


static int ngx_webrtc_dtls_bio_create(BIO *bio);
static int ngx_webrtc_dtls_bio_read(BIO *bio, char *buf, int n);
static int ngx_webrtc_dtls_bio_write(BIO *bio, const char *buf, int n);
static long ngx_webrtc_dtls_bio_ctrl(BIO *bio, int cmd, long num, void *ptr);


/*
 * BIO_get_new_index() has only 127 numbers per process, and every reload would
 * take one; nothing looks up this type.
 */

void *
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
    size_t                  len;
    ngx_webrtc_dtls_bio_t  *data;

    BIO_clear_retry_flags(bio);

    data = BIO_get_data(bio);

    if (data->in == NULL || n <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }

    len = ngx_min((size_t) n, data->in_n);

    ngx_memcpy(buf, data->in, len);

    data->in = NULL;
    data->in_n = 0;

    return (int) len;
}


static int
ngx_webrtc_dtls_bio_write(BIO *bio, const char *buf, int n)
{
    ngx_webrtc_dtls_bio_t  *data;

    BIO_clear_retry_flags(bio);

    data = BIO_get_data(bio);

    if (n > 0) {
        data->send(data->ctx, (u_char *) buf, n);
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
