
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is added up over all sessions, and lists of them.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_about.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_public.h"


#define ZONE  (8 * 1024 * 1024)


typedef struct {
    ngx_webrtc_histogram_e   histogram;
    uint64_t                 value;
    ngx_uint_t               bucket;
} bucket_case_t;


static bucket_case_t  buckets[] = {
    { NGX_WEBRTC_HISTOGRAM_SETUP, 0, 0 },
    { NGX_WEBRTC_HISTOGRAM_SETUP, 25, 0 },
    { NGX_WEBRTC_HISTOGRAM_SETUP, 26, 1 },
    { NGX_WEBRTC_HISTOGRAM_SETUP, 30000, 9 },
    { NGX_WEBRTC_HISTOGRAM_SETUP, 30001, 10 },
    { NGX_WEBRTC_HISTOGRAM_RTT, 2500, 0 },
    { NGX_WEBRTC_HISTOGRAM_RTT, 60000000, 10 },
    { NGX_WEBRTC_HISTOGRAM_LOSS, 0, 0 },
    { NGX_WEBRTC_HISTOGRAM_LOSS, 1, 1 },
    { NGX_WEBRTC_HISTOGRAM_LOSS, 255, 10 },
};


static void
test_buckets(void)
{
    ngx_uint_t            i;
    ngx_webrtc_figures_t  f;

    for (i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
        ngx_memzero(&f, sizeof(f));

        ngx_webrtc_figures_observe(&f, buckets[i].histogram, buckets[i].value);

        tap_ok(f.histograms[buckets[i].histogram].n[buckets[i].bucket] == 1
               && f.histograms[buckets[i].histogram].sum == buckets[i].value,
               "%lu is in bucket %lu", (unsigned long) buckets[i].value,
               (unsigned long) buckets[i].bucket);
    }
}


static void
test_sums(void)
{
    ngx_webrtc_bus_t        *bus;
    ngx_webrtc_figures_t     f, sums;
    ngx_webrtc_peer_stat_t   now, before;

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    ngx_memzero(&f, sizeof(f));
    ngx_memzero(&now, sizeof(now));
    ngx_memzero(&before, sizeof(before));

    now.packets_out = 10;
    now.nacks = 3;
    ngx_webrtc_figures_count(&f, NGX_WEBRTC_PEER_PLAY, &now, &before);

    now.packets_out = 15;
    ngx_webrtc_figures_count(&f, NGX_WEBRTC_PEER_PLAY, &now, &before);

    tap_is_int(f.roles[NGX_WEBRTC_PEER_PLAY][NGX_WEBRTC_FIGURE_PACKETS_OUT],
               15, "each packet is counted once");
    tap_is_int(f.roles[NGX_WEBRTC_PEER_PLAY][NGX_WEBRTC_FIGURE_NACKS], 3,
               "and nothing twice");

    ngx_webrtc_bus_figures_add(bus, &f);
    ngx_webrtc_bus_figures_add(bus, &f);
    ngx_webrtc_bus_figures(bus, &sums);

    tap_is_int(sums.roles[NGX_WEBRTC_PEER_PLAY][NGX_WEBRTC_FIGURE_PACKETS_OUT],
               15, "what was added is not added again");
    tap_is_int(sums.roles[NGX_WEBRTC_PEER_PUBLISH]
                         [NGX_WEBRTC_FIGURE_PACKETS_OUT],
               0, "other roles have their own");

    tap_is_int(ngx_webrtc_bus_draining(bus), 0, "sessions are taken");
    ngx_webrtc_bus_drain(bus, 7);
    tap_is_int(ngx_webrtc_bus_draining(bus), 1, "or refused");

    ngx_webrtc_bus_detach(bus);
}


static void
peer_make(ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about, int n)
{
    ngx_memzero(peer, sizeof(ngx_webrtc_peer_t));
    ngx_memzero(about, sizeof(ngx_webrtc_peer_about_t));

    ngx_sprintf(peer->id, "%032xd", n);
    peer->role = NGX_WEBRTC_PEER_PUBLISH;
    peer->expires_ms = 1000;
    peer->name_len = (uint8_t) (ngx_sprintf(peer->name, "s%d", n % 3)
                                - peer->name);
    peer->desc.local_ufrag_len = (uint8_t)
        (ngx_sprintf(peer->desc.local_ufrag, "u%d", n)
         - peer->desc.local_ufrag);

    ngx_webrtc_bus_public(peer->id, about->public);

    about->agent_len = (uint8_t) (ngx_sprintf(about->agent, "agent %d", n)
                                  - about->agent);
    peer->about = about;
}


