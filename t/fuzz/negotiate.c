
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: negotiation.  Two bytes choose the policy, the rest is the
 * offer.
 * Property: an offer that parses gets an answer or a refusal with a cause,
 * never an error; an answer fits the room, parses back and has the offer's
 * m-lines; what it lists is what the description has, and all of it offered.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>
#include <ngx_webrtc_codecs.h>


#define ROOM  (NGX_WEBRTC_NEGOTIATE_ANSWER + 2 * NGX_WEBRTC_NEGOTIATE_CANDIDATE)

/* the longest that the policy may have */
#define N64   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_webrtc_sdp_t              offer, answer;
static ngx_webrtc_track_t            tracks[2];
static ngx_webrtc_sdp_candidate_t    cands[2];

static const uint8_t  order[] = {
    NGX_WEBRTC_CODEC_AV1,
    NGX_WEBRTC_CODEC_RED,
    NGX_WEBRTC_CODEC_OPUS,
    NGX_WEBRTC_CODEC_VP8,
    NGX_WEBRTC_CODEC_PCMA,
    NGX_WEBRTC_CODEC_NONE,
    NGX_WEBRTC_CODEC_H264,
    200
};

static const char  sha512[] =
    "sha-512 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
    "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
    "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:"
    "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f";


static void
make_policy(ngx_webrtc_negotiate_policy_t *policy, uint8_t a, uint8_t b)
{
    ngx_uint_t  video, audio;

    ngx_memzero(policy, sizeof(ngx_webrtc_negotiate_policy_t));

    policy->role = (a & 1) ? NGX_WEBRTC_NEGOTIATE_PUBLISH
                           : NGX_WEBRTC_NEGOTIATE_PLAY;
    policy->ice_lite = (a >> 1) & 1;
    policy->no_rtx = (a >> 2) & 1;
    policy->exts = (a & 8) ? 0xff : 0;
    policy->fb = (a & 16) ? 0xff : 0;
    policy->ncandidates = (a & 32) ? 2 : 0;
    policy->ntracks = 2;

    /* low half of b: a video codec, high half: an audio one */

    video = NGX_WEBRTC_CODEC_H264 + (b & 15) % 5;
    audio = NGX_WEBRTC_CODEC_OPUS + (b >> 4) % 4;

    ngx_webrtc_codec_track(ngx_webrtc_codec(video), &tracks[0], 0);
    ngx_webrtc_codec_track(ngx_webrtc_codec(audio), &tracks[1],
                           (a & 64) ? 2 : 1);

    if (a & 128) {
        tracks[0].profile = 0x640028;
    }

    if (a & b & 64) {
        tracks[1].flags = NGX_WEBRTC_TRACK_PENDING|NGX_WEBRTC_TRACK_GUESSED;
    }

    policy->tracks = tracks;

    /* of the bits that choose the tracks and what is printed with them */

    policy->alternatives = (a & 64) ? ~(ngx_uint_t) 0
                                    : (ngx_uint_t) b << (a & 7);

    policy->codec_order = order;
    policy->ncodec_order = (b & 128) ? 1 + b % sizeof(order) : 0;

    ngx_str_set(&policy->ufrag, "0123456789abcdef0123456789abcdef");
    ngx_str_set(&policy->pwd, N64);
    ngx_str_set(&policy->fingerprint, sha512);
    ngx_str_set(&policy->cname, N64);
    ngx_str_set(&policy->stream_id, N64);

    ngx_str_set(&cands[0].address, "192.0.2.1");
    ngx_str_set(&cands[1].address, "2001:db8::1");
    cands[0].port = 8000;
    cands[1].port = 8000;
    policy->candidates = cands;
}


/* the m-line of an answer lists what the description has, in its order */

