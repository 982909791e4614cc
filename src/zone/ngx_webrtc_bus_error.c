
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The last error of a stream.
 *
 *   1. A stream carries its last error, and the hashes of the last few causes
 *      with the time when each was logged: causes that alternate do not make
 *      a line each.
 *
 *   2. A stream that nobody needs is freed, and its error would be gone just
 *      when the operator comes to look.  So the last NGX_WEBRTC_ERRORS, one per
 *      name, are kept apart from the streams.  A new stream starts with the
 *      error kept for its name.  Names that exist only because somebody asks
 *      for them push out older ones, and take no memory.
 *
 *   3. Everything here is read and written under the mutex, except active_ms,
 *      which the claim's holder stores from any thread when media flows.
 *
 *   4. A worker that dies half way leaves len at 0, which means that there is
 *      no error: len is cleared first and set last.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_error.h"


/* until a cause is logged again; chosen: seen in any hour, floods none */
#define NGX_WEBRTC_ERROR_AGAIN_MS    600000

/* the same when media flowed in between; chosen: an outage is news */
#define NGX_WEBRTC_ERROR_ANEW_MS     60000


static ngx_webrtc_error_recent_t *ngx_webrtc_bus_error_recent(
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);
static ngx_webrtc_error_cause_t *ngx_webrtc_bus_error_cause(
    ngx_webrtc_error_t *error, uint32_t hash);
static ngx_uint_t ngx_webrtc_bus_error_due(ngx_webrtc_error_cause_t *cause,
    uint64_t active_ms, uint64_t now_ms);
static void ngx_webrtc_bus_error_print(ngx_str_t *text);


ngx_uint_t
ngx_webrtc_bus_error(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_str_t *text, uint64_t now_ms, time_t now)
{
    uint32_t                    hash;
    ngx_uint_t                  n, less;
    ngx_webrtc_error_t         *error;
    ngx_webrtc_error_cause_t   *cause;
    ngx_webrtc_error_recent_t  *recent;

    ngx_webrtc_bus_error_print(text);

    if (text->len == 0) {
        return 0;
    }

    hash = ngx_crc32_short(text->data, text->len);

    error = &st->error;

    ngx_shmtx_lock(&bus->shpool->mutex);

    recent = ngx_webrtc_bus_error_recent(bus, st);

    if (error->len == 0 && recent->error.len) {

        /* from an earlier stream of this name */

        ngx_memcpy(error, &recent->error, sizeof(ngx_webrtc_error_t));
    }

    /* what a viewer's offer lacks does not hide what ails the stream */

    less = (error->len && level > error->level
            && now_ms - error->at_ms < NGX_WEBRTC_ERROR_AGAIN_MS);

    if (!less) {
        ngx_webrtc_atomic_store(&recent->error.len, 0);
        ngx_webrtc_atomic_store(&error->len, 0);
        ngx_webrtc_atomic_fence_release();
    }

    cause = ngx_webrtc_bus_error_cause(error, hash);
    cause->unsaid++;

    n = ngx_webrtc_bus_error_due(cause, ngx_webrtc_atomic_load(&st->active_ms),
                                 now_ms);
    if (n) {
        cause->said_ms = ngx_max(now_ms, 1);
        cause->unsaid = 0;
    }

    if (less) {
        ngx_shmtx_unlock(&bus->shpool->mutex);
        return n;
    }

    error->count = (error->hash == hash) ? error->count + 1 : 1;
    error->hash = hash;
    error->level = (uint32_t) level;
    error->at_ms = now_ms;
    error->time = (uint64_t) now;

    ngx_memcpy(error->text, text->data, text->len);

    ngx_webrtc_atomic_store_release(&error->len, (uint32_t) text->len);

    recent->name_len = st->name_len;
    ngx_memcpy(recent->name, st->name, st->name_len);
    recent->error = *error;

    ngx_shmtx_unlock(&bus->shpool->mutex);

    return n;
}


