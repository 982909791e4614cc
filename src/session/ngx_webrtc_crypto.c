
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which library encrypts: by a measurement, as it depends on the processor and
 * on the versions of both.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_crypto.h"
#include "ngx_webrtc_time.h"


/* packets that are encrypted at a time, and how often; the shortest time
 * counts, as another process may have had the processor; chosen: half a
 * millisecond in all, and the clock has microseconds */
#define NGX_WEBRTC_CRYPTO_PACKETS   200
#define NGX_WEBRTC_CRYPTO_TIMES     5


static uint64_t ngx_webrtc_crypto_time(const ngx_webrtc_srtp_gcm_t *gcm);


void
ngx_webrtc_crypto_choose(const ngx_webrtc_srtp_gcm_t *gcm, ngx_log_t *log)
{
    uint64_t                      ns, best;
    ngx_uint_t                    i;
    const ngx_webrtc_srtp_gcm_t  *row;

    best = gcm ? ngx_webrtc_crypto_time(gcm) : (uint64_t) -1;

    for (i = 0; !gcm && (row = ngx_webrtc_srtp_gcm_row(i)) != NULL; i++) {

        if (row->usable() != NULL) {
            continue;
        }

        ns = ngx_webrtc_crypto_time(row);

        if (ns < best) {
            best = ns;
            ngx_webrtc_srtp_gcm_use(row);
        }
    }

    gcm = ngx_webrtc_srtp_gcm_use(gcm);

    ngx_log_error(NGX_LOG_INFO, log, 0,
                  "webrtc encrypts with %s, a packet takes %uL ns", gcm->name,
                  best);
}


/* ns that a packet takes; -1: it failed */

static uint64_t
ngx_webrtc_crypto_time(const ngx_webrtc_srtp_gcm_t *gcm)
{
    uint64_t    us, best;
    ngx_uint_t  i;

    best = (uint64_t) -1;

    for (i = 0; i < NGX_WEBRTC_CRYPTO_TIMES; i++) {

        us = ngx_webrtc_time_now();

        if (ngx_webrtc_srtp_gcm_run(gcm, NGX_WEBRTC_CRYPTO_PACKETS) != NGX_OK) {
            return (uint64_t) -1;
        }

        us = ngx_webrtc_time_now() - us;

        best = ngx_min(best, us * 1000 / NGX_WEBRTC_CRYPTO_PACKETS);
    }

    return best;
}
