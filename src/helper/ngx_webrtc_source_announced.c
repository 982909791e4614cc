
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Tracks that a source says it has, and those that may still appear.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libavutil/opt.h>

#include "ngx_webrtc_source_announced.h"
#include "ngx_webrtc_source_program.h"


/* Adobe Flash Video File Format 10.1, E.2: TypeFlags of the header */
#define NGX_WEBRTC_SOURCE_FLV_VIDEO      0x01
#define NGX_WEBRTC_SOURCE_FLV_AUDIO      0x04


static ngx_uint_t ngx_webrtc_source_announced_probed(
    ngx_webrtc_source_read_t *rd);
static ngx_uint_t ngx_webrtc_source_announced_metadata(AVFormatContext *ic,
    const char *key);


ngx_uint_t
ngx_webrtc_source_announced_track(ngx_webrtc_source_read_t *rd, ngx_uint_t kind)
{
    int64_t                      missing;
    ngx_uint_t                   video;
    ngx_webrtc_source_stream_t  *s;

    video = (kind == NGX_WEBRTC_VIDEO);

    s = video ? &rd->video : &rd->audio;

    if (rd->scrambled & kind) {
        return 0;
    }

    if (s->index >= 0) {
        return 1;
    }

    if (rd->ts && !video) {
        return ngx_webrtc_source_announced_probed(rd);
    }

    if (!rd->flv || (rd->warned & kind)) {
        return 0;
    }

    /* its streams are created as they come: header and onMetaData announce */

    if (av_opt_get_int(rd->ic, "missing_streams", AV_OPT_SEARCH_CHILDREN,
                       &missing)
        >= 0
        && (missing & (video ? NGX_WEBRTC_SOURCE_FLV_VIDEO
                             : NGX_WEBRTC_SOURCE_FLV_AUDIO)))
    {
        return 1;
    }

    return ngx_webrtc_source_announced_metadata(rd->ic, video ? "videocodecid"
                                                         : "audiocodecid");
}


ngx_uint_t
ngx_webrtc_source_announced_more(ngx_webrtc_source_read_t *rd)
{
    /* a program map may have another version at any time, known or not */

    return (rd->ic->ctx_flags & AVFMTCTX_NOHEADER)
           || rd->ts
           || ngx_strncmp(rd->ic->iformat->name, "hls", 3) == 0;
}


/* audio whose codec libavformat verifies from its first packets */

static ngx_uint_t
ngx_webrtc_source_announced_probed(ngx_webrtc_source_read_t *rd)
{
    ngx_uint_t          i;
    AVCodecParameters  *par;

    for (i = 0; i < rd->ic->nb_streams; i++) {

        par = rd->ic->streams[i]->codecpar;

        /* H.222.0, Table 2-34; ATSC A/53-3 */

        if (par->codec_id == AV_CODEC_ID_NONE
            && (par->codec_tag == 0x03 || par->codec_tag == 0x04
                || par->codec_tag == 0x0f || par->codec_tag == 0x11
                || par->codec_tag == 0x1c || par->codec_tag == 0x81
                || par->codec_tag == 0x87)
            && ngx_webrtc_source_program_has(rd, i))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * A codec of onMetaData: numbers as in the tags or names ("avc1"), and servers
 * write 0 for "none".  If nothing is said, anything may come.
 */

static ngx_uint_t
ngx_webrtc_source_announced_metadata(AVFormatContext *ic, const char *key)
{
    AVDictionaryEntry  *e;

    e = av_dict_get(ic->metadata, key, NULL, 0);

    if (e) {
        return e->value[0] != '\0' && ngx_strcmp(e->value, "0") != 0;
    }

    return av_dict_get(ic->metadata, "videocodecid", NULL, 0) == NULL
           && av_dict_get(ic->metadata, "audiocodecid", NULL, 0) == NULL;
}
