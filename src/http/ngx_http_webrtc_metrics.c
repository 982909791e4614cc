
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_metrics": sums, workers and streams in the format that is asked for,
 * OpenMetrics 1.0 or Prometheus' text format 0.0.4.  They differ in the name of
 * a counter's family, which has no "_total" in OpenMetrics, and in "# EOF".
 *
 * Nothing is counted here, and no session is looked at: workers have added up
 * what their sessions did (ngx_webrtc_bus_figures.h).  Series per stream are
 * bounded by "streams=".
 */


#include "ngx_http_webrtc_metrics.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_outlets.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_status_print.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_outlet.h"
#include "ngx_webrtc_bus_unheard.h"


/* streams with series of their own, by default and at most; chosen */
#define NGX_HTTP_WEBRTC_METRICS_STREAMS      100
#define NGX_HTTP_WEBRTC_METRICS_STREAMS_MAX  500

/* bytes of a sample without the value of a label, of a header of a family */
#define NGX_HTTP_WEBRTC_METRICS_SAMPLE  160
#define NGX_HTTP_WEBRTC_METRICS_HELP    384


typedef enum {
    NGX_HTTP_WEBRTC_GAUGE = 0,
    NGX_HTTP_WEBRTC_COUNTER,
    NGX_HTTP_WEBRTC_HISTOGRAM
} ngx_http_webrtc_metric_e;


/* a family; "total" is added to the names of counters */
typedef struct {
    const char                  *name;        /* without "nginx_webrtc_" */
    ngx_http_webrtc_metric_e     type;
    const char                  *help;
    size_t                       at;          /* where its value is, or which */
    uint64_t                     scale;       /* of a unit: 1000 for ms */
} ngx_http_webrtc_metric_t;


/* what is kept of a stream while the families are printed */
typedef struct {
    ngx_str_t                    label;       /* escaped */
    uint64_t                     active;
    uint64_t                     viewers;
    ngx_webrtc_stream_stat_t     stat;
} ngx_http_webrtc_metrics_stream_t;


typedef struct {
    ngx_http_webrtc_text_t       text;
    ngx_uint_t                   open;        /* unsigned  open:1;  OpenMetrics
                                               */
    ngx_webrtc_figures_t         sums;
    ngx_webrtc_zone_figures_t    zone;
    ngx_webrtc_worker_figures_t *workers;
    ngx_uint_t                  *numbers;     /* of these */
    ngx_uint_t                   nworkers;
    ngx_http_webrtc_metrics_stream_t  *streams;
    ngx_uint_t                   nstreams;
} ngx_http_webrtc_metrics_t;


static ngx_int_t ngx_http_webrtc_metrics_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_metrics_collect(ngx_http_webrtc_metrics_t *m);
static ngx_int_t ngx_http_webrtc_metrics_collect_streams(
    ngx_http_webrtc_metrics_t *m, ngx_uint_t max);
static ngx_int_t ngx_http_webrtc_metrics_label(ngx_pool_t *pool,
    ngx_str_t *label, u_char *p, size_t n);
static void ngx_http_webrtc_metrics_sums(ngx_http_webrtc_metrics_t *m);
static void ngx_http_webrtc_metrics_zone(ngx_http_webrtc_metrics_t *m);
static void ngx_http_webrtc_metrics_outputs(ngx_http_webrtc_metrics_t *m);
static void ngx_http_webrtc_metrics_workers(ngx_http_webrtc_metrics_t *m);
static void ngx_http_webrtc_metrics_histogram(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric);
static void ngx_http_webrtc_metrics_streams(ngx_http_webrtc_metrics_t *m);
static void ngx_http_webrtc_metrics_family(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric);
static void ngx_http_webrtc_metrics_sample(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric, const char *label,
    ngx_str_t *value, uint64_t n);
static u_char *ngx_http_webrtc_metrics_number(u_char *p, u_char *end,
    uint64_t n, uint64_t scale);


static ngx_str_t  ngx_http_webrtc_metrics_methods = ngx_string("GET, HEAD");

static ngx_str_t  ngx_http_webrtc_metrics_text_type =
    ngx_string("text/plain; version=0.0.4; charset=utf-8");

static ngx_str_t  ngx_http_webrtc_metrics_open_type =
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8");


