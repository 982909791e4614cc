
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * NACK with retry: see the header file for the contracts.  RFC 4585, 6.2.1.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_seq.h>
#include <ngx_webrtc_nack.h>


static void ngx_webrtc_nack_add(ngx_webrtc_nack_t *nack, uint64_t first,
    uint64_t last, uint64_t now_us);
static ngx_int_t ngx_webrtc_nack_remove(ngx_webrtc_nack_t *nack, uint64_t seq);
static void ngx_webrtc_nack_give_up(ngx_webrtc_nack_t *nack, ngx_uint_t n);
static ngx_uint_t ngx_webrtc_nack_hopeless(const ngx_webrtc_nack_t *nack,
    const ngx_webrtc_nack_share_t *share, uint64_t now_us);
static uint64_t ngx_webrtc_nack_wait(const ngx_webrtc_nack_t *nack,
    ngx_uint_t tries);
static uint64_t ngx_webrtc_nack_interval(const ngx_webrtc_nack_t *nack);
static uint64_t ngx_webrtc_nack_queue(ngx_webrtc_nack_t *nack, int32_t transit,
    uint32_t rate, uint64_t now_us);
static void ngx_webrtc_nack_share_turn(ngx_webrtc_nack_share_t *share,
    uint64_t now_us);


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

    /* three requests, and a round trip more for the third reply */

    us = NGX_WEBRTC_NACK_DELAY + ngx_webrtc_nack_wait(nack, 0)
         + ngx_webrtc_nack_wait(nack, 1) + ngx_webrtc_nack_interval(nack);

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

    if (!pli && nack->gone && nack->gone < seq) {
        nack->gone = 0;
        nack->pli = 0;
    }

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
ngx_webrtc_nack_abandon(ngx_webrtc_nack_t *nack, uint64_t now_us)
{
    ngx_uint_t                i, n, wanted;
    ngx_webrtc_nack_entry_t  *e;

    for (i = 0, n = 0; i < nack->n; i++) {
        e = &nack->list[i];

        if (e->next_us > now_us) {
            continue;
        }

        if (e->tries == 0) {
            n = i + 1;

        } else {
            e->next_us = now_us + NGX_WEBRTC_NACK_LATER;
        }
    }

    wanted = nack->pli;

    ngx_webrtc_nack_give_up(nack, n);

    nack->pli = wanted ? 1 : 0;
}


ngx_uint_t
ngx_webrtc_nack_late(const ngx_webrtc_nack_t *nack, uint64_t now_us)
{
    return nack->n && now_us - nack->list[0].seen_us >= NGX_WEBRTC_NACK_DELAY;
}


