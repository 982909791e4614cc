
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Candidates are checked when they are signalled.  But libnice sends checks to
 * an address learnt from a check (RFC 8445, 7.3.1.3) before we hear of it, so
 * the sockets have a kernel filter (classic BPF) with the same rules.
 *
 * An IPv6 address that embeds IPv4 addresses (ngx_webrtc_embedded.h) is allowed
 * if it is allowed itself and each of them is:
 *
 *   1. The address itself is matched against the rules.
 *
 *   2. The embedded addresses are stored in the filter's memory, form by form.
 *
 *   3. Each of these is matched against the IPv4 rules.
 *
 * RFC 6890 (special addresses).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <linux/filter.h>
#include <ngx_webrtc_embedded.h>
#include "ngx_webrtc_ice_filter.h"


/* instructions: of IPv6, 4 words of 3 each and a return, for all rules */
#define NGX_WEBRTC_ICE_FILTER_CODE                                            \
    (16 * (NGX_WEBRTC_ICE_FILTER_RULES + NGX_WEBRTC_ICE_FILTER_SERVERS + 48))

/* bytes of the header in front of the source; RFC 791, 3.1; RFC 8200, 3 */
#define NGX_WEBRTC_ICE_FILTER_SRC4     12
#define NGX_WEBRTC_ICE_FILTER_SRC6     8


typedef struct {
    const char                  *word;
    const char                  *cidr;
} ngx_webrtc_ice_filter_net_t;


typedef enum {
    NGX_WEBRTC_ICE_FILTER_PASS = 0,           /* whatever comes after */
    NGX_WEBRTC_ICE_FILTER_DROP,
    NGX_WEBRTC_ICE_FILTER_LEAVE               /* for the end of the block */
} ngx_webrtc_ice_filter_then_e;


/* the part of the packet that a block of rules compares */
typedef struct {
    ngx_uint_t                   first;       /* word of 4 */
    uint16_t                     op;          /* loads word i of src */
    uint32_t                     src;
    ngx_uint_t                   inet;        /* IPv4 */
    ngx_uint_t                   start;       /* first instruction */
} ngx_webrtc_ice_filter_block_t;


typedef struct {
    struct sock_filter           code[NGX_WEBRTC_ICE_FILTER_CODE];
    ngx_uint_t                   n;
    ngx_webrtc_ice_filter_block_t  block;
} ngx_webrtc_ice_filter_code_t;


static ngx_uint_t ngx_webrtc_ice_filter_verdict(
    const ngx_webrtc_ice_filter_t *filter, const u_char *addr);
static ngx_uint_t ngx_webrtc_ice_filter_default(ngx_webrtc_ice_rule_t *rules);
static ngx_int_t ngx_webrtc_ice_filter_cidr(ngx_webrtc_ice_rule_t *rule,
    ngx_str_t *text);
static ngx_int_t ngx_webrtc_ice_filter_addr(struct sockaddr *sa, u_char *addr);
static ngx_uint_t ngx_webrtc_ice_filter_matches(
    const ngx_webrtc_ice_rule_t *rule, const u_char *addr);
static ngx_uint_t ngx_webrtc_ice_filter_inet(const ngx_webrtc_ice_rule_t *rule);
static void ngx_webrtc_ice_filter_rules(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_filter_t *filter, ngx_uint_t client);
static void ngx_webrtc_ice_filter_embedded(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_filter_t *filter);
static void ngx_webrtc_ice_filter_form(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_embedded_form_t *form);
static void ngx_webrtc_ice_filter_begin(ngx_webrtc_ice_filter_code_t *code,
    ngx_uint_t inet, uint16_t op, uint32_t src);
static void ngx_webrtc_ice_filter_end(ngx_webrtc_ice_filter_code_t *code);
static void ngx_webrtc_ice_filter_test(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_rule_t *rule, ngx_webrtc_ice_filter_then_e then);
static void ngx_webrtc_ice_filter_compare(ngx_webrtc_ice_filter_code_t *code,
    const u_char *addr, const u_char *mask, ngx_uint_t more);
static void ngx_webrtc_ice_filter_put(ngx_webrtc_ice_filter_code_t *code,
    uint16_t op, uint32_t k, uint8_t jf);


static const u_char  ngx_webrtc_ice_filter_mapped[12] =
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };


/* RFC 6890 and its successors; a word's rows, and all that is denied without a
 * rule */

