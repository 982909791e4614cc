
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files over DataChannels: which file an offer is for, and its slot.
 *
 * The file is the one a GET of the same URL would be served from, by root or
 * alias, subject to disable_symlinks.  It is checked with stat() first, so that
 * a fifo or a device is never opened, and then opened once here, so that an
 * unreadable file is refused now.  The session opens it again by name, in
 * whichever worker it lives, and serves it only if it is still the same file:
 * device, inode, size and time are recorded in the slot.
 */


#include "ngx_http_webrtc_file_offer.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_negotiate_data.h"


/* bytes of messages other than the answer; chosen: candidates of full ICE and
 * the like */
#define NGX_HTTP_WEBRTC_FILE_ROOM    2048


static ngx_int_t ngx_http_webrtc_file_locate(ngx_http_request_t *r,
    ngx_http_webrtc_file_target_t *target);
static ngx_int_t ngx_http_webrtc_file_open(ngx_http_request_t *r,
    ngx_str_t *path, ngx_open_file_cache_t *cache, ngx_uint_t test_only,
    ngx_open_file_info_t *of);
static ngx_int_t ngx_http_webrtc_file_refuse(ngx_http_request_t *r,
    ngx_open_file_info_t *of);
static void ngx_http_webrtc_file_limits(ngx_http_request_t *r,
    ngx_webrtc_peer_file_t *file);


ngx_int_t
ngx_http_webrtc_file_find(ngx_http_webrtc_offer_t *offer)
{
    u_char                         *p, *last;
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_http_webrtc_file_target_t  *target;

    r = offer->request;

    target = ngx_palloc(r->pool, sizeof(ngx_http_webrtc_file_target_t));
    if (target == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer->data = target;

    rc = ngx_http_webrtc_file_locate(r, target);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_webrtc_file_limits(r, &target->file);

    /* for logs and the status */

    last = target->path.data + target->path.len;

    for (p = last; p > target->path.data && p[-1] != '/'; p--) {
        /* void */
    }

    offer->name.data = p;
    offer->name.len = ngx_min(last - p, NGX_WEBRTC_NAME_MAX);

    ngx_http_webrtc_note_stream(r, offer->kind->role, &offer->name);

    return NGX_OK;
}


/* NGX_OK: path and the file's identity have been set */

static ngx_int_t
ngx_http_webrtc_file_locate(ngx_http_request_t *r,
    ngx_http_webrtc_file_target_t *target)
{
    u_char                    *last;
    size_t                     root;
    ngx_uint_t                 tries;
    ngx_file_info_t            fi, now;
    ngx_str_t                 *path;
    ngx_open_file_info_t       of;
    ngx_webrtc_peer_file_t    *file;
    ngx_http_core_loc_conf_t  *clcf;

    path = &target->path;
    file = &target->file;

    if (r->uri.len == 0 || r->uri.data[r->uri.len - 1] == '/') {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such file",
                                       &r->uri);
    }

    last = ngx_http_map_uri_to_path(r, path, &root, 0);
    if (last == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    path->len = last - path->data;

    if (ngx_http_webrtc_file_open(r, path, NULL, 1, &of) != NGX_OK) {
        return ngx_http_webrtc_file_refuse(r, &of);
    }

    if (!of.is_file) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                       "not a regular file", &r->uri);
    }

    /*
     * The session will open the file that has the name now.  If open_file_cache
     * still has a previous one, it is opened again bypassing the cache.
     */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    for (tries = 0; tries < 2; tries++) {

        if (ngx_http_webrtc_file_open(r, path, tries ? NULL
                                                     : clcf->open_file_cache,
                                      0, &of)
            != NGX_OK)
        {
            return ngx_http_webrtc_file_refuse(r, &of);
        }

        if (!of.is_file || ngx_fd_info(of.fd, &fi) == NGX_FILE_ERROR
            || !ngx_is_file(&fi))
        {
            return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                           "not a regular file", &r->uri);
        }

        if (clcf->open_file_cache == NULL
            || (ngx_file_info(path->data, &now) != NGX_FILE_ERROR
                && now.st_dev == fi.st_dev && now.st_ino == fi.st_ino))
        {
            break;
        }
    }

    target->fd = of.fd;

    ngx_memzero(file, sizeof(ngx_webrtc_peer_file_t));

    file->dev = (uint64_t) fi.st_dev;
    file->ino = (uint64_t) fi.st_ino;
    file->size = (uint64_t) fi.st_size;
    file->mtime_sec = (int64_t) fi.st_mtim.tv_sec;
    file->mtime_nsec = (uint32_t) fi.st_mtim.tv_nsec;
    file->path_len = (uint32_t) path->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_file_open(ngx_http_request_t *r, ngx_str_t *path,
    ngx_open_file_cache_t *cache, ngx_uint_t test_only,
    ngx_open_file_info_t *of)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_memzero(of, sizeof(ngx_open_file_info_t));

    of->read_ahead = clcf->read_ahead;
    of->directio = NGX_OPEN_FILE_DIRECTIO_OFF;
    of->valid = clcf->open_file_cache_valid;
    of->min_uses = clcf->open_file_cache_min_uses;
    of->errors = clcf->open_file_cache_errors;
    of->events = clcf->open_file_cache_events;
    of->test_only = test_only;

    if (ngx_http_set_disable_symlinks(r, clcf, path, of) != NGX_OK) {
        of->err = 0;
        return NGX_ERROR;
    }

    return ngx_open_cached_file(cache, path, of, r->pool);
}


