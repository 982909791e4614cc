
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a picture is made of: to ngx_webrtc_snapshot.
 */


#ifndef _NGX_WEBRTC_SNAPSHOT_FEED_H_INCLUDED_
#define _NGX_WEBRTC_SNAPSHOT_FEED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_bus.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_output_reader.h"


/* Has the stream video? */
ngx_uint_t ngx_webrtc_snapshot_feed_video(ngx_webrtc_stream_t *st);

/* The next frame of video: as ngx_webrtc_output_reader_next(). */
ngx_int_t ngx_webrtc_snapshot_feed_next(ngx_webrtc_output_reader_t *rd,
    ngx_webrtc_output_unit_t *unit);

/*
 * Writes a key frame, which the reader has just given, to a job of a picture,
 * and what follows it where that makes the picture whole.
 *
 * NGX_OK
 * NGX_DECLINED, NGX_ERROR   it has no room
 */
ngx_int_t ngx_webrtc_snapshot_feed(ngx_webrtc_media_job_t *job,
    ngx_webrtc_output_reader_t *rd, ngx_webrtc_output_unit_t *unit);


#endif /* _NGX_WEBRTC_SNAPSHOT_FEED_H_INCLUDED_ */
