
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_max_bitrate": see the header file.
 *
 * A location has publishers that name their layers differently, so it may have
 * limits for more names than one of them sends; which a publisher has is known
 * with its offer, and then stands in its slot, by number.
 */


#include "ngx_http_webrtc_max_bitrate.h"
#include "ngx_http_webrtc_conf_value.h"


/* names of layers in a location; chosen */
#define NGX_HTTP_WEBRTC_MAX_BITRATE_NAMES  16

/* bit/s in all; minimum: below what any publisher sends; "4" means megabits */
#define NGX_HTTP_WEBRTC_MAX_BITRATE_LEAST  (16 * NGX_HTTP_WEBRTC_K)
#define NGX_HTTP_WEBRTC_MAX_BITRATE_MOST   (16 * NGX_HTTP_WEBRTC_G)

#define NGX_HTTP_WEBRTC_MAX_BITRATE_ALL                                       \
    "bits per second from \"16k\" to \"16g\", such as \"4m\", or \"0\" for no "\
    "limit"

#define NGX_HTTP_WEBRTC_MAX_BITRATE_LAYER                                     \
    "\"layer=name:bitrate\" with a name of 1 to 16 letters, digits, \"-\" "   \
    "and \"_\", and bits per second from \"16k\" to \"1g\", such as "         \
    "\"layer=h:2m\""


typedef struct {
    ngx_str_t    name;
    uint32_t     bitrate;
} ngx_http_webrtc_max_bitrate_t;


static ngx_int_t ngx_http_webrtc_max_bitrate_layer(ngx_str_t *value,
    ngx_http_webrtc_max_bitrate_t *layer);
static char *ngx_http_webrtc_max_bitrate_invalid(ngx_conf_t *cf,
    const char *what, ngx_str_t *value, const char *expected);
static uint32_t ngx_http_webrtc_max_bitrate_of(
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name);


char *
ngx_http_webrtc_max_bitrate_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    off_t                           max;
    ngx_str_t                      *value;
    ngx_uint_t                      i, k;
    ngx_http_webrtc_max_bitrate_t  *layer, one;

    if (wlcf->policy.max_bitrate != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    max = ngx_parse_offset(&value[1]);

    if (max != 0 && (max < NGX_HTTP_WEBRTC_MAX_BITRATE_LEAST
                     || max > NGX_HTTP_WEBRTC_MAX_BITRATE_MOST))
    {
        return ngx_http_webrtc_max_bitrate_invalid(cf, "value", &value[1],
                                            NGX_HTTP_WEBRTC_MAX_BITRATE_ALL);
    }

    wlcf->policy.max_bitrate = max;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (cf->args->nelts > 2 + NGX_HTTP_WEBRTC_MAX_BITRATE_NAMES) {
        return "has more than 16 layers";
    }

    wlcf->layer_bitrates = ngx_array_create(cf->pool, cf->args->nelts - 2,
                                     sizeof(ngx_http_webrtc_max_bitrate_t));
    if (wlcf->layer_bitrates == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_webrtc_max_bitrate_layer(&value[i], &one) != NGX_OK) {
            return ngx_http_webrtc_max_bitrate_invalid(cf, "parameter",
                                  &value[i], NGX_HTTP_WEBRTC_MAX_BITRATE_LAYER);
        }

        layer = wlcf->layer_bitrates->elts;

        for (k = 0; k < wlcf->layer_bitrates->nelts; k++) {
            if (layer[k].name.len == one.name.len
                && ngx_memcmp(layer[k].name.data, one.name.data, one.name.len)
                   == 0)
            {
                return ngx_http_webrtc_max_bitrate_invalid(cf, "parameter",
                                  &value[i],
                                  "each name once, this one is duplicate");
            }
        }

        layer = ngx_array_push(wlcf->layer_bitrates);
        if (layer == NULL) {
            return NGX_CONF_ERROR;
        }

        *layer = one;

        if (max && one.bitrate > max) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "parameter \"%V\" in webrtc_max_bitrate has no "
                               "effect, as all layers together may take no "
                               "more than \"%V\"", &value[i], &value[1]);
        }
    }

    return NGX_CONF_OK;
}


/* "layer=name:bitrate" */

static ngx_int_t
ngx_http_webrtc_max_bitrate_layer(ngx_str_t *value,
    ngx_http_webrtc_max_bitrate_t *layer)
{
    off_t       max;
    u_char     *p, *last, *colon;
    ngx_str_t   rate;

    if (value->len < sizeof("layer=") - 1
        || ngx_strncmp(value->data, "layer=", sizeof("layer=") - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p = value->data + sizeof("layer=") - 1;
    last = value->data + value->len;

    colon = ngx_strlchr(p, last, ':');

    if (colon == NULL) {
        return NGX_DECLINED;
    }

    layer->name.data = p;
    layer->name.len = colon - p;

    rate.data = colon + 1;
    rate.len = last - rate.data;

    max = ngx_parse_offset(&rate);

    if (!ngx_webrtc_desc_is_name(&layer->name, NGX_WEBRTC_DESC_RID)
        || max < NGX_WEBRTC_VARIANT_BIT_LEAST
        || max > NGX_WEBRTC_VARIANT_BIT_MOST)
    {
        return NGX_DECLINED;
    }

    layer->bitrate = (uint32_t) max;

    return NGX_OK;
}


static char *
ngx_http_webrtc_max_bitrate_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value, const char *expected)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid %s \"%V\" in webrtc_max_bitrate, expected %s",
                       what, value, expected);

    return NGX_CONF_ERROR;
}


void
ngx_http_webrtc_max_bitrate_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    if (conf->policy.max_bitrate != NGX_CONF_UNSET) {
        return;
    }

    conf->layer_bitrates = prev->layer_bitrates;

    ngx_conf_merge_off_value(conf->policy.max_bitrate,
                             prev->policy.max_bitrate, 0);
}


void
ngx_http_webrtc_max_bitrate_layers(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_webrtc_peer_t *peer)
{
    u_char                    digit;
    ngx_str_t                 name;
    ngx_uint_t                i, n;
    ngx_webrtc_desc_media_t  *m;

    if (wlcf->layer_bitrates == NULL) {
        return;
    }

    for (n = 0; n < peer->desc.nmedia; n++) {
        m = &peer->desc.media[n];

        for (i = 0; i < NGX_WEBRTC_POLICY_LAYERS; i++) {

            if (ngx_webrtc_desc_rid(m, i, &name) != NGX_OK) {
                break;
            }

            peer->policy.layer_bitrate[i] =
                                   ngx_http_webrtc_max_bitrate_of(wlcf, &name);
        }

        if (i) {
            return;
        }
    }

    for (i = 0; i < NGX_WEBRTC_POLICY_LAYERS; i++) {
        digit = (u_char) ('0' + i);

        name.data = &digit;
        name.len = 1;

        peer->policy.layer_bitrate[i] =
                                   ngx_http_webrtc_max_bitrate_of(wlcf, &name);
    }
}


/* 0: there is none for that name */

static uint32_t
ngx_http_webrtc_max_bitrate_of(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_max_bitrate_t  *layer;

    layer = wlcf->layer_bitrates->elts;

    for (i = 0; i < wlcf->layer_bitrates->nelts; i++) {
        if (layer[i].name.len == name->len
            && ngx_memcmp(layer[i].name.data, name->data, name->len) == 0)
        {
            return layer[i].bitrate;
        }
    }

    return 0;
}
