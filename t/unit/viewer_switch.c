
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A viewer goes from a stream to a variant of it, which lags behind, and back:
 * what it is sent has unbroken sequence numbers, timestamps that never go back,
 * pictures from a key frame on, and each packet of audio once.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_inbox.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_rtcp.h"
#include "ngx_webrtc_rtcp_fb.h"
#include "ngx_webrtc_session.h"
#include "ngx_webrtc_session_stat.h"
#include "ngx_webrtc_viewer_family.h"
#include "ngx_webrtc_viewer_role.h"
#include "ngx_webrtc_viewer_switch.h"
#include "ngx_webrtc_worker_state.h"


#define AUDIO     0
#define VIDEO     1

#define FPS       25
#define FRAME_MS  (1000 / FPS)
#define LAG_MS    160                   /* of the encoder */
#define PER_FRAME 2                     /* packets of a picture */

#define SEEN      4096


/* a packet that was sent: of which ring it is is the payload's first byte */
typedef struct {
    uint16_t  seq;
    uint32_t  ts;
    uint32_t  ssrc;
    uint8_t   pt;
    uint8_t   ring;
    uint8_t   key;
    uint32_t  number;                   /* of the picture, or of the sound */
} seen_t;


typedef struct {
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_ring_writer_t   w;
    uint8_t                    ring;
    uint32_t                   next;    /* picture */
    uint32_t                   sound;
} cam_t;


BUS_WEAK ngx_rbtree_t         ngx_event_timer_rbtree;

static ngx_webrtc_worker_t    worker;
static ngx_webrtc_viewer_conf_t  viewers;
static ngx_webrtc_session_t   session;
static ngx_webrtc_peer_t      peer;
static ngx_webrtc_bus_t      *bus;
static ngx_webrtc_inbox_t    *inbox;

static cam_t                  cam, variant;

static u_char                 room[4096];
static seen_t                 seen[2][SEEN];
static ngx_uint_t             nseen[2];
static ngx_uint_t             closed;


/* in the place of the session, of SRTP and of the port */

void
ngx_webrtc_session_close(ngx_webrtc_session_t *s, const char *reason)
{
    (void) s;

    tap_diag("closed: %s", reason);
    closed++;
}


void
ngx_webrtc_session_send_rtcp(ngx_webrtc_session_t *s, u_char *p, size_t n)
{
    (void) s; (void) p; (void) n;
}


uint32_t
ngx_webrtc_session_stat_jitter(ngx_webrtc_session_t *s, uint32_t worst,
    uint32_t jitter, uint32_t clock_rate)
{
    (void) s; (void) worst; (void) clock_rate;

    return jitter;
}


u_char *
ngx_webrtc_nice_reserve(ngx_webrtc_nice_t *na, size_t size)
{
    (void) na; (void) size;

    return NULL;
}


void
ngx_webrtc_nice_commit(ngx_webrtc_nice_t *na, size_t n)
{
    (void) na; (void) n;
}


u_char *
ngx_webrtc_udp_reserve(ngx_webrtc_udp_t *udp, size_t size)
{
    (void) udp;

    return size <= sizeof(room) ? room : NULL;
}


void
ngx_webrtc_udp_commit(ngx_webrtc_udp_t *udp, ngx_webrtc_path_t *path, size_t n)
{
    u_char      *p, *end;
    seen_t      *s;
    uint8_t      b;
    uint16_t     seq;
    uint32_t     ts, ssrc, number;
    ngx_uint_t   track;

    (void) udp; (void) path;

    p = room;
    end = room + n;

    p = ngx_webrtc_read_u8(p, end, &b);
    p = ngx_webrtc_read_u8(p, end, &b);
    p = ngx_webrtc_read_u16(p, end, &seq);
    p = ngx_webrtc_read_u32(p, end, &ts);
    p = ngx_webrtc_read_u32(p, end, &ssrc);

    if (p == NULL || end - p < 6) {
        tap_fail("a packet of %d bytes", (int) n);
        return;
    }

    number = ((uint32_t) p[2] << 24) | ((uint32_t) p[3] << 16)
             | ((uint32_t) p[4] << 8) | p[5];

    track = (ssrc == 2000);

    if (nseen[track] == SEEN) {
        return;
    }

    s = &seen[track][nseen[track]++];

    s->seq = seq;
    s->ts = ts;
    s->ssrc = ssrc;
    s->pt = b & 0x7f;
    s->ring = p[0];
    s->key = p[1];
    s->number = number;
}


