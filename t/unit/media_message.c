
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages and records of the media process: what is written is read, and what
 * must not be is not.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_media_message.h"
#include "tap.h"


static u_char  buf[NGX_WEBRTC_MEDIA_MESSAGE];


static size_t
written(ngx_webrtc_media_message_t *m)
{
    u_char  *p;

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), m);

    return p ? (size_t) (p - buf) : 0;
}


static void
test_start(void)
{
    size_t                       n, i, cut;
    ngx_webrtc_media_from_t     *from;
    ngx_webrtc_media_message_t   m, got;

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_SOURCE;
    ngx_str_set(&m.u.start.name, "studio");
    m.u.start.backoff_min = 500;
    m.u.start.backoff_max = 5000;
    m.u.start.connect_timeout = 10000;
    m.u.start.read_timeout = 7000;
    m.u.start.doors = 1;
    m.u.start.nfrom = 2;

    from = &m.u.start.from[0];
    ngx_str_set(&from->url, "rtmp://127.0.0.1/live/studio");

    from = &m.u.start.from[1];
    ngx_str_set(&from->url, "file:/srv/spare.mp4");
    ngx_str_set(&from->format, "mp4");
    from->program = 7;
    from->loop = 1;
    from->lists = 1;
    from->links = 2;
    from->links_from = 5;

    n = written(&m);

    tap_ok(n, "start: written");
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got), NGX_OK,
               "start: read");
    tap_ok(got.u.start.name.len == 6
           && ngx_memcmp(got.u.start.name.data, "studio", 6) == 0,
           "start: the stream");
    tap_is_int(got.u.start.nfrom, 2, "start: upstreams");
    tap_is_int(got.u.start.read_timeout, 7000, "start: a time");

    from = &got.u.start.from[1];
    tap_ok(from->url.len == 19
           && ngx_memcmp(from->url.data, "file:/srv/spare.mp4", 19) == 0,
           "start: a URL");
    tap_ok(from->format.len == 3 && from->program == 7 && from->loop
           && from->lists && from->links == 2 && from->links_from == 5,
           "start: its options");

    for (i = 0, cut = 0; i < n; i++) {
        cut += ngx_webrtc_media_message_parse(buf, buf + i, &got) == NGX_OK;
    }

    tap_is_int(cut, 0, "start: never less than all of it");

    buf[n] = 0;
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n + 1, &got),
               NGX_DECLINED, "start: and never more");

    m.u.start.connect_timeout = 0;
    n = written(&m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "start: no time of 0");

    m.u.start.connect_timeout = 1;
    m.u.start.from[0].url.len = sizeof(buf);
    m.u.start.from[0].url.data = buf;
    tap_is_int(written(&m), 0, "start: no URL that has no room");

    m.u.start.kind = 0;
    tap_is_int(written(&m), 0, "start: no kind is written");
    m.u.start.kind = NGX_WEBRTC_MEDIA_KINDS;
    tap_is_int(written(&m), 0, "start: nor one that there is not");

    buf[1] = 0;
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "start: no kind");
    buf[1] = NGX_WEBRTC_MEDIA_KINDS;
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "start: no such kind");
}


static void
test_movie(void)
{
    u_char                      *p, *copy;
    size_t                       n, i, cut;
    ngx_webrtc_media_message_t   m, got;
    static u_char                buf[256];

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_FILE;
    m.u.start.movie.chunk = 16384;
    m.u.start.movie.plan.mode = NGX_WEBRTC_MOVIE_REMUX;
    m.u.start.movie.plan.sound = NGX_WEBRTC_MOVIE_AAC;
    m.u.start.movie.plan.copy = 5;
    m.u.start.movie.seek.generation = 7;
    m.u.start.movie.seek.ms = 123456;
    m.u.start.movie.seek.audio = NGX_WEBRTC_MOVIE_NONE;

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    n = p ? p - buf : 0;

    tap_ok(n && ngx_webrtc_media_message_parse(buf, p, &got) == NGX_OK
           && ngx_memcmp(&got.u.start.movie.plan, &m.u.start.movie.plan,
                         sizeof(ngx_webrtc_movie_plan_t)) == 0
           && got.u.start.movie.chunk == 16384
           && got.u.start.movie.seek.generation == 7
           && got.u.start.movie.seek.ms == 123456
           && got.u.start.movie.seek.audio == NGX_WEBRTC_MOVIE_NONE,
           "a file: written and read");

    cut = 0;

    for (i = 0; i < n; i++) {
        copy = malloc(i + (i == 0));
        memcpy(copy, buf, i);
        cut += (ngx_webrtc_media_message_parse(copy, copy + i, &got)
                == NGX_OK);
        free(copy);
    }

    tap_is_int(cut, 0, "a file: never less than all of it");

    tap_ok(ngx_webrtc_media_filed(NGX_WEBRTC_MEDIA_FILE)
           && !ngx_webrtc_media_filed(NGX_WEBRTC_MEDIA_SOURCE)
           && !ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_FILE),
           "which kinds have a file");

    m.u.start.movie.chunk = 0;
    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, p, &got), NGX_DECLINED,
               "a file: no chunks");

    m.u.start.movie.chunk = NGX_WEBRTC_MEDIA_CHUNK + 1;
    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, p, &got), NGX_DECLINED,
               "a file: too large ones");

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_SEEK;
    m.u.seek.generation = 0xffffffff;
    m.u.seek.ms = NGX_WEBRTC_MOVIE_LONGEST;
    m.u.seek.quality = 3;
    m.u.seek.audio = 4;

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_ok(ngx_webrtc_media_message_parse(buf, p, &got) == NGX_OK
           && got.u.seek.generation == 0xffffffff
           && got.u.seek.ms == NGX_WEBRTC_MOVIE_LONGEST
           && got.u.seek.quality == 3 && got.u.seek.audio == 4,
           "SEEK: written and read");

    m.u.seek.ms++;
    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, p, &got), NGX_DECLINED,
               "SEEK: behind all files");
}


