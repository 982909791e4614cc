
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_exec_publish": which publishers have a command.
 */


#ifndef _NGX_HTTP_WEBRTC_EXEC_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_EXEC_H_INCLUDED_


#include "ngx_http_webrtc.h"


/* one "webrtc_exec_publish" */
struct ngx_http_webrtc_exec_s {
    uint32_t      id;         /* of the words, never 0; in slots: these may be
                                 of an earlier configuration */
    ngx_str_t     text;
    ngx_str_t     dir;        /* for SDPs */
};


/* Parses "webrtc_exec_publish". */
char *ngx_http_webrtc_exec_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Inherits it, and gives it to the location's sessions. */
void ngx_http_webrtc_exec_merge(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);

/* A few times a second: starts and ends commands of who publishes here. */
void ngx_http_webrtc_exec_tick(ngx_http_webrtc_main_conf_t *wmcf);


#endif /* _NGX_HTTP_WEBRTC_EXEC_H_INCLUDED_ */
