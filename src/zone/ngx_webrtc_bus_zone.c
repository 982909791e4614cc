
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The zone: its layout, worker endpoints, the tables of streams and slots.
 * Streams are in ngx_webrtc_bus_streams.c.
 *
 *
 * Layout
 *
 * Everything is allocated from the zone's slab pool once, except for streams,
 * their rings and session slots, which come and go.  What has not been used yet
 * is not touched, so it takes no memory: the zone's size is a limit, and costs
 * nothing.  The zone is mapped before nginx forks, at one address in every
 * process, so pointers into it are good everywhere.  It survives a reload; a
 * reload that changes the module's binary brings another tag and so another
 * zone.
 *
 *
 * Crash safety
 *
 * A worker may be killed at any instruction, holding the slab's mutex or not;
 * the master forces the mutex open.  So stores are ordered such that the zone
 * is valid after each of them, and whatever a dead worker had begun names that
 * worker:
 *
 *   - An endpoint (pid, generation) is stored last when a worker attaches and
 *     cleared last when it is reaped: as long as anything in the zone names
 *     worker w, endpoint w is not given to another one.  A reaper that dies
 *     itself leaves the endpoint, and the next one begins anew; all its steps
 *     may be repeated.  One worker is reaped without releasing the mutex, so
 *     that a slow reaper cannot take the next owner of w for the dead one.
 *
 *   - An entry of a table (ngx_webrtc_bus_zone.h) becomes ALLOC, naming the
 *     worker, before anything is allocated for it, and FREE after everything
 *     has been given back; its pointer is stored when what it points to is
 *     zeroed, and cleared before that is freed.  So nothing is ever freed
 *     twice; the price is that a worker that is killed within those few
 *     instructions, or within the slab's own, leaks that one allocation.
 *     Free entries are found by scanning the table, as a list could break.
 *
 *   - The index is only trusted as far as the entry confirms it, and keys are
 *     recorded in a slot before they are added to the index.
 *
 *   - What one worker does with a stream (holds, watches, viewers) has a place
 *     per worker, which only that worker writes.  Sums are made when asked
 *     for, so none can drift.
 *
 *   - A claim is one word with worker and generation, changed by compare and
 *     swap.  It is valid while that worker lives.
 *
 *   - Tracks have two copies, of which a version word selects one; the holder
 *     of the claim fills the other one.  For the timeline and the ring, see
 *     there.
 *
 * The kernel tells whether a worker is alive: by its pid, and by the start time
 * of the process, as pids are reused.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus_zone.h"
#include "ngx_webrtc_bus_policy.h"


/* changes with the layout of what lives in the zone */
#define NGX_WEBRTC_BUS_LAYOUT                                                 \
    (((uint64_t) sizeof(ngx_webrtc_bus_sh_t) << 32                            \
      | (uint64_t) sizeof(ngx_webrtc_stream_t) << 8 | 24)                     \
     + ((uint64_t) (sizeof(ngx_webrtc_policy_t) + NGX_WEBRTC_CODEC_N) << 48))

/* ms between two lines of one kind; chosen */
#define NGX_WEBRTC_BUS_SAY          60000

/* bytes of zone per stream entry; chosen: a ring is no smaller */
#define NGX_WEBRTC_BUS_PER_STREAM   NGX_WEBRTC_RING_MIN_SIZE

/* bytes of zone per session slot; chosen: half of it may be slots */
#define NGX_WEBRTC_BUS_PER_PEER     4096

/* keys per session slot: id, ufrag, an address, and half of it free */
#define NGX_WEBRTC_BUS_KEYS         4

#define NGX_WEBRTC_BUS_MAX_STREAMS  65536
#define NGX_WEBRTC_BUS_MAX_PEERS    1048576


static ngx_int_t ngx_webrtc_bus_create_zone(ngx_webrtc_bus_t *bus,
    ngx_log_t *log);
static ngx_int_t ngx_webrtc_bus_random(u_char *p, size_t n, ngx_log_t *log);
static ngx_int_t ngx_webrtc_bus_create_table(ngx_slab_pool_t *shpool,
    ngx_webrtc_table_t *t, ngx_uint_t n);
