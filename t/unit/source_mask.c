
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_source_mask.h"


typedef struct {
    const char  *url;
    const char  *text;
    const char  *name;         /* of the stream; NULL: as configured */
} row_t;


static const row_t  urls[] = {

    /* user information */

    { "http://h/live/a", "http://h/live/a", "cam" },
    { "rtsp://u:p@h/main", "rtsp://h/main", "cam" },
    { "http://u:p@ss@h:8080/a?token=secret#x", "http://h:8080/a?token=***",
      "cam" },
    { "http://u:p@", "http://", "cam" },
    { "http://:@h/a", "http://h/a", "cam" },
    { "http://h/a@b", "http://h/a@b", "cam" },
    { "http://h:80/a@b", "http://h:80/a@b", "cam" },
    { "http://[::1]/a@b", "http://[::1]/a@b", "cam" },
    { "http://[::1]:80/a@b", "http://[::1]:80/a@b", "cam" },
    { "rtsp://admin:pa/ss@h/main", "rtsp://h/main", "cam" },
    { "rtsp://admin:pa?ss@h/main", "rtsp://h/main", "cam" },
    { "rtsp://admin:1#2@h/main", "rtsp://admin:1#***", "cam" },
    { "http://h/http://u:p@other/x", "http://h/http://other/x", "cam" },
    { "rtsp://%75ser:s%65cret@h/a", "rtsp://h/a", "cam" },

    /* stream keys */

    { "rtmp://h/live/SECRETKEY", "rtmp://h/live/SE***", "cam" },
    { "rtmps://h/live/live_123456789_AbCdEf", "rtmps://h/live/live***", "cam" },
    { "RTMP://h/live/SECRETKEY", "RTMP://h/live/SE***", "cam" },
    { "rtmp://h:1935/live/inst/SECRETKEY/", "rtmp://h:1935/live/inst/SE***/",
      "cam" },
    { "rtmp://h/live/SECRETKEY//", "rtmp://h/live/SE***//", "cam" },
    { "rtmp://h/SECRETKEY", "rtmp://h/SE***", "cam" },
    { "rtmp://h/live/abc", "rtmp://h/live/***", "cam" },
    { "rtmp://h/live/x", "rtmp://h/live/*", "cam" },
    { "rtmp://h/live/key?token=secret", "rtmp://h/live/***?token=***", "cam" },
    { "rtmp://h/live/k=secret", "rtmp://h/live/k=***", "cam" },
    { "rtmp://h/live/k=secretkeyofmine", "rtmp://h/live/k=se***", "cam" },
    { "rtmp://h/live/mp4:key", "rtmp://h/live/m***", "cam" },
    { "rtmp://h/", "rtmp://h/", "cam" },
    { "rtmp://h", "rtmp://h", "cam" },

    /* unless they are the name */

    { "rtmp://h/live/cam", "rtmp://h/live/cam", "cam" },
    { "rtmp://h/live/cam", "rtmp://h/live/cam", "tenant/cam" },
    { "rtmp://h/live/cam", "rtmp://h/live/cam", "live-cam" },
    { "rtmp://h/live/cam", "rtmp://h/live/***", "webcam" },
    { "rtmp://h/live/$name", "rtmp://h/live/$name", NULL },
    { "rtmp://h/live/${name}", "rtmp://h/live/${name}", NULL },
    { "rtmp://h/live/$name", "rtmp://h/live/$***", "cam" },
    { "rtmp://h/live/SECRETKEY", "rtmp://h/live/SE***", NULL },
    { "http://h/a8f3c9d0e1b2a7c4d5/x", "http://h/a8f3c9d0e1b2a7c4d5/x",
      "a8f3c9d0e1b2a7c4d5" },

    /* tokens in paths of others */

    { "http://h/hls/a8f3c9d0e1b2a7c4d5/index.m3u8",
      "http://h/hls/a8f3***/index.m3u8", "cam" },
    { "https://h/SuperSecretKey2024XYZ.m3u8", "https://h/Supe***.m3u8",
      "cam" },
    { "http://h/vod/big_buck_bunny_720p_000012.ts",
      "http://h/vod/big_buck_bunny_720p_000012.ts", "cam" },
    { "rtsp://h/Streaming/Channels/101", "rtsp://h/Streaming/Channels/101",
      "cam" },
    { "rtsp://h/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
      "rtsp://h/user=***", "cam" },
    { "http://h/a;token=secret/b", "http://h/a;token=***/b", "cam" },
    { "http://h/token%3Dsecret/b", "http://h/token%3D***/b", "cam" },

    /* arguments */

    { "http://h?token=secret", "http://h?token=***", "cam" },
    { "http://h/a?token=se=cr=et&b=c&d", "http://h/a?token=***&b=*&*", "cam" },
    { "http://h/a?SECRET", "http://h/a?***", "cam" },
    { "http://h/a?c2VjcmV0==", "http://h/a?c2VjcmV0=*", "cam" },
    { "http://h/a?c2VjcmV0c2VjcmV0c2VjcmV0==", "http://h/a?***", "cam" },
    { "http://h/a?sec/ret=1", "http://h/a?***", "cam" },
    { "http://h/a?", "http://h/a?", "cam" },
    { "http://h/a?b=&&c=", "http://h/a?b=&&c=", "cam" },
    { "http://h/a#secret", "http://h/a#***", "cam" },
    { "srt://h:1?passphrase=secret&mode=caller&latency=200",
      "srt://h:1?passphrase=***&mode=caller&latency=200", "cam" },
    { "srt://h:1?streamid=#!::r=live/x,u=me,s=secret&mode=listener",
      "srt://h:1?streamid=***&mode=listener", "cam" },
    { "srt://h:1?mode=what/is/this", "srt://h:1?mode=***", "cam" },
    { "srt://h:1?latency=12345678901234567890", "srt://h:1?latency=***",
      "cam" },
    { "rtsp://h/cam/realmonitor?channel=1&subtype=0&pwd=secret",
      "rtsp://h/cam/realmonitor?channel=1&subtype=0&pwd=***", "cam" },

    /* files */

    { "/media/a b.mp4", "/media/a b.mp4", "cam" },
    { "/media/u:p@h?x=y", "/media/u:p@h?x=y", "cam" },
    { "file:/media/a8f3c9d0e1b2a7c4d5=x", "file:/media/a8f3c9d0e1b2a7c4d5=x",
      "cam" },

    /* what a configuration is refused for */

    { "rtmq://u:p@h/live", "rtmq://h/live", NULL },
    { "srt:h:1?passphrase=secret", "srt:h:1?passphrase=***", NULL },
    { "rtmp:/h/live/SECRETKEY", "rtmp:/h/live/SE***", NULL },
    { "admin:secret@h/main", "admin:h/main", NULL },
    { "a.mp4", "a.mp4", NULL },
    { "once", "once", NULL },
    { "://", "://", NULL },
    { ":", ":", NULL },
    { "", "", NULL },

    /* one line of printable text */

    { "http://h/\x01\xff\x1b[2J\r\n", "http://h/???[2J??", "cam" }
};


