
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Catches configurations in which each directive is valid but the whole does
 * not do what was meant.  What can only fail is an error; what may work for
 * somebody is a warning, so that no working configuration is rejected.
 *
 * The list is in docs/recipes.md.
 */


#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_webrtc_source_format.h"
#include "ngx_webrtc_source_kinds.h"
#include "ngx_webrtc_source_mask.h"
#include "ngx_webrtc_source_url.h"


/* roles of a location, a mask */
#define NGX_HTTP_WEBRTC_CHECK_PLAY     0x01
#define NGX_HTTP_WEBRTC_CHECK_PUBLISH  0x02
#define NGX_HTTP_WEBRTC_CHECK_FILE     0x04
#define NGX_HTTP_WEBRTC_CHECK_LIVE     0x08

/* bytes of an offer; chosen: Chromium's with all codecs is 8 kB */
#define NGX_HTTP_WEBRTC_CHECK_BODY     16384

/* bytes of the zone not available to rings, plus a share of it; measured */
#define NGX_HTTP_WEBRTC_CHECK_FIXED    (160 * 1024)

#define ngx_http_webrtc_check_warn(cf, where, ...)                            \
    ngx_http_webrtc_check_log(NGX_LOG_WARN, cf, where, __VA_ARGS__)


/*
 * A directive that applies to some roles only.  An unset field has all bits
 * set, or is NULL.
 */
typedef struct {
    const char              *name;
    ngx_uint_t               roles;
    size_t                   offset;
    size_t                   size;
} ngx_http_webrtc_check_role_t;


static ngx_uint_t ngx_http_webrtc_check_roles(ngx_http_webrtc_loc_conf_t *conf);
static const char *ngx_http_webrtc_check_what(
    ngx_http_webrtc_loc_conf_t *conf);
static ngx_uint_t ngx_http_webrtc_check_is_set(void *conf,
    const ngx_http_webrtc_check_role_t *row);
static void ngx_http_webrtc_check_effect(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf);
static ngx_uint_t ngx_http_webrtc_check_returns(ngx_conf_t *cf);
static void ngx_http_webrtc_check_name(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_webrtc_loc_conf_t *conf);
static void ngx_http_webrtc_check_unused(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);
static void ngx_http_webrtc_check_ingest(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);
static void ngx_http_webrtc_check_zone(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);
static void ngx_http_webrtc_check_addresses(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);
static void ngx_http_webrtc_check_streams(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf);
static ngx_uint_t ngx_http_webrtc_check_feeds(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_loc_conf_t *conf);
static ngx_str_t *ngx_http_webrtc_check_feed(ngx_http_webrtc_pull_t *pull);
static ngx_uint_t ngx_http_webrtc_check_same(ngx_http_complex_value_t *a,
    ngx_http_complex_value_t *b);
static ngx_int_t ngx_http_webrtc_check_url(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *conf);
static ngx_uint_t ngx_http_webrtc_check_chosen(ngx_str_t *name);
static u_char *ngx_http_webrtc_check_variable(u_char *p, u_char *end,
    ngx_str_t *name);
static ngx_uint_t ngx_http_webrtc_check_has(ngx_str_t *text, ngx_str_t *name);
static void ngx_http_webrtc_check_file(ngx_conf_t *cf,
    ngx_http_webrtc_pull_t *pull, ngx_str_t *url);
static void ngx_http_webrtc_check_log(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webrtc_where_t *where, const char *fmt, ...);


#define ngx_http_webrtc_check_of(name, roles, field)                          \
    { "webrtc_" #name, roles, offsetof(ngx_http_webrtc_loc_conf_t, field),    \
      sizeof(((ngx_http_webrtc_loc_conf_t *) NULL)->field) }

#define ngx_http_webrtc_check_row(field, roles)                               \
    ngx_http_webrtc_check_of(field, roles, field)

#define ngx_http_webrtc_check_policy(field, roles)                            \
    ngx_http_webrtc_check_of(field, roles, policy.field)

