
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Policy, SSRCs and transport of a session: see the header file.  RFC 8839
 * (ICE), RFC 8122 and RFC 5763 (DTLS), RFC 9143 (BUNDLE).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_transport.h>
#include <ngx_webrtc_negotiate_cause.h>


/* minimum bytes of our credentials; RFC 8839, 5.4 */
#define NGX_WEBRTC_NEGOTIATE_MIN_UFRAG  4
#define NGX_WEBRTC_NEGOTIATE_MIN_PWD    22


ngx_int_t
ngx_webrtc_negotiate_policy(const ngx_webrtc_negotiate_policy_t *policy)
{
    ngx_uint_t  i;

    if (policy->ufrag.len < NGX_WEBRTC_NEGOTIATE_MIN_UFRAG
        || policy->ufrag.len > NGX_WEBRTC_DESC_LOCAL_UFRAG
        || policy->pwd.len < NGX_WEBRTC_NEGOTIATE_MIN_PWD
        || policy->pwd.len > NGX_WEBRTC_DESC_LOCAL_PWD
        || policy->fingerprint.len == 0
        || policy->fingerprint.len > NGX_WEBRTC_NEGOTIATE_FINGERPRINT
        || policy->cname.len == 0
        || policy->cname.len > NGX_WEBRTC_NEGOTIATE_NAME
        || policy->stream_id.len == 0
        || policy->stream_id.len > NGX_WEBRTC_NEGOTIATE_NAME)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < policy->ncandidates; i++) {
        if (policy->candidates[i].address.len == 0) {
            return NGX_ERROR;
        }
    }

    switch (policy->role) {

    case NGX_WEBRTC_NEGOTIATE_PLAY:
        return (policy->ntracks < NGX_WEBRTC_DESC_NO_TRACK) ? NGX_OK
                                                            : NGX_ERROR;

    case NGX_WEBRTC_NEGOTIATE_PUBLISH:
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


/* RFC 3550, 8: SSRCs of a session differ; 0 means "none" here */

void
ngx_webrtc_negotiate_ssrcs(const ngx_webrtc_negotiate_policy_t *policy,
    uint32_t *ssrcs)
{
    uint32_t    ssrc;
    ngx_uint_t  i, n;

    for (n = 0; n < 4; n++) {
        ssrc = policy->ssrcs[n];
        i = 0;

        while (i < n || ssrc == 0) {

            if (ssrc == 0 || ssrcs[i] == ssrc) {
                ssrc++;
                i = 0;
                continue;
            }

            i++;
        }

        ssrcs[n] = ssrc;
    }
}


void
ngx_webrtc_negotiate_local(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_t *desc, ngx_webrtc_sdp_answer_t *answer)
{
    desc->local_ufrag_len = (uint8_t) policy->ufrag.len;
    ngx_memcpy(desc->local_ufrag, policy->ufrag.data, policy->ufrag.len);

    desc->local_pwd_len = (uint8_t) policy->pwd.len;
    ngx_memcpy(desc->local_pwd, policy->pwd.data, policy->pwd.len);

    answer->sess_id = policy->sess_id & 0x7fffffffffffffffULL;
    answer->sess_version = 1;
    answer->ice_lite = policy->ice_lite;
    answer->end_of_candidates = 1;
    answer->ufrag = policy->ufrag;
    answer->pwd = policy->pwd;
    answer->fingerprint = policy->fingerprint;
    answer->cname = policy->cname;
    answer->stream_id = policy->stream_id;
    answer->candidates = policy->candidates;
    answer->ncandidates = policy->ncandidates;
}


ngx_int_t
ngx_webrtc_negotiate_remote(const ngx_webrtc_sdp_t *sdp, ngx_uint_t mline,
    ngx_webrtc_desc_t *desc, ngx_webrtc_negotiate_cause_t *cause)
{
    ngx_webrtc_sdp_transport_t  t;

    if (ngx_webrtc_negotiate_check(sdp, mline, &t, cause) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* the parser has checked the lengths: RFC 8839, 5.4 */

    desc->remote_ufrag_len = (uint16_t) t.ufrag.len;
    ngx_memcpy(desc->remote_ufrag, t.ufrag.data, t.ufrag.len);

    desc->remote_pwd_len = (uint16_t) t.pwd.len;
    ngx_memcpy(desc->remote_pwd, t.pwd.data, t.pwd.len);

    desc->remote_lite = sdp->ice_lite;

    desc->fingerprint_alg = t.fingerprint_alg;
    desc->fingerprint_len =
             (uint8_t) ngx_webrtc_sdp_parse_fingerprint(&t.fingerprint,
                                                        t.fingerprint_alg,
                                                        desc->fingerprint);

    /*
     * RFC 5763, 5: the answer to actpass may be either.  We are passive, so
     * that the peer starts when it is ready; without setup it is active:
     * RFC 4145, 4.
     */

    desc->dtls_role = (t.setup == NGX_WEBRTC_SDP_SETUP_PASSIVE)
                      ? NGX_WEBRTC_DTLS_CLIENT : NGX_WEBRTC_DTLS_SERVER;

    return NGX_OK;
}


void
ngx_webrtc_negotiate_transport(const ngx_webrtc_sdp_t *sdp,
    const ngx_webrtc_sdp_media_t *media, ngx_webrtc_sdp_transport_t *t)
{
    ngx_uint_t                         i;
    const ngx_str_t                   *mid;
    const ngx_webrtc_sdp_transport_t  *group;

    *t = media->transport;

    for (i = 0; i < sdp->nmedia && media->bundled; i++) {
        mid = &sdp->media[i].mid;
        group = &sdp->media[i].transport;

        if (mid->len == 0
            || mid->len != sdp->bundles[0].len
            || ngx_memcmp(mid->data, sdp->bundles[0].data, mid->len) != 0)
        {
            continue;
        }

        if (t->ufrag.len == 0 || t->pwd.len == 0) {
            t->ufrag = group->ufrag;
            t->pwd = group->pwd;
        }

        if (t->fingerprint_alg == 0 && !t->fingerprint_other) {
            t->fingerprint_alg = group->fingerprint_alg;
            t->fingerprint_other = group->fingerprint_other;
            t->fingerprint = group->fingerprint;
        }

        if (t->setup == NGX_WEBRTC_SDP_SETUP_NONE) {
            t->setup = group->setup;
        }
    }
}


ngx_int_t
ngx_webrtc_negotiate_check(const ngx_webrtc_sdp_t *sdp, ngx_uint_t mline,
    ngx_webrtc_sdp_transport_t *t, ngx_webrtc_negotiate_cause_t *cause)
{
    const ngx_webrtc_sdp_media_t  *media;

    media = &sdp->media[mline];

    ngx_webrtc_negotiate_transport(sdp, media, t);

    if (t->ufrag.len == 0 || t->pwd.len == 0) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no ICE credentials", mline,
                                           "m-line %ui (%V) has no "
                                           "a=ice-ufrag or no a=ice-pwd",
                                           mline, &media->type);
    }

    if (t->fingerprint_alg == 0) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no fingerprint", mline,
                                           "m-line %ui (%V) has no "
                                           "a=fingerprint of sha-256, sha-384 "
                                           "or sha-512",
                                           mline, &media->type);
    }

    if (t->setup == NGX_WEBRTC_SDP_SETUP_HOLDCONN) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no DTLS role", mline,
                                           "m-line %ui (%V) has "
                                           "a=setup:holdconn",
                                           mline, &media->type);
    }

    return NGX_OK;
}
