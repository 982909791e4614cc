
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which stream of its family an offer is answered with: the stream, or a
 * variant whose video is encoded anew, automatically or as "?layer=" has asked.
 * A layer that the publisher sends is what its session begins with, or goes to:
 * it is answered as the stream is.
 */


#ifndef _NGX_HTTP_WEBRTC_LAYER_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_LAYER_H_INCLUDED_


#include "ngx_http_webrtc.h"
#include "ngx_webrtc_choice.h"
#include "ngx_webrtc_negotiate.h"
#include "ngx_webrtc_viewer.h"


/* of an offer */
typedef struct {
    ngx_webrtc_variant_t         how;
    ngx_webrtc_choice_viewer_t   viewer;
    ngx_webrtc_stream_t         *st;         /* held and watched; NULL: it is
                                                the stream itself */
    ngx_str_t                    rid;        /* that may be the publisher's; to
                                                be looked for */
} ngx_http_webrtc_layer_t;


/*
 * Sets up what the client may get, by its offer and by "?layer=".
 *
 * NGX_OK; otherwise a result as in ngx_http_webrtc_resource.h
 */
ngx_int_t ngx_http_webrtc_layer_find(ngx_http_request_t *r,
    const ngx_webrtc_sdp_t *sdp, ngx_http_webrtc_layer_t *layer);

/*
 * Decides, and sees to it that a variant is made.
 *
 *   st   live
 *
 * NGX_OK     it is the stream, or layer->st, which is live
 * NGX_AGAIN  layer->st will be: call it again when that or st has news, and in
 *            each tick
 * otherwise as above
 */
ngx_int_t ngx_http_webrtc_layer_ready(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_layer_t *layer);

/* A rendition of a location, with what it does not say itself. */
ngx_webrtc_variant_t ngx_http_webrtc_layer_rendition(
    ngx_http_webrtc_loc_conf_t *wlcf, const ngx_webrtc_variant_t *rendition);

/*
 * For the role of viewers (ngx_webrtc_viewer_conf_t): the layers of a location,
 * good as long as this process serves it.
 */
ngx_int_t ngx_http_webrtc_layer_family(uint32_t location,
    ngx_webrtc_viewer_family_conf_t *conf);

/*
 * For the negotiation: the tracks are those of the layer, the codec that a
 * variant would have is among the alternatives, and where a viewer's bandwidth
 * matters it is asked to report of it.
 *
 *   policy    of the negotiation
 *   session   of the slot
 */
void ngx_http_webrtc_layer_policy(ngx_http_request_t *r,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_layer_t *layer,
    ngx_webrtc_negotiate_policy_t *policy, ngx_webrtc_policy_t *session);

/* The client has been answered, and may connect until then. */
void ngx_http_webrtc_layer_keep(ngx_http_webrtc_layer_t *layer,
    uint64_t until_ms);

/* May be called twice. */
void ngx_http_webrtc_layer_release(ngx_http_webrtc_layer_t *layer);

/*
 * Codecs that a stream's publisher may change to, as far as is known here: bits
 * 1 << NGX_WEBRTC_CODEC_*.
 */
ngx_uint_t ngx_http_webrtc_layer_alternatives(
    ngx_http_webrtc_loc_conf_t *wlcf);


#endif /* _NGX_HTTP_WEBRTC_LAYER_H_INCLUDED_ */