static void
check_codecs(const ngx_webrtc_sdp_media_t *o, const ngx_webrtc_sdp_media_t *a,
    const ngx_webrtc_desc_media_t *d)
{
    ngx_uint_t                   i, n, j;
    ngx_webrtc_desc_alt_t        alt;
    const ngx_webrtc_codec_t    *known;

    n = 0;

    if (d->nalts > NGX_WEBRTC_DESC_ALTS
        || (d->nalts && !d->sending && !d->receiving))
    {
        abort();
    }

    for (i = 0; i <= d->nalts; i++) {

        if (i == 0) {
            alt.codec = d->codec;
            alt.pt = d->pt;
            alt.rtx_pt = d->rtx_pt;

        } else {
            alt = d->alts[i - 1];
        }

        if (n == a->ncodecs) {
            abort();
        }

        known = ngx_webrtc_codec_find(a->codecs[n].name.data,
                                      a->codecs[n].name.len,
                                      a->codecs[n].clock_rate);

        if (a->codecs[n].pt != alt.pt
            || known == NULL || known->codec != alt.codec
            || known->kind != d->kind
            || (d->sending && known->clock_rate != d->clock_rate)
            || (d->receiving
                && ngx_webrtc_desc_payload(d, alt.pt) != alt.codec))
        {
            abort();
        }

        n++;

        if (alt.rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
            if (n == a->ncodecs
                || a->codecs[n].pt != alt.rtx_pt
                || a->codecs[n].apt != alt.pt
                || (d->sending && d->rtx_ssrc == 0))
            {
                abort();
            }

            n++;
        }
    }

    if (n != a->ncodecs) {
        abort();
    }

    /* RFC 3264, 6.1: and nothing that wasn't offered */

    for (i = 0; i < a->ncodecs; i++) {
        for (j = 0; j < o->ncodecs; j++) {
            if (o->codecs[j].pt == a->codecs[i].pt) {
                break;
            }
        }

        if (j == o->ncodecs) {
            abort();
        }
    }
}


/* layers as the description has them: what was offered, each once */

static void
check_rids(const ngx_webrtc_sdp_media_t *o, const ngx_webrtc_sdp_media_t *a,
    const ngx_webrtc_desc_media_t *d)
{
    ngx_str_t                rid;
    ngx_uint_t               i, n, offered;
    ngx_webrtc_desc_media_t  m;

    m = *d;

    for (i = 0; ngx_webrtc_desc_rid(&m, i, &rid) == NGX_OK; i++) {

        if (i >= a->nrids
            || rid.len > NGX_WEBRTC_DESC_RID
            || a->rids[i].direction != NGX_WEBRTC_SDP_RECVONLY
            || a->rids[i].id.len != rid.len
            || ngx_memcmp(a->rids[i].id.data, rid.data, rid.len) != 0)
        {
            abort();
        }

        for (n = 0, offered = 0; n < o->nrids; n++) {
            offered += (o->rids[n].id.len == rid.len
                        && ngx_memcmp(o->rids[n].id.data, rid.data, rid.len)
                           == 0);
        }

        for (n = 0; n < i; n++) {
            if (a->rids[n].id.len == rid.len
                && ngx_memcmp(a->rids[n].id.data, rid.data, rid.len) == 0)
            {
                abort();
            }
        }

        if (offered == 0) {
            abort();
        }
    }

    if (i != a->nrids || i > NGX_WEBRTC_DESC_RIDS
        || (i != 0) != (a->simulcast.len != 0)
        || (i != 0 && (d->ext_rid == 0 || !d->receiving)))
    {
        abort();
    }
}


/* extensions, feedback and SSRCs as the description has them */

static void
check_media(const ngx_webrtc_sdp_media_t *o, const ngx_webrtc_sdp_media_t *a,
    const ngx_webrtc_desc_media_t *d)
{
    ngx_uint_t  i, rrtr;

    if (a->nexts != (ngx_uint_t) ((d->ext_mid != 0) + (d->ext_twcc != 0)
                                  + (d->ext_abs_send_time != 0)
                                  + (d->ext_cvo != 0) + (d->ext_playout != 0)
                                  + (d->ext_rid != 0) + (d->ext_rrid != 0)
                                  + (d->receiving && d->ext_dd != 0)))
    {
        abort();
    }

    for (i = 0; i < a->nexts; i++) {
        if (a->exts[i].id > 14
            || (a->exts[i].id != d->ext_mid && a->exts[i].id != d->ext_twcc
                && a->exts[i].id != d->ext_abs_send_time
                && a->exts[i].id != d->ext_cvo
                && a->exts[i].id != d->ext_playout
                && a->exts[i].id != d->ext_rid
                && a->exts[i].id != d->ext_rrid
                && !(d->receiving && a->exts[i].id == d->ext_dd)))
        {
            abort();
        }
    }

    rrtr = (a->codecs[0].fb & NGX_WEBRTC_FB_RRTR) || a->rcvr_rtt;

    if (((d->fb ^ a->codecs[0].fb)
         & ~(NGX_WEBRTC_FB_RRTR|NGX_WEBRTC_FB_RSIZE))
        || ((d->sending || d->receiving)
            && ((d->fb & NGX_WEBRTC_FB_RSIZE) != 0) != a->rtcp_rsize)
        || ((d->fb & NGX_WEBRTC_FB_RRTR) != 0) != rrtr
        || (a->rcvr_rtt && !o->rcvr_rtt)
        || (a->rtcp_rsize && !o->rtcp_rsize))
    {
        abort();
    }

    check_rids(o, a, d);

    if (!d->sending) {
        if (a->nssrcs != 0) {
            abort();
        }

        return;
    }

    if (a->ssrcs[0].ssrc != d->ssrc || d->ssrc == 0
        || a->nssrcs != 1 + (ngx_uint_t) (d->rtx_ssrc != 0)
        || (d->rtx_ssrc && a->fids[0].rtx_ssrc != d->rtx_ssrc))
    {
        abort();
    }
}


