
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Targets of webrtc_push: schemes, and what a variable may bring.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_target.h"
#include "ngx_webrtc_track.h"


static const struct {
    const char  *prefix;
    const char  *rest;         /* what a variable brought; NULL: none in it */
    ngx_int_t    conf;         /* as configured */
    ngx_int_t    url;          /* with it */
} rows[] = {

    { "rtmp://h/live/key", NULL, NGX_OK, NGX_OK },
    { "RTMPS://u:p@h:443/live/key?a=b", NULL, NGX_OK, NGX_OK },
    { "srt://h:9000?streamid=x", NULL, NGX_OK, NGX_OK },
    { "udp://239.0.0.1:5000?ttl=4", NULL, NGX_OK, NGX_OK },
    { "tcp://[::1]:5000", NULL, NGX_OK, NGX_OK },
    { "rtsps://h/a", NULL, NGX_OK, NGX_OK },
    { "whip://h/a?b", NULL, NGX_OK, NGX_OK },
    { "WHIPS://u:p@[::1]:8443/a", NULL, NGX_OK, NGX_OK },

    { "rtmp://h/live/", "key", NGX_OK, NGX_OK },
    { "rtmp://h/live/", "key?bandwidthtest=true", NGX_OK, NGX_OK },
    { "srt://h:9000?streamid=", "publish:a", NGX_OK, NGX_OK },

    { "whip://h/", "a?key=b", NGX_OK, NGX_OK },
    { "whips://h/a?key=", "b", NGX_OK, NGX_OK },

    { "", "rtmp://h/live/key", NGX_DECLINED, NGX_DECLINED },
    { "whip://", "h/a", NGX_DECLINED, NGX_OK },
    { "whip", "s://h/a", NGX_DECLINED, NGX_DECLINED },
    { "whips://h.", "example.com/a", NGX_DECLINED, NGX_OK },
    { "whip://h/", "../a", NGX_OK, NGX_DECLINED },
    { "whip://h/", "a\r\nX: y", NGX_OK, NGX_DECLINED },
    { "rtmp://", "h/live/key", NGX_DECLINED, NGX_OK },
    { "rtmp://h.", "example.com/a", NGX_DECLINED, NGX_OK },
    { "rtmp://h/", "../a", NGX_OK, NGX_DECLINED },
    { "rtmp://h/", "a b", NGX_OK, NGX_DECLINED },
    { "srt://h:9000?streamid=", "a&passphrase=b", NGX_OK, NGX_DECLINED },
    { "rtsp://h/", "a?udp", NGX_OK, NGX_DECLINED },

    { "rtmp://", NULL, NGX_DECLINED, NGX_DECLINED },
    { "rtmp:/h/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "file:/tmp/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "/tmp/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "http://h/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "unix:/tmp/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "tee:rtmp://h/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "rtmpt://h/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "rtmp", NULL, NGX_DECLINED, NGX_DECLINED },
    { "whip", NULL, NGX_DECLINED, NGX_DECLINED },
    { "whip:h/a", NULL, NGX_DECLINED, NGX_DECLINED },
    { "whip://", NULL, NGX_DECLINED, NGX_DECLINED },
    { "", NULL, NGX_DECLINED, NGX_DECLINED },
};


static void
test_check(void)
{
    size_t       n;
    char         text[128];
    ngx_str_t    prefix, url;
    ngx_uint_t   i;
    const char  *cause;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        n = snprintf(text, sizeof(text), "%s%s", rows[i].prefix,
                     rows[i].rest ? rows[i].rest : "");

        prefix.data = (u_char *) text;
        prefix.len = strlen(rows[i].prefix);
        url.data = prefix.data;
        url.len = n;

        cause = NULL;

        tap_ok(ngx_webrtc_target_check_prefix(&prefix, rows[i].rest == NULL,
                                              &cause)
               == rows[i].conf && (rows[i].conf == NGX_OK || cause),
               "\"%s\" in the configuration", rows[i].prefix);

        cause = NULL;

        tap_ok(ngx_webrtc_target_check(&prefix, &url, &cause) == rows[i].url
               && (rows[i].url == NGX_OK || cause),
               "\"%s\" is used", text);
    }
}


static void
test_takes(void)
{
    ngx_str_t                   url = ngx_string("rtmp://h/a");
    ngx_str_t                   ts = ngx_string("srt://h:1");
    const ngx_webrtc_target_t  *target;

    target = ngx_webrtc_target(&url);

    tap_ok(target && strcmp(target->format, "flv") == 0
           && target->video == 1 << NGX_WEBRTC_CODEC_H264,
           "RTMP has H.264 alone");

    target = ngx_webrtc_target(&ts);

    tap_ok(target && strcmp(target->format, "ts-aac") == 0
           && strcmp(target->protocols, "srt") == 0
           && (target->video & 1 << NGX_WEBRTC_CODEC_H265),
           "SRT opens nothing but SRT");
}


int
main(void)
{
    test_check();
    test_takes();

    return tap_done();
}
