
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source: pulls media from an upstream or a file and writes it into a
 * stream of the bus.  The work is done by a job of the media process
 * (ngx_webrtc_media.h).
 *
 * States, as they are published in the stream:
 *
 *   start                   -> NGX_WEBRTC_STREAM_STARTING
 *   tracks are known        -> NGX_WEBRTC_STREAM_ACTIVE    event UP
 *   loss of the upstream    -> NGX_WEBRTC_STREAM_INACTIVE  event DOWN
 *                              the job tries again: 500 ms, 1 s .. 5 s
 *                              or with the next upstream, if there are several
 *   end of a file           -> NGX_WEBRTC_STREAM_INACTIVE  events DOWN, ENDED
 *   stop                    -> (as ngx_webrtc_bus_unclaim() does)  event ENDED
 *
 * Workers that watch the stream are woken on every change of state.
 */


#ifndef _NGX_WEBRTC_SOURCE_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_source_url.h"


/* ms between attempts; chosen */
#define NGX_WEBRTC_SOURCE_BACKOFF_MIN  500
#define NGX_WEBRTC_SOURCE_BACKOFF_MAX  5000


typedef struct ngx_webrtc_source_s  ngx_webrtc_source_t;


typedef enum {
    NGX_WEBRTC_SOURCE_UP = 1,      /* tracks are set, the stream is ACTIVE;
                                      again, when a track came later */
    NGX_WEBRTC_SOURCE_DOWN,        /* lost, or an attempt failed; retried */
    NGX_WEBRTC_SOURCE_ENDED        /* nothing is written: the last event */
} ngx_webrtc_source_event_e;


/*
 * Called from the event loop, never from within start() or stop().
 *
 * After ENDED nothing writes into the stream: the handler drops the claim.
 * The source is destroyed once the handler has returned.
 */
typedef void (*ngx_webrtc_source_handler_pt)(ngx_webrtc_source_t *source,
    void *data, ngx_uint_t event);


/*
 * Copied by start(); the strings need not live longer.
 *
 *   from, nfrom   upstreams, tried in order; at least one.  Their URLs have
 *                 passed ngx_webrtc_source_url_check()
 *   backoff_min,
 *   backoff_max   0: 500 and 5000 ms
 *   connect_timeout  until the connection is up and tracks are known;
 *                 0: 10000 ms
 *   read_timeout  without a packet for this long the upstream is lost; 0:
 *                 10000 ms
 *   max_payload   bytes of RTP payload, 0: the packetizer's default
 *   given         a descriptor that the only upstream comes through, whose URL
 *                 is NGX_WEBRTC_SOURCE_URL_IS_GIVEN; -1: none.  The caller
 *                 closes it when start() has returned.  Its end, and that of
 *                 its job, is the source's
 *   transcode     viewers of what they cannot play get it transcoded: all
 *                 codecs and B-frames are taken, as they are
 */
typedef struct {
    ngx_webrtc_media_from_t       from[NGX_WEBRTC_PULLS];
    ngx_uint_t                    nfrom;
    ngx_msec_t                    backoff_min;
    ngx_msec_t                    backoff_max;
    ngx_msec_t                    connect_timeout;
    ngx_msec_t                    read_timeout;
    size_t                        max_payload;
    ngx_uint_t                    transcode;
    ngx_fd_t                      given;

    ngx_webrtc_source_handler_pt  handler;
    void                         *data;
} ngx_webrtc_source_conf_t;


/*
 * Starts a job.  It needs one of worker_connections.
 *
 *   st      the caller has a claim of kind SOURCE on it, and a hold, and
 *           keeps both until ENDED
 *   log     used as a parent: must live until ENDED (the cycle's)
 *
 * NULL on failure, which has been logged and is the stream's last error; the
 * claim stays with the caller.
 */
ngx_webrtc_source_t *ngx_webrtc_source_start(ngx_webrtc_source_conf_t *conf,
    ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st, ngx_log_t *log);


/*
 * Asks the job to end; returns at once.  ENDED follows, within about 100 ms
 * except while a name is being resolved.  May be repeated.
 */
void ngx_webrtc_source_stop(ngx_webrtc_source_t *source);


/*
 * For exit_process: ends every source of this process, and its media processes.
 * ENDED is called for all of them.
 */
void ngx_webrtc_source_exit(void);


#endif /* _NGX_WEBRTC_SOURCE_H_INCLUDED_ */
