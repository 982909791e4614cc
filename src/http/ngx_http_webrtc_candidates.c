
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The ICE candidates of our answers.
 *
 * All our candidates are of type host: a lite agent has no others (RFC 8445,
 * 2.5), so the public address of a 1:1 NAT is given as a host candidate, too
 * (RFC 8445, 5.1.1.1 leaves it to configuration).
 */


#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_resource.h"
#include <ifaddrs.h>
#include <net/if.h>


/* bytes of all addresses in a log line; chosen: longer lists are truncated */
#define NGX_HTTP_WEBRTC_CANDIDATES_TEXT  512

/* ms between two identical log lines; chosen: often enough for an operator */
#define NGX_HTTP_WEBRTC_CANDIDATES_LOG   60000


static ngx_uint_t ngx_http_webrtc_candidates_of(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_pool_t *pool, ngx_uint_t loopback,
    ngx_webrtc_sdp_candidate_t *cand);
static ngx_uint_t ngx_http_webrtc_candidates_external(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_uint_t tcp,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);
static ngx_uint_t ngx_http_webrtc_candidates_listens(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_pool_t *pool, ngx_uint_t loopback,
    ngx_uint_t tcp, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n);
static ngx_uint_t ngx_http_webrtc_candidates_has(
    ngx_http_webrtc_listen_t *listen, ngx_uint_t tcp);
static ngx_uint_t ngx_http_webrtc_candidates_interfaces(ngx_pool_t *pool,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n,
    ngx_http_webrtc_listen_t *listen, ngx_uint_t loopback);
static ngx_uint_t ngx_http_webrtc_candidates_put(ngx_pool_t *pool,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n, struct sockaddr *sa,
    in_port_t port);
static ngx_uint_t ngx_http_webrtc_candidates_family(
    ngx_http_webrtc_main_conf_t *wmcf, ngx_http_webrtc_candidate_t *cand);
static ngx_uint_t ngx_http_webrtc_is_link_local(struct sockaddr *sa);
static ngx_uint_t ngx_http_webrtc_candidates_inner(const char *name);
static ngx_uint_t ngx_http_webrtc_candidates_short(ngx_str_t *host);


ngx_uint_t
ngx_http_webrtc_candidates(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand)
{
    return ngx_http_webrtc_candidates_of(
               ngx_http_get_module_main_conf(r, ngx_http_webrtc_module),
               r->pool,
               ngx_http_webrtc_candidates_loopback(r->connection->sockaddr),
               cand);
}


ngx_uint_t
ngx_http_webrtc_candidates_local(ngx_http_request_t *r,
    ngx_webrtc_sdp_candidate_t *cand)
{
    ngx_uint_t                    n, tcp, loopback;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_webrtc_module);
    loopback = ngx_http_webrtc_candidates_loopback(r->connection->sockaddr);

    for (tcp = 0, n = 0; tcp < 2; tcp++) {
        n = ngx_http_webrtc_candidates_listens(wmcf, r->pool, loopback, tcp,
                                               cand, n);
    }

    return n;
}


void
ngx_http_webrtc_candidates_unheard(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_webrtc_peer_t *peer, ngx_uint_t row, ngx_log_t *log)
{
    u_char                      *p, *last;
    ngx_pool_t                  *pool;
    ngx_uint_t                   i, n;
    ngx_webrtc_sdp_candidate_t   cand[NGX_HTTP_WEBRTC_CANDIDATES];
    u_char                       text[NGX_HTTP_WEBRTC_CANDIDATES_TEXT];

    pool = ngx_create_pool(NGX_MIN_POOL_SIZE, log);
    if (pool == NULL) {
        return;
    }

    n = ngx_http_webrtc_candidates_of(wmcf, pool, 0, cand);
    p = text;
    last = text + sizeof(text);

    for (i = 0; i < n; i++) {

        if (i && cand[i].tcp && !cand[0].tcp) {
            /* those over UDP are what matters */
            break;
        }

        p = ngx_slprintf(p, last, ngx_strlchr(cand[i].address.data,
                                              cand[i].address.data
                                              + cand[i].address.len, ':')
                                  ? "%s[%V]:%d" : "%s%V:%d",
                         i ? ", " : "", &cand[i].address, (int) cand[i].port);
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "webrtc %ui sessions in a row were answered and sent no "
                  "check: is UDP blocked, or \"webrtc_candidate\" wrong? "
                  "%s %*s", row,
                  peer->full ? "Clients were told ports of "
                               "\"webrtc_ice_ports\", else of"
                             : "Clients were told",
                  (size_t) (p - text), text);

    ngx_destroy_pool(pool);
}


