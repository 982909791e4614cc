
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Memory that the sessions of a process share: how much each one may hold, and
 * which one is ended when there is not enough.
 *
 * 1. A session may hold a fraction of what is left, so that none takes
 *    everything, and fast sessions slow down before any has to be ended.
 * 2. When three quarters are held, a session that holds something and has
 *    acknowledged nothing for a second is ended; when everything is held, any
 *    session: the one with the largest product of bytes and time.
 * 3. A session told to end counts as holding nothing from then on.
 *
 * It allocates nothing and knows no sessions; time is passed in.
 */


#ifndef _NGX_WEBRTC_BUDGET_H_INCLUDED_
#define _NGX_WEBRTC_BUDGET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_queue_t   accounts;
    size_t        limit;
    size_t        held;          /* by all */
    size_t        peak;          /* since it was given back to the system */
    size_t        left;          /* by sessions that have ended since then */
    ngx_uint_t    again;         /* calls until it is given back, or 0 */
    ngx_uint_t    calls;         /* since it was */
    ngx_uint_t    quiet;         /* since a session has ended */
    uint64_t      looked_ms;     /* for one to go */
} ngx_webrtc_budget_t;


/* part of its session */
typedef struct {
    ngx_queue_t   queue;         /* of accounts */
    void         *data;          /* its owner's */
    size_t        held;
    uint64_t      acked;         /* bytes ever, */
    uint64_t      acked_ms;      /* since then */
    unsigned      ending:1;      /* was told to go */
} ngx_webrtc_budget_account_t;


void ngx_webrtc_budget_init(ngx_webrtc_budget_t *m, size_t limit);

/*
 * Opens the account of a session, which has to be zeroed, and closes it;
 * closing one that was not opened is harmless.
 */
void ngx_webrtc_budget_begin(ngx_webrtc_budget_t *m,
    ngx_webrtc_budget_account_t *a, void *data, uint64_t now_ms);
void ngx_webrtc_budget_end(ngx_webrtc_budget_t *m,
    ngx_webrtc_budget_account_t *a);

/*
 * Reports what a session holds now, and how many bytes its peer has
 * acknowledged in total.
 *
 * Returns the account whose session has to be ended, or NULL.
 */
ngx_webrtc_budget_account_t *ngx_webrtc_budget_held(ngx_webrtc_budget_t *m,
    ngx_webrtc_budget_account_t *a, size_t held, uint64_t acked,
    uint64_t now_ms);

/* The same when nothing has changed; to be called now and then. */
ngx_webrtc_budget_account_t *ngx_webrtc_budget_laggard(ngx_webrtc_budget_t *m,
    uint64_t now_ms);

/*
 * Bytes that a session may hold.
 *
 *   least    whatever the others hold
 *   want     at most
 */
size_t ngx_webrtc_budget_share(ngx_webrtc_budget_t *m,
    ngx_webrtc_budget_account_t *a, size_t least, size_t want);

/*
 * Non-zero when most of what was held has been released, or many sessions have
 * ended, or some a while ago; once per occasion, and once more a little later.
 * To be called about once a second.
 */
ngx_uint_t ngx_webrtc_budget_freed(ngx_webrtc_budget_t *m);


#endif /* _NGX_WEBRTC_BUDGET_H_INCLUDED_ */
