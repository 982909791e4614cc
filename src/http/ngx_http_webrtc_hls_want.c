
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How a location has segments made of a stream.
 */


#include "ngx_http_webrtc_hls_want.h"


ngx_int_t
ngx_http_webrtc_hls_want(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_stream_t *st)
{
    ngx_webrtc_hls_how_t    how;
    ngx_http_webrtc_hls_t  *hls;

    hls = wlcf->live->hls;
    hls->conf.id = wlcf->location;

    ngx_memzero(&how, sizeof(ngx_webrtc_hls_how_t));

    how.how.transcode = wlcf->policy.transcode;
    how.how.variant = wlcf->policy.variant;
    how.how.buffer = wlcf->policy.buffer;
    how.how.buffer_max = wlcf->policy.buffer_max;
    how.idle = wlcf->idle_timeout;
    how.always = hls->always;

    if (wlcf->renditions) {
        how.more = wlcf->renditions->elts;
        how.nmore = wlcf->renditions->nelts;
    }

    return ngx_webrtc_hls_want(ngx_http_webrtc_worker->bus, st, &hls->conf,
                               &how, ngx_http_webrtc_worker->log);
}