static const ngx_http_webrtc_check_role_t  ngx_http_webrtc_check_rows[] = {

    ngx_http_webrtc_check_row(wait, NGX_HTTP_WEBRTC_CHECK_PLAY
                                    |NGX_HTTP_WEBRTC_CHECK_LIVE),
    ngx_http_webrtc_check_row(idle_timeout, NGX_HTTP_WEBRTC_CHECK_PLAY
                                            |NGX_HTTP_WEBRTC_CHECK_LIVE),
    ngx_http_webrtc_check_row(counter_offer, NGX_HTTP_WEBRTC_CHECK_PLAY),
    ngx_http_webrtc_check_row(player, NGX_HTTP_WEBRTC_CHECK_PLAY),
    ngx_http_webrtc_check_policy(max_viewers, NGX_HTTP_WEBRTC_CHECK_PLAY),

    { "webrtc_pacing", NGX_HTTP_WEBRTC_CHECK_PLAY,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.pacing_rate), sizeof(off_t) },

    ngx_http_webrtc_check_of(playout_delay, NGX_HTTP_WEBRTC_CHECK_PLAY,
                             playout),
    ngx_http_webrtc_check_of(rendition, NGX_HTTP_WEBRTC_CHECK_PLAY, renditions),

    ngx_http_webrtc_check_row(publish_conflict, NGX_HTTP_WEBRTC_CHECK_PUBLISH),
    ngx_http_webrtc_check_row(exec_publish, NGX_HTTP_WEBRTC_CHECK_PUBLISH),
    ngx_http_webrtc_check_policy(linger, NGX_HTTP_WEBRTC_CHECK_PUBLISH),
    ngx_http_webrtc_check_policy(max_bitrate, NGX_HTTP_WEBRTC_CHECK_PUBLISH),

    ngx_http_webrtc_check_policy(keyframe_interval,
                                 NGX_HTTP_WEBRTC_CHECK_PUBLISH),

    ngx_http_webrtc_check_policy(transcode, NGX_HTTP_WEBRTC_CHECK_PLAY
                                            |NGX_HTTP_WEBRTC_CHECK_LIVE
                                            |NGX_HTTP_WEBRTC_CHECK_PUBLISH),

    ngx_http_webrtc_check_row(codecs, NGX_HTTP_WEBRTC_CHECK_PLAY
                                      |NGX_HTTP_WEBRTC_CHECK_PUBLISH),
    ngx_http_webrtc_check_policy(buffer, NGX_HTTP_WEBRTC_CHECK_PLAY
                                         |NGX_HTTP_WEBRTC_CHECK_LIVE
                                         |NGX_HTTP_WEBRTC_CHECK_PUBLISH),

    ngx_http_webrtc_check_policy(file_chunk, NGX_HTTP_WEBRTC_CHECK_FILE),
    ngx_http_webrtc_check_policy(file_ranges, NGX_HTTP_WEBRTC_CHECK_FILE),
    ngx_http_webrtc_check_policy(file_changes, NGX_HTTP_WEBRTC_CHECK_FILE),
    ngx_http_webrtc_check_policy(file_quiet, NGX_HTTP_WEBRTC_CHECK_FILE),
    ngx_http_webrtc_check_policy(file_transcode, NGX_HTTP_WEBRTC_CHECK_FILE),

    { NULL, 0, 0, 0 }
};