void
ngx_webrtc_udp_flush(ngx_webrtc_udp_t *udp)
{
    (void) udp;
}


ngx_int_t
ngx_webrtc_srtp_protect(ngx_webrtc_srtp_out_t *out, uint64_t index,
    const u_char *hdr, size_t hdr_n, const u_char *prefix, size_t prefix_n,
    const u_char *payload, size_t payload_n, u_char *dst, size_t *dst_n)
{
    (void) out; (void) index; (void) prefix; (void) prefix_n;

    ngx_memmove(dst, hdr, hdr_n);
    ngx_memcpy(dst + hdr_n, payload, payload_n);

    *dst_n = hdr_n + payload_n;

    return NGX_OK;
}


/* of sessions whose packets are encrypted side by side, which there are not */

ngx_int_t
ngx_webrtc_srtp_protect_later(ngx_webrtc_srtp_out_t *out, uint64_t index,
    u_char *p, size_t hdr, size_t n, size_t *dst_n)
{
    (void) out; (void) index; (void) p; (void) hdr; (void) n; (void) dst_n;

    return NGX_ERROR;
}


/* nor have they keys that memory could be asked for */

void
ngx_webrtc_srtp_ahead(const ngx_webrtc_srtp_out_t *out)
{
    (void) out;
}


static void
put(cam_t *c, ngx_uint_t track, uint32_t number, ngx_uint_t key,
    ngx_uint_t flags, uint32_t ts)
{
    u_char                     p[6];
    ngx_webrtc_ring_packet_t   pkt;

    p[0] = c->ring;
    p[1] = (u_char) key;
    p[2] = (u_char) (number >> 24);
    p[3] = (u_char) (number >> 16);
    p[4] = (u_char) (number >> 8);
    p[5] = (u_char) number;

    ngx_memzero(&pkt, sizeof(pkt));

    pkt.track = (uint8_t) track;
    pkt.len = sizeof(p);
    pkt.ts = ts;
    pkt.flags = (uint8_t) flags;
    pkt.arrival_us = (uint64_t) ngx_current_msec * 1000;

    if (ngx_webrtc_ring_write(&c->w, &pkt, p) != NGX_OK) {
        tap_fail("a packet is written");
    }
}


static void
picture(cam_t *c, uint32_t number, ngx_uint_t key)
{
    uint32_t  ts;

    ts = number * FRAME_MS * 90;
    key = key ? NGX_WEBRTC_PKT_KEY : 0;

    put(c, VIDEO, number, key != 0, key|NGX_WEBRTC_PKT_FIRST, ts);
    put(c, VIDEO, number, key != 0,
        key|NGX_WEBRTC_PKT_LAST|NGX_WEBRTC_PKT_MARKER, ts);
}


/*
 * One picture's time passes: the camera has a picture, and two packets of sound
 * that are in both rings; the variant has the picture of LAG_MS ago, as a key
 * frame if one is asked for.
 */

static void
turn(ngx_uint_t every)
{
    ngx_uint_t  i, key;

    ngx_current_msec += FRAME_MS;

    for (i = 0; i < 2; i++) {
        put(&cam, AUDIO, cam.sound, 0, NGX_WEBRTC_PKT_FIRST
            |NGX_WEBRTC_PKT_LAST, cam.sound * 960);
        put(&variant, AUDIO, cam.sound, 0, NGX_WEBRTC_PKT_FIRST
            |NGX_WEBRTC_PKT_LAST, cam.sound * 960);
        cam.sound++;
    }

    key = (cam.next % every == 0);

    if (cam.st->keyframe) {
        ngx_webrtc_bus_keyframe_done(cam.st);
        key = 1;
    }

    picture(&cam, cam.next++, key);

    if (cam.next > LAG_MS / FRAME_MS) {
        key = (variant.next == 0);
        variant.next = cam.next - 1 - LAG_MS / FRAME_MS;

        if (variant.st->keyframe) {
            ngx_webrtc_bus_keyframe_done(variant.st);
            key = 1;
        }

        picture(&variant, variant.next, key);
    }

    ngx_webrtc_ring_publish(&cam.w);
    ngx_webrtc_ring_publish(&variant.w);

    ngx_webrtc_viewer_role.news(worker.roles[NGX_WEBRTC_PEER_PLAY].state,
                                cam.st);
    ngx_webrtc_viewer_role.news(worker.roles[NGX_WEBRTC_PEER_PLAY].state,
                                variant.st);

    if (cam.next % 6 == 0) {
        ngx_webrtc_viewer_role.tick(worker.roles[NGX_WEBRTC_PEER_PLAY].state);
    }
}


