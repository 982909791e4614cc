
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Addresses of peers by rules: as a candidate is looked at, and as the filter
 * of a socket does it, which is read back from the kernel and run here for
 * sources that nobody has.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <linux/filter.h>

#include <ngx_webrtc_ice_filter.h>

#include <tap.h>


#ifndef SO_GET_FILTER
#define SO_GET_FILTER  SO_ATTACH_FILTER
#endif


typedef struct {
    const char  *addr;
    ngx_uint_t   allowed;
    const char  *what;
} row_t;


/* without a rule */

static const row_t  plain[] = {
    { "203.0.113.7", 1, "public" },
    { "10.1.2.3", 0, "private" },
    { "172.31.0.1", 0, "private" },
    { "172.32.0.1", 1, "just not private" },
    { "192.168.1.1", 0, "private" },
    { "100.64.0.1", 0, "of a carrier's NAT" },
    { "169.254.169.254", 0, "link-local" },
    { "127.0.0.1", 0, "loopback" },
    { "0.0.0.0", 0, "this host" },
    { "224.0.0.1", 0, "multicast" },
    { "255.255.255.255", 0, "broadcast" },

    { "2a00:1450::1", 1, "public" },
    { "fd00::1", 0, "private" },
    { "fe80::1", 0, "link-local" },
    { "ff02::1", 0, "multicast" },
    { "::1", 0, "loopback" },
    { "::", 0, "unspecified" },

    { "::ffff:127.0.0.1", 0, "IPv4-mapped loopback" },
    { "::ffff:10.0.0.1", 0, "IPv4-mapped private" },
    { "::ffff:203.0.113.7", 1, "IPv4-mapped public" },

    { "::ffff:0:192.168.0.1", 0, "IPv4-translated private" },
    { "::ffff:0:203.0.113.7", 1, "IPv4-translated public" },

    { "::127.0.0.1", 0, "IPv4-compatible loopback" },
    { "::203.0.113.7", 0, "IPv4-compatible" },

    { "64:ff9b::10.0.0.1", 0, "NAT64 of private" },
    { "64:ff9b::127.0.0.1", 0, "NAT64 of loopback" },
    { "64:ff9b::0.0.0.0", 0, "NAT64 of this host" },
    { "64:ff9b::203.0.113.7", 1, "NAT64 of public" },
    { "64:ff9b::1:10.0.0.1", 1, "not NAT64" },

    { "64:ff9b:1::10.0.0.1", 0, "NAT64 of a network, private" },
    { "64:ff9b:1:a00:0:100::", 0, "NAT64 of a network, /48" },
    { "64:ff9b:1::203.0.113.7", 0, "NAT64 of a network" },
    { "64:ff9b:2::1", 1, "next to it" },

    { "2002:a00:1::1", 0, "6to4 of private" },
    { "2002:7f00:1::", 0, "6to4 of loopback" },
    { "2002:cb00:7107::1", 1, "6to4 of public" },

    { "2001:0:cb00:7107:0:1234:34ff:8ef8", 1, "Teredo" },
    { "2001:0:a00:1:0:1234:34ff:8ef8", 0, "Teredo, private server" },
    { "2001:0:cb00:7107:0:1234:f5ff:fffe", 0, "Teredo, private client" },
    { "2001:0:cb00:7107:0:1234:80ff:fffe", 0, "Teredo, loopback client" },
    { "2001:1:cb00:7107:0:1234:f5ff:fffe", 1, "not Teredo" },

    { "2a00:1450::5efe:10.0.0.1", 0, "ISATAP of private" },
    { "2a00:1450::200:5efe:127.0.0.1", 0, "ISATAP of loopback, u bit" },
    { "2a00:1450::5efe:203.0.113.7", 1, "ISATAP of public" },
    { "2a00:1450::5eff:10.0.0.1", 1, "not ISATAP" },
    { "2002:cb00:7107::5efe:10.0.0.1", 0, "ISATAP of private in 6to4" },
    { "2002:a00:1::5efe:203.0.113.7", 0, "ISATAP in 6to4 of private" },
};


/* "deny 203.0.113.0/24, 2a00::/16; allow private, loopback" */

