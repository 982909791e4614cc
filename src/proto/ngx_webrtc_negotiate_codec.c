
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Choice of a payload type and its format parameters: see the header file.
 * RFC 6184 (H.264), RFC 7798 (H.265), RFC 7587 (Opus), RFC 9628 (VP9), RTP
 * Payload Format For AV1 v1.0, RFC 4588 (RTX), RFC 2198 (RED).
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_codec.h>
#include <ngx_webrtc_fmtp.h>


/* what most receivers decode: constrained baseline, level 3.1 */
#define NGX_WEBRTC_NEGOTIATE_H264_DEFAULT  0x42e01f

/* rank of profiles that are no way up from the usual ones */
#define NGX_WEBRTC_NEGOTIATE_H264_OTHER    5

/* bytes of a parameter's value that is repeated in the answer; chosen */
#define NGX_WEBRTC_NEGOTIATE_VALUE         16

/* no payload type with this distance has been seen */
#define NGX_WEBRTC_NEGOTIATE_FAR           0xffff


static ngx_uint_t ngx_webrtc_negotiate_distance(ngx_uint_t codec,
    const ngx_webrtc_track_t *track, const ngx_webrtc_sdp_codec_t *offered);
static ngx_uint_t ngx_webrtc_negotiate_h264_distance(
    const ngx_webrtc_track_t *track, const ngx_webrtc_sdp_codec_t *offered);
static ngx_uint_t ngx_webrtc_negotiate_h264_rank(uint32_t profile);
static uint32_t ngx_webrtc_negotiate_h264_profile(const ngx_str_t *fmtp);
static ngx_uint_t ngx_webrtc_negotiate_interleaved(
    const ngx_webrtc_sdp_codec_t *offered);
static uint8_t ngx_webrtc_negotiate_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered);
static u_char *ngx_webrtc_negotiate_red_pt(u_char *p, u_char *end,
    ngx_uint_t pt);
static u_char *ngx_webrtc_negotiate_param(u_char *p, u_char *end, u_char *start,
    const char *name, const ngx_str_t *value);


ngx_int_t
ngx_webrtc_negotiate_codec(const ngx_webrtc_sdp_media_t *media,
    ngx_uint_t codec, const ngx_webrtc_track_t *track,
    ngx_webrtc_negotiate_choice_t *choice)
{
    ngx_uint_t                     i, distance, best;
    const ngx_webrtc_codec_t      *known;
    const ngx_webrtc_sdp_codec_t  *offered;

    best = NGX_WEBRTC_NEGOTIATE_FAR;

    for (i = 0; i < media->ncodecs; i++) {
        offered = &media->codecs[i];

        known = ngx_webrtc_negotiate_known(media, offered);

        if (known == NULL || known->codec != codec) {
            continue;
        }

        distance = ngx_webrtc_negotiate_distance(codec, track, offered);

        /* of equal ones the offerer prefers the first: RFC 3264, 6.1 */

        if (distance < best) {
            best = distance;
            choice->codec = known;
            choice->offered = offered;
        }
    }

    if (best == NGX_WEBRTC_NEGOTIATE_FAR) {
        return NGX_DECLINED;
    }

    choice->rtx_pt = ngx_webrtc_negotiate_rtx(media, choice->offered);

    return NGX_OK;
}


ngx_int_t
ngx_webrtc_negotiate_offered(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered,
    ngx_webrtc_negotiate_choice_t *choice)
{
    const ngx_webrtc_codec_t  *known;

    known = ngx_webrtc_negotiate_known(media, offered);

    if (known == NULL || known->codec == NGX_WEBRTC_CODEC_RED
        || (known->codec == NGX_WEBRTC_CODEC_H264
            && ngx_webrtc_negotiate_interleaved(offered)))
    {
        return NGX_DECLINED;
    }

    choice->codec = known;
    choice->offered = offered;
    choice->rtx_pt = ngx_webrtc_negotiate_rtx(media, offered);

    return NGX_OK;
}


const ngx_webrtc_sdp_codec_t *
ngx_webrtc_negotiate_red(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered)
{
    u_char                        *p, *end;
    ngx_uint_t                     i;
    const ngx_webrtc_codec_t      *known;
    const ngx_webrtc_sdp_codec_t  *red;

    for (i = 0; i < media->ncodecs; i++) {
        red = &media->codecs[i];

        known = ngx_webrtc_negotiate_known(media, red);

        if (known == NULL || known->codec != NGX_WEBRTC_CODEC_RED
            || red->clock_rate != offered->clock_rate)
        {
            continue;
        }

        /* "111/111": the types of primary and redundant blocks, as often as
         * the offerer sends them */

        p = red->fmtp.data;
        end = p + red->fmtp.len;

        if (p == end) {
            continue;
        }

        while (p != NULL && p != end) {
            p = ngx_webrtc_negotiate_red_pt(p, end, offered->pt);
        }

        if (p != NULL) {
            return red;
        }
    }

    return NULL;
}


