
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Parsers of directives that have no file of their own: the zone, what a
 * location serves, the certificate.
 */


#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_listen.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_webrtc_dtls.h"
#include "ngx_webrtc_playout.h"


static ngx_int_t ngx_http_webrtc_conf_generated(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);


char *
ngx_http_webrtc_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_main_conf_t *wmcf = conf;

    ngx_str_t  *value;

    if (wmcf->zone_name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    wmcf->zone_size = (ssize_t) ngx_parse_offset(&value[2]);

    if (wmcf->zone_size == NGX_ERROR
        || wmcf->zone_size < (ssize_t) NGX_WEBRTC_ZONE_MIN)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of webrtc_zone \"%V\", "
                           "expected at least %uzk, such as \"64m\"",
                           &value[2], &value[1],
                           (size_t) NGX_WEBRTC_ZONE_MIN / 1024);
        return NGX_CONF_ERROR;
    }

    wmcf->zone_name = value[1];

    if (wmcf->where.line == 0) {
        ngx_http_webrtc_check_where(cf, &wmcf->where);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_conf_crypto(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_main_conf_t *wmcf = conf;

    ngx_str_t   *value;
    const char  *why;

    if (wmcf->crypto_name.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    wmcf->crypto_name = value[1];

    if (ngx_strcmp(value[1].data, "auto") == 0) {
        return NGX_CONF_OK;
    }

    wmcf->crypto = ngx_webrtc_srtp_gcm_find((char *) value[1].data);

    if (wmcf->crypto == NULL) {
        why = (ngx_strcmp(value[1].data, "ipsec-mb") == 0)
              ? "the module was built without intel-ipsec-mb"
              : "expected \"auto\", \"openssl\" or \"ipsec-mb\"";

    } else {
        why = wmcf->crypto->usable();
    }

    if (why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_crypto, %s",
                           &value[1], why);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_conf_candidate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_main_conf_t *wmcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_webrtc_candidates_add(cf, &wmcf->candidates, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_conf_stream_name(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_complex_value_t **name,
    ngx_http_handler_pt handler)
{
    ngx_str_t                         *value;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_webrtc_main_conf_t       *wmcf;
    ngx_http_compile_complex_value_t   ccv;

    if (wlcf->live) {
        return "is in a location with \"webrtc_snapshot\", \"webrtc_ts\", "
               "\"webrtc_mp4\" or \"webrtc_hls\"";
    }

    if (*name) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (wlcf->play || wlcf->publish) {
        return "is in a location with the other one of \"webrtc_play\" and "
               "\"webrtc_publish\"";
    }

    if (clcf->handler) {
        return "is in a location whose requests another directive answers, "
               "such as \"proxy_pass\"";
    }

    *name = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*name == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = *name;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if ((*name)->lengths == NULL
        && !ngx_http_webrtc_reason_is_name(&value[1]))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid stream name in %V, expected 1 to %d "
                           "bytes without control characters, such as "
                           "\"cam\" or \"$name\"", &value[0],
                           NGX_WEBRTC_NAME_MAX);
        return NGX_CONF_ERROR;
    }

    wlcf->handler = handler;
    clcf->handler = handler;

    ngx_http_webrtc_check_where(cf, &wlcf->where);

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->used = 1;

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_conf_content(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "is in a location whose requests another directive answers, "
               "such as \"proxy_pass\" or \"webrtc_play\"";
    }

    wlcf->handler = handler;
    clcf->handler = handler;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->used = 1;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_conf_open(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    if (wmcf->zone_name.len == 0) {
        ngx_str_set(&wmcf->zone_name, NGX_HTTP_WEBRTC_ZONE);
        wmcf->zone_size = NGX_HTTP_WEBRTC_ZONE_SIZE;
    }

    wmcf->bus = ngx_webrtc_bus_add(cf, &wmcf->zone_name, wmcf->zone_size,
                                   &ngx_http_webrtc_module);
    if (wmcf->bus == NULL) {
        return NGX_ERROR;
    }

    wmcf->bus->max_variants = wmcf->max_transcodes;

    return ngx_http_webrtc_listen_open(cf, wmcf);
}


ngx_int_t
ngx_http_webrtc_conf_certificate(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    u_char      *p;
    const char  *err;

    if (wmcf->certificate.len) {

        if (ngx_conf_full_name(cf->cycle, &wmcf->certificate, 1) != NGX_OK
            || ngx_conf_full_name(cf->cycle, &wmcf->certificate_key, 1)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        wmcf->dtls = ngx_webrtc_dtls_conf_files(cf->pool,
                                         (char *) wmcf->certificate.data,
                                         (char *) wmcf->certificate_key.data,
                                         NULL, &err);

    } else {

        if (ngx_http_webrtc_conf_generated(cf, wmcf) != NGX_OK) {
            return NGX_ERROR;
        }

        wmcf->dtls = ngx_webrtc_dtls_conf_create(cf->pool, &wmcf->pem, NULL,
                                                 NULL, &err);
    }

    if (wmcf->dtls == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "webrtc_certificate \"%V\" with key \"%V\": %s",
                      &wmcf->certificate, &wmcf->certificate_key, err);
        return NGX_ERROR;
    }

    wmcf->fingerprint.len = sizeof("sha-256 ") - 1
                            + NGX_WEBRTC_CERTIFICATES_FINGERPRINT;

    p = ngx_pnalloc(cf->pool, wmcf->fingerprint.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    wmcf->fingerprint.data = p;

    p = ngx_cpymem(p, "sha-256 ", sizeof("sha-256 ") - 1);
    ngx_memcpy(p, wmcf->dtls->fingerprint, NGX_WEBRTC_CERTIFICATES_FINGERPRINT);

    return NGX_OK;
}


/* the certificate of the previous cycle, or a new one */

static ngx_int_t
ngx_http_webrtc_conf_generated(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i;
    ngx_cycle_t                  *old;
    ngx_http_webrtc_main_conf_t  *owmcf;

    wmcf->pem.data = ngx_pnalloc(cf->pool, NGX_WEBRTC_CERTIFICATES_PEM);
    if (wmcf->pem.data == NULL) {
        return NGX_ERROR;
    }

    old = cf->cycle->old_cycle;

    for (i = 0; old && !ngx_is_init_cycle(old) && old->modules[i]; i++) {

        if (old->modules[i] != &ngx_http_webrtc_module) {
            continue;
        }

        owmcf = ngx_http_cycle_get_module_main_conf(old,
                                                    ngx_http_webrtc_module);

        if (owmcf && owmcf->pem.len) {
            wmcf->pem.len = owmcf->pem.len;
            ngx_memcpy(wmcf->pem.data, owmcf->pem.data, owmcf->pem.len);
            return NGX_OK;
        }
    }

    if (ngx_webrtc_certificates_generate(ngx_time(), wmcf->pem.data,
                                         &wmcf->pem.len)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "webrtc certificate could not be made");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_webrtc_conf_inherit(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->noname || clcf->handler) {
        return;
    }

    /* one of these, or nothing */

    conf->play = prev->play;
    conf->publish = prev->publish;
    conf->live = prev->live;
    conf->status = prev->status;
    conf->status_control = prev->status_control;
    conf->metrics_streams = prev->metrics_streams;

    conf->handler = prev->handler;
    clcf->handler = prev->handler;
}


/* "off", or bits per second and burst */

char *
ngx_http_webrtc_conf_pacing(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    off_t       rate;
    ssize_t     burst;
    ngx_str_t  *value, text;

    if (wlcf->policy.pacing_rate != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    burst = NGX_HTTP_WEBRTC_PACING_BURST;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->policy.pacing_rate = 0;
        wlcf->policy.pacing_burst = burst;
        return NGX_CONF_OK;
    }

    rate = ngx_parse_offset(&value[1]);

    if (rate < NGX_HTTP_WEBRTC_PACING_LEAST
        || rate > NGX_HTTP_WEBRTC_PACING_MOST)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rate \"%V\" in webrtc_pacing, expected "
                           "\"off\" or bits per second from 64k to 16g, such "
                           "as \"80m\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        text = value[2];

        if (ngx_strncmp(text.data, "burst=", 6) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in webrtc_pacing, "
                               "expected \"burst=size\"", &text);
            return NGX_CONF_ERROR;
        }

        text.data += 6;
        text.len -= 6;

        burst = ngx_parse_size(&text);

        if (burst < NGX_HTTP_WEBRTC_PACING_ONE
            || burst > NGX_HTTP_WEBRTC_PACING_ALL)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid burst \"%V\" in webrtc_pacing, "
                               "expected a size from 4k to 1024m", &text);
            return NGX_CONF_ERROR;
        }
    }

    wlcf->policy.pacing_rate = rate;
    wlcf->policy.pacing_burst = (size_t) burst;

    return NGX_CONF_OK;
}


