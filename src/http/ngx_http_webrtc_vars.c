
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Variables for logs.  Those of "webrtc_log" are set in requests of the
 * module's own only, the others once a request has been handled.
 */


#include "ngx_http_webrtc_vars.h"
#include "ngx_webrtc_bus_public.h"
#include "ngx_webrtc_codecs.h"


static ngx_http_webrtc_note_t *ngx_http_webrtc_note_find(
    ngx_http_request_t *r);
static void ngx_http_webrtc_note_cleanup(void *data);
static ngx_int_t ngx_http_webrtc_note_copy(ngx_http_request_t *r,
    ngx_str_t *to, u_char *p, size_t n);
static ngx_int_t ngx_http_webrtc_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webrtc_variable_claim(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_webrtc_variable_escaped(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_webrtc_variable_set(ngx_http_variable_value_t *v,
    ngx_str_t *s);


static ngx_http_variable_t  ngx_http_webrtc_variables[] = {

    { ngx_string("webrtc_session"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, session),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_stream"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, stream),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_role"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, role),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_codec"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, codec),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_cause"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, cause),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_event"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, event),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_time"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, time),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_setup_ms"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, setup),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_first_frame_ms"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, first),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_bytes_sent"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, bytes_sent),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_bytes_received"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, bytes_received),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_packets_sent"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, packets_sent),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_packets_received"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, packets_received),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_lost"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, lost),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_resent"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, resent),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_nacks"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, nacks),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_plis"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, plis),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_rtt"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, rtt),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_jitter"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, jitter),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_end"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, end),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_remote_addr"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, remote),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_user_agent"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, agent),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_record_path"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, path),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_record_size"), NULL, ngx_http_webrtc_variable,
      offsetof(ngx_http_webrtc_note_t, size),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("webrtc_escaped_"), NULL, ngx_http_webrtc_variable_escaped,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("webrtc_jwt_claim_"), NULL, ngx_http_webrtc_variable_claim,
      0, NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_webrtc_vars_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_webrtc_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* kept in a cleanup, since an internal redirect clears module contexts */

static ngx_http_webrtc_note_t *
ngx_http_webrtc_note_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_webrtc_note_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_webrtc_note_t *
ngx_http_webrtc_note(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note_find(r);

    if (note) {
        return note;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_webrtc_note_t));
    if (cln == NULL) {
        return NULL;
    }

    ngx_memzero(cln->data, sizeof(ngx_http_webrtc_note_t));

    cln->handler = ngx_http_webrtc_note_cleanup;

    return cln->data;
}


static void
ngx_http_webrtc_note_cleanup(void *data)
{
    /* void: its address identifies the note */
}


void
ngx_http_webrtc_note_stream(ngx_http_request_t *r, ngx_uint_t role,
    ngx_str_t *name)
{
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note(r);
    if (note == NULL) {
        return;
    }

    note->stream = *name;
    ngx_http_webrtc_role(role, &note->role);
}


void
ngx_http_webrtc_role(ngx_uint_t role, ngx_str_t *text)
{
    if (role == NGX_WEBRTC_PEER_PUBLISH) {
        ngx_str_set(text, "publish");

    } else if (role == NGX_WEBRTC_PEER_FILES) {
        ngx_str_set(text, "file");

    } else if (role == NGX_WEBRTC_PEER_PUSH) {
        ngx_str_set(text, "push");

    } else {
        ngx_str_set(text, "play");
    }
}


