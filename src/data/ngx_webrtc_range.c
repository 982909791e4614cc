
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Frames of the range protocol: see the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_cursor.h>
#include <ngx_webrtc_range.h>


ngx_int_t
ngx_webrtc_range_parse(u_char *p, u_char *end, ngx_webrtc_range_frame_t *frame)
{
    u_char    *last;
    uint16_t   reserved;
    uint32_t   len;

    p = ngx_webrtc_read_u8(p, end, &frame->type);
    p = ngx_webrtc_read_u8(p, end, &frame->flags);
    p = ngx_webrtc_read_u16(p, end, &reserved);
    p = ngx_webrtc_read_u32(p, end, &frame->id);
    p = ngx_webrtc_read_u32(p, end, &len);

    if (p == NULL
        || len > NGX_WEBRTC_RANGE_PAYLOAD
        || len != (size_t) (end - p))
    {
        return NGX_DECLINED;
    }

    frame->payload = p;
    frame->len = len;

    switch (frame->type) {

    case NGX_WEBRTC_RANGE_HELLO:
        p = ngx_webrtc_read_u64(p, end, &frame->u.hello.size);
        p = ngx_webrtc_read_u32(p, end, &len);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        frame->u.hello.name.len = len;

        last = ngx_webrtc_read_mem(p, end, len, &frame->u.hello.name.data);
        break;

    case NGX_WEBRTC_RANGE_REQ:
        last = ngx_webrtc_read_u64(p, end, &frame->u.req.offset);
        last = ngx_webrtc_read_u64(last, end, &frame->u.req.length);
        break;

    case NGX_WEBRTC_RANGE_DATA:
    case NGX_WEBRTC_RANGE_INFO:
        last = end;
        break;

    case NGX_WEBRTC_RANGE_INIT:
        p = ngx_webrtc_read_u64(p, end, &frame->u.start_ms);
        last = p ? end : NULL;
        break;

    case NGX_WEBRTC_RANGE_CUE:
        p = ngx_webrtc_read_u32(p, end, &frame->u.track);
        last = p ? end : NULL;
        break;

    case NGX_WEBRTC_RANGE_QUALITY:
        last = ngx_webrtc_read_u32(p, end, &frame->u.index);
        break;

    case NGX_WEBRTC_RANGE_END:
        last = ngx_webrtc_read_u32(p, end, &frame->u.status);
        break;

    case NGX_WEBRTC_RANGE_CANCEL:
    case NGX_WEBRTC_RANGE_PING:
    case NGX_WEBRTC_RANGE_PONG:
        last = p;
        break;

    case NGX_WEBRTC_RANGE_SEEK_HINT:
        last = ngx_webrtc_read_u64(p, end, &frame->u.seek_ms);
        break;

    default:
        return NGX_DECLINED;
    }

    return (last == end) ? NGX_OK : NGX_DECLINED;
}


u_char *
ngx_webrtc_range_write_header(u_char *p, u_char *end, ngx_uint_t type,
    ngx_uint_t flags, uint32_t id, size_t len)
{
    p = ngx_webrtc_write_u8(p, end, (uint8_t) type);
    p = ngx_webrtc_write_u8(p, end, (uint8_t) flags);
    p = ngx_webrtc_write_u16(p, end, 0);
    p = ngx_webrtc_write_u32(p, end, id);
    p = ngx_webrtc_write_u32(p, end, (uint32_t) len);

    return p;
}


u_char *
ngx_webrtc_range_write_hello(u_char *p, u_char *end, ngx_uint_t flags,
    uint64_t size, const ngx_str_t *name)
{
    if (name->len > NGX_WEBRTC_RANGE_PAYLOAD - 12) {
        return NULL;
    }

    p = ngx_webrtc_range_write_header(p, end, NGX_WEBRTC_RANGE_HELLO, flags, 0,
                                      12 + name->len);
    p = ngx_webrtc_write_u64(p, end, size);
    p = ngx_webrtc_write_u32(p, end, (uint32_t) name->len);
    p = ngx_webrtc_write_mem(p, end, name->data, name->len);

    return p;
}


u_char *
ngx_webrtc_range_write_end(u_char *p, u_char *end, uint32_t id,
    ngx_uint_t status)
{
    p = ngx_webrtc_range_write_header(p, end, NGX_WEBRTC_RANGE_END, 0, id, 4);
    p = ngx_webrtc_write_u32(p, end, (uint32_t) status);

    return p;
}


u_char *
ngx_webrtc_range_write_init(u_char *p, u_char *end, uint32_t id,
    uint64_t start_ms, size_t len)
{
    p = ngx_webrtc_range_write_header(p, end, NGX_WEBRTC_RANGE_INIT, 0, id,
                                      8 + len);

    return ngx_webrtc_write_u64(p, end, start_ms);
}
