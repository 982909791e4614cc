
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ngx_webrtc_rtmp: what nginx-rtmp 1.2.2 has said to a client that asked for
 * a stream (t/data/corpus/rtmp), whole and in pieces; what is no RTMP; URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_rtmp.h>

#include "tap.h"


#define PLAYING  NGX_WEBRTC_RTMP_PLAYING
#define BEGIN    NGX_WEBRTC_RTMP_BEGIN
#define MEDIA    NGX_WEBRTC_RTMP_MEDIA

#define HANDSHAKE  (1 + 2 * 1536)


static ngx_str_t          app = ngx_string("live");
static ngx_str_t          name = ngx_string("cam");
static ngx_str_t          url = ngx_string("rtmp://127.0.0.1/live");
static ngx_webrtc_rtmp_t  r;

static u_char             data[65536];
static u_char             sent[16384];
static size_t             nsent;


static size_t
load(const char *file)
{
    char         path[1024];
    FILE        *f;
    size_t       n;
    const char  *root;

    root = getenv("WEBRTC_ROOT");

    snprintf(path, sizeof(path), "%s/t/data/corpus/rtmp/%s",
             root ? root : ".", file);

    f = fopen(path, "r");
    if (f == NULL) {
        return 0;
    }

    n = fread(data, 1, sizeof(data), f);
    fclose(f);

    return n;
}


static void
take(void)
{
    ngx_memcpy(sent + nsent, r.out, r.nout);
    nsent += r.nout;
    r.nout = 0;
}


/* in pieces of "step" bytes, as the caller does it */

static ngx_int_t
feed(u_char *p, size_t n, size_t step)
{
    size_t     len;
    ngx_int_t  rc;

    nsent = 0;
    ngx_webrtc_rtmp_init(&r, &app, &name, &url);
    take();

    rc = NGX_OK;

    for ( /* void */ ; n && rc == NGX_OK; n -= len, p += len) {
        len = ngx_min(n, step);
        rc = ngx_webrtc_rtmp_read(&r, p, p + len);
        take();
    }

    return rc;
}


