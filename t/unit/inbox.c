
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The inbox, between two processes: doorbells, datagrams, tells, and what
 * strangers send.  The test plays the event loop: it polls and calls the read
 * handler.
 */


#include <sys/un.h>
#include "bus_zone.h"
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_inbox.h"
#include "ngx_webrtc_bus_peers.h"


#define ZONE    (16 * 1024 * 1024)
#define RING    (256 * 1024)

/* ms; nothing takes that long, it ends a test that has lost a message */
#define PATIENCE  5000


typedef struct {
    ngx_uint_t               streams;
    ngx_webrtc_stream_t     *stream;
    ngx_uint_t               keyframes;
    ngx_uint_t               tells;
    uint64_t                 ref;
    ngx_uint_t               what;
    ngx_uint_t               datagrams;
    ngx_uint_t               wrong;
    ngx_uint_t               port;
} got_t;


static got_t   got;
static size_t  expect_n;


static void
on_stream(void *ctx, ngx_webrtc_stream_t *st)
{
    (void) ctx;

    got.streams++;
    got.stream = st;
}


static void
on_keyframe(void *ctx, ngx_webrtc_stream_t *st)
{
    (void) ctx;

    got.keyframes++;
    got.stream = st;
}


static void
on_tell(void *ctx, uint64_t ref, ngx_uint_t what)
{
    (void) ctx;

    got.tells++;
    got.ref = ref;
    got.what = what;
}


static void
on_datagram(void *ctx, ngx_webrtc_path_t *path, uint64_t ref, u_char *p,
    size_t n)
{
    size_t  i;

    (void) ctx;

    got.ref = ref;
    got.port = ntohs(path->remote.u.in.sin_port);

    if (n != expect_n) {
        got.wrong++;
    }

    for (i = 0; i < n; i++) {
        if (p[i] != (u_char) (i + got.port)) {
            got.wrong++;
            break;
        }
    }

    got.datagrams++;
}


static ngx_webrtc_inbox_t *
inbox_open(ngx_webrtc_bus_t *bus)
{
    ngx_webrtc_inbox_handlers_t  h;

    ngx_memzero(&h, sizeof(h));

    h.on_stream = on_stream;
    h.on_keyframe = on_keyframe;
    h.on_tell = on_tell;
    h.on_datagram = on_datagram;

    return ngx_webrtc_inbox_init(bus, &bus_cycle, &h);
}


/* one turn of the loop; 0 when nothing came */

static int
turn(ngx_webrtc_bus_t *bus, int timeout)
{
    struct pollfd  pfd;

    pfd.fd = bus->fd;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, timeout) != 1) {
        return 0;
    }

    bus_read_event.handler(&bus_read_event);

    return 1;
}


static void
path_make(ngx_webrtc_path_t *path, int port)
{
    struct sockaddr_in  sin;

    ngx_memzero(path, sizeof(ngx_webrtc_path_t));
    ngx_memzero(&sin, sizeof(sin));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);

    ngx_webrtc_addr_set(&path->remote, (struct sockaddr *) &sin, sizeof(sin));
}


static void
datagram(ngx_webrtc_inbox_t *inbox, ngx_uint_t worker, int port, size_t n)
{
    size_t             i;
    u_char             buf[NGX_WEBRTC_INBOX_DATAGRAM];
    ngx_webrtc_path_t  path;

    for (i = 0; i < n; i++) {
        buf[i] = (u_char) (i + port);
    }

    path_make(&path, port);

    (void) ngx_webrtc_inbox_datagram(inbox, worker, &path, port, buf, n);
}


/* commands to the other worker, which answers each with one byte */

static int            to_child[2], to_parent[2];


