
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Whose turn it is to read, and when.
 */


#ifndef _NGX_WEBRTC_FILES_TURN_H_INCLUDED_
#define _NGX_WEBRTC_FILES_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_files.h"


/* Handlers of f->pump and f->timer. */
void ngx_webrtc_files_turn_pump(ngx_event_t *ev);
void ngx_webrtc_files_turn_timer(ngx_event_t *ev);

/* Sets f->timer to the earliest of all deadlines. */
void ngx_webrtc_files_turn_arm(ngx_webrtc_files_t *f);


#endif /* _NGX_WEBRTC_FILES_TURN_H_INCLUDED_ */
