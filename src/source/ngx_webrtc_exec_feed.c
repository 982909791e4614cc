
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A command that sends RTP.
 *
 *   start --> running -- ended, or silent --> pause --> running ...
 *                |                              |
 *                +-- stop() --> ending ---------+--> ended()
 *
 * Each run has ports of its own: a command that is told to end must not send
 * into the next one's.  They are closed when it has ended, and the stream is
 * INACTIVE before that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus_error.h"
#include "ngx_webrtc_command.h"
#include "ngx_webrtc_exec_feed.h"
#include "ngx_webrtc_legs.h"
#include "ngx_webrtc_rtp_source.h"
#include "ngx_webrtc_time.h"


/* attempts to find ports; chosen */
#define NGX_WEBRTC_EXEC_TRIES    10

/* ports that are tried; chosen: the kernel's for clients, which nobody listens
 * on for long */
#define NGX_WEBRTC_EXEC_FIRST    32768
#define NGX_WEBRTC_EXEC_LAST     60998

/* ms of the pause before a restart; the first one, and the longest */
#define NGX_WEBRTC_EXEC_PAUSE    500
#define NGX_WEBRTC_EXEC_PAUSES   10000

/* ms after which a run counts as good; chosen */
#define NGX_WEBRTC_EXEC_GOOD     10000

/* ms without RTP after which a command is started anew; chosen: above the time
 * that FFmpeg takes to find out what a stream has */
#define NGX_WEBRTC_EXEC_SILENT   20000

/* ms between two looks at that */
#define NGX_WEBRTC_EXEC_LOOK     1000


typedef struct {
    ngx_webrtc_rtp_source_t     *rs;          /* NULL: not running */
    ngx_webrtc_command_t        *command;     /* likewise */
    ngx_webrtc_legs_t            legs;
    ngx_str_t                    text;        /* of the command */
    ngx_str_t                    name;        /* of the stream */
    ngx_event_t                  timer;
    ngx_msec_t                   started;
    ngx_msec_t                   pause;       /* the last one, 0: none */
    const char                  *why;         /* we end it, or NULL */

    ngx_webrtc_source_ended_pt   ended;
    void                        *data;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_stream_t         *st;
    ngx_log_t                    log;
    unsigned                     stopping:1;
} ngx_webrtc_exec_feed_t;


static ngx_int_t ngx_webrtc_exec_feed_check(const ngx_str_t *text,
    const ngx_str_t *name, const char **cause);
static void *ngx_webrtc_exec_feed_start(const ngx_str_t *text,
    ngx_webrtc_source_ended_pt ended, void *data, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log);
static ngx_int_t ngx_webrtc_exec_feed_split(ngx_webrtc_legs_t *legs,
    const ngx_str_t *text, ngx_str_t *words);
