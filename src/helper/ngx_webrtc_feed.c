
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Turns a source's frames into records for the worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_feed.h"


static void ngx_webrtc_feed_put(ngx_webrtc_feed_t *feed,
    ngx_webrtc_media_record_t *r);
static ngx_int_t ngx_webrtc_feed_packet(void *ctx, u_char *payload, size_t n,
    ngx_uint_t flags);


void
ngx_webrtc_feed_init(ngx_webrtc_feed_t *feed, ngx_webrtc_feed_conf_t *conf)
{
    ngx_memzero(feed, sizeof(ngx_webrtc_feed_t));

    feed->conf = conf;
}


void
ngx_webrtc_feed_begin(ngx_webrtc_feed_t *feed)
{
    ngx_memzero(feed->pack, sizeof(feed->pack));

    feed->cvo = 0;

    ngx_webrtc_feed_tell(feed, NGX_WEBRTC_MEDIA_BEGIN);
}


ngx_int_t
ngx_webrtc_feed_track(ngx_webrtc_feed_t *feed, ngx_uint_t i, ngx_uint_t codec,
    u_char *extradata, size_t n)
{
    ngx_webrtc_media_record_t  r;

    if (ngx_webrtc_pack_init(&feed->pack[i], ngx_webrtc_codec(codec), 0,
                             ngx_webrtc_feed_packet, feed)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_TRACK;
    r.track = (uint8_t) i;
    r.value = (uint16_t) codec;
    r.data = extradata;
    r.len = n;

    ngx_webrtc_feed_put(feed, &r);

    if (n) {
        (void) ngx_webrtc_pack_config(&feed->pack[i], extradata, n);
    }

    return NGX_OK;
}


void
ngx_webrtc_feed_config(ngx_webrtc_feed_t *feed, ngx_uint_t i,
    u_char *extradata, size_t n)
{
    ngx_webrtc_media_record_t  r;

    if (n == 0) {
        return;
    }

    (void) ngx_webrtc_pack_config(&feed->pack[i], extradata, n);

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_CONFIG;
    r.track = (uint8_t) i;
    r.data = extradata;
    r.len = n;

    ngx_webrtc_feed_put(feed, &r);
}


void
ngx_webrtc_feed_turn(ngx_webrtc_feed_t *feed, ngx_uint_t cvo)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = NGX_WEBRTC_MEDIA_TURN;
    r.value = (uint16_t) cvo;

    feed->cvo = (uint8_t) cvo;

    ngx_webrtc_feed_put(feed, &r);
}


ngx_int_t
ngx_webrtc_feed_probe(ngx_webrtc_feed_t *feed, ngx_uint_t i, u_char *data,
    size_t n, ngx_webrtc_frame_t *frame)
{
    return ngx_webrtc_pack_probe(&feed->pack[i], data, n, frame);
}


void
ngx_webrtc_feed_frame(ngx_webrtc_feed_t *feed, ngx_uint_t i, u_char *data,
    size_t n, int64_t ts, int64_t now_us)
{
    ngx_webrtc_media_record_t  r;

    r.type = NGX_WEBRTC_MEDIA_FRAME;
    r.track = (uint8_t) i;
    r.value = feed->pack[i].key ? NGX_WEBRTC_MEDIA_KEY : 0;
    r.ts = ts;
    r.now_us = now_us;
    r.data = data;
    r.len = n;

    ngx_webrtc_feed_put(feed, &r);
}


void
ngx_webrtc_feed_tell(ngx_webrtc_feed_t *feed, ngx_webrtc_media_record_e type)
{
    ngx_webrtc_media_record_t  r;

    ngx_memzero(&r, sizeof(ngx_webrtc_media_record_t));

    r.type = (uint8_t) type;

    ngx_webrtc_feed_put(feed, &r);
}


static void
ngx_webrtc_feed_put(ngx_webrtc_feed_t *feed, ngx_webrtc_media_record_t *r)
{
    if (feed->conf->put == NULL || feed->over) {
        return;
    }

    if (feed->conf->put(feed->conf->ctx, r) == NGX_ABORT) {
        feed->over = 1;
    }
}


/* packets are made by the worker: nothing is packed here */

static ngx_int_t
ngx_webrtc_feed_packet(void *ctx, u_char *payload, size_t n, ngx_uint_t flags)
{
    return NGX_ERROR;
}