/* "pass", "off", or the least and the most */

char *
ngx_http_webrtc_conf_playout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_int_t    ms[2];
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (wlcf->playout != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "pass") == 0) {
        wlcf->playout = 0;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->playout = NGX_HTTP_WEBRTC_PLAYOUT_OFF;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_playout_delay, "
                           "expected \"pass\", \"off\", or the least and the "
                           "most, such as \"0 400ms\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < 2; i++) {

        ms[i] = ngx_parse_time(&value[1 + i], 0);

        if (ms[i] == NGX_ERROR || ms[i] > NGX_WEBRTC_PLAYOUT_MOST) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid time \"%V\" in webrtc_playout_delay, "
                               "expected one from 0 to %dms, such as \"400ms\"",
                               &value[1 + i], NGX_WEBRTC_PLAYOUT_MOST);
            return NGX_CONF_ERROR;
        }
    }

    if (ms[0] > ms[1]) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid values in webrtc_playout_delay, expected "
                           "the least, then the most, such as \"0 400ms\"");
        return NGX_CONF_ERROR;
    }

    wlcf->playout = ngx_webrtc_playout(ms[0], ms[1]);

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_conf_merge_buffer(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_uint_t  here;

    here = (conf->policy.buffer_max != NGX_CONF_UNSET_SIZE
            || (conf->policy.buffer == NGX_CONF_UNSET_SIZE
                && prev->policy.buffer_max != NGX_CONF_UNSET_SIZE));

    ngx_conf_merge_size_value(conf->policy.buffer, prev->policy.buffer,
                              NGX_HTTP_WEBRTC_BUFFER);
    ngx_conf_merge_size_value(conf->policy.buffer_max, prev->policy.buffer_max,
                              NGX_HTTP_WEBRTC_BUFFER_MAX);

    if (here && conf->policy.buffer_max < conf->policy.buffer) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"webrtc_buffer_max\" must not be less than "
                           "\"webrtc_buffer\", which is %uzk here",
                           conf->policy.buffer / 1024);
        return NGX_ERROR;
    }

    /* an inherited one is raised */

    conf->policy.buffer_max = ngx_max(conf->policy.buffer_max,
                                      conf->policy.buffer);

    return NGX_OK;
}