/* by role; at: ngx_webrtc_figure_e */
static const ngx_http_webrtc_metric_t  ngx_http_webrtc_metrics_roles[] = {

    { "sessions_answered", NGX_HTTP_WEBRTC_COUNTER,
      "Offers that were answered with a session.",
      NGX_WEBRTC_FIGURE_SESSIONS, 1 },

    { "sessions_connected", NGX_HTTP_WEBRTC_COUNTER,
      "Sessions whose DTLS came up.", NGX_WEBRTC_FIGURE_CONNECTED, 1 },

    { "sessions_ended", NGX_HTTP_WEBRTC_COUNTER,
      "Sessions of a worker that have ended, connected or not.",
      NGX_WEBRTC_FIGURE_ENDED, 1 },

    { "sent_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets of media sent, without those sent again.",
      NGX_WEBRTC_FIGURE_PACKETS_OUT, 1 },

    { "sent_bytes", NGX_HTTP_WEBRTC_COUNTER,
      "Bytes of these packets, without UDP and IP.",
      NGX_WEBRTC_FIGURE_BYTES_OUT, 1 },

    { "received_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Authentic packets received, of media and of RTCP.",
      NGX_WEBRTC_FIGURE_PACKETS_IN, 1 },

    { "received_bytes", NGX_HTTP_WEBRTC_COUNTER,
      "Bytes of these packets, without UDP and IP.",
      NGX_WEBRTC_FIGURE_BYTES_IN, 1 },

    { "lost_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets of publishers that never came.",
      NGX_WEBRTC_FIGURE_LOST_IN, 1 },

    { "nacked_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets asked for again: by viewers, of publishers.",
      NGX_WEBRTC_FIGURE_NACKS, 1 },

    { "resent_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets sent to viewers again.", NGX_WEBRTC_FIGURE_RESENT, 1 },

    { "keyframe_requests", NGX_HTTP_WEBRTC_COUNTER,
      "Key frames asked for: by viewers, of publishers.",
      NGX_WEBRTC_FIGURE_PLIS, 1 },

    { "lapped", NGX_HTTP_WEBRTC_COUNTER,
      "Times that a viewer was so slow that packets were overwritten.",
      NGX_WEBRTC_FIGURE_LAPPED, 1 },

    { NULL, 0, NULL, 0, 0 }
};


/* at: ngx_webrtc_histogram_e */
static const ngx_http_webrtc_metric_t  ngx_http_webrtc_metrics_histograms[] = {

    { "setup_seconds", NGX_HTTP_WEBRTC_HISTOGRAM,
      "Time from the POST until DTLS is up.",
      NGX_WEBRTC_HISTOGRAM_SETUP, 1000 },

    { "first_frame_seconds", NGX_HTTP_WEBRTC_HISTOGRAM,
      "Time from the POST until the first packet of media.",
      NGX_WEBRTC_HISTOGRAM_FIRST, 1000 },

    { "rtt_seconds", NGX_HTTP_WEBRTC_HISTOGRAM,
      "Round trips of connected sessions, each second.",
      NGX_WEBRTC_HISTOGRAM_RTT, 1000000 },

    { "loss_ratio", NGX_HTTP_WEBRTC_HISTOGRAM,
      "Part of the packets lost, of connected sessions, each second.",
      NGX_WEBRTC_HISTOGRAM_LOSS, 256 },

    { NULL, 0, NULL, 0, 0 }
};


