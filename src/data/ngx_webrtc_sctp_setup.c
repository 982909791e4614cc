
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Settings of usrsctp: see the header file.  RFC 9260, 16 (protocol
 * parameters), RFC 8831, 6 (what DataChannels use), RFC 8261 (over DTLS).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sctp_setup.h>


/*
 * milliseconds; RFC 9260, 16 says 1 s, 1 s and 60 s; chosen: the first one for
 * a quick start, the last as no path needs a minute.  Not less for the second:
 * usrsctp does not restart its timer when a SACK comes, so it expires that
 * often whatever happens, and on a path with a steady delay it then takes
 * packets for lost that are merely on their way.
 */
#define NGX_WEBRTC_SCTP_RTO_INITIAL  500
#define NGX_WEBRTC_SCTP_RTO_MIN      1000
#define NGX_WEBRTC_SCTP_RTO_MAX      10000

/* repetitions of INIT, usrsctp makes one more, and milliseconds between the
 * later ones; RFC 9260, 16 says 8; chosen: .5 + 1 + 2 + 4 * 6 is 27 s, a
 * channel has 30 s to open */
#define NGX_WEBRTC_SCTP_INITS        7
#define NGX_WEBRTC_SCTP_INIT_MAX     4000

/* milliseconds that a SACK is delayed; RFC 9260, 6.2 allows 500; chosen: a
 * small part of a round trip */
#define NGX_WEBRTC_SCTP_SACK_DELAY   20

/* packets of the congestion window: it never closes, the control is ours (see
 * ngx_webrtc_sctp_repair); no limit of packets sent in one go, which would cut
 * it; and packets repeated per SACK, where usrsctp repeats: more would keep a
 * queue that is full from becoming shorter */
#define NGX_WEBRTC_SCTP_CWND         (NGX_WEBRTC_SCTP_SEND                    \
                                      / NGX_WEBRTC_SCTP_CHUNK + 1)
#define NGX_WEBRTC_SCTP_BURST        0
#define NGX_WEBRTC_SCTP_REPEAT       1


/* notifications that we want */

static const uint16_t  ngx_webrtc_sctp_events[] = {
    SCTP_ASSOC_CHANGE,
    SCTP_SHUTDOWN_EVENT,
    SCTP_STREAM_RESET_EVENT
};


void
ngx_webrtc_sctp_setup_tables(void)
{
    /* each socket has a table of its associations, which is one: not 2 kB */

    (void) usrsctp_tunable_set_sctp_pcbtblsize(1);
}


void
ngx_webrtc_sctp_setup_library(ngx_uint_t offload)
{
    if (offload) {
        usrsctp_enable_crc32c_offload();

    } else {
        usrsctp_disable_crc32c_offload();
    }

    /* what RFC 8831, 6.2 does not ask for: less to attack */

    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auto_asconf(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);

    usrsctp_sysctl_set_sctp_pr_enable(1);
    usrsctp_sysctl_set_sctp_reconfig_enable(1);

    /* packets that belong to no association are not answered */

    usrsctp_sysctl_set_sctp_blackhole(2);

    usrsctp_sysctl_set_sctp_max_chunks_on_queue(NGX_WEBRTC_SCTP_CHUNKS);
    usrsctp_sysctl_set_sctp_initial_cwnd(NGX_WEBRTC_SCTP_CWND);
    usrsctp_sysctl_set_sctp_max_burst_default(NGX_WEBRTC_SCTP_BURST);
    usrsctp_sysctl_set_sctp_fr_max_burst_default(NGX_WEBRTC_SCTP_REPEAT);
    usrsctp_sysctl_set_sctp_default_cc_module(SCTP_CC_RFC2581);

    /* the receiver window is told in bytes of chunks, as we count them */

    usrsctp_sysctl_set_sctp_peer_chunk_oh(0);

    usrsctp_sysctl_set_sctp_rto_initial_default(NGX_WEBRTC_SCTP_RTO_INITIAL);
    usrsctp_sysctl_set_sctp_rto_min_default(NGX_WEBRTC_SCTP_RTO_MIN);
    usrsctp_sysctl_set_sctp_rto_max_default(NGX_WEBRTC_SCTP_RTO_MAX);
    usrsctp_sysctl_set_sctp_init_rto_max_default(NGX_WEBRTC_SCTP_INIT_MAX);
    usrsctp_sysctl_set_sctp_init_rtx_max_default(NGX_WEBRTC_SCTP_INITS);
    usrsctp_sysctl_set_sctp_delayed_sack_time_default(
                                                  NGX_WEBRTC_SCTP_SACK_DELAY);

    usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(
                                                     NGX_WEBRTC_SCTP_STREAMS);
    usrsctp_sysctl_set_sctp_nr_incoming_streams_default(
                                                     NGX_WEBRTC_SCTP_STREAMS);

    /* messages and chunks freed are given back, none are kept */

    usrsctp_sysctl_set_sctp_system_free_resc_limit(0);
    usrsctp_sysctl_set_sctp_asoc_free_resc_limit(0);
}


ngx_int_t
ngx_webrtc_sctp_setup_socket(ngx_webrtc_sctp_so_pt so)
{
    int                       on, send, recv;
    uint32_t                  point;
    ngx_uint_t                i;
    struct linger             linger;
    struct sctp_event         event;
    struct sctp_assoc_value   reset;
    struct sctp_paddrparams   path;

    const struct {
        int          level;
        int          name;
        const void  *value;
        socklen_t    n;
    } options[] = {
        { SOL_SOCKET, SO_LINGER, &linger, sizeof(linger) },
        { SOL_SOCKET, SO_RCVBUF, &recv, sizeof(recv) },
        { SOL_SOCKET, SO_SNDBUF, &send, sizeof(send) },
        { IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &point, sizeof(point) },
        { IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on) },
        { IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &reset, sizeof(reset) },
        { IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path) },
    };

    if (usrsctp_set_non_blocking(so, 1) != 0) {
        return NGX_ERROR;
    }

    /* closing a socket aborts: an orderly shutdown comes before */

    linger.l_onoff = 1;
    linger.l_linger = 0;

    recv = NGX_WEBRTC_SCTP_RECV;
    send = NGX_WEBRTC_SCTP_SEND;
    on = 1;

    /* only messages that are too large are delivered in parts */

    point = NGX_WEBRTC_SCTP_MESSAGE + 1;

    ngx_memzero(&reset, sizeof(reset));
    reset.assoc_id = SCTP_FUTURE_ASSOC;
    reset.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;

    /*
     * RFC 8261, 6.1: DTLS hides the path, so there is no discovery of its MTU;
     * that the peer is alive is what ICE consent is for, so no heartbeats.
     * usrsctp adds the common header to what it is told.
     */

    ngx_memzero(&path, sizeof(path));
    path.spp_assoc_id = SCTP_FUTURE_ASSOC;
    path.spp_flags = SPP_PMTUD_DISABLE|SPP_HB_DISABLE;
    path.spp_pathmtu = NGX_WEBRTC_SCTP_PACKET - NGX_WEBRTC_SCTP_HEADER;

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (usrsctp_setsockopt(so, options[i].level, options[i].name,
                               options[i].value, options[i].n)
            != 0)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0;
         i < sizeof(ngx_webrtc_sctp_events) / sizeof(ngx_webrtc_sctp_events[0]);
         i++)
    {
        ngx_memzero(&event, sizeof(event));
        event.se_assoc_id = SCTP_FUTURE_ASSOC;
        event.se_type = ngx_webrtc_sctp_events[i];
        event.se_on = 1;

        if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_EVENT, &event,
                               sizeof(event))
            != 0)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
