
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Hooks of offers.  The last thing before the offer is read, after "allow",
 * "auth_basic" and so on: a subrequest, so that proxy_pass, njs and everything
 * else works.  The request waits for it, and nothing else does.
 *
 *   2xx            taken
 *   3xx            Location is a URL, where the client is sent with 307, or the
 *                  name of the stream to take instead
 *   anything else  refused, with its status and body
 */


#include "ngx_http_webrtc_hook.h"
#include "ngx_http_webrtc_ask.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_reason.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_vars.h"


static ngx_int_t ngx_http_webrtc_hook(ngx_http_request_t *r);
static ngx_uint_t ngx_http_webrtc_hook_needed(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf);
static ngx_int_t ngx_http_webrtc_hook_ask(ngx_http_request_t *r,
    ngx_http_complex_value_t *hook);
static ngx_int_t ngx_http_webrtc_hook_note(ngx_http_request_t *r,
    ngx_uint_t role, ngx_http_complex_value_t *value);
static ngx_int_t ngx_http_webrtc_hook_decide(ngx_http_request_t *r,
    ngx_http_webrtc_note_t *note);
static ngx_int_t ngx_http_webrtc_hook_moved(ngx_http_request_t *r,
    ngx_http_webrtc_note_t *note);
static ngx_int_t ngx_http_webrtc_hook_refuse(ngx_http_request_t *r,
    ngx_http_webrtc_asked_t *hook);
static ngx_int_t ngx_http_webrtc_hook_escaped(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *text);


ngx_int_t
ngx_http_webrtc_hook_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_webrtc_hook;

    return NGX_OK;
}


/* NGX_DECLINED: go on */

static ngx_int_t
ngx_http_webrtc_hook(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_webrtc_note_t      *note;
    ngx_http_complex_value_t    *hook, *value;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    hook = wlcf->play ? wlcf->on_play : wlcf->publish ? wlcf->on_publish : NULL;

    if (hook == NULL || r != r->main || !ngx_http_webrtc_hook_needed(r, wlcf))
    {
        return NGX_DECLINED;
    }

    note = ngx_http_webrtc_note(r);
    if (note == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (note->hook == NULL) {

        value = wlcf->play ? wlcf->play : wlcf->publish;

        rc = ngx_http_webrtc_hook_note(r, wlcf->play ? NGX_WEBRTC_PEER_PLAY
                                                     : NGX_WEBRTC_PEER_PUBLISH,
                                       value);

        return (rc == NGX_OK) ? ngx_http_webrtc_hook_ask(r, hook) : rc;
    }

    if (!note->hook->done) {
        return NGX_AGAIN;
    }

    rc = ngx_http_webrtc_hook_decide(r, note);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DONE) {
        ngx_http_finalize_request(r, NGX_OK);
        return NGX_DONE;
    }

    return rc;
}


/* an offer, or a GET where that is answered with the stream */

static ngx_uint_t
ngx_http_webrtc_hook_needed(ngx_http_request_t *r,
    ngx_http_webrtc_loc_conf_t *wlcf)
{
    ngx_str_t  id;

    if (wlcf->live) {
        return (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) != 0;
    }

    if (ngx_http_webrtc_ingest_of(r)) {
        return wlcf->publish != NULL;
    }

    return r->method == NGX_HTTP_POST
           && ngx_http_webrtc_arg(r, "session", &id) != NGX_OK
           && ngx_http_webrtc_is_type(r, &ngx_http_webrtc_sdp_type);
}


/* $webrtc_stream, $webrtc_role and $webrtc_event, for the URI of the hook */

