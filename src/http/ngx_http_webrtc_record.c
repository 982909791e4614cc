
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_record".  The part of its path before the first variable or "%" is a
 * directory of the operator's, which exists; what follows it is made anew for
 * each file.  A recording has no request: variables are evaluated in one of the
 * module's own, in the location that feeds the stream.
 */


#include "ngx_http_webrtc_record.h"
#include "ngx_http_webrtc_conf_value.h"
#include "ngx_http_webrtc_outlets.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_webrtc_record_file.h"
#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif


/* conversions of strftime() that make no "/" */
#define NGX_HTTP_WEBRTC_RECORD_TIMES  "aAbBCdeFgGHIjklmMpsSTuUVwWyYzZ%"

/* bytes that one of them makes */
#define NGX_HTTP_WEBRTC_RECORD_TIME   64


/* of a path, one after the other: text, with conversions, or a variable */
typedef struct {
    ngx_str_t                     text;
    ngx_int_t                     index;     /* of the variable, -1: text */
} ngx_http_webrtc_record_piece_t;


/* one "webrtc_record" */
struct ngx_http_webrtc_record_s {
    ngx_webrtc_record_conf_t      conf;
    ngx_http_webrtc_main_conf_t  *wmcf;
    ngx_array_t                   pieces;    /* below the root */
    ngx_uint_t                    always;    /* unsigned  always:1; */
    ngx_uint_t                    off;       /* unsigned  off:1; */
};


static char *ngx_http_webrtc_record_option(ngx_conf_t *cf,
    ngx_http_webrtc_record_t *rc, ngx_str_t *value);
static ngx_int_t ngx_http_webrtc_record_root(ngx_conf_t *cf,
    ngx_http_webrtc_record_t *rc, ngx_str_t *path);
static ngx_int_t ngx_http_webrtc_record_pieces(ngx_conf_t *cf,
    ngx_http_webrtc_record_t *rc, u_char *p, u_char *last);
static u_char *ngx_http_webrtc_record_variable(ngx_conf_t *cf, u_char *p,
    u_char *last, ngx_str_t *name);
static ngx_int_t ngx_http_webrtc_record_piece(
    ngx_http_webrtc_record_t *rc, u_char *p, u_char *last, ngx_int_t index);
static void ngx_http_webrtc_record_format(ngx_http_webrtc_record_t *rc,
    ngx_str_t *path);
static ngx_int_t ngx_http_webrtc_record_pool(ngx_conf_t *cf,
    ngx_http_webrtc_record_t *rc);
static ngx_http_webrtc_record_t *ngx_http_webrtc_record_of(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_webrtc_stream_t *st,
    ngx_http_webrtc_loc_conf_t **wlcf);
static ngx_http_webrtc_record_t *ngx_http_webrtc_record_wanted(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_webrtc_stream_t *st);
static size_t ngx_http_webrtc_record_name(void *ctx, ngx_webrtc_stream_t *st,
    u_char *rel, const char **cause);
static u_char *ngx_http_webrtc_record_time(u_char *p, u_char *last,
    ngx_str_t *text, struct tm *tm);
static u_char *ngx_http_webrtc_record_value(u_char *p, u_char *last,
    ngx_http_request_t *r, ngx_int_t index);
static void ngx_http_webrtc_record_done(void *ctx,
    ngx_webrtc_record_done_t *done);


/* formats, and the ends of names that mean one; the first is the default */

static const struct {
    ngx_str_t  name;
    ngx_str_t  end;
} ngx_http_webrtc_record_formats[] = {
    { ngx_string("fmp4"), ngx_string(".mp4") },
    { ngx_string("mkv"), ngx_string(".mkv") },
    { ngx_string("mkv"), ngx_string(".webm") },
    { ngx_string("ts"), ngx_string(".ts") },
    { ngx_null_string, ngx_null_string }
};


/* of this process; NULL: nobody is told */

static ngx_http_webrtc_record_done_pt  ngx_http_webrtc_record_handler;


