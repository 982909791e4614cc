
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What feeds a stream besides a URL that is pulled: a row per kind.
 */


#ifndef _NGX_WEBRTC_SOURCE_KIND_H_INCLUDED_
#define _NGX_WEBRTC_SOURCE_KIND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_bus.h"


/*
 * Nothing is written any more: the handler gives up the claim.  Called from the
 * event loop, once, never from within a function of the row.
 *
 *   failed   it has ended by itself
 */
typedef void (*ngx_webrtc_source_ended_pt)(void *data, ngx_uint_t failed);


/*
 * text is what the zone keeps of it: the directive's words, with variables
 * of the request evaluated.
 */
typedef struct {
    ngx_str_t     directive;
    ngx_uint_t    claim;              /* NGX_WEBRTC_CLAIM_* */

    /*
     * May a stream of this name be fed by it?
     *
     * NGX_OK; NGX_DECLINED: *cause says why not, static text
     */
    ngx_int_t   (*check)(const ngx_str_t *text, const ngx_str_t *name,
                         const char **cause);

    /*
     * Starts it.  The caller has a claim of that kind on st, and a hold, and
     * keeps both until ended() has been called.  log lives until then.
     *
     * NULL on failure, which has been logged and is the stream's last error
     */
    void       *(*start)(const ngx_str_t *text,
                         ngx_webrtc_source_ended_pt ended, void *data,
                         ngx_webrtc_bus_t *bus, ngx_webrtc_stream_t *st,
                         ngx_log_t *log);

    /* ended() follows.  May be repeated */
    void        (*stop)(void *feed);

    /* the process exits: ends it at once, without ended() */
    void        (*exit)(void *feed);

    /* viewers want a key frame; ngx_webrtc_bus_keyframe_done() follows */
    void        (*keyframe)(void *feed);
} ngx_webrtc_source_kind_t;


#endif /* _NGX_WEBRTC_SOURCE_KIND_H_INCLUDED_ */
