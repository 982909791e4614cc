
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Spatial layers of VP9 with limits, in virtual time: which are written, what
 * ends a picture, what the stream's list and track say of it.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_layers.h"
#include "ngx_webrtc_ingest_life.h"
#include "ngx_webrtc_ingest_ring.h"
#include "ngx_webrtc_ingest_rtp.h"
#include "ngx_webrtc_ingest_timer.h"


#define FRAME_US  33333

/* bit/s; MORE bytes a frame take 36000 */
#define LIMIT     20000
#define MORE      150


static ngx_webrtc_ingest_t     in;
static ngx_webrtc_desc_t       desc;
static ngx_webrtc_policy_t     policy;
static ngx_webrtc_peer_stat_t  stat_of;
static ngx_rbtree_node_t       sentinel;

BUS_WEAK ngx_rbtree_t          ngx_event_timer_rbtree;

static uint64_t                now_us = 1000000000;
static uint16_t                seq = 65000;
static ngx_uint_t              picture;
static ngx_uint_t              asked;          /* for a key frame */
static size_t                  more[2];        /* bytes of a layer's frames */
static const char             *closed;


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
    (void) data;

    asked |= (n >= 12 && p[0] == 0x81 && p[1] == 206);
}


static void
on_news(void *data, ngx_webrtc_stream_t *st)
{
    (void) data; (void) st;
}


