
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The queue of frames: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_queue.h"


ngx_webrtc_source_item_t *
ngx_webrtc_source_queue_make(ngx_uint_t kind, AVPacket *pkt, int64_t pts,
    int64_t dts)
{
    ngx_webrtc_source_item_t  *item;

    item = calloc(1, sizeof(ngx_webrtc_source_item_t));
    if (item == NULL) {
        return NULL;
    }

    item->pkt = av_packet_alloc();
    if (item->pkt == NULL) {
        free(item);
        return NULL;
    }

    av_packet_move_ref(item->pkt, pkt);

    item->kind = kind;
    item->pts = pts;
    item->dts = dts;

    return item;
}


void
ngx_webrtc_source_queue_put(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_item_t *item)
{
    ngx_webrtc_source_item_t    *at;
    ngx_webrtc_source_stream_t  *s;

    s = (item->kind == NGX_WEBRTC_VIDEO) ? &rd->video : &rd->audio;

    item->seam = s->seam;
    s->seam = 0;

    at = rd->tail;

    if (rd->paced) {
        /* one track never overtakes itself */

        while (at && at->dts > item->dts && at->kind != item->kind) {
            at = at->prev;
        }
    }

    item->prev = at;
    item->next = at ? at->next : rd->head;

    if (item->prev) {
        item->prev->next = item;

    } else {
        rd->head = item;
    }

    if (item->next) {
        item->next->prev = item;

    } else {
        rd->tail = item;
    }

    rd->n++;
    rd->size += item->pkt->size;
}


ngx_webrtc_source_item_t *
ngx_webrtc_source_queue_pop(ngx_webrtc_source_read_t *rd)
{
    ngx_webrtc_source_item_t  *item;

    item = rd->head;

    if (item) {
        rd->head = item->next;

        if (rd->head) {
            rd->head->prev = NULL;

        } else {
            rd->tail = NULL;
        }

        rd->n--;
        rd->size -= item->pkt->size;
    }

    return item;
}


void
ngx_webrtc_source_queue_drop(ngx_webrtc_source_read_t *rd,
    ngx_webrtc_source_item_t *item)
{
    if (item->prev) {
        item->prev->next = item->next;

    } else {
        rd->head = item->next;
    }

    if (item->next) {
        item->next->prev = item->prev;

    } else {
        rd->tail = item->prev;
    }

    rd->n--;
    rd->size -= item->pkt->size;

    ngx_webrtc_source_queue_free(item);
}


void
ngx_webrtc_source_queue_free(ngx_webrtc_source_item_t *item)
{
    av_packet_free(&item->pkt);
    free(item);
}
