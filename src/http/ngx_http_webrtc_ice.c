
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_ice full": the HTTP side.  A request that waits for candidates and
 * the session that gathers them know each other by the slot's reference only.
 *
 * RFC 8838 (trickle), RFC 9725, 4.3.2; RFC 7064 and 7065 (URLs of servers).
 */


#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_cursor.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_sdpfrag.h"
#include "ngx_webrtc_session_life.h"


/* ms that an answer waits for candidates; chosen: a healthy server answers
 * sooner, others are not worth waiting for */
#define NGX_HTTP_WEBRTC_ICE_WAIT    2000

/* ms that a session's owner may take to return its candidates; chosen: it takes
 * 1 ms if healthy; without them, clients learn ours from our checks */
#define NGX_HTTP_WEBRTC_ICE_ASK     500

/* RFC 8489, 18.6; RFC 8656 */
#define NGX_HTTP_WEBRTC_ICE_PORT    3478


/* an address of a STUN or TURN server */
typedef struct {
    ngx_str_t                      address;
    in_port_t                      port;
    ngx_uint_t                     type;      /* NGX_WEBRTC_NICE_* */
    ngx_http_webrtc_ice_server_t  *server;
} ngx_http_webrtc_ice_addr_t;


/* a request that waits: a POST, or the PATCH of a restart if etag is set */
typedef struct {
    ngx_http_request_t               *request;
    ngx_webrtc_peer_t                *peer;
    ngx_str_t                         answer;
    ngx_http_webrtc_ice_created_pt    created;
    ngx_http_webrtc_ice_restarted_pt  restarted;
    void                             *data;   /* of created() */
    ngx_webrtc_peer_restart_t         restart;
    u_char                           *etag;
    ngx_queue_t                       queue;
    ngx_event_t                       timer;
    unsigned                          waiting:1;
    unsigned                          answered:1;
} ngx_http_webrtc_ice_t;


static void ngx_http_webrtc_ice_addrs(ngx_http_request_t *r,
    ngx_str_t *addrs, ngx_uint_t *n);
static ngx_int_t ngx_http_webrtc_ice_servers(ngx_http_request_t *r,
    ngx_webrtc_nice_server_t *servers, ngx_uint_t *n);
static void ngx_http_webrtc_ice_wait(ngx_http_webrtc_ice_t *ice,
    ngx_msec_t time);
static void ngx_http_webrtc_ice_resume(ngx_http_webrtc_ice_t *ice,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand);
static ngx_int_t ngx_http_webrtc_ice_answer(ngx_http_webrtc_ice_t *ice);
static ngx_int_t ngx_http_webrtc_ice_none(ngx_http_webrtc_ice_t *ice);
static void ngx_http_webrtc_ice_timeout(ngx_event_t *ev);
static void ngx_http_webrtc_ice_cleanup(void *data);
static char *ngx_http_webrtc_ice_check(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);
static char *ngx_http_webrtc_ice_resolve_server(ngx_conf_t *cf,
    ngx_array_t *addrs, ngx_http_webrtc_ice_server_t *server);


static ngx_queue_t  ngx_http_webrtc_ice_waiting = {
    &ngx_http_webrtc_ice_waiting, &ngx_http_webrtc_ice_waiting
};


ngx_conf_enum_t  ngx_http_webrtc_ice_modes[] = {
    { ngx_string("lite"), NGX_HTTP_WEBRTC_ICE_LITE },
    { ngx_string("full"), NGX_HTTP_WEBRTC_ICE_FULL },
    { ngx_string("relay"), NGX_HTTP_WEBRTC_ICE_RELAY },
    { ngx_null_string, 0 }
};


ngx_uint_t
ngx_http_webrtc_ice_leaves(ngx_http_request_t *r)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    return ngx_exiting && wlcf->ice != NGX_HTTP_WEBRTC_ICE_LITE;
}


