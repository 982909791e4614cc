
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source's run: finds its tracks.
 */


#ifndef _NGX_WEBRTC_SOURCE_TRACKS_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_TRACKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/*
 * Reads until the tracks are known.  What is in the queue then begins, with
 * video, at a key frame.
 *
 * NGX_OK, NGX_ERROR, NGX_ABORT
 */
ngx_int_t ngx_webrtc_source_tracks_find(ngx_webrtc_source_run_t *run);

/*
 * Inspects a frame whose track may not be ready.  0: it is of no use.
 */
ngx_uint_t ngx_webrtc_source_tracks_look(ngx_webrtc_source_run_t *run,
    ngx_webrtc_source_item_t *item);

/*
 * Called repeatedly while nothing comes.  An upstream that has announced
 * video but sends none before its next key frame is up all the same.
 *
 * NGX_OK, NGX_ABORT, NGX_ERROR
 */
ngx_int_t ngx_webrtc_source_tracks_silent(ngx_webrtc_source_run_t *run);

/* Inspects all of them again, for another thread's packetizers. */
void ngx_webrtc_source_tracks_again(ngx_webrtc_source_run_t *run);

/* Inspects all new frames in the queue and drops useless ones. */
void ngx_webrtc_source_tracks_sift(ngx_webrtc_source_run_t *run);

/* Takes a new sequence header in the course of the stream (FLV). */
void ngx_webrtc_source_tracks_config(ngx_webrtc_source_run_t *run,
    AVPacket *pkt);

/*
 * Announces the tracks that became ready, and waits until the loop has taken
 * note.
 *
 * NGX_OK, NGX_ERROR, NGX_ABORT
 */
ngx_int_t ngx_webrtc_source_tracks_tell(ngx_webrtc_source_run_t *run);


#endif /* _NGX_WEBRTC_SOURCE_TRACKS_H_INCLUDED_ */
