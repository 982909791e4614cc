
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The page that plays a stream.  A browser that navigates prefers text/html to
 * anything else (RFC 9110, 12.5.1); scripts and other WHEP clients accept "*"
 * or a specific type, and get the same response as without the player.
 */


#include "ngx_http_webrtc_player.h"
#include "ngx_http_webrtc_accept.h"
#include "ngx_http_webrtc_player_page.h"
#include "ngx_http_webrtc_resource.h"


static ngx_uint_t ngx_http_webrtc_player_wanted(ngx_str_t *accept);
static ngx_int_t ngx_http_webrtc_player_page_with(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_player_option(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *value);


/* of the page: a poster is an attribute behind it */

static const char  ngx_http_webrtc_player_tag[] = "<video ";


ngx_int_t
ngx_http_webrtc_player(ngx_http_request_t *r)
{
    ngx_str_t                   *accept, body;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  type = ngx_string("text/html; charset=utf-8");
    static ngx_str_t  vary = ngx_string("Accept");
    static ngx_str_t  cache = ngx_string("no-cache");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->play == NULL || !wlcf->player) {
        return NGX_DECLINED;
    }

    if (ngx_http_webrtc_header(r, "Vary", &vary) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    accept = ngx_http_webrtc_request_header(r, "accept");

    if (accept == NULL || !ngx_http_webrtc_player_wanted(accept)) {
        return NGX_DECLINED;
    }

    if (ngx_http_webrtc_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_webrtc_player_page_with(r, wlcf, &body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_answer(r, NGX_HTTP_OK, &type, &body);
}


/* whether text/html is listed, and nothing has more weight */

static ngx_uint_t
ngx_http_webrtc_player_wanted(ngx_str_t *accept)
{
    u_char     *p, *end;
    ngx_int_t   weight, html, other;
    ngx_str_t   type;

    static ngx_str_t  name = ngx_string("text/html");

    html = 0;
    other = 0;

    p = accept->data;
    end = p + accept->len;

    while (p < end) {
        p = ngx_http_webrtc_accept_range(p, end, &type, &weight);

        if (type.len == name.len
            && ngx_strncasecmp(type.data, name.data, name.len) == 0)
        {
            html = ngx_max(html, weight);

        } else if (type.len == ngx_http_webrtc_sdp_type.len
                   && ngx_strncasecmp(type.data,
                                      ngx_http_webrtc_sdp_type.data, type.len)
                      == 0)
        {
            /* a client that lists it is not a browser: wins a tie, too */
            other = ngx_max(other, weight + 1);

        } else {
            other = ngx_max(other, weight);
        }
    }

    return html != 0 && html >= other;
}


/* the page with the attributes of its picture that are configured */

static ngx_int_t
ngx_http_webrtc_player_page_with(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *body)
{
    u_char      *p, *at, *page, *last;
    ngx_str_t    url[2];
    ngx_uint_t   i;

    static const ngx_str_t  names[] = {
        ngx_string("poster=\""),
        ngx_string("data-recordings=\"")
    };

    page = ngx_http_webrtc_player_page;
    last = page + sizeof(ngx_http_webrtc_player_page) - 1;

    body->data = page;
    body->len = last - page;

    ngx_memzero(url, sizeof(url));

    if ((wlcf->poster
         && ngx_http_complex_value(r, wlcf->poster, &url[0]) != NGX_OK)
        || (wlcf->player_list
            && ngx_http_complex_value(r, wlcf->player_list, &url[1])
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    at = (u_char *) ngx_strstr(page, ngx_http_webrtc_player_tag);

    if (at == NULL || url[0].len + url[1].len == 0) {
        return NGX_OK;
    }

    at += sizeof(ngx_http_webrtc_player_tag) - 1;

    for (i = 0; i < 2; i++) {
        body->len += names[i].len + url[i].len
                     + ngx_escape_html(NULL, url[i].data, url[i].len) + 2;
    }

    p = ngx_pnalloc(r->pool, body->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    p = ngx_cpymem(p, page, at - page);

    for (i = 0; i < 2; i++) {

        if (url[i].len == 0) {
            continue;
        }

        p = ngx_cpymem(p, names[i].data, names[i].len);
        p = (u_char *) ngx_escape_html(p, url[i].data, url[i].len);
        *p++ = '"';
        *p++ = ' ';
    }

    p = ngx_cpymem(p, at, last - at);

    body->len = p - body->data;

    return NGX_OK;
}


char *
ngx_http_webrtc_player_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (wlcf->player != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        wlcf->player = 1;

    } else if (ngx_strcasecmp(value[1].data, (u_char *) "off") == 0
               && cf->args->nelts == 2)
    {
        wlcf->player = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_player, expected "
                           "\"on\", with or without \"poster=\" and "
                           "\"recordings=\", or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_webrtc_player_option(cf, wlcf, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_player_option(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *wlcf,
    ngx_str_t *value)
{
    size_t                             n;
    ngx_str_t                          text;
    ngx_http_complex_value_t         **option;
    ngx_http_compile_complex_value_t   ccv;

    n = 0;
    option = NULL;

    if (value->len > 7 && ngx_strncmp(value->data, "poster=", 7) == 0) {
        option = &wlcf->poster;
        n = 7;

    } else if (value->len > 11
               && ngx_strncmp(value->data, "recordings=", 11) == 0)
    {
        option = &wlcf->player_list;
        n = 11;
    }

    if (option == NULL || *option) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in webrtc_player, "
                           "expected \"poster=\" and a URL, such as "
                           "\"poster=/snapshot/$name\", or \"recordings=\" and "
                           "that of webrtc_recordings", value);
        return NGX_ERROR;
    }

    text.data = value->data + n;
    text.len = value->len - n;

    *option = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*option == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &text;
    ccv.complex_value = *option;

    return ngx_http_compile_complex_value(&ccv);
}


void
ngx_http_webrtc_player_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    /* one directive: who has it has no other level's poster */

    if (conf->player == NGX_CONF_UNSET) {
        conf->poster = prev->poster;
        conf->player_list = prev->player_list;
    }

    ngx_conf_merge_value(conf->player, prev->player, 1);
}
