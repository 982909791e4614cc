
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A publisher of three layers and sound, in virtual time: its packets, and what
 * it is asked for.  For one test that includes it.
 */


#ifndef _INGEST_H_INCLUDED_
#define _INGEST_H_INCLUDED_


#include "bus_zone.h"
#include "ngx_webrtc_bus_figures.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_ingest_life.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_rtcp_fb.h"


#define FRAME_US  33333

#define RID       10
#define RRID      11
#define TWCC      12

/* bytes of a packet at most */
#define PACKET    1400

#define H         0
#define M         1
#define L         2
#define LAYERS    3
#define SOUND     3


typedef struct {
    const char  *rid;
    uint32_t     ssrc;
    uint16_t     width;
    uint16_t     height;
    uint16_t     seq;
    uint32_t     base;                   /* of its timestamps */
    size_t       more;                   /* bytes of its frames */
} sender_t;


static ngx_webrtc_ingest_t     in;
static ngx_webrtc_desc_t       desc;
static ngx_webrtc_policy_t     policy;
static ngx_webrtc_peer_stat_t  stat_of;
static ngx_webrtc_bus_t       *bus;
static ngx_rbtree_node_t       sentinel;

BUS_WEAK ngx_rbtree_t          ngx_event_timer_rbtree;

static uint64_t                now_us = 1000000000;
static ngx_uint_t              told;           /* RID is sent */
static ngx_uint_t              complaints;
static uint32_t                asked[16];      /* SSRCs of PLIs */
static ngx_uint_t              nasked;
static ngx_uint_t              nrequests;      /* NACKs */
static uint64_t                remb;           /* bits per second, the last */
static ngx_uint_t              nrembs;
static uint64_t                late_us;        /* of packets, in a queue */
static const char             *closed;
static size_t                  free_before;
static ngx_uint_t              deaf;           /* sends no key frames */

static sender_t  senders[] = {
    { "h", 11, 1280, 720, 100, 5000, 0 },
    { "m", 12, 640, 360, 65530, 4294960000U, 0 },
    { "l", 13, 320, 180, 9, 77777, 0 },
    { NULL, 14, 0, 0, 1, 1, 0 }
};


uint64_t
ngx_webrtc_time_now(void)
{
    return now_us;
}


uint64_t
ngx_webrtc_time_wall(uint64_t us)
{
    return us;
}


void
ngx_webrtc_time_init(void)
{
}


static void
on_send(void *data, u_char *p, size_t n)
{
    u_char              *end;
    ngx_webrtc_rtcp_t    rtcp;

    (void) data;

    for (end = p + n; p; /* void */ ) {
        p = ngx_webrtc_rtcp_next(p, end, &rtcp);

        if (p && rtcp.type == 206 && rtcp.count == 1 && rtcp.len >= 8
            && nasked < sizeof(asked) / sizeof(asked[0]))
        {
            asked[nasked++] = (uint32_t) rtcp.body[4] << 24
                              | (uint32_t) rtcp.body[5] << 16
                              | (uint32_t) rtcp.body[6] << 8 | rtcp.body[7];
        }

        nrequests += (p && rtcp.type == 205 && rtcp.count == 1);

        if (p && rtcp.type == 206 && rtcp.count == 15 && rtcp.len >= 16) {
            remb = ((uint64_t) (rtcp.body[13] & 3) << 16
                    | (uint64_t) rtcp.body[14] << 8 | rtcp.body[15])
                   << (rtcp.body[13] >> 2);
            nrembs++;
        }
    }
}


static void
on_news(void *data, ngx_webrtc_stream_t *st)
{
    (void) data; (void) st;
}


static void
on_complain(void *data, const char *what)
{
    (void) data; (void) what;

    complaints++;
}


static void
on_close(void *data, const char *reason)
{
    (void) data;

    closed = reason;
}


static const ngx_webrtc_ingest_ops_t  ops = {
    on_send, on_news, on_complain, on_close
};


