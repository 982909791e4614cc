
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Two binaries on one port.  Each has a zone of its own, so a worker cannot
 * tell whose an unknown datagram is: it passes it to the other binary, once,
 * where it is known or dropped.
 *
 *   1. Both have the same sockets: the inode of one and the pid of a master
 *      name the place where that binary is reached, an abstract unix socket
 *      "webrtc-port-<inode>-<pid>" of the worker that reads the socket.
 *
 *   2. The new binary knows the old one, its parent.  The old one learns of the
 *      new one from its messages, which name their sender; a worker whose
 *      socket no new worker has learns of it from another worker of its own
 *      binary.  There are at most two: nginx does not begin an upgrade during
 *      an upgrade.
 *
 *   3. A worker that is shutting down keeps its place, and gets what is passed
 *      on, as long as its binary has no other worker that reads the socket.
 *      When its successor after a reload (or the HUP of a rollback) has begun
 *      to, it leaves the place to it.  Both may pass datagrams on all the time.
 *
 *   4. Where the other binary has no worker for a socket, as with another
 *      number of workers, any of its workers for the same address will do: it
 *      finds the right one, as if the datagram had come from its own port.
 *
 *   5. A binary is known to be there when an empty message has been delivered
 *      to it.  A worker sends one when it begins, so that both know before the
 *      new one reads the port, and with each tick from then on.  The other
 *      binary is forgotten when a message cannot be delivered.
 *
 * Anybody on this host may send to such a name: messages from other users are
 * ignored.  Whoever takes a name before its binary does gets what that one
 * would have got, encrypted as on the wire.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <sys/un.h>
#include "ngx_webrtc_pass.h"
#include "ngx_webrtc_ucred.h"
#include "ngx_webrtc_twin.h"
#include "ngx_webrtc_udp_listen.h"


/* bytes of a message; chosen: a few dozen datagrams */
#define NGX_WEBRTC_TWIN_SIZE      32768

/* messages per event; chosen: other events wait a millisecond at most */
#define NGX_WEBRTC_TWIN_MESSAGES  8

/* bytes; chosen: net.core.wmem_max allows less on most hosts */
#define NGX_WEBRTC_TWIN_SNDBUF    (1024 * 1024)

/* sockets of an address that are looked at: those of so many workers */
#define NGX_WEBRTC_TWIN_PLACES    256


/* a socket of the port that this worker reads */
typedef struct {
    ngx_webrtc_twin_t      *twin;
    ngx_connection_t       *conn;         /* NULL: it could not be opened */
    ngx_uint_t              seated;       /* it has our place's name */
    ngx_uint_t              listen;       /* number of webrtc_listen */

    uint64_t               *places;       /* inodes of sockets; [0]: this */
    ngx_uint_t              nplaces;
    uint32_t                other;        /* pid of its master, 0: not known */
    ngx_uint_t              there;        /* 1 + its place, 0: nobody */
    ngx_uint_t              next;         /* place to be looked at */

    u_char                 *out;          /* NGX_WEBRTC_TWIN_SIZE */
    size_t                  len;
} ngx_webrtc_twin_sock_t;


struct ngx_webrtc_twin_s {
    ngx_webrtc_twin_conf_t  conf;
    ngx_log_t              *log;
    uint32_t                pid;          /* of our master */
    uint32_t                heard;        /* of the other one, not yet told */
    ngx_webrtc_twin_sock_t  sock[NGX_WEBRTC_UDP_LISTENS];
    ngx_uint_t              nsock;
    u_char                 *in;           /* NGX_WEBRTC_TWIN_SIZE */
};


static ngx_int_t ngx_webrtc_twin_add(ngx_webrtc_twin_t *twin,
    ngx_cycle_t *cycle, ngx_listening_t *ls);
