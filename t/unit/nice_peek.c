
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams that are taken from a socket that somebody else reads, too, on
 * sockets of the loopback: those at the head of the queue, in order, whole, and
 * no other.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <poll.h>

#include <ngx_webrtc_nice_peek.h>

#include <tap.h>


/* ms; nothing takes that long */
#define PATIENCE  5000

#define OWN       'o'
#define OTHER     'x'
#define SIZE      2100                   /* more than there is room for */


static int         in, out[2];
static ngx_uint_t  ntaken, bad, seen;
static u_char      next;                 /* number of the one expected */


/* what of a socket arrives is numbered */

static void
put(int fd, u_char kind, u_char number, size_t n)
{
    u_char  buf[SIZE];

    memset(buf, number, n);

    if (n) {
        buf[0] = kind;
    }

    if (send(fd, buf, n, 0) != (ssize_t) n) {
        tap_fail("send");
    }
}


static void
arrived(void)
{
    struct pollfd  pfd;

    pfd.fd = in;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, PATIENCE) != 1) {
        tap_fail("nothing arrives");
    }
}


/* the first sender's alone */

static ngx_int_t
own(void *ctx, struct sockaddr *sa, socklen_t len, u_char *p, size_t n)
{
    struct sockaddr_in  *local = ctx;

    if (len != sizeof(struct sockaddr_in)
        || ((struct sockaddr_in *) sa)->sin_port != local->sin_port)
    {
        return NGX_DECLINED;
    }

    return (n && p[0] == OWN) ? NGX_OK : NGX_DECLINED;
}


static void
taken(void *ctx, u_char *p, size_t n)
{
    size_t  i;

    (void) ctx;

    ntaken++;

    for (i = 1; i < n; i++) {
        bad += (p[i] != next);
    }

    bad += (p[0] != OWN || n != 100 + (size_t) next);
    next++;
}


static void
peeked(void *ctx, struct sockaddr *sa, u_char *p, size_t n)
{
    (void) ctx;
    (void) sa;
    (void) p;
    (void) n;

    seen++;
}


/* how the other reader sees the next one: its bytes, -1: there is none */

static int
left(u_char *kind)
{
    u_char   buf[SIZE];
    ssize_t  n;

    n = recv(in, buf, sizeof(buf), MSG_DONTWAIT);
    *kind = (n > 0) ? buf[0] : 0;

    return (int) n;
}


static ngx_int_t
take(struct sockaddr_in *local)
{
    ntaken = 0;
    bad = 0;

    return ngx_webrtc_nice_take(in, own, taken, local);
}


static int
sender(struct sockaddr_in *to, struct sockaddr_in *local)
{
    int        fd;
    socklen_t  len;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    len = sizeof(struct sockaddr_in);

    if (fd == -1 || connect(fd, (struct sockaddr *) to, len) == -1
        || getsockname(fd, (struct sockaddr *) local, &len) == -1)
    {
        tap_fail("a sender");
    }

    return fd;
}