char *
ngx_http_webrtc_record_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    char                       *rv;
    uint32_t                    crc;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_webrtc_record_t   *rc, **written;

    if (wlcf->record) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rc = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_record_t));
    if (rc == NULL) {
        return NGX_CONF_ERROR;
    }

    wlcf->record = rc;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        rc->off = 1;
        return NGX_CONF_OK;
    }

    rc->wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);
    rc->always = 1;

    ngx_http_webrtc_record_format(rc, &value[1]);

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_webrtc_record_option(cf, rc, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (ngx_http_webrtc_record_root(cf, rc, &value[1]) != NGX_OK
        || ngx_http_webrtc_record_pool(cf, rc) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_crc32_init(crc);

    for (i = 1; i < cf->args->nelts; i++) {
        ngx_crc32_update(&crc, value[i].data, value[i].len + 1);
    }

    ngx_crc32_final(crc);

    rc->conf.id = crc;
    rc->conf.name = ngx_http_webrtc_record_name;
    rc->conf.done = ngx_http_webrtc_record_done;
    rc->conf.ctx = rc;

    written = ngx_array_push(&rc->wmcf->records);
    if (written == NULL) {
        return NGX_CONF_ERROR;
    }

    *written = rc;

    return NGX_CONF_OK;
}


static char *
ngx_http_webrtc_record_option(ngx_conf_t *cf, ngx_http_webrtc_record_t *rc,
    ngx_str_t *value)
{
    ngx_int_t   ms;
    ngx_str_t   v;
    ngx_uint_t  i;

    if (ngx_strncmp(value->data, "format=", 7) == 0) {

        for (i = 0; ngx_http_webrtc_record_formats[i].name.len; i++) {

            if (ngx_strcmp(value->data + 7,
                           ngx_http_webrtc_record_formats[i].name.data)
                == 0)
            {
                rc->conf.format = ngx_http_webrtc_record_formats[i].name;
                return NGX_CONF_OK;
            }
        }

    } else if (ngx_strncmp(value->data, "segment=", 8) == 0) {

        v.data = value->data + 8;
        v.len = value->len - 8;

        ms = ngx_parse_time(&v, 0);

        if (ms >= 1000 && ms <= NGX_HTTP_WEBRTC_DAY) {
            rc->conf.segment = (ngx_msec_t) ms;
            return NGX_CONF_OK;
        }

    } else if (ngx_strcmp(value->data, "on=always") == 0) {
        rc->always = 1;
        return NGX_CONF_OK;

    } else if (ngx_strcmp(value->data, "on=demand") == 0) {
        rc->always = 0;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in webrtc_record, expected "
                       "\"format=fmp4\", \"format=mkv\" or \"format=ts\", "
                       "\"segment=\" and a time from \"1s\" to \"24h\", such "
                       "as \"segment=10m\", \"on=always\" or \"on=demand\"",
                       value);

    return NGX_CONF_ERROR;
}


/* the directory before the first name that is not constant */

static ngx_int_t
ngx_http_webrtc_record_root(ngx_conf_t *cf, ngx_http_webrtc_record_t *rc,
    ngx_str_t *path)
{
    u_char           *p, *last, *slash;
    ngx_str_t        *root;
    ngx_file_info_t   fi;

    last = path->data + path->len;
    slash = NULL;

    for (p = path->data; p < last && *p != '$' && *p != '%'; p++) {
        if (*p == '/') {
            slash = p;
        }
    }

    root = &rc->conf.root;

    if (slash == NULL) {
        ngx_str_set(root, ".");
        p = path->data;

    } else {
        root->data = path->data;
        root->len = (slash == path->data) ? 1 : slash - path->data;
        p = slash + 1;
    }

    root->data = ngx_pstrdup(cf->pool, &(ngx_str_t) { root->len + 1,
                                                      root->data });
    if (root->data == NULL) {
        return NGX_ERROR;
    }

    root->data[root->len] = '\0';

    if (ngx_conf_full_name(cf->cycle, root, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_file_info(root->data, &fi) == NGX_FILE_ERROR || !ngx_is_dir(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in webrtc_record, expected a "
                           "file in a directory that exists, \"%V\" is none",
                           path, root);
        return NGX_ERROR;
    }

    if (p == last || last[-1] == '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in webrtc_record, expected one "
                           "that ends with the name of a file, such as "
                           "\"/var/rec/$webrtc_stream/%%F_%%H%%M%%S.mp4\"",
                           path);
        return NGX_ERROR;
    }

    if (ngx_array_init(&rc->pieces, cf->pool, 8,
                       sizeof(ngx_http_webrtc_record_piece_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webrtc_record_pieces(cf, rc, p, last);
}


static ngx_int_t
ngx_http_webrtc_record_pieces(ngx_conf_t *cf, ngx_http_webrtc_record_t *rc,
    u_char *p, u_char *last)
{
    u_char     *text;
    ngx_int_t   index;
    ngx_str_t   name;

    for (text = p; p < last; /* void */ ) {

        if (*p == '%') {

            if (p + 1 == last
                || ngx_strlchr((u_char *) NGX_HTTP_WEBRTC_RECORD_TIMES,
                               (u_char *) NGX_HTTP_WEBRTC_RECORD_TIMES
                               + sizeof(NGX_HTTP_WEBRTC_RECORD_TIMES) - 1,
                               p[1])
                   == NULL)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%*s\" in webrtc_record, expected "
                                   "a conversion of strftime(), such as "
                                   "\"%%Y\", \"%%m\", \"%%d\", \"%%F\" or "
                                   "\"%%H%%M%%S\", or \"%%%%\"",
                                   (size_t) (last - p), p);
                return NGX_ERROR;
            }

            p += 2;
            continue;
        }

        if (*p != '$') {
            p++;
            continue;
        }

        if (ngx_http_webrtc_record_piece(rc, text, p, -1) != NGX_OK) {
            return NGX_ERROR;
        }

        p = ngx_http_webrtc_record_variable(cf, p, last, &name);

        if (p == NULL) {
            return NGX_ERROR;
        }

        index = ngx_http_get_variable_index(cf, &name);

        if (index == NGX_ERROR
            || ngx_http_webrtc_record_piece(rc, p, p, index) != NGX_OK)
        {
            return NGX_ERROR;
        }

        text = p;
    }

    return ngx_http_webrtc_record_piece(rc, text, last, -1);
}


/* "$name" or "${name}" at p; behind it, or NULL */

static u_char *
ngx_http_webrtc_record_variable(ngx_conf_t *cf, u_char *p, u_char *last,
    ngx_str_t *name)
{
    u_char      *from;
    ngx_uint_t   brace;

    from = p++;
    brace = (p < last && *p == '{');
    p += brace;

    name->data = p;

    while (p < last
           && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
               || (*p >= '0' && *p <= '9') || *p == '_'))
    {
        p++;
    }

    name->len = p - name->data;

    if (name->len == 0
        || (name->data[0] >= '0' && name->data[0] <= '9')
        || (brace && (p == last || *p != '}')))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable \"%*s\" in webrtc_record, "
                           "expected one that a recording has, such as "
                           "\"$webrtc_stream\"", (size_t) (last - from), from);
        return NULL;
    }

    return p + brace;
}


