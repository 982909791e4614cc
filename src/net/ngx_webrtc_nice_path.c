
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How an agent sends, and where to: over libnice's selected pair, unless the
 * session knows better (ngx_webrtc_nice_move()); then from the same socket to
 * an address that libnice has not selected, until it selects another pair.
 *
 * Packets need not go through libnice one by one.  Those to a peer's address go
 * from the socket of the selected pair, those that a TURN server relays to that
 * server as ChannelData (RFC 8656, 12.4).  libnice binds the channel, and keeps
 * it, but does not tell its number.  So:
 *
 * 1. A request is sent through libnice over the selected pair.  An authentic
 *    answer comes from where the request went, so a channel that it comes by is
 *    the one to the selected address, in whatever order libnice has bound them.
 * 2. An answer counts only if no other pair was selected since its request was
 *    sent.  It need not be the last one: packets may queue for longer than it
 *    takes to ask again.
 * 3. Requests go on, for consent.  When one is not answered by that channel,
 *    libnice sends again: it knows other ways.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_webrtc_nice_loop.h"
#include "ngx_webrtc_nice_path.h"
#include "ngx_webrtc_nice_run.h"
#include "ngx_webrtc_turn.h"


/* times that a channel is asked for; chosen: with a pause of 100 ms, 1.6 s,
 * by when it is bound if ever */
#define NGX_WEBRTC_NICE_ASKS  16


static void ngx_webrtc_nice_select(ngx_webrtc_nice_t *nice);
static u_char *ngx_webrtc_nice_room_for(ngx_webrtc_nice_t *nice, size_t size);
static ngx_int_t ngx_webrtc_nice_from(ngx_webrtc_nice_t *nice,
    GSocket *socket);
static ngx_uint_t ngx_webrtc_nice_is_relayed(ngx_webrtc_nice_t *nice);
static socklen_t ngx_webrtc_nice_sockaddr(NiceAddress *addr,
    ngx_sockaddr_t *sockaddr);


void
ngx_webrtc_nice_send(ngx_webrtc_nice_t *nice, u_char *p, size_t n)
{
    if (nice->closed) {
        return;
    }

    if (nice->moved && nice->paired) {
        nice->paired = 0;
        ngx_webrtc_nice_select(nice);
    }

    if (nice->moved && !g_socket_is_closed(nice->socket)) {
        ngx_webrtc_nice_batch_single(&nice->dst, p, n);
        return;
    }

    if (nice->socket) {
        /* in order */
        ngx_webrtc_nice_batch_leave(&nice->dst);
    }

    (void) nice_agent_send(nice->agent, nice->stream,
                           NGX_WEBRTC_NICE_COMPONENT, (guint) n,
                           (const gchar *) p);

    if (nice->tcp) {
        /* what the socket did not take waits for a write event */
        ngx_webrtc_nice_wake(nice);
    }
}


u_char *
ngx_webrtc_nice_reserve(ngx_webrtc_nice_t *nice, size_t size)
{
    if (nice->paired) {
        nice->paired = 0;
        ngx_webrtc_nice_select(nice);
    }

    return (size > NGX_WEBRTC_NICE_MAX) ? NULL
                                        : ngx_webrtc_nice_room_for(nice, size);
}


/* the same place while nothing else is asked of the batch */

static u_char *
ngx_webrtc_nice_room_for(ngx_webrtc_nice_t *nice, size_t size)
{
    u_char  *p;
    size_t   frame;

    frame = nice->channel ? NGX_WEBRTC_TURN_FRAME : 0;

    p = ngx_webrtc_nice_batch_reserve(frame + size);

    return p ? p + frame : NULL;
}


void
ngx_webrtc_nice_commit(ngx_webrtc_nice_t *nice, size_t n)
{
    u_char  *p;

    p = ngx_webrtc_nice_room_for(nice, n);

    if (nice->socket == NULL || g_socket_is_closed(nice->socket)) {

        if (nice->tcp && !nice->closed) {
            ngx_webrtc_nice_cork(nice);
        }

        ngx_webrtc_nice_send(nice, p, n);
        return;
    }

    if (nice->channel) {
        ngx_webrtc_turn_frame(p - NGX_WEBRTC_TURN_FRAME, nice->channel, n);
        n += NGX_WEBRTC_TURN_FRAME;
    }

    ngx_webrtc_nice_batch_add(&nice->dst, n);
}


/* a pair that is relayed waits for ngx_webrtc_nice_answered() */

