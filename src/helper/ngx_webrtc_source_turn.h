
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a source's picture is to be rotated: phones record it in the sensor's
 * orientation and say so (ISO/IEC 14496-12, 8.3.2: the matrix of a track).
 */


#ifndef _NGX_WEBRTC_SOURCE_TURN_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>


/*
 * Returns NGX_WEBRTC_CVO_FLIP and _QUARTERS; 0: as it is.  Angles in between
 * are rounded to quarters.
 */
ngx_uint_t ngx_webrtc_source_turn(AVStream *st);

/* The stream's display matrix, nine numbers of 32 bits, or NULL. */
const uint8_t *ngx_webrtc_source_turn_matrix(AVStream *st);


#endif /* _NGX_WEBRTC_SOURCE_TURN_H_INCLUDED_ */
