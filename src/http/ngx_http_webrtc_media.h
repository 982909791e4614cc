
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Path of the media process executable.
 */


#ifndef _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Makes "webrtc_media_path" an absolute path, by default of an executable next
 * to the module; fails if something is pulled and there is no such file.
 */
char *ngx_http_webrtc_media_conf(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);

/* Is anything pulled from a URL? */
ngx_uint_t ngx_http_webrtc_media_needed(ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_ */