static void
ngx_webrtc_nice_select(ngx_webrtc_nice_t *nice)
{
    GSocket        *socket;
    NiceCandidate  *local, *remote;

    ngx_webrtc_nice_unselect(nice);

    if (!nice_agent_get_selected_pair(nice->agent, nice->stream,
                                      NGX_WEBRTC_NICE_COMPONENT, &local,
                                      &remote)
        || local->type == NICE_CANDIDATE_TYPE_RELAYED
        || local->transport != NICE_CANDIDATE_TRANSPORT_UDP)
    {
        return;
    }

    nice->dst.len = ngx_webrtc_nice_sockaddr(&remote->addr,
                                             &nice->dst.remote);
    if (nice->dst.len == 0) {
        return;
    }

    socket = nice_agent_get_selected_socket(nice->agent, nice->stream,
                                            NGX_WEBRTC_NICE_COMPONENT);

    if (socket && ngx_webrtc_nice_from(nice, socket) != NGX_OK) {
        g_object_unref(socket);
    }
}


/*
 * We hold the reference to the socket, to know when it is closed, and a
 * descriptor of our own, so that nobody else gets it while something waits for
 * it.
 */

static ngx_int_t
ngx_webrtc_nice_from(ngx_webrtc_nice_t *nice, GSocket *socket)
{
    int        value;
    socklen_t  len;

    nice->dst.fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);

    if (nice->dst.fd == (ngx_socket_t) -1) {
        return NGX_ERROR;
    }

    len = sizeof(int);

    nice->dst.segment = nice->conf.gso
                        && getsockopt(nice->dst.fd, IPPROTO_UDP, UDP_SEGMENT,
                                      &value, &len)
                           == 0;
    nice->socket = socket;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_nice_is_relayed(ngx_webrtc_nice_t *nice)
{
    NiceCandidate  *local, *remote;

    return nice_agent_get_selected_pair(nice->agent, nice->stream,
                                        NGX_WEBRTC_NICE_COMPONENT, &local,
                                        &remote)
           && local->type == NICE_CANDIDATE_TYPE_RELAYED;
}


ngx_uint_t
ngx_webrtc_nice_asks(ngx_webrtc_nice_t *nice)
{
    if (nice->turn == NULL || nice->channel
        || nice->asked == NGX_WEBRTC_NICE_ASKS
        || !ngx_webrtc_nice_is_relayed(nice))
    {
        return 0;
    }

    nice->asked++;

    return 1;
}


void
ngx_webrtc_nice_answered(ngx_webrtc_nice_t *nice, ngx_socket_t fd,
    struct sockaddr *sa, ngx_uint_t channel)
{
    guint       i;
    GSocket    *socket;
    GPtrArray  *sockets;

    if (nice->socket && nice->channel == channel) {
        return;
    }

    if (nice->channel) {
        ngx_webrtc_nice_unselect(nice);
    }

    if (channel == 0 || nice->turn == NULL
        || !ngx_webrtc_nice_relay_is(nice->turn, sa)
        || !ngx_webrtc_nice_is_relayed(nice))
    {
        return;
    }

    nice->paired = 0;
    ngx_webrtc_nice_unselect(nice);

    sockets = nice_agent_get_sockets(nice->agent, nice->stream,
                                     NGX_WEBRTC_NICE_COMPONENT);

    for (i = 0; sockets && i < sockets->len && nice->socket == NULL; i++) {
        socket = g_ptr_array_index(sockets, i);

        if (g_socket_get_fd(socket) == fd
            && ngx_webrtc_nice_from(nice, socket) == NGX_OK)
        {
            g_object_ref(socket);
        }
    }

    if (sockets) {
        g_ptr_array_unref(sockets);
    }

    if (nice->socket == NULL) {
        return;
    }

    nice->channel = channel;
    nice->dst.len = (sa->sa_family == AF_INET) ? sizeof(struct sockaddr_in)
                                               : sizeof(struct sockaddr_in6);
    ngx_memcpy(&nice->dst.remote, sa, nice->dst.len);

    ngx_log_error(NGX_LOG_INFO, nice->conf.log, 0,
                  "webrtc nice sends by channel:%xui of the TURN server",
                  channel);
}


void
ngx_webrtc_nice_unselect(ngx_webrtc_nice_t *nice)
{
    if (nice->socket == NULL) {
        return;
    }

    ngx_webrtc_nice_batch_leave(&nice->dst);

    (void) ngx_close_socket(nice->dst.fd);

    g_object_unref(nice->socket);
    nice->socket = NULL;
    nice->channel = 0;
    nice->moved = 0;
}


/* 0: neither IPv4 nor IPv6 */

