
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what an RTMP publisher sends.  The first byte says how it is cut
 * and whether it is accepted.
 * Property: what is held and kept to be sent has its bounds; a tag's body is no
 * larger than a message may be; the result does not depend on how it is cut.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_rtmp_server.h>
#include <ngx_webrtc_uri.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    uint64_t                  sum;         /* of what was told */
    uint64_t                  answers;     /* and sent */
    ngx_uint_t                full;
    ngx_webrtc_rtmp_server_t  server;
} client_t;


static client_t  whole, bytes;


static void
add(client_t *c, const void *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        c->sum = c->sum * 31 + ((u_char *) p)[i];
    }
}


static ngx_int_t
on_connect(void *ctx, ngx_str_t *app, ngx_str_t *url, ngx_str_t *agent)
{
    if (app->len > NGX_WEBRTC_RTMP_APP_MAX
        || agent->len > NGX_WEBRTC_RTMP_AGENT_MAX)
    {
        abort();
    }

    add(ctx, app->data, app->len);
    add(ctx, url->data, url->len);
    add(ctx, agent->data, agent->len);

    return NGX_OK;
}


static void
on_publish(void *ctx, ngx_str_t *name)
{
    u_char     buf[NGX_WEBRTC_RTMP_KEY_MAX + 8], *p;
    ngx_str_t  app = ngx_string("live?a");

    if (name->len > NGX_WEBRTC_RTMP_KEY_MAX) {
        abort();
    }

    p = ngx_webrtc_uri(buf, &app, name);

    if (p && (size_t) (p - buf) > name->len + app.len + 2) {
        abort();
    }

    add(ctx, name->data, name->len);
}


static ngx_int_t
on_media(void *ctx, ngx_uint_t type, uint32_t ms, u_char *data, size_t len)
{
    client_t *c = ctx;

    if (len == 0 || len > NGX_WEBRTC_RTMP_MESSAGE) {
        abort();
    }

    add(ctx, &type, sizeof(type));
    add(ctx, &ms, sizeof(ms));
    add(ctx, data, len);

    return c->full ? NGX_AGAIN : NGX_OK;
}


static u_char *
on_grow(void *ctx, u_char *old, size_t size)
{
    (void) ctx;

    if (size == 0) {
        free(old);
        return NULL;
    }

    return realloc(old, size);
}


static const ngx_webrtc_rtmp_server_ops_t  ops = {
    on_connect, on_publish, on_media, on_grow
};


static ngx_int_t
run(client_t *c, const uint8_t *data, size_t size, size_t piece,
    ngx_uint_t refuse)
{
    size_t      n;
    u_char     *p, *end, *last;
    ngx_int_t   rc;
    ngx_str_t   why = ngx_string("no");

    static u_char  copy[1 << 16];

    if (size > sizeof(copy)) {
        return NGX_OK;
    }

    memcpy(copy, data, size);

    c->sum = 0;
    c->answers = 0;
    ngx_memzero(&c->server, sizeof(c->server));
    ngx_webrtc_rtmp_server_init(&c->server, &ops, c);

    rc = NGX_OK;
    last = copy + size;

    for (p = copy; p < last && rc == NGX_OK; /* void */ ) {

        end = ((size_t) (last - p) > piece) ? p + piece : last;

        do {
            rc = ngx_webrtc_rtmp_server_read(&c->server, &p, end);

            if (c->server.state == NGX_WEBRTC_RTMP_SERVER_ASKED) {
                if (refuse) {
                    ngx_webrtc_rtmp_server_refuse(&c->server, &why);

                } else {
                    ngx_webrtc_rtmp_server_accept(&c->server);
                }
            }

            if (c->server.nout > NGX_WEBRTC_RTMP_REPLIES
                || c->server.chunks.held > NGX_WEBRTC_RTMP_MEMORY)
            {
                abort();
            }

            for (n = 0; n < c->server.nout; n++) {
                c->answers = c->answers * 31 + c->server.out[n];
            }

            c->server.nout = 0;

        } while (rc == NGX_AGAIN);

        if (rc == NGX_OK && p != end) {
            abort();
        }

        if (rc == NGX_DECLINED && c->server.cause == NULL) {
            abort();
        }
    }

    ngx_webrtc_rtmp_server_free(&c->server);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t  rc;

    if (size < 1) {
        return 0;
    }

    whole.full = data[0] & 2;
    bytes.full = data[0] & 2;

    rc = run(&whole, data + 1, size - 1, size, data[0] & 1);

    if (rc != run(&bytes, data + 1, size - 1, 1 + data[0] / 4, data[0] & 1)) {
        abort();
    }

    /* how many bytes are acknowledged depends on when they were read */

    if (whole.sum != bytes.sum
        || (size < 8192 && whole.answers != bytes.answers))
    {
        abort();
    }

    return 0;
}
