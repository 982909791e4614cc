
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Where an upstream may lead: see ngx_webrtc_source_reach.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <netdb.h>

#include <ngx_webrtc_embedded.h>
#include "ngx_webrtc_source_reach.h"


/* RFC 1035, 2.3.4: a name has up to 255 octets */
#define NGX_WEBRTC_SOURCE_REACH_NAME  255


typedef struct {
    uint32_t                    addr;
    ngx_uint_t                  bits;
    ngx_webrtc_source_reach_e   reach;
} ngx_webrtc_source_reach_net_t;


typedef struct {
    u_char                      addr[6];
    ngx_uint_t                  bits;
    ngx_webrtc_source_reach_e   reach;
} ngx_webrtc_source_reach_net6_t;


static ngx_webrtc_source_reach_e ngx_webrtc_source_reach_ipv4(uint32_t addr);
static ngx_webrtc_source_reach_e ngx_webrtc_source_reach_ipv6(const u_char *p);
static ngx_uint_t ngx_webrtc_source_reach_same(const u_char *p,
    const u_char *q, ngx_uint_t bits);
static ngx_webrtc_source_reach_e ngx_webrtc_source_reach_name(
    ngx_str_t *host);
static const char *ngx_webrtc_source_reach_http(const char *url);


/* RFC 6890, and RFC 1122, 3.2.1.3: 0.0.0.0 connects to this host */