static socklen_t
ngx_webrtc_nice_sockaddr(NiceAddress *addr, ngx_sockaddr_t *sockaddr)
{
    socklen_t  len;

    switch (nice_address_ip_version(addr)) {

    case 4:
        len = sizeof(struct sockaddr_in);
        break;

#if (NGX_HAVE_INET6)
    case 6:
        len = sizeof(struct sockaddr_in6);
        break;
#endif

    default:
        return 0;
    }

    nice_address_copy_to_sockaddr(addr, &sockaddr->sockaddr);

    return len;
}


void
ngx_webrtc_nice_expect(ngx_webrtc_nice_t *nice, ngx_uint_t answers)
{
    nice->expect = answers ? 1 : 0;

    if (nice->expect) {
        nice->fresh++;
    }
}


ngx_uint_t
ngx_webrtc_nice_fresh(ngx_webrtc_nice_t *nice)
{
    return nice->fresh;
}


void
ngx_webrtc_nice_rest(ngx_webrtc_nice_t *nice, ngx_msec_t ms)
{
    nice->rest = ms;
}


ngx_uint_t
ngx_webrtc_nice_deaf(ngx_webrtc_nice_t *nice)
{
    NiceCandidate  *local, *remote;

    return nice->tcp
           && nice_agent_get_selected_pair(nice->agent, nice->stream,
                                           NGX_WEBRTC_NICE_COMPONENT, &local,
                                           &remote)
           && local->type == NICE_CANDIDATE_TYPE_RELAYED;
}


ngx_uint_t
ngx_webrtc_nice_others(ngx_webrtc_nice_t *nice,
    ngx_webrtc_nice_other_t *others, ngx_uint_t max)
{
    GSList                   *list, *l;
    ngx_uint_t                n;
    NiceCandidate            *c;
    ngx_webrtc_nice_other_t  *o;

    if (nice->paired) {
        nice->paired = 0;
        ngx_webrtc_nice_select(nice);
    }

    if (nice->socket == NULL || nice->channel) {
        return 0;
    }

    n = 0;

    list = g_slist_reverse(nice_agent_get_remote_candidates(nice->agent,
                                                nice->stream,
                                                NGX_WEBRTC_NICE_COMPONENT));

    for (l = list; l && n < max; l = l->next) {
        c = l->data;
        o = &others[n];

        o->len = ngx_webrtc_nice_sockaddr(&c->addr, &o->remote);

        if (c->transport == NICE_CANDIDATE_TRANSPORT_UDP
            && o->len == nice->dst.len
            && ngx_cmp_sockaddr(&o->remote.sockaddr, o->len,
                                &nice->dst.remote.sockaddr, nice->dst.len, 1)
               != NGX_OK)
        {
            n++;
        }
    }

    g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);

    return n;
}


void
ngx_webrtc_nice_ask(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_other_t *other,
    u_char *p, size_t n)
{
    ngx_webrtc_nice_dst_t  dst;

    if (nice->socket == NULL || nice->channel
        || g_socket_is_closed(nice->socket))
    {
        return;
    }

    dst.fd = nice->dst.fd;
    dst.remote = other->remote;
    dst.len = other->len;
    dst.segment = 0;

    ngx_webrtc_nice_batch_single(&dst, p, n);
}


void
ngx_webrtc_nice_move(ngx_webrtc_nice_t *nice, ngx_webrtc_nice_other_t *other)
{
    if (nice->socket == NULL || nice->channel) {
        return;
    }

    ngx_webrtc_nice_batch_leave(&nice->dst);

    nice->dst.remote = other->remote;
    nice->dst.len = other->len;
    nice->moved = 1;
}


u_char *
ngx_webrtc_nice_pair(ngx_webrtc_nice_t *nice, u_char *p, u_char *end)
{
    gchar           text[INET6_ADDRSTRLEN];
    ngx_uint_t      i;
    NiceCandidate  *pair[2];

    static const char  *types[] = { "host", "srflx", "prflx", "relay" };

    if (!nice_agent_get_selected_pair(nice->agent, nice->stream,
                                      NGX_WEBRTC_NICE_COMPONENT, &pair[0],
                                      &pair[1]))
    {
        return p;
    }

    for (i = 0; i < 2; i++) {

        if (i == 1 && nice->moved) {
            p = ngx_slprintf(p, end, " ");
            p += ngx_sock_ntop(&nice->dst.remote.sockaddr, nice->dst.len, p,
                               end - p, 1);
            break;
        }

        nice_address_to_string(&pair[i]->addr, text);

        p = ngx_slprintf(p, end, "%s%s:%ud %s", i ? " " : "", text,
                         nice_address_get_port(&pair[i]->addr),
                         types[pair[i]->type & 3]);
    }

    return p;
}