static void
describe(void)
{
    ngx_str_t                 rid;
    ngx_uint_t                i;
    ngx_webrtc_desc_media_t  *m;

    m = &desc.media[0];
    m->kind = NGX_WEBRTC_AUDIO;
    m->codec = NGX_WEBRTC_CODEC_OPUS;
    m->clock_rate = 48000;
    m->pt = 111;
    m->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    m->red_pt = NGX_WEBRTC_DESC_NO_PT;
    m->receiving = 1;
    m->mid_len = 1;
    m->mid[0] = '0';

    m = &desc.media[1];
    *m = desc.media[0];
    m->kind = NGX_WEBRTC_VIDEO;
    m->codec = NGX_WEBRTC_CODEC_VP8;
    m->clock_rate = 90000;
    m->pt = 96;
    m->rtx_pt = 97;
    m->mid[0] = '1';
    m->fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_RSIZE
            |NGX_WEBRTC_FB_REMB|NGX_WEBRTC_FB_TWCC;
    m->ext_twcc = TWCC;
    m->ext_rid = RID;
    m->ext_rrid = RRID;

    for (i = 0; i < LAYERS; i++) {
        rid.data = (u_char *) senders[i].rid;
        rid.len = 1;
        (void) ngx_webrtc_desc_add_rid(m, &rid);
    }

    desc.nmedia = 2;
}


/* a packet as it comes out of SRTP; ext: 0 none */

static void
packet(ngx_uint_t pt, uint16_t seq, uint32_t ts, uint32_t ssrc, ngx_uint_t ext,
    const char *rid, const u_char *payload, size_t n)
{
    u_char             buf[PACKET], *p;
    ngx_webrtc_rtp_t   rtp;

    p = buf;

    *p++ = ext ? 0x90 : 0x80;
    *p++ = (u_char) (0x80 | pt);
    *p++ = (u_char) (seq >> 8);
    *p++ = (u_char) seq;
    *p++ = (u_char) (ts >> 24);
    *p++ = (u_char) (ts >> 16);
    *p++ = (u_char) (ts >> 8);
    *p++ = (u_char) ts;
    *p++ = (u_char) (ssrc >> 24);
    *p++ = (u_char) (ssrc >> 16);
    *p++ = (u_char) (ssrc >> 8);
    *p++ = (u_char) ssrc;

    if (ext) {
        *p++ = 0xbe;
        *p++ = 0xde;
        *p++ = 0;
        *p++ = 1;
        *p++ = (u_char) (ext << 4);
        *p++ = (u_char) rid[0];
        *p++ = 0;
        *p++ = 0;
    }

    p = ngx_cpymem(p, payload, n);

    if (ngx_webrtc_rtp_parse(buf, p, &rtp) != NGX_OK) {
        tap_fail("a packet is parsed");
        return;
    }

    ngx_webrtc_ingest_rtp(&in, &rtp, p - buf, now_us);
}


/* a frame of VP8 in a packet, with a PictureID and TL0PICIDX; its bytes */

static size_t
frame(sender_t *s, ngx_uint_t key, u_char *p)
{
    u_char  *start;

    start = p;

    *p++ = 0x90;
    *p++ = 0xe0;
    *p++ = 0x92;
    *p++ = (u_char) s->seq;
    *p++ = (u_char) s->seq;
    *p++ = 0;

    if (!key) {
        *p++ = 0x31;
        return p - start + 20;
    }

    *p++ = 0x10;
    *p++ = 2;
    *p++ = 0;
    *p++ = 0x9d;
    *p++ = 0x01;
    *p++ = 0x2a;
    *p++ = (u_char) s->width;
    *p++ = (u_char) (s->width >> 8);
    *p++ = (u_char) s->height;
    *p++ = (u_char) (s->height >> 8);

    return p - start + 20;
}


static void
send_frame(ngx_uint_t layer, ngx_uint_t key)
{
    size_t     n;
    u_char     buf[PACKET - 64];
    sender_t  *s;

    ngx_memzero(buf, sizeof(buf));

    s = &senders[layer];
    n = frame(s, key, buf) + s->more;

    packet(96, s->seq++, s->base + (uint32_t) ((now_us - late_us) * 9 / 100),
           s->ssrc, told ? RID : 0, s->rid, buf, n);
}


/* a turn of the loop, a picture later */

