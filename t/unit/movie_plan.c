
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_movie_plan: what clients say, and what is done to a file for them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_plan.h"

#include "tap.h"


static ngx_webrtc_movie_t
movie(ngx_uint_t container, const char *tracks)
{
    char                      *p, *end, text[256];
    ngx_webrtc_movie_t         m;
    ngx_webrtc_movie_track_t  *t;

    ngx_memzero(&m, sizeof(ngx_webrtc_movie_t));

    m.container = (uint8_t) container;
    m.flags = NGX_WEBRTC_MOVIE_SEEKABLE|NGX_WEBRTC_MOVIE_TO_H264
              |NGX_WEBRTC_MOVIE_TO_AAC|NGX_WEBRTC_MOVIE_TO_OPUS;

    (void) ngx_cpystrn((u_char *) text, (u_char *) tracks, sizeof(text));

    /* "v:name" a picture of 1080 lines, "a:name", "s:name"; "!": default, "-":
       cannot be decoded, "=": cannot be in MP4 */

    for (p = strtok_r(text, " ", &end); p; p = strtok_r(NULL, " ", &end)) {
        t = &m.tracks[m.ntracks];

        t->kind = (p[0] == 'v') ? NGX_WEBRTC_MOVIE_VIDEO
                  : (p[0] == 'a') ? NGX_WEBRTC_MOVIE_AUDIO
                                  : NGX_WEBRTC_MOVIE_TEXT;
        t->flags = NGX_WEBRTC_MOVIE_COPY|NGX_WEBRTC_MOVIE_DECODE;
        t->stream = (uint16_t) m.ntracks++;
        t->height = (p[0] == 'v') ? 1080 : 0;

        for (p += 2; strchr("!-=", *p); p++) {
            if (*p == '!') {
                t->flags |= NGX_WEBRTC_MOVIE_DEFAULT;

            } else {
                t->flags &= ~(*p == '-' ? NGX_WEBRTC_MOVIE_DECODE
                                        : NGX_WEBRTC_MOVIE_COPY);
            }
        }

        t->codec_len = (uint8_t) strlen(p);
        memcpy(t->codec, p, t->codec_len);
        t->plain_len = 5;
        memcpy(t->plain, "plain", 5);
    }

    return m;
}


static ngx_int_t
said(const char *names, const char *max, ngx_webrtc_movie_accept_t *a)
{
    ngx_str_t  n, m;

    n.data = (u_char *) names;
    n.len = strlen(names);
    m.data = (u_char *) max;
    m.len = strlen(max);

    return ngx_webrtc_movie_accept(&n, &m, a);
}


