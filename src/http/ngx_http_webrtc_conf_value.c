
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Directives with one bounded value.
 */


#include "ngx_http_webrtc_conf_value.h"
#include "ngx_http_webrtc_file.h"
#include "ngx_webrtc_bus_file.h"
#include "ngx_http_webrtc_ice.h"


/* room for a list of names */
#define NGX_HTTP_WEBRTC_CONF_NAMES  128


static ngx_uint_t ngx_http_webrtc_conf_is_set(u_char *field, size_t size);
static void ngx_http_webrtc_conf_set(u_char *field, size_t size, int64_t v);
static void ngx_http_webrtc_conf_names(ngx_conf_enum_t *names, u_char *buf);
static ngx_uint_t ngx_http_webrtc_conf_origin_ok(ngx_str_t *value);


static ngx_conf_enum_t  ngx_http_webrtc_conflicts[] = {
    { ngx_string("reject"), NGX_HTTP_WEBRTC_CONFLICT_REJECT },
    { ngx_string("replace"), NGX_HTTP_WEBRTC_CONFLICT_REPLACE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webrtc_etags[] = {
    { ngx_string("lenient"), NGX_HTTP_WEBRTC_ETAG_LENIENT },
    { ngx_string("strict"), NGX_HTTP_WEBRTC_ETAG_STRICT },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_webrtc_file_changes[] = {
    { ngx_string("end"), NGX_WEBRTC_FILE_END },
    { ngx_string("ignore"), NGX_WEBRTC_FILE_IGNORE },
    { ngx_string("follow"), NGX_WEBRTC_FILE_FOLLOW },
    { ngx_null_string, 0 }
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_wait = {
    ngx_http_webrtc_conf_time, sizeof(ngx_msec_t),
    0, NGX_HTTP_WEBRTC_DAY, 1, NULL,
    "a time up to \"24h\", such as \"5s\" or \"500ms\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_period = {
    ngx_http_webrtc_conf_time, sizeof(ngx_msec_t),
    1000, NGX_HTTP_WEBRTC_DAY, 1, NULL,
    "a time from \"1s\" to \"24h\", such as \"30s\", or \"0\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_timeout = {
    ngx_http_webrtc_conf_time, sizeof(ngx_msec_t),
    100, NGX_HTTP_WEBRTC_DAY, 0, NULL,
    "a time from \"100ms\" to \"24h\", such as \"30s\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_buffer = {
    ngx_http_webrtc_conf_amount, sizeof(size_t),
    NGX_WEBRTC_RING_MIN_SIZE, NGX_WEBRTC_RING_MAX_SIZE, 0, NULL,
    "a size from \"64k\" to \"1g\", such as \"4m\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_max_sdp = {
    ngx_http_webrtc_conf_amount, sizeof(size_t),
    1 * NGX_HTTP_WEBRTC_K, 1 * NGX_HTTP_WEBRTC_M, 0, NULL,
    "a size from \"1k\" to \"1m\", such as \"64k\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_chunk = {
    ngx_http_webrtc_conf_amount, sizeof(size_t),
    NGX_HTTP_WEBRTC_FILE_CHUNK_LEAST, NGX_HTTP_WEBRTC_FILE_CHUNK_MOST, 0, NULL,
    "a size from \"1k\" to \"64k\", such as \"16k\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_ranges = {
    ngx_http_webrtc_conf_number, sizeof(int32_t),
    1, NGX_HTTP_WEBRTC_FILE_RANGES_MOST, 0, NULL,
    "a number from \"1\" to \"1024\", such as \"4\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_changes = {
    ngx_http_webrtc_conf_name, sizeof(uint32_t),
    0, NGX_MAX_INT32_VALUE, 0, ngx_http_webrtc_file_changes, NULL
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_memory = {
    ngx_http_webrtc_conf_amount, sizeof(size_t),
    1 * NGX_HTTP_WEBRTC_M, 16 * NGX_HTTP_WEBRTC_G, 0, NULL,
    "a size from \"1m\" to \"16g\", such as \"256m\""
};


/* minimum: FFmpeg's libraries and a few streams */

ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_media_memory = {
    ngx_http_webrtc_conf_amount, sizeof(size_t),
    64 * NGX_HTTP_WEBRTC_M, 256 * NGX_HTTP_WEBRTC_G, 0, NULL,
    "a size from \"64m\" to \"256g\", such as \"1g\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_transcodes = {
    ngx_http_webrtc_conf_number, sizeof(ngx_int_t),
    1, 1000, 0, NULL,
    "a number from \"1\" to \"1000\", such as \"4\""
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_count = {
    ngx_http_webrtc_conf_number, sizeof(ngx_int_t),
    0, NGX_MAX_INT32_VALUE, 1, NULL,
    "a number, such as \"1000\", or \"0\" for no limit"
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_conflict = {
    ngx_http_webrtc_conf_name, sizeof(ngx_uint_t),
    0, NGX_MAX_INT32_VALUE, 0, ngx_http_webrtc_conflicts, NULL
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_etag = {
    ngx_http_webrtc_conf_name, sizeof(ngx_uint_t),
    0, NGX_MAX_INT32_VALUE, 0, ngx_http_webrtc_etags, NULL
};


ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_ice = {
    ngx_http_webrtc_conf_name, sizeof(ngx_uint_t),
    0, NGX_MAX_INT32_VALUE, 0, ngx_http_webrtc_ice_modes, NULL
};


char *
ngx_http_webrtc_conf_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char                        *field;
    int64_t                        v;
    ngx_str_t                     *value;
    u_char                         names[NGX_HTTP_WEBRTC_CONF_NAMES];
    ngx_http_webrtc_conf_value_t  *cv;

    field = (u_char *) conf + cmd->offset;
    cv = ((ngx_http_webrtc_conf_field_t *) cmd->post)->value;

    if (ngx_http_webrtc_conf_is_set(field, cv->size)) {
        return "is duplicate";
    }

    value = cf->args->elts;

    v = cv->parse(&value[1], cv->names);

    if (v == NGX_HTTP_WEBRTC_CONF_INVALID
        || ((v < cv->least || v > cv->most) && (v != 0 || !cv->zero)))
    {
        if (cv->names) {
            ngx_http_webrtc_conf_names(cv->names, names);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in %V, expected %s",
                           &value[1], &cmd->name,
                           cv->names ? (char *) names : cv->expected);
        return NGX_CONF_ERROR;
    }

    ngx_http_webrtc_conf_set(field, cv->size, v);

    return NGX_CONF_OK;
}


void
ngx_http_webrtc_conf_unset(ngx_command_t *cmd, ngx_uint_t conf_offset,
    void *conf)
{
    ngx_http_webrtc_conf_field_t  *field;

    for ( /* void */ ; cmd->name.len; cmd++) {

        if (cmd->set == ngx_http_webrtc_conf_value
            && cmd->conf == conf_offset)
        {
            field = cmd->post;
            ngx_memset((u_char *) conf + cmd->offset, 0xff, field->value->size);
        }
    }
}


void
ngx_http_webrtc_conf_merge(ngx_command_t *cmd, ngx_uint_t conf_offset,
    void *prev, void *conf)
{
    size_t                         size;
    u_char                        *to, *from;
    ngx_http_webrtc_conf_field_t  *field;

    for ( /* void */ ; cmd->name.len; cmd++) {

        if (cmd->set != ngx_http_webrtc_conf_value
            || cmd->conf != conf_offset)
        {
            continue;
        }

        field = cmd->post;
        size = field->value->size;
        to = (u_char *) conf + cmd->offset;

        if (ngx_http_webrtc_conf_is_set(to, size)) {
            continue;
        }

        from = prev ? (u_char *) prev + cmd->offset : NULL;

        if (from && ngx_http_webrtc_conf_is_set(from, size)) {
            ngx_memcpy(to, from, size);

        } else {
            ngx_http_webrtc_conf_set(to, size, field->init);
        }
    }
}


int64_t
ngx_http_webrtc_conf_time(ngx_str_t *value, ngx_conf_enum_t *names)
{
    return ngx_parse_time(value, 0);
}


/* accepts "g", unlike ngx_parse_size() */

int64_t
ngx_http_webrtc_conf_amount(ngx_str_t *value, ngx_conf_enum_t *names)
{
    return ngx_parse_offset(value);
}


int64_t
ngx_http_webrtc_conf_number(ngx_str_t *value, ngx_conf_enum_t *names)
{
    return ngx_atoi(value->data, value->len);
}


int64_t
ngx_http_webrtc_conf_name(ngx_str_t *value, ngx_conf_enum_t *names)
{
    for ( /* void */ ; names->name.len; names++) {
        if (names->name.len == value->len
            && ngx_strcasecmp(names->name.data, value->data) == 0)
        {
            return (int64_t) names->value;
        }
    }

    return NGX_HTTP_WEBRTC_CONF_INVALID;
}


/*
 * "*", "null", one origin (RFC 6454, 7), or nothing.  Browsers compare it byte
 * by byte: with a slash at its end, or as one of several, it never matches.
 */

char *
ngx_http_webrtc_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t  *value;

    if (wlcf->cors_origin.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!ngx_http_webrtc_conf_origin_ok(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in webrtc_cors_origin, "
                           "expected \"*\", \"\", or one origin without a "
                           "path, such as \"https://example.com\" or "
                           "\"http://localhost:3000\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    wlcf->cors_origin = value[1];

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_webrtc_conf_is_set(u_char *field, size_t size)
{
    return (size == sizeof(int64_t)) ? *(int64_t *) field != -1
                                     : *(int32_t *) field != -1;
}


static void
ngx_http_webrtc_conf_set(u_char *field, size_t size, int64_t v)
{
    if (size == sizeof(int64_t)) {
        *(int64_t *) field = v;

    } else {
        *(int32_t *) field = (int32_t) v;
    }
}


static void
ngx_http_webrtc_conf_names(ngx_conf_enum_t *names, u_char *buf)
{
    u_char           *p, *last;
    ngx_conf_enum_t  *n;

    p = buf;
    last = buf + NGX_HTTP_WEBRTC_CONF_NAMES - 1;

    for (n = names; n->name.len; n++) {
        p = ngx_slprintf(p, last, "%s\"%V\"",
                         n == names ? "" : n[1].name.len ? ", " : " or ",
                         &n->name);
    }

    *p = '\0';
}


static ngx_uint_t
ngx_http_webrtc_conf_origin_ok(ngx_str_t *value)
{
    u_char  *p, *last, *host;

    if (value->len == 0
        || (value->len == 1 && value->data[0] == '*')
        || ngx_strcmp(value->data, "null") == 0)
    {
        return 1;
    }

    last = value->data + value->len;

    host = ngx_strlchr(value->data, last, ':');

    if (host == NULL || host == value->data || last - host <= 3
        || host[1] != '/' || host[2] != '/')
    {
        return 0;
    }

    for (p = value->data; p < last; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '*' || *p == ',' || *p == '$'
            || (*p == '/' && p > host + 2))
        {
            return 0;
        }
    }

    return 1;
}
