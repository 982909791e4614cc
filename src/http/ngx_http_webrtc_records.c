
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_recordings".  A thread of nginx's pool reads the directories and the
 * beginnings of the files of a page; the request waits for it.
 *
 * Who ends first does not matter: what the thread works on is its own, and
 * freed when it has come back.
 */


#include <ngx_thread_pool.h>

#include "ngx_http_webrtc_records.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_http_webrtc_text.h"
#include "ngx_webrtc_output_task.h"
#include "ngx_webrtc_record_list.h"


/* files of a page unless "limit" says so */
#define NGX_HTTP_WEBRTC_RECORDS_LIMIT  100

/* lists under way in a worker; chosen: a thread pool has 32, which others
 * need, too */
#define NGX_HTTP_WEBRTC_RECORDS_MOST   8

/* bytes of a file in the list, without its name */
#define NGX_HTTP_WEBRTC_RECORDS_ONE    256


struct ngx_http_webrtc_records_s {
    ngx_http_complex_value_t     dir;
    size_t                       literal;    /* of its beginning */
    ngx_http_complex_value_t    *url;        /* prefix; NULL: none */
    void                        *pool;       /* of threads */
};


/* of a request, and of the thread */
typedef struct {
    ngx_webrtc_record_list_t     list;
    ngx_http_request_t          *request;    /* NULL: it has ended */
    ngx_http_cleanup_t          *cln;        /* the request's */
} ngx_http_webrtc_records_task_t;


static ngx_int_t ngx_http_webrtc_records_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_records_dispatch(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_records_args(ngx_http_request_t *r,
    ngx_webrtc_record_list_t *list);
static ngx_int_t ngx_http_webrtc_records_dir(ngx_http_request_t *r,
    ngx_http_webrtc_records_t *rs, ngx_str_t *dir);
static ngx_int_t ngx_http_webrtc_records_read(ngx_http_request_t *r,
    ngx_http_webrtc_records_t *rs, ngx_webrtc_record_list_t *list,
    ngx_str_t *dir);
static void ngx_http_webrtc_records_thread(void *data, ngx_log_t *log);
static void ngx_http_webrtc_records_done(ngx_event_t *ev);
static void ngx_http_webrtc_records_cleanup(void *data);
static ngx_int_t ngx_http_webrtc_records_answer(ngx_http_request_t *r,
    ngx_webrtc_record_list_t *list);
static void ngx_http_webrtc_records_file(ngx_http_webrtc_text_t *t,
    ngx_str_t *url, ngx_webrtc_record_list_file_t *file);


/* of this process */

static ngx_uint_t  ngx_http_webrtc_records_busy;

static ngx_str_t  ngx_http_webrtc_records_methods = ngx_string("GET, HEAD");


char *
ngx_http_webrtc_records_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    u_char                            *p;
    ngx_str_t                         *value;
    ngx_http_webrtc_records_t         *rs;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    rs = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_records_t));
    if (rs == NULL) {
        return NGX_CONF_ERROR;
    }

    if (value[1].len == 0 || value[1].data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid directory \"%V\" in webrtc_recordings, "
                           "expected one such as \"/var/rec/$name\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (value[2].len < 5
            || ngx_strncmp(value[2].data, "url=", 4) != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "webrtc_recordings, expected \"url=prefix\", "
                               "such as \"url=/rec/\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        rs->url = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
        if (rs->url == NULL) {
            return NGX_CONF_ERROR;
        }

        value[2].data += 4;
        value[2].len -= 4;

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &value[2];
        ccv.complex_value = rs->url;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    p = ngx_strlchr(value[1].data, value[1].data + value[1].len, '$');
    rs->literal = p ? (size_t) (p - value[1].data) : value[1].len;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = &rs->dir;
    ccv.zero = 1;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)

    rs->pool = ngx_thread_pool_add(cf, NULL);

    if (rs->pool == NULL) {
        return NGX_CONF_ERROR;
    }

#endif

    wlcf->recordings = rs;

    return ngx_http_webrtc_conf_content(cf, wlcf,
                                        ngx_http_webrtc_records_handler);
}


static ngx_int_t
ngx_http_webrtc_records_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_records_dispatch(r));
}


static ngx_int_t
ngx_http_webrtc_records_dispatch(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_str_t                    dir;
    ngx_webrtc_record_list_t     list;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_webrtc_cors_options(r);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_webrtc_not_allowed(r, &ngx_http_webrtc_records_methods);
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ngx_memzero(&list, sizeof(ngx_webrtc_record_list_t));

    rc = ngx_http_webrtc_records_args(r, &list);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_webrtc_records_dir(r, wlcf->recordings, &dir);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_webrtc_records_read(r, wlcf->recordings, &list, &dir);
}


