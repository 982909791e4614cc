
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a viewer gets: see the header file.
 *
 * Formats.  All decoders take 4:2:0 of 8 bit.  What is beyond that is three
 * bits per codec: more than 8 bits, 4:2:2, 4:4:4.  A profile that an offer has
 * says which of them it can: RFC 6184, 8.1 (H.264), RFC 7798, 7.1 (H.265), RFC
 * 9628, 6 (VP9), and the AV1 RTP specification, 7.2.1, whose main profile has
 * 10 bit that libwebrtc's decoder refuses.
 *
 * A variant is in the codec that is configured if the viewer has it, else in
 * the one of the viewer's that costs least to encode: it is the same for all
 * viewers of one browser, whatever the order of their offers.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_choice.h>
#include <ngx_webrtc_codecs.h>
#include <ngx_webrtc_fmtp.h>
#include <ngx_webrtc_negotiate_codec.h>
#include <ngx_webrtc_negotiate_media.h>


#define NGX_WEBRTC_CHOICE_DEEP   1
#define NGX_WEBRTC_CHOICE_422    2
#define NGX_WEBRTC_CHOICE_444    4
#define NGX_WEBRTC_CHOICE_ALL    7
#define NGX_WEBRTC_CHOICE_BITS   3          /* of a codec, NGX_WEBRTC_CODEC_* */

/* what no offer can say */
#define NGX_WEBRTC_CHOICE_NEVER  0x8000

#define ngx_webrtc_choice_bit(codec)  ((uint32_t) 1 << (codec))


/* a profile, and what it has beyond 4:2:0 of 8 bit */
typedef struct {
    uint8_t      codec;           /* 0: the end */
    uint8_t      profile;
    uint8_t      format;
} ngx_webrtc_choice_profile_t;


/* a codec's parameter that names its profile */
typedef struct {
    uint8_t      codec;           /* 0: the end */
    uint8_t      shift;           /* of the profile in its number */
    uint8_t      hex;
    const char  *name;
} ngx_webrtc_choice_param_t;


static void ngx_webrtc_choice_media(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_choice_viewer_t *viewer);
static ngx_uint_t ngx_webrtc_choice_format(ngx_uint_t codec,
    const ngx_str_t *fmtp);
static ngx_uint_t ngx_webrtc_choice_profile(ngx_uint_t codec,
    ngx_uint_t profile);
static ngx_uint_t ngx_webrtc_choice_shift(ngx_uint_t codec, ngx_uint_t format);
static ngx_webrtc_choice_reason_e ngx_webrtc_choice_plays(
    const ngx_webrtc_track_t *track, const ngx_webrtc_choice_viewer_t *viewer,
    const ngx_webrtc_variant_t *how);
static ngx_uint_t ngx_webrtc_choice_needs(const ngx_webrtc_track_t *track);
static void ngx_webrtc_choice_label(const ngx_webrtc_variant_t *how,
    ngx_uint_t codec, ngx_webrtc_variant_t *variant);


/* those that can be encoded, what costs least first */

static const struct {
    uint8_t      codec;
    const char  *label;
} ngx_webrtc_choice_codecs[] = {
    { NGX_WEBRTC_CODEC_H264, "h264" },
    { NGX_WEBRTC_CODEC_VP8, "vp8" },
    { NGX_WEBRTC_CODEC_VP9, "vp9" },
    { NGX_WEBRTC_CODEC_AV1, "av1" },
    { 0, NULL }
};


static const ngx_webrtc_choice_profile_t  ngx_webrtc_choice_profiles[] = {
    { NGX_WEBRTC_CODEC_H264, 0x6e, NGX_WEBRTC_CHOICE_DEEP },
    { NGX_WEBRTC_CODEC_H264, 0x7a,
      NGX_WEBRTC_CHOICE_DEEP|NGX_WEBRTC_CHOICE_422 },
    { NGX_WEBRTC_CODEC_H264, 0xf4, NGX_WEBRTC_CHOICE_ALL },
    { NGX_WEBRTC_CODEC_H265, 2, NGX_WEBRTC_CHOICE_DEEP },
    { NGX_WEBRTC_CODEC_H265, 4, NGX_WEBRTC_CHOICE_ALL },
    { NGX_WEBRTC_CODEC_VP9, 1, NGX_WEBRTC_CHOICE_422|NGX_WEBRTC_CHOICE_444 },
    { NGX_WEBRTC_CODEC_VP9, 2, NGX_WEBRTC_CHOICE_DEEP },
    { NGX_WEBRTC_CODEC_VP9, 3, NGX_WEBRTC_CHOICE_ALL },
    { NGX_WEBRTC_CODEC_AV1, 1, NGX_WEBRTC_CHOICE_444 },
    { NGX_WEBRTC_CODEC_AV1, 2, NGX_WEBRTC_CHOICE_ALL },
    { 0, 0, 0 }
};


