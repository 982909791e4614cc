
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Answers when a limit is reached.
 */


#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_peers.h"
#include "ngx_webrtc_bus_pending.h"


/* chosen: a few hundred clients behind one address arriving within a second, or
 * 8 per second for 30 s with UDP blocked; and the cameras of a site */
#define NGX_HTTP_WEBRTC_PENDING  256
#define NGX_HTTP_WEBRTC_NAMES    100

#define NGX_HTTP_WEBRTC_PENDING_MOST  1000000

/* bytes of an IPv6 address that a client cannot choose */
#define NGX_HTTP_WEBRTC_PREFIX   8


typedef struct {
    ngx_uint_t               level;
    const char              *title;
    const char              *detail;
    const char              *set;         /* for the operator */
} ngx_http_webrtc_full_t;


/* indexed by NGX_WEBRTC_LACK_* */


/* Retry-After of a server that takes no new sessions, in s; chosen: somebody
 * works on it */
#define NGX_HTTP_WEBRTC_DRAIN_RETRY  30


static ngx_http_webrtc_full_t  ngx_http_webrtc_fulls[] = {

    { NGX_LOG_ERR, "no room for another session",
      "the server is full",
      "enlarge webrtc_zone" },

    { NGX_LOG_ERR, "no room for another session",
      "the server has no memory left for streams and sessions (zone memory)",
      "no memory is left in it, enlarge webrtc_zone" },

    { NGX_LOG_ERR, "no room for another stream",
      "the server has no room for more streams (stream slots)",
      "all its stream slots are used, one per 64k, enlarge webrtc_zone" },

    { NGX_LOG_ERR, "no room for another session",
      "the server has no room for more sessions (session slots)",
      "all its session slots are used, one per 4k, enlarge webrtc_zone" },

    { NGX_LOG_WARN, "too many sessions",
      "the server has reached its limit of sessions",
      "raise webrtc_max_sessions" },

    { NGX_LOG_WARN, "too many viewers",
      NULL,
      "raise webrtc_max_viewers" },

    { NGX_LOG_WARN, "too many pending sessions",
      "this client has too many sessions that have not connected yet",
      "of one client that have not connected, raise webrtc_max_pending" },

    { NGX_LOG_WARN, "too many new streams",
      "this client has asked for too many streams that are not live yet",
      "of one client that are not live, raise names= of webrtc_max_pending" },

    { NGX_LOG_WARN, "too many streams are encoded",
      "the stream would have to be encoded for this viewer, and the server "
      "encodes as many streams as it may",
      "raise webrtc_max_transcodes" }
};


ngx_int_t
ngx_http_webrtc_full(ngx_http_request_t *r, ngx_webrtc_lack_e lack,
    ngx_str_t *name)
{
    ngx_str_t                     detail;
    ngx_uint_t                    level;
    ngx_http_webrtc_full_t       *full;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);
    full = &ngx_http_webrtc_fulls[lack];

    /* one line per minute for the operator: more would flood the log */

    level = ngx_webrtc_bus_lack_say(ngx_http_webrtc_worker->bus, lack,
                                    ngx_current_msec)
            ? full->level : NGX_LOG_INFO;

    if (full->level == NGX_LOG_ERR) {
        ngx_log_error(level, r->connection->log, 0,
                      "webrtc_zone \"%V\" is full: %s", &wmcf->zone_name,
                      full->set);
    } else {
        ngx_log_error(level, r->connection->log, 0, "webrtc %s: %s",
                      full->title, full->set);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (full->detail == NULL) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       full->title, name);
    }

    detail.data = (u_char *) full->detail;
    detail.len = ngx_strlen(full->detail);

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   full->title, &detail);
}


void
ngx_http_webrtc_full_client(ngx_http_request_t *r, ngx_webrtc_client_t *client)
{
    ngx_str_t                    key;
    struct sockaddr             *sa;
    ngx_http_webrtc_loc_conf_t  *wlcf;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6         *sin6;
#endif

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_memzero(client, sizeof(ngx_webrtc_client_t));
    ngx_str_null(&key);

    if (wlcf->max_pending == 0 && wlcf->max_names == 0) {
        return;
    }

    if (wlcf->pending_key) {

        if (ngx_http_complex_value(r, wlcf->pending_key, &key) != NGX_OK) {
            return;
        }

    } else {
        sa = r->connection->sockaddr;

        switch (sa->sa_family) {

        case AF_INET:
            key.data = (u_char *) &((struct sockaddr_in *) sa)->sin_addr;
            key.len = sizeof(struct in_addr);
            break;

#if (NGX_HAVE_INET6)
        case AF_INET6:
            sin6 = (struct sockaddr_in6 *) sa;
            key.data = sin6->sin6_addr.s6_addr;
            key.len = NGX_HTTP_WEBRTC_PREFIX;

            if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
                key.len = sizeof(struct in6_addr);
            }

            break;
#endif

        default:
            /* a proxy on this machine */
            break;
        }
    }

    client->key = ngx_webrtc_bus_client(ngx_http_webrtc_worker->bus, &key);
    client->max_sessions = (uint32_t) wlcf->max_pending;
    client->max_names = (uint32_t) wlcf->max_names;
}