static const ngx_webrtc_ice_filter_net_t  ngx_webrtc_ice_filter_nets[] = {
    { "private",  "10.0.0.0/8" },
    { "private",  "172.16.0.0/12" },
    { "private",  "192.168.0.0/16" },
    { "private",  "100.64.0.0/10" },       /* RFC 6598 */
    { "private",  "169.254.0.0/16" },
    { "private",  "fc00::/7" },
    { "private",  "fe80::/10" },
    { "private",  "fec0::/10" },
    { "loopback", "127.0.0.0/8" },
    { "loopback", "::1" },
    { "",         "0.0.0.0/8" },           /* which is this host, too */
    { "",         "192.0.0.0/24" },
    { "",         "198.18.0.0/15" },       /* RFC 2544 */
    { "",         "224.0.0.0/3" },         /* multicast, reserved, broadcast */
    { "",         "::/96" },               /* RFC 4291, 2.5.5.1 */
    { "",         "64:ff9b:1::/48" },      /* NAT64 of a network, RFC 8215 */
    { "",         "ff00::/8" }
};

#define NGX_WEBRTC_ICE_FILTER_NETS                                            \
    (sizeof(ngx_webrtc_ice_filter_nets) / sizeof(ngx_webrtc_ice_filter_nets[0]))


ngx_uint_t
ngx_webrtc_ice_filter_allows(const ngx_webrtc_ice_filter_t *filter,
    struct sockaddr *sa)
{
    u_char      addr[16];
    uint32_t    inet[NGX_WEBRTC_EMBEDDED];
    ngx_uint_t  i, n;

    if (ngx_webrtc_ice_filter_addr(sa, addr) != NGX_OK
        || !ngx_webrtc_ice_filter_verdict(filter, addr))
    {
        return 0;
    }

    n = ngx_webrtc_embedded(addr, inet);

    ngx_memcpy(addr, ngx_webrtc_ice_filter_mapped, 12);

