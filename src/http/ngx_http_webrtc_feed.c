
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_rtp" and "webrtc_exec": what feeds a location's stream instead of a
 * URL.  When it runs, and in which worker, is as with "webrtc_pull".
 */


#include "ngx_http_webrtc_feed.h"
#include "ngx_http_webrtc_command.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_webrtc_legs.h"
#include "ngx_webrtc_source_kinds.h"


/* bytes of an SDP file; chosen: many times what describes two tracks */
#define NGX_HTTP_WEBRTC_FEED_SDP  65536


static ngx_http_webrtc_pull_t *ngx_http_webrtc_feed_add(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_uint_t kind);
static ngx_int_t ngx_http_webrtc_feed_start(ngx_http_webrtc_pull_t *pull,
    ngx_str_t *word);
static ngx_int_t ngx_http_webrtc_feed_rtp_text(ngx_conf_t *cf,
    ngx_str_t *text);
static ngx_int_t ngx_http_webrtc_feed_sdp(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *text);
static ngx_int_t ngx_http_webrtc_feed_read(ngx_conf_t *cf, ngx_str_t *path,
    u_char *buf, size_t *n);


char *
ngx_http_webrtc_feed_rtp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                         *value, *path, text, word;
    ngx_uint_t                         i, n;
    const char                        *expected;
    ngx_webrtc_legs_t                  legs;
    ngx_http_webrtc_pull_t            *pull;
    ngx_http_compile_complex_value_t   ccv;

    pull = ngx_http_webrtc_feed_add(cf, conf, NGX_WEBRTC_FEED_RTP);
    if (pull == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    path = NULL;

    /* the words that are not for us are the text */

    for (i = 1, n = 1; i < cf->args->nelts; i++) {

        if (ngx_http_webrtc_feed_start(pull, &value[i]) == NGX_OK) {
            continue;
        }

        if (value[i].len > 4 && ngx_strncmp(value[i].data, "sdp=", 4) == 0) {
            path = &value[i];
            continue;
        }

        value[n++] = value[i];
    }

    cf->args->nelts = n;

    if (ngx_http_webrtc_feed_rtp_text(cf, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (path) {
        word.data = path->data + 4;
        word.len = path->len - 4;

        if (ngx_http_webrtc_feed_sdp(cf, &word, &text) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &text;
    ccv.complex_value = &pull->url;

    pull->prefix = text;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    pull->constant = (pull->url.lengths == NULL);

    if (pull->constant
        && ngx_webrtc_legs_parse(&legs, &text, &word, &expected) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in webrtc_rtp, expected "
                           "%s", &word, expected);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_webrtc_feed_exec(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                       *value;
    ngx_http_webrtc_pull_t          *pull;
    ngx_http_webrtc_command_conf_t   command;

    pull = ngx_http_webrtc_feed_add(cf, conf, NGX_WEBRTC_FEED_EXEC);
    if (pull == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_memzero(&command, sizeof(ngx_http_webrtc_command_conf_t));

    command.variables = NGX_WEBRTC_COMMAND_NAME|NGX_WEBRTC_COMMAND_VIDEO
                        |NGX_WEBRTC_COMMAND_AUDIO;
    command.always = 1;
    command.legs = 1;

    if (ngx_http_webrtc_command_conf(cf, &command) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (command.text.len > NGX_WEBRTC_PULL_URL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many words in \"%V\", expected at most %d "
                           "bytes", &value[0], NGX_WEBRTC_PULL_URL);
        return NGX_CONF_ERROR;
    }

    pull->always = (command.always == 2);
    pull->constant = 1;
    pull->prefix = command.text;
    pull->url.value = command.text;

    return NGX_CONF_OK;
}


/* makes the only feed of the block */

static ngx_http_webrtc_pull_t *
ngx_http_webrtc_feed_add(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_uint_t kind)
{
    ngx_str_t                    *value;
    ngx_http_webrtc_pull_t       *pull, **written;
    ngx_http_webrtc_main_conf_t  *wmcf;

    value = cf->args->elts;

    if (wlcf->pull != NGX_CONF_UNSET_PTR && wlcf->pull != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is in a block with another of "
                           "\"webrtc_pull\", \"webrtc_rtp\" and "
                           "\"webrtc_exec\", expected one of them", &value[0]);
        return NULL;
    }

    pull = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_pull_t));
    if (pull == NULL) {
        return NULL;
    }

    pull->kind = kind;

    ngx_http_webrtc_check_where(cf, &pull->where);

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    written = ngx_array_push(&wmcf->pulls);
    if (written == NULL) {
        return NULL;
    }

    *written = pull;
    wlcf->pull = pull;

    return pull;
}


/* NGX_OK: "start="; NGX_DECLINED: another word */

static ngx_int_t
ngx_http_webrtc_feed_start(ngx_http_webrtc_pull_t *pull, ngx_str_t *word)
{
    if (ngx_strcmp(word->data, "start=always") == 0) {
        pull->always = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(word->data, "start=demand") == 0) {
        pull->always = 0;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* the words of the directive, separated by spaces */

static ngx_int_t
ngx_http_webrtc_feed_rtp_text(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char      *p;
    size_t       n;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1, n = 1; i < cf->args->nelts; i++) {

        if (ngx_strlchr(value[i].data, value[i].data + value[i].len, ' ')) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in webrtc_rtp, "
                               "expected no spaces", &value[i]);
            return NGX_ERROR;
        }

        n += value[i].len + 1;
    }

    if (n > NGX_WEBRTC_LEGS_TEXT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many parameters in webrtc_rtp, expected less "
                           "than %d bytes", NGX_WEBRTC_LEGS_TEXT);
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->pool, n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    for (i = 1; i < cf->args->nelts; i++) {

        if (i > 1) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, value[i].data, value[i].len);
    }

    text->len = p - text->data;

    return NGX_OK;
}


/*
 * "sdp=file": codecs and payload types are those of the SDP, and so are the
 * ports, unless the directive has one.  What text has is added.
 */

static ngx_int_t
ngx_http_webrtc_feed_sdp(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    size_t              n;
    u_char             *p, *buf, *end;
    ngx_str_t           word;
    const char         *cause;
    ngx_uint_t          i;
    ngx_webrtc_sdp_t   *sdp;
    ngx_webrtc_leg_t   *leg;
    ngx_webrtc_legs_t   legs, given;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    buf = ngx_pnalloc(cf->temp_pool, NGX_HTTP_WEBRTC_FEED_SDP);
    sdp = ngx_palloc(cf->temp_pool, sizeof(ngx_webrtc_sdp_t));

    if (buf == NULL || sdp == NULL
        || ngx_http_webrtc_feed_read(cf, path, buf, &n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_webrtc_legs_init(&legs);

    if (ngx_webrtc_legs_sdp(&legs, buf, buf + n, sdp, &cause) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid SDP \"%V\" in webrtc_rtp: %s, expected "
                           "m-lines such as \"m=video 5004 RTP/AVP 102\"",
                           path, cause);
        return NGX_ERROR;
    }

    ngx_memzero(&given, sizeof(ngx_webrtc_legs_t));

    if (text->len) {

        if (ngx_webrtc_legs_parse(&given, text, &word, &cause) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in webrtc_rtp, "
                               "expected %s", &word, cause);
            return NGX_ERROR;
        }

        legs.addr = given.addr;
        legs.from = given.from;
        legs.mux |= given.mux;
    }

    for (i = 0; i < NGX_WEBRTC_LEGS; i++) {
        leg = &legs.legs[i];

        if (given.legs[i].port) {
            leg->port = given.legs[i].port;
        }

        if (leg->codec && leg->port == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "SDP \"%V\" in webrtc_rtp has an m-line with "
                               "port 0, expected a port there or in the "
                               "directive", path);
            return NGX_ERROR;
        }
    }

    p = ngx_pnalloc(cf->pool, NGX_WEBRTC_LEGS_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    end = ngx_webrtc_legs_print(&legs, p, p + NGX_WEBRTC_LEGS_TEXT);
    if (end == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = end - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_feed_read(ngx_conf_t *cf, ngx_str_t *path, u_char *buf,
    size_t *n)
{
    ssize_t    size;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "webrtc_rtp cannot open SDP \"%V\"", path);
        return NGX_ERROR;
    }

    size = ngx_read_fd(fd, buf, NGX_HTTP_WEBRTC_FEED_SDP);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (size < 0 || size == NGX_HTTP_WEBRTC_FEED_SDP) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, (size < 0) ? err : 0,
                           "webrtc_rtp cannot read SDP \"%V\", expected less "
                           "than %d bytes", path, NGX_HTTP_WEBRTC_FEED_SDP);
        return NGX_ERROR;
    }

    *n = size;

    return NGX_OK;
}