ngx_int_t
ngx_http_webrtc_check_location(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((conf->play || conf->publish) && clcf->handler != conf->handler) {
        ngx_http_webrtc_check_log(NGX_LOG_EMERG, cf, &conf->where,
                           "\"%s\" serves nothing, as another directive of "
                           "the location answers its requests, such as "
                           "\"proxy_pass\" or \"webrtc_status\"",
                           ngx_http_webrtc_check_what(conf));
        return NGX_ERROR;
    }

    if (conf->file == 1 && clcf->handler && !clcf->noname) {
        ngx_http_webrtc_check_warn(cf, &conf->where,
                           "\"webrtc_file\" serves nothing in location "
                           "\"%V\", as another directive of it answers its "
                           "requests, such as \"proxy_pass\" or "
                           "\"webrtc_play\"", &clcf->name);
    }

    if (conf->play || conf->publish || conf->file == 1) {
        ngx_http_webrtc_check_effect(cf, prev, conf);
    }

    if (conf->play == NULL && conf->publish == NULL) {
        return NGX_OK;
    }

    if (ngx_http_webrtc_check_returns(cf)) {
        ngx_http_webrtc_check_warn(cf, &conf->where,
                           "\"%s\" is never reached, as the location begins "
                           "with \"return\"",
                           ngx_http_webrtc_check_what(conf));
    }

    if (clcf->client_max_body_size && conf->live == NULL
        && clcf->client_max_body_size < NGX_HTTP_WEBRTC_CHECK_BODY)
    {
        ngx_http_webrtc_check_warn(cf, &conf->where,
                           "\"client_max_body_size\" of %O bytes refuses the "
                           "offers of browsers, expected at least 16k",
                           clcf->client_max_body_size);
    }

    ngx_http_webrtc_check_name(cf, clcf, conf);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webrtc_check_roles(ngx_http_webrtc_loc_conf_t *conf)
{
    return (conf->live ? NGX_HTTP_WEBRTC_CHECK_LIVE
            : conf->play ? NGX_HTTP_WEBRTC_CHECK_PLAY : 0)
           | (conf->publish ? NGX_HTTP_WEBRTC_CHECK_PUBLISH : 0)
           | (conf->file == 1 ? NGX_HTTP_WEBRTC_CHECK_FILE : 0);
}


static const char *
ngx_http_webrtc_check_what(ngx_http_webrtc_loc_conf_t *conf)
{
    return conf->live ? conf->live->directive
           : conf->play ? "webrtc_play"
           : conf->publish ? "webrtc_publish" : "webrtc_file";
}


static ngx_uint_t
ngx_http_webrtc_check_is_set(void *conf,
    const ngx_http_webrtc_check_role_t *row)
{
    u_char      *p;
    ngx_uint_t   i, ones, zeros;

    p = (u_char *) conf + row->offset;
    ones = 0;
    zeros = 0;

    for (i = 0; i < row->size; i++) {
        ones += (p[i] == 0xff);
        zeros += (p[i] == 0);
    }

    if (ones == row->size) {
        return 0;
    }

    /* the only fields that are NULL when unset */

    return zeros != row->size
           || (row->offset != offsetof(ngx_http_webrtc_loc_conf_t, codecs)
               && row->offset != offsetof(ngx_http_webrtc_loc_conf_t,
                                          renditions));
}


/* own values only: inherited ones may be meant for other locations */

static void
ngx_http_webrtc_check_effect(ngx_conf_t *cf,
    ngx_http_webrtc_loc_conf_t *prev, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_uint_t                           roles;
    const ngx_http_webrtc_check_role_t  *row;

    roles = ngx_http_webrtc_check_roles(conf);

    for (row = ngx_http_webrtc_check_rows; row->name; row++) {

        if ((row->roles & roles) == 0
            && ngx_http_webrtc_check_is_set(conf, row))
        {
            ngx_http_webrtc_check_warn(cf, &conf->where,
                           "\"%s\" has no effect in a location with \"%s\"",
                           row->name, ngx_http_webrtc_check_what(conf));
        }
    }

    if (conf->ice_min_port != NGX_CONF_UNSET_UINT
        && (conf->ice == NGX_CONF_UNSET_UINT ? prev->ice : conf->ice)
           == NGX_HTTP_WEBRTC_ICE_LITE)
    {
        ngx_http_webrtc_check_warn(cf, &conf->where,
                           "\"webrtc_ice_ports\" has no effect with "
                           "\"webrtc_ice lite\", whose port is that of "
                           "\"webrtc_listen\"");
    }
}


/*
 * Whether the location starts with "return".  The configuration of the rewrite
 * module is private; only its first field is used, which has never changed.
 */

static ngx_uint_t
ngx_http_webrtc_check_returns(ngx_conf_t *cf)
{
    ngx_uint_t                 i;
    ngx_array_t              **codes;
    ngx_module_t              *m;
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_script_code_pt   *code;

    ctx = cf->ctx;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE
            || ngx_strcmp(m->name, "ngx_http_rewrite_module") != 0)
        {
            continue;
        }

        codes = ctx->loc_conf[m->ctx_index];

        if (codes == NULL || *codes == NULL || (*codes)->nelts == 0) {
            return 0;
        }

        code = (*codes)->elts;

        return *code == ngx_http_script_return_code;
    }

    return 0;
}


