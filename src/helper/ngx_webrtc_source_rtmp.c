
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which worker of this nginx has the stream?  The contracts are in the
 * header.
 *
 * 1. A worker where video, sound or metadata arrives has it.
 * 2. So does one that said that somebody publishes (StreamBegin), if no other
 *    says so within BEGIN_US: the next key frame of a video-only stream may
 *    be far off, and nginx-rtmp sends nothing before it.  If several say so,
 *    one of them has a dead publisher, and only media tells which.
 * 3. While the worker that was found is silent, only media counts, so that a
 *    dead publisher elsewhere does not draw us away from a slow one.
 * 4. If no worker says within NOBODY_US that somebody publishes, the search
 *    has failed, so that those waiting for the stream are told.  If one does,
 *    the search goes on for as long as any source may take to connect.
 * 5. Workers come and go with reloads: the ports are asked for again every
 *    REFRESH_US.  Workers that are shutting down keep their publishers, so
 *    they count.
 *
 * All connections but the one that libavformat makes are closed as soon as
 * the answer is known.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <netdb.h>
#include <poll.h>
#include <stdio.h>

#include "ngx_webrtc_rtmp.h"
#include "ngx_webrtc_source_rtmp.h"


/* all chosen */
#define NGX_WEBRTC_SOURCE_RTMP_BEGIN_US    1000000
#define NGX_WEBRTC_SOURCE_RTMP_REFRESH_US  1000000
#define NGX_WEBRTC_SOURCE_RTMP_STALL_US    1000000

/* chosen: in time for a POST that waits (webrtc_wait) */
#define NGX_WEBRTC_SOURCE_RTMP_NOBODY_US   3000000

/* ms; as often as libavformat checks whether it has to stop */
#define NGX_WEBRTC_SOURCE_RTMP_POLL        100

/* workers of one nginx, old ones too; the zone has no more */
#define NGX_WEBRTC_SOURCE_RTMP_DOORS       256


typedef struct {
    ngx_socket_t                  fd;          /* -1: unusable */
    uint16_t                      port;
    ngx_uint_t                    connected;
    uint64_t                      begin_us;    /* 0: nobody publishes there */
    ngx_webrtc_rtmp_t             rtmp;
} ngx_webrtc_source_rtmp_door_t;


struct ngx_webrtc_source_rtmp_s {
    ngx_webrtc_source_thread_t   *th;

    ngx_sockaddr_t                addr;        /* as in the URL */
    int                           family;      /* of the doors */

    ngx_str_t                     app_s;       /* views of the following */
    ngx_str_t                     name_s;
    ngx_str_t                     tcurl_s;
    char                          app[NGX_WEBRTC_RTMP_NAME + 1];
    char                          name[NGX_WEBRTC_RTMP_NAME + 1];
    char                          tcurl[NGX_WEBRTC_RTMP_URL + 1];
    char                          url[64];     /* of the worker found */
    uint16_t                      port;        /* 0: none found yet */

    uint64_t                      refreshed_us;
    ngx_uint_t                    asked;       /* doors ever, since reset */
    ngx_uint_t                    n;
    ngx_webrtc_source_rtmp_door_t
                                **doors;
};


static ngx_uint_t ngx_webrtc_source_rtmp_resolve(
    ngx_webrtc_source_rtmp_t *search, ngx_webrtc_rtmp_url_t *url);
static ngx_uint_t ngx_webrtc_source_rtmp_ports(
    ngx_webrtc_source_rtmp_t *search, uint16_t *ports);
static void ngx_webrtc_source_rtmp_copy(char *to, ngx_str_t *s,
    const char *prefix, ngx_str_t *view);
static ngx_int_t ngx_webrtc_source_rtmp_look(ngx_webrtc_source_rtmp_t *search,
    int ms);
static void ngx_webrtc_source_rtmp_refresh(ngx_webrtc_source_rtmp_t *search,
    uint64_t now_us);
static void ngx_webrtc_source_rtmp_open(ngx_webrtc_source_rtmp_t *search,
    uint16_t port);
static void ngx_webrtc_source_rtmp_drop(ngx_webrtc_source_rtmp_t *search,
    ngx_uint_t i);
static ngx_int_t ngx_webrtc_source_rtmp_io(ngx_webrtc_source_rtmp_door_t *door,
    short events);
static ngx_webrtc_source_rtmp_door_t *ngx_webrtc_source_rtmp_choose(
    ngx_webrtc_source_rtmp_t *search, uint64_t now_us);
static ngx_uint_t ngx_webrtc_source_rtmp_begun(
    ngx_webrtc_source_rtmp_t *search);