static void
test_accept(void)
{
    ngx_uint_t                 i;
    u_char                     long_name[NGX_WEBRTC_MOVIE_ACCEPT + 2];
    ngx_webrtc_movie_accept_t  a;

    static const struct {
        const char  *names;
        const char  *max;
        ngx_int_t    rc;
        ngx_uint_t   n;
        ngx_uint_t   height;
    } rows[] = {
        { "avc1.640028,mp4a.40.2,opus", "720p", NGX_OK, 3, 720 },
        { "avc1.640028%2Cmp4a.40.2%2copus", "720", NGX_OK, 3, 720 },
        { "%22avc1.640028,%20mp4a.40.2%22", "", NGX_OK, 2, 0 },
        { "AVC1.640028,Opus", "", NGX_OK, 2, 0 },
        { "theora,avc1.640028,,nothing.at.all,", "", NGX_OK, 1, 0 },
        { "", "", NGX_OK, 0, 0 },
        { ",,,", "", NGX_OK, 0, 0 },
        { "%", "", NGX_OK, 0, 0 },
        { "%2", "", NGX_OK, 0, 0 },
        { "%zz,opus", "", NGX_OK, 1, 0 },
        { "opus%00,opus", "", NGX_OK, 1, 0 },
        { "opus-that-is-longer-than-any-name-can-be-in-here,opus", "",
          NGX_OK, 1, 0 },
        { "opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,"
          "opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,opus,"
          "opus,opus,opus,opus,opus,opus,opus,opus", "", NGX_OK, 32, 0 },
        { "opus", "0", NGX_DECLINED, 0, 0 },
        { "opus", "p", NGX_DECLINED, 0, 0 },
        { "opus", "tall", NGX_DECLINED, 0, 0 },
        { "opus", "720pp", NGX_DECLINED, 0, 0 },
        { "opus", "-720", NGX_DECLINED, 0, 0 },
        { "opus", "65536", NGX_DECLINED, 0, 0 },
        { "opus", "99999999999999999999999", NGX_DECLINED, 0, 0 },
        { "opus", "65535p", NGX_OK, 1, 65535 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        tap_is_int(said(rows[i].names, rows[i].max, &a), rows[i].rc,
                   "accept=%.40s&max=%s", rows[i].names, rows[i].max);

        if (rows[i].rc != NGX_OK) {
            continue;
        }

        tap_is_int(a.n, rows[i].n, "its names");
        tap_is_int(a.height, rows[i].height, "its height");
    }

    memset(long_name, 'x', sizeof(long_name));
    long_name[NGX_WEBRTC_MOVIE_ACCEPT + 1] = '\0';
    tap_is_int(said((char *) long_name, "", &a), NGX_DECLINED, "too long");
}


/* a picture of one name, a client of another */

static void
test_covers(void)
{
    ngx_int_t                  rc;
    u_char                     cause[NGX_WEBRTC_MOVIE_CAUSE];
    char                       track[64];
    ngx_uint_t                 i;
    ngx_webrtc_movie_t         m;
    ngx_webrtc_movie_plan_t    plan;
    ngx_webrtc_movie_accept_t  a;

    static const struct {
        const char  *accept;
        const char  *track;
        ngx_uint_t   yes;
    } rows[] = {
        { "avc1.640028", "avc1.640028", 1 },
        { "avc1.640028", "avc3.64001F", 1 },
        { "avc1.640028", "avc1.42E01E", 1 },
        { "avc1.640028", "avc1.4d401f", 1 },
        { "avc1.640028", "avc1.640032", 0 },     /* a higher level */
        { "avc1.42e01e", "avc1.64001e", 0 },     /* a higher profile */
        { "avc1.640028", "avc1.6E0028", 0 },     /* 10 bits */
        { "avc1.640028", "avc1.F40028", 0 },     /* 4:4:4 */
        { "avc1", "avc1.F40034", 1 },
        { "avc1.64", "avc1.640028", 1 },         /* no level, rare profile */
        { "hvc1.1.6.L120.B0", "hvc1.1.6.L93.90", 1 },
        { "hev1.1.6.L120.B0", "hvc1.1.6.L120.90", 1 },
        { "hvc1.1.6.L93.B0", "hvc1.1.6.L120.90", 0 },
        { "hvc1.1.6.L153.B0", "hvc1.2.4.L93.90", 0 },
        { "hvc1.2.4.L153.B0", "hvc1.1.6.L93.90", 1 },
        { "hvc1.2.4.L153.B0", "hvc1.4.10.L93.9E.8", 0 },
        { "hvc1", "hvc1.2.4.H153.90", 1 },
        { "av01.0.08M.08", "av01.0.05M.08", 1 },
        { "av01.0.08M.08", "av01.0.05M.10", 0 },
        { "av01.0.04M.10", "av01.0.05M.08", 0 },
        { "av01.0.08M.08", "av01.1.05M.08", 0 },
        { "vp09.00.51.08", "vp09.00.10.08", 1 },
        { "vp09.00.51.08", "vp09.02.10.10", 0 },
        { "vp9", "vp09.02.10.10", 1 },
        { "opus", "avc1.640028", 0 },
        { "mp4v.20.9", "mp4v.20", 0 },           /* who knows what it covers */
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) snprintf(track, sizeof(track), "v:%s", rows[i].track);

        m = movie(NGX_WEBRTC_MOVIE_OTHER, track);
        (void) said(rows[i].accept, "", &a);

        rc = ngx_webrtc_movie_plan(&m, &a, NGX_WEBRTC_MOVIE_REMUX, &plan,
                                   cause);

        tap_is_int(rc == NGX_OK && plan.copy == 1, rows[i].yes,
                   "%s %s %s", rows[i].accept,
                   rows[i].yes ? "covers" : "does not cover", rows[i].track);
    }
}


