
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_source_url.h"


typedef struct {
    const char  *prefix;       /* literal part of the configuration */
    const char  *rest;         /* what a variable brought; NULL: none in it */
    ngx_int_t    rc;
} check_t;


static const check_t  checks[] = {

    /* as configured, without variables */

    { "rtmp://127.0.0.1/live/a", NULL, NGX_OK },
    { "rtmps://h/live/a?token=x", NULL, NGX_OK },
    { "RTMP://h/live/a", NULL, NGX_OK },
    { "http://u:p@h/a.ts", NULL, NGX_OK },
    { "https://[::1]:8443/a.m3u8", NULL, NGX_OK },
    { "tcp://127.0.0.1:9000?timeout=1000000", NULL, NGX_OK },
    { "udp://239.0.0.1:1234?pkt_size=1316", NULL, NGX_OK },
    { "srt://h:9000?mode=caller", NULL, NGX_OK },
    { "rtsp://h/stream", NULL, NGX_OK },
    { "unix:/run/a.sock", NULL, NGX_OK },
    { "file:/media/a b.mp4", NULL, NGX_OK },
    { "file:///media/a.mp4", NULL, NGX_OK },
    { "/media/a.mp4", NULL, NGX_OK },

    { "", NULL, NGX_DECLINED },
    { "a.mp4", NULL, NGX_DECLINED },
    { "file:a.mp4", NULL, NGX_DECLINED },
    { "file://host/a.mp4", NULL, NGX_DECLINED },
    { "rtmp:/h/a", NULL, NGX_DECLINED },
    { "rtmp://", NULL, NGX_DECLINED },
    { "http:///a", NULL, NGX_DECLINED },
    { "concat:/a|/b", NULL, NGX_DECLINED },
    { "subfile,,start,0,end,9,,:/etc/passwd", NULL, NGX_DECLINED },
    { "data:text/plain,x", NULL, NGX_DECLINED },
    { "pipe:0", NULL, NGX_DECLINED },
    { "crypto:/a", NULL, NGX_DECLINED },
    { "cache:http://h/a", NULL, NGX_DECLINED },
    { "hls+file:/a.m3u8", NULL, NGX_DECLINED },
    { "gopher://h/a", NULL, NGX_DECLINED },
    { "rtmp://h/a\nb", NULL, NGX_DECLINED },

    /* the scheme */

    { "", "rtmp://h/live/a", NGX_DECLINED },
    { "rtm", "p://h/live/a", NGX_DECLINED },
    { "rtmp", "://h/live/a", NGX_DECLINED },
    { "rtmp", "s://h/live/a", NGX_DECLINED },
    { "rtmp:", "//h/live/a", NGX_DECLINED },
    { "rtmp://", "h/live/a", NGX_OK },
    { "rtmp://h/live/", "a", NGX_OK },
    { "rtmp://h/live/", "a?token=b", NGX_OK },
    { "http://h/live/", "a/b.ts?x=1&y=2", NGX_OK },

    /* user information */

    { "rtmp://h", "@evil/live/a", NGX_DECLINED },
    { "http://", "u:p@h/a", NGX_DECLINED },
    { "http://u:p@", "h/a", NGX_OK },
    { "http://h/", "a@b", NGX_OK },
    { "http://h", ":80/a", NGX_OK },

    /* segments */

    { "http://h/live/", "..", NGX_DECLINED },
    { "http://h/live/", "../admin", NGX_DECLINED },
    { "http://h/live/", "a/../../admin", NGX_DECLINED },
    { "http://h/live/", "%2e%2E/admin", NGX_DECLINED },
    { "http://h/live/", ".%2e/admin", NGX_DECLINED },
    { "http://h/live/", "a%2f..%2fb", NGX_DECLINED },
    { "http://h/live/", "a%5C..%5Cb", NGX_DECLINED },
    { "http://h/live/", "..;x/admin", NGX_DECLINED },
    { "http://h/live/", "..?x", NGX_DECLINED },
    { "http://h/live/", "./a", NGX_DECLINED },
    { "http://h/live/", "a..b", NGX_OK },
    { "http://h/live/", "...", NGX_OK },
    { "http://h/live/", ".a", NGX_OK },
    { "http://h/live/.", "./admin", NGX_DECLINED },
    { "http://h/live/a", "./b", NGX_OK },
    { "http://h/../live/", "a", NGX_OK },

    /* bytes */

    { "rtmp://h/live/", "a b", NGX_DECLINED },
    { "rtmp://h/live/", "a\tb", NGX_DECLINED },
    { "rtmp://h/live/", "a\r\nHost: b", NGX_DECLINED },
    { "rtmp://h/live/", "a\\b", NGX_DECLINED },
    { "rtmp://h/live/", "a\x7f", NGX_DECLINED },
    { "rtmp://h/live/", "\xc3\xa9t\xc3\xa9", NGX_OK },

    /* options of libavformat */

    { "tcp://h:1", "?listen=1", NGX_DECLINED },
    { "udp://h:1?pkt_size=1316", "&fifo_size=1000000", NGX_DECLINED },
    { "srt://h:1", "?mode=listener", NGX_DECLINED },
    { "rtsp://h/", "a?tcp", NGX_DECLINED },
    { "tcp://h:", "9000", NGX_OK },

    /* files */

    { "/media/", "a.mp4", NGX_OK },
    { "/media/", "b/a.mp4", NGX_OK },
    { "/media/", "a:b.mp4", NGX_OK },
    { "/media/", "%2e%2e/a.mp4", NGX_DECLINED },
    { "file:/media/cam", "1.ts", NGX_OK },
    { "file:///media/", "a.ts", NGX_OK },
    { "/media/", "", NGX_DECLINED },
    { "/media/", "b/", NGX_DECLINED },
    { "/media/", "../etc/passwd", NGX_DECLINED },
    { "/media/", "a/..", NGX_DECLINED },
    { "/media/.", "./etc/passwd", NGX_DECLINED },
    { "/media/", "/etc/passwd", NGX_OK },        /* "//": stays below */
    { "/media/", "a|b", NGX_DECLINED },
    { "/", "etc/passwd", NGX_DECLINED },
    { "file:///", "etc/passwd", NGX_DECLINED },
    { "/med", "ia/a.mp4", NGX_DECLINED },
    { "file:", "/etc/passwd", NGX_DECLINED },
    { "unix:/run/cam/", "a.sock", NGX_OK },
    { "unix:/run/cam/", "../docker.sock", NGX_DECLINED }
};


