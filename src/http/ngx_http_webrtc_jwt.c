
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tokens, in the access phase, so that "satisfy any" joins them with "allow",
 * "auth_basic" and so on.
 *
 *   1. the token: "Authorization: Bearer", an argument, the password of Basic
 *   2. keys of a URI, by a subrequest, if there is one
 *   3. signature and claims, ngx_webrtc_jwt.c
 *   4. what it permits: the action of the location and the stream's name
 *
 * A session's URL needs one, too, which may have expired meanwhile unless
 * "webrtc_jwt_expire" has ended the session.  Preflights do not come here, and
 * the player's page needs none.
 *
 * RFC 6750 (Bearer), RFC 9725, 4.8.
 */


#include "ngx_http_webrtc_jwt.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"


/* bytes of a pattern, and times that it is tried at most, in words of PCRE;
 * chosen: names have 127 bytes, and a check takes far less than 1 ms */
#define NGX_HTTP_WEBRTC_JWT_PATTERN  256
#define NGX_HTTP_WEBRTC_JWT_LIMITS   "(*LIMIT_MATCH=10000)"

/* room for the words around a name */
#define NGX_HTTP_WEBRTC_JWT_DETAIL   128


struct ngx_http_webrtc_jwt_asked_s {
    ngx_http_webrtc_jwt_t       *jwt;        /* of which location */
    ngx_http_webrtc_asked_t      asked;
    ngx_webrtc_jwk_keys_t        keys;
};


static ngx_int_t ngx_http_webrtc_jwt_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_webrtc_jwt_needed(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_int_t ngx_http_webrtc_jwt_decide(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_webrtc_note_t *note);
static ngx_uint_t ngx_http_webrtc_jwt_session(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_int_t ngx_http_webrtc_jwt_token(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *token);
static ngx_int_t ngx_http_webrtc_jwt_verify(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_webrtc_note_t *note,
    ngx_webrtc_jwt_t *token);
static ngx_int_t ngx_http_webrtc_jwt_keys(ngx_http_request_t *r,
    ngx_http_webrtc_jwt_t *jwt, ngx_http_webrtc_note_t *note);
static ngx_int_t ngx_http_webrtc_jwt_no_keys(ngx_http_request_t *r,
    ngx_http_webrtc_jwt_t *jwt, ngx_http_webrtc_asked_t *asked,
    const char *what);
static ngx_int_t ngx_http_webrtc_jwt_permits(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_jwt_claims_t *claims);
static ngx_uint_t ngx_http_webrtc_jwt_match(void *ctx, ngx_str_t *pattern,
    ngx_str_t *path);
static ngx_int_t ngx_http_webrtc_jwt_unauthorized(ngx_http_request_t *r,
    const char *what);
static ngx_int_t ngx_http_webrtc_jwt_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *error, const char *title,
    ngx_str_t *detail);
static void ngx_http_webrtc_jwt_free(void *data);
static void ngx_http_webrtc_jwt_free_keys(void *data);


ngx_int_t
ngx_http_webrtc_jwt_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_webrtc_jwt_handler;

    return NGX_OK;
}


/* NGX_DECLINED: not asked; NGX_OK: permitted */

static ngx_int_t
ngx_http_webrtc_jwt_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_note_t      *note;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->jwt == NULL || !ngx_http_webrtc_jwt_needed(r, wlcf)) {
        return NGX_DECLINED;
    }

    note = ngx_http_webrtc_note(r);
    if (note == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_webrtc_jwt_decide(r, wlcf, note);

    if (rc == NGX_DONE) {
        ngx_http_finalize_request(r, NGX_OK);
    }

    return rc;
}


