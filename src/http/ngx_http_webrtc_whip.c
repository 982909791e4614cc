
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHIP: publishing.  RFC 9725.
 *
 * The stream's name is reserved with the 201; the session claims it when it is
 * up.
 */


#include "ngx_http_webrtc_whip.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_codecs.h"


/*
 * A stream whose publisher has been answered and has not come yet: nobody else
 * may hold it, so that this worker does
 */
typedef struct {
    ngx_queue_t              queue;
    ngx_webrtc_stream_t     *st;
    uint64_t                 ref;         /* of the slot */
} ngx_http_webrtc_whip_pending_t;


static ngx_int_t ngx_http_webrtc_whip_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_whip_expect(ngx_webrtc_stream_t *st,
    uint64_t ref);
static void ngx_http_webrtc_whip_cleanup(void *data);


static ngx_queue_t  ngx_http_webrtc_whip_pending = {
    &ngx_http_webrtc_whip_pending, &ngx_http_webrtc_whip_pending
};


ngx_int_t
ngx_http_webrtc_whip_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_webrtc_endpoint(r, NGX_WEBRTC_PEER_PUBLISH,
                                  ngx_http_webrtc_whip_offer);

    return ngx_http_webrtc_result(rc);
}


static ngx_int_t
ngx_http_webrtc_whip_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t                    rc;
    ngx_str_t                    name;
    ngx_http_cleanup_t          *cln;
    ngx_webrtc_client_t          client;
    ngx_http_webrtc_offer_t     *offer;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_worker == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_offer_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer = cln->data;
    ngx_memzero(offer, sizeof(ngx_http_webrtc_offer_t));

    cln->handler = ngx_http_webrtc_whip_cleanup;

    offer->request = r;
    offer->role = NGX_WEBRTC_PEER_PUBLISH;

    rc = ngx_http_webrtc_offer_parse(offer, body);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_complex_value(r, wlcf->publish, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ngx_http_webrtc_reason_is_name(&name)) {
        return ngx_http_webrtc_reason_no_name(r, &name);
    }

    ngx_http_webrtc_note_stream(r, NGX_WEBRTC_PEER_PUBLISH, &name);

    if (ngx_exiting) {

        /* whoever holds the stream until the publisher comes has to live */

        return ngx_http_webrtc_elsewhere(r);
    }

    ngx_http_webrtc_full_client(r, &client);

    offer->st = ngx_webrtc_bus_stream_for(ngx_http_webrtc_worker->bus, &name,
                                          wlcf->buffer, &client);
    if (offer->st == NULL) {
        return ngx_http_webrtc_full(r, ngx_http_webrtc_worker->bus->lack, NULL);
    }

    ngx_webrtc_bus_set_ring_max(offer->st, wlcf->buffer_max);

    rc = ngx_http_webrtc_offer_answer(offer);

    if (offer->ref
        && ngx_http_webrtc_whip_expect(offer->st, offer->ref) == NGX_OK)
    {
        offer->st = NULL;
    }

    return rc;
}


/* takes the caller's hold over, until the publisher has come or has not */

static ngx_int_t
ngx_http_webrtc_whip_expect(ngx_webrtc_stream_t *st, uint64_t ref)
{
    ngx_http_webrtc_whip_pending_t  *pending;

    pending = ngx_alloc(sizeof(ngx_http_webrtc_whip_pending_t),
                        ngx_http_webrtc_worker->log);
    if (pending == NULL) {
        return NGX_ERROR;
    }

    pending->st = st;
    pending->ref = ref;

    ngx_queue_insert_tail(&ngx_http_webrtc_whip_pending, &pending->queue);

    return NGX_OK;
}


ngx_uint_t
ngx_http_webrtc_whip_pending_any(void)
{
    return !ngx_queue_empty(&ngx_http_webrtc_whip_pending);
}


void
ngx_http_webrtc_whip_tick(void)
{
    ngx_queue_t                     *q, *next;
    ngx_webrtc_bus_t                *bus;
    ngx_webrtc_peer_info_t           info;
    ngx_http_webrtc_whip_pending_t  *pending;

    bus = ngx_http_webrtc_worker->bus;

    for (q = ngx_queue_head(&ngx_http_webrtc_whip_pending);
         q != ngx_queue_sentinel(&ngx_http_webrtc_whip_pending);
         q = next)
    {
        next = ngx_queue_next(q);
        pending = ngx_queue_data(q, ngx_http_webrtc_whip_pending_t, queue);

        if (ngx_webrtc_peers_find_ref(bus, pending->ref, NULL, &info)
            == NGX_OK
            && info.state == NGX_WEBRTC_PEER_NEW)
        {
            if (!ngx_webrtc_bus_is_dropped(pending->st)) {
                continue;
            }

            (void) ngx_webrtc_peers_close(bus, pending->ref);
        }

        /* a session that is there holds the stream itself */

        ngx_queue_remove(&pending->queue);
        ngx_webrtc_bus_release(bus, pending->st);
        ngx_free(pending);
    }
}


static void
ngx_http_webrtc_whip_cleanup(void *data)
{
    ngx_http_webrtc_offer_t *offer = data;

    if (offer->st) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, offer->st);
    }
}


/* "webrtc_codecs name ...": what a publisher may send, preferred first */

char *
ngx_http_webrtc_whip_codecs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    uint8_t                   *order;
    ngx_str_t                 *value;
    ngx_uint_t                 i, n, seen;
    const ngx_webrtc_codec_t  *codec;

    if (wlcf->codecs) {
        return "is duplicate";
    }

    wlcf->codecs = ngx_array_create(cf->pool, cf->args->nelts,
                                    sizeof(uint8_t));
    if (wlcf->codecs == NULL) {
        return NGX_CONF_ERROR;
    }

    seen = 0;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 1; n < NGX_WEBRTC_CODEC_N; n++) {
            codec = ngx_webrtc_codec(n);

            if (value[i].len == codec->name.len
                && ngx_strncasecmp(value[i].data, codec->name.data,
                                   codec->name.len)
                   == 0)
            {
                break;
            }
        }

        if (n == NGX_WEBRTC_CODEC_N) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_codecs, "
                               "expected names of \"H264\", \"H265\", "
                               "\"VP8\", \"VP9\", \"AV1\", \"opus\", \"red\", "
                               "\"PCMU\", \"PCMA\" and \"G722\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (seen & ((ngx_uint_t) 1 << n)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_codecs, "
                               "expected each name once", &value[i]);
            return NGX_CONF_ERROR;
        }

        order = ngx_array_push(wlcf->codecs);
        if (order == NULL) {
            return NGX_CONF_ERROR;
        }

        *order = (uint8_t) n;

        seen |= (ngx_uint_t) 1 << n;
    }

    if ((seen & (1 << NGX_WEBRTC_CODEC_RED))
        && !(seen & (1 << NGX_WEBRTC_CODEC_OPUS)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"red\" in webrtc_codecs wraps another codec, "
                           "expected \"opus\" too");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_whip_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    return ngx_http_webrtc_conf_stream_name(cf, wlcf, &wlcf->publish,
                                            ngx_http_webrtc_whip_handler);
}
