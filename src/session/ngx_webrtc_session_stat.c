
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is told of a session: its owner writes it into the zone once a second
 * (ngx_webrtc_bus_about.h).  And of a worker: what it has collected of all
 * sessions since the last second, and how busy it is
 * (ngx_webrtc_bus_figures.h).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/resource.h>
#include "ngx_webrtc_session_stat.h"


/* ticks of a worker between two times that it tells: 1 s */
#define NGX_WEBRTC_SESSION_STAT_TICKS  4


static void ngx_webrtc_session_stat_tell(ngx_webrtc_worker_t *wk);


void
ngx_webrtc_session_stat_answered(ngx_webrtc_worker_t *wk, ngx_uint_t role)
{
    wk->figures.roles[role][NGX_WEBRTC_FIGURE_SESSIONS]++;
}


void
ngx_webrtc_session_stat_begin(ngx_webrtc_session_t *s)
{
    s->wk->told.roles[s->role->id]++;
}


void
ngx_webrtc_session_stat_cipher(ngx_webrtc_session_t *s)
{
    size_t                    n;
    const char               *cipher;
    ngx_webrtc_peer_about_t  *about;

    about = s->peer->about;
    cipher = ngx_webrtc_dtls_cipher(&s->dtls);

    n = ngx_min(ngx_strlen(cipher), NGX_WEBRTC_ABOUT_CIPHER);
    ngx_memcpy(about->cipher, cipher, n);
    about->cipher_len = (uint8_t) n;
}


void
ngx_webrtc_session_stat_up(ngx_webrtc_session_t *s)
{
    uint64_t                  ms;
    ngx_webrtc_peer_about_t  *about;

    about = s->peer->about;
    ms = (uint64_t) ngx_current_msec - s->peer->created_ms;

    about->up_ms = (uint32_t) ngx_max(ms, 1);
    about->profile = (s->role->media == NGX_WEBRTC_ROLE_NO_MEDIA)
                     ? 0 : (uint16_t) s->out.profile;

    s->wk->figures.roles[s->role->id][NGX_WEBRTC_FIGURE_CONNECTED]++;

    ngx_webrtc_figures_observe(&s->wk->figures, NGX_WEBRTC_HISTOGRAM_SETUP, ms);
}


void
ngx_webrtc_session_stat_second(ngx_webrtc_session_t *s)
{
    ngx_webrtc_figures_t     *f;
    ngx_webrtc_peer_stat_t   *stat;
    ngx_webrtc_peer_about_t  *about;

    f = &s->wk->figures;
    stat = &s->peer->stat;
    about = s->peer->about;

    ngx_webrtc_rate_add(&s->rate_in, stat->bytes_in, ngx_current_msec);
    ngx_webrtc_rate_add(&s->rate_out, stat->bytes_out, ngx_current_msec);

    about->bitrate_in = (uint32_t) ngx_webrtc_rate_second(&s->rate_in, 8);
    about->bitrate_out = (uint32_t) ngx_webrtc_rate_second(&s->rate_out, 8);

    if (stat->rtt_us) {
        ngx_webrtc_figures_observe(f, NGX_WEBRTC_HISTOGRAM_RTT, stat->rtt_us);
    }

    if (s->role->media != NGX_WEBRTC_ROLE_NO_MEDIA) {
        ngx_webrtc_figures_observe(f, NGX_WEBRTC_HISTOGRAM_LOSS, stat->lost);
    }

    if (stat->first_frame_ms && s->counted.first_frame_ms == 0) {
        ngx_webrtc_figures_observe(f, NGX_WEBRTC_HISTOGRAM_FIRST,
                                   stat->first_frame_ms);
    }

    ngx_webrtc_figures_count(f, s->role->id, stat, &s->counted);
}


void
ngx_webrtc_session_stat_end(ngx_webrtc_session_t *s)
{
    ngx_webrtc_figures_t  *f;

    f = &s->wk->figures;

    if (s->peer->stat.first_frame_ms && s->counted.first_frame_ms == 0) {
        ngx_webrtc_figures_observe(f, NGX_WEBRTC_HISTOGRAM_FIRST,
                                   s->peer->stat.first_frame_ms);
    }

    ngx_webrtc_figures_count(f, s->role->id, &s->peer->stat, &s->counted);

    f->roles[s->role->id][NGX_WEBRTC_FIGURE_ENDED]++;

    s->wk->told.roles[s->role->id]--;
}


