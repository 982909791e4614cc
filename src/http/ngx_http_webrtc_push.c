
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_push".  A push has no request.  Variables are evaluated in that of
 * the publisher, when its offer is answered, and kept with its session; for
 * streams that nobody publishes, in one of the module's own.
 */


#include "ngx_http_webrtc_push.h"
#include "ngx_http_webrtc_outlets.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_push_whip.h"
#include "ngx_webrtc_bus_push.h"
#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_target.h"


/* one "webrtc_push" */
typedef struct {
    ngx_webrtc_push_conf_t        conf;
    ngx_http_webrtc_main_conf_t  *wmcf;
    ngx_http_complex_value_t      url;
    ngx_str_t                     prefix;    /* literal part */
    ngx_http_webrtc_whip_client_conf_t  whip;
    ngx_uint_t                    n;         /* in its location, from 0 */
    unsigned                      constant:1;
    unsigned                      always:1;
} ngx_http_webrtc_push_t;


static ngx_int_t ngx_http_webrtc_push_url_conf(ngx_conf_t *cf,
    ngx_http_webrtc_push_t *hp, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_push_option(ngx_conf_t *cf,
    ngx_http_webrtc_push_t *hp, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_push_token_conf(ngx_conf_t *cf,
    ngx_http_webrtc_push_t *hp, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_push_scheme(ngx_conf_t *cf,
    ngx_http_webrtc_push_t *hp);
static ngx_uint_t ngx_http_webrtc_push_is_whip(ngx_http_webrtc_push_t *hp);
static ngx_uint_t ngx_http_webrtc_push_varies(ngx_http_webrtc_push_t *hp);
static ngx_int_t ngx_http_webrtc_push_text(ngx_http_request_t *r,
    ngx_http_webrtc_push_t *hp, ngx_str_t *text);
static void ngx_http_webrtc_push_of(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st);
static ngx_http_webrtc_loc_conf_t *ngx_http_webrtc_push_location(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_webrtc_stream_t *st);
static uint32_t ngx_http_webrtc_push_id(ngx_http_webrtc_loc_conf_t *wlcf);
static size_t ngx_http_webrtc_push_url(void *ctx, ngx_webrtc_stream_t *st,
    u_char *buf, const char **cause);
static size_t ngx_http_webrtc_push_token(void *ctx, ngx_webrtc_stream_t *st,
    u_char *buf);
static size_t ngx_http_webrtc_push_kept(ngx_http_webrtc_push_t *hp,
    ngx_webrtc_stream_t *st, u_char *buf, size_t max);
static size_t ngx_http_webrtc_push_evaluate(ngx_http_webrtc_push_t *hp,
    ngx_webrtc_stream_t *st, ngx_http_complex_value_t *value, u_char *buf);


char *
ngx_http_webrtc_push_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    uint32_t                  crc;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_webrtc_push_t   *hp, **slot;

    value = cf->args->elts;

    if (wlcf->pushes == NULL) {
        wlcf->pushes = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_webrtc_push_t *));
        if (wlcf->pushes == NULL) {
            return NGX_CONF_ERROR;
        }

        if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
            return NGX_CONF_OK;
        }

    } else if (wlcf->pushes->nelts == 0
               || (cf->args->nelts == 2
                   && ngx_strcmp(value[1].data, "off") == 0))
    {
        return "is in a block with \"webrtc_push off\"";
    }

    if (wlcf->pushes->nelts == NGX_WEBRTC_PUSHES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many webrtc_push directives, expected at most "
                           "%d in a block", NGX_WEBRTC_PUSHES);
        return NGX_CONF_ERROR;
    }

    hp = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_push_t));
    slot = ngx_array_push(wlcf->pushes);

    if (hp == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = hp;

    hp->n = wlcf->pushes->nelts - 1;
    hp->wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    hp->wmcf->pushes = 1;
    hp->always = 1;
    hp->conf.verify = 1;

    if (ngx_http_webrtc_push_url_conf(cf, hp, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_webrtc_push_option(cf, hp, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_webrtc_push_scheme(cf, hp) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* the place counts: the same URL twice is two targets */

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, (u_char *) &hp->n, sizeof(ngx_uint_t));

    for (i = 1; i < cf->args->nelts; i++) {
        ngx_crc32_update(&crc, value[i].data, value[i].len + 1);
    }

    ngx_crc32_final(crc);

    hp->conf.id = crc;
    hp->conf.url = ngx_http_webrtc_push_url;
    hp->conf.ctx = hp;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_push_url_conf(ngx_conf_t *cf, ngx_http_webrtc_push_t *hp,
    ngx_str_t *value)
{
    u_char                            *p, text[NGX_WEBRTC_PUSH_URL];
    const char                        *cause;
    ngx_http_compile_complex_value_t   ccv;

    p = ngx_strlchr(value->data, value->data + value->len, '$');

    hp->prefix.data = value->data;
    hp->prefix.len = p ? (size_t) (p - value->data) : value->len;
    hp->constant = (p == NULL);

    cause = "too long";

    if (value->len >= NGX_WEBRTC_PUSH_URL
        || ngx_webrtc_target_check_prefix(&hp->prefix, hp->constant, &cause)
           != NGX_OK)
    {
        p = ngx_webrtc_source_mask_url(text, text + sizeof(text), value, NULL);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL \"%*s\" in webrtc_push: %s, expected "
                           "\"off\", or a URL of \"rtmp\", \"rtmps\", \"srt\", "
                           "\"udp\", \"tcp\", \"rtsp\", \"rtsps\", \"whip\" or "
                           "\"whips\", such as "
                           "\"rtmp://live.example.com/app/$webrtc_stream\"",
                           (size_t) (p - text), text, cause);
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = &hp->url;

    return ngx_http_compile_complex_value(&ccv);
}


static ngx_int_t
ngx_http_webrtc_push_option(ngx_conf_t *cf, ngx_http_webrtc_push_t *hp,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "on=always") == 0) {
        hp->always = 1;

    } else if (ngx_strcmp(value->data, "on=demand") == 0) {
        hp->always = 0;

    } else if (ngx_strcmp(value->data, "verify=on") == 0) {
        hp->conf.verify = 1;

    } else if (ngx_strcmp(value->data, "verify=off") == 0) {
        hp->conf.verify = 0;

    } else if (value->len > 6 && ngx_strncmp(value->data, "token=", 6) == 0) {
        return ngx_http_webrtc_push_token_conf(cf, hp, value);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in webrtc_push, expected "
                           "\"on=always\", \"on=demand\", \"verify=on\", "
                           "\"verify=off\" or \"token=word\"", value);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_push_token_conf(ngx_conf_t *cf, ngx_http_webrtc_push_t *hp,
    ngx_str_t *value)
{
    ngx_str_t                         *token;
    ngx_http_compile_complex_value_t   ccv;

    token = ngx_palloc(cf->pool, sizeof(ngx_str_t));
    hp->whip.token = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));

    if (token == NULL || hp->whip.token == NULL) {
        return NGX_ERROR;
    }

    token->data = value->data + 6;
    token->len = value->len - 6;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = token;
    ccv.complex_value = hp->whip.token;

    return ngx_http_compile_complex_value(&ccv);
}