static void
test_order(struct sockaddr_in *local)
{
    int         n;
    u_char      kind;
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "of nothing, nothing");

    next = 0;

    for (i = 0; i < 5; i++) {
        put(out[0], OWN, (u_char) i, 100 + i);
    }

    arrived();
    rc = take(local);
    tap_ok(rc == NGX_OK && ntaken == 5 && bad == 0, "all of them, in order");
    tap_ok(left(&kind) == -1, "and none is left");

    /* one that is not ours, in the middle */

    next = 0;
    put(out[0], OWN, 0, 100);
    put(out[0], OWN, 1, 101);
    put(out[0], OTHER, 9, 50);
    put(out[0], OWN, 2, 102);

    arrived();
    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 2 && bad == 0,
           "as far as they are ours");

    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "not past it");

    n = left(&kind);
    tap_ok(n == 50 && kind == OTHER, "which is left for the other reader");

    rc = take(local);
    tap_ok(rc == NGX_OK && ntaken == 1 && bad == 0, "and then the next one");

    /* from elsewhere, with the same bytes */

    put(out[1], OWN, 0, 100);
    arrived();
    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "not from another address");
    tap_ok(left(&kind) == 100, "which is left");

    /* an empty one, one that is too long */

    next = 0;
    put(out[0], OWN, 0, 0);
    put(out[0], OWN, 0, 100);
    arrived();
    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "not past an empty one");
    tap_ok(left(&kind) == 0, "which is left");
    rc = take(local);
    tap_ok(rc == NGX_OK && ntaken == 1 && bad == 0, "then what follows");

    /* more of them: the second one is not seen any more, but read */

    next = 1;
    put(out[1], OWN, 0, 0);
    put(out[1], OWN, 0, 0);
    put(out[0], OWN, 1, 101);
    put(out[0], OWN, 2, 102);
    put(out[0], OWN, 3, 103);
    arrived();
    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "not past two empty ones");
    tap_ok(left(&kind) == 0, "of which the other reader reads one");
    rc = take(local);
    tap_ok((rc == NGX_AGAIN || rc == NGX_DECLINED) && bad == 0,
           "the other one is not taken for what follows (%d)", (int) ntaken);

    if (rc == NGX_DECLINED) {
        tap_ok(left(&kind) == 0, "and is read");
    } else {
        tap_ok(ntaken == 2, "and goes with it");
    }

    rc = take(local);
    tap_ok(rc == NGX_OK && bad == 0 && next == 4, "nothing of that is lost");

    put(out[0], OWN, 0, SIZE);
    arrived();
    rc = take(local);
    tap_ok(rc == NGX_DECLINED && ntaken == 0, "not what has no room");
    tap_ok(left(&kind) == SIZE, "which is left, whole");
}


static void
test_many(struct sockaddr_in *local)
{
    u_char      kind;
    ngx_int_t   rc;
    ngx_uint_t  i;

    next = 0;

    for (i = 0; i < NGX_WEBRTC_NICE_TAKE + 3; i++) {
        put(out[0], OWN, (u_char) i, 100 + i);
    }

    arrived();
    rc = take(local);
    tap_ok(rc == NGX_AGAIN && ntaken == NGX_WEBRTC_NICE_TAKE && bad == 0,
           "as many as a batch has");

    rc = take(local);
    tap_ok(rc == NGX_OK && ntaken == 3 && bad == 0, "and the rest");
    tap_ok(left(&kind) == -1, "none is left");
}


/* together with ngx_webrtc_nice_peek(), which sees each once */

static void
test_peek(struct sockaddr_in *local)
{
    u_char  kind;

    next = 0;
    put(out[0], OWN, 0, 100);
    put(out[0], OTHER, 0, 60);
    put(out[0], OTHER, 0, 70);

    arrived();
    (void) take(local);
    tap_ok(ntaken == 1, "one is taken");

    seen = 0;
    ngx_webrtc_nice_peek(in, peeked, NULL);
    tap_is_int(seen, 2, "a look then sees what is left");

    ngx_webrtc_nice_peek(in, peeked, NULL);
    tap_is_int(seen, 2, "once");

    tap_ok(left(&kind) == 60 && left(&kind) == 70, "and it is still there");

    put(out[0], OWN, 1, 101);
    arrived();
    ngx_webrtc_nice_peek(in, peeked, NULL);
    tap_is_int(seen, 3, "a look at one of ours");
    (void) take(local);
    tap_ok(ntaken == 1 && bad == 0, "which is taken nevertheless");
}


int
main(void)
{
    socklen_t           len;
    struct sockaddr_in  to, local[2];

    memset(&to, 0, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    in = socket(AF_INET, SOCK_DGRAM, 0);
    len = sizeof(to);

    if (in == -1 || bind(in, (struct sockaddr *) &to, len) == -1
        || getsockname(in, (struct sockaddr *) &to, &len) == -1)
    {
        tap_fail("a socket");
    }

    out[0] = sender(&to, &local[0]);
    out[1] = sender(&to, &local[1]);

    test_order(&local[0]);
    test_many(&local[0]);
    test_peek(&local[0]);

    return tap_done();
}
