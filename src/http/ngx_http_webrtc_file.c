
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files over DataChannels: which file, and who may have it.
 *
 * Access rules are nginx's: this runs in the content phase.  The file is the
 * one that a GET of the same URL would be served from, by root or alias, under
 * disable_symlinks.  It is looked at before it is opened, so that a fifo or a
 * device is never opened, and opened here once, so that what may not be read is
 * refused now.  The session opens it by its name again, in whatever worker it
 * comes to, and serves it only if it is the very same: device, inode, size and
 * time stand in the slot.
 */


#include "ngx_http_webrtc_file.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_signal.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_webrtc_nice.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_webrtc_negotiate_data.h"
#include "ngx_webrtc_signal.h"
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


/* bytes of messages beside those of an answer; chosen: candidates of full ICE
 * and the like */
#define NGX_HTTP_WEBRTC_FILE_ROOM    2048


static ngx_int_t ngx_http_webrtc_file_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_file_not_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_file_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_file_locate(ngx_http_request_t *r,
    ngx_str_t *path, ngx_webrtc_peer_file_t *file);
static ngx_int_t ngx_http_webrtc_file_open(ngx_http_request_t *r,
    ngx_str_t *path, ngx_open_file_cache_t *cache, ngx_uint_t test_only,
    ngx_open_file_info_t *of);
static ngx_int_t ngx_http_webrtc_file_refuse(ngx_http_request_t *r,
    ngx_open_file_info_t *of);
static void ngx_http_webrtc_file_limits(ngx_http_request_t *r,
    ngx_webrtc_peer_file_t *file);
static ngx_int_t ngx_http_webrtc_file_slot(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_file_t *file, ngx_str_t *path,
    ngx_str_t *answer, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);