static void
ngx_http_webrtc_check_name(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_webrtc_loc_conf_t *conf)
{
#if (NGX_PCRE)
    ngx_http_complex_value_t  *name;

    name = conf->play ? conf->play : conf->publish;

    if (clcf->regex && clcf->regex->ncaptures && name->lengths == NULL) {
        ngx_http_webrtc_check_warn(cf, &conf->where,
                           "all that location \"%V\" matches is the stream "
                           "\"%V\": a capture as \"$1\" makes one of each",
                           &clcf->name, &name->value);
    }
#endif
}


ngx_int_t
ngx_http_webrtc_check_merged(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_http_webrtc_loc_conf_t   **loc;
    ngx_http_webrtc_main_conf_t   *wmcf;

    /* "if" and "limit_except" blocks inherit and are not counted again */

    if ((conf->play || conf->publish) && conf->where.line) {

        wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

        loc = ngx_array_push(&wmcf->locations);
        if (loc == NULL) {
            return NGX_ERROR;
        }

        *loc = conf;
    }

    if (conf->play == NULL || conf->pull == NULL) {
        return NGX_OK;
    }

    return ngx_http_webrtc_check_url(cf, conf);
}


void
ngx_http_webrtc_check(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_http_webrtc_check_unused(cf, wmcf);
    ngx_http_webrtc_check_ingest(cf, wmcf);

    if (!wmcf->used) {
        return;
    }

    ngx_http_webrtc_check_zone(cf, wmcf);
    ngx_http_webrtc_check_addresses(cf, wmcf);
    ngx_http_webrtc_check_streams(cf, wmcf);
}


static void
ngx_http_webrtc_check_unused(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                i;
    ngx_http_webrtc_pull_t  **pull;

    pull = wmcf->pulls.elts;

    for (i = 0; i < wmcf->pulls.nelts; i++) {
        if (!pull[i]->used) {
            ngx_http_webrtc_check_warn(cf, &pull[i]->where,
                           "\"%V\" has no effect, as no location that it is "
                           "for has \"webrtc_play\"",
                           ngx_http_webrtc_check_feed(pull[i]));
        }
    }

    if (!wmcf->used
        && (wmcf->listens.nelts || wmcf->candidates.nelts
            || wmcf->zone_name.len || wmcf->certificate.len))
    {
        ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "\"webrtc_listen\" and others have no effect, as no "
                           "location has \"webrtc_play\", \"webrtc_publish\", "
                           "\"webrtc_file\" or \"webrtc_status\"");
    }
}


static void
ngx_http_webrtc_check_ingest(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                      i;
    ngx_http_webrtc_loc_conf_t    **loc;
    ngx_http_webrtc_ingest_conf_t  *ingest;

    loc = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {
        if (loc[i]->publish) {
            return;
        }
    }

    ingest = wmcf->ingests.elts;

    for (i = 0; i < wmcf->ingests.nelts; i++) {
        ngx_http_webrtc_check_warn(cf, &ingest[i].where,
                           "\"webrtc_ingest\" has no effect, as no location "
                           "has \"webrtc_publish\"");
    }
}


static void
ngx_http_webrtc_check_zone(ngx_conf_t *cf, ngx_http_webrtc_main_conf_t *wmcf)
{
    size_t                        size, room, most, always;
    ngx_uint_t                    i;
    ngx_http_webrtc_pull_t      **pull;
    ngx_http_webrtc_loc_conf_t  **loc;

    size = wmcf->zone_name.len ? (size_t) wmcf->zone_size
                               : NGX_HTTP_WEBRTC_ZONE_SIZE;
    room = size - size / 32 - NGX_HTTP_WEBRTC_CHECK_FIXED;
    most = 0;
    always = 0;

    loc = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {
        most = ngx_max(most, loc[i]->policy.buffer);
    }

    pull = wmcf->always.elts;

    for (i = 0; i < wmcf->always.nelts; i++) {
        always += pull[i]->buffer;
    }

    if (most > room) {
        ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "\"webrtc_zone\" of %uzk has no room for one stream "
                           "with \"webrtc_buffer\" of %uzk: expected a "
                           "multiple of it", size / 1024, most / 1024);

    } else if (always > room) {
        ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "\"webrtc_zone\" of %uzk has no room for the %ui "
                           "streams with \"start=always\", whose "
                           "\"webrtc_buffer\"s are %uzk together",
                           size / 1024, wmcf->always.nelts, always / 1024);
    }

    /* the zone has a slot for each 4 kB */

    if (wmcf->max_sessions > 0 && (size_t) wmcf->max_sessions > size / 4096) {
        ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "\"webrtc_max_sessions\" of %i is more than "
                           "\"webrtc_zone\" of %uzk has room for, which is "
                           "%uz", wmcf->max_sessions, size / 1024,
                           size / 4096);
    }
}


