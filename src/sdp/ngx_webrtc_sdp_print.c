
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP printer: see ngx_webrtc_sdp.h.  The order of lines follows RFC 8829,
 * 5.3.1, which some clients' parsers have come to expect.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdp.h>
#include <ngx_webrtc_sdp_text.h>


/* "9" and 0.0.0.0: there is no default candidate; RFC 8840, 4.1.3 */
#define NGX_WEBRTC_SDP_PORT  9


static u_char *ngx_webrtc_sdp_print_session(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer);
static u_char *ngx_webrtc_sdp_print_rejected(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media);
static u_char *ngx_webrtc_sdp_print_media(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media, ngx_uint_t tagged);
static u_char *ngx_webrtc_sdp_print_transport(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer, ngx_uint_t tagged);
static const char *ngx_webrtc_sdp_print_setup(ngx_uint_t setup);
static u_char *ngx_webrtc_sdp_print_codec(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_codec_t *codec);
static u_char *ngx_webrtc_sdp_print_rids(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_media_t *media);
static u_char *ngx_webrtc_sdp_print_ssrc(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media, uint32_t ssrc);


static const char *const  ngx_webrtc_sdp_directions[] = {
    "inactive",
    "sendonly",
    "recvonly",
    "sendrecv"
};


u_char *
ngx_webrtc_sdp_print(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer)
{
    ngx_uint_t                            i, tagged;
    const ngx_webrtc_sdp_answer_media_t  *media;

    p = ngx_webrtc_sdp_print_session(p, end, answer);

    tagged = 1;

    for (i = 0; i < answer->nmedia; i++) {
        media = &answer->media[i];

        if (media->rejected) {
            p = ngx_webrtc_sdp_print_rejected(p, end, answer, media);
            continue;
        }

        p = ngx_webrtc_sdp_print_media(p, end, answer, media, tagged);

        tagged = 0;
    }

    return p;
}


static u_char *
ngx_webrtc_sdp_print_session(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer)
{
    ngx_uint_t                            i, n;
    const ngx_webrtc_sdp_answer_media_t  *media;

    p = ngx_webrtc_sdp_printf(p, end,
                              "v=0" CRLF
                              "o=- %uL %uL IN IP4 0.0.0.0" CRLF
                              "s=-" CRLF
                              "t=0 0" CRLF,
                              answer->sess_id, answer->sess_version);

    n = 0;

    for (i = 0; i < answer->nmedia; i++) {
        media = &answer->media[i];

        if (media->rejected || !media->bundled) {
            continue;
        }

        if (n++ == 0) {
            p = ngx_webrtc_sdp_printf(p, end, "a=group:BUNDLE");
        }

        p = ngx_webrtc_sdp_printf(p, end, " %V", &media->mid);
    }

    if (n != 0) {
        p = ngx_webrtc_sdp_printf(p, end, CRLF);
    }

    if (answer->ice_lite) {
        p = ngx_webrtc_sdp_printf(p, end, "a=ice-lite" CRLF);
    }

    return ngx_webrtc_sdp_printf(p, end, "a=msid-semantic: WMS *" CRLF);
}


/*
 * RFC 3264, 6: a rejected m-line keeps its place and has at least one format.
 * The transport is meaningless there, but aiortc 1.4 insists on it.
 */

static u_char *
ngx_webrtc_sdp_print_rejected(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media)
{
    p = ngx_webrtc_sdp_printf(p, end,
                              "m=%V 0 %V %V" CRLF
                              "c=IN IP4 0.0.0.0" CRLF,
                              &media->type, &media->proto, &media->fmt);

    if (media->mid.len) {
        p = ngx_webrtc_sdp_printf(p, end, "a=mid:%V" CRLF, &media->mid);
    }

    p = ngx_webrtc_sdp_print_transport(p, end, answer, 0);

    return ngx_webrtc_sdp_printf(p, end, "a=inactive" CRLF);
}