static const char  *opens[][2] = {
    { "/media/a:b.mp4", "file:/media/a:b.mp4" },
    { "file:///media/a.mp4", "file:/media/a.mp4" },
    { "FILE:/media/a.mp4", "file:/media/a.mp4" },
    { "//media/a.mp4", "file:/media/a.mp4" },
    { "unix:/run/a.sock", "unix:/run/a.sock" },
    { "RtMp://Host/Live", "rtmp://Host/Live" },
    { "udp://h:1?a=b", "udp://h:1?a=b" }
};


static ngx_str_t
str(const char *s)
{
    ngx_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


int
main(void)
{
    char         buf[4096], *text;
    size_t       i, n;
    ngx_str_t    prefix, url;
    const char  *cause;

    for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {

        snprintf(buf, sizeof(buf), "%s%s", checks[i].prefix,
                 checks[i].rest ? checks[i].rest : "");

        prefix = str(checks[i].prefix);
        url = str(buf);
        cause = NULL;

        tap_is_int(ngx_webrtc_source_url_check(&prefix, &url, &cause),
                   checks[i].rc, "check \"%s\" + \"%s\"", checks[i].prefix,
                   checks[i].rest ? checks[i].rest : "(none)");

        if (checks[i].rc != NGX_OK) {
            tap_ok(cause != NULL, "  has a cause");
        }
    }

    prefix = str("rtmp://h/live/");
    url = str("rtmp://h/other/a");
    tap_is_int(ngx_webrtc_source_url_check(&prefix, &url, &cause),
               NGX_DECLINED, "another prefix");

    url.data = (u_char *) "rtmp://h/live/a\0b";
    url.len = 17;
    tap_is_int(ngx_webrtc_source_url_check(&prefix, &url, &cause),
               NGX_DECLINED, "NUL");

    memset(buf, 'a', sizeof(buf));
    memcpy(buf, "rtmp://h/live/", 14);
    url.data = (u_char *) buf;
    url.len = NGX_WEBRTC_SOURCE_URL_MAX;
    tap_is_int(ngx_webrtc_source_url_check(&prefix, &url, &cause), NGX_OK,
               "longest");
    url.len++;
    tap_is_int(ngx_webrtc_source_url_check(&prefix, &url, &cause),
               NGX_DECLINED, "too long");

    for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {

        url = str(opens[i][0]);
        n = strlen(opens[i][1]) + 1;

        /* of its size, so that a sanitizer sees a byte too many */
        text = malloc(n);

        tap_is_int(ngx_webrtc_source_url_open(&url, (u_char *) text, n - 1),
                   NGX_DECLINED, "open \"%s\": no room", opens[i][0]);
        tap_is_int(ngx_webrtc_source_url_open(&url, (u_char *) text, n),
                   NGX_OK, "open \"%s\"", opens[i][0]);
        tap_is_str(text, opens[i][1], "  gives \"%s\"", opens[i][1]);

        free(text);
    }

    return tap_done();
}