static void
tracks(cam_t *c, ngx_uint_t codec, ngx_uint_t traits)
{
    ngx_webrtc_track_t  t[2];

    ngx_memzero(t, sizeof(t));

    t[AUDIO].kind = NGX_WEBRTC_AUDIO;
    t[AUDIO].codec = NGX_WEBRTC_CODEC_OPUS;
    t[AUDIO].clock_rate = 48000;
    t[AUDIO].channels = 2;

    t[VIDEO].kind = NGX_WEBRTC_VIDEO;
    t[VIDEO].codec = (uint8_t) codec;
    t[VIDEO].clock_rate = 90000;
    t[VIDEO].traits = (uint8_t) traits;

    ngx_webrtc_bus_set_tracks(c->st, t, 2);
    ngx_webrtc_bus_set_state(bus, c->st, NGX_WEBRTC_STREAM_ACTIVE,
                             ngx_current_msec);
}


static void
begin(cam_t *c, ngx_uint_t claim)
{
    if (ngx_webrtc_bus_claim(bus, c->st, claim) != NGX_OK) {
        tap_fail("claimed");
    }

    ngx_webrtc_ring_attach(c->st->ring, &c->w);

    if (ngx_webrtc_bus_grow(bus, c->st, &c->w, 256 * 1024) != NGX_OK) {
        tap_fail("a ring");
    }
}


static void
media(ngx_uint_t i, ngx_uint_t kind, ngx_uint_t codec, ngx_uint_t pt,
    uint32_t ssrc)
{
    ngx_webrtc_desc_media_t  *m;

    m = &peer.desc.media[i];

    m->kind = (uint8_t) kind;
    m->codec = (uint8_t) codec;
    m->clock_rate = (kind == NGX_WEBRTC_VIDEO) ? 90000 : 48000;
    m->track = (uint8_t) i;
    m->pt = (uint8_t) pt;
    m->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    m->red_pt = NGX_WEBRTC_DESC_NO_PT;
    m->ssrc = ssrc;
    m->sending = 1;
}