static const ngx_webrtc_source_reach_net_t  ngx_webrtc_source_reach_nets[] = {
    { 0x00000000,  8, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { 0x7f000000,  8, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { 0xa9fe0000, 16, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { 0xe0000000,  3, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { 0x0a000000,  8, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { 0x64400000, 10, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { 0xac100000, 12, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { 0xc0a80000, 16, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { 0xc6120000, 15, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { 0, 0, NGX_WEBRTC_SOURCE_REACH_PUBLIC }
};


/* judged as they are, whatever IPv4 address they hold */

static const ngx_webrtc_source_reach_net6_t  ngx_webrtc_source_reach_nets6[] =
{
    { { 0xfe, 0x80 }, 10, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { { 0xff, 0x00 },  8, NGX_WEBRTC_SOURCE_REACH_LOCAL },
    { { 0xfc, 0x00 },  7, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { { 0xfe, 0xc0 }, 10, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    /* RFC 8215: local-use NAT64 */
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48, NGX_WEBRTC_SOURCE_REACH_PRIVATE },
    { { 0 }, 0, NGX_WEBRTC_SOURCE_REACH_PUBLIC }
};


ngx_webrtc_source_reach_e
ngx_webrtc_source_reach_address(struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        return ngx_webrtc_source_reach_ipv4(
                       ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr));
    }

    if (sa->sa_family == AF_INET6) {
        return ngx_webrtc_source_reach_ipv6(
                       ((struct sockaddr_in6 *) sa)->sin6_addr.s6_addr);
    }

    return NGX_WEBRTC_SOURCE_REACH_UNKNOWN;
}


static ngx_webrtc_source_reach_e
ngx_webrtc_source_reach_ipv4(uint32_t addr)
{
    const ngx_webrtc_source_reach_net_t  *net;

    for (net = ngx_webrtc_source_reach_nets; net->bits; net++) {
        if (((addr ^ net->addr) >> (32 - net->bits)) == 0) {
            break;
        }
    }

    return net->reach;
}


static ngx_webrtc_source_reach_e
ngx_webrtc_source_reach_ipv6(const u_char *p)
{
    uint32_t                               inet[NGX_WEBRTC_EMBEDDED];
    ngx_uint_t                             i, n;
    ngx_webrtc_source_reach_e              reach, held;
    const ngx_webrtc_source_reach_net6_t  *net;

    static const u_char  zero[12];

    for (net = ngx_webrtc_source_reach_nets6; net->bits; net++) {
        if (ngx_webrtc_source_reach_same(p, net->addr, net->bits)) {
            break;
        }
    }

    reach = net->reach;
    n = ngx_webrtc_embedded(p, inet);

    /* "::" and "::1" are among those with 12 zeroes: 0.0.0.0, 0.0.0.1 */

    if (ngx_memcmp(p, zero, 12) == 0) {
        ngx_memcpy(&inet[0], p + 12, 4);
        n = 1;
    }

    for (i = 0; i < n; i++) {
        held = ngx_webrtc_source_reach_ipv4(ntohl(inet[i]));
        reach = ngx_max(reach, held);
    }

    return reach;
}


static ngx_uint_t
ngx_webrtc_source_reach_same(const u_char *p, const u_char *q, ngx_uint_t bits)
{
    ngx_uint_t  n;

    n = bits / 8;

    return ngx_memcmp(p, q, n) == 0
           && (bits % 8 == 0 || (p[n] ^ q[n]) >> (8 - bits % 8) == 0);
}


/* as av_url_split(): the last '@' before the path ends the user information */

ngx_int_t
ngx_webrtc_source_reach_host(const char *url, ngx_str_t *host)
{
    u_char  *p, *q, *last;

    p = (u_char *) strstr(url, "://");
    if (p == NULL) {
        return NGX_DECLINED;
    }

    p += 3;
    last = p + strcspn((char *) p, "/?#");

    for (q = last; q > p; q--) {
        if (q[-1] == '@') {
            p = q;
            break;
        }
    }

    if (p < last && *p == '[') {

        p++;
        q = ngx_strlchr(p, last, ']');

        if (q == NULL) {
            return NGX_DECLINED;
        }

    } else {
        q = ngx_strlchr(p, last, ':');

        if (q == NULL) {
            q = last;
        }
    }

    host->data = p;
    host->len = q - p;

    return (host->len && host->len <= NGX_WEBRTC_SOURCE_REACH_NAME)
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_webrtc_source_reach(const char *main, const char *url, const char **cause)
{
    const char  *p;

    for (p = url; *p; p++) {
        if ((u_char) *p < 0x20 || *p == 0x7f) {
            *cause = "a URL with a control character";
            return NGX_DECLINED;
        }
    }

    url = ngx_webrtc_source_reach_http(url);

    if (url == NULL) {
        *cause = "what is not of http";
        return NGX_DECLINED;
    }

    return ngx_webrtc_source_reach_host_ok(main, url, cause);
}


ngx_int_t
ngx_webrtc_source_reach_host_ok(const char *main, const char *url,
    const char **cause)
{
    ngx_str_t                   a, b;
    ngx_webrtc_source_reach_e   reach;

    if (ngx_webrtc_source_reach_host(main, &a) != NGX_OK
        || ngx_webrtc_source_reach_host(url, &b) != NGX_OK)
    {
        *cause = "a URL without a host";
        return NGX_DECLINED;
    }

    if (a.len == b.len && ngx_strncasecmp(a.data, b.data, a.len) == 0) {
        return NGX_OK;
    }

    reach = ngx_webrtc_source_reach_name(&b);

    if (reach == NGX_WEBRTC_SOURCE_REACH_PUBLIC) {
        return NGX_OK;
    }

    if (reach == NGX_WEBRTC_SOURCE_REACH_UNKNOWN) {
        *cause = "a host without an address";
        return NGX_DECLINED;
    }

    /* is the configured host farther away than that? */

    if (ngx_webrtc_source_reach_name(&a) < reach) {
        *cause = (reach == NGX_WEBRTC_SOURCE_REACH_LOCAL)
                 ? "this machine" : "a private network";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* without hls' prefix of encrypted segments; NULL: not http */

static const char *
ngx_webrtc_source_reach_http(const char *url)
{
    const char  *encrypted;

    encrypted = ngx_webrtc_source_reach_encrypted(url);

    if (encrypted) {
        url = encrypted;
    }

    return (ngx_strncasecmp((u_char *) url, (u_char *) "http://", 7) == 0
            || ngx_strncasecmp((u_char *) url, (u_char *) "https://", 8) == 0)
           ? url : NULL;
}


const char *
ngx_webrtc_source_reach_encrypted(const char *url)
{
    return (ngx_strncmp(url, "crypto+", 7) == 0
            || ngx_strncmp(url, "crypto:", 7) == 0)
           ? url + 7 : NULL;
}


/* the closest of its addresses */

static ngx_webrtc_source_reach_e
ngx_webrtc_source_reach_name(ngx_str_t *host)
{
    char                        name[NGX_WEBRTC_SOURCE_REACH_NAME + 1];
    struct addrinfo             hints, *list, *ai;
    ngx_webrtc_source_reach_e   reach, one;

    (void) ngx_cpystrn((u_char *) name, host->data, host->len + 1);

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;

    if (getaddrinfo(name, NULL, &hints, &list) != 0) {
        return NGX_WEBRTC_SOURCE_REACH_UNKNOWN;
    }

    reach = NGX_WEBRTC_SOURCE_REACH_PUBLIC;

    for (ai = list; ai; ai = ai->ai_next) {
        one = ngx_webrtc_source_reach_address(ai->ai_addr);
        reach = ngx_max(reach, one);
    }

    freeaddrinfo(list);

    return reach;
}


ngx_int_t
ngx_webrtc_source_reach_file(const char *main, const char *url,
    const char **path, const char **cause)
{
    size_t       n;
    const char  *p, *end;

    if (ngx_strncmp(main, "file:", 5) == 0) {
        main += 5;
    }

    if (ngx_strncmp(url, "file:", 5) == 0) {
        url += 5;
    }

    if (*url != '/') {
        *cause = "what is not a file";
        return NGX_DECLINED;
    }

    p = strrchr(main, '/');
    n = p ? (size_t) (p + 1 - main) : 0;

    if (n == 0 || ngx_strncmp(main, url, n) != 0) {
        *cause = "a file outside of its directory";
        return NGX_DECLINED;
    }

    for (p = url + n; *p; p = *end ? end + 1 : end) {

        for (end = p; *end && *end != '/'; end++) { /* void */ }

        if (p[0] == '.' && (end - p == 1 || (end - p == 2 && p[1] == '.'))) {
            *cause = "a file outside of its directory";
            return NGX_DECLINED;
        }
    }

    *path = url;

    return NGX_OK;
}
