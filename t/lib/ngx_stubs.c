
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What nginx's core files refer to and unit tests and fuzz targets have no
 * nginx for: its globals, and a log that goes to stderr when TEST_VERBOSE
 * is set.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


ngx_pid_t                 ngx_pid;
ngx_int_t                 ngx_ncpu = 2;
ngx_uint_t                ngx_process;
volatile ngx_cycle_t     *ngx_cycle;
volatile ngx_msec_t      ngx_current_msec;
volatile ngx_time_t      *ngx_cached_time;


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char   line[NGX_MAX_ERROR_STR], *p;
    va_list  args;

    if (getenv("TEST_VERBOSE") == NULL) {
        return;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(line, line + sizeof(line) - 1, fmt, args);
    va_end(args);

    fprintf(stderr, "# log %d: %.*s\n", (int) level, (int) (p - line), line);
}
