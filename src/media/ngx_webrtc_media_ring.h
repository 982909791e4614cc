
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * A ring of records in a memfd, between a job of the media process and its
 * worker, which makes it.  One writer, one reader, no lock.
 *
 * Neither side trusts what the other one can change.  Both keep their own
 * positions.  The reader checks every length against the size that it chose
 * itself, and copies a record out before it looks at it; the writer stays
 * within the ring whatever the reader claims to have read.  The memfd is
 * sealed, so that nobody can truncate it under the other (SIGBUS).
 */


#ifndef _NGX_WEBRTC_MEDIA_RING_H_INCLUDED_
#define _NGX_WEBRTC_MEDIA_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Bytes; a power of two.  Chosen: two of the largest records.  Pages are
 * allocated as they are touched, and a ring whose reader keeps up is reused
 * from its start again and again.
 */
#define NGX_WEBRTC_MEDIA_RING_SIZE    (32 * 1024 * 1024)

/* bytes of a record; chosen: larger than any picture that browsers show */
#define NGX_WEBRTC_MEDIA_RING_RECORD  (14 * 1024 * 1024)


typedef struct ngx_webrtc_media_ring_shared_s  ngx_webrtc_media_ring_shared_t;


/* one side's view; zeroed before create() or map() */
typedef struct {
    ngx_webrtc_media_ring_shared_t  *shared;
    u_char                          *data;
    uint64_t                         pos;       /* own position, in bytes ever
                                                   written or read */
} ngx_webrtc_media_ring_t;


/*
 * For the worker: makes a ring.
 *
 * The descriptor, close-on-exec, which the caller passes on and closes; or -1
 * with errno set.
 */
int ngx_webrtc_media_ring_create(ngx_webrtc_media_ring_t *ring);

/* For the job: maps what create() made.  NGX_OK; NGX_ERROR, errno is set. */
ngx_int_t ngx_webrtc_media_ring_map(ngx_webrtc_media_ring_t *ring, int fd);

/* may be repeated */
void ngx_webrtc_media_ring_unmap(ngx_webrtc_media_ring_t *ring);


/*
 * Writes one record, its parts one after the other.
 *
 *   head, nhead   bytes
 *   data, n       bytes, may be none
 *
 * NGX_OK        written
 * NGX_AGAIN     no room: the reader will say when there is, see
 *               ngx_webrtc_media_ring_wanted()
 * NGX_DECLINED  larger than a record can be
 */
ngx_int_t ngx_webrtc_media_ring_write(ngx_webrtc_media_ring_t *ring,
    u_char *head, size_t nhead, u_char *data, size_t n);

/* Must the reader be told that there is something to read? */
ngx_uint_t ngx_webrtc_media_ring_tell(ngx_webrtc_media_ring_t *ring);

/* For the writer: its position up to which the reader has read. */
uint64_t ngx_webrtc_media_ring_tail(ngx_webrtc_media_ring_t *ring);

/*
 * For the writer: the reader is to say when it has read more, as if there had
 * been no room.  What it reads from then on shows in tail(), or is told.
 */
void ngx_webrtc_media_ring_want(ngx_webrtc_media_ring_t *ring);


/* The reader has been told, and will read all there is. */
void ngx_webrtc_media_ring_told(ngx_webrtc_media_ring_t *ring);

/*
 * The length of the oldest record.
 *
 * NGX_OK     *n bytes
 * NGX_AGAIN  there is none
 * NGX_ERROR  the writer has written invalid data: the ring is unusable
 */
ngx_int_t ngx_webrtc_media_ring_next(ngx_webrtc_media_ring_t *ring, size_t *n);

/* Copies the n bytes of the oldest record, n as next() said, and frees it. */
void ngx_webrtc_media_ring_read(ngx_webrtc_media_ring_t *ring, u_char *buf,
    size_t n);

/* Is the writer waiting for room, now that there is some?  Asked once. */
ngx_uint_t ngx_webrtc_media_ring_wanted(ngx_webrtc_media_ring_t *ring);


#endif /* _NGX_WEBRTC_MEDIA_RING_H_INCLUDED_ */
