
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Counter-offers: see ngx_webrtc_negotiate_counter.h.  Except for the codecs,
 * the offer is fixed: a BUNDLE group with the mids "0" and "1".
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_counter.h>
#include <ngx_webrtc_negotiate_cause.h>
#include <ngx_webrtc_negotiate_media.h>
#include <ngx_webrtc_negotiate_transport.h>


/* m-lines that we offer: one of a kind */
#define NGX_WEBRTC_COUNTER_MEDIA  2

/* bytes of all fmtps of a counter-offer */
#define NGX_WEBRTC_COUNTER_TEXT                                               \
    (NGX_WEBRTC_COUNTER_MEDIA * NGX_WEBRTC_SDP_OUT_CODECS                     \
     * NGX_WEBRTC_NEGOTIATE_FMTP)

typedef struct {
    const ngx_webrtc_negotiate_policy_t  *policy;
    const uint32_t                       *ssrcs;
    ngx_webrtc_desc_t                    *desc;
    ngx_webrtc_sdp_answer_t              *offer;
    u_char                               *text;
} ngx_webrtc_counter_ctx_t;


static void ngx_webrtc_counter_media(ngx_webrtc_counter_ctx_t *ctx,
    ngx_uint_t i);
static void ngx_webrtc_counter_codec(ngx_webrtc_counter_ctx_t *ctx,
    const ngx_webrtc_track_t *track, ngx_uint_t codec,
    const ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am);
static void ngx_webrtc_counter_exts(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am);
static ngx_int_t ngx_webrtc_counter_accept(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_desc_media_t *offered, ngx_uint_t any,
    ngx_webrtc_desc_media_t *dm, ngx_webrtc_negotiate_cause_t *cause);
static const ngx_webrtc_sdp_codec_t *ngx_webrtc_counter_other(
    const ngx_webrtc_sdp_media_t *media, ngx_webrtc_desc_media_t *dm);
static void ngx_webrtc_counter_settle(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *codec, ngx_webrtc_desc_media_t *dm);
static const ngx_webrtc_sdp_codec_t *ngx_webrtc_counter_find(
    const ngx_webrtc_sdp_media_t *media, ngx_uint_t codec, ngx_uint_t pt);
static uint8_t ngx_webrtc_counter_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *codec, ngx_uint_t rtx_pt);