/*
 * Those over UDP come first: they have the higher priority, and some clients
 * look at no others.
 *
 *   loopback   whether loopback addresses are included
 */

static ngx_uint_t
ngx_http_webrtc_candidates_of(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_pool_t *pool, ngx_uint_t loopback, ngx_webrtc_sdp_candidate_t *cand)
{
    ngx_uint_t  i, n, tcp;

    for (tcp = 0, n = 0; tcp < 2; tcp++) {

        i = n;

        n = wmcf->candidates.nelts
            ? ngx_http_webrtc_candidates_external(wmcf, tcp, cand, n)
            : ngx_http_webrtc_candidates_listens(wmcf, pool, loopback, tcp,
                                                 cand, n);

        for ( /* void */ ; i < n; i++) {
            cand[i].tcp = (uint8_t) tcp;
        }
    }

    return n;
}


static ngx_uint_t
ngx_http_webrtc_candidates_external(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_uint_t tcp, ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n)
{
    ngx_uint_t                    i, j;
    ngx_http_webrtc_listen_t     *listen;
    ngx_http_webrtc_candidate_t  *external;

    listen = wmcf->listens.elts;
    external = wmcf->candidates.elts;

    for (i = 0; i < wmcf->candidates.nelts; i++) {

        if (tcp ? external[i].udp : external[i].tcp) {
            continue;
        }

        for (j = 0; j < wmcf->listens.nelts; j++) {

            if (external[i].family != listen[j].addr.sockaddr->sa_family
                || !ngx_http_webrtc_candidates_has(&listen[j], tcp)
                || n == NGX_HTTP_WEBRTC_CANDIDATES)
            {
                continue;
            }

            ngx_memzero(&cand[n], sizeof(ngx_webrtc_sdp_candidate_t));
            cand[n].address = external[i].text;
            cand[n].port = external[i].port ? external[i].port
                                            : listen[j].port;
            cand[n].type = NGX_WEBRTC_SDP_HOST;
            n++;

            if (external[i].port) {
                break;
            }
        }
    }

    return n;
}


static ngx_uint_t
ngx_http_webrtc_candidates_listens(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_pool_t *pool, ngx_uint_t loopback, ngx_uint_t tcp,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n)
{
    ngx_uint_t                 i;
    ngx_http_webrtc_listen_t  *listen;

    listen = wmcf->listens.elts;

    for (i = 0; i < wmcf->listens.nelts; i++) {

        if (!ngx_http_webrtc_candidates_has(&listen[i], tcp)) {
            continue;
        }

        if (listen[i].wildcard) {
            n = ngx_http_webrtc_candidates_interfaces(pool, cand, n,
                                                      &listen[i], loopback);

        } else {
            n = ngx_http_webrtc_candidates_put(pool, cand, n,
                                               listen[i].addr.sockaddr,
                                               listen[i].port);
        }
    }

    return n;
}


/* whether a port is listened on over TCP, or UDP */

static ngx_uint_t
ngx_http_webrtc_candidates_has(ngx_http_webrtc_listen_t *listen,
    ngx_uint_t tcp)
{
    return tcp ? listen->tcp != NGX_HTTP_WEBRTC_TCP_OFF : listen->udp;
}


static ngx_uint_t
ngx_http_webrtc_candidates_interfaces(ngx_pool_t *pool,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n,
    ngx_http_webrtc_listen_t *listen, ngx_uint_t loopback)
{
    ngx_uint_t        turn, before;
    struct ifaddrs   *list, *ifa;
    struct sockaddr  *sa;

    if (getifaddrs(&list) == -1) {
        ngx_log_error(NGX_LOG_ERR, pool->log, ngx_errno,
                      "getifaddrs() failed");
        return n;
    }

    /*
     * A client on this host is best served over loopback, which comes first.
     * Interfaces to containers and virtual machines of this host are used only
     * if there are no others.
     */

    before = n;

    for (turn = loopback ? 0 : 1; turn < 3; turn++) {

        if (turn == 2 && n > before) {
            break;
        }

        if (turn == 1) {
            before = n;
        }

        for (ifa = list; ifa; ifa = ifa->ifa_next) {

            sa = ifa->ifa_addr;

            if (sa == NULL
                || sa->sa_family != listen->addr.sockaddr->sa_family
                || !(ifa->ifa_flags & IFF_UP)
                || ngx_http_webrtc_is_link_local(sa)
                || ngx_http_webrtc_candidates_loopback(sa) != (turn == 0)
                || (turn && ngx_http_webrtc_candidates_inner(ifa->ifa_name)
                            != (turn == 2)))
            {
                continue;
            }

            n = ngx_http_webrtc_candidates_put(pool, cand, n, sa,
                                               listen->port);
        }
    }

    freeifaddrs(list);

    return n;
}