static void
child(ngx_webrtc_bus_t *bus)
{
    int                   i;
    char                  c;
    ngx_str_t             name = ngx_string("s");
    ngx_webrtc_inbox_t   *inbox;
    ngx_webrtc_stream_t  *st;

    bus_process();
    bus->worker = NGX_WEBRTC_WORKER_NONE;
    bus->fd = -1;

    if (ngx_webrtc_bus_attach(bus, &bus_log) != NGX_OK) {
        _exit(1);
    }

    inbox = inbox_open(bus);
    st = ngx_webrtc_bus_stream(bus, &name, RING, 0);

    if (inbox == NULL || st == NULL) {
        _exit(2);
    }

    while (read(to_child[0], &c, 1) == 1) {

        switch (c) {

        case 'w':       /* wake */
            ngx_webrtc_bus_wake(bus, st);
            break;

        case 'W':       /* many times */
            for (i = 0; i < 1000; i++) {
                ngx_webrtc_bus_wake(bus, st);
            }
            break;

        case 'k':       /* ask for a key frame, often */
            for (i = 0; i < 100; i++) {
                if (ngx_webrtc_bus_keyframe(bus, st) != NGX_OK) {
                    _exit(3);
                }
            }
            break;

        case 't':
            if (ngx_webrtc_inbox_tell(inbox, 0, 0x1234567890ULL,
                                      NGX_WEBRTC_WHY_DELETED)
                != NGX_OK)
            {
                _exit(4);
            }
            break;

        case 'd':       /* 60 datagrams of one batch */
            for (i = 0; i < 60; i++) {
                datagram(inbox, 0, 1000 + i, 1201);
            }
            ngx_webrtc_inbox_flush(inbox);
            break;

        case 'D':       /* more than fits */
            for (i = 0; i < 2000; i++) {
                datagram(inbox, 0, 1000, 1201);
            }
            ngx_webrtc_inbox_flush(inbox);

            if (ngx_webrtc_inbox_stat(inbox)->dropped == 0
                || ngx_webrtc_inbox_stat(inbox)->dropped
                   + ngx_webrtc_inbox_stat(inbox)->datagrams_out != 2060)
            {
                _exit(5);
            }

            ngx_webrtc_bus_wake(bus, st);
            break;

        case 'c':       /* claim it and let it go */
            if (ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH)
                != NGX_OK)
            {
                _exit(6);
            }
            ngx_webrtc_bus_set_state(bus, st, NGX_WEBRTC_STREAM_ACTIVE, 1);
            break;

        case 'q':
            ngx_webrtc_bus_detach(bus);
            ngx_webrtc_inbox_done(inbox);
            _exit(0);
        }

        (void) !write(to_parent[1], &c, 1);
    }

    _exit(7);
}


static void
command(char c)
{
    (void) !write(to_child[1], &c, 1);

    if (c != 'q') {
        (void) !read(to_parent[0], &c, 1);
    }
}


static void
drain(ngx_webrtc_bus_t *bus)
{
    while (turn(bus, 0)) { /* void */ }
}


/* who can be sent to by anybody is sent to by anybody */

static void
test_stranger(ngx_webrtc_bus_t *bus, ngx_webrtc_inbox_t *inbox)
{
    int                 fd;
    pid_t               pid;
    socklen_t           len;
    struct sockaddr_un  sun;
    uint64_t            foreign, malformed;
    u_char              msg[512];
    size_t              i;

    foreign = ngx_webrtc_inbox_stat(inbox)->foreign;
    malformed = ngx_webrtc_inbox_stat(inbox)->malformed;

    len = sizeof(sun);

    if (getsockname(bus->fd, (struct sockaddr *) &sun, &len) == -1) {
        return;
    }

    tap_ok(sun.sun_path[0] == '\0' && len > 20, "the name is abstract");

    ngx_memzero(&got, sizeof(got));
    ngx_memzero(msg, sizeof(msg));

    /* each type of record, from a process that is no worker */

    pid = fork();

    if (pid == 0) {
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);

        for (i = 1; i < 8; i++) {
            msg[0] = (u_char) i;
            msg[4] = 100;
            (void) sendto(fd, msg, 256, 0, (struct sockaddr *) &sun, len);
        }

        _exit(0);
    }

    (void) bus_wait(bus, pid);
    drain(bus);

    tap_is_int(got.tells + got.datagrams + got.keyframes, 0,
               "nothing a stranger says is listened to");
    tap_is_int(ngx_webrtc_inbox_stat(inbox)->foreign - foreign, 7,
               "it is counted");

    /* from a worker, but broken: cut anywhere, lengths that lie */

    fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    for (i = 0; i < 16; i++) {
        (void) sendto(fd, msg, i, 0, (struct sockaddr *) &sun, len);
        drain(bus);
    }

    tap_is_int(ngx_webrtc_inbox_stat(inbox)->malformed - malformed, 15,
               "half a header");

    msg[0] = 4;
    msg[4] = 255;
    msg[5] = msg[6] = msg[7] = 255;
    (void) sendto(fd, msg, 256, 0, (struct sockaddr *) &sun, len);
    msg[5] = msg[6] = msg[7] = 0;
    msg[4] = 8;
    (void) sendto(fd, msg, 256, 0, (struct sockaddr *) &sun, len);
    msg[4] = 241;
    (void) sendto(fd, msg, 256, 0, (struct sockaddr *) &sun, len);
    msg[0] = 99;
    (void) sendto(fd, msg, 256, 0, (struct sockaddr *) &sun, len);

    drain(bus);

    tap_is_int(ngx_webrtc_inbox_stat(inbox)->malformed - malformed, 19,
               "lengths that lie, a type that is none");
    tap_is_int(got.tells + got.datagrams + got.keyframes, 0, "nothing done");

    close(fd);
}


