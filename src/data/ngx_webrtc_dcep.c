
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * DATA_CHANNEL_OPEN and DATA_CHANNEL_ACK: see the header file.  RFC 8832.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_dcep.h>


static ngx_int_t ngx_webrtc_dcep_parse_open(u_char *p, u_char *end,
    ngx_webrtc_dcep_t *dcep);


ngx_int_t
ngx_webrtc_dcep_parse(u_char *p, u_char *end, ngx_webrtc_dcep_t *dcep)
{
    p = ngx_webrtc_read_u8(p, end, &dcep->type);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    switch (dcep->type) {

    case NGX_WEBRTC_DCEP_OPEN:
        return ngx_webrtc_dcep_parse_open(p, end, dcep);

    case NGX_WEBRTC_DCEP_ACK:

        /* RFC 8832, 5.2: one byte; a longer one is still an ACK */

        return NGX_OK;

    default:

        /* RFC 8832, 5: others are reserved */

        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_webrtc_dcep_parse_open(u_char *p, u_char *end, ngx_webrtc_dcep_t *dcep)
{
    uint16_t  label, protocol;

    p = ngx_webrtc_read_u8(p, end, &dcep->channel_type);
    p = ngx_webrtc_read_u16(p, end, &dcep->priority);
    p = ngx_webrtc_read_u32(p, end, &dcep->reliability);
    p = ngx_webrtc_read_u16(p, end, &label);
    p = ngx_webrtc_read_u16(p, end, &protocol);

    if (p == NULL
        || (dcep->channel_type & ~NGX_WEBRTC_DCEP_UNORDERED)
           > NGX_WEBRTC_DCEP_TIMED)
    {
        return NGX_DECLINED;
    }

    dcep->label.len = label;
    dcep->protocol.len = protocol;

    p = ngx_webrtc_read_mem(p, end, label, &dcep->label.data);
    p = ngx_webrtc_read_mem(p, end, protocol, &dcep->protocol.data);

    return (p == end) ? NGX_OK : NGX_DECLINED;
}


u_char *
ngx_webrtc_dcep_write(u_char *p, u_char *end, const ngx_webrtc_dcep_t *dcep)
{
    p = ngx_webrtc_write_u8(p, end, dcep->type);

    if (dcep->type != NGX_WEBRTC_DCEP_OPEN) {
        return p;
    }

    if (dcep->label.len > 65535 || dcep->protocol.len > 65535) {
        return NULL;
    }

    p = ngx_webrtc_write_u8(p, end, dcep->channel_type);
    p = ngx_webrtc_write_u16(p, end, dcep->priority);
    p = ngx_webrtc_write_u32(p, end, dcep->reliability);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) dcep->label.len);
    p = ngx_webrtc_write_u16(p, end, (uint16_t) dcep->protocol.len);
    p = ngx_webrtc_write_mem(p, end, dcep->label.data, dcep->label.len);
    p = ngx_webrtc_write_mem(p, end, dcep->protocol.data, dcep->protocol.len);

    return p;
}
