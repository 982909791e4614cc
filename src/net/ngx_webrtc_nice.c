
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Full ICE on libnice's agent.  Knows nothing of what datagrams carry.
 *
 * Its loop is in ngx_webrtc_nice_loop.c, what it sends and where to in
 * ngx_webrtc_nice_path.c.
 *
 * The agent is never freed from within its own turn, see
 * ngx_webrtc_nice_close().
 *
 * No thread does any work: names are resolved by nginx when it reads the
 * configuration, UPnP is off.  GLib's "gmain", which GTask starts where there
 * are servers, sleeps for good with all signals blocked.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_nice.h"
#include "ngx_webrtc_nice_loop.h"
#include "ngx_webrtc_nice_run.h"
#include "ngx_webrtc_nice_spare.h"


/* steps, and ms of each, that an exiting worker waits for TURN servers; chosen:
 * a fifth of a second is enough for a healthy server */
#define NGX_WEBRTC_NICE_EXIT       40
#define NGX_WEBRTC_NICE_EXIT_STEP  5

/* ms until a closed agent gives back its allocations whether it has gathered or
 * not, and until it does so again; chosen: libnice gives a silent server two to
 * four seconds when it gathers, and three when it gives back */
#define NGX_WEBRTC_NICE_PRUNE      5000


static void ngx_webrtc_nice_init(void);
static void ngx_webrtc_nice_log(const gchar *domain, GLogLevelFlags level,
    const gchar *message, gpointer data);
static ngx_int_t ngx_webrtc_nice_setup(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_conf_t *conf);
static ngx_int_t ngx_webrtc_nice_servers(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_conf_t *conf);
static ngx_int_t ngx_webrtc_nice_turn(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_server_t *srv);
static ngx_int_t ngx_webrtc_nice_sockaddr_of(ngx_str_t *text,
    ngx_sockaddr_t *sockaddr);
static gchar *ngx_webrtc_nice_str(gchar *buf, size_t size, ngx_str_t *s);
static void ngx_webrtc_nice_on_recv(NiceAgent *agent, guint stream,
    guint component, guint len, gchar *buf, gpointer data);
static void ngx_webrtc_nice_on_state(NiceAgent *agent, guint stream,
    guint component, guint state, gpointer data);
static void ngx_webrtc_nice_on_pair(NiceAgent *agent, guint stream,
    guint component, NiceCandidate *local, NiceCandidate *remote,
    gpointer data);
static void ngx_webrtc_nice_on_candidate(NiceAgent *agent, NiceCandidate *cand,
    gpointer data);
static void ngx_webrtc_nice_on_remote(NiceAgent *agent, NiceCandidate *cand,
    gpointer data);
static void ngx_webrtc_nice_on_gathered(NiceAgent *agent, guint stream,
    gpointer data);
static ngx_int_t ngx_webrtc_nice_end(ngx_webrtc_nice_t *nice);
static void ngx_webrtc_nice_prune(ngx_webrtc_nice_t *nice);
static void ngx_webrtc_nice_on_pruned(GObject *object, GAsyncResult *result,
    gpointer data);
static void ngx_webrtc_nice_free(ngx_webrtc_nice_t *nice);


/* agents of this process that nobody has a pointer to any more */
static ngx_queue_t  ngx_webrtc_nice_closing = {
    &ngx_webrtc_nice_closing, &ngx_webrtc_nice_closing
};


ngx_webrtc_nice_t *
ngx_webrtc_nice_create(ngx_webrtc_nice_conf_t *conf)
{
    ngx_webrtc_nice_t  *nice;

    ngx_webrtc_nice_init();

    nice = ngx_calloc(sizeof(ngx_webrtc_nice_t), conf->log);
    if (nice == NULL) {
        return NULL;
    }

    nice->conf = *conf;
    nice->conf.addrs = NULL;
    nice->conf.servers = NULL;

    nice->answered = ngx_webrtc_nice_answered;

    /* GLib's allocations never fail: it would end the process instead */

    if (ngx_webrtc_nice_loop(nice, ngx_webrtc_nice_end) != NGX_OK
        || ngx_webrtc_nice_room(conf->log) != NGX_OK
        || ngx_webrtc_nice_spare(conf->log) != NGX_OK)
    {
        if (nice->ios) {
            ngx_free(nice->ios);
        }

        ngx_free(nice);
        return NULL;
    }

    nice->context = g_main_context_new();

    (void) g_main_context_acquire(nice->context);

    if (ngx_webrtc_nice_setup(nice, conf) != NGX_OK
        || ngx_webrtc_nice_begin(nice) != NGX_OK)
    {
        nice->closed = 1;
        ngx_webrtc_nice_free(nice);
        return NULL;
    }

    ngx_webrtc_nice_wake(nice);

    return nice;
}