static const row_t  ruled[] = {
    { "10.1.2.3", 1, "private" },
    { "127.0.0.1", 1, "loopback" },
    { "203.0.113.7", 0, "denied" },
    { "203.0.114.7", 1, "next to it" },
    { "0.0.0.0", 0, "without a rule" },
    { "fd00::1", 1, "private" },
    { "::1", 1, "loopback" },
    { "2a00:1450::1", 0, "denied" },
    { "2a01:1450::1", 1, "next to it" },
    { "::ffff:10.0.0.1", 1, "IPv4-mapped private" },
    { "::ffff:203.0.113.7", 0, "IPv4-mapped denied" },
    { "64:ff9b::10.0.0.1", 1, "NAT64 of private" },
    { "64:ff9b::203.0.113.7", 0, "NAT64 of denied" },
    { "64:ff9b::0.0.0.0", 0, "NAT64 of this host" },
    { "2002:cb00:7107::1", 0, "6to4 of denied" },
    { "2002:a00:1::1", 1, "6to4 of private" },
    { "2001:0:a00:1:0:1234:34ff:8ef8", 0, "Teredo, denied client" },
    { "2001:0:a00:1:0:1234:f5ff:fffe", 1, "Teredo, private twice" },
    { "2a01::5efe:203.0.113.7", 0, "ISATAP of denied" },
    { "2a00::5efe:10.0.0.1", 0, "ISATAP behind a denied prefix" },
};


/* "allow 2002::/16, 64:ff9b:1::/48; deny all" */

static const row_t  only[] = {
    { "2002:a00:1::1", 0, "6to4 of denied" },
    { "64:ff9b:1::1", 1, "allowed" },
    { "2a00::1", 0, "the rest" },
    { "203.0.113.7", 0, "and of IPv4" },
};


static ngx_uint_t
address(const char *text, ngx_sockaddr_t *sa)
{
    memset(sa, 0, sizeof(ngx_sockaddr_t));

    if (inet_pton(AF_INET6, text, &sa->sockaddr_in6.sin6_addr) == 1) {
        sa->sockaddr.sa_family = AF_INET6;
        return 1;
    }

    sa->sockaddr.sa_family = AF_INET;

    return inet_pton(AF_INET, text, &sa->sockaddr_in.sin_addr) == 1;
}


/* the program of a socket of this family */

static ngx_uint_t
program(const ngx_webrtc_ice_filter_t *filter,
    const ngx_webrtc_ice_rule_t *servers, ngx_uint_t n, int family,
    struct sock_filter *code)
{
    int        fd;
    ngx_log_t  log;
    socklen_t  len;

    memset(&log, 0, sizeof(ngx_log_t));

    fd = socket(family, SOCK_DGRAM, 0);

    if (fd == -1
        || ngx_webrtc_ice_filter_attach(filter, servers, n, fd, &log)
           != NGX_OK)
    {
        tap_fail("the kernel takes it: %s", strerror(errno));
        return 0;
    }

    len = 4096;                            /* instructions; BPF_MAXINSNS */

    if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &len) == -1) {
        len = 0;
    }

    close(fd);

    return len;
}


static uint32_t
word(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


/* classic BPF, as far as it is used; header: of IP */

static ngx_int_t
run(const struct sock_filter *code, ngx_uint_t n, const uint8_t *header)
{
    uint32_t                   a, mem[BPF_MEMWORDS];
    ngx_uint_t                 pc;
    const struct sock_filter  *f;

    a = 0;

    for (pc = 0; pc < n; pc++) {
        f = &code[pc];

        switch (f->code) {

        case BPF_LD|BPF_W|BPF_ABS:
            a = word(header + (f->k - (uint32_t) SKF_NET_OFF));
            break;

        case BPF_LD|BPF_IMM:
            a = f->k;
            break;

        case BPF_LD|BPF_MEM:
            a = mem[f->k];
            break;

        case BPF_ST:
            mem[f->k] = a;
            break;

        case BPF_ALU|BPF_AND|BPF_K:
            a &= f->k;
            break;

        case BPF_ALU|BPF_XOR|BPF_K:
            a ^= f->k;
            break;

        case BPF_JMP|BPF_JA:
            pc += f->k;
            break;

        case BPF_JMP|BPF_JEQ|BPF_K:
            pc += (a == f->k) ? f->jt : f->jf;
            break;

        case BPF_RET|BPF_K:
            return f->k != 0;

        default:
            return -1;
        }
    }

    return -1;
}


static ngx_int_t
filtered(const struct sock_filter *code, ngx_uint_t n,
    const ngx_sockaddr_t *sa)
{
    uint8_t  header[40];

    memset(header, 0, sizeof(header));

    if (sa->sockaddr.sa_family == AF_INET) {
        memcpy(header + 12, &sa->sockaddr_in.sin_addr, 4);

    } else {
        memcpy(header + 8, &sa->sockaddr_in6.sin6_addr, 16);
    }

    return run(code, n, header);
}


static void
nobody(ngx_webrtc_ice_filter_t *filter)
{
    struct sockaddr  sa;

    sa.sa_family = AF_UNIX;
    ngx_webrtc_ice_filter_client(filter, &sa);
}


static void
table(const char *name, ngx_webrtc_ice_filter_t *filter, const row_t *rows,
    ngx_uint_t n)
{
    ngx_int_t           rc;
    ngx_uint_t          i, len[2], v6;
    ngx_sockaddr_t      sa;
    struct sock_filter  code[2][4096];

    nobody(filter);

    len[0] = program(filter, NULL, 0, AF_INET, code[0]);
    len[1] = program(filter, NULL, 0, AF_INET6, code[1]);

    for (i = 0; i < n; i++) {

        if (!tap_ok(address(rows[i].addr, &sa), "an address")) {
            continue;
        }

        tap_is_int(ngx_webrtc_ice_filter_allows(filter, &sa.sockaddr),
                   rows[i].allowed, "%s: %s: %s", name, rows[i].addr,
                   rows[i].what);

        v6 = (sa.sockaddr.sa_family == AF_INET6);
        rc = filtered(code[v6], len[v6], &sa);

        tap_is_int(rc, rows[i].allowed, "and the filter: %s", rows[i].addr);
    }
}


static void
words(ngx_array_t *rules, ngx_webrtc_ice_filter_t *filter, const char *allow[],
    ngx_uint_t deny)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    for (i = 0; allow[i]; i++) {
        text.data = (u_char *) allow[i];
        text.len = strlen(allow[i]);
        tap_is_int(ngx_webrtc_ice_filter_add(rules, &text, deny), NGX_OK,
                   "rule %s", allow[i]);
    }

    filter->rules = rules->elts;
    filter->n = rules->nelts;
}