ngx_webrtc_lack_e
ngx_http_webrtc_full_early(ngx_http_request_t *r)
{
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_client_t           client;
    ngx_http_webrtc_main_conf_t  *wmcf;

    bus = ngx_http_webrtc_worker->bus;
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);

    ngx_http_webrtc_full_client(r, &client);

    if (client.key && client.max_sessions
        && ngx_webrtc_bus_pending(bus, client.key, NGX_WEBRTC_PENDING_SESSIONS)
           >= client.max_sessions)
    {
        return NGX_WEBRTC_LACK_PENDING;
    }

    /* no session is evicted for a request that may not be a valid offer */

    if (wmcf->max_sessions
        && ngx_webrtc_peers_count(bus) >= (ngx_uint_t) wmcf->max_sessions
        && !ngx_webrtc_peers_may_give_way(bus, ngx_current_msec))
    {
        return NGX_WEBRTC_LACK_SESSIONS;
    }

    return NGX_WEBRTC_LACK_NONE;
}


/* "webrtc_max_pending number [names=number] [key=string] | off" */

char *
ngx_http_webrtc_full_pending(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_int_t                          n;
    ngx_str_t                         *value, text;
    ngx_uint_t                         i;
    ngx_http_compile_complex_value_t   ccv;

    if (wlcf->max_pending != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->max_pending = 0;
        wlcf->max_names = 0;
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > NGX_HTTP_WEBRTC_PENDING_MOST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_max_pending, "
                           "expected \"off\" or a number from 1 to %d, such "
                           "as \"%d\"", &value[1],
                           NGX_HTTP_WEBRTC_PENDING_MOST,
                           NGX_HTTP_WEBRTC_PENDING);
        return NGX_CONF_ERROR;
    }

    wlcf->max_pending = n;
    wlcf->max_names = NGX_HTTP_WEBRTC_NAMES;

    for (i = 2; i < cf->args->nelts; i++) {

        text = value[i];

        if (text.len > 6 && ngx_strncmp(text.data, "names=", 6) == 0) {

            n = ngx_atoi(text.data + 6, text.len - 6);

            if (n >= 1 && n <= NGX_HTTP_WEBRTC_PENDING_MOST) {
                wlcf->max_names = n;
                continue;
            }
        }

        if (text.len > 4 && ngx_strncmp(text.data, "key=", 4) == 0) {

            text.data += 4;
            text.len -= 4;

            wlcf->pending_key = ngx_palloc(cf->pool,
                                           sizeof(ngx_http_complex_value_t));
            if (wlcf->pending_key == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

            ccv.cf = cf;
            ccv.value = &text;
            ccv.complex_value = wlcf->pending_key;

            if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in webrtc_max_pending, "
                           "expected \"names=number\" from 1 to %d, or "
                           "\"key=string\", such as "
                           "\"key=$http_x_real_ip\"", &value[i],
                           NGX_HTTP_WEBRTC_PENDING_MOST);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_webrtc_full_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    /* all set by one directive */

    if (conf->max_pending == NGX_CONF_UNSET) {
        conf->pending_key = prev->pending_key;
    }

    ngx_conf_merge_value(conf->max_pending, prev->max_pending,
                         NGX_HTTP_WEBRTC_PENDING);
    ngx_conf_merge_value(conf->max_names, prev->max_names,
                         NGX_HTTP_WEBRTC_NAMES);
}


ngx_int_t
ngx_http_webrtc_full_drain(ngx_http_request_t *r)
{
    ngx_str_t                    url, detail;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->drain_to) {

        if (ngx_http_complex_value(r, wlcf->drain_to, &url) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (url.len) {
            ngx_str_null(&detail);

            if (ngx_http_webrtc_header(r, "Location", &url) != NGX_OK) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            return ngx_http_webrtc_answer(r, NGX_HTTP_TEMPORARY_REDIRECT, NULL,
                                          &detail);
        }
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_DRAIN_RETRY)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&detail, "it is being emptied for maintenance");

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "this server takes no new sessions",
                                   &detail);
}
