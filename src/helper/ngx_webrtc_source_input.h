
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A source's run: opens, reads and closes its input.
 */


#ifndef _NGX_WEBRTC_SOURCE_INPUT_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_INPUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_run.h"


/*
 * Opens the input and hands it to run->rd; again for the next pass of a loop
 * that cannot seek.
 *
 * NGX_OK, NGX_ERROR, NGX_ABORT
 */
ngx_int_t ngx_webrtc_source_input_open(ngx_webrtc_source_run_t *run);

/* Closes it: before it is opened again, and at the end. */
void ngx_webrtc_source_input_close(ngx_webrtc_source_run_t *run);

/*
 * Reads one packet into the queue.
 *
 * NGX_OK
 * NGX_DONE     at the end of the input
 * NGX_ERROR    th->error is set
 * NGX_ABORT    the thread is asked to stop
 */
ngx_int_t ngx_webrtc_source_input_read(ngx_webrtc_source_run_t *run);

/*
 * Builds th->error from a libav* error and its last log message.
 *
 * NGX_ABORT if the error means that the thread has to stop, else NGX_ERROR
 */
ngx_int_t ngx_webrtc_source_input_failed(ngx_webrtc_source_run_t *run, int err,
    const char *doing);

/*
 * Logs which of the programs is played, or sets the reason why none is.
 */
void ngx_webrtc_source_input_program(ngx_webrtc_source_run_t *run);


#endif /* _NGX_WEBRTC_SOURCE_INPUT_H_INCLUDED_ */
