
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The Data Channel Establishment Protocol: its two messages, and the payload
 * protocol identifiers of DataChannels.  Stateless; the channels themselves are
 * in ngx_webrtc_channel.
 *
 * RFC 8832 (DCEP), RFC 8831, 8 (payload protocol identifiers).
 */


#ifndef _NGX_WEBRTC_DCEP_H_INCLUDED_
#define _NGX_WEBRTC_DCEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* RFC 8831, 8; the partial ones are deprecated there and not sent by anyone */
#define NGX_WEBRTC_PPID_DCEP            50
#define NGX_WEBRTC_PPID_STRING          51
#define NGX_WEBRTC_PPID_BINARY_PARTIAL  52
#define NGX_WEBRTC_PPID_BINARY          53
#define NGX_WEBRTC_PPID_STRING_PARTIAL  54
#define NGX_WEBRTC_PPID_STRING_EMPTY    56
#define NGX_WEBRTC_PPID_BINARY_EMPTY    57

/* message types; RFC 8832, 8.2.1 */
#define NGX_WEBRTC_DCEP_ACK             0x02
#define NGX_WEBRTC_DCEP_OPEN            0x03

/* channel types; RFC 8832, 5.1: reliability, and a bit for unordered */
#define NGX_WEBRTC_DCEP_RELIABLE        0x00
#define NGX_WEBRTC_DCEP_REXMIT          0x01     /* parameter: how often */
#define NGX_WEBRTC_DCEP_TIMED           0x02     /* parameter: milliseconds */
#define NGX_WEBRTC_DCEP_UNORDERED       0x80

/* RFC 8832, 8.2.2: "Normal" of 128, 256, 512, 1024 */
#define NGX_WEBRTC_DCEP_PRIORITY        256

/* bytes in front of the label; RFC 8832, 5.1 */
#define NGX_WEBRTC_DCEP_OPEN_HEADER     12


typedef struct {
    uint8_t    type;             /* NGX_WEBRTC_DCEP_OPEN or _ACK */

    /* of an OPEN */
    uint8_t    channel_type;     /* NGX_WEBRTC_DCEP_RELIABLE ..., _UNORDERED */
    uint16_t   priority;
    uint32_t   reliability;      /* as channel_type tells */
    ngx_str_t  label;            /* views into the message, any bytes */
    ngx_str_t  protocol;
} ngx_webrtc_dcep_t;


/*
 * RFC 8832, 5.  Parses a message of NGX_WEBRTC_PPID_DCEP.
 *
 * NGX_OK        dcep is filled
 * NGX_DECLINED  cut, longer than its fields, an unknown message or an unknown
 *               channel type; dcep is undefined
 */
ngx_int_t ngx_webrtc_dcep_parse(u_char *p, u_char *end,
    ngx_webrtc_dcep_t *dcep);

/*
 * Writes the message that dcep describes, an OPEN or an ACK.  Label and
 * protocol have 65535 bytes at most.
 *
 * Returns the position behind it, or NULL if there is no room, p is NULL, or a
 * text is too long.
 */
u_char *ngx_webrtc_dcep_write(u_char *p, u_char *end,
    const ngx_webrtc_dcep_t *dcep);


#endif /* _NGX_WEBRTC_DCEP_H_INCLUDED_ */