ngx_int_t
ngx_webrtc_negotiate_counter_offer(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_t *desc, u_char **pos, u_char *end)
{
    u_char                    *p;
    uint32_t                   ssrcs[4];
    ngx_uint_t                 i, kinds, bit;
    const ngx_webrtc_track_t  *track;
    ngx_webrtc_sdp_answer_t    offer;
    ngx_webrtc_counter_ctx_t   ctx;
    u_char                     text[NGX_WEBRTC_COUNTER_TEXT];

    if (policy->role != NGX_WEBRTC_NEGOTIATE_PLAY
        || ngx_webrtc_negotiate_policy(policy) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_webrtc_negotiate_ssrcs(policy, ssrcs);

    ngx_memzero(desc, sizeof(ngx_webrtc_desc_t));
    ngx_memzero(&offer, sizeof(ngx_webrtc_sdp_answer_t));

    ngx_webrtc_negotiate_local(policy, desc, &offer);

    /* RFC 5763, 5: "the offerer MUST use the setup attribute value of
     * setup:actpass" */

    offer.setup = NGX_WEBRTC_SDP_SETUP_ACTPASS;

    ctx.policy = policy;
    ctx.ssrcs = ssrcs;
    ctx.desc = desc;
    ctx.offer = &offer;
    ctx.text = text;

    kinds = 0;

    for (i = 0; i < policy->ntracks; i++) {
        track = &policy->tracks[i];
        bit = (ngx_uint_t) 1 << track->kind;

        if ((kinds & bit)
            || ngx_webrtc_codec(track->codec)->offer_pt
               == NGX_WEBRTC_DESC_NO_PT)
        {
            continue;
        }

        kinds |= bit;

        ngx_webrtc_counter_media(&ctx, i);
    }

    if (desc->nmedia == 0) {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_sdp_print(*pos, end, &offer);

    if (p == NULL) {
        return NGX_ERROR;
    }

    *pos = p;

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_negotiate_counter_pending(const ngx_webrtc_desc_t *desc)
{
    return desc->nmedia != 0 && desc->remote_ufrag_len == 0;
}


ngx_int_t
ngx_webrtc_negotiate_counter_answer(const ngx_webrtc_sdp_t *answer,
    const ngx_webrtc_desc_t *offered, ngx_uint_t ice_lite, ngx_uint_t any,
    ngx_webrtc_desc_t *desc, ngx_webrtc_negotiate_cause_t *cause)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i, bundled, sending;
    ngx_webrtc_desc_media_t       *dm;
    const ngx_webrtc_sdp_media_t  *media;

    /* RFC 3264, 6: "MUST contain exactly the same number of "m=" lines" */

    if (answer->nmedia != offered->nmedia) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "other m-lines", -1,
                                           "the answer has %ui m-lines, the "
                                           "offer had %ui",
                                           answer->nmedia,
                                           (ngx_uint_t) offered->nmedia);
    }

    /* RFC 8445, 6.1.1: with two lite agents neither sends checks */

    if (answer->ice_lite && ice_lite) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "ICE lite on both sides", -1,
                                           "the answer has a=ice-lite, and so "
                                           "does this server");
    }

    ngx_memcpy(desc, offered, sizeof(ngx_webrtc_desc_t));
    ngx_memzero(desc->media, sizeof(desc->media));

    desc->nmedia = 0;
    bundled = 0;
    sending = 0;

    for (i = 0; i < answer->nmedia; i++) {
        media = &answer->media[i];
        dm = &desc->media[desc->nmedia];

        rc = ngx_webrtc_counter_accept(media, &offered->media[i], any, dm,
                                       cause);

        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }

        if (rc == NGX_DONE) {
            continue;
        }

        desc->nmedia++;
        bundled += media->bundled;
        sending += dm->sending;
    }

    if (sending == 0) {
        return ngx_webrtc_negotiate_refuse(cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "no media", -1,
                                           "the answer accepts no m-line");
    }

    if (desc->nmedia > 1 && bundled < desc->nmedia) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no BUNDLE", -1,
                                           "not every m-line is in "
                                           "a=group:BUNDLE");
    }

    return ngx_webrtc_negotiate_remote(answer, desc->media[0].mline, desc,
                                       cause);
}