    for (i = 0; i < n; i++) {
        ngx_memcpy(addr + 12, &inet[i], 4);

        if (!ngx_webrtc_ice_filter_verdict(filter, addr)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_webrtc_ice_filter_verdict(const ngx_webrtc_ice_filter_t *filter,
    const u_char *addr)
{
    ngx_uint_t              i, n;
    ngx_webrtc_ice_rule_t   rules[NGX_WEBRTC_ICE_FILTER_NETS];

    for (i = 0; i < filter->n; i++) {
        if (ngx_webrtc_ice_filter_matches(&filter->rules[i], addr)) {
            return !filter->rules[i].deny;
        }
    }

    if (filter->chosen && !filter->client.deny
        && ngx_webrtc_ice_filter_matches(&filter->client, addr))
    {
        return 1;
    }

    n = ngx_webrtc_ice_filter_default(rules);

    for (i = 0; i < n; i++) {
        if (ngx_webrtc_ice_filter_matches(&rules[i], addr)) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_webrtc_ice_filter_attach(const ngx_webrtc_ice_filter_t *filter,
    const ngx_webrtc_ice_rule_t *servers, ngx_uint_t n, ngx_socket_t fd,
    ngx_log_t *log)
{
    socklen_t                      len;
    ngx_uint_t                     i, inet;
    ngx_sockaddr_t                 local;
    struct sock_fprog              prog;
    ngx_webrtc_ice_filter_code_t   code;

    len = sizeof(ngx_sockaddr_t);

    if (getsockname(fd, &local.sockaddr, &len) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "getsockname() failed");
        return NGX_ERROR;
    }

    code.n = 0;
    inet = (local.sockaddr.sa_family == AF_INET);

    ngx_webrtc_ice_filter_begin(&code, inet, BPF_LD|BPF_W|BPF_ABS,
                                SKF_NET_OFF + (inet
                                               ? NGX_WEBRTC_ICE_FILTER_SRC4
                                               : NGX_WEBRTC_ICE_FILTER_SRC6));

    for (i = 0; i < n && i < NGX_WEBRTC_ICE_FILTER_SERVERS; i++) {
        ngx_webrtc_ice_filter_test(&code, &servers[i],
                                   NGX_WEBRTC_ICE_FILTER_PASS);
    }

    ngx_webrtc_ice_filter_rules(&code, filter, 1);
    ngx_webrtc_ice_filter_end(&code);

    if (!inet) {
        ngx_webrtc_ice_filter_embedded(&code, filter);
    }

    ngx_webrtc_ice_filter_put(&code, BPF_RET|BPF_K, 0xffffffff, 0);

    prog.len = (unsigned short) code.n;
    prog.filter = code.code;

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "setsockopt(SO_ATTACH_FILTER) failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_webrtc_ice_filter_client(ngx_webrtc_ice_filter_t *filter,
    struct sockaddr *sa)
{
    u_char      *addr;
    size_t       len;

    if (ngx_webrtc_ice_filter_rule(&filter->client, sa) != NGX_OK) {

        /* a unix socket: nothing is let through because of it */

        ngx_memzero(&filter->client, sizeof(ngx_webrtc_ice_rule_t));
        ngx_memset(filter->client.mask, 0xff, 16);
        filter->client.deny = 1;
        return;
    }

    addr = filter->client.addr;

    if (ngx_memcmp(addr, ngx_webrtc_ice_filter_mapped, 12) == 0) {
        len = (addr[12] == 127) ? 13 : 15;

    } else {
        len = 8;
    }

    ngx_memzero(filter->client.mask + len, 16 - len);
    ngx_memzero(addr + len, 16 - len);
}


ngx_int_t
ngx_webrtc_ice_filter_rule(ngx_webrtc_ice_rule_t *rule, struct sockaddr *sa)
{
    ngx_memset(rule->mask, 0xff, 16);
    rule->deny = 0;

    return ngx_webrtc_ice_filter_addr(sa, rule->addr);
}


ngx_int_t
ngx_webrtc_ice_filter_add(ngx_array_t *rules, ngx_str_t *word,
    ngx_uint_t deny)
{
    ngx_str_t               cidr;
    ngx_uint_t              i, found;
    ngx_webrtc_ice_rule_t   rule, *r;

    found = 0;

    for (i = 0; i < NGX_WEBRTC_ICE_FILTER_NETS; i++) {

        if (word->len != ngx_strlen(ngx_webrtc_ice_filter_nets[i].word)
            || ngx_strncmp(word->data, ngx_webrtc_ice_filter_nets[i].word,
                           word->len)
               != 0
            || word->len == 0)
        {
            continue;
        }

        cidr.data = (u_char *) ngx_webrtc_ice_filter_nets[i].cidr;
        cidr.len = ngx_strlen(cidr.data);

        (void) ngx_webrtc_ice_filter_cidr(&rule, &cidr);

        r = ngx_array_push(rules);
        if (r == NULL) {
            return NGX_ERROR;
        }

        *r = rule;
        r->deny = deny ? 1 : 0;
        found = 1;
    }

    if (found) {
        return NGX_OK;
    }

    if (word->len == 3 && ngx_strncmp(word->data, "all", 3) == 0) {
        ngx_memzero(&rule, sizeof(ngx_webrtc_ice_rule_t));

    } else if (ngx_webrtc_ice_filter_cidr(&rule, word) != NGX_OK) {
        return NGX_DECLINED;
    }

    r = ngx_array_push(rules);
    if (r == NULL) {
        return NGX_ERROR;
    }

    *r = rule;
    r->deny = deny ? 1 : 0;

    return NGX_OK;
}


/* all that is denied without a rule; room for NGX_WEBRTC_ICE_FILTER_NETS */

static ngx_uint_t
ngx_webrtc_ice_filter_default(ngx_webrtc_ice_rule_t *rules)
{
    ngx_str_t   cidr;
    ngx_uint_t  i;

    for (i = 0; i < NGX_WEBRTC_ICE_FILTER_NETS; i++) {
        cidr.data = (u_char *) ngx_webrtc_ice_filter_nets[i].cidr;
        cidr.len = ngx_strlen(cidr.data);

        (void) ngx_webrtc_ice_filter_cidr(&rules[i], &cidr);
        rules[i].deny = 1;
    }

    return NGX_WEBRTC_ICE_FILTER_NETS;
}


static ngx_int_t
ngx_webrtc_ice_filter_cidr(ngx_webrtc_ice_rule_t *rule, ngx_str_t *text)
{
    ngx_int_t   rc;
    ngx_cidr_t  cidr;

    ngx_memzero(&cidr, sizeof(ngx_cidr_t));

    rc = ngx_ptocidr(text, &cidr);

    if (rc == NGX_ERROR) {
        return NGX_DECLINED;
    }

    rule->deny = 0;

#if (NGX_HAVE_INET6)
    if (cidr.family == AF_INET6) {
        ngx_memcpy(rule->addr, &cidr.u.in6.addr, 16);
        ngx_memcpy(rule->mask, &cidr.u.in6.mask, 16);
        return NGX_OK;
    }
#endif

    if (cidr.family != AF_INET) {
        return NGX_DECLINED;
    }

    ngx_memcpy(rule->addr, ngx_webrtc_ice_filter_mapped, 12);
    ngx_memcpy(rule->addr + 12, &cidr.u.in.addr, 4);
    ngx_memset(rule->mask, 0xff, 12);
    ngx_memcpy(rule->mask + 12, &cidr.u.in.mask, 4);

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_ice_filter_addr(struct sockaddr *sa, u_char *addr)
{
    switch (sa->sa_family) {

    case AF_INET:
        ngx_memcpy(addr, ngx_webrtc_ice_filter_mapped, 12);
        ngx_memcpy(addr + 12, &((struct sockaddr_in *) sa)->sin_addr, 4);
        return NGX_OK;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        ngx_memcpy(addr, &((struct sockaddr_in6 *) sa)->sin6_addr, 16);
        return NGX_OK;
#endif
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_webrtc_ice_filter_matches(const ngx_webrtc_ice_rule_t *rule,
    const u_char *addr)
{
    ngx_uint_t  i;

    for (i = 0; i < 16; i++) {
        if ((addr[i] & rule->mask[i]) != rule->addr[i]) {
            return 0;
        }
    }

    return 1;
}


/* is there IPv4 that the rule matches? */

static ngx_uint_t
ngx_webrtc_ice_filter_inet(const ngx_webrtc_ice_rule_t *rule)
{
    ngx_uint_t  i;

    for (i = 0; i < 12; i++) {
        if ((ngx_webrtc_ice_filter_mapped[i] & rule->mask[i])
            != rule->addr[i])
        {
            return 0;
        }
    }

    return 1;
}


/* The first rule that matches drops the packet, or leaves the block. */

static void
ngx_webrtc_ice_filter_rules(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_filter_t *filter, ngx_uint_t client)
{
    ngx_uint_t              i, n;
    ngx_webrtc_ice_rule_t   rules[NGX_WEBRTC_ICE_FILTER_NETS];

    for (i = 0; i < filter->n && i < NGX_WEBRTC_ICE_FILTER_RULES; i++) {
        ngx_webrtc_ice_filter_test(code, &filter->rules[i],
                                   filter->rules[i].deny
                                   ? NGX_WEBRTC_ICE_FILTER_DROP
                                   : NGX_WEBRTC_ICE_FILTER_LEAVE);
    }

    if (client) {
        ngx_webrtc_ice_filter_test(code, &filter->client,
                                   filter->client.deny
                                   ? NGX_WEBRTC_ICE_FILTER_DROP
                                   : NGX_WEBRTC_ICE_FILTER_PASS);
    }

    n = ngx_webrtc_ice_filter_default(rules);

    for (i = 0; i < n; i++) {
        ngx_webrtc_ice_filter_test(code, &rules[i], NGX_WEBRTC_ICE_FILTER_DROP);
    }
}


/* A place is two words of memory: the address, and whether there is one. */

static void
ngx_webrtc_ice_filter_embedded(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_filter_t *filter)
{
    ngx_uint_t  i, p;

    ngx_webrtc_ice_filter_put(code, BPF_LD|BPF_IMM, 0, 0);

    for (p = 0; p < NGX_WEBRTC_EMBEDDED; p++) {
        ngx_webrtc_ice_filter_put(code, BPF_ST, (uint32_t) (2 * p), 0);
        ngx_webrtc_ice_filter_put(code, BPF_ST, (uint32_t) (2 * p + 1), 0);
    }

    for (i = 0; i < NGX_WEBRTC_EMBEDDED_FORMS; i++) {
        ngx_webrtc_ice_filter_form(code, &ngx_webrtc_embedded_forms[i]);
    }

    for (p = 0; p < NGX_WEBRTC_EMBEDDED; p++) {

        ngx_webrtc_ice_filter_begin(code, 1, BPF_LD|BPF_MEM,
                                    (uint32_t) (2 * p));

        ngx_webrtc_ice_filter_put(code, BPF_LD|BPF_MEM,
                                  (uint32_t) (2 * p + 1), 0);
        ngx_webrtc_ice_filter_put(code, BPF_JMP|BPF_JEQ|BPF_K, 0, 1);
        ngx_webrtc_ice_filter_put(code, BPF_JMP|BPF_JA, 0, 0);

        ngx_webrtc_ice_filter_rules(code, filter, 0);

        ngx_webrtc_ice_filter_end(code);
    }
}


static void
ngx_webrtc_ice_filter_form(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_embedded_form_t *form)
{
    ngx_uint_t  place;

    place = 2 * form->place;

    ngx_webrtc_ice_filter_begin(code, 0, BPF_LD|BPF_W|BPF_ABS,
                                SKF_NET_OFF + NGX_WEBRTC_ICE_FILTER_SRC6);

    ngx_webrtc_ice_filter_compare(code, form->addr, form->mask, 5);

    ngx_webrtc_ice_filter_put(code, BPF_LD|BPF_W|BPF_ABS,
                              SKF_NET_OFF + NGX_WEBRTC_ICE_FILTER_SRC6
                              + (uint32_t) form->at, 0);
    ngx_webrtc_ice_filter_put(code, BPF_ALU|BPF_XOR|BPF_K, form->flip, 0);
    ngx_webrtc_ice_filter_put(code, BPF_ST, (uint32_t) place, 0);
    ngx_webrtc_ice_filter_put(code, BPF_LD|BPF_IMM, 1, 0);
    ngx_webrtc_ice_filter_put(code, BPF_ST, (uint32_t) place + 1, 0);
}


/* Rules follow, for what is at src. */

static void
ngx_webrtc_ice_filter_begin(ngx_webrtc_ice_filter_code_t *code,
    ngx_uint_t inet, uint16_t op, uint32_t src)
{
    ngx_webrtc_ice_filter_block_t  *b;

    b = &code->block;

    b->inet = inet;
    b->first = inet ? 3 : 0;
    b->op = op;
    b->src = inet ? src - 12 : src;
    b->start = code->n;
}


/* Packets that leave the block continue here. */

static void
ngx_webrtc_ice_filter_end(ngx_webrtc_ice_filter_code_t *code)
{
    ngx_uint_t           i;
    struct sock_filter  *f;

    for (i = code->block.start; i < code->n; i++) {
        f = &code->code[i];

        if (f->code == (BPF_JMP|BPF_JA)) {
            f->k = (uint32_t) (code->n - i - 1);
        }
    }
}


static void
ngx_webrtc_ice_filter_test(ngx_webrtc_ice_filter_code_t *code,
    const ngx_webrtc_ice_rule_t *rule, ngx_webrtc_ice_filter_then_e then)
{
    ngx_uint_t  i, inet, all;

    inet = ngx_webrtc_ice_filter_inet(rule);

    for (all = 1, i = 0; i < 12; i++) {
        all = all && rule->mask[i] == 0xff;
    }

    /* those of IPv4 alone are for an address that is held, those of IPv6 are
     * for one that is not */

    if (code->block.inet ? !inet : (inet && all)) {
        return;
    }

    ngx_webrtc_ice_filter_compare(code, rule->addr, rule->mask, 1);

    if (then == NGX_WEBRTC_ICE_FILTER_LEAVE) {
        ngx_webrtc_ice_filter_put(code, BPF_JMP|BPF_JA, 0, 0);
        return;
    }

    ngx_webrtc_ice_filter_put(code, BPF_RET|BPF_K,
                              then == NGX_WEBRTC_ICE_FILTER_PASS
                              ? 0xffffffff : 0, 0);
}


/* Compares each word that the mask has; "more" instructions follow, which are
 * passed over when they differ. */

static void
ngx_webrtc_ice_filter_compare(ngx_webrtc_ice_filter_code_t *code,
    const u_char *addr, const u_char *mask, ngx_uint_t more)
{
    uint32_t                        a[4], m[4];
    ngx_uint_t                      i, left;
    ngx_webrtc_ice_filter_block_t  *b;

    b = &code->block;

    ngx_memcpy(a, addr, 16);
    ngx_memcpy(m, mask, 16);

    for (left = 0, i = b->first; i < 4; i++) {
        left += (m[i] != 0);
    }

    for (i = b->first; i < 4; i++) {

        if (m[i] == 0) {
            continue;
        }

        left--;

        ngx_webrtc_ice_filter_put(code, b->op,
                                  b->src + 4 * (uint32_t) i, 0);
        ngx_webrtc_ice_filter_put(code, BPF_ALU|BPF_AND|BPF_K, ntohl(m[i]), 0);
        ngx_webrtc_ice_filter_put(code, BPF_JMP|BPF_JEQ|BPF_K, ntohl(a[i]),
                                  (uint8_t) (3 * left + more));
    }
}


/* jf: instructions that are passed over when the comparison fails */

static void
ngx_webrtc_ice_filter_put(ngx_webrtc_ice_filter_code_t *code, uint16_t op,
    uint32_t k, uint8_t jf)
{
    struct sock_filter  *f;

    f = &code->code[code->n++];

    f->code = op;
    f->jt = 0;
    f->jf = jf;
    f->k = k;
}
