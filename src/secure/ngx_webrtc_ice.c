
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * ICE-lite: the answer to a connectivity check.  The only file that knows
 * libnice's STUN library.
 *
 * RFC 8445, 7.3 (role of a STUN server), 6.1.1 (lite); RFC 8489, 5, 6.3,
 * 9.1 (short-term credentials), 14.
 *
 * A datagram is checked here before the library sees it: bounds, padding and
 * the sizes of those attributes that the library takes for granted (it
 * compares 20 bytes of a MESSAGE-INTEGRITY of any length).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stun/stunagent.h>

#include <ngx_webrtc_ice.h>


#define NGX_WEBRTC_ICE_HEADER        20
#define NGX_WEBRTC_ICE_COOKIE        0x2112a442

/* RFC 8489, 5: the message types of the method Binding */
#define NGX_WEBRTC_ICE_T_REQUEST     0x0001
#define NGX_WEBRTC_ICE_T_INDICATION  0x0011
#define NGX_WEBRTC_ICE_T_RESPONSE    0x0101
#define NGX_WEBRTC_ICE_T_ERROR       0x0111

/* RFC 8489, 18.3 */
#define NGX_WEBRTC_ICE_A_USERNAME    0x0006
#define NGX_WEBRTC_ICE_A_INTEGRITY   0x0008
#define NGX_WEBRTC_ICE_A_FINGERPRINT 0x8028

/* bytes of a MESSAGE-INTEGRITY, of a FINGERPRINT; RFC 8489, 14.5, 14.7 */
#define NGX_WEBRTC_ICE_INTEGRITY     20
#define NGX_WEBRTC_ICE_FINGERPRINT   4

/* bytes of a ufrag; RFC 8839, 5.4 */
#define NGX_WEBRTC_ICE_UFRAG         256


/*
 * Two agents, because the library either demands a FINGERPRINT or neither
 * checks nor adds one.
 */

struct ngx_webrtc_ice_agent_s {
    StunAgent     fingerprint;
    StunAgent     plain;
};


typedef struct {
    u_char       *username;
    size_t        username_len;
    unsigned      integrity:1;
    unsigned      fingerprint:1;
    unsigned      unknown:1;       /* comprehension-required attribute */
} ngx_webrtc_ice_message_t;


static ngx_int_t ngx_webrtc_ice_parse(const u_char *p, size_t n,
    ngx_webrtc_ice_message_t *m);
static bool ngx_webrtc_ice_validate(StunAgent *agent, StunMessage *message,
    uint8_t *username, uint16_t username_len, uint8_t **password,
    size_t *password_len, void *data);
static ngx_int_t ngx_webrtc_ice_reply(StunAgent *agent, StunMessage *req,
    const struct sockaddr *from, u_char *reply, size_t *reply_n);
static ngx_int_t ngx_webrtc_ice_refuse(StunAgent *agent, StunMessage *req,
    ngx_uint_t error, u_char *reply, size_t *reply_n);
static socklen_t ngx_webrtc_ice_addr(const struct sockaddr *from,
    struct sockaddr_storage *ss);


/* comprehension-required attributes that we understand in a check */

static const uint16_t  ngx_webrtc_ice_known[] = {
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    0
};


ngx_webrtc_ice_agent_t *
ngx_webrtc_ice_create(ngx_pool_t *pool)
{
    ngx_webrtc_ice_agent_t  *agent;

    agent = ngx_pcalloc(pool, sizeof(ngx_webrtc_ice_agent_t));
    if (agent == NULL) {
        return NULL;
    }

    stun_agent_init(&agent->plain, ngx_webrtc_ice_known,
                    STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS);

    stun_agent_init(&agent->fingerprint, ngx_webrtc_ice_known,
                    STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS
                    |STUN_AGENT_USAGE_USE_FINGERPRINT);

    return agent;
}


ngx_webrtc_ice_class_e
ngx_webrtc_ice_class(const u_char *p, size_t n)
{
    uint32_t    cookie;
    ngx_uint_t  len;

    if (n < NGX_WEBRTC_ICE_HEADER || n > NGX_WEBRTC_ICE_MESSAGE) {
        return NGX_WEBRTC_ICE_NONE;
    }

    len = (p[2] << 8) | p[3];
    cookie = ((uint32_t) p[4] << 24) | (p[5] << 16) | (p[6] << 8) | p[7];

    if (cookie != NGX_WEBRTC_ICE_COOKIE
        || len != n - NGX_WEBRTC_ICE_HEADER
        || len % 4)
    {
        return NGX_WEBRTC_ICE_NONE;
    }

    switch ((p[0] << 8) | p[1]) {

    case NGX_WEBRTC_ICE_T_REQUEST:
        return NGX_WEBRTC_ICE_REQUEST;

    case NGX_WEBRTC_ICE_T_INDICATION:
        return NGX_WEBRTC_ICE_INDICATION;

    case NGX_WEBRTC_ICE_T_RESPONSE:
        return NGX_WEBRTC_ICE_RESPONSE;

    case NGX_WEBRTC_ICE_T_ERROR:
        return NGX_WEBRTC_ICE_ERROR;

    default:
        return NGX_WEBRTC_ICE_NONE;
    }
}


