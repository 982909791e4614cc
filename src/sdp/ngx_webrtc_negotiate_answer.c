
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Offer + policy -> answer and description: see the header file for the
 * contract.  The decision is made in this order, and each step may refuse:
 *
 *   offer      whether a session is possible at all: ICE credentials,
 *              fingerprint, rtcp-mux, BUNDLE
 *   pick       for each m-line: active, inactive or rejected, and the codec
 *   settle     which inactive m-lines can stay, which one is the tagged one
 *   transport  ICE, fingerprint and DTLS role
 *   media      description and answer of each m-line
 *
 * An m-line of a kind that the stream doesn't have is answered as inactive
 * rather than rejected: then the transport is nearly always in the first
 * m-line, where all clients look for it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate.h>
#include <ngx_webrtc_negotiate_cause.h>
#include <ngx_webrtc_negotiate_media.h>
#include <ngx_webrtc_negotiate_transport.h>


/* bytes of all fmtps of an answer: there are at most two active m-lines */
#define NGX_WEBRTC_NEGOTIATE_TEXT                                             \
    ((NGX_WEBRTC_SDP_MEDIA + 2 * (NGX_WEBRTC_DESC_ALTS + 1))                  \
     * NGX_WEBRTC_NEGOTIATE_FMTP)


typedef struct {
    const ngx_webrtc_sdp_t               *offer;
    const ngx_webrtc_negotiate_policy_t  *policy;
    ngx_webrtc_negotiate_cause_t         *cause;
    ngx_uint_t                            want;     /* direction bit */
    ngx_uint_t                            nactive;
    ngx_uint_t                            tagged;   /* m-line */
    uint32_t                              ssrcs[4];
    ngx_webrtc_negotiate_pick_t           picks[NGX_WEBRTC_SDP_MEDIA];
    u_char                                text[NGX_WEBRTC_NEGOTIATE_TEXT];
} ngx_webrtc_negotiate_ctx_t;


static ngx_int_t ngx_webrtc_negotiate_offer(ngx_webrtc_negotiate_ctx_t *ctx);
static ngx_uint_t ngx_webrtc_negotiate_live(
    const ngx_webrtc_sdp_media_t *media);
static ngx_int_t ngx_webrtc_negotiate_pick(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline);
static ngx_int_t ngx_webrtc_negotiate_pick_play(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline);
static ngx_int_t ngx_webrtc_negotiate_any(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_negotiate_choice_t *choice);
static void ngx_webrtc_negotiate_pick_alts(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline, ngx_uint_t left);
static ngx_int_t ngx_webrtc_negotiate_pick_publish(
    ngx_webrtc_negotiate_ctx_t *ctx, ngx_uint_t mline);
static ngx_int_t ngx_webrtc_negotiate_pick_codec(
    ngx_webrtc_negotiate_ctx_t *ctx, ngx_uint_t mline);
static void ngx_webrtc_negotiate_pick_others(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline);
static ngx_uint_t ngx_webrtc_negotiate_mark(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline, u_char *taken);
static ngx_uint_t ngx_webrtc_negotiate_allowed(
    const ngx_webrtc_negotiate_policy_t *policy, ngx_uint_t codec);
static void ngx_webrtc_negotiate_pick_red(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline);
static void ngx_webrtc_negotiate_pick_inactive(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline);
static ngx_int_t ngx_webrtc_negotiate_settle(ngx_webrtc_negotiate_ctx_t *ctx);


