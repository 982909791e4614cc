
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames of a ring: what the packetizers put into it must come out again, byte
 * by byte, with 64 bit times; what is lost is left out up to a key frame.
 */


#include "bus_zone.h"
#include "media.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_output_reader.h"

#define RING    (2 * 1024 * 1024)

/* us; 90 kHz times have wrapped many times since this clock's zero */
#define BEGIN   ((int64_t) 1000000000000)
#define STEP    40000

/* of a frame's packets, the last one */
#define LAST    1000


typedef struct {
    ngx_webrtc_stream_t        *st;
    void                       *mem;
    ngx_webrtc_ring_writer_t    w;
    ngx_webrtc_pack_t           pack[2];
    ngx_webrtc_track_t          tracks[2];

    int64_t                     now_us;
    int64_t                     media;      /* of the frame, 64 bits */
    ngx_uint_t                  track;
    ngx_uint_t                  drop;       /* this packet of the frame, 1.. */
    ngx_uint_t                  packet;
} world_t;


static media_file_t  file;



static ngx_int_t
world_packet(void *ctx, u_char *payload, size_t n, ngx_uint_t flags)
{
    world_t *wd = ctx;

    ngx_webrtc_ring_packet_t  pkt;

    ngx_memzero(&pkt, sizeof(pkt));

    pkt.arrival_us = (uint64_t) wd->now_us;
    pkt.ts = ngx_webrtc_timeline_rtp(wd->media);
    pkt.len = (uint16_t) n;
    pkt.track = (uint8_t) wd->track;
    pkt.flags = (uint8_t) flags;

    wd->packet++;

    if (wd->packet == wd->drop
        || (wd->drop == LAST && (flags & NGX_WEBRTC_PKT_LAST)))
    {
        ngx_webrtc_ring_skip(&wd->w, wd->track, 1);
        return NGX_OK;
    }

    return ngx_webrtc_ring_write(&wd->w, &pkt, payload);
}


static void
world_codec(world_t *wd, ngx_uint_t i, ngx_uint_t codec)
{
    (void) ngx_webrtc_pack_init(&wd->pack[i], ngx_webrtc_codec(codec), 0,
                                world_packet, wd);

    ngx_webrtc_codec_track(ngx_webrtc_codec(codec), &wd->tracks[i], 0);

    (void) ngx_webrtc_timeline_track(&wd->st->timeline, i,
                                     wd->tracks[i].clock_rate, 1, 1000000);

    wd->st->since[i] = wd->w.next[i];

    ngx_webrtc_bus_set_tracks(wd->st, wd->tracks, 2);
}


static void
world_init(world_t *wd, ngx_uint_t video, ngx_uint_t audio, size_t size)
{
    ngx_memzero(wd, sizeof(world_t));

    wd->st = calloc(1, sizeof(ngx_webrtc_stream_t));

    if (posix_memalign(&wd->mem, 64, size) != 0) {
        abort();
    }

    wd->st->ring = ngx_webrtc_ring_init(wd->mem, size);
    ngx_webrtc_ring_attach(wd->st->ring, &wd->w);

    ngx_webrtc_timeline_init(&wd->st->timeline);
    ngx_webrtc_timeline_start(&wd->st->timeline);

    wd->now_us = BEGIN;

    world_codec(wd, 0, video);
    world_codec(wd, 1, audio);
}


static void
world_done(world_t *wd)
{
    free(wd->mem);
    free(wd->st);
}


/* a frame goes into the ring, without its packet "drop", 0: with all of them */

static ngx_int_t
world_frame(world_t *wd, ngx_uint_t track, u_char *p, size_t n,
    ngx_uint_t drop)
{
    ngx_int_t            rc;
    ngx_webrtc_frame_t   frame;

    wd->now_us += STEP;
    wd->track = track;
    wd->drop = drop;
    wd->packet = 0;
    wd->media = ngx_webrtc_timeline_map(&wd->st->timeline, track,
                                        wd->now_us - BEGIN, wd->now_us);

    rc = ngx_webrtc_pack_probe(&wd->pack[track], p, n, &frame);

    if (rc == NGX_OK) {
        rc = ngx_webrtc_pack_frame(&wd->pack[track], p, n, &frame);
    }

    ngx_webrtc_ring_publish(&wd->w);

    return rc;
}


/* the next unit, past changes of tracks */

