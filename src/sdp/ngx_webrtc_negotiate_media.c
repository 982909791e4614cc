
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Description and answer of one m-line: see the header file.  RFC 3264, 6;
 * RFC 8285 (extensions), RFC 4588 (RTX), RFC 7587 (stereo).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_media.h>
#include <ngx_webrtc_negotiate_rids.h>


/* the highest id of the one-byte form; RFC 8285, 4.2 */
#define NGX_WEBRTC_NEGOTIATE_EXT_ID  14


static u_char *ngx_webrtc_negotiate_media_codec(
    const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_choice_t *choice, u_char *text,
    const ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am);
static u_char *ngx_webrtc_negotiate_media_red(
    const ngx_webrtc_negotiate_pick_t *pick, u_char *text,
    ngx_webrtc_sdp_answer_media_t *am);
static void ngx_webrtc_negotiate_media_ssrc(
    const ngx_webrtc_sdp_media_t *media, const uint32_t *ssrcs,
    ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am);
static void ngx_webrtc_negotiate_media_exts(
    const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_sdp_media_t *media, ngx_webrtc_desc_t *desc,
    ngx_webrtc_sdp_answer_media_t *am);
static ngx_uint_t ngx_webrtc_negotiate_taken(const ngx_webrtc_desc_t *desc,
    const ngx_webrtc_negotiate_ext_t *ext, ngx_uint_t id);
static ngx_uint_t ngx_webrtc_negotiate_stereo(
    const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_pick_t *pick);


