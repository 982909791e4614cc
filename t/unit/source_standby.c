
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Sources with two upstreams, of which the second one plays: what looks for
 * the first one meanwhile, in a resolver that does not answer and with an
 * upstream that does not stay.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>

#include "source_server.h"
#include "tap.h"

#include "ngx_webrtc_source_standby.h"


/* of the host below: not known, no answer for the one who asks first, none for
 * all but him, known */

typedef enum {
    GONE = 0,
    HELD,
    DEAD,
    THERE
} name_e;


/* NGX_WEBRTC_SOURCE_STANDBY_ALONE */
#define ALONE  8


static pthread_mutex_t  name_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t   name_cond = PTHREAD_COND_INITIALIZER;
static name_e           name_state;
static ngx_uint_t       name_held;     /* who waits for an answer */
static ngx_uint_t       name_gone;     /* DEAD: but for one */


/* libavformat's, too */

int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    name_e  state;

    static int (*next)(const char *, const char *, const struct addrinfo *,
                       struct addrinfo **);

    pthread_mutex_lock(&name_mutex);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "getaddrinfo");
    }

    state = THERE;

    if (node && strcmp(node, "name.invalid") == 0) {
        node = "127.0.0.1";

        if (name_state == DEAD && name_gone) {
            name_gone = 0;
            state = GONE;

        } else if (name_state == DEAD
                   || (name_state == HELD && name_held == 0))
        {
            name_held++;
            pthread_cond_broadcast(&name_cond);

            while (name_state == HELD || name_state == DEAD) {
                pthread_cond_wait(&name_cond, &name_mutex);
            }

            name_held--;
            state = name_state;

        } else {
            state = name_state;
        }
    }

    pthread_mutex_unlock(&name_mutex);

    return state == THERE ? next(node, service, hints, res) : EAI_NONAME;
}


static void
name_set(name_e state)
{
    pthread_mutex_lock(&name_mutex);
    name_state = state;
    pthread_cond_broadcast(&name_cond);
    pthread_mutex_unlock(&name_mutex);
}


static void
name_dead(void)
{
    pthread_mutex_lock(&name_mutex);
    name_state = DEAD;
    name_gone = 1;
    pthread_mutex_unlock(&name_mutex);
}


/* so many wait for an answer; 0: not within 20 s */

static int
name_asked(ngx_uint_t n)
{
    int              held;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += 20;

    pthread_mutex_lock(&name_mutex);

    while (name_held < n) {
        if (pthread_cond_timedwait(&name_cond, &name_mutex, &ts) != 0) {
            break;
        }
    }

    held = (name_held >= n);

    pthread_mutex_unlock(&name_mutex);

    return held;
}


static ngx_uint_t
threads(void)
{
    DIR            *d;
    ngx_uint_t      n;
    struct dirent  *e;

    d = opendir("/proc/self/task");
    n = 0;

    while (d && (e = readdir(d)) != NULL) {
        n += (e->d_name[0] != '.');
    }

    closedir(d);

    return n;
}


/* both of them, in this order; the first one by its name */

static void
two(harness_t *h, server_t *first, server_t *second, const char *host)
{
    char                             urls[2][64];
    ngx_str_t                        s;
    ngx_uint_t                       i;
    ngx_webrtc_source_from_t         from[2];
    ngx_webrtc_source_thread_conf_t  conf;

    snprintf(urls[0], sizeof(urls[0]), "tcp://%s:%d", host, first->port);
    snprintf(urls[1], sizeof(urls[1]), "tcp://127.0.0.1:%d", second->port);

    ngx_memzero(from, sizeof(from));
    ngx_memzero(&conf, sizeof(ngx_webrtc_source_thread_conf_t));

    for (i = 0; i < 2; i++) {
        s.data = (u_char *) urls[i];
        s.len = strlen(urls[i]);
        from[i].url = urls[i];
        from[i].scheme = ngx_webrtc_source_url_scheme(&s);
    }

    conf.from = from;
    conf.nfrom = 2;

    harness_init(h, urls[1], &conf);
    harness_start(h);
}


static int
servers(server_t *first, server_t *second)
{
    ngx_memzero(first, sizeof(server_t));
    ngx_memzero(second, sizeof(server_t));

    first->live_ms = second->live_ms = 4000;
    first->rounds = second->rounds = 100;
    first->flags = second->flags = 5;

    if (!server_start(first, "av.flv")) {
        tap_fail("server");
        return 0;
    }

    if (!server_start(second, "av.flv")) {
        server_stop(first);
        tap_fail("server");
        return 0;
    }

    return 1;
}


/*
 * The name of the first one is being asked for when the second one is lost.
 * Viewers hear of that at once, and what comes next is tried.  When there is
 * an answer, late, the first one is looked for as ever.
 */

static void
test_lost(void)
{
    server_t   first, second;
    harness_t  h;

    if (!servers(&first, &second)) {
        return;
    }

    name_set(GONE);
    two(&h, &first, &second, "name.invalid");

    tap_ok(harness_wait(&h, &h.ups, 1, 20000), "lost: the second one is up");
    tap_is_int(h.up.from, 1, "lost: it is that");

    name_set(HELD);

    tap_ok(name_asked(1), "lost: the name of the first one is asked for");

    ngx_webrtc_atomic_store(&second.drop, 1);

    tap_ok(harness_wait(&h, &h.downs, 1, 10000), "lost: down is told");
    tap_ok(harness_wait(&h, &h.ups, 2, 20000), "lost: the next one is up");
    tap_is_int(name_held, 1, "lost: there is no answer still");
    tap_is_int(ngx_webrtc_atomic_load(&first.served), 0,
               "lost: the first one was not found");

    name_set(THERE);

    tap_ok(harness_wait(&h, &h.ups, 3, 20000), "lost: there is an answer");

    pthread_mutex_lock(&h.mutex);
    tap_is_int(h.up.from, 0, "lost: the first one is up");
    tap_is_int(h.downs, 1, "lost: the stream was not down for that");
    pthread_mutex_unlock(&h.mutex);

    (void) harness_stop(&h);

    harness_free(&h);
    server_stop(&first);
    server_stop(&second);
}