static ngx_int_t
next(ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_unit_t *unit)
{
    ngx_int_t  rc;

    do {
        rc = ngx_webrtc_output_reader_next(rd, unit);
    } while (rc == NGX_DONE);

    return rc;
}


/*
 * NAL units with start codes of four bytes, without what packetizers leave out;
 * sets: without parameter sets
 */

static size_t
nals(u_char *to, u_char *p, size_t n, ngx_uint_t h265, ngx_uint_t sets)
{
    size_t             len, used;
    u_char            *nal;
    ngx_uint_t         type;
    ngx_webrtc_nal_t   it;

    used = 0;

    ngx_webrtc_nal_init(&it, p, n, 0);

    while (ngx_webrtc_nal_next(&it, &nal, &len) == NGX_OK) {

        type = h265 ? (nal[0] >> 1) & 0x3f : nal[0] & 0x1f;

        if (type == (h265 ? 35 : 9)
            || (sets && (h265 ? type >= 32 && type <= 34
                              : type == 7 || type == 8)))
        {
            continue;
        }

        memcpy(to + used, "\0\0\0\1", 4);
        memcpy(to + used + 4, nal, len);
        used += 4 + len;
    }

    return used;
}


typedef struct {
    const char  *name;
    const char  *path;
    ngx_uint_t   codec;
    u_char       aud;           /* Annex B: of its delimiters */
    const char  *kinds;         /* K key, b discardable, P others */
} stream_t;


static const stream_t  streams[] = {
    { "h264", "t/data/media/bframes.h264", NGX_WEBRTC_CODEC_H264, 0x09,
      "KPPbbPPbKPPbbP" },
    { "h265", "t/data/media/bframes.h265", NGX_WEBRTC_CODEC_H265, 0x46,
      "KPPbbPPbKPPbbP" },
    { "vp8", "t/data/media/vp8.ivf", NGX_WEBRTC_CODEC_VP8, 0, "KPPPPKPP" },
    { "vp9", "t/data/media/vp9.ivf", NGX_WEBRTC_CODEC_VP9, 0, "KPPPPKPP" },
    { "av1", "t/data/media/av1.ivf", NGX_WEBRTC_CODEC_AV1, 0, "KPPPPKPP" },
};


static u_char *
frame_of(const stream_t *s, size_t *pos, size_t *n)
{
    u_char  *p;

    if (s->aud) {
        return media_annexb(&file, pos, n, s->aud);
    }

    p = media_ivf(&file, pos, n);

    if (p && s->codec == NGX_WEBRTC_CODEC_AV1 && p[0] == 0x12) {
        /* the temporal delimiter, which is not sent */
        p += 2;
        *n -= 2;
    }

    return p;
}


/* 1: a unit has the bytes of a frame */

static int
equal(const stream_t *s, ngx_webrtc_output_unit_t *unit, u_char *p, size_t n)
{
    size_t          want, got;
    static u_char   a[MEDIA_MAX], b[MEDIA_MAX];

    if (!s->aud) {
        return unit->n == n && memcmp(unit->data, p, n) == 0;
    }

    want = nals(a, p, n, s->codec == NGX_WEBRTC_CODEC_H265, unit->key);
    got = nals(b, unit->data, unit->n, s->codec == NGX_WEBRTC_CODEC_H265,
               unit->key);

    return want == got
           && memcmp(a, b, got) == 0
           && (unit->key ? unit->n > got : unit->n == got)
           && memcmp(unit->data, "\0\0\0\1", 4) == 0;
}