void
ngx_http_webrtc_note_peer(ngx_http_request_t *r, ngx_webrtc_peer_t *peer)
{
    u_char                    *p;
    size_t                     len;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *codec;
    ngx_http_webrtc_note_t    *note;
    u_char                     public[NGX_WEBRTC_PUBLIC_LEN];

    note = ngx_http_webrtc_note(r);

    ngx_webrtc_bus_public(peer->id, public);

    if (note == NULL
        || ngx_http_webrtc_note_copy(r, &name, peer->name, peer->name_len)
           != NGX_OK
        || ngx_http_webrtc_note_copy(r, &note->session, public,
                                     NGX_WEBRTC_PUBLIC_LEN)
           != NGX_OK)
    {
        return;
    }

    ngx_http_webrtc_note_stream(r, peer->role, &name);

    len = 0;

    for (i = 0; i < peer->desc.nmedia && i < NGX_WEBRTC_DESC_MEDIA; i++) {
        codec = ngx_webrtc_codec(peer->desc.media[i].codec);
        len += codec ? codec->name.len + 1 : 0;
    }

    p = ngx_pnalloc(r->pool, len ? len : 1);
    if (p == NULL) {
        return;
    }

    note->codec.data = p;

    for (i = 0; i < peer->desc.nmedia && i < NGX_WEBRTC_DESC_MEDIA; i++) {
        codec = ngx_webrtc_codec(peer->desc.media[i].codec);

        if (codec == NULL
            || peer->desc.media[i].track == NGX_WEBRTC_DESC_NO_TRACK)
        {
            continue;
        }

        if (p != note->codec.data) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, codec->name.data, codec->name.len);
    }

    note->codec.len = p - note->codec.data;
}


static ngx_int_t
ngx_http_webrtc_note_copy(ngx_http_request_t *r, ngx_str_t *to, u_char *p,
    size_t n)
{
    to->data = ngx_pnalloc(r->pool, n ? n : 1);
    if (to->data == NULL) {
        to->len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, p, n);
    to->len = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_str_t               *s;
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note_find(r->main);
    s = note ? (ngx_str_t *) ((char *) note + data) : NULL;

    if (s == NULL || s->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_webrtc_variable_set(v, s);

    return NGX_OK;
}


/* data is the variable's name */

static ngx_int_t
ngx_http_webrtc_variable_claim(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    size_t                   n;
    u_char                  *claim;
    ngx_str_t                s;
    ngx_http_webrtc_note_t  *note;

    note = ngx_http_webrtc_note_find(r->main);

    n = name->len - (sizeof("webrtc_jwt_claim_") - 1);
    claim = ngx_pnalloc(r->pool, n + 1);

    if (claim == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(claim, name->data + name->len - n, n) = '\0';

    s.len = (note && note->claims)
            ? ngx_webrtc_jwt_text(note->claims, (char *) claim, NULL, 0) : 0;

    if (s.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    s.data = ngx_pnalloc(r->pool, s.len);
    if (s.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_webrtc_jwt_text(note->claims, (char *) claim, s.data, s.len);

    ngx_http_webrtc_variable_set(v, &s);

    return NGX_OK;
}


/*
 * $webrtc_escaped_x is $webrtc_x for a URI, where a name is one argument,
 * whatever characters it has: "a&b=c" would be two.  data is the name.
 */

static ngx_int_t
ngx_http_webrtc_variable_escaped(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    u_char                     *p;
    size_t                      n;
    ngx_str_t                   plain, s;
    ngx_http_variable_value_t  *value;

    n = name->len - (sizeof("webrtc_escaped_") - 1);

    plain.len = sizeof("webrtc_") - 1 + n;
    plain.data = ngx_pnalloc(r->pool, plain.len);

    if (plain.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(plain.data, "webrtc_", sizeof("webrtc_") - 1);
    ngx_memcpy(p, name->data + name->len - n, n);

    value = ngx_http_get_variable(r, &plain,
                                  ngx_hash_key(plain.data, plain.len));

    if (value == NULL || value->not_found) {
        v->not_found = 1;
        return NGX_OK;
    }

    s.len = value->len;
    s.data = value->data;

    n = ngx_escape_uri(NULL, s.data, s.len, NGX_ESCAPE_URI_COMPONENT);

    if (n) {
        p = ngx_pnalloc(r->pool, s.len + 2 * n);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.len = (u_char *) ngx_escape_uri(p, s.data, s.len,
                                          NGX_ESCAPE_URI_COMPONENT)
                - p;
        s.data = p;
    }

    ngx_http_webrtc_variable_set(v, &s);

    return NGX_OK;
}


static void
ngx_http_webrtc_variable_set(ngx_http_variable_value_t *v, ngx_str_t *s)
{
    v->len = s->len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->data = s->data;
}