static void
test_plan(void)
{
    u_char                     cause[NGX_WEBRTC_MOVIE_CAUSE];
    ngx_uint_t                 i;
    ngx_webrtc_movie_t         m;
    ngx_webrtc_movie_plan_t    p;
    ngx_webrtc_movie_accept_t  a;

    enum { M4 = NGX_WEBRTC_MOVIE_MP4, WM = NGX_WEBRTC_MOVIE_WEBM,
           SO = NGX_WEBRTC_MOVIE_SOUND, OT = NGX_WEBRTC_MOVIE_OTHER,
           RX = NGX_WEBRTC_MOVIE_REMUX, ON = NGX_WEBRTC_MOVIE_ON,
           OFF = NGX_WEBRTC_MOVIE_OFF,
           V = NGX_WEBRTC_MOVIE_LEAVE, C = NGX_WEBRTC_MOVIE_AS_IS,
           H = NGX_WEBRTC_MOVIE_H264, A = NGX_WEBRTC_MOVIE_AAC,
           O = NGX_WEBRTC_MOVIE_OPUS };

    static const struct {
        const char  *name;
        ngx_uint_t   container;
        const char  *tracks;
        const char  *accept;
        const char  *max;
        ngx_uint_t   how;
        ngx_int_t    rc;
        ngx_uint_t   mode;
        ngx_int_t    video;         /* its place, -1: none */
        ngx_int_t    audio;
        ngx_uint_t   picture;       /* what becomes of it */
        ngx_uint_t   sound;
    } rows[] = {
        { "as it is", M4, "v:avc1.640028 a:mp4a.40.2",
          "avc1.640028,mp4a.40.2", "", RX, NGX_OK, OFF, 0, 0, V, V },
        { "WebM", WM, "v:vp8 a:opus", "vp8,opus", "", ON,
          NGX_OK, OFF, 0, 0, V, V },
        { "WebM for Safari", WM, "v:=vp8 a:opus", "avc1.640028,mp4a.40.2", "",
          ON, NGX_OK, ON, 0, 1, H, A },
        { "the same, remux", WM, "v:=vp8 a:opus", "avc1.640028,mp4a.40.2", "",
          RX, NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "MP3", SO, "a:mp3", "mp3", "", RX, NGX_OK, OFF, 0, 0, V, V },
        { "Matroska", OT, "v:avc1.640028 a:mp4a.40.2",
          "avc1.640028,mp4a.40.2", "", RX, NGX_OK, RX, 0, 1, C, C },
        { "AC-3 to AAC", OT, "v:avc1.640028 a:ac-3",
          "avc1.640028,mp4a.40.2,opus", "", RX, NGX_OK, RX, 0, 1, C, A },
        { "AC-3 to Opus", OT, "v:avc1.640028 a:ac-3",
          "avc1.640028,opus", "", RX, NGX_OK, RX, 0, 1, C, O },
        { "AC-3 as it is", OT, "v:avc1.640028 a:ac-3",
          "avc1.640028,ac-3", "", RX, NGX_OK, RX, 0, 1, C, C },
        { "AC-3 in MP4", M4, "v:avc1.640028 a:ac-3",
          "avc1.640028,mp4a.40.2", "", RX, NGX_OK, RX, 0, 1, C, A },
        { "sound that nobody makes", OT, "v:avc1.640028 a:ac-3",
          "avc1.640028,vorbis", "", RX, NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "sound that is no use, another is", OT,
          "v:avc1.640028 a:!-dtsc a:ac-3", "avc1.640028,mp4a.40.2", "", RX,
          NGX_OK, RX, 0, 2, C, A },
        { "HEVC, remux", OT, "v:hvc1.1.6.L93.B0 a:ac-3",
          "avc1.640028,mp4a.40.2", "", RX, NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "HEVC, on", OT, "v:hvc1.1.6.L93.B0 a:ac-3",
          "avc1.640028,mp4a.40.2", "", ON, NGX_OK, ON, 0, 1, H, A },
        { "HEVC, on, as it is", OT, "v:hvc1.1.6.L93.B0 a:ac-3",
          "hvc1.1.6.L93.B0,avc1.640028,mp4a.40.2", "", ON, NGX_OK, RX, 0, 1, C,
          A },
        { "no decoder", OT, "v:-vvc1 a:ac-3", "avc1.640028,mp4a.40.2", "", ON,
          NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "no H.264 for the client", OT, "v:hvc1.1.6.L93.B0", "vp8,opus", "",
          ON, NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "too large", M4, "v:avc1.640028 a:mp4a.40.2",
          "avc1.640028,mp4a.40.2", "720p", ON, NGX_OK, ON, 0, 1, H, C },
        { "too large, remux cannot help", M4, "v:avc1.640028 a:mp4a.40.2",
          "avc1.640028,mp4a.40.2", "720p", RX, NGX_OK, OFF, 0, 0, V, V },
        { "as large as that", M4, "v:avc1.640028 a:mp4a.40.2",
          "avc1.640028,mp4a.40.2", "1080p", ON, NGX_OK, OFF, 0, 0, V, V },
        { "defaults", OT,
          "v:avc1.640028 v:!avc1.64001f a:opus a:!opus s:subrip",
          "avc1.640028,opus", "", RX, NGX_OK, RX, 1, 3, C, C },
        { "a picture alone", OT, "v:avc1.640028", "avc1.640028", "", RX,
          NGX_OK, RX, 0, -1, C, V },
        { "sound alone", OT, "a:dtsc", "avc1.640028,mp4a.40.2", "", RX,
          NGX_OK, RX, -1, 0, V, A },
        { "subtitles alone", OT, "s:subrip", "avc1.640028", "", RX,
          NGX_OK, OFF, 0, 0, V, V },
        { "no media", OT, "", "avc1.640028", "", RX, NGX_OK, OFF, 0, 0, V, V },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m = movie(rows[i].container, rows[i].tracks);
        (void) said(rows[i].accept, rows[i].max, &a);

        tap_is_int(ngx_webrtc_movie_plan(&m, &a, rows[i].how, &p, cause),
                   rows[i].rc, "%s", rows[i].name);

        if (rows[i].rc != NGX_OK) {
            tap_ok(strstr((char *) cause, "codec plain ("), "%s: the cause",
                   rows[i].name);
            continue;
        }

        tap_is_int(p.mode, rows[i].mode, "%s: mode", rows[i].name);

        if (rows[i].mode == NGX_WEBRTC_MOVIE_OFF) {
            continue;
        }

        tap_is_int(p.video, rows[i].video == -1 ? NGX_WEBRTC_MOVIE_NONE
                                                : rows[i].video,
                   "%s: which picture", rows[i].name);
        tap_is_int(p.audio, rows[i].audio == -1 ? NGX_WEBRTC_MOVIE_NONE
                                                : rows[i].audio,
                   "%s: which sound", rows[i].name);

        if (rows[i].video != -1) {
            tap_is_int(ngx_webrtc_movie_action(&m, &p, p.video, 0),
                       rows[i].picture, "%s: the picture", rows[i].name);
        }

        if (rows[i].audio != -1) {
            tap_is_int(ngx_webrtc_movie_action(&m, &p, p.audio, 0),
                       rows[i].sound, "%s: the sound", rows[i].name);
        }
    }
}


