
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_hls": its configuration, and which streams segments are made of when
 * nobody has just asked: those of "on=always", and those that a worker has
 * left.
 */


#include "ngx_http_webrtc_hls.h"
#include "ngx_http_webrtc_hls_get.h"
#include "ngx_http_webrtc_hls_want.h"
#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_webrtc_codecs.h"
#include "ngx_webrtc_hls_sweep.h"
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


#define NGX_HTTP_WEBRTC_HLS_SEGMENT  2000
#define NGX_HTTP_WEBRTC_HLS_PART     500
#define NGX_HTTP_WEBRTC_HLS_WINDOW   30000

/* bounds, ms; a segment's file has offsets of 32 bits, and is in memory */
#define NGX_HTTP_WEBRTC_HLS_SEGMENT_MIN  1000
#define NGX_HTTP_WEBRTC_HLS_SEGMENT_MAX  30000
#define NGX_HTTP_WEBRTC_HLS_PART_MIN     100
#define NGX_HTTP_WEBRTC_HLS_WINDOW_MAX   (4 * 3600 * 1000)

/* ms for which a channel that nobody makes is looked for somebody to make it */
#define NGX_HTTP_WEBRTC_HLS_ORPHAN       30000

/* ms between two looks for what an nginx before has left */
#define NGX_HTTP_WEBRTC_HLS_SWEEP        300000


#define ngx_http_webrtc_hls_bit(codec)                                        \
    ((uint32_t) 1 << NGX_WEBRTC_CODEC_##codec)


static char *ngx_http_webrtc_hls_option(ngx_conf_t *cf,
    ngx_http_webrtc_hls_t *hls, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_hls_time(u_char *p, ngx_int_t least,
    ngx_int_t most, uint32_t *ms);
static char *ngx_http_webrtc_hls_check(ngx_conf_t *cf,
    ngx_http_webrtc_hls_t *hls);
static void ngx_http_webrtc_hls_orphans(ngx_http_webrtc_main_conf_t *wmcf);
static void ngx_http_webrtc_hls_always(ngx_http_webrtc_main_conf_t *wmcf);
static ngx_int_t ngx_http_webrtc_hls_named(ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_str_t *name);


/* of this process */

static ngx_msec_t  ngx_http_webrtc_hls_swept;


char *
ngx_http_webrtc_hls_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char                         *rv;
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_file_info_t               fi;
    ngx_http_webrtc_hls_t        *hls;
    ngx_http_webrtc_main_conf_t  *wmcf;

    rv = ngx_http_webrtc_live_conf(cf, cmd, wlcf, ngx_http_webrtc_hls_handler);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    hls = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_hls_t));
    if (hls == NULL) {
        return NGX_CONF_ERROR;
    }

    wlcf->live->hls = hls;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    wmcf->hls = 1;

    value = cf->args->elts;

    hls->conf.codecs = ngx_http_webrtc_hls_bit(H264)
                       |ngx_http_webrtc_hls_bit(H265)
                       |ngx_http_webrtc_hls_bit(VP9)
                       |ngx_http_webrtc_hls_bit(AV1);
    hls->conf.params.segment = NGX_HTTP_WEBRTC_HLS_SEGMENT;
    hls->conf.params.part = NGX_HTTP_WEBRTC_HLS_PART;
    hls->conf.params.window = NGX_HTTP_WEBRTC_HLS_WINDOW;

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_http_webrtc_hls_option(cf, hls, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    hls->conf.root = value[2];

    if (ngx_conf_full_name(cf->cycle, &hls->conf.root, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(hls->conf.root.data, &fi) == NGX_FILE_ERROR
        || !ngx_is_dir(&fi))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in webrtc_hls, expected a "
                           "directory that exists, such as \"/dev/shm/hls\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)

    /* the default pool, added unless it is configured */

    hls->conf.pool = ngx_thread_pool_add(cf, NULL);

    if (hls->conf.pool == NULL) {
        return NGX_CONF_ERROR;
    }

#endif

    return ngx_http_webrtc_hls_check(cf, hls);
}


static char *
ngx_http_webrtc_hls_option(ngx_conf_t *cf, ngx_http_webrtc_hls_t *hls,
    ngx_str_t *value)
{
    ngx_webrtc_hls_params_t  *params;

    params = &hls->conf.params;

    if (ngx_strncmp(value->data, "segment=", 8) == 0) {

        if (ngx_http_webrtc_hls_time(value->data + 8,
                                     NGX_HTTP_WEBRTC_HLS_SEGMENT_MIN,
                                     NGX_HTTP_WEBRTC_HLS_SEGMENT_MAX,
                                     &params->segment)
            == NGX_OK)
        {
            return NGX_CONF_OK;
        }

    } else if (ngx_strcmp(value->data, "part=off") == 0) {
        params->part = 0;
        return NGX_CONF_OK;

    } else if (ngx_strncmp(value->data, "part=", 5) == 0) {

        if (ngx_http_webrtc_hls_time(value->data + 5,
                                     NGX_HTTP_WEBRTC_HLS_PART_MIN,
                                     NGX_HTTP_WEBRTC_HLS_SEGMENT_MAX,
                                     &params->part)
            == NGX_OK)
        {
            return NGX_CONF_OK;
        }

    } else if (ngx_strncmp(value->data, "window=", 7) == 0) {

        if (ngx_http_webrtc_hls_time(value->data + 7, 1,
                                     NGX_HTTP_WEBRTC_HLS_WINDOW_MAX,
                                     &params->window)
            == NGX_OK)
        {
            return NGX_CONF_OK;
        }

    } else if (ngx_strcmp(value->data, "on=always") == 0) {
        hls->always = 1;
        return NGX_CONF_OK;

    } else if (ngx_strcmp(value->data, "on=demand") == 0) {
        hls->always = 0;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in webrtc_hls, expected "
                       "\"segment=\" and a time from \"1s\" to \"30s\", "
                       "\"part=\" and a time from \"100ms\" on, or "
                       "\"part=off\", \"window=\" and a time up to \"4h\", "
                       "\"on=demand\" or \"on=always\"", value);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_webrtc_hls_time(u_char *p, ngx_int_t least, ngx_int_t most,
    uint32_t *ms)
{
    ngx_int_t  n;
    ngx_str_t  v;

    v.data = p;
    v.len = ngx_strlen(p);

    n = ngx_parse_time(&v, 0);

    if (n < least || n > most) {
        return NGX_DECLINED;
    }

    *ms = (uint32_t) n;

    return NGX_OK;
}


/* what only shows when all options have been read */

static char *
ngx_http_webrtc_hls_check(ngx_conf_t *cf, ngx_http_webrtc_hls_t *hls)
{
    ngx_webrtc_hls_params_t  *params;

    params = &hls->conf.params;

    if (params->part > params->segment / 2
        || (params->part && params->segment / params->part > 30))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"part=\" in webrtc_hls, expected two to "
                           "thirty parts of a segment, which is %uD ms",
                           params->segment);
        return NGX_CONF_ERROR;
    }

    if (params->window < 3 * params->segment) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"window=\" in webrtc_hls, expected no "
                           "less than three segments, which are %uD ms",
                           3 * params->segment);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void