static ngx_int_t
ngx_http_webrtc_records_args(ngx_http_request_t *r,
    ngx_webrtc_record_list_t *list)
{
    u_char     *src, *dst;
    ngx_int_t   n;
    ngx_str_t   value, detail;

    list->limit = NGX_HTTP_WEBRTC_RECORDS_LIMIT;

    if (ngx_http_webrtc_arg(r, "limit", &value) == NGX_OK) {
        n = ngx_atoi(value.data, value.len);

        if (n < 1 || n > NGX_WEBRTC_RECORD_LIST_MAX) {
            ngx_str_set(&detail, "expected limit=1 to limit=1000");
            return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "invalid limit", &detail);
        }

        list->limit = (ngx_uint_t) n;
    }

    if (ngx_http_webrtc_arg(r, "after", &value) == NGX_OK) {

        /* an escaped byte has three */

        if (value.len > 3 * NGX_WEBRTC_RECORD_LIST_NAME) {
            ngx_str_set(&detail, "expected after= with \"next\" of another "
                                 "page");
            return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "invalid after", &detail);
        }

        src = ngx_pstrdup(r->pool, &value);

        if (src == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        value.data = src;
        dst = src;

        ngx_unescape_uri(&dst, &src, value.len, 0);

        list->after_len = ngx_min((size_t) (dst - value.data),
                                  NGX_WEBRTC_RECORD_LIST_NAME);
        ngx_memcpy(list->after, value.data, list->after_len);
    }

    return NGX_OK;
}


/* what comes from variables stays below the literal part */