ngx_webrtc_source_rtmp_t *
ngx_webrtc_source_rtmp_create(ngx_webrtc_source_thread_t *th)
{
    u_char                    *p;
    ngx_webrtc_rtmp_url_t      url;
    ngx_webrtc_source_rtmp_t  *search;

    if (th->conf.doors == NULL
        || ngx_strncmp(th->at->url, "rtmp:", 5) != 0)
    {
        return NULL;
    }

    p = (u_char *) th->at->url + 5;

    if (ngx_webrtc_rtmp_url(p, p + ngx_strlen(p), &url) != NGX_OK) {
        return NULL;
    }

    search = calloc(1, sizeof(ngx_webrtc_source_rtmp_t));
    if (search == NULL) {
        return NULL;
    }

    search->th = th;

    ngx_webrtc_source_rtmp_copy(search->app, &url.app, "", &search->app_s);
    ngx_webrtc_source_rtmp_copy(search->name, &url.name, "", &search->name_s);
    ngx_webrtc_source_rtmp_copy(search->tcurl, &url.base, "rtmp:",
                                &search->tcurl_s);

    search->doors = calloc(NGX_WEBRTC_SOURCE_RTMP_DOORS,
                           sizeof(ngx_webrtc_source_rtmp_door_t *));

    if (search->doors == NULL
        || !ngx_webrtc_source_rtmp_resolve(search, &url))
    {
        ngx_webrtc_source_rtmp_destroy(search);
        return NULL;
    }

    return search;
}


/* finds the host's first address that is ours: 1 if there is one */

static ngx_uint_t
ngx_webrtc_source_rtmp_resolve(ngx_webrtc_source_rtmp_t *search,
    ngx_webrtc_rtmp_url_t *url)
{
    char              host[NGX_WEBRTC_RTMP_URL + 1], port[8];
    uint16_t          ports[NGX_WEBRTC_SOURCE_RTMP_DOORS];
    ngx_str_t         view;
    ngx_uint_t        found;
    struct addrinfo   hints, *list, *ai;

    ngx_webrtc_source_rtmp_copy(host, &url->host, "", &view);
    (void) snprintf(port, sizeof(port), "%u", (unsigned) url->port);

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;

    if (getaddrinfo(host, port, &hints, &list) != 0) {
        return 0;
    }

    found = 0;

    for (ai = list; ai && !found; ai = ai->ai_next) {

        if (ai->ai_addrlen <= sizeof(search->addr)) {
            ngx_memcpy(&search->addr, ai->ai_addr, ai->ai_addrlen);
            found = ngx_webrtc_source_rtmp_ports(search, ports);
        }
    }

    freeaddrinfo(list);

    return found != 0;
}


static ngx_uint_t
ngx_webrtc_source_rtmp_ports(ngx_webrtc_source_rtmp_t *search,
    uint16_t *ports)
{
    ngx_webrtc_source_thread_conf_t  *conf;

    conf = &search->th->conf;

    return conf->doors(conf->ctx, &search->addr.sockaddr, ports,
                       NGX_WEBRTC_SOURCE_RTMP_DOORS, &search->family);
}


static void
ngx_webrtc_source_rtmp_copy(char *to, ngx_str_t *s, const char *prefix,
    ngx_str_t *view)
{
    size_t  n;

    n = ngx_strlen(prefix);

    ngx_memcpy(to, prefix, n);
    ngx_memcpy(to + n, s->data, s->len);
    to[n + s->len] = '\0';

    view->data = (u_char *) to;
    view->len = n + s->len;
}


void
ngx_webrtc_source_rtmp_destroy(ngx_webrtc_source_rtmp_t *search)
{
    ngx_webrtc_source_rtmp_rest(search);

    free(search->doors);
    free(search);
}


const char *
ngx_webrtc_source_rtmp_url(ngx_webrtc_source_rtmp_t *search)
{
    return search->url;
}


const char *
ngx_webrtc_source_rtmp_tcurl(ngx_webrtc_source_rtmp_t *search)
{
    return search->tcurl;
}


const char *
ngx_webrtc_source_rtmp_app(ngx_webrtc_source_rtmp_t *search)
{
    return search->app;
}


const char *
ngx_webrtc_source_rtmp_name(ngx_webrtc_source_rtmp_t *search)
{
    return search->name;
}


void
ngx_webrtc_source_rtmp_move(ngx_webrtc_source_rtmp_t *search,
    ngx_webrtc_source_thread_t *th)
{
    search->th = th;
}


