
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Packetizers: a frame in, RTP payloads out.
 *
 *   H.264   RFC 6184   packetization-mode=1: single NAL unit, STAP-A, FU-A
 *   H.265   RFC 7798   single NAL unit, AP, FU; no DONL
 *   VP8     RFC 7741   15-bit PictureID
 *   VP9     RFC 9628   non-flexible mode, 15-bit PictureID, no layers
 *   AV1     RTP Payload Format For AV1 (v1.0)
 *   Opus    RFC 7587
 *   PCMU, PCMA, G.722   RFC 3551, packets of 20 ms
 *   others  for the ring only: ngx_webrtc_foreign.h
 *
 * Sans-I/O: no allocation, no clock, no globals.  A packetizer belongs to one
 * thread, and is plain memory: there is no destroy function, and it may be
 * zeroed or copied as a whole, but not during a call.
 *
 * A frame is split into payloads of equal size, so that they can be sent as
 * one message with UDP_SEGMENT: all but the last have the same size, and the
 * last is shorter by less than the number of payloads (AV1: by a little more
 * if a length field is cut).  For H.264 and H.265 this applies to the packets
 * of one NAL unit; small NAL units next to it go into packets of their own.
 *
 * Usage, per frame in decoding order:
 *
 *     rc = ngx_webrtc_pack_probe(pack, data, n, &frame);
 *     (decide on frame.discardable, frame.key, the timestamp)
 *     rc = ngx_webrtc_pack_frame(pack, data, n, &frame);
 */


#ifndef _NGX_WEBRTC_PACK_H_INCLUDED_
#define _NGX_WEBRTC_PACK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_packet.h"
#include "ngx_webrtc_codec.h"
#include "ngx_webrtc_frame.h"
#include "ngx_webrtc_nal.h"


/*
 * Bytes of RTP payload.  The default makes datagrams of at most 1200 bytes,
 * as browsers do: 12 header, 20 header extensions (BUNDLE's mid and two more),
 * 16 AEAD tag, 2 OSN of RTX.
 */

#define NGX_WEBRTC_PACK_PAYLOAD      1150
#define NGX_WEBRTC_PACK_PAYLOAD_MIN  64
#define NGX_WEBRTC_PACK_PAYLOAD_MAX  1440


typedef struct ngx_webrtc_pack_s      ngx_webrtc_pack_t;
typedef struct ngx_webrtc_pack_ops_s  ngx_webrtc_pack_ops_t;

/*
 * Takes one RTP payload.
 *
 *   ctx       as given at init
 *   payload   n bytes, 1..max payload; valid during the call only
 *   flags     NGX_WEBRTC_PKT_*
 *
 * During the call pack->tick is the payload's timestamp less the frame's, in
 * units of the track's clock rate: 0 for all video and Opus; PCM frames are
 * regrouped into packets of 20 ms, so one frame may give several packets or
 * none, and the first may begin before the frame (tick < 0).
 *
 * Anything but NGX_OK ends ngx_webrtc_pack_frame(), which returns it.  No
 * function of this header may be called from within.
 */

typedef ngx_int_t (*ngx_webrtc_pack_out_pt)(void *ctx, u_char *payload,
    size_t n, ngx_uint_t flags);


/* a codec's implementation of the functions below; config may be NULL */

struct ngx_webrtc_pack_ops_s {
    ngx_int_t  (*config)(ngx_webrtc_pack_t *pack, u_char *p, size_t n);
    ngx_int_t  (*probe)(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame);
    ngx_int_t  (*frame)(ngx_webrtc_pack_t *pack, ngx_webrtc_frame_t *frame);
};


struct ngx_webrtc_pack_s {
    const ngx_webrtc_pack_ops_t  *ops;
    ngx_webrtc_pack_out_pt        out;
    void                         *ctx;

    size_t                        max;          /* payload, bytes */
    ngx_webrtc_track_t            track;        /* see ngx_webrtc_pack_track */

    int32_t                       tick;         /* see out */

    /*
     * VP8, VP9: PictureID of the next frame, 15 bits.  Receivers need it
     * consecutive: drop a frame before it is packetized, never after.  May be
     * set after init, to continue across a restart of the source.
     */
    uint16_t                      picture_id;

    /* codecs of ngx_webrtc_foreign.h: the next frame is a key frame */
    uint8_t                       key;

    /* the rest is the packetizers' own */

    uint16_t                      held;         /* PCM bytes in buf */
    uint32_t                      key_age;      /* frames since an IDR */
    uint8_t                       length_size;  /* 0: Annex B */
    uint8_t                       reorder;      /* H.264, H.265: as in an SPS,
                                                   or UNKNOWN */
    uint8_t                       max_tid;      /* H.265: highest TemporalId,
                                                   0xff: not known */
    uint8_t                       reduced;      /* AV1: reduced header */

    ngx_webrtc_params_t           params;
    u_char                        buf[NGX_WEBRTC_PACK_PAYLOAD_MAX];
};


