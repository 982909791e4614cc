
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: an RTMP server, and RTMP URLs.
 * Property: what is kept stays within its bounds however the bytes are cut, and
 * the result does not depend on that; the parts of a URL lie within it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtmp.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_rtmp_t  whole, bytes;


static void
check(ngx_webrtc_rtmp_t *r)
{
    if (r->nout > NGX_WEBRTC_RTMP_OUT
        || r->nhead > NGX_WEBRTC_RTMP_HEAD
        || (r->seen & ~(NGX_WEBRTC_RTMP_PLAYING|NGX_WEBRTC_RTMP_BEGIN
                        |NGX_WEBRTC_RTMP_MEDIA)))
    {
        abort();
    }
}


static void
within(ngx_str_t *s, const uint8_t *data, size_t size)
{
    if (s->len == 0 || s->data < data || s->len > size
        || s->data + s->len > data + size)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                 i;
    ngx_int_t              rc, rc2;
    ngx_webrtc_rtmp_url_t  url;

    static ngx_str_t  app = ngx_string("live");
    static ngx_str_t  name = ngx_string("cam");
    static ngx_str_t  base = ngx_string("rtmp://127.0.0.1/live");

    ngx_webrtc_rtmp_init(&whole, &app, &name, &base);
    ngx_webrtc_rtmp_init(&bytes, &app, &name, &base);

    rc = ngx_webrtc_rtmp_read(&whole, (u_char *) data, (u_char *) data + size);
    check(&whole);

    rc2 = NGX_OK;

    for (i = 0; i < size && rc2 == NGX_OK; i++) {
        bytes.nout = 0;
        rc2 = ngx_webrtc_rtmp_read(&bytes, (u_char *) data + i,
                                   (u_char *) data + i + 1);
        check(&bytes);
    }

    if (rc != rc2 || whole.seen != bytes.seen || whole.state != bytes.state) {
        abort();
    }

    if (ngx_webrtc_rtmp_url((u_char *) data, (u_char *) data + size, &url)
        == NGX_OK)
    {
        within(&url.host, data, size);
        within(&url.base, data, size);
        within(&url.app, data, size);
        within(&url.name, data, size);
    }

    return 0;
}
