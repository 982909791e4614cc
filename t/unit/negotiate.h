
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What tests of negotiation share: a policy, offers from text and from
 * t/data/offers, and checks that hold for every answer.
 */


#ifndef _NEGOTIATE_H_INCLUDED_
#define _NEGOTIATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>
#include <ngx_webrtc_codecs.h>

#include "tap.h"


#define FP  "B1:80:35:59:5C:AC:06:12:C8:16:33:9C:D4:3D:B0:F4:"                \
            "2D:FD:A9:DE:36:2E:81:53:4C:39:6B:A2:C3:E9:B4:7E"

#define T   "a=rtcp-mux\na=ice-ufrag:remo\na=ice-pwd:remote7890123456789012\n" \
            "a=fingerprint:sha-256 " FP "\n"

#define HEAD   "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n"
#define AUDIO  "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:a\na=recvonly\n"       \
               "a=rtpmap:111 opus/48000/2\n"
#define VIDEO  "m=video 9 UDP/TLS/RTP/SAVPF 106\na=mid:v\na=recvonly\n"       \
               "a=rtpmap:106 H264/90000\n"
#define BOTH   HEAD "a=group:BUNDLE a v\n" AUDIO T VIDEO T

#define ROOM   (NGX_WEBRTC_NEGOTIATE_ANSWER                                   \
                + 32 * NGX_WEBRTC_NEGOTIATE_CANDIDATE)

#define PLAY     NGX_WEBRTC_NEGOTIATE_PLAY
#define PUBLISH  NGX_WEBRTC_NEGOTIATE_PUBLISH

#define NONE     NGX_WEBRTC_DESC_NO_PT


static ngx_webrtc_sdp_t               sdp, parsed;
static ngx_webrtc_sdp_error_t         err;
static ngx_webrtc_desc_t              desc;
static ngx_webrtc_track_t             tracks[4];
static ngx_webrtc_sdp_candidate_t     cand;
static ngx_webrtc_negotiate_policy_t  policy;
static ngx_webrtc_negotiate_cause_t   cause;

static u_char  offer[65536];
static u_char  answer[ROOM + 1];
static u_char  *last;


static ngx_inline void
reset(ngx_uint_t role)
{
    ngx_memzero(&policy, sizeof(policy));
    ngx_memzero(&cand, sizeof(cand));

    policy.role = role;
    policy.tracks = tracks;
    policy.fb = NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR;
    policy.ice_lite = 1;
    policy.sess_id = 0xffffffffffffffffULL;
    policy.ssrcs[0] = 1001;
    policy.ssrcs[1] = 1002;
    policy.ssrcs[2] = 1003;
    policy.ssrcs[3] = 1004;
    ngx_str_set(&policy.ufrag, "localufr");
    ngx_str_set(&policy.pwd, "local67890123456789012");
    ngx_str_set(&policy.fingerprint, "sha-256 " FP);
    ngx_str_set(&policy.cname, "cname");
    ngx_str_set(&policy.stream_id, "cam1");
    ngx_str_set(&cand.address, "192.0.2.1");
    cand.port = 8000;
    policy.candidates = &cand;
    policy.ncandidates = 1;
}


static ngx_inline void
track(ngx_uint_t codec, uint32_t profile)
{
    if (codec == NGX_WEBRTC_CODEC_NONE) {
        return;
    }

    ngx_webrtc_codec_track(ngx_webrtc_codec(codec), &tracks[policy.ntracks],
                           2);
    tracks[policy.ntracks].profile = profile;
    policy.ntracks++;
}


static ngx_inline ngx_int_t
negotiate(size_t n)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    ngx_memzero(&cause, sizeof(cause));

    if (ngx_webrtc_sdp_parse(offer, offer + n, &sdp, &err) != NGX_OK) {
        tap_diag("the offer: %s, line %d", err.cause, (int) err.line);
        return NGX_ERROR;
    }

    last = answer;
    rc = ngx_webrtc_negotiate(&sdp, &policy, &desc, &last, answer + ROOM,
                              &cause);

    if (rc != NGX_OK) {
        return rc;
    }

    /* whatever was answered must parse back and match the offer's shape */

    if (ngx_webrtc_sdp_parse(answer, last, &parsed, &err) != NGX_OK) {
        tap_fail("the answer parses back: %s", err.cause);
        return NGX_ERROR;
    }

    if (parsed.nmedia != sdp.nmedia) {
        tap_fail("as many m-lines as offered");
    }

    for (i = 0; i < parsed.nmedia; i++) {
        if (parsed.media[i].mid.len != sdp.media[i].mid.len
            || (parsed.media[i].bundled && parsed.media[i].rejected)
            || parsed.media[i].kind != sdp.media[i].kind)
        {
            tap_fail("m-line %d mirrors the offer's", (int) i);
        }
    }

    return NGX_OK;
}


static ngx_inline ngx_int_t
negotiate_text(const char *text)
{
    ngx_memcpy(offer, text, strlen(text));
    return negotiate(strlen(text));
}


static ngx_inline ngx_int_t
negotiate_file(const char *name)
{
    FILE    *f;
    char     path[256];
    size_t   n;

    snprintf(path, sizeof(path), "t/data/offers/%s.sdp", name);

    f = fopen(path, "rb");
    if (f == NULL) {
        tap_diag("cannot open %s, run from the root of the tree", path);
        return NGX_ERROR;
    }

    n = fread(offer, 1, sizeof(offer), f);
    fclose(f);

    return negotiate(n);
}


static ngx_inline ngx_webrtc_desc_media_t *
find(ngx_uint_t kind)
{
    ngx_uint_t  i;

    for (i = 0; i < desc.nmedia; i++) {
        if (desc.media[i].kind == kind) {
            return &desc.media[i];
        }
    }

    return NULL;
}


static ngx_inline ngx_uint_t
has(const char *text)
{
    *last = '\0';
    return strstr((char *) answer, text) != NULL;
}


#endif /* _NEGOTIATE_H_INCLUDED_ */