static ngx_uint_t
ngx_http_webrtc_candidates_put(ngx_pool_t *pool,
    ngx_webrtc_sdp_candidate_t *cand, ngx_uint_t n, struct sockaddr *sa,
    in_port_t port)
{
    u_char     *p;
    size_t      len;
    socklen_t   socklen;

    if (n == NGX_HTTP_WEBRTC_CANDIDATES) {
        return n;
    }

    p = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return n;
    }

#if (NGX_HAVE_INET6)
    socklen = (sa->sa_family == AF_INET6) ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
#else
    socklen = sizeof(struct sockaddr_in);
#endif

    len = ngx_sock_ntop(sa, socklen, p, NGX_SOCKADDR_STRLEN, 0);

    /* IPv6 addresses are in brackets only with a port */

    ngx_memzero(&cand[n], sizeof(ngx_webrtc_sdp_candidate_t));
    cand[n].address.data = p;
    cand[n].address.len = len;
    cand[n].port = port;
    cand[n].type = NGX_WEBRTC_SDP_HOST;

    return n + 1;
}


ngx_uint_t
ngx_http_webrtc_candidates_loopback(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
                   && sin6->sin6_addr.s6_addr[12] == 127);
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif
    }

    return 0;
}


/* whether the interface leads to this host's containers or virtual machines */

