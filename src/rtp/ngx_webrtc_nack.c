
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * NACK with retry: see the header file for the contracts.  RFC 4585, 6.2.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_nack.h>


static void ngx_webrtc_nack_add(ngx_webrtc_nack_t *nack, uint64_t first,
    uint64_t last, uint64_t now_us);
static ngx_int_t ngx_webrtc_nack_remove(ngx_webrtc_nack_t *nack, uint64_t seq);
static void ngx_webrtc_nack_give_up(ngx_webrtc_nack_t *nack, ngx_uint_t n);
static uint64_t ngx_webrtc_nack_interval(const ngx_webrtc_nack_t *nack);


void
ngx_webrtc_nack_init(ngx_webrtc_nack_t *nack, ngx_uint_t video)
{
    ngx_memzero(nack, sizeof(ngx_webrtc_nack_t));

    nack->video = video ? 1 : 0;
    nack->age_us = NGX_WEBRTC_NACK_AGE;
}


void
ngx_webrtc_nack_conf(ngx_webrtc_nack_t *nack, uint32_t rtt_us, uint64_t age_us)
{
    nack->rtt_us = rtt_us;
    nack->age_us = age_us ? age_us : NGX_WEBRTC_NACK_AGE;
}


uint64_t
ngx_webrtc_nack_hold(const ngx_webrtc_nack_t *nack)
{
    uint64_t  us;

    /* requests at 0, 1 and 2 intervals, and one more for the third reply */

    us = NGX_WEBRTC_NACK_DELAY + 3 * ngx_webrtc_nack_interval(nack);

    return ngx_min(us, nack->age_us);
}


ngx_int_t
ngx_webrtc_nack_received(ngx_webrtc_nack_t *nack, uint64_t seq,
    uint64_t now_us)
{
    uint64_t  first;

    if (!nack->started) {
        nack->started = 1;
        nack->highest = seq;

        return NGX_OK;
    }

    if (seq <= nack->highest) {
        return ngx_webrtc_nack_remove(nack, seq);
    }

    first = nack->highest + 1;
    nack->highest = seq;

    if (seq == first) {
        return NGX_OK;
    }

    nack->missing += seq - first;

    if (seq - first > NGX_WEBRTC_NACK_MAX) {

        /* hopeless, and the ones before it are older still */

        ngx_webrtc_nack_give_up(nack, nack->n);

        nack->given_up += seq - first;
        nack->gone = seq - 1;
        nack->pli = nack->video;

        return NGX_AGAIN;
    }

    ngx_webrtc_nack_add(nack, first, seq - 1, now_us);

    return NGX_AGAIN;
}


void
ngx_webrtc_nack_drop(ngx_webrtc_nack_t *nack, uint64_t seq, ngx_uint_t pli)
{
    uint64_t    gone;
    ngx_uint_t  n, wanted;

    for (n = 0; n < nack->n && nack->list[n].seq < seq; n++) { /* void */ }

    if (n == 0) {
        return;
    }

    gone = nack->gone;
    wanted = nack->pli;

    ngx_webrtc_nack_give_up(nack, n);

    /* the caller knows */

    nack->gone = gone;

    if (!pli) {
        nack->pli = wanted ? 1 : 0;
    }
}


void
ngx_webrtc_nack_renew(ngx_webrtc_nack_t *nack)
{
    ngx_webrtc_nack_give_up(nack, nack->n);

    nack->started = 0;
    nack->gone = 0;
    nack->pli = 0;
}


uint64_t
ngx_webrtc_nack_deadline(const ngx_webrtc_nack_t *nack)
{
    uint64_t    deadline;
    ngx_uint_t  i;

    if (nack->pli || nack->gone) {
        return 1;
    }

    deadline = 0;

    for (i = 0; i < nack->n; i++) {
        if (deadline == 0 || nack->list[i].next_us < deadline) {
            deadline = nack->list[i].next_us;
        }
    }

    return deadline;
}