static void
test_transcode(void)
{
    size_t                         n, i, cut;
    ngx_webrtc_media_message_t     m, got;
    ngx_webrtc_media_transcode_t  *t;

    static const ngx_webrtc_media_transcode_t  ok = {
        NGX_WEBRTC_CODEC_H264, 1, 1, 1280, 720, 30, 2500000, 5000,
        ngx_string("auto")
    };

#define ROW(what, member, value)                                              \
    { what, offsetof(ngx_webrtc_media_transcode_t, member),                   \
      sizeof(((ngx_webrtc_media_transcode_t *) 0)->member), value }

    static const struct {
        const char  *what;
        size_t       at;
        size_t       size;
        uint32_t     value;
    } bad[] = {
        ROW("no codec", codec, 0),
        ROW("a codec of sound", codec, NGX_WEBRTC_CODEC_OPUS),
        ROW("no such codec", codec, 255),
        ROW("more than a yes", deinterlace, 2),
        ROW("more than upright", upright, 2),
        ROW("too wide", width, NGX_WEBRTC_MEDIA_SIZE + 1),
        ROW("too high", height, NGX_WEBRTC_MEDIA_SIZE + 1),
        ROW("too fast", fps, NGX_WEBRTC_MEDIA_FPS + 1),
        ROW("too few bits", bitrate, NGX_WEBRTC_MEDIA_BPS_MIN - 1),
        ROW("too many", bitrate, NGX_WEBRTC_MEDIA_BPS_MAX + 1),
        ROW("hardly any key frames", key_ms, NGX_WEBRTC_MEDIA_KEY_MS + 1),
    };

    static ngx_str_t  hw[] = {
        ngx_string(""), ngx_string("seventeen_letters"),
        ngx_string("../dri"), ngx_string("va api"), ngx_string("VAAPI"),
    };

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_TRANSCODE;
    ngx_str_set(&m.u.start.name, "studio");

    t = &m.u.start.encode;
    *t = ok;

    n = written(&m);

    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got), NGX_OK,
               "transcode: read");
    tap_ok(got.u.start.kind == NGX_WEBRTC_MEDIA_TRANSCODE
           && got.u.start.name.len == 6, "transcode: which stream");
    tap_ok(got.u.start.encode.hw.len == 4
           && ngx_memcmp(got.u.start.encode.hw.data, "auto", 4) == 0,
           "transcode: the hardware");

    got.u.start.encode.hw = t->hw;
    tap_is_mem(&got.u.start.encode, sizeof(ok), t, sizeof(ok),
               "transcode: all that was written");

    for (i = 0, cut = 0; i < n; i++) {
        cut += ngx_webrtc_media_message_parse(buf, buf + i, &got) == NGX_OK;
    }

    tap_is_int(cut, 0, "transcode: never less than all of it");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *t = ok;

        /* little-endian, as every machine of ours is */

        ngx_memcpy((u_char *) t + bad[i].at, &bad[i].value, bad[i].size);

        n = written(&m);
        tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
                   NGX_DECLINED, "transcode: %s", bad[i].what);
    }

    for (i = 0; i < sizeof(hw) / sizeof(hw[0]); i++) {
        *t = ok;
        t->hw = hw[i];

        n = written(&m);
        tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
                   NGX_DECLINED, "transcode: no \"%s\"", hw[i].data);
    }

    *t = ok;
    t->width = 0;
    t->height = 0;
    t->fps = 0;
    t->bitrate = 0;
    t->key_ms = 0;

    n = written(&m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got), NGX_OK,
               "transcode: all of that may be left open");

    tap_ok(ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_TRANSCODE)
           && !ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_SOURCE)
           && !ngx_webrtc_media_fed(0)
           && !ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_KINDS),
           "which kinds are fed");
}