void
ngx_webrtc_nack_renew(ngx_webrtc_nack_t *nack)
{
    ngx_webrtc_nack_give_up(nack, nack->n);

    nack->started = 0;
    nack->turned_us = 0;
    nack->framed = 0;
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
ngx_webrtc_nack_timeout(ngx_webrtc_nack_t *nack,
    ngx_webrtc_nack_share_t *share, uint64_t now_us,
    ngx_webrtc_nack_tell_t *tell)
{
    uint64_t                  left_us, wait_us;
    ngx_uint_t                i, queues;
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

    ngx_webrtc_nack_share_turn(share, now_us);

    queues = (share->queued_us
              && now_us - share->queued_us < NGX_WEBRTC_NACK_QUEUED);

    if (queues && nack->video && ngx_webrtc_nack_hopeless(nack, share, now_us))
    {
        ngx_webrtc_nack_give_up(nack, nack->n);
    }

    for (i = 0; i < nack->n && tell->n < NGX_WEBRTC_NACK_ASK; i++) {
        e = &nack->list[i];

        if (e->next_us > now_us) {
            continue;
        }

        if (queues) {

            if (share->left < 100 && nack->video) {
                e->next_us = now_us + NGX_WEBRTC_NACK_LATER;
                continue;
            }

            share->left -= ngx_min(share->left, 100);
        }

        wait_us = ngx_webrtc_nack_wait(nack, e->tries++);

        /* when the age is reached, it is given up */

        left_us = e->seen_us + nack->age_us - now_us;
        e->next_us = now_us + ngx_min(wait_us, left_us);

        tell->seqs[tell->n++] = (uint16_t) e->seq;
    }

    nack->asked += tell->n;

    tell->gone = nack->gone;
    tell->pli = nack->pli;

    nack->gone = 0;
    nack->pli = 0;

    return (tell->n || tell->gone || tell->pli) ? NGX_OK : NGX_DONE;
}


/* Is more missing than may be requested while it is of use? */

static ngx_uint_t
ngx_webrtc_nack_hopeless(const ngx_webrtc_nack_t *nack,
    const ngx_webrtc_nack_share_t *share, uint64_t now_us)
{
    uint64_t                        may, hold_us, known_us;
    ngx_uint_t                      i, new;
    const ngx_webrtc_nack_entry_t  *e;

    /* those for which it is known what has come since then */

    hold_us = ngx_webrtc_nack_hold(nack);
    known_us = ngx_min(hold_us / 2, NGX_WEBRTC_NACK_BURST);

    for (i = 0, new = 0; i < nack->n; i++) {
        e = &nack->list[i];
        new += (e->tries == 0 && now_us >= e->seen_us + known_us);
    }

    may = ngx_max(share->n, share->before) * NGX_WEBRTC_NACK_SHARE
          * hold_us / NGX_WEBRTC_NACK_BURST;

    return 100 * new > may + ngx_max(share->left,
                                     100 * NGX_WEBRTC_NACK_BURST_MIN);
}


void
ngx_webrtc_nack_share_init(ngx_webrtc_nack_share_t *share)
{
    ngx_memzero(share, sizeof(ngx_webrtc_nack_share_t));

    share->left = 100 * NGX_WEBRTC_NACK_BURST_MIN;
}


void
ngx_webrtc_nack_share_received(ngx_webrtc_nack_share_t *share,
    ngx_webrtc_nack_t *nack, uint64_t seq, uint32_t ts, int32_t transit,
    uint32_t rate, uint64_t now_us)
{
    uint32_t  most;

    share->queue_us = NGX_WEBRTC_NACK_UNKNOWN;

    if (nack->started && seq <= nack->highest) {
        return;
    }

    ngx_webrtc_nack_share_turn(share, now_us);

    share->n++;
    share->left += NGX_WEBRTC_NACK_SHARE;

    most = ngx_max(ngx_max(share->n, share->before) * NGX_WEBRTC_NACK_SHARE,
                   100 * NGX_WEBRTC_NACK_BURST_MIN);

    share->left = ngx_min(share->left, most);

    share->queue_us = ngx_webrtc_nack_queue(nack, transit, rate, now_us);

    if (nack->framed && !ngx_webrtc_seq_less32(nack->ts, ts)) {
        return;
    }

    nack->framed = 1;
    nack->ts = ts;

    if (share->queue_us >= NGX_WEBRTC_NACK_QUEUE) {
        share->queued_us = now_us;
    }
}


/* us that a packet took longer than the fastest one lately */

static uint64_t
ngx_webrtc_nack_queue(ngx_webrtc_nack_t *nack, int32_t transit, uint32_t rate,
    uint64_t now_us)
{
    int32_t   d, before;
    uint64_t  us;

    if (nack->turned_us == 0) {
        nack->least_before = transit;
        nack->least = transit;
        nack->turned_us = now_us;

    } else if (now_us - nack->turned_us >= NGX_WEBRTC_NACK_LEAST) {
        nack->least_before = nack->least;
        nack->least = transit;
        nack->turned_us = now_us;
    }

    d = ngx_webrtc_seq_diff32((uint32_t) transit, (uint32_t) nack->least);
    before = ngx_webrtc_seq_diff32((uint32_t) transit,
                                   (uint32_t) nack->least_before);

    if (d < 0) {
        nack->least = transit;
    }

    d = ngx_max(d, before);
    us = (d > 0) ? (uint64_t) d * 1000000 / rate : 0;

    if (us > NGX_WEBRTC_NACK_JUMP) {
        nack->turned_us = 0;
        nack->framed = 0;
        us = 0;
    }

    return us;
}


static void
ngx_webrtc_nack_share_turn(ngx_webrtc_nack_share_t *share, uint64_t now_us)
{
    if (now_us < share->since_us + NGX_WEBRTC_NACK_BURST) {
        return;
    }

    if (share->n) {
        share->before = share->n;
        share->n = 0;
    }

    if (share->left < 100 * NGX_WEBRTC_NACK_BURST_MIN) {
        share->left += 100;
    }

    share->since_us = now_us;
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


/*
 * us until the next request, behind so many.  The round trip that is known may
 * be that of before a queue, so a short one is not trusted.
 */

static uint64_t
ngx_webrtc_nack_wait(const ngx_webrtc_nack_t *nack, ngx_uint_t tries)
{
    uint64_t  us;

    us = (tries < 3) ? (uint64_t) NGX_WEBRTC_NACK_MIN << tries
                     : NGX_WEBRTC_NACK_RTT;

    return ngx_max(us, ngx_webrtc_nack_interval(nack));
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
