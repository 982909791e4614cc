
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Decrypts HLS segments (METHOD=AES-128) here, as libavformat's "crypto"
 * hides where it has been redirected to.
 *
 * RFC 8216, 4.3.2.4: AES-128-CBC, with PKCS7 padding.
 *
 * Used in a source's thread.
 */


#ifndef _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>


/*
 * Gives libavformat the decrypted contents of "inner", to be read from start
 * to end.
 *
 *   options   those of "crypto", "key" and "iv"; they are removed
 *
 * 0 with *pb set, which holds inner; or AVERROR().
 */
int ngx_webrtc_source_crypto_io(AVIOContext *inner, AVDictionary **options,
    AVIOContext **pb);

/* Was it made by ngx_webrtc_source_crypto_io()? */
ngx_uint_t ngx_webrtc_source_crypto_is(AVIOContext *pb);

/* Returns inner, which the caller has to close. */
AVIOContext *ngx_webrtc_source_crypto_close(AVIOContext *pb);


#endif /* _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_ */