static void
test_picture(void)
{
    size_t                       n, i, cut;
    ngx_webrtc_media_message_t   m, got;
    ngx_webrtc_media_picture_t  *picture;

    static const struct {
        const char                  *what;
        ngx_webrtc_media_picture_t   picture;
        ngx_int_t                    rc;
    } rows[] = {
        { "as it is", { 0, 80, 0, 0 }, NGX_OK },
        { "all of it", { 1, 100, NGX_WEBRTC_MEDIA_SIZE, NGX_WEBRTC_MEDIA_SIZE },
          NGX_OK },
        { "no such format", { 2, 80, 0, 0 }, NGX_DECLINED },
        { "no quality", { 0, 0, 0, 0 }, NGX_DECLINED },
        { "too good", { 0, 101, 0, 0 }, NGX_DECLINED },
        { "too wide", { 0, 80, NGX_WEBRTC_MEDIA_SIZE + 1, 0 }, NGX_DECLINED },
        { "too high", { 0, 80, 0, NGX_WEBRTC_MEDIA_SIZE + 1 }, NGX_DECLINED },
    };

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_PICTURE;
    ngx_str_set(&m.u.start.name, "studio");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m.u.start.picture = rows[i].picture;

        n = written(&m);
        tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
                   rows[i].rc, "picture: %s", rows[i].what);

        picture = &got.u.start.picture;

        if (rows[i].rc == NGX_OK) {
            tap_ok(picture->webp == rows[i].picture.webp
                   && picture->quality == rows[i].picture.quality
                   && picture->width == rows[i].picture.width
                   && picture->height == rows[i].picture.height,
                   "picture: %s, read", rows[i].what);
        }
    }

    m.u.start.picture = rows[0].picture;
    n = written(&m);

    for (i = 0, cut = 0; i < n; i++) {
        cut += ngx_webrtc_media_message_parse(buf, buf + i, &got) == NGX_OK;
    }

    tap_is_int(cut, 0, "picture: never less than all of it");
    tap_ok(ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_PICTURE)
           && !ngx_webrtc_media_filed(NGX_WEBRTC_MEDIA_PICTURE),
           "picture: it is fed, and has no file");
}


static void
test_note(void)
{
    size_t                       n;
    ngx_uint_t                   i;
    ngx_webrtc_media_note_t     *note;
    ngx_webrtc_media_message_t   m, got;

    /* offsets of bytes that decide, and values that are refused there */

    static const struct {
        size_t       at;
        u_char       value;
        const char  *what;
    } bad[] = {
        { 1, 0, "no type" },
        { 1, 7, "another type" },
        { 3, 4, "no such upstream" },
        { 8, 3, "three tracks" },
        { 9, NGX_WEBRTC_AUDIO, "a codec of another kind" },
        { 10, NGX_WEBRTC_CODEC_N, "no such codec" },
        { 11, 3, "three channels" },
        { 12, 8, "an unknown flag" },
        { 13, 8, "more than a turn" },
        { 14, 8, "an unknown trait" },
        { 15, 17, "samples of 17 bits" },
        { 16, 5, "no such chroma" },
    };

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_NOTE;

    note = &m.u.note;
    note->type = NGX_WEBRTC_MEDIA_UP;
    note->from = 1;
    note->ntracks = 2;

    ngx_webrtc_codec_track(ngx_webrtc_codec(NGX_WEBRTC_CODEC_H264),
                           &note->tracks[0], 0);
    note->tracks[0].profile = 0x42e01f;
    note->tracks[0].width = 1280;
    note->tracks[0].height = 720;
    note->tracks[0].cvo = 3;
    note->tracks[0].traits = NGX_WEBRTC_TRACK_REORDERED
                             |NGX_WEBRTC_TRACK_INTERLACED;
    note->tracks[0].depth = 10;
    note->tracks[0].chroma = NGX_WEBRTC_CHROMA_422;
    ngx_webrtc_codec_track(ngx_webrtc_codec(NGX_WEBRTC_CODEC_OPUS),
                           &note->tracks[1], 2);
    note->tracks[1].flags = NGX_WEBRTC_TRACK_PENDING;

    n = written(&m);

    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got), NGX_OK,
               "up: read");
    tap_ok(ngx_memcmp(note->tracks, got.u.note.tracks, sizeof(note->tracks))
           == 0, "up: the same tracks");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        n = written(&m);
        buf[bad[i].at] = bad[i].value;

        tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
                   NGX_DECLINED, "up: %s", bad[i].what);
    }

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_NOTE;
    note->type = NGX_WEBRTC_MEDIA_LOG;
    note->level = NGX_LOG_WARN;
    note->len = 8;
    ngx_memcpy(note->text, "a\nb\x1b\xff" "c\0d", 8);

    n = written(&m);

    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got), NGX_OK,
               "log: read");
    tap_ok(got.u.note.len == 8
           && ngx_memcmp(got.u.note.text, "a?b??c?d", 8) == 0,
           "log: one line of printable text");

    note->level = NGX_LOG_EMERG;
    n = written(&m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "log: no alert of somebody else's");
}


