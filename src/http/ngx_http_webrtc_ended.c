
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is told when no request is there: "webrtc_log", and hooks of what has
 * happened.  Files, formats, buffers, syslog and conditions of the log are
 * those of "access_log": the directive is handed to ngx_http_log_module with a
 * configuration of its own, which only requests of the module's own have.
 */


#include "ngx_http_webrtc_ended.h"
#include "ngx_http_webrtc_call.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_status_print.h"
#include "ngx_http_webrtc_vars.h"


/* bytes of a number */
#define NGX_HTTP_WEBRTC_ENDED_NUMBER  32


extern ngx_module_t  ngx_http_log_module;


static void ngx_http_webrtc_ended_notified(uint64_t ref, ngx_uint_t status);
static ngx_http_request_t *ngx_http_webrtc_ended_request(
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, ngx_log_t *log);
static void ngx_http_webrtc_ended_note(ngx_http_request_t *r,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about,
    const char *event, const char *reason);
static void ngx_http_webrtc_ended_tell(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_complex_value_t *hook,
    ngx_http_webrtc_call_pt handler, uint64_t data);
static char *ngx_http_webrtc_ended_expected(ngx_conf_t *cf, ngx_str_t *value);
static void ngx_http_webrtc_ended_log(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static void ngx_http_webrtc_ended_text(ngx_http_request_t *r, ngx_str_t *to,
    const u_char *p, size_t n);
static void ngx_http_webrtc_ended_number(ngx_http_request_t *r, ngx_str_t *to,
    const char *fmt, ...);


char *
ngx_http_webrtc_ended_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char               *rv;
    void               *none;
    ngx_str_t          *value;
    ngx_command_t      *log;
    ngx_http_module_t  *ctx;

    value = cf->args->elts;
    ctx = ngx_http_log_module.ctx;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") != 0) {
        return ngx_http_webrtc_ended_expected(cf, &value[1]);
    }

    if (wlcf->log == NULL) {
        wlcf->log = ctx->create_loc_conf(cf);
        if (wlcf->log == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (log = ngx_http_log_module.commands; log->name.len; log++) {
        if (ngx_strcmp(log->name.data, "access_log") == 0) {
            break;
        }
    }

    if (log->name.len == 0) {
        return "is not possible without \"access_log\"";
    }

    rv = log->set(cf, log, wlcf->log);

    if (rv != NGX_CONF_OK) {
        /* it has said what, but not where */
        return (rv == NGX_CONF_ERROR)
               ? ngx_http_webrtc_ended_expected(cf, &value[1]) : rv;
    }

    /* what is not set gets its default */

    none = ctx->create_loc_conf(cf);

    if (none == NULL) {
        return NGX_CONF_ERROR;
    }

    return ctx->merge_loc_conf(cf, none, wlcf->log);
}


static char *
ngx_http_webrtc_ended_expected(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in webrtc_log, expected \"off\", "
                       "or a file and the name of a log_format, such as "
                       "\"/var/log/nginx/webrtc.log sessions\"", value);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_webrtc_ended_merge(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    void  **loc_conf;

    if (conf->log == NULL) {
        conf->log = prev->log;
    }

    if (conf->log == NULL || conf->ctx == NULL) {
        return NGX_OK;
    }

    loc_conf = ngx_palloc(cf->pool, ngx_http_max_module * sizeof(void *));
    if (loc_conf == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(loc_conf, conf->ctx->loc_conf,
               ngx_http_max_module * sizeof(void *));

    loc_conf[ngx_http_log_module.ctx_index] = conf->log;

    conf->log_conf = loc_conf;

    return NGX_OK;
}


void
ngx_http_webrtc_ended_session(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about,
    const char *reason, ngx_log_t *log)
{
    ngx_http_request_t          *r;
    ngx_http_complex_value_t    *hook;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_own_location(wmcf, peer->location);

    if (wlcf == NULL) {
        return;
    }

    hook = (peer->role == NGX_WEBRTC_PEER_PUBLISH) ? wlcf->on_publish_done
           : (peer->role == NGX_WEBRTC_PEER_PLAY) ? wlcf->on_play_done : NULL;

    if (wlcf->log_conf == NULL && hook == NULL) {
        return;
    }

    r = ngx_http_webrtc_ended_request(wlcf, peer, about, log);
    if (r == NULL) {
        return;
    }

    ngx_http_webrtc_ended_note(r, peer, about, "session", reason);
    ngx_http_webrtc_ended_tell(r, wlcf, hook, NULL, 0);
    ngx_http_webrtc_ended_log(r, wlcf);

    ngx_http_webrtc_own_done(r);
}


void
ngx_http_webrtc_ended_notify(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_log_t *log)
{
    ngx_http_request_t          *r;
    ngx_http_complex_value_t    *hook;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_own_location(wmcf, peer->location);

    if (wlcf == NULL) {
        return;
    }

    hook = (peer->role == NGX_WEBRTC_PEER_PUBLISH) ? wlcf->on_publish
           : (peer->role == NGX_WEBRTC_PEER_PLAY) ? wlcf->on_play : NULL;

    if (hook == NULL) {
        return;
    }

    r = ngx_http_webrtc_ended_request(wlcf, peer, peer->about, log);
    if (r == NULL) {
        return;
    }

    ngx_http_webrtc_ended_note(r, peer, peer->about, "notify", "");
    ngx_http_webrtc_ended_tell(r, wlcf, hook, ngx_http_webrtc_ended_notified,
                               peer->ref);

    ngx_http_webrtc_own_done(r);
}


/* what refuses is an answer, not its absence */

static void
ngx_http_webrtc_ended_notified(uint64_t ref, ngx_uint_t status)
{
    if (ngx_http_webrtc_worker
        && status >= NGX_HTTP_BAD_REQUEST
        && status < NGX_HTTP_INTERNAL_SERVER_ERROR)
    {
        (void) ngx_webrtc_worker_end(ngx_http_webrtc_worker, ref,
                                     NGX_WEBRTC_WHY_HOOK);
    }
}


static ngx_http_request_t *
ngx_http_webrtc_ended_request(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_peer_t *peer, ngx_webrtc_peer_about_t *about, ngx_log_t *log)
{
    return ngx_http_webrtc_own(wlcf,
                   &peer->addrs[peer->current % NGX_WEBRTC_PEER_ADDRS].addr,
                   (uint64_t) ngx_current_msec - peer->created_ms, log);
}


/* the variables; about NULL: nothing is known */

static void
ngx_http_webrtc_ended_note(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, const char *event, const char *reason)
{
    uint64_t                 age;
    ngx_str_t                remote;
    ngx_webrtc_peer_stat_t  *st;
    ngx_http_webrtc_note_t  *note;
    u_char                   buf[NGX_SOCKADDR_STRLEN];

    static ngx_webrtc_peer_about_t  unknown;

    note = ngx_http_webrtc_note(r);
    if (note == NULL) {
        return;
    }

    if (about == NULL) {
        about = &unknown;
    }

    st = &peer->stat;
    age = (uint64_t) ngx_current_msec - peer->created_ms;

    ngx_http_webrtc_note_peer(r, peer);
    ngx_http_webrtc_status_remote(peer, about, buf, &remote);

    note->event.data = (u_char *) event;
    note->event.len = ngx_strlen(event);

    ngx_http_webrtc_ended_text(r, &note->end, (u_char *) reason,
                               ngx_strlen(reason));
    ngx_http_webrtc_ended_text(r, &note->remote, remote.data, remote.len);
    ngx_http_webrtc_ended_text(r, &note->agent, about->agent,
                               ngx_min(about->agent_len,
                                       NGX_WEBRTC_ABOUT_AGENT));

    ngx_http_webrtc_ended_number(r, &note->time, "%uL.%03uL", age / 1000,
                                 age % 1000);
    ngx_http_webrtc_ended_number(r, &note->bytes_sent, "%uL", st->bytes_out);
    ngx_http_webrtc_ended_number(r, &note->bytes_received, "%uL",
                                 st->bytes_in);
    ngx_http_webrtc_ended_number(r, &note->packets_sent, "%uL",
                                 st->packets_out);
    ngx_http_webrtc_ended_number(r, &note->packets_received, "%uL",
                                 st->packets_in);

    if (peer->role == NGX_WEBRTC_PEER_PUBLISH) {
        ngx_http_webrtc_ended_number(r, &note->lost, "%uL", st->lost_in);

    } else {
        ngx_http_webrtc_ended_number(r, &note->lost, "%D", about->lost_out);
    }

    ngx_http_webrtc_ended_number(r, &note->resent, "%uD", st->resent);
    ngx_http_webrtc_ended_number(r, &note->nacks, "%uD", st->nacks);
    ngx_http_webrtc_ended_number(r, &note->plis, "%uD", st->plis);

    if (st->rtt_us) {
        ngx_http_webrtc_ended_number(r, &note->rtt, "%uD.%03uD",
                                     st->rtt_us / 1000, st->rtt_us % 1000);
    }

    if (about->up_ms) {
        ngx_http_webrtc_ended_number(r, &note->jitter, "%uD.%03uD",
                                     about->jitter_us / 1000,
                                     about->jitter_us % 1000);
        ngx_http_webrtc_ended_number(r, &note->setup, "%uD", about->up_ms);
    }

    if (st->first_frame_ms) {
        ngx_http_webrtc_ended_number(r, &note->first, "%uL",
                                     st->first_frame_ms);
    }
}


void
ngx_http_webrtc_ended_stream(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t up, ngx_log_t *log)
{
    uint64_t                     age;
    ngx_str_t                    name;
    ngx_uint_t                   published;
    ngx_http_request_t          *r;
    ngx_http_webrtc_note_t      *note;
    ngx_http_complex_value_t    *hook;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_own_location(wmcf,
                                        ngx_webrtc_atomic_load(&st->location));

    if (wlcf == NULL) {
        return;
    }

    hook = up ? wlcf->on_stream_up : wlcf->on_stream_down;

    if (hook == NULL && (up || wlcf->log_conf == NULL)) {
        return;
    }

    age = (uint64_t) ngx_current_msec - st->rates.claimed_ms;

    r = ngx_http_webrtc_own(wlcf, NULL, age, log);
    if (r == NULL) {
        return;
    }

    note = ngx_http_webrtc_note(r);

    if (note) {
        name.data = st->name;
        name.len = st->name_len;

        published = (ngx_webrtc_bus_claimed(st, NULL)
                     == NGX_WEBRTC_CLAIM_PUBLISH);

        ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PUBLISH, &name);

        if (!published) {
            ngx_str_set(&note->role, "pull");
        }

        ngx_str_set(&note->event, "stream");

        ngx_http_webrtc_ended_number(r, &note->time, "%uL.%03uL", age / 1000,
                                     age % 1000);
        ngx_http_webrtc_ended_number(r, &note->bytes_received, "%uL",
                                     st->stat.bytes - st->rates.first_bytes);
        ngx_http_webrtc_ended_number(r, &note->packets_received, "%uL",
                                     st->stat.packets
                                     - st->rates.first_packets);

        ngx_http_webrtc_ended_tell(r, wlcf, hook, NULL, 0);

        if (!up) {
            ngx_http_webrtc_ended_log(r, wlcf);
        }
    }

    ngx_http_webrtc_own_done(r);
}


void
ngx_http_webrtc_ended_record(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_record_done_t *done)
{
    ngx_str_t                name;
    ngx_http_request_t      *r;
    ngx_http_webrtc_note_t  *note;

    if (wlcf->on_record_done == NULL || wlcf->ctx == NULL) {
        return;
    }

    r = ngx_http_webrtc_own(wlcf, NULL, done->duration_ms, ngx_cycle->log);
    if (r == NULL) {
        return;
    }

    note = ngx_http_webrtc_note(r);

    if (note) {
        name.data = done->stream->name;
        name.len = done->stream->name_len;

        ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PUBLISH, &name);

        ngx_str_set(&note->event, "record");
        note->role.len = 0;
        note->path = done->path;
        note->end = done->cause;

        ngx_http_webrtc_ended_number(r, &note->size, "%uL", done->size);
        ngx_http_webrtc_ended_number(r, &note->time, "%uL.%03uL",
                                     done->duration_ms / 1000,
                                     done->duration_ms % 1000);

        ngx_http_webrtc_ended_tell(r, wlcf, wlcf->on_record_done, NULL, 0);
    }

    ngx_http_webrtc_own_done(r);
}


