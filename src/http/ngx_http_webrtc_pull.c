
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_pull" and its like: when a source runs, and in which worker.
 *
 * The claim in the zone makes one worker the stream's only source.  How the
 * stream is pulled is recorded in the zone, so that a worker with viewers can
 * go on when the one with the source exits (reload) or dies.  A worker that is
 * shutting down keeps a source only as long as it has viewers of it itself:
 * until then a second connection to the upstream would gain nothing.
 */


#include "ngx_http_webrtc_pull.h"
#include "ngx_webrtc_bus_pending.h"
#include "ngx_webrtc_bus_variant.h"
#include "ngx_webrtc_command.h"
#include "ngx_webrtc_viewer_streams.h"
#include "ngx_webrtc_source.h"
#include "ngx_webrtc_source_kinds.h"
#include "ngx_webrtc_source_url.h"


/* ms for which a worker that is shutting down leaves a source to the others;
 * chosen: a few of their ticks */
#define NGX_HTTP_WEBRTC_PULL_HANDOVER  1000


/* a source running in this process */
typedef struct {
    ngx_queue_t                  queue;
    ngx_webrtc_stream_t         *st;         /* held and claimed */
    const ngx_webrtc_source_kind_t  *kind;   /* NULL: a URL */
    void                        *feed;       /* of its kind */
    ngx_webrtc_source_t         *source;     /* of a URL */
    ngx_msec_t                   used;       /* time it last had a viewer */
    ngx_msec_t                   idle_timeout;
    unsigned                     always:1;
    unsigned                     stopping:1;
} ngx_http_webrtc_puller_t;


static ngx_uint_t ngx_http_webrtc_pull_spaces(ngx_str_t *text);
static void ngx_http_webrtc_pull_from(ngx_http_webrtc_pull_t *pull,
    ngx_str_t *url, ngx_webrtc_stream_pull_t *sp);
static ngx_int_t ngx_http_webrtc_pull_links(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf, ngx_str_t *url,
    ngx_webrtc_stream_from_t *from);
static void ngx_http_webrtc_pull_record(ngx_http_webrtc_pull_t *pull,
    ngx_webrtc_stream_pull_t *sp, ngx_webrtc_stream_t *st);
static ngx_int_t ngx_http_webrtc_pull_start(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *pull);
static ngx_webrtc_source_t *ngx_http_webrtc_pull_start_url(
    ngx_http_webrtc_puller_t *pr, ngx_webrtc_stream_pull_t *sp);
static void *ngx_http_webrtc_pull_start_feed(ngx_http_webrtc_puller_t *pr,
    ngx_webrtc_stream_pull_t *sp);
static void ngx_http_webrtc_pull_event(ngx_webrtc_source_t *source,
    void *data, ngx_uint_t event);
static void ngx_http_webrtc_pull_ended(void *data, ngx_uint_t failed);
static void ngx_http_webrtc_pull_stop(ngx_http_webrtc_puller_t *pr);
static void ngx_http_webrtc_pull_orphans(void);
static void ngx_http_webrtc_pull_always(ngx_http_webrtc_pull_t *pull);
static void ngx_http_webrtc_pull_idle(ngx_http_webrtc_puller_t *pr);


static ngx_queue_t  ngx_http_webrtc_pullers = {
    &ngx_http_webrtc_pullers, &ngx_http_webrtc_pullers
};


