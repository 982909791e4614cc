
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which library encrypts: by a measurement, as it depends on the processor and
 * on the versions of both.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_crypto.h"
#include "ngx_webrtc_srtp.h"
#include "ngx_webrtc_time.h"


/* packets that are encrypted at a time, and how often; the shortest time
 * counts, as another process may have had the processor; chosen: two
 * milliseconds in all, and the clock has microseconds */
#define NGX_WEBRTC_CRYPTO_PACKETS   200
#define NGX_WEBRTC_CRYPTO_TIMES     5

/* bytes of the header and of the payload of a packet of AES_CM, and how many
 * are encrypted side by side; chosen: a frame to a few viewers */
#define NGX_WEBRTC_CRYPTO_HEADER    20
#define NGX_WEBRTC_CRYPTO_PAYLOAD   1140
#define NGX_WEBRTC_CRYPTO_BATCH     40
#define NGX_WEBRTC_CRYPTO_ROOM      1280


static uint64_t ngx_webrtc_crypto_time(const ngx_webrtc_srtp_gcm_t *gcm);
static uint64_t ngx_webrtc_crypto_batch(ngx_uint_t on, u_char *p,
    ngx_log_t *log);
static ngx_int_t ngx_webrtc_crypto_batch_run(ngx_webrtc_srtp_out_t *out,
    u_char *p, uint64_t index);


void
ngx_webrtc_crypto_choose(const ngx_webrtc_srtp_gcm_t *gcm, ngx_log_t *log)
{
    u_char                       *p;
    uint64_t                      ns, best, each, batched;
    ngx_uint_t                    i, on;
    const ngx_webrtc_srtp_gcm_t  *row, *wanted;

    wanted = gcm;

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

    /* AES_CM: one by one by OpenSSL, or side by side by intel-ipsec-mb */

    p = ngx_alloc(NGX_WEBRTC_CRYPTO_BATCH * NGX_WEBRTC_CRYPTO_ROOM, log);
    if (p == NULL) {
        return;
    }

    each = ngx_webrtc_crypto_batch(0, p, log);
    batched = ngx_webrtc_crypto_batch(1, p, log);

    on = wanted ? wanted != ngx_webrtc_srtp_gcm_row(0) : batched < each;

    ngx_webrtc_srtp_batch(on);

    ngx_free(p);

    ngx_log_error(NGX_LOG_INFO, log, 0,
                  "webrtc encrypts with %s, a packet takes %uL ns; AES_CM "
                  "%s, a packet takes %uL ns", gcm->name, best,
                  on ? "side by side" : "one by one", on ? batched : each);
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


/* the same for AES_CM; on: by contexts of ngx_webrtc_srtp_batch() */

static uint64_t
ngx_webrtc_crypto_batch(ngx_uint_t on, u_char *p, ngx_log_t *log)
{
    uint64_t                us, best, index;
    ngx_uint_t              i;
    ngx_webrtc_srtp_key_t   key;
    ngx_webrtc_srtp_out_t  *out;

    best = (uint64_t) -1;

    out = ngx_alloc(sizeof(ngx_webrtc_srtp_out_t), log);
    if (out == NULL) {
        return best;
    }

    ngx_memzero(&key, sizeof(ngx_webrtc_srtp_key_t));
    key.profile = NGX_WEBRTC_SRTP_AES128_CM_SHA1_80;

    ngx_memzero(p, NGX_WEBRTC_CRYPTO_BATCH * NGX_WEBRTC_CRYPTO_ROOM);

    ngx_webrtc_srtp_batch(on);

    if (ngx_webrtc_srtp_out_init(out, &key) != NGX_OK) {
        goto done;
    }

    if (on && !ngx_webrtc_srtp_batched(out)) {
        goto cleanup;
    }

    index = 0;

    for (i = 0; i < NGX_WEBRTC_CRYPTO_TIMES; i++) {

        us = ngx_webrtc_time_now();

        for ( /* void */ ;
             index < (i + 1) * NGX_WEBRTC_CRYPTO_PACKETS;
             index += NGX_WEBRTC_CRYPTO_BATCH)
        {
            if (ngx_webrtc_crypto_batch_run(out, p, index) != NGX_OK) {
                best = (uint64_t) -1;
                goto cleanup;
            }
        }

        us = ngx_webrtc_time_now() - us;

        best = ngx_min(best, us * 1000 / NGX_WEBRTC_CRYPTO_PACKETS);
    }

cleanup:

    ngx_webrtc_srtp_out_cleanup(out);

done:

    ngx_free(out);

    return best;
}


static ngx_int_t
ngx_webrtc_crypto_batch_run(ngx_webrtc_srtp_out_t *out, u_char *p,
    uint64_t index)
{
    size_t      n;
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_CRYPTO_BATCH; i++) {

        n = NGX_WEBRTC_CRYPTO_ROOM;

        rc = ngx_webrtc_srtp_protect_later(out, index + i, p,
                                           NGX_WEBRTC_CRYPTO_HEADER,
                                           NGX_WEBRTC_CRYPTO_PAYLOAD, &n);
        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        p += NGX_WEBRTC_CRYPTO_ROOM;
    }

    ngx_webrtc_srtp_finish();

    return NGX_OK;
}
