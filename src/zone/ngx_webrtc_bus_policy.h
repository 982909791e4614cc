
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The operator's settings for a session: a member of a location's
 * configuration, copied whole into the slot.  To add a directive for sessions,
 * add its field here, its row in the table of directives, and the code that
 * uses it.
 */


#ifndef _NGX_WEBRTC_BUS_POLICY_H_INCLUDED_
#define _NGX_WEBRTC_BUS_POLICY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_variant.h"


/* layers of a publisher that may have a limit: those that are negotiated, or
 * told apart inside of one */
#define NGX_WEBRTC_POLICY_LAYERS         4


/* webrtc_file_changes: what happens to a session when its file changes */
#define NGX_WEBRTC_FILE_END              0
#define NGX_WEBRTC_FILE_IGNORE           1
#define NGX_WEBRTC_FILE_FOLLOW           2


/* named after the directives, without "webrtc_"; 0 means the same as there */
typedef struct {
    /* of four bytes each, together: slots have no room for gaps */

    uint32_t                 exec;            /* a publisher's command, 0:
                                                 none */
    uint32_t                 file_jobs;       /* at once, of all workers */
    uint32_t                 file_pool;       /* of threads, as configured; no
                                                 such one: the first */
    int32_t                  file_ranges;
    uint32_t                 file_changes;    /* NGX_WEBRTC_FILE_END, ... */
    uint32_t                 layer_bitrate[NGX_WEBRTC_POLICY_LAYERS];
                                              /* bit/s, 0: no limit; by rids in
                                                 the order of the description,
                                                 or by numbers of spatial
                                                 layers */
    ngx_webrtc_variant_t     variant;         /* of "transcode"; with a label:
                                                 a rendition that was asked for
                                                 */

    ngx_msec_t               handshake_timeout;
    ngx_msec_t               timeout;

    /* of publishers, or of what they publish */

    ngx_msec_t               linger;
    ngx_msec_t               keyframe_interval;
    off_t                    max_bitrate;     /* bit/s, 0: no limit */

    /* of viewers */

    ngx_int_t                max_viewers;     /* of a stream, 0: no limit */
    off_t                    pacing_rate;     /* bit/s, 0: off */
    size_t                   pacing_burst;    /* bytes */
    ngx_uint_t               transcode;       /* NGX_WEBRTC_TRANSCODE_*; how:
                                                 "variant" */

    /* of streams: bytes of the ring */

    size_t                   buffer;
    size_t                   buffer_max;

    /* of file sessions */

    size_t                   file_chunk;
    ngx_msec_t               file_quiet;
    ngx_uint_t               file_transcode;  /* ngx_webrtc_movie_how_e */
} ngx_webrtc_policy_t;


#endif /* _NGX_WEBRTC_BUS_POLICY_H_INCLUDED_ */