/* as in the static module */

static ngx_int_t
ngx_http_webrtc_file_refuse(ngx_http_request_t *r, ngx_open_file_info_t *of)
{
    switch (of->err) {

    case 0:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    case NGX_ENOENT:
    case NGX_ENOTDIR:
    case NGX_ENAMETOOLONG:
        return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such file",
                                       &r->uri);

    case NGX_EACCES:
#if (NGX_HAVE_OPENAT)
    case NGX_EMLINK:
    case NGX_ELOOP:
#endif
        ngx_log_error(NGX_LOG_ERR, r->connection->log, of->err,
                      "webrtc file is forbidden");

        return ngx_http_webrtc_problem(r, NGX_HTTP_FORBIDDEN, "forbidden",
                                       &r->uri);
    }

    ngx_log_error(NGX_LOG_CRIT, r->connection->log, of->err,
                  "webrtc file: %s failed", of->failed ? of->failed : "open()");

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_webrtc_file_limits(ngx_http_request_t *r,
    ngx_webrtc_peer_file_t *file)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* already set if $limit_rate or X-Accel-Limit-Rate was used */

    file->limit_rate = r->limit_rate_set
                       ? r->limit_rate
                       : ngx_http_complex_value_size(r, clcf->limit_rate, 0);

    file->limit_after = r->limit_rate_after_set
                        ? r->limit_rate_after
                        : ngx_http_complex_value_size(r,
                                                      clcf->limit_rate_after,
                                                      0);
}


ngx_int_t
ngx_http_webrtc_file_negotiate(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy, u_char **p, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause)
{
    return ngx_webrtc_negotiate_data(offer->sdp, policy, offer->kind->trickle,
                                     &offer->peer->desc, p, end, cause);
}


ngx_int_t
ngx_http_webrtc_file_attach(ngx_http_webrtc_offer_t *offer)
{
    /* only SSE signalling needs room for messages */

    return ngx_http_webrtc_file_attached(offer,
                                  ngx_http_webrtc_file_attach_with(offer, 0));
}


ngx_int_t
ngx_http_webrtc_file_attached(ngx_http_webrtc_offer_t *offer, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    static ngx_str_t  busy = ngx_string("webrtc_file_transcode max: as many"
                                        " files as this server transcodes at"
                                        " once are being played");

    r = offer->request;

    switch (rc) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "webrtc file refused: %V", &busy);

        if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "too many files are being transcoded",
                                       &busy);

    default:
        return ngx_http_webrtc_full(r, NGX_WEBRTC_LACK_MEMORY, NULL);
    }
}


ngx_int_t
ngx_http_webrtc_file_attach_with(ngx_http_webrtc_offer_t *offer, size_t room)
{
    ngx_http_webrtc_file_target_t  *target;

    target = offer->data;

    room = ngx_min(NGX_HTTP_WEBRTC_FILE_ROOM + room, NGX_WEBRTC_FILE_LOG);

    return ngx_webrtc_file_attach(ngx_http_webrtc_worker->bus, offer->peer->ref,
                                  &target->file, target->path.data, room);
}
