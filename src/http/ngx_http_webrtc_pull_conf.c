
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_pull" in the configuration.
 */


#include "ngx_http_webrtc_pull_conf.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_url.h"


static ngx_int_t ngx_http_webrtc_pull_url(ngx_conf_t *cf,
    ngx_http_webrtc_pull_t *pull, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_pull_param(ngx_conf_t *cf,
    ngx_http_webrtc_pull_t *pull, ngx_uint_t first, ngx_str_t *value);
static void ngx_http_webrtc_pull_invalid(ngx_conf_t *cf, ngx_str_t *value,
    const char *cause);
static void ngx_http_webrtc_pull_parameter(ngx_conf_t *cf, ngx_str_t *value);
static ngx_uint_t ngx_http_webrtc_pull_lists(ngx_http_webrtc_pull_t *pull,
    ngx_str_t *url);


char *
ngx_http_webrtc_pull_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i, n;
    ngx_http_webrtc_pull_t       *pull, **last, **written;
    ngx_http_webrtc_main_conf_t  *wmcf;

    n = 0;
    last = &wlcf->pull;

    while (*last != NGX_CONF_UNSET_PTR && *last != NULL) {

        if ((*last)->kind != NGX_WEBRTC_FEED_URL) {
            return "is in a block with another of \"webrtc_pull\", "
                   "\"webrtc_rtp\" and \"webrtc_exec\"";
        }

        last = &(*last)->next;
        n++;
    }

    if (n == NGX_WEBRTC_PULLS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many webrtc_pull directives, expected at most "
                           "%d, which are tried in their order",
                           NGX_WEBRTC_PULLS);
        return NGX_CONF_ERROR;
    }

    pull = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_pull_t));
    if (pull == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (ngx_http_webrtc_pull_url(cf, pull, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_webrtc_pull_param(cf, pull, n == 0, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    pull->lists = ngx_http_webrtc_pull_lists(pull, &value[1]);

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    if (ngx_strncasecmp(value[1].data, (u_char *) "rtmp:", 5) == 0) {
        wmcf->rtmp = 1;
    }

    ngx_http_webrtc_check_where(cf, &pull->where);

    if (ngx_http_webrtc_check_pull(cf, pull) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    written = ngx_array_push(&wmcf->pulls);
    if (written == NULL) {
        return NGX_CONF_ERROR;
    }

    *written = pull;
    *last = pull;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_pull_url(ngx_conf_t *cf, ngx_http_webrtc_pull_t *pull,
    ngx_str_t *value)
{
    ngx_uint_t                         i;
    const char                        *cause;
    ngx_http_compile_complex_value_t   ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = &pull->url;

    pull->prefix = *value;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] == '$') {
            pull->prefix.len = i;
            break;
        }
    }

    pull->constant = (pull->prefix.len == value->len);

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_webrtc_source_url_check_prefix(&pull->prefix, pull->constant,
                                           &cause)
        != NGX_OK
        || value->len > NGX_WEBRTC_PULL_URL)
    {
        ngx_http_webrtc_pull_invalid(cf, value,
                                     value->len > NGX_WEBRTC_PULL_URL
                                     ? "too long" : cause);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* first: the first pull of the block */

static ngx_int_t
ngx_http_webrtc_pull_param(ngx_conf_t *cf, ngx_http_webrtc_pull_t *pull,
    ngx_uint_t first, ngx_str_t *value)
{
    ngx_int_t  program;

    if (ngx_strcmp(value->data, "loop") == 0) {
        pull->loop = 1;
        return NGX_OK;
    }

    if (!first && ngx_strncmp(value->data, "start=", 6) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in another webrtc_pull than the first "
                           "one of its block, expected there, as it is of "
                           "the stream", value);
        return NGX_ERROR;
    }

    if (ngx_strcmp(value->data, "start=always") == 0) {
        pull->always = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "start=demand") == 0) {
        pull->always = 0;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "format=", 7) == 0
        && value->len > 7
        && value->len - 7 <= NGX_WEBRTC_PULL_FORMAT)
    {
        pull->format.data = value->data + 7;
        pull->format.len = value->len - 7;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "program=", 8) == 0) {

        program = ngx_atoi(value->data + 8, value->len - 8);

        if (program < 1 || program > 65535) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in webrtc_pull, "
                               "expected \"program=number\" from 1 to "
                               "65535", value);
            return NGX_ERROR;
        }

        pull->program = program;
        return NGX_OK;
    }

    ngx_http_webrtc_pull_parameter(cf, value);

    return NGX_ERROR;
}


/* the value may be a password */

static void
ngx_http_webrtc_pull_invalid(ngx_conf_t *cf, ngx_str_t *value,
    const char *cause)
{
    u_char     buf[NGX_WEBRTC_SOURCE_URL_MAX];
    ngx_str_t  url;

    url.data = buf;
    url.len = ngx_webrtc_source_mask_url(buf, buf + sizeof(buf), value, NULL)
              - buf;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid URL in webrtc_pull \"%V\": %s, expected a file "
                       "or a URL such as \"file:/srv/a.mp4\", "
                       "\"rtmp://host/live/a\", \"rtsp://host/a\", "
                       "\"srt://host:port\" or \"http://host/a.m3u8\"",
                       &url, cause);
}


/* it may be a protocol option such as "passphrase=word" */

static void
ngx_http_webrtc_pull_parameter(ngx_conf_t *cf, ngx_str_t *value)
{
    u_char     *eq, buf[NGX_WEBRTC_SOURCE_URL_MAX];
    ngx_str_t   text;

    eq = ngx_strlchr(value->data, value->data + value->len, '=');

    text.data = value->data;
    text.len = eq ? (size_t) (eq + 1 - value->data) : value->len;

    if (ngx_strncmp(value->data, "start=", 6) == 0) {
        text.len = value->len;
    }

    text.len = ngx_webrtc_source_mask_url(buf, buf + sizeof(buf), &text, NULL)
               - buf;
    text.data = buf;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in webrtc_pull, expected "
                       "\"loop\", \"start=demand\", \"start=always\", "
                       "\"program=number\" or \"format=name\"", &text);
}


/*
 * Whether the URL may be a playlist.  A local file only if the configuration
 * says so: an upload under another name, or a file named by a client, must not
 * make us read other files.
 */

static ngx_uint_t
ngx_http_webrtc_pull_lists(ngx_http_webrtc_pull_t *pull, ngx_str_t *url)
{
    u_char  *last;

    last = url->data + url->len;

    return !(ngx_webrtc_source_url_scheme(&pull->prefix)->flags
             & NGX_WEBRTC_SOURCE_URL_FILE)
           || (pull->format.len == 3
               && ngx_strncmp(pull->format.data, "hls", 3) == 0)
           || (pull->constant && url->len > 5
               && (ngx_strncasecmp(last - 5, (u_char *) ".m3u8", 5) == 0
                   || ngx_strncasecmp(last - 4, (u_char *) ".m3u", 4) == 0));
}
