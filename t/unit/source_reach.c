
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What an upstream may lead to.  Expected values from RFC 6890's tables.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_reach.h"
#include "tap.h"


#define PUBLIC   NGX_WEBRTC_SOURCE_REACH_PUBLIC
#define PRIVATE  NGX_WEBRTC_SOURCE_REACH_PRIVATE
#define LOCAL    NGX_WEBRTC_SOURCE_REACH_LOCAL


static const struct {
    const char                 *addr;
    ngx_webrtc_source_reach_e   reach;
} addresses[] = {
    { "0.0.0.0", LOCAL },
    { "0.255.255.255", LOCAL },
    { "1.0.0.0", PUBLIC },
    { "9.255.255.255", PUBLIC },
    { "10.0.0.0", PRIVATE },
    { "10.255.255.255", PRIVATE },
    { "11.0.0.0", PUBLIC },
    { "100.63.255.255", PUBLIC },
    { "100.64.0.0", PRIVATE },
    { "100.127.255.255", PRIVATE },
    { "100.128.0.0", PUBLIC },
    { "126.255.255.255", PUBLIC },
    { "127.0.0.1", LOCAL },
    { "127.255.255.255", LOCAL },
    { "128.0.0.0", PUBLIC },
    { "169.253.255.255", PUBLIC },
    { "169.254.169.254", LOCAL },
    { "169.255.0.0", PUBLIC },
    { "172.15.255.255", PUBLIC },
    { "172.16.0.0", PRIVATE },
    { "172.31.255.255", PRIVATE },
    { "172.32.0.0", PUBLIC },
    { "192.167.255.255", PUBLIC },
    { "192.168.0.0", PRIVATE },
    { "192.169.0.0", PUBLIC },
    { "198.18.0.0", PRIVATE },
    { "198.20.0.0", PUBLIC },
    { "198.51.100.7", PUBLIC },
    { "223.255.255.255", PUBLIC },
    { "224.0.0.1", LOCAL },
    { "255.255.255.255", LOCAL },
    { "::", LOCAL },
    { "::1", LOCAL },
    { "::ffff:127.0.0.1", LOCAL },
    { "::ffff:10.0.0.1", PRIVATE },
    { "::ffff:198.51.100.7", PUBLIC },
    { "::127.0.0.1", LOCAL },
    { "64:ff9b::127.0.0.1", LOCAL },
    { "64:ff9b::10.0.0.1", PRIVATE },
    { "2002:7f00:1::", LOCAL },
    { "2002:a00:1::", PRIVATE },
    { "2002:c633:6407::", PUBLIC },
    { "64:ff9b:1::198.51.100.7", PRIVATE },
    { "64:ff9b:1:7f00:0:100::", PRIVATE },
    { "64:ff9b:2::1", PUBLIC },
    { "::ffff:0:127.0.0.1", LOCAL },
    { "2001:0:c633:6407:0:1234:39cc:9bf8", PUBLIC },
    { "2001:0:a00:1:0:1234:39cc:9bf8", PRIVATE },
    { "2001:0:c633:6407:0:1234:80ff:fffe", LOCAL },
    { "2001:db8::5efe:10.0.0.1", PRIVATE },
    { "2001:db8::200:5efe:127.0.0.1", LOCAL },
    { "2001:db8::5efe:198.51.100.7", PUBLIC },
    { "fd00::5efe:198.51.100.7", PRIVATE },
    { "fe80::1", LOCAL },
    { "febf::1", LOCAL },
    { "fec0::1", PRIVATE },
    { "fc00::1", PRIVATE },
    { "fdff::1", PRIVATE },
    { "ff02::1", LOCAL },
    { "2001:db8::1", PUBLIC }
};


static const struct {
    const char  *url;
    const char  *host;         /* NULL: there is none */
} hosts[] = {
    { "http://h/a", "h" },
    { "http://h", "h" },
    { "http://h:80", "h" },
    { "http://h?x", "h" },
    { "http://h#x", "h" },
    { "http://u:p@h:80/a@b", "h" },
    { "http://a@b@h/", "h" },
    { "http://a\\@h/", "h" },
    { "http://[::1]:80/", "::1" },
    { "http://u@[::1]/", "::1" },
    { "crypto+http://h/a", "h" },
    { "http://[::1/", NULL },
    { "http:///a", NULL },
    { "http://", NULL },
    { "http:/h/", NULL },
    { "h", NULL },
    { "", NULL }
};


