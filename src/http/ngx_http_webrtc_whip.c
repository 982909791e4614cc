
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * WHIP: publishing.  RFC 9725.
 *
 * The stream's name is reserved with the 201; the session claims it once it is
 * up.
 */


#include "ngx_http_webrtc_whip.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_endpoint.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_max_bitrate.h"
#include "ngx_http_webrtc_ingest_publish.h"
#include "ngx_http_webrtc_offer.h"
#include "ngx_http_webrtc_push.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_publish.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_foreign.h"


/*
 * A stream whose publisher has been answered but has not connected yet; it is
 * held by this worker, as it may have no other holder
 */
typedef struct {
    ngx_queue_t              queue;
    ngx_webrtc_stream_t     *st;
    uint64_t                 ref;         /* of the slot */
} ngx_http_webrtc_whip_pending_t;


static ngx_int_t ngx_http_webrtc_whip_offer(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_whip_find(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whip_ready(ngx_http_webrtc_offer_t *offer);
static void ngx_http_webrtc_whip_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy);
static ngx_int_t ngx_http_webrtc_whip_negotiate(
    ngx_http_webrtc_offer_t *offer, ngx_webrtc_negotiate_policy_t *policy,
    u_char **p, u_char *end, ngx_webrtc_negotiate_cause_t *cause);
static ngx_int_t ngx_http_webrtc_whip_attach(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whip_links(ngx_http_webrtc_offer_t *offer);
static ngx_int_t ngx_http_webrtc_whip_expect(ngx_webrtc_stream_t *st,
    uint64_t ref);


static const ngx_http_webrtc_offer_kind_t  ngx_http_webrtc_whip_kind = {
    NGX_WEBRTC_PEER_PUBLISH,
    NGX_HTTP_WEBRTC_UNPROCESSABLE,
    0,
    ngx_http_webrtc_whip_find,
    ngx_http_webrtc_whip_ready,
    ngx_http_webrtc_whip_policy,
    ngx_http_webrtc_whip_negotiate,
    ngx_http_webrtc_whip_attach,
    ngx_http_webrtc_whip_links,
    NULL
};


static ngx_queue_t  ngx_http_webrtc_whip_pending = {
    &ngx_http_webrtc_whip_pending, &ngx_http_webrtc_whip_pending
};


ngx_int_t
ngx_http_webrtc_whip_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_webrtc_ingest_t  *in;

    in = ngx_http_webrtc_ingest_of(r);

    rc = in ? ngx_http_webrtc_ingest_publish(r, in)
            : ngx_http_webrtc_endpoint(r, NGX_WEBRTC_PEER_PUBLISH,
                                       ngx_http_webrtc_whip_offer);

    return ngx_http_webrtc_result(rc);
}


static ngx_int_t
ngx_http_webrtc_whip_offer(ngx_http_request_t *r, ngx_str_t *body)
{
    return ngx_http_webrtc_offer(r, &ngx_http_webrtc_whip_kind, body);
}


static ngx_int_t
ngx_http_webrtc_whip_find(ngx_http_webrtc_offer_t *offer)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    return ngx_http_webrtc_offer_name(offer, wlcf->publish);
}


static ngx_int_t
ngx_http_webrtc_whip_ready(ngx_http_webrtc_offer_t *offer)
{
    ngx_webrtc_bus_t            *bus;
    ngx_http_request_t          *r;
    ngx_webrtc_client_t          client;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = offer->request;
    bus = ngx_http_webrtc_worker->bus;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (ngx_exiting) {

        /* the stream must be held by a worker that outlives the reservation */

        return ngx_http_webrtc_elsewhere(r);
    }

    ngx_http_webrtc_full_client(r, &client);

    offer->st = ngx_webrtc_bus_stream_for(bus, &offer->name,
                                          wlcf->policy.buffer, &client);
    if (offer->st == NULL) {
        return ngx_http_webrtc_full(r, bus->lack, NULL);
    }

    ngx_webrtc_bus_set_ring_max(offer->st, wlcf->policy.buffer_max);

    return NGX_OK;
}


static void
ngx_http_webrtc_whip_policy(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(offer->request, ngx_http_webrtc_module);

    policy->role = NGX_WEBRTC_NEGOTIATE_PUBLISH;
    policy->fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR
                 |NGX_WEBRTC_FB_TWCC|NGX_WEBRTC_FB_REMB|NGX_WEBRTC_FB_RRTR;
    policy->exts = NGX_WEBRTC_EXT_MID|NGX_WEBRTC_EXT_TWCC
                   |NGX_WEBRTC_EXT_ABS_SEND_TIME|NGX_WEBRTC_EXT_CVO
                   |NGX_WEBRTC_EXT_RID|NGX_WEBRTC_EXT_PLAYOUT
                   |NGX_WEBRTC_EXT_DD;

    if (wlcf->codecs) {
        policy->codec_order = wlcf->codecs->elts;
        policy->ncodec_order = wlcf->codecs->nelts;
    }
}


static ngx_int_t
ngx_http_webrtc_whip_negotiate(ngx_http_webrtc_offer_t *offer,
    ngx_webrtc_negotiate_policy_t *policy, u_char **p, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_webrtc_negotiate(offer->sdp, policy, &offer->peer->desc, p, end,
                              cause);

    if (rc == NGX_OK) {
        wlcf = ngx_http_get_module_loc_conf(offer->request,
                                            ngx_http_webrtc_module);

        ngx_http_webrtc_max_bitrate_layers(wlcf, offer->peer);
    }

    return rc;
}


static ngx_int_t
ngx_http_webrtc_whip_attach(ngx_http_webrtc_offer_t *offer)
{
    uint64_t                     ref;
    ngx_int_t                    rc;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = offer->request;
    ref = offer->peer->ref;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    rc = ngx_http_webrtc_push_attach(r, ref);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_full(r, ngx_http_webrtc_worker->bus->lack,
                                    NULL);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_webrtc_bus_reserve(ngx_http_webrtc_worker->bus, offer->st, ref,
                               wlcf->publish_conflict
                               == NGX_HTTP_WEBRTC_CONFLICT_REPLACE,
                               ngx_current_msec)
        != NGX_OK)
    {
        return ngx_http_webrtc_reason_taken(r, &offer->name, offer->st);
    }

    if (ngx_http_webrtc_whip_expect(offer->st, ref) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    offer->st = NULL;

    return NGX_OK;
}


/* of layers a publisher may be told which of them are watched */

static ngx_int_t
ngx_http_webrtc_whip_links(ngx_http_webrtc_offer_t *offer)
{
    ngx_str_t   rid;
    ngx_uint_t  i;

    static ngx_str_t  rel = ngx_string(">; rel=\"urn:ietf:params:whip:ext:core"
                                       ":server-sent-events\"; events="
                                       "\"layers\"");

    for (i = 0; i < offer->peer->desc.nmedia; i++) {
        if (ngx_webrtc_desc_rid(&offer->peer->desc.media[i], 0, &rid)
            == NGX_OK)
        {
            return ngx_http_webrtc_session_link(offer->request,
                                                offer->peer->id, "&events",
                                                &rel);
        }
    }

    return NGX_OK;
}


/* takes over the caller's hold until the publisher connects or gives up */

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

        /* an established session holds the stream itself */

        ngx_queue_remove(&pending->queue);
        ngx_webrtc_bus_release(bus, pending->st);
        ngx_free(pending);
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

            if (!ngx_webrtc_foreign(n)
                && value[i].len == codec->name.len
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
