
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What goes wrong with an outlet: in the status, and in the log.
 */


#ifndef _NGX_WEBRTC_OUTPUT_SAID_H_INCLUDED_
#define _NGX_WEBRTC_OUTPUT_SAID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_outlet.h"


/* zeroed, then filled; hash is set to 0 when all is well again */
typedef struct {
    const char           *event;         /* "record", "push" */
    ngx_log_t            *log;           /* its handler names the stream */
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_outlet_t  *outlet;
    uint32_t              hash;          /* of the last one */
} ngx_webrtc_output_said_t;


/*
 * Takes an outlet of a stream (ngx_webrtc_bus_outlet.h); says so if there is no
 * room for it.
 *
 * NULL: none, or another worker has it
 */
ngx_webrtc_outlet_t *ngx_webrtc_output_said_take(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_uint_t kind, uint32_t id, const char *event,
    ngx_log_t *log);

/* The line is an error, but INFO if it is the same as before. */
void ngx_webrtc_output_said(ngx_webrtc_output_said_t *said, ngx_str_t *text);


#endif /* _NGX_WEBRTC_OUTPUT_SAID_H_INCLUDED_ */