static void
test_codec(const stream_t *s)
{
    size_t                       n, pos;
    u_char                      *p, sound[100];
    world_t                      wd;
    int64_t                      ts;
    ngx_uint_t                   i, bad, badts, badkind, badsound;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    media_read(&file, s->path);
    world_init(&wd, s->codec, NGX_WEBRTC_CODEC_OPUS, RING);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    bad = badts = badkind = badsound = 0;
    pos = 0;

    for (i = 0; s->kinds[i]; i++) {
        p = frame_of(s, &pos, &n);

        (void) world_frame(&wd, 0, p, n, 0);
        ts = wd.media;

        if (next(&rd, &unit) != NGX_OK || unit.track != 0
            || !equal(s, &unit, p, n))
        {
            tap_diag("frame %d", (int) i);
            bad++;
        }

        badts += (unit.ts != ts || unit.arrival_us != wd.now_us);

        badkind += (unit.key != (s->kinds[i] == 'K')
                    || unit.discard != (s->kinds[i] == 'b')
                    || unit.seam != (i == 0));

        memset(sound, (int) i, sizeof(sound));
        sound[0] = 0x78;

        (void) world_frame(&wd, 1, sound, sizeof(sound), 0);

        badsound += (next(&rd, &unit) != NGX_OK
                     || unit.track != 1
                     || unit.ts != wd.media
                     || unit.n != sizeof(sound)
                     || memcmp(unit.data, sound, unit.n) != 0
                     || unit.packet.len != sizeof(sound)
                     || memcmp(unit.payload, sound, unit.n) != 0
                     || unit.number + 1 != rd.cursor);

        bad += (next(&rd, &unit) != NGX_AGAIN);
    }

    tap_is_int(bad, 0, "%s: all frames, byte by byte", s->name);
    tap_is_int(badts, 0, "%s: their times, of 64 bits", s->name);
    tap_is_int(badkind, 0, "%s: their kinds", s->name);
    tap_is_int(badsound, 0, "%s: the sound between them", s->name);
    tap_is_int(rd.left_out, 0, "%s: nothing is left out", s->name);

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


static void
test_lost(const stream_t *s, ngx_uint_t drop, const char *name)
{
    size_t                       n, pos;
    u_char                      *p;
    world_t                      wd;
    ngx_uint_t                   i, bad, out;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    media_read(&file, s->path);
    world_init(&wd, s->codec, NGX_WEBRTC_CODEC_OPUS, RING);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    bad = out = 0;
    pos = 0;

    for (i = 0; s->kinds[i]; i++) {
        p = frame_of(s, &pos, &n);

        /* in small packets, so that there are several */

        wd.pack[0].max = (i == 1) ? NGX_WEBRTC_PACK_PAYLOAD_MIN
                                  : NGX_WEBRTC_PACK_PAYLOAD;

        (void) world_frame(&wd, 0, p, n, i == 1 ? drop : 0);

        bad += (i == 1 && wd.packet < 2);

        while (next(&rd, &unit) == NGX_OK) {
            bad += !equal(s, &unit, p, n);

            if (i > 1 && !out) {
                out = 1;
                bad += (s->kinds[i] != 'K' || !unit.key || !unit.seam);
            }
        }

        if (i == 2) {
            bad += !ngx_webrtc_output_reader_wants_key(&rd);
        }
    }

    tap_is_int(bad, 0, "%s, %s packet: on from the next key frame", s->name,
               name);
    tap_is_int(rd.left_out, strchr(s->kinds + 1, 'K') - s->kinds - 1,
               "%s, %s packet: what is left out is counted", s->name, name);
    tap_ok(!ngx_webrtc_output_reader_wants_key(&rd),
           "%s, %s packet: no key frame is wanted then", s->name, name);

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


/* from H.264 to VP8 in the middle, and what a late reader makes of it */

static void
test_change(ngx_uint_t late)
{
    size_t                       n, pos;
    u_char                      *p;
    world_t                      wd;
    ngx_int_t                    rc;
    ngx_uint_t                   i, k, frames[2], bad, told;
    const char                  *how;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    static const ngx_uint_t  rows[] = { 0, 2 };

    how = late ? "read afterwards" : "read at once";

    world_init(&wd, NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, RING);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    frames[0] = frames[1] = bad = told = 0;

    for (k = 0; k < 2; k++) {

        media_read(&file, streams[rows[k]].path);
        pos = 0;

        if (k == 1) {
            world_codec(&wd, 0, streams[rows[k]].codec);
        }

        for (i = 0; i < 5; i++) {
            p = frame_of(&streams[rows[k]], &pos, &n);
            (void) world_frame(&wd, 0, p, n, 0);

            if (late && (k == 0 || i < 4)) {
                continue;
            }

            for ( ;; ) {
                rc = ngx_webrtc_output_reader_next(&rd, &unit);

                if (rc == NGX_AGAIN) {
                    break;
                }

                if (rc == NGX_DONE) {
                    told++;
                    continue;
                }

                switch (ngx_webrtc_output_reader_codec(&rd, 0)) {

                case NGX_WEBRTC_CODEC_H264:
                    frames[0]++;
                    bad += (memcmp(unit.data, "\0\0\0\1", 4) != 0);
                    break;

                case NGX_WEBRTC_CODEC_VP8:
                    bad += (frames[1] == 0 && (!unit.key || !unit.seam));
                    frames[1]++;
                    break;

                default:
                    bad++;
                }
            }
        }
    }

    tap_is_int(frames[0], 5, "change, %s: frames of the first codec", how);
    tap_is_int(frames[1], 5, "change, %s: and of the second", how);
    tap_is_int(bad, 0, "change, %s: each read as what it is", how);
    tap_ok(told >= 2, "change, %s: it is told", how);

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


/* back to what it has passed: all of it, but nothing of a codec of before */

static void
test_back(void)
{
    u_char                       sound[160];
    uint64_t                     from;
    world_t                      wd;
    ngx_int_t                    rc;
    ngx_uint_t                   i, k, n, bad;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    world_init(&wd, NGX_WEBRTC_CODEC_H264, NGX_WEBRTC_CODEC_OPUS, RING);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    from = rd.cursor;
    bad = 0;

    for (k = 0; k < 2; k++) {

        if (k == 1) {
            world_codec(&wd, 1, NGX_WEBRTC_CODEC_PCMU);
        }

        for (i = 0; i < 5; i++) {
            memset(sound, 0x78 + (int) k, sizeof(sound));
            (void) world_frame(&wd, 1, sound, sizeof(sound), 0);

            do {
                rc = ngx_webrtc_output_reader_next(&rd, &unit);
            } while (rc == NGX_DONE);

            bad += (rc != NGX_OK);
        }

        ngx_webrtc_output_reader_back(&rd, from);

        for (n = 0; ngx_webrtc_output_reader_next(&rd, &unit) == NGX_OK; n++) {
            bad += (unit.data[0] != 0x78 + k
                    || (n == 4 && unit.ts != wd.media));
        }

        tap_is_int(n, 5, "back: %s", k ? "of the codec of now" : "all");
    }

    tap_is_int(bad, 0, "back: as it was");

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


/* a reader that comes back too late, in a ring that holds little */

static void
test_lapped(void)
{
    size_t                       n, pos, len;
    u_char                      *p, *key;
    world_t                      wd;
    ngx_uint_t                   i;
    const stream_t              *s;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    s = &streams[2];

    media_read(&file, s->path);
    world_init(&wd, s->codec, NGX_WEBRTC_CODEC_OPUS,
               NGX_WEBRTC_RING_MIN_SIZE);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    pos = 0;
    key = frame_of(s, &pos, &len);

    (void) world_frame(&wd, 0, key, len, 0);
    tap_is_int(next(&rd, &unit), NGX_OK, "lapped: the first frame");

    p = frame_of(s, &pos, &n);

    for (i = 0; i < 2000; i++) {
        (void) world_frame(&wd, 0, p, n, 0);
    }

    tap_is_int(next(&rd, &unit), NGX_AGAIN,
               "lapped: without a key frame there is nothing");
    tap_is_int(rd.lapped, 1, "lapped: it is counted");
    tap_ok(ngx_webrtc_output_reader_wants_key(&rd),
           "lapped: a key frame is wanted");

    (void) world_frame(&wd, 0, key, len, 0);
    (void) world_frame(&wd, 0, p, n, 0);

    tap_is_int(next(&rd, &unit), NGX_OK, "lapped: the next key frame");
    tap_ok(unit.key && unit.seam && unit.n == len
           && memcmp(unit.data, key, len) == 0, "lapped: it is the one");
    tap_is_int(next(&rd, &unit), NGX_OK, "lapped: and what follows");

    for (i = 0; i < 2000; i++) {
        (void) world_frame(&wd, 0, p, n, 0);
    }

    (void) world_frame(&wd, 0, key, len, 0);
    (void) world_frame(&wd, 0, p, n, 0);

    tap_is_int(next(&rd, &unit), NGX_OK, "lapped again: a frame");
    tap_ok(unit.key && unit.seam, "lapped again: the newest key frame");
    tap_is_int(next(&rd, &unit), NGX_OK, "lapped again: goes on");
    tap_is_int(next(&rd, &unit), NGX_AGAIN, "lapped again: to the end");
    tap_is_int(rd.lapped, 2, "lapped again: counted");

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


/* a second reader begins at the last key frame; a skip goes to the next */

static void
test_begin(void)
{
    size_t                       n, pos;
    u_char                      *p, *key;
    size_t                       len;
    world_t                      wd;
    ngx_uint_t                   i;
    const stream_t              *s;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    s = &streams[2];

    media_read(&file, s->path);
    world_init(&wd, s->codec, NGX_WEBRTC_CODEC_OPUS, RING);

    key = NULL;
    len = 0;
    pos = 0;

    for (i = 0; s->kinds[i]; i++) {
        p = frame_of(s, &pos, &n);
        (void) world_frame(&wd, 0, p, n, 0);

        if (s->kinds[i] == 'K') {
            key = p;
            len = n;
        }
    }

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    tap_is_int(next(&rd, &unit), NGX_OK, "begin: a frame");
    tap_ok(unit.key && unit.n == len && memcmp(unit.data, key, len) == 0,
           "begin: the newest key frame");

    ngx_webrtc_output_reader_skip(&rd, 0);

    tap_is_int(next(&rd, &unit), NGX_AGAIN, "skip: nothing without key frame");
    tap_is_int(rd.skipped, 1, "skip: counted");
    tap_is_int(rd.left_out, 2, "skip: and what is left out");

    (void) world_frame(&wd, 0, key, len, 0);

    tap_ok(next(&rd, &unit) == NGX_OK && unit.key && unit.seam,
           "skip: on with the next key frame");

    ngx_webrtc_output_reader_done(&rd);
    ngx_webrtc_output_reader_done(&rd);

    tap_ok(1, "done may be repeated");

    world_done(&wd);
}


/* MJPEG, by its row for codecs that are only transcoded; RED; a lost packet */

static void
test_other(void)
{
    u_char                       picture[5000], red[8];
    world_t                      wd;
    ngx_webrtc_output_unit_t     unit;
    ngx_webrtc_output_reader_t   rd;

    world_init(&wd, NGX_WEBRTC_CODEC_MJPEG, NGX_WEBRTC_CODEC_OPUS, RING);

    ngx_memzero(&rd, sizeof(rd));
    ngx_webrtc_output_reader_init(&rd, wd.st, &bus_log);

    (void) ngx_webrtc_pack_config(&wd.pack[0], (u_char *) "config", 6);

    memset(picture, 0x5a, sizeof(picture));

    wd.pack[0].key = 1;
    (void) world_frame(&wd, 0, picture, sizeof(picture), 0);

    tap_is_int(next(&rd, &unit), NGX_OK, "mjpeg: a picture");
    tap_is_int(unit.config, 6, "mjpeg: after its configuration");
    tap_ok(unit.n == 6 + sizeof(picture)
           && memcmp(unit.data, "config", 6) == 0
           && memcmp(unit.data + 6, picture, sizeof(picture)) == 0,
           "mjpeg: byte by byte");
    tap_ok(unit.key, "mjpeg: decoding may start there");

    wd.pack[0].key = 0;
    (void) world_frame(&wd, 0, picture, sizeof(picture), 0);

    tap_is_int(next(&rd, &unit), NGX_OK, "mjpeg: one that refers to it");
    tap_ok(unit.config == 0 && unit.n == sizeof(picture) && !unit.key,
           "mjpeg: has no configuration");

    /* RFC 2198: a block of two bytes before, and the primary one */

    memcpy(red, "\xef\x00\x00\x02\x6f" "abX", 8);

    wd.track = 1;
    wd.packet = 0;
    wd.drop = 0;

    (void) world_packet(&wd, red, 8, NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST
                                     |NGX_WEBRTC_PKT_RED);
    ngx_webrtc_ring_publish(&wd.w);

    tap_is_int(next(&rd, &unit), NGX_OK, "red: a packet");
    tap_ok(unit.n == 1 && unit.data[0] == 'X', "red: the primary block");
    tap_ok(unit.packet.len == 8 && (unit.packet.flags & NGX_WEBRTC_PKT_RED),
           "red: and the packet as it was");

    wd.drop = 1;
    (void) world_frame(&wd, 1, (u_char *) "\x78" "a", 2, 1);
    (void) world_frame(&wd, 1, (u_char *) "\x78" "b", 2, 0);

    tap_ok(next(&rd, &unit) == NGX_OK && unit.missing == 1
           && unit.data[1] == 'b', "sound: one is missing before it");

    ngx_webrtc_output_reader_done(&rd);
    world_done(&wd);
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        test_codec(&streams[i]);
        test_lost(&streams[i], 1, "first");
        test_lost(&streams[i], 2, "second");
        test_lost(&streams[i], LAST, "last");
    }

    test_change(0);
    test_change(1);
    test_back();
    test_lapped();
    test_begin();
    test_other();

    return tap_done();
}
