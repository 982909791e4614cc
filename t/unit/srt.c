
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an SRT caller asks for, and the frames between its gateway and nginx.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_srt_link.h"
#include "ngx_webrtc_srt_streamid.h"


static void
test_streamid(void)
{
    size_t                    i;
    ngx_int_t                 rc;
    ngx_str_t                 id;
    ngx_webrtc_srt_request_t  r;

    static const struct {
        const char  *streamid, *uri, *host, *cause;
    } rows[] = {
        { "cam", "/cam", "", NULL },
        { "live/cam", "/live/cam", "", NULL },
        { "/live/cam/", "/live/cam", "", NULL },
        { "live/cam?token=x&y=1", "/live/cam?token=x&y=1", "", NULL },
        { "a b", "/a b", "", NULL },
        { "#cam", "/#cam", "", NULL },
        { "#!::r=live/cam,m=publish", "/live/cam", "", NULL },
        { "#!::m=publish,r=live/cam", "/live/cam", "", NULL },
        { "#!::r=cam", "/cam", "", NULL },
        { "#!::r=/live/cam,m=publish,u=me,s=12", "/live/cam?u=me&s=12", "",
          NULL },
        { "#!::u=me,r=cam?token=x,m=publish", "/cam?token=x&u=me", "", NULL },
        { "#!::r=cam,t=stream,h=media.example.com", "/cam",
          "media.example.com", NULL },
        { "#!::r=cam,token=a=b,", "/cam?token=a=b", "", NULL },
        { "#!::r=cam,,u=", "/cam?u=", "", NULL },

        { "", NULL, NULL, "has no streamid" },
        { "/", NULL, NULL, "leads elsewhere" },
        { "?x", NULL, NULL, "leads elsewhere" },
        { "../cam", NULL, NULL, "leads elsewhere" },
        { "live/%2e./cam", NULL, NULL, "leads elsewhere" },
        { "#!::r=../cam", NULL, NULL, "leads elsewhere" },
        { "#!::", NULL, NULL, "no name of a stream" },
        { "#!::m=publish", NULL, NULL, "no name of a stream" },
        { "#!::r=,m=publish", NULL, NULL, "no name of a stream" },
        { "#!::r=cam,m=request", NULL, NULL, "asks for a stream" },
        { "#!::r=cam,m=bidirectional", NULL, NULL, "asks for a stream" },
        { "#!::r=cam,m=", NULL, NULL, "asks for a stream" },
        { "#!::r=cam,t=file", NULL, NULL, "is no stream" },
        { "#!::r=cam,r=other", NULL, NULL, "twice" },
        { "#!::r=cam,m=publish,m=publish", NULL, NULL, "twice" },
        { "#!::r=cam,x", NULL, NULL, "without a value" },
        { "#!::r=cam,=x", NULL, NULL, "no word" },
        { "#!::r=cam,a&b=x", NULL, NULL, "no word" },
        { "#!:{r: cam}", NULL, NULL, "not \"#!::\"" },
        { "#!", NULL, NULL, "not \"#!::\"" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        id.data = (u_char *) rows[i].streamid;
        id.len = strlen(rows[i].streamid);

        r.cause = "";
        rc = ngx_webrtc_srt_streamid(&id, &r);

        if (rows[i].uri) {
            tap_ok(rc == NGX_OK
                   && r.uri.len == strlen(rows[i].uri)
                   && memcmp(r.uri.data, rows[i].uri, r.uri.len) == 0
                   && r.host.len == strlen(rows[i].host)
                   && (r.host.len == 0
                       || memcmp(r.host.data, rows[i].host, r.host.len) == 0),
                   "\"%s\" is %s", rows[i].streamid, rows[i].uri);
            continue;
        }

        tap_ok(rc == NGX_DECLINED && strstr(r.cause, rows[i].cause) != NULL,
               "\"%s\": %s", rows[i].streamid, rows[i].cause);
        tap_ok((strncmp(rows[i].cause, "asks", 4) == 0
                || strncmp(rows[i].cause, "is no", 5) == 0)
               == (r.refusal == NGX_WEBRTC_SRT_MODE),
               "\"%s\": its mode, or not", rows[i].streamid);
    }
}


static void
test_streamid_long(void)
{
    size_t                    i;
    ngx_str_t                 id;
    u_char                    buf[NGX_WEBRTC_SRT_STREAMID + 1];
    ngx_webrtc_srt_request_t  r;

    memset(buf, 'a', sizeof(buf));

    id.data = buf;
    id.len = NGX_WEBRTC_SRT_STREAMID;

    tap_ok(ngx_webrtc_srt_streamid(&id, &r) == NGX_OK && r.uri.len == 513,
           "the longest one");

    id.len++;

    tap_ok(ngx_webrtc_srt_streamid(&id, &r) == NGX_DECLINED, "a longer one");

    /* keys of two bytes, as many as there is room for */

    memcpy(buf, "#!::r=a,", 8);

    for (i = 8; i + 3 <= NGX_WEBRTC_SRT_STREAMID; i += 3) {
        memcpy(buf + i, "b=,", 3);
    }

    id.len = i;

    tap_ok(ngx_webrtc_srt_streamid(&id, &r) == NGX_OK
           && r.uri.len <= NGX_WEBRTC_SRT_URI,
           "the most keys");
}


/* every beginning of a frame needs more; returns it whole */

static ngx_int_t
whole(u_char *begin, u_char *end, ngx_webrtc_srt_frame_t *frame)
{
    u_char  *p, *last;

    for (last = begin; last < end; last++) {
        p = begin;

        if (ngx_webrtc_srt_frame(&p, last, frame) != NGX_AGAIN || p != begin) {
            return NGX_ERROR;
        }
    }

    p = begin;

    return (ngx_webrtc_srt_frame(&p, end, frame) == NGX_OK && p == end)
           ? NGX_OK : NGX_ERROR;
}


static void
test_frames(void)
{
    u_char                   *p;
    u_char                    buf[2048];
    ngx_webrtc_srt_log_t      log, log2;
    ngx_webrtc_srt_stat_t     stat, stat2;
    ngx_webrtc_srt_frame_t    frame;
    ngx_webrtc_srt_config_t   config, config2;
    ngx_webrtc_srt_caller_t   caller, caller2;

    p = ngx_webrtc_srt_write_hello(buf, buf + sizeof(buf));

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && frame.type == NGX_WEBRTC_SRT_LINK_HELLO
           && ngx_webrtc_srt_read_hello(&frame) == NGX_OK,
           "hello");

    frame.data[0]++;

    tap_ok(ngx_webrtc_srt_read_hello(&frame) == NGX_DECLINED,
           "of another version");

    memset(&config, 0, sizeof(config));
    config.latency_ms = 70000;
    config.pbkeylen = 32;
    config.passphrase_len = NGX_WEBRTC_SRT_PASSPHRASE_MAX;
    memset(config.passphrase, 'p', NGX_WEBRTC_SRT_PASSPHRASE_MAX);

    p = ngx_webrtc_srt_write_config(buf, buf + sizeof(buf), &config);
    memset(&config2, 0, sizeof(config2));

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && frame.type == NGX_WEBRTC_SRT_LINK_CONFIG
           && ngx_webrtc_srt_read_config(&frame, &config2) == NGX_OK
           && memcmp(&config, &config2, sizeof(config)) == 0,
           "config");

    frame.len++;

    tap_ok(ngx_webrtc_srt_read_config(&frame, &config2) == NGX_DECLINED,
           "with a passphrase that is too long");

    log.level = NGX_WEBRTC_SRT_LOG_ERROR;
    log.text.data = (u_char *) "something";
    log.text.len = 9;

    p = ngx_webrtc_srt_write_log(buf, buf + sizeof(buf), &log);

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && frame.type == NGX_WEBRTC_SRT_LINK_LOG
           && ngx_webrtc_srt_read_log(&frame, &log2) == NGX_OK
           && log2.level == log.level && log2.text.len == 9
           && memcmp(log2.text.data, "something", 9) == 0,
           "log");

    frame.data[0] = 9;

    tap_ok(ngx_webrtc_srt_read_log(&frame, &log2) == NGX_DECLINED,
           "of a level that there is not");

    stat.rtt_us = 1;
    stat.received = 0xffffffff;
    stat.asked = 3;
    stat.lost = 4;

    p = ngx_webrtc_srt_write_stat(buf, buf + sizeof(buf), &stat);

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && frame.type == NGX_WEBRTC_SRT_LINK_STAT
           && ngx_webrtc_srt_read_stat(&frame, &stat2) == NGX_OK
           && memcmp(&stat, &stat2, sizeof(stat)) == 0,
           "stat");

    frame.len--;

    tap_ok(ngx_webrtc_srt_read_stat(&frame, &stat2) == NGX_DECLINED,
           "that is too short");

    memset(&caller, 0, sizeof(caller));
    caller.version = 0x010501;
    caller.addr.len = sizeof(struct sockaddr_in);
    caller.addr.u.in.sin_family = AF_INET;
    caller.addr.u.in.sin_port = htons(5000);
    caller.addr.u.in.sin_addr.s_addr = htonl(0xc0000201);
    caller.streamid.data = (u_char *) "live/cam";
    caller.streamid.len = 8;

    p = ngx_webrtc_srt_write_caller(buf, buf + sizeof(buf), &caller);

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && frame.type == NGX_WEBRTC_SRT_LINK_CALLER
           && ngx_webrtc_srt_read_caller(&frame, &caller2) == NGX_OK
           && caller2.version == caller.version
           && caller2.streamid.len == 8
           && memcmp(caller2.streamid.data, "live/cam", 8) == 0
           && caller2.addr.len == caller.addr.len
           && memcmp(&caller2.addr.u.in, &caller.addr.u.in,
                     sizeof(struct sockaddr_in)) == 0,
           "a caller by IPv4");

    frame.data[5] = 5;

    tap_ok(ngx_webrtc_srt_read_caller(&frame, &caller2) == NGX_DECLINED,
           "by what there is not");

    caller.addr.len = sizeof(struct sockaddr_in6);
    memset(&caller.addr.u, 0, sizeof(caller.addr.u));
    caller.addr.u.in6.sin6_family = AF_INET6;
    caller.addr.u.in6.sin6_port = htons(5000);
    memset(&caller.addr.u.in6.sin6_addr, 0x20, 16);
    caller.streamid.len = 0;

    p = ngx_webrtc_srt_write_caller(buf, buf + sizeof(buf), &caller);

    tap_ok(p && whole(buf, p, &frame) == NGX_OK
           && ngx_webrtc_srt_read_caller(&frame, &caller2) == NGX_OK
           && caller2.streamid.len == 0
           && memcmp(&caller2.addr.u.in6, &caller.addr.u.in6,
                     sizeof(struct sockaddr_in6)) == 0,
           "a caller by IPv6, without a streamid");

    frame.len--;

    tap_ok(ngx_webrtc_srt_read_caller(&frame, &caller2) == NGX_DECLINED,
           "without all of its address");

    tap_ok(ngx_webrtc_srt_write_caller(buf, buf + 20, &caller) == NULL,
           "and without room for it");
}


static void
test_garbage(void)
{
    size_t                  i;
    u_char                 *p;
    ngx_webrtc_srt_frame_t  frame;

    static const struct {
        u_char       head[4];
        const char  *name;
    } rows[] = {
        { { 0, 0, 0, 1 }, "no type" },
        { { NGX_WEBRTC_SRT_LINK_TYPES, 0, 0, 1 }, "a type that there is not" },
        { { NGX_WEBRTC_SRT_LINK_DATA, 1, 0, 1 }, "no zero" },
        { { NGX_WEBRTC_SRT_LINK_DATA, 0, 5, 221 }, "too much data" },
        { { NGX_WEBRTC_SRT_LINK_STAT, 0, 2, 129 }, "too much of another" },
        { { 'G', 'E', 'T', ' ' }, "HTTP" },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = (u_char *) rows[i].head;

        tap_ok(ngx_webrtc_srt_frame(&p, p + 4, &frame) == NGX_DECLINED,
               "%s", rows[i].name);
    }
}


int
main(void)
{
    test_streamid();
    test_streamid_long();
    test_frames();
    test_garbage();

    return tap_done();
}
