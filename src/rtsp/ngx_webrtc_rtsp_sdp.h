
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The description that a publisher by RTSP announces (RFC 8866; RFC 2326,
 * C.1), and the one that is made of it for libavformat: nothing but the codecs
 * of what the publisher has set up, with payload types and SSRCs of ours, by
 * which it tells packets apart.
 */


#ifndef _NGX_WEBRTC_RTSP_SDP_H_INCLUDED_
#define _NGX_WEBRTC_RTSP_SDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* chosen: video, audio, a back channel, metadata, each twice */
#define NGX_WEBRTC_RTSP_TRACKS     8

/* bytes of a track's format parameters; chosen: parameter sets of H.265 with
 * long lists, and configurations of AAC, have far less */
#define NGX_WEBRTC_RTSP_FMTP       4096
#define NGX_WEBRTC_RTSP_RTPMAP     64

/* bytes of a description that we make */
#define NGX_WEBRTC_RTSP_SDP_TRACK  (NGX_WEBRTC_RTSP_FMTP                      \
                                    + NGX_WEBRTC_RTSP_RTPMAP + 128)
#define NGX_WEBRTC_RTSP_SDP_MAX    (128 + NGX_WEBRTC_RTSP_TRACKS              \
                                          * NGX_WEBRTC_RTSP_SDP_TRACK)


/* an m-line; strings are views into the description */
typedef struct {
    ngx_str_t    media;           /* "video", "audio", or what we drop */
    ngx_str_t    control;
    ngx_str_t    rtpmap;          /* without the payload type */
    ngx_str_t    fmtp;            /* likewise */
    uint8_t      pt;              /* that its packets have, */
    uint8_t      our_pt;          /* and after us */
    unsigned     usable:1;        /* audio or video in RTP that has a codec */
    unsigned     set:1;           /* up, with these channels */
    unsigned     udp:1;           /* it comes by UDP instead */
    ngx_uint_t   channel;         /* of RTP; the next one has RTCP */
} ngx_webrtc_rtsp_track_t;


/*
 * Parses a description.
 *
 *   tracks   NGX_WEBRTC_RTSP_TRACKS
 *   n        out
 *
 * NGX_OK
 * NGX_DECLINED   no sound and no picture that can be taken, or too many tracks
 */
ngx_int_t ngx_webrtc_rtsp_sdp_parse(ngx_str_t *sdp,
    ngx_webrtc_rtsp_track_t *tracks, ngx_uint_t *n);

/*
 * RFC 2326, C.1.1.  The track whose control URL this is: the last part of it,
 * before or behind a query, as clients put it together in several ways.  Where
 * a track has none it is that of the whole, and the next one that is not set
 * up.
 *
 * NULL: there is none
 */
ngx_webrtc_rtsp_track_t *ngx_webrtc_rtsp_sdp_find(
    ngx_webrtc_rtsp_track_t *tracks, ngx_uint_t n, ngx_str_t *uri);

/*
 * Writes the description of usable tracks that have been set up, whose SSRCs
 * are their indices, from 1 on.
 *
 *   buf   NGX_WEBRTC_RTSP_SDP_MAX
 *
 * Returns its length, 0: there are none
 */
size_t ngx_webrtc_rtsp_sdp_write(u_char *buf, ngx_webrtc_rtsp_track_t *tracks,
    ngx_uint_t n);


#endif /* _NGX_WEBRTC_RTSP_SDP_H_INCLUDED_ */
