
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a SACK frees is needed for the packets that may leave then, and malloc()
 * has no fast way for this size: it took 2 to 3 % of the time of a worker that
 * sends a file.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_webrtc_sctp_copy.h>


/* bytes of a packet whose copy is kept, chosen: what a DTLS record takes at
 * most, and at least what malloc() of glibc is slow with; and how many are,
 * chosen: twice what is sent for a SACK */
#define NGX_WEBRTC_SCTP_COPY_ROOM   1280
#define NGX_WEBRTC_SCTP_COPY_LEAST  900
#define NGX_WEBRTC_SCTP_COPY_SPARE  64

/* bytes of such a copy */
#define NGX_WEBRTC_SCTP_COPY_USUAL                                            \
    (sizeof(ngx_webrtc_sctp_copy_t) + NGX_WEBRTC_SCTP_COPY_ROOM)


void
ngx_webrtc_sctp_copy_init(ngx_webrtc_sctp_spare_t *spare)
{
    ngx_queue_init(&spare->queue);
    spare->n = 0;
}


void
ngx_webrtc_sctp_copy_drain(ngx_webrtc_sctp_spare_t *spare)
{
    ngx_queue_t  *q;

    while (spare->n) {
        q = ngx_queue_head(&spare->queue);
        ngx_queue_remove(q);
        spare->n--;

        free(ngx_queue_data(q, ngx_webrtc_sctp_copy_t, all));
    }
}


ngx_webrtc_sctp_copy_t *
ngx_webrtc_sctp_copy_get(ngx_webrtc_sctp_spare_t *spare, size_t n)
{
    size_t                   room;
    ngx_queue_t             *q;
    ngx_webrtc_sctp_copy_t  *copy;

    room = (n >= NGX_WEBRTC_SCTP_COPY_LEAST && n <= NGX_WEBRTC_SCTP_COPY_ROOM)
           ? NGX_WEBRTC_SCTP_COPY_USUAL : sizeof(ngx_webrtc_sctp_copy_t) + n;

    if (room == NGX_WEBRTC_SCTP_COPY_USUAL && spare->n) {
        q = ngx_queue_head(&spare->queue);
        ngx_queue_remove(q);
        spare->n--;

        copy = ngx_queue_data(q, ngx_webrtc_sctp_copy_t, all);

    } else {
        copy = malloc(room);

        if (copy == NULL) {
            return NULL;
        }
    }

    ngx_memzero(copy, sizeof(ngx_webrtc_sctp_copy_t));

    copy->room = (uint32_t) room;

    return copy;
}


void
ngx_webrtc_sctp_copy_put(ngx_webrtc_sctp_spare_t *spare,
    ngx_webrtc_sctp_copy_t *copy)
{
    if (copy->room != NGX_WEBRTC_SCTP_COPY_USUAL
        || spare->n == NGX_WEBRTC_SCTP_COPY_SPARE)
    {
        free(copy);
        return;
    }

    ngx_queue_insert_head(&spare->queue, &copy->all);
    spare->n++;
}
