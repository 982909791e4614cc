
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What header extensions say of a packet, as far as its track has negotiated
 * them.
 */


#ifndef _NGX_WEBRTC_INGEST_EXT_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_EXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"
#include "ngx_webrtc_rtp.h"


/* 3GPP TS 26.114, 7.4.5: the orientation, NGX_WEBRTC_CVO_*, or 0 */
uint8_t ngx_webrtc_ingest_ext_cvo(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp);

/*
 * The playout delay: it applies until another one is received; viewers look at
 * it now and then.
 */
void ngx_webrtc_ingest_ext_playout(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp);

/* The layers of its frame, NGX_WEBRTC_DD_*, or 0. */
uint16_t ngx_webrtc_ingest_ext_layer(ngx_webrtc_ingest_track_t *t,
    ngx_webrtc_rtp_t *rtp);


#endif /* _NGX_WEBRTC_INGEST_EXT_H_INCLUDED_ */
