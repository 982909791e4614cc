
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Directives of tokens.  Keys are read here, by the master: workers need no
 * access to the files, and what has changed in them counts after a reload.
 */


#include "ngx_http_webrtc_jwt_conf.h"
#include "ngx_http_webrtc_jwt.h"


static char *ngx_http_webrtc_jwt_load(ngx_conf_t *cf,
    ngx_http_webrtc_jwt_t *jwt, ngx_str_t *name, ngx_uint_t secret);
static ssize_t ngx_http_webrtc_jwt_read(ngx_conf_t *cf, ngx_str_t *name,
    u_char *buf, size_t size);
static ngx_uint_t ngx_http_webrtc_jwt_is_argument(ngx_str_t *value);
static void ngx_http_webrtc_jwt_cleanup(void *data);


ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_claim = {
    0, 0, "the name of a claim, such as \"mediamtx_permissions\""
};

ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_argument = {
    1, 1, "the name of an argument, such as \"jwt\", or \"off\"; \"session\", "
          "\"events\" and \"signal\" are taken"
};

ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_issuer = {
    1, 0, "what \"iss\" has to be, such as \"https://id.example.com\", or "
          "\"off\""
};

ngx_http_webrtc_jwt_name_t  ngx_http_webrtc_jwt_audience = {
    1, 0, "what \"aud\" has to have, such as \"streams\", or \"off\""
};


char *
ngx_http_webrtc_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_str_t              *value, name;
    ngx_pool_cleanup_t     *cln;
    ngx_http_webrtc_jwt_t  *jwt;

    value = cf->args->elts;

    if (wlcf->jwt == NULL
        || (wlcf->jwt != NGX_CONF_UNSET_PTR
            && ngx_strcmp(value[1].data, "off") == 0))
    {
        return "has \"off\" beside another one";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        wlcf->jwt = NULL;
        return NGX_CONF_OK;
    }

    if (wlcf->jwt == NGX_CONF_UNSET_PTR) {

        cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_webrtc_jwt_t));
        if (cln == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(cln->data, sizeof(ngx_http_webrtc_jwt_t));

        cln->handler = ngx_http_webrtc_jwt_cleanup;
        wlcf->jwt = cln->data;
    }

    jwt = wlcf->jwt;

    if (ngx_strncmp(value[1].data, "uri=", 4) == 0) {
        name.data = value[1].data + 4;
        name.len = value[1].len - 4;

        if (name.len == 0 || name.data[0] != '/' || jwt->uri.len) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_jwt_key, "
                               "expected one URI of this server, such as "
                               "\"uri=/keys\"", &value[1]);
            return NGX_CONF_ERROR;
        }

        jwt->uri = name;

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "secret=", 7) == 0) {
        name.data = value[1].data + 7;
        name.len = value[1].len - 7;

        return ngx_http_webrtc_jwt_load(cf, jwt, &name, 1);
    }

    return ngx_http_webrtc_jwt_load(cf, jwt, &value[1], 0);
}


static char *
ngx_http_webrtc_jwt_load(ngx_conf_t *cf, ngx_http_webrtc_jwt_t *jwt,
    ngx_str_t *name, ngx_uint_t secret)
{
    u_char      *buf;
    ssize_t      n;
    ngx_int_t    rc;
    const char  *what;

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value in webrtc_jwt_key, expected a file, "
                           "such as \"keys.pem\" or \"secret=jwt.key\"");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    buf = ngx_alloc(NGX_WEBRTC_JWK_TEXT + 1, cf->log);
    if (buf == NULL) {
        return NGX_CONF_ERROR;
    }

    n = ngx_http_webrtc_jwt_read(cf, name, buf, NGX_WEBRTC_JWK_TEXT);

    if (n == NGX_ERROR) {
        ngx_free(buf);
        return NGX_CONF_ERROR;
    }

    what = "";

    rc = secret ? ngx_webrtc_jwk_secret(&jwt->keys, buf, n, &what)
                : ngx_webrtc_jwk_file(&jwt->keys, buf, n, &what);

    ngx_explicit_memzero(buf, n);
    ngx_free(buf);

    if (rc != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid file \"%V\" in webrtc_jwt_key: %s", name,
                           what);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* bytes read, NGX_ERROR after a message */

static ssize_t
ngx_http_webrtc_jwt_read(ngx_conf_t *cf, ngx_str_t *name, u_char *buf,
    size_t size)
{
    ssize_t          n, len;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    /* not to wait for a FIFO's writer */

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "webrtc_jwt_key: cannot open \"%V\"", name);
        return NGX_ERROR;
    }

    len = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)
        || ngx_file_size(&fi) > (off_t) size)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "webrtc_jwt_key: \"%V\" is no file, or larger than "
                           "256 kB", name);
        goto done;
    }

    for (len = 0; (size_t) len < size; len += n) {
        n = ngx_read_fd(fd, buf + len, size - len);

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "webrtc_jwt_key: cannot read \"%V\"", name);
            len = NGX_ERROR;
            break;
        }

        if (n == 0) {
            break;
        }
    }

done:

    (void) ngx_close_file(fd);

    return len;
}


char *
ngx_http_webrtc_jwt_name(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                   *field, *value;
    ngx_uint_t                   off;
    ngx_http_webrtc_jwt_name_t  *name;

    name = cmd->post;
    field = (ngx_str_t *) (p + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    off = name->off && ngx_strcmp(value[1].data, "off") == 0;

    if (value[1].len == 0
        || (name->argument && !off
            && !ngx_http_webrtc_jwt_is_argument(&value[1])))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in %V, expected %s",
                           &value[1], &cmd->name, name->expected);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    if (off) {
        field->len = 0;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_webrtc_jwt_is_argument(ngx_str_t *value)
{
    u_char       c;
    ngx_uint_t   i;
    const char  *const *taken;

    static const char *const  ours[] = { "session", "events", "signal", NULL };

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z')
            && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-')
        {
            return 0;
        }
    }

    for (taken = ours; *taken; taken++) {
        if (ngx_strcmp(value->data, *taken) == 0) {
            return 0;
        }
    }

    return 1;
}


void
ngx_http_webrtc_jwt_merge(ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_conf_merge_ptr_value(conf->jwt, prev->jwt, NULL);
    ngx_conf_merge_str_value(conf->jwt_claim, prev->jwt_claim,
                             "mediamtx_permissions");
    ngx_conf_merge_str_value(conf->jwt_arg, prev->jwt_arg, "jwt");
    ngx_conf_merge_str_value(conf->jwt_issuer, prev->jwt_issuer, "");
    ngx_conf_merge_str_value(conf->jwt_audience, prev->jwt_audience, "");
    ngx_conf_merge_value(conf->jwt_expire, prev->jwt_expire, 0);
}


static void
ngx_http_webrtc_jwt_cleanup(void *data)
{
    ngx_http_webrtc_jwt_t *jwt = data;

    ngx_webrtc_jwk_free(&jwt->keys);
}