static void *ngx_webrtc_bus_fresh(ngx_slab_pool_t *shpool, size_t size);
static uint64_t ngx_webrtc_bus_started(ngx_pid_t pid, ngx_uint_t *zombie);
static ngx_uint_t ngx_webrtc_bus_is_alive(ngx_webrtc_endpoint_t *wk,
    uint64_t id);
static void ngx_webrtc_bus_recount(ngx_webrtc_table_t *t);


ngx_webrtc_bus_t *
ngx_webrtc_bus_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    ngx_shm_zone_t    *zone;
    ngx_webrtc_bus_t  *bus;

    zone = ngx_shared_memory_add(cf, name, size, tag);
    if (zone == NULL) {
        return NULL;
    }

    if (zone->data) {
        return zone->data;
    }

    bus = ngx_pcalloc(cf->pool, sizeof(ngx_webrtc_bus_t));
    if (bus == NULL) {
        return NULL;
    }

    bus->zone = zone;
    bus->worker = NGX_WEBRTC_WORKER_NONE;
    bus->fd = (ngx_fd_t) -1;

    zone->init = ngx_webrtc_bus_init_zone;
    zone->data = bus;

    return bus;
}


ngx_int_t
ngx_webrtc_bus_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_webrtc_bus_t  *bus, *obus;

    bus = zone->data;
    obus = data;

    bus->zone = zone;
    bus->shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (obus) {
        bus->sh = obus->sh;

        /* without a master process this one may have attached already */

        bus->worker = obus->worker;
        bus->generation = obus->generation;
        bus->fd = obus->fd;
        bus->held = obus->held;

        return NGX_OK;
    }

    bus->worker = NGX_WEBRTC_WORKER_NONE;
    bus->fd = (ngx_fd_t) -1;
    bus->held = NULL;

    if (zone->shm.exists) {
        bus->sh = bus->shpool->data;

        if (bus->sh == NULL || bus->sh->layout != NGX_WEBRTC_BUS_LAYOUT) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "webrtc bus zone \"%V\" is of another version",
                          &zone->shm.name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_webrtc_bus_create_zone(bus, zone->shm.log) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "webrtc bus zone \"%V\" cannot be laid out in %uz bytes",
                      &zone->shm.name, zone->shm.size);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_bus_attach(ngx_webrtc_bus_t *bus, ngx_log_t *log)
{
    size_t                size;
    ngx_uint_t            w, zombie;
    ngx_webrtc_bus_sh_t  *sh;
    ngx_webrtc_endpoint_t  *wk;

    if (bus->worker != NGX_WEBRTC_WORKER_NONE) {
        return NGX_OK;
    }

    sh = bus->sh;

    size = sh->streams.n * sizeof(ngx_webrtc_stream_t *);

    bus->held = ngx_alloc(size, log);
    if (bus->held == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(bus->held, size);

    (void) ngx_webrtc_bus_reap(bus, log);

    ngx_shmtx_lock(&bus->shpool->mutex);

    for (w = 0; w < NGX_WEBRTC_WORKERS; w++) {
        wk = &sh->workers[w];

        if (wk->id) {
            continue;
        }

        sh->generation++;

        if (sh->nworkers <= w) {
            ngx_webrtc_atomic_store(&sh->nworkers, (uint32_t) w + 1);
        }

        ngx_memzero(ngx_webrtc_bus_news(sh, w), sh->nnews * sizeof(uint64_t));

        wk->started = ngx_webrtc_bus_started(ngx_pid, &zombie);
        wk->uid = geteuid();
        wk->rung = 0;
        wk->number = 0;
        ngx_memzero(wk->doors, sizeof(wk->doors));

        bus->generation = sh->generation;
        bus->worker = w;

        ngx_webrtc_atomic_store(&sh->seen[w], sh->epoch);

        ngx_webrtc_atomic_store_release(&wk->id,
                                        (uint64_t) (uint32_t) ngx_pid
                                        | (uint64_t) bus->generation << 32);

        ngx_shmtx_unlock(&bus->shpool->mutex);

        return NGX_OK;
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);

    ngx_free(bus->held);
    bus->held = NULL;

    ngx_log_error(NGX_LOG_ALERT, log, 0,
                  "webrtc bus has no endpoint left, workers:%d",
                  NGX_WEBRTC_WORKERS);

    return NGX_ERROR;
}


void
ngx_webrtc_bus_detach(ngx_webrtc_bus_t *bus)
{
    ngx_uint_t  w;

    w = bus->worker;

    if (w == NGX_WEBRTC_WORKER_NONE) {
        return;
    }

    ngx_webrtc_bus_reap_worker(bus, w, bus->sh->workers[w].id);

    ngx_free(bus->held);

    bus->held = NULL;
    bus->worker = NGX_WEBRTC_WORKER_NONE;
}


ngx_uint_t
ngx_webrtc_bus_reap(ngx_webrtc_bus_t *bus, ngx_log_t *log)
{
    uint64_t              id;
    ngx_uint_t            w, n;
    ngx_webrtc_endpoint_t  *wk;

    n = 0;

    for (w = 0; w < ngx_webrtc_atomic_load(&bus->sh->nworkers); w++) {
        wk = &bus->sh->workers[w];

        id = ngx_webrtc_atomic_load_acquire(&wk->id);

        if (id == 0
            || w == bus->worker
            || ngx_webrtc_bus_is_alive(wk, id))
        {
            continue;
        }

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "webrtc bus reaps worker:%ui pid:%P",
                      w, ngx_webrtc_endpoint_pid(id));

        ngx_webrtc_bus_reap_worker(bus, w, id);
        n++;
    }

    return n;
}