ngx_int_t
ngx_http_webrtc_pull(ngx_http_request_t *r, ngx_http_webrtc_pull_t *pull,
    ngx_webrtc_stream_t *st, const char **cause)
{
    ngx_str_t                        url, name;
    ngx_http_webrtc_pull_t          *p;
    ngx_webrtc_stream_pull_t         sp;
    const ngx_webrtc_source_kind_t  *kind;

    ngx_memzero(&sp, sizeof(ngx_webrtc_stream_pull_t));

    for (p = pull; p; p = p->next) {

        if (ngx_http_complex_value(r, &p->url, &url) != NGX_OK) {
            return NGX_ERROR;
        }

        if (url.len > NGX_WEBRTC_PULL_URL) {
            *cause = "URL too long";
            return NGX_DECLINED;
        }

        kind = ngx_webrtc_source_kind(p->kind);

        name.data = st->name;
        name.len = st->name_len;

        if (kind && ngx_http_webrtc_pull_spaces(&url)
                    != ngx_http_webrtc_pull_spaces(&p->url.value))
        {
            *cause = "a variable of webrtc_rtp has a space";
            return NGX_DECLINED;
        }

        if ((kind ? kind->check(&url, &name, cause)
                  : ngx_webrtc_source_url_check(&p->prefix, &url, cause))
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        ngx_http_webrtc_pull_from(p, &url, &sp);

        if (kind == NULL
            && ngx_http_webrtc_pull_links(r, pull->clcf, &url,
                                          &sp.from[sp.nfrom - 1])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_http_webrtc_pull_record(pull, &sp, st);

    ngx_webrtc_bus_set_ring_max(st, pull->buffer_max);

    ngx_http_webrtc_pull_check(st);

    return NGX_OK;
}


/* words are separated by spaces: a variable must not make two of one */

static ngx_uint_t
ngx_http_webrtc_pull_spaces(ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  n;

    for (i = 0, n = 0; i < text->len; i++) {
        n += (text->data[i] == ' ');
    }

    return n;
}


/* adds an upstream; the length of the URL has been checked */

static void
ngx_http_webrtc_pull_from(ngx_http_webrtc_pull_t *pull, ngx_str_t *url,
    ngx_webrtc_stream_pull_t *sp)
{
    ngx_webrtc_stream_from_t  *from;

    from = &sp->from[sp->nfrom++];

    from->url_len = (uint16_t) url->len;
    ngx_memcpy(from->url, url->data, url->len);

    if (pull->format.len) {
        from->format_len = (uint8_t) pull->format.len;
        ngx_memcpy(from->format, pull->format.data, pull->format.len);
    }

    from->program = (uint16_t) pull->program;
    from->loop = pull->loop;
    from->lists = pull->lists;
}


/* "disable_symlinks", for files; r is NULL if there is no request */

static ngx_int_t
ngx_http_webrtc_pull_links(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf, ngx_str_t *url,
    ngx_webrtc_stream_from_t *from)
{
#if (NGX_HAVE_OPENAT)

    u_char     path[NGX_WEBRTC_PULL_URL + 8];
    ngx_str_t  name, links;

    if (clcf->disable_symlinks == NGX_DISABLE_SYMLINKS_OFF
        || !(ngx_webrtc_source_url_scheme(url)->flags
             & NGX_WEBRTC_SOURCE_URL_FILE)
        || ngx_webrtc_source_url_open(url, path, sizeof(path)) != NGX_OK)
    {
        return NGX_OK;
    }

    from->links = (uint8_t) clcf->disable_symlinks;

    if (clcf->disable_symlinks_from == NULL) {
        return NGX_OK;
    }

    if (r == NULL) {

        /* "from" with variables is ignored: the whole path is checked */

        if (clcf->disable_symlinks_from->lengths) {
            return NGX_OK;
        }

        links = clcf->disable_symlinks_from->value;

    } else if (ngx_http_complex_value(r, clcf->disable_symlinks_from, &links)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    name.data = path + sizeof("file:") - 1;
    name.len = ngx_strlen(name.data);

    if (links.len && links.len < name.len
        && ngx_memcmp(name.data, links.data, links.len) == 0)
    {
        if (links.data[links.len - 1] == '/') {
            links.len--;
        }

        if (name.data[links.len] == '/') {
            from->links_from = (uint16_t) links.len;
        }
    }

#endif

    return NGX_OK;
}


static void
ngx_http_webrtc_pull_record(ngx_http_webrtc_pull_t *pull,
    ngx_webrtc_stream_pull_t *sp, ngx_webrtc_stream_t *st)
{
    sp->idle_ms = (uint32_t) pull->idle_timeout;
    sp->always = pull->always;
    sp->kind = (uint8_t) pull->kind;
    sp->transcode = pull->transcode;

    ngx_webrtc_bus_set_pull(ngx_http_webrtc_worker->bus, st, sp);
}


void
ngx_http_webrtc_pull_check(ngx_webrtc_stream_t *st)
{
    uint64_t                         linger;
    ngx_uint_t                       ok;
    ngx_webrtc_bus_t                *bus;
    ngx_webrtc_stream_pull_t         sp;
    const ngx_webrtc_source_kind_t  *kind;

    bus = ngx_http_webrtc_worker->bus;

    if (ngx_webrtc_bus_claimed(st, NULL)
        || ngx_webrtc_bus_source_rests(st, ngx_current_msec)
        || ngx_webrtc_bus_pull(bus, st, &sp) != NGX_OK
        || sp.ended
        || ngx_terminate)
    {
        return;
    }

    if (ngx_exiting
        && ngx_webrtc_bus_state_age(st, ngx_current_msec)
           < NGX_HTTP_WEBRTC_PULL_HANDOVER)
    {
        /* leave it to a worker that is not shutting down, if there is one */
        return;
    }

    linger = ngx_webrtc_atomic_load(&st->linger_ms);

    if (linger
        && ngx_webrtc_bus_state(st) == NGX_WEBRTC_STREAM_INACTIVE
        && ngx_webrtc_bus_state_age(st, ngx_current_msec) < linger)
    {
        /* its previous publisher may come back */
        return;
    }

    kind = ngx_webrtc_source_kind(sp.kind);

    if (ngx_webrtc_bus_claim(bus, st, kind ? kind->claim
                                           : NGX_WEBRTC_CLAIM_SOURCE)
        != NGX_OK)
    {
        return;
    }

    ok = (ngx_http_webrtc_pull_start(st, &sp) == NGX_OK);

    /* before the claim is released, which wakes the others */

    ngx_webrtc_bus_source_started(st, ok, ngx_current_msec,
                                  NGX_WEBRTC_SOURCE_BACKOFF_MIN,
                                  NGX_WEBRTC_SOURCE_BACKOFF_MAX);

    if (!ok) {
        ngx_webrtc_bus_unclaim(bus, st);
    }
}


/* the claim is ours, and remains ours on failure */

static ngx_int_t
ngx_http_webrtc_pull_start(ngx_webrtc_stream_t *st,
    ngx_webrtc_stream_pull_t *sp)
{
    ngx_webrtc_bus_t          *bus;
    ngx_http_webrtc_puller_t  *pr;

    bus = ngx_http_webrtc_worker->bus;

    pr = ngx_calloc(sizeof(ngx_http_webrtc_puller_t),
                    ngx_http_webrtc_worker->log);
    if (pr == NULL) {
        return NGX_ERROR;
    }

    ngx_webrtc_bus_hold(bus, st);

    pr->st = st;
    pr->used = ngx_current_msec;
    pr->idle_timeout = sp->idle_ms;
    pr->always = sp->always;
    pr->kind = ngx_webrtc_source_kind(sp->kind);

    if (pr->kind) {
        pr->feed = ngx_http_webrtc_pull_start_feed(pr, sp);

    } else {
        pr->source = ngx_http_webrtc_pull_start_url(pr, sp);
    }

    if (pr->feed == NULL && pr->source == NULL) {
        ngx_webrtc_bus_release(bus, st);
        ngx_free(pr);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&ngx_http_webrtc_pullers, &pr->queue);

    return NGX_OK;
}


static void *
ngx_http_webrtc_pull_start_feed(ngx_http_webrtc_puller_t *pr,
    ngx_webrtc_stream_pull_t *sp)
{
    ngx_str_t  text;

    text.data = sp->from[0].url;
    text.len = sp->from[0].url_len;

    return pr->kind->start(&text, ngx_http_webrtc_pull_ended, pr,
                           ngx_http_webrtc_worker->bus, pr->st,
                           ngx_http_webrtc_worker->log);
}


static ngx_webrtc_source_t *
ngx_http_webrtc_pull_start_url(ngx_http_webrtc_puller_t *pr,
    ngx_webrtc_stream_pull_t *sp)
{
    ngx_uint_t                i;
    ngx_webrtc_source_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_webrtc_source_conf_t));

    for (i = 0; i < sp->nfrom; i++) {
        conf.from[i].url.data = sp->from[i].url;
        conf.from[i].url.len = sp->from[i].url_len;
        conf.from[i].format.data = sp->from[i].format;
        conf.from[i].format.len = sp->from[i].format_len;
        conf.from[i].program = sp->from[i].program;
        conf.from[i].loop = sp->from[i].loop;
        conf.from[i].lists = sp->from[i].lists;
        conf.from[i].links = sp->from[i].links;
        conf.from[i].links_from = (uint32_t) sp->from[i].links_from;
    }

    conf.nfrom = sp->nfrom;
    conf.transcode = sp->transcode;
    conf.given = -1;
    conf.handler = ngx_http_webrtc_pull_event;
    conf.data = pr;

    return ngx_webrtc_source_start(&conf, ngx_http_webrtc_worker->bus, pr->st,
                                   ngx_http_webrtc_worker->log);
}


static void
ngx_http_webrtc_pull_event(ngx_webrtc_source_t *source, void *data,
    ngx_uint_t event)
{
    ngx_http_webrtc_puller_t *pr = data;

    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_pull_t   sp;

    if (event != NGX_WEBRTC_SOURCE_ENDED) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;
    st = pr->st;

    if (!pr->stopping && ngx_webrtc_bus_pull(bus, st, &sp) == NGX_OK) {

        /* a file was played to its end: the next POST starts it again */

        sp.ended = 1;
        ngx_webrtc_bus_set_pull(bus, st, &sp);
    }

    ngx_queue_remove(&pr->queue);
    ngx_free(pr);

    ngx_webrtc_bus_unclaim(bus, st);
    ngx_webrtc_bus_release(bus, st);
}


/* of what has no end of its own: it was stopped, or has failed */

static void
ngx_http_webrtc_pull_ended(void *data, ngx_uint_t failed)
{
    ngx_http_webrtc_puller_t *pr = data;

    ngx_webrtc_bus_t     *bus;
    ngx_webrtc_stream_t  *st;

    bus = ngx_http_webrtc_worker->bus;
    st = pr->st;

    ngx_queue_remove(&pr->queue);
    ngx_free(pr);

    if (failed) {
        ngx_webrtc_bus_source_started(st, 0, ngx_current_msec,
                                      NGX_WEBRTC_SOURCE_BACKOFF_MIN,
                                      NGX_WEBRTC_SOURCE_BACKOFF_MAX);
    }

    ngx_webrtc_bus_unclaim(bus, st);
    ngx_webrtc_bus_release(bus, st);
}


static void
ngx_http_webrtc_pull_stop(ngx_http_webrtc_puller_t *pr)
{
    pr->stopping = 1;

    if (pr->kind) {
        pr->kind->stop(pr->feed);

    } else {
        ngx_webrtc_source_stop(pr->source);
    }
}


void
ngx_http_webrtc_pull_keyframe(ngx_webrtc_stream_t *st)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_puller_t  *pr;

    for (q = ngx_queue_head(&ngx_http_webrtc_pullers);
         q != ngx_queue_sentinel(&ngx_http_webrtc_pullers);
         q = ngx_queue_next(q))
    {
        pr = ngx_queue_data(q, ngx_http_webrtc_puller_t, queue);

        if (pr->st == st && pr->kind && !pr->stopping) {
            pr->kind->keyframe(pr->feed);
            return;
        }
    }

    ngx_webrtc_bus_keyframe_done(st);
}


void
ngx_http_webrtc_pull_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i;
    ngx_queue_t                  *q;
    ngx_http_webrtc_pull_t      **always;
    ngx_http_webrtc_puller_t     *pr;

    for (q = ngx_queue_head(&ngx_http_webrtc_pullers);
         q != ngx_queue_sentinel(&ngx_http_webrtc_pullers);
         q = ngx_queue_next(q))
    {
        pr = ngx_queue_data(q, ngx_http_webrtc_puller_t, queue);
        ngx_http_webrtc_pull_idle(pr);
    }

    ngx_webrtc_viewer_streams_each(ngx_http_webrtc_worker,
                                  ngx_http_webrtc_pull_check);

    if (ngx_exiting) {
        return;
    }

    ngx_http_webrtc_pull_orphans();

    always = wmcf->always.elts;

    for (i = 0; i < wmcf->always.nelts; i++) {
        ngx_http_webrtc_pull_always(always[i]);
    }
}


