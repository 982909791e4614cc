
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Where the program of the media process is.
 */


#ifndef _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * Makes "webrtc_media_path" a whole path, by default that of a program beside
 * the module, and fails where something is pulled and there is none.
 */
char *ngx_http_webrtc_media_conf(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_MEDIA_H_INCLUDED_ */
