
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The table of roles: which row a number finds, what is called of a row and in
 * which order, and that one which cannot begin ends those before it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_webrtc_roles.h"

#include "tap.h"


#define A  1
#define B  2


/* what was called, in order */

static char                 called[256];
static ngx_uint_t           fails;
static ngx_webrtc_worker_t  worker;
static ngx_log_t            nolog;


static void
note(const char *what, void *state)
{
    size_t  n;

    n = strlen(called);
    snprintf(called + n, sizeof(called) - n, "%s:%s ", (char *) state, what);
}


static void *
init(ngx_webrtc_worker_t *wk, void *conf)
{
    note("init", conf);

    return (wk == &worker && !(fails && strcmp(conf, "b") == 0)) ? conf : NULL;
}


static void done(void *state) { note("done", state); }
static void tick(void *state) { note("tick", state); }
static void batch(void *state) { note("batch", state); }
static void writable(void *state) { note("writable", state); }


static void
news(void *state, ngx_webrtc_stream_t *st)
{
    note(st == (void *) called ? "news" : "other", state);
}


static void
on_stream(void *ctx, ngx_webrtc_stream_t *st)
{
    note(st == (void *) called ? "stream" : "other", ctx);
}


/* the inbox, the other binary and the port, after the roles */

void
ngx_webrtc_inbox_flush(ngx_webrtc_inbox_t *inbox)
{
    (void) inbox;

    note("inbox", "wk");
}


void
ngx_webrtc_twin_flush(ngx_webrtc_twin_t *twin)
{
    (void) twin;

    note("twin", "wk");
}


void
ngx_webrtc_udp_flush(ngx_webrtc_udp_t *udp)
{
    (void) udp;

    note("port", "wk");
}


static const ngx_webrtc_role_t  all = {
    .name = "all", .id = A,
    .init = init, .done = done, .tick = tick, .batch = batch, .news = news,
    .writable = writable
};

static const ngx_webrtc_role_t  least = {
    .name = "least", .id = B,
    .init = init, .done = done
};


static ngx_uint_t
was(const char *what)
{
    ngx_uint_t  same;

    same = (strcmp(called, what) == 0);

    if (!same) {
        tap_diag("called \"%s\", expected \"%s\"", called, what);
    }

    called[0] = '\0';

    return same;
}


int
main(void)
{
    /* in another order than that of their numbers */

    ngx_webrtc_role_conf_t  roles[] = {
        { &least, "b" }, { &all, "a" }, { NULL, NULL }
    };

    ngx_webrtc_role_conf_t  broken[] = {
        { &all, "a" }, { &least, "b" }, { NULL, NULL }
    };

    worker.log = &nolog;
    worker.conf.on_stream = on_stream;
    worker.conf.ctx = "http";

    tap_ok(ngx_webrtc_roles_find(&worker, A) == NULL, "no row at first");

    worker.conf.roles = roles;

    tap_ok(ngx_webrtc_roles_init(&worker) == NGX_OK, "roles begin");
    tap_ok(was("b:init a:init "), "in the order of the list");

    tap_ok(ngx_webrtc_roles_find(&worker, A) == &all
           && ngx_webrtc_roles_find(&worker, B) == &least,
           "a number finds its row");
    tap_ok(ngx_webrtc_roles_find(&worker, 0) == NULL
           && ngx_webrtc_roles_find(&worker, NGX_WEBRTC_PEER_ROLES) == NULL
           && ngx_webrtc_roles_find(&worker, 255) == NULL,
           "a number of no role finds none");

    ngx_webrtc_roles_tick(&worker);
    tap_ok(was("a:tick "), "housekeeping, where a row has it");

    ngx_webrtc_roles_news(&worker, (void *) called);
    tap_ok(was("a:news http:stream "), "news: roles, then who waits");

    ngx_webrtc_roles_writable(&worker);
    tap_ok(was("a:writable "), "the port takes data");

    ngx_webrtc_roles_batch(&worker);
    tap_ok(was("a:batch wk:inbox wk:twin wk:port "),
           "a batch: roles, then what they have put into the sockets");

    ngx_webrtc_roles_done(&worker);
    tap_ok(was("a:done b:done "), "roles end");

    ngx_webrtc_roles_done(&worker);
    tap_ok(was(""), "once");
    tap_ok(ngx_webrtc_roles_find(&worker, A) == NULL, "and have no row then");

    fails = 1;
    worker.conf.roles = broken;

    tap_ok(ngx_webrtc_roles_init(&worker) == NGX_ERROR, "one cannot begin");

    ngx_webrtc_roles_done(&worker);
    tap_ok(was("a:init b:init a:done "), "only what has begun is ended");

    return tap_done();
}
