
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The last error of a stream, in the zone: for the status, for the 409 sent to
 * a client that waits in vain, and so that a cause is logged once, not with
 * every attempt.
 *
 * For the event loop only: these functions take the zone's mutex.
 */


#ifndef _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_
#define _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Records an error of a stream, and tells whether to log it.
 *
 *   st       held
 *   level    NGX_LOG_ERR: why nothing plays, until media flows again;
 *            NGX_LOG_WARN: what is missing, or how it plays; it is logged, but
 *            kept only if there was no error in the last ten minutes
 *   text     for the operator, without credentials; what is not printable
 *            ASCII is replaced in place; truncated to NGX_WEBRTC_ERROR_TEXT
 *   now_ms   monotonic, ngx_current_msec or the same clock
 *   now      seconds of the wall clock
 *
 * Returns 0 if it is not to be logged, else how many times the cause has
 * occurred since it was last logged, including this one.  A cause is logged the
 * first time, then a minute later if media has flowed in between, ten minutes
 * later if not.
 */
ngx_uint_t ngx_webrtc_bus_error(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_str_t *text, uint64_t now_ms, time_t now);

/*
 * Same, formatted and logged: at that level, or at INFO if logged recently.
 *
 *   log      its handler names the stream
 *   event    what happened, as the log begins: "source failed retry_ms:500"
 *
 * The line is "webrtc <event> reason:\"<text>\"", and " times:<n>" if earlier
 * ones were suppressed.
 */
void ngx_webrtc_bus_complain(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_log_t *log, const char *event, const char *fmt, ...);

/*
 * Why the stream plays nothing.
 *
 *   error    a copy
 *
 * NGX_OK
 * NGX_DECLINED   no error of level ERR since media last flowed
 */
ngx_int_t ngx_webrtc_bus_error_now(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_error_t *error);

/*
 * The last errors of all streams, newest first.
 *
 *   recent   NGX_WEBRTC_ERRORS of them, filled
 *
 * Returns how many there are.
 */
ngx_uint_t ngx_webrtc_bus_errors(ngx_webrtc_bus_t *bus,
    ngx_webrtc_error_recent_t *recent);


#endif /* _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_ */
