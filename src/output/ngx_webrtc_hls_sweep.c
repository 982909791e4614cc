
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What channels of an nginx before have left: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_hls_file.h"
#include "ngx_webrtc_hls_sweep.h"
#include "ngx_webrtc_output_task.h"
#include "ngx_webrtc_time.h"


/* of a thread */
typedef struct {
    const char                   *root;
    uint32_t                      before;
    time_t                        now;
    ngx_uint_t                    found;
    ngx_uint_t                    max;
    ngx_uint_t                    n;
    uint32_t                      gens[];
} ngx_webrtc_hls_sweep_t;


static void ngx_webrtc_hls_sweep_task(void *data, ngx_log_t *log);
static void ngx_webrtc_hls_swept(ngx_event_t *ev);


uint32_t
ngx_webrtc_hls_gen(uint64_t wall_us)
{
    return (uint32_t) (wall_us / 65536);
}


void
ngx_webrtc_hls_sweep(ngx_webrtc_bus_t *bus, const ngx_webrtc_hls_conf_t *conf,
    ngx_log_t *log)
{
    ngx_uint_t               n;
    ngx_webrtc_hls_entry_t   entry;
    ngx_webrtc_hls_sweep_t  *sweep;

    for (n = 0; ngx_webrtc_bus_hls_next(bus, n, &entry) == NGX_OK; n++) {
        /* void */
    }

    sweep = ngx_alloc(sizeof(ngx_webrtc_hls_sweep_t) + n * sizeof(uint32_t),
                      log);
    if (sweep == NULL) {
        return;
    }

    sweep->root = (const char *) conf->root.data;
    sweep->before = ngx_webrtc_hls_gen(
                              ngx_webrtc_time_wall(ngx_webrtc_time_now()));
    sweep->now = ngx_time();
    sweep->max = n;
    sweep->n = 0;
    sweep->found = 0;

    while (sweep->n < sweep->max
           && ngx_webrtc_bus_hls_next(bus, sweep->n, &entry) == NGX_OK)
    {
        sweep->gens[sweep->n++] = entry.gen;
    }

    if (ngx_webrtc_output_task(conf->pool, sweep, ngx_webrtc_hls_sweep_task,
                               ngx_webrtc_hls_swept, log)
        != NGX_OK)
    {
        ngx_free(sweep);
    }
}


static void
ngx_webrtc_hls_sweep_task(void *data, ngx_log_t *log)
{
    ngx_webrtc_hls_sweep_t  *sweep;

    (void) log;

    sweep = *(ngx_webrtc_hls_sweep_t **) data;
    sweep->found = ngx_webrtc_hls_file_sweep(sweep->root, sweep->gens,
                                             sweep->n, sweep->before,
                                             sweep->now);
}


static void
ngx_webrtc_hls_swept(ngx_event_t *ev)
{
    ngx_webrtc_hls_sweep_t  *sweep;

    sweep = ngx_webrtc_output_task_data(ev);

    if (sweep->found) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "webrtc hls removed files:%ui that were left in \"%s\"",
                      sweep->found, sweep->root);
    }

    ngx_free(sweep);
}
