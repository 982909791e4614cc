
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Messages of SSE signalling, parsed.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include <ngx_webrtc_signal_json.h>


static ngx_int_t ngx_webrtc_signal_payload(ngx_webrtc_signal_t *msg,
    const json_t *payload, const char **cause);


ngx_int_t
ngx_webrtc_signal_parse(const u_char *p, size_t n, ngx_webrtc_signal_t *msg,
    const char **cause)
{
    json_t           *type, *payload;
    ngx_uint_t        i;
    const ngx_str_t  *name;

    ngx_memzero(msg, sizeof(ngx_webrtc_signal_t));

    msg->message = json_loadb((const char *) p, n, JSON_REJECT_DUPLICATES,
                              NULL);
    if (msg->message == NULL) {
        *cause = "the message is not JSON";
        return NGX_DECLINED;
    }

    type = json_object_get(msg->message, "type");
    payload = json_object_get(msg->message, "payload");

    for (i = NGX_WEBRTC_SIGNAL_OFFER;
         json_is_string(type) && i <= NGX_WEBRTC_SIGNAL_BYE;
         i++)
    {
        name = ngx_webrtc_signal_name(i);

        if (json_string_length(type) == name->len
            && ngx_memcmp(json_string_value(type), name->data, name->len) == 0)
        {
            msg->type = i;
        }
    }

    if (msg->type == 0) {
        *cause = "the message has no known type";

    } else if (msg->type == NGX_WEBRTC_SIGNAL_CANDIDATE_END
               || msg->type == NGX_WEBRTC_SIGNAL_BYE
               || ngx_webrtc_signal_payload(msg, payload, cause) == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_webrtc_signal_free(msg);

    return NGX_DECLINED;
}


/* a string with JSON in it */

static ngx_int_t
ngx_webrtc_signal_payload(ngx_webrtc_signal_t *msg, const json_t *payload,
    const char **cause)
{
    json_t  *text;

    if (!json_is_string(payload)) {
        *cause = "the payload is not a string";
        return NGX_DECLINED;
    }

    msg->payload = json_loadb(json_string_value(payload),
                              json_string_length(payload),
                              JSON_REJECT_DUPLICATES, NULL);
    if (msg->payload == NULL) {
        *cause = "the payload is not JSON";
        return NGX_DECLINED;
    }

    text = json_object_get(msg->payload,
                           msg->type == NGX_WEBRTC_SIGNAL_CANDIDATE
                           ? "candidate" : "sdp");

    if (!json_is_string(text)) {
        *cause = "the payload has no string \"sdp\" or \"candidate\"";
        return NGX_DECLINED;
    }

    msg->text.data = (u_char *) json_string_value(text);
    msg->text.len = json_string_length(text);

    return NGX_OK;
}


void
ngx_webrtc_signal_free(ngx_webrtc_signal_t *msg)
{
    if (msg->payload) {
        json_decref(msg->payload);
        msg->payload = NULL;
    }

    if (msg->message) {
        json_decref(msg->message);
        msg->message = NULL;
    }
}