void
ngx_webrtc_bus_set_number(ngx_webrtc_bus_t *bus, ngx_uint_t number)
{
    ngx_webrtc_atomic_store(&bus->sh->workers[bus->worker].number,
                            (uint32_t) number + 1);
}


uint32_t
ngx_webrtc_bus_twin(ngx_webrtc_bus_t *bus, uint32_t pid)
{
    if (pid) {
        ngx_webrtc_atomic_store(&bus->sh->twin, pid);
        return pid;
    }

    return ngx_webrtc_atomic_load(&bus->sh->twin);
}


ngx_uint_t
ngx_webrtc_bus_successor(ngx_webrtc_bus_t *bus, ngx_uint_t *same)
{
    uint64_t                id;
    uint32_t                number, generation, youngest;
    ngx_uint_t              w, found;
    ngx_webrtc_bus_sh_t    *sh;

    sh = bus->sh;

    number = ngx_webrtc_atomic_load(&sh->workers[bus->worker].number);
    youngest = bus->generation;
    found = NGX_WEBRTC_WORKER_NONE;
    *same = 0;

    for (w = 0; w < ngx_webrtc_atomic_load(&sh->nworkers); w++) {
        id = ngx_webrtc_atomic_load_acquire(&sh->workers[w].id);

        if (id == 0) {
            continue;
        }

        generation = ngx_webrtc_endpoint_generation(id);

        if ((int32_t) (generation - bus->generation) <= 0) {
            continue;
        }

        if (ngx_webrtc_atomic_load(&sh->workers[w].number) == number) {
            *same = 1;
        }

        if ((int32_t) (generation - youngest) > 0) {
            youngest = generation;
            found = w;
        }
    }

    return found;
}


void
ngx_webrtc_bus_set_door(ngx_webrtc_bus_t *bus, ngx_uint_t n, uint32_t key,
    uint16_t port)
{
    ngx_webrtc_atomic_store(&bus->sh->workers[bus->worker].doors[n],
                            (uint64_t) key << 16 | port);
}


ngx_uint_t
ngx_webrtc_bus_doors(ngx_webrtc_bus_t *bus, uint32_t key, uint16_t *ports,
    ngx_uint_t max)
{
    uint64_t                word;
    ngx_uint_t              w, i, n;
    ngx_webrtc_endpoint_t  *wk;

    n = 0;

    for (w = 0; w < ngx_webrtc_atomic_load(&bus->sh->nworkers); w++) {
        wk = &bus->sh->workers[w];

        if (ngx_webrtc_atomic_load_acquire(&wk->id) == 0) {
            continue;
        }

        for (i = 0; i < NGX_WEBRTC_DOORS && n < max; i++) {
            word = ngx_webrtc_atomic_load(&wk->doors[i]);

            if ((word & 0xffff) && word >> 16 == key) {
                ports[n++] = (uint16_t) word;
            }
        }
    }

    return n;
}