void
ngx_webrtc_bus_complain(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_log_t *log, const char *event, const char *fmt, ...)
{
    u_char      buf[NGX_WEBRTC_ERROR_TEXT];
    va_list     args;
    ngx_str_t   text;
    ngx_uint_t  n;

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    n = ngx_webrtc_bus_error(bus, st, level, &text, ngx_current_msec,
                             ngx_time());

    if (n > 1) {
        ngx_log_error(level, log, 0, "webrtc %s reason:\"%V\" times:%ui",
                      event, &text, n);
        return;
    }

    if (n == 0) {
        level = NGX_LOG_INFO;
    }

    ngx_log_error(level, log, 0, "webrtc %s reason:\"%V\"", event, &text);
}


ngx_int_t
ngx_webrtc_bus_error_now(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_webrtc_error_t *error)
{
    ngx_shmtx_lock(&bus->shpool->mutex);

    *error = st->error;

    ngx_shmtx_unlock(&bus->shpool->mutex);

    if (error->len == 0
        || error->level > NGX_LOG_ERR
        || (int64_t) (error->at_ms - ngx_webrtc_atomic_load(&st->active_ms))
           < 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_bus_errors(ngx_webrtc_bus_t *bus, ngx_webrtc_error_recent_t *recent)
{
    ngx_uint_t                  i, j, n;
    ngx_webrtc_error_recent_t  *all, e;

    n = 0;
    all = bus->sh->errors;

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (i = 0; i < NGX_WEBRTC_ERRORS; i++) {
        if (all[i].error.len) {
            recent[n++] = all[i];
        }
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    for (i = 1; i < n; i++) {
        e = recent[i];

        for (j = i;
             j && (int64_t) (e.error.at_ms - recent[j - 1].error.at_ms) > 0;
             j--)
        {
            recent[j] = recent[j - 1];
        }

        recent[j] = e;
    }

    return n;
}


/* the entry of this name, or else an emptied one for it */

static ngx_webrtc_error_recent_t *
ngx_webrtc_bus_error_recent(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    ngx_uint_t                  i;
    ngx_webrtc_error_recent_t  *e, *oldest;

    oldest = &bus->sh->errors[0];

    for (i = 0; i < NGX_WEBRTC_ERRORS; i++) {
        e = &bus->sh->errors[i];

        if (e->error.len
            && e->name_len == st->name_len
            && ngx_memcmp(e->name, st->name, st->name_len) == 0)
        {
            return e;
        }

        if (oldest->error.len
            && (e->error.len == 0
                || (int64_t) (e->error.at_ms - oldest->error.at_ms) < 0))
        {
            oldest = e;
        }
    }

    ngx_webrtc_atomic_store(&oldest->error.len, 0);

    return oldest;
}


/* the row of a cause, or else an emptied one for it */

static ngx_webrtc_error_cause_t *
ngx_webrtc_bus_error_cause(ngx_webrtc_error_t *error, uint32_t hash)
{
    ngx_uint_t                 i;
    ngx_webrtc_error_cause_t  *c, *oldest;

    oldest = &error->causes[0];

    for (i = 0; i < NGX_WEBRTC_ERROR_CAUSES; i++) {
        c = &error->causes[i];

        if (c->said_ms && c->hash == hash) {
            return c;
        }

        if (oldest->said_ms && c->said_ms < oldest->said_ms) {
            oldest = c;
        }
    }

    oldest->hash = hash;
    oldest->said_ms = 0;
    oldest->unsaid = 0;

    return oldest;
}


/* times it has occurred, or 0 if it is not due */

static ngx_uint_t
ngx_webrtc_bus_error_due(ngx_webrtc_error_cause_t *cause, uint64_t active_ms,
    uint64_t now_ms)
{
    uint64_t  pause;

    if (cause->said_ms) {
        pause = ((int64_t) (active_ms - cause->said_ms) > 0)
                ? NGX_WEBRTC_ERROR_ANEW_MS : NGX_WEBRTC_ERROR_AGAIN_MS;

        if ((int64_t) (now_ms - cause->said_ms) < (int64_t) pause) {
            return 0;
        }
    }

    return cause->unsaid;
}


static void
ngx_webrtc_bus_error_print(ngx_str_t *text)
{
    u_char  *p;

    text->len = ngx_min(text->len, NGX_WEBRTC_ERROR_TEXT);

    for (p = text->data; p < text->data + text->len; p++) {

        if (*p < ' ' || *p >= 0x7f) {
            *p = '?';

        } else if (*p == '"') {

            /* it stands between quotes in the log */

            *p = '\'';
        }
    }
}