static ngx_uint_t
ngx_http_webrtc_jwt_needed(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    ngx_str_t  id;

    if (wlcf->play == NULL && wlcf->publish == NULL) {
        return wlcf->recordings
               || (wlcf->file && r->content_handler == NULL);
    }

    return wlcf->live
           || (r->method != NGX_HTTP_GET && r->method != NGX_HTTP_HEAD)
           || ngx_http_webrtc_arg(r, "session", &id) == NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_jwt_decide(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_webrtc_note_t *note)
{
    ngx_int_t                rc;
    ngx_str_t                token;
    const char              *what;
    ngx_webrtc_jwt_t         jwt;
    ngx_pool_cleanup_t      *cln;
    ngx_webrtc_jwt_rules_t   rules;

    rc = ngx_http_webrtc_jwt_token(r, wlcf, &token);

    if (rc == NGX_DECLINED) {
        return ngx_http_webrtc_jwt_unauthorized(r, NULL);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_webrtc_jwt_parse(token.data, token.len, &jwt, &what) != NGX_OK) {
        return ngx_http_webrtc_jwt_unauthorized(r, what);
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* of a location before an internal redirect, its cleanup has it */

    note->claims = NULL;
    note->expires = 0;

    rc = ngx_http_webrtc_jwt_verify(r, wlcf, note, &jwt);

    if (rc != NGX_OK) {
        return rc;
    }

    cln->handler = ngx_http_webrtc_jwt_free;
    cln->data = note->claims;

    rules.now = ngx_time();
    rules.leeway = wlcf->jwt_leeway / 1000;
    rules.issuer = wlcf->jwt_issuer;
    rules.audience = wlcf->jwt_audience;
    rules.ended = !wlcf->jwt_expire && ngx_http_webrtc_jwt_session(r, wlcf);

    if (ngx_webrtc_jwt_check(note->claims, &rules, &note->expires, &what)
        != NGX_OK)
    {
        rc = ngx_http_webrtc_jwt_unauthorized(r, what);

    } else {
        rc = ngx_http_webrtc_jwt_permits(r, wlcf, note->claims);
    }

    if (rc != NGX_OK) {

        /* with "satisfy any" somebody else may permit it, without a token */

        note->claims = NULL;
        note->expires = 0;
    }

    return rc;
}


/*
 * Is it a request of a session that there was an offer for, so that the token
 * may have expired since?  Of a file that nginx itself sends "?session=" says
 * nothing.
 */

static ngx_uint_t
ngx_http_webrtc_jwt_session(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    ngx_str_t  id;

    /* what answers with its stream, a list, and RTMP have no sessions */

    if (wlcf->live || wlcf->recordings || ngx_http_webrtc_ingest_of(r)
        || ngx_http_webrtc_arg(r, "session", &id) != NGX_OK)
    {
        return 0;
    }

    if (wlcf->play || wlcf->publish) {
        return 1;
    }

    return !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
           || (r->method == NGX_HTTP_GET && ngx_http_webrtc_wants_events(r));
}


/* NGX_DECLINED: there is none */

static ngx_int_t
ngx_http_webrtc_jwt_token(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_str_t *token)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t  *value;

    if (r->headers_in.authorization) {
        value = &r->headers_in.authorization->value;

        if (value->len >= sizeof("Bearer ") - 1
            && ngx_strncasecmp(value->data, (u_char *) "Bearer ",
                               sizeof("Bearer ") - 1)
               == 0)
        {
            p = value->data + sizeof("Bearer ") - 1;
            last = value->data + value->len;

            while (p < last && *p == ' ') {
                p++;
            }

            while (p < last && last[-1] == ' ') {
                last--;
            }

            token->data = p;
            token->len = last - p;

            return NGX_OK;
        }
    }

    if (wlcf->jwt_arg.len
        && ngx_http_webrtc_arg(r, (char *) wlcf->jwt_arg.data, token)
           == NGX_OK)
    {
        return NGX_OK;
    }

    rc = ngx_http_auth_basic_user(r);

    if (rc != NGX_OK) {
        return rc;
    }

    *token = r->headers_in.passwd;

    return NGX_OK;
}


/* NGX_OK: note->claims are set */

static ngx_int_t
ngx_http_webrtc_jwt_verify(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_http_webrtc_note_t *note,
    ngx_webrtc_jwt_t *token)
{
    ngx_int_t    rc;
    const char  *what;

    if (ngx_webrtc_jwt_verify(token, &wlcf->jwt->keys, &note->claims, &what)
        == NGX_OK)
    {
        return NGX_OK;
    }

    if (wlcf->jwt->uri.len == 0) {
        return ngx_http_webrtc_jwt_unauthorized(r, what);
    }

    rc = ngx_http_webrtc_jwt_keys(r, wlcf->jwt, note);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_webrtc_jwt_verify(token, &note->jwt->keys, &note->claims, &what)
        == NGX_OK)
    {
        return NGX_OK;
    }

    return ngx_http_webrtc_jwt_unauthorized(r, what);
}


