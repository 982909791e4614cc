
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The job of a variant: it is fed frames of the parent's video, and what it
 * makes of them is written into the variant's ring.
 */


#ifndef _NGX_WEBRTC_VARIANT_JOB_H_INCLUDED_
#define _NGX_WEBRTC_VARIANT_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_variant_state.h"


/* Becomes the writer of the variant's ring.  Its claim is ours. */
void ngx_webrtc_variant_job_init(ngx_webrtc_variant_run_t *vr);

/*
 * Starts the job, unless there is one or a pause before it, from the parent's
 * newest key frame.
 */
void ngx_webrtc_variant_job_start(ngx_webrtc_variant_run_t *vr);

/* Ends it, and the pause; it may be started anew. */
void ngx_webrtc_variant_job_stop(ngx_webrtc_variant_run_t *vr);

/*
 * Gives it a frame of the parent's video.
 *
 * NGX_OK
 * NGX_DECLINED  it has no room: all up to the next key frame are to be left out
 */
ngx_int_t ngx_webrtc_variant_job_feed(ngx_webrtc_variant_run_t *vr,
    ngx_webrtc_output_unit_t *unit);

/* It has got all that there was for now. */
void ngx_webrtc_variant_job_fed(ngx_webrtc_variant_run_t *vr);

/* A viewer wants a key frame; also for what is left of that, at each tick. */
void ngx_webrtc_variant_job_keyframe(ngx_webrtc_variant_run_t *vr);

/* At each tick: bitrate, and requests for key frames that got no answer. */
void ngx_webrtc_variant_job_tick(ngx_webrtc_variant_run_t *vr);

/*
 * The parent's tracks have changed, or the video that is made: publishes those
 * of the variant if they are others than before.
 */
void ngx_webrtc_variant_job_tracks(ngx_webrtc_variant_run_t *vr);


#endif /* _NGX_WEBRTC_VARIANT_JOB_H_INCLUDED_ */
