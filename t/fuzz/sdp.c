
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: the SDP parser.
 * Property: every view lies within the input, every count within its limit, a
 * refusal has a cause; a candidate that is printed parses back to itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_candidate.h>
#include <ngx_webrtc_fmtp.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const uint8_t     *start;
static size_t             length;
static ngx_webrtc_sdp_t   sdp;


static void
view(const ngx_str_t *s)
{
    if (s->len == 0) {
        return;
    }

    if (s->data < start || s->data > start + length
        || s->len > (size_t) (start + length - s->data))
    {
        abort();
    }
}


static void
transport(const ngx_webrtc_sdp_transport_t *t)
{
    u_char  bytes[NGX_WEBRTC_DESC_FINGERPRINT];

    view(&t->ufrag);
    view(&t->pwd);
    view(&t->fingerprint);

    if (t->fingerprint_alg != 0
        && ngx_webrtc_sdp_parse_fingerprint(&t->fingerprint,
                                            t->fingerprint_alg, bytes)
           == 0)
    {
        abort();
    }

    if (t->ufrag.len > NGX_WEBRTC_DESC_REMOTE_UFRAG
        || t->pwd.len > NGX_WEBRTC_DESC_REMOTE_PWD)
    {
        abort();
    }
}


static void
media(const ngx_webrtc_sdp_media_t *m)
{
    ngx_str_t                      value;
    ngx_uint_t                     i;
    const ngx_webrtc_sdp_codec_t  *c;

    view(&m->type);
    view(&m->proto);
    view(&m->fmts);
    view(&m->mid);
    view(&m->msid);
    view(&m->simulcast);
    transport(&m->transport);

    if (m->ncodecs > NGX_WEBRTC_SDP_CODECS || m->nexts > NGX_WEBRTC_SDP_EXTS
        || m->nssrcs > NGX_WEBRTC_SDP_SSRCS || m->nfids > NGX_WEBRTC_SDP_FIDS
        || m->nrids > NGX_WEBRTC_SDP_RIDS || m->fmts.len == 0
        || m->mid.len > NGX_WEBRTC_DESC_MID || m->direction > 3)
    {
        abort();
    }

    for (i = 0; i < m->ncodecs; i++) {
        c = &m->codecs[i];

        view(&c->fmtp);

        /* the name of a static type is ours */

        if (c->pt >= 96) {
            view(&c->name);
        }

        if (c->pt > 127 || (c->name.len != 0 && c->clock_rate == 0)) {
            abort();
        }

        if (ngx_webrtc_fmtp_find(&c->fmtp, "profile-level-id", &value)
            == NGX_OK)
        {
            view(&value);
        }
    }

    for (i = 0; i < m->nexts; i++) {
        view(&m->exts[i].uri);
    }

    for (i = 0; i < m->nssrcs; i++) {
        view(&m->ssrcs[i].cname);
    }

    for (i = 0; i < m->nrids; i++) {
        view(&m->rids[i].id);
        view(&m->rids[i].params);
    }
}


static void
candidate(ngx_webrtc_sdp_candidate_t *c)
{
    u_char                      *p, *end;
    static u_char                buf[1 << 20];
    ngx_uint_t                   n;
    ngx_webrtc_sdp_candidate_t   again;

    view(&c->foundation);
    view(&c->address);
    view(&c->raddr);

    /* a priority of 0 is made up when printed */

    if (c->priority == 0) {
        return;
    }

    end = ngx_webrtc_sdp_print_candidate(buf, buf + sizeof(buf), c, 0);

    if (end == NULL) {
        return;
    }

    n = 0;

    ngx_webrtc_sdp_candidate_add(&again, &n, 0,
                                 buf + sizeof("candidate:") - 1, end);

    if (n != 1
        || again.priority != c->priority || again.port != c->port
        || again.type != c->type || again.tcp != c->tcp
        || again.component != c->component
        || again.address.len != c->address.len
        || ngx_memcmp(again.address.data, c->address.data, c->address.len)
           != 0)
    {
        abort();
    }

    p = buf + (end - buf) / 2;

    if (ngx_webrtc_sdp_print_candidate(buf, p, c, 0) != NULL) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                      *p;
    ngx_uint_t                   i, n;
    ngx_webrtc_sdp_error_t       err;
    ngx_webrtc_sdp_candidate_t   c;

    p = (u_char *) data;
    start = data;
    length = size;

    n = 0;

    ngx_webrtc_sdp_candidate_add(&c, &n, 0, p, p + size);

    if (n != 0) {
        candidate(&c);
    }

    ngx_memset(&sdp, 0xa5, sizeof(sdp));
    err.cause = NULL;

    if (ngx_webrtc_sdp_parse(p, p + size, &sdp, &err) != NGX_OK) {

        if (err.cause == NULL || err.mline < -1
            || err.mline >= NGX_WEBRTC_SDP_MEDIA)
        {
            abort();
        }

        return 0;
    }

    if (sdp.nmedia > NGX_WEBRTC_SDP_MEDIA
        || sdp.nbundles > NGX_WEBRTC_SDP_BUNDLES
        || sdp.ncandidates > NGX_WEBRTC_SDP_CANDIDATES)
    {
        abort();
    }

    transport(&sdp.transport);

    for (i = 0; i < sdp.nbundles; i++) {
        view(&sdp.bundles[i]);
    }

    for (i = 0; i < sdp.nmedia; i++) {
        media(&sdp.media[i]);
    }

    for (i = 0; i < sdp.ncandidates; i++) {
        candidate(&sdp.candidates[i]);
    }

    return 0;
}