/* what its scheme needs, once all parameters are known */

static ngx_int_t
ngx_http_webrtc_push_scheme(ngx_conf_t *cf, ngx_http_webrtc_push_t *hp)
{
    if (ngx_http_webrtc_push_is_whip(hp)) {
        hp->whip.evaluate = ngx_http_webrtc_push_token;
        return ngx_http_webrtc_whip_client_conf(cf, &hp->prefix,
                                                hp->conf.verify, &hp->whip);
    }

    if (hp->whip.token) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"token=\" in webrtc_push is of \"whip\" and "
                           "\"whips\" only, expected a URL such as "
                           "\"whips://live.example.com/whip/"
                           "$webrtc_stream\"");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webrtc_push_is_whip(ngx_http_webrtc_push_t *hp)
{
    return (ngx_webrtc_target(&hp->prefix)->flags & NGX_WEBRTC_TARGET_WHIP)
           != 0;
}


void
ngx_http_webrtc_push_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    if (conf->pushes == NULL) {
        conf->pushes = prev->pushes;
    }
}


ngx_int_t
ngx_http_webrtc_push_attach(ngx_http_request_t *r, uint64_t ref)
{
    ngx_str_t                     urls[NGX_WEBRTC_PUSHES];
    ngx_uint_t                    i, any;
    ngx_http_webrtc_push_t      **hp;
    ngx_http_webrtc_loc_conf_t   *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->pushes == NULL) {
        return NGX_OK;
    }

    ngx_memzero(urls, sizeof(urls));

    hp = wlcf->pushes->elts;
    any = 0;

    for (i = 0; i < wlcf->pushes->nelts; i++) {

        if (!ngx_http_webrtc_push_varies(hp[i])) {
            continue;
        }

        if (ngx_http_webrtc_push_text(r, hp[i], &urls[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        any = 1;
    }

    return any ? ngx_webrtc_bus_push_attach(ngx_http_webrtc_worker->bus, ref,
                                            urls)
               : NGX_OK;
}


/* does it depend on its publisher's request? */

static ngx_uint_t
ngx_http_webrtc_push_varies(ngx_http_webrtc_push_t *hp)
{
    return !hp->constant || (hp->whip.token && hp->whip.token->lengths);
}


/* what is kept of it: the URL, and the token on a line of its own */

static ngx_int_t
ngx_http_webrtc_push_text(ngx_http_request_t *r, ngx_http_webrtc_push_t *hp,
    ngx_str_t *text)
{
    u_char      *p;
    ngx_str_t    url, token;
    const char  *cause;

    ngx_str_null(&token);

    if (ngx_http_complex_value(r, &hp->url, &url) != NGX_OK
        || (hp->whip.token
            && ngx_http_complex_value(r, hp->whip.token, &token) != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (url.len + 1 + token.len > NGX_WEBRTC_PUSH_KEPT
        || ngx_webrtc_target_check(&hp->prefix, &url, &cause) != NGX_OK)
    {
        /* one that leads nowhere is kept in its place: the push says so */

        ngx_str_set(text, "!");
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, url.len + 1 + token.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    p = ngx_cpymem(p, url.data, url.len);

    if (hp->whip.token) {
        *p++ = LF;
        p = ngx_cpymem(p, token.data, token.len);
    }

    text->len = p - text->data;

    return NGX_OK;
}


void
ngx_http_webrtc_push_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    void                      *whip;
    ngx_uint_t                 cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_push_t         *push;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_info_t   info;

    if (!wmcf->pushes && ngx_webrtc_push_next(NULL) == NULL
        && ngx_http_webrtc_push_whip_next(NULL) == NULL)
    {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;

    for (push = ngx_webrtc_push_next(NULL); push;
         push = ngx_webrtc_push_next(push))
    {
        ngx_http_webrtc_push_of(wmcf, ngx_webrtc_push_stream(push));
    }

    for (whip = ngx_http_webrtc_push_whip_next(NULL); whip;
         whip = ngx_http_webrtc_push_whip_next(whip))
    {
        ngx_http_webrtc_push_of(wmcf, ngx_http_webrtc_push_whip_stream(whip));
    }

    cursor = 0;

    while (wmcf->pushes && ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {

        if (info.claim_kind == 0
            || info.claim_worker != bus->worker
            || info.parent
            || info.state != NGX_WEBRTC_STREAM_ACTIVE)
        {
            continue;
        }

        st = ngx_webrtc_bus_stream_ref(bus, info.ref);

        if (st) {
            ngx_http_webrtc_push_of(wmcf, st);
            ngx_webrtc_bus_release(bus, st);
        }
    }

    ngx_webrtc_pushes_tick();
    ngx_http_webrtc_push_whip_tick();
}


/* those of a stream that are to be there now, by this worker or another */

static void
ngx_http_webrtc_push_of(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st)
{
    uint32_t                      conf;
    ngx_uint_t                    i, order, keep;
    ngx_webrtc_output_how_t       how;
    ngx_http_webrtc_push_t      **hp;
    ngx_http_webrtc_loc_conf_t   *wlcf;

    wlcf = ngx_http_webrtc_push_location(wmcf, st);

    if (wlcf == NULL || !ngx_http_webrtc_outlets_wanted(wlcf, st)) {
        return;
    }

    how.transcode = wlcf->policy.transcode;
    how.variant = wlcf->policy.variant;
    how.buffer = wlcf->policy.buffer;
    how.buffer_max = wlcf->policy.buffer_max;

    /* a source moves on from a worker that shuts down */

    keep = !ngx_webrtc_claim_feeds(ngx_webrtc_bus_claimed(st, NULL))
           || (wlcf->pull && wlcf->pull->always && !ngx_exiting);

    hp = wlcf->pushes->elts;
    conf = ngx_http_webrtc_push_id(wlcf);

    for (i = 0; i < wlcf->pushes->nelts; i++) {
        order = ngx_webrtc_bus_push_ordered(st, conf, i);

        if (order != NGX_WEBRTC_PUSH_START
            && (order != NGX_WEBRTC_PUSH_CONF || !hp[i]->always))
        {
            continue;
        }

        if (ngx_http_webrtc_push_is_whip(hp[i])) {
            ngx_http_webrtc_push_whip_want(st, wlcf, &hp[i]->conf, &hp[i]->whip,
                                           keep);

        } else {
            ngx_webrtc_push_want(ngx_http_webrtc_worker->bus, st, &hp[i]->conf,
                                 &how, keep, ngx_http_webrtc_worker->log);
        }
    }
}


/* the one that has "webrtc_push" for the stream, or NULL */

static ngx_http_webrtc_loc_conf_t *
ngx_http_webrtc_push_location(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_own_location(wmcf,
                                        ngx_webrtc_atomic_load(&st->location));

    return (wlcf && wlcf->pushes && wlcf->pushes->nelts) ? wlcf : NULL;
}


/* of all that a location has, in their order */

static uint32_t
ngx_http_webrtc_push_id(ngx_http_webrtc_loc_conf_t *wlcf)
{
    uint32_t                  crc;
    ngx_uint_t                i;
    ngx_http_webrtc_push_t  **hp;

    hp = wlcf->pushes->elts;

    ngx_crc32_init(crc);

    for (i = 0; i < wlcf->pushes->nelts; i++) {
        ngx_crc32_update(&crc, (u_char *) &hp[i]->conf.id, sizeof(uint32_t));
    }

    ngx_crc32_final(crc);

    return crc;
}


ngx_int_t
ngx_http_webrtc_push_order(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t target, ngx_uint_t on)
{
    ngx_uint_t                   i;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = st->parent ? NULL : ngx_http_webrtc_push_location(wmcf, st);

    if (wlcf == NULL || target > wlcf->pushes->nelts) {
        return NGX_DECLINED;
    }

    for (i = 0; i < wlcf->pushes->nelts; i++) {
        if (target == 0 || target == i + 1) {
            ngx_webrtc_bus_push_order(st, ngx_http_webrtc_push_id(wlcf), i,
                                      on ? NGX_WEBRTC_PUSH_START
                                         : NGX_WEBRTC_PUSH_STOP);
        }
    }

    return NGX_OK;
}


/* of ngx_webrtc_push_conf_t */

static size_t
ngx_http_webrtc_push_url(void *ctx, ngx_webrtc_stream_t *st, u_char *buf,
    const char **cause)
{
    ngx_http_webrtc_push_t *hp = ctx;

    u_char     *lf;
    ngx_str_t   url;

    url.data = buf;
    url.len = 0;

    if (hp->constant) {
        url.len = hp->url.value.len;
        ngx_memcpy(buf, hp->url.value.data, url.len);

    } else {
        url.len = ngx_http_webrtc_push_kept(hp, st, buf, NGX_WEBRTC_PUSH_URL);
    }

    lf = ngx_strlchr(buf, buf + url.len, LF);

    if (lf) {
        url.len = lf - buf;
    }

    if (url.len == 0) {
        url.len = ngx_http_webrtc_push_evaluate(hp, st, &hp->url, buf);
    }

    if (url.len == 0) {
        *cause = "no memory, or its location is gone";
        return 0;
    }

    if (url.len == NGX_WEBRTC_PUSH_URL) {
        *cause = "too long";
        return 0;
    }

    if (url.len == 1) {
        *cause = "what its publisher gave it leads elsewhere, or is too long";
        return 0;
    }

    if (buf[url.len - 1] == '/'
        && hp->url.value.data[hp->url.value.len - 1] != '/')
    {
        *cause = "a variable at its end is empty";
        return 0;
    }

    return (ngx_webrtc_target_check(&hp->prefix, &url, cause) == NGX_OK)
           ? url.len : 0;
}


/* of its publisher, if it has one and depends on it; returns 0 if not */

static size_t
ngx_http_webrtc_push_kept(ngx_http_webrtc_push_t *hp, ngx_webrtc_stream_t *st,
    u_char *buf, size_t max)
{
    uint64_t  holder;

    holder = ngx_webrtc_atomic_load(&st->holder);

    return (holder && ngx_http_webrtc_push_varies(hp))
           ? ngx_webrtc_bus_push_url(ngx_http_webrtc_worker->bus, holder,
                                     hp->n, buf, max)
           : 0;
}


/* of ngx_http_webrtc_whip_client_conf_t */

static size_t
ngx_http_webrtc_push_token(void *ctx, ngx_webrtc_stream_t *st, u_char *buf)
{
    ngx_http_webrtc_push_t *hp = ctx;

    size_t   n;
    u_char  *lf;

    if (hp->whip.token == NULL) {
        return 0;
    }

    n = ngx_http_webrtc_push_kept(hp, st, buf, NGX_WEBRTC_PUSH_URL);
    lf = ngx_strlchr(buf, buf + n, LF);

    if (lf == NULL) {
        return ngx_http_webrtc_push_evaluate(hp, st, hp->whip.token, buf);
    }

    n -= lf + 1 - buf;
    ngx_memmove(buf, lf + 1, n);

    return n;
}


static size_t
ngx_http_webrtc_push_evaluate(ngx_http_webrtc_push_t *hp,
    ngx_webrtc_stream_t *st, ngx_http_complex_value_t *value, u_char *buf)
{
    size_t                       n;
    ngx_str_t                    url, name;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_webrtc_push_location(hp->wmcf, st);

    if (wlcf == NULL) {
        return 0;
    }

    r = ngx_http_webrtc_own(wlcf, NULL, 0, ngx_http_webrtc_worker->log);

    if (r == NULL) {
        return 0;
    }

    name.data = st->name;
    name.len = st->name_len;

    ngx_http_webrtc_own_stream(r, wlcf, &name);

    n = 0;

    if (ngx_http_complex_value(r, value, &url) == NGX_OK) {
        n = ngx_min(url.len, NGX_WEBRTC_PUSH_URL);
        ngx_memcpy(buf, url.data, n);
    }

    ngx_http_webrtc_own_done(r);

    return n;
}