ngx_pid_t
ngx_webrtc_bus_worker_pid(ngx_webrtc_bus_t *bus, ngx_uint_t worker)
{
    uint64_t  id;

    if (worker >= NGX_WEBRTC_WORKERS) {
        return 0;
    }

    id = ngx_webrtc_atomic_load_acquire(&bus->sh->workers[worker].id);

    return ngx_webrtc_endpoint_pid(id);
}


void
ngx_webrtc_bus_drop(ngx_webrtc_bus_t *bus, ngx_webrtc_drop_e reason)
{
    ngx_webrtc_atomic_add(&bus->sh->drops[reason], 1);
}


uint64_t
ngx_webrtc_bus_dropped(ngx_webrtc_bus_t *bus, ngx_webrtc_drop_e reason)
{
    return ngx_webrtc_atomic_load(&bus->sh->drops[reason]);
}


size_t
ngx_webrtc_bus_free(ngx_webrtc_bus_t *bus)
{
    return ngx_webrtc_atomic_load(&bus->shpool->pfree) * ngx_pagesize;
}


ngx_int_t
ngx_webrtc_table_alloc(ngx_webrtc_bus_t *bus, ngx_webrtc_table_t *t,
    size_t size, size_t zero)
{
    void                *p;
    uint32_t             i, n, generation;
    ngx_webrtc_entry_t  *e;

    bus->lack = (t == &bus->sh->streams) ? NGX_WEBRTC_LACK_STREAMS
                                         : NGX_WEBRTC_LACK_SLOTS;

    if (t->used >= t->n) {
        return -1;
    }

    for (i = 0; i < t->n; i++) {
        n = (t->rotor + i) % t->n;
        e = &t->entries[n];

        if (ngx_webrtc_entry_state(e->word) == NGX_WEBRTC_ENTRY_FREE) {
            goto found;
        }
    }

    return -1;

found:

    /* 0 is no generation, so that no reference is 0 */

    generation = ngx_webrtc_entry_generation(e->word) + 1;
    generation += (generation == 0);

    if (t->top <= n) {
        ngx_webrtc_atomic_store(&t->top, n + 1);
    }

    ngx_webrtc_atomic_store_release(&e->word,
                              ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_ALLOC,
                                                    bus->worker, generation));

    p = ngx_slab_alloc_locked(bus->shpool, size);

    if (p == NULL) {
        bus->lack = NGX_WEBRTC_LACK_MEMORY;
        ngx_webrtc_atomic_store_release(&e->word,
                              ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_FREE, 0,
                                                    generation));
        return -1;
    }

    ngx_memzero(p, zero);

    ngx_webrtc_atomic_store_release(&e->p, p);

    t->rotor = (n + 1) % t->n;
    ngx_webrtc_atomic_store(&t->used, t->used + 1);

    return (ngx_int_t) n;
}


void
ngx_webrtc_table_free(ngx_webrtc_bus_t *bus, ngx_webrtc_table_t *t,
    ngx_uint_t n)
{
    void                *p;
    ngx_webrtc_entry_t  *e;

    e = &t->entries[n];
    p = e->p;

    if (p) {
        ngx_webrtc_atomic_store_release(&e->p, NULL);
        ngx_slab_free_locked(bus->shpool, p);
    }

    if (t->used) {
        ngx_webrtc_atomic_store(&t->used, t->used - 1);
    }

    ngx_webrtc_atomic_store_release(&e->word,
                       ngx_webrtc_entry_word(NGX_WEBRTC_ENTRY_FREE, 0,
                                         ngx_webrtc_entry_generation(e->word)));
}