/* NGX_OK: those of "uri=" are in note->jwt */

static ngx_int_t
ngx_http_webrtc_jwt_keys(ngx_http_request_t *r, ngx_http_webrtc_jwt_t *jwt,
    ngx_http_webrtc_note_t *note)
{
    const char                   *what;
    ngx_pool_cleanup_t           *cln;
    ngx_http_webrtc_asked_t      *asked;
    ngx_http_webrtc_jwt_asked_t  *ja;

    ja = note->jwt;

    if (ja == NULL || ja->jwt != jwt) {

        cln = ngx_pool_cleanup_add(r->pool,
                                   sizeof(ngx_http_webrtc_jwt_asked_t));
        if (cln == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ja = cln->data;
        ja->jwt = jwt;
        ja->keys.n = 0;

        cln->handler = ngx_http_webrtc_jwt_free_keys;
        cln->data = &ja->keys;
        note->jwt = ja;

        /* the client's headers, its token among them, are not for them */

        return (ngx_http_webrtc_ask(r, &jwt->uri, 0, &ja->asked) == NGX_OK)
               ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    asked = &ja->asked;

    if (!asked->done) {
        return NGX_AGAIN;
    }

    if (ja->keys.n) {
        return NGX_OK;
    }

    if (asked->status != NGX_HTTP_OK) {
        return ngx_http_webrtc_jwt_no_keys(r, jwt, asked, NULL);
    }

    if (ngx_webrtc_jwk_set(&ja->keys, asked->body.data, asked->body.len, 0,
                           &what)
        != NGX_OK)
    {
        return ngx_http_webrtc_jwt_no_keys(r, jwt, asked, what);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_jwt_no_keys(ngx_http_request_t *r, ngx_http_webrtc_jwt_t *jwt,
    ngx_http_webrtc_asked_t *asked, const char *what)
{
    ngx_int_t  rc;

    if (what) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webrtc keys of tokens from \"%V\": %s", &jwt->uri, what);
    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webrtc keys of tokens from \"%V\": answered with %ui",
                      &jwt->uri, asked->status);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "the keys to check the token with cannot "
                                   "be had", NULL);
}


static ngx_int_t
ngx_http_webrtc_jwt_permits(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf, ngx_webrtc_jwt_claims_t *claims)
{
    size_t                    size;
    ngx_str_t                 detail;
    const char               *what;
    ngx_webrtc_jwt_wanted_t   wanted;
    ngx_http_complex_value_t *name;

    /* the first of each is MediaMTX's */

    static const char *const  play[] = { "read", "play", NULL };
    static const char *const  publish[] = { "publish", NULL };
    static const char *const  file[] = { "playback", "file", NULL };

    name = wlcf->play ? wlcf->play : wlcf->publish;

    if (name == NULL) {
        wanted.path.data = r->uri.data + 1;
        wanted.path.len = r->uri.len - 1;

    } else if (ngx_http_complex_value(r, name, &wanted.path) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wanted.claim = wlcf->jwt_claim;
    wanted.actions = wlcf->play ? play : wlcf->publish ? publish : file;
    wanted.match = ngx_http_webrtc_jwt_match;
    wanted.ctx = r;

    if (ngx_webrtc_jwt_permits(claims, &wanted, &what) == NGX_OK) {
        return NGX_OK;
    }

    size = NGX_HTTP_WEBRTC_JWT_DETAIL + ngx_strlen(what) + wanted.claim.len
           + wanted.path.len;

    detail.data = ngx_pnalloc(r->pool, size);
    if (detail.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    detail.len = ngx_snprintf(detail.data, size,
                              "%s: expected {\"action\":\"%s\",\"path\":"
                              "\"%V\"} in \"%V\"", what, wanted.actions[0],
                              &wanted.path, &wanted.claim)
                 - detail.data;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "webrtc token refused: %s", what);

    return ngx_http_webrtc_jwt_refuse(r, NGX_HTTP_FORBIDDEN,
                                      "insufficient_scope",
                                      "the token does not permit this",
                                      &detail);
}


/* the issuer's pattern, as in MediaMTX; it cannot make us try for long */

static ngx_uint_t
ngx_http_webrtc_jwt_match(void *ctx, ngx_str_t *pattern, ngx_str_t *path)
{
#if (NGX_PCRE)

    ngx_http_request_t *r = ctx;

    u_char               *p;
    ngx_regex_compile_t   rc;
    u_char                errstr[NGX_MAX_CONF_ERRSTR];

    if (pattern->len > NGX_HTTP_WEBRTC_JWT_PATTERN) {
        return 0;
    }

    p = ngx_pnalloc(r->pool, sizeof(NGX_HTTP_WEBRTC_JWT_LIMITS)
                             + pattern->len);
    if (p == NULL) {
        return 0;
    }

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern.data = p;

    p = ngx_cpymem(p, NGX_HTTP_WEBRTC_JWT_LIMITS,
                   sizeof(NGX_HTTP_WEBRTC_JWT_LIMITS) - 1);
    p = ngx_cpymem(p, pattern->data, pattern->len);
    *p = '\0';

    rc.pattern.len = p - rc.pattern.data;
    rc.pool = r->pool;
    rc.err.data = errstr;
    rc.err.len = sizeof(errstr);

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "webrtc token has a pattern that is none");
        return 0;
    }

    return ngx_regex_exec(rc.regex, path, NULL, 0) >= 0;

#else

    return 0;

#endif
}


