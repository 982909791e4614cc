
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Path of the media process executable, by default next to the module.
 */


#include "ngx_http_webrtc_media.h"

#include <dlfcn.h>


#define NGX_HTTP_WEBRTC_MEDIA_PROGRAM  "ngx-webrtc-media"


static const char *ngx_http_webrtc_media_user(
    ngx_http_webrtc_main_conf_t *wmcf);
static ngx_int_t ngx_http_webrtc_media_beside(ngx_conf_t *cf,
    ngx_str_t *path);


char *
ngx_http_webrtc_media_conf(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_str_t   *path;
    const char  *user;

    path = &wmcf->media_path;

    if (path->len) {

        if (ngx_conf_full_name(cf->cycle, path, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (access((char *) path->data, X_OK) == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "\"webrtc_media_path\" names no program that "
                               "can be run: \"%V\"", path);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (ngx_http_webrtc_media_beside(cf, path) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    user = ngx_http_webrtc_media_user(wmcf);

    if (user && access((char *) path->data, X_OK) == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%s\" needs the program \"%V\", which is "
                           "installed with the module; \"webrtc_media_path\" "
                           "names another one", user, path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_webrtc_media_needed(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                i;
    ngx_http_webrtc_pull_t  **pull;

    if (wmcf->ingests.nelts) {
        return 1;
    }

    pull = wmcf->pulls.elts;

    for (i = 0; i < wmcf->pulls.nelts; i++) {
        if (pull[i]->kind == NGX_WEBRTC_FEED_URL) {
            return 1;
        }
    }

    return 0;
}


/* a directive that cannot do without; NULL: there is none */

static const char *
ngx_http_webrtc_media_user(ngx_http_webrtc_main_conf_t *wmcf)
{
    if (wmcf->ingests.nelts) {
        return "webrtc_ingest";
    }

    if (ngx_http_webrtc_media_needed(wmcf)) {
        return "webrtc_pull";
    }

    if (wmcf->records.nelts) {
        return "webrtc_record";
    }

    return wmcf->pushes ? "webrtc_push" : wmcf->live;
}


static ngx_int_t
ngx_http_webrtc_media_beside(ngx_conf_t *cf, ngx_str_t *path)
{
    size_t      n;
    u_char     *p;
    Dl_info     info;
    ngx_str_t   dir;

    ngx_str_set(&dir, "");

    if (dladdr(&ngx_http_webrtc_module, &info) && info.dli_fname) {

        dir.data = (u_char *) info.dli_fname;
        n = ngx_strlen(info.dli_fname);

        while (n && dir.data[n - 1] != '/') {
            n--;
        }

        dir.len = n;
    }

    n = dir.len + sizeof(NGX_HTTP_WEBRTC_MEDIA_PROGRAM);

    p = ngx_pnalloc(cf->pool, n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    path->data = p;
    path->len = n - 1;

    p = ngx_cpymem(p, dir.data, dir.len);
    ngx_memcpy(p, NGX_HTTP_WEBRTC_MEDIA_PROGRAM,
               sizeof(NGX_HTTP_WEBRTC_MEDIA_PROGRAM));

    /* the module's path is as in "load_module" and may be relative: expand it
     * the way nginx does */

    return ngx_conf_full_name(cf->cycle, path, 0);
}