/* the source is stopped meanwhile: who waits for the answer is left alone */

static void
test_stopped(void)
{
    server_t    first, second;
    harness_t   h;
    ngx_int_t   rc;
    ngx_uint_t  i, n, left;

    if (!servers(&first, &second)) {
        return;
    }

    n = threads();
    left = ngx_webrtc_source_standby_left();

    name_set(GONE);
    two(&h, &first, &second, "name.invalid");

    tap_ok(harness_wait(&h, &h.ups, 1, 20000), "stopped: the second one is up");

    name_set(HELD);

    tap_ok(name_asked(1), "stopped: the name of the first one is asked for");

    ngx_webrtc_source_thread_stop(h.th);
    rc = ngx_webrtc_source_thread_join(h.th, 10000);

    tap_is_int(rc, NGX_OK, "stopped: it ends");
    tap_is_int(name_held, 1, "stopped: there is no answer still");

    if (rc == NGX_OK) {
        tap_is_int(ngx_webrtc_source_standby_left(), left + 1,
                   "stopped: somebody is left");
        harness_free(&h);
    }

    /* what it would touch of the source's is gone */

    name_set(THERE);

    if (rc != NGX_OK) {
        (void) harness_stop(&h);
        harness_free(&h);
    }

    for (i = 0; i < 2000 && threads() > n; i++) {
        usleep(10000);
    }

    tap_is_int(threads(), n, "stopped: with an answer it ends, too");

    server_stop(&first);
    server_stop(&second);
}


/*
 * Sources come and go while the resolver hangs: each leaves somebody who asks
 * it, up to a number.  When there is an answer the next ones look again.
 */

static void
test_many(void)
{
    server_t    first, second;
    harness_t   h;
    ngx_uint_t  i, n, held;

    if (!servers(&first, &second)) {
        return;
    }

    n = threads();

    for (i = 0; i < ALONE; i++) {

        name_dead();
        two(&h, &first, &second, "name.invalid");

        tap_ok(harness_wait(&h, &h.ups, 1, 20000), "many: the second is up");
        tap_ok(name_asked(i + 1), "many: the name of the first is asked for");

        (void) harness_stop(&h);
        harness_free(&h);
    }

    name_dead();
    two(&h, &first, &second, "name.invalid");

    tap_ok(harness_wait(&h, &h.ups, 1, 20000), "many: one more is up");

    for (i = 0, held = ALONE; i < 100 && held <= ALONE; i++) {
        usleep(10000);

        pthread_mutex_lock(&name_mutex);
        held = name_held;
        pthread_mutex_unlock(&name_mutex);
    }

    tap_is_int(held, ALONE, "many: it does not ask");

    name_set(THERE);

    tap_ok(harness_wait(&h, &h.ups, 2, 20000), "many: with an answer it does");

    pthread_mutex_lock(&h.mutex);
    tap_is_int(h.up.from, 0, "many: the first is up");
    pthread_mutex_unlock(&h.mutex);

    (void) harness_stop(&h);
    harness_free(&h);

    for (i = 0; i < 2000 && threads() > n; i++) {
        usleep(10000);
    }

    tap_is_int(threads(), n, "many: nobody is left");

    server_stop(&first);
    server_stop(&second);
}


/*
 * The first one accepts, sends a key frame and closes.  Each time it is left
 * alone for twice as long, beginning with 20 ms.
 */

static void
test_flaps(void)
{
    server_t    first, second;
    harness_t   h;
    ngx_uint_t  i;

    if (!servers(&first, &second)) {
        return;
    }

    first.live_ms = 300;
    first.burst_ms = 300;

    two(&h, &first, &second, "127.0.0.1");

    for (i = 0; i < 3000 && ngx_webrtc_atomic_load(&first.served) < 7; i++) {
        usleep(10000);
    }

    (void) harness_stop(&h);

    tap_ok(first.served >= 7, "flaps: it is looked for again");
    tap_ok(first.at_us[6] - first.at_us[5] >= 640 * 1000,
           "flaps: after %d ms the last time",
           (int) (first.at_us[6] - first.at_us[5]) / 1000);
    tap_ok(h.ups >= 12, "flaps: each of them was up, %d times",
           (int) h.ups);

    harness_free(&h);
    server_stop(&first);
    server_stop(&second);
}


int
main(void)
{
    char  cmd[1024];

    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        return tap_skip_all("no ffmpeg");
    }

    if (mkdtemp(dir) == NULL) {
        return tap_skip_all("no directory");
    }

    snprintf(cmd, sizeof(cmd), "cd %s && ffmpeg -nostdin -v error -y "
             "-f lavfi -i testsrc2=size=160x120:rate=30:duration=4 "
             "-f lavfi -i sine=frequency=440:sample_rate=44100:duration=4 "
             "-c:v libx264 -preset ultrafast -g 30 -bf 0 -c:a aac av.flv ",
             dir);

    if (system(cmd) != 0) {
        return tap_skip_all("no libx264");
    }

    test_lost();
    test_stopped();
    test_many();
    test_flaps();

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    (void) !system(cmd);

    return tap_done();
}
