
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP parser, the values of attributes: see ngx_webrtc_sdp_attr.h, and
 * ngx_webrtc_sdp.h for the RFCs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_attr.h>


/* bytes; RFC 8839, 5.4 */
#define NGX_WEBRTC_SDP_MIN_UFRAG    4
#define NGX_WEBRTC_SDP_MAX_UFRAG    256
#define NGX_WEBRTC_SDP_MIN_PWD      22
#define NGX_WEBRTC_SDP_MAX_PWD      256


static ngx_webrtc_sdp_ssrc_t *ngx_webrtc_sdp_add_ssrc(
    ngx_webrtc_sdp_media_t *media, uint32_t ssrc);
static u_char *ngx_webrtc_sdp_read_candidate(u_char *p, u_char *end,
    ngx_webrtc_sdp_candidate_t *cand);
static ngx_int_t ngx_webrtc_sdp_visible(const u_char *p, const u_char *end);


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_setups[] = {
    { ngx_string("active"), NGX_WEBRTC_SDP_SETUP_ACTIVE },
    { ngx_string("passive"), NGX_WEBRTC_SDP_SETUP_PASSIVE },
    { ngx_string("actpass"), NGX_WEBRTC_SDP_SETUP_ACTPASS },
    { ngx_string("holdconn"), NGX_WEBRTC_SDP_SETUP_HOLDCONN },
    { ngx_null_string, 0 }
};


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_types[] = {
    { ngx_string("host"), NGX_WEBRTC_SDP_HOST },
    { ngx_string("srflx"), NGX_WEBRTC_SDP_SRFLX },
    { ngx_string("prflx"), NGX_WEBRTC_SDP_PRFLX },
    { ngx_string("relay"), NGX_WEBRTC_SDP_RELAY },
    { ngx_null_string, 0 }
};


