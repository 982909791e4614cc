
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What all pushes have.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_push_head.h"
#include "ngx_webrtc_source_mask.h"


/* ms of the pauses before another attempt: the first one, and the longest */
#define NGX_WEBRTC_PUSH_PAUSE   1000
#define NGX_WEBRTC_PUSH_PAUSES  30000

/* ms after which a connection counts as one that went well; chosen */
#define NGX_WEBRTC_PUSH_LIVED   10000


static u_char *ngx_webrtc_push_head_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


void *
ngx_webrtc_push_head_new(ngx_queue_t *all, size_t size, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, const ngx_webrtc_push_conf_t *conf,
    const ngx_uint_t *shown, ngx_uint_t resting, ngx_log_t *log)
{
    ngx_webrtc_outlet_t     *outlet;
    ngx_webrtc_push_head_t  *h;

    outlet = ngx_webrtc_output_said_take(bus, st, NGX_WEBRTC_OUTLET_PUSH,
                                         conf->id, "push failed", log);
    if (outlet == NULL) {
        return NULL;
    }

    h = ngx_calloc(size, log);

    if (h == NULL) {
        ngx_webrtc_bus_outlet_give(bus, outlet);
        return NULL;
    }

    h->bus = bus;
    h->st = st;
    h->conf = conf;
    h->outlet = outlet;
    h->shown = shown;
    h->resting = resting;

    h->name.data = st->name;
    h->name.len = st->name_len;

    h->log = *log;
    h->log.handler = ngx_webrtc_push_head_log_error;
    h->log.data = h;
    h->log.action = NULL;

    h->said.event = "push";
    h->said.log = &h->log;
    h->said.bus = bus;
    h->said.outlet = outlet;

    ngx_webrtc_bus_hold(bus, st);

    ngx_webrtc_push_head_state(h, 0);

    ngx_queue_insert_tail(all, &h->queue);

    return h;
}


void *
ngx_webrtc_push_head_find(ngx_queue_t *all, ngx_webrtc_stream_t *st,
    const ngx_webrtc_push_conf_t *conf)
{
    ngx_webrtc_push_head_t  *h;

    h = NULL;

    do {
        h = ngx_webrtc_push_head_next(all, h);
    } while (h && (h->st != st || h->conf != conf));

    return h;
}


void *
ngx_webrtc_push_head_next(ngx_queue_t *all, void *push)
{
    ngx_queue_t             *q;
    ngx_webrtc_push_head_t  *h;

    h = push;
    q = h ? ngx_queue_next(&h->queue) : ngx_queue_head(all);

    return (q == ngx_queue_sentinel(all))
           ? NULL : ngx_queue_data(q, ngx_webrtc_push_head_t, queue);
}


void
ngx_webrtc_push_head_free(ngx_webrtc_push_head_t *h, size_t size)
{
    ngx_queue_remove(&h->queue);

    ngx_webrtc_bus_outlet_give(h->bus, h->outlet);
    ngx_webrtc_bus_release(h->bus, h->st);

    ngx_explicit_memzero(h, size);
    ngx_free(h);
}


/* the URL that is disclosed is in the outlet */

static u_char *
ngx_webrtc_push_head_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                  *p;
    ngx_webrtc_outlet_t     *ol;
    ngx_webrtc_push_head_t  *h;

    h = log->data;
    ol = h->outlet;

    p = ngx_snprintf(buf, len, ", stream: \"%V\"", &h->name);

    if (ol->text_len) {
        p = ngx_snprintf(p, len - (p - buf), ", to: \"%*s\"",
                         (size_t) ol->text_len, ol->text);
    }

    return p;
}


void
ngx_webrtc_push_head_state(ngx_webrtc_push_head_t *h, ngx_uint_t state)
{
    h->state = state;
    h->since = ngx_current_msec;

    if (state == h->resting && !h->failed) {
        state = 0;
    }

    /* what has failed has, until something is sent */

    if (h->outlet->state != NGX_WEBRTC_OUTLET_FAILED) {
        ngx_webrtc_bus_outlet_state(h->outlet, h->shown[state],
                                    ngx_current_msec);
    }
}