static void
ngx_webrtc_counter_media(ngx_webrtc_counter_ctx_t *ctx, ngx_uint_t i)
{
    ngx_uint_t                            n, codec, video;
    const ngx_webrtc_track_t             *track;
    const ngx_webrtc_codec_t             *known;
    ngx_webrtc_desc_media_t              *dm;
    ngx_webrtc_sdp_answer_media_t        *am;
    const ngx_webrtc_negotiate_policy_t  *policy;

    static const ngx_str_t  names[] = {
        ngx_string("audio"),
        ngx_string("video")
    };

    static const ngx_str_t  mids[NGX_WEBRTC_COUNTER_MEDIA] = {
        ngx_string("0"),
        ngx_string("1")
    };

    policy = ctx->policy;
    track = &policy->tracks[i];
    known = ngx_webrtc_codec(track->codec);
    video = (known->kind == NGX_WEBRTC_VIDEO);

    n = ctx->desc->nmedia++;

    dm = &ctx->desc->media[n];
    am = &ctx->offer->media[n];

    ctx->offer->nmedia = n + 1;

    dm->ssrc = ctx->ssrcs[video * 2];
    dm->clock_rate = known->clock_rate;
    dm->kind = known->kind;
    dm->codec = known->codec;
    dm->track = (uint8_t) i;
    dm->sending = 1;
    dm->stereo = (known->fmtp->stereo && track->channels == 2);
    dm->mline = (uint8_t) n;
    dm->mid_len = (uint8_t) mids[n].len;
    ngx_memcpy(dm->mid, mids[n].data, mids[n].len);

    am->type = names[video];
    ngx_str_set(&am->proto, "UDP/TLS/RTP/SAVPF");
    am->mid = mids[n];
    am->bundled = 1;
    am->rtcp_rsize = 1;
    am->direction = NGX_WEBRTC_SDP_SENDONLY;
    am->ssrc = dm->ssrc;
    am->track_id = names[video];

    ngx_webrtc_counter_exts(policy, dm, am);

    ngx_webrtc_counter_codec(ctx, track, known->codec, dm, am);

    dm->pt = am->codecs[0].pt;
    dm->rtx_pt = am->codecs[0].rtx_pt;
    dm->red_pt = NGX_WEBRTC_DESC_NO_PT;
    dm->fb = am->codecs[0].fb;

    for (codec = 1; codec < NGX_WEBRTC_CODEC_N; codec++) {

        if ((policy->alternatives & ((ngx_uint_t) 1 << codec)) == 0
            || codec == known->codec
            || ngx_webrtc_codec(codec)->kind != known->kind
            || ngx_webrtc_codec(codec)->clock_rate != known->clock_rate
            || ngx_webrtc_codec(codec)->offer_pt == NGX_WEBRTC_DESC_NO_PT
            || dm->nalts == NGX_WEBRTC_DESC_ALTS)
        {
            continue;
        }

        ngx_webrtc_counter_codec(ctx, NULL, codec, dm, am);

        dm->alts[dm->nalts].codec = (uint8_t) codec;
        dm->alts[dm->nalts].pt = am->codecs[am->ncodecs - 1].pt;
        dm->alts[dm->nalts].rtx_pt = am->codecs[am->ncodecs - 1].rtx_pt;
        dm->nalts++;
    }

    if (dm->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
        dm->rtx_ssrc = ctx->ssrcs[video * 2 + 1];
        am->rtx_ssrc = dm->rtx_ssrc;
    }
}


/* track: what is known of the codec that is offered, or NULL */

static void
ngx_webrtc_counter_codec(ngx_webrtc_counter_ctx_t *ctx,
    const ngx_webrtc_track_t *track, ngx_uint_t codec,
    const ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am)
{
    u_char                               *p;
    const ngx_webrtc_codec_t             *known;
    ngx_webrtc_sdp_answer_codec_t        *ac;
    const ngx_webrtc_negotiate_policy_t  *policy;

    policy = ctx->policy;
    known = ngx_webrtc_codec(codec);
    ac = &am->codecs[am->ncodecs++];

    ac->name = known->name;
    ac->clock_rate = known->clock_rate;
    ac->channels = known->channels;
    ac->pt = known->offer_pt;
    ac->rtx_pt = NGX_WEBRTC_DESC_NO_PT;

    p = ctx->text;

    if (known->fmtp->offer) {
        p = known->fmtp->offer(p, p + NGX_WEBRTC_NEGOTIATE_FMTP,
                               track ? track->profile : 0,
                               track ? track->channels : 0);
    }

    ac->fmtp.data = ctx->text;
    ac->fmtp.len = p - ctx->text;

    ctx->text = p;

    ac->fb = policy->fb & NGX_WEBRTC_FB_TWCC;

    if (known->kind == NGX_WEBRTC_VIDEO) {
        ac->fb = policy->fb & (NGX_WEBRTC_FB_NACK|NGX_WEBRTC_FB_PLI
                               |NGX_WEBRTC_FB_FIR|NGX_WEBRTC_FB_TWCC
                               |NGX_WEBRTC_FB_REMB);
    }

    if (dm->ext_twcc == 0) {
        ac->fb &= ~NGX_WEBRTC_FB_TWCC;
    }

    if (!policy->no_rtx && (ac->fb & NGX_WEBRTC_FB_NACK)) {
        ac->rtx_pt = known->offer_rtx_pt;
    }
}