static u_char *
ngx_webrtc_sdp_print_media(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media, ngx_uint_t tagged)
{
    ngx_uint_t                            i;
    const ngx_webrtc_sdp_answer_codec_t  *codec;

    p = ngx_webrtc_sdp_printf(p, end, "m=%V %ui %V", &media->type,
                              (ngx_uint_t) NGX_WEBRTC_SDP_PORT, &media->proto);

    for (i = 0; i < media->ncodecs; i++) {
        codec = &media->codecs[i];

        p = ngx_webrtc_sdp_printf(p, end, " %ui", (ngx_uint_t) codec->pt);

        if (codec->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
            p = ngx_webrtc_sdp_printf(p, end, " %ui",
                                      (ngx_uint_t) codec->rtx_pt);
        }
    }

    p = ngx_webrtc_sdp_printf(p, end, CRLF "c=IN IP4 0.0.0.0" CRLF);

    if (media->mid.len) {
        p = ngx_webrtc_sdp_printf(p, end, "a=mid:%V" CRLF, &media->mid);
    }

    p = ngx_webrtc_sdp_print_transport(p, end, answer, tagged);

    p = ngx_webrtc_sdp_printf(p, end, "a=rtcp-mux" CRLF);

    if (media->rtcp_rsize) {
        p = ngx_webrtc_sdp_printf(p, end, "a=rtcp-rsize" CRLF);
    }

    if (media->rcvr_rtt) {
        p = ngx_webrtc_sdp_printf(p, end, "a=rtcp-xr:rcvr-rtt=all" CRLF);
    }

    p = ngx_webrtc_sdp_printf(p, end, "a=%s" CRLF,
                              ngx_webrtc_sdp_directions[media->direction & 3]);

    if (media->ssrc) {
        p = ngx_webrtc_sdp_printf(p, end, "a=msid:%V %V" CRLF,
                                  &answer->stream_id, &media->track_id);
    }

    if (media->mixed_exts) {
        p = ngx_webrtc_sdp_printf(p, end, "a=extmap-allow-mixed" CRLF);
    }

    for (i = 0; i < media->nexts; i++) {
        p = ngx_webrtc_sdp_printf(p, end, "a=extmap:%ui %V" CRLF,
                                  (ngx_uint_t) media->exts[i].id,
                                  &media->exts[i].uri);
    }

    for (i = 0; i < media->ncodecs; i++) {
        p = ngx_webrtc_sdp_print_codec(p, end, &media->codecs[i]);
    }

    if (media->nrids) {
        p = ngx_webrtc_sdp_print_rids(p, end, media);
    }

    if (media->ssrc == 0) {
        return p;
    }

    if (media->rtx_ssrc) {
        p = ngx_webrtc_sdp_printf(p, end, "a=ssrc-group:FID %uD %uD" CRLF,
                                  media->ssrc, media->rtx_ssrc);
    }

    p = ngx_webrtc_sdp_print_ssrc(p, end, answer, media, media->ssrc);

    if (media->rtx_ssrc) {
        p = ngx_webrtc_sdp_print_ssrc(p, end, answer, media, media->rtx_ssrc);
    }

    return p;
}


static u_char *
ngx_webrtc_sdp_print_transport(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer, ngx_uint_t tagged)
{
    ngx_uint_t  i;

    p = ngx_webrtc_sdp_printf(p, end,
                              "a=ice-ufrag:%V" CRLF
                              "a=ice-pwd:%V" CRLF
                              "a=fingerprint:%V" CRLF
                              "a=setup:%s" CRLF,
                              &answer->ufrag, &answer->pwd,
                              &answer->fingerprint,
                              ngx_webrtc_sdp_print_setup(answer->setup));

    if (!tagged) {
        return p;
    }

    for (i = 0; i < answer->ncandidates; i++) {
        p = ngx_webrtc_sdp_printf(p, end, "a=");
        p = ngx_webrtc_sdp_print_candidate(p, end, &answer->candidates[i], i);
        p = ngx_webrtc_sdp_printf(p, end, CRLF);
    }

    if (answer->end_of_candidates) {
        p = ngx_webrtc_sdp_printf(p, end, "a=end-of-candidates" CRLF);
    }

    return p;
}


