
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A ring of records in a memfd.
 *
 * 1. Positions count bytes ever written; the place in the ring is the position
 *    modulo its size.  head is the writer's, tail the reader's.
 * 2. A record is a length, as 64 bits, and its bytes, rounded up to 8.  It does
 *    not wrap: where it would, the rest of the ring is filled by a length of
 *    all ones.
 * 3. The writer publishes head with a release store when a record is whole; the
 *    reader publishes tail likewise when it has copied it.
 * 4. If nothing is unread and some of the ring has been used, the writer
 *    returns to the start of the ring: no more memory is touched than that,
 *    or than is ever unread at once.  Until the reader gets there as well,
 *    the space before the old place is all the room there is.
 * 5. A writer without room sets "wanted" and looks at tail once more; the
 *    reader stores tail and then looks at "wanted".  Both sides have a full
 *    barrier between the two steps, so that one of them sees the other.
 * 6. "told" is set by the writer when it has to notify, and cleared by the
 *    reader before it reads: a record written after that is notified again.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "ngx_webrtc_media_ring.h"


#define NGX_WEBRTC_MEDIA_RING_MASK   (NGX_WEBRTC_MEDIA_RING_SIZE - 1)

/* of a record's length */
#define NGX_WEBRTC_MEDIA_RING_LEN    sizeof(uint64_t)

#define NGX_WEBRTC_MEDIA_RING_FILL   UINT64_MAX

/*
 * bytes after which the writer returns to the start; chosen: a large key
 * frame, so that it then hardly ever waits for the reader
 */
#define NGX_WEBRTC_MEDIA_RING_AGAIN  (1024 * 1024)

/* the shared variables have a page of their own, the ring begins after it */
#define NGX_WEBRTC_MEDIA_RING_PAGE   4096

#define NGX_WEBRTC_MEDIA_RING_MAP    (NGX_WEBRTC_MEDIA_RING_PAGE              \
                                      + NGX_WEBRTC_MEDIA_RING_SIZE)


/* each on a cache line of its own */
struct ngx_webrtc_media_ring_shared_s {
    uint64_t    head;
    u_char      pad1[56];
    uint64_t    tail;
    u_char      pad2[56];
    uint32_t    told;
    uint32_t    wanted;
};


static ngx_int_t ngx_webrtc_media_ring_attach(ngx_webrtc_media_ring_t *ring,
    int fd);
static size_t ngx_webrtc_media_ring_round(size_t n);


int
ngx_webrtc_media_ring_create(ngx_webrtc_media_ring_t *ring)
{
    int  fd, err;

    fd = memfd_create("webrtc media", MFD_CLOEXEC|MFD_ALLOW_SEALING);

    if (fd == -1) {
        return -1;
    }

    if (ftruncate(fd, NGX_WEBRTC_MEDIA_RING_MAP) == -1
        || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL) == -1
        || ngx_webrtc_media_ring_attach(ring, fd) != NGX_OK)
    {
        err = errno;
        (void) close(fd);
        errno = err;
        return -1;
    }

    return fd;
}


ngx_int_t
ngx_webrtc_media_ring_map(ngx_webrtc_media_ring_t *ring, int fd)
{
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return NGX_ERROR;
    }

    if (st.st_size != NGX_WEBRTC_MEDIA_RING_MAP) {
        errno = EINVAL;
        return NGX_ERROR;
    }

    return ngx_webrtc_media_ring_attach(ring, fd);
}


