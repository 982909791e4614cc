
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * STUN and TURN servers announced to clients in Link headers.
 *
 * RFC 9725, 4.6; RFC 8288 (Link); RFC 7064, RFC 7065 (the URLs);
 * draft-uberti-behave-turn-rest-00 (credentials from a shared secret, as coturn
 * and others check them): the user name is the expiry time in seconds since the
 * Unix epoch, a colon and a name; the password is
 * base64(HMAC-SHA1(secret, user name)).
 */


#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_resource.h"
#include <ngx_sha1.h>


/* s; chosen: a day, as the draft does */
#define NGX_HTTP_WEBRTC_ICE_SERVER_TTL  86400

/* bytes of SHA-1: RFC 3174, and RFC 2104's B */
#define NGX_HTTP_WEBRTC_SHA1            20
#define NGX_HTTP_WEBRTC_SHA1_BLOCK      64


static ngx_int_t ngx_http_webrtc_ice_server_link(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server);
static ngx_int_t ngx_http_webrtc_ice_server_timed(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *username,
    ngx_str_t *credential);
static void ngx_http_webrtc_ice_server_hmac(ngx_str_t *key, ngx_str_t *text,
    u_char *digest);
static u_char *ngx_http_webrtc_ice_server_quote(u_char *p, ngx_str_t *s);
static ngx_int_t ngx_http_webrtc_ice_server_param(ngx_conf_t *cf,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *value);
static const char *ngx_http_webrtc_ice_server_check(ngx_str_t *url,
    ngx_uint_t *turn);
static ngx_http_complex_value_t *ngx_http_webrtc_ice_server_value(
    ngx_conf_t *cf, ngx_str_t *value, size_t skip);