static ngx_int_t
ngx_http_webrtc_records_dir(ngx_http_request_t *r,
    ngx_http_webrtc_records_t *rs, ngx_str_t *dir)
{
    size_t   i, n, from;
    u_char  *p;

    if (ngx_http_complex_value(r, &rs->dir, dir) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* ccv.zero: a null byte is behind it, and counts */

    n = dir->len ? dir->len - 1 : 0;

    if (rs->literal == rs->dir.value.len) {
        n = dir->len;
    }

    if (ngx_strlen(dir->data) < n) {
        return NGX_HTTP_NOT_FOUND;
    }

    for (i = rs->literal; i && dir->data[i - 1] != '/'; i--) {
        /* void */
    }

    for (from = i; i <= n && rs->literal < n; i++) {

        if (i < n && dir->data[i] != '/') {
            continue;
        }

        p = &dir->data[from];

        if ((i - from == 1 && p[0] == '.')
            || (i - from == 2 && p[0] == '.' && p[1] == '.'))
        {
            return NGX_HTTP_NOT_FOUND;
        }

        from = i + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_records_read(ngx_http_request_t *r,
    ngx_http_webrtc_records_t *rs, ngx_webrtc_record_list_t *list,
    ngx_str_t *dir)
{
    size_t                           size;
    u_char                          *p;
    ngx_http_cleanup_t              *cln;
    ngx_http_webrtc_records_task_t  *task;

    static ngx_str_t  none = ngx_null_string;

    cln = ngx_http_cleanup_add(r, 0);

    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    size = sizeof(ngx_http_webrtc_records_task_t)
           + (list->limit + 1) * sizeof(ngx_webrtc_record_list_file_t);

    task = NULL;

    if (ngx_http_webrtc_records_busy < NGX_HTTP_WEBRTC_RECORDS_MOST) {
        task = ngx_alloc(size + ngx_strlen(dir->data) + 1, r->connection->log);
    }

    if (task) {
        p = (u_char *) task + size;

        task->list = *list;
        task->list.root = (char *) p;
        task->list.files = (ngx_webrtc_record_list_file_t *) (task + 1);
        task->request = r;

        (void) ngx_cpystrn(p, dir->data, ngx_strlen(dir->data) + 1);

        task->cln = cln;

        cln->handler = ngx_http_webrtc_records_cleanup;
        cln->data = task;

        ngx_http_webrtc_records_busy++;

        ngx_http_webrtc_wait(r);

        if (ngx_webrtc_output_task(rs->pool, task,
                                   ngx_http_webrtc_records_thread,
                                   ngx_http_webrtc_records_done,
                                   r->connection->log)
            == NGX_OK)
        {
            return NGX_AGAIN;
        }

        r->main->count--;
        cln->handler = NULL;

        ngx_http_webrtc_records_busy--;
        ngx_free(task);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "too many lists are made", &none);
}


static void
ngx_http_webrtc_records_thread(void *data, ngx_log_t *log)
{
    ngx_http_webrtc_records_task_t  *task;

    task = *(void **) data;

    ngx_webrtc_record_list(&task->list);
}


static void
ngx_http_webrtc_records_done(ngx_event_t *ev)
{
    ngx_int_t                        rc;
    ngx_connection_t                *c;
    ngx_http_request_t              *r;
    ngx_http_webrtc_records_task_t  *task;

    task = ngx_webrtc_output_task_data(ev);

    ngx_http_webrtc_records_busy--;

    r = task->request;

    if (r == NULL) {
        ngx_free(task);
        return;
    }

    task->cln->handler = NULL;

    c = r->connection;
    rc = ngx_http_webrtc_records_answer(r, &task->list);

    ngx_free(task);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


/* the thread goes on with what is its own */

static void
ngx_http_webrtc_records_cleanup(void *data)
{
    ngx_http_webrtc_records_task_t *task = data;

    task->request = NULL;
}


static ngx_int_t
ngx_http_webrtc_records_answer(ngx_http_request_t *r,
    ngx_webrtc_record_list_t *list)
{
    u_char                         *p, *end;
    ngx_str_t                       url;
    ngx_uint_t                      i, n;
    ngx_http_webrtc_text_t          t;
    ngx_http_webrtc_loc_conf_t     *wlcf;
    ngx_webrtc_record_list_file_t  *last;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    /* one that is not there yet has no recordings: that of a stream to come */

    if (list->err && list->err != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, list->err,
                      "webrtc_recordings cannot read \"%s\"", list->root);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&url);

    if (wlcf->recordings->url
        && ngx_http_complex_value(r, wlcf->recordings->url, &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&t, sizeof(ngx_http_webrtc_text_t));
    t.request = r;

    ngx_http_webrtc_text_string(&t, "{\"recordings\":[");

    n = ngx_min(list->n, list->limit);

    for (i = 0; i < n; i++) {

        if (i) {
            ngx_http_webrtc_text_string(&t, ",");
        }

        ngx_http_webrtc_records_file(&t, &url, &list->files[i]);
    }

    ngx_http_webrtc_text_string(&t, "],\"complete\":");
    ngx_http_webrtc_text_string(&t, list->looks > NGX_WEBRTC_RECORD_LIST_LOOKS
                                    ? "false" : "true");

    if (list->n <= list->limit) {
        ngx_http_webrtc_text_string(&t, ",\"next\":null}");
        return ngx_http_webrtc_text_send(&t, &ngx_http_webrtc_json_type);
    }

    last = &list->files[n - 1];

    p = ngx_http_webrtc_text_room(&t, NGX_HTTP_WEBRTC_RECORDS_ONE
                                      + 3 * last->len, &end);

    if (p) {
        p = ngx_cpymem(p, ",\"next\":\"", sizeof(",\"next\":\"") - 1);
        p = (u_char *) ngx_escape_uri(p, last->name, last->len,
                                      NGX_ESCAPE_URI_COMPONENT);
        p = ngx_cpymem(p, "\"}", 2);

        ngx_http_webrtc_text_add(&t, p);
    }

    return ngx_http_webrtc_text_send(&t, &ngx_http_webrtc_json_type);
}


static void
ngx_http_webrtc_records_file(ngx_http_webrtc_text_t *t,
    ngx_str_t *url, ngx_webrtc_record_list_file_t *file)
{
    u_char                    *p, *end, name[NGX_WEBRTC_RECORD_LIST_NAME];
    uint64_t                   sec;
    ngx_uint_t                 i;
    ngx_webrtc_record_head_t  *head;

    head = &file->head;

    /* a byte of the name takes up to six, and three in the URL */

    p = ngx_http_webrtc_text_room(t, NGX_HTTP_WEBRTC_RECORDS_ONE
                                     + 9 * file->len + 6 * url->len, &end);

    if (p == NULL) {
        return;
    }

    sec = head->duration_ms / 1000;

    p = ngx_cpymem(p, "{\"name\":\"", sizeof("{\"name\":\"") - 1);

    /* which makes it valid UTF-8; the URL has what it really is */

    ngx_memcpy(name, file->name, file->len);
    p = ngx_http_webrtc_text_json(p, name, file->len);

    p = ngx_slprintf(p, end, "\",\"size\":%uL,\"ended\":%T", file->size,
                     file->ended);

    if (head->duration_ms) {
        p = ngx_slprintf(p, end, ",\"started\":%T,\"duration_ms\":%uL",
                         file->ended - (time_t) sec, head->duration_ms);
    }

    p = ngx_slprintf(p, end, ",\"codecs\":[");

    for (i = 0; i < head->n; i++) {
        p = ngx_slprintf(p, end, "%s\"%s\"", i ? "," : "", head->codecs[i]);
    }

    p = ngx_slprintf(p, end, "]");

    if (url->len) {
        p = ngx_cpymem(p, ",\"url\":\"", sizeof(",\"url\":\"") - 1);
        p = (u_char *) ngx_escape_json(p, url->data, url->len);
        p = (u_char *) ngx_escape_uri(p, file->name, file->len,
                                      NGX_ESCAPE_URI);
        *p++ = '"';
    }

    *p++ = '}';

    ngx_http_webrtc_text_add(t, p);
}
