
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_file_transcode".  A client that says nothing of what it can play
 * ("accept" in the query) gets the file's bytes, and so do all others of a file
 * that they can play as it is.
 */


#include "ngx_http_webrtc_file_play.h"
#include "ngx_http_webrtc_file_offer.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_files_probe.h"
#include "ngx_webrtc_movie_plan.h"


/* an offer that waits */
typedef struct {
    ngx_http_webrtc_offer_t     *offer;
    ngx_webrtc_movie_accept_t    accept;
    ngx_webrtc_files_probe_t    *probe;      /* or NULL */
} ngx_http_webrtc_file_wait_t;


static ngx_int_t ngx_http_webrtc_file_probed(ngx_http_webrtc_file_wait_t *wait,
    const ngx_webrtc_movie_t *movie);
static void ngx_http_webrtc_file_goes_on(void *data,
    const ngx_webrtc_movie_t *movie);
static ngx_int_t ngx_http_webrtc_file_unknown(ngx_http_request_t *r);
static void ngx_http_webrtc_file_cleanup(void *data);


ngx_int_t
ngx_http_webrtc_file_play(ngx_http_webrtc_offer_t *offer)
{
    ngx_int_t                        rc;
    ngx_str_t                        names, max;
    ngx_http_cleanup_t              *cln;
    ngx_http_request_t              *r;
    const ngx_webrtc_movie_t        *movie;
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_file_wait_t     *wait;
    ngx_http_webrtc_file_target_t   *target;

    r = offer->request;
    target = offer->data;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->policy.file_transcode == NGX_WEBRTC_MOVIE_OFF
        || ngx_http_webrtc_arg(r, "accept", &names) != NGX_OK
        || names.len == 0)
    {
        return NGX_OK;
    }

    if (ngx_http_webrtc_arg(r, "max", &max) != NGX_OK) {
        ngx_str_null(&max);
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_file_wait_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wait = cln->data;
    wait->offer = offer;
    wait->probe = NULL;

    cln->handler = ngx_http_webrtc_file_cleanup;

    if (ngx_webrtc_movie_accept(&names, &max, &wait->accept) != NGX_OK) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "bad \"accept\" or \"max\"", &r->args);
    }

    rc = ngx_webrtc_files_probe(&target->file, target->fd, &movie,
                                &wait->probe, ngx_http_webrtc_file_goes_on,
                                wait, r->connection->log);

    switch (rc) {

    case NGX_OK:
        return ngx_http_webrtc_file_probed(wait, movie);

    case NGX_AGAIN:
        ngx_http_webrtc_wait(r);
        return NGX_AGAIN;

    case NGX_BUSY:

        if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "too many files are being looked at",
                                       &r->uri);

    default:
        return ngx_http_webrtc_file_unknown(r);
    }
}


/* NGX_OK: it is known how to play it */

static ngx_int_t
ngx_http_webrtc_file_probed(ngx_http_webrtc_file_wait_t *wait,
    const ngx_webrtc_movie_t *movie)
{
    u_char                           cause[NGX_WEBRTC_MOVIE_CAUSE];
    ngx_str_t                        detail;
    ngx_http_request_t              *r;
    ngx_webrtc_movie_plan_t          plan;
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_file_target_t   *target;

    r = wait->offer->request;
    target = wait->offer->data;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (ngx_webrtc_movie_plan(movie, &wait->accept,
                              wlcf->policy.file_transcode, &plan, cause)
        != NGX_OK)
    {
        detail.data = cause;
        detail.len = ngx_strlen(cause);

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "webrtc file refused: %V", &detail);

        return ngx_http_webrtc_problem(r, NGX_HTTP_WEBRTC_NOT_ACCEPTABLE,
                                       "the client cannot play this file",
                                       &detail);
    }

    if (plan.mode == NGX_WEBRTC_MOVIE_OFF) {
        return NGX_OK;
    }

    target->file.playing = 1;
    target->file.most = (uint32_t) wlcf->policy.file_jobs;

    (void) ngx_webrtc_movie_plan_write(target->file.plan,
                                       target->file.plan
                                       + NGX_WEBRTC_FILE_PLAN,
                                       &plan);
    return NGX_OK;
}


static void
ngx_http_webrtc_file_goes_on(void *data, const ngx_webrtc_movie_t *movie)
{
    ngx_http_webrtc_file_wait_t *wait = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wait->offer->request;
    c = r->connection;

    wait->probe = NULL;

    rc = movie ? ngx_http_webrtc_file_probed(wait, movie)
               : ngx_http_webrtc_file_unknown(r);

    if (rc == NGX_OK) {
        rc = ngx_http_webrtc_offer_answer(wait->offer);
    }

    /* with full ICE it waits again, by a reference of its own */

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_webrtc_file_unknown(ngx_http_request_t *r)
{
    static ngx_str_t  why = ngx_string("the file could not be looked at, see"
                                       " the error log");

    return ngx_http_webrtc_problem(r, NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "this file cannot be played", &why);
}


/* the client has gone, or it has been answered */

static void
ngx_http_webrtc_file_cleanup(void *data)
{
    ngx_http_webrtc_file_wait_t *wait = data;

    if (wait->probe) {
        ngx_webrtc_files_probe_cancel(wait->probe);
        wait->probe = NULL;
    }
}


/* off | remux | on [max=number] */

char *
ngx_http_webrtc_file_transcode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t   i;

    static ngx_str_t  names[] = {
        ngx_string("off"), ngx_string("remux"), ngx_string("on")
    };

    if (wlcf->policy.file_transcode != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < 3; i++) {
        if (value[1].len == names[i].len
            && ngx_strncmp(value[1].data, names[i].data, names[i].len) == 0)
        {
            break;
        }
    }

    if (i == 3) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" of \"%V\": expected \"off\", "
                           "\"remux\" or \"on\"", &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    n = NGX_HTTP_WEBRTC_FILE_JOBS;

    if (cf->args->nelts == 3) {

        n = (value[2].len > 4
             && ngx_strncmp(value[2].data, "max=", 4) == 0)
            ? ngx_atoi(value[2].data + 4, value[2].len - 4) : NGX_ERROR;

        if (n < 1 || n > NGX_HTTP_WEBRTC_FILE_JOBS_MOST) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" of \"%V\": expected a "
                               "number from \"max=1\" to \"max=1024\", such as "
                               "\"max=4\"", &value[2], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    wlcf->policy.file_transcode = i;
    wlcf->policy.file_jobs = n;

    return NGX_CONF_OK;
}
