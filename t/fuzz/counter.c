
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: counter-offers.  Two bytes choose the stream, the rest is the
 * answer to its counter-offer.
 * Property: a counter-offer can always be made, fits the room and parses; an
 * answer makes a complete description of what was offered, or it is refused
 * with a cause; our own answer to it is always taken.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>
#include <ngx_webrtc_negotiate_counter.h>
#include <ngx_webrtc_codecs.h>


#define ROOM  (NGX_WEBRTC_NEGOTIATE_ANSWER + NGX_WEBRTC_NEGOTIATE_CANDIDATE)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_sdp_t              sdp;
static ngx_webrtc_track_t            tracks[2];
static ngx_webrtc_sdp_candidate_t    cand;
static u_char                        room[ROOM], again[ROOM];


static void
make_policy(ngx_webrtc_negotiate_policy_t *policy, uint8_t a, uint8_t b)
{
    ngx_uint_t  video, audio;

    ngx_memzero(policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy->role = NGX_WEBRTC_NEGOTIATE_PLAY;
    policy->ice_lite = a & 1;
    policy->no_rtx = (a >> 1) & 1;
    policy->exts = (a & 4) ? 0xff : 0;
    policy->fb = (a & 8) ? 0xff : 0;
    policy->alternatives = (a & 16) ? ~(ngx_uint_t) 0 : b;
    policy->ntracks = 1 + ((a >> 5) & 1);

    video = NGX_WEBRTC_CODEC_H264 + (b & 15) % 5;
    audio = NGX_WEBRTC_CODEC_OPUS + (b >> 4) % 4;

    ngx_webrtc_codec_track(ngx_webrtc_codec(video), &tracks[0], 0);
    ngx_webrtc_codec_track(ngx_webrtc_codec(audio), &tracks[1], 2);

    if (a & 64) {
        tracks[0].profile = 0xffffffff;
    }

    policy->tracks = tracks;

    ngx_str_set(&policy->ufrag, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy->pwd, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy->fingerprint, "sha-256 "
                "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
                "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f");
    ngx_str_set(&policy->cname, "cname");
    ngx_str_set(&policy->stream_id, "stream");

    ngx_str_set(&cand.address, "192.0.2.1");
    cand.port = 8000;
    policy->candidates = &cand;
    policy->ncandidates = 1;
}


static void
check(const ngx_webrtc_desc_t *offered, const ngx_webrtc_desc_t *desc,
    ngx_uint_t any)
{
    ngx_uint_t                      i, n, sending;
    ngx_webrtc_desc_alt_t           alt;
    const ngx_webrtc_desc_media_t  *m, *o;

    if (desc->nmedia == 0 || desc->nmedia > offered->nmedia
        || ngx_webrtc_negotiate_counter_pending(desc)
        || desc->remote_pwd_len == 0 || desc->fingerprint_len == 0
        || desc->dtls_role == 0
        || desc->local_ufrag_len != offered->local_ufrag_len)
    {
        abort();
    }

    sending = 0;

    for (i = 0; i < desc->nmedia; i++) {
        m = &desc->media[i];

        if (m->mline >= offered->nmedia) {
            abort();
        }

        o = &offered->media[m->mline];

        if (ngx_webrtc_desc_codec(o, m->codec, &alt) != NGX_OK
            || m->pt != alt.pt || m->receiving
            || m->mid_len != o->mid_len || m->nalts > o->nalts
            || (m->fb & ~o->fb) || (m->nalts && !m->sending)
            || (m->rtx_pt != alt.rtx_pt
                && m->rtx_pt != NGX_WEBRTC_DESC_NO_PT)
            || (!any && m->codec != o->codec)
            || m->sending != (m->track != NGX_WEBRTC_DESC_NO_TRACK))
        {
            abort();
        }

        for (n = 0; n < m->nalts; n++) {
            if (ngx_webrtc_desc_codec(o, m->alts[n].codec, &alt) != NGX_OK
                || alt.pt != m->alts[n].pt
                || (alt.rtx_pt != m->alts[n].rtx_pt
                    && m->alts[n].rtx_pt != NGX_WEBRTC_DESC_NO_PT))
            {
                abort();
            }
        }

        sending += m->sending;
    }

    if (sending == 0) {
        abort();
    }
}


/* what PUBLISH answers to a counter-offer */

static void
own_answer(ngx_webrtc_negotiate_policy_t *policy, u_char *last,
    const ngx_webrtc_desc_t *offered)
{
    u_char                         *p;
    ngx_uint_t                      ice_lite;
    ngx_webrtc_desc_t               desc;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_negotiate_cause_t    cause;

    if (ngx_webrtc_sdp_parse(room, last, &sdp, &err) != NGX_OK
        || sdp.nmedia != offered->nmedia)
    {
        abort();
    }

    ice_lite = policy->ice_lite;
    policy->ice_lite = 0;
    policy->role = NGX_WEBRTC_NEGOTIATE_PUBLISH;

    p = again;

    if (ngx_webrtc_negotiate(&sdp, policy, &desc, &p, again + ROOM, &cause)
        != NGX_OK
        || ngx_webrtc_sdp_parse(again, p, &sdp, &err) != NGX_OK
        || ngx_webrtc_negotiate_counter_answer(&sdp, offered, ice_lite, 0,
                                               &desc, &cause)
           != NGX_OK
        || desc.nmedia != offered->nmedia)
    {
        abort();
    }

    check(offered, &desc, 0);
}


static void
answer(const ngx_webrtc_desc_t *offered, ngx_uint_t ice_lite, ngx_uint_t any)
{
    ngx_webrtc_desc_t              desc;
    ngx_webrtc_negotiate_cause_t   cause;

    cause.title = NULL;
    cause.len = 0;

    switch (ngx_webrtc_negotiate_counter_answer(&sdp, offered, ice_lite, any,
                                                &desc, &cause))
    {
    case NGX_OK:
        check(offered, &desc, any);
        break;

    case NGX_DECLINED:

        if (cause.title == NULL || cause.len == 0
            || cause.len > NGX_WEBRTC_NEGOTIATE_DETAIL)
        {
            abort();
        }

        break;

    default:
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                         *p, *last;
    ngx_uint_t                      ice_lite;
    ngx_webrtc_desc_t               offered;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_negotiate_policy_t   policy;

    if (size < 2) {
        return 0;
    }

    make_policy(&policy, data[0], data[1]);

    ice_lite = policy.ice_lite;
    last = room;

    if (ngx_webrtc_negotiate_counter_offer(&policy, &offered, &last,
                                           room + ROOM)
        != NGX_OK
        || !ngx_webrtc_negotiate_counter_pending(&offered)
        || offered.nmedia != policy.ntracks)
    {
        abort();
    }

    own_answer(&policy, last, &offered);

    p = (u_char *) data + 2;

    if (ngx_webrtc_sdp_parse(p, p + size - 2, &sdp, &err) != NGX_OK) {
        return 0;
    }

    answer(&offered, ice_lite, 0);

    /* of a server that we publish to */

    answer(&offered, 0, 1);

    return 0;
}