static void
ngx_webrtc_counter_exts(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am)
{
    ngx_uint_t                         i;
    ngx_webrtc_sdp_ext_t              *out;
    const ngx_webrtc_negotiate_ext_t  *ext;

    for (i = 0; /* void */ ; i++) {
        ext = ngx_webrtc_negotiate_ext(i);

        if (ext == NULL) {
            return;
        }

        if (!ngx_webrtc_negotiate_ext_wanted(policy, ext, dm->kind)) {
            continue;
        }

        /* an extension has the same id in all m-lines: RFC 9143, 8 */

        out = &am->exts[am->nexts++];

        out->uri = ext->uri;
        out->id = (uint8_t) (i + 1);
        out->direction = NGX_WEBRTC_SDP_SENDRECV;

        *((uint8_t *) dm + ext->offset) = out->id;

        am->mixed_exts |= (ext->ext == NGX_WEBRTC_EXT_DD);
    }
}


/*
 * NGX_OK        accepted, dm is filled
 * NGX_DONE      rejected
 * NGX_DECLINED  refused, see cause
 */

static ngx_int_t
ngx_webrtc_counter_accept(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_desc_media_t *offered, ngx_uint_t any,
    ngx_webrtc_desc_media_t *dm, ngx_webrtc_negotiate_cause_t *cause)
{
    size_t                         n;
    ngx_int_t                      mline;
    const ngx_webrtc_sdp_codec_t  *codec;
    u_char                         names[NGX_WEBRTC_NEGOTIATE_NAMES];

    mline = offered->mline;

    if (media->kind != offered->kind
        || (media->mid.len != 0
            && (media->mid.len != offered->mid_len
                || ngx_memcmp(media->mid.data, offered->mid, offered->mid_len)
                   != 0)))
    {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "other m-lines", mline,
                                           "m-line %i (%V) is not the one that "
                                           "was offered there",
                                           mline, &media->type);
    }

    if (media->rejected) {
        return NGX_DONE;
    }

    if (!media->rtp || !media->rtcp_mux) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no rtcp-mux", mline,
                                           "m-line %i (%V) has no a=rtcp-mux",
                                           mline, &media->type);
    }

    /* RFC 8842, 5.3: "the answerer MUST NOT" say actpass */

    if (media->transport.setup == NGX_WEBRTC_SDP_SETUP_ACTPASS) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no DTLS role", mline,
                                           "m-line %i (%V) has "
                                           "a=setup:actpass in an answer",
                                           mline, &media->type);
    }

    /* RFC 3264, 6.1: sendonly is answered by recvonly or inactive */

    if (media->direction == NGX_WEBRTC_SDP_SENDONLY) {
        return ngx_webrtc_negotiate_refuse(cause, NGX_WEBRTC_NEGOTIATE_BAD,
                                           "wrong direction", mline,
                                           "m-line %i (%V) is sendonly, "
                                           "expected recvonly",
                                           mline, &media->type);
    }

    *dm = *offered;

    codec = ngx_webrtc_counter_find(media, offered->codec, offered->pt);

    if (codec == NULL && any) {
        codec = ngx_webrtc_counter_other(media, dm);
    }

    if (codec == NULL) {
        n = ngx_webrtc_negotiate_names(media, names);

        return ngx_webrtc_negotiate_refuse(cause,
                                       NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                       "no codec in common", mline,
                                       "the stream has %V %V as payload type "
                                       "%ui, m-line %i accepts %*s",
                                       &ngx_webrtc_codec(offered->codec)->name,
                                       &media->type,
                                       (ngx_uint_t) offered->pt, mline, n,
                                       names);
    }

    ngx_webrtc_counter_settle(media, codec, dm);

    return NGX_OK;
}


/* the first alternative that the answer has takes the codec's place */

static const ngx_webrtc_sdp_codec_t *
ngx_webrtc_counter_other(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_desc_media_t *dm)
{
    ngx_uint_t                     i;
    ngx_webrtc_desc_alt_t         *alt;
    const ngx_webrtc_sdp_codec_t  *codec;

    for (i = 0; i < dm->nalts; i++) {
        alt = &dm->alts[i];

        codec = ngx_webrtc_counter_find(media, alt->codec, alt->pt);

        if (codec == NULL) {
            continue;
        }

        dm->codec = alt->codec;
        dm->pt = alt->pt;
        dm->rtx_pt = alt->rtx_pt;

        dm->nalts--;
        ngx_memmove(alt, alt + 1,
                    (dm->nalts - i) * sizeof(ngx_webrtc_desc_alt_t));

        return codec;
    }

    return NULL;
}


