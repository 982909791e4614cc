
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sums over all sessions, workers, and rates of streams.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_figures.h"


/* ms between two samples of bytes and frames, and between the first ones, so
 * many: encoders of browsers take seconds to come to the bitrate that they may
 * have, and what is over 5 s is long behind that */
#define NGX_WEBRTC_FIGURES_SAMPLE  1000
#define NGX_WEBRTC_FIGURES_FIRST   250
#define NGX_WEBRTC_FIGURES_YOUNG   32


static void ngx_webrtc_bus_rates_up(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);


/* chosen: what people wait for, and what paths have */
const uint32_t
    ngx_webrtc_figures_bounds[NGX_WEBRTC_HISTOGRAMS][NGX_WEBRTC_FIGURES_BOUNDS]
    =
{
    { 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 },
    { 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 },
    { 2500, 5000, 10000, 25000, 50000, 100000, 200000, 400000, 800000,
      1600000 },

    /* 0, 1/128, 1/64, ...: binary fractions, so that they print exactly */
    { 0, 1, 2, 4, 8, 16, 32, 64, 128, 192 }
};


void
ngx_webrtc_figures_observe(ngx_webrtc_figures_t *f,
    ngx_webrtc_histogram_e histogram, uint64_t value)
{
    ngx_uint_t               i;
    ngx_webrtc_histogram_t  *h;

    h = &f->histograms[histogram];

    for (i = 0; i < NGX_WEBRTC_FIGURES_BOUNDS; i++) {
        if (value <= ngx_webrtc_figures_bounds[histogram][i]) {
            break;
        }
    }

    h->n[i]++;
    h->sum += value;
}


void
ngx_webrtc_figures_count(ngx_webrtc_figures_t *f, ngx_uint_t role,
    const ngx_webrtc_peer_stat_t *now, ngx_webrtc_peer_stat_t *before)
{
    uint64_t  *sum;

    sum = f->roles[role % NGX_WEBRTC_PEER_ROLES];

    sum[NGX_WEBRTC_FIGURE_PACKETS_OUT] += now->packets_out
                                          - before->packets_out;
    sum[NGX_WEBRTC_FIGURE_BYTES_OUT] += now->bytes_out - before->bytes_out;
    sum[NGX_WEBRTC_FIGURE_PACKETS_IN] += now->packets_in - before->packets_in;
    sum[NGX_WEBRTC_FIGURE_BYTES_IN] += now->bytes_in - before->bytes_in;
    sum[NGX_WEBRTC_FIGURE_LOST_IN] += now->lost_in - before->lost_in;
    sum[NGX_WEBRTC_FIGURE_RESENT] += now->resent - before->resent;
    sum[NGX_WEBRTC_FIGURE_NACKS] += now->nacks - before->nacks;
    sum[NGX_WEBRTC_FIGURE_PLIS] += now->plis - before->plis;
    sum[NGX_WEBRTC_FIGURE_LAPPED] += now->lapped - before->lapped;

    *before = *now;
}


void
ngx_webrtc_bus_figures_add(ngx_webrtc_bus_t *bus, ngx_webrtc_figures_t *f)
{
    uint64_t    *from, *to;
    ngx_uint_t   i;

    /* it is made of nothing else */

    from = (uint64_t *) f;
    to = (uint64_t *) &bus->sh->figures;

    for (i = 0; i < sizeof(ngx_webrtc_figures_t) / sizeof(uint64_t); i++) {
        if (from[i]) {
            ngx_webrtc_atomic_add(&to[i], from[i]);
            from[i] = 0;
        }
    }
}


void
ngx_webrtc_bus_figures(ngx_webrtc_bus_t *bus, ngx_webrtc_figures_t *f)
{
    uint64_t    *from, *to;
    ngx_uint_t   i;

    from = (uint64_t *) &bus->sh->figures;
    to = (uint64_t *) f;

    for (i = 0; i < sizeof(ngx_webrtc_figures_t) / sizeof(uint64_t); i++) {
        to[i] = ngx_webrtc_atomic_load(&from[i]);
    }
}


void
ngx_webrtc_bus_drain(ngx_webrtc_bus_t *bus, ngx_uint_t on)
{
    ngx_webrtc_atomic_store(&bus->sh->drain, (uint64_t) (on != 0));
}


ngx_uint_t
ngx_webrtc_bus_draining(ngx_webrtc_bus_t *bus)
{
    return (ngx_uint_t) ngx_webrtc_atomic_load(&bus->sh->drain);
}


void
ngx_webrtc_bus_worker_tell(ngx_webrtc_bus_t *bus,
    ngx_webrtc_worker_figures_t *wf)
{
    if (bus->worker == NGX_WEBRTC_WORKER_NONE) {
        return;
    }

    wf->pid = (uint64_t) ngx_pid;

    bus->sh->told[bus->worker] = *wf;
}


ngx_int_t
ngx_webrtc_bus_worker_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_worker_figures_t *wf)
{
    ngx_uint_t  n;
    ngx_pid_t   pid;

    for (n = *cursor; n < NGX_WEBRTC_WORKERS; n++) {

        pid = ngx_webrtc_bus_worker_pid(bus, n);

        if (pid == 0) {
            continue;
        }

        *wf = bus->sh->told[n];

        if (wf->pid != (uint64_t) pid) {

            /* still those of an earlier one */

            ngx_memzero(wf, sizeof(ngx_webrtc_worker_figures_t));
            wf->pid = (uint64_t) pid;
        }

        *cursor = n + 1;

        return NGX_OK;
    }

    *cursor = n;

    return NGX_DONE;
}


