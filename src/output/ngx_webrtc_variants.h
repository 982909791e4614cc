
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variants: streams whose video is that of another one, their parent, encoded
 * anew (ngx_webrtc_variant.h, ngx_webrtc_bus_variant.h).
 *
 * One worker, by its claim, makes a variant: it reads the parent's ring, gives
 * access units of the video to a job of the media process, and writes what
 * comes back into the variant's ring; audio packets are copied from ring to
 * ring.  Tracks have the same numbers in both rings, and timestamps of one
 * instant are equal in both, as are their NTP times (ngx_webrtc_timeline_at()):
 * a viewer may go from ring to ring.
 *
 * States, as they are published in the variant:
 *
 *   claimed              -> STARTING
 *   its first key frame  -> ACTIVE; tracks are set.  Without any video for
 *                           some seconds too, with video PENDING
 *   the parent is gone   -> INACTIVE; viewers are kept, or ended, as those of
 *                           the parent are.  Then again as above
 *   nobody wants it      -> (as ngx_webrtc_bus_unclaim() does)
 *
 * What an operator has to know about it is complained of on the variant
 * (ngx_webrtc_bus_complain()): that names the parent.
 *
 * A variant is wanted while it has viewers, while its wanted_ms has not
 * passed, and for idle_ms after that.  Meanwhile its parent's source is kept
 * on (ngx_webrtc_bus_reader()).
 *
 * When the worker that makes it exits or dies, another one that ticks goes on:
 * viewers keep their sessions.
 */


#ifndef _NGX_WEBRTC_VARIANTS_H_INCLUDED_
#define _NGX_WEBRTC_VARIANTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_bus_variant.h"


/*
 * This worker needs a stream that it holds: makes it, if it is a variant
 * (ngx_webrtc_bus_variant()) that nobody makes.  Returns at once.  Whoever
 * waits for it watches it, as a pulled stream: its state becomes ACTIVE, and
 * until then wanted_ms is moved on and this is called now and then.  No watch
 * and no hold on the parent is needed for that.
 *
 *   log   of the worker
 */
void ngx_webrtc_variants_check(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_log_t *log);

/*
 * For the worker's hooks:
 *
 *   tick       a few times per second: ends variants that nobody wants, takes
 *              over those whose worker is gone
 *   news       a stream that is watched here has packets, or other tracks
 *   keyframe   viewers of a variant that is made here want a key frame
 *   busy       a variant here waits for viewers that have been answered
 *   exit       ends those of this process; before ngx_webrtc_source_exit()
 */
void ngx_webrtc_variants_tick(ngx_webrtc_bus_t *bus, ngx_log_t *log);
void ngx_webrtc_variants_news(ngx_webrtc_stream_t *st);
void ngx_webrtc_variants_keyframe(ngx_webrtc_stream_t *st);
ngx_uint_t ngx_webrtc_variants_busy(void);
void ngx_webrtc_variants_exit(void);


#endif /* _NGX_WEBRTC_VARIANTS_H_INCLUDED_ */