/*
 * Takes over streams whose viewers are in workers that are shutting down and
 * whose source was in one of these, too.
 */

static void
ngx_http_webrtc_pull_orphans(void)
{
    ngx_uint_t                 cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st;
    ngx_webrtc_stream_info_t   info;

    bus = ngx_http_webrtc_worker->bus;
    cursor = 0;

    while (ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {

        if (info.claim_kind != 0 || info.viewers + info.readers == 0) {
            continue;
        }

        st = ngx_webrtc_bus_stream_ref(bus, info.ref);

        if (st) {
            ngx_http_webrtc_pull_check(st);
            ngx_webrtc_bus_release(bus, st);
        }
    }
}


/* "start=always" without variables: runs in one of the workers */

static void
ngx_http_webrtc_pull_always(ngx_http_webrtc_pull_t *pull)
{
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_stream_t       *st, *held;
    ngx_http_webrtc_pull_t    *p;
    ngx_webrtc_stream_pull_t   sp;

    bus = ngx_http_webrtc_worker->bus;

    st = ngx_webrtc_bus_stream(bus, &pull->name, pull->buffer, 1);

    if (st == NULL) {

        if (!pull->full) {
            pull->full = 1;
            ngx_log_error(NGX_LOG_ERR, ngx_http_webrtc_worker->log, 0,
                          "webrtc_zone has no room for stream \"%V\", which "
                          "has start=always", &pull->name);
        }

        return;
    }

    pull->full = 0;

    ngx_webrtc_bus_set_ring_max(st, pull->buffer_max);

    /* what is told and made of a stream is its location's */

    if (ngx_webrtc_atomic_load(&st->location) == 0) {
        ngx_webrtc_atomic_store(&st->location, pull->wlcf->location);
    }

    if (ngx_webrtc_bus_claimed(st, NULL) == 0) {

        ngx_memzero(&sp, sizeof(ngx_webrtc_stream_pull_t));

        for (p = pull; p; p = p->next) {
            ngx_http_webrtc_pull_from(p, &p->url.value, &sp);

            if (p->kind == NGX_WEBRTC_FEED_URL) {
                (void) ngx_http_webrtc_pull_links(NULL, pull->clcf,
                                                  &p->url.value,
                                                  &sp.from[sp.nfrom - 1]);
            }
        }

        ngx_http_webrtc_pull_record(pull, &sp, st);
        ngx_http_webrtc_pull_check(st);
    }

    /* a stream that cannot be started is held to keep its backoff */

    held = pull->held;
    pull->held = NULL;

    if (ngx_webrtc_bus_source_rests(st, ngx_current_msec)) {
        pull->held = st;
        ngx_webrtc_bus_hold(bus, st);
    }

    if (held) {
        ngx_webrtc_bus_release(bus, held);
    }

    ngx_webrtc_bus_release(bus, st);
}


static void
ngx_http_webrtc_pull_idle(ngx_http_webrtc_puller_t *pr)
{
    ngx_uint_t  viewers, worker;

    if (pr->stopping) {
        return;
    }

    if (ngx_exiting) {

        worker = ngx_http_webrtc_worker->bus->worker;
        viewers = ngx_webrtc_atomic_load(&pr->st->use[worker].viewers);
        viewers += ngx_webrtc_atomic_load(&pr->st->use[worker].readers);

    } else {
        viewers = ngx_webrtc_bus_viewers(ngx_http_webrtc_worker->bus, pr->st);
        viewers += ngx_webrtc_bus_readers(ngx_http_webrtc_worker->bus, pr->st);
        viewers += pr->always;
    }

    if ((viewers || ngx_webrtc_bus_is_wanted(pr->st, ngx_current_msec))
        && !ngx_webrtc_bus_is_dropped(pr->st))
    {
        pr->used = ngx_current_msec;
        return;
    }

    if (ngx_exiting || ngx_current_msec - pr->used >= pr->idle_timeout
        || ngx_webrtc_bus_is_dropped(pr->st))
    {
        ngx_http_webrtc_pull_stop(pr);
    }
}


ngx_uint_t
ngx_http_webrtc_pull_wanted(void)
{
    ngx_queue_t               *q;
    ngx_http_webrtc_puller_t  *pr;

    for (q = ngx_queue_head(&ngx_http_webrtc_pullers);
         q != ngx_queue_sentinel(&ngx_http_webrtc_pullers);
         q = ngx_queue_next(q))
    {
        pr = ngx_queue_data(q, ngx_http_webrtc_puller_t, queue);

        if (ngx_webrtc_bus_is_wanted(pr->st, ngx_current_msec)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_webrtc_pull_done(void)
{
    ngx_queue_t               *q, *next;
    ngx_http_webrtc_puller_t  *pr;

    for (q = ngx_queue_head(&ngx_http_webrtc_pullers);
         q != ngx_queue_sentinel(&ngx_http_webrtc_pullers);
         q = ngx_queue_next(q))
    {
        pr = ngx_queue_data(q, ngx_http_webrtc_puller_t, queue);
        pr->stopping = 1;

        if (pr->kind) {
            pr->kind->exit(pr->feed);
        }
    }

    /* another worker starts its command when ours has ended */

    ngx_webrtc_command_done();

    for (q = ngx_queue_head(&ngx_http_webrtc_pullers);
         q != ngx_queue_sentinel(&ngx_http_webrtc_pullers);
         q = next)
    {
        next = ngx_queue_next(q);

        pr = ngx_queue_data(q, ngx_http_webrtc_puller_t, queue);

        if (pr->kind) {
            ngx_http_webrtc_pull_ended(pr, 0);
        }
    }

    ngx_webrtc_source_exit();
}


ngx_int_t
ngx_http_webrtc_pull_merge(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_http_webrtc_pull_t       *pull, *next, **always;
    ngx_http_webrtc_main_conf_t  *wmcf;

    if (conf->play == NULL || conf->pull == NULL) {
        return NGX_OK;
    }

    /* the directive may be inherited; what follows is the location's own */

    pull = ngx_palloc(cf->pool, sizeof(ngx_http_webrtc_pull_t));
    if (pull == NULL) {
        return NGX_ERROR;
    }

    for (next = conf->pull; next; next = next->next) {
        next->used = 1;
    }

    *pull = *conf->pull;

    pull->clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    pull->wlcf = conf;
    pull->buffer = conf->policy.buffer;
    pull->buffer_max = conf->policy.buffer_max;
    pull->idle_timeout = conf->idle_timeout;
    pull->transcode = (conf->policy.transcode != NGX_WEBRTC_TRANSCODE_OFF);
    conf->pull = pull;

    if (!pull->always || conf->play->lengths != NULL || !conf->where.line) {
        return NGX_OK;
    }

    for (next = pull; next; next = next->next) {
        if (!next->constant) {
            return NGX_OK;
        }
    }

    pull->name = conf->play->value;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    always = ngx_array_push(&wmcf->always);
    if (always == NULL) {
        return NGX_ERROR;
    }

    *always = pull;

    return NGX_OK;
}