static const ngx_webrtc_choice_param_t  ngx_webrtc_choice_params[] = {
    { NGX_WEBRTC_CODEC_H264, 16, 1, "profile-level-id" },
    { NGX_WEBRTC_CODEC_H265, 0, 0, "profile-id" },
    { NGX_WEBRTC_CODEC_VP9, 0, 0, "profile-id" },
    { NGX_WEBRTC_CODEC_AV1, 0, 0, "profile" },
    { 0, 0, 0, NULL }
};


static const char  *ngx_webrtc_choice_reasons[NGX_WEBRTC_CHOICE_REASONS] = {
    "plays",
    "codec not offered",
    "B-frames",
    "more than 8 bits",
    "chroma is not 4:2:0",
    "no IDR (intra refresh)",
    "rotated",
    "interlaced",
    "always",
    "rendition",
    "simulcast"
};


void
ngx_webrtc_choice_offer(const ngx_webrtc_sdp_t *offer,
    ngx_webrtc_choice_viewer_t *viewer)
{
    ngx_uint_t                     i;
    const ngx_webrtc_sdp_media_t  *media;

    ngx_memzero(viewer, sizeof(ngx_webrtc_choice_viewer_t));

    for (i = 0; i < offer->nmedia; i++) {
        media = &offer->media[i];

        if (media->kind == NGX_WEBRTC_SDP_VIDEO && !media->rejected
            && (media->direction & NGX_WEBRTC_SDP_RECVONLY))
        {
            /* only the first one gets a track */

            ngx_webrtc_choice_media(media, viewer);
            return;
        }
    }
}


void
ngx_webrtc_choice_desc(const ngx_webrtc_desc_t *desc,
    ngx_webrtc_choice_viewer_t *viewer)
{
    ngx_uint_t                      i, n;
    const ngx_webrtc_desc_media_t  *m;

    ngx_memzero(viewer, sizeof(ngx_webrtc_choice_viewer_t));

    for (i = 0; i < desc->nmedia; i++) {
        m = &desc->media[i];

        if (m->kind != NGX_WEBRTC_VIDEO || !m->sending) {
            continue;
        }

        viewer->video = 1;
        viewer->codecs = ngx_webrtc_choice_bit(m->codec);
        viewer->formats = m->formats;
        viewer->cvo = (m->ext_cvo != 0);

        for (n = 0; n < m->nalts; n++) {
            viewer->codecs |= ngx_webrtc_choice_bit(m->alts[n].codec);
        }

        return;
    }
}


void
ngx_webrtc_choice_keep(const ngx_webrtc_choice_viewer_t *viewer,
    ngx_webrtc_desc_t *desc)
{
    ngx_uint_t  i;

    for (i = 0; i < desc->nmedia; i++) {
        if (desc->media[i].kind == NGX_WEBRTC_VIDEO) {
            desc->media[i].formats = viewer->formats;
        }
    }
}


