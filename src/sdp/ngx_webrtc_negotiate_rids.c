
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Simulcast of a publisher: see the header file.  RFC 8851 (rid), RFC 8853
 * (simulcast).
 *
 * An offer's "a=simulcast:send h;m,n;~l" are three layers, the second in either
 * of two formats, and the third paused.  A pause is not repeated in the answer:
 * the layer may begin at any time, and an answer that has it would keep it from
 * that.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_webrtc_negotiate_rids.h>
#include <ngx_webrtc_sdp_text.h>


/* bytes of a rid's restrictions; chosen: all of RFC 8851's take 130 */
#define NGX_WEBRTC_NEGOTIATE_RIDS_PARAMS  160


static ngx_uint_t ngx_webrtc_negotiate_rids_told(
    const ngx_webrtc_sdp_media_t *media);
static ngx_int_t ngx_webrtc_negotiate_rids_list(const ngx_str_t *simulcast,
    ngx_str_t *list);
static u_char *ngx_webrtc_negotiate_rids_layer(
    const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick, u_char *p, u_char *end,
    ngx_webrtc_sdp_answer_media_t *am);
static const ngx_webrtc_sdp_rid_t *ngx_webrtc_negotiate_rids_find(
    const ngx_webrtc_sdp_media_t *media, const ngx_str_t *id);
static ngx_uint_t ngx_webrtc_negotiate_rids_may(
    const ngx_webrtc_sdp_rid_t *rid, const ngx_webrtc_negotiate_pick_t *pick);
static ngx_uint_t ngx_webrtc_negotiate_rids_types(u_char *p, u_char *end,
    const ngx_webrtc_negotiate_pick_t *pick);


void
ngx_webrtc_negotiate_rids(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick,
    ngx_webrtc_sdp_answer_media_t *am)
{
    u_char     *p, *end;
    ngx_str_t   list;

    am->nrids = 0;

    if (media->kind != NGX_WEBRTC_SDP_VIDEO
        || !ngx_webrtc_negotiate_rids_told(media)
        || ngx_webrtc_negotiate_rids_list(&media->simulcast, &list) != NGX_OK)
    {
        return;
    }

    p = list.data;
    end = p + list.len;

    while (p < end && am->nrids < NGX_WEBRTC_DESC_RIDS) {
        p = ngx_webrtc_negotiate_rids_layer(media, pick, p, end, am);
    }

    if (am->nrids < 2) {
        am->nrids = 0;
    }
}


void
ngx_webrtc_negotiate_rids_keep(ngx_webrtc_desc_media_t *dm,
    ngx_webrtc_sdp_answer_media_t *am)
{
    ngx_uint_t  i;

    for (i = 0; dm->ext_rid && i < am->nrids; i++) {
        if (ngx_webrtc_desc_add_rid(dm, &am->rids[i].id) != NGX_OK) {
            break;
        }
    }

    am->nrids = i;
}


/* would its packets have the extension? */

static ngx_uint_t
ngx_webrtc_negotiate_rids_told(const ngx_webrtc_sdp_media_t *media)
{
    ngx_uint_t  i;

    static const ngx_str_t  uri = ngx_webrtc_negotiate_rids_ext;

    for (i = 0; i < media->nexts; i++) {
        if ((media->exts[i].direction & NGX_WEBRTC_SDP_SENDONLY)
            && ngx_webrtc_sdp_same(&media->exts[i].uri, &uri))
        {
            return 1;
        }
    }

    return 0;
}


/* "send <list> [recv <list>]", or the other way round */

static ngx_int_t
ngx_webrtc_negotiate_rids_list(const ngx_str_t *simulcast, ngx_str_t *list)
{
    u_char     *p, *end;
    ngx_str_t   direction;

    if (simulcast->len == 0) {
        return NGX_DECLINED;
    }

    p = simulcast->data;
    end = p + simulcast->len;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_token(p, end, &direction);
        p = ngx_webrtc_sdp_read_token(p, end, list);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        if (direction.len == 4
            && ngx_strncmp(direction.data, "send", 4) == 0)
        {
            return NGX_OK;
        }
    }
}


/* Adds the first acceptable format of a layer.  Returns where the next is. */

static u_char *
ngx_webrtc_negotiate_rids_layer(const ngx_webrtc_sdp_media_t *media,
    const ngx_webrtc_negotiate_pick_t *pick, u_char *p, u_char *end,
    ngx_webrtc_sdp_answer_media_t *am)
{
    ngx_str_t                    id;
    ngx_uint_t                   i, found;
    const ngx_webrtc_sdp_rid_t  *rid;

    for (found = 0; p < end; p++) {

        if (*p == '~') {
            p++;
        }

        id.data = p;

        while (p < end && *p != ',' && *p != ';') {
            p++;
        }

        id.len = p - id.data;

        rid = ngx_webrtc_negotiate_rids_find(media, &id);

        for (i = 0; i < am->nrids; i++) {
            if (ngx_webrtc_sdp_same(&am->rids[i].id, &id)) {
                rid = NULL;
            }
        }

        if (!found && rid && ngx_webrtc_negotiate_rids_may(rid, pick)) {
            am->rids[am->nrids++] = *rid;
            found = 1;
        }

        if (p == end || *p == ';') {
            break;
        }
    }

    return (p < end) ? p + 1 : end;
}


static const ngx_webrtc_sdp_rid_t *
ngx_webrtc_negotiate_rids_find(const ngx_webrtc_sdp_media_t *media,
    const ngx_str_t *id)
{
    ngx_uint_t  i;

    for (i = 0; i < media->nrids; i++) {
        if (media->rids[i].direction == NGX_WEBRTC_SDP_SENDONLY
            && ngx_webrtc_sdp_same(&media->rids[i].id, id))
        {
            return &media->rids[i];
        }
    }

    return NULL;
}


/* RFC 8851, 10: rid-id; what restricts it is repeated as it is */

static ngx_uint_t
ngx_webrtc_negotiate_rids_may(const ngx_webrtc_sdp_rid_t *rid,
    const ngx_webrtc_negotiate_pick_t *pick)
{
    u_char  *p, *end;

    p = rid->params.data;
    end = p + rid->params.len;

    if (!ngx_webrtc_desc_is_name(&rid->id, NGX_WEBRTC_DESC_RID)
        || rid->params.len > NGX_WEBRTC_NEGOTIATE_RIDS_PARAMS
        || (rid->params.len && ngx_webrtc_sdp_visible(p, end) != NGX_OK))
    {
        return 0;
    }

    for ( /* void */ ; p < end; p++) {

        if (end - p >= 3 && ngx_strncmp(p, "pt=", 3) == 0
            && !ngx_webrtc_negotiate_rids_types(p + 3, end, pick))
        {
            return 0;
        }

        while (p < end && *p != ';') {
            p++;
        }
    }

    return 1;
}


/* are all payload types that it is restricted to accepted? */

static ngx_uint_t
ngx_webrtc_negotiate_rids_types(u_char *p, u_char *end,
    const ngx_webrtc_negotiate_pick_t *pick)
{
    uint64_t    pt;
    ngx_uint_t  i, n;

    for ( ;; ) {
        p = ngx_webrtc_sdp_read_number(p, end, 127, &pt);

        if (p == NULL) {
            return 0;
        }

        n = (pick->choice.offered->pt == pt);

        for (i = 0; i < pick->nalts; i++) {
            n += (pick->alts[i].offered->pt == pt);
        }

        if (n == 0) {
            return 0;
        }

        if (p == end || *p != ',') {
            return 1;
        }

        p++;
    }
}