static ngx_int_t
ngx_http_webrtc_hook_note(ngx_http_request_t *r, ngx_uint_t role,
    ngx_http_complex_value_t *value)
{
    ngx_str_t                name;
    ngx_http_webrtc_note_t  *note;

    if (ngx_http_complex_value(r, value, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ngx_http_webrtc_reason_is_name(&name)) {
        /* is refused without a hook */
        return NGX_DECLINED;
    }

    ngx_http_webrtc_note_stream(r, role, &name);

    note = ngx_http_webrtc_note(r);

    if (note) {
        note->event = note->role;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_hook_ask(ngx_http_request_t *r, ngx_http_complex_value_t *hook)
{
    ngx_int_t                rc;
    ngx_str_t                uri;
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note(r);

    if (note == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_complex_value(r, hook, &uri);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    note->hook = ngx_palloc(r->pool, sizeof(ngx_http_webrtc_asked_t));

    if (note->hook == NULL
        || ngx_http_webrtc_ask(r, &uri, 1, note->hook) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


/* NGX_OK: taken; otherwise a result as in ngx_http_webrtc_resource.h */

static ngx_int_t
ngx_http_webrtc_hook_decide(ngx_http_request_t *r,
    ngx_http_webrtc_note_t *note)
{
    ngx_int_t                rc;
    ngx_http_webrtc_asked_t  *hook;

    hook = note->hook;

    if (hook->status >= NGX_HTTP_OK
        && hook->status < NGX_HTTP_SPECIAL_RESPONSE)
    {
        return NGX_OK;
    }

    if (hook->status < NGX_HTTP_BAD_REQUEST && hook->location.len) {
        rc = ngx_http_webrtc_hook_moved(r, note);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_webrtc_hook_refuse(r, hook);
}


/* NGX_DECLINED: not a location that can be used */

static ngx_int_t
ngx_http_webrtc_hook_moved(ngx_http_request_t *r, ngx_http_webrtc_note_t *note)
{
    ngx_int_t   rc;
    ngx_str_t  *to, empty;

    to = &note->hook->location;

    if (ngx_strncasecmp(to->data, (u_char *) "http://", 7) == 0
        || ngx_strncasecmp(to->data, (u_char *) "https://", 8) == 0)
    {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        ngx_str_null(&empty);

        if (ngx_http_webrtc_header(r, "Location", to) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_webrtc_answer(r, NGX_HTTP_TEMPORARY_REDIRECT, NULL,
                                      &empty);
    }

    if (!ngx_http_webrtc_reason_is_name(to)) {
        return NGX_DECLINED;
    }

    note->rename = *to;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_hook_refuse(ngx_http_request_t *r,
    ngx_http_webrtc_asked_t *hook)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (hook->status < NGX_HTTP_BAD_REQUEST) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webrtc hook answered with %ui and no Location that is "
                      "a URL or the name of a stream", hook->status);

        hook->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        ngx_str_null(&hook->body);
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "webrtc offer refused by a hook: %ui", hook->status);

    if (hook->authenticate.len
        && ngx_http_webrtc_header(r, "WWW-Authenticate", &hook->authenticate)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (hook->body.len == 0) {
        return ngx_http_webrtc_problem(r, hook->status,
                                       "refused by the server's policy", NULL);
    }

    return ngx_http_webrtc_answer(r, hook->status, &hook->type, &hook->body);
}


char *
ngx_http_webrtc_hook_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                         *value, text;
    ngx_uint_t                         url;
    ngx_http_complex_value_t         **cv;
    ngx_http_compile_complex_value_t   ccv;

    cv = (ngx_http_complex_value_t **) (p + cmd->offset);

    if (*cv != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *cv = NULL;
        return NGX_CONF_OK;
    }

    url = (cmd->offset == offsetof(ngx_http_webrtc_loc_conf_t, drain_to));

    if (value[1].len == 0
        || (value[1].data[0] != '$'
            && (url ? (ngx_strncmp(value[1].data, "http://", 7) != 0
                       && ngx_strncmp(value[1].data, "https://", 8) != 0)
                    : value[1].data[0] != '/')))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in %V, expected \"off\" or "
                           "%s", &value[1], &cmd->name,
                           url ? "a URL, such as "
                                 "\"https://example.com$request_uri\""
                               : "a URI of this server, such as "
                                 "\"/hook?stream=$webrtc_stream\"");
        return NGX_CONF_ERROR;
    }

    *cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (*cv == NULL
        || ngx_http_webrtc_hook_escaped(cf, &value[1], &text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = url ? &value[1] : &text;
    ccv.complex_value = *cv;

    return (ngx_http_compile_complex_value(&ccv) == NGX_OK) ? NGX_CONF_OK
                                                            : NGX_CONF_ERROR;
}


/* $webrtc_x and ${webrtc_x} of a hook's URI become $webrtc_escaped_x */

static ngx_int_t
ngx_http_webrtc_hook_escaped(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *text)
{
    u_char      *p, *q, *last;
    size_t       n;
    ngx_uint_t   i;

    n = 0;

    for (i = 0; i < value->len; i++) {
        n += (value->data[i] == '$');
    }

    text->data = ngx_pnalloc(cf->pool,
                             value->len + n * (sizeof("escaped_") - 1) + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;
    q = value->data;
    last = value->data + value->len;

    while (q < last) {
        *p++ = *q++;

        if (q[-1] != '$') {
            continue;
        }

        if (q < last && *q == '{') {
            *p++ = *q++;
        }

        n = sizeof("webrtc_") - 1;

        if ((size_t) (last - q) > n
            && ngx_strncasecmp(q, (u_char *) "webrtc_", n) == 0
            && ngx_strncasecmp(q + n, (u_char *) "escaped_",
                               sizeof("escaped_") - 1)
               != 0)
        {
            p = ngx_cpymem(p, "webrtc_escaped_", sizeof("webrtc_escaped_") - 1);
            q += n;
        }
    }

    *p = '\0';
    text->len = p - text->data;

    return NGX_OK;
}
