
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The page that plays a stream.  A browser that navigates prefers text/html to
 * anything else (RFC 9110, 12.5.1); scripts and other WHEP clients accept "*"
 * or a specific type, and get the same response as without the player.
 */


#include "ngx_http_webrtc_player.h"
#include "ngx_http_webrtc_player_page.h"
#include "ngx_http_webrtc_resource.h"


/* RFC 9110, 12.4.2, times 1000 */
#define NGX_HTTP_WEBRTC_PLAYER_ONE  1000


static ngx_uint_t ngx_http_webrtc_player_wanted(ngx_str_t *accept);
static u_char *ngx_http_webrtc_player_range(u_char *p, u_char *end,
    ngx_str_t *type, ngx_int_t *weight);
static ngx_int_t ngx_http_webrtc_player_weight(u_char *p, u_char *end);


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

    body.data = ngx_http_webrtc_player_page;
    body.len = sizeof(ngx_http_webrtc_player_page) - 1;

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
        p = ngx_http_webrtc_player_range(p, end, &type, &weight);

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


/*
 * RFC 9110, 12.5.1: reads a media range and its weight.  Returns the position
 * after it and its comma.
 */

static u_char *
ngx_http_webrtc_player_range(u_char *p, u_char *end, ngx_str_t *type,
    ngx_int_t *weight)
{
    u_char  *last, *semi;

    last = ngx_strlchr(p, end, ',');
    if (last == NULL) {
        last = end;
    }

    semi = ngx_strlchr(p, last, ';');

    type->data = p;
    type->len = (semi ? semi : last) - p;

    while (type->len && (type->data[0] == ' ' || type->data[0] == '\t')) {
        type->data++;
        type->len--;
    }

    while (type->len && (type->data[type->len - 1] == ' '
                         || type->data[type->len - 1] == '\t'))
    {
        type->len--;
    }

    *weight = type->len ? NGX_HTTP_WEBRTC_PLAYER_ONE : 0;

    for (p = semi; p; p = ngx_strlchr(p, last, ';')) {

        p++;

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (last - p >= 2 && (*p | 0x20) == 'q' && p[1] == '=') {
            *weight = ngx_http_webrtc_player_weight(p + 2, last);
        }
    }

    return (last == end) ? end : last + 1;
}


/* "0.8" is 800; 0 if malformed */

static ngx_int_t
ngx_http_webrtc_player_weight(u_char *p, u_char *end)
{
    ngx_int_t  weight, unit;

    if (p == end || (*p != '0' && *p != '1')) {
        return 0;
    }

    weight = (*p++ - '0') * NGX_HTTP_WEBRTC_PLAYER_ONE;

    if (p < end && *p == '.') {
        p++;

        for (unit = 100; p < end && unit && *p >= '0' && *p <= '9'; p++) {
            weight += (*p - '0') * unit;
            unit /= 10;
        }
    }

    return ngx_min(weight, NGX_HTTP_WEBRTC_PLAYER_ONE);
}
