
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variants in the zone: found by parent and by how they are made alone, never
 * without their parent, and what is left of them when a worker dies.
 */


#include "bus_zone.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_bus_zone.h"


#define ZONE  (8 * 1024 * 1024)
#define RING  (512 * 1024)


static ngx_webrtc_stream_t *
stream(ngx_webrtc_bus_t *bus, const char *name, ngx_uint_t create)
{
    ngx_str_t  v;

    v.data = (u_char *) name;
    v.len = strlen(name);

    return ngx_webrtc_bus_stream(bus, &v, RING, create);
}


static ngx_webrtc_stream_t *
variant(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *parent, const char *label,
    uint32_t bitrate)
{
    ngx_webrtc_variant_t  v;

    ngx_memzero(&v, sizeof(ngx_webrtc_variant_t));

    v.codec = NGX_WEBRTC_CODEC_VP8;
    v.bitrate = bitrate;
    v.label_len = (uint8_t) strlen(label);
    ngx_memcpy(v.label, label, v.label_len);

    return ngx_webrtc_bus_variant(bus, parent, &v, 1000, RING, RING);
}


static void
test_names(void)
{
    ngx_uint_t             cursor, variants, others;
    ngx_webrtc_bus_t      *bus;
    ngx_webrtc_stream_t   *st, *other, *v, *w;

    static ngx_webrtc_stream_info_t  info;

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    st = stream(bus, "cam", 1);
    other = stream(bus, "cam2", 1);

    v = variant(bus, st, "vp8", 0);
    tap_ok(v != NULL && v != st, "a variant");
    tap_ok(v->parent == st->ref && ngx_webrtc_bus_parent(bus, v) == st,
           "it knows its parent");
    tap_ok(ngx_webrtc_bus_parent(bus, st) == NULL, "which has none");
    tap_ok(v->name_len == 3 && memcmp(v->name, "cam", 3) == 0,
           "its name is its parent's");

    tap_ok(variant(bus, st, "vp8", 0) == v, "found by its label");
    tap_ok(variant(bus, st, "vp9", 0) != v, "another label, another variant");
    tap_ok(variant(bus, other, "vp8", 0) != v, "another parent, too");
    tap_ok(variant(bus, v, "h264", 0) == NULL, "a variant has none");
    tap_ok(variant(bus, st, "", 0) == NULL, "none without a label");

    tap_ok(stream(bus, "cam", 0) == st, "the name leads to the parent");
    tap_ok(stream(bus, "vp8", 0) == NULL, "the label leads nowhere");
    tap_ok(stream(bus, "cam\x1fvp8", 0) == NULL, "nor do both");

    w = stream(bus, "cam\x1fvp8", 1);
    tap_ok(w != NULL && w != v && w->parent == 0,
           "such a name is a stream of its own");

    w = variant(bus, st, "vp8", 500000);
    tap_ok(w != NULL && w != v, "one of the same label in another rate is"
           " another variant");
    tap_ok(w->variant.bitrate == 500000 && v->variant.bitrate == 0,
           "each is made as was said");
    tap_ok(variant(bus, st, "vp8", 500000) == w
           && variant(bus, st, "vp8", 0) == v, "and found again");

    variants = others = cursor = 0;

    while (ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {

        if (info.parent == st->ref) {
            variants++;

        } else if (info.parent == 0) {
            others++;
        }
    }

    tap_is_int(variants, 3, "listed with their parent");
    tap_is_int(others, 3, "beside streams");

    tap_ok(!ngx_webrtc_bus_may_ask(v), "nobody makes it");
    tap_is_int(ngx_webrtc_bus_claim(bus, v, NGX_WEBRTC_CLAIM_VARIANT), NGX_OK,
               "somebody does");
    tap_ok(ngx_webrtc_bus_may_ask(v), "and can be asked for a key frame");
    ngx_webrtc_bus_unclaim(bus, v);

    ngx_webrtc_bus_detach(bus);
}


static void
test_holds(void)
{
    size_t                before;
    uint64_t              ref, vref;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st, *v;

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    (void) stream(bus, "first", 1);
    before = ngx_webrtc_bus_free(bus);

    st = stream(bus, "cam", 1);
    ref = st->ref;
    v = variant(bus, st, "vp8", 0);
    vref = v->ref;

    tap_is_int(st->use[0].holds, 2, "a variant holds its parent");

    (void) variant(bus, st, "vp8", 0);
    tap_is_int(st->use[0].holds, 2, "once");

    ngx_webrtc_bus_release(bus, st);
    tap_ok(stream(bus, "cam", 0) == st, "the parent stays with its variant");
    ngx_webrtc_bus_release(bus, st);

    ngx_webrtc_bus_release(bus, v);
    tap_ok(ngx_webrtc_bus_stream_ref(bus, vref) == v, "held twice");
    ngx_webrtc_bus_release(bus, v);

    (void) ngx_webrtc_bus_claim(bus, v, NGX_WEBRTC_CLAIM_VARIANT);
    ngx_webrtc_bus_unclaim(bus, v);

    ngx_webrtc_bus_release(bus, v);
    tap_ok(ngx_webrtc_bus_stream_ref(bus, vref) == NULL, "it is gone");
    tap_ok(ngx_webrtc_bus_stream_ref(bus, ref) == NULL, "so is its parent");
    tap_is_int(ngx_webrtc_bus_free(bus), before, "and their memory");

    st = stream(bus, "cam", 1);
    v = variant(bus, st, "vp8", 0);
    tap_ok(v->ref != vref && v->parent == st->ref, "and made again");

    ngx_webrtc_bus_release(bus, v);
    tap_ok(stream(bus, "cam", 0) == st, "without it the parent stays");

    ngx_webrtc_bus_detach(bus);
}


/* the worker that makes a variant dies; another has its viewers */

static void
test_death(void)
{
    int                   pipefd[2];
    char                  c;
    pid_t                 pid;
    ngx_uint_t            cursor;
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st, *v, *orphan;

    bus = bus_zone(ZONE);
    (void) ngx_webrtc_bus_attach(bus, &bus_log);

    if (pipe(pipefd) == -1) {
        return;
    }

    pid = fork();

    if (pid == 0) {
        bus_process();
        bus->worker = NGX_WEBRTC_WORKER_NONE;
        (void) ngx_webrtc_bus_attach(bus, &bus_log);

        st = stream(bus, "cam", 1);
        v = variant(bus, st, "vp8", 0);

        (void) ngx_webrtc_bus_claim(bus, v, NGX_WEBRTC_CLAIM_VARIANT);
        ngx_webrtc_bus_set_state(bus, v, NGX_WEBRTC_STREAM_ACTIVE, 1);
        ngx_webrtc_bus_reader(bus, st, 1);

        (void) !write(pipefd[1], "x", 1);
        pause();
        _exit(0);
    }

    (void) !read(pipefd[0], &c, 1);

    st = stream(bus, "cam", 0);
    v = variant(bus, st, "vp8", 0);
    ngx_webrtc_bus_release(bus, st);

    tap_is_int(ngx_webrtc_bus_readers(bus, st), 1, "the parent is read");

    ngx_webrtc_bus_viewer(bus, v, 1);

    cursor = 0;
    tap_ok(ngx_webrtc_bus_variant_orphan(bus, &cursor, 1) == NULL,
           "it is being made");

    kill(pid, SIGKILL);
    (void) bus_wait(bus, pid);

    tap_is_int(ngx_webrtc_bus_reap(bus, &bus_log), 1, "its worker dies");
    tap_is_int(ngx_webrtc_bus_readers(bus, st), 0, "nobody reads the parent");
    tap_ok(stream(bus, "cam", 0) == st, "which stays with its variant");
    ngx_webrtc_bus_release(bus, st);

    cursor = 0;
    orphan = ngx_webrtc_bus_variant_orphan(bus, &cursor, 1);
    tap_ok(orphan == v, "it is to be made by another");
    tap_ok(ngx_webrtc_bus_variant_orphan(bus, &cursor, 1) == NULL,
           "the only one");
    ngx_webrtc_bus_release(bus, v);

    ngx_webrtc_bus_viewer(bus, v, -1);

    cursor = 0;
    tap_ok(ngx_webrtc_bus_variant_orphan(bus, &cursor, 1) == NULL,
           "not without viewers");

    ngx_webrtc_atomic_store(&v->wanted_ms, (uint64_t) 10);

    cursor = 0;
    tap_ok(ngx_webrtc_bus_variant_orphan(bus, &cursor, 1) == v,
           "but if one waits");
    ngx_webrtc_bus_release(bus, v);

    ngx_webrtc_bus_release(bus, v);
    tap_ok(stream(bus, "cam", 0) == NULL, "all are gone");

    ngx_webrtc_bus_detach(bus);
}


int
main(void)
{
    test_names();
    test_holds();
    test_death();

    return tap_done();
}