const ngx_webrtc_codec_t *
ngx_webrtc_negotiate_known(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered)
{
    const ngx_webrtc_codec_t  *known;

    if (offered->name.len == 0
        || ngx_webrtc_negotiate_clashes(offered->pt))
    {
        return NULL;
    }

    known = ngx_webrtc_codec_find(offered->name.data, offered->name.len,
                                  offered->clock_rate);

    if (known == NULL || known->kind != media->kind) {
        return NULL;
    }

    /*
     * "opus/48000" without channels is wrong (RFC 7587, 7) but harmless;
     * "PCMU/8000/2" would be something else
     */

    if (known->channels < 2 && offered->channels > 1) {
        return NULL;
    }

    return known;
}


size_t
ngx_webrtc_negotiate_fmtp(const ngx_webrtc_negotiate_choice_t *choice,
    ngx_uint_t stereo, ngx_uint_t sending, u_char *buf)
{
    u_char           *p, *end;
    ngx_str_t         value;
    const ngx_str_t  *fmtp;
    const char       *const *key;

    static const ngx_str_t    one = ngx_string("1");
    static const char *const  none[] = { NULL };
    static const char *const  h264[] = { "packetization-mode", NULL };
    static const char *const  h265[] = { "profile-id", "tier-flag", "level-id",
                                         "tx-mode", NULL };
    static const char *const  vp9[] = { "profile-id", NULL };
    static const char *const  av1[] = { "profile", "level-idx", "tier", NULL };
    static const char *const  opus[] = { "minptime", "useinbandfec", NULL };

    /* RFC 7587, 6.1: a publisher with DTX sends so if it is told that it may */

    static const char *const  opus_in[] = { "minptime", "useinbandfec",
                                            "usedtx", NULL };

    p = buf;
    end = buf + NGX_WEBRTC_NEGOTIATE_FMTP;
    fmtp = &choice->offered->fmtp;

    switch (choice->codec->codec) {

    case NGX_WEBRTC_CODEC_H264:

        /*
         * RFC 6184, 8.2.2: packetization-mode and the profile "MUST be used
         * symmetrically", so both are those of the offer.  Where the offer has
         * no mode none is said either: it means mode 0, yet those who leave it
         * out are found to take fragments all the same.
         */

        p = ngx_webrtc_negotiate_param(p, end, buf, "level-asymmetry-allowed",
                                       &one);
        key = h264;
        break;

    case NGX_WEBRTC_CODEC_H265:
        key = h265;
        break;

    case NGX_WEBRTC_CODEC_VP9:
        key = vp9;
        break;

    case NGX_WEBRTC_CODEC_AV1:
        key = av1;
        break;

    case NGX_WEBRTC_CODEC_OPUS:
        key = sending ? opus : opus_in;
        break;

    default:
        key = none;
    }

    for ( /* void */ ; *key != NULL; key++) {

        if (ngx_webrtc_fmtp_find(fmtp, *key, &value) == NGX_OK
            && value.len != 0 && value.len <= NGX_WEBRTC_NEGOTIATE_VALUE)
        {
            p = ngx_webrtc_negotiate_param(p, end, buf, *key, &value);
        }
    }

    if (choice->codec->codec == NGX_WEBRTC_CODEC_H264) {
        p = ngx_slprintf(p, end, ";profile-level-id=%06xD",
                         ngx_webrtc_negotiate_h264_profile(fmtp));
    }

    /*
     * RFC 7587, 7: "stereo" says what we would receive, "sprop-stereo" says
     * what we send; receivers look at either
     */

    if (choice->codec->codec == NGX_WEBRTC_CODEC_OPUS && stereo) {
        p = ngx_webrtc_negotiate_param(p, end, buf, "stereo", &one);

        if (sending) {
            p = ngx_webrtc_negotiate_param(p, end, buf, "sprop-stereo", &one);
        }
    }

    return p - buf;
}


/* how far an offered payload type is from what will be sent; 0 is best */

static ngx_uint_t
ngx_webrtc_negotiate_distance(ngx_uint_t codec, const ngx_webrtc_track_t *track,
    const ngx_webrtc_sdp_codec_t *offered)
{
    ngx_int_t    profile;
    ngx_str_t    value;
    const char  *name;

    switch (codec) {

    case NGX_WEBRTC_CODEC_H264:
        return ngx_webrtc_negotiate_h264_distance(track, offered);

    case NGX_WEBRTC_CODEC_H265:
    case NGX_WEBRTC_CODEC_VP9:
        name = "profile-id";
        break;

    case NGX_WEBRTC_CODEC_AV1:
        name = "profile";
        break;

    default:
        return 0;
    }

    if (track == NULL) {
        return 0;
    }

    /* RFC 7798, 7.1: inferred to be 1; RFC 9628 and AV1 RTP, 7.2.1: 0 */

    profile = (codec == NGX_WEBRTC_CODEC_H265) ? 1 : 0;

    if (ngx_webrtc_fmtp_find(&offered->fmtp, name, &value) == NGX_OK) {
        profile = ngx_atoi(value.data, value.len);
    }

    return (profile == (ngx_int_t) (track->profile >> 16)) ? 0 : 1;
}


