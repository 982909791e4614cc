
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Begins and ends what takes a sender's RTP, and does what is due.
 */


#ifndef _NGX_WEBRTC_INGEST_LIFE_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_LIFE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/*
 * Makes tracks of the m-lines that are received, and the stream STARTING.
 *
 *   in   zeroed, but for what its owner sets
 *
 * NGX_OK
 * NGX_ERROR   no memory, or the stream has no place for a track; still to be
 *             ended
 */
ngx_int_t ngx_webrtc_ingest_begin(ngx_webrtc_ingest_t *in, uint64_t now_us);

/* Publishes what has been written, and frees all.  Once. */
void ngx_webrtc_ingest_end(ngx_webrtc_ingest_t *in);

/*
 * The timer has fired: does what is due, and sets it again.  A sender that is
 * silent makes the stream INACTIVE.
 */
void ngx_webrtc_ingest_due(ngx_webrtc_ingest_t *in, uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_LIFE_H_INCLUDED_ */