static ngx_uint_t
setup(void)
{
    ngx_str_t                    name;
    ngx_webrtc_variant_t         how;
    ngx_webrtc_inbox_handlers_t  handlers;

    bus = bus_zone(16 * 1024 * 1024);

    if (bus == NULL || ngx_webrtc_bus_attach(bus, &bus_log) != NGX_OK) {
        return 0;
    }

    /* requests for key frames are left in the zone, where turn() looks */

    ngx_memzero(&handlers, sizeof(handlers));
    inbox = ngx_webrtc_inbox_init(bus, &bus_cycle, &handlers);

    if (inbox == NULL) {
        return 0;
    }

    ngx_current_msec = 1000000;

    ngx_str_set(&name, "cam");
    cam.st = ngx_webrtc_bus_stream(bus, &name, 64 * 1024, 1);
    cam.ring = 'o';

    ngx_memzero(&how, sizeof(how));
    how.codec = NGX_WEBRTC_CODEC_VP8;
    how.label_len = 3;
    ngx_memcpy(how.label, "vp8", 3);

    variant.st = ngx_webrtc_bus_variant(bus, cam.st, &how, 1000, 64 * 1024,
                                        1024 * 1024);
    variant.ring = 'v';

    if (cam.st == NULL || variant.st == NULL) {
        return 0;
    }

    ngx_webrtc_bus_set_ring_max(cam.st, 1024 * 1024);

    begin(&cam, NGX_WEBRTC_CLAIM_PUBLISH);
    begin(&variant, NGX_WEBRTC_CLAIM_VARIANT);

    tracks(&cam, NGX_WEBRTC_CODEC_H264, 0);
    tracks(&variant, NGX_WEBRTC_CODEC_VP8, 0);

    worker.bus = bus;
    worker.log = &bus_log;
    worker.roles[NGX_WEBRTC_PEER_PLAY].role = &ngx_webrtc_viewer_role;
    session.role = &ngx_webrtc_viewer_role;
    worker.roles[NGX_WEBRTC_PEER_PLAY].state =
        ngx_webrtc_viewer_role.init(&worker, &viewers);

    /* the viewer has H264 and VP8; what is encoded for it is VP8 */

    media(AUDIO, NGX_WEBRTC_AUDIO, NGX_WEBRTC_CODEC_OPUS, 111, 1000);
    media(VIDEO, NGX_WEBRTC_VIDEO, NGX_WEBRTC_CODEC_H264, 96, 2000);

    peer.desc.nmedia = 2;
    peer.desc.media[VIDEO].nalts = 1;
    peer.desc.media[VIDEO].alts[0].codec = NGX_WEBRTC_CODEC_VP8;
    peer.desc.media[VIDEO].alts[0].pt = 98;
    peer.desc.media[VIDEO].alts[0].rtx_pt = NGX_WEBRTC_DESC_NO_PT;

    peer.policy.buffer = 64 * 1024;
    peer.policy.buffer_max = 1024 * 1024;
    peer.policy.transcode = NGX_WEBRTC_TRANSCODE_AUTO;
    peer.policy.variant.codec = NGX_WEBRTC_CODEC_VP8;

    session.wk = &worker;
    session.peer = &peer;
    session.st = cam.st;
    session.state = NGX_WEBRTC_SESSION_UP;
    session.log = bus_log;

    return 1;
}


/* what one of the tracks was sent, from packet "from" on */

static void
check(const char *name, ngx_uint_t track, ngx_uint_t from)
{
    seen_t      *s, *last;
    ngx_uint_t   i, broken, back, missing, switches, unkeyed, mixed, gap;

    broken = back = missing = switches = unkeyed = mixed = gap = 0;

    for (i = from + 1; i < nseen[track]; i++) {
        s = &seen[track][i];
        last = s - 1;

        broken += (s->seq != (uint16_t) (last->seq + 1)
                   || s->ssrc != last->ssrc);

        if (s->ring != last->ring) {
            switches++;

            if (track == VIDEO) {
                unkeyed += !s->key;
            }
        }

        if (track == AUDIO) {
            missing += (s->number != last->number + 1);
            back += (s->ts != last->ts + 960);
            continue;
        }

        if (s->ring == last->ring && s->number == last->number) {
            mixed += (s->ts != last->ts || s->pt != last->pt);

        } else {
            back += ((int32_t) (s->ts - last->ts) <= 0);
            gap += ((int32_t) (s->ts - last->ts) > 90 * 5 * FRAME_MS);
            missing += (s->ring == last->ring
                        && s->number != last->number + 1);
        }

        mixed += (s->pt != (s->ring == 'o' ? 96 : 98));
    }

    tap_is_int(broken, 0, "%s: one SSRC, unbroken numbers", name);
    tap_is_int(back, 0, "%s: time goes on", name);
    tap_is_int(gap, 0, "%s: without a gap", name);
    tap_is_int(missing, 0, "%s: each packet once", name);
    tap_is_int(unkeyed, 0, "%s: it changes at key frames", name);
    tap_is_int(mixed, 0, "%s: pictures are of one time and type", name);
    tap_is_int(switches, track == VIDEO ? 2 : switches, "%s: two changes",
               name);
}


