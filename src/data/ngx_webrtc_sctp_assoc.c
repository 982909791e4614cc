
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * An association of SCTP: how much of it waits.  See the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <usrsctp.h>

#include <ngx_webrtc_sctp_assoc.h>


size_t
ngx_webrtc_sctp_unsent(ngx_webrtc_sctp_assoc_t *assoc)
{
    size_t              sent;
    socklen_t           len;
    struct sctp_status  status;

    if (assoc->buffered == 0 || assoc->so == NULL) {
        return 0;
    }

    ngx_memzero(&status, sizeof(struct sctp_status));
    len = sizeof(struct sctp_status);

    if (usrsctp_getsockopt(assoc->so, IPPROTO_SCTP, SCTP_STATUS, &status, &len)
        != 0)
    {
        return assoc->buffered;
    }

    /* chunks in flight, or about to be: all full but the last of a message */

    sent = (size_t) status.sstat_unackdata * NGX_WEBRTC_SCTP_CHUNK;

    return (assoc->buffered > sent) ? assoc->buffered - sent : 0;
}


size_t
ngx_webrtc_sctp_overhead(const ngx_webrtc_sctp_assoc_t *assoc)
{
    size_t      n, some, full;
    uint64_t    acked, end, begin;
    ngx_uint_t  i;

    acked = assoc->total - assoc->buffered;
    end = assoc->total;
    some = assoc->unmarked;
    n = 0;

    /* from note to note, the latest first; a part of what is between two */

    for (i = 1; i <= NGX_WEBRTC_SCTP_MARKS && end > acked; i++) {
        begin = assoc->marks[(assoc->mark + NGX_WEBRTC_SCTP_MARKS - i)
                             % NGX_WEBRTC_SCTP_MARKS];

        n += (begin < acked) ? some * (end - acked) / (end - begin) : some;

        end = begin;
        some = NGX_WEBRTC_SCTP_CHUNKS / NGX_WEBRTC_SCTP_MARKS;
    }

    full = assoc->buffered / NGX_WEBRTC_SCTP_CHUNK;

    return (n > full + NGX_WEBRTC_SCTP_FEW)
           ? (n - full) * NGX_WEBRTC_SCTP_EXTRA : 0;
}


uint32_t
ngx_webrtc_sctp_rest(ngx_webrtc_sctp_assoc_t *assoc)
{
    ngx_webrtc_sctp_rate_t  *rate;

    rate = &assoc->repair.rate;

    if (assoc->buffered == 0
        || rate->min_ms < NGX_WEBRTC_SCTP_REST_TRIP
        || ngx_webrtc_sctp_rate_best(rate)
           < NGX_WEBRTC_SCTP_REST_RATE * NGX_WEBRTC_SCTP_PACKET * 1000)
    {
        return 0;
    }

    return NGX_WEBRTC_SCTP_REST;
}


void
ngx_webrtc_sctp_wait(ngx_webrtc_sctp_assoc_t *assoc)
{
    assoc->above = 1;
}


/*
 * The number of bytes sent is noted every so many messages; as long as the
 * oldest note has not been acknowledged, there are too many.
 */

ngx_uint_t
ngx_webrtc_sctp_crowded(ngx_webrtc_sctp_assoc_t *assoc)
{
    uint64_t  acked;

    if (assoc->unmarked < NGX_WEBRTC_SCTP_CHUNKS / NGX_WEBRTC_SCTP_MARKS) {
        return 0;
    }

    acked = assoc->total - assoc->buffered;

    if (assoc->marks[assoc->mark] > acked) {
        return 1;
    }

    assoc->marks[assoc->mark] = assoc->total;
    assoc->mark = (assoc->mark + 1) % NGX_WEBRTC_SCTP_MARKS;
    assoc->unmarked = 0;

    return 0;
}
