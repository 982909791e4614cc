
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Targets that libavformat sends to: nothing but the scheme's protocols is
 * opened, and certificates are verified unless the operator said otherwise.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_writer.h"


/*
 * bytes in the socket: what has been sent and not read is neither live nor can
 * it be taken back; chosen: 40 Mbit/s over 200 ms
 */
#define NGX_WEBRTC_WRITER_TARGET_BUFFER  (1024 * 1024)

/* bytes of a datagram: seven packets of MPEG-TS, less than any path's MTU */
#define NGX_WEBRTC_WRITER_TARGET_DATAGRAM  1316


void
ngx_webrtc_writer_target_options(const ngx_webrtc_writer_conf_t *conf,
    AVDictionary **d)
{
    (void) av_dict_set(d, "protocol_whitelist", conf->target->protocols, 0);

    (void) av_dict_set(d, "tcp_nodelay", "1", 0);
    (void) av_dict_set_int(d, "send_buffer_size",
                           NGX_WEBRTC_WRITER_TARGET_BUFFER, 0);

    /* udp; srt has its own default */

    (void) av_dict_set_int(d, "pkt_size", NGX_WEBRTC_WRITER_TARGET_DATAGRAM, 0);

    if (conf->target->flags & NGX_WEBRTC_TARGET_TLS) {
        (void) av_dict_set_int(d, "tls_verify", conf->verify, 0);
    }

    /* what the URL says is later; UDP cannot pass most firewalls */

    if (conf->target->flags & NGX_WEBRTC_TARGET_RTSP) {
        (void) av_dict_set(d, "rtsp_transport", "tcp", 0);
    }
}


int
ngx_webrtc_writer_target_open(const ngx_webrtc_writer_conf_t *conf,
    AVIOContext **io)
{
    int              rc;
    AVDictionary    *options;
    AVIOInterruptCB  late;

    late.callback = conf->late;
    late.opaque = conf->ctx;

    options = NULL;
    ngx_webrtc_writer_target_options(conf, &options);

    rc = avio_open2(io, conf->url, AVIO_FLAG_WRITE, &late, &options);

    av_dict_free(&options);

    return rc;
}


void
ngx_webrtc_writer_target_wrong(ngx_webrtc_writer_t *w, const char *doing,
    int rc)
{
    char  text[AV_ERROR_MAX_STRING_SIZE];

    if (w->conf->stopped(w->conf->ctx)) {
        return;
    }

    if (rc == AVERROR_EXIT || rc == AVERROR(ETIMEDOUT)) {
        ngx_webrtc_writer_say(w, NGX_LOG_ERR, "%s: timed out", doing);
        return;
    }

    (void) av_strerror(rc, text, sizeof(text));

    ngx_webrtc_writer_say(w, NGX_LOG_ERR, "%s: %s", doing, text);
}