ngx_int_t
ngx_http_webrtc_ice_start(ngx_http_request_t *r, ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_peer_t *peer, ngx_str_t *answer,
    ngx_http_webrtc_ice_created_pt created, void *data)
{
    ngx_int_t               rc;
    ngx_http_cleanup_t     *cln;
    ngx_http_webrtc_ice_t  *ice;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_ice_t));
    if (cln == NULL) {
        (void) ngx_webrtc_peers_close(ngx_http_webrtc_worker->bus, peer->ref);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ice = cln->data;
    ngx_memzero(ice, sizeof(ngx_http_webrtc_ice_t));

    ice->request = r;
    ice->peer = peer;
    ice->answer = *answer;
    ice->created = created;
    ice->data = data;

    rc = ngx_http_webrtc_ice_begin(r, sdp, peer);

    if (rc != NGX_OK) {
        return rc;
    }

    cln->handler = ngx_http_webrtc_ice_cleanup;

    /* leave the client time for its checks */

    ngx_http_webrtc_ice_wait(ice, ngx_min(NGX_HTTP_WEBRTC_ICE_WAIT,
                                          peer->policy.handshake_timeout / 2));

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_webrtc_ice_begin(ngx_http_request_t *r, ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_peer_t *peer)
{
    ngx_int_t  rc;
    ngx_str_t  detail;

    rc = ngx_http_webrtc_ice_session(r, sdp, peer);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_candidates_none(r, NULL);
    }

    /* the log says which one */

    ngx_str_set(&detail, "the server is short of connections, ports, "
                         "descriptors or memory for webrtc_ice full");

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "no room for another session", &detail);
}


/* the caller returns NGX_AGAIN */

static void
ngx_http_webrtc_ice_wait(ngx_http_webrtc_ice_t *ice, ngx_msec_t time)
{
    ngx_http_request_t  *r;

    r = ice->request;

    ice->timer.handler = ngx_http_webrtc_ice_timeout;
    ice->timer.data = ice;
    ice->timer.log = r->connection->log;

    ngx_add_timer(&ice->timer, time);

    ice->waiting = 1;
    ngx_queue_insert_tail(&ngx_http_webrtc_ice_waiting, &ice->queue);

    ngx_http_webrtc_wait(r);
}


