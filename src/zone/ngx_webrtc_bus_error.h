
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What went wrong last with a stream, in the zone: for the status, for the 409
 * of who waits in vain, and so that a cause is logged once and not with every
 * attempt.
 *
 * Functions of the event loop: they take the zone's mutex.
 */


#ifndef _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_
#define _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Keeps what went wrong with a stream, and tells whether to log it.
 *
 *   st       held
 *   level    NGX_LOG_ERR: why nothing plays, until media flows again;
 *            NGX_LOG_WARN: what is missing, or how it plays; it is logged, but
 *            kept only if there was no error in the last ten minutes
 *   text     as an operator should read it, without credentials; what is not
 *            printable ASCII is replaced here, in place; it is cut to
 *            NGX_WEBRTC_ERROR_TEXT
 *   now_ms   monotonic, ngx_current_msec or the same clock
 *   now      seconds of the wall clock
 *
 * Returns how many times this cause has come since it was logged last, this
 * one included, when it is to be logged: the first time, a minute later when
 * media has flowed in between, ten minutes later when not.  Otherwise 0.
 */
ngx_uint_t ngx_webrtc_bus_error(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_str_t *text, uint64_t now_ms, time_t now);

/*
 * Same, formatted and logged: at that level, or INFO when it was said already.
 *
 *   log      its handler names the stream
 *   event    what happened, as the log begins: "source failed retry_ms:500"
 *
 * The line is "webrtc <event> reason:\"<text>\"", and " times:<n>" if it has
 * been kept back.
 */
void ngx_webrtc_bus_complain(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_uint_t level, ngx_log_t *log, const char *event, const char *fmt, ...);

/*
 * Why the stream plays nothing.
 *
 *   error    a copy
 *
 * NGX_OK
 * NGX_DECLINED   nothing of level ERR has been said since media flowed
 */
ngx_int_t ngx_webrtc_bus_error_now(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st, ngx_webrtc_error_t *error);

/*
 * What was kept last, of all streams, the newest first.
 *
 *   recent   NGX_WEBRTC_ERRORS of them, filled
 *
 * Returns how many there are.
 */
ngx_uint_t ngx_webrtc_bus_errors(ngx_webrtc_bus_t *bus,
    ngx_webrtc_error_recent_t *recent);


#endif /* _NGX_WEBRTC_BUS_ERROR_H_INCLUDED_ */