ngx_int_t
ngx_webrtc_source_rtmp_find(ngx_webrtc_source_rtmp_t *search)
{
    uint64_t                     now_us, nobody_us;
    ngx_int_t                    rc;
    ngx_webrtc_source_thread_t  *th;

    th = search->th;

    nobody_us = ngx_webrtc_time_now()
                + NGX_WEBRTC_SOURCE_RTMP_NOBODY_US;

    for ( ;; ) {

        rc = ngx_webrtc_source_rtmp_look(search, NGX_WEBRTC_SOURCE_RTMP_POLL);

        if (ngx_webrtc_source_thread_stopped(th)) {
            return NGX_ABORT;
        }

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            ngx_webrtc_source_thread_error(th, "no worker plays \"%s\" of "
                                           "application \"%s\", asked:%ui",
                                           search->name, search->app,
                                           search->asked);
            break;
        }

        now_us = ngx_webrtc_time_now();

        if (now_us > th->deadline_us
            || (now_us > nobody_us && !ngx_webrtc_source_rtmp_begun(search)))
        {
            ngx_webrtc_source_thread_error(th, "nobody publishes \"%s\" in "
                                           "application \"%s\", workers "
                                           "asked:%ui", search->name,
                                           search->app, search->n);
            break;
        }
    }

    ngx_webrtc_source_rtmp_rest(search);

    return NGX_ERROR;
}


ngx_uint_t
ngx_webrtc_source_rtmp_moved(ngx_webrtc_source_rtmp_t *search,
    uint64_t since_us)
{
    if (search->port == 0
        || ngx_webrtc_time_now() - since_us
           < NGX_WEBRTC_SOURCE_RTMP_STALL_US)
    {
        return 0;
    }

    return ngx_webrtc_source_rtmp_look(search, 0) == NGX_OK;
}


void
ngx_webrtc_source_rtmp_rest(ngx_webrtc_source_rtmp_t *search)
{
    while (search->n) {
        ngx_webrtc_source_rtmp_drop(search, search->n - 1);
    }

    search->refreshed_us = 0;
    search->asked = 0;
}


/*
 * Waits for at most ms milliseconds.
 *
 * NGX_OK        search->url is that of a worker that has the stream
 * NGX_AGAIN
 * NGX_DECLINED  all have refused
 */

static ngx_int_t
ngx_webrtc_source_rtmp_look(ngx_webrtc_source_rtmp_t *search, int ms)
{
    uint64_t                        now_us;
    ngx_uint_t                      i, n;
    struct pollfd                   fds[NGX_WEBRTC_SOURCE_RTMP_DOORS];
    ngx_webrtc_source_rtmp_door_t  *door;

    ngx_webrtc_source_rtmp_refresh(search, ngx_webrtc_time_now());

    n = search->n;

    for (i = 0; i < n; i++) {
        door = search->doors[i];

        fds[i].fd = door->fd;
        fds[i].events = (door->rtmp.nout || !door->connected) ? POLLIN|POLLOUT
                                                              : POLLIN;
        fds[i].revents = 0;
    }

    if (poll(fds, n, ms) == -1 && ngx_errno != NGX_EINTR) {
        return NGX_AGAIN;
    }

    /* from the last one: a door that is dropped is replaced by the last */

    for (i = n; i-- > 0; /* void */) {

        if (fds[i].revents
            && ngx_webrtc_source_rtmp_io(search->doors[i], fds[i].revents)
               != NGX_OK)
        {
            ngx_webrtc_source_rtmp_drop(search, i);
        }
    }

    now_us = ngx_webrtc_time_now();

    door = ngx_webrtc_source_rtmp_choose(search, now_us);

    if (door) {
        search->port = door->port;

        (void) snprintf(search->url, sizeof(search->url), "rtmp://%s:%u/",
                        search->family == AF_INET6 ? "[::1]" : "127.0.0.1",
                        (unsigned) door->port);

        ngx_webrtc_source_rtmp_rest(search);

        return NGX_OK;
    }

    return search->n || search->port ? NGX_AGAIN : NGX_DECLINED;
}


/* connects to workers that are not connected to */

static void
ngx_webrtc_source_rtmp_refresh(ngx_webrtc_source_rtmp_t *search,
    uint64_t now_us)
{
    uint16_t    ports[NGX_WEBRTC_SOURCE_RTMP_DOORS];
    ngx_uint_t  i, k, n;

    if (search->refreshed_us
        && now_us - search->refreshed_us < NGX_WEBRTC_SOURCE_RTMP_REFRESH_US)
    {
        return;
    }

    search->refreshed_us = now_us;

    n = ngx_webrtc_source_rtmp_ports(search, ports);

    for (i = 0; i < n; i++) {

        for (k = 0; k < search->n; k++) {
            if (search->doors[k]->port == ports[i]) {
                break;
            }
        }

        if (k == search->n && ports[i] != search->port) {
            ngx_webrtc_source_rtmp_open(search, ports[i]);
        }
    }
}


