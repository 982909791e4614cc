
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A table in the zone from keys (names, ids, ufrags, addresses) to 64-bit
 * values.  Lookups take no lock, changes need the zone's mutex.  The table
 * keeps 64-bit hashes under a secret key instead of the keys: a hit is a hint
 * that the caller verifies, a miss is final.
 */


#ifndef _NGX_WEBRTC_BUS_INDEX_H_INCLUDED_
#define _NGX_WEBRTC_BUS_INDEX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t                 hash;        /* 0: nothing here */
    uint64_t                 value;
} ngx_webrtc_index_entry_t;


typedef struct {
    uint64_t                 key[2];      /* of SipHash */
    uint32_t                 mask;        /* of entries */
    uint32_t                 reach;       /* most steps from an entry's home */
    uint64_t                 pad;         /* entries do not straddle lines */
    ngx_webrtc_index_entry_t entries[1];  /* mask + 1 */
} ngx_webrtc_index_t;


/* bytes for an index of at least n entries */
size_t ngx_webrtc_index_size(ngx_uint_t n);

/*
 * Makes an empty index.
 *
 *   mem    ngx_webrtc_index_size(n) bytes, aligned to 8, zeroed by the caller:
 *          unused entries are not touched
 *   key    secret and random, 16 bytes
 */
ngx_webrtc_index_t *ngx_webrtc_index_init(void *mem, ngx_uint_t n,
    const u_char key[16]);

/*
 * SipHash-1-3 of a key, never 0.
 *
 *   kind   keeps names, ids and so on apart
 */
uint64_t ngx_webrtc_index_hash(ngx_webrtc_index_t *ix, uint8_t kind,
    const void *p, size_t n);

/*
 * Sets the value of a hash, with the mutex held.  One hash has one value, the
 * newest: a client may come back from the address of its last session.
 *
 *   value  not 0
 *
 * NGX_OK; NGX_DECLINED when there is no room nearby
 */
ngx_int_t ngx_webrtc_index_set(ngx_webrtc_index_t *ix, uint64_t hash,
    uint64_t value);

/* Removes the hash if its value is this one, with the mutex held. */
void ngx_webrtc_index_remove(ngx_webrtc_index_t *ix, uint64_t hash,
    uint64_t value);

/*
 * Looks a hash up, without a lock.  Returns the value or 0.  While somebody
 * adds or removes the same hash, either answer may come.
 */
uint64_t ngx_webrtc_index_find(ngx_webrtc_index_t *ix, uint64_t hash);


#endif /* _NGX_WEBRTC_BUS_INDEX_H_INCLUDED_ */