static uint64_t ngx_webrtc_twin_inode(ngx_socket_t fd);
static void ngx_webrtc_twin_sit(ngx_webrtc_twin_sock_t *sock);
static ngx_int_t ngx_webrtc_twin_open(ngx_webrtc_twin_sock_t *sock);
static void ngx_webrtc_twin_close(ngx_webrtc_twin_sock_t *sock);
static socklen_t ngx_webrtc_twin_name(uint64_t inode, uint32_t pid,
    struct sockaddr_un *sun);
static void ngx_webrtc_twin_look(ngx_webrtc_twin_sock_t *sock,
    ngx_uint_t all);
static ngx_err_t ngx_webrtc_twin_send(ngx_webrtc_twin_sock_t *sock,
    ngx_uint_t place, u_char *p, size_t n);
static void ngx_webrtc_twin_flush_sock(ngx_webrtc_twin_sock_t *sock);
static void ngx_webrtc_twin_read_handler(ngx_event_t *rev);
static ssize_t ngx_webrtc_twin_recv(ngx_webrtc_twin_sock_t *sock,
    ngx_uint_t *known);
static void ngx_webrtc_twin_message(ngx_webrtc_twin_sock_t *sock, u_char *p,
    u_char *end);


/* the parent of our master */
static uint32_t  ngx_webrtc_twin_parent;


void
ngx_webrtc_twin_master(void)
{
    if (ngx_webrtc_twin_parent == 0) {
        ngx_webrtc_twin_parent = (uint32_t) getppid();
    }
}


ngx_webrtc_twin_t *
ngx_webrtc_twin_init(ngx_cycle_t *cycle, ngx_webrtc_twin_conf_t *conf)
{
    ngx_uint_t          i;
    ngx_listening_t    *ls;
    ngx_webrtc_twin_t  *twin;

    twin = ngx_pcalloc(cycle->pool, sizeof(ngx_webrtc_twin_t));
    if (twin == NULL) {
        return NULL;
    }

    twin->conf = *conf;
    twin->log = cycle->log;
    twin->pid = (uint32_t) getppid();

    twin->in = ngx_palloc(cycle->pool, NGX_WEBRTC_TWIN_SIZE);
    if (twin->in == NULL) {
        return NULL;
    }

#if (NGX_HAVE_REUSEPORT)

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (ngx_webrtc_udp_listens(&ls[i]) && ls[i].connection
            && ls[i].reuseport && ls[i].worker == ngx_worker
            && twin->nsock < NGX_WEBRTC_UDP_LISTENS
            && ngx_webrtc_twin_add(twin, cycle, &ls[i]) != NGX_OK)
        {
            ngx_webrtc_twin_done(twin);
            return NULL;
        }
    }

#endif

    return twin;
}


static ngx_int_t
ngx_webrtc_twin_add(ngx_webrtc_twin_t *twin, ngx_cycle_t *cycle,
    ngx_listening_t *of)
{
    uint64_t                 inode;
    ngx_uint_t               i;
    ngx_listening_t         *ls;
    ngx_webrtc_twin_sock_t  *sock;

    sock = &twin->sock[twin->nsock];

    sock->twin = twin;
    sock->other = ngx_webrtc_twin_parent;
    sock->listen = (ngx_uint_t) (uintptr_t) of->servers;

    sock->places = ngx_palloc(cycle->pool,
                              NGX_WEBRTC_TWIN_PLACES * sizeof(uint64_t));
    sock->out = ngx_palloc(cycle->pool, NGX_WEBRTC_TWIN_SIZE);

    if (sock->places == NULL || sock->out == NULL) {
        return NGX_ERROR;
    }

    inode = ngx_webrtc_twin_inode(of->fd);

    if (inode == 0) {
        return NGX_OK;
    }

    sock->places[sock->nplaces++] = inode;

    /* other workers' sockets are open here, too */

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (!ngx_webrtc_udp_listens(&ls[i]) || ls[i].servers != of->servers
            || &ls[i] == of || sock->nplaces == NGX_WEBRTC_TWIN_PLACES)
        {
            continue;
        }

        inode = ngx_webrtc_twin_inode(ls[i].fd);

        if (inode) {
            sock->places[sock->nplaces++] = inode;
        }
    }

    twin->nsock++;

    ngx_webrtc_twin_sit(sock);
    ngx_webrtc_twin_look(sock, 1);

    return NGX_OK;
}