static const ngx_webrtc_negotiate_ext_t  ngx_webrtc_negotiate_exts[] = {

    { ngx_string("urn:ietf:params:rtp-hdrext:sdes:mid"),
      NGX_WEBRTC_EXT_MID,
      offsetof(ngx_webrtc_desc_media_t, ext_mid) },

    { ngx_string("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
      NGX_WEBRTC_EXT_ABS_SEND_TIME,
      offsetof(ngx_webrtc_desc_media_t, ext_abs_send_time) },

    { ngx_string("http://www.ietf.org/id/"
                 "draft-holmer-rmcat-transport-wide-cc-extensions-01"),
      NGX_WEBRTC_EXT_TWCC,
      offsetof(ngx_webrtc_desc_media_t, ext_twcc) },

    /* RFC 7742, 4; 3GPP TS 26.114, 7.4.5 */
    { ngx_string("urn:3gpp:video-orientation"),
      NGX_WEBRTC_EXT_CVO,
      offsetof(ngx_webrtc_desc_media_t, ext_cvo) },

    { ngx_string("http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"),
      NGX_WEBRTC_EXT_PLAYOUT,
      offsetof(ngx_webrtc_desc_media_t, ext_playout) },

    /* RFC 8852, 4 */
    { ngx_webrtc_negotiate_rids_ext,
      NGX_WEBRTC_EXT_RID,
      offsetof(ngx_webrtc_desc_media_t, ext_rid) },
    { ngx_string("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"),
      NGX_WEBRTC_EXT_RID,
      offsetof(ngx_webrtc_desc_media_t, ext_rrid) },

    { ngx_string("https://aomediacodec.github.io/av1-rtp-spec/"
                 "#dependency-descriptor-rtp-header-extension"),
      NGX_WEBRTC_EXT_DD,
      offsetof(ngx_webrtc_desc_media_t, ext_dd) },

    { ngx_null_string, 0, 0 }
};


/* an answer has room for all of them */
typedef char  ngx_webrtc_negotiate_exts_check
                  [sizeof(ngx_webrtc_negotiate_exts)
                   / sizeof(ngx_webrtc_negotiate_exts[0]) - 1
                   <= NGX_WEBRTC_SDP_OUT_EXTS ? 1 : -1];


u_char *
ngx_webrtc_negotiate_media(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick, const uint32_t *ssrcs,
    u_char *text, ngx_webrtc_desc_t *desc,
    ngx_webrtc_sdp_answer_media_t *am)
{
    ngx_uint_t                     i;
    ngx_webrtc_desc_media_t       *dm;
    const ngx_webrtc_codec_t      *codec;
    const ngx_webrtc_sdp_codec_t  *offered;

    codec = pick->choice.codec;
    offered = pick->choice.offered;

    dm = &desc->media[desc->nmedia - 1];

    dm->kind = codec->kind;
    dm->codec = codec->codec;
    dm->clock_rate = codec->clock_rate;
    dm->track = pick->track;
    dm->pt = offered->pt;
    dm->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    dm->red_pt = NGX_WEBRTC_DESC_NO_PT;

    dm->mid_len = (uint8_t) media->mid.len;

    if (media->mid.len != 0) {
        ngx_memcpy(dm->mid, media->mid.data, media->mid.len);
    }

    am->type = media->type;
    am->proto = media->proto;
    am->mid = media->mid;
    am->bundled = media->bundled;
    am->rtcp_rsize = media->rtcp_rsize;
    am->direction = NGX_WEBRTC_SDP_INACTIVE;

    if (pick->state != NGX_WEBRTC_NEGOTIATE_ACTIVE) {
        return ngx_webrtc_negotiate_media_codec(policy, &pick->choice, text,
                                                dm, am);
    }

    if (policy->role == NGX_WEBRTC_NEGOTIATE_PLAY) {
        dm->sending = 1;
        am->direction = NGX_WEBRTC_SDP_SENDONLY;

    } else {
        dm->receiving = 1;
        am->direction = NGX_WEBRTC_SDP_RECVONLY;
    }

    dm->stereo = (uint8_t) ngx_webrtc_negotiate_stereo(policy, pick);

    if (pick->red) {
        dm->red_pt = pick->red->pt;
    }

    if (dm->receiving && (policy->exts & NGX_WEBRTC_EXT_RID)) {
        ngx_webrtc_negotiate_rids(media, pick, am);
    }

    ngx_webrtc_negotiate_media_exts(policy, media, desc, am);
    ngx_webrtc_negotiate_rids_keep(dm, am);

    text = ngx_webrtc_negotiate_media_codec(policy, &pick->choice, text, dm,
                                            am);

    dm->fb = am->codecs[0].fb;
    dm->rtx_pt = am->codecs[0].rtx_pt;

    if (media->rcvr_rtt && (policy->fb & NGX_WEBRTC_FB_RRTR)) {
        dm->fb |= NGX_WEBRTC_FB_RRTR;
        am->rcvr_rtt = 1;
    }

    if (media->rtcp_rsize) {
        dm->fb |= NGX_WEBRTC_FB_RSIZE;
    }

    for (i = 0; i < pick->nalts; i++) {
        text = ngx_webrtc_negotiate_media_codec(policy, &pick->alts[i], text,
                                                dm, am);

        dm->alts[i].codec = pick->alts[i].codec->codec;
        dm->alts[i].pt = am->codecs[i + 1].pt;
        dm->alts[i].rtx_pt = am->codecs[i + 1].rtx_pt;
    }

    dm->nalts = (uint8_t) pick->nalts;

    if (pick->red) {
        text = ngx_webrtc_negotiate_media_red(pick, text, am);
    }

    ngx_webrtc_negotiate_media_ssrc(media, ssrcs, dm, am);

    return text;
}


const ngx_webrtc_negotiate_ext_t *
ngx_webrtc_negotiate_ext(ngx_uint_t i)
{
    return ngx_webrtc_negotiate_exts[i].ext
           ? &ngx_webrtc_negotiate_exts[i] : NULL;
}


ngx_uint_t
ngx_webrtc_negotiate_ext_wanted(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_ext_t *ext, ngx_uint_t kind)
{
    ngx_uint_t  video;

    video = (ext->ext == NGX_WEBRTC_EXT_CVO || ext->ext == NGX_WEBRTC_EXT_RID
             || ext->ext == NGX_WEBRTC_EXT_PLAYOUT
             || ext->ext == NGX_WEBRTC_EXT_DD);

    if (policy->role == NGX_WEBRTC_NEGOTIATE_PLAY) {

        if (ext->ext == NGX_WEBRTC_EXT_DD) {
            return 0;
        }

        /* only what may be sent less of is told of, see
         * ngx_webrtc_viewer_stamp.h */

        video |= (ext->ext == NGX_WEBRTC_EXT_TWCC
                  || ext->ext == NGX_WEBRTC_EXT_ABS_SEND_TIME);
    }

    return (policy->exts & ext->ext) && (!video || kind == NGX_WEBRTC_VIDEO);
}


void
ngx_webrtc_negotiate_reject(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_sdp_answer_media_t *am)
{
    u_char  *p, *end;

    am->rejected = 1;
    am->type = media->type;
    am->proto = media->proto;
    am->mid = media->mid;

    /* RFC 3264, 6: one format is enough, and it is ignored */

    p = media->fmts.data;
    end = p + ngx_min(media->fmts.len, NGX_WEBRTC_NEGOTIATE_NAME);

    am->fmt.data = p;

    while (p < end && *p != ' ') {
        p++;
    }

    am->fmt.len = p - am->fmt.data;
}


/* adds a codec to the answer; dm tells what it shares with the others */

static u_char *
ngx_webrtc_negotiate_media_codec(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_choice_t *choice, u_char *text,
    const ngx_webrtc_desc_media_t *dm, ngx_webrtc_sdp_answer_media_t *am)
{
    const ngx_webrtc_codec_t       *codec;
    ngx_webrtc_sdp_answer_codec_t  *ac;

    codec = choice->codec;
    ac = &am->codecs[am->ncodecs++];

    ac->name = codec->name;
    ac->clock_rate = codec->clock_rate;
    ac->channels = codec->channels;
    ac->pt = choice->offered->pt;
    ac->rtx_pt = NGX_WEBRTC_DESC_NO_PT;

    ac->fmtp.data = text;
    ac->fmtp.len = ngx_webrtc_negotiate_fmtp(choice, dm->stereo, dm->sending,
                                             text);

    text += ac->fmtp.len;

    if (!dm->sending && !dm->receiving) {
        return text;
    }

    ac->fb = choice->offered->fb & policy->fb;

    if (codec->kind != NGX_WEBRTC_VIDEO) {
        ac->fb &= ~(NGX_WEBRTC_FB_PLI|NGX_WEBRTC_FB_FIR);
    }

    if (dm->ext_twcc == 0) {
        ac->fb &= ~NGX_WEBRTC_FB_TWCC;
    }

    /*
     * RFC 4588: retransmission is requested by NACK.  An RTX payload type
     * stands for only one other, so with RED packets are resent as they were.
     */

    if (!policy->no_rtx && (ac->fb & NGX_WEBRTC_FB_NACK)
        && dm->red_pt == NGX_WEBRTC_DESC_NO_PT)
    {
        ac->rtx_pt = choice->rtx_pt;
    }

    return text;
}


/* adds RED to the answer, which already has the codecs */

static u_char *
ngx_webrtc_negotiate_media_red(const ngx_webrtc_negotiate_pick_t *pick,
    u_char *text, ngx_webrtc_sdp_answer_media_t *am)
{
    const ngx_webrtc_codec_t       *codec;
    ngx_webrtc_sdp_answer_codec_t  *ac;

    codec = ngx_webrtc_codec(NGX_WEBRTC_CODEC_RED);

    if (pick->red_first) {
        ac = &am->codecs[0];
        ngx_memmove(ac + 1, ac,
                    am->ncodecs * sizeof(ngx_webrtc_sdp_answer_codec_t));

    } else {
        ac = &am->codecs[am->ncodecs];
    }

    am->ncodecs++;

    ac->name = codec->name;
    ac->clock_rate = codec->clock_rate;
    ac->channels = codec->channels;
    ac->pt = pick->red->pt;
    ac->rtx_pt = NGX_WEBRTC_DESC_NO_PT;
    ac->fb = am->codecs[pick->red_first ? 1 : 0].fb;

    /* RFC 2198, 5: a primary and one redundant block, as browsers write it */

    ac->fmtp.data = text;
    ac->fmtp.len = ngx_sprintf(text, "%ui/%ui",
                               (ngx_uint_t) pick->choice.offered->pt,
                               (ngx_uint_t) pick->choice.offered->pt)
                   - text;

    return text + ac->fmtp.len;
}


static void
ngx_webrtc_negotiate_media_ssrc(const ngx_webrtc_sdp_media_t *media,
    const uint32_t *ssrcs, ngx_webrtc_desc_media_t *dm,
    ngx_webrtc_sdp_answer_media_t *am)
{
    ngx_uint_t  i, video;

    static const ngx_str_t  names[] = {
        ngx_string("audio"),
        ngx_string("video")
    };

    if (dm->sending) {
        video = (dm->kind == NGX_WEBRTC_VIDEO);

        dm->ssrc = ssrcs[video * 2];

        for (i = 0; i < am->ncodecs; i++) {
            if (am->codecs[i].rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
                dm->rtx_ssrc = ssrcs[video * 2 + 1];
            }
        }

        am->ssrc = dm->ssrc;
        am->rtx_ssrc = dm->rtx_ssrc;
        am->track_id = names[video];

        return;
    }

    /* the SSRC that the publisher announces, if any: the first layer; those of
     * rids are learnt from their packets */

    if (am->nrids) {
        return;
    }

    if (media->nfids != 0) {
        dm->ssrc = media->fids[0].ssrc;
        dm->rtx_ssrc = media->fids[0].rtx_ssrc;

    } else if (media->nssrcs != 0) {
        dm->ssrc = media->ssrcs[0].ssrc;
    }
}


static void
ngx_webrtc_negotiate_media_exts(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_sdp_media_t *media, ngx_webrtc_desc_t *desc,
    ngx_webrtc_sdp_answer_media_t *am)
{
    uint8_t                           *id;
    ngx_uint_t                         i, want;
    ngx_webrtc_desc_media_t           *dm;
    const ngx_webrtc_sdp_ext_t        *offered;
    const ngx_webrtc_negotiate_ext_t  *ext;

    dm = &desc->media[desc->nmedia - 1];

    /* from the offer's point of view */

    want = dm->sending ? NGX_WEBRTC_SDP_RECVONLY : NGX_WEBRTC_SDP_SENDONLY;

    for (i = 0; i < media->nexts; i++) {
        offered = &media->exts[i];

        /* RFC 8285, 4.2: 15 is reserved, and we write the one-byte form */

        if (offered->id > NGX_WEBRTC_NEGOTIATE_EXT_ID
            || (offered->direction & want) == 0)
        {
            continue;
        }

        for (ext = ngx_webrtc_negotiate_exts; ext->ext != 0; ext++) {

            if (!ngx_webrtc_negotiate_ext_wanted(policy, ext, dm->kind)
                || (ext->ext == NGX_WEBRTC_EXT_RID && am->nrids == 0)
                || ext->uri.len != offered->uri.len
                || ngx_memcmp(ext->uri.data, offered->uri.data, ext->uri.len)
                   != 0)
            {
                continue;
            }

            id = (uint8_t *) dm + ext->offset;

            if (*id == 0
                && !ngx_webrtc_negotiate_taken(desc, ext, offered->id))
            {
                *id = offered->id;
                am->exts[am->nexts++] = *offered;

                /* one with a structure is longer than the one-byte form may
                 * have, and RFC 8285, 4.1.2 allows to change the form only
                 * where both sides say so */

                am->mixed_exts |= (ext->ext == NGX_WEBRTC_EXT_DD);
            }
        }
    }
}


/*
 * RFC 9143, 8: in a BUNDLE group an id "MUST identify the same extension" in
 * all m-lines; 1 if another one of ours has it already
 */

static ngx_uint_t
ngx_webrtc_negotiate_taken(const ngx_webrtc_desc_t *desc,
    const ngx_webrtc_negotiate_ext_t *ext, ngx_uint_t id)
{
    ngx_uint_t                         i;
    const uint8_t                     *m;
    const ngx_webrtc_negotiate_ext_t  *other;

    for (i = 0; i < desc->nmedia; i++) {
        m = (const uint8_t *) &desc->media[i];

        for (other = ngx_webrtc_negotiate_exts; other->ext != 0; other++) {
            if (other != ext && m[other->offset] == id) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_webrtc_negotiate_stereo(const ngx_webrtc_negotiate_policy_t *policy,
    const ngx_webrtc_negotiate_pick_t *pick)
{
    ngx_uint_t                            i;
    const ngx_webrtc_codec_t             *codec;
    const ngx_webrtc_negotiate_choice_t  *choice;

    choice = &pick->choice;

    for (i = 0; choice->codec->fmtp->stereo == NULL; i++) {

        if (i == pick->nalts) {
            return 0;
        }

        choice = &pick->alts[i];
    }

    if (policy->role == NGX_WEBRTC_NEGOTIATE_PLAY) {
        return policy->tracks[pick->track].channels == 2;
    }

    codec = choice->codec;

    return codec->fmtp->stereo(&choice->offered->fmtp);
}
