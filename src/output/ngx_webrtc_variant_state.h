
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The state of a variant that is made in this worker.
 */


#ifndef _NGX_WEBRTC_VARIANT_STATE_H_INCLUDED_
#define _NGX_WEBRTC_VARIANT_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_media_job.h"
#include "ngx_webrtc_output_reader.h"
#include "ngx_webrtc_source_out.h"


typedef struct {
    ngx_queue_t                   queue;      /* of ngx_webrtc_variants.c */
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_stream_t          *st;         /* held and claimed */
    ngx_webrtc_stream_t          *parent;     /* watched, and read */
    ngx_log_t                     log;
    ngx_str_t                     name;       /* of both, for the log */
    ngx_str_t                     label;
    ngx_msec_t                    used;       /* when it was wanted last */

    ngx_webrtc_variant_t          how;

    /* what is read */

    ngx_webrtc_output_reader_t    reader;
    ngx_int_t                     video;      /* the parent's track, -1: none */
    uint64_t                      heard;      /* audio before that number of the
                                                 parent's ring is not copied */

    /* the job, or the pause before the next one */

    ngx_webrtc_media_job_t       *job;
    ngx_event_t                   timer;
    ngx_msec_t                    pause;      /* before the last attempt */
    ngx_msec_t                    started;    /* the job */
    ngx_uint_t                    crashes;    /* in a row */
    uint32_t                      bitrate;    /* as it was told; 0: not */
    uint32_t                      limit;      /* viewers', as last seen, */
    ngx_msec_t                    limited;    /* and since when */
    uint32_t                      most;       /* what it is without one */

    ngx_msec_t                    late;       /* its ring was full last */

    /* what it makes */

    ngx_webrtc_source_out_conf_t  out_conf;
    ngx_webrtc_source_out_t       out;
    uint8_t                       place[NGX_WEBRTC_MEDIA_TRACKS];
    ngx_webrtc_track_t            made;       /* the video, kind 0: not known */

    int64_t                       fed;        /* latest time of the video that
                                                 the job has got */
    int64_t                       written;    /* and that is in the ring */
    int64_t                       floor;      /* what is before it is not */

    ngx_msec_t                    asked;      /* the job for a key frame */

    uint8_t                       codec;      /* of the job's input, 0: it has
                                                 not begun */
    uint8_t                       cvo;        /* likewise */
    uint32_t                      config;     /* hash of the configuration */

    unsigned                      live:1;     /* the job has got all there was
                                                 when it began: floor is set */
    unsigned                      anew:1;     /* nobody has made it before */
    unsigned                      has:1;      /* "written" is set */
    unsigned                      crossed:1;  /* the job has come to floor */
    unsigned                      wants_key:1;   /* viewers do */
    unsigned                      asking:1;   /* it has been asked */
    unsigned                      up:1;       /* it is ACTIVE */
} ngx_webrtc_variant_run_t;


#endif /* _NGX_WEBRTC_VARIANT_STATE_H_INCLUDED_ */
