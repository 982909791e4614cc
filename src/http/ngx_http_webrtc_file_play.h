
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_file_transcode": whether a file is played as it is, and how if not.
 */


#ifndef _NGX_HTTP_WEBRTC_FILE_PLAY_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_FILE_PLAY_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_webrtc_movie.h"


/* default of "max", and its bound; chosen: encoders take a core or more each */
#define NGX_HTTP_WEBRTC_FILE_JOBS       4
#define NGX_HTTP_WEBRTC_FILE_JOBS_MOST  1024


/* Parses "webrtc_file_transcode". */
char *ngx_http_webrtc_file_transcode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Callback "ready" of rows of file offers: decides, by what the client says in
 * its query that it can play, and what the file is; that may have to be found
 * out first.
 */
ngx_int_t ngx_http_webrtc_file_play(ngx_http_webrtc_offer_t *offer);


#endif /* _NGX_HTTP_WEBRTC_FILE_PLAY_H_INCLUDED_ */
