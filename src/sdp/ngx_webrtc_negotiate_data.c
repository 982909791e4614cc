
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DataChannels in offer and answer.  One m-line of "webrtc-datachannel" is
 * accepted and carries the transport; anything else in the offer is answered
 * with port 0 in its place (RFC 3264, 6).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_data.h>
#include <ngx_webrtc_negotiate_cause.h>
#include <ngx_webrtc_negotiate_transport.h>
#include <ngx_webrtc_sdp_text.h>


/* minimum bytes of our credentials; RFC 8839, 5.4 */
#define NGX_WEBRTC_NEGOTIATE_MIN_UFRAG  4
#define NGX_WEBRTC_NEGOTIATE_MIN_PWD    22


static ngx_uint_t ngx_webrtc_negotiate_is_data(
    const ngx_webrtc_sdp_media_t *media);
static ngx_int_t ngx_webrtc_negotiate_data_desc(const ngx_webrtc_sdp_t *offer,
    ngx_uint_t mline, const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_t *desc, ngx_webrtc_negotiate_cause_t *cause);
static u_char *ngx_webrtc_negotiate_data_print(u_char *p, u_char *end,
    const ngx_webrtc_sdp_t *offer, ngx_uint_t mline,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_uint_t trickle,
    const ngx_webrtc_desc_t *desc);


ngx_int_t
ngx_webrtc_negotiate_data(const ngx_webrtc_sdp_t *offer,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_uint_t trickle,
    ngx_webrtc_desc_t *desc, u_char **pos, u_char *end,
    ngx_webrtc_negotiate_cause_t *cause)
{
    u_char      *p;
    ngx_uint_t   i;

    if (policy->ufrag.len < NGX_WEBRTC_NEGOTIATE_MIN_UFRAG
        || policy->ufrag.len > NGX_WEBRTC_DESC_LOCAL_UFRAG
        || policy->pwd.len < NGX_WEBRTC_NEGOTIATE_MIN_PWD
        || policy->pwd.len > NGX_WEBRTC_DESC_LOCAL_PWD
        || policy->fingerprint.len == 0
        || policy->fingerprint.len > NGX_WEBRTC_NEGOTIATE_FINGERPRINT)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < offer->nmedia; i++) {
        if (ngx_webrtc_negotiate_is_data(&offer->media[i])) {
            break;
        }
    }

    if (i == offer->nmedia) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "no DataChannel", -1,
                                           "the offer has no m-line "
                                           "\"application\" of "
                                           "UDP/DTLS/SCTP "
                                           "webrtc-datachannel");
    }

    /* RFC 8445, 6.1.1: with two lite agents neither sends checks */

    if (offer->ice_lite && policy->ice_lite) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "ICE lite on both sides", -1,
                                           "the offer has a=ice-lite, and so "
                                           "does this server");
    }

    ngx_memzero(desc, sizeof(ngx_webrtc_desc_t));

    if (ngx_webrtc_negotiate_data_desc(offer, i, policy, desc, cause)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_negotiate_data_print(*pos, end, offer, i, policy, trickle,
                                        desc);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *pos = p;

    return NGX_OK;
}


static ngx_uint_t
ngx_webrtc_negotiate_is_data(const ngx_webrtc_sdp_media_t *media)
{
    ngx_uint_t  i;

    /* RFC 8841, 4; the last one is from drafts, with the port as format */

    static const ngx_str_t  protos[] = {
        ngx_string("UDP/DTLS/SCTP"),
        ngx_string("TCP/DTLS/SCTP"),
        ngx_string("DTLS/SCTP")
    };

    if (media->kind != NGX_WEBRTC_SDP_APPLICATION || media->rejected) {
        return 0;
    }

    for (i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
        if (media->proto.len == protos[i].len
            && ngx_strncasecmp(media->proto.data, protos[i].data,
                               protos[i].len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_webrtc_negotiate_data_desc(const ngx_webrtc_sdp_t *offer,
    ngx_uint_t mline, const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_t *desc, ngx_webrtc_negotiate_cause_t *cause)
{
    size_t                         n;
    uint64_t                       size;
    const char                    *title;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_sdp_transport_t     t;

    media = &offer->media[mline];

    ngx_webrtc_negotiate_transport(offer, media, &t);

    n = 0;
    title = NULL;

    if (t.fingerprint_alg) {
        n = ngx_webrtc_sdp_parse_fingerprint(&t.fingerprint,
                                             t.fingerprint_alg,
                                             desc->fingerprint);
    }

    if (t.ufrag.len == 0 || t.pwd.len == 0
        || t.ufrag.len > NGX_WEBRTC_DESC_REMOTE_UFRAG
        || t.pwd.len > NGX_WEBRTC_DESC_REMOTE_PWD)
    {
        title = "no ICE credentials";

    } else if (n == 0) {
        title = "no fingerprint";

    } else if (t.setup == NGX_WEBRTC_SDP_SETUP_HOLDCONN) {
        title = "no DTLS role";
    }

    if (title) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           title, mline,
                                           "m-line %ui (%V) lacks what is "
                                           "needed of ice-ufrag, ice-pwd, "
                                           "fingerprint, setup",
                                           mline, &media->type);
    }

    size = media->max_message_size ? media->max_message_size
                                   : NGX_WEBRTC_NEGOTIATE_MESSAGE_PEER;

    if (size < NGX_WEBRTC_NEGOTIATE_MESSAGE_MIN) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "max-message-size is too small",
                                           mline, "expected at least %d bytes",
                                           NGX_WEBRTC_NEGOTIATE_MESSAGE_MIN);
    }

    /* we send at most NGX_WEBRTC_RANGE_PAYLOAD and a header */

    desc->max_message = (uint32_t) ngx_min(size,
                                           NGX_WEBRTC_NEGOTIATE_MESSAGE);
    desc->sctp_port = media->sctp_port ? media->sctp_port
                                       : NGX_WEBRTC_NEGOTIATE_SCTP_PORT;

    /* m-line and mid for trickled candidates */

    desc->media[0].mline = (uint8_t) mline;
    desc->media[0].mid_len = (uint8_t) ngx_min(media->mid.len,
                                               NGX_WEBRTC_DESC_MID);

    if (desc->media[0].mid_len) {
        ngx_memcpy(desc->media[0].mid, media->mid.data,
                   desc->media[0].mid_len);
    }

    desc->fingerprint_alg = t.fingerprint_alg;
    desc->fingerprint_len = (uint8_t) n;
    desc->remote_lite = offer->ice_lite;

    /* RFC 5763, 5: "passive" leaves us the client's part */

    desc->dtls_role = (t.setup == NGX_WEBRTC_SDP_SETUP_PASSIVE)
                      ? NGX_WEBRTC_DTLS_CLIENT : NGX_WEBRTC_DTLS_SERVER;

    desc->local_ufrag_len = (uint8_t) policy->ufrag.len;
    ngx_memcpy(desc->local_ufrag, policy->ufrag.data, policy->ufrag.len);
    desc->local_pwd_len = (uint8_t) policy->pwd.len;
    ngx_memcpy(desc->local_pwd, policy->pwd.data, policy->pwd.len);

    desc->remote_ufrag_len = (uint16_t) t.ufrag.len;
    ngx_memcpy(desc->remote_ufrag, t.ufrag.data, t.ufrag.len);
    desc->remote_pwd_len = (uint16_t) t.pwd.len;
    ngx_memcpy(desc->remote_pwd, t.pwd.data, t.pwd.len);

    return NGX_OK;
}


