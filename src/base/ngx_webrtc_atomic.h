
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Atomic access to words in shared memory, named by the ordering they give.
 * nginx's ngx_atomic_* has no plain ordered loads and stores, and its compare
 * and swap is limited to ngx_atomic_t.  Words are naturally aligned and at
 * most 64 bits wide.
 */


#ifndef _NGX_WEBRTC_ATOMIC_H_INCLUDED_
#define _NGX_WEBRTC_ATOMIC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (__SANITIZE_THREAD__)
#define NGX_WEBRTC_TSAN  1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define NGX_WEBRTC_TSAN  1
#endif
#endif

#ifndef NGX_WEBRTC_TSAN
#define NGX_WEBRTC_TSAN  0
#endif


/* no ordering, but no tearing either */

#define ngx_webrtc_atomic_load(p)                                             \
    __atomic_load_n(p, __ATOMIC_RELAXED)

#define ngx_webrtc_atomic_store(p, v)                                         \
    __atomic_store_n(p, v, __ATOMIC_RELAXED)

#define ngx_webrtc_atomic_add(p, v)                                           \
    ((void) __atomic_fetch_add(p, v, __ATOMIC_RELAXED))


/* what the storing side wrote before its release is seen after the acquire */

#define ngx_webrtc_atomic_load_acquire(p)                                     \
    __atomic_load_n(p, __ATOMIC_ACQUIRE)

#define ngx_webrtc_atomic_store_release(p, v)                                 \
    __atomic_store_n(p, v, __ATOMIC_RELEASE)


/* both directions, and one total order over all of these */

#define ngx_webrtc_atomic_swap(p, v)                                          \
    __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

#define ngx_webrtc_atomic_fetch_or(p, v)                                      \
    __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)

#define ngx_webrtc_atomic_fetch_and(p, v)                                     \
    __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)

/* true when *p was o and is n now; o is a value, not a pointer */

#define ngx_webrtc_atomic_cas(p, o, n)                                        \
    (__extension__ ({                                                         \
        __typeof__(*(p))  ngx_webrtc_cas_o = (o);                             \
        __atomic_compare_exchange_n(p, &ngx_webrtc_cas_o, n, 0,               \
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
    }))


/*
 * Fences of a sequence lock whose data words are loaded and stored relaxed.
 * ThreadSanitizer does not know fences: under it the data words themselves
 * are ordered instead (NGX_WEBRTC_DATA_*), which is slower but the same.
 */

#if (NGX_WEBRTC_TSAN)

#define NGX_WEBRTC_DATA_LOAD   __ATOMIC_ACQUIRE
#define NGX_WEBRTC_DATA_STORE  __ATOMIC_RELEASE

#define ngx_webrtc_atomic_fence(order)

#else

#define NGX_WEBRTC_DATA_LOAD   __ATOMIC_RELAXED
#define NGX_WEBRTC_DATA_STORE  __ATOMIC_RELAXED

#define ngx_webrtc_atomic_fence(order)  __atomic_thread_fence(order)

#endif

#define ngx_webrtc_atomic_fence_acquire()                                     \
    ngx_webrtc_atomic_fence(__ATOMIC_ACQUIRE)

#define ngx_webrtc_atomic_fence_release()                                     \
    ngx_webrtc_atomic_fence(__ATOMIC_RELEASE)

#define ngx_webrtc_atomic_fence_full()                                        \
    ngx_webrtc_atomic_fence(__ATOMIC_SEQ_CST)

#define ngx_webrtc_atomic_data_load(p)                                        \
    __atomic_load_n(p, NGX_WEBRTC_DATA_LOAD)

#define ngx_webrtc_atomic_data_store(p, v)                                    \
    __atomic_store_n(p, v, NGX_WEBRTC_DATA_STORE)


#endif /* _NGX_WEBRTC_ATOMIC_H_INCLUDED_ */