ngx_int_t
ngx_http_webrtc_ice_session(ngx_http_request_t *r, ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_peer_t *peer)
{
    ngx_str_t                       addrs[NGX_WEBRTC_NICE_ADDRS];
    ngx_webrtc_nice_server_t        servers[NGX_WEBRTC_NICE_SERVERS];
    ngx_http_webrtc_loc_conf_t     *wlcf;
    ngx_webrtc_session_ice_conf_t   conf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_memzero(&conf, sizeof(ngx_webrtc_session_ice_conf_t));

    conf.addrs = addrs;
    conf.servers = servers;
    conf.min_port = wlcf->ice_min_port;
    conf.max_port = wlcf->ice_max_port;
    conf.relay = (wlcf->ice == NGX_HTTP_WEBRTC_ICE_RELAY);

    if (wlcf->ice_rules) {
        conf.filter.rules = wlcf->ice_rules->elts;
        conf.filter.n = wlcf->ice_rules->nelts;
    }

    ngx_webrtc_ice_filter_client(&conf.filter, r->connection->sockaddr);
    conf.filter.chosen = (sdp == NULL);

    ngx_http_webrtc_ice_addrs(r, addrs, &conf.naddrs);

    if (conf.naddrs == 0
        || ngx_http_webrtc_ice_servers(r, servers, &conf.nservers) != NGX_OK)
    {
        (void) ngx_webrtc_peers_close(ngx_http_webrtc_worker->bus, peer->ref);
        return conf.naddrs ? NGX_ERROR : NGX_DECLINED;
    }

    if (ngx_webrtc_session_life_create_full(ngx_http_webrtc_worker, peer->ref,
                                            &conf,
                                            sdp ? sdp->candidates : NULL,
                                            sdp ? sdp->ncandidates : 0)
        == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the listening addresses, without ports */

static void
ngx_http_webrtc_ice_addrs(ngx_http_request_t *r, ngx_str_t *addrs,
    ngx_uint_t *n)
{
    ngx_uint_t                  i, k, ncand;
    ngx_webrtc_sdp_candidate_t  cand[NGX_HTTP_WEBRTC_CANDIDATES];

    *n = 0;
    ncand = ngx_http_webrtc_candidates_local(r, cand);

    for (i = 0; i < ncand && *n < NGX_WEBRTC_NICE_ADDRS; i++) {

        for (k = 0; k < *n; k++) {
            if (addrs[k].len == cand[i].address.len
                && ngx_memcmp(addrs[k].data, cand[i].address.data,
                              addrs[k].len)
                   == 0)
            {
                break;
            }
        }

        if (k == *n) {
            addrs[(*n)++] = cand[i].address;
        }
    }
}


static ngx_int_t
ngx_http_webrtc_ice_servers(ngx_http_request_t *r,
    ngx_webrtc_nice_server_t *servers, ngx_uint_t *n)
{
    ngx_uint_t                   i;
    ngx_webrtc_nice_server_t    *srv;
    ngx_http_webrtc_loc_conf_t  *wlcf;
    ngx_http_webrtc_ice_addr_t  *addr;

    *n = 0;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->ice_addrs == NULL) {
        return NGX_OK;
    }

    addr = wlcf->ice_addrs->elts;

    for (i = 0; i < wlcf->ice_addrs->nelts; i++) {

        if (*n == NGX_WEBRTC_NICE_SERVERS) {
            break;
        }

        srv = &servers[(*n)++];

        ngx_memzero(srv, sizeof(ngx_webrtc_nice_server_t));

        srv->type = addr[i].type;
        srv->address = addr[i].address;
        srv->port = addr[i].port;
        srv->url = addr[i].server->url;

        if (ngx_http_webrtc_ice_server_credentials(r, addr[i].server,
                                                   &srv->username,
                                                   &srv->credential)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_webrtc_ice_wake(uint64_t ref, ngx_uint_t gathered)
{
    ngx_queue_t            *q;
    ngx_http_webrtc_ice_t  *ice;

    if (!gathered) {
        return;
    }

    for (q = ngx_queue_head(&ngx_http_webrtc_ice_waiting);
         q != ngx_queue_sentinel(&ngx_http_webrtc_ice_waiting);
         q = ngx_queue_next(q))
    {
        ice = ngx_queue_data(q, ngx_http_webrtc_ice_t, queue);

        if (ice->peer->ref == ref && ice->etag == NULL) {
            ngx_http_webrtc_ice_resume(ice, NULL, 0);
            return;
        }
    }
}


void
ngx_http_webrtc_ice_told(uint64_t ref, u_char *p, size_t n)
{
    u_char                  *text;
    ngx_queue_t             *q;
    ngx_webrtc_sdpfrag_t    *frag;
    ngx_webrtc_sdp_error_t   err;
    ngx_http_webrtc_ice_t   *ice;

    for (q = ngx_queue_head(&ngx_http_webrtc_ice_waiting);
         q != ngx_queue_sentinel(&ngx_http_webrtc_ice_waiting);
         q = ngx_queue_next(q))
    {
        ice = ngx_queue_data(q, ngx_http_webrtc_ice_t, queue);

        if (ice->peer->ref != ref || ice->etag == NULL) {
            continue;
        }

        text = ngx_pnalloc(ice->request->pool, n);
        frag = ngx_palloc(ice->request->pool, sizeof(ngx_webrtc_sdpfrag_t));

        if (text == NULL || frag == NULL) {
            return;
        }

        ngx_memcpy(text, p, n);

        if (ngx_webrtc_sdpfrag_parse(text, text + n, frag, &err) != NGX_OK) {
            frag->ncandidates = 0;
        }

        ngx_http_webrtc_ice_resume(ice, frag->candidates, frag->ncandidates);
        return;
    }
}


ngx_int_t
ngx_http_webrtc_ice_restart(ngx_http_request_t *r, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_info_t *info, ngx_webrtc_peer_restart_t *restart,
    u_char *etag, ngx_http_webrtc_ice_restarted_pt restarted)
{
    ngx_http_cleanup_t          *cln;
    ngx_http_webrtc_ice_t       *ice;
    ngx_webrtc_sdp_candidate_t   cand[NGX_HTTP_WEBRTC_CANDIDATES];

    if (ngx_webrtc_worker_ask(ngx_http_webrtc_worker, info) != NGX_OK) {
        return restarted(r, peer, restart, etag, cand,
                         ngx_http_webrtc_ice_candidates(r, peer->ref, cand));
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_ice_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ice = cln->data;
    ngx_memzero(ice, sizeof(ngx_http_webrtc_ice_t));

    ice->request = r;
    ice->peer = peer;
    ice->restart = *restart;
    ice->etag = etag;
    ice->restarted = restarted;

    /* the session continues whatever happens to the request */

    ice->answered = 1;

    cln->handler = ngx_http_webrtc_ice_cleanup;

    ngx_http_webrtc_ice_wait(ice, NGX_HTTP_WEBRTC_ICE_ASK);

    return NGX_AGAIN;
}


/* cand: for a PATCH */

static void
ngx_http_webrtc_ice_resume(ngx_http_webrtc_ice_t *ice,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t ncand)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ice->request;
    c = r->connection;

    ngx_queue_remove(&ice->queue);
    ice->waiting = 0;

    if (ice->timer.timer_set) {
        ngx_del_timer(&ice->timer);
    }

    if (ice->etag) {
        rc = ice->restarted(r, ice->peer, &ice->restart, ice->etag, cand,
                            ncand);

    } else {
        rc = ngx_http_webrtc_ice_answer(ice);
    }

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_webrtc_ice_answer(ngx_http_webrtc_ice_t *ice)
{
    u_char                      *p, *end, *at;
    size_t                       size;
    ngx_int_t                    rc;
    ngx_str_t                    body;
    ngx_uint_t                   i, n;
    ngx_http_request_t          *r;
    ngx_webrtc_sdp_candidate_t   cand[NGX_HTTP_WEBRTC_CANDIDATES];

    static ngx_str_t  last = ngx_string("a=end-of-candidates");

    r = ice->request;

    if (ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, ice->peer->ref)
        == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = ngx_http_webrtc_ice_candidates(r, ice->peer->ref, cand);

    if (n == 0) {

        /* we have none: the session ends with the request, as the client never
         * learns of it */

        return ngx_http_webrtc_ice_none(ice);
    }

    /* candidates go before end-of-candidates, in the m-line that has the
     * transport */

    end = ice->answer.data + ice->answer.len;

    at = ngx_strlcasestrn(ice->answer.data, end, last.data, last.len - 1);

    size = ice->answer.len + n * NGX_WEBRTC_NEGOTIATE_CANDIDATE;

    body.data = ngx_pnalloc(r->pool, size);

    if (body.data == NULL || at == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(body.data, ice->answer.data, at - ice->answer.data);

    for (i = 0; i < n && p; i++) {
        p = ngx_webrtc_write_mem(p, body.data + size, (u_char *) "a=", 2);
        p = ngx_webrtc_sdp_print_candidate(p, body.data + size, &cand[i], i);
        p = ngx_webrtc_write_mem(p, body.data + size, (u_char *) CRLF, 2);
    }

    if (p == NULL || (size_t) (body.data + size - p) < (size_t) (end - at)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(p, at, end - at);

    body.len = p - body.data;

    rc = ice->created(ice->data, &body);

    if (rc == NGX_DONE) {
        ice->answered = 1;
    }

    return rc;
}


static ngx_int_t
ngx_http_webrtc_ice_none(ngx_http_webrtc_ice_t *ice)
{
    ngx_webrtc_peer_t           *peer;
    ngx_http_request_t          *r;
    ngx_webrtc_session_t        *s;
    ngx_webrtc_nice_relays_t    *relays;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = ice->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    peer = ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, ice->peer->ref);
    s = peer ? peer->session : NULL;
    relays = NULL;

    if (s && s->transport.nice && wlcf->ice == NGX_HTTP_WEBRTC_ICE_RELAY) {
        relays = ngx_webrtc_nice_relays(s->transport.nice);
    }

    if (relays == NULL) {
        return ngx_http_webrtc_candidates_none(r,
                   "none was gathered: is the TURN server of "
                   "webrtc_ice_server well, are there webrtc_ice_ports left?");
    }

    ngx_webrtc_session_ice_complain(s, 1);

    return ngx_http_webrtc_candidates_refused(r, relays);
}


ngx_uint_t
ngx_http_webrtc_ice_candidates(ngx_http_request_t *r, uint64_t ref,
    ngx_webrtc_sdp_candidate_t *cand)
{
    ngx_webrtc_peer_t     *peer;
    ngx_webrtc_session_t  *s;

    peer = ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, ref);

    if (peer == NULL || peer->session == NULL) {
        return 0;
    }

    s = peer->session;

    if (s->transport.nice == NULL) {
        return 0;
    }

    return ngx_webrtc_nice_candidates(s->transport.nice, r->pool, cand,
                                      NGX_HTTP_WEBRTC_CANDIDATES);
}


ngx_int_t
ngx_http_webrtc_ice_trickle(ngx_http_request_t *r,
    ngx_webrtc_peer_info_t *info, ngx_str_t *body)
{
    ngx_int_t  rc;

    rc = ngx_webrtc_worker_trickle(ngx_http_webrtc_worker, info, body);

    return (rc == NGX_OK) ? NGX_OK : ngx_http_webrtc_ice_refuse(r, rc, body);
}


ngx_int_t
ngx_http_webrtc_ice_refuse(ngx_http_request_t *r, ngx_int_t rc,
    ngx_str_t *body)
{
    if (rc == NGX_AGAIN) {

        if (ngx_http_webrtc_retry_after(r, 1) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "the session's worker is busy", NULL);
    }

    if (body->len >= NGX_WEBRTC_INBOX_TEXT) {
        return ngx_http_webrtc_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                       "body too large", NULL);
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND, "no such session",
                                   NULL);
}


static void
ngx_http_webrtc_ice_timeout(ngx_event_t *ev)
{
    ngx_http_webrtc_ice_resume(ev->data, NULL, 0);
}


static void
ngx_http_webrtc_ice_cleanup(void *data)
{
    ngx_http_webrtc_ice_t *ice = data;

    ngx_webrtc_peer_t  *peer;

    if (ice->waiting) {
        ngx_queue_remove(&ice->queue);
        ice->waiting = 0;
    }

    if (ice->timer.timer_set) {
        ngx_del_timer(&ice->timer);
    }

    if (ice->answered || ngx_http_webrtc_worker == NULL) {
        return;
    }

    /* the client has not learned of the session */

    peer = ngx_webrtc_peers_mine(ngx_http_webrtc_worker->bus, ice->peer->ref);

    if (peer && peer->session) {
        ngx_webrtc_session_close(peer->session, "client has gone");
    }
}


/* "webrtc_ice_allow word ..." and "webrtc_ice_deny word ..." */

char *
ngx_http_webrtc_ice_rule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t   *value;
    ngx_int_t    rc;
    ngx_uint_t   i;

    if (wlcf->ice_rules == NGX_CONF_UNSET_PTR) {
        wlcf->ice_rules = ngx_array_create(cf->pool, 4,
                                           sizeof(ngx_webrtc_ice_rule_t));
        if (wlcf->ice_rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rc = ngx_webrtc_ice_filter_add(wlcf->ice_rules, &value[i],
                 ngx_strcmp(cmd->name.data, "webrtc_ice_deny") == 0);

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in %V, expected an "
                               "address, a CIDR, \"private\", \"loopback\" "
                               "or \"all\", such as \"192.168.0.0/16\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (wlcf->ice_rules->nelts > NGX_WEBRTC_ICE_FILTER_RULES) {
        return "has too many rules with those before";
    }

    return NGX_CONF_OK;
}


/* "webrtc_ice_ports min-max" */

char *
ngx_http_webrtc_ice_ports(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    u_char     *p;
    ngx_int_t   min, max;
    ngx_str_t  *value;

    if (wlcf->ice_min_port != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = ngx_strlchr(value[1].data, value[1].data + value[1].len, '-');

    if (p == NULL) {
        goto invalid;
    }

    min = ngx_atoi(value[1].data, p - value[1].data);
    max = ngx_atoi(p + 1, value[1].data + value[1].len - p - 1);

    if (min < 1 || max > 65535 || min > max) {
        goto invalid;
    }

    wlcf->ice_min_port = (ngx_uint_t) min;
    wlcf->ice_max_port = (ngx_uint_t) max;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid range \"%V\" in webrtc_ice_ports, expected "
                       "\"min-max\" between 1 and 65535, such as "
                       "\"40000-40999\"", &value[1]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_webrtc_ice_resolve(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    char                          *rv;
    ngx_uint_t                     i;
    ngx_http_webrtc_ice_server_t  *server;

    if (conf->ice == NGX_HTTP_WEBRTC_ICE_LITE) {
        return NGX_CONF_OK;
    }

    if (conf->ice_servers == NULL) {
        return ngx_http_webrtc_ice_check(cf, conf);
    }

    if (prev->ice_servers == conf->ice_servers && prev->ice_addrs) {
        conf->ice_addrs = prev->ice_addrs;
        return ngx_http_webrtc_ice_check(cf, conf);
    }

    conf->ice_addrs = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_webrtc_ice_addr_t));
    if (conf->ice_addrs == NULL) {
        return NGX_CONF_ERROR;
    }

    server = conf->ice_servers->elts;

    for (i = 0; i < conf->ice_servers->nelts; i++) {
        rv = ngx_http_webrtc_ice_resolve_server(cf, conf->ice_addrs,
                                                &server[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_http_webrtc_ice_check(cf, conf);
}


/* relayed candidates only, but no TURN server: there would never be any */

static char *
ngx_http_webrtc_ice_check(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_uint_t                   i;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_webrtc_ice_addr_t  *addr;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* a level that serves nothing itself need not be complete */

    if (conf->ice != NGX_HTTP_WEBRTC_ICE_RELAY
        || (conf->play == NULL && conf->publish == NULL
            && (!conf->file || (clcf->name.len == 0 && !clcf->noname))))
    {
        return NGX_CONF_OK;
    }

    addr = conf->ice_addrs ? conf->ice_addrs->elts : NULL;

    for (i = 0; addr && i < conf->ice_addrs->nelts; i++) {
        if (addr[i].type != NGX_WEBRTC_NICE_STUN) {
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"webrtc_ice relay\" without a server that relays, "
                       "expected \"webrtc_ice_server turn:host username=name "
                       "credential=word\", too");

    return NGX_CONF_ERROR;
}


static char *
ngx_http_webrtc_ice_resolve_server(ngx_conf_t *cf, ngx_array_t *addrs,
    ngx_http_webrtc_ice_server_t *server)
{
    u_char                      *p, *end, *query;
    size_t                       len;
    ngx_url_t                    u;
    ngx_uint_t                   i, type;
    ngx_http_webrtc_ice_addr_t  *addr;

    static ngx_str_t  tcp = ngx_string("transport=tcp");

    p = server->url.data;
    end = p + server->url.len;

    if (server->url.len > 5 && ngx_strncasecmp(p, (u_char *) "stun:", 5) == 0) {
        type = NGX_WEBRTC_NICE_STUN;

    } else if (server->url.len > 5
               && ngx_strncasecmp(p, (u_char *) "turn:", 5) == 0)
    {
        type = NGX_WEBRTC_NICE_TURN_UDP;

    } else {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "\"%V\" is for clients only: \"webrtc_ice full\" "
                           "does not use TLS", &server->url);
        return NGX_CONF_OK;
    }

    p += 5;

    query = ngx_strlchr(p, end, '?');

    if (query && type == NGX_WEBRTC_NICE_TURN_UDP
        && ngx_strlcasestrn(query, end, tcp.data, tcp.len - 1))
    {
        type = NGX_WEBRTC_NICE_TURN_TCP;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.data = p;
    u.url.len = (query ? query : end) - p;
    u.default_port = NGX_HTTP_WEBRTC_ICE_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0
        || u.family == AF_UNIX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in webrtc_ice_server \"%V\", which "
                           "\"webrtc_ice full\" needs the address of",
                           u.err ? u.err : "invalid address", &server->url);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < u.naddrs; i++) {

        addr = ngx_array_push(addrs);
        if (addr == NULL) {
            return NGX_CONF_ERROR;
        }

        addr->type = type;
        addr->server = server;
        addr->port = ngx_inet_get_port(u.addrs[i].sockaddr);

        addr->address.data = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN);
        if (addr->address.data == NULL) {
            return NGX_CONF_ERROR;
        }

        len = ngx_sock_ntop(u.addrs[i].sockaddr, u.addrs[i].socklen,
                            addr->address.data, NGX_SOCKADDR_STRLEN, 0);

        addr->address.len = len;
    }

    return NGX_CONF_OK;
}
