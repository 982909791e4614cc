
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP parser, the attributes: a table of where each is allowed and where it is
 * stored, and a function for each form of value.  See ngx_webrtc_sdp_attr.h,
 * and ngx_webrtc_sdp.h for the RFCs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_attr.h>
#include <ngx_webrtc_sdp_candidate.h>
#include <ngx_webrtc_sdp_text.h>
#include <ngx_webrtc_sdp_transport.h>


/*
 * ngx_webrtc_sdp_attr_t.level: where an attribute is recognized.  One of an
 * m-line goes into its ngx_webrtc_sdp_media_t, all others into
 * ngx_webrtc_sdp_t; one that is allowed in both has a row for each.
 */
#define NGX_WEBRTC_SDP_SESSION      1
#define NGX_WEBRTC_SDP_MLINE        2
#define NGX_WEBRTC_SDP_ANYWHERE     3


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   level;              /* elsewhere it is skipped */

    /*
     * Reads the value at p .. end, the text after the colon, into the field at
     * the offset.  Returns NULL, or the cause of a refusal.
     */
    const char *(*parse)(void *data, u_char *p, u_char *end);

    size_t       offset;
    uint8_t      value;              /* without parse: of the byte there */
} ngx_webrtc_sdp_attr_t;


static const char *ngx_webrtc_sdp_attr_text(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_rtpmap(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_fmtp(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_rtcp_fb(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_rtcp_xr(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_session_extmap(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_extmap(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_ssrc(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_ssrc_group(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_rid(void *data, u_char *p, u_char *end);
static const char *ngx_webrtc_sdp_attr_candidate(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_sctp_port(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_max_message_size(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_group(void *data, u_char *p,
    u_char *end);
static const char *ngx_webrtc_sdp_attr_ice_options(void *data, u_char *p,
    u_char *end);
static ngx_webrtc_sdp_ssrc_t *ngx_webrtc_sdp_add_ssrc(
    ngx_webrtc_sdp_media_t *media, uint32_t ssrc);
static const char *ngx_webrtc_sdp_add_ext(ngx_webrtc_sdp_ext_t *exts,
    ngx_uint_t *n, u_char *p, u_char *end);


/* the most frequent ones first */

static const ngx_webrtc_sdp_attr_t  ngx_webrtc_sdp_attrs[] = {

    { ngx_string("rtcp-fb"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_rtcp_fb, 0, 0 },
    { ngx_string("rtpmap"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_rtpmap, 0, 0 },
    { ngx_string("fmtp"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_fmtp, 0, 0 },
    { ngx_string("extmap"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_extmap, 0, 0 },
    { ngx_string("extmap"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_attr_session_extmap, 0, 0 },
    { ngx_string("ssrc"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_ssrc, 0, 0 },
    { ngx_string("candidate"), NGX_WEBRTC_SDP_ANYWHERE,
      ngx_webrtc_sdp_attr_candidate, 0, 0 },
    { ngx_string("mid"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_transport_mid, offsetof(ngx_webrtc_sdp_media_t, mid), 0 },
    { ngx_string("msid"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_text, offsetof(ngx_webrtc_sdp_media_t, msid), 0 },
    { ngx_string("setup"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_transport_setup,
      offsetof(ngx_webrtc_sdp_media_t, transport), 0 },
    { ngx_string("setup"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_transport_setup,
      offsetof(ngx_webrtc_sdp_t, transport), 0 },
    { ngx_string("ice-ufrag"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_transport_ufrag,
      offsetof(ngx_webrtc_sdp_media_t, transport.ufrag), 0 },
    { ngx_string("ice-ufrag"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_transport_ufrag,
      offsetof(ngx_webrtc_sdp_t, transport.ufrag), 0 },
    { ngx_string("ice-pwd"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_transport_pwd,
      offsetof(ngx_webrtc_sdp_media_t, transport.pwd), 0 },
    { ngx_string("ice-pwd"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_transport_pwd,
      offsetof(ngx_webrtc_sdp_t, transport.pwd), 0 },
    { ngx_string("fingerprint"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_transport_fingerprint,
      offsetof(ngx_webrtc_sdp_media_t, transport), 0 },
    { ngx_string("fingerprint"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_transport_fingerprint,
      offsetof(ngx_webrtc_sdp_t, transport), 0 },
    { ngx_string("rtcp-mux"), NGX_WEBRTC_SDP_MLINE,
      NULL, offsetof(ngx_webrtc_sdp_media_t, rtcp_mux), 1 },
    { ngx_string("rtcp-rsize"), NGX_WEBRTC_SDP_MLINE,
      NULL, offsetof(ngx_webrtc_sdp_media_t, rtcp_rsize), 1 },
    { ngx_string("rtcp-xr"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_rtcp_xr, 0, 0 },
    { ngx_string("recvonly"), NGX_WEBRTC_SDP_MLINE,
      NULL,
      offsetof(ngx_webrtc_sdp_media_t, direction), NGX_WEBRTC_SDP_RECVONLY },
    { ngx_string("recvonly"), NGX_WEBRTC_SDP_SESSION,
      NULL, offsetof(ngx_webrtc_sdp_t, direction), NGX_WEBRTC_SDP_RECVONLY },
    { ngx_string("sendonly"), NGX_WEBRTC_SDP_MLINE,
      NULL,
      offsetof(ngx_webrtc_sdp_media_t, direction), NGX_WEBRTC_SDP_SENDONLY },
    { ngx_string("sendonly"), NGX_WEBRTC_SDP_SESSION,
      NULL, offsetof(ngx_webrtc_sdp_t, direction), NGX_WEBRTC_SDP_SENDONLY },
    { ngx_string("sendrecv"), NGX_WEBRTC_SDP_MLINE,
      NULL,
      offsetof(ngx_webrtc_sdp_media_t, direction), NGX_WEBRTC_SDP_SENDRECV },
    { ngx_string("sendrecv"), NGX_WEBRTC_SDP_SESSION,
      NULL, offsetof(ngx_webrtc_sdp_t, direction), NGX_WEBRTC_SDP_SENDRECV },
    { ngx_string("inactive"), NGX_WEBRTC_SDP_MLINE,
      NULL,
      offsetof(ngx_webrtc_sdp_media_t, direction), NGX_WEBRTC_SDP_INACTIVE },
    { ngx_string("inactive"), NGX_WEBRTC_SDP_SESSION,
      NULL, offsetof(ngx_webrtc_sdp_t, direction), NGX_WEBRTC_SDP_INACTIVE },
    { ngx_string("ice-options"), NGX_WEBRTC_SDP_ANYWHERE,
      ngx_webrtc_sdp_attr_ice_options, 0, 0 },
    { ngx_string("end-of-candidates"), NGX_WEBRTC_SDP_ANYWHERE,
      NULL, offsetof(ngx_webrtc_sdp_t, end_of_candidates), 1 },
    { ngx_string("ssrc-group"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_ssrc_group, 0, 0 },
    { ngx_string("rid"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_rid, 0, 0 },
    { ngx_string("simulcast"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_text,
      offsetof(ngx_webrtc_sdp_media_t, simulcast), 0 },
    { ngx_string("bundle-only"), NGX_WEBRTC_SDP_MLINE,
      NULL, offsetof(ngx_webrtc_sdp_media_t, bundle_only), 1 },
    { ngx_string("sctp-port"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_sctp_port, 0, 0 },

    /* draft-ietf-mmusic-sctp-sdp-05: "sctpmap:5000 webrtc-datachannel 1024" */
    { ngx_string("sctpmap"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_sctp_port, 0, 0 },

    { ngx_string("max-message-size"), NGX_WEBRTC_SDP_MLINE,
      ngx_webrtc_sdp_attr_max_message_size, 0, 0 },
    { ngx_string("group"), NGX_WEBRTC_SDP_SESSION,
      ngx_webrtc_sdp_attr_group, 0, 0 },
    { ngx_string("ice-lite"), NGX_WEBRTC_SDP_SESSION,
      NULL, offsetof(ngx_webrtc_sdp_t, ice_lite), 1 },
    { ngx_string("extmap-allow-mixed"), NGX_WEBRTC_SDP_ANYWHERE,
      NULL, offsetof(ngx_webrtc_sdp_t, mixed_exts), 1 },

    { ngx_null_string, 0, NULL, 0, 0 }
};


const char *
ngx_webrtc_sdp_attribute(ngx_webrtc_sdp_t *sdp, u_char *p, u_char *end)
{
    size_t                        n;
    u_char                       *colon, *data;
    ngx_uint_t                    level;
    const ngx_webrtc_sdp_attr_t  *attr;

    colon = ngx_strlchr(p, end, ':');

    n = (colon == NULL ? end : colon) - p;

    level = sdp->nmedia ? NGX_WEBRTC_SDP_MLINE : NGX_WEBRTC_SDP_SESSION;

    for (attr = ngx_webrtc_sdp_attrs; attr->name.len != 0; attr++) {

        if (attr->name.len == n
            && (attr->level & level)
            && ngx_strncmp(attr->name.data, p, n) == 0)
        {
            break;
        }
    }

    if (attr->name.len == 0) {
        return NULL;
    }

    data = (attr->level == NGX_WEBRTC_SDP_MLINE)
           ? (u_char *) &sdp->media[sdp->nmedia - 1] : (u_char *) sdp;

    data += attr->offset;

    if (attr->parse == NULL) {
        *data = attr->value;
        return NULL;
    }

    return attr->parse(data, (colon == NULL) ? end : colon + 1, end);
}


ngx_webrtc_sdp_codec_t *
ngx_webrtc_sdp_codec(ngx_webrtc_sdp_media_t *media, uint64_t pt)
{
    ngx_uint_t  i;

    for (i = 0; i < media->ncodecs; i++) {
        if (media->codecs[i].pt == pt) {
            return &media->codecs[i];
        }
    }

    return NULL;
}


/* values that are kept verbatim */

static const char *
ngx_webrtc_sdp_attr_text(void *data, u_char *p, u_char *end)
{
    ngx_str_t  *text;

    text = data;

    text->data = p;
    text->len = end - p;

    return NULL;
}


/* RFC 8866, 6.6: "<payload type> <name>/<clock rate>[/<channels>]" */

static const char *
ngx_webrtc_sdp_attr_rtpmap(void *data, u_char *p, u_char *end)
{
    u_char                  *slash;
    uint64_t                 pt, rate, channels;
    ngx_str_t                name;
    ngx_webrtc_sdp_codec_t  *codec;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    p = ngx_webrtc_sdp_read_number(p, end, 127, &pt);
    p = ngx_webrtc_sdp_read_token(p, end, &name);

    if (p == NULL) {
        return "an rtpmap is malformed";
    }

    end = p;
    slash = ngx_strlchr(name.data, end, '/');

    if (slash == NULL || slash == name.data) {
        return "an rtpmap has no clock rate";
    }

    name.len = slash - name.data;
    channels = 1;

    p = ngx_webrtc_sdp_read_number(slash + 1, end, NGX_MAX_UINT32_VALUE, &rate);

    if (p != NULL && p < end && *p == '/') {
        p = ngx_webrtc_sdp_read_number(p + 1, end, 255, &channels);
    }

    if (p != end || rate == 0 || channels == 0) {
        return "an rtpmap is malformed";
    }

    codec = ngx_webrtc_sdp_codec(media, pt);

    if (codec != NULL) {
        codec->name = name;
        codec->clock_rate = (uint32_t) rate;
        codec->channels = (uint8_t) channels;
    }

    return NULL;
}


/* RFC 8866, 6.15: "<payload type> <parameters>" */

static const char *
ngx_webrtc_sdp_attr_fmtp(void *data, u_char *p, u_char *end)
{
    uint64_t                 pt;
    ngx_webrtc_sdp_codec_t  *codec;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    p = ngx_webrtc_sdp_read_number(p, end, 127, &pt);

    if (p == NULL || (p < end && *p != ' ')) {
        return "an fmtp is malformed";
    }

    while (p < end && *p == ' ') {
        p++;
    }

    codec = ngx_webrtc_sdp_codec(media, pt);

    if (codec != NULL) {
        codec->fmtp.data = p;
        codec->fmtp.len = end - p;
    }

    return NULL;
}


/* RFC 4585, 4.2: "<payload type or *> <what> [<of what>]" */

static const char *
ngx_webrtc_sdp_attr_rtcp_fb(void *data, u_char *p, u_char *end)
{
    uint8_t                  fb;
    uint64_t                 pt;
    ngx_str_t                what;
    ngx_uint_t               all;
    ngx_webrtc_sdp_codec_t  *codec;
    ngx_webrtc_sdp_media_t  *media;

    static const ngx_webrtc_sdp_word_t  words[] = {
        { ngx_string("nack"), NGX_WEBRTC_FB_NACK },
        { ngx_string("nack pli"), NGX_WEBRTC_FB_PLI },
        { ngx_string("ccm fir"), NGX_WEBRTC_FB_FIR },
        { ngx_string("transport-cc"), NGX_WEBRTC_FB_TWCC },
        { ngx_string("goog-remb"), NGX_WEBRTC_FB_REMB },
        { ngx_string("rrtr"), NGX_WEBRTC_FB_RRTR },
        { ngx_null_string, 0 }
    };

    media = data;

    pt = 0;
    all = (p < end && *p == '*');

    p = all ? p + 1 : ngx_webrtc_sdp_read_number(p, end, 127, &pt);

    if (p == NULL || p == end || *p != ' ') {
        return "an rtcp-fb is malformed";
    }

    while (p < end && *p == ' ') {
        p++;
    }

    while (end > p && end[-1] == ' ') {
        end--;
    }

    what.data = p;
    what.len = end - p;

    fb = (uint8_t) ngx_webrtc_sdp_word(words, &what, 0);

    if (all) {
        media->fb |= fb;
        return NULL;
    }

    codec = ngx_webrtc_sdp_codec(media, pt);

    if (codec != NULL) {
        codec->fb |= fb;
    }

    return NULL;
}


/*
 * RFC 3611, 5.1: "<format>[=<value>] ...".  With "rcvr-rtt=all" receivers that
 * send no media, as we are, may send reference times too.
 */

static const char *
ngx_webrtc_sdp_attr_rtcp_xr(void *data, u_char *p, u_char *end)
{
    size_t                   n;
    ngx_str_t                token;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    n = sizeof("rcvr-rtt=all") - 1;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &token);

        if (p == NULL) {
            return NULL;
        }

        /* ":<max-size>" may follow */

        if (token.len >= n
            && ngx_strncmp(token.data, "rcvr-rtt=all", n) == 0
            && (token.len == n || token.data[n] == ':'))
        {
            media->rcvr_rtt = 1;
        }
    }
}


static const char *
ngx_webrtc_sdp_attr_session_extmap(void *data, u_char *p, u_char *end)
{
    ngx_webrtc_sdp_t  *sdp;

    sdp = data;

    return ngx_webrtc_sdp_add_ext(sdp->exts, &sdp->nexts, p, end);
}


static const char *
ngx_webrtc_sdp_attr_extmap(void *data, u_char *p, u_char *end)
{
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    return ngx_webrtc_sdp_add_ext(media->exts, &media->nexts, p, end);
}


/* RFC 5576, 4.1: "<ssrc> <attribute>[:<value>]" */

static const char *
ngx_webrtc_sdp_attr_ssrc(void *data, u_char *p, u_char *end)
{
    size_t                   n;
    uint64_t                 id;
    ngx_webrtc_sdp_ssrc_t   *ssrc;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    p = ngx_webrtc_sdp_read_number(p, end, NGX_MAX_UINT32_VALUE, &id);

    if (p == NULL || (p < end && *p != ' ')) {
        return "an ssrc is malformed";
    }

    ssrc = ngx_webrtc_sdp_add_ssrc(media, (uint32_t) id);

    if (ssrc == NULL) {
        return "an m-line has too many SSRCs";
    }

    while (p < end && *p == ' ') {
        p++;
    }

    n = sizeof("cname:") - 1;

    if ((size_t) (end - p) > n && ngx_strncmp(p, "cname:", n) == 0) {
        ssrc->cname.data = p + n;
        ssrc->cname.len = end - ssrc->cname.data;
    }

    return NULL;
}


/* RFC 5576, 4.2: "<semantics> <ssrc> ..."; FID ties RTX to its original */

static const char *
ngx_webrtc_sdp_attr_ssrc_group(void *data, u_char *p, u_char *end)
{
    uint64_t                 ssrc, rtx;
    ngx_str_t                semantics;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    p = ngx_webrtc_sdp_read_token(p, end, &semantics);

    if (p == NULL) {
        return "an ssrc-group is malformed";
    }

    if (semantics.len != 3 || ngx_strncmp(semantics.data, "FID", 3) != 0) {
        return NULL;
    }

    p = ngx_webrtc_sdp_read_number(p, end, NGX_MAX_UINT32_VALUE, &ssrc);
    p = ngx_webrtc_sdp_read_number(p, end, NGX_MAX_UINT32_VALUE, &rtx);

    if (p == NULL) {
        return "an ssrc-group is malformed";
    }

    if (media->nfids == NGX_WEBRTC_SDP_FIDS) {
        return "an m-line has too many ssrc-groups";
    }

    media->fids[media->nfids].ssrc = (uint32_t) ssrc;
    media->fids[media->nfids].rtx_ssrc = (uint32_t) rtx;
    media->nfids++;

    return NULL;
}


/* RFC 8851, 4: "<id> <direction> [<restrictions>]" */

static const char *
ngx_webrtc_sdp_attr_rid(void *data, u_char *p, u_char *end)
{
    ngx_str_t                id, direction;
    ngx_uint_t               value;
    ngx_webrtc_sdp_rid_t    *rid;
    ngx_webrtc_sdp_media_t  *media;

    static const ngx_webrtc_sdp_word_t  words[] = {
        { ngx_string("send"), NGX_WEBRTC_SDP_SENDONLY },
        { ngx_string("recv"), NGX_WEBRTC_SDP_RECVONLY },
        { ngx_null_string, 0 }
    };

    media = data;

    p = ngx_webrtc_sdp_read_token(p, end, &id);
    p = ngx_webrtc_sdp_read_token(p, end, &direction);

    if (p == NULL) {
        return "a rid is malformed";
    }

    value = ngx_webrtc_sdp_word(words, &direction, 0);

    if (value == 0) {
        return "a rid is malformed";
    }

    if (media->nrids == NGX_WEBRTC_SDP_RIDS) {
        return "an m-line has too many rids";
    }

    while (p < end && *p == ' ') {
        p++;
    }

    rid = &media->rids[media->nrids++];

    rid->id = id;
    rid->direction = (uint8_t) value;
    rid->params.data = p;
    rid->params.len = end - p;

    return NULL;
}


static const char *
ngx_webrtc_sdp_attr_candidate(void *data, u_char *p, u_char *end)
{
    ngx_webrtc_sdp_t  *sdp;

    sdp = data;

    ngx_webrtc_sdp_candidate_add(sdp->candidates, &sdp->ncandidates,
                                 sdp->nmedia ? sdp->nmedia - 1 : 0, p, end);

    return NULL;
}


/* RFC 8841, 5 */

static const char *
ngx_webrtc_sdp_attr_sctp_port(void *data, u_char *p, u_char *end)
{
    uint64_t                 port;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    if (ngx_webrtc_sdp_read_number(p, end, 65535, &port) == NULL) {
        return "an sctp-port is malformed";
    }

    media->sctp_port = (uint16_t) port;

    return NULL;
}


/* RFC 8841, 6 */

static const char *
ngx_webrtc_sdp_attr_max_message_size(void *data, u_char *p, u_char *end)
{
    uint64_t                 size;
    ngx_webrtc_sdp_media_t  *media;

    media = data;

    if (ngx_webrtc_sdp_read_number(p, end, NGX_WEBRTC_SDP_MAX64, &size)
        == NULL)
    {
        return "a max-message-size is malformed";
    }

    /* "0" is "any size" */

    media->max_message_size = size ? size : NGX_WEBRTC_SDP_MAX64;

    return NULL;
}


/* RFC 9143, 5: "BUNDLE <mid> ..."; of several groups the first one counts */

static const char *
ngx_webrtc_sdp_attr_group(void *data, u_char *p, u_char *end)
{
    ngx_str_t          token;
    ngx_webrtc_sdp_t  *sdp;

    sdp = data;

    p = ngx_webrtc_sdp_read_token(p, end, &token);

    if (p == NULL
        || sdp->bundle
        || token.len != sizeof("BUNDLE") - 1
        || ngx_strncmp(token.data, "BUNDLE", token.len) != 0)
    {
        return NULL;
    }

    sdp->bundle = 1;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &token);

        if (p == NULL) {
            return NULL;
        }

        if (sdp->nbundles == NGX_WEBRTC_SDP_BUNDLES) {
            return "a BUNDLE group is too long";
        }

        sdp->bundles[sdp->nbundles++] = token;
    }
}


/* RFC 8839, 5.6 */

static const char *
ngx_webrtc_sdp_attr_ice_options(void *data, u_char *p, u_char *end)
{
    ngx_str_t          token;
    ngx_webrtc_sdp_t  *sdp;

    sdp = data;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &token);

        if (p == NULL) {
            return NULL;
        }

        if (token.len == sizeof("trickle") - 1
            && ngx_strncmp(token.data, "trickle", token.len) == 0)
        {
            sdp->trickle = 1;
        }
    }
}


/* finds an SSRC or adds it; NULL if there is no room */

static ngx_webrtc_sdp_ssrc_t *
ngx_webrtc_sdp_add_ssrc(ngx_webrtc_sdp_media_t *media, uint32_t ssrc)
{
    ngx_uint_t  i;

    for (i = 0; i < media->nssrcs; i++) {
        if (media->ssrcs[i].ssrc == ssrc) {
            return &media->ssrcs[i];
        }
    }

    if (i == NGX_WEBRTC_SDP_SSRCS) {
        return NULL;
    }

    media->ssrcs[i].ssrc = ssrc;
    ngx_str_null(&media->ssrcs[i].cname);
    media->nssrcs++;

    return &media->ssrcs[i];
}


/* RFC 8285, 8: "<id>[/<direction>] <URI> [<attributes>]" */

static const char *
ngx_webrtc_sdp_add_ext(ngx_webrtc_sdp_ext_t *exts, ngx_uint_t *n, u_char *p,
    u_char *end)
{
    u_char      *slash;
    uint64_t     id;
    ngx_str_t    word, uri, name;
    ngx_uint_t   direction;

    static const ngx_webrtc_sdp_word_t  words[] = {
        { ngx_string("sendrecv"), NGX_WEBRTC_SDP_SENDRECV },
        { ngx_string("sendonly"), NGX_WEBRTC_SDP_SENDONLY },
        { ngx_string("recvonly"), NGX_WEBRTC_SDP_RECVONLY },
        { ngx_null_string, 0 }
    };

    p = ngx_webrtc_sdp_read_token(p, end, &word);
    p = ngx_webrtc_sdp_read_token(p, end, &uri);

    if (p == NULL) {
        return "an extmap is malformed";
    }

    direction = NGX_WEBRTC_SDP_SENDRECV;
    slash = ngx_strlchr(word.data, word.data + word.len, '/');

    if (slash != NULL) {
        name.data = slash + 1;
        name.len = word.data + word.len - name.data;
        word.len = slash - word.data;

        direction = ngx_webrtc_sdp_word(words, &name,
                                        NGX_WEBRTC_SDP_INACTIVE);
    }

    p = ngx_webrtc_sdp_read_number(word.data, word.data + word.len, 65535, &id);

    if (p != word.data + word.len) {
        return "an extmap is malformed";
    }

    /* RFC 8285, 5: ids from 4096 are for offers that exceed the id space */

    if (id == 0 || id > 255) {
        return NULL;
    }

    if (*n == NGX_WEBRTC_SDP_EXTS) {
        return "there are too many extmaps";
    }

    exts[*n].id = (uint8_t) id;
    exts[*n].direction = (uint8_t) direction;
    exts[*n].uri = uri;

    (*n)++;

    return NULL;
}