ngx_webrtc_entry_t *
ngx_webrtc_table_entry(ngx_webrtc_table_t *t, uint64_t ref, uint64_t *word)
{
    ngx_webrtc_entry_t  *e;

    if (ref == 0 || ngx_webrtc_ref_entry(ref) >= t->n) {
        return NULL;
    }

    e = &t->entries[ngx_webrtc_ref_entry(ref)];

    *word = ngx_webrtc_atomic_load_acquire(&e->word);

    if (ngx_webrtc_entry_generation(*word) != ngx_webrtc_ref_generation(ref)) {
        return NULL;
    }

    return e;
}


static ngx_int_t
ngx_webrtc_bus_create_zone(ngx_webrtc_bus_t *bus, ngx_log_t *log)
{
    void                 *p, *none;
    size_t                size;
    u_char                key[16];
    ngx_uint_t            nstreams, npeers;
    ngx_slab_pool_t      *shpool;
    ngx_webrtc_bus_sh_t  *sh;

    size = bus->zone->shm.size;
    shpool = bus->shpool;

    /* logged once, by whoever needed the memory */

    shpool->log_nomem = 0;

    if (size < NGX_WEBRTC_ZONE_MIN
        || ngx_webrtc_bus_random(key, sizeof(key), log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    nstreams = ngx_min(size / NGX_WEBRTC_BUS_PER_STREAM,
                       NGX_WEBRTC_BUS_MAX_STREAMS);
    nstreams = ngx_align(nstreams, 64);

    npeers = ngx_min(size / NGX_WEBRTC_BUS_PER_PEER, NGX_WEBRTC_BUS_MAX_PEERS);

    /* more than a page, so page-aligned: cache lines are as declared */

    sh = ngx_webrtc_bus_fresh(shpool, sizeof(ngx_webrtc_bus_sh_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    if (ngx_webrtc_bus_create_table(shpool, &sh->streams, nstreams) != NGX_OK
        || ngx_webrtc_bus_create_table(shpool, &sh->peers, npeers) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sh->nnews = (uint32_t) (nstreams / 64);

    sh->news = ngx_webrtc_bus_fresh(shpool, NGX_WEBRTC_WORKERS * sh->nnews
                                            * sizeof(uint64_t));
    p = ngx_webrtc_bus_fresh(shpool,
                         ngx_webrtc_index_size(npeers * NGX_WEBRTC_BUS_KEYS));
    none = ngx_webrtc_bus_fresh(shpool, NGX_WEBRTC_RING_NO_SIZE);

    if (sh->news == NULL || p == NULL || none == NULL) {
        return NGX_ERROR;
    }

    sh->none = ngx_webrtc_ring_init_empty(none);

    sh->index = ngx_webrtc_index_init(p, npeers * NGX_WEBRTC_BUS_KEYS, key);
    sh->token = ngx_webrtc_index_hash(sh->index, NGX_WEBRTC_KEY_TOKEN, "", 0);
    sh->layout = NGX_WEBRTC_BUS_LAYOUT;

    bus->sh = sh;
    shpool->data = sh;

    ngx_explicit_memzero(key, sizeof(key));

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_bus_random(u_char *p, size_t n, ngx_log_t *log)
{
    ssize_t   rc;
    ngx_fd_t  fd;

    fd = ngx_open_file((u_char *) "/dev/urandom", NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_file_n " \"/dev/urandom\" failed");
        return NGX_ERROR;
    }

    rc = ngx_read_fd(fd, p, n);

    if (rc != (ssize_t) n) {
        ngx_log_error(NGX_LOG_EMERG, log, (rc == -1) ? ngx_errno : 0,
                      ngx_read_fd_n " \"/dev/urandom\" failed");
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    (void) ngx_close_file(fd);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_bus_create_table(ngx_slab_pool_t *shpool, ngx_webrtc_table_t *t,
    ngx_uint_t n)
{
    t->n = (uint32_t) n;
    t->entries = ngx_webrtc_bus_fresh(shpool, n * sizeof(ngx_webrtc_entry_t));

    return t->entries ? NGX_OK : NGX_ERROR;
}


/*
 * Zeroed memory of a zone that is being made.  The kernel has zeroed it, and
 * writing zeros would make it resident; but with NGX_DEBUG_MALLOC nginx has
 * filled it with something else.
 */

static void *
ngx_webrtc_bus_fresh(ngx_slab_pool_t *shpool, size_t size)
{
    u_char  *p;

    p = ngx_slab_alloc(shpool, size);

    if (p && (p[0] || p[size - 1])) {
        ngx_memzero(p, size);
    }

    return p;
}


ngx_uint_t
ngx_webrtc_bus_say(uint64_t *said, uint64_t now_ms)
{
    uint64_t  last;

    last = ngx_webrtc_atomic_load(said);

    /* another worker's time may be ahead of our clock */

    if (last && (int64_t) (now_ms - last) < NGX_WEBRTC_BUS_SAY) {
        return 0;
    }

    return ngx_webrtc_atomic_cas(said, last, ngx_max(now_ms, 1));
}


/*
 * Start time of a process, proc(5), field 22 of /proc/pid/stat: since boot, in
 * clock ticks.  0 when the kernel does not tell.
 */

static uint64_t
ngx_webrtc_bus_started(ngx_pid_t pid, ngx_uint_t *zombie)
{
    u_char      *p, *last, name[sizeof("/proc//stat") + NGX_INT64_LEN];
    u_char       buf[1024];
    ssize_t      n;
    ngx_fd_t     fd;
    uint64_t     started;
    ngx_uint_t   field;

    *zombie = 0;

    (void) ngx_sprintf(name, "/proc/%P/stat%Z", pid);

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    if (n <= 0) {
        return 0;
    }

    last = buf + n;

    /* the second field is the name in parentheses and may hold anything */

    for (p = last; p > buf && p[-1] != ')'; p--) {
        /* void */
    }

    if (p == buf || last - p < 3) {
        return 0;
    }

    *zombie = (p[1] == 'Z' || p[1] == 'X');

    for (field = 2; field < 22; field++) {
        p = ngx_strlchr(p, last, ' ');

        if (p == NULL) {
            return 0;
        }

        p++;
    }

    started = 0;

    for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {
        started = started * 10 + (*p - '0');
    }

    return started;
}


static ngx_uint_t
ngx_webrtc_bus_is_alive(ngx_webrtc_endpoint_t *wk, uint64_t id)
{
    uint64_t    started;
    ngx_pid_t   pid;
    ngx_uint_t  zombie;

    pid = ngx_webrtc_endpoint_pid(id);

    /* our own pid, but not our endpoint: a dead worker had the same pid */

    if (pid == ngx_pid) {
        return 0;
    }

    if (kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
        return 0;
    }

    started = ngx_webrtc_bus_started(pid, &zombie);

    if (zombie || (started && wk->started && started != wk->started)) {
        return 0;
    }

    return 1;
}


void
ngx_webrtc_bus_reap_worker(ngx_webrtc_bus_t *bus, ngx_uint_t worker,
    uint64_t id)
{
    ngx_webrtc_bus_sh_t  *sh;

    sh = bus->sh;

    ngx_shmtx_lock(&bus->shpool->mutex);

    if (id && sh->workers[worker].id == id) {

        ngx_webrtc_peers_reap(bus, worker);
        ngx_webrtc_bus_outlet_reap(bus, worker);
        ngx_webrtc_bus_hls_reap(bus, worker);
        ngx_webrtc_bus_reap_streams(bus, worker);

        ngx_webrtc_bus_recount(&sh->streams);
        ngx_webrtc_bus_recount(&sh->peers);
        ngx_webrtc_peers_recount(bus);

        ngx_webrtc_atomic_store_release(&sh->workers[worker].id, 0);
    }

    ngx_shmtx_unlock(&bus->shpool->mutex);
}


static void
ngx_webrtc_bus_recount(ngx_webrtc_table_t *t)
{
    uint32_t  n, used;

    used = 0;

    for (n = 0; n < t->top; n++) {
        if (ngx_webrtc_entry_state(t->entries[n].word)
            != NGX_WEBRTC_ENTRY_FREE)
        {
            used++;
        }
    }

    ngx_webrtc_atomic_store(&t->used, used);
}