ngx_int_t
ngx_webrtc_ice_username(const u_char *p, size_t n, ngx_str_t *local_ufrag,
    ngx_str_t *remote_ufrag)
{
    u_char                    *colon;
    size_t                     local, remote;
    ngx_webrtc_ice_message_t   m;

    if (ngx_webrtc_ice_parse(p, n, &m) != NGX_OK) {
        return NGX_DECLINED;
    }

    colon = ngx_strlchr(m.username, m.username + m.username_len, ':');

    if (colon == NULL) {
        return NGX_DECLINED;
    }

    /* RFC 8445, 7.2.2: the receiver's ufrag comes first */

    local = colon - m.username;
    remote = m.username_len - local - 1;

    if (local == 0 || local > NGX_WEBRTC_ICE_UFRAG
        || remote == 0 || remote > NGX_WEBRTC_ICE_UFRAG)
    {
        return NGX_DECLINED;
    }

    local_ufrag->data = m.username;
    local_ufrag->len = local;

    remote_ufrag->data = colon + 1;
    remote_ufrag->len = remote;

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_ice_input(ngx_webrtc_ice_agent_t *agent,
    const ngx_webrtc_ice_cred_t *cred, const u_char *p, size_t n,
    const struct sockaddr *from, u_char *reply, size_t *reply_n,
    ngx_webrtc_ice_result_t *result)
{
    uint64_t                   tie;
    StunAgent                 *in;
    StunMessage                req;
    StunValidationStatus       status;
    ngx_webrtc_ice_message_t   m;

    *reply_n = 0;

    ngx_memzero(result, sizeof(ngx_webrtc_ice_result_t));

    if (ngx_webrtc_ice_parse(p, n, &m) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* an empty key would make the library skip the integrity check */

    if (cred->local_pwd.len == 0) {
        return NGX_DECLINED;
    }

    in = m.fingerprint ? &agent->fingerprint : &agent->plain;

    status = stun_agent_validate(in, &req, p, n, ngx_webrtc_ice_validate,
                                 (void *) cred);

    /*
     * The library looks for unknown attributes once the integrity has been
     * checked, but also behind MESSAGE-INTEGRITY, where they do not count.  It
     * sets the key only if it has checked the integrity.
     */

    if ((status != STUN_VALIDATION_SUCCESS
         && status != STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
        || req.key == NULL)
    {
        return NGX_DECLINED;
    }

    if (m.unknown) {

        /* RFC 8489, 6.3.1 */

        result->error = NGX_WEBRTC_ICE_UNKNOWN_ATTRIBUTE;

        return ngx_webrtc_ice_refuse(&agent->fingerprint, &req, result->error,
                                     reply, reply_n);
    }

    /*
     * RFC 8445, 7.3.1.1.  A full agent resolves the conflict by tie-breakers,
     * but a lite one cannot take the controlling role of a full peer.
     */

    if (stun_message_find64(&req, STUN_ATTRIBUTE_ICE_CONTROLLED, &tie)
        == STUN_MESSAGE_RETURN_SUCCESS)
    {
        result->error = NGX_WEBRTC_ICE_ROLE_CONFLICT;

        return ngx_webrtc_ice_refuse(&agent->fingerprint, &req, result->error,
                                     reply, reply_n);
    }

    if (ngx_webrtc_ice_reply(&agent->fingerprint, &req, from, reply, reply_n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (stun_message_find32(&req, STUN_ATTRIBUTE_PRIORITY, &result->priority)
        != STUN_MESSAGE_RETURN_SUCCESS)
    {
        result->priority = 0;
    }

    result->use_candidate =
                   (stun_message_find_flag(&req, STUN_ATTRIBUTE_USE_CANDIDATE)
                    == STUN_MESSAGE_RETURN_SUCCESS);

    result->controlling =
            (stun_message_find64(&req, STUN_ATTRIBUTE_ICE_CONTROLLING, &tie)
             == STUN_MESSAGE_RETURN_SUCCESS);

    return NGX_OK;
}


/*
 * RFC 8489, 5 and 14.  A binding request with USERNAME and behind it
 * MESSAGE-INTEGRITY; attributes behind that are ignored, but for FINGERPRINT,
 * which has to be the last one.
 */

static ngx_int_t
ngx_webrtc_ice_parse(const u_char *p, size_t n, ngx_webrtc_ice_message_t *m)
{
    size_t         len, padded;
    ngx_uint_t     type, i;
    const u_char  *end;

    ngx_memzero(m, sizeof(ngx_webrtc_ice_message_t));

    if (ngx_webrtc_ice_class(p, n) != NGX_WEBRTC_ICE_REQUEST) {
        return NGX_DECLINED;
    }

    end = p + n;
    p += NGX_WEBRTC_ICE_HEADER;

    for (i = 0; p != end; i++) {

        if (i == NGX_WEBRTC_ICE_ATTRS || m->fingerprint || end - p < 4) {
            return NGX_DECLINED;
        }

        type = (p[0] << 8) | p[1];
        len = (p[2] << 8) | p[3];
        padded = (len + 3) & ~(size_t) 3;

        p += 4;

        if (padded > (size_t) (end - p)) {
            return NGX_DECLINED;
        }

        switch (type) {

        case NGX_WEBRTC_ICE_A_USERNAME:

            if (m->integrity) {
                break;
            }

            if (m->username) {
                return NGX_DECLINED;
            }

            m->username = (u_char *) p;
            m->username_len = len;
            break;

        case NGX_WEBRTC_ICE_A_INTEGRITY:

            if (len != NGX_WEBRTC_ICE_INTEGRITY) {
                return NGX_DECLINED;
            }

            m->integrity = 1;
            break;

        case NGX_WEBRTC_ICE_A_FINGERPRINT:

            if (len != NGX_WEBRTC_ICE_FINGERPRINT) {
                return NGX_DECLINED;
            }

            m->fingerprint = 1;
            break;

        case STUN_ATTRIBUTE_PRIORITY:
        case STUN_ATTRIBUTE_USE_CANDIDATE:
            break;

        default:

            /* RFC 8489, 14: below 0x8000 they have to be understood */

            if (type < 0x8000 && !m->integrity) {
                m->unknown = 1;
            }
        }

        p += padded;
    }

    return (m->username && m->integrity) ? NGX_OK : NGX_DECLINED;
}


/* gives the library the password, if the user name is that of the session */

static bool
ngx_webrtc_ice_validate(StunAgent *agent, StunMessage *message,
    uint8_t *username, uint16_t username_len, uint8_t **password,
    size_t *password_len, void *data)
{
    const ngx_webrtc_ice_cred_t *cred = data;

    size_t  local, remote;

    (void) agent;
    (void) message;

    local = cred->local_ufrag.len;
    remote = cred->remote_ufrag.len;

    if (username == NULL
        || username_len != local + 1 + remote
        || ngx_memcmp(username, cred->local_ufrag.data, local) != 0
        || username[local] != ':'
        || ngx_memcmp(username + local + 1, cred->remote_ufrag.data, remote)
           != 0)
    {
        return false;
    }

    *password = cred->local_pwd.data;
    *password_len = cred->local_pwd.len;

    return true;
}


/* RFC 8445, 7.3.1.2 and RFC 8489, 6.3.1.1; the key is that of the request */

static ngx_int_t
ngx_webrtc_ice_reply(StunAgent *agent, StunMessage *req,
    const struct sockaddr *from, u_char *reply, size_t *reply_n)
{
    size_t                   len;
    socklen_t                socklen;
    StunMessage              msg;
    struct sockaddr_storage  ss;

    socklen = ngx_webrtc_ice_addr(from, &ss);

    if (socklen == 0
        || !stun_agent_init_response(agent, &msg, reply, NGX_WEBRTC_ICE_REPLY,
                                     req)
        || stun_message_append_xor_addr(&msg,
                                        STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                        &ss, socklen)
           != STUN_MESSAGE_RETURN_SUCCESS)
    {
        return NGX_ERROR;
    }

    len = stun_agent_finish_message(agent, &msg, NULL, 0);
    if (len == 0) {
        return NGX_ERROR;
    }

    *reply_n = len;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_ice_refuse(StunAgent *agent, StunMessage *req, ngx_uint_t error,
    u_char *reply, size_t *reply_n)
{
    size_t       len;
    StunMessage  msg;

    if (error == NGX_WEBRTC_ICE_UNKNOWN_ATTRIBUTE) {
        len = stun_agent_build_unknown_attributes_error(agent, &msg, reply,
                                                 NGX_WEBRTC_ICE_REPLY, req);

    } else if (stun_agent_init_error(agent, &msg, reply, NGX_WEBRTC_ICE_REPLY,
                                     req, (StunError) error))
    {
        len = stun_agent_finish_message(agent, &msg, NULL, 0);

    } else {
        len = 0;
    }

    if (len == 0) {
        return NGX_ERROR;
    }

    *reply_n = len;

    return NGX_DECLINED;
}


/* a v4-mapped address becomes what the client sees: IPv4 */

static socklen_t
ngx_webrtc_ice_addr(const struct sockaddr *from, struct sockaddr_storage *ss)
{
    struct sockaddr_in         *sin;
#if (NGX_HAVE_INET6)
    const struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(ss, sizeof(struct sockaddr_storage));

    sin = (struct sockaddr_in *) ss;

    switch (from->sa_family) {

    case AF_INET:
        ngx_memcpy(ss, from, sizeof(struct sockaddr_in));
        return sizeof(struct sockaddr_in);

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) from;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            sin->sin_family = AF_INET;
            sin->sin_port = sin6->sin6_port;
            ngx_memcpy(&sin->sin_addr, &sin6->sin6_addr.s6_addr[12], 4);
            return sizeof(struct sockaddr_in);
        }

        ngx_memcpy(ss, from, sizeof(struct sockaddr_in6));
        return sizeof(struct sockaddr_in6);
#endif

    default:
        return 0;
    }
}