static void
test_others(void)
{
    size_t                       n;
    ngx_uint_t                   i;
    ngx_webrtc_media_message_t   m, got;

    static const u_char  wrong[][2] = {
        { 0, 0 }, { NGX_WEBRTC_MEDIA_BITRATE + 1, 0 }, { 255, 0 },
        { NGX_WEBRTC_MEDIA_KEYFRAME, 0 }, { NGX_WEBRTC_MEDIA_BITRATE, 0 },
        { NGX_WEBRTC_MEDIA_GO, 0 },
        { NGX_WEBRTC_MEDIA_PING, 0 },
        { NGX_WEBRTC_MEDIA_ASK, NGX_WEBRTC_MEDIA_ADDR + 1 },
    };

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_PONG;
    m.number = 42;

    n = written(&m);
    tap_ok(ngx_webrtc_media_message_parse(buf, buf + n, &got) == NGX_OK
           && got.number == 42 && n == 1 + sizeof(uint32_t), "pong");

    m.type = NGX_WEBRTC_MEDIA_PORTS_ARE;
    m.u.ports.family = 2;
    m.u.ports.n = NGX_WEBRTC_MEDIA_PORTS;
    m.u.ports.ports[NGX_WEBRTC_MEDIA_PORTS - 1] = 65535;

    n = written(&m);
    tap_ok(ngx_webrtc_media_message_parse(buf, buf + n, &got) == NGX_OK
           && got.u.ports.n == NGX_WEBRTC_MEDIA_PORTS
           && got.u.ports.ports[NGX_WEBRTC_MEDIA_PORTS - 1] == 65535,
           "ports");

    buf[2] = NGX_WEBRTC_MEDIA_PORTS + 1;
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "ports: too many");

    m.type = NGX_WEBRTC_MEDIA_BITRATE;
    m.number = NGX_WEBRTC_MEDIA_BPS_MIN;

    n = written(&m);
    tap_ok(ngx_webrtc_media_message_parse(buf, buf + n, &got) == NGX_OK
           && got.number == NGX_WEBRTC_MEDIA_BPS_MIN, "bitrate");

    m.number = NGX_WEBRTC_MEDIA_BPS_MIN - 1;
    n = written(&m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "bitrate: too low");

    m.number = NGX_WEBRTC_MEDIA_BPS_MAX + 1;
    n = written(&m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "bitrate: too high");

    m.type = NGX_WEBRTC_MEDIA_KEYFRAME;
    n = written(&m);
    tap_ok(n == 1
           && ngx_webrtc_media_message_parse(buf, buf + n, &got) == NGX_OK
           && got.type == NGX_WEBRTC_MEDIA_KEYFRAME, "keyframe");

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ngx_memcpy(buf, wrong[i], 2);
        tap_is_int(ngx_webrtc_media_message_parse(buf, buf + 2, &got),
                   NGX_DECLINED, "two bytes: %d %d", wrong[i][0], wrong[i][1]);
    }

    tap_is_int(ngx_webrtc_media_message_parse(buf, buf, &got), NGX_DECLINED,
               "nothing");
}