static ngx_int_t
ngx_http_webrtc_record_piece(ngx_http_webrtc_record_t *rc, u_char *p,
    u_char *last, ngx_int_t index)
{
    ngx_http_webrtc_record_piece_t  *piece;

    if (p == last && index == -1) {
        return NGX_OK;
    }

    piece = ngx_array_push(&rc->pieces);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    piece->text.data = p;
    piece->text.len = last - p;
    piece->index = index;

    return NGX_OK;
}


/* without "format": as the path's end says */

static void
ngx_http_webrtc_record_format(ngx_http_webrtc_record_t *rc, ngx_str_t *path)
{
    ngx_str_t   end;
    ngx_uint_t  i;

    rc->conf.format = ngx_http_webrtc_record_formats[0].name;

    for (i = 0; ngx_http_webrtc_record_formats[i].name.len; i++) {
        end = ngx_http_webrtc_record_formats[i].end;

        if (path->len > end.len
            && ngx_strncasecmp(path->data + path->len - end.len, end.data,
                               end.len)
               == 0)
        {
            rc->conf.format = ngx_http_webrtc_record_formats[i].name;
        }
    }
}


static ngx_int_t
ngx_http_webrtc_record_pool(ngx_conf_t *cf, ngx_http_webrtc_record_t *rc)
{
#if (NGX_THREADS)

    /* the default pool, added unless it is configured */

    rc->conf.pool = ngx_thread_pool_add(cf, NULL);

    if (rc->conf.pool == NULL) {
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_record_merge(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    if (conf->record == NULL) {
        conf->record = prev->record;
    }

    return NGX_OK;
}


#if (NGX_THREADS)

static void
ngx_http_webrtc_record_find_task(void *data, ngx_log_t *log)
{
    char        *root;
    ngx_uint_t   n;

    root = *(char **) data;
    n = ngx_webrtc_record_file_find(root);

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "webrtc record found files:%ui of recordings that had "
                      "not been completed below \"%s\"", n, root);
    }
}


