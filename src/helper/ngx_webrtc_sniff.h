
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * What an upstream sends, as its bytes tell: so that a stream that cannot be
 * played is refused by name.  Says nothing about what can.
 */


#ifndef _NGX_WEBRTC_SNIFF_H_INCLUDED_
#define _NGX_WEBRTC_SNIFF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WEBRTC_SNIFF_HEAD   64
#define NGX_WEBRTC_SNIFF_TS     188          /* H.222.0, 2.4.3.2 */
#define NGX_WEBRTC_SNIFF_PIDS   32           /* chosen: of a few programs */


/* packets of a PID whose payload can be read, and not */
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


/* All zero is the beginning.  p, n: the next bytes, in pieces of any size. */
void ngx_webrtc_sniff(ngx_webrtc_sniff_t *s, u_char *p, size_t n);

/* "HTML", ...: what it begins with is that; NULL: nothing that is known here */
const char *ngx_webrtc_sniff_name(ngx_webrtc_sniff_t *s);

/* nearly all of a transport stream is scrambled: not zero */
ngx_uint_t ngx_webrtc_sniff_scrambled(ngx_webrtc_sniff_t *s);

/* nothing of that PID can be read: not zero */
ngx_uint_t ngx_webrtc_sniff_pid(ngx_webrtc_sniff_t *s, ngx_uint_t pid);

/*
 * The codec of a tag of FLV, for those that libavformat has no name for.
 *
 *   video     or audio
 *   codec     CodecID or SoundFormat as in the tag (E.4.3.1, E.4.2.1); with
 *             enhanced RTMP this is a packet type, or 9
 *   p, n      what follows that byte
 *   fourcc    whether it was told from a FourCC of enhanced RTMP
 *
 * A name as libavcodec's, or NULL.
 */
const char *ngx_webrtc_sniff_flv(ngx_uint_t video, ngx_uint_t codec,
    u_char *p, size_t n, ngx_uint_t *fourcc);


#endif /* _NGX_WEBRTC_SNIFF_H_INCLUDED_ */
