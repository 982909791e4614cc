
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Files of "webrtc_hls", as nginx sends files.
 */


#include "ngx_http_webrtc_hls_file.h"
#include "ngx_http_webrtc_hls_want.h"
#include "ngx_http_webrtc_resource.h"


/* s for which a segment may be kept by caches: its name means nothing else */
#define NGX_HTTP_WEBRTC_HLS_KEPT  "max-age=3600, immutable"


static ngx_int_t ngx_http_webrtc_hls_open(ngx_http_request_t *r,
    ngx_str_t *name, const ngx_webrtc_hls_file_t *file,
    const ngx_webrtc_hls_part_t *part, ngx_str_t *path,
    ngx_open_file_info_t *of);
static ngx_int_t ngx_http_webrtc_hls_headers(ngx_http_request_t *r,
    const ngx_webrtc_hls_file_t *file);
static ngx_int_t ngx_http_webrtc_hls_send(ngx_http_request_t *r,
    ngx_str_t *path, ngx_open_file_info_t *of,
    const ngx_webrtc_hls_part_t *part);


ngx_int_t
ngx_http_webrtc_hls_no_file(ngx_http_request_t *r, ngx_str_t *name)
{
    return ngx_http_webrtc_problem(r, NGX_HTTP_NOT_FOUND,
                                   "there is no such file", name);
}


ngx_int_t
ngx_http_webrtc_hls_file(ngx_http_request_t *r, ngx_str_t *name,
    const ngx_webrtc_hls_file_t *file, const ngx_webrtc_hls_part_t *part)
{
    ngx_int_t             rc;
    ngx_str_t             path;
    ngx_open_file_info_t  of;

    rc = ngx_http_webrtc_hls_open(r, name, file, part, &path, &of);

    if (rc != NGX_OK) {
        return rc;
    }

    if (part && of.size < (off_t) part->offset + (off_t) part->bytes) {

        /* somebody has cut it */

        return ngx_http_webrtc_hls_no_file(r, name);
    }

    r->headers_out.content_length_n = part ? (off_t) part->bytes : of.size;

    if (part) {
        r->disable_not_modified = 1;

    } else {
        r->headers_out.last_modified_time = of.mtime;

        if (ngx_http_set_etag(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ngx_http_webrtc_hls_headers(r, file) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_hls_send(r, &path, &of, part);
}


/* NGX_OK; else a result */

static ngx_int_t
ngx_http_webrtc_hls_open(ngx_http_request_t *r, ngx_str_t *name,
    const ngx_webrtc_hls_file_t *file, const ngx_webrtc_hls_part_t *part,
    ngx_str_t *path, ngx_open_file_info_t *of)
{
    u_char                       dir[NGX_WEBRTC_HLS_DIR + 1], *p;
    size_t                       size;
    ngx_webrtc_hls_file_t        whole;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_webrtc_hls_name_dir(dir, name, wlcf->location);

    whole = *file;

    if (part) {
        whole.kind = NGX_WEBRTC_HLS_FILE_SEGMENT;
    }

    size = wlcf->live->hls->conf.root.len + NGX_WEBRTC_HLS_DIR
           + NGX_WEBRTC_HLS_NAME + 3;

    path->data = ngx_pnalloc(r->pool, size);
    if (path->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(path->data, "%V/%s/", &wlcf->live->hls->conf.root, dir);
    p = ngx_webrtc_hls_name_print(p, path->data + size - 1, &whole);
    *p = '\0';

    path->len = p - path->data;

    ngx_memzero(of, sizeof(ngx_open_file_info_t));

    of->read_ahead = clcf->read_ahead;
    of->directio = NGX_MAX_OFF_T_VALUE;

    /* a cache would know the size that a file had while it grew */

    if (ngx_open_cached_file(NULL, path, of, r->pool) != NGX_OK
        || !of->is_file)
    {
        if (of->err && of->err != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, of->err,
                          "%s \"%V\" failed", of->failed, path);
        }

        return ngx_http_webrtc_hls_no_file(r, name);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_hls_headers(ngx_http_request_t *r,
    const ngx_webrtc_hls_file_t *file)
{
    ngx_str_t                   *cache;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    static ngx_str_t  video = ngx_string("video/mp4");
    static ngx_str_t  audio = ngx_string("audio/mp4");
    static ngx_str_t  open = ngx_string(NGX_HTTP_WEBRTC_HLS_KEPT);
    static ngx_str_t  own = ngx_string("private, " NGX_HTTP_WEBRTC_HLS_KEPT);
    static ngx_str_t  nosniff = ngx_string("nosniff");

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = (file->track < NGX_WEBRTC_HLS_AAC) ? video
                                                                     : audio;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->allow_ranges = 1;

    cache = (wlcf->jwt || wlcf->on_play || r->headers_in.authorization) ? &own
                                                                       : &open;

    if (ngx_http_webrtc_header(r, "Cache-Control", cache) != NGX_OK
        || ngx_http_webrtc_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_hls_send(ngx_http_request_t *r, ngx_str_t *path,
    ngx_open_file_info_t *of, const ngx_webrtc_hls_part_t *part)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    b->file_pos = part ? (off_t) part->offset : 0;
    b->file_last = part ? b->file_pos + (off_t) part->bytes : of->size;

    b->in_file = b->file_last ? 1 : 0;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    b->file->fd = of->fd;
    b->file->name = *path;
    b->file->log = r->connection->log;
    b->file->directio = of->is_directio;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DONE;
}