static u_char *ngx_webrtc_exec_feed_log_error(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_webrtc_exec_feed_run(ngx_webrtc_exec_feed_t *feed);
static ngx_int_t ngx_webrtc_exec_feed_ports(ngx_webrtc_exec_feed_t *feed,
    const char **cause, ngx_err_t *err);
static void ngx_webrtc_exec_feed_again(ngx_webrtc_exec_feed_t *feed);
static void ngx_webrtc_exec_feed_gone(void *data, ngx_str_t *how);
static void ngx_webrtc_exec_feed_failed(void *data, const char *reason);
static void ngx_webrtc_exec_feed_timer(ngx_event_t *ev);
static void ngx_webrtc_exec_feed_look(ngx_webrtc_exec_feed_t *feed);
static void ngx_webrtc_exec_feed_set(ngx_webrtc_exec_feed_t *feed,
    ngx_msec_t ms);
static void ngx_webrtc_exec_feed_stop(void *feed);
static void ngx_webrtc_exec_feed_exit(void *feed);
static void ngx_webrtc_exec_feed_keyframe(void *feed);
static void ngx_webrtc_exec_feed_inactive(ngx_webrtc_exec_feed_t *feed);
static void ngx_webrtc_exec_feed_close(ngx_webrtc_exec_feed_t *feed);
static void ngx_webrtc_exec_feed_free(ngx_webrtc_exec_feed_t *feed);


const ngx_webrtc_source_kind_t  ngx_webrtc_exec_feed = {
    ngx_string("webrtc_exec"),
    NGX_WEBRTC_CLAIM_EXEC,
    ngx_webrtc_exec_feed_check,
    ngx_webrtc_exec_feed_start,
    ngx_webrtc_exec_feed_stop,
    ngx_webrtc_exec_feed_exit,
    ngx_webrtc_exec_feed_keyframe
};


static ngx_int_t
ngx_webrtc_exec_feed_check(const ngx_str_t *text, const ngx_str_t *name,
    const char **cause)
{
    ngx_str_t   bad;
    ngx_uint_t  bits;

    bits = 0;

    if (ngx_webrtc_command_word(text, &bits, &bad) != NGX_OK) {
        *cause = "what webrtc_exec has is not valid for it";
        return NGX_DECLINED;
    }

    if ((bits & NGX_WEBRTC_COMMAND_NAME)
        && !ngx_webrtc_command_is_plain(name))
    {
        *cause = "its name is none that a command may be given";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void *
ngx_webrtc_exec_feed_start(const ngx_str_t *text,
    ngx_webrtc_source_ended_pt ended, void *data, ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_log_t *log)
{
    u_char                  *p;
    ngx_str_t                words;
    ngx_webrtc_exec_feed_t  *feed;

    feed = ngx_calloc(sizeof(ngx_webrtc_exec_feed_t) + text->len
                      + st->name_len, log);
    if (feed == NULL) {
        return NULL;
    }

    if (ngx_webrtc_exec_feed_split(&feed->legs, text, &words) != NGX_OK) {
        ngx_webrtc_bus_complain(bus, st, NGX_LOG_ERR, log, "exec",
                                "the words of the command are not valid");
        ngx_free(feed);
        return NULL;
    }

    p = (u_char *) feed + sizeof(ngx_webrtc_exec_feed_t);

    feed->text.data = p;
    feed->text.len = words.len;
    p = ngx_cpymem(p, words.data, words.len);

    feed->name.data = p;
    feed->name.len = st->name_len;
    ngx_memcpy(p, st->name, st->name_len);

    feed->ended = ended;
    feed->data = data;
    feed->bus = bus;
    feed->st = st;

    feed->log = *log;
    feed->log.handler = ngx_webrtc_exec_feed_log_error;
    feed->log.data = feed;
    feed->log.action = NULL;

    feed->timer.handler = ngx_webrtc_exec_feed_timer;
    feed->timer.data = feed;
    feed->timer.log = &feed->log;

    ngx_webrtc_exec_feed_run(feed);

    return feed;
}


static ngx_int_t
ngx_webrtc_exec_feed_split(ngx_webrtc_legs_t *legs, const ngx_str_t *text,
    ngx_str_t *words)
{
    u_char      *p, *end, *last;
    ngx_str_t    word;
    const char  *cause;

    ngx_webrtc_legs_init(legs);

    last = ngx_strlchr(text->data, text->data + text->len, '\0');
    if (last == NULL) {
        return NGX_ERROR;
    }

    for (p = text->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ' ');
        end = end ? end : last;

        word.data = p;
        word.len = end - p;

        if (word.len
            && ngx_webrtc_legs_codec(legs, &word, &cause) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_webrtc_legs_default(legs);

    words->data = last + 1;
    words->len = text->data + text->len - words->data;

    return NGX_OK;
}


static u_char *
ngx_webrtc_exec_feed_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_webrtc_exec_feed_t  *feed;

    feed = log->data;

    return ngx_snprintf(buf, len, ", stream: \"%V\"", &feed->name);
}


/* ports and command, or another attempt after a pause */

static void
ngx_webrtc_exec_feed_run(ngx_webrtc_exec_feed_t *feed)
{
    ngx_err_t                  err;
    const char                *cause;
    ngx_webrtc_command_vars_t  vars;

    feed->started = ngx_current_msec;
    feed->why = NULL;

    if (ngx_webrtc_exec_feed_ports(feed, &cause, &err) == NGX_OK) {

        ngx_memzero(&vars, sizeof(ngx_webrtc_command_vars_t));

        vars.name = feed->name;
        vars.video = feed->legs.legs[NGX_WEBRTC_LEG_VIDEO].port;
        vars.audio = feed->legs.legs[NGX_WEBRTC_LEG_AUDIO].port;

        feed->command = ngx_webrtc_command_start(&feed->text, &vars,
                                                 ngx_webrtc_exec_feed_gone,
                                                 feed, &feed->log, &cause,
                                                 &err);
        if (feed->command) {
            ngx_webrtc_exec_feed_set(feed, NGX_WEBRTC_EXEC_LOOK);
            return;
        }
    }

    ngx_webrtc_bus_complain(feed->bus, feed->st, NGX_LOG_ERR, &feed->log,
                            "exec", "the command has not been started: "
                            "%s%s%s", cause, err ? ": " : "",
                            err ? strerror(err) : "");

    ngx_webrtc_exec_feed_close(feed);
    ngx_webrtc_exec_feed_again(feed);
}


static ngx_int_t
ngx_webrtc_exec_feed_ports(ngx_webrtc_exec_feed_t *feed, const char **cause,
    ngx_err_t *err)
{
    ngx_uint_t  i, port;

    for (i = 0; i < NGX_WEBRTC_EXEC_TRIES; i++) {

        port = NGX_WEBRTC_EXEC_FIRST
               + (ngx_uint_t) ngx_random()
                 % ((NGX_WEBRTC_EXEC_LAST - NGX_WEBRTC_EXEC_FIRST) / 4) * 4;

        feed->legs.legs[NGX_WEBRTC_LEG_VIDEO].port = (in_port_t) port;
        feed->legs.legs[NGX_WEBRTC_LEG_AUDIO].port
                                  = (in_port_t) (port + NGX_WEBRTC_LEG_STEP);

        feed->rs = ngx_webrtc_rtp_source_open(&feed->legs, "exec", feed->bus,
                                              feed->st,
                                              ngx_webrtc_exec_feed_failed,
                                              feed, &feed->log, cause, err);
        if (feed->rs) {
            return NGX_OK;
        }

        if (*err != NGX_EADDRINUSE) {
            break;
        }
    }

    return NGX_ERROR;
}


static void
ngx_webrtc_exec_feed_again(ngx_webrtc_exec_feed_t *feed)
{
    if (ngx_current_msec - feed->started >= NGX_WEBRTC_EXEC_GOOD) {
        feed->pause = 0;
    }

    feed->pause = feed->pause ? ngx_min(2 * feed->pause,
                                        NGX_WEBRTC_EXEC_PAUSES)
                              : NGX_WEBRTC_EXEC_PAUSE;

    ngx_webrtc_exec_feed_set(feed, feed->pause);
}


/* of the command */

static void
ngx_webrtc_exec_feed_gone(void *data, ngx_str_t *how)
{
    ngx_webrtc_exec_feed_t *feed = data;

    feed->command = NULL;

    ngx_webrtc_exec_feed_inactive(feed);
    ngx_webrtc_exec_feed_close(feed);

    if (feed->stopping) {
        ngx_webrtc_exec_feed_set(feed, 1);
        return;
    }

    ngx_webrtc_atomic_add(&feed->st->stat.failures, 1);

    ngx_webrtc_bus_complain(feed->bus, feed->st, NGX_LOG_ERR, &feed->log,
                            "exec", feed->why ? "%s; %V" : "%s%V",
                            feed->why ? feed->why : "", how);

    ngx_webrtc_exec_feed_again(feed);
}


/* of the source: no memory for packets */

static void
ngx_webrtc_exec_feed_failed(void *data, const char *reason)
{
    ngx_webrtc_exec_feed_t *feed = data;

    feed->why = reason;

    if (feed->command) {
        ngx_webrtc_command_stop(feed->command);
    }
}


static void
ngx_webrtc_exec_feed_timer(ngx_event_t *ev)
{
    void                        *data;
    ngx_webrtc_exec_feed_t      *feed;
    ngx_webrtc_source_ended_pt   ended;

    feed = ev->data;

    if (feed->command) {
        ngx_webrtc_exec_feed_look(feed);
        return;
    }

    if (!feed->stopping) {
        ngx_webrtc_exec_feed_run(feed);
        return;
    }

    ended = feed->ended;
    data = feed->data;

    ngx_webrtc_exec_feed_free(feed);

    ended(data, 0);
}


/* does it still send? */

static void
ngx_webrtc_exec_feed_look(ngx_webrtc_exec_feed_t *feed)
{
    uint64_t  heard, since;

    heard = ngx_webrtc_rtp_source_heard(feed->rs) / 1000;
    since = ngx_webrtc_time_now() / 1000;

    since = heard ? since - heard : ngx_current_msec - feed->started;

    if (!feed->stopping && feed->why == NULL
        && since > NGX_WEBRTC_EXEC_SILENT)
    {
        feed->why = "the command has sent no RTP for 20 seconds";
        ngx_webrtc_exec_feed_inactive(feed);
        ngx_webrtc_command_stop(feed->command);
    }

    ngx_webrtc_exec_feed_set(feed, NGX_WEBRTC_EXEC_LOOK);
}


static void
ngx_webrtc_exec_feed_set(ngx_webrtc_exec_feed_t *feed, ngx_msec_t ms)
{
    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    ngx_add_timer(&feed->timer, ms);
}


static void
ngx_webrtc_exec_feed_stop(void *data)
{
    ngx_webrtc_exec_feed_t *feed = data;

    if (feed->stopping) {
        return;
    }

    feed->stopping = 1;

    ngx_webrtc_exec_feed_inactive(feed);

    if (feed->command) {
        ngx_webrtc_command_stop(feed->command);

    } else {
        ngx_webrtc_exec_feed_set(feed, 1);
    }
}


static void
ngx_webrtc_exec_feed_exit(void *data)
{
    ngx_webrtc_exec_feed_t *feed = data;

    ngx_webrtc_exec_feed_inactive(feed);

    if (feed->command) {
        ngx_webrtc_command_exit(feed->command);
    }

    ngx_webrtc_exec_feed_close(feed);
    ngx_webrtc_exec_feed_free(feed);
}


static void
ngx_webrtc_exec_feed_keyframe(void *data)
{
    ngx_webrtc_exec_feed_t *feed = data;

    if (feed->rs) {
        ngx_webrtc_rtp_source_keyframe(feed->rs);

    } else {
        ngx_webrtc_bus_keyframe_done(feed->st);
    }
}


/* viewers are told before the ports go */

static void
ngx_webrtc_exec_feed_inactive(ngx_webrtc_exec_feed_t *feed)
{
    if (ngx_webrtc_bus_state(feed->st) == NGX_WEBRTC_STREAM_ACTIVE) {
        ngx_webrtc_bus_set_state(feed->bus, feed->st,
                                 NGX_WEBRTC_STREAM_INACTIVE,
                                 ngx_current_msec);
    }
}


static void
ngx_webrtc_exec_feed_close(ngx_webrtc_exec_feed_t *feed)
{
    if (feed->rs) {
        ngx_webrtc_rtp_source_close(feed->rs);
        feed->rs = NULL;
    }
}


static void
ngx_webrtc_exec_feed_free(ngx_webrtc_exec_feed_t *feed)
{
    if (feed->timer.timer_set) {
        ngx_del_timer(&feed->timer);
    }

    ngx_free(feed);
}
