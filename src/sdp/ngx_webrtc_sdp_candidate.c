
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Candidates, parsed and printed: see ngx_webrtc_sdp.h.  RFC 8839, 5.1;
 * RFC 8445, 5.1; RFC 6544, 4.5.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp_candidate.h>
#include <ngx_webrtc_sdp_text.h>


static uint32_t ngx_webrtc_sdp_candidate_passive(ngx_uint_t i);
static u_char *ngx_webrtc_sdp_candidate_read(u_char *p, u_char *end,
    ngx_webrtc_sdp_candidate_t *cand);


/* in the order of their values, for printing */

static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_candidate_types[] = {
    { ngx_string("host"), NGX_WEBRTC_SDP_HOST },
    { ngx_string("srflx"), NGX_WEBRTC_SDP_SRFLX },
    { ngx_string("prflx"), NGX_WEBRTC_SDP_PRFLX },
    { ngx_string("relay"), NGX_WEBRTC_SDP_RELAY },
    { ngx_null_string, 0 }
};


void
ngx_webrtc_sdp_candidate_add(ngx_webrtc_sdp_candidate_t *cands,
    ngx_uint_t *n, ngx_uint_t mline, u_char *p, u_char *end)
{
    if (*n == NGX_WEBRTC_SDP_CANDIDATES) {
        return;
    }

    if (ngx_webrtc_sdp_candidate_read(p, end, &cands[*n]) != NULL) {
        cands[*n].mline = (uint8_t) mline;
        (*n)++;
    }
}


u_char *
ngx_webrtc_sdp_print_candidate(u_char *p, u_char *end,
    const ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t i)
{
    uint32_t    priority;
    ngx_uint_t  type;

    type = ngx_min(cand->type, NGX_WEBRTC_SDP_RELAY);
    priority = cand->priority;

    if (priority == 0) {
        priority = cand->tcp ? ngx_webrtc_sdp_candidate_passive(i)
                             : ngx_webrtc_sdp_priority(type, i);
    }

    p = ngx_webrtc_sdp_printf(p, end, "candidate:");

    /* RFC 8445, 5.1.1.3: candidates of different bases differ in it */

    p = cand->foundation.len
        ? ngx_webrtc_sdp_printf(p, end, "%V", &cand->foundation)
        : ngx_webrtc_sdp_printf(p, end, "%ui", i + 1);

    p = ngx_webrtc_sdp_printf(p, end, " %ui %s %uD %V %ui typ %V",
                              (ngx_uint_t) (cand->component ? cand->component
                                                            : 1),
                              cand->tcp ? "tcp" : "udp",
                              priority, &cand->address,
                              (ngx_uint_t) cand->port,
                              &ngx_webrtc_sdp_candidate_types[type].name);

    if (cand->raddr.len) {
        p = ngx_webrtc_sdp_printf(p, end, " raddr %V rport %ui", &cand->raddr,
                                  (ngx_uint_t) cand->rport);
    }

    /* RFC 6544, 4.5: we never connect */

    if (cand->tcp) {
        p = ngx_webrtc_sdp_printf(p, end, " tcptype passive");
    }

    return p;
}


uint32_t
ngx_webrtc_sdp_priority(ngx_uint_t type, ngx_uint_t i)
{
    uint32_t  preference, local;

    /* RFC 8445, 5.1.2.2: recommended type preferences */

    static const uint8_t  preferences[] = { 126, 100, 110, 0 };

    preference = preferences[ngx_min(type, NGX_WEBRTC_SDP_RELAY)];
    local = 65535 - (uint32_t) ngx_min(i, 65535);

    /* RFC 8445, 5.1.2.1; component 1 */

    return (preference << 24) + (local << 8) + (256 - 1);
}


/*
 * The priority of a host candidate for connections to us.  RFC 6544, 4.2: below
 * those over UDP, 4 being the direction preference of passive; the type
 * preference is libwebrtc's.
 */

static uint32_t
ngx_webrtc_sdp_candidate_passive(ngx_uint_t i)
{
    uint32_t  local;

    local = (4 << 13) + (8191 - (uint32_t) ngx_min(i, 8191));

    return ((uint32_t) 90 << 24) + (local << 8) + (256 - 1);
}


/*
 * RFC 8839, 5.1: "<foundation> <component> <transport> <priority> <address>
 * <port> typ <type> [raddr <address>] [rport <port>] [<name> <value>] ..."
 */

static u_char *
ngx_webrtc_sdp_candidate_read(u_char *p, u_char *end,
    ngx_webrtc_sdp_candidate_t *cand)
{
    uint64_t    component, priority, port, rport;
    ngx_str_t   transport, typ, type, name, value;
    ngx_uint_t  n;

    static const ngx_webrtc_sdp_word_t  transports[] = {
        { ngx_string("udp"), 1 },
        { ngx_string("tcp"), 2 },
        { ngx_null_string, 0 }
    };

    ngx_memzero(cand, sizeof(ngx_webrtc_sdp_candidate_t));

    p = ngx_webrtc_sdp_read_token(p, end, &cand->foundation);
    p = ngx_webrtc_sdp_read_number(p, end, 255, &component);
    p = ngx_webrtc_sdp_read_token(p, end, &transport);
    p = ngx_webrtc_sdp_read_number(p, end, NGX_MAX_UINT32_VALUE, &priority);
    p = ngx_webrtc_sdp_read_token(p, end, &cand->address);
    p = ngx_webrtc_sdp_read_number(p, end, 65535, &port);
    p = ngx_webrtc_sdp_read_token(p, end, &typ);
    p = ngx_webrtc_sdp_read_token(p, end, &type);

    if (p == NULL
        || component == 0
        || typ.len != 3
        || ngx_strncasecmp(typ.data, (u_char *) "typ", 3) != 0)
    {
        return NULL;
    }

    n = ngx_webrtc_sdp_word(transports, &transport, 0);
    if (n == 0) {
        return NULL;
    }

    cand->tcp = (n == 2);

    n = ngx_webrtc_sdp_word(ngx_webrtc_sdp_candidate_types, &type,
                            NGX_MAX_UINT32_VALUE);
    if (n == NGX_MAX_UINT32_VALUE) {
        return NULL;
    }

    cand->type = (uint8_t) n;
    cand->component = (uint8_t) component;
    cand->priority = (uint32_t) priority;
    cand->port = (uint16_t) port;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &name);
        p = ngx_webrtc_sdp_read_token(p, end, &value);

        if (p == NULL) {
            return end;
        }

        if (name.len != 5) {
            continue;
        }

        if (ngx_strncmp(name.data, "raddr", 5) == 0) {
            cand->raddr = value;

        } else if (ngx_strncmp(name.data, "rport", 5) == 0
                   && ngx_webrtc_sdp_read_number(value.data,
                                                 value.data + value.len,
                                                 65535, &rport)
                      != NULL)
        {
            cand->rport = (uint16_t) rport;
        }
    }
}
