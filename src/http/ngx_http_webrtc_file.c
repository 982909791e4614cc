
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files over DataChannels: request dispatch and configuration.  Access control
 * is nginx's: this runs in the content phase.
 */


#include "ngx_http_webrtc_file.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_file_offer.h"
#include "ngx_http_webrtc_file_play.h"
#include "ngx_http_webrtc_signal.h"
#include "ngx_webrtc_bus_file.h"
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


static ngx_int_t ngx_http_webrtc_file_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_file_not_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_file_offer(ngx_http_request_t *r,
    ngx_str_t *body);
#if (NGX_THREADS)
static ngx_int_t ngx_http_webrtc_file_pool(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);
#endif


/* "?signal" has a row of its own, see ngx_http_webrtc_signal.c */

static const ngx_http_webrtc_offer_kind_t  ngx_http_webrtc_file_kind = {
    NGX_WEBRTC_PEER_FILES,
    NGX_HTTP_WEBRTC_NOT_ACCEPTABLE,
    0,
    ngx_http_webrtc_file_find,
    ngx_http_webrtc_file_play,
    NULL,
    ngx_http_webrtc_file_negotiate,
    ngx_http_webrtc_file_attach,
    NULL,
    NULL
};


ngx_int_t
ngx_http_webrtc_file_handler(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (!wlcf->file) {
        return NGX_DECLINED;
    }

    return ngx_http_webrtc_result(ngx_http_webrtc_file_dispatch(r));
}


/* NGX_DECLINED: not for us */

static ngx_int_t
ngx_http_webrtc_file_dispatch(ngx_http_request_t *r)
{
    ngx_str_t  id, value;

    if (ngx_http_webrtc_arg(r, "session", &id) == NGX_OK) {

        switch (r->method) {

        case NGX_HTTP_GET:

            if (!ngx_http_webrtc_wants_events(r)) {
                return NGX_DECLINED;
            }

            return ngx_http_webrtc_signal_events(r, &id);

        case NGX_HTTP_POST:

            if (!ngx_http_webrtc_is_type(r, &ngx_http_webrtc_json_type)) {
                return ngx_http_webrtc_file_not_json(r);
            }

            return ngx_http_webrtc_signal_message(r, &id);

        case NGX_HTTP_OPTIONS:
        case NGX_HTTP_PATCH:
        case NGX_HTTP_DELETE:
            return ngx_http_webrtc_endpoint(r, NGX_WEBRTC_PEER_FILES,
                                            ngx_http_webrtc_file_offer);
        }

        return NGX_DECLINED;
    }

    switch (r->method) {

    case NGX_HTTP_POST:

        if (ngx_http_webrtc_arg(r, "signal", &value) == NGX_OK) {

            if (!ngx_http_webrtc_is_type(r, &ngx_http_webrtc_json_type)) {
                return ngx_http_webrtc_file_not_json(r);
            }

            return ngx_http_webrtc_signal_start(r);
        }

        /* fall through */

    case NGX_HTTP_OPTIONS:
        return ngx_http_webrtc_endpoint(r, NGX_WEBRTC_PEER_FILES,
                                        ngx_http_webrtc_file_offer);
    }

    return NGX_DECLINED;
}


/*
 * A page of another site may send text/plain, or no type, without a preflight
 * and with the user's cookies (Fetch, "CORS-safelisted request-header").
 */

static ngx_int_t
ngx_http_webrtc_file_not_json(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                   "expected application/json", NULL);
}


/* as in WHEP: one round trip */

static ngx_int_t
ngx_http_webrtc_file_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    return ngx_http_webrtc_offer(r, &ngx_http_webrtc_file_kind, body);
}


char *
ngx_http_webrtc_file_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char                         *rv;
    ngx_http_webrtc_main_conf_t  *wmcf;
#if (NGX_THREADS)
    void                        **pool;
#endif

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !wlcf->file) {
        return rv;
    }

    ngx_http_webrtc_check_where(cf, &wlcf->where);

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->used = 1;

#if (NGX_THREADS)

    if (wmcf->pools.nelts == 0) {

        pool = ngx_array_push(&wmcf->pools);
        if (pool == NULL) {
            return NGX_CONF_ERROR;
        }

        /* the default pool, added unless it is configured */

        *pool = ngx_thread_pool_add(cf, NULL);
        if (*pool == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#endif

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_file_merge(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_conf_merge_value(conf->file, prev->file, 0);

    if (conf->policy.file_transcode == NGX_CONF_UNSET_UINT) {
        conf->policy.file_transcode = prev->policy.file_transcode;
        conf->policy.file_jobs = prev->policy.file_jobs;
    }

    if (conf->policy.file_transcode == NGX_CONF_UNSET_UINT) {
        conf->policy.file_transcode = NGX_WEBRTC_MOVIE_OFF;
        conf->policy.file_jobs = NGX_HTTP_WEBRTC_FILE_JOBS;
    }

#if (NGX_THREADS)

    if (conf->file && ngx_http_webrtc_file_pool(cf, conf) != NGX_OK) {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


#if (NGX_THREADS)

/*
 * Sets the pool of "aio threads=name" as an index into a list that all workers
 * have.  A name with variables is not known before the request, and its pool
 * only to workers of this configuration: such a name gets the default pool.
 */

static ngx_int_t
ngx_http_webrtc_file_pool(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    void                        **pool;
    ngx_uint_t                    i;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->policy.file_pool = 0;

    if (clcf->thread_pool == NULL) {
        return NGX_OK;
    }

    pool = wmcf->pools.elts;

    for (i = 0; i < wmcf->pools.nelts; i++) {

        if (pool[i] == clcf->thread_pool) {
            conf->policy.file_pool = i;
            return NGX_OK;
        }
    }

    pool = ngx_array_push(&wmcf->pools);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    *pool = clcf->thread_pool;
    conf->policy.file_pool = i;

    return NGX_OK;
}

#endif


ngx_int_t
ngx_http_webrtc_file_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_CONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_webrtc_file_handler;

    return NGX_OK;
}
