
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Layers of a stream: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include <ngx_webrtc_signal_layers.h>
#include <ngx_webrtc_signal.h>
#include <ngx_webrtc_sdp_text.h>


/* numbers of layers, and samples of a side; chosen: more than there are */
#define NGX_WEBRTC_SIGNAL_LAYERS_ID    255
#define NGX_WEBRTC_SIGNAL_LAYERS_SIDE  65535


static u_char *ngx_webrtc_signal_layers_inside(u_char *p, u_char *end,
    const ngx_webrtc_signal_layer_t *layer);
static u_char *ngx_webrtc_signal_layers_figures(u_char *p, u_char *end,
    const ngx_webrtc_signal_layer_t *layer, uint32_t bitrate);
static ngx_int_t ngx_webrtc_signal_choice_member(const char *key,
    const json_t *value, ngx_webrtc_signal_choice_t *choice);


typedef struct {
    const char  *key;
    ngx_uint_t   text;               /* 1: a string, else a number to "most" */
    ngx_int_t    least;
    ngx_int_t    most;
    size_t       at;                 /* in ngx_webrtc_signal_choice_t; numbers
                                        from 0 are one more there */
} ngx_webrtc_signal_member_t;


static const ngx_webrtc_signal_member_t  ngx_webrtc_signal_members[] = {
    { "mediaId", 1, 0, 0, offsetof(ngx_webrtc_signal_choice_t, media) },
    { "encodingId", 1, 0, 0, offsetof(ngx_webrtc_signal_choice_t, encoding) },
    { "rid", 1, 0, 0, offsetof(ngx_webrtc_signal_choice_t, encoding) },
    { "spatialLayerId", 0, 0, NGX_WEBRTC_SIGNAL_LAYERS_ID,
      offsetof(ngx_webrtc_signal_choice_t, spatial) },
    { "temporalLayerId", 0, 0, NGX_WEBRTC_SIGNAL_LAYERS_ID,
      offsetof(ngx_webrtc_signal_choice_t, temporal) },
    { "maxSpatialLayerId", 0, 0, NGX_WEBRTC_SIGNAL_LAYERS_ID,
      offsetof(ngx_webrtc_signal_choice_t, spatial) },
    { "maxTemporalLayerId", 0, 0, NGX_WEBRTC_SIGNAL_LAYERS_ID,
      offsetof(ngx_webrtc_signal_choice_t, temporal) },
    { "maxWidth", 0, 1, NGX_WEBRTC_SIGNAL_LAYERS_SIDE,
      offsetof(ngx_webrtc_signal_choice_t, max_width) },
    { "maxHeight", 0, 1, NGX_WEBRTC_SIGNAL_LAYERS_SIDE,
      offsetof(ngx_webrtc_signal_choice_t, max_height) },
    { NULL, 0, 0, 0, 0 }
};


u_char *
ngx_webrtc_signal_print_layers(u_char *p, u_char *end,
    const ngx_webrtc_signal_layers_t *l)
{
    ngx_uint_t                        i, n;
    const ngx_webrtc_signal_layer_t  *layer;

    p = ngx_webrtc_sdp_printf(p, end, "{\"medias\":{\"");
    p = ngx_webrtc_signal_escape(p, end, &l->mid);
    p = ngx_webrtc_sdp_printf(p, end, "\":{\"active\":[");

    for (i = 0, n = 0; i < l->n; i++) {
        layer = &l->layers[i];

        if (layer->inside) {
            continue;
        }

        p = ngx_webrtc_sdp_printf(p, end, n++ ? ",{\"id\":\"" : "{\"id\":\"");
        p = ngx_webrtc_signal_escape(p, end, &layer->name);
        p = ngx_webrtc_sdp_printf(p, end, "\"");
        p = ngx_webrtc_signal_layers_figures(p, end, layer, layer->bitrate);
    }

    p = ngx_webrtc_sdp_printf(p, end, "],\"inactive\":[],\"layers\":[");

    for (i = 0; i < l->n; i++) {
        p = ngx_webrtc_sdp_printf(p, end, i ? "," : "");
        p = ngx_webrtc_signal_layers_inside(p, end, &l->layers[i]);
    }

    p = ngx_webrtc_sdp_printf(p, end, "]}},\"current\":\"");

    if (l->current < l->n) {
        layer = &l->layers[l->current];

        p = ngx_webrtc_signal_escape(p, end, &layer->name);
        p = ngx_webrtc_sdp_printf(p, end, "\"");

        if (layer->sid) {
            p = ngx_webrtc_sdp_printf(p, end, ",\"spatialLayerId\":%ui",
                                   (ngx_uint_t) ngx_min(l->sid, layer->sid));
        }

        if (layer->tids > 1) {
            p = ngx_webrtc_sdp_printf(p, end, ",\"temporalLayerId\":%ui",
                                      (ngx_uint_t) ngx_min(l->tid,
                                                           layer->tids - 1));
        }

    } else {
        p = ngx_webrtc_sdp_printf(p, end, "\"");
    }

    return ngx_webrtc_sdp_printf(p, end,
                                 ",\"automatic\":%s,\"limited\":\"%s\"}",
                                 l->automatic ? "true" : "false", l->limited);
}


/* one for each of its temporal layers, the best one first */

