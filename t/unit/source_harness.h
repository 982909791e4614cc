
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * For the tests of sources: a ring, a source's thread that writes into it, and
 * all packets it wrote, noted down as they are published.
 *
 * The callbacks run in the source's thread; the test looks at the results
 * under the lock, or when the thread has ended.
 */


#ifndef _SOURCE_HARNESS_H_INCLUDED_
#define _SOURCE_HARNESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "ngx_webrtc_source_av.h"
#include "ngx_webrtc_source_retry.h"
#include "ngx_webrtc_source_out.h"
#include "ngx_webrtc_source_thread.h"


#define HARNESS_PACKETS  65536
#define HARNESS_RING     (4 * 1024 * 1024)


typedef struct {
    ngx_webrtc_ring_packet_t     pkt;
    u_char                       head[4];      /* of the payload */
    uint64_t                     us;           /* monotonic */
} harness_packet_t;


typedef struct {
    ngx_webrtc_source_thread_t  *th;
    ngx_webrtc_ring_t           *ring;
    ngx_webrtc_timeline_t        timeline;
    ngx_webrtc_source_out_conf_t out_conf;
    ngx_webrtc_source_out_t      out;

    pthread_mutex_t              mutex;
    pthread_cond_t               cond;

    uint64_t                     next;         /* entry of the ring */
    ngx_uint_t                   n;
    harness_packet_t            *p;
    ngx_webrtc_source_delta_t    sum;

    ngx_uint_t                   ups;
    ngx_uint_t                   downs;
    ngx_uint_t                   failures;
    ngx_uint_t                   logs;
    uint64_t                     start_us;
    uint64_t                     up_us;        /* after the start, the last */
    ngx_webrtc_media_note_t     first;        /* up */
    ngx_webrtc_media_note_t     up;
    ngx_webrtc_media_note_t     down;         /* or failed */
    ngx_webrtc_media_note_t     log;
} harness_t;


static void
harness_notify(void *ctx)
{
    harness_t                 *h = ctx;
    ngx_webrtc_media_note_t   note;

    pthread_mutex_lock(&h->mutex);

    while (ngx_webrtc_source_thread_note(h->th, &note) == NGX_OK) {

        switch (note.type) {

        case NGX_WEBRTC_MEDIA_UP:
        case NGX_WEBRTC_MEDIA_MORE:
            if (h->ups++ == 0) {
                h->first = note;
            }

            h->up = note;
            h->up_us = ngx_webrtc_time_now() - h->start_us;
            ngx_webrtc_source_thread_go(h->th);
            break;

        case NGX_WEBRTC_MEDIA_DOWN:
            h->downs++;
            h->down = note;
            break;

        case NGX_WEBRTC_MEDIA_FAILED:
            h->failures++;
            h->down = note;
            break;

        case NGX_WEBRTC_MEDIA_LOG:
            h->logs++;
            h->log = note;
            break;
        }
    }

    pthread_cond_broadcast(&h->cond);
    pthread_mutex_unlock(&h->mutex);
}


static void
harness_published(void *ctx, ngx_webrtc_source_delta_t *delta)
{
    harness_t         *h = ctx;
    u_char            *payload;
    ngx_int_t          rc;
    harness_packet_t  *p;

    pthread_mutex_lock(&h->mutex);

    h->sum.packets += delta->packets;
    h->sum.bytes += delta->bytes;
    h->sum.frames += delta->frames;
    h->sum.keyframes += delta->keyframes;
    h->sum.dropped += delta->dropped;
    h->sum.clamped += delta->clamped;
    h->sum.damaged += delta->damaged;
    h->sum.discontinuities += delta->discontinuities;

    for ( ;; ) {

        p = &h->p[h->n];

        rc = ngx_webrtc_ring_peek(h->ring, h->next, &p->pkt, &payload);

        if (rc == NGX_AGAIN) {
            break;
        }

        h->next++;

        if (rc == NGX_OK && h->n < HARNESS_PACKETS - 1) {
            ngx_memzero(p->head, sizeof(p->head));
            ngx_memcpy(p->head, payload, ngx_min(p->pkt.len, 4));
            p->us = ngx_webrtc_time_now();
            h->n++;
        }
    }

    pthread_cond_broadcast(&h->cond);
    pthread_mutex_unlock(&h->mutex);
}


/* in the source's thread: what a worker does, on the bytes that it gets */

static ngx_int_t
harness_put(void *ctx, ngx_webrtc_media_record_t *r)
{
    harness_t                  *h = ctx;
    u_char                     *buf, *p;
    u_char                      text[NGX_WEBRTC_SOURCE_OUT_TEXT];
    ngx_webrtc_media_record_t   got;

    buf = malloc(NGX_WEBRTC_MEDIA_RECORD_HEAD + r->len);
    if (buf == NULL) {
        abort();
    }

    ngx_webrtc_media_record_write(buf, r);

    if (r->len) {
        ngx_memcpy(buf + NGX_WEBRTC_MEDIA_RECORD_HEAD, r->data, r->len);
    }

    if (ngx_webrtc_media_record_parse(buf, buf + NGX_WEBRTC_MEDIA_RECORD_HEAD
                                           + r->len, &got)
        != NGX_OK)
    {
        abort();
    }

    (void) ngx_webrtc_source_out_record(&h->out, &got);

    p = ngx_webrtc_source_out_warning(&h->out, text);

    if (p) {
        pthread_mutex_lock(&h->mutex);

        h->logs++;
        h->log.level = NGX_LOG_WARN;
        h->log.len = p - text;
        ngx_memcpy(h->log.text, text, h->log.len);

        pthread_mutex_unlock(&h->mutex);
    }

    free(buf);

    return NGX_OK;
}