static void
ngx_http_webrtc_record_found(ngx_event_t *ev)
{
    ngx_free(ev->data);
}

#endif


void
ngx_http_webrtc_record_init(ngx_http_webrtc_main_conf_t *wmcf)
{
#if (NGX_THREADS)

    ngx_uint_t                  i, k;
    ngx_thread_task_t          *task;
    ngx_http_webrtc_record_t  **rc;

    if (ngx_worker != 0) {
        return;
    }

    rc = wmcf->records.elts;

    for (i = 0; i < wmcf->records.nelts; i++) {

        for (k = 0; k < i; k++) {
            if (ngx_strcmp(rc[k]->conf.root.data, rc[i]->conf.root.data) == 0) {
                break;
            }
        }

        if (k < i) {
            continue;
        }

        task = ngx_calloc(sizeof(ngx_thread_task_t) + sizeof(char *),
                          ngx_cycle->log);
        if (task == NULL) {
            return;
        }

        task->ctx = task + 1;
        *(char **) task->ctx = (char *) rc[i]->conf.root.data;

        task->handler = ngx_http_webrtc_record_find_task;
        task->event.handler = ngx_http_webrtc_record_found;
        task->event.data = task;
        task->event.log = ngx_cycle->log;

        if (ngx_thread_task_post(rc[i]->conf.pool, task) != NGX_OK) {
            ngx_free(task);
        }
    }

#endif
}


void
ngx_http_webrtc_record_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                 cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_record_t       *rec;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_info_t   info;
    ngx_http_webrtc_record_t  *rc;

    if (wmcf->records.nelts == 0 && !ngx_webrtc_records_any()) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;

    for (rec = ngx_webrtc_record_next(NULL); rec;
         rec = ngx_webrtc_record_next(rec))
    {
        st = ngx_webrtc_record_stream(rec);
        rc = ngx_http_webrtc_record_wanted(wmcf, st);

        if (rc) {
            ngx_webrtc_record_want(bus, st, &rc->conf,
                                   ngx_http_webrtc_worker->log);
        }
    }

    cursor = 0;

    while (wmcf->records.nelts
           && ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK)
    {
        if (info.claim_kind == 0
            || info.claim_worker != bus->worker
            || info.parent
            || info.state != NGX_WEBRTC_STREAM_ACTIVE)
        {
            continue;
        }

        st = ngx_webrtc_bus_stream_ref(bus, info.ref);

        if (st) {
            rc = ngx_http_webrtc_record_wanted(wmcf, st);

            if (rc) {
                ngx_webrtc_record_want(bus, st, &rc->conf,
                                       ngx_http_webrtc_worker->log);
            }

            ngx_webrtc_bus_release(bus, st);
        }
    }

    ngx_webrtc_records_tick();
}


/* the stream's "webrtc_record", or NULL */

static ngx_http_webrtc_record_t *
ngx_http_webrtc_record_of(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_http_webrtc_loc_conf_t **wlcf)
{
    *wlcf = ngx_http_webrtc_own_location(wmcf,
                                         ngx_webrtc_atomic_load(&st->location));

    return (*wlcf && (*wlcf)->record && !(*wlcf)->record->off)
           ? (*wlcf)->record : NULL;
}


/* is a recording to be there now, by this worker or another? */

static ngx_http_webrtc_record_t *
ngx_http_webrtc_record_wanted(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_record_t    *rc;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    rc = ngx_http_webrtc_record_of(wmcf, st, &wlcf);

    if (rc == NULL) {
        return NULL;
    }

    switch (ngx_webrtc_atomic_load(&st->record)) {

    case NGX_WEBRTC_RECORD_START:
        break;

    case NGX_WEBRTC_RECORD_STOP:
        return NULL;

    default:

        if (!rc->always) {
            return NULL;
        }
    }

    return ngx_http_webrtc_outlets_wanted(wlcf, st) ? rc : NULL;
}