static void
nack(uint16_t seq)
{
    u_char                p[16], *end;
    ngx_webrtc_rtcp_t     rtcp;

    /* RFC 4585, 6.2.1 */

    end = p;
    end = ngx_webrtc_write_u8(end, p + 16, 0x81);
    end = ngx_webrtc_write_u8(end, p + 16, NGX_WEBRTC_RTCP_RTPFB);
    end = ngx_webrtc_write_u16(end, p + 16, 3);
    end = ngx_webrtc_write_u32(end, p + 16, 1);
    end = ngx_webrtc_write_u32(end, p + 16, 2000);
    end = ngx_webrtc_write_u16(end, p + 16, seq);
    end = ngx_webrtc_write_u16(end, p + 16, 0);

    if (ngx_webrtc_rtcp_next(p, end, &rtcp) == NULL) {
        tap_fail("a NACK is parsed");
        return;
    }

    ngx_webrtc_viewer_role.rtcp(&session, &rtcp);
}


/*
 * Another stream has a key frame, then "since" pictures, before which something
 * has happened, then the viewer is sent there.
 */

enum { NOTHING, LOST, PAUSED };

static void
go(const char *name, cam_t *to, ngx_uint_t what, ngx_uint_t since,
    ngx_webrtc_viewer_switch_at_e at, ngx_uint_t asked)
{
    uint32_t              key;
    ngx_uint_t            i, n;
    ngx_webrtc_viewer_t  *v;

    v = session.part;

    (void) ngx_webrtc_bus_keyframe(bus, to->st);
    turn(1000);

    key = (to == &cam) ? cam.next - 1 : variant.next;

    if (what == LOST) {
        ngx_webrtc_ring_skip(&to->w, VIDEO, 1);
    }

    if (what == PAUSED) {
        ngx_current_msec += 500;
    }

    for (i = 0; i < since; i++) {
        turn(1000);
    }

    n = nseen[VIDEO];

    ngx_webrtc_bus_hold(bus, to->st);

    tap_is_int(ngx_webrtc_viewer_switch(&session, to->st, at), NGX_OK,
               "%s: on its way", name);
    tap_is_int(ngx_webrtc_atomic_load(&to->st->keyframe) != 0, asked,
               "%s: whether a key frame is asked for", name);

    for (i = 0; i < 12 && v->st != to->st; i++) {
        turn(1000);
    }

    tap_ok(v->st == to->st, "%s: it has arrived", name);

    while (n < nseen[VIDEO] && seen[VIDEO][n].ring != to->ring) {
        n++;
    }

    tap_ok(n < nseen[VIDEO] && seen[VIDEO][n].key
           && (seen[VIDEO][n].number == key) == !asked,
           "%s: at the right one", name);

    for (i = 0; i < 30; i++) {
        turn(1000);
    }
}


