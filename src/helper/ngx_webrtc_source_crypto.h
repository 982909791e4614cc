
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What of HLS is encrypted, METHOD=AES-128: decrypted here, as libavformat's
 * "crypto" hides where it has been redirected to.
 *
 * RFC 8216, 4.3.2.4: AES-128-CBC, padded as of PKCS7.
 *
 * For the thread of a source.
 */


#ifndef _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavformat/avformat.h>


/*
 * For libavformat, which reads what "inner" has, decrypted, from its beginning
 * to its end.
 *
 *   options   of "crypto": "key" and "iv", which are taken out
 *
 * 0 with *pb set, which keeps inner; or AVERROR().
 */
int ngx_webrtc_source_crypto_io(AVIOContext *inner, AVDictionary **options,
    AVIOContext **pb);

/* Has ngx_webrtc_source_crypto_io() made it? */
ngx_uint_t ngx_webrtc_source_crypto_is(AVIOContext *pb);

/* Returns inner, which is to be closed. */
AVIOContext *ngx_webrtc_source_crypto_close(AVIOContext *pb);


#endif /* _NGX_WEBRTC_SOURCE_CRYPTO_H_INCLUDED_ */