/* what: NULL when there is no token */

static ngx_int_t
ngx_http_webrtc_jwt_unauthorized(ngx_http_request_t *r, const char *what)
{
    ngx_str_t  detail;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "webrtc token refused: %s", what ? what : "there is none");

    if (what == NULL) {
        ngx_str_set(&detail, "expected it as \"Authorization: Bearer\", as an "
                             "argument of the URL, or as the password of "
                             "Basic");

        return ngx_http_webrtc_jwt_refuse(r, NGX_HTTP_UNAUTHORIZED, NULL,
                                          "a token is needed", &detail);
    }

    detail.data = (u_char *) what;
    detail.len = ngx_strlen(what);

    return ngx_http_webrtc_jwt_refuse(r, NGX_HTTP_UNAUTHORIZED,
                                      "invalid_token", "the token is refused",
                                      &detail);
}


/* RFC 6750, 3; with "satisfy any" nginx answers, if nobody permits */

static ngx_int_t
ngx_http_webrtc_jwt_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *error, const char *title, ngx_str_t *detail)
{
    ngx_int_t                  rc;
    ngx_str_t                  value;
    ngx_table_elt_t           *h;
    ngx_http_core_loc_conf_t  *clcf;

    value.data = ngx_pnalloc(r->pool, NGX_HTTP_WEBRTC_JWT_DETAIL);

    h = ngx_list_push(&r->headers_out.headers);

    if (value.data == NULL || h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.len = ngx_snprintf(value.data, NGX_HTTP_WEBRTC_JWT_DETAIL,
                             "Bearer realm=\"webrtc\"%s%s%s",
                             error ? ", error=\"" : "", error ? error : "",
                             error ? "\"" : "")
                - value.data;

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "WWW-Authenticate");
    h->value = value;

    r->headers_out.www_authenticate = h;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        return status;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_webrtc_problem(r, status, title, detail);
}


uint32_t
ngx_http_webrtc_jwt_expires(ngx_http_request_t *r)
{
    ngx_http_webrtc_note_t      *note;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);
    note = ngx_http_webrtc_note(r);

    if (wlcf->jwt == NULL || !wlcf->jwt_expire || note == NULL) {
        return 0;
    }

    return (uint32_t) ngx_min(note->expires, (int64_t) NGX_MAX_UINT32_VALUE);
}


static void
ngx_http_webrtc_jwt_free(void *data)
{
    ngx_webrtc_jwt_free(data);
}


static void
ngx_http_webrtc_jwt_free_keys(void *data)
{
    ngx_webrtc_jwk_free(data);
}