static void
check_answer(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_desc_t *desc)
{
    ngx_uint_t                      i, n, active;
    const ngx_webrtc_sdp_media_t   *o, *a;
    const ngx_webrtc_desc_media_t  *d;

    if (answer.nmedia != offer.nmedia
        || desc->nmedia == 0 || desc->nmedia > NGX_WEBRTC_DESC_MEDIA
        || desc->remote_ufrag_len == 0 || desc->remote_pwd_len == 0
        || desc->fingerprint_len == 0
        || (answer.ncandidates != policy->ncandidates))
    {
        abort();
    }

    n = 0;
    active = 0;

    for (i = 0; i < answer.nmedia; i++) {
        o = &offer.media[i];
        a = &answer.media[i];

        if (o->kind != a->kind || o->mid.len != a->mid.len
            || (o->rejected && !a->rejected)
            || (a->bundled && !o->bundled))
        {
            abort();
        }

        if (a->rejected) {
            continue;
        }

        if (n == desc->nmedia) {
            abort();
        }

        d = &desc->media[n++];

        /* RFC 3264, 6.1: the directions fit */

        if ((a->direction & NGX_WEBRTC_SDP_SENDONLY)
            && !(o->direction & NGX_WEBRTC_SDP_RECVONLY))
        {
            abort();
        }

        if (d->mline != i || d->kind != a->kind
            || a->codecs[0].pt != d->pt
            || d->sending != (a->direction == NGX_WEBRTC_SDP_SENDONLY)
            || d->receiving != (a->direction == NGX_WEBRTC_SDP_RECVONLY)
            || (d->rtx_pt != NGX_WEBRTC_DESC_NO_PT
                && a->codecs[1].apt != d->pt))
        {
            abort();
        }

        check_codecs(o, a, d);
        check_media(o, a, d);

        if (a->transport.ufrag.len != desc->local_ufrag_len
            || a->transport.setup
               != ((desc->dtls_role == NGX_WEBRTC_DTLS_CLIENT)
                   ? NGX_WEBRTC_SDP_SETUP_ACTIVE
                   : NGX_WEBRTC_SDP_SETUP_PASSIVE))
        {
            abort();
        }

        active += d->sending + d->receiving;
    }

    if (n != desc->nmedia || active == 0) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                         *p, *last;
    static u_char                   room[ROOM];
    ngx_webrtc_desc_t               desc;
    ngx_webrtc_sdp_error_t          err;
    ngx_webrtc_negotiate_cause_t    cause;
    ngx_webrtc_negotiate_policy_t   policy;

    if (size < 2) {
        return 0;
    }

    make_policy(&policy, data[0], data[1]);

    p = (u_char *) data + 2;

    if (ngx_webrtc_sdp_parse(p, p + size - 2, &offer, &err) != NGX_OK) {
        ngx_webrtc_negotiate_malformed(&err, &cause);

        if (cause.len == 0 || cause.len > NGX_WEBRTC_NEGOTIATE_DETAIL) {
            abort();
        }

        return 0;
    }

    last = room;
    cause.title = NULL;
    cause.len = 0;

    switch (ngx_webrtc_negotiate(&offer, &policy, &desc, &last, room + ROOM,
                                 &cause))
    {
    case NGX_OK:

        if (ngx_webrtc_sdp_parse(room, last, &answer, &err) != NGX_OK) {
            abort();
        }

        check_answer(&policy, &desc);
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

    return 0;
}