static void
ngx_http_webrtc_check_addresses(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i, loopback, told;
    ngx_http_webrtc_listen_t     *listen;
    ngx_http_webrtc_candidate_t  *cand;

    listen = wmcf->listens.elts;
    loopback = 0;
    told = (wmcf->listens.nelts == 0)
           && ngx_http_webrtc_candidates_outside(AF_INET);

    for (i = 0; i < wmcf->listens.nelts; i++) {
        loopback += ngx_http_webrtc_candidates_loopback(
                        listen[i].addr.sockaddr);
        told |= !listen[i].wildcard
                || ngx_http_webrtc_candidates_outside(
                       listen[i].addr.sockaddr->sa_family);
    }

    if (wmcf->candidates.nelts == 0) {

        if (!told) {
            ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "this host has no address but loopback of a family "
                           "that \"webrtc_listen\" is of, so that "
                           "clients are told of none: expected "
                           "\"webrtc_candidate\" with the address that they "
                           "reach it by");
        }

        return;
    }

    if (wmcf->listens.nelts == 0 || loopback < wmcf->listens.nelts) {
        return;
    }

    cand = wmcf->candidates.elts;

    for (i = 0; i < wmcf->candidates.nelts; i++) {

        if (cand[i].loopback) {
            continue;
        }

        ngx_http_webrtc_check_warn(cf, &wmcf->where,
                           "clients are told of %V by \"webrtc_candidate\", "
                           "but \"webrtc_listen\" has loopback addresses "
                           "only, which nothing from outside reaches",
                           &cand[i].text);
        return;
    }
}


static void
ngx_http_webrtc_check_streams(ngx_conf_t *cf,
    ngx_http_webrtc_main_conf_t *wmcf)
{
    ngx_uint_t                    i, j;
    ngx_http_webrtc_loc_conf_t  **loc;

    loc = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        if (loc[i]->play == NULL) {
            continue;
        }

        if (loc[i]->pull == NULL) {

            if (!ngx_http_webrtc_check_feeds(wmcf, loc[i])) {
                ngx_http_webrtc_check_warn(cf, &loc[i]->where,
                           "nothing makes the stream \"%V\": expected "
                           "\"webrtc_pull\" in this location, or "
                           "\"webrtc_publish\" with its name in another",
                           &loc[i]->play->value);
            }

            continue;
        }

        for (j = 0; j < i; j++) {

            if (loc[j]->pull
                && loc[j]->pull->constant && loc[i]->pull->constant
                && ngx_http_webrtc_check_same(loc[j]->play, loc[i]->play)
                && !ngx_http_webrtc_check_same(&loc[j]->pull->url,
                                               &loc[i]->pull->url))
            {
                ngx_http_webrtc_check_warn(cf, &loc[i]->where,
                           "the stream \"%V\" is %s in "
                           "%V:%ui: who comes first decides for both",
                           &loc[i]->play->value,
                           loc[i]->pull->kind == loc[j]->pull->kind
                           && loc[i]->pull->kind == NGX_WEBRTC_FEED_URL
                           ? "pulled from another URL" : "fed otherwise",
                           &loc[j]->where.file, loc[j]->where.line);
                break;
            }
        }
    }
}


/* whether the stream this location plays may be fed by any location */

static ngx_uint_t
ngx_http_webrtc_check_feeds(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_uint_t                    i;
    ngx_http_complex_value_t     *name;
    ngx_http_webrtc_loc_conf_t  **loc;

    loc = wmcf->locations.elts;

    for (i = 0; i < wmcf->locations.nelts; i++) {

        name = loc[i]->publish ? loc[i]->publish
               : loc[i]->pull ? loc[i]->play : NULL;

        if (name
            && (name->lengths || conf->play->lengths
                || ngx_http_webrtc_check_same(name, conf->play)))
        {
            return 1;
        }
    }

    return 0;
}