ngx_int_t
ngx_http_webrtc_record_order(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_stream_t *st, ngx_uint_t target, ngx_uint_t on)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (st->parent || target > 1
        || ngx_http_webrtc_record_of(wmcf, st, &wlcf) == NULL)
    {
        return NGX_DECLINED;
    }

    ngx_webrtc_atomic_store(&st->record, (uint32_t) (on
                                                     ? NGX_WEBRTC_RECORD_START
                                                     : NGX_WEBRTC_RECORD_STOP));
    return NGX_OK;
}


static size_t
ngx_http_webrtc_record_name(void *ctx, ngx_webrtc_stream_t *st, u_char *rel,
    const char **cause)
{
    ngx_http_webrtc_record_t *rc = ctx;

    u_char                          *p, *last;
    time_t                           now;
    ngx_str_t                        name;
    struct tm                        tm;
    ngx_uint_t                       i;
    ngx_http_request_t              *r;
    ngx_http_webrtc_loc_conf_t      *wlcf;
    ngx_http_webrtc_record_piece_t  *piece;

    if (ngx_http_webrtc_record_of(rc->wmcf, st, &wlcf) == NULL) {
        *cause = "its location is gone";
        return 0;
    }

    r = ngx_http_webrtc_own(wlcf, NULL, 0, ngx_http_webrtc_worker->log);

    if (r == NULL) {
        *cause = "no memory";
        return 0;
    }

    name.data = st->name;
    name.len = st->name_len;

    ngx_http_webrtc_own_stream(r, wlcf, &name);

    now = ngx_time();
    ngx_libc_localtime(now, &tm);

    p = rel;
    last = rel + NGX_WEBRTC_RECORD_PATH;
    piece = rc->pieces.elts;

    for (i = 0; p && i < rc->pieces.nelts; i++) {

        if (piece[i].index == -1) {
            p = ngx_http_webrtc_record_time(p, last, &piece[i].text, &tm);
            continue;
        }

        p = ngx_http_webrtc_record_value(p, last, r, piece[i].index);

        if (p == NULL) {
            *cause = "a variable in its path is empty, or too long";
        }
    }

    ngx_http_webrtc_own_done(r);

    return p ? (size_t) (p - rel) : 0;
}


/* text with conversions of strftime(); NULL: too long */

static u_char *
ngx_http_webrtc_record_time(u_char *p, u_char *last, ngx_str_t *text,
    struct tm *tm)
{
    char     conversion[3];
    size_t   i, n;
    u_char   made[NGX_HTTP_WEBRTC_RECORD_TIME];

    for (i = 0; i < text->len; i++) {

        made[0] = text->data[i];
        n = 1;

        if (text->data[i] == '%') {
            conversion[0] = '%';
            conversion[1] = (char) text->data[++i];
            conversion[2] = '\0';

            n = strftime((char *) made, sizeof(made), conversion, tm);
        }

        if (n > (size_t) (last - p)) {
            return NULL;
        }

        p = ngx_cpymem(p, made, n);
    }

    return p;
}


/* NULL: it is empty, or too long */

static u_char *
ngx_http_webrtc_record_value(u_char *p, u_char *last, ngx_http_request_t *r,
    ngx_int_t index)
{
    ngx_http_variable_value_t  *vv;

    vv = ngx_http_get_flushed_variable(r, (ngx_uint_t) index);

    if (vv == NULL || vv->not_found || vv->len == 0
        || vv->len > (size_t) (last - p))
    {
        return NULL;
    }

    return ngx_cpymem(p, vv->data, vv->len);
}


void
ngx_http_webrtc_record_on_done(ngx_http_webrtc_record_done_pt handler)
{
    ngx_http_webrtc_record_handler = handler;
}


static void
ngx_http_webrtc_record_done(void *ctx, ngx_webrtc_record_done_t *done)
{
    ngx_http_webrtc_record_t *rc = ctx;

    ngx_http_webrtc_loc_conf_t  *wlcf;

    if (ngx_http_webrtc_record_handler
        && ngx_http_webrtc_record_of(rc->wmcf, done->stream, &wlcf))
    {
        ngx_http_webrtc_record_handler(rc->wmcf, wlcf, done);
    }
}