/* removes from dm what the answer does not have */

static void
ngx_webrtc_counter_settle(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *codec, ngx_webrtc_desc_media_t *dm)
{
    uint8_t                           *id;
    ngx_uint_t                         i, n, rtx;
    ngx_webrtc_desc_alt_t              alt;
    const ngx_webrtc_sdp_codec_t      *other;
    const ngx_webrtc_negotiate_ext_t  *ext;

    if (media->direction == NGX_WEBRTC_SDP_INACTIVE) {
        dm->sending = 0;
        dm->track = NGX_WEBRTC_DESC_NO_TRACK;
        dm->ssrc = 0;
    }

    for (i = 0; (ext = ngx_webrtc_negotiate_ext(i)) != NULL; i++) {
        id = (uint8_t *) dm + ext->offset;

        for (n = 0; n < media->nexts; n++) {
            if (media->exts[n].id == *id
                && media->exts[n].uri.len == ext->uri.len
                && ngx_memcmp(media->exts[n].uri.data, ext->uri.data,
                              ext->uri.len)
                   == 0)
            {
                break;
            }
        }

        if (n == media->nexts) {
            *id = 0;
        }
    }

    dm->fb &= codec->fb;

    if (dm->ext_twcc == 0) {
        dm->fb &= ~NGX_WEBRTC_FB_TWCC;
    }

    n = dm->sending ? dm->nalts : 0;
    dm->nalts = 0;

    if (dm->sending) {
        dm->rtx_pt = ngx_webrtc_counter_rtx(media, codec, dm->rtx_pt);

    } else {
        dm->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    }

    rtx = (dm->rtx_pt != NGX_WEBRTC_DESC_NO_PT);

    /* what remains moves up */

    for (i = 0; i < n; i++) {
        alt = dm->alts[i];
        other = ngx_webrtc_counter_find(media, alt.codec, alt.pt);

        if (other == NULL) {
            continue;
        }

        alt.rtx_pt = ngx_webrtc_counter_rtx(media, other, alt.rtx_pt);

        rtx |= (alt.rtx_pt != NGX_WEBRTC_DESC_NO_PT);

        dm->alts[dm->nalts++] = alt;
    }

    ngx_memzero(&dm->alts[dm->nalts],
                (NGX_WEBRTC_DESC_ALTS - dm->nalts)
                * sizeof(ngx_webrtc_desc_alt_t));

    if (!rtx) {
        dm->rtx_ssrc = 0;
    }
}


static const ngx_webrtc_sdp_codec_t *
ngx_webrtc_counter_find(const ngx_webrtc_sdp_media_t *media, ngx_uint_t codec,
    ngx_uint_t pt)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *known;

    for (i = 0; i < media->ncodecs; i++) {

        if (media->codecs[i].pt != pt) {
            continue;
        }

        known = ngx_webrtc_negotiate_known(media, &media->codecs[i]);

        return (known != NULL && known->codec == codec) ? &media->codecs[i]
                                                        : NULL;
    }

    return NULL;
}


/* RFC 4588, 8.6: the payload type that was offered, if the answer has it */

static uint8_t
ngx_webrtc_counter_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *codec, ngx_uint_t rtx_pt)
{
    ngx_uint_t  i;

    if ((codec->fb & NGX_WEBRTC_FB_NACK) == 0) {
        return NGX_WEBRTC_DESC_NO_PT;
    }

    for (i = 0; i < media->ncodecs; i++) {
        if (media->codecs[i].pt == rtx_pt && media->codecs[i].apt == codec->pt)
        {
            return (uint8_t) rtx_pt;
        }
    }

    return NGX_WEBRTC_DESC_NO_PT;
}