/*
 * RFC 6184, 8.1.  Non-interleaved mode first, as our packetizer fragments; then
 * the profile nearest to the stream's, one that includes it before one that
 * doesn't; then a sufficient level.  None of it is a reason to refuse: browsers
 * decode High on a payload type of Constrained Baseline.
 */

static ngx_uint_t
ngx_webrtc_negotiate_h264_distance(const ngx_webrtc_track_t *track,
    const ngx_webrtc_sdp_codec_t *offered)
{
    uint32_t    profile;
    ngx_str_t   value;
    ngx_uint_t  distance, have, want;

    distance = 0;

    if (ngx_webrtc_fmtp_find(&offered->fmtp, "packetization-mode", &value)
        != NGX_OK || value.len != 1 || value.data[0] != '1')
    {
        distance += ngx_webrtc_negotiate_interleaved(offered) ? 2000 : 1000;
    }

    if (track == NULL || track->profile == 0) {
        return distance;
    }

    profile = ngx_webrtc_negotiate_h264_profile(&offered->fmtp);

    have = ngx_webrtc_negotiate_h264_rank(profile);
    want = ngx_webrtc_negotiate_h264_rank(track->profile);

    if (profile >> 16 == track->profile >> 16 && have == want) {
        /* the same */

    } else if (have == NGX_WEBRTC_NEGOTIATE_H264_OTHER) {
        distance += 200;

    } else if (have >= want) {
        distance += (have - want) * 10;

    } else {
        distance += 100 + (want - have) * 10;
    }

    if ((profile & 0xff) < (track->profile & 0xff)) {
        distance++;
    }

    return distance;
}


/*
 * RFC 6184, table 5: profile_idc and constraint flags, put in order so that a
 * profile includes the ones before it, as good as that can be done.  More than
 * 8 bits or 4:2:0 is left out of that order: hardware decoders don't have it.
 */

static ngx_uint_t
ngx_webrtc_negotiate_h264_rank(uint32_t profile)
{
    uint32_t  flags;

    flags = (profile >> 8) & 0xff;

    switch (profile >> 16) {

    case 0x42:
        /* constraint_set1: Constrained Baseline */
        return (flags & 0x40) ? 0 : 1;

    case 0x4d:
        /* constraint_set0: obeys Baseline as well */
        return (flags & 0x80) ? 0 : 2;

    case 0x58:
        return ((flags & 0xc0) == 0xc0) ? 0 : 1;

    case 0x64:
        /* constraint_set4 and 5: Constrained High */
        return ((flags & 0x0c) == 0x0c) ? 3 : 4;

    default:
        return NGX_WEBRTC_NEGOTIATE_H264_OTHER;
    }
}


/* what isn't there or isn't six hexadecimal digits counts as the default */

static uint32_t
ngx_webrtc_negotiate_h264_profile(const ngx_str_t *fmtp)
{
    ngx_int_t  profile;
    ngx_str_t  value;

    if (ngx_webrtc_fmtp_find(fmtp, "profile-level-id", &value) == NGX_OK
        && value.len == 6)
    {
        profile = ngx_hextoi(value.data, 6);

        if (profile != NGX_ERROR) {
            return (uint32_t) profile;
        }
    }

    return NGX_WEBRTC_NEGOTIATE_H264_DEFAULT;
}


/* RFC 6184, 8.1: packetization-mode 2, of which nobody here knows anything */

static ngx_uint_t
ngx_webrtc_negotiate_interleaved(const ngx_webrtc_sdp_codec_t *offered)
{
    ngx_str_t  value;

    return ngx_webrtc_fmtp_find(&offered->fmtp, "packetization-mode", &value)
           == NGX_OK
           && value.len == 1 && value.data[0] == '2';
}


/* RFC 4588, 8.6: "rtx" whose apt is the payload type */

static uint8_t
ngx_webrtc_negotiate_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered)
{
    ngx_uint_t  i;

    for (i = 0; i < media->ncodecs; i++) {

        /* of an rtx for an rtx nothing good can come */

        if (media->codecs[i].apt == offered->pt
            && media->codecs[i].pt != offered->pt
            && !ngx_webrtc_negotiate_clashes(media->codecs[i].pt)
            && media->codecs[i].clock_rate == offered->clock_rate)
        {
            return media->codecs[i].pt;
        }
    }

    return NGX_WEBRTC_DESC_NO_PT;
}


/* the position behind one number and its slash, NULL if it is another one */

static u_char *
ngx_webrtc_negotiate_red_pt(u_char *p, u_char *end, ngx_uint_t pt)
{
    u_char  *start;

    start = p;

    while (p < end && *p != '/') {
        p++;
    }

    if (ngx_atoi(start, p - start) != (ngx_int_t) pt) {
        return NULL;
    }

    /* a number has to follow */

    if (p < end && ++p == end) {
        return NULL;
    }

    return p;
}


static u_char *
ngx_webrtc_negotiate_param(u_char *p, u_char *end, u_char *start,
    const char *name, const ngx_str_t *value)
{
    return ngx_slprintf(p, end, "%s%s=%V", (p == start) ? "" : ";", name,
                        value);
}