static const row_t  texts[] = {
    { "Cannot open tcp://u:p@h:1935?timeout=1 now",
      "Cannot open tcp://h:1935?timeout=1 now", "cam" },
    { "a 'http://u:p@h/x?token=y' b \"rtmp://k@h\"",
      "a 'http://h/x?token=*' b \"rtmp://h\"", "cam" },
    { "'http://h/a?t=sec'ret', not", "'http://h/a?t=***', not", "cam" },
    { "'http://h/a?t=sec ret'", "'http://h/a?t=***'", "cam" },
    { "'http://h/a?t=secret", "'http://h/a?t=***", "cam" },
    { "(http://h/a?t=secret): failed", "(http://h/a?t=***): failed", "cam" },
    { "rtmp://h/live/cam: failed", "rtmp://h/live/cam: failed", "cam" },
    { "rtmp://h/live/SECRETKEY: failed", "rtmp://h/live/SE***: failed", "cam" },
    { "crypto+https://u:p@h/seg.ts?token=secret",
      "crypto+https://h/seg.ts?token=***", "cam" },
    { "crypto:https://u:p@h/seg.ts", "crypto:https://h/seg.ts", "cam" },
    { "http://u:p@h/a http://u:p@h/b", "http://h/a http://h/b", "cam" },
    { "why? a@b", "why? a@b", "cam" },
    { "\x1b[2Jclear\r\nline\x7f", "?[2Jclear??line?", "cam" },
    { "c1 \xc2\x9b" "2J, not \xc3\x9f", "c1 ??2J, not \xc3\x9f", "cam" },
    { "://", "://", "cam" },
    { "://@", "://", "cam" },
    { "x ://@ y", "x :// y", "cam" },
    { ":/", ":/", "cam" },
    { "", "", "cam" }
};


/* pieces of a known URL */