static const char *
ngx_webrtc_sdp_print_setup(ngx_uint_t setup)
{
    switch (setup) {

    case NGX_WEBRTC_SDP_SETUP_ACTIVE:
        return "active";

    case NGX_WEBRTC_SDP_SETUP_ACTPASS:
        return "actpass";

    default:
        return "passive";
    }
}


static u_char *
ngx_webrtc_sdp_print_codec(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_codec_t *codec)
{
    ngx_uint_t  i, pt;

    static const struct {
        ngx_uint_t   fb;
        const char  *text;
    } fbs[] = {
        { NGX_WEBRTC_FB_REMB, "goog-remb" },
        { NGX_WEBRTC_FB_TWCC, "transport-cc" },
        { NGX_WEBRTC_FB_FIR, "ccm fir" },
        { NGX_WEBRTC_FB_NACK, "nack" },
        { NGX_WEBRTC_FB_PLI, "nack pli" },
        { NGX_WEBRTC_FB_RRTR, "rrtr" }
    };

    pt = codec->pt;

    p = ngx_webrtc_sdp_printf(p, end, "a=rtpmap:%ui %V/%uD", pt, &codec->name,
                              codec->clock_rate);

    if (codec->channels > 1) {
        p = ngx_webrtc_sdp_printf(p, end, "/%ui",
                                  (ngx_uint_t) codec->channels);
    }

    p = ngx_webrtc_sdp_printf(p, end, CRLF);

    if (codec->fmtp.len) {
        p = ngx_webrtc_sdp_printf(p, end, "a=fmtp:%ui %V" CRLF, pt,
                                  &codec->fmtp);
    }

    for (i = 0; i < sizeof(fbs) / sizeof(fbs[0]); i++) {
        if (codec->fb & fbs[i].fb) {
            p = ngx_webrtc_sdp_printf(p, end, "a=rtcp-fb:%ui %s" CRLF, pt,
                                      fbs[i].text);
        }
    }

    /* RFC 4588, 8.6 */

    if (codec->rtx_pt != NGX_WEBRTC_DESC_NO_PT) {
        p = ngx_webrtc_sdp_printf(p, end,
                                  "a=rtpmap:%ui rtx/%uD" CRLF
                                  "a=fmtp:%ui apt=%ui" CRLF,
                                  (ngx_uint_t) codec->rtx_pt,
                                  codec->clock_rate,
                                  (ngx_uint_t) codec->rtx_pt, pt);
    }

    return p;
}


/* RFC 8851, 4; RFC 8853, 5.1 */

static u_char *
ngx_webrtc_sdp_print_rids(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_media_t *media)
{
    ngx_uint_t                   i;
    const ngx_webrtc_sdp_rid_t  *rid;

    for (i = 0; i < media->nrids; i++) {
        rid = &media->rids[i];

        p = ngx_webrtc_sdp_printf(p, end, "a=rid:%V recv%s%V" CRLF, &rid->id,
                                  rid->params.len ? " " : "", &rid->params);
    }

    for (i = 0; i < media->nrids; i++) {
        p = ngx_webrtc_sdp_printf(p, end, "%s%V",
                                  i ? ";" : "a=simulcast:recv ",
                                  &media->rids[i].id);
    }

    return ngx_webrtc_sdp_printf(p, end, CRLF);
}


static u_char *
ngx_webrtc_sdp_print_ssrc(u_char *p, u_char *end,
    const ngx_webrtc_sdp_answer_t *answer,
    const ngx_webrtc_sdp_answer_media_t *media, uint32_t ssrc)
{
    return ngx_webrtc_sdp_printf(p, end,
                                 "a=ssrc:%uD cname:%V" CRLF
                                 "a=ssrc:%uD msid:%V %V" CRLF,
                                 ssrc, &answer->cname, ssrc,
                                 &answer->stream_id, &media->track_id);
}