/* a hook of what has happened; NULL: none */

static void
ngx_http_webrtc_ended_tell(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_complex_value_t *hook,
    ngx_http_webrtc_call_pt handler, uint64_t data)
{
    ngx_int_t  rc;
    ngx_str_t  uri;

    /* a process that ends has no event loop any more */

    if (hook == NULL || ngx_http_webrtc_worker == NULL
        || ngx_http_webrtc_worker->ending)
    {
        return;
    }

    rc = ngx_http_complex_value(r, hook, &uri);

    if (rc != NGX_OK || uri.len == 0) {
        return;
    }

    (void) ngx_http_webrtc_call(wlcf, &uri, handler, data);
}


/* as nginx logs a request that has ended */

static void
ngx_http_webrtc_ended_log(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    ngx_uint_t                  i;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (wlcf->log_conf == NULL) {
        return;
    }

    r->loc_conf = wlcf->log_conf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    h = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;

    for (i = 0; i < cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.nelts; i++) {
        (void) h[i](r);
    }
}


/* "" when there is no memory */

static void
ngx_http_webrtc_ended_text(ngx_http_request_t *r, ngx_str_t *to,
    const u_char *p, size_t n)
{
    to->len = 0;
    to->data = ngx_pnalloc(r->pool, n + 1);

    if (to->data) {
        ngx_memcpy(to->data, p, n);
        to->len = n;
    }
}


static void
ngx_http_webrtc_ended_number(ngx_http_request_t *r, ngx_str_t *to,
    const char *fmt, ...)
{
    va_list  args;

    to->len = 0;
    to->data = ngx_pnalloc(r->pool, NGX_HTTP_WEBRTC_ENDED_NUMBER);

    if (to->data == NULL) {
        return;
    }

    va_start(args, fmt);
    to->len = ngx_vslprintf(to->data,
                            to->data + NGX_HTTP_WEBRTC_ENDED_NUMBER, fmt, args)
              - to->data;
    va_end(args);
}