/* at: in ngx_webrtc_worker_figures_t */
static const ngx_http_webrtc_metric_t  ngx_http_webrtc_metrics_worker[] = {

    { "worker_sessions", NGX_HTTP_WEBRTC_GAUGE, "Sessions of a worker.",
      offsetof(ngx_webrtc_worker_figures_t, sessions), 1 },

    { "worker_cpu_seconds", NGX_HTTP_WEBRTC_COUNTER,
      "Processor time of a worker.",
      offsetof(ngx_webrtc_worker_figures_t, cpu_us), 1000000 },

    { "worker_late_seconds", NGX_HTTP_WEBRTC_GAUGE,
      "How late a worker came to a timer in the last second, at most.",
      offsetof(ngx_webrtc_worker_figures_t, late_ms), 1000 },

    { "worker_inbox_dropped", NGX_HTTP_WEBRTC_COUNTER,
      "Messages for other workers that did not fit.",
      offsetof(ngx_webrtc_worker_figures_t, inbox_dropped), 1 },

    { "worker_port_failed_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets that the kernel refused.",
      offsetof(ngx_webrtc_worker_figures_t, tx_failed), 1 },

    { "worker_port_full", NGX_HTTP_WEBRTC_COUNTER,
      "Times that the UDP socket was full.",
      offsetof(ngx_webrtc_worker_figures_t, tx_blocked), 1 },

    { "worker_tcp_connections", NGX_HTTP_WEBRTC_GAUGE,
      "Connections that sessions have (ICE-TCP).",
      offsetof(ngx_webrtc_worker_figures_t, tcp_sessions), 1 },

    { "worker_tcp_accepted", NGX_HTTP_WEBRTC_COUNTER,
      "Connections that were accepted.",
      offsetof(ngx_webrtc_worker_figures_t, tcp_accepted), 1 },

    { "worker_tcp_refused", NGX_HTTP_WEBRTC_COUNTER,
      "Connections that were closed, as no session's check came or there were "
      "too many.",
      offsetof(ngx_webrtc_worker_figures_t, tcp_refused), 1 },

    { "worker_tcp_full", NGX_HTTP_WEBRTC_COUNTER,
      "Times that a connection was full.",
      offsetof(ngx_webrtc_worker_figures_t, tcp_blocked), 1 },

    { "worker_tcp_dropped_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets that a connection's peer did not take.",
      offsetof(ngx_webrtc_worker_figures_t, tcp_dropped), 1 },

    { NULL, 0, NULL, 0, 0 }
};


/* at: in ngx_webrtc_zone_figures_t */
static const ngx_http_webrtc_metric_t  ngx_http_webrtc_metrics_room[] = {

    { "zone_size_bytes", NGX_HTTP_WEBRTC_GAUGE, "Size of the zone.",
      offsetof(ngx_webrtc_zone_figures_t, size), 1 },

    { "zone_free_bytes", NGX_HTTP_WEBRTC_GAUGE, "Free pages of the zone.",
      offsetof(ngx_webrtc_zone_figures_t, free), 1 },

    { "zone_packets_bytes", NGX_HTTP_WEBRTC_GAUGE,
      "Part of the zone that holds packets of streams.",
      offsetof(ngx_webrtc_zone_figures_t, rings), 1 },

    { "zone_streams", NGX_HTTP_WEBRTC_GAUGE, "Streams there are.",
      offsetof(ngx_webrtc_zone_figures_t, streams), 1 },

    { "zone_streams_limit", NGX_HTTP_WEBRTC_GAUGE, "Streams there can be.",
      offsetof(ngx_webrtc_zone_figures_t, streams_max), 1 },

    { "zone_sessions", NGX_HTTP_WEBRTC_GAUGE,
      "Sessions there are, connected or not.",
      offsetof(ngx_webrtc_zone_figures_t, sessions), 1 },

    { "zone_sessions_limit", NGX_HTTP_WEBRTC_GAUGE, "Sessions there can be.",
      offsetof(ngx_webrtc_zone_figures_t, sessions_max), 1 },

    { "streams_active", NGX_HTTP_WEBRTC_GAUGE, "Streams with media now.",
      offsetof(ngx_webrtc_zone_figures_t, active), 1 },

    { NULL, 0, NULL, 0, 0 }
};