static ngx_uint_t
has(const char *text, size_t n)
{
    size_t  i;

    for (i = 0; i + n <= nsent; i++) {
        if (ngx_memcmp(sent + i, text, n) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
test_recorded(void)
{
    size_t      n, step;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *file;
        ngx_int_t    rc;
        ngx_uint_t   seen;
    } rows[] = {
        { "live",    NGX_OK,       PLAYING|BEGIN|MEDIA },
        { "idle",    NGX_OK,       PLAYING },
        { "refused", NGX_DECLINED, 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        n = load(rows[i].file);
        tap_ok(n > HANDSHAKE, "%s is there", rows[i].file);

        for (step = 1; step <= n; step = step * 7 + 1) {
            rc = feed(data, n, step);
            tap_ok(rc == rows[i].rc && r.seen == rows[i].seen,
                   "%s by %d: %d, seen %d", rows[i].file, (int) step,
                   (int) rc, (int) r.seen);
        }
    }
}


static void
test_sent(void)
{
    (void) feed(data, load("idle"), 100);

    tap_ok(sent[0] == 3, "C0");
    tap_ok(ngx_memcmp(sent + 1 + 1536, data + 1, 1536) == 0, "C2 is S1");

    /* AMF 0: 02 string, 00 number, 05 null, 03 object */

    tap_ok(has("\x02\x00\x07" "connect\x00\x3f\xf0\0\0\0\0\0\0\x03", 20),
           "connect");
    tap_ok(has("\x00\x03" "app\x02\x00\x04" "live", 12), "app");
    tap_ok(has("\x02\x00\x0c" "createStream\x00\x40\0\0\0\0\0\0\0\x05", 25),
           "createStream");
    tap_ok(has("\x02\x00\x04" "play\x00\x40\x08\0\0\0\0\0\0\x05"
               "\x02\x00\x03" "cam", 23), "play");
    tap_ok(has("\x14\x01\x00\x00\x00\x02\x00\x04" "play", 12),
           "on the stream that was created, little-endian");
}


static void
test_long(void)
{
    u_char     text[NGX_WEBRTC_RTMP_URL];
    size_t     n;
    ngx_str_t  a, u, m;

    /* the longest that there is fits, taken away or not */

    ngx_memset(text, 'x', sizeof(text));

    a.data = m.data = u.data = text;
    a.len = m.len = NGX_WEBRTC_RTMP_NAME;
    u.len = NGX_WEBRTC_RTMP_URL;

    n = load("idle");
    ngx_webrtc_rtmp_init(&r, &a, &m, &u);

    tap_ok(ngx_webrtc_rtmp_read(&r, data, data + n) == NGX_OK
           && r.seen == PLAYING, "the longest names");
    tap_ok(r.nout > HANDSHAKE + 2 * NGX_WEBRTC_RTMP_NAME + NGX_WEBRTC_RTMP_URL
           && r.nout <= NGX_WEBRTC_RTMP_OUT, "all of it");
}


static void
test_chunks(void)
{
    size_t      n;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *name;
        const char  *p;
        size_t       n;
        ngx_int_t    rc;
        ngx_uint_t   seen;
    } rows[] = {
        { "video", "\x06\0\0\0\0\0\x01\x09\1\0\0\0x", 13, NGX_OK, MEDIA },
        { "sound, as its header is there",
          "\x06\0\0\0\0\0\x05\x08\1\0\0\0", 12, NGX_OK, MEDIA },
        { "empty sound", "\x06\0\0\0\0\0\0\x08\1\0\0\0", 12, NGX_OK, 0 },
        { "csid of two bytes", "\x00\x11\0\0\0\0\0\x01\x09\1\0\0\0x", 14,
          NGX_OK, MEDIA },
        { "csid of three bytes", "\x01\x11\x22\0\0\0\0\0\x01\x09\1\0\0\0x",
          15, NGX_OK, MEDIA },
        { "extended timestamp, again in type 3",
          "\x02\xff\xff\xff\0\0\x04\x01\0\0\0\0\1\2\3\4\0\0\0\1"
          "\x05\xff\xff\xff\0\0\x02\x12\0\0\0\0\1\2\3\4x\xc5\1\2\3\4y"
          "\x06\0\0\0\0\0\x01\x09\1\0\0\0x", 56, NGX_OK, MEDIA },
        { "interleaved messages",
          "\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0\0\2"
          "\x05\0\0\0\0\0\x04\x14\0\0\0\0ab"
          "\x06\0\0\0\0\0\x03\x09\1\0\0\0xy\xc6z", 47, NGX_OK, MEDIA },
        { "type 1, 2", "\x05\0\0\0\0\0\x02\x0f\1\0\0\0xx"
          "\x45\0\0\1\0\0\1\x0fx\x85\0\0\1x", 28, NGX_OK, 0 },
        { "begin before play", "\x02\0\0\0\0\0\x06\x04\0\0\0\0\0\0\0\0\0\1",
          18, NGX_OK, 0 },
        { "type 3 of nothing", "\xc6", 1, NGX_DECLINED, 0 },
        { "type 1 of nothing", "\x46\0\0\1\0\0\1\x09", 8, NGX_DECLINED, 0 },
        { "chunk size 0", "\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0\0\0", 16,
          NGX_DECLINED, 0 },
        { "chunk size with the first bit",
          "\x02\0\0\0\0\0\x04\x01\0\0\0\0\x80\0\0\1", 16, NGX_DECLINED, 0 },
        { "chunk size of three bytes",
          "\x02\0\0\0\0\0\x03\x01\0\0\0\0\0\0\1", 15, NGX_DECLINED, 0 },
        { "command that is none", "\x03\0\0\0\0\0\x02\x14\0\0\0\0ab", 14,
          NGX_DECLINED, 0 },
        { "_error", "\x03\0\0\0\0\0\x12\x14\0\0\0\0\x02\0\x06_error"
          "\0\x3f\xf0\0\0\0\0\0\0", 30, NGX_DECLINED, 0 },
        { "more chunk streams than we keep",
          "\x02\0\0\0\0\0\0\x0f\0\0\0\0\x03\0\0\0\0\0\0\x0f\0\0\0\0"
          "\x04\0\0\0\0\0\0\x0f\0\0\0\0\x05\0\0\0\0\0\0\x0f\0\0\0\0"
          "\x06\0\0\0\0\0\0\x0f\0\0\0\0\x07\0\0\0\0\0\0\x0f\0\0\0\0"
          "\x08\0\0\0\0\0\0\x0f\0\0\0\0\x09\0\0\0\0\0\0\x0f\0\0\0\0"
          "\x0a\0\0\0\0\0\0\x0f\0\0\0\0", 108, NGX_DECLINED, 0 },
    };

    n = load("idle");
    tap_ok(n > HANDSHAKE, "a handshake");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        ngx_memcpy(data + HANDSHAKE, rows[i].p, rows[i].n);

        rc = feed(data, HANDSHAKE + rows[i].n, 1);
        tap_ok(rc == rows[i].rc && r.seen == rows[i].seen,
               "%s: %d, seen %d", rows[i].name, (int) rc, (int) r.seen);
    }

    data[0] = 'H';
    tap_ok(feed(data, 1, 1) == NGX_DECLINED, "not RTMP 3");
}


static ngx_uint_t
is(ngx_str_t *s, const char *text)
{
    return s->len == strlen(text) && ngx_memcmp(s->data, text, s->len) == 0;
}


static void
test_url(void)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_webrtc_rtmp_url_t   u;

    /* as FFmpeg 5.1 and 7.1 take them apart, -v debug: "app", "fname" */

    static const struct {
        const char  *url;
        const char  *host;              /* NULL: declined */
        int          port;
        const char  *base;
        const char  *app;
        const char  *name;
    } rows[] = {
        { "//h/live/cam", "h", 1935, "//h/live", "live", "cam" },
        { "//127.0.0.1:81/a/b/c", "127.0.0.1", 81, "//127.0.0.1:81/a/b",
          "a/b", "c" },
        { "//h/a/b/c/d", "h", 1935, "//h/a/b", "a/b", "c/d" },
        { "//[::1]:1/live/cam?t=1", "::1", 1, "//[::1]:1/live", "live",
          "cam?t=1" },
        { "//[::1]/live/x.flv", "::1", 1935, "//[::1]/live", "live", "x" },
        { "//h/live/x.mp4", NULL, 0, "", "", "" },
        { "//h/live/mp4:x", NULL, 0, "", "", "" },
        { "//h/ondemand/x", NULL, 0, "", "", "" },
        { "//h/x?slist=y/z", NULL, 0, "", "", "" },
        { "//u:p@h/live/cam", NULL, 0, "", "", "" },
        { "//h:0/live/cam", NULL, 0, "", "", "" },
        { "//h:65536/live/cam", NULL, 0, "", "", "" },
        { "//h:/live/cam", NULL, 0, "", "", "" },
        { "//[::1/live/cam", NULL, 0, "", "", "" },
        { "//[::1]x/live/cam", NULL, 0, "", "", "" },
        { "//h/live/", NULL, 0, "", "", "" },
        { "//h/live", NULL, 0, "", "", "" },
        { "//h//cam", NULL, 0, "", "", "" },
        { "//h/", NULL, 0, "", "", "" },
        { "//h", NULL, 0, "", "", "" },
        { "///live/cam", NULL, 0, "", "", "" },
        { "//", NULL, 0, "", "", "" },
        { "/h/live/cam", NULL, 0, "", "", "" },
        { "", NULL, 0, "", "", "" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        rc = ngx_webrtc_rtmp_url((u_char *) rows[i].url,
                                 (u_char *) rows[i].url + strlen(rows[i].url),
                                 &u);

        if (rows[i].host == NULL) {
            tap_ok(rc == NGX_DECLINED, "\"%s\" is left alone", rows[i].url);
            continue;
        }

        tap_ok(rc == NGX_OK && is(&u.host, rows[i].host)
               && u.port == rows[i].port, "\"%s\": host", rows[i].url);
        tap_ok(rc == NGX_OK && is(&u.base, rows[i].base), "base");
        tap_ok(rc == NGX_OK && is(&u.app, rows[i].app), "application");
        tap_ok(rc == NGX_OK && is(&u.name, rows[i].name), "name");
    }
}


int
main(void)
{
    test_recorded();
    test_sent();
    test_long();
    test_chunks();
    test_url();

    return tap_done();
}