ngx_int_t
ngx_webrtc_push_head_url(ngx_webrtc_push_head_t *h, const char **cause)
{
    h->holder = ngx_webrtc_atomic_load(&h->st->holder);
    h->url_len = h->conf->url(h->conf->ctx, h->st, h->url, cause);

    return h->url_len ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_push_head_disclose(ngx_webrtc_push_head_t *h)
{
    u_char     *p, text[NGX_WEBRTC_OUTLET_TEXT];
    ngx_str_t   url;

    url.data = h->url;
    url.len = h->url_len;

    p = ngx_webrtc_source_mask_url(text, text + sizeof(text), &url, &h->name);

    url.data = text;
    url.len = p - text;

    ngx_webrtc_bus_outlet_text(h->bus, h->outlet, &url);
}


ngx_uint_t
ngx_webrtc_push_head_moved(ngx_webrtc_push_head_t *h)
{
    u_char       url[NGX_WEBRTC_PUSH_URL];
    size_t       n;
    uint64_t     holder;
    const char  *cause;

    holder = ngx_webrtc_atomic_load(&h->st->holder);

    if (holder == 0 || holder == h->holder) {
        return 0;
    }

    h->holder = holder;
    n = h->conf->url(h->conf->ctx, h->st, url, &cause);

    return n != h->url_len || ngx_memcmp(url, h->url, n) != 0;
}


void
ngx_webrtc_push_head_fail(ngx_webrtc_push_head_t *h, const char *fmt, ...)
{
    u_char     buf[NGX_WEBRTC_ERROR_TEXT];
    va_list    args;
    ngx_str_t  text;

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    ngx_webrtc_output_said(&h->said, &text);

    h->failed = 1;
}


void
ngx_webrtc_push_head_begin(ngx_webrtc_push_head_t *h)
{
    ngx_log_error(NGX_LOG_NOTICE, &h->log, 0, "webrtc push begins");

    h->begun = ngx_current_msec;

    ngx_webrtc_atomic_add(&h->outlet->files, 1);
    ngx_webrtc_bus_outlet_state(h->outlet, NGX_WEBRTC_OUTLET_ACTIVE,
                                ngx_current_msec);
}


void
ngx_webrtc_push_head_sent(ngx_webrtc_push_head_t *h, uint64_t bytes,
    uint64_t media_ms, uint64_t left_out)
{
    ngx_webrtc_atomic_store(&h->outlet->bytes, h->bytes + bytes);
    ngx_webrtc_atomic_store(&h->outlet->media_ms, h->media_ms + media_ms);
    ngx_webrtc_atomic_store(&h->outlet->left_out, h->left_out + left_out);
}


ngx_uint_t
ngx_webrtc_push_head_end(ngx_webrtc_push_head_t *h)
{
    ngx_uint_t  lived;

    lived = (h->begun
             && ngx_current_msec - h->begun > NGX_WEBRTC_PUSH_LIVED);

    if (h->begun) {
        ngx_log_error(NGX_LOG_NOTICE, &h->log, 0,
                      "webrtc push ends bytes:%uL duration_ms:%uL cause:%s",
                      h->outlet->bytes - h->bytes,
                      h->outlet->media_ms - h->media_ms,
                      h->cause ? h->cause : "ended");
    }

    if (lived) {
        h->pause = 0;
        h->said.hash = 0;
    }

    h->begun = 0;
    h->bytes = h->outlet->bytes;
    h->media_ms = h->outlet->media_ms;
    h->left_out = h->outlet->left_out;

    /* one that changes all the time is not connected to all the time */

    return lived && !h->failed;
}


void
ngx_webrtc_push_head_rest(ngx_webrtc_push_head_t *h, ngx_msec_t least)
{
    if (least == 0) {
        h->pause = h->pause ? ngx_min(2 * h->pause, NGX_WEBRTC_PUSH_PAUSES)
                            : NGX_WEBRTC_PUSH_PAUSE;
    }

    h->until = ngx_current_msec + ngx_max(h->pause, least);

    ngx_webrtc_push_head_state(h, h->resting);
}


ngx_uint_t
ngx_webrtc_push_head_rested(const ngx_webrtc_push_head_t *h)
{
    return (ngx_msec_int_t) (h->until - ngx_current_msec) <= 0;
}