static ngx_int_t ngx_http_webrtc_file_log(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_str_t *answer,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);
#if (NGX_THREADS)
static ngx_int_t ngx_http_webrtc_file_pool(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);
#endif


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

            if (!ngx_http_webrtc_signal_wanted(r)) {
                return NGX_DECLINED;
            }

            return ngx_http_webrtc_signal_events(r, &id);

        case NGX_HTTP_POST:

            if (ngx_http_webrtc_content_type(r, &ngx_http_webrtc_json_type)
                != NGX_OK)
            {
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

            if (ngx_http_webrtc_content_type(r, &ngx_http_webrtc_json_type)
                != NGX_OK)
            {
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
 * A page of another site may send text/plain, or no type, without asking, and
 * its visitor's cookies go with it (Fetch, "CORS-safelisted request-header").
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


/* as WHEP: one round trip */

static ngx_int_t
ngx_http_webrtc_file_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t           rc;
    ngx_str_t           answer;
    ngx_webrtc_peer_t  *peer;

    rc = ngx_http_webrtc_file_create(r, body, 0, &peer, &answer);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_offer_created(r, NGX_HTTP_CREATED, peer, &answer);

    if (rc != NGX_DONE) {
        ngx_http_webrtc_offer_undo(peer);
    }

    return rc;
}


ngx_int_t
ngx_http_webrtc_file_create(ngx_http_request_t *r, ngx_str_t *sdp,
    ngx_uint_t trickle, ngx_webrtc_peer_t **peerp, ngx_str_t *answer)
{
    u_char                          *p, *end;
    size_t                           size;
    ngx_int_t                        rc;
    ngx_str_t                        path;
    ngx_webrtc_peer_t               *peer;
    ngx_http_webrtc_offer_t          offer;
    ngx_webrtc_peer_file_t           file;
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_main_conf_t     *wmcf;
    ngx_webrtc_negotiate_cause_t     cause;
    ngx_webrtc_negotiate_policy_t    policy;
    ngx_webrtc_sdp_candidate_t       cand[NGX_HTTP_WEBRTC_CANDIDATES];

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (ngx_http_webrtc_ice_leaves(r)) {
        return ngx_http_webrtc_elsewhere(r);
    }

    rc = ngx_http_webrtc_file_locate(r, &path, &file);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_webrtc_file_limits(r, &file);

    ngx_memzero(&offer, sizeof(ngx_http_webrtc_offer_t));

    offer.request = r;
    offer.role = NGX_WEBRTC_PEER_FILES;

    rc = ngx_http_webrtc_offer_parse(&offer, sdp);

    if (rc != NGX_OK) {
        return rc;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    size = NGX_WEBRTC_NEGOTIATE_ANSWER
           + NGX_HTTP_WEBRTC_CANDIDATES * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    ngx_memzero(&policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy.ice_lite = (wlcf->ice == NGX_HTTP_WEBRTC_ICE_LITE);
    policy.ufrag.len = NGX_HTTP_WEBRTC_UFRAG;
    policy.ufrag.data = ngx_http_webrtc_random_hex(r, policy.ufrag.len);
    policy.pwd.len = NGX_HTTP_WEBRTC_PWD;
    policy.pwd.data = ngx_http_webrtc_random_hex(r, policy.pwd.len);
    policy.fingerprint = wmcf->fingerprint;
    policy.candidates = cand;
    policy.ncandidates = policy.ice_lite
                         ? ngx_http_webrtc_candidates(r, cand) : 0;

    if (policy.ice_lite && policy.ncandidates == 0) {
        return ngx_http_webrtc_candidates_none(r, NULL);
    }

    peer = ngx_pcalloc(r->pool, sizeof(ngx_webrtc_peer_t));
    p = ngx_pnalloc(r->pool, size);

    if (peer == NULL || p == NULL || policy.ufrag.data == NULL
        || policy.pwd.data == NULL
        || ngx_http_webrtc_random((u_char *) &policy.sess_id,
                                  sizeof(policy.sess_id))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer->data = p;
    end = p + size;

    rc = ngx_webrtc_negotiate_data(offer.sdp, &policy, trickle, &peer->desc,
                                   &p, end, &cause);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_offer_refuse(r, NGX_WEBRTC_PEER_FILES, &cause);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "webrtc answer does not fit %uz bytes", size);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer->len = p - answer->data;
    peer->full = !policy.ice_lite;

    rc = ngx_http_webrtc_file_slot(r, peer, &file, &path,
                                   trickle ? answer : NULL, cand,
                                   policy.ncandidates);

    if (rc != NGX_OK) {
        return rc;
    }

    if (peer->full && !trickle) {
        return ngx_http_webrtc_ice_start(&offer, peer, answer);
    }

    if (peer->full) {

        /* candidates follow as events, see ngx_http_webrtc_signal_gathered() */

        rc = ngx_http_webrtc_ice_begin(&offer, peer);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    *peerp = peer;

    return NGX_OK;
}


/* NGX_OK: path and the file's identity are set */

static ngx_int_t
ngx_http_webrtc_file_locate(ngx_http_request_t *r, ngx_str_t *path,
    ngx_webrtc_peer_file_t *file)
{
    u_char                    *last;
    size_t                     root;
    ngx_uint_t                 tries;
    ngx_file_info_t            fi, now;
    ngx_open_file_info_t       of;
    ngx_http_core_loc_conf_t  *clcf;

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
     * The session will open what has the name now.  open_file_cache may still
     * have what had it before: then it is opened past the cache.
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


/* as the static module */

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
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    file->chunk = (uint32_t) wlcf->file_chunk;
    file->ranges = (uint32_t) wlcf->file_ranges;
    file->changes = (uint32_t) wlcf->file_changes;
    file->quiet_ms = (uint32_t) wlcf->file_quiet;
    file->pool = (uint32_t) wlcf->file_pool;

    /* set already where a variable $limit_rate or X-Accel-Limit-Rate has */

    file->limit_rate = r->limit_rate_set
                       ? r->limit_rate
                       : ngx_http_complex_value_size(r, clcf->limit_rate, 0);

    file->limit_after = r->limit_rate_after_set
                        ? r->limit_rate_after
                        : ngx_http_complex_value_size(r,
                                                      clcf->limit_rate_after,
                                                      0);
}


static ngx_int_t
ngx_http_webrtc_file_slot(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_file_t *file, ngx_str_t *path, ngx_str_t *answer,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n)
{
    u_char                       *p, *id, *etag;
    size_t                        room;
    ngx_webrtc_bus_t             *bus;
    ngx_http_webrtc_loc_conf_t   *wlcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    id = ngx_http_webrtc_random_hex(r, NGX_WEBRTC_PEER_ID_LEN);
    etag = ngx_http_webrtc_random_hex(r, NGX_WEBRTC_PEER_ETAG_LEN);

    if (id == NULL || etag == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(peer->id, id, NGX_WEBRTC_PEER_ID_LEN);
    ngx_memcpy(peer->etag, etag, NGX_WEBRTC_PEER_ETAG_LEN);

    /* for logs and the status */

    for (p = path->data + path->len; p > path->data && p[-1] != '/'; p--) {
        /* void */
    }

    peer->role = NGX_WEBRTC_PEER_FILES;
    peer->name_len = (uint8_t) ngx_min(path->data + path->len - p,
                                       NGX_WEBRTC_NAME_MAX);
    ngx_memcpy(peer->name, p, peer->name_len);

    peer->created_ms = ngx_current_msec;
    peer->expires_ms = ngx_current_msec + wlcf->handshake_timeout;
    peer->timeout_ms = (uint32_t) wlcf->timeout;
    peer->handshake_ms = (uint32_t) wlcf->handshake_timeout;

    peer->max_sessions = (uint32_t) wmcf->max_sessions;

    ngx_http_webrtc_note_peer(r, peer);

    ngx_http_webrtc_full_client(r, &peer->client);

    if (ngx_webrtc_peers_create(bus, peer) != NGX_OK) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    /* messages are kept for those who ask for them over SSE only */

    room = NGX_HTTP_WEBRTC_FILE_ROOM;

    if (answer) {
        room += 2 * answer->len
                + (peer->full ? NGX_WEBRTC_NICE_CANDIDATES : n)
                  * NGX_WEBRTC_NEGOTIATE_CANDIDATE;
        room = ngx_min(room, NGX_WEBRTC_FILE_LOG);
    }

    if (ngx_webrtc_file_attach(bus, peer->ref, file, path->data, room)
        != NGX_OK
        || (answer
            && ngx_http_webrtc_file_log(r, peer, answer, cand, n) != NGX_OK))
    {
        (void) ngx_webrtc_peers_close(bus, peer->ref);
        return ngx_http_webrtc_full(r, NGX_WEBRTC_LACK_MEMORY, NULL);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_file_log(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_str_t *answer, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n)
{
    u_char                      *p, *end, *buf;
    ngx_uint_t                   i;
    ngx_time_t                  *tp;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_file_message_t    msg;

    bus = ngx_http_webrtc_worker->bus;

    buf = ngx_palloc(r->pool, NGX_WEBRTC_FILE_LOG);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    end = buf + NGX_WEBRTC_FILE_LOG;
    tp = ngx_timeofday();

    msg.time_ms = (uint64_t) tp->sec * 1000 + tp->msec;
    msg.type = NGX_WEBRTC_SIGNAL_ANSWER;
    msg.text.data = buf;

    p = ngx_webrtc_signal_print_answer(buf, end, answer);

    if (p == NULL) {
        return NGX_ERROR;
    }

    msg.text.len = p - buf;

    if (ngx_webrtc_file_append(bus, peer->ref, &msg) != NGX_OK) {
        return NGX_ERROR;
    }

    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE;

    for (i = 0; i < n; i++) {

        p = ngx_http_webrtc_signal_candidate(buf, end, &peer->desc, &cand[i],
                                             i);
        if (p == NULL) {
            return NGX_ERROR;
        }

        msg.text.len = p - buf;

        if (ngx_webrtc_file_append(bus, peer->ref, &msg) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (peer->full) {
        return NGX_OK;
    }

    msg.type = NGX_WEBRTC_SIGNAL_CANDIDATE_END;
    msg.text.len = 0;

    return ngx_webrtc_file_append(bus, peer->ref, &msg);
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

        /* the default pool, unless the configuration has it */

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
    ngx_conf_merge_size_value(conf->file_chunk, prev->file_chunk, 16384);
    ngx_conf_merge_value(conf->file_ranges, prev->file_ranges, 4);
    ngx_conf_merge_uint_value(conf->file_changes, prev->file_changes,
                              NGX_WEBRTC_FILE_END);
    ngx_conf_merge_msec_value(conf->file_quiet, prev->file_quiet, 30000);

#if (NGX_THREADS)

    if (conf->file && ngx_http_webrtc_file_pool(cf, conf) != NGX_OK) {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


#if (NGX_THREADS)

/*
 * The pool of "aio threads=name", by its place in a list that all workers have.
 * A name with variables is known with the request only, and the pool of a name
 * to workers of this configuration only: then it is the default one.
 */

static ngx_int_t
ngx_http_webrtc_file_pool(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    void                        **pool;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->file_pool = 0;

    if (clcf->thread_pool == NULL) {
        return NGX_OK;
    }

    pool = wmcf->pools.elts;

    for ( /* void */ ; conf->file_pool < wmcf->pools.nelts; conf->file_pool++)
    {
        if (pool[conf->file_pool] == clcf->thread_pool) {
            return NGX_OK;
        }
    }

    pool = ngx_array_push(&wmcf->pools);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    *pool = clcf->thread_pool;

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
