
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: offers of DataChannels.  A byte chooses the policy, the rest is
 * the offer.
 * Property: an offer that parses gets an answer or a refusal with a cause,
 * never an error; an answer fits the room, parses back, takes one m-line of
 * the offer, whose mid it has, and rejects the others; limits are within ours.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_data.h>


#define ROOM  (NGX_WEBRTC_NEGOTIATE_ANSWER + 2 * NGX_WEBRTC_NEGOTIATE_CANDIDATE)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_sdp_t            offer, answer;
static ngx_webrtc_sdp_candidate_t  cands[2];


static void
check(ngx_uint_t cond)
{
    if (!cond) {
        abort();
    }
}


static void
make_policy(ngx_webrtc_negotiate_policy_t *policy, uint8_t a)
{
    ngx_memzero(policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy->ice_lite = a & 1;
    policy->ncandidates = (a & 2) ? 2 : 0;
    policy->candidates = cands;
    policy->sess_id = (uint64_t) a << 56;

    ngx_str_set(&policy->ufrag, "0123456789abcdef");
    ngx_str_set(&policy->pwd, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy->fingerprint,
                "sha-256 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
                "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f");

    ngx_str_set(&cands[0].address, "192.0.2.1");
    ngx_str_set(&cands[1].address, "2001:db8::1");
    cands[0].port = 8000;
    cands[1].port = 8000;
}


static void
check_answer(const ngx_webrtc_desc_t *desc, ngx_uint_t ncandidates)
{
    ngx_uint_t                     i, taken;
    const ngx_webrtc_sdp_media_t  *o, *a;

    taken = 0;

    check(answer.nmedia == offer.nmedia);
    check(answer.ncandidates == ncandidates);

    for (i = 0; i < answer.nmedia; i++) {
        o = &offer.media[i];
        a = &answer.media[i];

        check(o->kind == a->kind && o->mid.len == a->mid.len);
        check(o->mid.len == 0
              || ngx_memcmp(o->mid.data, a->mid.data, a->mid.len) == 0);
        check(!o->rejected || a->rejected);

        if (a->rejected) {
            continue;
        }

        taken++;

        check(a->kind == NGX_WEBRTC_SDP_APPLICATION);
        check(desc->media[0].mline == i);
        check(a->transport.setup
              == ((desc->dtls_role == NGX_WEBRTC_DTLS_CLIENT)
                  ? NGX_WEBRTC_SDP_SETUP_ACTIVE
                  : NGX_WEBRTC_SDP_SETUP_PASSIVE));
    }

    check(taken == 1);
    check(desc->nmedia == 0 && desc->sctp_port != 0);
    check(desc->max_message >= NGX_WEBRTC_NEGOTIATE_MESSAGE_MIN);
    check(desc->remote_ufrag_len && desc->remote_pwd_len);
    check(desc->fingerprint_len);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                         *p, *last;
    ngx_uint_t                      trickle;
    ngx_webrtc_desc_t               desc;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_negotiate_cause_t    cause;
    ngx_webrtc_negotiate_policy_t   policy;

    static u_char  room[ROOM];

    if (size < 1) {
        return 0;
    }

    make_policy(&policy, data[0]);
    trickle = (data[0] >> 2) & 1;

    p = (u_char *) data + 1;

    if (ngx_webrtc_sdp_parse(p, p + size - 1, &offer, &err) != NGX_OK) {
        return 0;
    }

    last = room;
    cause.title = NULL;
    cause.len = 0;

    switch (ngx_webrtc_negotiate_data(&offer, &policy, trickle, &desc, &last,
                                      room + ROOM, &cause))
    {
    case NGX_OK:
        check(ngx_webrtc_sdp_parse(room, last, &answer, &err) == NGX_OK);
        check_answer(&desc, trickle ? 0 : policy.ncandidates);
        break;

    case NGX_DECLINED:
        check(cause.title && cause.len
              && cause.len <= NGX_WEBRTC_NEGOTIATE_DETAIL);
        break;

    default:
        abort();
    }

    return 0;
}
