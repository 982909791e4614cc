
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which layer of a simulcast a packet is of, by its rid, and one that is sent
 * again by its repaired rid (RFC 8852).
 */


#ifndef _NGX_WEBRTC_INGEST_RID_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_RID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_ingest.h"


/*
 * RFC 8852, 3.  The track of a packet.
 *
 *   t   any one of its m-line
 *
 * NULL: it is of no layer that was negotiated
 */
ngx_webrtc_ingest_track_t *ngx_webrtc_ingest_rid_track(
    ngx_webrtc_ingest_track_t *t, ngx_webrtc_rtp_t *rtp);

/*
 * A retransmission of a layer becomes what it repeats.  Results are those of
 * ngx_webrtc_rtx_unwrap().
 */
ngx_int_t ngx_webrtc_ingest_rid_rtx(ngx_webrtc_ingest_t *in,
    ngx_webrtc_rtp_t *rtp);


#endif /* _NGX_WEBRTC_INGEST_RID_H_INCLUDED_ */
