
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * SDP fragments: see ngx_webrtc_sdpfrag.h.  RFC 8840, 9.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdpfrag.h>
#include <ngx_webrtc_sdp_candidate.h>
#include <ngx_webrtc_sdp_text.h>
#include <ngx_webrtc_sdp_transport.h>


/* the letter of a line is followed by "=" */
#define NGX_WEBRTC_SDPFRAG_LINE  2


enum ngx_webrtc_sdpfrag_attr_e {
    NGX_WEBRTC_SDPFRAG_ATTR_CANDIDATE = 1,
    NGX_WEBRTC_SDPFRAG_ATTR_END,
    NGX_WEBRTC_SDPFRAG_ATTR_MID,
    NGX_WEBRTC_SDPFRAG_ATTR_UFRAG,
    NGX_WEBRTC_SDPFRAG_ATTR_PWD,
    NGX_WEBRTC_SDPFRAG_ATTR_LITE
};


static const char *ngx_webrtc_sdpfrag_line(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdpfrag_mline(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdpfrag_attribute(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdpfrag_mid(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdpfrag_ufrag(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static const char *ngx_webrtc_sdpfrag_pwd(ngx_webrtc_sdpfrag_t *frag,
    u_char *p, u_char *end);
static ngx_webrtc_sdpfrag_media_t *ngx_webrtc_sdpfrag_add(
    ngx_webrtc_sdpfrag_t *frag);
static const char *ngx_webrtc_sdpfrag_kind(const ngx_webrtc_sdpfrag_t *frag,
    const ngx_webrtc_desc_t *desc, ngx_uint_t *kind);
static u_char *ngx_webrtc_sdpfrag_print_mline(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc);


/* names are case-sensitive: RFC 8866, 5.13 */

static const struct {
    ngx_str_t   name;
    ngx_uint_t  attr;
} ngx_webrtc_sdpfrag_attrs[] = {
    { ngx_string("candidate"), NGX_WEBRTC_SDPFRAG_ATTR_CANDIDATE },
    { ngx_string("end-of-candidates"), NGX_WEBRTC_SDPFRAG_ATTR_END },
    { ngx_string("mid"), NGX_WEBRTC_SDPFRAG_ATTR_MID },
    { ngx_string("ice-ufrag"), NGX_WEBRTC_SDPFRAG_ATTR_UFRAG },
    { ngx_string("ice-pwd"), NGX_WEBRTC_SDPFRAG_ATTR_PWD },
    { ngx_string("ice-lite"), NGX_WEBRTC_SDPFRAG_ATTR_LITE },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_webrtc_sdpfrag_parse(u_char *p, u_char *end, ngx_webrtc_sdpfrag_t *frag,
    ngx_webrtc_sdp_error_t *err)
{
    u_char      *eol, *last;
    const char  *cause;

    ngx_memzero(frag, offsetof(ngx_webrtc_sdpfrag_t, candidates));

    err->line = 1;

    for ( ;; ) {
        eol = ngx_strlchr(p, end, '\n');
        if (eol == NULL) {
            eol = end;
        }

        last = (eol > p && eol[-1] == '\r') ? eol - 1 : eol;

        if (last > p) {
            cause = ngx_webrtc_sdpfrag_line(frag, p, last);

            if (cause != NULL) {
                err->cause = cause;
                err->mline = (ngx_int_t) frag->nmedia - 1;
                return NGX_DECLINED;
            }
        }

        if (eol == end) {
            return NGX_OK;
        }

        p = eol + 1;
        err->line++;
    }
}


ngx_int_t
ngx_webrtc_sdpfrag_classify(const ngx_webrtc_sdpfrag_t *frag,
    const ngx_webrtc_desc_t *desc, ngx_uint_t *kind,
    ngx_webrtc_sdp_error_t *err)
{
    const char  *cause;

    cause = ngx_webrtc_sdpfrag_kind(frag, desc, kind);

    if (cause == NULL) {
        return NGX_OK;
    }

    err->cause = cause;
    err->mline = -1;
    err->line = 0;

    return NGX_DECLINED;
}


u_char *
ngx_webrtc_sdpfrag_print(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc, const ngx_webrtc_sdpfrag_answer_t *answer)
{
    ngx_uint_t  i;

    if (answer->ice_lite) {
        p = ngx_webrtc_sdp_printf(p, end, "a=ice-lite" CRLF);
    }

    p = ngx_webrtc_sdpfrag_print_mline(p, end, desc);

    p = ngx_webrtc_sdp_printf(p, end,
                              "a=ice-ufrag:%V" CRLF
                              "a=ice-pwd:%V" CRLF,
                              &answer->ufrag, &answer->pwd);

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
ngx_webrtc_sdpfrag_line(ngx_webrtc_sdpfrag_t *frag, u_char *p, u_char *end)
{
    if (end - p < NGX_WEBRTC_SDPFRAG_LINE || p[1] != '=') {
        return "a line is not of the form \"x=\"";
    }

    if (ngx_webrtc_sdp_control(p, end)) {
        return "a line has a control character";
    }

    switch (p[0]) {

    case 'a':
        return ngx_webrtc_sdpfrag_attribute(frag,
                                            p + NGX_WEBRTC_SDPFRAG_LINE, end);

    case 'm':
        return ngx_webrtc_sdpfrag_mline(frag, p + NGX_WEBRTC_SDPFRAG_LINE,
                                        end);

    default:
        return NULL;
    }
}


/*
 * RFC 8840, 9: the m-line is a pseudo one, "m=<media> 9 RTP/AVP 0"; nothing but
 * its place matters
 */

static const char *
ngx_webrtc_sdpfrag_mline(ngx_webrtc_sdpfrag_t *frag, u_char *p, u_char *end)
{
    ngx_str_t                    type;
    ngx_webrtc_sdpfrag_media_t  *media;

    if (ngx_webrtc_sdp_read_token(p, end, &type) == NULL) {
        return "an m-line is malformed";
    }

    media = ngx_webrtc_sdpfrag_add(frag);

    if (media == NULL) {
        return "there are too many m-lines";
    }

    media->type = type;

    return NULL;
}


static const char *
ngx_webrtc_sdpfrag_attribute(ngx_webrtc_sdpfrag_t *frag, u_char *p,
    u_char *end)
{
    size_t      n;
    u_char     *colon;
    ngx_uint_t  i, mline;

    colon = ngx_strlchr(p, end, ':');
    n = (colon == NULL ? end : colon) - p;

    for (i = 0; ngx_webrtc_sdpfrag_attrs[i].attr != 0; i++) {
        if (ngx_webrtc_sdpfrag_attrs[i].name.len == n
            && ngx_memcmp(ngx_webrtc_sdpfrag_attrs[i].name.data, p, n) == 0)
        {
            break;
        }
    }

    p = (colon == NULL) ? end : colon + 1;

    switch (ngx_webrtc_sdpfrag_attrs[i].attr) {

    case NGX_WEBRTC_SDPFRAG_ATTR_CANDIDATE:
        mline = frag->nmedia ? frag->nmedia - 1
                             : NGX_WEBRTC_SDPFRAG_NO_MLINE;

        ngx_webrtc_sdp_candidate_add(frag->candidates, &frag->ncandidates,
                                     mline, p, end);
        return NULL;

    case NGX_WEBRTC_SDPFRAG_ATTR_END:
        frag->end_of_candidates = 1;

        if (frag->nmedia) {
            frag->media[frag->nmedia - 1].end_of_candidates = 1;
        }

        return NULL;

    case NGX_WEBRTC_SDPFRAG_ATTR_MID:
        return ngx_webrtc_sdpfrag_mid(frag, p, end);

    case NGX_WEBRTC_SDPFRAG_ATTR_UFRAG:
        return ngx_webrtc_sdpfrag_ufrag(frag, p, end);

    case NGX_WEBRTC_SDPFRAG_ATTR_PWD:
        return ngx_webrtc_sdpfrag_pwd(frag, p, end);

    case NGX_WEBRTC_SDPFRAG_ATTR_LITE:
        frag->ice_lite = 1;
        return NULL;

    default:
        return NULL;
    }
}


/* a mid alone stands for an m-line: some clients write no m-lines */

static const char *
ngx_webrtc_sdpfrag_mid(ngx_webrtc_sdpfrag_t *frag, u_char *p, u_char *end)
{
    ngx_str_t                    mid;
    const char                  *cause;
    ngx_webrtc_sdpfrag_media_t  *media;

    media = frag->nmedia ? &frag->media[frag->nmedia - 1] : NULL;

    if (media == NULL || media->mid.len != 0) {
        media = ngx_webrtc_sdpfrag_add(frag);

        if (media == NULL) {
            return "there are too many m-lines";
        }
    }

    cause = ngx_webrtc_sdp_transport_mid(&mid, p, end);

    if (cause != NULL) {
        return cause;
    }

    media->mid = mid;

    return NULL;
}


static const char *
ngx_webrtc_sdpfrag_ufrag(ngx_webrtc_sdpfrag_t *frag, u_char *p, u_char *end)
{
    ngx_str_t    ufrag;
    const char  *cause;

    cause = ngx_webrtc_sdp_transport_ufrag(&ufrag, p, end);

    if (cause != NULL) {
        return cause;
    }

    if (frag->ufrag.len != 0 && !ngx_webrtc_sdp_same(&frag->ufrag, &ufrag)) {
        return "there are several ice-ufrags";
    }

    frag->ufrag = ufrag;

    return NULL;
}


static const char *
ngx_webrtc_sdpfrag_pwd(ngx_webrtc_sdpfrag_t *frag, u_char *p, u_char *end)
{
    ngx_str_t    pwd;
    const char  *cause;

    cause = ngx_webrtc_sdp_transport_pwd(&pwd, p, end);

    if (cause != NULL) {
        return cause;
    }

    if (frag->pwd.len != 0 && !ngx_webrtc_sdp_same(&frag->pwd, &pwd)) {
        return "there are several ice-pwds";
    }

    frag->pwd = pwd;

    return NULL;
}


static ngx_webrtc_sdpfrag_media_t *
ngx_webrtc_sdpfrag_add(ngx_webrtc_sdpfrag_t *frag)
{
    ngx_webrtc_sdpfrag_media_t  *media;

    if (frag->nmedia == NGX_WEBRTC_SDP_MEDIA) {
        return NULL;
    }

    media = &frag->media[frag->nmedia++];

    ngx_memzero(media, sizeof(ngx_webrtc_sdpfrag_media_t));

    return media;
}


/* NULL, or why the fragment makes no sense */

static const char *
ngx_webrtc_sdpfrag_kind(const ngx_webrtc_sdpfrag_t *frag,
    const ngx_webrtc_desc_t *desc, ngx_uint_t *kind)
{
    ngx_uint_t  same_ufrag, same_pwd;

    *kind = NGX_WEBRTC_SDPFRAG_TRICKLE;

    if (frag->ufrag.len == 0 && frag->pwd.len == 0) {
        return NULL;
    }

    if (desc->remote_ufrag_len == 0) {
        return "the counter-offer has not been answered";
    }

    same_ufrag = (frag->ufrag.len == desc->remote_ufrag_len
                  && ngx_memcmp(frag->ufrag.data, desc->remote_ufrag,
                                frag->ufrag.len)
                     == 0);

    same_pwd = (frag->pwd.len == desc->remote_pwd_len
                && ngx_memcmp(frag->pwd.data, desc->remote_pwd, frag->pwd.len)
                   == 0);

    if (frag->ufrag.len == 0) {
        return same_pwd ? NULL : "there is an ice-pwd without an ice-ufrag";
    }

    if (same_ufrag) {
        return (frag->pwd.len == 0 || same_pwd)
               ? NULL : "the ice-pwd does not belong to the ice-ufrag";
    }

    if (frag->pwd.len == 0) {
        return "there is a new ice-ufrag without an ice-pwd";
    }

    /* RFC 8445, 9: "the agent MUST change both the password and the username
     * fragment" */

    if (same_pwd) {
        return "there is a new ice-ufrag with the old ice-pwd";
    }

    *kind = NGX_WEBRTC_SDPFRAG_RESTART;

    return NULL;
}


/*
 * RFC 9725, 4.3.3: only the m-line of the transport, as in the answer, and the
 * group to show that all m-lines share it
 */

static u_char *
ngx_webrtc_sdpfrag_print_mline(u_char *p, u_char *end,
    const ngx_webrtc_desc_t *desc)
{
    ngx_str_t                       mid;
    ngx_uint_t                      i;
    const ngx_webrtc_desc_media_t  *m;

    if (desc->nmedia == 0) {
        return p;
    }

    if (desc->media[0].mid_len != 0) {
        p = ngx_webrtc_sdp_printf(p, end, "a=group:BUNDLE");

        for (i = 0; i < desc->nmedia; i++) {
            m = &desc->media[i];

            mid.data = (u_char *) m->mid;
            mid.len = m->mid_len;

            p = ngx_webrtc_sdp_printf(p, end, " %V", &mid);
        }

        p = ngx_webrtc_sdp_printf(p, end, CRLF);
    }

    m = &desc->media[0];

    p = ngx_webrtc_sdp_printf(p, end, "m=%s 9 UDP/TLS/RTP/SAVPF %ui" CRLF,
                              (m->kind == NGX_WEBRTC_SDP_AUDIO) ? "audio"
                                                                : "video",
                              (ngx_uint_t) m->pt);

    if (m->mid_len != 0) {
        mid.data = (u_char *) m->mid;
        mid.len = m->mid_len;

        p = ngx_webrtc_sdp_printf(p, end, "a=mid:%V" CRLF, &mid);
    }

    return p;
}
