
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: STUN datagrams, as requests and as answers to ours.  With an
 * even first byte the rest is a datagram.  With an odd one the rest is the
 * attributes of a request that gets a user name and a right MESSAGE-INTEGRITY,
 * so that what is behind the check is reached.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ngx_webrtc_ice.h>
#include <ngx_webrtc_ice_probe.h>


static const ngx_webrtc_ice_cred_t  cred = {
    ngx_string("evtj"),
    ngx_string("VOkJxbRl1RmTxUk/WvJxBt"),
    ngx_string("h6vY")
};


static size_t
sign(u_char *msg, const uint8_t *attrs, size_t n)
{
    u_char        mac[64];
    unsigned int  len;

    n &= ~(size_t) 3;

    memcpy(msg, "\x00\x01\x00\x00\x21\x12\xa4\x42" "abcdefghijkl", 20);
    memcpy(msg + 20, attrs, n);
    n += 20;

    memcpy(msg + n, "\x00\x06\x00\x09" "evtj:h6vY\0\0\0", 16);
    n += 16;

    msg[2] = (u_char) ((n + 24 - 20) >> 8);
    msg[3] = (u_char) (n + 24 - 20);

    HMAC(EVP_sha1(), cred.local_pwd.data, (int) cred.local_pwd.len, msg, n,
         mac, &len);

    memcpy(msg + n, "\x00\x08\x00\x14", 4);
    memcpy(msg + n + 4, mac, 20);

    return n + 24;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                  *msg, reply[NGX_WEBRTC_ICE_REPLY];
    size_t                   n, reply_n;
    ngx_int_t                rc, named;
    ngx_str_t                local, remote;
    struct sockaddr_in       sin;
    ngx_webrtc_ice_result_t  result;

    static ngx_log_t                log;
    static ngx_pool_t              *pool;
    static ngx_webrtc_ice_agent_t  *agent;

    if (pool == NULL) {
        pool = ngx_create_pool(4096, &log);
        agent = ngx_webrtc_ice_create(pool);
    }

    if (size == 0 || size > 2048) {
        return 0;
    }

    if (data[0] & 1) {
        u_char  buf[2048 + 64];

        n = sign(buf, data + 1, size - 1);
        msg = malloc(n);
        memcpy(msg, buf, n);

    } else {
        n = size - 1;
        msg = malloc(n + (n == 0));
        memcpy(msg, data + 1, n);
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;

    named = ngx_webrtc_ice_username(msg, n, &local, &remote);

    if (named == NGX_OK
        && (local.data < msg || remote.data + remote.len > msg + n))
    {
        abort();
    }

    reply_n = 1;
    rc = ngx_webrtc_ice_input(agent, &cred, msg, n, (struct sockaddr *) &sin,
                              reply, &reply_n, &result);

    /* never an answer to what is not for us */

    if (reply_n > sizeof(reply)
        || (rc == NGX_OK && (reply_n == 0 || named != NGX_OK))
        || (reply_n && named != NGX_OK)
        || (reply_n && rc != NGX_OK && result.error == 0))
    {
        abort();
    }

    if (n >= 20
        && ngx_webrtc_ice_answered(msg, n, msg + 8, &cred.local_pwd) == NGX_OK
        && ngx_webrtc_ice_class(msg, n) != NGX_WEBRTC_ICE_RESPONSE)
    {
        abort();
    }

    free(msg);

    return 0;
}