static void
ngx_webrtc_nice_init(void)
{
    static ngx_uint_t  done;

    if (done) {
        return;
    }

    done = 1;

    (void) g_log_set_handler("libnice", G_LOG_LEVEL_MASK|G_LOG_FLAG_FATAL,
                             ngx_webrtc_nice_log, NULL);
    (void) g_log_set_handler("libnice-stun", G_LOG_LEVEL_MASK,
                             ngx_webrtc_nice_log, NULL);
}


/* libnice's messages are about peers and servers */

static void
ngx_webrtc_nice_log(const gchar *domain, GLogLevelFlags level,
    const gchar *message, gpointer data)
{
    ngx_uint_t  bad;

    bad = level & (G_LOG_LEVEL_ERROR|G_LOG_LEVEL_CRITICAL);

    if (bad) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "webrtc nice %s",
                      message);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0, "webrtc nice %s", message);
}


static ngx_int_t
ngx_webrtc_nice_setup(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_conf_t *conf)
{
    gchar         ufrag[64], pwd[128], text[NGX_SOCKADDR_STRLEN + 1];
    ngx_uint_t    i;
    NiceAddress   addr;

    /* consent is the session's, ngx_webrtc_session_consent.c */

    nice->agent = nice_agent_new_full(nice->context,
                                      NICE_COMPATIBILITY_RFC5245,
                                      NICE_AGENT_OPTION_ICE_TRICKLE);

    if (nice->agent == NULL) {
        ngx_log_error(NGX_LOG_ERR, conf->log, 0, "webrtc nice agent failed");
        return NGX_ERROR;
    }

    g_object_set(nice->agent,
                 "upnp", FALSE,
                 "ice-tcp", FALSE,
                 "controlling-mode", conf->controlling ? TRUE : FALSE,
                 "force-relay", conf->relay ? TRUE : FALSE,
                 NULL);

    for (i = 0; i < conf->naddrs && i < NGX_WEBRTC_NICE_ADDRS; i++) {

        nice_address_init(&addr);

        if (ngx_webrtc_nice_str(text, sizeof(text), &conf->addrs[i]) == NULL
            || !nice_address_set_from_string(&addr, text)
            || !nice_agent_add_local_address(nice->agent, &addr))
        {
            ngx_log_error(NGX_LOG_ERR, conf->log, 0,
                          "webrtc nice local address \"%V\" failed",
                          &conf->addrs[i]);
            return NGX_ERROR;
        }
    }

    nice->stream = nice_agent_add_stream(nice->agent, 1);

    if (nice->stream == 0
        || ngx_webrtc_nice_str(ufrag, sizeof(ufrag), &conf->ufrag) == NULL
        || ngx_webrtc_nice_str(pwd, sizeof(pwd), &conf->pwd) == NULL
        || !nice_agent_set_local_credentials(nice->agent, nice->stream, ufrag,
                                             pwd))
    {
        ngx_log_error(NGX_LOG_ERR, conf->log, 0, "webrtc nice stream failed");
        return NGX_ERROR;
    }

    if (conf->min_port) {
        nice_agent_set_port_range(nice->agent, nice->stream,
                                  NGX_WEBRTC_NICE_COMPONENT, conf->min_port,
                                  conf->max_port);
    }

    if (ngx_webrtc_nice_servers(nice, conf) != NGX_OK) {
        return NGX_ERROR;
    }

    g_signal_connect(nice->agent, "component-state-changed",
                     G_CALLBACK(ngx_webrtc_nice_on_state), nice);
    g_signal_connect(nice->agent, "new-candidate-full",
                     G_CALLBACK(ngx_webrtc_nice_on_candidate), nice);
    g_signal_connect(nice->agent, "new-selected-pair-full",
                     G_CALLBACK(ngx_webrtc_nice_on_pair), nice);
    g_signal_connect(nice->agent, "new-remote-candidate-full",
                     G_CALLBACK(ngx_webrtc_nice_on_remote), nice);
    g_signal_connect(nice->agent, "candidate-gathering-done",
                     G_CALLBACK(ngx_webrtc_nice_on_gathered), nice);

    (void) nice_agent_attach_recv(nice->agent, nice->stream,
                                  NGX_WEBRTC_NICE_COMPONENT, nice->context,
                                  ngx_webrtc_nice_on_recv, nice);

    if (!nice_agent_gather_candidates(nice->agent, nice->stream)) {
        ngx_log_error(NGX_LOG_ERR, conf->log, 0,
                      "webrtc nice no candidate could be gathered, ports are "
                      "in use or descriptors short");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_nice_servers(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_conf_t *conf)
{
    gchar                      text[NGX_SOCKADDR_STRLEN + 1];
    gchar                      username[512], credential[512];
    ngx_sockaddr_t             sockaddr;
    ngx_uint_t                 i, stun;
    ngx_webrtc_nice_server_t  *srv;

    stun = 0;

    /* they are on the same sockets */

    for (i = 0; i < conf->nservers && i < NGX_WEBRTC_ICE_FILTER_SERVERS; i++) {
        if (ngx_webrtc_nice_sockaddr_of(&conf->servers[i].address, &sockaddr)
            == NGX_OK)
        {
            (void) ngx_webrtc_ice_filter_rule(
                       &nice->servers[nice->nservers++], &sockaddr.sockaddr);
        }
    }

    for (i = 0; i < conf->nservers && i < NGX_WEBRTC_NICE_SERVERS; i++) {
        srv = &conf->servers[i];

        if (ngx_webrtc_nice_str(text, sizeof(text), &srv->address) == NULL) {
            return NGX_ERROR;
        }

        if (srv->type == NGX_WEBRTC_NICE_STUN) {

            if (!stun) {
                g_object_set(nice->agent, "stun-server", text,
                             "stun-server-port", (guint) srv->port, NULL);
                stun = 1;
            }

            continue;
        }

        if (ngx_webrtc_nice_str(username, sizeof(username), &srv->username)
            == NULL
            || ngx_webrtc_nice_str(credential, sizeof(credential),
                                   &srv->credential)
               == NULL
            || !nice_agent_set_relay_info(nice->agent, nice->stream,
                                 NGX_WEBRTC_NICE_COMPONENT, text, srv->port,
                                 username, credential,
                                 srv->type == NGX_WEBRTC_NICE_TURN_TCP
                                 ? NICE_RELAY_TYPE_TURN_TCP
                                 : NICE_RELAY_TYPE_TURN_UDP))
        {
            ngx_log_error(NGX_LOG_ERR, conf->log, 0,
                          "webrtc nice TURN server \"%V\" refused",
                          &srv->address);
            return NGX_ERROR;
        }

        nice->relays = 1;

        if (ngx_webrtc_nice_turn(nice, srv) != NGX_OK) {
            return NGX_ERROR;
        }

        if (srv->type == NGX_WEBRTC_NICE_TURN_TCP) {
            nice->tcp = 1;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_nice_turn(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_server_t *srv)
{
    ngx_sockaddr_t  sockaddr;

    if (nice->turn == NULL) {
        nice->turn = ngx_calloc(sizeof(ngx_webrtc_nice_relays_t),
                                nice->conf.log);
        if (nice->turn == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_webrtc_nice_sockaddr_of(&srv->address, &sockaddr) == NGX_OK) {
        ngx_inet_set_port(&sockaddr.sockaddr, srv->port);
        ngx_webrtc_nice_relay_add(nice->turn, &srv->url, &sockaddr,
                                  srv->type == NGX_WEBRTC_NICE_TURN_TCP);
        nice->watch = 1;
    }

    return NGX_OK;
}


/* of a numeric address; NGX_DECLINED: it is none */

static ngx_int_t
ngx_webrtc_nice_sockaddr_of(ngx_str_t *text, ngx_sockaddr_t *sockaddr)
{
    gchar  buf[NGX_SOCKADDR_STRLEN + 1];

    ngx_memzero(sockaddr, sizeof(ngx_sockaddr_t));

    if (ngx_webrtc_nice_str(buf, sizeof(buf), text) == NULL) {
        return NGX_DECLINED;
    }

    sockaddr->sockaddr.sa_family = AF_INET;

    if (inet_pton(AF_INET, buf, &sockaddr->sockaddr_in.sin_addr) == 1) {
        return NGX_OK;
    }

#if (NGX_HAVE_INET6)
    sockaddr->sockaddr.sa_family = AF_INET6;

    if (inet_pton(AF_INET6, buf, &sockaddr->sockaddr_in6.sin6_addr) == 1) {
        return NGX_OK;
    }
#endif

    return NGX_DECLINED;
}


/* null-terminated; NULL: does not fit, or has a null byte in it */

static gchar *
ngx_webrtc_nice_str(gchar *buf, size_t size, ngx_str_t *s)
{
    if (s->len >= size || memchr(s->data, '\0', s->len)) {
        return NULL;
    }

    *ngx_cpymem(buf, s->data, s->len) = '\0';

    return buf;
}


ngx_int_t
ngx_webrtc_nice_remote(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd)
{
    gchar  u[257], p[257];

    if (ngx_webrtc_nice_str(u, sizeof(u), ufrag) == NULL
        || ngx_webrtc_nice_str(p, sizeof(p), pwd) == NULL
        || !nice_agent_set_remote_credentials(nice->agent, nice->stream, u, p))
    {
        return NGX_ERROR;
    }

    ngx_webrtc_nice_wake(nice);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_nice_restart(ngx_webrtc_nice_t *nice, ngx_str_t *ufrag,
    ngx_str_t *pwd)
{
    gchar  u[257], p[257];

    if (ngx_webrtc_nice_str(u, sizeof(u), ufrag) == NULL
        || ngx_webrtc_nice_str(p, sizeof(p), pwd) == NULL
        || !nice_agent_restart_stream(nice->agent, nice->stream)
        || !nice_agent_set_local_credentials(nice->agent, nice->stream, u, p))
    {
        return NGX_ERROR;
    }

    nice->nremote = 0;
    nice->nreflexive = 0;

    ngx_webrtc_nice_wake(nice);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_nice_add(ngx_webrtc_nice_t *nice,
    const ngx_webrtc_sdp_candidate_t *cand)
{
    gchar                text[NGX_SOCKADDR_STRLEN + 1];
    GSList              *list;
    ngx_str_t            address;
    NiceAddress          addr;
    NiceCandidate       *c;
    ngx_sockaddr_t       sockaddr;
    NiceCandidateType    type;

    if (cand->tcp
        || cand->component > NGX_WEBRTC_NICE_COMPONENT
        || cand->port == 0
        || nice->nremote == NGX_WEBRTC_NICE_CANDIDATES)
    {
        return NGX_DECLINED;
    }

    address = cand->address;

    /* numeric addresses only: nothing here ever asks a name server */

    if (ngx_webrtc_nice_str(text, sizeof(text), &address) == NULL
        || ngx_webrtc_nice_sockaddr_of(&address, &sockaddr) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (!ngx_webrtc_ice_filter_allows(&nice->conf.filter, &sockaddr.sockaddr))
    {
        if (!nice->left_out) {
            nice->left_out = 1;

            ngx_log_error(NGX_LOG_INFO, nice->conf.log, 0,
                          "webrtc nice candidate \"%V\" of the peer is left "
                          "out: it is in a network that \"webrtc_ice_allow\" "
                          "does not name", &address);
        }

        return NGX_DECLINED;
    }

    nice_address_init(&addr);

    if (!nice_address_set_from_string(&addr, text)) {
        return NGX_DECLINED;
    }

    nice_address_set_port(&addr, cand->port);

    switch (cand->type) {

    case NGX_WEBRTC_SDP_SRFLX:
        type = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
        break;

    case NGX_WEBRTC_SDP_PRFLX:
        type = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
        break;

    case NGX_WEBRTC_SDP_RELAY:
        type = NICE_CANDIDATE_TYPE_RELAYED;
        break;

    default:
        type = NICE_CANDIDATE_TYPE_HOST;
    }

    c = nice_candidate_new(type);

    c->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    c->addr = addr;
    c->base_addr = addr;
    c->priority = cand->priority;
    c->stream_id = nice->stream;
    c->component_id = NGX_WEBRTC_NICE_COMPONENT;

    ngx_cpystrn((u_char *) c->foundation, cand->foundation.data,
                ngx_min(cand->foundation.len + 1,
                        NICE_CANDIDATE_MAX_FOUNDATION));

    list = g_slist_prepend(NULL, c);

    if (nice_agent_set_remote_candidates(nice->agent, nice->stream,
                                         NGX_WEBRTC_NICE_COMPONENT, list)
        > 0)
    {
        nice->nremote++;
    }

    g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);

    ngx_webrtc_nice_wake(nice);

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_nice_candidates(ngx_webrtc_nice_t *nice, ngx_pool_t *pool,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t max)
{
    gchar                        text[INET6_ADDRSTRLEN];
    GSList                      *list, *l;
    ngx_uint_t                   i, n;
    NiceCandidate               *c;
    ngx_webrtc_sdp_candidate_t   t;

    n = 0;

    list = nice_agent_get_local_candidates(nice->agent, nice->stream,
                                           NGX_WEBRTC_NICE_COMPONENT);

    for (l = list; l && n < max; l = l->next) {
        c = l->data;

        if (c->transport != NICE_CANDIDATE_TRANSPORT_UDP
            || c->type == NICE_CANDIDATE_TYPE_PEER_REFLEXIVE)
        {
            continue;
        }

        ngx_memzero(&t, sizeof(ngx_webrtc_sdp_candidate_t));

        t.foundation.len = ngx_strnlen((u_char *) c->foundation,
                                       NICE_CANDIDATE_MAX_FOUNDATION);
        t.foundation.data = ngx_pnalloc(pool, NICE_CANDIDATE_MAX_FOUNDATION);
        t.address.data = ngx_pnalloc(pool, INET6_ADDRSTRLEN);

        if (t.foundation.data == NULL || t.address.data == NULL) {
            break;
        }

        ngx_memcpy(t.foundation.data, c->foundation, t.foundation.len);

        nice_address_to_string(&c->addr, text);
        t.address.len = ngx_strlen(text);
        ngx_memcpy(t.address.data, text, t.address.len);

        t.port = (uint16_t) nice_address_get_port(&c->addr);
        t.priority = c->priority;
        t.component = NGX_WEBRTC_NICE_COMPONENT;

        switch (c->type) {

        case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
            t.type = NGX_WEBRTC_SDP_SRFLX;
            break;

        case NICE_CANDIDATE_TYPE_RELAYED:
            t.type = NGX_WEBRTC_SDP_RELAY;
            break;

        default:
            t.type = NGX_WEBRTC_SDP_HOST;
        }

        if (t.type != NGX_WEBRTC_SDP_HOST) {

            /* RFC 8839, 5.1: must be there, but reveals nothing of what is
             * behind a relay or a NAT */

            if (nice_address_ip_version(&c->addr) == 6) {
                ngx_str_set(&t.raddr, "::");

            } else {
                ngx_str_set(&t.raddr, "0.0.0.0");
            }
        }

        /* best first: clients try them in this order */

        for (i = n; i > 0 && cand[i - 1].priority < t.priority; i--) {
            cand[i] = cand[i - 1];
        }

        cand[i] = t;
        n++;
    }

    g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);

    return n;
}


ngx_uint_t
ngx_webrtc_nice_gathered(ngx_webrtc_nice_t *nice)
{
    return nice->gathered;
}


ngx_uint_t
ngx_webrtc_nice_relayed(ngx_webrtc_nice_t *nice)
{
    GSList         *list, *l;
    ngx_uint_t      relayed;
    NiceCandidate  *c;

    relayed = 0;

    list = nice_agent_get_local_candidates(nice->agent, nice->stream,
                                           NGX_WEBRTC_NICE_COMPONENT);

    for (l = list; l; l = l->next) {
        c = l->data;
        relayed |= (c->type == NICE_CANDIDATE_TYPE_RELAYED);
    }

    g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);

    return relayed;
}


ngx_webrtc_nice_relays_t *
ngx_webrtc_nice_relays(ngx_webrtc_nice_t *nice)
{
    if (nice->turn) {
        ngx_webrtc_nice_relay_settle(nice->turn);
    }

    return nice->turn;
}


static void
ngx_webrtc_nice_on_recv(NiceAgent *agent, guint stream, guint component,
    guint len, gchar *buf, gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    if (nice->closed) {
        return;
    }

    /* what happened before this datagram is reported before it */

    ngx_webrtc_nice_tell(nice);

    if (nice->closed) {
        return;
    }

    nice->input = 1;
    nice->conf.input(nice->conf.ctx, (u_char *) buf, len);
}


static void
ngx_webrtc_nice_on_state(NiceAgent *agent, guint stream, guint component,
    guint state, gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    switch (state) {

    case NICE_COMPONENT_STATE_CONNECTED:
    case NICE_COMPONENT_STATE_READY:
        nice->up = 1;

        /* libnice also reports this with a pair that it has given up */

        if (!nice->lost) {
            nice->news = NGX_WEBRTC_NICE_CONNECTED;
        }

        break;

    case NICE_COMPONENT_STATE_FAILED:

        if (nice->moved) {
            /* it is about pairs that are not in use */
            break;
        }

        nice->up = 0;
        nice->lost = 1;
        nice->paired = 0;
        nice->fresh = 0;
        ngx_webrtc_nice_unselect(nice);

        nice->news = NGX_WEBRTC_NICE_FAILED;
        break;
    }
}


static void
ngx_webrtc_nice_on_pair(NiceAgent *agent, guint stream, guint component,
    NiceCandidate *local, NiceCandidate *remote, gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    nice->lost = 0;
    nice->paired = 1;
    nice->fresh = 0;
    nice->asked = 0;

    if (nice->up) {
        nice->news = NGX_WEBRTC_NICE_CONNECTED;
    }
}


static void
ngx_webrtc_nice_on_candidate(NiceAgent *agent, NiceCandidate *cand,
    gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    nice->candidate = 1;
}


/* signalled only for candidates learnt from checks */

static void
ngx_webrtc_nice_on_remote(NiceAgent *agent, NiceCandidate *cand,
    gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    nice->nreflexive++;
    nice->reflexive = 1;
}


static void
ngx_webrtc_nice_on_gathered(NiceAgent *agent, guint stream, gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    nice->gathered = 1;
}


/*
 * From here on no callback is called.  If ngx_webrtc_nice_drive() is running,
 * it finishes, and then ends the agent itself.
 */

void
ngx_webrtc_nice_close(ngx_webrtc_nice_t *nice)
{
    nice->closed = 1;
    nice->paired = 0;
    nice->rest = 0;
    nice->expect = 0;

    ngx_webrtc_nice_unselect(nice);

    ngx_queue_insert_tail(&ngx_webrtc_nice_closing, &nice->queue);

    if (!nice->driving) {
        (void) ngx_webrtc_nice_end(nice);
    }
}


/*
 * Not from within a turn, and again after each one.  First allocations are
 * given back (RFC 8656, 3.2).  The receive function stays meanwhile: libnice
 * reads nothing without one.  The credentials are nobody's: a check that comes
 * then is of no use to its sender.
 *
 * NGX_OK    the agent lives on
 * NGX_DONE  it does not
 */

static ngx_int_t
ngx_webrtc_nice_end(ngx_webrtc_nice_t *nice)
{
    gchar  text[33];

    if (!nice->relays || nice->pruned) {
        ngx_queue_remove(&nice->queue);
        ngx_webrtc_nice_free(nice);
        return NGX_DONE;
    }

    if (!nice->ended) {
        nice->ended = 1;
        nice->due = ngx_current_msec + NGX_WEBRTC_NICE_PRUNE;

        (void) g_signal_handlers_disconnect_by_data(nice->agent, nice);

        if (!nice->gathered) {
            g_signal_connect(nice->agent, "candidate-gathering-done",
                             G_CALLBACK(ngx_webrtc_nice_on_gathered), nice);
        }

        *ngx_sprintf((u_char *) text, "%08xD%08xD%08xD%08xD",
                     (uint32_t) ngx_random(), (uint32_t) ngx_random(),
                     (uint32_t) ngx_random(), (uint32_t) ngx_random()) = '\0';

        (void) nice_agent_set_local_credentials(nice->agent, nice->stream,
                                                text, text);

        ngx_webrtc_nice_wake(nice);
    }

    ngx_webrtc_nice_prune(nice);

    return NGX_OK;
}


/*
 * libnice gives back what it has at this time.  So it is told when the agent
 * has gathered; but libnice does not say so if all of its TURN servers close
 * their connections, nor ends if they send it from one to the next.  And it
 * waits for as long as it has any allocation: one that came later has to be
 * named.
 */

static void
ngx_webrtc_nice_prune(ngx_webrtc_nice_t *nice)
{
    if ((ngx_msec_int_t) (ngx_current_msec - nice->due) < 0
        && (!nice->gathered || nice->prunings))
    {
        return;
    }

    nice->due = ngx_current_msec + NGX_WEBRTC_NICE_PRUNE;
    nice->prunings++;

    g_main_context_push_thread_default(nice->context);

    nice_agent_close_async(nice->agent, ngx_webrtc_nice_on_pruned, nice);

    g_main_context_pop_thread_default(nice->context);

    ngx_webrtc_nice_wake(nice);
}


static void
ngx_webrtc_nice_on_pruned(GObject *object, GAsyncResult *result,
    gpointer data)
{
    ngx_webrtc_nice_t *nice = data;

    nice->pruned = (--nice->prunings == 0);
}


static void
ngx_webrtc_nice_free(ngx_webrtc_nice_t *nice)
{
    ngx_uint_t  i;

    /* while the sockets are open */

    ngx_webrtc_nice_detach(nice);

    if (nice->agent) {
        (void) g_signal_handlers_disconnect_by_data(nice->agent, nice);

        if (nice->stream) {
            (void) nice_agent_attach_recv(nice->agent, nice->stream,
                                          NGX_WEBRTC_NICE_COMPONENT,
                                          nice->context, NULL, NULL);
            nice_agent_remove_stream(nice->agent, nice->stream);
        }

        /* what the agent has put off for its context */

        for (i = 0; i < NGX_WEBRTC_NICE_TURNS; i++) {
            if (!g_main_context_iteration(nice->context, FALSE)) {
                break;
            }
        }

        g_object_unref(nice->agent);

        for (i = 0; i < NGX_WEBRTC_NICE_TURNS; i++) {
            if (!g_main_context_iteration(nice->context, FALSE)) {
                break;
            }
        }
    }

    g_main_context_release(nice->context);
    g_main_context_unref(nice->context);

    if (nice->turn) {
        ngx_free(nice->turn);
    }

    ngx_free(nice->ios);
    ngx_free(nice);
}


void
ngx_webrtc_nice_done(void)
{
    ngx_uint_t          i;
    ngx_queue_t        *q, *next;
    ngx_webrtc_nice_t  *nice;

    for (q = ngx_queue_head(&ngx_webrtc_nice_closing);
         q != ngx_queue_sentinel(&ngx_webrtc_nice_closing);
         q = ngx_queue_next(q))
    {
        nice = ngx_queue_data(q, ngx_webrtc_nice_t, queue);
        ngx_webrtc_nice_detach(nice);
    }

    /* allocations are given back if the servers are quick about it */

    for (i = 0; i < NGX_WEBRTC_NICE_EXIT; i++) {

        if (ngx_queue_empty(&ngx_webrtc_nice_closing)) {
            return;
        }

        for (q = ngx_queue_head(&ngx_webrtc_nice_closing);
             q != ngx_queue_sentinel(&ngx_webrtc_nice_closing);
             q = next)
        {
            next = ngx_queue_next(q);
            nice = ngx_queue_data(q, ngx_webrtc_nice_t, queue);

            /* one of its sockets must not be read */

            if (nice->deaf) {
                continue;
            }

            /* there is no time to gather */

            nice->gathered = 1;

            ngx_webrtc_nice_prune(nice);

            (void) g_main_context_iteration(nice->context, FALSE);

            if (nice->pruned) {
                ngx_queue_remove(&nice->queue);
                ngx_webrtc_nice_free(nice);
            }
        }

        ngx_msleep(NGX_WEBRTC_NICE_EXIT_STEP);
    }

    /* the process exits with what is left; the allocations expire later */
}
