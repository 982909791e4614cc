
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Flags of an RTP payload: set by the packetizers and the publish path, kept in
 * the packet ring, read by the viewers.
 */


#ifndef _NGX_WEBRTC_PACKET_H_INCLUDED_
#define _NGX_WEBRTC_PACKET_H_INCLUDED_


/*
 * Packets of a video frame, at most, that libwebrtc can assemble
 * (video_coding/packet_buffer.h); it never shows a larger one
 */
#define NGX_WEBRTC_FRAME_PACKETS  2048

/* bytes of the RTP header of a packet we send, without CSRCs, and of its
 * extension, if any */
#define NGX_WEBRTC_PACKET_HEADER     12
#define NGX_WEBRTC_PACKET_EXTENSION  8


/* the RTP marker bit: last packet of a video frame */
#define NGX_WEBRTC_PKT_MARKER   0x01

/* belongs to a key frame, its parameter sets included; every packet of it */
#define NGX_WEBRTC_PKT_KEY      0x02

/*
 * First packet of a frame.  A key frame begins with its parameter sets, so a
 * viewer may start at a packet with FIRST and KEY.
 */
#define NGX_WEBRTC_PKT_FIRST    0x04

/* last packet of a frame; audio packets are FIRST and LAST */
#define NGX_WEBRTC_PKT_LAST     0x08

/* holds nothing but parameter sets */
#define NGX_WEBRTC_PKT_PARAMS   0x10

/* belongs to a frame that no other frame refers to */
#define NGX_WEBRTC_PKT_DISCARD  0x20

/* audio wrapped in RED; payload types inside are the publisher's */
#define NGX_WEBRTC_PKT_RED      0x40

/* the payload ends with RTP padding: RFC 3550, 5.1 */
#define NGX_WEBRTC_PKT_PADDED   0x80


/*
 * Orientation of the picture (3GPP TS 26.114, 7.4.5): the low two bits are
 * quarter turns clockwise, the bit above them a horizontal flip, which is
 * applied first.  The camera bit does not matter to us: it is used to mark that
 * the packet carries an orientation.
 */
#define NGX_WEBRTC_CVO_QUARTERS 0x03
#define NGX_WEBRTC_CVO_FLIP     0x04
#define NGX_WEBRTC_CVO_MASK     0x07
#define NGX_WEBRTC_CVO_TOLD     0x08


/*
 * Layers inside a video stream, of each packet: a frame of temporal layer n is
 * needed for those of n and above only, one of spatial layer n likewise.  0
 * where there are none.  SYNC: who gets the temporal layers below the frame's
 * may begin with it here; of layer 0 it means nothing.  END: the last packet
 * of its spatial layer in the picture.
 */
#define NGX_WEBRTC_LAYER_TID    0x03
#define NGX_WEBRTC_LAYER_SYNC   0x04
#define NGX_WEBRTC_LAYER_SID    0x18
#define NGX_WEBRTC_LAYER_END    0x20

#define NGX_WEBRTC_LAYER_MASK   0x3f

/* layers of each kind that are told apart: the highest one has what is above;
 * chosen: what there is room for, and libwebrtc has no more than three */
#define NGX_WEBRTC_LAYER_MOST   4

#define ngx_webrtc_layer_tid(layer)                                           \
    ((ngx_uint_t) ((layer) & NGX_WEBRTC_LAYER_TID))
#define ngx_webrtc_layer_sid(layer)                                           \
    ((ngx_uint_t) (((layer) & NGX_WEBRTC_LAYER_SID) >> 3))

/* at most these layers: NGX_WEBRTC_LAYER_TID and _SID without the others */
#define NGX_WEBRTC_LAYER_ALL    (NGX_WEBRTC_LAYER_TID|NGX_WEBRTC_LAYER_SID)


#endif /* _NGX_WEBRTC_PACKET_H_INCLUDED_ */
