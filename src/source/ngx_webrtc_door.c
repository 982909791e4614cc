
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A worker's own ports for nginx-rtmp.  The reasons and the contracts are in
 * the header.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <dlfcn.h>

#include "ngx_webrtc_door.h"


/* nginx-rtmp's name for the handler of its sockets' connections */
#define NGX_WEBRTC_DOOR_HANDLER  "ngx_rtmp_init_connection"


typedef struct {
    ngx_listening_t    ls;             /* ours; its connections point to it */
    ngx_sockaddr_t     addr;           /* of the socket that it stands for */
    ngx_sockaddr_t     own;
    uint32_t           key;
} ngx_webrtc_door_t;


static ngx_int_t ngx_webrtc_door_open(ngx_cycle_t *cycle,
    ngx_webrtc_door_t *door, ngx_listening_t *ls);
static ngx_socket_t ngx_webrtc_door_listen(ngx_webrtc_door_t *door,
    ngx_log_t *log);
static void ngx_webrtc_door_accept(ngx_event_t *ev);
static ngx_uint_t ngx_webrtc_door_is_wildcard(struct sockaddr *sa);
static ngx_uint_t ngx_webrtc_door_is_loopback(struct sockaddr *sa);
static ngx_uint_t ngx_webrtc_door_is_local(struct sockaddr *sa);


/* of this process; fixed once they are open */
static ngx_webrtc_door_t  *ngx_webrtc_doors;
static ngx_uint_t          ngx_webrtc_doors_n;


ngx_uint_t
ngx_webrtc_doors_open(ngx_cycle_t *cycle, ngx_uint_t max)
{
    void             *handler;
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ngx_webrtc_doors_n = 0;

    /* another module's, loaded or linked in; there may be none */

    handler = dlsym(RTLD_DEFAULT, NGX_WEBRTC_DOOR_HANDLER);

    if (handler == NULL) {
        return 0;
    }

    ngx_webrtc_doors = ngx_pcalloc(cycle->pool,
                                   max * sizeof(ngx_webrtc_door_t));
    if (ngx_webrtc_doors == NULL) {
        return 0;
    }

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if ((void *) ls[i].handler != handler
            || (ls[i].sockaddr->sa_family != AF_INET
                && ls[i].sockaddr->sa_family != AF_INET6))
        {
            continue;
        }

#if (NGX_HAVE_REUSEPORT)

        /* one per worker */

        if (ls[i].reuseport && ls[i].worker != ngx_worker) {
            continue;
        }

#endif

        if (ngx_webrtc_doors_n == max) {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "webrtc pull finds streams in any worker for %ui "
                          "addresses that rtmp listens on, not for %V", max,
                          &ls[i].addr_text);
            continue;
        }

        if (ngx_webrtc_door_open(cycle, &ngx_webrtc_doors[ngx_webrtc_doors_n],
                                 &ls[i])
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                          "webrtc pull does not find streams that rtmp on %V "
                          "has in this worker", &ls[i].addr_text);
            continue;
        }

        ngx_webrtc_doors_n++;
    }

    return ngx_webrtc_doors_n;
}


ngx_uint_t
ngx_webrtc_doors_count(void)
{
    return ngx_webrtc_doors_n;
}


uint32_t
ngx_webrtc_door_key(ngx_uint_t n)
{
    return ngx_webrtc_doors[n].key;
}


uint16_t
ngx_webrtc_door_port(ngx_uint_t n)
{
    return ngx_inet_get_port(&ngx_webrtc_doors[n].own.sockaddr);
}


ngx_int_t
ngx_webrtc_door_find(struct sockaddr *sa, uint32_t *key, int *family)
{
    in_port_t           port;
    ngx_uint_t          i;
    struct sockaddr    *of;
    ngx_webrtc_door_t  *door, *wild;

    wild = NULL;
    port = ngx_inet_get_port(sa);

    for (i = 0; i < ngx_webrtc_doors_n; i++) {
        door = &ngx_webrtc_doors[i];
        of = &door->addr.sockaddr;

        if (ngx_cmp_sockaddr(sa, door->ls.socklen, of, door->ls.socklen, 1)
            == NGX_OK)
        {
            *key = door->key;
            *family = of->sa_family;
            return NGX_OK;
        }

        if (ngx_inet_get_port(of) == port && ngx_webrtc_door_is_wildcard(of)
            && (of->sa_family == sa->sa_family
#if (NGX_HAVE_INET6)
                || (of->sa_family == AF_INET6 && !door->ls.ipv6only)
#endif
               ))
        {
            /* the one of IPv4, if there are both */

            if (wild == NULL || of->sa_family == sa->sa_family) {
                wild = door;
            }
        }
    }

    if (wild == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_webrtc_door_is_loopback(sa)) {
        *key = wild->key;
        *family = wild->own.sockaddr.sa_family;
        return NGX_OK;
    }

    return ngx_webrtc_door_is_local(sa) ? NGX_BUSY : NGX_DECLINED;
}