static void
turn(void)
{
    sender_t  *s;

    s = &senders[SOUND];

    packet(111, s->seq++,
           s->base + (uint32_t) ((now_us - late_us) * 48 / 1000), s->ssrc, 0,
           NULL, (u_char *) "\xfc\x01\x02", 3);

    ngx_webrtc_ingest_ring_flush(&in);

    now_us += FRAME_US;
    ngx_current_msec = now_us / 1000;

    ngx_webrtc_bus_rates(bus, ngx_current_msec);
    ngx_webrtc_ingest_due(&in, now_us);
}


/* so many pictures of these layers; those that were asked for are key frames */

static void
pictures(ngx_uint_t n, ngx_uint_t layers)
{
    ngx_uint_t  i, k, key, seen;

    for (seen = nasked; n > 0; n--) {

        /* those of one picture come one after the other, the smallest first */

        for (i = LAYERS; i-- > 0; /* void */ ) {
            if (!(layers & (1 << i))) {
                continue;
            }

            for (key = 0, k = seen; k < nasked; k++) {
                key |= (!deaf && asked[k] == senders[i].ssrc);
            }

            send_frame(i, key);
        }

        seen = nasked;
        turn();
    }
}


static ngx_webrtc_stream_layer_t *
listed(ngx_uint_t layer)
{
    static ngx_webrtc_stream_layers_t  list;

    (void) ngx_webrtc_bus_layers(in.st, &list);

    return &list.layers[layer];
}


/* the layers that come, and which one is the stream's: "hml:h" */

static const char *
state(void)
{
    ngx_uint_t                  i;
    ngx_webrtc_stream_layer_t  *e;

    static char  buf[16];

    char  *p = buf, top = '-';

    for (i = 0; i < LAYERS; i++) {
        e = listed(i);

        if (e->top || e->ref) {
            *p++ = (char) e->rid[0];
        }

        if (e->top) {
            top = (char) e->rid[0];
        }
    }

    sprintf(p, ":%c", top);

    return buf;
}


/* it is back, with a key frame */

static void
back(ngx_uint_t layer)
{
    ngx_uint_t  i;

    nasked = 0;

    for (i = LAYERS; i-- > 0; /* void */ ) {
        send_frame(i, i == layer);
    }

    turn();
}


/* packets of it are lost, and so are those sent again */

static void
lose(ngx_uint_t layer)
{
    senders[layer].seq++;
}


static ngx_uint_t
asked_of(ngx_uint_t layer)
{
    ngx_uint_t  n, k;

    for (n = 0, k = 0; k < nasked; k++) {
        n += (asked[k] == senders[layer].ssrc);
    }

    return n;
}


/* limit: of each layer, bits per second; 0: none */

static void
begin(ngx_uint_t limit)
{
    ngx_str_t   name = ngx_string("x");
    ngx_uint_t  i;

    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_timer_value);

    bus = bus_zone(32 * 1024 * 1024);
    ngx_current_msec = now_us / 1000;

    tap_is_int(ngx_webrtc_bus_attach(bus, &bus_log), NGX_OK, "a zone");

    free_before = ngx_webrtc_bus_free(bus);

    describe();

    policy.keyframe_interval = 500;

    for (i = 0; i < LAYERS; i++) {
        policy.layer_bitrate[i] = limit;
    }

    in.ops = &ops;
    in.what = "publisher";
    in.bus = bus;
    in.st = ngx_webrtc_bus_stream(bus, &name, 65536, 1);
    in.desc = &desc;
    in.policy = &policy;
    in.stat = &stat_of;
    in.log = &bus_log;
    in.timer.log = &bus_log;
    in.cname = (u_char *) "cname";
    in.cname_len = 5;

    ngx_webrtc_bus_set_ring_max(in.st, 4 * 1024 * 1024);

    tap_is_int(ngx_webrtc_bus_claim(bus, in.st, NGX_WEBRTC_CLAIM_PUBLISH),
               NGX_OK, "claimed");
    tap_is_int(ngx_webrtc_ingest_begin(&in, now_us), NGX_OK, "begun");
}


static void
end(void)
{
    ngx_webrtc_ingest_end(&in);
    tap_is_str(state(), ":-", "the end: no layers");

    ngx_webrtc_bus_unclaim(bus, in.st);
    ngx_webrtc_bus_release(bus, in.st);

    tap_is_int(ngx_webrtc_bus_free(bus), free_before, "all memory is back");
}


#endif /* _INGEST_H_INCLUDED_ */