void
ngx_webrtc_bus_zone_figures(ngx_webrtc_bus_t *bus,
    ngx_webrtc_zone_figures_t *zf)
{
    ngx_uint_t            n, i;
    ngx_webrtc_table_t   *t;
    ngx_webrtc_stream_t  *st;

    ngx_memzero(zf, sizeof(ngx_webrtc_zone_figures_t));

    zf->size = bus->zone->shm.size;
    zf->free = ngx_webrtc_bus_free(bus);
    zf->sessions = ngx_webrtc_peers_count(bus);
    zf->sessions_max = bus->sh->peers.n;

    t = &bus->sh->streams;

    zf->streams = ngx_webrtc_atomic_load(&t->used);
    zf->streams_max = t->n;

    for (n = 0; n < ngx_webrtc_atomic_load(&t->top); n++) {

        if (ngx_webrtc_entry_state(ngx_webrtc_atomic_load(&t->entries[n].word))
            != NGX_WEBRTC_ENTRY_NEW)
        {
            continue;
        }

        /* stays readable if it is freed at this moment */

        st = ngx_webrtc_atomic_load(&t->entries[n].p);

        if (st && ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_ACTIVE) {
            zf->active++;
        }

        for (i = 0; st && i < NGX_WEBRTC_BUS_RINGS; i++) {
            if (ngx_webrtc_atomic_load(&st->rings[i].p)) {
                zf->rings += ngx_webrtc_atomic_load(&st->rings[i].size);
            }
        }
    }
}


void
ngx_webrtc_bus_rates_begin(ngx_webrtc_stream_t *st, uint64_t now_ms)
{
    ngx_memzero(&st->rates, sizeof(ngx_webrtc_stream_rates_t));

    st->rates.claimed_ms = now_ms;
    st->rates.first_bytes = ngx_webrtc_atomic_load(&st->stat.bytes);
    st->rates.first_packets = ngx_webrtc_atomic_load(&st->stat.packets);
}


static void
ngx_webrtc_bus_rates_up(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    if (!st->rates.up
        && ngx_webrtc_atomic_load(&st->stat.packets)
           != st->rates.first_packets)
    {
        st->rates.up = 1;

        if (bus->on_up) {
            bus->on_up(bus->on_up_ctx, st);
        }
    }
}


void
ngx_webrtc_bus_rates_end(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st)
{
    /* it may have been too short for a sample */

    ngx_webrtc_bus_rates_up(bus, st);

    if (st->rates.up) {
        st->rates.up = 0;

        if (bus->on_down) {
            bus->on_down(bus->on_up_ctx, st);
        }
    }
}


void
ngx_webrtc_bus_rates(ngx_webrtc_bus_t *bus, uint64_t now_ms)
{
    uint64_t                    keys, every_ms;
    ngx_uint_t                  n, top;
    ngx_webrtc_stream_t        *st;
    ngx_webrtc_stream_rates_t  *r;

    top = ngx_webrtc_atomic_load(&bus->sh->streams.top);

    for (n = 0; n < top; n++) {
        st = bus->held[n];

        if (st == NULL || !ngx_webrtc_bus_is_mine(bus, st)) {
            continue;
        }

        ngx_webrtc_bus_rates_up(bus, st);

        r = &st->rates;
        keys = ngx_webrtc_atomic_load(&st->stat.keyframes);

        if (r->keys.n == 0
            || keys != r->keys.v[(r->keys.n - 1) % NGX_WEBRTC_RATE_SAMPLES])
        {
            ngx_webrtc_rate_add(&r->keys, keys, now_ms);
        }

        every_ms = (r->bytes.n < NGX_WEBRTC_FIGURES_YOUNG)
                   ? NGX_WEBRTC_FIGURES_FIRST : NGX_WEBRTC_FIGURES_SAMPLE;

        if (now_ms - r->sampled_ms < every_ms) {
            continue;
        }

        r->sampled_ms = now_ms;

        ngx_webrtc_rate_add(&r->bytes, ngx_webrtc_atomic_load(&st->stat.bytes),
                            now_ms);
        ngx_webrtc_rate_add(&r->frames,
                            ngx_webrtc_atomic_load(&st->stat.frames), now_ms);
    }
}


void
ngx_webrtc_bus_info_rates(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_info_t *info)
{
    uint64_t  v, ms;

    info->publisher = ngx_webrtc_atomic_load(&st->holder);
    info->bitrate = 0;
    info->fps_1000 = 0;
    info->key_interval_ms = 0;

    if (info->state != NGX_WEBRTC_STREAM_ACTIVE || info->claim_kind == 0) {
        return;
    }

    info->bitrate = ngx_webrtc_bus_bitrate(st);
    info->fps_1000 = ngx_webrtc_rate_second(&st->rates.frames, 1000);

    if (ngx_webrtc_rate_span(&st->rates.keys, &v, &ms) == NGX_OK && v) {
        info->key_interval_ms = ms / v;
    }
}


uint64_t
ngx_webrtc_bus_bitrate(ngx_webrtc_stream_t *st)
{
    uint64_t           v, ms;
    ngx_webrtc_rate_t  rate;

    rate = st->rates.bytes;

    /* a stream that begins with all of a key frame, or with seconds at once */

    if (ngx_webrtc_rate_span(&rate, &v, &ms) != NGX_OK
        || ms < NGX_WEBRTC_FIGURES_SAMPLE)
    {
        return 0;
    }

    return v * 8 * 1000 / ms;
}