ngx_int_t
ngx_webrtc_nack_timeout(ngx_webrtc_nack_t *nack, uint64_t now_us,
    ngx_webrtc_nack_tell_t *tell)
{
    uint64_t                  left_us, interval_us;
    ngx_uint_t                i;
    ngx_webrtc_nack_entry_t  *e;

    tell->n = 0;

    /*
     * Gives up all up to the last hopeless one: packets are passed on in order,
     * and those before it have been missing for longer
     */

    for (i = nack->n; i > 0; i--) {
        e = &nack->list[i - 1];

        if (e->next_us <= now_us
            && (e->tries == NGX_WEBRTC_NACK_TRIES
                || now_us - e->seen_us >= nack->age_us))
        {
            ngx_webrtc_nack_give_up(nack, i);
            break;
        }
    }

    interval_us = ngx_webrtc_nack_interval(nack);

    for (i = 0; i < nack->n && tell->n < NGX_WEBRTC_NACK_ASK; i++) {
        e = &nack->list[i];

        if (e->next_us > now_us) {
            continue;
        }

        e->tries++;

        /* when the age is reached, it is given up */

        left_us = e->seen_us + nack->age_us - now_us;
        e->next_us = now_us + ngx_min(interval_us, left_us);

        tell->seqs[tell->n++] = (uint16_t) e->seq;
    }

    nack->asked += tell->n;

    tell->gone = nack->gone;
    tell->pli = nack->pli;

    nack->gone = 0;
    nack->pli = 0;

    return (tell->n || tell->gone || tell->pli) ? NGX_OK : NGX_DONE;
}


static void
ngx_webrtc_nack_add(ngx_webrtc_nack_t *nack, uint64_t first, uint64_t last,
    uint64_t now_us)
{
    size_t                    n;
    ngx_webrtc_nack_entry_t  *e;

    n = last - first + 1;

    if (n > NGX_WEBRTC_NACK_MAX - nack->n) {
        ngx_webrtc_nack_give_up(nack, n - (NGX_WEBRTC_NACK_MAX - nack->n));
    }

    while (first <= last) {
        e = &nack->list[nack->n++];

        e->seq = first++;
        e->seen_us = now_us;
        e->next_us = now_us + NGX_WEBRTC_NACK_DELAY;
        e->tries = 0;
    }
}


static ngx_int_t
ngx_webrtc_nack_remove(ngx_webrtc_nack_t *nack, uint64_t seq)
{
    ngx_uint_t                low, high, mid;
    ngx_webrtc_nack_entry_t  *e;

    low = 0;
    high = nack->n;

    while (low < high) {
        mid = (low + high) / 2;

        if (nack->list[mid].seq < seq) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low == nack->n || nack->list[low].seq != seq) {
        return NGX_OK;
    }

    e = &nack->list[low];

    if (e->tries) {
        nack->recovered++;

    } else {
        nack->late++;
    }

    nack->n--;

    ngx_memmove(e, e + 1, (nack->n - low) * sizeof(ngx_webrtc_nack_entry_t));

    return NGX_OK;
}


/* gives up the first n */

static void
ngx_webrtc_nack_give_up(ngx_webrtc_nack_t *nack, ngx_uint_t n)
{
    if (n == 0) {
        return;
    }

    nack->gone = nack->list[n - 1].seq;
    nack->given_up += n;

    if (nack->video) {
        nack->pli = 1;
    }

    nack->n -= (uint32_t) n;

    ngx_memmove(nack->list, nack->list + n,
                nack->n * sizeof(ngx_webrtc_nack_entry_t));
}


static uint64_t
ngx_webrtc_nack_interval(const ngx_webrtc_nack_t *nack)
{
    uint64_t  us;

    if (nack->rtt_us == 0) {
        return NGX_WEBRTC_NACK_RTT;
    }

    /* a quarter more than the round trip, for its variance */

    us = nack->rtt_us + nack->rtt_us / 4;

    us = ngx_max(us, NGX_WEBRTC_NACK_MIN);

    return ngx_min(us, NGX_WEBRTC_NACK_RETRY_MAX);
}