static ngx_int_t
ngx_webrtc_media_ring_attach(ngx_webrtc_media_ring_t *ring, int fd)
{
    void  *p;

    p = mmap(NULL, NGX_WEBRTC_MEDIA_RING_MAP, PROT_READ|PROT_WRITE, MAP_SHARED,
             fd, 0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    ring->shared = p;
    ring->data = (u_char *) p + NGX_WEBRTC_MEDIA_RING_PAGE;
    ring->pos = 0;

    return NGX_OK;
}


void
ngx_webrtc_media_ring_unmap(ngx_webrtc_media_ring_t *ring)
{
    if (ring->shared) {
        (void) munmap(ring->shared, NGX_WEBRTC_MEDIA_RING_MAP);
        ring->shared = NULL;
        ring->data = NULL;
    }
}


ngx_int_t
ngx_webrtc_media_ring_write(ngx_webrtc_media_ring_t *ring, u_char *head,
    size_t nhead, u_char *data, size_t n)
{
    size_t       need, rest;
    u_char      *p;
    uint64_t     len, tail, pos;
    ngx_uint_t   tries;

    if (nhead > NGX_WEBRTC_MEDIA_RING_RECORD
        || n > NGX_WEBRTC_MEDIA_RING_RECORD - nhead)
    {
        return NGX_DECLINED;
    }

    len = nhead + n;
    need = NGX_WEBRTC_MEDIA_RING_LEN + ngx_webrtc_media_ring_round(len);

    for (tries = 0; /* void */ ; tries++) {
        pos = ring->pos;
        tail = __atomic_load_n(&ring->shared->tail, __ATOMIC_ACQUIRE);
        rest = NGX_WEBRTC_MEDIA_RING_SIZE
               - (size_t) (pos & NGX_WEBRTC_MEDIA_RING_MASK);

        if (rest == NGX_WEBRTC_MEDIA_RING_SIZE
            || (rest >= need
                && (tail != pos
                    || rest > NGX_WEBRTC_MEDIA_RING_SIZE
                              - ngx_max(need, NGX_WEBRTC_MEDIA_RING_AGAIN))))
        {
            rest = 0;
        }

        if (pos - tail + rest + need <= NGX_WEBRTC_MEDIA_RING_SIZE) {
            break;
        }

        /* a reader that has taken "wanted" again will say that there is room */

        if (__atomic_exchange_n(&ring->shared->wanted, 1, __ATOMIC_SEQ_CST)
            || tries)
        {
            return NGX_AGAIN;
        }
    }

    if (rest) {
        *(uint64_t *) (ring->data + (pos & NGX_WEBRTC_MEDIA_RING_MASK)) =
                                                   NGX_WEBRTC_MEDIA_RING_FILL;
        pos += rest;
    }

    p = ring->data + (pos & NGX_WEBRTC_MEDIA_RING_MASK);

    *(uint64_t *) p = len;
    p = ngx_cpymem(p + NGX_WEBRTC_MEDIA_RING_LEN, head, nhead);

    if (n) {
        ngx_memcpy(p, data, n);
    }

    ring->pos = pos + need;

    __atomic_store_n(&ring->shared->wanted, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ring->shared->head, ring->pos, __ATOMIC_RELEASE);

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_media_ring_tell(ngx_webrtc_media_ring_t *ring)
{
    return __atomic_exchange_n(&ring->shared->told, 1, __ATOMIC_SEQ_CST) == 0;
}


uint64_t
ngx_webrtc_media_ring_tail(ngx_webrtc_media_ring_t *ring)
{
    return __atomic_load_n(&ring->shared->tail, __ATOMIC_SEQ_CST);
}


void
ngx_webrtc_media_ring_want(ngx_webrtc_media_ring_t *ring)
{
    __atomic_store_n(&ring->shared->wanted, 1, __ATOMIC_SEQ_CST);
}


void
ngx_webrtc_media_ring_told(ngx_webrtc_media_ring_t *ring)
{
    __atomic_store_n(&ring->shared->told, 0, __ATOMIC_SEQ_CST);
}


ngx_int_t
ngx_webrtc_media_ring_next(ngx_webrtc_media_ring_t *ring, size_t *n)
{
    size_t     rest;
    uint64_t   head, len, unread;

    for ( ;; ) {
        head = __atomic_load_n(&ring->shared->head, __ATOMIC_SEQ_CST);
        unread = head - ring->pos;

        if (unread == 0) {
            return NGX_AGAIN;
        }

        if (unread > NGX_WEBRTC_MEDIA_RING_SIZE
            || unread % NGX_WEBRTC_MEDIA_RING_LEN)
        {
            return NGX_ERROR;
        }

        rest = NGX_WEBRTC_MEDIA_RING_SIZE
               - (size_t) (ring->pos & NGX_WEBRTC_MEDIA_RING_MASK);

        /* read once: the writer could change it afterwards */

        len = __atomic_load_n((uint64_t *)
                  (ring->data + (ring->pos & NGX_WEBRTC_MEDIA_RING_MASK)),
                  __ATOMIC_RELAXED);

        if (len != NGX_WEBRTC_MEDIA_RING_FILL) {
            break;
        }

        /* not at the start: nobody else's turn would come */

        if (unread < rest || rest == NGX_WEBRTC_MEDIA_RING_SIZE) {
            return NGX_ERROR;
        }

        ring->pos += rest;

        __atomic_store_n(&ring->shared->tail, ring->pos, __ATOMIC_SEQ_CST);
    }

    if (len > NGX_WEBRTC_MEDIA_RING_RECORD
        || NGX_WEBRTC_MEDIA_RING_LEN + ngx_webrtc_media_ring_round(len)
           > ngx_min(unread, rest))
    {
        return NGX_ERROR;
    }

    *n = (size_t) len;

    return NGX_OK;
}


void
ngx_webrtc_media_ring_read(ngx_webrtc_media_ring_t *ring, u_char *buf,
    size_t n)
{
    u_char  *p;

    p = ring->data + (ring->pos & NGX_WEBRTC_MEDIA_RING_MASK);

    ngx_memcpy(buf, p + NGX_WEBRTC_MEDIA_RING_LEN, n);

    ring->pos += NGX_WEBRTC_MEDIA_RING_LEN + ngx_webrtc_media_ring_round(n);

    __atomic_store_n(&ring->shared->tail, ring->pos, __ATOMIC_SEQ_CST);
}


ngx_uint_t
ngx_webrtc_media_ring_wanted(ngx_webrtc_media_ring_t *ring)
{
    if (__atomic_load_n(&ring->shared->wanted, __ATOMIC_SEQ_CST) == 0) {
        return 0;
    }

    return __atomic_exchange_n(&ring->shared->wanted, 0, __ATOMIC_SEQ_CST);
}


static size_t
ngx_webrtc_media_ring_round(size_t n)
{
    return (n + NGX_WEBRTC_MEDIA_RING_LEN - 1)
           & ~(NGX_WEBRTC_MEDIA_RING_LEN - 1);
}
