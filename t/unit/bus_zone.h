
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * For the tests of src/zone: a zone as nginx makes it (ngx_init_zone_pool()),
 * what nginx does for a dead worker, and stand-ins for the few functions of
 * nginx' event core that the inbox calls.  Included once per program.
 */


#ifndef _BUS_ZONE_H_INCLUDED_
#define _BUS_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <poll.h>
#include "ngx_webrtc_bus.h"
#include "tap.h"


#define BUS_UNUSED  __attribute__((unused))

/* give way to those of t/lib/ngx_stubs.c, should it have them */
#define BUS_WEAK    __attribute__((weak))


static ngx_log_t          bus_log;
static ngx_cycle_t        bus_cycle;
static ngx_connection_t   bus_connection;
static ngx_event_t        bus_read_event;
static ngx_event_t        bus_write_event;

ngx_event_actions_t       ngx_event_actions  BUS_WEAK;

/* of connections that nobody opens in these tests */

ngx_queue_t               ngx_posted_events  BUS_WEAK;
ngx_os_io_t               ngx_io  BUS_WEAK;

static ngx_atomic_t       bus_active;
ngx_atomic_t             *ngx_stat_active  BUS_WEAK = &bus_active;


BUS_WEAK ngx_int_t
ngx_handle_read_event(ngx_event_t *ev, ngx_uint_t flags)
{
    (void) ev; (void) flags;

    return NGX_OK;
}


BUS_WEAK ngx_int_t
ngx_handle_write_event(ngx_event_t *ev, size_t lowat)
{
    (void) ev; (void) lowat;

    return NGX_OK;
}


BUS_WEAK void
ngx_reusable_connection(ngx_connection_t *c, ngx_uint_t reusable)
{
    c->reusable = reusable ? 1 : 0;
}


BUS_WEAK ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    (void) cf; (void) name; (void) size; (void) tag;

    return NULL;
}


BUS_WEAK ngx_connection_t *
ngx_get_connection(ngx_socket_t s, ngx_log_t *log)
{
    ngx_memzero(&bus_connection, sizeof(bus_connection));
    ngx_memzero(&bus_read_event, sizeof(bus_read_event));
    ngx_memzero(&bus_write_event, sizeof(bus_write_event));

    bus_connection.fd = s;
    bus_connection.log = log;
    bus_connection.read = &bus_read_event;
    bus_connection.write = &bus_write_event;
    bus_read_event.data = &bus_connection;
    bus_write_event.data = &bus_connection;

    return &bus_connection;
}


BUS_WEAK void
ngx_close_connection(ngx_connection_t *c)
{
    close(c->fd);
    c->fd = -1;
}


BUS_WEAK void
ngx_debug_point(void)
{
    abort();
}


BUS_WEAK int
ngx_nonblocking(ngx_socket_t s)
{
    return fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK);
}


static ngx_int_t
bus_add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    (void) ev; (void) event; (void) flags;

    return NGX_OK;
}


/* once per process: after fork() too */

static BUS_UNUSED void
bus_process(void)
{
    ngx_pid = getpid();
    ngx_cycle = &bus_cycle;
    ngx_ncpu = 2;
    bus_cycle.log = &bus_log;
    bus_log.log_level = NGX_LOG_WARN;
    ngx_event_actions.add = bus_add_event;

    if (bus_cycle.pool == NULL) {
        ngx_pagesize = getpagesize();
        ngx_pagesize_shift = 0;

        while ((1u << ngx_pagesize_shift) < ngx_pagesize) {
            ngx_pagesize_shift++;
        }

        ngx_slab_sizes_init();
        bus_cycle.pool = ngx_create_pool(4096, &bus_log);
    }
}


/* a zone that children of this process share; NULL when init refused */

static BUS_UNUSED ngx_webrtc_bus_t *
bus_zone(size_t size)
{
    ngx_shm_zone_t    *zone;
    ngx_slab_pool_t   *sp;
    ngx_webrtc_bus_t  *bus;

    bus_process();

    zone = ngx_pcalloc(bus_cycle.pool, sizeof(ngx_shm_zone_t));
    bus = ngx_pcalloc(bus_cycle.pool, sizeof(ngx_webrtc_bus_t));

    zone->shm.size = size;
    zone->shm.log = &bus_log;
    ngx_str_set(&zone->shm.name, "test");
    zone->data = bus;

    zone->shm.addr = mmap(NULL, size, PROT_READ|PROT_WRITE,
                          MAP_ANON|MAP_SHARED, -1, 0);

    if (zone->shm.addr == MAP_FAILED) {
        return NULL;
    }

    sp = (ngx_slab_pool_t *) zone->shm.addr;

    sp->end = zone->shm.addr + size;
    sp->min_shift = 3;
    sp->addr = zone->shm.addr;

    if (ngx_shmtx_create(&sp->mutex, &sp->lock, NULL) != NGX_OK) {
        return NULL;
    }

    ngx_slab_init(sp);

    return (ngx_webrtc_bus_init_zone(zone, NULL) == NGX_OK) ? bus : NULL;
}


/* waits for a child and does what nginx' master does then */

static BUS_UNUSED int
bus_wait(ngx_webrtc_bus_t *bus, pid_t pid)
{
    int  status;

    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
        /* void */
    }

    (void) ngx_shmtx_force_unlock(&bus->shpool->mutex, pid);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}


#endif /* _BUS_ZONE_H_INCLUDED_ */
