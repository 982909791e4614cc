
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Binding requests of ours: read by the engine that answers a peer's, and the
 * sample responses of RFC 5769 as answers to them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_ice.h>
#include <ngx_webrtc_ice_probe.h>

#include <tap.h>


static const ngx_str_t  pwd = ngx_string("VOkJxbRl1RmTxUk/WvJxBt");

/* RFC 5769, 2.2 */
static const u_char  response4[] =
    "\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86"
    "\xfa\x87\xdf\xae\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63"
    "\x74\x6f\x72\x20\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
    "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9"
    "\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96";

/* RFC 5769, 2.3 */
static const u_char  response6[] =
    "\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86"
    "\xfa\x87\xdf\xae\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63"
    "\x74\x6f\x72\x20\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa"
    "\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9\x00\x08\x00\x14"
    "\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75"
    "\xbf\xe3\xed\x41\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

static const u_char  *tid = response4 + 8;


static ngx_int_t
answered(const u_char *p, size_t n, const u_char *id, const ngx_str_t *key)
{
    u_char     *copy;
    ngx_int_t   rc;

    /* on the heap, so that a byte too much read is seen */

    copy = malloc(n ? n : 1);
    memcpy(copy, p, n);

    rc = ngx_webrtc_ice_answered(copy, n, id, key);

    free(copy);

    return rc;
}


static void
test_request(void)
{
    size_t                   n, reply_n;
    u_char                   buf[NGX_WEBRTC_ICE_PROBE];
    u_char                   reply[NGX_WEBRTC_ICE_REPLY], name[257];
    ngx_str_t                local, remote;
    ngx_log_t                log;
    ngx_pool_t              *pool;
    struct sockaddr_in       sin;
    ngx_webrtc_ice_cred_t    ours, theirs;
    ngx_webrtc_ice_agent_t  *agent;
    ngx_webrtc_ice_result_t  result;

    memset(&log, 0, sizeof(log));
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;

    pool = ngx_create_pool(4096, &log);
    agent = ngx_webrtc_ice_create(pool);

    memset(&ours, 0, sizeof(ours));
    ngx_str_set(&ours.local_ufrag, "evtj");
    ngx_str_set(&ours.remote_ufrag, "h6vY5");

    /* the peer's view of the same session */

    theirs.local_ufrag = ours.remote_ufrag;
    theirs.remote_ufrag = ours.local_ufrag;
    theirs.local_pwd = pwd;

    n = ngx_webrtc_ice_probe(&ours, &pwd, tid, 0, buf);

    tap_is_int(n, 20 + 16 + 8 + 12 + 24 + 8, "size of a request");
    tap_ok(memcmp(buf + 8, tid, NGX_WEBRTC_ICE_TID) == 0, "transaction id");
    tap_is_int(ngx_webrtc_ice_username(buf, n, &local, &remote), NGX_OK,
               "has a user name");
    tap_ok(local.len == 5 && memcmp(local.data, "h6vY5", 5) == 0,
           "the peer's ufrag first");
    tap_ok(remote.len == 4 && memcmp(remote.data, "evtj", 4) == 0,
           "then ours");

    /*
     * Integrity and fingerprint are verified by libnice's library, and then it
     * is refused, as we are controlled and so is the engine.
     */

    tap_is_int(ngx_webrtc_ice_input(agent, &theirs, buf, n,
                                    (struct sockaddr *) &sin, reply, &reply_n,
                                    &result),
               NGX_DECLINED, "to a controlled agent");
    tap_is_int(result.error, NGX_WEBRTC_ICE_ROLE_CONFLICT, "487");

    buf[n - 1] ^= 1;
    (void) ngx_webrtc_ice_input(agent, &theirs, buf, n,
                                (struct sockaddr *) &sin, reply, &reply_n,
                                &result);
    tap_is_int(result.error, 0, "a wrong fingerprint is seen");

    /* limits */

    memset(name, 'u', 257);
    ours.local_ufrag.data = name;
    ours.remote_ufrag.data = name;
    ours.local_ufrag.len = 256;
    ours.remote_ufrag.len = 256;

    n = ngx_webrtc_ice_probe(&ours, &pwd, tid, 0, buf);
    tap_is_int(n, NGX_WEBRTC_ICE_PROBE, "longest names");

    ours.remote_ufrag.len = 257;
    tap_is_int(ngx_webrtc_ice_probe(&ours, &pwd, tid, 0, buf), 0,
               "longer ones");

    ours.remote_ufrag.len = 4;
    ngx_str_null(&local);
    tap_is_int(ngx_webrtc_ice_probe(&ours, &local, tid, 0, buf), 0,
               "no password");

    /* the role */

    ours.local_ufrag.len = 4;
    n = ngx_webrtc_ice_probe(&ours, &pwd, tid, 1, buf);
    tap_is_int(buf[n - 44] << 8 | buf[n - 43], 0x802a, "ICE-CONTROLLING");
    n = ngx_webrtc_ice_probe(&ours, &pwd, tid, 0, buf);
    tap_is_int(buf[n - 44] << 8 | buf[n - 43], 0x8029, "ICE-CONTROLLED");

    ngx_destroy_pool(pool);
}


static void
test_answer(void)
{
    size_t      n;
    u_char      bad[sizeof(response6)];
    ngx_str_t   other;
    ngx_uint_t  i, passed;

    n = sizeof(response4) - 1;

    tap_is_int(answered(response4, n, tid, &pwd), NGX_OK, "RFC 5769, 2.2");
    tap_is_int(answered(response6, sizeof(response6) - 1, tid, &pwd), NGX_OK,
               "RFC 5769, 2.3");

    tap_is_int(answered(response4, n, response4, &pwd), NGX_DECLINED,
               "another transaction");

    ngx_str_set(&other, "VOkJxbRl1RmTxUk/WvJxBu");
    tap_is_int(answered(response4, n, tid, &other), NGX_DECLINED,
               "another password");

    ngx_str_null(&other);
    tap_is_int(answered(response4, n, tid, &other), NGX_DECLINED,
               "no password");

    /* the fingerprint is behind what is protected */

    passed = 0;

    for (i = 0; i < (n - 8) * 8; i++) {
        memcpy(bad, response4, n);
        bad[i / 8] ^= 1 << (i % 8);
        passed += (answered(bad, n, tid, &pwd) == NGX_OK);
    }

    tap_is_int(passed, 0, "no flipped bit passes");

    passed = 0;

    for (i = 0; i < n - 8; i++) {
        memcpy(bad, response4, i);

        passed += (answered(bad, i, tid, &pwd) == NGX_OK);

        if (i >= 20) {
            bad[2] = 0;
            bad[3] = (u_char) (i - 20);
            passed += (answered(bad, i, tid, &pwd) == NGX_OK);
        }
    }

    tap_is_int(passed, 0, "no cut message passes");

    memcpy(bad, response4, n);
    bad[1] = 0x11;
    tap_is_int(answered(bad, n, tid, &pwd), NGX_DECLINED, "an error response");

    bad[0] = 0;
    bad[1] = 1;
    tap_is_int(answered(bad, n, tid, &pwd), NGX_DECLINED, "a request");
}


int
main(void)
{
    test_request();
    test_answer();

    return tap_done();
}