static ngx_uint_t
ngx_http_webrtc_candidates_inner(const char *name)
{
    ngx_uint_t  i;

    static const char  *prefixes[] = {
        "docker", "br-", "veth", "virbr", "vnet", "lxcbr", "lxdbr", "cni",
        "podman", "cali", "flannel", "vmnet", "vboxnet", "incusbr", "cilium",
        "weave", "kube-"
    };

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (ngx_strncmp(name, prefixes[i], ngx_strlen(prefixes[i])) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_webrtc_is_link_local(struct sockaddr *sa)
{
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;

    if (sa->sa_family == AF_INET6) {
        sin6 = (struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr);
    }
#endif

    return 0;
}


ngx_uint_t
ngx_http_webrtc_candidates_outside(int family)
{
    ngx_uint_t        found;
    struct ifaddrs   *list, *ifa;
    struct sockaddr  *sa;

    if (getifaddrs(&list) == -1) {
        return 1;
    }

    found = 0;

    for (ifa = list; ifa; ifa = ifa->ifa_next) {
        sa = ifa->ifa_addr;

        if (sa && sa->sa_family == family
            && (ifa->ifa_flags & IFF_UP)
            && !ngx_http_webrtc_is_link_local(sa)
            && !ngx_http_webrtc_candidates_loopback(sa))
        {
            found = 1;
        }
    }

    freeifaddrs(list);

    return found;
}


/* the resolver takes "203.0.113" for 203.0.0.113; here it is a typo */

static ngx_uint_t
ngx_http_webrtc_candidates_short(ngx_str_t *host)
{
    size_t  i;

    for (i = 0; i < host->len; i++) {
        if (host->data[i] != '.'
            && (host->data[i] < '0' || host->data[i] > '9'))
        {
            return 0;
        }
    }

    return ngx_inet_addr(host->data, host->len) == INADDR_NONE;
}


char *
ngx_http_webrtc_candidates_add(ngx_conf_t *cf, ngx_array_t *candidates,
    ngx_str_t *value)
{
    u_char                       *p;
    size_t                        len;
    ngx_str_t                     only;
    ngx_url_t                     u;
    ngx_uint_t                    i;
    ngx_http_webrtc_candidate_t  *cand;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *value;
    u.default_port = 0;

    /* of one transport only */

    ngx_str_null(&only);

    if (value->len > 4
        && (ngx_strcmp(value->data + value->len - 4, "/tcp") == 0
            || ngx_strcmp(value->data + value->len - 4, "/udp") == 0))
    {
        u.url.len -= 4;
        only.data = value->data + u.url.len;
        only.len = 4;
    }

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0
        || u.family == AF_UNIX || ngx_http_webrtc_candidates_short(&u.host))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in webrtc_candidate \"%V\", expected an "
                           "address or name with an optional port, such as "
                           "\"203.0.113.5\", \"203.0.113.5:8000\", "
                           "\"203.0.113.5:443/tcp\" or "
                           "\"[2001:db8::5]\"",
                           u.err ? u.err : "invalid address", value);
        return NGX_CONF_ERROR;
    }

    if (ngx_inet_wildcard(u.addrs[0].sockaddr)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no client reaches \"%V\" in webrtc_candidate, "
                           "expected the address of this host as clients see "
                           "it, such as \"203.0.113.5\"", value);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < u.naddrs; i++) {

        cand = ngx_array_push(candidates);
        if (cand == NULL) {
            return NGX_CONF_ERROR;
        }

        p = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        len = ngx_sock_ntop(u.addrs[i].sockaddr, u.addrs[i].socklen, p,
                            NGX_SOCKADDR_STRLEN, 0);

        cand->text.data = p;
        cand->text.len = len;
        cand->value = *value;
        cand->family = u.addrs[i].sockaddr->sa_family;
        cand->loopback = ngx_http_webrtc_candidates_loopback(
                             u.addrs[i].sockaddr);
        cand->port = u.no_port ? 0 : u.port;
        cand->tcp = (only.len && only.data[1] == 't');
        cand->udp = (only.len && only.data[1] == 'u');
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_webrtc_candidates_check(ngx_conf_t *cf)
{
    ngx_uint_t                    i, k, found;
    ngx_http_webrtc_candidate_t  *cand;
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    cand = wmcf->candidates.elts;

    for (i = 0; i < wmcf->candidates.nelts; i++) {

        /* a name may have addresses of both families */

        for (k = 0, found = 0; k < wmcf->candidates.nelts; k++) {
            found |= cand[k].value.data == cand[i].value.data
                     && ngx_http_webrtc_candidates_family(wmcf, &cand[k]);
        }

        if (!found) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in webrtc_candidate, "
                               "expected an address of a family that is "
                               "listened on, or \"webrtc_listen %s\", too",
                               &cand[i].value,
                               cand[i].family == AF_INET ? "8000"
                                                         : "[::]:8000");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_webrtc_candidates_family(ngx_http_webrtc_main_conf_t *wmcf,
    ngx_http_webrtc_candidate_t *cand)
{
    ngx_uint_t                 i;
    ngx_http_webrtc_listen_t  *listen;

    listen = wmcf->listens.elts;

    for (i = 0; i < wmcf->listens.nelts; i++) {
        if (listen[i].addr.sockaddr->sa_family == cand->family) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_webrtc_candidates_none(ngx_http_request_t *r, const char *why)
{
    ngx_str_t          detail;

    static ngx_msec_t  said;

    if (why == NULL) {
        why = "no interface has an address of the family of webrtc_listen, "
              "and there is no webrtc_candidate";
    }

    if (said == 0
        || ngx_current_msec - said >= NGX_HTTP_WEBRTC_CANDIDATES_LOG)
    {
        said = ngx_current_msec;

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "webrtc has no candidate for an answer: %s", why);
    }

    if (ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    detail.data = (u_char *) why;
    detail.len = ngx_strlen(why);

    return ngx_http_webrtc_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "no candidate", &detail);
}


ngx_int_t
ngx_http_webrtc_candidates_causes(ngx_pool_t *pool,
    ngx_webrtc_nice_relays_t *relays, ngx_str_t *causes)
{
    u_char                   *p, *end;
    size_t                    size;
    ngx_uint_t                i;
    ngx_webrtc_nice_relay_t  *relay;

    static const u_char  text[] = "TURN server ";

    size = 0;

    for (i = 0; i < relays->n; i++) {
        size += sizeof(text) + sizeof(": ; ") + relays->relay[i].url.len
                + NGX_WEBRTC_NICE_CAUSE;
    }

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    causes->data = p;
    end = p + size;

    for (i = 0; i < relays->n; i++) {
        relay = &relays->relay[i];

        p = ngx_slprintf(p, end, "%s%s%V: ", i ? "; " : "", text, &relay->url);
        p = ngx_webrtc_nice_relay_cause(relay, p, end);
    }

    causes->len = p - causes->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_webrtc_candidates_refused(ngx_http_request_t *r,
    ngx_webrtc_nice_relays_t *relays)
{
    ngx_str_t   detail;
    ngx_uint_t  i, later;

    if (ngx_http_webrtc_candidates_causes(r->pool, relays, &detail)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    later = 0;

    for (i = 0; i < relays->n; i++) {
        later |= ngx_webrtc_nice_relay_later(&relays->relay[i]);
    }

    if (later && ngx_http_webrtc_retry_after(r, NGX_HTTP_WEBRTC_RETRY)
                 != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_webrtc_problem(r, later ? NGX_HTTP_SERVICE_UNAVAILABLE
                                            : NGX_HTTP_BAD_GATEWAY,
                                   "no candidate", &detail);
}