/* both ways to look at an address see the same, random ones of each form */

static void
same(ngx_webrtc_ice_filter_t *filter)
{
    ngx_uint_t          i, len, differ;
    ngx_sockaddr_t      sa;
    const char        **form;
    uint8_t            *p;
    struct sock_filter  code[4096];

    static const char  *forms[] = {
        "::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "2002::", "2001::",
        "::5efe:0:0", "::ffff:0:0:0", "fc00::", NULL
    };

    len = program(filter, NULL, 0, AF_INET6, code);

    srandom(8445);
    differ = 0;
    form = forms;

    for (i = 0; i < 20000; i++) {

        if (*++form == NULL) {
            form = forms;
        }

        address(*form, &sa);
        p = sa.sockaddr_in6.sin6_addr.s6_addr;

        p[random() % 16] = (uint8_t) random();
        p[random() % 16] = (uint8_t) random();
        p[12] = (random() % 2) ? 10 : (uint8_t) random();
        p[2] = (random() % 4) ? p[2] : 127;

        if (filtered(code, len, &sa)
            != (ngx_int_t) ngx_webrtc_ice_filter_allows(filter, &sa.sockaddr))
        {
            differ++;
        }
    }

    tap_is_int(differ, 0, "filter and candidates agree");
}


static void
exceptions(void)
{
    ngx_uint_t               i, len;
    ngx_sockaddr_t           sa, client;
    ngx_webrtc_ice_rule_t    server;
    ngx_webrtc_ice_filter_t  filter;
    struct sock_filter       code[4096];

    static const struct {
        const char  *client;
        const char  *server;
        const char  *addr;
        ngx_uint_t   heard;
    } rows[] = {
        { "10.0.0.5", "192.168.0.1", "10.0.0.77", 1 },
        { "10.0.0.5", "192.168.0.1", "10.0.1.77", 0 },
        { "10.0.0.5", "192.168.0.1", "192.168.0.1", 1 },
        { "10.0.0.5", "192.168.0.1", "192.168.0.2", 0 },
        { "fd00::5", "fd01::1", "fd00::77", 1 },
        { "fd00::5", "fd01::1", "fd00:0:0:1::77", 0 },
        { "fd00::5", "fd01::1", "fd01::1", 1 },
        { "fd00::5", "fd01::1", "fd01::2", 0 },
        { "2002:a00:1::5", "fd01::1", "2002:a00:1::6", 1 },
        { "2002:a00:1::5", "fd01::1", "2002:a00:2::6", 0 },
        { "fd00::5", "64:ff9b::10.0.0.1", "64:ff9b::10.0.0.1", 1 },
        { "::1", "fd01::1", "64:ff9b::127.0.0.1", 0 },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&filter, 0, sizeof(filter));

        address(rows[i].client, &client);
        ngx_webrtc_ice_filter_client(&filter, &client.sockaddr);

        address(rows[i].server, &sa);
        ngx_webrtc_ice_filter_rule(&server, &sa.sockaddr);

        address(rows[i].addr, &sa);
        len = program(&filter, &server, 1, sa.sockaddr.sa_family, code);

        tap_is_int(filtered(code, len, &sa), rows[i].heard,
                   "client %s, server %s: %s", rows[i].client, rows[i].server,
                   rows[i].addr);
    }
}


/* as many rules as there may be, each as long as it gets */

