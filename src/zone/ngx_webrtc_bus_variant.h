
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variants in the registry of streams: a stream whose video is that of another
 * one, its parent, encoded anew, or as its publisher has encoded it besides
 * (ngx_webrtc_variant.h).
 *
 *   - It is found by its parent's reference and by how it is made, never by a
 *     name: its key is of a kind of its own, so no name from outside leads to
 *     it.  Its "name" is its parent's, for logs.
 *   - Whoever holds it holds its parent: that is not freed, nor another stream
 *     made under its name, before all its variants are gone.
 *   - How it is made is in the zone, so that any worker can, and stays as it
 *     is: locations that have another rendition under the same name have
 *     another variant.
 *   - It has no variants itself.
 */


#ifndef _NGX_WEBRTC_BUS_VARIANT_H_INCLUDED_
#define _NGX_WEBRTC_BUS_VARIANT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Finds or creates a variant and holds it once: paired with
 * ngx_webrtc_bus_release().
 *
 *   parent     held
 *   variant    copied; label_len > 0, the label's rest is zeros
 *   idle_ms    it is made for this long after its last viewer
 *   ring_size  as for ngx_webrtc_bus_stream()
 *   ring_max   and how large its ring may grow
 *
 * NULL: the zone is full, or there are bus->max_variants (bus->lack), or parent
 * is itself a variant
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_variant(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *parent, ngx_webrtc_variant_t *variant,
    uint32_t idle_ms, size_t ring_size, size_t ring_max);

/*
 * The same, but finds only.  NULL: there is no such variant.
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_variant_find(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *parent, const ngx_webrtc_variant_t *variant);

/*
 * The parent of a variant that this worker holds; good as long as that is held.
 * NULL: st is no variant.
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_parent(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);

/*
 * The label of a variant by reference, as in a session slot.
 *
 *   buf   room for NGX_WEBRTC_VARIANT_LABEL bytes
 *
 * Returns its bytes; 0: it is gone, or no variant.
 */
size_t ngx_webrtc_bus_variant_label(ngx_webrtc_bus_t *bus, uint64_t ref,
    u_char *buf);

/*
 * The next variant to encode that nobody makes, though it has viewers or
 * somebody waits for it.
 *
 *   cursor   0 at first, advanced here
 *   now_ms   ngx_current_msec
 *
 * It is held, paired with ngx_webrtc_bus_release(); NULL: there are no more
 */
ngx_webrtc_stream_t *ngx_webrtc_bus_variant_orphan(ngx_webrtc_bus_t *bus,
    ngx_uint_t *cursor, uint64_t now_ms);

/*
 * A viewer's path carries no more than that: its video gets that bitrate at
 * most, until nobody has said so for a while.  It has one encode for all.
 *
 *   st        held, a variant
 *   bitrate   bit/s, not 0
 */
void ngx_webrtc_bus_variant_limit(ngx_webrtc_stream_t *st, uint32_t bitrate);

/* A viewer waits for a stream, or may connect, until then. */
void ngx_webrtc_bus_want(ngx_webrtc_stream_t *st, uint64_t until_ms);

/* Is a viewer waiting for a stream, or may one that was answered connect? */
ngx_uint_t ngx_webrtc_bus_is_wanted(ngx_webrtc_stream_t *st, uint64_t now_ms);


/*
 * Adds (1) or removes (-1) a reader of this worker: something besides viewers
 * that needs the stream, and keeps its source on as they do.
 */
void ngx_webrtc_bus_reader(ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
    ngx_int_t n);

/* Readers in all workers. */
ngx_uint_t ngx_webrtc_bus_readers(ngx_webrtc_bus_t *bus,
    ngx_webrtc_stream_t *st);


#endif /* _NGX_WEBRTC_BUS_VARIANT_H_INCLUDED_ */