void
ngx_webrtc_choice(const ngx_webrtc_track_t *tracks, ngx_uint_t n,
    const ngx_webrtc_choice_viewer_t *viewer, ngx_uint_t mode,
    const ngx_webrtc_variant_t *how, ngx_webrtc_choice_t *choice)
{
    ngx_uint_t  i, codec, layer, wanted;

    static const ngx_webrtc_variant_t  whole;

    ngx_memzero(choice, sizeof(ngx_webrtc_choice_t));

    for (i = 0; i < n; i++) {
        if (tracks[i].kind == NGX_WEBRTC_VIDEO
            && tracks[i].codec != NGX_WEBRTC_CODEC_NONE
            && !(tracks[i].flags & NGX_WEBRTC_TRACK_PENDING))
        {
            break;
        }
    }

    if (i == n || !viewer->video) {
        return;
    }

    choice->reason = ngx_webrtc_choice_plays(&tracks[i], viewer, how);

    layer = (how->hw == NGX_WEBRTC_VARIANT_PUBLISHED);
    wanted = (mode == NGX_WEBRTC_TRANSCODE_ALWAYS
              || (how->label_len && !layer));

    if (mode == NGX_WEBRTC_TRANSCODE_OFF
        || (choice->reason == NGX_WEBRTC_CHOICE_PLAYS && !wanted))
    {
        choice->what = (choice->reason == NGX_WEBRTC_CHOICE_CODEC)
                       ? NGX_WEBRTC_CHOICE_NONE : NGX_WEBRTC_CHOICE_ORIGINAL;

        if (layer && choice->what == NGX_WEBRTC_CHOICE_ORIGINAL) {
            choice->what = NGX_WEBRTC_CHOICE_LAYER;
            choice->reason = NGX_WEBRTC_CHOICE_SIMULCAST;
            choice->variant = *how;
        }

        return;
    }

    codec = ngx_webrtc_choice_codec(viewer, how);

    if (codec == NGX_WEBRTC_CODEC_NONE) {

        /* it cannot be helped; or it plays, although it should be encoded */

        choice->what = (choice->reason == NGX_WEBRTC_CHOICE_PLAYS)
                       ? NGX_WEBRTC_CHOICE_ORIGINAL : NGX_WEBRTC_CHOICE_NONE;
        return;
    }

    choice->what = NGX_WEBRTC_CHOICE_VARIANT;

    if (how->label_len && !layer) {
        choice->reason = NGX_WEBRTC_CHOICE_RENDITION;

    } else if (mode == NGX_WEBRTC_TRANSCODE_ALWAYS) {
        choice->reason = NGX_WEBRTC_CHOICE_ALWAYS;
    }

    ngx_webrtc_choice_label(layer ? &whole : how, codec, &choice->variant);
}


ngx_uint_t
ngx_webrtc_choice_codec(const ngx_webrtc_choice_viewer_t *viewer,
    const ngx_webrtc_variant_t *how)
{
    ngx_uint_t  i, codec;

    if (how->codec && (viewer->codecs & ngx_webrtc_choice_bit(how->codec))) {
        return how->codec;
    }

    for (i = 0; ngx_webrtc_choice_codecs[i].codec; i++) {
        codec = ngx_webrtc_choice_codecs[i].codec;

        if (viewer->codecs & ngx_webrtc_choice_bit(codec)) {
            return codec;
        }
    }

    return NGX_WEBRTC_CODEC_NONE;
}


const char *
ngx_webrtc_choice_why(ngx_uint_t reason)
{
    return ngx_webrtc_choice_reasons[reason < NGX_WEBRTC_CHOICE_REASONS
                                     ? reason : 0];
}


static void
ngx_webrtc_choice_media(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_choice_viewer_t *viewer)
{
    ngx_str_t                          fmtp;
    ngx_uint_t                         i, n;
    const ngx_webrtc_codec_t          *codec;
    const ngx_webrtc_negotiate_ext_t  *ext;

    viewer->video = 1;

    for (i = 0; i < media->ncodecs; i++) {
        codec = ngx_webrtc_negotiate_known(media, &media->codecs[i]);

        if (codec == NULL) {
            continue;
        }

        fmtp = media->codecs[i].fmtp;

        viewer->codecs |= ngx_webrtc_choice_bit(codec->codec);
        viewer->formats |= (uint16_t) ngx_webrtc_choice_format(codec->codec,
                                                               &fmtp);
    }

    for (i = 0; i < media->nexts; i++) {

        for (n = 0; (ext = ngx_webrtc_negotiate_ext(n)) != NULL; n++) {

            if (ext->ext == NGX_WEBRTC_EXT_CVO
                && ext->uri.len == media->exts[i].uri.len
                && ngx_memcmp(ext->uri.data, media->exts[i].uri.data,
                              ext->uri.len)
                   == 0)
            {
                viewer->cvo = 1;
            }
        }
    }
}


/* what the profile of an offered payload type has beyond 4:2:0 of 8 bit */

static ngx_uint_t
ngx_webrtc_choice_format(ngx_uint_t codec, const ngx_str_t *fmtp)
{
    ngx_int_t                         n;
    ngx_str_t                         value;
    const ngx_webrtc_choice_param_t  *param;

    for (param = ngx_webrtc_choice_params; param->codec; param++) {

        if (param->codec != codec
            || ngx_webrtc_fmtp_find(fmtp, param->name, &value) != NGX_OK)
        {
            continue;
        }

        n = param->hex ? ngx_hextoi(value.data, value.len)
                       : ngx_atoi(value.data, value.len);

        if (n != NGX_ERROR) {
            return ngx_webrtc_choice_shift(codec,
                       ngx_webrtc_choice_profile(codec,
                                          (ngx_uint_t) n >> param->shift));
        }
    }

    return 0;
}


