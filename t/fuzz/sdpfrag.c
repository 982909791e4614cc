
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Fuzz target: SDP fragments.
 * Property: every view lies within the input, every count within its limit, a
 * refusal has a cause; a restart's credentials fit a description; what is
 * printed with them is a restart again, then no longer one.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_sdpfrag.h>


#define ROOM  (NGX_WEBRTC_SDPFRAG_ROOM                                        \
               + NGX_WEBRTC_SDP_CANDIDATES * NGX_WEBRTC_SDPFRAG_CANDIDATE)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const uint8_t         *start;
static size_t                 length;
static ngx_webrtc_sdpfrag_t   frag, again;
static ngx_webrtc_desc_t      desc;
static u_char                 room[ROOM];


static void
view(const ngx_str_t *s)
{
    if (s->len != 0
        && (s->data < start || s->data > start + length
            || s->len > (size_t) (start + length - s->data)))
    {
        abort();
    }
}


static void
make_desc(void)
{
    static const u_char  ufrag[] = "EsAw";
    static const u_char  pwd[] = "P2uYro0UCOQ4zxjKXaWCBui1";

    ngx_memzero(&desc, sizeof(desc));

    desc.nmedia = 1;
    desc.media[0].kind = NGX_WEBRTC_SDP_VIDEO;
    desc.media[0].pt = 96;
    desc.media[0].mid_len = NGX_WEBRTC_DESC_MID;
    ngx_memset(desc.media[0].mid, 'm', NGX_WEBRTC_DESC_MID);

    desc.remote_ufrag_len = sizeof(ufrag) - 1;
    ngx_memcpy(desc.remote_ufrag, ufrag, sizeof(ufrag) - 1);
    desc.remote_pwd_len = sizeof(pwd) - 1;
    ngx_memcpy(desc.remote_pwd, pwd, sizeof(pwd) - 1);
}


static void
restart(void)
{
    u_char                       *p;
    ngx_uint_t                    kind;
    ngx_webrtc_sdp_error_t        err;
    ngx_webrtc_sdpfrag_answer_t   answer;

    if (frag.ufrag.len == 0 || frag.ufrag.len > NGX_WEBRTC_DESC_REMOTE_UFRAG
        || frag.pwd.len == 0 || frag.pwd.len > NGX_WEBRTC_DESC_REMOTE_PWD)
    {
        abort();
    }

    ngx_memzero(&answer, sizeof(answer));

    answer.ufrag = frag.ufrag;
    answer.pwd = frag.pwd;
    answer.end_of_candidates = 1;

    p = ngx_webrtc_sdpfrag_print(room, room + ROOM, &desc, &answer);

    if (p == NULL
        || ngx_webrtc_sdpfrag_parse(room, p, &again, &err) != NGX_OK
        || again.nmedia != 1 || !again.end_of_candidates
        || again.media[0].mid.len != NGX_WEBRTC_DESC_MID
        || ngx_webrtc_sdpfrag_classify(&again, &desc, &kind, &err) != NGX_OK
        || kind != NGX_WEBRTC_SDPFRAG_RESTART)
    {
        abort();
    }

    desc.remote_ufrag_len = (uint16_t) again.ufrag.len;
    ngx_memcpy(desc.remote_ufrag, again.ufrag.data, again.ufrag.len);
    desc.remote_pwd_len = (uint16_t) again.pwd.len;
    ngx_memcpy(desc.remote_pwd, again.pwd.data, again.pwd.len);

    if (ngx_webrtc_sdpfrag_classify(&frag, &desc, &kind, &err) != NGX_OK
        || kind != NGX_WEBRTC_SDPFRAG_TRICKLE)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t               rc;
    ngx_uint_t              i, kind;
    ngx_webrtc_sdp_error_t  err;

    start = data;
    length = size;

    ngx_memset(&frag, 0xa5, sizeof(frag));
    err.cause = NULL;

    if (ngx_webrtc_sdpfrag_parse((u_char *) data, (u_char *) data + size,
                                 &frag, &err)
        != NGX_OK)
    {
        if (err.cause == NULL || err.line == 0 || err.mline < -1
            || err.mline >= NGX_WEBRTC_SDP_MEDIA)
        {
            abort();
        }

        return 0;
    }

    if (frag.nmedia > NGX_WEBRTC_SDP_MEDIA
        || frag.ncandidates > NGX_WEBRTC_SDP_CANDIDATES)
    {
        abort();
    }

    view(&frag.ufrag);
    view(&frag.pwd);

    for (i = 0; i < frag.nmedia; i++) {
        view(&frag.media[i].type);
        view(&frag.media[i].mid);

        if (frag.media[i].mid.len > NGX_WEBRTC_DESC_MID) {
            abort();
        }
    }

    for (i = 0; i < frag.ncandidates; i++) {
        view(&frag.candidates[i].foundation);
        view(&frag.candidates[i].address);
        view(&frag.candidates[i].raddr);

        if (frag.candidates[i].mline != NGX_WEBRTC_SDPFRAG_NO_MLINE
            && frag.candidates[i].mline >= frag.nmedia)
        {
            abort();
        }
    }

    make_desc();

    rc = ngx_webrtc_sdpfrag_classify(&frag, &desc, &kind, &err);

    if (rc == NGX_OK) {

        if (kind == NGX_WEBRTC_SDPFRAG_RESTART) {
            restart();
        }

    } else if (rc != NGX_DECLINED || err.cause == NULL) {
        abort();
    }

    return 0;
}