/*
 * Makes a packetizer.
 *
 *   codec         its row, ngx_webrtc_codec()
 *   max_payload   bytes, 0: NGX_WEBRTC_PACK_PAYLOAD; clamped to the range
 *                 PAYLOAD_MIN..PAYLOAD_MAX
 *   out, ctx      see above; called only from ngx_webrtc_pack_frame()
 *
 * NGX_OK
 * NGX_DECLINED  no packetizer for this codec (RED)
 */

ngx_int_t ngx_webrtc_pack_init(ngx_webrtc_pack_t *pack,
    const ngx_webrtc_codec_t *codec, size_t max_payload,
    ngx_webrtc_pack_out_pt out, void *ctx);

/*
 * The codec's out-of-band configuration.  Replaces what was known before:
 * parameter sets, profile, size.
 *
 *   p, n   H.264  avcC (AVCDecoderConfigurationRecord) or Annex B
 *          H.265  hvcC (HEVCDecoderConfigurationRecord) or Annex B
 *          AV1    av1C, or OBUs
 *          else   ignored
 *          n == 0: none
 *
 * avcC and hvcC make frames length-prefixed, Annex B and none make them
 * Annex B.  Without a call frames are Annex B.
 *
 * NGX_OK
 * NGX_DECLINED  malformed, or parameter sets that are too large to keep; the
 *               packetizer is as after init (except for picture_id)
 */

ngx_int_t ngx_webrtc_pack_config(ngx_webrtc_pack_t *pack, u_char *p, size_t n);

/*
 * Examines a frame without output.  Parameter sets in it are kept, so that
 * ngx_webrtc_pack_track() works from the first frame on if there was no
 * configuration.
 *
 *   data, n   the frame; not modified, not owned
 *   frame     filled in
 *
 * H.264: a key frame is an IDR picture, or one with a recovery point SEI when
 * there was no IDR for 300 frames (streams of open groups of pictures or of
 * intra refresh may never have one); discardable is nal_ref_idc 0 everywhere.
 * H.265: IRAP pictures, or recovery points as above; sub-layer non-reference
 * pictures of the highest sub-layer.  AV1: a shown KEY_FRAME.  No frame is a
 * key frame as long as no parameter set is known.  VP9, AV1: discardable is
 * never set.  Audio: always.
 *
 * NGX_OK
 * NGX_DECLINED  malformed or empty: do not send it
 */

ngx_int_t ngx_webrtc_pack_probe(ngx_webrtc_pack_t *pack, u_char *data,
    size_t n, ngx_webrtc_frame_t *frame);

/*
 * Packetizes a frame.
 *
 *   data, n   as for ngx_webrtc_pack_probe()
 *   frame     as filled in by it for this same frame, or NULL
 *
 * Key frames begin with the newest parameter sets known, for H.264 and H.265
 * in one or more packets of their own.  Access unit delimiters, filler data,
 * temporal delimiters and other layers are left out.
 *
 * NGX_OK        all payloads were given to out
 * NGX_DECLINED  malformed, or nothing in it to send: out was not called.
 *               Parameter sets alone are kept for the next key frame.
 * other         what out returned
 */

ngx_int_t ngx_webrtc_pack_frame(ngx_webrtc_pack_t *pack, u_char *data,
    size_t n, ngx_webrtc_frame_t *frame);

/*
 * Profile, size and traits as far as known now, from configuration and frames.
 * REORDERED is what headers announce.
 *
 * NGX_OK        *track set, complete
 * NGX_AGAIN     *track set, profile or size not yet known (video); codecs of
 *               ngx_webrtc_foreign.h have none
 */

ngx_int_t ngx_webrtc_pack_track(ngx_webrtc_pack_t *pack,
    ngx_webrtc_track_t *track);


/*
 * For the packetizers.  Splits total bytes, of which each payload repeats a
 * header of overhead bytes, into payloads of at most max bytes:
 *
 *   *parts   how many
 *
 * returns the size of each but the last, header included.  overhead < max.
 */

size_t ngx_webrtc_pack_split(size_t total, size_t overhead, size_t max,
    size_t *parts);

/*
 * For H.264, H.265: counts a picture; not zero when a recovery point in it
 * counts as a key frame.  idr: it is an IDR (H.265: IRAP) picture.
 */

ngx_uint_t ngx_webrtc_pack_recovery(ngx_webrtc_pack_t *pack, ngx_uint_t idr);

/* For H.264, H.265: what an SPS says of decoding, see ngx_webrtc_h264_sps_t. */

void ngx_webrtc_pack_traits(ngx_webrtc_pack_t *pack, ngx_uint_t traits,
    ngx_uint_t reorder);

/* For H.264, H.265: sets or clears NO_IDR by a key frame. */

void ngx_webrtc_pack_start(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);

/* flags of each audio packet */
#define NGX_WEBRTC_PACK_AUDIO  (NGX_WEBRTC_PKT_FIRST|NGX_WEBRTC_PKT_LAST)

/* The probe for audio: every frame can be decoded alone. */

ngx_int_t ngx_webrtc_pack_audio(ngx_webrtc_pack_t *pack,
    ngx_webrtc_frame_t *frame);


#endif /* _NGX_WEBRTC_PACK_H_INCLUDED_ */