ngx_http_webrtc_hls_init(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i;
    ngx_http_webrtc_loc_conf_t  **wlcf;

    if (!wmcf->hls || ngx_worker != 0) {
        return;
    }

    ngx_http_webrtc_hls_swept = ngx_current_msec;

    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        if (wlcf[i]->live && wlcf[i]->live->hls) {
            ngx_webrtc_hls_sweep(ngx_http_webrtc_worker->bus,
                                 &wlcf[i]->live->hls->conf,
                                 ngx_http_webrtc_worker->log);
        }
    }
}


void
ngx_http_webrtc_hls_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    if (!wmcf->hls) {
        return;
    }

    ngx_http_webrtc_hls_get_tick();

    if (!ngx_exiting) {
        ngx_http_webrtc_hls_orphans(wmcf);
        ngx_http_webrtc_hls_always(wmcf);

        if (ngx_current_msec - ngx_http_webrtc_hls_swept
            >= NGX_HTTP_WEBRTC_HLS_SWEEP)
        {
            ngx_http_webrtc_hls_init(wmcf);
        }
    }

    ngx_webrtc_hlss_tick();
}


/* channels whose worker has gone */

static void
ngx_http_webrtc_hls_orphans(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                   n, recent;
    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_hls_entry_t       entry;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    bus = ngx_http_webrtc_worker->bus;

    for (n = 0; ngx_webrtc_bus_hls_next(bus, n, &entry) == NGX_OK; n++) {

        if (entry.owned) {
            continue;
        }

        wlcf = ngx_http_webrtc_own_location(wmcf, entry.id);

        if (wlcf && wlcf->live && wlcf->live->hls) {

            recent = (int64_t) ((uint64_t) ngx_current_msec - entry.wanted_ms)
                     < NGX_HTTP_WEBRTC_HLS_ORPHAN;

            if (((recent || wlcf->live->hls->always)
                 && ngx_http_webrtc_hls_named(wlcf, &entry.name) == NGX_OK)
                || recent)
            {
                continue;
            }

            wlcf->live->hls->conf.id = wlcf->location;

            ngx_webrtc_hls_drop(bus, &entry.name, &wlcf->live->hls->conf,
                                ngx_http_webrtc_worker->log);
            continue;
        }

        ngx_webrtc_bus_hls_drop(bus, &entry.name, entry.id);
    }
}


/* NGX_OK; NGX_DECLINED: there is no such stream */

static ngx_int_t
ngx_http_webrtc_hls_named(ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *name)
{
    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = ngx_http_webrtc_worker->bus;

    st = ngx_webrtc_bus_stream(bus, name, wlcf->policy.buffer, 0);

    if (st == NULL) {
        return NGX_DECLINED;
    }

    (void) ngx_http_webrtc_hls_want(wlcf, st);
    ngx_webrtc_bus_release(bus, st);

    return NGX_OK;
}


/* a name with variables may be that of any stream */

static void
ngx_http_webrtc_hls_always(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i, cursor;
    ngx_webrtc_bus_t             *bus;
    ngx_webrtc_stream_t          *st;
    ngx_webrtc_stream_info_t      info;
    ngx_http_webrtc_loc_conf_t  **wlcf;

    bus = ngx_http_webrtc_worker->bus;
    wlcf = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        if (wlcf[i]->live == NULL || wlcf[i]->live->hls == NULL
            || !wlcf[i]->live->hls->always)
        {
            continue;
        }

        cursor = 0;

        while (ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {

            if (info.claim_kind == 0
                || info.claim_worker != bus->worker
                || info.parent
                || info.state != NGX_WEBRTC_STREAM_ACTIVE
                || (wlcf[i]->play->lengths == NULL
                    && (wlcf[i]->play->value.len != info.name_len
                        || ngx_memcmp(wlcf[i]->play->value.data, info.name,
                                      info.name_len)
                           != 0)))
            {
                continue;
            }

            st = ngx_webrtc_bus_stream_ref(bus, info.ref);

            if (st) {
                (void) ngx_http_webrtc_hls_want(wlcf[i], st);
                ngx_webrtc_bus_release(bus, st);
            }
        }
    }
}


void
ngx_http_webrtc_hls_exit(void)
{
    ngx_http_webrtc_hls_get_exit();
}