static ngx_int_t
ngx_webrtc_door_open(ngx_cycle_t *cycle, ngx_webrtc_door_t *door,
    ngx_listening_t *ls)
{
    ngx_socket_t       fd;
    ngx_connection_t  *c;

    ngx_memcpy(&door->addr, ls->sockaddr,
               ngx_min((size_t) ls->socklen, sizeof(ngx_sockaddr_t)));

    ngx_memzero(&door->own, sizeof(ngx_sockaddr_t));
    door->own.sockaddr.sa_family = ls->sockaddr->sa_family;

#if (NGX_HAVE_INET6)
    if (ls->sockaddr->sa_family == AF_INET6) {
        door->own.sockaddr_in6.sin6_addr = in6addr_loopback;
    } else
#endif
    {
        door->own.sockaddr_in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }

    ngx_crc32_init(door->key);
    ngx_crc32_update(&door->key, ls->addr_text.data, ls->addr_text.len);
    ngx_crc32_final(door->key);

    door->ls = *ls;
    door->ls.sockaddr = &door->own.sockaddr;
    door->ls.previous = NULL;
    door->ls.connection = NULL;

    fd = ngx_webrtc_door_listen(door, cycle->log);
    if (fd == (ngx_socket_t) -1) {
        return NGX_ERROR;
    }

    door->ls.fd = fd;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        ngx_close_socket(fd);
        return NGX_ERROR;
    }

    c->type = SOCK_STREAM;
    c->log = &door->ls.log;
    c->listening = &door->ls;
    door->ls.connection = c;

    c->read->log = c->log;
    c->read->accept = 1;
    c->read->cancelable = 1;
    c->read->handler = ngx_webrtc_door_accept;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) == NGX_ERROR) {
        ngx_free_connection(c);
        ngx_close_socket(fd);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_socket_t
ngx_webrtc_door_listen(ngx_webrtc_door_t *door, ngx_log_t *log)
{
    socklen_t      len;
    ngx_socket_t   fd;

    fd = ngx_socket(door->own.sockaddr.sa_family, SOCK_STREAM|SOCK_CLOEXEC, 0);

    if (fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      ngx_socket_n " failed");
        return fd;
    }

    len = door->ls.socklen;

    if (ngx_nonblocking(fd) == -1
        || bind(fd, &door->own.sockaddr, len) == -1
        || listen(fd, NGX_LISTEN_BACKLOG) == -1
        || getsockname(fd, &door->own.sockaddr, &len) == -1)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "listening on a port of the loopback failed");
        ngx_close_socket(fd);
        return (ngx_socket_t) -1;
    }

    return fd;
}


/*
 * Without free descriptors nginx takes its own sockets out of epoll for a
 * while, but does not know this one: epoll would report it again and again.
 */

static void
ngx_webrtc_door_accept(ngx_event_t *ev)
{
    if (ev->timedout && !ev->active
        && ngx_add_event(ev, NGX_READ_EVENT, 0) == NGX_ERROR)
    {
        return;
    }

    if (ngx_use_accept_mutex) {
        /* or nginx would put its own back, mutex or not */
        ev->timedout = 0;
    }

    ngx_event_accept(ev);

    if (ngx_use_accept_mutex && ngx_accept_disabled == 1 && !ev->timer_set) {
        ngx_add_timer(ev, ngx_accept_mutex_delay);
    }

    if (ev->timer_set && ev->active) {
        (void) ngx_del_event(ev, NGX_READ_EVENT, NGX_DISABLE_EVENT);
    }
}


static ngx_uint_t
ngx_webrtc_door_is_wildcard(struct sockaddr *sa)
{
    ngx_sockaddr_t  *addr;

    addr = (ngx_sockaddr_t *) sa;

#if (NGX_HAVE_INET6)
    if (sa->sa_family == AF_INET6) {
        return IN6_IS_ADDR_UNSPECIFIED(&addr->sockaddr_in6.sin6_addr);
    }
#endif

    return addr->sockaddr_in.sin_addr.s_addr == INADDR_ANY;
}


static ngx_uint_t
ngx_webrtc_door_is_loopback(struct sockaddr *sa)
{
    ngx_sockaddr_t  *addr;

    addr = (ngx_sockaddr_t *) sa;

#if (NGX_HAVE_INET6)
    if (sa->sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&addr->sockaddr_in6.sin6_addr);
    }
#endif

    return ntohl(addr->sockaddr_in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}


/* only an address of this machine can be bound */

static ngx_uint_t
ngx_webrtc_door_is_local(struct sockaddr *sa)
{
    int             rc;
    socklen_t       len;
    ngx_socket_t    fd;
    ngx_sockaddr_t  addr;

    ngx_memzero(&addr, sizeof(ngx_sockaddr_t));

    len = sizeof(struct sockaddr_in);

#if (NGX_HAVE_INET6)
    if (sa->sa_family == AF_INET6) {
        len = sizeof(struct sockaddr_in6);
    }
#endif

    ngx_memcpy(&addr, sa, len);
    ngx_inet_set_port(&addr.sockaddr, 0);

    fd = ngx_socket(sa->sa_family, SOCK_DGRAM|SOCK_CLOEXEC, 0);
    if (fd == (ngx_socket_t) -1) {
        return 0;
    }

    rc = bind(fd, &addr.sockaddr, len);

    (void) close(fd);

    return rc == 0;
}