static void
test_qualities(void)
{
    u_char                     cause[NGX_WEBRTC_MOVIE_CAUSE];
    uint16_t                   h[NGX_WEBRTC_MOVIE_QUALITIES];
    ngx_webrtc_movie_t         m;
    ngx_webrtc_movie_plan_t    p;
    ngx_webrtc_movie_accept_t  a;

    m = movie(NGX_WEBRTC_MOVIE_OTHER, "v:avc1.640028 a:opus");

    (void) said("avc1.640028,opus", "", &a);
    (void) ngx_webrtc_movie_plan(&m, &a, NGX_WEBRTC_MOVIE_REMUX, &p, cause);
    tap_is_int(ngx_webrtc_movie_qualities(&m, &p, h), 1, "remux: one quality");
    tap_is_int(h[0], 1080, "the file's");

    (void) ngx_webrtc_movie_plan(&m, &a, NGX_WEBRTC_MOVIE_ON, &p, cause);
    tap_is_int(ngx_webrtc_movie_qualities(&m, &p, h), 5, "on: five");
    tap_is_int(h[1], 720, "the next");
    tap_is_int(h[4], 240, "the last");
    tap_is_int(ngx_webrtc_movie_action(&m, &p, 0, h[0]),
               NGX_WEBRTC_MOVIE_AS_IS, "the first one is the file's");
    tap_is_int(ngx_webrtc_movie_action(&m, &p, 0, h[1]),
               NGX_WEBRTC_MOVIE_H264, "the next is made");

    (void) said("avc1.640028,opus", "480", &a);
    (void) ngx_webrtc_movie_plan(&m, &a, NGX_WEBRTC_MOVIE_ON, &p, cause);
    tap_is_int(ngx_webrtc_movie_qualities(&m, &p, h), 3, "max=480: three");
    tap_is_int(h[0], 480, "that is the first");
    tap_is_int(ngx_webrtc_movie_action(&m, &p, 0, 0), NGX_WEBRTC_MOVIE_H264,
               "which is made");

    m = movie(NGX_WEBRTC_MOVIE_OTHER, "a:opus");
    (void) ngx_webrtc_movie_plan(&m, &a, NGX_WEBRTC_MOVIE_ON, &p, cause);
    tap_is_int(ngx_webrtc_movie_qualities(&m, &p, h), 0, "sound: none");
}