/* the directive that feeds the stream */

static ngx_str_t *
ngx_http_webrtc_check_feed(ngx_http_webrtc_pull_t *pull)
{
    const ngx_webrtc_source_kind_t  *kind;

    static ngx_str_t  url = ngx_string("webrtc_pull");

    kind = ngx_webrtc_source_kind(pull->kind);

    return kind ? (ngx_str_t *) &kind->directive : &url;
}


static ngx_uint_t
ngx_http_webrtc_check_same(ngx_http_complex_value_t *a,
    ngx_http_complex_value_t *b)
{
    return a && b && a->lengths == NULL && b->lengths == NULL
           && a->value.len == b->value.len
           && ngx_memcmp(a->value.data, b->value.data, a->value.len) == 0;
}


/*
 * Checks that the name in "webrtc_play" identifies the stream if the URL has
 * variables: rejects a constant name, warns about a variable that viewers can
 * choose and that the name does not contain.
 */

static ngx_int_t
ngx_http_webrtc_check_url(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *conf)
{
    u_char      *p, *end;
    ngx_str_t    name, *url;
    ngx_uint_t   rtp;

    if (conf->pull->kind == NGX_WEBRTC_FEED_EXEC) {
        return NGX_OK;
    }

    rtp = (conf->pull->kind == NGX_WEBRTC_FEED_RTP);

    url = &conf->pull->url.value;
    end = url->data + url->len;

    if (conf->play->lengths == NULL && !conf->pull->constant) {
        (void) ngx_http_webrtc_check_variable(url->data, end, &name);

        ngx_http_webrtc_check_log(NGX_LOG_EMERG, cf, &conf->pull->where,
                           "%s%V has a variable, \"$%V\", "
                           "and the stream is always \"%V\": expected %s "
                           "without, or a name with it, such as "
                           "\"%s $%V\"", rtp ? "" : "the URL of ",
                           ngx_http_webrtc_check_feed(conf->pull), &name,
                           &conf->play->value, rtp ? "words" : "an URL",
                           ngx_http_webrtc_check_what(conf), &name);
        return NGX_ERROR;
    }

    /* the first viewer would choose for all viewers of the name */

    p = url->data;

    while ((p = ngx_http_webrtc_check_variable(p, end, &name)) != NULL) {

        if (ngx_http_webrtc_check_chosen(&name)
            && !ngx_http_webrtc_check_has(&conf->play->value, &name))
        {
            ngx_http_webrtc_check_warn(cf, &conf->pull->where,
                           "\"$%V\" in %s%V is for viewers "
                           "to choose, but \"%s %V\" lacks it: the "
                           "first one chooses for all of the same name",
                           &name, rtp ? "" : "the URL of ",
                           ngx_http_webrtc_check_feed(conf->pull),
                           ngx_http_webrtc_check_what(conf),
                           &conf->play->value);
            break;
        }
    }

    return NGX_OK;
}


/* variables taken from the request */

static ngx_uint_t
ngx_http_webrtc_check_chosen(ngx_str_t *name)
{
    ngx_str_t  *chosen;

    static ngx_str_t  names[] = {
        ngx_string("arg_"),
        ngx_string("args"),
        ngx_string("cookie_"),
        ngx_string("http_"),
        ngx_string("query_string"),
        ngx_string("request_uri"),
        ngx_null_string
    };

    for (chosen = names; chosen->len; chosen++) {

        if (name->len >= chosen->len
            && ngx_strncasecmp(name->data, chosen->data, chosen->len) == 0
            && (name->len == chosen->len
                || chosen->data[chosen->len - 1] == '_'))
        {
            return 1;
        }
    }

    return 0;
}


/* finds the next "$name" or "${name}"; returns the position after it or NULL */

static u_char *
ngx_http_webrtc_check_variable(u_char *p, u_char *end, ngx_str_t *name)
{
    ngx_str_null(name);

    p = ngx_strlchr(p, end, '$');

    if (p == NULL) {
        return NULL;
    }

    p++;

    if (p < end && *p == '{') {
        p++;
    }

    name->data = p;

    while (p < end
           && ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')
               || (*p >= 'a' && *p <= 'z') || *p == '_'))
    {
        p++;
    }

    name->len = p - name->data;

    return p;
}


