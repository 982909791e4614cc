
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A hash table in the zone, looked up without a lock.
 *
 * Open addressing with linear steps.  An entry is removed by zeroing its
 * hash; no tombstones are needed, as a lookup does not stop at a free entry
 * but goes as far as any entry has ever been from its home ("reach", which
 * stays at a few steps while the table is at most half full).
 *
 * Crash safety: adding stores the value before the hash, removing zeroes the
 * hash; so every entry with a hash has its value.  A value is changed in place,
 * by one store.
 *
 * A reader loads hash, value and hash again.  Between the two loads of the hash
 * an entry can have been removed and set again for the same hash only, and then
 * either value is an answer.
 *
 * Keys are not kept.  Two keys with one 64-bit hash happen by chance once in
 * 2^64 pairs, and not on purpose, as SipHash's key is secret.  Even then
 * nothing breaks but the two keys: users compare what they find.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_atomic.h"
#include "ngx_webrtc_bus_index.h"


/* most steps from home; chosen: never reached while half of it is free */
#define NGX_WEBRTC_INDEX_REACH  256


#define ngx_webrtc_index_rotl(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static void ngx_webrtc_index_round(uint64_t v[4]);


size_t
ngx_webrtc_index_size(ngx_uint_t n)
{
    size_t  size;

    for (size = 16; size < n; size *= 2) {
        /* void */
    }

    return offsetof(ngx_webrtc_index_t, entries)
           + size * sizeof(ngx_webrtc_index_entry_t);
}


ngx_webrtc_index_t *
ngx_webrtc_index_init(void *mem, ngx_uint_t n, const u_char key[16])
{
    size_t               size;
    ngx_webrtc_index_t  *ix;

    size = ngx_webrtc_index_size(n);

    ix = mem;

    ngx_memcpy(ix->key, key, 16);

    ix->reach = 0;
    ix->mask = (uint32_t) ((size - offsetof(ngx_webrtc_index_t, entries))
                           / sizeof(ngx_webrtc_index_entry_t) - 1);

    return ix;
}


/* J.-P. Aumasson, D. J. Bernstein: SipHash: a fast short-input PRF (2012) */

uint64_t
ngx_webrtc_index_hash(ngx_webrtc_index_t *ix, uint8_t kind, const void *p,
    size_t n)
{
    size_t         i, len;
    uint64_t       v[4], m;
    const u_char  *c;

    c = p;
    len = n + 1;

    v[0] = ix->key[0] ^ 0x736f6d6570736575ULL;
    v[1] = ix->key[1] ^ 0x646f72616e646f6dULL;
    v[2] = ix->key[0] ^ 0x6c7967656e657261ULL;
    v[3] = ix->key[1] ^ 0x7465646279746573ULL;

    /* the kind is the message's first byte */

    m = kind;
    i = 1;

    for ( /* void */ ; n; n--) {
        m |= (uint64_t) *c++ << (8 * (i & 7));

        if ((++i & 7) == 0) {
            v[3] ^= m;
            ngx_webrtc_index_round(v);
            v[0] ^= m;
            m = 0;
        }
    }

    m |= (uint64_t) len << 56;

    v[3] ^= m;
    ngx_webrtc_index_round(v);
    v[0] ^= m;

    v[2] ^= 0xff;
    ngx_webrtc_index_round(v);
    ngx_webrtc_index_round(v);
    ngx_webrtc_index_round(v);

    m = v[0] ^ v[1] ^ v[2] ^ v[3];

    return m ? m : 1;
}


ngx_int_t
ngx_webrtc_index_set(ngx_webrtc_index_t *ix, uint64_t hash, uint64_t value)
{
    uint32_t                   i;
    ngx_webrtc_index_entry_t  *e, *room;

    room = NULL;

    for (i = 0; i < NGX_WEBRTC_INDEX_REACH && i <= ix->mask; i++) {

        if (i > ix->reach && room) {
            break;
        }

        e = &ix->entries[(hash + i) & ix->mask];

        if (e->hash == hash) {
            ngx_webrtc_atomic_store_release(&e->value, value);
            return NGX_OK;
        }

        if (e->hash != 0 || room) {
            continue;
        }

        room = e;

        if (i > ix->reach) {
            ngx_webrtc_atomic_store_release(&ix->reach, i);
        }
    }

    if (room == NULL) {
        return NGX_DECLINED;
    }

    ngx_webrtc_atomic_store(&room->value, value);
    ngx_webrtc_atomic_store_release(&room->hash, hash);

    return NGX_OK;
}


void
ngx_webrtc_index_remove(ngx_webrtc_index_t *ix, uint64_t hash, uint64_t value)
{
    uint32_t                   i;
    ngx_webrtc_index_entry_t  *e;

    for (i = 0; i <= ix->reach; i++) {
        e = &ix->entries[(hash + i) & ix->mask];

        if (e->hash == hash && e->value == value) {
            ngx_webrtc_atomic_store_release(&e->hash, 0);
            return;
        }
    }
}


uint64_t
ngx_webrtc_index_find(ngx_webrtc_index_t *ix, uint64_t hash)
{
    uint32_t                   i, reach;
    uint64_t                   value;
    ngx_webrtc_index_entry_t  *e;

    reach = ngx_webrtc_atomic_load_acquire(&ix->reach);

    for (i = 0; i <= reach; i++) {
        e = &ix->entries[(hash + i) & ix->mask];

        if (ngx_webrtc_atomic_load_acquire(&e->hash) != hash) {
            continue;
        }

        value = ngx_webrtc_atomic_load_acquire(&e->value);

        if (ngx_webrtc_atomic_load(&e->hash) == hash) {
            return value;
        }
    }

    return 0;
}


static void
ngx_webrtc_index_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ngx_webrtc_index_rotl(v[1], 13);
    v[1] ^= v[0];
    v[0] = ngx_webrtc_index_rotl(v[0], 32);

    v[2] += v[3];
    v[3] = ngx_webrtc_index_rotl(v[3], 16);
    v[3] ^= v[2];

    v[0] += v[3];
    v[3] = ngx_webrtc_index_rotl(v[3], 21);
    v[3] ^= v[0];

    v[2] += v[1];
    v[1] = ngx_webrtc_index_rotl(v[1], 17);
    v[1] ^= v[2];
    v[2] = ngx_webrtc_index_rotl(v[2], 32);
}
