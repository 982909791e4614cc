
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_rtp": the words of the directive make a source of plain RTP.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_legs.h"
#include "ngx_webrtc_rtp_feed.h"
#include "ngx_webrtc_rtp_source.h"


typedef struct {
    ngx_webrtc_rtp_source_t     *rs;
    ngx_webrtc_source_ended_pt   ended;
    void                        *data;
    ngx_event_t                  end;         /* posted */
    ngx_log_t                    log;
    ngx_str_t                    name;        /* of the stream, behind */
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;
    unsigned                     failed:1;
} ngx_webrtc_rtp_feed_t;


static ngx_int_t ngx_webrtc_rtp_feed_check(const ngx_str_t *text,
    const ngx_str_t *name, const char **cause);
static void *ngx_webrtc_rtp_feed_start(const ngx_str_t *text,
    ngx_webrtc_source_ended_pt ended, void *data, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log);
static u_char *ngx_webrtc_rtp_feed_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_rtp_feed_failed(void *data, const char *reason);
static void ngx_webrtc_rtp_feed_stop(void *feed);
static void ngx_webrtc_rtp_feed_exit(void *feed);
static void ngx_webrtc_rtp_feed_keyframe(void *feed);
static void ngx_webrtc_rtp_feed_end(ngx_event_t *ev);


const ngx_webrtc_source_kind_t  ngx_webrtc_rtp_feed = {
    ngx_string("webrtc_rtp"),
    NGX_WEBRTC_CLAIM_RTP,
    ngx_webrtc_rtp_feed_check,
    ngx_webrtc_rtp_feed_start,
    ngx_webrtc_rtp_feed_stop,
    ngx_webrtc_rtp_feed_exit,
    ngx_webrtc_rtp_feed_keyframe
};


static ngx_int_t
ngx_webrtc_rtp_feed_check(const ngx_str_t *text, const ngx_str_t *name,
    const char **cause)
{
    ngx_str_t          word;
    const char        *expected;
    ngx_webrtc_legs_t  legs;

    if (ngx_webrtc_legs_parse(&legs, text, &word, &expected) != NGX_OK) {
        *cause = "what webrtc_rtp has is not valid for it";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void *
ngx_webrtc_rtp_feed_start(const ngx_str_t *text,
    ngx_webrtc_source_ended_pt ended, void *data, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    size_t                  n;
    u_char                 *p;
    ngx_err_t               err;
    ngx_str_t               word;
    const char             *cause;
    ngx_webrtc_legs_t       legs;
    ngx_webrtc_rtp_feed_t  *feed;
    u_char                  where[NGX_WEBRTC_LEGS_TEXT];

    feed = ngx_calloc(sizeof(ngx_webrtc_rtp_feed_t) + st->name_len, log);
    if (feed == NULL) {
        return NULL;
    }

    feed->name.data = (u_char *) feed + sizeof(ngx_webrtc_rtp_feed_t);
    feed->name.len = st->name_len;
    ngx_memcpy(feed->name.data, st->name, st->name_len);

    feed->log = *log;
    feed->log.handler = ngx_webrtc_rtp_feed_log_error;
    feed->log.data = feed;
    feed->log.action = NULL;

    if (ngx_webrtc_legs_parse(&legs, text, &word, &cause) != NGX_OK) {
        ngx_webrtc_bus_complain(bus, st, NGX_LOG_ERR, &feed->log,
                                "rtp not received",
                                "\"%V\" is not valid, expected %s", &word,
                                cause);
        ngx_free(feed);
        return NULL;
    }

    feed->ended = ended;
    feed->data = data;
    feed->bus = bus;
    feed->st = st;

    feed->end.handler = ngx_webrtc_rtp_feed_end;
    feed->end.data = feed;
    feed->end.log = &feed->log;

    feed->rs = ngx_webrtc_rtp_source_open(&legs, "rtp", bus, st,
                                          ngx_webrtc_rtp_feed_failed, feed,
                                          &feed->log, &cause, &err);

    p = ngx_webrtc_legs_print(&legs, where, where + sizeof(where));
    n = p ? (size_t) (p - where) : 0;

    if (feed->rs == NULL) {
        ngx_webrtc_bus_complain(bus, st, NGX_LOG_ERR, &feed->log,
                                "rtp not received", "%*s: %s%s%s", n, where,
                                cause, err ? ": " : "",
                                err ? strerror(err) : "");
        ngx_free(feed);
        return NULL;
    }

    ngx_log_error(NGX_LOG_NOTICE, &feed->log, 0,
                  "webrtc rtp is received on:\"%*s\"", n, where);

    return feed;
}


static u_char *
ngx_webrtc_rtp_feed_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_rtp_feed_t  *feed;

    feed = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &feed->name);
}


static void
ngx_webrtc_rtp_feed_failed(void *data, const char *reason)
{
    ngx_webrtc_rtp_feed_t *feed = data;

    ngx_webrtc_bus_complain(feed->bus, feed->st, NGX_LOG_ERR, &feed->log,
                            "rtp not received", "%s", reason);

    feed->failed = 1;

    ngx_webrtc_rtp_feed_stop(feed);
}


static void
ngx_webrtc_rtp_feed_stop(void *data)
{
    ngx_webrtc_rtp_feed_t *feed = data;

    if (!feed->end.posted) {
        ngx_post_event(&feed->end, &ngx_posted_events);
    }
}


static void
ngx_webrtc_rtp_feed_exit(void *data)
{
    ngx_webrtc_rtp_feed_t *feed = data;

    if (feed->end.posted) {
        ngx_delete_posted_event(&feed->end);
    }

    ngx_webrtc_rtp_source_close(feed->rs);
    ngx_free(feed);
}


static void
ngx_webrtc_rtp_feed_keyframe(void *data)
{
    ngx_webrtc_rtp_feed_t *feed = data;

    ngx_webrtc_rtp_source_keyframe(feed->rs);
}


static void
ngx_webrtc_rtp_feed_end(ngx_event_t *ev)
{
    void                        *data;
    ngx_uint_t                   failed;
    ngx_webrtc_rtp_feed_t       *feed;
    ngx_webrtc_source_ended_pt   ended;

    feed = ev->data;

    ended = feed->ended;
    data = feed->data;
    failed = feed->failed;

    ngx_webrtc_rtp_source_close(feed->rs);
    ngx_free(feed);

    ended(data, failed);
}