int
main(void)
{
    seen_t                last;
    ngx_uint_t            i, n, video, audio;
    ngx_webrtc_viewer_t  *v;

    if (!setup()) {
        tap_fail("a zone");
        return tap_done();
    }

    for (i = 0; i < 50; i++) {
        turn(25);
    }

    ngx_webrtc_viewer_role.start(&session);
    v = session.part;

    tap_ok(v && v->st == cam.st, "it begins with the original");

    for (i = 0; i < 30; i++) {
        turn(25);
    }

    tap_ok(nseen[VIDEO] > 30 && nseen[AUDIO] > 50, "it is sent packets");
    tap_is_int(ngx_webrtc_bus_viewers(bus, cam.st), 1, "one viewer");

    /* a publisher with B-frames: the picture stops, and goes on */

    video = nseen[VIDEO];
    audio = nseen[AUDIO];
    last = seen[VIDEO][video - 1];

    tracks(&cam, NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_TRACK_REORDERED);

    for (i = 0; i < 50 && v->st == cam.st; i++) {
        turn(25);
    }

    tap_ok(v->st == variant.st, "it goes to the variant");
    tap_ok(i < 12, "within half a second: %d pictures", (int) i);
    tap_ok(nseen[VIDEO] == video || seen[VIDEO][video].ring == 'v',
           "what does not play is not sent");
    tap_is_int(ngx_webrtc_bus_viewers(bus, cam.st), 1, "it counts there");
    tap_is_int(ngx_webrtc_bus_viewers(bus, variant.st), 1, "and here");
    tap_is_int(peer.reads, (intmax_t) variant.st->ref, "the slot says so");

    n = nseen[VIDEO];
    nack(last.seq);
    tap_is_int(nseen[VIDEO], n, "what the other ring had is not sent again");

    for (i = 0; i < 30; i++) {
        turn(25);
    }

    last = seen[VIDEO][nseen[VIDEO] - 3];
    n = nseen[VIDEO];
    nack(last.seq);

    tap_is_int(nseen[VIDEO], n + 1, "what this ring has is");
    tap_ok(seen[VIDEO][n].seq == last.seq && seen[VIDEO][n].ts == last.ts
           && seen[VIDEO][n].number == last.number, "as it was");
    nseen[VIDEO] = n;

    /* a publisher without them */

    tracks(&cam, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 0; i < 50 && v->st == variant.st; i++) {
        turn(1000);
    }

    tap_ok(v->st == cam.st, "it goes back");
    tap_is_int(ngx_webrtc_bus_viewers(bus, variant.st), 0, "nobody is left");
    tap_is_int(peer.reads, 0, "the slot says so");

    for (i = 0; i < 30; i++) {
        turn(1000);
    }

    check("video", VIDEO, 0);
    check("audio", AUDIO, 0);

    tap_ok(nseen[AUDIO] - audio > 100, "sound went on all the time");

    /* one that may not be had: the way is given up */

    tracks(&cam, NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_TRACK_REORDERED);
    ngx_webrtc_bus_set_state(bus, variant.st, NGX_WEBRTC_STREAM_INACTIVE,
                             ngx_current_msec);
    n = nseen[VIDEO];

    for (i = 0; i < 30; i++) {
        turn(25);
    }

    tap_ok(v->st == cam.st && v->to.vs != NULL, "it waits");
    tap_is_int(nseen[VIDEO], n, "and is sent no picture");

    tracks(&cam, NGX_WEBRTC_CODEC_H264, 0);

    for (i = 0; i < 30; i++) {
        turn(25);
    }

    tap_ok(v->st == cam.st && v->to.vs == NULL, "it need not any more");
    tap_ok(nseen[VIDEO] > n, "and sees the original");

    /* one that has just come will do on the way down */

    ngx_webrtc_bus_set_state(bus, variant.st, NGX_WEBRTC_STREAM_ACTIVE,
                             ngx_current_msec);

    video = nseen[VIDEO];
    audio = nseen[AUDIO];

    go("just come", &variant, NOTHING, 1, NGX_WEBRTC_VIEWER_SWITCH_RECENT, 0);
    go("some time ago", &cam, NOTHING, 2, NGX_WEBRTC_VIEWER_SWITCH_RECENT, 1);

    check("down, video", VIDEO, video);
    check("down, audio", AUDIO, audio);

    video = nseen[VIDEO];
    audio = nseen[AUDIO];

    go("up", &variant, NOTHING, 0, NGX_WEBRTC_VIEWER_SWITCH_NEXT, 1);
    go("this very one", &cam, NOTHING, 0, NGX_WEBRTC_VIEWER_SWITCH_RECENT, 0);

    check("up, video", VIDEO, video);
    check("up, audio", AUDIO, audio);

    video = nseen[VIDEO];
    audio = nseen[AUDIO];

    go("with a gap", &variant, LOST, 1, NGX_WEBRTC_VIEWER_SWITCH_RECENT, 1);
    go("old", &cam, PAUSED, 1, NGX_WEBRTC_VIEWER_SWITCH_RECENT, 1);

    check("asked for, video", VIDEO, video);
    check("asked for, audio", AUDIO, audio);

    ngx_webrtc_viewer_role.stop(&session);

    tap_is_int(ngx_webrtc_bus_viewers(bus, cam.st), 0, "it has gone");
    tap_is_int(cam.st->use[bus->worker].watches, 0, "nothing is watched");
    tap_is_int(closed, 0, "the session was never closed");

    ngx_webrtc_viewer_role.done(worker.roles[NGX_WEBRTC_PEER_PLAY].state);
    ngx_webrtc_inbox_done(inbox);

    return tap_done();
}
