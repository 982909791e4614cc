
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP parser.  One pass over the lines, with the table of attributes in
 * ngx_webrtc_sdp_attr.c, then ngx_webrtc_sdp_finish() fills in what is implied
 * by other lines.  The printer is in ngx_webrtc_sdp_print.c.  RFC 8866; the
 * RFCs of the attributes are listed in the header file.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_attr.h>
#include <ngx_webrtc_sdp_text.h>
#include <ngx_webrtc_codecs.h>
#include <ngx_webrtc_fmtp.h>


/* bytes of type and proto of an m-line; chosen: the answer repeats them */
#define NGX_WEBRTC_SDP_TYPE         32
#define NGX_WEBRTC_SDP_PROTO        64

/* no direction attribute has been seen yet */
#define NGX_WEBRTC_SDP_UNSET        0xff

static const char *ngx_webrtc_sdp_line(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_origin(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_mline(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_formats(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdp_finish(ngx_webrtc_sdp_t *sdp, ngx_uint_t i);
static void ngx_webrtc_sdp_finish_transport(ngx_webrtc_sdp_transport_t *t,
    const ngx_webrtc_sdp_transport_t *session);
static void ngx_webrtc_sdp_finish_codec(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_sdp_codec_t *codec);
static const char *ngx_webrtc_sdp_finish_exts(const ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_sdp_media_t *media);


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_kinds[] = {
    { ngx_string("audio"), NGX_WEBRTC_SDP_AUDIO },
    { ngx_string("video"), NGX_WEBRTC_SDP_VIDEO },
    { ngx_string("application"), NGX_WEBRTC_SDP_APPLICATION },
    { ngx_null_string, 0 }
};


/* RFC 8829, 5.1.2: all of these must be taken as RTP over DTLS */

static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_protos[] = {
    { ngx_string("UDP/TLS/RTP/SAVPF"), 1 },
    { ngx_string("UDP/TLS/RTP/SAVP"), 1 },
    { ngx_string("TCP/DTLS/RTP/SAVPF"), 1 },
    { ngx_string("TCP/DTLS/RTP/SAVP"), 1 },
    { ngx_string("TCP/TLS/RTP/SAVPF"), 1 },
    { ngx_string("TCP/TLS/RTP/SAVP"), 1 },
    { ngx_string("RTP/SAVPF"), 1 },
    { ngx_string("RTP/SAVP"), 1 },
    { ngx_string("RTP/AVPF"), 1 },
    { ngx_string("RTP/AVP"), 1 },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_sdp_parse(u_char *p, u_char *end, ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_sdp_error_t *err)
{
    u_char      *eol, *last;
    ngx_uint_t   i;
    const char  *cause;

    ngx_memzero(sdp, offsetof(ngx_webrtc_sdp_t, exts));

    sdp->direction = NGX_WEBRTC_SDP_SENDRECV;

    err->mline = -1;
    err->line = 1;

    /* RFC 8866, 5: "v=" is the first line, and the only version is 0 */

    if ((size_t) (end - p) < sizeof("v=0\n") - 1
        || ngx_strncmp(p, "v=0", 3) != 0
        || (p[3] != '\r' && p[3] != '\n'))
    {
        err->cause = "no SDP: the first line is not \"v=0\"";
        return NGX_DECLINED;
    }

    for ( ;; ) {
        eol = ngx_strlchr(p, end, '\n');
        if (eol == NULL) {
            eol = end;
        }

        last = (eol > p && eol[-1] == '\r') ? eol - 1 : eol;

        /* an empty line may come at the end */

        if (last > p) {
            cause = ngx_webrtc_sdp_line(sdp, p, last);

            err->mline = (ngx_int_t) sdp->nmedia - 1;

            if (cause != NULL) {
                err->cause = cause;
                return NGX_DECLINED;
            }
        }

        if (eol == end) {
            break;
        }

        p = eol + 1;
        err->line++;
    }

    err->line = 0;

    for (i = 0; i < sdp->nmedia; i++) {
        cause = ngx_webrtc_sdp_finish(sdp, i);

        if (cause != NULL) {
            err->cause = cause;
            err->mline = i;
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static const char *
ngx_webrtc_sdp_line(ngx_webrtc_sdp_t *sdp, u_char *p, u_char *end)
{
    if (end - p < 2 || p[1] != '=') {
        return "a line is not of the form \"x=\"";
    }

    /* RFC 8866, 9: no NUL or CR in text; we refuse all control characters */

    if (ngx_webrtc_sdp_control(p, end)) {
        return "a line has a control character";
    }

    switch (p[0]) {

    case 'a':
        return ngx_webrtc_sdp_attribute(sdp, p + 2, end);

    case 'm':
        return ngx_webrtc_sdp_mline(sdp, p + 2, end);

    case 'o':
        return ngx_webrtc_sdp_origin(sdp, p + 2, end);

    default:
        return NULL;
    }
}


/* RFC 8866, 5.2: "o=<username> <sess-id> <sess-version> ..." */

static const char *
ngx_webrtc_sdp_origin(ngx_webrtc_sdp_t *sdp, u_char *p, u_char *end)
{
    ngx_str_t  user;

    p = ngx_webrtc_sdp_read_token(p, end, &user);
    p = ngx_webrtc_sdp_read_number(p, end, NGX_WEBRTC_SDP_MAX64,
                                   &sdp->sess_id);
    (void) ngx_webrtc_sdp_read_number(p, end, NGX_WEBRTC_SDP_MAX64,
                                      &sdp->sess_version);

    /* nothing depends on it: some clients write no numbers here */

    return NULL;
}


/* RFC 8866, 5.14: "m=<media> <port>[/<number>] <proto> <fmt> ..." */

static const char *
ngx_webrtc_sdp_mline(ngx_webrtc_sdp_t *sdp, u_char *p, u_char *end)
{
    uint64_t                 port, number;
    ngx_webrtc_sdp_media_t  *media;

    if (sdp->nmedia == NGX_WEBRTC_SDP_MEDIA) {
        return "there are too many m-lines";
    }

    media = &sdp->media[sdp->nmedia];

    ngx_memzero(media, offsetof(ngx_webrtc_sdp_media_t, codecs));

    p = ngx_webrtc_sdp_read_token(p, end, &media->type);
    p = ngx_webrtc_sdp_read_number(p, end, 65535, &port);

    if (p != NULL && p < end && *p == '/') {
        p = ngx_webrtc_sdp_read_number(p + 1, end, 65535, &number);
    }

    p = ngx_webrtc_sdp_read_token(p, end, &media->proto);

    if (p == NULL) {
        return "an m-line is malformed";
    }

    if (media->type.len > NGX_WEBRTC_SDP_TYPE
        || media->proto.len > NGX_WEBRTC_SDP_PROTO)
    {
        return "an m-line has a media type or protocol that is too long";
    }

    while (p < end && *p == ' ') {
        p++;
    }

    if (p == end) {
        return "an m-line has no formats";
    }

    media->port = (uint16_t) port;
    media->kind = (uint8_t) ngx_webrtc_sdp_word(ngx_webrtc_sdp_kinds,
                                                &media->type,
                                                NGX_WEBRTC_SDP_OTHER);
    media->rtp = (ngx_webrtc_sdp_word(ngx_webrtc_sdp_protos, &media->proto, 0)
                  != 0);
    media->direction = NGX_WEBRTC_SDP_UNSET;
    media->fmts.data = p;
    media->fmts.len = end - p;

    sdp->nmedia++;

    return media->rtp ? ngx_webrtc_sdp_formats(media, p, end) : NULL;
}


static const char *
ngx_webrtc_sdp_formats(ngx_webrtc_sdp_media_t *media, u_char *p, u_char *end)
{
    uint64_t                 pt;
    ngx_webrtc_sdp_codec_t  *codec;

    for ( ;; ) {

        while (p < end && *p == ' ') {
            p++;
        }

        if (p == end) {
            return NULL;
        }

        p = ngx_webrtc_sdp_read_number(p, end, 127, &pt);

        if (p == NULL || (p < end && *p != ' ')) {
            return "an m-line has a malformed payload type";
        }

        if (ngx_webrtc_sdp_codec(media, pt) != NULL) {
            continue;
        }

        if (media->ncodecs == NGX_WEBRTC_SDP_CODECS) {
            return "an m-line has too many payload types";
        }

        codec = &media->codecs[media->ncodecs++];

        ngx_memzero(codec, sizeof(ngx_webrtc_sdp_codec_t));

        codec->pt = (uint8_t) pt;
        codec->channels = 1;
        codec->apt = NGX_WEBRTC_DESC_NO_PT;
    }
}


static const char *
ngx_webrtc_sdp_finish(ngx_webrtc_sdp_t *sdp, ngx_uint_t i)
{
    ngx_uint_t               n;
    ngx_webrtc_sdp_media_t  *media;

    media = &sdp->media[i];

    if (media->direction == NGX_WEBRTC_SDP_UNSET) {
        media->direction = sdp->direction;
    }

    /* RFC 9143, 6: port 0 with bundle-only doesn't reject */

    media->rejected = (media->port == 0 && !media->bundle_only);

    if (media->mid.len != 0) {

        for (n = 0; n < i; n++) {
            if (ngx_webrtc_sdp_same(&sdp->media[n].mid, &media->mid)) {
                return "two m-lines have the same mid";
            }
        }

        for (n = 0; n < sdp->nbundles; n++) {
            if (ngx_webrtc_sdp_same(&sdp->bundles[n], &media->mid)) {
                media->bundled = 1;
                break;
            }
        }
    }

    ngx_webrtc_sdp_finish_transport(&media->transport, &sdp->transport);

    for (n = 0; n < media->ncodecs; n++) {
        ngx_webrtc_sdp_finish_codec(media, &media->codecs[n]);
    }

    return ngx_webrtc_sdp_finish_exts(sdp, media);
}


/* session-level values apply to m-lines that don't override them */

static void
ngx_webrtc_sdp_finish_transport(ngx_webrtc_sdp_transport_t *t,
    const ngx_webrtc_sdp_transport_t *session)
{
    if (t->ufrag.len == 0) {
        t->ufrag = session->ufrag;
    }

    if (t->pwd.len == 0) {
        t->pwd = session->pwd;
    }

    if (t->fingerprint_alg == 0 && !t->fingerprint_other) {
        t->fingerprint_alg = session->fingerprint_alg;
        t->fingerprint_other = session->fingerprint_other;
        t->fingerprint = session->fingerprint;
    }

    if (t->setup == NGX_WEBRTC_SDP_SETUP_NONE) {
        t->setup = session->setup;
    }
}


static void
ngx_webrtc_sdp_finish_codec(const ngx_webrtc_sdp_media_t *media,
    ngx_webrtc_sdp_codec_t *codec)
{
    uint64_t                        apt;
    ngx_str_t                       value;
    const ngx_webrtc_codec_t       *known;

    codec->fb |= media->fb;

    if (codec->name.len == 0) {

        /* RFC 3551, 6: it may come without an rtpmap */

        known = ngx_webrtc_codec_static(codec->pt);

        if (known != NULL) {
            codec->name = known->name;
            codec->clock_rate = known->clock_rate;
        }
    }

    /* RFC 4588, 8.6 */

    if (codec->name.len == 3
        && ngx_strncasecmp(codec->name.data, (u_char *) "rtx", 3) == 0
        && ngx_webrtc_fmtp_find(&codec->fmtp, "apt", &value) == NGX_OK
        && ngx_webrtc_sdp_read_number(value.data, value.data + value.len, 127,
                                      &apt)
           == value.data + value.len)
    {
        codec->apt = (uint8_t) apt;
    }
}


static const char *
ngx_webrtc_sdp_finish_exts(const ngx_webrtc_sdp_t *sdp,
    ngx_webrtc_sdp_media_t *media)
{
    ngx_uint_t  i;

    if (media->nexts + sdp->nexts > NGX_WEBRTC_SDP_EXTS) {
        return "there are too many extmaps";
    }

    for (i = 0; i < sdp->nexts; i++) {
        media->exts[media->nexts++] = sdp->exts[i];
    }

    return NULL;
}