static void
ngx_webrtc_source_rtmp_open(ngx_webrtc_source_rtmp_t *search, uint16_t port)
{
    socklen_t                       len;
    ngx_sockaddr_t                  to;
    ngx_webrtc_source_rtmp_door_t  *door;

    if (search->n == NGX_WEBRTC_SOURCE_RTMP_DOORS) {
        return;
    }

    door = calloc(1, sizeof(ngx_webrtc_source_rtmp_door_t));
    if (door == NULL) {
        return;
    }

    door->port = port;

    ngx_memzero(&to, sizeof(ngx_sockaddr_t));

    to.sockaddr.sa_family = search->family;

    if (search->family == AF_INET6) {
        to.sockaddr_in6.sin6_addr = in6addr_loopback;
        to.sockaddr_in6.sin6_port = htons(port);
        len = sizeof(struct sockaddr_in6);

    } else {
        to.sockaddr_in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sockaddr_in.sin_port = htons(port);
        len = sizeof(struct sockaddr_in);
    }

    door->fd = socket(search->family, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC,
                      0);

    if (door->fd == -1) {
        free(door);
        return;
    }

    if (connect(door->fd, &to.sockaddr, len) == -1
        && ngx_errno != NGX_EINPROGRESS)
    {
        (void) close(door->fd);
        free(door);
        return;
    }

    ngx_webrtc_rtmp_init(&door->rtmp, &search->app_s, &search->name_s,
                         &search->tcurl_s);

    search->doors[search->n++] = door;
    search->asked++;
}


/* the last one takes its place */

static void
ngx_webrtc_source_rtmp_drop(ngx_webrtc_source_rtmp_t *search, ngx_uint_t i)
{
    (void) close(search->doors[i]->fd);
    free(search->doors[i]);

    search->doors[i] = search->doors[--search->n];
}


/* NGX_OK; NGX_ERROR: it is unusable */

static ngx_int_t
ngx_webrtc_source_rtmp_io(ngx_webrtc_source_rtmp_door_t *door, short events)
{
    u_char              buf[4096];
    ssize_t             n;
    ngx_webrtc_rtmp_t  *rtmp;

    rtmp = &door->rtmp;

    if (events & POLLOUT) {

        door->connected = 1;

        n = send(door->fd, rtmp->out, rtmp->nout, MSG_NOSIGNAL);

        if (n == -1 && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
            return NGX_ERROR;
        }

        if (n > 0) {
            rtmp->nout -= n;
            ngx_memmove(rtmp->out, rtmp->out + n, rtmp->nout);
        }
    }

    if (events & (POLLIN|POLLHUP|POLLERR)) {

        n = recv(door->fd, buf, sizeof(buf), 0);

        if (n == -1 && (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EINTR)) {
            return NGX_OK;
        }

        if (n <= 0 || ngx_webrtc_rtmp_read(rtmp, buf, buf + n) != NGX_OK) {
            return NGX_ERROR;
        }

        if (!(rtmp->seen & NGX_WEBRTC_RTMP_BEGIN)) {
            door->begin_us = 0;

        } else if (door->begin_us == 0) {
            door->begin_us = ngx_webrtc_time_now();
        }
    }

    return NGX_OK;
}


/* see the rules at the top */

static ngx_webrtc_source_rtmp_door_t *
ngx_webrtc_source_rtmp_choose(ngx_webrtc_source_rtmp_t *search,
    uint64_t now_us)
{
    ngx_uint_t                      i, n;
    ngx_webrtc_source_rtmp_door_t  *door, *begun;

    n = 0;
    begun = NULL;

    for (i = 0; i < search->n; i++) {
        door = search->doors[i];

        if (door->rtmp.seen & NGX_WEBRTC_RTMP_MEDIA) {
            return door;
        }

        if (door->begin_us) {
            begun = door;
            n++;
        }
    }

    if (n == 1 && search->port == 0
        && now_us - begun->begin_us >= NGX_WEBRTC_SOURCE_RTMP_BEGIN_US)
    {
        return begun;
    }

    return NULL;
}


/* does any worker say that somebody publishes? */

static ngx_uint_t
ngx_webrtc_source_rtmp_begun(ngx_webrtc_source_rtmp_t *search)
{
    ngx_uint_t  i;

    for (i = 0; i < search->n; i++) {
        if (search->doors[i]->begin_us) {
            return 1;
        }
    }

    return 0;
}
