
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Names of codecs as browsers know them (RFC 6381).
 */


#ifndef _NGX_WEBRTC_MOVIE_NAME_H_INCLUDED_
#define _NGX_WEBRTC_MOVIE_NAME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavcodec/avcodec.h>


/*
 * Writes the name of a stream's codec, null-terminated; at most size bytes.
 *
 * Returns its length
 */
size_t ngx_webrtc_movie_name(const AVCodecParameters *par, char *buf,
    size_t size);


#endif /* _NGX_WEBRTC_MOVIE_NAME_H_INCLUDED_ */
