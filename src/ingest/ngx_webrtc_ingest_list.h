
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */


#ifndef _NGX_WEBRTC_INGEST_LIST_H_INCLUDED_
#define _NGX_WEBRTC_INGEST_LIST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_ingest.h"


/* Tells of the layers in the stream, or of those inside its only encoding. */
void ngx_webrtc_ingest_list(ngx_webrtc_ingest_t *in, uint64_t now_us);


#endif /* _NGX_WEBRTC_INGEST_LIST_H_INCLUDED_ */