static const ngx_webrtc_sdp_word_t  ngx_webrtc_sdp_hashes[] = {
    { ngx_string("sha-256"), NGX_WEBRTC_FINGERPRINT_SHA256 },
    { ngx_string("sha-384"), NGX_WEBRTC_FINGERPRINT_SHA384 },
    { ngx_string("sha-512"), NGX_WEBRTC_FINGERPRINT_SHA512 },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_sdp_parse_candidate(u_char *p, u_char *end,
    ngx_webrtc_sdp_candidate_t *cand)
{
    size_t  n;

    n = sizeof("candidate:") - 1;

    if ((size_t) (end - p) < n
        || ngx_strncasecmp(p, (u_char *) "candidate:", n) != 0)
    {
        return NGX_DECLINED;
    }

    p = ngx_webrtc_sdp_read_candidate(p + n, end, cand);

    return (p == NULL) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_webrtc_sdp_fmtp(const ngx_str_t *fmtp, const char *name, ngx_str_t *value)
{
    size_t   n;
    u_char  *p, *end, *last, *next;

    if (fmtp->len == 0) {
        return NGX_DECLINED;
    }

    n = ngx_strlen(name);
    p = fmtp->data;
    end = p + fmtp->len;

    while (p < end) {
        next = ngx_strlchr(p, end, ';');
        last = (next == NULL) ? end : next;

        while (p < last && *p == ' ') {
            p++;
        }

        while (last > p && last[-1] == ' ') {
            last--;
        }

        if ((size_t) (last - p) > n
            && p[n] == '='
            && ngx_strncasecmp(p, (u_char *) name, n) == 0)
        {
            value->data = p + n + 1;
            value->len = last - value->data;
            return NGX_OK;
        }

        if (next == NULL) {
            break;
        }

        p = next + 1;
    }

    return NGX_DECLINED;
}


size_t
ngx_webrtc_sdp_parse_fingerprint(const ngx_str_t *text, ngx_uint_t alg,
    u_char *out)
{
    size_t      i, n;
    u_char     *p;
    ngx_int_t   byte;

    switch (alg) {

    case NGX_WEBRTC_FINGERPRINT_SHA256:
        n = 32;
        break;

    case NGX_WEBRTC_FINGERPRINT_SHA384:
        n = 48;
        break;

    case NGX_WEBRTC_FINGERPRINT_SHA512:
        n = 64;
        break;

    default:
        return 0;
    }

    /* "AB:CD:...": three characters per byte but for the last one */

    if (text->len != n * 3 - 1) {
        return 0;
    }

    p = text->data;

    for (i = 0; i < n; i++) {
        byte = ngx_hextoi(p, 2);

        if (byte == NGX_ERROR || (i < n - 1 && p[2] != ':')) {
            return 0;
        }

        out[i] = (u_char) byte;
        p += 3;
    }

    return n;
}


/* RFC 8866, 6.6: "<payload type> <name>/<clock rate>[/<channels>]" */

const char *
ngx_webrtc_sdp_attr_rtpmap(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    u_char                  *slash;
    uint64_t                 pt, rate, channels;
    ngx_str_t                name;
    ngx_webrtc_sdp_codec_t  *codec;

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

const char *
ngx_webrtc_sdp_attr_fmtp(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    uint64_t                 pt;
    ngx_webrtc_sdp_codec_t  *codec;

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

const char *
ngx_webrtc_sdp_attr_rtcp_fb(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    uint8_t                  fb;
    uint64_t                 pt;
    ngx_str_t                what;
    ngx_uint_t               all;
    ngx_webrtc_sdp_codec_t  *codec;

    static const ngx_webrtc_sdp_word_t  words[] = {
        { ngx_string("nack"), NGX_WEBRTC_FB_NACK },
        { ngx_string("nack pli"), NGX_WEBRTC_FB_PLI },
        { ngx_string("ccm fir"), NGX_WEBRTC_FB_FIR },
        { ngx_string("transport-cc"), NGX_WEBRTC_FB_TWCC },
        { ngx_string("goog-remb"), NGX_WEBRTC_FB_REMB },
        { ngx_string("rrtr"), NGX_WEBRTC_FB_RRTR },
        { ngx_null_string, 0 }
    };

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
 * send no media may send reference times too; that is what we are.
 */

const char *
ngx_webrtc_sdp_attr_rtcp_xr(ngx_webrtc_sdp_media_t *media, u_char *p,
    u_char *end)
{
    size_t     n;
    ngx_str_t  token;

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


/* RFC 8285, 8: "<id>[/<direction>] <URI> [<attributes>]" */

const char *
ngx_webrtc_sdp_attr_extmap(ngx_webrtc_sdp_ext_t *exts, ngx_uint_t *n, u_char *p,
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

    /* RFC 8285, 5: ids from 4096 are offered beyond what there is room for */

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


/* RFC 5576, 4.1: "<ssrc> <attribute>[:<value>]" */

const char *
ngx_webrtc_sdp_attr_ssrc(ngx_webrtc_sdp_media_t *media, u_char *p,
    u_char *end)
{
    size_t                  n;
    uint64_t                id;
    ngx_webrtc_sdp_ssrc_t  *ssrc;

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

const char *
ngx_webrtc_sdp_attr_ssrc_group(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    uint64_t                 ssrc, rtx;
    ngx_str_t                semantics;

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

const char *
ngx_webrtc_sdp_attr_rid(ngx_webrtc_sdp_media_t *media, u_char *p,
    u_char *end)
{
    ngx_str_t                id, direction;
    ngx_uint_t               value;
    ngx_webrtc_sdp_rid_t    *rid;

    static const ngx_webrtc_sdp_word_t  words[] = {
        { ngx_string("send"), NGX_WEBRTC_SDP_SENDONLY },
        { ngx_string("recv"), NGX_WEBRTC_SDP_RECVONLY },
        { ngx_null_string, 0 }
    };

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


const char *
ngx_webrtc_sdp_attr_candidate(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end)
{
    ngx_webrtc_sdp_attr_candidate_add(sdp->candidates, &sdp->ncandidates,
                                      sdp->nmedia ? sdp->nmedia - 1 : 0, p,
                                      end);

    return NULL;
}


void
ngx_webrtc_sdp_attr_candidate_add(ngx_webrtc_sdp_candidate_t *cands,
    ngx_uint_t *n, ngx_uint_t mline, u_char *p, u_char *end)
{
    if (*n == NGX_WEBRTC_SDP_CANDIDATES) {
        return;
    }

    if (ngx_webrtc_sdp_read_candidate(p, end, &cands[*n]) != NULL) {
        cands[*n].mline = (uint8_t) mline;
        (*n)++;
    }
}


/* RFC 5888, 4: "mid:<token>" */

const char *
ngx_webrtc_sdp_attr_mid(ngx_str_t *mid, u_char *p, u_char *end)
{
    if (p == end || ngx_webrtc_sdp_visible(p, end) != NGX_OK) {
        return "a mid is malformed";
    }

    if (end - p > NGX_WEBRTC_DESC_MID) {
        return "a mid is too long";
    }

    mid->data = p;
    mid->len = end - p;

    return NULL;
}


/*
 * RFC 8839, 5.4.  The length is checked, the alphabet of ice-chars is not:
 * there are clients that write others.  A colon would make the USERNAME of a
 * check ambiguous (RFC 8445, 7.2.2).
 */

const char *
ngx_webrtc_sdp_attr_ufrag(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end)
{
    if (end - p < NGX_WEBRTC_SDP_MIN_UFRAG
        || end - p > NGX_WEBRTC_SDP_MAX_UFRAG
        || ngx_webrtc_sdp_visible(p, end) != NGX_OK
        || ngx_strlchr(p, end, ':') != NULL)
    {
        return "an ice-ufrag is malformed";
    }

    t->ufrag.data = p;
    t->ufrag.len = end - p;

    return NULL;
}


const char *
ngx_webrtc_sdp_attr_pwd(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end)
{
    if (end - p < NGX_WEBRTC_SDP_MIN_PWD
        || end - p > NGX_WEBRTC_SDP_MAX_PWD
        || ngx_webrtc_sdp_visible(p, end) != NGX_OK)
    {
        return "an ice-pwd is malformed";
    }

    t->pwd.data = p;
    t->pwd.len = end - p;

    return NULL;
}


/* RFC 8122, 5: "<hash function> <fingerprint>" */

const char *
ngx_webrtc_sdp_attr_fingerprint(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end)
{
    u_char                       bytes[NGX_WEBRTC_DESC_FINGERPRINT];
    ngx_str_t                    hash, text;
    ngx_uint_t                   alg;

    p = ngx_webrtc_sdp_read_token(p, end, &hash);
    p = ngx_webrtc_sdp_read_token(p, end, &text);

    if (p == NULL) {
        return "a fingerprint is malformed";
    }

    alg = ngx_webrtc_sdp_word(ngx_webrtc_sdp_hashes, &hash, 0);

    if (alg == 0) {
        t->fingerprint_other = 1;
        return NULL;
    }

    if (ngx_webrtc_sdp_parse_fingerprint(&text, alg, bytes) == 0) {
        return "a fingerprint is malformed";
    }

    /*
     * RFC 8122, 5: several may be given, of different hashes, and one that
     * matches is enough.  SHA-256 is the one that everybody has.
     */

    if (t->fingerprint_alg == 0
        || (t->fingerprint_alg != NGX_WEBRTC_FINGERPRINT_SHA256
            && alg == NGX_WEBRTC_FINGERPRINT_SHA256))
    {
        t->fingerprint_alg = (uint8_t) alg;
        t->fingerprint = text;
    }

    return NULL;
}


const char *
ngx_webrtc_sdp_attr_setup(ngx_webrtc_sdp_transport_t *t,
    u_char *p, u_char *end)
{
    ngx_str_t   word;
    ngx_uint_t  setup;

    word.data = p;
    word.len = end - p;

    setup = ngx_webrtc_sdp_word(ngx_webrtc_sdp_setups, &word,
                                NGX_WEBRTC_SDP_SETUP_NONE);

    if (setup == NGX_WEBRTC_SDP_SETUP_NONE) {
        return "a setup is malformed";
    }

    t->setup = (uint8_t) setup;

    return NULL;
}


/* RFC 8841, 5 */

const char *
ngx_webrtc_sdp_attr_sctp_port(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    uint64_t  port;

    if (ngx_webrtc_sdp_read_number(p, end, 65535, &port) == NULL) {
        return "an sctp-port is malformed";
    }

    media->sctp_port = (uint16_t) port;

    return NULL;
}


/* RFC 8841, 6 */

const char *
ngx_webrtc_sdp_attr_max_message_size(ngx_webrtc_sdp_media_t *media,
    u_char *p, u_char *end)
{
    uint64_t  size;

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

const char *
ngx_webrtc_sdp_attr_group(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end)
{
    ngx_str_t          token;

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

const char *
ngx_webrtc_sdp_attr_ice_options(ngx_webrtc_sdp_t *sdp, u_char *p,
    u_char *end)
{
    ngx_str_t  token;

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


/*
 * RFC 8839, 5.1: "<foundation> <component> <transport> <priority> <address>
 * <port> typ <type> [raddr <address>] [rport <port>] [<name> <value>] ..."
 */

static u_char *
ngx_webrtc_sdp_read_candidate(u_char *p, u_char *end,
    ngx_webrtc_sdp_candidate_t *cand)
{
    uint64_t    component, priority, port, rport;
    ngx_str_t   transport, typ, type, name, value;
    ngx_uint_t  n;

    static const ngx_webrtc_sdp_word_t  transports[] = {
        { ngx_string("udp"), 1 },
        { ngx_string("tcp"), 2 },
        { ngx_null_string, 0 }
    };

    ngx_memzero(cand, sizeof(ngx_webrtc_sdp_candidate_t));

    p = ngx_webrtc_sdp_read_token(p, end, &cand->foundation);
    p = ngx_webrtc_sdp_read_number(p, end, 255, &component);
    p = ngx_webrtc_sdp_read_token(p, end, &transport);
    p = ngx_webrtc_sdp_read_number(p, end, NGX_MAX_UINT32_VALUE, &priority);
    p = ngx_webrtc_sdp_read_token(p, end, &cand->address);
    p = ngx_webrtc_sdp_read_number(p, end, 65535, &port);
    p = ngx_webrtc_sdp_read_token(p, end, &typ);
    p = ngx_webrtc_sdp_read_token(p, end, &type);

    if (p == NULL
        || component == 0
        || typ.len != 3
        || ngx_strncasecmp(typ.data, (u_char *) "typ", 3) != 0)
    {
        return NULL;
    }

    n = ngx_webrtc_sdp_word(transports, &transport, 0);
    if (n == 0) {
        return NULL;
    }

    cand->tcp = (n == 2);

    n = ngx_webrtc_sdp_word(ngx_webrtc_sdp_types, &type, NGX_MAX_UINT32_VALUE);
    if (n == NGX_MAX_UINT32_VALUE) {
        return NULL;
    }

    cand->type = (uint8_t) n;
    cand->component = (uint8_t) component;
    cand->priority = (uint32_t) priority;
    cand->port = (uint16_t) port;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &name);
        p = ngx_webrtc_sdp_read_token(p, end, &value);

        if (p == NULL) {
            return end;
        }

        if (name.len != 5) {
            continue;
        }

        if (ngx_strncmp(name.data, "raddr", 5) == 0) {
            cand->raddr = value;

        } else if (ngx_strncmp(name.data, "rport", 5) == 0
                   && ngx_webrtc_sdp_read_number(value.data,
                                                 value.data + value.len,
                                                 65535, &rport)
                      != NULL)
        {
            cand->rport = (uint16_t) rport;
        }
    }
}


u_char *
ngx_webrtc_sdp_read_token(u_char *p, u_char *end, ngx_str_t *token)
{
    if (p == NULL) {
        return NULL;
    }

    while (p < end && *p == ' ') {
        p++;
    }

    token->data = p;

    while (p < end && *p != ' ') {
        p++;
    }

    token->len = p - token->data;

    return token->len ? p : NULL;
}


u_char *
ngx_webrtc_sdp_read_number(u_char *p, u_char *end, uint64_t max, uint64_t *v)
{
    u_char    *start;
    uint64_t   n, digit;

    if (p == NULL) {
        return NULL;
    }

    while (p < end && *p == ' ') {
        p++;
    }

    start = p;
    n = 0;

    for ( /* void */ ; p < end && *p >= '0' && *p <= '9'; p++) {
        digit = *p - '0';

        if (n > max / 10 || n * 10 > max - digit) {
            return NULL;
        }

        n = n * 10 + digit;
    }

    if (p == start) {
        return NULL;
    }

    *v = n;

    return p;
}


ngx_uint_t
ngx_webrtc_sdp_word(const ngx_webrtc_sdp_word_t *words, const ngx_str_t *name,
    ngx_uint_t def)
{
    for ( /* void */ ; words->name.len != 0; words++) {

        if (words->name.len == name->len
            && ngx_strncasecmp(words->name.data, name->data, name->len) == 0)
        {
            return words->value;
        }
    }

    return def;
}


ngx_uint_t
ngx_webrtc_sdp_control(const u_char *p, const u_char *end)
{
    for ( /* void */ ; p < end; p++) {
        if ((*p < ' ' && *p != '\t') || *p == 0x7f) {
            return 1;
        }
    }

    return 0;
}


/* printable ASCII without spaces */

static ngx_int_t
ngx_webrtc_sdp_visible(const u_char *p, const u_char *end)
{
    for ( /* void */ ; p < end; p++) {
        if (*p <= ' ' || *p >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_sdp_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}