static void
on_complain(void *data, const char *what)
{
    (void) data;

    tap_fail("complains: %s", what);
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
packet(const u_char *head, size_t n, size_t extra, ngx_uint_t marker)
{
    u_char             buf[512], *p;
    uint32_t           ts;
    ngx_webrtc_rtp_t   rtp;

    ngx_memzero(buf, sizeof(buf));

    ts = (uint32_t) (now_us * 9 / 100);

    p = buf;
    *p++ = 0x80;
    *p++ = (u_char) (98 | marker << 7);
    *p++ = (u_char) (seq >> 8);
    *p++ = (u_char) seq++;
    *p++ = (u_char) (ts >> 24);
    *p++ = (u_char) (ts >> 16);
    *p++ = (u_char) (ts >> 8);
    *p++ = (u_char) ts;
    p += 3;
    *p++ = 7;

    p = ngx_cpymem(p, head, n) + extra;

    if (ngx_webrtc_rtp_parse(buf, p, &rtp) != NGX_OK) {
        tap_fail("a packet is parsed");
        return;
    }

    ngx_webrtc_ingest_rtp(&in, &rtp, p - buf, now_us);
}


/* pictures of two layers, 320x180 and 640x360: key pictures if one is asked
 * for */

static void
pictures(ngx_uint_t n)
{
    ngx_uint_t  key;

    static const u_char  low_key[] = "\xae\x80\x01\x00\x00\x30\x01\x40\x00\xb4"
                                     "\x02\x80\x01\x68\x82\x49\x83\x42\x00\x13"
                                     "\xf0\x0b\x36";
    static const u_char  high_key[] = "\xac\x80\x01\x03\x00\x86\x00";
    static const u_char  low[] = "\xec\x80\x01\x00\x01\x86\x00";
    static const u_char  high[] = "\xec\x80\x01\x03\x01\x86\x00";

    for (/* void */; n > 0; n--) {
        key = asked || picture == 0;
        asked = 0;
        picture++;

        if (key) {
            packet(low_key, sizeof(low_key) - 1, more[0], 0);
            packet(high_key, sizeof(high_key) - 1, more[1], 1);

        } else {
            packet(low, sizeof(low) - 1, more[0], 0);
            packet(high, sizeof(high) - 1, more[1], 1);
        }

        ngx_webrtc_ingest_ring_flush(&in);

        now_us += FRAME_US;
        ngx_current_msec = now_us / 1000;

        ngx_webrtc_ingest_due(&in, now_us);
    }
}


/* of the last packets in the ring: spatial layers, "!" behind a marker */

static const char *
written(ngx_uint_t n)
{
    char                      *p;
    u_char                    *payload;
    uint64_t                   i, head;
    ngx_webrtc_ring_packet_t   pkt;

    static char  out[64];

    p = out;
    head = ngx_webrtc_ring_head(in.st->ring);

    for (i = head - n; i < head; i++) {

        if (ngx_webrtc_ring_peek(in.st->ring, i, &pkt, &payload) != NGX_OK) {
            *p++ = '?';
            continue;
        }

        *p++ = (char) ('0' + ngx_webrtc_layer_sid(pkt.layer));

        if (pkt.flags & NGX_WEBRTC_PKT_MARKER) {
            *p++ = '!';
        }
    }

    *p = '\0';

    return out;
}


/* each layer of the list: its number, "*" the best one, "-" left out */

static const char *
state(void)
{
    char                        *p;
    ngx_uint_t                   i;
    ngx_webrtc_stream_layers_t   list;

    static char  out[64];

    p = out;
    (void) ngx_webrtc_bus_layers(in.st, &list);

    for (i = 0; i < list.n; i++) {
        p += sprintf(p, "%s%d:%dx%d%s", i ? " " : "",
                     (int) list.layers[i].sid, (int) list.layers[i].width,
                     (int) list.layers[i].height,
                     list.layers[i].over ? "-" : list.layers[i].top ? "*" : "");
    }

    *p = '\0';

    return out;
}


static ngx_uint_t
width(void)
{
    ngx_uint_t          n;
    ngx_webrtc_track_t  tracks[NGX_WEBRTC_TRACKS];

    (void) ngx_webrtc_bus_tracks(in.st, tracks, &n);

    return tracks[0].width;
}


static void
test_upper(void)
{
    ngx_uint_t  i;

    pictures(200);
    tap_is_str(state(), "1:640x360* 0:320x180", "two layers");
    tap_is_str(written(4), "01!01!", "are written");
    tap_is_int(width(), 640, "the track has the size of the upper one");

    more[1] = MORE;

    for (i = 0; i < 300 && in.limits[1].out == 0; i++) {
        pictures(1);
    }

    tap_ok(i > 40 && i < 200, "the upper one takes more: %d ms",
           (int) (i * FRAME_US / 1000));

    asked = 0;
    pictures(2);
    tap_is_str(state(), "1:640x360- 0:320x180*", "it is left out");
    tap_is_str(written(2), "0!0!", "at once, and the lower one ends pictures");
    tap_is_int(width(), 320, "the track has its size");
    tap_is_int(asked, 0, "without a key frame");
    tap_is_int(in.st->stat.left_out, 1, "it is counted");

    pictures(100);
    tap_is_str(written(3), "0!0!0!", "it stays out");

    more[1] = 0;

    for (i = 0; i < 600 && in.limits[1].out; i++) {
        pictures(1);
    }

    tap_ok(i < 300, "it is within its limit again: %d ms",
           (int) (i * FRAME_US / 1000));

    pictures(40);
    tap_is_str(state(), "1:640x360* 0:320x180", "it is back");
    tap_is_str(written(4), "01!01!", "with a key picture");
    tap_is_int(width(), 640, "and its size");
}


static void
test_lower(void)
{
    ngx_uint_t  i;

    more[0] = MORE;

    for (i = 0; i < 600 && closed == NULL; i++) {
        pictures(1);
    }

    tap_is_str(closed, "above webrtc_max_bitrate of its only layer",
               "the lowest one takes more: ended");
    tap_is_str(written(2), "0!0!",
               "with it the upper one did, which went first");
}


/* a deadline that has passed, in turns that each take longer than a wake-up may
 * be too early, with packets in each */

static void
test_timer(void)
{
    uint64_t    reported;
    ngx_msec_t  key;

    reported = in.reported_us;
    in.reported_us = now_us - 2000000;

    if (in.timer.timer_set) {
        ngx_del_timer(&in.timer);
    }

    ngx_webrtc_ingest_timer_arm(&in, now_us);

    key = in.timer.timer.key;

    ngx_current_msec += 30;
    ngx_webrtc_ingest_timer_arm(&in, now_us + 30000);

    tap_ok(in.timer.timer_set && in.timer.timer.key == key,
           "a timer that is due stays");

    ngx_del_timer(&in.timer);
    ngx_current_msec -= 30;

    in.reported_us = reported;
    ngx_webrtc_ingest_timer_arm(&in, now_us);
}


int
main(void)
{
    size_t                    before;
    ngx_str_t                 name = ngx_string("x");
    ngx_webrtc_bus_t         *bus;
    ngx_webrtc_desc_media_t  *m;

    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_timer_value);

    bus = bus_zone(16 * 1024 * 1024);
    ngx_current_msec = now_us / 1000;

    tap_is_int(ngx_webrtc_bus_attach(bus, &bus_log), NGX_OK, "a zone");

    before = ngx_webrtc_bus_free(bus);

    m = &desc.media[0];
    m->kind = NGX_WEBRTC_VIDEO;
    m->codec = NGX_WEBRTC_CODEC_VP9;
    m->clock_rate = 90000;
    m->pt = 98;
    m->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    m->red_pt = NGX_WEBRTC_DESC_NO_PT;
    m->receiving = 1;
    m->mid_len = 1;
    m->mid[0] = '0';
    m->fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_RSIZE;

    desc.nmedia = 1;

    policy.keyframe_interval = 500;
    policy.layer_bitrate[0] = LIMIT;
    policy.layer_bitrate[1] = LIMIT;

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

    ngx_webrtc_bus_set_ring_max(in.st, 1024 * 1024);

    tap_is_int(ngx_webrtc_bus_claim(bus, in.st, NGX_WEBRTC_CLAIM_PUBLISH),
               NGX_OK, "claimed");
    tap_is_int(ngx_webrtc_ingest_begin(&in, now_us), NGX_OK, "begun");

    test_timer();
    test_upper();
    test_lower();

    ngx_webrtc_ingest_end(&in);

    ngx_webrtc_bus_unclaim(bus, in.st);
    ngx_webrtc_bus_release(bus, in.st);

    tap_is_int(ngx_webrtc_bus_free(bus), before, "all memory is back");

    return tap_done();
}