/* 0: it is no socket */

static uint64_t
ngx_webrtc_twin_inode(ngx_socket_t fd)
{
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISSOCK(st.st_mode)) {
        return 0;
    }

    return st.st_ino;
}


/* takes our place if it is free; without it we receive nothing, but may send */

static void
ngx_webrtc_twin_sit(ngx_webrtc_twin_sock_t *sock)
{
    socklen_t           len;
    struct sockaddr_un  sun;

    if (sock->seated) {
        return;
    }

    /* one that has sent something has been given a name by the kernel */

    ngx_webrtc_twin_close(sock);

    if (ngx_webrtc_twin_open(sock) != NGX_OK) {
        return;
    }

    len = ngx_webrtc_twin_name(sock->places[0], sock->twin->pid, &sun);

    sock->seated = (bind(sock->conn->fd, (struct sockaddr *) &sun, len) == 0);
}


static ngx_int_t
ngx_webrtc_twin_open(ngx_webrtc_twin_sock_t *sock)
{
    int                on, size;
    ngx_log_t         *log;
    ngx_socket_t       fd;
    ngx_connection_t  *c;

    log = sock->twin->log;

    fd = ngx_socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "webrtc twin " ngx_socket_n " failed");
        return NGX_ERROR;
    }

    /* before the name is known to anybody: no message goes without */

    on = 1;
    size = NGX_WEBRTC_TWIN_SNDBUF;

    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(int)) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "webrtc twin setsockopt(SO_PASSCRED) failed");
        (void) ngx_close_socket(fd);
        return NGX_ERROR;
    }

    /* the kernel takes what it allows */

    (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(int));

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        (void) ngx_close_socket(fd);
        return NGX_ERROR;
    }

    c->data = sock;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_webrtc_twin_read_handler;

    /* as nginx's own channel: not a client that a shutdown has to wait for */

    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_close_connection(c);
        return NGX_ERROR;
    }

    sock->conn = c;

    return NGX_OK;
}


static void
ngx_webrtc_twin_close(ngx_webrtc_twin_sock_t *sock)
{
    if (sock->conn) {
        ngx_close_connection(sock->conn);
        sock->conn = NULL;
    }

    sock->seated = 0;
    sock->there = 0;
    sock->len = 0;
}


static socklen_t
ngx_webrtc_twin_name(uint64_t inode, uint32_t pid, struct sockaddr_un *sun)
{
    u_char  *p;

    ngx_memzero(sun, sizeof(struct sockaddr_un));

    sun->sun_family = AF_UNIX;

    /* the first byte of an abstract name is zero */

    p = ngx_sprintf((u_char *) &sun->sun_path[1], "webrtc-port-%uL-%uD",
                    inode, pid);

    return (socklen_t) (p - (u_char *) sun);
}


/*
 * Announces us, and finds the other binary.  The place of our own socket is the
 * best: it is the shortest way.
 *
 *   all   to all places; else to ours, the one in use, and another one each
 *         time
 */

static void
ngx_webrtc_twin_look(ngx_webrtc_twin_sock_t *sock, ngx_uint_t all)
{
    u_char      hello[NGX_WEBRTC_PASS_HEADER];
    ngx_uint_t  i, was;

    if (sock->other == 0 || sock->conn == NULL) {
        return;
    }

    (void) ngx_webrtc_pass_begin(hello, hello + sizeof(hello),
                                 sock->twin->pid);

    was = sock->there;
    sock->there = 0;

    for (i = 0; i < sock->nplaces; i++) {

        if (!all && i && i + 1 != was && i != sock->next) {
            continue;
        }

        if (ngx_webrtc_twin_send(sock, i, hello, sizeof(hello))
            != NGX_ECONNREFUSED
            && sock->there == 0)
        {
            sock->there = i + 1;
        }
    }

    sock->next = (sock->next + 1) % sock->nplaces;
}