int
main(void)
{
    int                    n;
    pid_t                  pid;
    ngx_str_t              name = ngx_string("s");
    ngx_webrtc_bus_t      *bus;
    ngx_webrtc_inbox_t    *inbox;
    ngx_webrtc_stream_t   *st;

    bus = bus_zone(ZONE);
    ngx_webrtc_bus_attach(bus, &bus_log);

    inbox = inbox_open(bus);
    tap_ok(inbox != NULL, "inbox");
    drain(bus);

    st = ngx_webrtc_bus_stream(bus, &name, RING, 1);

    if (pipe(to_child) == -1 || pipe(to_parent) == -1) {
        return 1;
    }

    pid = fork();

    if (pid == 0) {
        close(bus->fd);
        child(bus);
    }

    command('w');
    drain(bus);
    ngx_memzero(&got, sizeof(got));

    /* doorbell */

    command('w');
    drain(bus);
    tap_is_int(got.streams, 0, "not watching, not told");

    ngx_webrtc_bus_watch(bus, st);
    command('w');
    tap_ok(turn(bus, PATIENCE), "watching");
    tap_ok(got.streams == 1 && got.stream == st, "told which stream");

    n = (int) ngx_webrtc_inbox_stat(inbox)->rings;
    ngx_memzero(&got, sizeof(got));
    command('W');
    drain(bus);
    tap_is_int(ngx_webrtc_inbox_stat(inbox)->rings - n, 1,
               "a thousand wake-ups are one message");
    tap_is_int(got.streams, 1, "and one call");

    command('w');
    ngx_webrtc_bus_clean(bus, st);
    ngx_memzero(&got, sizeof(got));
    drain(bus);
    tap_is_int(got.streams, 0, "what was looked at already is not told");

    ngx_webrtc_bus_wake(bus, st);
    drain(bus);
    tap_is_int(got.streams, 1, "the own worker is told");
    ngx_webrtc_bus_wake_others(bus, st);
    drain(bus);
    tap_is_int(got.streams, 1, "unless only others are");

    /* datagrams */

    ngx_memzero(&got, sizeof(got));
    expect_n = 1201;
    command('d');
    drain(bus);
    tap_ok(got.datagrams == 60 && got.wrong == 0 && got.port == 1059
           && got.ref == 1059, "60 datagrams are passed on as they were");

    ngx_memzero(&got, sizeof(got));
    command('D');
    drain(bus);
    tap_ok(got.datagrams > 60 && got.datagrams < 2000 && got.wrong == 0,
           "an inbox that is not read takes %d, the rest is dropped",
           (int) got.datagrams);
    tap_is_int(got.streams, 1, "the doorbell is not lost then");

    /* tell, key frame */

    command('t');
    tap_ok(turn(bus, PATIENCE) && got.tells == 1 && got.ref == 0x1234567890ULL
           && got.what == NGX_WEBRTC_WHY_DELETED, "tell");

    (void) ngx_webrtc_bus_claim(bus, st, NGX_WEBRTC_CLAIM_PUBLISH);
    ngx_memzero(&got, sizeof(got));
    command('k');
    drain(bus);
    tap_ok(got.keyframes == 1 && got.stream == st,
           "a hundred requests for a key frame are one");
    ngx_webrtc_bus_keyframe_done(st);
    command('k');
    drain(bus);
    tap_is_int(got.keyframes, 2, "one more when that has been made");
    ngx_webrtc_bus_unclaim(bus, st);
    drain(bus);

    test_stranger(bus, inbox);

    /* a maker that goes: its watchers are told */

    command('c');
    drain(bus);
    ngx_memzero(&got, sizeof(got));
    command('q');
    tap_is_int(bus_wait(bus, pid), 0, "the other worker ends well");
    tap_ok(turn(bus, PATIENCE) && got.streams == 1
           && ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_INACTIVE,
           "the stream it made is inactive, and we are told");
    tap_is_int(ngx_webrtc_inbox_tell(inbox, 1, 1, NGX_WEBRTC_WHY_DELETED),
               NGX_DECLINED, "it cannot be told anything");

    ngx_webrtc_bus_detach(bus);
    ngx_webrtc_inbox_done(inbox);
    ngx_webrtc_inbox_done(inbox);

    return tap_done();
}
