
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: what a client says of itself in its query, and what the media
 * process says of a file; and what is decided by both.
 *
 * The first byte says how, the second how long "accept" is, which follows; the
 * rest is a movie.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_plan.h"


static void
check(int ok)
{
    if (!ok) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     n;
    u_char                    *copy, *p;
    u_char                     cause[NGX_WEBRTC_MOVIE_CAUSE], buf[16];
    uint16_t                   heights[NGX_WEBRTC_MOVIE_QUALITIES];
    ngx_str_t                  names, max;
    ngx_uint_t                 i, k, how;
    ngx_webrtc_movie_t         movie;
    ngx_webrtc_movie_plan_t    plan, same;
    ngx_webrtc_movie_accept_t  accept;

    if (size < 2) {
        return 0;
    }

    how = 1 + (data[0] & 1);
    n = ngx_min(data[1], size - 2);

    copy = malloc(size - 2 + 1);
    memcpy(copy, data + 2, size - 2);

    names.data = copy;
    names.len = n;
    max.data = copy;
    max.len = (data[0] & 2) ? ngx_min(n, 5) : 0;

    if (ngx_webrtc_movie_accept(&names, &max, &accept) != NGX_OK) {
        max.len = 0;
        check(ngx_webrtc_movie_accept(&names, &max, &accept) == NGX_OK);
    }

    if (ngx_webrtc_movie_parse(copy + n, copy + size - 2, &movie) == NGX_OK) {

        if (ngx_webrtc_movie_plan(&movie, &accept, how, &plan, cause)
            != NGX_OK)
        {
            check(ngx_strlen(cause) < sizeof(cause));

        } else if (plan.mode != NGX_WEBRTC_MOVIE_OFF) {

            p = ngx_webrtc_movie_plan_write(buf, buf + sizeof(buf), &plan);
            check(p && ngx_webrtc_movie_plan_read(buf, p, &same) == p);
            check(memcmp(&plan, &same, sizeof(plan)) == 0);

            k = ngx_webrtc_movie_qualities(&movie, &plan, heights);
            check(k <= NGX_WEBRTC_MOVIE_QUALITIES);

            for (i = 0; i < movie.ntracks; i++) {
                (void) ngx_webrtc_movie_action(&movie, &plan, i,
                                               k ? heights[k - 1] : 0);
            }

            if (plan.video != NGX_WEBRTC_MOVIE_NONE) {
                check(ngx_webrtc_movie_action(&movie, &plan, plan.video, 0)
                      != NGX_WEBRTC_MOVIE_LEAVE);
            }
        }
    }

    free(copy);

    return 0;
}