static const struct {
    const char  *main;
    const char  *url;
    ngx_int_t    rc;
} leads[] = {

    /* itself, whatever it is, and what is as near */

    { "http://127.0.0.1/a", "http://127.0.0.1:81/b", NGX_OK },
    { "http://127.0.0.1/a", "http://127.0.0.2/b", NGX_OK },
    { "http://127.0.0.1/a", "http://10.0.0.1/b", NGX_OK },
    { "http://10.0.0.1/a", "http://192.168.0.1/b", NGX_OK },
    { "http://198.51.100.7/a", "http://192.0.2.1/b", NGX_OK },
    { "http://198.51.100.7/a", "https://192.0.2.1/b", NGX_OK },
    { "http://198.51.100.7/a", "HTTP://192.0.2.1/b", NGX_OK },
    { "http://198.51.100.7/a", "crypto+http://192.0.2.1/b", NGX_OK },
    { "http://u:p@NAME.invalid/a", "http://name.INVALID/b", NGX_OK },

    /* nearer than that */

    { "http://198.51.100.7/a", "http://127.0.0.1/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://127.1/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://2130706433/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://0x7f000001/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://017700000001/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://0/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://[::1]/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://[::]/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://[::ffff:127.0.0.1]/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://localhost/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://169.254.169.254/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://10.0.0.1/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://198.51.100.7@127.0.0.1/b",
      NGX_DECLINED },
    { "http://198.51.100.7/a", "http://127.0.0.1#@198.51.100.7/b",
      NGX_DECLINED },
    { "http://198.51.100.7/a", "http://127.0.0.1?@198.51.100.7/b",
      NGX_DECLINED },
    { "http://198.51.100.7/a", "crypto+http://127.0.0.1/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "crypto:http://127.0.0.1/b", NGX_DECLINED },
    { "http://10.0.0.1/a", "http://127.0.0.1/b", NGX_DECLINED },
    { "http://198.51.100.7/a", "http://a.invalid/b", NGX_DECLINED },

    /* what is not of http */

    { "http://h/a", "file:///etc/passwd", NGX_DECLINED },
    { "http://h/a", "file:/h/a", NGX_DECLINED },
    { "http://h/a", "/etc/passwd", NGX_DECLINED },
    { "http://h/a", "tcp://h/", NGX_DECLINED },
    { "http://h/a", "concat:http://h/a|http://h/b", NGX_DECLINED },
    { "http://h/a", "subfile,,start,0,end,0,,:http://h/a", NGX_DECLINED },
    { "http://h/a", "crypto+crypto+http://h/a", NGX_DECLINED },
    { "http://h/a", "crypto+file:///etc/passwd", NGX_DECLINED },
    { "http://h/a", "data:video/mp2t;base64,R0A=", NGX_DECLINED },
    { "http://h/a", "httpproxy://h/a", NGX_DECLINED },
    { "http://h/a", "http:/h/a", NGX_DECLINED },
    { "http://h/a", "http://h/a\rb", NGX_DECLINED },
    { "http://h/a", "http://h/a\x7f", NGX_DECLINED },
    { "http://h/a", "", NGX_DECLINED }
};


static const struct {
    const char  *main;
    const char  *url;
    const char  *path;         /* NULL: refused */
} files[] = {
    { "file:/m/a.m3u8", "file:/m/b.ts", "/m/b.ts" },
    { "file:/m/a.m3u8", "/m/b.ts", "/m/b.ts" },
    { "/m/a.m3u8", "file:/m/c/b.ts", "/m/c/b.ts" },
    { "file:/m/a.m3u8", "file:/m/..b", "/m/..b" },
    { "file:/m/a.m3u8", "file:/m/b..", "/m/b.." },
    { "file:/m/a.m3u8", "file:/m/...", "/m/..." },
    { "file:/m/a.m3u8", "file:/m/a:b", "/m/a:b" },
    { "file:/m/a.m3u8", "file:/m/%2e%2e/b", "/m/%2e%2e/b" },
    { "file:/m/a.m3u8", "file:/n/b.ts", NULL },
    { "file:/m/a.m3u8", "file:/mm/b.ts", NULL },
    { "file:/m/a.m3u8", "file:/m", NULL },
    { "file:/m/a.m3u8", "file:/m/../n/b.ts", NULL },
    { "file:/m/a.m3u8", "file:/m/..", NULL },
    { "file:/m/a.m3u8", "file:/m/c/../../b.ts", NULL },
    { "file:/m/a.m3u8", "file:/m/./b.ts", NULL },
    { "file:/m/a.m3u8", "file://m/b.ts", NULL },
    { "file:/m/a.m3u8", "file:///m/b.ts", NULL },
    { "file:/m/a.m3u8", "FILE:/m/b.ts", NULL },
    { "file:/m/a.m3u8", "b.ts", NULL },
    { "file:/m/a.m3u8", "http://h/m/b.ts", NULL },
    { "file:/m/a.m3u8", "crypto:/m/b.ts", NULL },
    { "file:/m/a.m3u8", "concat:/m/b.ts|/n/c.ts", NULL },
    { "file:/m/a.m3u8", "subfile,,start,0,end,0,,:/m/b.ts", NULL },
    { "file:/m/a.m3u8", "data:,x", NULL },
    { "file:/m/a.m3u8", "file:", NULL },
    { "file:/m/a.m3u8", "", NULL }
};


int
main(void)
{
    size_t                i;
    ngx_str_t             host;
    ngx_int_t             rc;
    const char           *cause, *path;
    struct sockaddr_in    sin;
    struct sockaddr_in6   sin6;

    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {

        ngx_memzero(&sin, sizeof(sin));
        ngx_memzero(&sin6, sizeof(sin6));

        sin.sin_family = AF_INET;
        sin6.sin6_family = AF_INET6;

        if (inet_pton(AF_INET, addresses[i].addr, &sin.sin_addr) == 1) {
            rc = ngx_webrtc_source_reach_address((struct sockaddr *) &sin);

        } else {
            tap_is_int(inet_pton(AF_INET6, addresses[i].addr,
                                 &sin6.sin6_addr),
                       1, "%s is an address", addresses[i].addr);
            rc = ngx_webrtc_source_reach_address((struct sockaddr *) &sin6);
        }

        tap_is_int(rc, addresses[i].reach, "%s", addresses[i].addr);
    }

    sin.sin_family = AF_UNIX;
    tap_is_int(ngx_webrtc_source_reach_address((struct sockaddr *) &sin),
               NGX_WEBRTC_SOURCE_REACH_UNKNOWN, "no address of IP");

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {

        rc = ngx_webrtc_source_reach_host(hosts[i].url, &host);

        tap_is_int(rc, hosts[i].host ? NGX_OK : NGX_DECLINED, "host of \"%s\"",
                   hosts[i].url);

        if (rc == NGX_OK && hosts[i].host) {
            tap_is_mem(host.data, host.len, hosts[i].host,
                       strlen(hosts[i].host), "  is \"%s\"", hosts[i].host);
        }
    }

    for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {

        cause = NULL;
        rc = ngx_webrtc_source_reach(leads[i].main, leads[i].url, &cause);

        tap_is_int(rc, leads[i].rc, "\"%s\" to \"%s\"", leads[i].main,
                   leads[i].url);

        if (rc != NGX_OK) {
            tap_ok(cause != NULL, "  has a cause");
        }
    }

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {

        cause = NULL;
        path = NULL;
        rc = ngx_webrtc_source_reach_file(files[i].main, files[i].url, &path,
                                          &cause);

        tap_is_int(rc, files[i].path ? NGX_OK : NGX_DECLINED,
                   "\"%s\" to \"%s\"", files[i].main, files[i].url);

        if (rc == NGX_OK && files[i].path) {
            tap_is_str(path, files[i].path, "  is %s", files[i].path);

        } else {
            tap_ok(cause != NULL, "  has a cause");
        }
    }

    return tap_done();
}