static u_char *
ngx_webrtc_signal_layers_inside(u_char *p, u_char *end,
    const ngx_webrtc_signal_layer_t *layer)
{
    uint32_t    bitrate;
    ngx_uint_t  tid, tids;

    tids = ngx_min(layer->tids, NGX_WEBRTC_SIGNAL_TIDS);
    tids = ngx_max(tids, 1);

    for (tid = tids; tid > 0; /* void */ ) {
        tid--;

        bitrate = layer->bitrate;

        if (tid + 1 < tids) {
            bitrate = (uint32_t) ((uint64_t) bitrate * layer->share[tid] / 100);
            p = ngx_webrtc_sdp_printf(p, end, ",");
        }

        p = ngx_webrtc_sdp_printf(p, end, "{\"encodingId\":\"");
        p = ngx_webrtc_signal_escape(p, end, &layer->name);
        p = ngx_webrtc_sdp_printf(p, end, "\",\"spatialLayerId\":%ui,"
                                  "\"temporalLayerId\":%ui",
                                  (ngx_uint_t) layer->sid, tid);

        p = ngx_webrtc_signal_layers_figures(p, end, layer, bitrate);
    }

    return p;
}


static u_char *
ngx_webrtc_signal_layers_figures(u_char *p, u_char *end,
    const ngx_webrtc_signal_layer_t *layer, uint32_t bitrate)
{
    if (bitrate) {
        p = ngx_webrtc_sdp_printf(p, end, ",\"bitrate\":%uD", bitrate);
    }

    if (layer->width && layer->height) {
        p = ngx_webrtc_sdp_printf(p, end, ",\"width\":%uD,\"height\":%uD",
                                  layer->width, layer->height);
    }

    return ngx_webrtc_sdp_printf(p, end, "}");
}


ngx_int_t
ngx_webrtc_signal_parse_choice(const u_char *p, size_t n,
    ngx_webrtc_signal_choice_t *choice, const char **cause)
{
    json_t      *value;
    const char  *key;

    ngx_memzero(choice, sizeof(ngx_webrtc_signal_choice_t));

    while (n && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
        n--;
    }

    if (n == 0) {
        return NGX_OK;
    }

    choice->message = json_loadb((const char *) p, n, JSON_REJECT_DUPLICATES,
                                 NULL);

    if (!json_is_object((json_t *) choice->message)) {
        *cause = "expected a JSON object";
        ngx_webrtc_signal_choice_free(choice);
        return NGX_DECLINED;
    }

    json_object_foreach(choice->message, key, value) {

        if (ngx_webrtc_signal_choice_member(key, value, choice) != NGX_OK) {
            *cause = "expected strings for \"mediaId\" and \"encodingId\", "
                     "numbers of 0 to 255 for layers, and of 1 to 65535 for "
                     "\"maxWidth\" and \"maxHeight\"";
            ngx_webrtc_signal_choice_free(choice);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* what is not known, or null, is passed over */

static ngx_int_t
ngx_webrtc_signal_choice_member(const char *key, const json_t *value,
    ngx_webrtc_signal_choice_t *choice)
{
    u_char                            *at;
    ngx_str_t                         *text;
    json_int_t                         n;
    const ngx_webrtc_signal_member_t  *m;

    for (m = ngx_webrtc_signal_members; m->key; m++) {
        if (ngx_strcmp(m->key, key) == 0) {
            break;
        }
    }

    if (m->key == NULL || json_is_null(value)) {
        return NGX_OK;
    }

    at = (u_char *) choice + m->at;

    if (m->text) {

        if (!json_is_string(value)) {
            return NGX_DECLINED;
        }

        text = (ngx_str_t *) at;
        text->data = (u_char *) json_string_value(value);
        text->len = json_string_length(value);

        return NGX_OK;
    }

    n = json_is_integer(value) ? json_integer_value(value) : -1;

    if (n < m->least || n > m->most) {
        return NGX_DECLINED;
    }

    *(uint32_t *) at = (uint32_t) (m->least ? n : n + 1);

    return NGX_OK;
}


void
ngx_webrtc_signal_choice_free(ngx_webrtc_signal_choice_t *choice)
{
    if (choice->message) {
        json_decref(choice->message);
        choice->message = NULL;
    }
}


ngx_int_t
ngx_webrtc_signal_choose(const ngx_webrtc_signal_layers_t *l,
    const ngx_webrtc_signal_choice_t *choice, ngx_uint_t *layer)
{
    ngx_uint_t                        i;
    const ngx_webrtc_signal_layer_t  *one;

    if (choice->media.data
        && (choice->media.len != l->mid.len
            || ngx_memcmp(choice->media.data, l->mid.data, l->mid.len) != 0))
    {
        return NGX_DECLINED;
    }

    if (choice->encoding.data) {

        for (i = 0; i < l->n; i++) {
            one = &l->layers[i];

            if (one->name.len == choice->encoding.len
                && ngx_memcmp(one->name.data, choice->encoding.data,
                              one->name.len)
                   == 0)
            {
                *layer = i;
                return NGX_OK;
            }
        }

        return NGX_DECLINED;
    }

    if (choice->max_width == 0 && choice->max_height == 0) {
        return NGX_DONE;
    }

    /* the best one comes first */

    for (i = 0; i + 1 < l->n; i++) {
        one = &l->layers[i];

        if ((choice->max_width == 0 || one->width <= choice->max_width)
            && (choice->max_height == 0 || one->height <= choice->max_height))
        {
            break;
        }
    }

    *layer = i;

    return NGX_OK;
}