uint32_t
ngx_webrtc_session_stat_jitter(ngx_webrtc_session_t *s, uint32_t worst,
    uint32_t jitter, uint32_t clock_rate)
{
    uint64_t  us;

    us = clock_rate ? (uint64_t) jitter * 1000000 / clock_rate : 0;

    worst = (uint32_t) ngx_max(worst, ngx_min(us, NGX_MAX_UINT32_VALUE));

    s->peer->about->jitter_us = worst;

    return worst;
}


void
ngx_webrtc_session_stat_pair(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    ngx_webrtc_peer_about_t  *about;

    about = s->peer->about;
    n = ngx_min(n, NGX_WEBRTC_ABOUT_PAIR);

    /* who copies it meanwhile sees a part of each, but never beyond it */

    about->pair_len = 0;
    ngx_memcpy(about->pair, p, n);
    about->pair_len = (uint8_t) n;
}


void
ngx_webrtc_session_stat_tick(ngx_webrtc_worker_t *wk)
{
    ngx_msec_t  late;

    late = wk->due ? ngx_current_msec - wk->due : 0;

    wk->late = ngx_max(wk->late, late);
    wk->due = ngx_current_msec + NGX_WEBRTC_WORKER_TICK;

    ngx_webrtc_bus_rates(wk->bus, ngx_current_msec);

    if (wk->ticks % NGX_WEBRTC_SESSION_STAT_TICKS == 0) {
        ngx_webrtc_session_stat_tell(wk);
        ngx_webrtc_session_stat_flush(wk);
    }
}


void
ngx_webrtc_session_stat_flush(ngx_webrtc_worker_t *wk)
{
    ngx_webrtc_bus_figures_add(wk->bus, &wk->figures);
}


static void
ngx_webrtc_session_stat_tell(ngx_webrtc_worker_t *wk)
{
    struct rusage                 ru;
    ngx_webrtc_udp_stat_t        *udp;
    ngx_webrtc_tcp_stat_t        *tcp;
    ngx_webrtc_inbox_stat_t      *inbox;
    ngx_webrtc_worker_figures_t  *told;

    told = &wk->told;
    udp = ngx_webrtc_udp_stat(wk->udp);
    tcp = ngx_webrtc_tcp_stat(wk->tcp);
    inbox = ngx_webrtc_inbox_stat(wk->inbox);

    told->sessions = wk->nsessions;
    told->late_ms = wk->late;
    wk->late = 0;

    if (getrusage(RUSAGE_SELF, &ru) == 0) {
        told->cpu_us = ((uint64_t) ru.ru_utime.tv_sec + ru.ru_stime.tv_sec)
                       * 1000000
                       + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;

        ngx_webrtc_rate_add(&wk->cpu, told->cpu_us, ngx_current_msec);

        /* us per second, of 1000000 */

        told->cpu_percent = ngx_webrtc_rate_second(&wk->cpu, 1) / 10000;
    }

    told->inbox_dropped = inbox->dropped;
    told->inbox_in = inbox->datagrams_in;
    told->inbox_out = inbox->datagrams_out;

    told->rx_packets = udp->rx_packets + tcp->rx_packets;
    told->tx_packets = udp->tx_packets + tcp->tx_packets;
    told->tx_bytes = udp->tx_bytes + tcp->tx_bytes;
    told->tx_failed = udp->tx_failed;
    told->tx_blocked = udp->tx_blocked;

    told->tcp_sessions = tcp->sessions;
    told->tcp_pending = tcp->pending;
    told->tcp_accepted = tcp->accepted;
    told->tcp_refused = tcp->refused + tcp->strangers;
    told->tcp_blocked = tcp->tx_blocked;
    told->tcp_dropped = tcp->tx_dropped;

    ngx_webrtc_bus_worker_tell(wk->bus, told);
}
