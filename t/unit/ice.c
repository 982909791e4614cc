
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ICE-lite: the sample request of RFC 5769, requests made here with OpenSSL's
 * HMAC, and what has to be dropped in silence.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ngx_webrtc_ice.h>

#include <tap.h>


/* what build() puts in, in this order */
#define SOFTWARE     0x0001
#define PRIORITY     0x0002
#define CONTROLLING  0x0004
#define CONTROLLED   0x0008
#define USE          0x0010
#define UNKNOWN      0x0020     /* comprehension-required */
#define OPTIONAL     0x0040     /* comprehension-optional, not known either */
#define USERNAME     0x0080
#define TWICE        0x0100     /* the user name */
#define INTEGRITY    0x0200
#define LATE_USE     0x0400     /* USE-CANDIDATE behind the integrity */
#define LATE_NAME    0x0800
#define FINGERPRINT  0x1000
#define AFTER        0x2000     /* an attribute behind the fingerprint */
#define BAD_MAC      0x4000
#define BAD_CRC      0x8000
#define SHORT_MAC    0x10000
#define LONG_CRC     0x20000
#define EMPTY_MAC    0x40000

#define BROWSER      (PRIORITY|CONTROLLING|USERNAME|INTEGRITY|FINGERPRINT)


static ngx_webrtc_ice_agent_t  *agent;

static ngx_webrtc_ice_cred_t    cred = {
    ngx_string("evtj"),
    ngx_string("VOkJxbRl1RmTxUk/WvJxBt"),
    ngx_string("h6vY")
};

/* RFC 5769, 2.1 */
static const u_char  rfc5769[] =
    "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86"
    "\xfa\x87\xdf\xae\x80\x22\x00\x10\x53\x54\x55\x4e\x20\x74\x65\x73"
    "\x74\x20\x63\x6c\x69\x65\x6e\x74\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09"
    "\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\x00\x08\x00\x14"
    "\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49"
    "\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/* RFC 5769, 2.2 and 2.3: XOR-MAPPED-ADDRESS of 192.0.2.1 port 32853, and of
 * 2001:db8:1234:5678:11:2233:4455:6677 port 32853 */
static const u_char  mapped4[] =
    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";
static const u_char  mapped6[] =
    "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79"
    "\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";


static uint32_t
crc32_ieee(const u_char *p, size_t n)
{
    uint32_t    crc = 0xffffffff;
    ngx_uint_t  i;

    while (n--) {
        crc ^= *p++;

        for (i = 0; i < 8; i++) {
            crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320 : 0);
        }
    }

    return ~crc;
}


static u_char *
attr(u_char *p, ngx_uint_t type, const void *data, size_t n)
{
    *p++ = (u_char) (type >> 8);
    *p++ = (u_char) type;
    *p++ = (u_char) (n >> 8);
    *p++ = (u_char) n;

    memcpy(p, data, n);
    p += n;

    while (n++ % 4) {
        *p++ = 0;
    }

    return p;
}


static void
set_length(u_char *msg, size_t n)
{
    msg[2] = (u_char) ((n - 20) >> 8);
    msg[3] = (u_char) (n - 20);
}


/* returns the size of the message */

static size_t
build(u_char *msg, ngx_uint_t what, const char *username, const char *pwd)
{
    u_char       *p, mac[64];
    size_t        n;
    uint32_t      crc;
    unsigned int  len;

    memcpy(msg, rfc5769, 20);
    p = msg + 20;

    if (what & SOFTWARE) {
        p = attr(p, 0x8022, "test", 4);
    }

    if (what & PRIORITY) {
        p = attr(p, 0x0024, "\x6e\x00\x01\xff", 4);
    }

    if (what & CONTROLLING) {
        p = attr(p, 0x802a, "12345678", 8);
    }

    if (what & CONTROLLED) {
        p = attr(p, 0x8029, "12345678", 8);
    }

    if (what & USE) {
        p = attr(p, 0x0025, "", 0);
    }

    if (what & UNKNOWN) {
        p = attr(p, 0x7ff7, "abc", 3);
    }

    if (what & OPTIONAL) {
        p = attr(p, 0xc057, "abcd", 4);      /* GOOG-NETWORK-INFO */
    }

    if (what & USERNAME) {
        p = attr(p, 0x0006, username, strlen(username));
    }

    if (what & TWICE) {
        p = attr(p, 0x0006, username, strlen(username));
    }

    if (what & INTEGRITY) {
        n = p - msg;
        set_length(msg, n + 24);

        HMAC(EVP_sha1(), pwd, (int) strlen(pwd), msg, n, mac, &len);

        if (what & BAD_MAC) {
            mac[19] ^= 1;
        }

        p = attr(p, 0x0008, mac,
                 (what & EMPTY_MAC) ? 0 : (what & SHORT_MAC) ? 16 : 20);
    }

    if (what & LATE_USE) {
        p = attr(p, 0x0025, "", 0);
    }

    if (what & LATE_NAME) {
        p = attr(p, 0x0006, username, strlen(username));
    }

    if (what & FINGERPRINT) {
        n = p - msg;
        set_length(msg, n + ((what & LONG_CRC) ? 12 : 8));

        crc = crc32_ieee(msg, n) ^ 0x5354554e;

        if (what & BAD_CRC) {
            crc ^= 1;
        }

        crc = htonl(crc);
        memcpy(mac, &crc, 4);
        p = attr(p, 0x8028, mac, (what & LONG_CRC) ? 8 : 4);
    }

    if (what & AFTER) {
        p = attr(p, 0x8022, "late", 4);
    }

    n = p - msg;
    set_length(msg, n);

    return n;
}


