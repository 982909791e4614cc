
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * How many packets of sound are repeated: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_repeat.h>


/*
 * Of 256: mean loss from which one is repeated, and two; and below which none
 * is any more, for so many ms.  Chosen: from 3 % on receivers' own concealment
 * is heard; with 8 % two in a row are lost every few seconds
 */
#define NGX_WEBRTC_REPEAT_ONE    8
#define NGX_WEBRTC_REPEAT_TWO    20
#define NGX_WEBRTC_REPEAT_NONE   3
#define NGX_WEBRTC_REPEAT_CALM   10000

/* of the mean */
#define NGX_WEBRTC_REPEAT_SCALE  16


ngx_uint_t
ngx_webrtc_repeat(ngx_webrtc_repeat_t *r, ngx_uint_t fraction, uint64_t now_ms)
{
    ngx_uint_t  loss, want;

    /* the mean goes half of the way */

    loss = ngx_min(fraction, 255) * NGX_WEBRTC_REPEAT_SCALE;
    r->loss = (uint16_t) ((r->loss + loss) / 2);

    loss = r->loss / NGX_WEBRTC_REPEAT_SCALE;

    want = (loss >= NGX_WEBRTC_REPEAT_ONE) + (loss >= NGX_WEBRTC_REPEAT_TWO);

    if (want > r->n) {
        r->n = (uint8_t) want;
    }

    if (loss >= NGX_WEBRTC_REPEAT_NONE) {
        r->calm_ms = 0;

    } else if (r->calm_ms == 0) {
        r->calm_ms = now_ms;

    } else if (now_ms - r->calm_ms >= NGX_WEBRTC_REPEAT_CALM) {
        r->n = 0;
    }

    return r->n;
}
