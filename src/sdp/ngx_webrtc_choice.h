
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What a viewer gets: the stream as it is, or a variant whose video is encoded
 * anew (ngx_webrtc_variant.h).  A pure function of the stream's tracks, of what
 * the viewer can play, and of "webrtc_transcode".  It is asked when an offer
 * comes, and again whenever the tracks change, with what was negotiated: both
 * have the same answer.
 */


#ifndef _NGX_WEBRTC_CHOICE_H_INCLUDED_
#define _NGX_WEBRTC_CHOICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_desc.h>
#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_track.h>
#include <ngx_webrtc_variant.h>


typedef enum {
    NGX_WEBRTC_CHOICE_ORIGINAL = 0,
    NGX_WEBRTC_CHOICE_VARIANT,
    NGX_WEBRTC_CHOICE_LAYER,        /* as it is, in another layer of its
                                       publisher's simulcast */
    NGX_WEBRTC_CHOICE_NONE          /* neither of them can be played */
} ngx_webrtc_choice_e;


/* why it is not the original */
typedef enum {
    NGX_WEBRTC_CHOICE_PLAYS = 0,    /* it is */
    NGX_WEBRTC_CHOICE_CODEC,        /* not offered */
    NGX_WEBRTC_CHOICE_REORDERED,    /* B-frames */
    NGX_WEBRTC_CHOICE_DEPTH,
    NGX_WEBRTC_CHOICE_CHROMA,
    NGX_WEBRTC_CHOICE_NO_IDR,       /* intra refresh */
    NGX_WEBRTC_CHOICE_TURNED,
    NGX_WEBRTC_CHOICE_INTERLACED,
    NGX_WEBRTC_CHOICE_ALWAYS,       /* "webrtc_transcode always" */
    NGX_WEBRTC_CHOICE_RENDITION,    /* that was asked for */
    NGX_WEBRTC_CHOICE_SIMULCAST,    /* a layer of it */
    NGX_WEBRTC_CHOICE_REASONS
} ngx_webrtc_choice_reason_e;


/* what a viewer can play */
typedef struct {
    uint32_t   codecs;          /* of video: 1 << NGX_WEBRTC_CODEC_* */
    uint16_t   formats;         /* ngx_webrtc_desc_media_t.formats */
    uint8_t    cvo;             /* 1: it turns pictures */
    uint8_t    video;           /* 1: it wants video */
} ngx_webrtc_choice_viewer_t;


typedef struct {
    ngx_webrtc_choice_e         what;
    ngx_webrtc_choice_reason_e  reason;
    ngx_webrtc_variant_t        variant;     /* with its label */
} ngx_webrtc_choice_t;


/* What an offer says of the viewer. */
void ngx_webrtc_choice_offer(const ngx_webrtc_sdp_t *offer,
    ngx_webrtc_choice_viewer_t *viewer);

/* What was negotiated with it. */
void ngx_webrtc_choice_desc(const ngx_webrtc_desc_t *desc,
    ngx_webrtc_choice_viewer_t *viewer);

/* Keeps what the description would lose of the offer. */
void ngx_webrtc_choice_keep(const ngx_webrtc_choice_viewer_t *viewer,
    ngx_webrtc_desc_t *desc);

/*
 * Chooses.
 *
 *   tracks   of the original; n of them, none is allowed, and video that has
 *            not come yet counts as none
 *   mode     NGX_WEBRTC_TRANSCODE_*
 *   how      of the configuration; with a label: that rendition, or the layer
 *            that a publisher sends (hw PUBLISHED)
 *   choice   out
 *
 * With ORIGINAL and a reason the original does not play, but mode is "off";
 * what has B-frames is still watched by somebody.
 */
void ngx_webrtc_choice(const ngx_webrtc_track_t *tracks, ngx_uint_t n,
    const ngx_webrtc_choice_viewer_t *viewer, ngx_uint_t mode,
    const ngx_webrtc_variant_t *how, ngx_webrtc_choice_t *choice);

/*
 * The codec that a viewer would get a variant in, NGX_WEBRTC_CODEC_*; 0: none
 * that can be encoded.
 */
ngx_uint_t ngx_webrtc_choice_codec(const ngx_webrtc_choice_viewer_t *viewer,
    const ngx_webrtc_variant_t *how);

/* The reason in short, static: as in the status. */
const char *ngx_webrtc_choice_why(ngx_uint_t reason);


#endif /* _NGX_WEBRTC_CHOICE_H_INCLUDED_ */