/* NGX_OK: integrity and fingerprint of a reply are right and last */

static ngx_int_t
check_reply(const u_char *r, size_t n, const char *pwd)
{
    u_char        copy[NGX_WEBRTC_ICE_REPLY], mac[64];
    uint32_t      crc;
    unsigned int  len;

    if (n < 20 + 24 + 8 || n > NGX_WEBRTC_ICE_REPLY
        || (size_t) (r[2] << 8 | r[3]) != n - 20
        || memcmp(r + 4, rfc5769 + 4, 16) != 0
        || memcmp(r + n - 8, "\x80\x28\x00\x04", 4) != 0
        || memcmp(r + n - 32, "\x00\x08\x00\x14", 4) != 0)
    {
        return NGX_ERROR;
    }

    crc = htonl(crc32_ieee(r, n - 8) ^ 0x5354554e);

    memcpy(copy, r, n);
    set_length(copy, n - 8);

    HMAC(EVP_sha1(), pwd, (int) strlen(pwd), copy, n - 32, mac, &len);

    return (memcmp(r + n - 4, &crc, 4) == 0
            && memcmp(r + n - 28, mac, 20) == 0) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
input(const u_char *msg, size_t n, const struct sockaddr *sa, u_char *reply,
    size_t *reply_n, ngx_webrtc_ice_result_t *result)
{
    u_char     *copy;
    ngx_int_t   rc;

    /* on the heap, so that a byte too much read is seen */

    copy = malloc(n ? n : 1);
    memcpy(copy, msg, n);

    rc = ngx_webrtc_ice_input(agent, &cred, copy, n, sa, reply, reply_n,
                              result);

    tap_ok(memcmp(copy, msg, n) == 0, "  message is not modified");

    free(copy);

    return rc;
}


static void
test_rfc5769(const struct sockaddr *sa)
{
    u_char                   reply[NGX_WEBRTC_ICE_REPLY];
    size_t                   n;
    ngx_str_t                local, remote;
    ngx_webrtc_ice_result_t  result;

    tap_is_int(ngx_webrtc_ice_class(rfc5769, 108), NGX_WEBRTC_ICE_REQUEST,
               "RFC 5769: a request");

    tap_is_int(ngx_webrtc_ice_username(rfc5769, 108, &local, &remote), NGX_OK,
               "RFC 5769: user name");
    tap_is_mem(local.data, local.len, "evtj", 4, "RFC 5769: ours");
    tap_is_mem(remote.data, remote.len, "h6vY", 4, "RFC 5769: the peer's");

    /* it carries ICE-CONTROLLED */

    tap_is_int(input(rfc5769, 108, sa, reply, &n, &result), NGX_DECLINED,
               "RFC 5769: role conflict");
    tap_is_int(result.error, 487, "RFC 5769: 487");
    tap_is_int(check_reply(reply, n, "VOkJxbRl1RmTxUk/WvJxBt"), NGX_OK,
               "RFC 5769: the reply is signed");
    tap_is_mem(reply, 2, "\x01\x11", 2, "RFC 5769: error response");
    tap_is_mem(reply + 20, 8, "\x00\x09\x00\x11\x00\x00\x04\x57", 8,
               "RFC 5769: ERROR-CODE 487");
}


static void
test_table(const struct sockaddr *sa)
{
    u_char                   msg[2048], reply[NGX_WEBRTC_ICE_REPLY];
    size_t                   n, reply_n;
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_webrtc_ice_result_t  result;

    static const char  *name = "evtj:h6vY";
    static const char  *pwd = "VOkJxbRl1RmTxUk/WvJxBt";

    static const struct {
        const char  *title;
        ngx_uint_t   what;
        const char  *username;
        const char  *pwd;
        ngx_int_t    rc;
        ngx_uint_t   error;
        ngx_uint_t   use;
        ngx_uint_t   priority;
    } t[] = {
        { "browser", BROWSER, NULL, NULL, NGX_OK, 0, 0, 0x6e0001ff },
        { "nomination", BROWSER|USE, NULL, NULL, NGX_OK, 0, 1, 0x6e0001ff },
        { "optional attribute", BROWSER|OPTIONAL|SOFTWARE, NULL, NULL, NGX_OK,
          0, 0, 0x6e0001ff },
        { "FFmpeg: name and integrity only", USERNAME|INTEGRITY, NULL, NULL,
          NGX_OK, 0, 0, 0 },
        { "and a fingerprint", USERNAME|INTEGRITY|FINGERPRINT, NULL, NULL,
          NGX_OK, 0, 0, 0 },
        { "attributes behind the integrity are ignored",
          USERNAME|INTEGRITY|LATE_USE, NULL, NULL, NGX_OK, 0, 0, 0 },
        { "also a second name", USERNAME|INTEGRITY|LATE_NAME|FINGERPRINT, NULL,
          NULL, NGX_OK, 0, 0, 0 },

        { "controlled", PRIORITY|CONTROLLED|USERNAME|INTEGRITY|FINGERPRINT,
          NULL, NULL, NGX_DECLINED, 487, 0, 0 },
        { "both roles", BROWSER|CONTROLLED, NULL, NULL, NGX_DECLINED, 487, 0,
          0 },
        { "unknown attribute", BROWSER|UNKNOWN, NULL, NULL, NGX_DECLINED, 420,
          0, 0 },

        { "unknown attribute, wrong password", BROWSER|UNKNOWN, NULL, "wrong",
          NGX_DECLINED, 0, 0, 0 },
        { "controlled, wrong password", BROWSER|CONTROLLED, NULL, "wrong",
          NGX_DECLINED, 0, 0, 0 },
        { "wrong password", BROWSER, NULL, "VOkJxbRl1RmTxUk/WvJxBT",
          NGX_DECLINED, 0, 0, 0 },
        { "no password", BROWSER, NULL, "", NGX_DECLINED, 0, 0, 0 },
        { "wrong integrity", BROWSER|BAD_MAC, NULL, NULL, NGX_DECLINED, 0, 0,
          0 },
        { "short integrity", BROWSER|SHORT_MAC, NULL, NULL, NGX_DECLINED, 0,
          0, 0 },
        { "empty integrity at the end", USERNAME|INTEGRITY|EMPTY_MAC, NULL,
          NULL, NGX_DECLINED, 0, 0, 0 },
        { "no integrity", BROWSER & ~INTEGRITY, NULL, NULL, NGX_DECLINED, 0,
          0, 0 },
        { "no name", BROWSER & ~USERNAME, NULL, NULL, NGX_DECLINED, 0, 0, 0 },
        { "name behind the integrity", (BROWSER & ~USERNAME)|LATE_NAME, NULL,
          NULL, NGX_DECLINED, 0, 0, 0 },
        { "two names", BROWSER|TWICE, NULL, NULL, NGX_DECLINED, 0, 0, 0 },
        { "wrong fingerprint", BROWSER|BAD_CRC, NULL, NULL, NGX_DECLINED, 0, 0,
          0 },
        { "long fingerprint", BROWSER|LONG_CRC, NULL, NULL, NGX_DECLINED, 0,
          0, 0 },
        { "behind the fingerprint", BROWSER|AFTER, NULL, NULL, NGX_DECLINED,
          0, 0, 0 },
        { "another's name", BROWSER, "evtj:h6vZ", NULL, NGX_DECLINED, 0, 0,
          0 },
        { "not our name", BROWSER, "evtk:h6vY", NULL, NGX_DECLINED, 0, 0, 0 },
        { "names swapped", BROWSER, "h6vY:evtj", NULL, NGX_DECLINED, 0, 0, 0 },
        { "half a name", BROWSER, "evtj:", NULL, NGX_DECLINED, 0, 0, 0 },
        { "empty name", BROWSER, "", NULL, NGX_DECLINED, 0, 0, 0 },
        { "long name", BROWSER, "evtj:h6vYx", NULL, NGX_DECLINED, 0, 0, 0 },
        { "no colon", BROWSER, "evtj.h6vY", NULL, NGX_DECLINED, 0, 0, 0 },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        n = build(msg, t[i].what, t[i].username ? t[i].username : name,
                  t[i].pwd ? t[i].pwd : pwd);

        memset(&result, 0xff, sizeof(result));
        reply_n = 12345;

        rc = input(msg, n, sa, reply, &reply_n, &result);

        tap_is_int(rc, t[i].rc, "%s", t[i].title);
        tap_is_int(result.error, t[i].error, "%s: error", t[i].title);

        if (rc == NGX_OK || t[i].error) {
            tap_is_int(check_reply(reply, reply_n, pwd), NGX_OK,
                       "%s: reply is signed", t[i].title);
            tap_is_mem(reply, 2, (rc == NGX_OK) ? "\x01\x01" : "\x01\x11", 2,
                       "%s: its class", t[i].title);

        } else {
            tap_is_int(reply_n, 0, "%s: silence", t[i].title);
        }

        if (rc == NGX_OK) {
            tap_is_mem(reply + 20, 12, mapped4, 12, "%s: mapped address",
                       t[i].title);
            tap_is_int(result.use_candidate, t[i].use, "%s: nomination",
                       t[i].title);
            tap_is_int(result.priority, t[i].priority, "%s: priority",
                       t[i].title);
            tap_is_int(result.controlling, !!(t[i].what & CONTROLLING),
                       "%s: controlling", t[i].title);
        }
    }

    /* RFC 8489, 14.13: which one is unknown */

    n = build(msg, BROWSER|UNKNOWN, name, pwd);
    input(msg, n, sa, reply, &reply_n, &result);
    tap_ok(memmem(reply, reply_n, "\x00\x0a\x00\x02\x7f\xf7", 6) != NULL,
           "UNKNOWN-ATTRIBUTES");
}


static void
test_addresses(void)
{
    u_char                   msg[2048], reply[NGX_WEBRTC_ICE_REPLY];
    size_t                   n, reply_n;
    struct sockaddr          odd;
    struct sockaddr_in6      sin6;
    ngx_webrtc_ice_result_t  result;

    n = build(msg, BROWSER, "evtj:h6vY", "VOkJxbRl1RmTxUk/WvJxBt");

    memset(&sin6, 0, sizeof(sin6));
    sin6.sin6_family = AF_INET6;
    sin6.sin6_port = htons(32853);
    inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677",
              &sin6.sin6_addr);

    tap_is_int(input(msg, n, (struct sockaddr *) &sin6, reply, &reply_n,
                     &result),
               NGX_OK, "IPv6");
    tap_is_mem(reply + 20, 24, mapped6, 24, "IPv6: RFC 5769, 2.3");

    inet_pton(AF_INET6, "::ffff:192.0.2.1", &sin6.sin6_addr);

    tap_is_int(input(msg, n, (struct sockaddr *) &sin6, reply, &reply_n,
                     &result),
               NGX_OK, "v4-mapped");
    tap_is_mem(reply + 20, 12, mapped4, 12, "v4-mapped becomes IPv4");

    memset(&odd, 0, sizeof(odd));
    odd.sa_family = AF_UNIX;
    tap_is_int(input(msg, n, &odd, reply, &reply_n, &result), NGX_ERROR,
               "another family");
    tap_is_int(reply_n, 0, "no reply to it");
}