ngx_int_t
ngx_webrtc_negotiate(const ngx_webrtc_sdp_t *offer,
    const ngx_webrtc_negotiate_policy_t *policy, ngx_webrtc_desc_t *desc,
    u_char **pos, u_char *end, ngx_webrtc_negotiate_cause_t *cause)
{
    u_char                      *p;
    ngx_uint_t                   i;
    ngx_webrtc_sdp_answer_t      answer;
    ngx_webrtc_negotiate_ctx_t   ctx;

    if (ngx_webrtc_negotiate_policy(policy) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx.offer = offer;
    ctx.policy = policy;
    ctx.cause = cause;
    ctx.nactive = 0;

    /* the bit that the offer's direction must have, seen from there */

    ctx.want = (policy->role == NGX_WEBRTC_NEGOTIATE_PLAY)
               ? NGX_WEBRTC_SDP_RECVONLY : NGX_WEBRTC_SDP_SENDONLY;

    ngx_memzero(ctx.picks, sizeof(ctx.picks));

    ngx_webrtc_negotiate_ssrcs(policy, ctx.ssrcs);

    if (ngx_webrtc_negotiate_offer(&ctx) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < offer->nmedia; i++) {
        if (ngx_webrtc_negotiate_pick(&ctx, i) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (ngx_webrtc_negotiate_settle(&ctx) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_memzero(desc, sizeof(ngx_webrtc_desc_t));
    ngx_memzero(&answer, sizeof(ngx_webrtc_sdp_answer_t));

    ngx_webrtc_negotiate_local(policy, desc, &answer);

    if (ngx_webrtc_negotiate_remote(offer, ctx.tagged, desc, cause) != NGX_OK) {
        return NGX_DECLINED;
    }

    p = ctx.text;

    for (i = 0; i < offer->nmedia; i++) {

        if (ctx.picks[i].state == NGX_WEBRTC_NEGOTIATE_REJECTED) {
            ngx_webrtc_negotiate_reject(&offer->media[i], &answer.media[i]);
            continue;
        }

        desc->media[desc->nmedia].mline = (uint8_t) i;
        desc->nmedia++;

        p = ngx_webrtc_negotiate_media(policy, &offer->media[i], &ctx.picks[i],
                                       ctx.ssrcs, p, desc, &answer.media[i]);
    }

    answer.nmedia = offer->nmedia;
    answer.setup = (desc->dtls_role == NGX_WEBRTC_DTLS_CLIENT)
                   ? NGX_WEBRTC_SDP_SETUP_ACTIVE
                   : NGX_WEBRTC_SDP_SETUP_PASSIVE;

    p = ngx_webrtc_sdp_print(*pos, end, &answer);

    if (p == NULL) {
        return NGX_ERROR;
    }

    *pos = p;

    return NGX_OK;
}


static ngx_int_t
ngx_webrtc_negotiate_offer(ngx_webrtc_negotiate_ctx_t *ctx)
{
    ngx_uint_t                     i, first, n, bundled;
    const ngx_webrtc_sdp_t        *offer;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_sdp_transport_t     t;

    offer = ctx->offer;

    n = 0;
    first = 0;
    bundled = 0;

    for (i = 0; i < offer->nmedia; i++) {
        media = &offer->media[i];

        if (!ngx_webrtc_negotiate_live(media)) {
            continue;
        }

        if (n++ == 0) {
            first = i;
        }

        bundled += media->bundled;

        /* RFC 9725, 4.4.1: RTP and RTCP come over one port */

        if (!media->rtcp_mux) {
            return ngx_webrtc_negotiate_refuse(ctx->cause,
                                               NGX_WEBRTC_NEGOTIATE_BAD,
                                               "no rtcp-mux", i,
                                               "m-line %ui (%V) has no "
                                               "a=rtcp-mux",
                                               i, &media->type);
        }
    }

    if (n == 0) {
        return ngx_webrtc_negotiate_refuse(ctx->cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "no media", -1,
                                           "the offer has no active m-line "
                                           "of audio or video over RTP");
    }

    /* RFC 9725, 4.4.1: and all m-lines over one transport */

    if (n > 1 && bundled < n) {
        return ngx_webrtc_negotiate_refuse(ctx->cause,
                                           NGX_WEBRTC_NEGOTIATE_BAD,
                                           "no BUNDLE", -1,
                                           "not every m-line is in "
                                           "a=group:BUNDLE");
    }

    /* RFC 8445, 6.1.1: with two lite agents neither sends checks */

    if (offer->ice_lite && ctx->policy->ice_lite) {
        return ngx_webrtc_negotiate_refuse(ctx->cause,
                                           NGX_WEBRTC_NEGOTIATE_BAD,
                                           "ICE lite on both sides", -1,
                                           "the offer has a=ice-lite, and so "
                                           "does this server");
    }

    return ngx_webrtc_negotiate_check(offer, first, &t, ctx->cause);
}


/* 1 if the offerer wants media to flow there and it can be RTP with us */

static ngx_uint_t
ngx_webrtc_negotiate_live(const ngx_webrtc_sdp_media_t *media)
{
    return media->rtp
           && !media->rejected
           && (media->kind == NGX_WEBRTC_SDP_AUDIO
               || media->kind == NGX_WEBRTC_SDP_VIDEO)
           && media->direction != NGX_WEBRTC_SDP_INACTIVE;
}


static ngx_int_t
ngx_webrtc_negotiate_pick(ngx_webrtc_negotiate_ctx_t *ctx, ngx_uint_t mline)
{
    ngx_uint_t                     i;
    const ngx_webrtc_sdp_media_t  *media, *other;

    media = &ctx->offer->media[mline];

    if (!ngx_webrtc_negotiate_live(media)) {
        ngx_webrtc_negotiate_pick_inactive(ctx, mline);
        return NGX_OK;
    }

    if ((media->direction & ctx->want) == 0) {
        return ngx_webrtc_negotiate_refuse(ctx->cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "wrong direction", mline,
                                           "m-line %ui (%V) is %s, expected "
                                           "is %s",
                                           mline, &media->type,
                                           (ctx->want
                                            == NGX_WEBRTC_SDP_RECVONLY)
                                           ? "sendonly" : "recvonly",
                                           (ctx->want
                                            == NGX_WEBRTC_SDP_RECVONLY)
                                           ? "recvonly" : "sendonly");
    }

    /* RFC 9725, 4.4.2: at most one of each kind */

    for (i = 0; i < mline; i++) {
        other = &ctx->offer->media[i];

        if (ngx_webrtc_negotiate_live(other) && other->kind == media->kind) {
            return ngx_webrtc_negotiate_refuse(ctx->cause,
                                              NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                              "two tracks of one kind", mline,
                                              "m-lines %ui and %ui are both "
                                              "%V",
                                              i, mline, &media->type);
        }
    }

    if (ctx->policy->role == NGX_WEBRTC_NEGOTIATE_PLAY) {
        return ngx_webrtc_negotiate_pick_play(ctx, mline);
    }

    return ngx_webrtc_negotiate_pick_publish(ctx, mline);
}


/*
 * The first track of the kind that the offer has a codec for.  If the codec is
 * a guess, any will do; it may change when the track starts.
 */

static ngx_int_t
ngx_webrtc_negotiate_pick_play(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    u_char                         names[NGX_WEBRTC_NEGOTIATE_NAMES];
    size_t                         n;
    ngx_uint_t                     i;
    const ngx_webrtc_track_t      *track, *first;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_negotiate_pick_t   *pick;

    media = &ctx->offer->media[mline];
    pick = &ctx->picks[mline];
    first = NULL;

    for (i = 0; i < ctx->policy->ntracks; i++) {
        track = &ctx->policy->tracks[i];

        if (track->kind != media->kind) {
            continue;
        }

        if (ngx_webrtc_negotiate_codec(media, track->codec, track,
                                       &pick->choice)
            == NGX_OK
            || ((track->flags & NGX_WEBRTC_TRACK_GUESSED)
                && ngx_webrtc_negotiate_any(media, &pick->choice) == NGX_OK))
        {
            pick->state = NGX_WEBRTC_NEGOTIATE_ACTIVE;
            pick->track = (uint8_t) i;
            ctx->nactive++;

            ngx_webrtc_negotiate_pick_alts(ctx, mline,
                                           (track->flags
                                            & NGX_WEBRTC_TRACK_GUESSED)
                                           ? ~(ngx_uint_t) 0
                                           : ctx->policy->alternatives);

            if (ctx->policy->alternatives
                & ((ngx_uint_t) 1 << NGX_WEBRTC_CODEC_RED))
            {
                pick->red = ngx_webrtc_negotiate_red(media,
                                                     pick->choice.offered);
            }

            return NGX_OK;
        }

        if (first == NULL) {
            first = track;
        }
    }

    if (first == NULL) {
        ngx_webrtc_negotiate_pick_inactive(ctx, mline);
        return NGX_OK;
    }

    n = ngx_webrtc_negotiate_names(media, names);

    (void) ngx_webrtc_negotiate_refuse(ctx->cause,
                                       NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                       "no codec in common", mline,
                                       "the stream has %V %V, m-line %ui "
                                       "offers %*s",
                                       &ngx_webrtc_codec(first->codec)->name,
                                       &media->type, mline, n, names);

    ctx->cause->codec = first->codec;

    return NGX_DECLINED;
}


/* the first codec of the m-line that is one of ours */

static ngx_int_t
ngx_webrtc_negotiate_any(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_negotiate_choice_t *choice)
{
    ngx_uint_t                 i;
    const ngx_webrtc_codec_t  *known;

    for (i = 0; i < media->ncodecs; i++) {
        known = ngx_webrtc_negotiate_known(media, &media->codecs[i]);

        if (known && !known->wraps) {
            return ngx_webrtc_negotiate_codec(media, known->codec, NULL,
                                              choice);
        }
    }

    return NGX_DECLINED;
}


/* the codecs that may replace it, in the offer's order */

static void
ngx_webrtc_negotiate_pick_alts(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline, ngx_uint_t left)
{
    ngx_uint_t                     i, bit;
    const ngx_webrtc_codec_t      *known, *codec;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_negotiate_pick_t   *pick;

    media = &ctx->offer->media[mline];
    pick = &ctx->picks[mline];
    codec = pick->choice.codec;

    left &= ~((ngx_uint_t) 1 << codec->codec);

    for (i = 0; i < media->ncodecs; i++) {

        if (pick->nalts == NGX_WEBRTC_DESC_ALTS) {
            return;
        }

        known = ngx_webrtc_negotiate_known(media, &media->codecs[i]);

        if (known == NULL || known->wraps
            || known->clock_rate != codec->clock_rate)
        {
            continue;
        }

        bit = (ngx_uint_t) 1 << known->codec;

        /* once per codec: this chooses the best of its payload types */

        if ((left & bit)
            && ngx_webrtc_negotiate_codec(media, known->codec, NULL,
                                          &pick->alts[pick->nalts])
               == NGX_OK)
        {
            left &= ~bit;
            pick->nalts++;
        }
    }
}


static ngx_int_t
ngx_webrtc_negotiate_pick_publish(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    u_char                         names[NGX_WEBRTC_NEGOTIATE_NAMES];
    size_t                         n;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_negotiate_pick_t   *pick;

    media = &ctx->offer->media[mline];
    pick = &ctx->picks[mline];

    if (ngx_webrtc_negotiate_pick_codec(ctx, mline) == NGX_OK) {
        pick->state = NGX_WEBRTC_NEGOTIATE_ACTIVE;
        pick->track = (uint8_t) ctx->nactive++;

        ngx_webrtc_negotiate_pick_others(ctx, mline);
        ngx_webrtc_negotiate_pick_red(ctx, mline);

        return NGX_OK;
    }

    n = ngx_webrtc_negotiate_names(media, names);

    return ngx_webrtc_negotiate_refuse(ctx->cause,
                                       NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                       "no codec in common", mline,
                                       "none of the codecs of m-line %ui (%V) "
                                       "is accepted: %*s",
                                       mline, &media->type, n, names);
}


/* the first of our list that is offered; without a list the first offered */

static ngx_int_t
ngx_webrtc_negotiate_pick_codec(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    ngx_int_t                             rc;
    ngx_uint_t                            i, n, codec;
    const ngx_webrtc_codec_t             *known;
    const ngx_webrtc_sdp_media_t         *media;
    ngx_webrtc_negotiate_choice_t        *choice;
    const ngx_webrtc_negotiate_policy_t  *policy;

    policy = ctx->policy;
    media = &ctx->offer->media[mline];
    choice = &ctx->picks[mline].choice;

    n = policy->ncodec_order ? policy->ncodec_order : media->ncodecs;

    for (i = 0; i < n; i++) {

        if (policy->ncodec_order) {
            codec = policy->codec_order[i];

        } else {
            known = ngx_webrtc_negotiate_known(media, &media->codecs[i]);
            codec = known ? known->codec : NGX_WEBRTC_CODEC_NONE;
        }

        /* RED is no codec by itself, see ngx_webrtc_negotiate_pick_red() */

        if (codec == NGX_WEBRTC_CODEC_NONE || ngx_webrtc_codec(codec)->wraps) {
            continue;
        }

        rc = ngx_webrtc_negotiate_codec(media, codec, NULL, choice);

        if (rc == NGX_OK
            && ngx_webrtc_negotiate_offered(media, choice->offered, choice)
               == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * RFC 3264, 6.1: a publisher sends what the answer lists, so everything that we
 * accept is listed.  Some clients (pion) can send only one codec but offer it
 * after others.
 */

static void
ngx_webrtc_negotiate_pick_others(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    u_char                                taken[NGX_WEBRTC_SDP_CODECS];
    ngx_uint_t                            i, k, n;
    const ngx_webrtc_sdp_media_t         *media;
    ngx_webrtc_negotiate_pick_t          *pick;
    ngx_webrtc_negotiate_choice_t        *alt;
    const ngx_webrtc_negotiate_policy_t  *policy;

    policy = ctx->policy;
    media = &ctx->offer->media[mline];
    pick = &ctx->picks[mline];

    if (ngx_webrtc_negotiate_mark(ctx, mline, taken) == 0) {
        return;
    }

    /* in the order of our list, each of them in the offer's */

    n = policy->ncodec_order ? policy->ncodec_order : 1;

    for (k = 0; k < n; k++) {

        for (i = 0; i < media->ncodecs; i++) {

            if (!taken[i]) {
                continue;
            }

            alt = &pick->alts[pick->nalts];

            (void) ngx_webrtc_negotiate_offered(media, &media->codecs[i],
                                                alt);

            if (policy->ncodec_order
                && alt->codec->codec != policy->codec_order[k])
            {
                continue;
            }

            taken[i] = 0;
            pick->nalts++;
        }
    }
}


/*
 * Marks the payload types accepted besides the chosen one.  If there are too
 * many, each codec gets only its best one.
 *
 *   taken   out: a flag for each of the m-line
 *
 * Returns how many there are.
 */

static ngx_uint_t
ngx_webrtc_negotiate_mark(ngx_webrtc_negotiate_ctx_t *ctx, ngx_uint_t mline,
    u_char *taken)
{
    ngx_uint_t                      i, n, codec;
    const ngx_webrtc_sdp_media_t   *media;
    ngx_webrtc_negotiate_choice_t   choice, *chosen;

    media = &ctx->offer->media[mline];
    chosen = &ctx->picks[mline].choice;

    ngx_memzero(taken, NGX_WEBRTC_SDP_CODECS);
    n = 0;

    for (codec = 1; codec < NGX_WEBRTC_CODEC_N; codec++) {

        if (codec == chosen->codec->codec
            || !ngx_webrtc_negotiate_allowed(ctx->policy, codec)
            || ngx_webrtc_negotiate_codec(media, codec, NULL, &choice)
               != NGX_OK
            || ngx_webrtc_negotiate_offered(media, choice.offered, &choice)
               != NGX_OK)
        {
            continue;
        }

        taken[choice.offered - media->codecs] = 1;
        n++;
    }

    for (i = 0; i < media->ncodecs && n < NGX_WEBRTC_DESC_ALTS; i++) {

        if (!taken[i]
            && &media->codecs[i] != chosen->offered
            && ngx_webrtc_negotiate_offered(media, &media->codecs[i], &choice)
               == NGX_OK
            && ngx_webrtc_negotiate_allowed(ctx->policy, choice.codec->codec))
        {
            taken[i] = 1;
            n++;
        }
    }

    return n;
}


static ngx_uint_t
ngx_webrtc_negotiate_allowed(const ngx_webrtc_negotiate_policy_t *policy,
    ngx_uint_t codec)
{
    ngx_uint_t  i;

    for (i = 0; i < policy->ncodec_order; i++) {
        if (policy->codec_order[i] == codec) {
            return 1;
        }
    }

    return policy->ncodec_order == 0;
}


/*
 * RED costs bandwidth.  It is accepted if it is in the list, or without a list
 * if the publisher prefers it to the codec that it wraps.  Its place in the
 * answer is that in the list, or in the offer: browsers send RED if it comes
 * first.
 */

static void
ngx_webrtc_negotiate_pick_red(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    ngx_uint_t                            i;
    const ngx_webrtc_sdp_codec_t         *red;
    ngx_webrtc_negotiate_pick_t          *pick;
    const ngx_webrtc_negotiate_policy_t  *policy;

    policy = ctx->policy;
    pick = &ctx->picks[mline];

    red = ngx_webrtc_negotiate_red(&ctx->offer->media[mline],
                                   pick->choice.offered);

    if (red == NULL) {
        return;
    }

    if (policy->ncodec_order == 0) {

        if (red < pick->choice.offered) {
            pick->red = red;
            pick->red_first = 1;
        }

        return;
    }

    pick->red_first = 1;

    for (i = 0; i < policy->ncodec_order; i++) {

        if (policy->codec_order[i] == NGX_WEBRTC_CODEC_RED) {
            pick->red = red;
            return;
        }

        if (policy->codec_order[i] == pick->choice.codec->codec) {
            pick->red_first = 0;
        }
    }
}


/* inactive if it has any codec that we know, otherwise it stays rejected */

static void
ngx_webrtc_negotiate_pick_inactive(ngx_webrtc_negotiate_ctx_t *ctx,
    ngx_uint_t mline)
{
    ngx_uint_t                     i;
    const ngx_webrtc_codec_t      *known;
    const ngx_webrtc_sdp_media_t  *media;
    ngx_webrtc_negotiate_pick_t   *pick;

    media = &ctx->offer->media[mline];
    pick = &ctx->picks[mline];

    if (media->rejected || !media->rtp || !media->rtcp_mux || !media->bundled) {
        return;
    }

    for (i = 0; i < media->ncodecs; i++) {
        known = ngx_webrtc_negotiate_known(media, &media->codecs[i]);

        if (known == NULL || known->wraps) {
            continue;
        }

        pick->state = NGX_WEBRTC_NEGOTIATE_INACTIVE;
        pick->track = NGX_WEBRTC_DESC_NO_TRACK;
        pick->choice.codec = known;
        pick->choice.offered = &media->codecs[i];
        pick->choice.rtx_pt = NGX_WEBRTC_DESC_NO_PT;

        return;
    }
}


/*
 * Inactive m-lines stay only as part of a BUNDLE group together with an active
 * one, and only as many as the description has room for.
 */

static ngx_int_t
ngx_webrtc_negotiate_settle(ngx_webrtc_negotiate_ctx_t *ctx)
{
    ngx_uint_t                    i, room, bundled;
    const ngx_webrtc_sdp_t       *offer;
    ngx_webrtc_negotiate_pick_t  *pick;

    offer = ctx->offer;

    if (ctx->nactive == 0) {
        return ngx_webrtc_negotiate_refuse(ctx->cause,
                                           NGX_WEBRTC_NEGOTIATE_UNSUPPORTED,
                                           "no track in common", -1,
                                           "the stream has no track of a kind "
                                           "that the offer asks for");
    }

    bundled = 0;

    for (i = 0; i < offer->nmedia; i++) {
        if (ctx->picks[i].state == NGX_WEBRTC_NEGOTIATE_ACTIVE) {
            bundled |= offer->media[i].bundled;
        }
    }

    /* there are at most two active ones */

    room = bundled ? NGX_WEBRTC_DESC_MEDIA - ctx->nactive : 0;

    for (i = 0; i < offer->nmedia; i++) {
        pick = &ctx->picks[i];

        if (pick->state != NGX_WEBRTC_NEGOTIATE_INACTIVE) {
            continue;
        }

        if (room == 0) {
            pick->state = NGX_WEBRTC_NEGOTIATE_REJECTED;
            continue;
        }

        room--;
    }

    /* RFC 9143, 7.3.1: the answerer's tagged m-line is the group's first */

    for (i = 0; i < offer->nmedia; i++) {
        if (ctx->picks[i].state != NGX_WEBRTC_NEGOTIATE_REJECTED) {
            break;
        }
    }

    ctx->tagged = i;

    return NGX_OK;
}