static const struct {
    const char  *url;
    const char  *text;
    const char  *masked;
} pieces[] = {
    { "rtmp://h/live/SECRETKEY", "Stream not found: SECRETKEY",
      "Stream not found: ***" },
    { "rtmp://h/live/SECRETKEY", "live/SECRETKEY?, SECRETKEYSECRETKEY",
      "live/***?, ******" },
    { "rtmp://h/live/SECRET%20KEY", "no SECRET KEY here", "no *** here" },
    { "rtmp://h/live/SECRET KEY", "no SECRET%20KEY here", "no *** here" },
    { "rtmp://h/live/S%C3%A9CRET", "no S??CRET here", "no *** here" },
    { "rtmp://h/live/SECRETKEY", "cut: SECRETK", "cut: ***" },
    { "rtmp://h/live/SECRETKEY", "cut: SEC", "cut: SEC" },
    { "rtmp://h/live/cam", "no cam here", "no cam here" },
    { "rtmp://h/live/abc", "abc is too short", "abc is too short" },
    { "rtsp://admin:passw@h/main", "admin:passw@h, admin",
      "admin:***@h, admin" },
    { "rtsp://onlyuser@h/main", "onlyuser at h", "*** at h" },
    { "srt://h:1?passphrase=secret&streamid=user1",
      "passphrase secret of user1 %73ecret", "passphrase *** of *** ***" },
    { "http://h/a8f3c9d0e1b2a7c4d5/x.m3u8", "GET /a8f3c9d0e1b2a7c4d5/x.m3u8",
      "GET /***/x.m3u8" },
    { "file:/srv/a.mp4", "/srv/a.mp4: no", "/srv/a.mp4: no" }
};


static const char  *queries[][2] = {
    { "token=secret&session=0123&x", "token=***&session=0123&*" },
    { "session=", "session=" },
    { "sessions=1", "sessions=*" },
    { "mode=caller", "mode=caller" },
    { "a", "*" },
    { "", "" }
};


static ngx_str_t
str(const char *s)
{
    ngx_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


/* of its size, so that a sanitizer sees a byte too many */

static u_char *
dup_of(const char *s)
{
    u_char  *p;

    p = malloc(strlen(s) + (*s == '\0'));
    memcpy(p, s, strlen(s));

    return p;
}


static void
test_urls(void)
{
    size_t        i;
    u_char       *p, buf[512];
    ngx_str_t     url, name;
    const row_t  *row;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        row = &urls[i];

        url.data = dup_of(row->url);
        url.len = strlen(row->url);
        name = str(row->name ? row->name : "");

        p = ngx_webrtc_source_mask_url(buf, buf + sizeof(buf), &url,
                                       row->name ? &name : NULL);

        tap_is_mem((char *) buf, p - buf, row->text, strlen(row->text),
                   "\"%s\" of \"%s\"", row->url, row->name ? row->name : "");

        free(url.data);
    }

    url = str("rtmp://u:p@host/live/a");
    p = ngx_webrtc_source_mask_url(buf, buf + 9, &url, NULL);
    tap_is_mem((char *) buf, p - buf, "rtmp://ho", 9, "cut to the room");
}


static void
test_texts(void)
{
    size_t      i, n;
    u_char     *p;
    ngx_str_t   name, url;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        p = dup_of(texts[i].url);
        name = str(texts[i].name);

        n = ngx_webrtc_source_mask_text(p, strlen(texts[i].url), &name);

        tap_is_mem((char *) p, n, texts[i].text, strlen(texts[i].text),
                   "text %d: %s", (int) i, texts[i].text);
        free(p);
    }

    name = str("cam");

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        p = dup_of(pieces[i].text);
        url = str(pieces[i].url);

        n = ngx_webrtc_source_mask_secrets(p, strlen(pieces[i].text), &url,
                                           &name);

        tap_is_mem((char *) p, n, pieces[i].masked, strlen(pieces[i].masked),
                   "\"%s\" of %s", pieces[i].text, pieces[i].url);
        free(p);
    }
}


static void
test_queries(void)
{
    size_t   i, n;
    u_char  *p;

    static const ngx_str_t  plain[] = {
        ngx_string("session"), ngx_null_string
    };

    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        p = dup_of(queries[i][0]);

        n = ngx_webrtc_source_mask_query(p, strlen(queries[i][0]), plain);

        tap_is_mem((char *) p, n, queries[i][1], strlen(queries[i][1]),
                   "query \"%s\"", queries[i][0]);
        free(p);
    }
}


/* more arguments than there are spans for */

static void
test_many(void)
{
    int         i;
    char        buf[1024];
    u_char     *p, out[1024];
    ngx_str_t   url, name;

    strcpy(buf, "http://h/a?");

    for (i = 0; i < 60; i++) {
        snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf),
                 "a%d=secret%d&mode=x&", i, i);
    }

    url = str(buf);
    name = str("cam");

    p = ngx_webrtc_source_mask_url(out, out + sizeof(out), &url, &name);

    tap_ok(ngx_strlcasestrn(out, p, (u_char *) "secret", 5) == NULL
           && p - out > 300, "none of 60 values is seen");
}


int
main(void)
{
    test_urls();
    test_texts();
    test_queries();
    test_many();

    return tap_done();
}
