
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the packets of a track are, and what is known of it by them.
 */


#ifndef _NGX_WEBRTC_INGEST_DEPAY_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_DEPAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/*
 * Has the depacketizer classify a packet, the next in order, and tells the
 * streams what has changed.  Results are those of ngx_webrtc_depay_input().
 */
ngx_int_t ngx_webrtc_ingest_depay(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp, ngx_webrtc_depay_info_t *info);

/* Does a key frame begin with it, that can be decoded? */
ngx_uint_t ngx_webrtc_ingest_depay_key(const ngx_webrtc_depay_info_t *info);

/*
 * A packet that is held, as others before it are missing: would a key frame
 * begin with it if they were given up?
 */
ngx_uint_t ngx_webrtc_ingest_depay_ahead(ngx_webrtc_ingest_track_t *t,
    const ngx_webrtc_reorder_packet_t *rp);


#endif /* _NGX_WEBRTC_INGEST_DEPAY_H_INCLUDED_ */