static ngx_uint_t
ngx_webrtc_choice_profile(ngx_uint_t codec, ngx_uint_t profile)
{
    const ngx_webrtc_choice_profile_t  *row;

    for (row = ngx_webrtc_choice_profiles; row->codec; row++) {
        if (row->codec == codec && row->profile == profile) {
            return row->format;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_webrtc_choice_shift(ngx_uint_t codec, ngx_uint_t format)
{
    return format << ((codec - NGX_WEBRTC_CODEC_H264) * NGX_WEBRTC_CHOICE_BITS);
}


/* the first thing that keeps the viewer from playing it as it is */

static ngx_webrtc_choice_reason_e
ngx_webrtc_choice_plays(const ngx_webrtc_track_t *track,
    const ngx_webrtc_choice_viewer_t *viewer, const ngx_webrtc_variant_t *how)
{
    if (!(viewer->codecs & ngx_webrtc_choice_bit(track->codec))) {
        return NGX_WEBRTC_CHOICE_CODEC;
    }

    if (track->traits & NGX_WEBRTC_TRACK_REORDERED) {
        return NGX_WEBRTC_CHOICE_REORDERED;
    }

    if (ngx_webrtc_choice_needs(track) & ~viewer->formats) {
        return (track->depth > 8) ? NGX_WEBRTC_CHOICE_DEPTH
                                  : NGX_WEBRTC_CHOICE_CHROMA;
    }

    if (track->traits & NGX_WEBRTC_TRACK_NO_IDR) {
        return NGX_WEBRTC_CHOICE_NO_IDR;
    }

    if (track->cvo && !viewer->cvo) {
        return NGX_WEBRTC_CHOICE_TURNED;
    }

    if ((track->traits & NGX_WEBRTC_TRACK_INTERLACED) && how->deinterlace) {
        return NGX_WEBRTC_CHOICE_INTERLACED;
    }

    return NGX_WEBRTC_CHOICE_PLAYS;
}


static ngx_uint_t
ngx_webrtc_choice_needs(const ngx_webrtc_track_t *track)
{
    ngx_uint_t  format;

    if (track->codec > NGX_WEBRTC_CODEC_AV1) {
        return 0;
    }

    format = (track->depth > 8) ? NGX_WEBRTC_CHOICE_DEEP : 0;

    switch (track->chroma) {

    case NGX_WEBRTC_CHROMA_422:
        format |= NGX_WEBRTC_CHOICE_422;
        break;

    case NGX_WEBRTC_CHROMA_444:
        format |= NGX_WEBRTC_CHOICE_444;
        break;

    case NGX_WEBRTC_CHROMA_MONO:

        /* AV1's main profile includes it, no other decoder takes it */

        if (track->codec != NGX_WEBRTC_CODEC_AV1) {
            return NGX_WEBRTC_CHOICE_NEVER;
        }
    }

    return ngx_webrtc_choice_shift(track->codec, format);
}


/*
 * A rendition is shown by its name, and others by what an operator set: viewers
 * of two locations may want the same stream in two sizes.
 */

static void
ngx_webrtc_choice_label(const ngx_webrtc_variant_t *how, ngx_uint_t codec,
    ngx_webrtc_variant_t *variant)
{
    u_char      *p, *last;
    ngx_uint_t   i;

    *variant = *how;
    variant->codec = (uint8_t) codec;

    p = variant->label + how->label_len;
    last = variant->label + NGX_WEBRTC_VARIANT_LABEL;

    for (i = 0; ngx_webrtc_choice_codecs[i].codec != codec; i++) {
        /* void */
    }

    if (how->label_len) {

        if (i != 0) {
            p = ngx_slprintf(p, last, ":%s", ngx_webrtc_choice_codecs[i].label);
        }

        variant->label_len = (uint8_t) (p - variant->label);
        return;
    }

    p = ngx_slprintf(p, last, "%s", ngx_webrtc_choice_codecs[i].label);

    if (how->width) {
        p = ngx_slprintf(p, last, ":%uix%ui", (ngx_uint_t) how->width,
                         (ngx_uint_t) how->height);

    } else if (how->height) {
        p = ngx_slprintf(p, last, ":%ui", (ngx_uint_t) how->height);
    }

    if (how->bitrate) {
        p = ngx_slprintf(p, last, ":%uD", how->bitrate);
    }

    if (how->fps) {
        p = ngx_slprintf(p, last, ":%uifps", (ngx_uint_t) how->fps);
    }

    if (how->deinterlace) {
        p = ngx_slprintf(p, last, ":p");
    }

    variant->label_len = (uint8_t) (p - variant->label);
}
