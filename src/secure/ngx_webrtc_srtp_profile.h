
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Protection profiles of SRTP, and what DTLS exports for one.
 */


#ifndef _NGX_WEBRTC_SRTP_PROFILE_H_INCLUDED_
#define _NGX_WEBRTC_SRTP_PROFILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* protection profiles by their IANA numbers; RFC 5764, 4.1.2; RFC 7714, 14.2 */
#define NGX_WEBRTC_SRTP_NONE                0
#define NGX_WEBRTC_SRTP_AES128_CM_SHA1_80   0x0001
#define NGX_WEBRTC_SRTP_AEAD_AES_128_GCM    0x0007
#define NGX_WEBRTC_SRTP_AEAD_AES_256_GCM    0x0008

/* bytes of a master key and of a master salt at most; RFC 7714, 12: 32 and 12;
 * RFC 3711, 8.2: 16 and 14 */
#define NGX_WEBRTC_SRTP_KEY        32
#define NGX_WEBRTC_SRTP_SALT       14


/* master key and salt of one direction; to be wiped with ngx_explicit_memzero()
 * once the contexts are made of it */
typedef struct {
    uint16_t    profile;                       /* NGX_WEBRTC_SRTP_* */
    u_char      key[NGX_WEBRTC_SRTP_KEY];      /* 16 bytes or 32, by profile */
    u_char      salt[NGX_WEBRTC_SRTP_SALT];    /* 14 bytes or 12, by profile */
} ngx_webrtc_srtp_key_t;


#endif /* _NGX_WEBRTC_SRTP_PROFILE_H_INCLUDED_ */
