
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Memory that sessions share: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_budget.h>


/* milliseconds without an acknowledgement that make a laggard; chosen: longer
 * than a repetition takes */
#define NGX_WEBRTC_BUDGET_LAG    1000

/* milliseconds between scans of all accounts while memory is left; chosen */
#define NGX_WEBRTC_BUDGET_LOOK   10

/* a session may hold one in so many parts of what is left; chosen */
#define NGX_WEBRTC_BUDGET_PART   4

/* smallest peak worth giving back to the system, in bytes; chosen */
#define NGX_WEBRTC_BUDGET_PEAK   4194304

/* calls of ngx_webrtc_budget_freed() from one that said so to the repetition;
 * chosen: usrsctp frees what is closed a second or so later */
#define NGX_WEBRTC_BUDGET_AGAIN  3

/* minimum calls of it until ended sessions are a reason again; chosen: giving
 * back takes a quarter of a millisecond per MB */
#define NGX_WEBRTC_BUDGET_RARELY 10

/* bytes that ended sessions have left behind at least, to be given back after
 * so many calls in which none has ended; chosen: nobody waits then */
#define NGX_WEBRTC_BUDGET_REST   1048576
#define NGX_WEBRTC_BUDGET_QUIET  10

/* bytes that a session leaves behind when it has ended, whatever it held */
#define NGX_WEBRTC_BUDGET_LEFT   65536


void
ngx_webrtc_budget_init(ngx_webrtc_budget_t *m, size_t limit)
{
    ngx_memzero(m, sizeof(ngx_webrtc_budget_t));

    m->limit = limit;
    ngx_queue_init(&m->accounts);
}


void
ngx_webrtc_budget_begin(ngx_webrtc_budget_t *m, ngx_webrtc_budget_account_t *a,
    void *data, uint64_t now_ms)
{
    a->data = data;
    a->acked_ms = now_ms;

    ngx_queue_insert_tail(&m->accounts, &a->queue);
}


void
ngx_webrtc_budget_end(ngx_webrtc_budget_t *m, ngx_webrtc_budget_account_t *a)
{
    if (a->data == NULL) {
        return;
    }

    m->held -= a->held;
    m->left += NGX_WEBRTC_BUDGET_LEFT;
    m->quiet = 0;
    ngx_queue_remove(&a->queue);

    ngx_memzero(a, sizeof(ngx_webrtc_budget_account_t));
}


ngx_webrtc_budget_account_t *
ngx_webrtc_budget_held(ngx_webrtc_budget_t *m, ngx_webrtc_budget_account_t *a,
    size_t held, uint64_t acked, uint64_t now_ms)
{
    if (a->ending) {
        return NULL;
    }

    if (a->held == 0 || a->acked != acked) {
        a->acked = acked;
        a->acked_ms = now_ms;
    }

    m->held = m->held - a->held + held;
    m->peak = ngx_max(m->peak, m->held);
    a->held = held;

    return ngx_webrtc_budget_laggard(m, now_ms);
}


ngx_webrtc_budget_account_t *
ngx_webrtc_budget_laggard(ngx_webrtc_budget_t *m, uint64_t now_ms)
{
    uint64_t                      lag, score, most;
    ngx_queue_t                  *q;
    ngx_webrtc_budget_account_t  *a, *last;

    if (m->held <= m->limit / 4 * 3
        || (m->held <= m->limit
            && now_ms - m->looked_ms < NGX_WEBRTC_BUDGET_LOOK))
    {
        return NULL;
    }

    m->looked_ms = now_ms;

    last = NULL;
    most = 0;

    for (q = ngx_queue_head(&m->accounts);
         q != ngx_queue_sentinel(&m->accounts);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_webrtc_budget_account_t, queue);

        lag = now_ms - a->acked_ms;
        score = a->held * (lag + 1);

        if (score > most
            && (lag >= NGX_WEBRTC_BUDGET_LAG || m->held > m->limit))
        {
            last = a;
            most = score;
        }
    }

    if (last) {
        m->held -= last->held;
        last->held = 0;
        last->ending = 1;
    }

    return last;
}


size_t
ngx_webrtc_budget_share(ngx_webrtc_budget_t *m, ngx_webrtc_budget_account_t *a,
    size_t least, size_t want)
{
    size_t  others, part;

    others = m->held - a->held;

    part = (others < m->limit) ? (m->limit - others) / NGX_WEBRTC_BUDGET_PART
                               : 0;

    part = ngx_max(part, least);

    return ngx_min(part, want);
}


ngx_uint_t
ngx_webrtc_budget_freed(ngx_webrtc_budget_t *m)
{
    ngx_uint_t  fell, left, rest;

    m->calls++;

    fell = (m->peak >= NGX_WEBRTC_BUDGET_PEAK && m->held <= m->peak / 4);
    left = (m->left >= NGX_WEBRTC_BUDGET_PEAK
            && m->calls >= NGX_WEBRTC_BUDGET_RARELY);
    rest = (m->left >= NGX_WEBRTC_BUDGET_REST
            && ++m->quiet >= NGX_WEBRTC_BUDGET_QUIET);

    if (!fell && !left && !rest) {
        return (m->again && --m->again == 0);
    }

    m->peak = m->held;
    m->left = 0;
    m->calls = 0;
    m->again = NGX_WEBRTC_BUDGET_AGAIN;

    return 1;
}