/*
 * 0; NGX_ECONNREFUSED nobody is there, NGX_EAGAIN there is no room
 */

static ngx_err_t
ngx_webrtc_twin_send(ngx_webrtc_twin_sock_t *sock, ngx_uint_t place, u_char *p,
    size_t n)
{
    ssize_t             rc;
    socklen_t           len;
    struct sockaddr_un  sun;

    len = ngx_webrtc_twin_name(sock->places[place], sock->other, &sun);

    do {
        rc = sendto(sock->conn->fd, p, n, MSG_DONTWAIT|MSG_NOSIGNAL,
                    (struct sockaddr *) &sun, len);
    } while (rc == -1 && ngx_socket_errno == NGX_EINTR);

    if (rc != -1) {
        return 0;
    }

    return (ngx_socket_errno == NGX_EAGAIN || ngx_socket_errno == ENOBUFS
            || ngx_socket_errno == NGX_ENOMEM) ? NGX_EAGAIN
                                               : NGX_ECONNREFUSED;
}


ngx_int_t
ngx_webrtc_twin_pass(ngx_webrtc_twin_t *twin, ngx_webrtc_path_t *path,
    u_char *p, size_t n)
{
    u_char                  *end, *next;
    ngx_uint_t               i;
    ngx_webrtc_twin_sock_t  *sock;

    for (i = 0; i < twin->nsock; i++) {

        sock = &twin->sock[i];

        if (sock->listen != path->listen || sock->there == 0) {
            continue;
        }

        if (n > NGX_WEBRTC_TWIN_SIZE - NGX_WEBRTC_PASS_HEADER
                - NGX_WEBRTC_PASS_RECORD)
        {
            return NGX_DECLINED;
        }

        end = sock->out + NGX_WEBRTC_TWIN_SIZE;

        if (sock->len + NGX_WEBRTC_PASS_RECORD + n > NGX_WEBRTC_TWIN_SIZE) {
            ngx_webrtc_twin_flush_sock(sock);
        }

        if (sock->len == 0) {
            sock->len = ngx_webrtc_pass_begin(sock->out, end, twin->pid)
                        - sock->out;
        }

        next = ngx_webrtc_pass_write(sock->out + sock->len, end, path, p, n);

        if (next == NULL) {
            return NGX_DECLINED;
        }

        sock->len = next - sock->out;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_webrtc_twin_flush(ngx_webrtc_twin_t *twin)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nsock; i++) {
        if (twin->sock[i].len) {
            ngx_webrtc_twin_flush_sock(&twin->sock[i]);
        }
    }
}


static void
ngx_webrtc_twin_flush_sock(ngx_webrtc_twin_sock_t *sock)
{
    if (sock->conn && sock->there
        && ngx_webrtc_twin_send(sock, sock->there - 1, sock->out, sock->len)
           == NGX_ECONNREFUSED)
    {
        /* its worker has gone; another one may do */

        ngx_webrtc_twin_look(sock, 1);

        if (sock->there) {
            (void) ngx_webrtc_twin_send(sock, sock->there - 1, sock->out,
                                        sock->len);
        }
    }

    sock->len = 0;
}


void
ngx_webrtc_twin_tick(ngx_webrtc_twin_t *twin, ngx_uint_t leave)
{
    ngx_uint_t               i;
    ngx_webrtc_twin_sock_t  *sock;

    for (i = 0; i < twin->nsock; i++) {

        sock = &twin->sock[i];

        if (!leave) {
            ngx_webrtc_twin_sit(sock);

        } else if (sock->seated || sock->conn == NULL) {
            ngx_webrtc_twin_close(sock);
            (void) ngx_webrtc_twin_open(sock);
        }

        ngx_webrtc_twin_look(sock, 0);
    }
}


