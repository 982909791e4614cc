
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Requests for playlists, segments and parts of "webrtc_hls".
 *
 * A playlist is printed of what the channel has when it is asked for.  The
 * first request of a stream has it made, and waits until a segment is whole;
 * one that names a segment or a part to come waits for that ("blocking
 * reload"), and so does one for the part that is hinted at.  What waits is
 * looked at when any channel of the zone has something new, in every worker, 50
 * times a second.
 */


#include "ngx_http_webrtc_hls_get.h"
#include "ngx_http_webrtc_hls_file.h"
#include "ngx_http_webrtc_hls_want.h"
#include "ngx_http_webrtc_live.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_resource.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_hls_conf.h"
#include "ngx_webrtc_hls_text.h"
#include "ngx_webrtc_time.h"


/* ms between two looks, while there is anything that waits */
#define NGX_HTTP_WEBRTC_HLS_LOOK    20

/* ms to the first segment, besides its own length; chosen: a job that starts,
 * and a key frame of cameras that make few */
#define NGX_HTTP_WEBRTC_HLS_FIRST   10000

/* requests of a worker that wait; chosen: more than its connections */
#define NGX_HTTP_WEBRTC_HLS_WAITING 16384

/* bytes of a token behind names */
#define NGX_HTTP_WEBRTC_HLS_QUERY   1024


typedef struct {
    ngx_http_request_t          *request;
    ngx_str_t                    name;
    ngx_str_t                    query;
    ngx_webrtc_stream_t         *st;         /* held; NULL: not there yet */
    ngx_webrtc_hls_file_t        file;
    ngx_webrtc_hls_ask_t         ask;
    uint32_t                     id;         /* of the channel */
    ngx_uint_t                   slot;       /* of its news */
    uint64_t                     news;       /* when it was looked at */
    ngx_queue_t                  queue;
    ngx_msec_t                   until;
    unsigned                     waiting:1;
    unsigned                     live:1;     /* "until" counts for its media */
    unsigned                     ready:1;    /* and now for what is asked */
} ngx_http_webrtc_hls_ctx_t;


static ngx_int_t ngx_http_webrtc_hls_get(ngx_http_request_t *r);
static ngx_int_t ngx_http_webrtc_hls_begin(ngx_http_webrtc_hls_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_hls_query(ngx_http_webrtc_hls_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_hls_wait(ngx_http_webrtc_hls_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_hls_try(ngx_http_webrtc_hls_ctx_t *ctx);
static ngx_int_t ngx_http_webrtc_hls_media(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info);
static ngx_int_t ngx_http_webrtc_hls_piece(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info);
static ngx_int_t ngx_http_webrtc_hls_soon(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info);
static ngx_int_t ngx_http_webrtc_hls_list(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    ngx_webrtc_hls_list_t *list);
static ngx_int_t ngx_http_webrtc_hls_playlist(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info);
static u_char *ngx_http_webrtc_hls_print(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info, ngx_webrtc_hls_list_t *lists, u_char *p,
    size_t size);
static ngx_int_t ngx_http_webrtc_hls_known(ngx_http_webrtc_hls_ctx_t *ctx,
    uint64_t news, ngx_str_t *body);
static void ngx_http_webrtc_hls_keep(ngx_http_webrtc_hls_ctx_t *ctx,
    uint64_t news, ngx_str_t *body);
static ngx_int_t ngx_http_webrtc_hls_answer(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_str_t *type, ngx_str_t *body);
static void ngx_http_webrtc_hls_look(ngx_event_t *ev);
static void ngx_http_webrtc_hls_each(ngx_uint_t tick);
static ngx_int_t ngx_http_webrtc_hls_late(ngx_http_webrtc_hls_ctx_t *ctx);
static void ngx_http_webrtc_hls_end(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_int_t rc);
static void ngx_http_webrtc_hls_release(ngx_http_webrtc_hls_ctx_t *ctx);
static void ngx_http_webrtc_hls_cleanup(void *data);


static ngx_str_t  ngx_http_webrtc_hls_m3u8 =
    ngx_string("application/vnd.apple.mpegurl");
static ngx_str_t  ngx_http_webrtc_hls_mpd = ngx_string("application/dash+xml");


/*
 * The playlist that was printed last, as many requests wait for the same one:
 * of a name, id, track, and skipped or not, when its news had that number.
 */
static struct {
    u_char                      *data;
    size_t                       len;
    size_t                       size;
    uint64_t                     news;
    ngx_uint_t                   track;
    ngx_uint_t                   skip;
    uint32_t                     id;
    size_t                       name_len;
    u_char                       name[NGX_WEBRTC_NAME_MAX];
} ngx_http_webrtc_hls_last;


/* of this process */

static ngx_queue_t  ngx_http_webrtc_hlss = {
    &ngx_http_webrtc_hlss, &ngx_http_webrtc_hlss
};

static ngx_event_t       ngx_http_webrtc_hls_timer;
static ngx_connection_t  ngx_http_webrtc_hls_dummy;     /* for nginx's log */
static ngx_uint_t        ngx_http_webrtc_hls_waiting;


ngx_int_t
ngx_http_webrtc_hls_handler(ngx_http_request_t *r)
{
    return ngx_http_webrtc_result(ngx_http_webrtc_hls_get(r));
}


static ngx_int_t
ngx_http_webrtc_hls_get(ngx_http_request_t *r)
{
    u_char                      *p;
    ngx_int_t                    rc;
    ngx_str_t                    name, file;
    ngx_http_cleanup_t          *cln;
    ngx_http_webrtc_loc_conf_t  *wlcf;
    ngx_http_webrtc_hls_ctx_t   *ctx;

    rc = ngx_http_webrtc_live_begin(r, &name);

    if (rc != NGX_OK) {
        return rc;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_webrtc_hls_ctx_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_webrtc_hls_ctx_t));

    cln->handler = ngx_http_webrtc_hls_cleanup;

    ctx->request = r;
    ctx->name = name;
    ctx->id = wlcf->location;
    ctx->slot = ngx_webrtc_bus_hls_slot(&ctx->name, ctx->id);

    for (p = r->uri.data + r->uri.len; p > r->uri.data && p[-1] != '/'; p--) {
        /* void */
    }

    file.data = p;
    file.len = r->uri.data + r->uri.len - p;

    if (ngx_webrtc_hls_name_parse(file.data, file.len, &ctx->file) != NGX_OK) {
        return ngx_http_webrtc_hls_no_file(r, &file);
    }

    if (ngx_http_webrtc_hls_query(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_hls_begin(ctx);
}


/* a token that is an argument is one of what playlists name, too */

static ngx_int_t
ngx_http_webrtc_hls_query(ngx_http_webrtc_hls_ctx_t *ctx)
{
    size_t                       i;
    u_char                       c;
    ngx_str_t                    token;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    if (wlcf->jwt == NULL || wlcf->jwt_arg.len == 0
        || ngx_http_webrtc_arg(r, (char *) wlcf->jwt_arg.data, &token)
           != NGX_OK
        || token.len == 0 || token.len > NGX_HTTP_WEBRTC_HLS_QUERY)
    {
        return NGX_OK;
    }

    /* RFC 7515, 7.1: nothing that has a meaning in lists or in XML */

    for (i = 0; i < token.len; i++) {
        c = token.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'
              || c == '~' || c == '=' || c == '%'))
        {
            return NGX_OK;
        }
    }

    ctx->query.len = wlcf->jwt_arg.len + token.len + 2;
    ctx->query.data = ngx_pnalloc(r->pool, ctx->query.len);

    if (ctx->query.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(ctx->query.data, "?%V=%V", &wlcf->jwt_arg, &token);

    return NGX_OK;
}


static ngx_int_t
ngx_http_webrtc_hls_begin(ngx_http_webrtc_hls_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_str_t                    detail;
    ngx_http_request_t          *r;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ctx->until = ngx_current_msec + wlcf->wait;

    if (ctx->file.kind == NGX_WEBRTC_HLS_FILE_LIST
        && ngx_webrtc_hls_ask_parse(r->args.data, r->args.len, &ctx->ask)
           != NGX_OK)
    {
        ngx_str_set(&detail, "expected _HLS_msn= with a number, and with it "
                             "_HLS_part= with another");
        return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "an argument that is not understood",
                                       &detail);
    }

    if (ctx->file.kind <= NGX_WEBRTC_HLS_FILE_LIST) {
        rc = ngx_http_webrtc_live_stream(r, &ctx->name, &ctx->st);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_webrtc_hls_try(ctx);

    return (rc == NGX_AGAIN) ? ngx_http_webrtc_hls_wait(ctx) : rc;
}


static ngx_int_t
ngx_http_webrtc_hls_wait(ngx_http_webrtc_hls_ctx_t *ctx)
{
    ngx_str_t     detail;
    ngx_event_t  *ev;

    if (ngx_http_webrtc_hls_waiting >= NGX_HTTP_WEBRTC_HLS_WAITING) {
        ngx_str_set(&detail, "too many requests wait for segments");
        return ngx_http_webrtc_live_busy(ctx->request, &detail);
    }

    ctx->waiting = 1;
    ngx_http_webrtc_hls_waiting++;
    ngx_queue_insert_tail(&ngx_http_webrtc_hlss, &ctx->queue);

    ev = &ngx_http_webrtc_hls_timer;

    if (!ev->timer_set) {
        ev->handler = ngx_http_webrtc_hls_look;
        ev->data = &ngx_http_webrtc_hls_dummy;
        ev->log = ngx_cycle->log;

        ngx_add_timer(ev, NGX_HTTP_WEBRTC_HLS_LOOK);
    }

    ngx_http_webrtc_wait(ctx->request);

    return NGX_AGAIN;
}


/* NGX_AGAIN: there is not what is asked for yet; else a result */

static ngx_int_t
ngx_http_webrtc_hls_try(ngx_http_webrtc_hls_ctx_t *ctx)
{
    ngx_str_t                    detail;
    ngx_http_request_t          *r;
    ngx_webrtc_hls_info_t        info;
    ngx_http_webrtc_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_webrtc_module);

    ctx->news = ngx_webrtc_bus_hls_news(ngx_http_webrtc_worker->bus,
                                        ctx->slot);

    if (ngx_webrtc_bus_hls_read(ngx_http_webrtc_worker->bus, &ctx->name,
                                ctx->id, ngx_current_msec, &info, 0, NULL)
        == NGX_OK)
    {
        if (ctx->file.kind > NGX_WEBRTC_HLS_FILE_LIST) {
            return ngx_http_webrtc_hls_media(ctx, &info);
        }

        if (info.failed) {
            ngx_str_set(&detail, "its segments cannot be written");
            return ngx_http_webrtc_live_busy(r, &detail);
        }

        if (ngx_webrtc_hls_text_ready(&info)) {
            return ngx_http_webrtc_hls_playlist(ctx, &info);
        }

    } else if (ctx->file.kind > NGX_WEBRTC_HLS_FILE_LIST) {
        return ngx_http_webrtc_hls_no_file(r, &ctx->name);
    }

    if (ctx->st == NULL) {

        /* one that is pulled is there */

        ctx->st = ngx_webrtc_bus_stream(ngx_http_webrtc_worker->bus,
                                        &ctx->name, wlcf->policy.buffer, 0);
        if (ctx->st == NULL) {
            return NGX_AGAIN;
        }
    }

    ngx_webrtc_bus_want(ctx->st, (uint64_t) ngx_current_msec
                                 + NGX_HTTP_WEBRTC_LIVE_WANTED);

    if (ngx_webrtc_bus_state(ctx->st) != NGX_WEBRTC_STREAM_ACTIVE) {
        return NGX_AGAIN;
    }

    /* a worker that shuts down begins nothing */

    if (ngx_exiting) {
        return NGX_AGAIN;
    }

    if (!ctx->live) {
        ctx->live = 1;
        ctx->until = ngx_current_msec + NGX_HTTP_WEBRTC_HLS_FIRST
                     + 3 * wlcf->live->hls->conf.params.segment;
    }

    if (ngx_http_webrtc_hls_want(wlcf, ctx->st) != NGX_OK) {
        ngx_str_set(&detail, "there is no room for it in webrtc_zone");
        return ngx_http_webrtc_live_busy(r, &detail);
    }

    return NGX_AGAIN;
}


/* a head, a segment, or a part */

static ngx_int_t
ngx_http_webrtc_hls_media(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info)
{
    ngx_webrtc_hls_file_t   *file;
    ngx_webrtc_hls_track_t  *t;

    file = &ctx->file;
    t = &info->tracks[file->track];

    if (t->clock == 0 || file->gen != info->gen) {
        return ngx_http_webrtc_hls_no_file(ctx->request, &ctx->name);
    }

    switch (file->kind) {

    case NGX_WEBRTC_HLS_FILE_HEAD:

        if (file->number == 0 || file->number > t->head) {
            break;
        }

        return ngx_http_webrtc_hls_file(ctx->request, &ctx->name, file, NULL);

    case NGX_WEBRTC_HLS_FILE_SEGMENT:

        /* some players of DASH ask for the next one, and a 404 is its end */

        if (file->number == t->next && !info->over && !t->gap) {
            return ngx_http_webrtc_hls_soon(ctx, info);
        }

        if (file->number >= t->next) {
            break;
        }

        return ngx_http_webrtc_hls_file(ctx->request, &ctx->name, file, NULL);

    default: /* NGX_WEBRTC_HLS_FILE_PART */
        return ngx_http_webrtc_hls_piece(ctx, info);
    }

    return ngx_http_webrtc_hls_no_file(ctx->request, &ctx->name);
}


static ngx_int_t
ngx_http_webrtc_hls_piece(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_http_request_t      *r;
    ngx_webrtc_hls_file_t   *file;
    ngx_webrtc_hls_list_t   *list;
    ngx_webrtc_hls_track_t  *t;

    r = ctx->request;
    file = &ctx->file;
    t = &info->tracks[file->track];

    if (file->number == t->next && file->part == t->open.parts
        && info->params.part && !info->over && !t->gap)
    {
        /* the one that is hinted at */

        return ngx_http_webrtc_hls_soon(ctx, info);
    }

    list = ngx_pcalloc(r->pool, sizeof(ngx_webrtc_hls_list_t));
    if (list == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_webrtc_hls_list(ctx, info, file->track, list);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < list->nparts; i++) {

        if (list->parts[i].msn == file->number
            && list->parts[i].n == file->part)
        {
            return ngx_http_webrtc_hls_file(r, &ctx->name, file,
                                            &list->parts[i]);
        }
    }

    return ngx_http_webrtc_hls_no_file(r, &ctx->name);
}


/* what is asked for is under way, and worth to wait for; NGX_AGAIN */

static ngx_int_t
ngx_http_webrtc_hls_soon(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info)
{
    if (!ctx->ready) {
        ctx->ready = 1;
        ctx->until = ngx_current_msec
                     + 3000 * ngx_min(info->target, NGX_WEBRTC_HLS_LONG);
    }

    return NGX_AGAIN;
}


/* a copy of a track, and of what belongs to it; NGX_OK, or a result */

static ngx_int_t
ngx_http_webrtc_hls_list(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    ngx_webrtc_hls_list_t *list)
{
    ngx_int_t               rc;
    ngx_uint_t              tries;
    ngx_webrtc_hls_track_t  *t;

    t = &info->tracks[track];

    list->room = t->next - t->first;

    for (tries = 0; tries < 4; tries++) {

        /* one more may come meanwhile */

        list->room++;
        list->segments = ngx_palloc(ctx->request->pool,
                                    list->room
                                    * sizeof(ngx_webrtc_hls_segment_t));
        if (list->segments == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_webrtc_bus_hls_read(ngx_http_webrtc_worker->bus, &ctx->name,
                                     ctx->id, 0, info, track, list);
        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            return ngx_http_webrtc_hls_no_file(ctx->request, &ctx->name);
        }

        list->room = list->nsegments;
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_webrtc_hls_playlist(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info)
{
    size_t                  size;
    ngx_int_t               rc;
    ngx_str_t               body, *type;
    ngx_uint_t              i;
    ngx_http_request_t     *r;
    ngx_webrtc_hls_list_t  *lists;

    r = ctx->request;
    i = ctx->file.track;

    lists = ngx_pcalloc(r->pool, NGX_WEBRTC_HLS_TRACKS
                                 * sizeof(ngx_webrtc_hls_list_t));
    if (lists == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    type = &ngx_http_webrtc_hls_m3u8;

    switch (ctx->file.kind) {

    case NGX_WEBRTC_HLS_FILE_INDEX:
        size = ngx_webrtc_hls_text_index_size(&ctx->query);
        break;

    case NGX_WEBRTC_HLS_FILE_MPD:

        for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
            rc = ngx_http_webrtc_hls_list(ctx, info, i, &lists[i]);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        type = &ngx_http_webrtc_hls_mpd;
        size = ngx_webrtc_hls_text_mpd_size(lists, &ctx->query);
        break;

    default: /* NGX_WEBRTC_HLS_FILE_LIST */

        if (info->tracks[i].clock == 0) {
            return ngx_http_webrtc_hls_no_file(r, &ctx->name);
        }

        rc = ngx_webrtc_hls_text_has(info, i, &ctx->ask);

        if (rc == NGX_DECLINED) {
            ngx_str_set(&body, "_HLS_msn= is too far ahead");
            return ngx_http_webrtc_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "there is no such segment soon",
                                           &body);
        }

        if (rc == NGX_AGAIN) {
            return ngx_http_webrtc_hls_soon(ctx, info);
        }

        if (ngx_http_webrtc_hls_known(ctx, info->news, &body) == NGX_OK) {
            return ngx_http_webrtc_hls_answer(ctx, type, &body);
        }

        rc = ngx_http_webrtc_hls_list(ctx, info, i, &lists[0]);

        if (rc != NGX_OK) {
            return rc;
        }

        size = ngx_webrtc_hls_text_list_size(&lists[0], &ctx->query);
    }

    body.data = ngx_pnalloc(r->pool, size);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.len = ngx_http_webrtc_hls_print(ctx, info, lists, body.data, size)
               - body.data;

    if (ctx->file.kind == NGX_WEBRTC_HLS_FILE_LIST) {
        ngx_http_webrtc_hls_keep(ctx, info->news, &body);
    }

    return ngx_http_webrtc_hls_answer(ctx, type, &body);
}


/* behind what it has printed */

static u_char *
ngx_http_webrtc_hls_print(ngx_http_webrtc_hls_ctx_t *ctx,
    ngx_webrtc_hls_info_t *info, ngx_webrtc_hls_list_t *lists, u_char *p,
    size_t size)
{
    uint64_t   now;
    u_char    *last;

    last = p + size;

    switch (ctx->file.kind) {

    case NGX_WEBRTC_HLS_FILE_INDEX:
        return ngx_webrtc_hls_text_index(p, last, info, &ctx->query);

    case NGX_WEBRTC_HLS_FILE_MPD:
        now = ngx_webrtc_time_wall(ngx_webrtc_time_now());
        return ngx_webrtc_hls_text_mpd(p, last, info, lists, (int64_t) now,
                                       &ctx->query);

    default: /* NGX_WEBRTC_HLS_FILE_LIST */
        return ngx_webrtc_hls_text_list(p, last, info, ctx->file.track,
                                        &lists[0], &ctx->ask, &ctx->query);
    }
}


/* NGX_OK: it is the one that was printed last; NGX_DECLINED */

static ngx_int_t
ngx_http_webrtc_hls_known(ngx_http_webrtc_hls_ctx_t *ctx, uint64_t news,
    ngx_str_t *body)
{
    if (ctx->query.len
        || ngx_http_webrtc_hls_last.len == 0
        || ngx_http_webrtc_hls_last.news != news
        || ngx_http_webrtc_hls_last.track != ctx->file.track
        || ngx_http_webrtc_hls_last.skip != ctx->ask.skip
        || ngx_http_webrtc_hls_last.id != ctx->id
        || ngx_http_webrtc_hls_last.name_len != ctx->name.len
        || ngx_memcmp(ngx_http_webrtc_hls_last.name, ctx->name.data,
                      ctx->name.len)
           != 0)
    {
        return NGX_DECLINED;
    }

    body->len = ngx_http_webrtc_hls_last.len;
    body->data = ngx_pnalloc(ctx->request->pool, body->len);

    if (body->data == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(body->data, ngx_http_webrtc_hls_last.data, body->len);

    return NGX_OK;
}


static void
ngx_http_webrtc_hls_keep(ngx_http_webrtc_hls_ctx_t *ctx, uint64_t news,
    ngx_str_t *body)
{
    u_char  *p;

    if (ctx->query.len) {
        return;
    }

    ngx_http_webrtc_hls_last.len = 0;

    if (body->len > ngx_http_webrtc_hls_last.size) {
        p = ngx_alloc(body->len, ctx->request->connection->log);

        if (p == NULL) {
            return;
        }

        ngx_free(ngx_http_webrtc_hls_last.data);
        ngx_http_webrtc_hls_last.data = p;
        ngx_http_webrtc_hls_last.size = body->len;
    }

    ngx_memcpy(ngx_http_webrtc_hls_last.data, body->data, body->len);

    ngx_http_webrtc_hls_last.len = body->len;
    ngx_http_webrtc_hls_last.news = news;
    ngx_http_webrtc_hls_last.track = ctx->file.track;
    ngx_http_webrtc_hls_last.skip = ctx->ask.skip;
    ngx_http_webrtc_hls_last.id = ctx->id;
    ngx_http_webrtc_hls_last.name_len = ctx->name.len;
    ngx_memcpy(ngx_http_webrtc_hls_last.name, ctx->name.data, ctx->name.len);
}


static ngx_int_t
ngx_http_webrtc_hls_answer(ngx_http_webrtc_hls_ctx_t *ctx, ngx_str_t *type,
    ngx_str_t *body)
{
    static ngx_str_t  cache = ngx_string("no-cache");

    ngx_http_webrtc_hls_release(ctx);

    if (ngx_http_webrtc_header(ctx->request, "Cache-Control", &cache)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_answer(ctx->request, NGX_HTTP_OK, type, body);
}


/* the timer, while there is anything that waits */

static void
ngx_http_webrtc_hls_look(ngx_event_t *ev)
{
    if (ngx_http_webrtc_worker && !ngx_queue_empty(&ngx_http_webrtc_hlss)) {
        ngx_add_timer(ev, NGX_HTTP_WEBRTC_HLS_LOOK);
        ngx_http_webrtc_hls_each(0);
    }
}


void
ngx_http_webrtc_hls_get_tick(void)
{
    if (!ngx_queue_empty(&ngx_http_webrtc_hlss)) {
        ngx_http_webrtc_hls_each(1);
    }
}


/*
 * Those that wait for a channel that has news; tick: all, and those whose time
 * is over are ended.
 */

static void
ngx_http_webrtc_hls_each(ngx_uint_t tick)
{
    ngx_int_t                   rc;
    ngx_queue_t                 todo, *q;
    ngx_http_webrtc_hls_ctx_t  *ctx;

    /* ending one may end others */

    ngx_queue_init(&todo);
    ngx_queue_add(&todo, &ngx_http_webrtc_hlss);
    ngx_queue_init(&ngx_http_webrtc_hlss);

    while (!ngx_queue_empty(&todo)) {
        q = ngx_queue_head(&todo);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_webrtc_hlss, q);

        ctx = ngx_queue_data(q, ngx_http_webrtc_hls_ctx_t, queue);

        if (!tick
            && ctx->news == ngx_webrtc_bus_hls_news(ngx_http_webrtc_worker->bus,
                                                    ctx->slot))
        {
            continue;
        }

        rc = ngx_http_webrtc_hls_try(ctx);

        if (rc == NGX_AGAIN && tick) {

            if (ctx->st) {
                ngx_http_webrtc_pull_check(ctx->st);
            }

            if ((ngx_msec_int_t) (ngx_current_msec - ctx->until) >= 0) {
                rc = ngx_http_webrtc_hls_late(ctx);
            }
        }

        if (rc != NGX_AGAIN) {
            ngx_http_webrtc_hls_end(ctx, rc);
        }
    }
}


/* it has not come in time */

static ngx_int_t
ngx_http_webrtc_hls_late(ngx_http_webrtc_hls_ctx_t *ctx)
{
    ngx_str_t            detail;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ctx->ready
        && (ctx->st == NULL
            || ngx_webrtc_bus_state(ctx->st) != NGX_WEBRTC_STREAM_ACTIVE))
    {
        return ngx_http_webrtc_live_none(r, &ctx->name, ctx->st);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&detail, "no segment of it has been made so far");

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "there is nothing new", &detail);
}


static void
ngx_http_webrtc_hls_end(ngx_http_webrtc_hls_ctx_t *ctx, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_webrtc_hls_release(ctx);

    ngx_http_webrtc_end(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_webrtc_hls_get_exit(void)
{
    ngx_http_webrtc_hls_ctx_t  *ctx;

    while (!ngx_queue_empty(&ngx_http_webrtc_hlss)) {
        ctx = ngx_queue_data(ngx_queue_head(&ngx_http_webrtc_hlss),
                             ngx_http_webrtc_hls_ctx_t, queue);

        ngx_http_webrtc_hls_end(ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    if (ngx_http_webrtc_hls_timer.timer_set) {
        ngx_del_timer(&ngx_http_webrtc_hls_timer);
    }
}


/* what it has of the worker */

static void
ngx_http_webrtc_hls_release(ngx_http_webrtc_hls_ctx_t *ctx)
{
    if (ctx->waiting) {
        ctx->waiting = 0;
        ngx_http_webrtc_hls_waiting--;
        ngx_queue_remove(&ctx->queue);
    }

    if (ctx->st) {
        ngx_webrtc_bus_release(ngx_http_webrtc_worker->bus, ctx->st);
        ctx->st = NULL;
    }
}


static void
ngx_http_webrtc_hls_cleanup(void *data)
{
    ngx_http_webrtc_hls_ctx_t *ctx = data;

    if (ngx_http_webrtc_worker) {
        ngx_http_webrtc_hls_release(ctx);
    }
}
