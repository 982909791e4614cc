
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Choice of a payload type and its format parameters: see the header file.
 * RFC 4588 (RTX), RFC 2198 (RED).  The meaning of a codec's parameters is left
 * to the codec's row.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_codec.h>


/* no payload type with this distance has been seen */
#define NGX_WEBRTC_NEGOTIATE_FAR           0xffff


static uint8_t ngx_webrtc_negotiate_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered);
static u_char *ngx_webrtc_negotiate_red_pt(u_char *p, u_char *end,
    ngx_uint_t pt);


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

        distance = known->fmtp->distance
                   ? known->fmtp->distance(track, &offered->fmtp) : 0;

        /* among equals the offerer prefers the first: RFC 3264, 6.1 */

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

    if (known == NULL || known->wraps
        || (known->fmtp->refused && known->fmtp->refused(&offered->fmtp)))
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

        if (known == NULL || !known->wraps
            || red->clock_rate != offered->clock_rate
            || red->fmtp.len == 0)
        {
            continue;
        }

        /* "111/111": the types of primary and redundant blocks, as often as
         * the offerer sends them */

        p = red->fmtp.data;
        end = p + red->fmtp.len;

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
    u_char  *p;

    if (choice->codec->fmtp->answer == NULL) {
        return 0;
    }

    p = choice->codec->fmtp->answer(buf, buf + NGX_WEBRTC_NEGOTIATE_FMTP,
                                    &choice->offered->fmtp,
                                    stereo && choice->codec->fmtp->stereo,
                                    sending);

    return p - buf;
}


/* RFC 4588, 8.6: "rtx" whose apt is the payload type */

static uint8_t
ngx_webrtc_negotiate_rtx(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_sdp_codec_t *offered)
{
    ngx_uint_t  i;

    for (i = 0; i < media->ncodecs; i++) {

        /* an rtx for an rtx makes no sense */

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