static void
test_lists(void)
{
    int                       n;
    uint64_t                  ref;
    ngx_int_t                 rc;
    ngx_str_t                 name, public;
    ngx_uint_t                cursor, look, found, pages;
    ngx_webrtc_bus_t         *bus;
    ngx_webrtc_peer_t         peer;
    ngx_webrtc_peer_info_t    info;
    ngx_webrtc_peer_about_t   about;
    u_char                    id[NGX_WEBRTC_PUBLIC_LEN];

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    for (n = 0; n < 30; n++) {
        peer_make(&peer, &about, n);
        (void) ngx_webrtc_peers_create(bus, &peer);
    }

    ngx_str_set(&name, "s1");
    cursor = 0;
    look = 1000;
    found = 0;

    while (ngx_webrtc_peers_list(bus, &cursor, &name, &look, &peer, &about,
                                 &info)
           == NGX_OK)
    {
        found += (peer.name_len == 2 && peer.name[1] == '1');
    }

    tap_is_int(found, 10, "sessions of one stream");
    tap_is_int(look, 970, "all were looked at");

    /* so many at a time, until there are no more */

    cursor = 0;
    found = 0;
    pages = 0;

    do {
        look = 7;
        pages++;

        do {
            rc = ngx_webrtc_peers_list(bus, &cursor, &name, &look, &peer,
                                       &about, &info);
            found += (rc == NGX_OK);
        } while (rc == NGX_OK);

    } while (rc == NGX_AGAIN && pages < 100);

    tap_is_int(found, 10, "the same in pages");
    tap_is_int(pages, 5, "of so many each");

    peer_make(&peer, &about, 17);
    ngx_memcpy(id, about.public, NGX_WEBRTC_PUBLIC_LEN);
    public.data = id;
    public.len = NGX_WEBRTC_PUBLIC_LEN;

    tap_is_int(ngx_webrtc_peers_find_public(bus, &public, &ref), NGX_OK,
               "by its public id");
    tap_is_int(ngx_webrtc_peers_about(bus, ref, &peer, &about, &info), NGX_OK,
               "what is told of it");
    tap_is_mem(about.agent, about.agent_len, "agent 17", 8, "its user agent");
    tap_is_int(peer.id[31], '1', "of the very session");

    (void) ngx_webrtc_peers_close(bus, ref);
    tap_is_int(ngx_webrtc_peers_find_public(bus, &public, &ref), NGX_DECLINED,
               "not when it is gone");
    tap_is_int(ngx_webrtc_peers_about(bus, ref, &peer, &about, &info),
               NGX_DECLINED, "nor by its reference");

    public.len = 5;
    tap_is_int(ngx_webrtc_peers_find_public(bus, &public, &ref), NGX_DECLINED,
               "no id");

    (void) ngx_webrtc_peers_expire(bus, 5000);
    ngx_webrtc_bus_detach(bus);
}


static void
test_rates(void)
{
    ngx_str_t                  name = ngx_string("live");
    ngx_uint_t                 i, cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_info_t   info;

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    st = ngx_webrtc_bus_stream(bus, &name, 256 * 1024, 1);
    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);
    ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 1);

    /* 1 Mbit/s, 25 frames, a key frame every two seconds */

    for (i = 0; i < 60; i++) {
        st->stat.bytes = 31250 * i;
        st->stat.frames = 25 * i / 4;
        st->stat.keyframes = i / 8;
        ngx_webrtc_bus_rates(bus, 5000 + 250 * i);
    }

    cursor = 0;
    (void) ngx_webrtc_bus_next(bus, &cursor, &info);

    tap_is_int(info.bitrate, 1000000, "a bitrate");
    tap_is_int(info.fps_1000, 25000, "a frame rate");
    tap_is_int(info.key_interval_ms, 2000, "time between key frames");

    /* and long after the beginning it is that of five seconds */

    for (i = 60; i < 80; i++) {
        st->stat.bytes += (i < 70) ? 31250 : 62500;
        ngx_webrtc_bus_rates(bus, 5000 + 250 * i);
    }

    tap_is_int(ngx_webrtc_bus_bitrate(st), 1500000, "a bitrate that has grown");

    ngx_webrtc_bus_unclaim(bus, st);

    cursor = 0;
    (void) ngx_webrtc_bus_next(bus, &cursor, &info);
    tap_is_int(info.bitrate, 0, "none when nobody feeds it");

    /* 0.5 Mbit/s more each second from the beginning on: what it is at 3 s */

    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_SOURCE);

    for (i = 0; i <= 12; i++) {
        st->stat.bytes += 3906 * i;
        ngx_webrtc_bus_rates(bus, 50000 + 250 * i);
    }

    tap_ok(ngx_webrtc_bus_bitrate(st) >= 1100000
           && ngx_webrtc_bus_bitrate(st) <= 1500000,
           "a bitrate that grows: %u kbit/s",
           (unsigned) (ngx_webrtc_bus_bitrate(st) / 1000));

    ngx_webrtc_bus_unclaim(bus, st);

    ngx_webrtc_bus_release(bus, st);
    ngx_webrtc_bus_detach(bus);
}


int
main(void)
{
    bus_process();

    test_buckets();
    test_sums();
    test_lists();
    test_rates();

    return tap_done();
}
