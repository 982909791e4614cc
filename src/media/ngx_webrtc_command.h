
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A command of the operator: started, listened to, ended.
 */


#ifndef _NGX_WEBRTC_COMMAND_H_INCLUDED_
#define _NGX_WEBRTC_COMMAND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_command_text.h"


/* bytes of how it ended; chosen: a line of a log */
#define NGX_WEBRTC_COMMAND_HOW  300


typedef struct ngx_webrtc_command_s  ngx_webrtc_command_t;


/*
 * It has ended, and nothing of its group is left; it is freed once this has
 * returned.  Called from the event loop, never from within a function here.
 *
 *   how   "it has ended with code 1: last line", without secrets
 */
typedef void (*ngx_webrtc_command_ended_pt)(void *data, ngx_str_t *how);


/*
 * Starts it.  Takes one of worker_connections.
 *
 *   text     words, see ngx_webrtc_command_text.h; the first one is the path
 *            of the program
 *   log      lives longer
 *   cause    on failure: static text
 *   err      likewise, or 0
 *
 * NULL on failure, which is not logged
 */
ngx_webrtc_command_t *ngx_webrtc_command_start(const ngx_str_t *text,
    const ngx_webrtc_command_vars_t *vars, ngx_webrtc_command_ended_pt ended,
    void *data, ngx_log_t *log, const char **cause, ngx_err_t *err);

/* Ends it: TERM, after a while KILL; then ended() is called.  Repeatable. */
void ngx_webrtc_command_stop(ngx_webrtc_command_t *command);

/* Has it been told to end? */
ngx_uint_t ngx_webrtc_command_stopping(ngx_webrtc_command_t *command);

/*
 * The process exits: sends TERM, and frees it; ended() is not called.
 * ngx_webrtc_command_done() follows.
 */
void ngx_webrtc_command_exit(ngx_webrtc_command_t *command);

/* Waits for all of those for a moment, then kills them. */
void ngx_webrtc_command_done(void);


#endif /* _NGX_WEBRTC_COMMAND_H_INCLUDED_ */