static void
test_wire(void)
{
    size_t                   n, i;
    u_char                   buf[NGX_WEBRTC_MOVIE_SIZE], *p, *copy;
    ngx_webrtc_movie_t       m, back;
    ngx_webrtc_movie_plan_t  plan, same;

    m = movie(NGX_WEBRTC_MOVIE_MP4,
              "v:!avc1.640028 a:ac-3 a:-dtsc s:=subrip");
    m.duration_ms = 123456789;

    p = ngx_webrtc_movie_write(buf, buf + sizeof(buf), &m);
    tap_ok(p != NULL, "a movie is written");
    n = p - buf;

    tap_is_int(ngx_webrtc_movie_parse(buf, p, &back), NGX_OK, "and read");
    tap_ok(memcmp(&m, &back, sizeof(m)) == 0, "as it was");

    for (i = 0; i < n; i++) {

        /* in a block of its own: no byte behind it is read */

        copy = malloc(i + (i == 0));
        memcpy(copy, buf, i);

        if (ngx_webrtc_movie_parse(copy, copy + i, &back) == NGX_OK) {
            tap_ok(0, "%zu bytes of it are read", i);
        }

        free(copy);
    }

    tap_ok(ngx_webrtc_movie_write(buf, buf + n - 1, &m) == NULL,
           "no room for it");

    memcpy(&buf[11 + 10], "a\"b", 3);
    tap_is_int(ngx_webrtc_movie_parse(buf, p, &back), NGX_DECLINED,
               "a name that would need escaping");

    memset(&plan, 0, sizeof(plan));
    plan.mode = NGX_WEBRTC_MOVIE_ON;
    plan.audio = NGX_WEBRTC_MOVIE_NONE;
    plan.picture = NGX_WEBRTC_MOVIE_H264;
    plan.sound = NGX_WEBRTC_MOVIE_OPUS;
    plan.height = 720;
    plan.copy = 0x80000001;
    plan.scale = 1;

    p = ngx_webrtc_movie_plan_write(buf, buf + 12, &plan);
    tap_is_int(p - buf, 12, "a plan is 12 bytes, as of a slot");
    tap_ok(ngx_webrtc_movie_plan_read(buf, p, &same) == p, "and read");
    tap_ok(memcmp(&plan, &same, sizeof(plan)) == 0, "as it was");

    for (i = 0; i < 6; i++) {
        buf[i] ^= 0x60;
        tap_ok(ngx_webrtc_movie_plan_read(buf, p, &same) == NULL,
               "byte %zu of it is wrong", i);
        buf[i] ^= 0x60;
    }
}


int
main(void)
{
    test_accept();
    test_covers();
    test_plan();
    test_qualities();
    test_wire();

    return tap_done();
}