uint32_t
ngx_webrtc_twin_heard(ngx_webrtc_twin_t *twin)
{
    uint32_t  pid;

    pid = twin->heard;
    twin->heard = 0;

    return pid;
}


void
ngx_webrtc_twin_know(ngx_webrtc_twin_t *twin, uint32_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nsock; i++) {
        if (pid && twin->sock[i].other != pid) {
            twin->sock[i].other = pid;
            ngx_webrtc_twin_look(&twin->sock[i], 1);
        }
    }
}


ngx_uint_t
ngx_webrtc_twin_there(ngx_webrtc_twin_t *twin)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nsock; i++) {
        if (twin->sock[i].there) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_webrtc_twin_fewer(ngx_webrtc_twin_t *twin)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nsock; i++) {
        if (twin->sock[i].there > 1) {
            return 1;
        }
    }

    return 0;
}


void
ngx_webrtc_twin_done(ngx_webrtc_twin_t *twin)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nsock; i++) {
        ngx_webrtc_twin_close(&twin->sock[i]);
    }
}


static void
ngx_webrtc_twin_read_handler(ngx_event_t *rev)
{
    ssize_t                  n;
    ngx_uint_t               i, known;
    ngx_connection_t        *c;
    ngx_webrtc_twin_sock_t  *sock;

    c = rev->data;
    sock = c->data;

    for (i = 0; i < NGX_WEBRTC_TWIN_MESSAGES; i++) {

        n = ngx_webrtc_twin_recv(sock, &known);

        if (n < 0) {
            return;
        }

        if (known) {
            ngx_webrtc_twin_message(sock, sock->twin->in, sock->twin->in + n);
        }

        if (sock->conn != c) {
            return;
        }
    }
}


/*
 * Receives one message.  *known is set if a process of our user, or of root,
 * has sent it.
 *
 * Returns its length, -1 when there is none.
 */

static ssize_t
ngx_webrtc_twin_recv(ngx_webrtc_twin_sock_t *sock, ngx_uint_t *known)
{
    ssize_t          n;
    struct iovec        iov;
    struct ucred        cred;
    struct msghdr       msg;
    ngx_webrtc_ucred_t  control;

    ngx_memzero(&msg, sizeof(struct msghdr));

    iov.iov_base = sock->twin->in;
    iov.iov_len = NGX_WEBRTC_TWIN_SIZE;

    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);

    do {
        n = recvmsg(sock->conn->fd, &msg, MSG_DONTWAIT|MSG_CMSG_CLOEXEC);
    } while (n == -1 && ngx_socket_errno == NGX_EINTR);

    *known = 0;

    if (n != -1 && !(msg.msg_flags & MSG_TRUNC)
        && ngx_webrtc_ucred(&msg, &cred) == NGX_OK
        && (cred.uid == geteuid() || cred.uid == 0))
    {
        *known = 1;
    }

    return n;
}


static void
ngx_webrtc_twin_message(ngx_webrtc_twin_sock_t *sock, u_char *p, u_char *end)
{
    size_t              n;
    u_char             *data;
    uint32_t            pid;
    ngx_uint_t          given;
    ngx_webrtc_twin_t  *twin;
    ngx_webrtc_path_t   path;

    twin = sock->twin;

    p = ngx_webrtc_pass_open(p, end, &pid);

    if (p == NULL || pid == 0 || pid == twin->pid) {
        return;
    }

    twin->heard = pid;

    if (sock->other != pid || sock->there == 0) {
        sock->other = pid;
        ngx_webrtc_twin_look(sock, 1);
    }

    given = 0;

    while (p && p < end) {

        p = ngx_webrtc_pass_read(p, end, &path, &data, &n);

        if (p) {
            path.listen = (uint32_t) sock->listen;
            twin->conf.input(twin->conf.ctx, &path, data, n);
            given = 1;
        }
    }

    if (given) {
        twin->conf.done(twin->conf.ctx);
    }
}
