
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * The system's clocks: see ngx_webrtc_time.h.
 */


#include "ngx_webrtc_time.h"


static uint64_t ngx_webrtc_time_clock(clockid_t id);


/* us; wall clock less monotonic clock */
static uint64_t  ngx_webrtc_time_offset;


void
ngx_webrtc_time_init(void)
{
    ngx_webrtc_time_offset = ngx_webrtc_time_clock(CLOCK_REALTIME)
                             - ngx_webrtc_time_clock(CLOCK_MONOTONIC);
}


uint64_t
ngx_webrtc_time_now(void)
{
    return ngx_webrtc_time_clock(CLOCK_MONOTONIC);
}


uint64_t
ngx_webrtc_time_wall(uint64_t us)
{
    return us + ngx_webrtc_time_offset;
}


static uint64_t
ngx_webrtc_time_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