static u_char *
ngx_webrtc_negotiate_data_print(u_char *p, u_char *end,
    const ngx_webrtc_sdp_t *offer, ngx_uint_t mline,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_uint_t trickle,
    const ngx_webrtc_desc_t *desc)
{
    ngx_str_t                      fmt;
    ngx_uint_t                     i, n;
    const ngx_webrtc_sdp_media_t  *media;

    media = &offer->media[mline];

    p = ngx_webrtc_sdp_printf(p, end,
                              "v=0" CRLF
                              "o=- %uL 1 IN IP4 0.0.0.0" CRLF
                              "s=-" CRLF
                              "t=0 0" CRLF,
                              policy->sess_id
                              & 0x7fffffffffffffffULL);

    if (media->bundled && media->mid.len) {
        p = ngx_webrtc_sdp_printf(p, end,
                                  "a=group:BUNDLE %V" CRLF,
                                  &media->mid);
    }

    if (policy->ice_lite) {
        p = ngx_webrtc_sdp_printf(p, end, "a=ice-lite" CRLF);
    }

    if (trickle) {
        p = ngx_webrtc_sdp_printf(p, end,
                                  "a=ice-options:trickle" CRLF);
    }

    for (i = 0; i < offer->nmedia; i++) {
        media = &offer->media[i];
        fmt = media->fmts;

        if (i != mline) {

            for (n = 0; n < fmt.len && fmt.data[n] != ' '; n++) { /* void */ }
            fmt.len = n;

            p = ngx_webrtc_sdp_printf(p, end,
                                      "m=%V 0 %V %V" CRLF
                                      "c=IN IP4 0.0.0.0" CRLF,
                                      &media->type, &media->proto,
                                      &fmt);

            if (media->mid.len) {
                p = ngx_webrtc_sdp_printf(p, end, "a=mid:%V" CRLF,
                                          &media->mid);
            }

            p = ngx_webrtc_sdp_printf(p, end, "a=inactive" CRLF);
            continue;
        }

        p = ngx_webrtc_sdp_printf(p, end,
                                  "m=application 9 %V %V" CRLF
                                  "c=IN IP4 0.0.0.0" CRLF,
                                  &media->proto, &fmt);

        if (media->mid.len) {
            p = ngx_webrtc_sdp_printf(p, end, "a=mid:%V" CRLF,
                                      &media->mid);
        }

        p = ngx_webrtc_sdp_printf(p, end,
                                  "a=ice-ufrag:%V" CRLF
                                  "a=ice-pwd:%V" CRLF
                                  "a=fingerprint:%V" CRLF
                                  "a=setup:%s" CRLF
                                  "a=sctp-port:%d" CRLF
                                  "a=max-message-size:%d" CRLF,
                                  &policy->ufrag, &policy->pwd,
                                  &policy->fingerprint,
                                  (desc->dtls_role
                                   == NGX_WEBRTC_DTLS_CLIENT)
                                  ? "active" : "passive",
                                  NGX_WEBRTC_NEGOTIATE_SCTP_PORT,
                                  NGX_WEBRTC_NEGOTIATE_MESSAGE);

        if (trickle) {
            continue;
        }

        for (n = 0; n < policy->ncandidates; n++) {
            p = ngx_webrtc_sdp_printf(p, end, "a=");
            p = ngx_webrtc_sdp_print_candidate(p, end, &policy->candidates[n],
                                               n);
            p = ngx_webrtc_sdp_printf(p, end, CRLF);
        }

        p = ngx_webrtc_sdp_printf(p, end,
                                  "a=end-of-candidates" CRLF);
    }

    return p;
}