ngx_int_t
ngx_http_webrtc_ice_server_links(ngx_http_request_t *r)
{
    ngx_uint_t                     i;
    ngx_http_webrtc_loc_conf_t    *wlcf;
    ngx_http_webrtc_ice_server_t  *server;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->ice_servers == NULL) {
        return NGX_OK;
    }

    server = wlcf->ice_servers->elts;

    for (i = 0; i < wlcf->ice_servers->nelts; i++) {

        if (server[i].internal) {
            continue;
        }

        if (ngx_http_webrtc_ice_server_link(r, &server[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_ice_server_link(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   link, username, credential;

    if (ngx_http_webrtc_ice_server_credentials(r, server, &username,
                                               &credential)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = sizeof("<>; rel=\"ice-server\"; username=\"\"; credential=\"\"; "
                 "credential-type=\"password\"") - 1
          + server->url.len + 2 * username.len + 2 * credential.len;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    link.data = p;

    p = ngx_sprintf(p, "<%V>; rel=\"ice-server\"", &server->url);

    if (server->credential || server->secret.len) {
        p = ngx_cpymem(p, "; username=", sizeof("; username=") - 1);
        p = ngx_http_webrtc_ice_server_quote(p, &username);
        p = ngx_cpymem(p, "; credential=", sizeof("; credential=") - 1);
        p = ngx_http_webrtc_ice_server_quote(p, &credential);
        p = ngx_cpymem(p, "; credential-type=\"password\"",
                       sizeof("; credential-type=\"password\"") - 1);
    }

    link.len = p - link.data;

    return ngx_http_webrtc_header(r, "Link", &link);
}


ngx_int_t
ngx_http_webrtc_ice_server_credentials(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *username,
    ngx_str_t *credential)
{
    ngx_str_null(username);
    ngx_str_null(credential);

    if (server->username
        && ngx_http_complex_value(r, server->username, username) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (server->credential
        && ngx_http_complex_value(r, server->credential, credential)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (server->secret.len
        && ngx_http_webrtc_ice_server_timed(r, server, username, credential)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_ice_server_timed(ngx_http_request_t *r,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *username,
    ngx_str_t *credential)
{
    u_char     *p;
    ngx_str_t   digest;
    u_char      buf[NGX_HTTP_WEBRTC_SHA1];

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 1 + username->len
                             + ngx_base64_encoded_length(sizeof(buf)));
    if (p == NULL) {
        return NGX_ERROR;
    }

    digest.data = p;

    p = ngx_sprintf(p, "%T", ngx_time() + server->ttl);

    if (username->len) {
        *p++ = ':';
        p = ngx_cpymem(p, username->data, username->len);
    }

    username->data = digest.data;
    username->len = p - digest.data;

    ngx_http_webrtc_ice_server_hmac(&server->secret, username, buf);

    digest.data = buf;
    digest.len = sizeof(buf);
    credential->data = p;

    ngx_encode_base64(credential, &digest);

    return NGX_OK;
}


/* RFC 2104 */

static void
ngx_http_webrtc_ice_server_hmac(ngx_str_t *key, ngx_str_t *text,
    u_char *digest)
{
    ngx_uint_t  i;
    ngx_sha1_t  sha1;
    u_char      pad[NGX_HTTP_WEBRTC_SHA1_BLOCK];

    ngx_memzero(pad, sizeof(pad));

    if (key->len > sizeof(pad)) {
        ngx_sha1_init(&sha1);
        ngx_sha1_update(&sha1, key->data, key->len);
        ngx_sha1_final(pad, &sha1);

    } else {
        ngx_memcpy(pad, key->data, key->len);
    }

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, pad, sizeof(pad));
    ngx_sha1_update(&sha1, text->data, text->len);
    ngx_sha1_final(digest, &sha1);

    for (i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, pad, sizeof(pad));
    ngx_sha1_update(&sha1, digest, NGX_HTTP_WEBRTC_SHA1);
    ngx_sha1_final(digest, &sha1);

    ngx_explicit_memzero(pad, sizeof(pad));
}


/* RFC 9110, 5.6.4; drops control characters, which variables may contain */

static u_char *
ngx_http_webrtc_ice_server_quote(u_char *p, ngx_str_t *s)
{
    ngx_uint_t  i;

    *p++ = '"';

    for (i = 0; i < s->len; i++) {

        if (s->data[i] < ' ' || s->data[i] == 0x7f) {
            continue;
        }

        if (s->data[i] == '"' || s->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = s->data[i];
    }

    *p++ = '"';

    return p;
}


/*
 * webrtc_ice_server url [internal];
 * webrtc_ice_server url username=name credential=word [internal];
 * webrtc_ice_server url secret=word [username=name] [ttl=time] [internal];
 * webrtc_ice_server off;
 */

char *
ngx_http_webrtc_ice_server_conf(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t                     *value;
    ngx_uint_t                     i, turn;
    const char                    *err;
    ngx_http_webrtc_ice_server_t  *server;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {

        if (wlcf->ice_servers != NGX_CONF_UNSET_PTR) {
            return "has \"off\" beside servers";
        }

        wlcf->ice_servers = NULL;
        return NGX_CONF_OK;
    }

    if (wlcf->ice_servers == NULL) {
        return "has \"off\" beside servers";
    }

    if (wlcf->ice_servers == NGX_CONF_UNSET_PTR) {
        wlcf->ice_servers = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_webrtc_ice_server_t));
        if (wlcf->ice_servers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    server = ngx_array_push(wlcf->ice_servers);
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_http_webrtc_ice_server_t));

    server->url = value[1];
    server->ttl = NGX_HTTP_WEBRTC_ICE_SERVER_TTL;

    err = ngx_http_webrtc_ice_server_check(&value[1], &turn);

    for (i = 2; i < cf->args->nelts && err == NULL; i++) {
        if (ngx_http_webrtc_ice_server_param(cf, server, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (err == NULL && !turn
        && (server->username || server->credential || server->secret.len))
    {
        err = "STUN servers take no credentials";
    }

    if (err == NULL && turn
        && (server->secret.len ? server->credential != NULL
            : server->credential == NULL || server->username == NULL))
    {
        err = "TURN servers need \"username=\" and \"credential=\", or "
              "\"secret=\"";
    }

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid webrtc_ice_server \"%V\": %s", &value[1],
                           err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_ice_server_param(ngx_conf_t *cf,
    ngx_http_webrtc_ice_server_t *server, ngx_str_t *value)
{
    ngx_str_t  s, param;

    if (ngx_strcmp(value->data, "internal") == 0) {
        server->internal = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "username=", 9) == 0) {

        server->username = ngx_http_webrtc_ice_server_value(cf, value, 9);

        return server->username ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(value->data, "credential=", 11) == 0) {

        server->credential = ngx_http_webrtc_ice_server_value(cf, value, 11);

        return server->credential ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(value->data, "secret=", 7) == 0
        && value->len > 7)
    {
        server->secret.data = value->data + 7;
        server->secret.len = value->len - 7;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "ttl=", 4) == 0) {

        s.data = value->data + 4;
        s.len = value->len - 4;

        server->ttl = ngx_parse_time(&s, 1);

        if (server->ttl != (time_t) NGX_ERROR && server->ttl != 0) {
            return NGX_OK;
        }
    }

    /* the value may be a secret, and so may a parameter without a name */

    param = *value;

    if (ngx_strncmp(param.data, "ttl=", 4) != 0) {
        s.data = ngx_strlchr(param.data, param.data + param.len, '=');

        if (s.data) {
            param.len = s.data - param.data + 1;

        } else {
            ngx_str_set(&param, "*");
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in webrtc_ice_server "
                       "\"%V\", expected \"username=name\", "
                       "\"credential=word\", \"secret=word\", "
                       "\"internal\" or \"ttl=time\", such as "
                       "\"ttl=1h\"", &param,
                       &server->url);
    return NGX_ERROR;
}


/* returns NULL or what is wrong; turn: set if it is a TURN server */

static const char *
ngx_http_webrtc_ice_server_check(ngx_str_t *url, ngx_uint_t *turn)
{
    size_t       skip;
    ngx_uint_t   i;

    static const char  *schemes[] = { "stun:", "stuns:", "turn:", "turns:" };

    for (i = 0; i < 4; i++) {
        skip = ngx_strlen(schemes[i]);

        if (url->len > skip
            && ngx_strncasecmp(url->data, (u_char *) schemes[i], skip) == 0)
        {
            break;
        }
    }

    if (i == 4) {
        return "expected stun:, stuns:, turn: or turns: and a host, such as "
               "\"stun:stun.example.com:3478\"";
    }

    *turn = (i >= 2);

    for (i = 0; i < url->len; i++) {
        if (url->data[i] <= ' ' || url->data[i] >= 0x7f
            || url->data[i] == '<' || url->data[i] == '>'
            || url->data[i] == '"' || url->data[i] == '$')
        {
            return "a character that is not allowed there";
        }
    }

    return NULL;
}


static ngx_http_complex_value_t *
ngx_http_webrtc_ice_server_value(ngx_conf_t *cf, ngx_str_t *value, size_t skip)
{
    ngx_str_t                          s;
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    s.data = value->data + skip;
    s.len = value->len - skip;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &s;
    ccv.complex_value = cv;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? cv : NULL;
}