/* at: in ngx_http_webrtc_metrics_stream_t */
static const ngx_http_webrtc_metric_t  ngx_http_webrtc_metrics_of_stream[] = {

    { "stream_active", NGX_HTTP_WEBRTC_GAUGE, "Whether it has media now.",
      offsetof(ngx_http_webrtc_metrics_stream_t, active), 1 },

    { "stream_viewers", NGX_HTTP_WEBRTC_GAUGE, "Sessions that play it.",
      offsetof(ngx_http_webrtc_metrics_stream_t, viewers), 1 },

    { "stream_payload_bytes", NGX_HTTP_WEBRTC_COUNTER,
      "Bytes of media that came in.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.bytes), 1 },

    { "stream_frames", NGX_HTTP_WEBRTC_COUNTER, "Frames of video.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.frames), 1 },

    { "stream_keyframes", NGX_HTTP_WEBRTC_COUNTER, "Key frames of video.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.keyframes), 1 },

    { "stream_failures", NGX_HTTP_WEBRTC_COUNTER,
      "Attempts to pull it that failed.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.failures), 1 },

    { "stream_nacked_packets", NGX_HTTP_WEBRTC_COUNTER,
      "Packets that its viewers asked for again.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.nacks), 1 },

    { "stream_keyframe_requests", NGX_HTTP_WEBRTC_COUNTER,
      "Key frames that its viewers asked for.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.plis), 1 },

    { "stream_layers_left_out", NGX_HTTP_WEBRTC_COUNTER,
      "Times that a layer took more than its limit, and was left out.",
      offsetof(ngx_http_webrtc_metrics_stream_t, stat.left_out), 1 },

    { NULL, 0, NULL, 0, 0 }
};


ngx_int_t
ngx_http_webrtc_metrics_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_metrics_dispatch(r));
}


static ngx_int_t
ngx_http_webrtc_metrics_dispatch(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_str_t                  *accept;
    ngx_http_webrtc_metrics_t  *m;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_webrtc_not_allowed(r,
                                           &ngx_http_webrtc_metrics_methods);
    }

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    m = ngx_pcalloc(r->pool, sizeof(ngx_http_webrtc_metrics_t));
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m->text.request = r;

    accept = ngx_http_webrtc_request_header(r, "accept");

    m->open = accept
              && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                                  (u_char *) "application/openmetrics-text",
                                  sizeof("application/openmetrics-text") - 2)
                 != NULL;

    if (ngx_http_webrtc_metrics_collect(m) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_webrtc_metrics_sums(m);
    ngx_http_webrtc_metrics_zone(m);
    ngx_http_webrtc_metrics_outputs(m);
    ngx_http_webrtc_metrics_workers(m);
    ngx_http_webrtc_metrics_streams(m);

    if (m->open) {
        ngx_http_webrtc_text_string(&m->text, "# EOF\n");
    }

    return ngx_http_webrtc_text_send(&m->text, m->open
                                        ? &ngx_http_webrtc_metrics_open_type
                                        : &ngx_http_webrtc_metrics_text_type);
}


static ngx_int_t
ngx_http_webrtc_metrics_collect(ngx_http_webrtc_metrics_t *m)
{
    ngx_uint_t                   cursor;
    ngx_pool_t                  *pool;
    ngx_webrtc_bus_t            *bus;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = m->text.request;
    pool = r->pool;
    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_webrtc_bus_figures(bus, &m->sums);
    ngx_webrtc_bus_zone_figures(bus, &m->zone);

    m->workers = ngx_palloc(pool, NGX_WEBRTC_WORKERS
                                  * sizeof(ngx_webrtc_worker_figures_t));
    m->numbers = ngx_palloc(pool, NGX_WEBRTC_WORKERS * sizeof(ngx_uint_t));

    if (m->workers == NULL || m->numbers == NULL) {
        return NGX_ERROR;
    }

    cursor = 0;

    while (ngx_webrtc_bus_worker_next(bus, &cursor, &m->workers[m->nworkers])
           == NGX_OK)
    {
        m->numbers[m->nworkers++] = cursor - 1;
    }

    return ngx_http_webrtc_metrics_collect_streams(m, wlcf->metrics_streams);
}


static ngx_int_t
ngx_http_webrtc_metrics_collect_streams(ngx_http_webrtc_metrics_t *m,
    ngx_uint_t max)
{
    ngx_uint_t                         cursor;
    ngx_pool_t                        *pool;
    ngx_webrtc_stream_info_t          *info;
    ngx_http_webrtc_metrics_stream_t  *ms;

    pool = m->text.request->pool;

    info = ngx_palloc(pool, sizeof(ngx_webrtc_stream_info_t));
    m->streams = ngx_palloc(pool, (max + 1)
                                * sizeof(ngx_http_webrtc_metrics_stream_t));

    if (info == NULL || m->streams == NULL) {
        return NGX_ERROR;
    }

    cursor = 0;

    while (m->nstreams < max
           && ngx_webrtc_bus_next(ngx_http_webrtc_worker->bus, &cursor, info)
              == NGX_OK)
    {
        if (info->parent) {
            /* a layer, which has the same name: its viewers are the stream's */
            continue;
        }

        ms = &m->streams[m->nstreams++];

        if (ngx_http_webrtc_metrics_label(pool, &ms->label, info->name,
                                          info->name_len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ms->active = (info->state == NGX_WEBRTC_STREAM_ACTIVE);
        ms->viewers = info->viewers;
        ms->stat = info->stat;
    }

    return NGX_OK;
}


/* in a value of a label, \, " and line feeds are escaped */

static ngx_int_t
ngx_http_webrtc_metrics_label(ngx_pool_t *pool, ngx_str_t *label, u_char *p,
    size_t n)
{
    u_char  *dst;
    size_t   i;

    ngx_http_webrtc_utf8(p, n);

    dst = ngx_pnalloc(pool, 2 * n + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    label->data = dst;

    for (i = 0; i < n; i++) {

        if (p[i] == '\n') {
            *dst++ = '\\';
            *dst++ = 'n';
            continue;
        }

        if (p[i] == '\\' || p[i] == '"') {
            *dst++ = '\\';
        }

        *dst++ = p[i];
    }

    label->len = dst - label->data;

    return NGX_OK;
}


static void
ngx_http_webrtc_metrics_sums(ngx_http_webrtc_metrics_t *m)
{
    uint64_t                         n;
    ngx_str_t                        value;
    ngx_uint_t                       role, i;
    const ngx_http_webrtc_metric_t  *metric;

    static const ngx_http_webrtc_metric_t  sessions = {
        "sessions", NGX_HTTP_WEBRTC_GAUGE,
        "Sessions that a worker has, connected or about to be.", 0, 1
    };

    static const ngx_http_webrtc_metric_t  draining = {
        "draining", NGX_HTTP_WEBRTC_GAUGE,
        "Whether new sessions are refused because an operator wants so.", 0, 1
    };

    static const ngx_http_webrtc_metric_t  never = {
        "never_connected", NGX_HTTP_WEBRTC_COUNTER,
        "Sessions that were answered and never sent a check.", 0, 1
    };

    static const ngx_http_webrtc_metric_t  dropped = {
        "dropped_datagrams", NGX_HTTP_WEBRTC_COUNTER,
        "Datagrams that were thrown away, by reason.", 0, 1
    };

    ngx_http_webrtc_metrics_family(m, &sessions);

    for (role = 1; role < NGX_WEBRTC_PEER_ROLES; role++) {
        for (i = 0, n = 0; i < m->nworkers; i++) {
            n += m->workers[i].roles[role];
        }

        ngx_http_webrtc_role(role, &value);
        ngx_http_webrtc_metrics_sample(m, &sessions, "role", &value, n);
    }

    for (metric = ngx_http_webrtc_metrics_roles; metric->name; metric++) {

        ngx_http_webrtc_metrics_family(m, metric);

        for (role = 1; role < NGX_WEBRTC_PEER_ROLES; role++) {
            ngx_http_webrtc_role(role, &value);
            ngx_http_webrtc_metrics_sample(m, metric, "role", &value,
                                           m->sums.roles[role][metric->at]);
        }
    }

    ngx_http_webrtc_metrics_family(m, &draining);
    ngx_http_webrtc_metrics_sample(m, &draining, NULL, NULL,
                        ngx_webrtc_bus_draining(ngx_http_webrtc_worker->bus));

    ngx_http_webrtc_metrics_family(m, &never);
    ngx_http_webrtc_metrics_sample(m, &never, NULL, NULL,
                   ngx_webrtc_bus_unheard_total(ngx_http_webrtc_worker->bus));

    ngx_http_webrtc_metrics_family(m, &dropped);

    for (i = 0; i < NGX_WEBRTC_DROPS; i++) {
        value.data = (u_char *) ngx_http_webrtc_status_drop(i);
        value.len = ngx_strlen(value.data);

        ngx_http_webrtc_metrics_sample(m, &dropped, "reason", &value,
                      ngx_webrtc_bus_dropped(ngx_http_webrtc_worker->bus, i));
    }

    for (metric = ngx_http_webrtc_metrics_histograms; metric->name; metric++) {
        ngx_http_webrtc_metrics_histogram(m, metric);
    }
}


/* recordings and the like: those that there are, and those that fail */

static void
ngx_http_webrtc_metrics_outputs(ngx_http_webrtc_metrics_t *m)
{
    uint64_t                    sum;
    ngx_str_t                   value;
    ngx_uint_t                  family, kind, state;
    ngx_webrtc_outlet_counts_t  n;

    static const ngx_http_webrtc_metric_t  families[] = {
        { "outputs", NGX_HTTP_WEBRTC_GAUGE,
          "What takes media of streams besides viewers, by kind.", 0, 1 },
        { "outputs_failed", NGX_HTTP_WEBRTC_GAUGE,
          "Those of them that have failed, and will be tried again.", 0, 1 }
    };

    ngx_memzero(n, sizeof(n));
    ngx_webrtc_bus_outlet_count(ngx_http_webrtc_worker->bus, n);

    for (family = 0; family < 2; family++) {
        ngx_http_webrtc_metrics_family(m, &families[family]);

        for (kind = 1; kind < NGX_WEBRTC_OUTLET_KINDS; kind++) {

            for (state = 0, sum = 0; state < NGX_WEBRTC_OUTLET_STATES; state++)
            {
                if (family == 0 || state == NGX_WEBRTC_OUTLET_FAILED) {
                    sum += n[kind][state];
                }
            }

            value.data = (u_char *) ngx_http_webrtc_outlets_kind(kind);
            value.len = ngx_strlen(value.data);

            ngx_http_webrtc_metrics_sample(m, &families[family], "kind",
                                           &value, sum);
        }
    }
}


/* buckets are cumulative, the last one has everything */

static void
ngx_http_webrtc_metrics_histogram(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric)
{
    u_char                        *p, *end;
    uint64_t                       n;
    ngx_uint_t                     i;
    const ngx_webrtc_histogram_t  *h;

    ngx_http_webrtc_metrics_family(m, metric);

    p = ngx_http_webrtc_text_room(&m->text, (NGX_WEBRTC_FIGURES_BOUNDS + 3)
                                            * NGX_HTTP_WEBRTC_METRICS_SAMPLE,
                                  &end);
    if (p == NULL) {
        return;
    }

    h = &m->sums.histograms[metric->at];

    for (i = 0, n = 0; i < NGX_WEBRTC_FIGURES_BOUNDS; i++) {
        n += h->n[i];

        p = ngx_slprintf(p, end, "nginx_webrtc_%s_bucket{le=\"", metric->name);
        p = ngx_http_webrtc_metrics_number(p, end,
                                   ngx_webrtc_figures_bounds[metric->at][i],
                                   metric->scale);
        p = ngx_slprintf(p, end, "\"} %uL\n", n);
    }

    n += h->n[i];

    p = ngx_slprintf(p, end, "nginx_webrtc_%s_bucket{le=\"+Inf\"} %uL\n"
                     "nginx_webrtc_%s_sum ", metric->name, n, metric->name);
    p = ngx_http_webrtc_metrics_number(p, end, h->sum, metric->scale);
    p = ngx_slprintf(p, end, "\nnginx_webrtc_%s_count %uL\n", metric->name, n);

    ngx_http_webrtc_text_add(&m->text, p);
}


static void
ngx_http_webrtc_metrics_zone(ngx_http_webrtc_metrics_t *m)
{
    const ngx_http_webrtc_metric_t  *metric;

    for (metric = ngx_http_webrtc_metrics_room; metric->name; metric++) {
        ngx_http_webrtc_metrics_family(m, metric);
        ngx_http_webrtc_metrics_sample(m, metric, NULL, NULL,
                       *(size_t *) ((u_char *) &m->zone + metric->at));
    }
}


static void
ngx_http_webrtc_metrics_workers(ngx_http_webrtc_metrics_t *m)
{
    u_char                           buf[NGX_INT_T_LEN];
    ngx_str_t                        value;
    ngx_uint_t                       i;
    const ngx_http_webrtc_metric_t  *metric;

    value.data = buf;

    for (metric = ngx_http_webrtc_metrics_worker; metric->name; metric++) {

        ngx_http_webrtc_metrics_family(m, metric);

        for (i = 0; i < m->nworkers; i++) {
            value.len = ngx_sprintf(buf, "%ui", m->numbers[i]) - buf;

            ngx_http_webrtc_metrics_sample(m, metric, "worker", &value,
                       *(uint64_t *) ((u_char *) &m->workers[i] + metric->at));
        }
    }
}


static void
ngx_http_webrtc_metrics_streams(ngx_http_webrtc_metrics_t *m)
{
    ngx_uint_t                         i;
    const ngx_http_webrtc_metric_t    *metric;
    ngx_http_webrtc_metrics_stream_t  *ms;

    if (m->nstreams == 0) {
        return;
    }

    for (metric = ngx_http_webrtc_metrics_of_stream; metric->name; metric++) {

        ngx_http_webrtc_metrics_family(m, metric);

        for (i = 0; i < m->nstreams; i++) {
            ms = &m->streams[i];

            ngx_http_webrtc_metrics_sample(m, metric, "stream", &ms->label,
                                 *(uint64_t *) ((u_char *) ms + metric->at));
        }
    }
}


static void
ngx_http_webrtc_metrics_family(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric)
{
    u_char      *p, *end;
    const char  *total;

    static const char  *types[] = { "gauge", "counter", "histogram" };

    p = ngx_http_webrtc_text_room(&m->text, NGX_HTTP_WEBRTC_METRICS_HELP,
                                  &end);
    if (p == NULL) {
        return;
    }

    total = (metric->type == NGX_HTTP_WEBRTC_COUNTER && !m->open) ? "_total"
                                                                  : "";

    p = ngx_slprintf(p, end, "# HELP nginx_webrtc_%s%s %s\n"
                     "# TYPE nginx_webrtc_%s%s %s\n", metric->name, total,
                     metric->help, metric->name, total, types[metric->type]);

    ngx_http_webrtc_text_add(&m->text, p);
}


/* label NULL: none */

static void
ngx_http_webrtc_metrics_sample(ngx_http_webrtc_metrics_t *m,
    const ngx_http_webrtc_metric_t *metric, const char *label,
    ngx_str_t *value, uint64_t n)
{
    u_char  *p, *end;

    p = ngx_http_webrtc_text_room(&m->text, NGX_HTTP_WEBRTC_METRICS_SAMPLE
                                            + (value ? value->len : 0), &end);
    if (p == NULL) {
        return;
    }

    p = ngx_slprintf(p, end, "nginx_webrtc_%s%s", metric->name,
                     metric->type == NGX_HTTP_WEBRTC_COUNTER ? "_total" : "");

    if (label) {
        p = ngx_slprintf(p, end, "{%s=\"%V\"}", label, value);
    }

    p = ngx_slprintf(p, end, " ");
    p = ngx_http_webrtc_metrics_number(p, end, n, metric->scale);

    ngx_http_webrtc_text_add(&m->text, ngx_slprintf(p, end, "\n"));
}


static u_char *
ngx_http_webrtc_metrics_number(u_char *p, u_char *end, uint64_t n,
    uint64_t scale)
{
    switch (scale) {

    case 1:
        return ngx_slprintf(p, end, "%uL", n);

    case 1000:
        return ngx_slprintf(p, end, "%uL.%03uL", n / scale, n % scale);

    case 256:
        /* exact */
        return ngx_slprintf(p, end, "%uL.%08uL", n / scale,
                            n % scale * 390625);

    default:
        return ngx_slprintf(p, end, "%uL.%06uL", n / scale, n % scale);
    }
}


char *
ngx_http_webrtc_metrics_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;
    n = NGX_HTTP_WEBRTC_METRICS_STREAMS;

    if (cf->args->nelts == 2) {

        n = (value[1].len > 8
             && ngx_strncmp(value[1].data, "streams=", 8) == 0)
            ? ngx_atoi(value[1].data + 8, value[1].len - 8) : NGX_ERROR;

        if (n == NGX_ERROR || n > NGX_HTTP_WEBRTC_METRICS_STREAMS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_metrics, "
                               "expected \"streams=\" with a number from 0 to "
                               "%d, such as \"streams=100\"", &value[1],
                               NGX_HTTP_WEBRTC_METRICS_STREAMS_MAX);
            return NGX_CONF_ERROR;
        }
    }

    wlcf->metrics_streams = n;

    return ngx_http_webrtc_conf_content(cf, wlcf,
                                        ngx_http_webrtc_metrics_handler);
}
