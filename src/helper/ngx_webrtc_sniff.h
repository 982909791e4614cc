
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Recognizes what an upstream sends by its bytes, so that the refusal of a
 * stream that cannot be played names it.  Says nothing about what can be
 * played.
 */


#ifndef _NGX_WEBRTC_SNIFF_H_INCLUDED_
#define _NGX_WEBRTC_SNIFF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SNIFF_HEAD   64
#define NGX_WEBRTC_SNIFF_TS     188          /* H.222.0, 2.4.3.2 */
#define NGX_WEBRTC_SNIFF_PIDS   32           /* chosen: of a few programs */


/* packets of a PID whose payload can and cannot be read */
typedef struct {
    ngx_uint_t   pid;
    ngx_uint_t   clear;
    ngx_uint_t   scrambled;
} ngx_webrtc_sniff_pid_t;


typedef struct {
    ngx_uint_t   nhead;
    u_char       head[NGX_WEBRTC_SNIFF_HEAD];

    /* MPEG-TS */

    ngx_uint_t   npacket;
    u_char       packet[NGX_WEBRTC_SNIFF_TS];
    ngx_uint_t   synced;          /* packets in a row */
    ngx_uint_t   clear;           /* of all PIDs */
    ngx_uint_t   scrambled;
    ngx_uint_t   npids;

    ngx_webrtc_sniff_pid_t  pids[NGX_WEBRTC_SNIFF_PIDS];
} ngx_webrtc_sniff_t;


/* All zero initially.  p, n: the next bytes, in pieces of any size. */
void ngx_webrtc_sniff(ngx_webrtc_sniff_t *s, u_char *p, size_t n);

/* "HTML", ...: what the data begins with; NULL: not recognized */
const char *ngx_webrtc_sniff_name(ngx_webrtc_sniff_t *s);

/* nonzero if nearly all of a transport stream is scrambled */
ngx_uint_t ngx_webrtc_sniff_scrambled(ngx_webrtc_sniff_t *s);

/* nonzero if nothing of that PID can be read */
ngx_uint_t ngx_webrtc_sniff_pid(ngx_webrtc_sniff_t *s, ngx_uint_t pid);

/*
 * The codec of an FLV tag, for codecs that libavformat has no name for.
 *
 *   video     or audio
 *   codec     CodecID or SoundFormat as in the tag (E.4.3.1, E.4.2.1); with
 *             enhanced RTMP this is a packet type, or 9
 *   p, n      what follows that byte
 *   fourcc    whether it was identified by a FourCC of enhanced RTMP
 *
 * A name in libavcodec's style, or NULL.
 */
const char *ngx_webrtc_sniff_flv(ngx_uint_t video, ngx_uint_t codec,
    u_char *p, size_t n, ngx_uint_t *fourcc);


#endif /* _NGX_WEBRTC_SNIFF_H_INCLUDED_ */
