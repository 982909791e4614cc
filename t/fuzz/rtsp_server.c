
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what an RTSP publisher sends.  The first byte says how it is cut
 * and whether it is accepted.
 * Property: what is held and kept to be sent has its bounds; packets are of a
 * track that has been described; the result does not depend on how it is cut.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdlib.h>

#include <ngx_webrtc_rtsp_server.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    uint64_t                  sum;         /* of what was told */
    uint64_t                  answers;     /* and sent */
    ngx_uint_t                full;
    ngx_webrtc_rtsp_server_t  server;
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


static void
on_announce(void *ctx, const ngx_webrtc_rtsp_message_t *m)
{
    ngx_str_t  uri, host, path;

    uri = m->uri;
    ngx_webrtc_rtsp_message_url(&uri, &host, &path);

    if (path.len == 0 || host.len + path.len > uri.len + 1) {
        abort();
    }

    add(ctx, host.data, host.len);
    add(ctx, path.data, path.len);
    add(ctx, m->agent.data, m->agent.len);
    add(ctx, m->authorization.data, m->authorization.len);
}


static void
on_record(void *ctx, u_char *sdp, size_t len)
{
    size_t  i;

    if (len == 0 || len >= NGX_WEBRTC_RTSP_SDP_MAX) {
        abort();
    }

    for (i = 0; i < len; i++) {
        if (sdp[i] != CR && sdp[i] != LF && (sdp[i] < ' ' || sdp[i] > '~')) {
            abort();
        }
    }

    add(ctx, sdp, len);
}


static ngx_int_t
on_media(void *ctx, u_char *p, size_t len)
{
    client_t *c = ctx;

    ngx_uint_t  ssrc;

    if (len < 12 || len > 65535) {
        abort();
    }

    ssrc = (p[1] == 200) ? p[7] : p[11];

    if (ssrc == 0 || ssrc > c->server.ntracks
        || !c->server.tracks[ssrc - 1].set
        || (p[1] != 200 && (p[1] & 0x7f) != c->server.tracks[ssrc - 1].our_pt))
    {
        abort();
    }

    add(c, p, len);

    return c->full ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
on_ports(void *ctx, ngx_uint_t track, ngx_uint_t from, in_port_t *port)
{
    client_t *c = ctx;

    if (from == 0 || from >= 65535 || track >= c->server.ntracks) {
        abort();
    }

    *port = 65534;

    return track ? NGX_OK : NGX_DECLINED;
}


static u_char *
on_grow(void *ctx, u_char *old, size_t size)
{
    (void) ctx;

    if (size > 2 * (NGX_WEBRTC_RTSP_HEAD + NGX_WEBRTC_RTSP_BODY)) {
        abort();
    }

    if (size == 0) {
        free(old);
        return NULL;
    }

    return realloc(old, size);
}


static const ngx_webrtc_rtsp_server_ops_t  ops = {
    on_announce, on_record, on_media, on_ports, on_grow
};


static void
answer(ngx_webrtc_rtsp_server_t *s, ngx_uint_t how)
{
    ngx_str_t  why = ngx_string("no");
    ngx_str_t  fields = ngx_string("WWW-Authenticate: Basic\r\n");

    if (s->state != NGX_WEBRTC_RTSP_SERVER_ASKED) {
        return;
    }

    if (how == 0) {
        ngx_webrtc_rtsp_server_accept(s);

    } else if (how == 1) {
        (void) ngx_webrtc_rtsp_server_again(s, &fields);

    } else {
        ngx_webrtc_rtsp_server_refuse(s, 403, &why);
    }
}


static ngx_int_t
run(client_t *c, const uint8_t *data, size_t size, size_t piece,
    ngx_uint_t how)
{
    size_t      n;
    u_char     *p, *end, *last;
    ngx_int_t   rc;

    static u_char  copy[1 << 17];

    if (size > sizeof(copy)) {
        return NGX_OK;
    }

    memcpy(copy, data, size);

    c->sum = 0;
    c->answers = 0;
    ngx_memzero(&c->server, sizeof(c->server));
    ngx_memset(c->server.session, 'a', sizeof(c->server.session));
    c->server.max_sdp = 65536;
    ngx_webrtc_rtsp_server_init(&c->server, &ops, c);

    rc = NGX_OK;
    last = copy + size;

    for (p = copy; p < last && rc == NGX_OK; /* void */ ) {

        end = ((size_t) (last - p) > piece) ? p + piece : last;

        do {
            rc = ngx_webrtc_rtsp_server_read(&c->server, &p, end);

            answer(&c->server, how);

            if (c->server.nout > NGX_WEBRTC_RTSP_REPLIES) {
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

    ngx_webrtc_rtsp_server_free(&c->server);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t   rc;
    ngx_uint_t  how;

    if (size < 1) {
        return 0;
    }

    how = (data[0] >> 2) & 3;
    whole.full = data[0] & 2;
    bytes.full = data[0] & 2;

    rc = run(&whole, data + 1, size - 1, size, how);

    /* many requests at once may have more answers than are kept */

    if (rc == NGX_DECLINED
        && strcmp(whole.server.cause, "answers that are not read") == 0)
    {
        return 0;
    }

    if (rc != run(&bytes, data + 1, size - 1, 1 + data[0] / 16, how)) {
        abort();
    }

    if (whole.sum != bytes.sum || whole.answers != bytes.answers) {
        abort();
    }

    return 0;
}