static void
longest(ngx_pool_t *pool)
{
    u_char                   text[64];
    ngx_str_t                word;
    ngx_uint_t               i, len;
    ngx_array_t              rules;
    ngx_sockaddr_t           sa;
    ngx_webrtc_ice_rule_t    servers[NGX_WEBRTC_ICE_FILTER_SERVERS];
    ngx_webrtc_ice_filter_t  filter;
    struct sock_filter       code[4096];

    ngx_array_init(&rules, pool, 64, sizeof(ngx_webrtc_ice_rule_t));

    for (i = 0; i < NGX_WEBRTC_ICE_FILTER_RULES; i++) {
        sprintf((char *) text, "2a00:1:2:3:4:5:6:%x", (unsigned) i);
        word.data = text;
        word.len = strlen((char *) text);
        ngx_webrtc_ice_filter_add(&rules, &word, 0);
    }

    for (i = 0; i < NGX_WEBRTC_ICE_FILTER_SERVERS; i++) {
        sprintf((char *) text, "fd00:1:2:3:4:5:6:%x", (unsigned) i);
        address((char *) text, &sa);
        ngx_webrtc_ice_filter_rule(&servers[i], &sa.sockaddr);
    }

    memset(&filter, 0, sizeof(filter));
    filter.rules = rules.elts;
    filter.n = rules.nelts;
    address("fd00::1", &sa);
    ngx_webrtc_ice_filter_client(&filter, &sa.sockaddr);

    len = program(&filter, servers, NGX_WEBRTC_ICE_FILTER_SERVERS, AF_INET6,
                  code);

    tap_ok(len > 0, "the longest filter: %d instructions", (int) len);

    address("2001:0:cb00:7107:0:1234:f5ff:fffe", &sa);
    tap_is_int(filtered(code, len, &sa), 0, "sees to its end");
}


/* of a target that the operator has chosen */

static void
chosen(ngx_pool_t *pool)
{
    ngx_uint_t               i;
    ngx_array_t              rules;
    ngx_sockaddr_t           sa;
    ngx_webrtc_ice_filter_t  filter;

    static const char  *deny[] = { "10.1.2.9", NULL };

    static const struct {
        const char  *addr;
        ngx_uint_t   plain;
        ngx_uint_t   chosen;
    } of[] = {
        { "10.1.2.7", 0, 1 },
        { "10.1.2.9", 0, 0 },       /* the operator's own rule */
        { "10.1.3.7", 0, 0 },
        { "127.0.0.1", 0, 0 },
        { "192.0.2.1", 1, 1 }
    };

    memset(&filter, 0, sizeof(filter));
    ngx_array_init(&rules, pool, 1, sizeof(ngx_webrtc_ice_rule_t));
    words(&rules, &filter, deny, 1);

    address("10.1.2.3", &sa);
    ngx_webrtc_ice_filter_client(&filter, &sa.sockaddr);

    for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        address(of[i].addr, &sa);

        filter.chosen = 0;
        tap_is_int(ngx_webrtc_ice_filter_allows(&filter, &sa.sockaddr),
                   of[i].plain, "%s, of a client", of[i].addr);

        filter.chosen = 1;
        tap_is_int(ngx_webrtc_ice_filter_allows(&filter, &sa.sockaddr),
                   of[i].chosen, "%s, of a target", of[i].addr);
    }
}


int
main(void)
{
    ngx_log_t                log;
    ngx_pool_t              *pool;
    ngx_array_t              rules, few;
    ngx_webrtc_ice_filter_t  filter;

    static const char  *deny[] = { "203.0.113.0/24", "2a00::/16", NULL };
    static const char  *allow[] = { "private", "loopback", NULL };
    static const char  *these[] = { "2002::/16", "64:ff9b:1::/48", NULL };
    static const char  *all[] = { "all", NULL };

    memset(&log, 0, sizeof(ngx_log_t));
    pool = ngx_create_pool(4096, &log);

    memset(&filter, 0, sizeof(filter));
    table("default", &filter, plain, sizeof(plain) / sizeof(plain[0]));
    same(&filter);

    ngx_array_init(&rules, pool, 4, sizeof(ngx_webrtc_ice_rule_t));
    words(&rules, &filter, deny, 1);
    words(&rules, &filter, allow, 0);
    table("rules", &filter, ruled, sizeof(ruled) / sizeof(ruled[0]));
    same(&filter);

    ngx_array_init(&few, pool, 4, sizeof(ngx_webrtc_ice_rule_t));
    words(&few, &filter, these, 0);
    words(&few, &filter, all, 1);
    table("only", &filter, only, sizeof(only) / sizeof(only[0]));
    same(&filter);

    exceptions();
    longest(pool);
    chosen(pool);

    ngx_destroy_pool(pool);

    return tap_done();
}