/*
 * url as in a configuration; conf: what else is wanted, or NULL; without nfrom
 * its from has what else is wanted of the only upstream, or is NULL
 */

static void
harness_init(harness_t *h, const char *url,
    ngx_webrtc_source_thread_conf_t *conf)
{
    u_char                           buf[4096];
    ngx_str_t                        s;
    pthread_condattr_t               attr;
    ngx_webrtc_source_from_t         one;
    ngx_webrtc_source_thread_conf_t  c;

    ngx_webrtc_source_av_init();

    ngx_memzero(h, sizeof(harness_t));
    ngx_memzero(&c, sizeof(ngx_webrtc_source_thread_conf_t));
    ngx_memzero(&one, sizeof(ngx_webrtc_source_from_t));

    if (conf) {
        c = *conf;
    }

    s.data = (u_char *) url;
    s.len = ngx_strlen(url);

    if (c.from) {
        one = *c.from;
    }

    one.scheme = ngx_webrtc_source_url_scheme(&s);

    if (one.scheme == NULL
        || ngx_webrtc_source_url_open(&s, buf, sizeof(buf)) != NGX_OK)
    {
        abort();
    }

    one.url = (char *) buf;
    one.lists = 1;

    if (c.nfrom == 0) {
        c.from = &one;
        c.nfrom = 1;
    }

    c.backoff_min = c.backoff_min ? c.backoff_min : 20;
    c.backoff_max = c.backoff_max ? c.backoff_max : 100;
    c.connect_timeout = c.connect_timeout ? c.connect_timeout : 10000;
    c.read_timeout = c.read_timeout ? c.read_timeout : 10000;

    if (posix_memalign((void **) &h->ring, 4096, HARNESS_RING) != 0) {
        abort();
    }

    ngx_memzero(h->ring, HARNESS_RING);

    h->ring = ngx_webrtc_ring_init(h->ring, HARNESS_RING);
    h->p = malloc(HARNESS_PACKETS * sizeof(harness_packet_t));

    if (h->ring == NULL || h->p == NULL) {
        abort();
    }

    ngx_webrtc_timeline_init(&h->timeline);

    pthread_mutex_init(&h->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->cond, &attr);
    pthread_condattr_destroy(&attr);

    h->out_conf.ring = h->ring;
    h->out_conf.timeline = &h->timeline;
    h->out_conf.published = harness_published;
    h->out_conf.ctx = h;
    h->out_conf.transcode = c.transcode;

    ngx_webrtc_source_out_init(&h->out, &h->out_conf);

    c.feed.put = harness_put;
    c.feed.ctx = h;
    c.body = ngx_webrtc_source_retry_run;
    c.notify = harness_notify;
    c.ctx = h;

    h->th = ngx_webrtc_source_thread_create(&c);
    if (h->th == NULL) {
        abort();
    }

    h->start_us = ngx_webrtc_time_now();
}


static __attribute__((unused)) void
harness_start(harness_t *h)
{
    if (ngx_webrtc_source_thread_start(h->th) != NGX_OK) {
        abort();
    }
}


/* tracks that are there, of those that were told */

static __attribute__((unused)) ngx_uint_t
harness_tracks(harness_t *h)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < h->up.ntracks; i++) {
        n += h->up.tracks[i].kind != 0
             && !(h->up.tracks[i].flags & NGX_WEBRTC_TRACK_PENDING);
    }

    return n;
}


/* waits until *value (of h) is at least n; 0: not within ms */

static __attribute__((unused)) int
harness_wait(harness_t *h, ngx_uint_t *value, ngx_uint_t n, ngx_uint_t ms)
{
    int              ok;
    uint64_t         us;
    struct timespec  ts;

    us = ngx_webrtc_time_now() + ms * 1000;
    ts.tv_sec = us / 1000000;
    ts.tv_nsec = us % 1000000 * 1000;

    pthread_mutex_lock(&h->mutex);

    while (*value < n) {
        if (pthread_cond_timedwait(&h->cond, &h->mutex, &ts) != 0) {
            break;
        }
    }

    ok = (*value >= n);

    pthread_mutex_unlock(&h->mutex);

    return ok;
}


/* ms that the thread took to end after it was told */

static __attribute__((unused)) ngx_uint_t
harness_stop(harness_t *h)
{
    uint64_t  us;

    us = ngx_webrtc_time_now();

    ngx_webrtc_source_thread_stop(h->th);

    if (ngx_webrtc_source_thread_join(h->th, 10000) != NGX_OK) {
        abort();
    }

    return (ngx_webrtc_time_now() - us) / 1000;
}


static void
harness_free(harness_t *h)
{
    ngx_webrtc_source_thread_destroy(h->th);
    pthread_mutex_destroy(&h->mutex);
    pthread_cond_destroy(&h->cond);
    free(h->ring);
    free(h->p);
}


#endif /* _SOURCE_HARNESS_H_INCLUDED_ */