static void
test_malformed(const struct sockaddr *sa)
{
    u_char                   msg[2048], bad[2048], reply[NGX_WEBRTC_ICE_REPLY];
    u_char                  *p, *cut;
    size_t                   n, i, reply_n, passed;
    ngx_int_t                rc;
    ngx_str_t                local, remote;
    ngx_webrtc_ice_cred_t    empty;
    ngx_webrtc_ice_result_t  result;

    static const struct {
        const char              *type;
        ngx_webrtc_ice_class_e   class;
    } classes[] = {
        { "\x00\x01", NGX_WEBRTC_ICE_REQUEST },
        { "\x00\x11", NGX_WEBRTC_ICE_INDICATION },
        { "\x01\x01", NGX_WEBRTC_ICE_RESPONSE },
        { "\x01\x11", NGX_WEBRTC_ICE_ERROR },
        { "\x00\x03", NGX_WEBRTC_ICE_NONE },         /* Allocate */
        { "\x40\x01", NGX_WEBRTC_ICE_NONE },
        { "\x80\x01", NGX_WEBRTC_ICE_NONE },
    };

    n = build(msg, BROWSER|USE, "evtj:h6vY", "VOkJxbRl1RmTxUk/WvJxBt");

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        memcpy(bad, msg, n);
        memcpy(bad, classes[i].type, 2);
        tap_is_int(ngx_webrtc_ice_class(bad, n), classes[i].class,
                   "class of %02x%02x", bad[0], bad[1]);

        if (classes[i].class != NGX_WEBRTC_ICE_REQUEST) {
            tap_is_int(input(bad, n, sa, reply, &reply_n, &result),
                       NGX_DECLINED, "dropped");
            tap_is_int(reply_n, 0, "in silence");
        }
    }

    /* every flipped bit: none passes, none is answered */

    passed = 0;

    for (i = 0; i < n * 8; i++) {
        memcpy(bad, msg, n);
        bad[i / 8] ^= (u_char) (1 << (i % 8));

        rc = ngx_webrtc_ice_input(agent, &cred, bad, n, sa, reply, &reply_n,
                                  &result);

        if (i / 8 == n - 8 || i / 8 == n - 7) {

            /* the type of FINGERPRINT: an unknown attribute behind the
             * integrity, which is ignored */

            passed += (rc != NGX_OK || !result.use_candidate);

        } else if (rc != NGX_DECLINED || reply_n != 0) {
            passed++;
            tap_diag("bit %d of byte %d", (int) i % 8, (int) i / 8);
        }
    }

    tap_is_int(passed, 0, "no flipped bit passes");

    passed = 0;

    for (i = 0; i < n; i++) {
        cut = malloc(i ? i : 1);
        memcpy(cut, msg, i);
        passed += (ngx_webrtc_ice_input(agent, &cred, cut, i, sa, reply,
                                        &reply_n, &result) != NGX_DECLINED);
        passed += (ngx_webrtc_ice_username(cut, i, &local, &remote) == NGX_OK);

        /* the same with a length that fits */

        if (i >= 20) {
            set_length(cut, i);
            passed += (ngx_webrtc_ice_input(agent, &cred, cut, i, sa, reply,
                                            &reply_n, &result)
                       != NGX_DECLINED && i != n - 8);
        }

        free(cut);
    }

    tap_is_int(passed, 0, "no cut message passes");

    /* attributes without end; their number is limited */

    memcpy(bad, msg, 20);
    p = bad + 20;

    for (i = 0; i < 300; i++) {
        p = attr(p, 0x8022, "", 0);
    }

    set_length(bad, p - bad);
    tap_is_int(ngx_webrtc_ice_username(bad, p - bad, &local, &remote),
               NGX_DECLINED, "too many attributes");

    /* names as long as they may be */

    memset(bad, 'u', 600);
    bad[256] = ':';
    bad[513] = '\0';
    n = build(msg, BROWSER, (char *) bad, "x");
    tap_is_int(ngx_webrtc_ice_username(msg, n, &local, &remote), NGX_OK,
               "longest name");
    tap_ok(local.len == 256 && remote.len == 256, "256 bytes each");

    bad[256] = 'u';
    bad[257] = ':';
    n = build(msg, BROWSER, (char *) bad, "x");
    tap_is_int(ngx_webrtc_ice_username(msg, n, &local, &remote), NGX_DECLINED,
               "257 bytes");

    /* credentials that were never set must not let anyone in */

    memset(&empty, 0, sizeof(empty));
    n = build(msg, BROWSER, ":", "");
    tap_is_int(ngx_webrtc_ice_input(agent, &empty, msg, n, sa, reply, &reply_n,
                                    &result),
               NGX_DECLINED, "empty credentials");
    tap_is_int(reply_n, 0, "no reply to them");
}


int
main(void)
{
    ngx_log_t           log;
    ngx_pool_t         *pool;
    struct sockaddr_in  sin;

    memset(&log, 0, sizeof(log));

    pool = ngx_create_pool(4096, &log);
    agent = ngx_webrtc_ice_create(pool);

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(32853);
    sin.sin_addr.s_addr = htonl(0xc0000201);

    test_rfc5769((struct sockaddr *) &sin);
    test_table((struct sockaddr *) &sin);
    test_addresses();
    test_malformed((struct sockaddr *) &sin);

    ngx_destroy_pool(pool);

    return tap_done();
}