static ngx_uint_t
ngx_http_webrtc_check_has(ngx_str_t *text, ngx_str_t *name)
{
    u_char     *p, *end;
    ngx_str_t   other;

    p = text->data;
    end = p + text->len;

    while ((p = ngx_http_webrtc_check_variable(p, end, &other)) != NULL) {

        if (other.len == name->len
            && ngx_strncasecmp(other.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_webrtc_check_pull(ngx_conf_t *cf, ngx_http_webrtc_pull_t *pull)
{
    ngx_str_t                          url;
    u_char                             buf[NGX_WEBRTC_SOURCE_URL_MAX];
    const ngx_webrtc_source_scheme_t  *scheme;

    scheme = ngx_webrtc_source_url_scheme(&pull->prefix);

    url.data = buf;
    url.len = ngx_webrtc_source_mask_url(buf, buf + sizeof(buf),
                                         &pull->url.value, NULL)
              - buf;

    if (pull->format.len
        && !ngx_webrtc_source_format_may(&pull->prefix, &pull->format))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"format=%V\" in webrtc_pull, "
                           "expected a demuxer of libavformat that \"%V:\" is "
                           "read with, such as \"%s\"", &pull->format,
                           &scheme->name,
                           scheme->format ? scheme->format : "mpegts");
        return NGX_ERROR;
    }

    if (pull->loop && scheme->format) {

        /* schemes with a fixed format are live: rtmp, udp, srt, rtsp */

        ngx_http_webrtc_check_warn(cf, &pull->where,
                           "\"loop\" of webrtc_pull \"%V\" has no effect, as "
                           "what comes by \"%V:\" has no end to repeat from",
                           &url, &scheme->name);
    }

    if (scheme->flags & NGX_WEBRTC_SOURCE_URL_FILE) {
        ngx_http_webrtc_check_file(cf, pull, &url);
    }

    return NGX_OK;
}


/* checks the file, or the directory before the first variable */

static void
ngx_http_webrtc_check_file(ngx_conf_t *cf, ngx_http_webrtc_pull_t *pull,
    ngx_str_t *url)
{
    u_char           *p, *last;
    ngx_file_info_t   fi;
    u_char            path[NGX_WEBRTC_SOURCE_URL_MAX];

    p = ngx_strlchr(pull->prefix.data, pull->prefix.data + pull->prefix.len,
                    '/');
    if (p == NULL) {
        return;
    }

    last = ngx_cpymem(path, p, pull->prefix.data + pull->prefix.len - p);

    while (!pull->constant && last > path + 1 && last[-1] != '/') {
        last--;
    }

    *last = '\0';

    if (ngx_file_info(path, &fi) == NGX_FILE_ERROR) {
        ngx_http_webrtc_check_warn(cf, &pull->where,
                           "\"%s\" of webrtc_pull \"%V\" cannot be opened "
                           "now: %s", path, url, strerror(ngx_errno));

    } else if (pull->constant && !ngx_is_file(&fi)) {
        ngx_http_webrtc_check_warn(cf, &pull->where,
                           "\"%s\" of webrtc_pull \"%V\" is not a file", path,
                           url);
    }
}


void
ngx_http_webrtc_check_where(ngx_conf_t *cf, ngx_http_webrtc_where_t *where)
{
    where->file = cf->conf_file->file.name;
    where->line = cf->conf_file->line;
}


/* as ngx_conf_log_error(), which can only report the line being read */

static void
ngx_http_webrtc_check_log(ngx_uint_t level, ngx_conf_t *cf,
    ngx_http_webrtc_where_t *where, const char *fmt, ...)
{
    va_list     args;
    ngx_str_t   text;
    u_char      buf[NGX_MAX_CONF_ERRSTR];

    va_start(args, fmt);
    text.data = buf;
    text.len = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args) - buf;
    va_end(args);

    if (where->line == 0) {
        ngx_log_error(level, cf->log, 0, "%V", &text);
        return;
    }

    ngx_log_error(level, cf->log, 0, "%V in %V:%ui", &text, &where->file,
                  where->line);
}
