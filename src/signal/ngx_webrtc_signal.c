
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of SSE signalling.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_signal.h>
#include <ngx_webrtc_sdp_text.h>


static const ngx_str_t  ngx_webrtc_signal_names[] = {
    ngx_null_string,
    ngx_string("offer"),
    ngx_string("answer"),
    ngx_string("candidate"),
    ngx_string("candidate-end"),
    ngx_string("bye")
};


const ngx_str_t *
ngx_webrtc_signal_name(ngx_uint_t type)
{
    if (type < NGX_WEBRTC_SIGNAL_OFFER || type > NGX_WEBRTC_SIGNAL_BYE) {
        return NULL;
    }

    return &ngx_webrtc_signal_names[type];
}


u_char *
ngx_webrtc_signal_print_answer(u_char *p, u_char *end, const ngx_str_t *sdp)
{
    p = ngx_webrtc_sdp_printf(p, end, "{\"type\":\"answer\",\"sdp\":\"");
    p = ngx_webrtc_signal_escape(p, end, sdp);

    return ngx_webrtc_sdp_printf(p, end, "\"}");
}


u_char *
ngx_webrtc_signal_print_candidate(u_char *p, u_char *end,
    const ngx_str_t *text, const ngx_str_t *mid, ngx_uint_t mline,
    const ngx_str_t *ufrag)
{
    p = ngx_webrtc_sdp_printf(p, end, "{\"candidate\":\"");
    p = ngx_webrtc_signal_escape(p, end, text);

    if (mid->len) {
        p = ngx_webrtc_sdp_printf(p, end, "\",\"sdpMid\":\"");
        p = ngx_webrtc_signal_escape(p, end, mid);
    }

    p = ngx_webrtc_sdp_printf(p, end, "\",\"sdpMLineIndex\":%ui,"
                              "\"usernameFragment\":\"", mline);
    p = ngx_webrtc_signal_escape(p, end, ufrag);

    return ngx_webrtc_sdp_printf(p, end, "\"}");
}


u_char *
ngx_webrtc_signal_print_event(u_char *p, u_char *end, ngx_uint_t id,
    ngx_uint_t type, const ngx_str_t *payload, uint64_t time_ms)
{
    const ngx_str_t  *name;

    name = ngx_webrtc_signal_name(type);

    if (name == NULL) {
        return NULL;
    }

    p = ngx_webrtc_sdp_printf(p, end,
                              "id: %ui\nevent: signal\n"
                              "data: {\"from\":\"server\",\"type\":\"%V\","
                              "\"payload\":\"", id, name);
    p = ngx_webrtc_signal_escape(p, end, payload);

    return ngx_webrtc_sdp_printf(p, end, "\",\"ts\":%uL}\n\n", time_ms);
}


u_char *
ngx_webrtc_signal_escape(u_char *p, u_char *end, const ngx_str_t *text)
{
    size_t  n;

    if (p == NULL) {
        return NULL;
    }

    n = text->len + ngx_escape_json(NULL, text->data, text->len);

    if (n >= (size_t) (end - p)) {
        return NULL;
    }

    return (u_char *) ngx_escape_json(p, text->data, text->len);
}
