
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sums over all sessions that there ever were, by role, and what each worker
 * tells of itself.  They only go up for as long as the zone lives, over reloads
 * too: sessions, streams and workers come and go.
 *
 * A worker collects in memory of its own and adds that once a second.
 */


#ifndef _NGX_WEBRTC_BUS_FIGURES_H_INCLUDED_
#define _NGX_WEBRTC_BUS_FIGURES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_sums.h"


/* room and use of the zone */
typedef struct {
    size_t                   size;
    size_t                   free;            /* in whole pages */
    ngx_uint_t               streams;         /* now, and at most */
    ngx_uint_t               streams_max;
    ngx_uint_t               sessions;
    ngx_uint_t               sessions_max;
    size_t                   rings;           /* bytes of packets */
    ngx_uint_t               active;          /* streams with media */
} ngx_webrtc_zone_figures_t;


/* Bounds of a histogram, NGX_WEBRTC_FIGURES_BOUNDS of them, in its unit. */
extern const uint32_t
    ngx_webrtc_figures_bounds[NGX_WEBRTC_HISTOGRAMS][NGX_WEBRTC_FIGURES_BOUNDS];


/* Counts a value, in the histogram's unit. */
void ngx_webrtc_figures_observe(ngx_webrtc_figures_t *f,
    ngx_webrtc_histogram_e histogram, uint64_t value);

/*
 * Adds up what a session has counted since the last time.
 *
 *   before    what was counted then, and a copy of now afterwards
 */
void ngx_webrtc_figures_count(ngx_webrtc_figures_t *f, ngx_uint_t role,
    const ngx_webrtc_peer_stat_t *now, ngx_webrtc_peer_stat_t *before);

/* Adds what a worker has collected, which is zero afterwards. */
void ngx_webrtc_bus_figures_add(ngx_webrtc_bus_t *bus, ngx_webrtc_figures_t *f);

/* A copy of all sums. */
void ngx_webrtc_bus_figures(ngx_webrtc_bus_t *bus, ngx_webrtc_figures_t *f);

/*
 * Whether new sessions are refused, by all workers and over reloads, because an
 * operator wants so.
 */
void ngx_webrtc_bus_drain(ngx_webrtc_bus_t *bus, ngx_uint_t on);
ngx_uint_t ngx_webrtc_bus_draining(ngx_webrtc_bus_t *bus);

/* Tells of this worker. */
void ngx_webrtc_bus_worker_tell(ngx_webrtc_bus_t *bus,
    ngx_webrtc_worker_figures_t *wf);

/*
 * The next worker of a listing.
 *
 *   cursor   0 at first, advanced here
 *
 * NGX_OK; NGX_DONE when there are no more
 */
ngx_int_t ngx_webrtc_bus_worker_next(ngx_webrtc_bus_t *bus, ngx_uint_t *cursor,
    ngx_webrtc_worker_figures_t *wf);

/* Room and use of the zone. */
void ngx_webrtc_bus_zone_figures(ngx_webrtc_bus_t *bus,
    ngx_webrtc_zone_figures_t *zf);

/*
 * Takes samples of the streams that this worker feeds, for their bitrate, frame
 * rate and interval of key frames: a few times a second.
 */
void ngx_webrtc_bus_rates(ngx_webrtc_bus_t *bus, uint64_t now_ms);

/*
 * Bits per second of a stream, of the last seconds; 0: not known.  Without a
 * lock: may be nonsense while it is written.
 */
uint64_t ngx_webrtc_bus_bitrate(ngx_webrtc_stream_t *st);

/*
 * For this folder: begins them anew, when the stream is claimed; ends them,
 * when the claim is given up; these, for a listing, with the mutex held.
 */
void ngx_webrtc_bus_rates_begin(ngx_webrtc_stream_t *st, uint64_t now_ms);
void ngx_webrtc_bus_rates_end(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st);
void ngx_webrtc_bus_info_rates(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_info_t *info);


#endif /* _NGX_WEBRTC_BUS_FIGURES_H_INCLUDED_ */