static void
test_record(void)
{
    u_char                      b[NGX_WEBRTC_MEDIA_RECORD_HEAD + 3];
    ngx_uint_t                  i;
    ngx_webrtc_media_record_t   r, got;

    static const struct {
        uint8_t      type;
        uint8_t      track;
        int64_t      ts;
        int64_t      now_us;
        ngx_int_t    rc;
        const char  *what;
    } rows[] = {
        { NGX_WEBRTC_MEDIA_FRAME, 1, -5, 7, NGX_OK, "a frame" },
        { NGX_WEBRTC_MEDIA_END, 0, 0, 0, NGX_OK, "an end" },
        { 0, 0, 0, 0, NGX_DECLINED, "no type" },
        { NGX_WEBRTC_MEDIA_RECORDS, 0, 0, 0, NGX_DECLINED, "another type" },
        { NGX_WEBRTC_MEDIA_FRAME, 2, 0, 0, NGX_DECLINED, "a third track" },
        { NGX_WEBRTC_MEDIA_FRAME, 0, INT64_MAX, 0, NGX_DECLINED,
          "a time out of all time" },
        { NGX_WEBRTC_MEDIA_FRAME, 0, INT64_MIN, 0, NGX_DECLINED,
          "one before it" },
        { NGX_WEBRTC_MEDIA_FRAME, 0, 0, -1, NGX_DECLINED, "before 1970" },
        { NGX_WEBRTC_MEDIA_FRAME, 0, 0, INT64_MAX, NGX_DECLINED,
          "after the end of the world" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        r.type = rows[i].type;
        r.track = rows[i].track;
        r.value = 0x1234;
        r.ts = rows[i].ts;
        r.now_us = rows[i].now_us;

        ngx_webrtc_media_record_write(b, &r);

        tap_is_int(ngx_webrtc_media_record_parse(b, b + sizeof(b), &got),
                   rows[i].rc, "record: %s", rows[i].what);

        if (rows[i].rc == NGX_OK) {
            tap_ok(got.ts == r.ts && got.now_us == r.now_us
                   && got.value == 0x1234 && got.len == 3
                   && got.data == b + NGX_WEBRTC_MEDIA_RECORD_HEAD,
                   "record: %s, as written", rows[i].what);
        }
    }

    tap_is_int(ngx_webrtc_media_record_parse(b,
                                   b + NGX_WEBRTC_MEDIA_RECORD_HEAD - 1, &got),
               NGX_DECLINED, "record: less than a head");
}


static void
test_output(void)
{
    u_char                      *p, *copy;
    size_t                       n, i, cut;
    ngx_webrtc_media_message_t   m, got;
    static u_char                buf[256];

    ngx_memzero(&m, sizeof(ngx_webrtc_media_message_t));

    m.type = NGX_WEBRTC_MEDIA_START;
    m.u.start.kind = NGX_WEBRTC_MEDIA_OUTPUT;
    ngx_str_set(&m.u.start.output.format, "flv");
    ngx_str_set(&m.u.start.output.url, "rtmp://a/b");

    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    n = p ? p - buf : 0;

    tap_ok(n && ngx_webrtc_media_message_parse(buf, p, &got) == NGX_OK
           && got.u.start.output.format.len == 3
           && ngx_memcmp(got.u.start.output.format.data, "flv", 3) == 0
           && got.u.start.output.url.len == 10
           && ngx_memcmp(got.u.start.output.url.data, "rtmp://a/b", 10) == 0,
           "an output: written and read");

    cut = 0;

    for (i = 0; i < n; i++) {
        copy = malloc(i + 1);
        ngx_memcpy(copy, buf, i);
        cut += (ngx_webrtc_media_message_parse(copy, copy + i, &got)
                != NGX_DECLINED);
        free(copy);
    }

    tap_is_int(cut, 0, "an output: every prefix is refused");

    buf[n - 1] = 2;
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "an output: neither to be verified nor not");

    buf[n - 1] = 0;
    buf[n - 2] = '\0';
    tap_is_int(ngx_webrtc_media_message_parse(buf, buf + n, &got),
               NGX_DECLINED, "an output: NUL in its URL");

    ngx_str_set(&m.u.start.output.format, "matroskas");
    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, p, &got), NGX_DECLINED,
               "an output: a format that is too long");

    ngx_str_null(&m.u.start.output.format);
    p = ngx_webrtc_media_message_write(buf, buf + sizeof(buf), &m);
    tap_is_int(ngx_webrtc_media_message_parse(buf, p, &got), NGX_DECLINED,
               "an output: none");

    tap_ok(ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_OUTPUT)
           && ngx_webrtc_media_fed(NGX_WEBRTC_MEDIA_RECORD)
           && ngx_webrtc_media_filed(NGX_WEBRTC_MEDIA_RECORD)
           && !ngx_webrtc_media_filed(NGX_WEBRTC_MEDIA_OUTPUT),
           "an output: what it is given along");
}


int
main(void)
{
    test_output();
    test_start();
    test_transcode();
    test_movie();
    test_picture();
    test_note();
    test_others();
    test_record();

    return tap_done();
}
