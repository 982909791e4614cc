
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The manifest of DASH (ISO/IEC 23009-1) of the segments that playlists list.
 *
 * A run is a period.  What a player has seen of one must not change: so periods
 * begin when their first part did, whatever of them is still listed, and all is
 * counted from an hour before the channel was made, as a stream's first key
 * frame may be older than that.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_hls_text.h"


/* us */
#define NGX_WEBRTC_HLS_MPD_BEFORE   3600000000LL

/* bytes of text: in all, of a track in a period with what is around it, of a
 * segment */
#define NGX_WEBRTC_HLS_MPD_HEAD     1024
#define NGX_WEBRTC_HLS_MPD_TRACK    1024
#define NGX_WEBRTC_HLS_MPD_SEGMENT  64


static u_char *ngx_webrtc_hls_mpd_head(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, int64_t from_us, int64_t now_us);
static uint32_t ngx_webrtc_hls_mpd_first(const ngx_webrtc_hls_list_t *lists);
static uint32_t ngx_webrtc_hls_mpd_run(const ngx_webrtc_hls_list_t *lists,
    ngx_uint_t *at, uint32_t least, int64_t *run_us);
static u_char *ngx_webrtc_hls_mpd_period(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_list_t *lists,
    const ngx_uint_t *at, uint32_t run, const ngx_str_t *query);
static u_char *ngx_webrtc_hls_mpd_track(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, ngx_uint_t at, uint32_t run,
    const ngx_str_t *query);


size_t
ngx_webrtc_hls_text_mpd_size(const ngx_webrtc_hls_list_t *lists,
    const ngx_str_t *query)
{
    size_t      n;
    uint32_t    run, first;
    ngx_uint_t  i, k;

    n = NGX_WEBRTC_HLS_MPD_HEAD;
    first = ngx_webrtc_hls_mpd_first(lists);

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        run = 0;

        for (k = 0; k < lists[i].nsegments; k++) {

            if (lists[i].segments[k].run < first) {
                continue;
            }

            n += NGX_WEBRTC_HLS_MPD_SEGMENT;

            if (lists[i].segments[k].run != run) {
                run = lists[i].segments[k].run;
                n += NGX_WEBRTC_HLS_MPD_TRACK + 2 * query->len;
            }
        }
    }

    return n;
}


u_char *
ngx_webrtc_hls_text_mpd(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_list_t *lists,
    int64_t now_us, const ngx_str_t *query)
{
    int64_t     from_us, run_us, ms;
    uint32_t    run;
    ngx_uint_t  at[NGX_WEBRTC_HLS_TRACKS];

    from_us = info->begun_us - NGX_WEBRTC_HLS_MPD_BEFORE;

    p = ngx_webrtc_hls_mpd_head(p, last, info, from_us, now_us);

    ngx_memzero(at, sizeof(at));

    for (run = ngx_webrtc_hls_mpd_run(lists, at,
                                      ngx_webrtc_hls_mpd_first(lists),
                                      &run_us);
         run;
         run = ngx_webrtc_hls_mpd_run(lists, at, run + 1, &run_us))
    {
        ms = (run_us - from_us) / 1000;

        p = ngx_slprintf(p, last, "<Period id=\"%uD\" start=\"PT%L.%03LS\">\n",
                         run, ms / 1000, ms % 1000);

        p = ngx_webrtc_hls_mpd_period(p, last, info, lists, at, run, query);
        p = ngx_slprintf(p, last, "</Period>\n");
    }

    p = ngx_slprintf(p, last, "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:"
                     "direct:2014\" value=\"");
    p = ngx_webrtc_hls_text_date(p, last, now_us);

    return ngx_slprintf(p, last, "\"/>\n</MPD>\n");
}


static u_char *
ngx_webrtc_hls_mpd_head(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, int64_t from_us, int64_t now_us)
{
    int64_t  ms;

    p = ngx_slprintf(p, last, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                     "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" "
                     "type=\"dynamic\" availabilityStartTime=\"");
    p = ngx_webrtc_hls_text_date(p, last, from_us);
    p = ngx_slprintf(p, last, "\" publishTime=\"");
    p = ngx_webrtc_hls_text_date(p, last, now_us);

    p = ngx_slprintf(p, last, "\" minBufferTime=\"PT%uDS\" "
                     "maxSegmentDuration=\"PT%uDS\" "
                     "timeShiftBufferDepth=\"PT%uD.%03uDS\" "
                     "suggestedPresentationDelay=\"PT%uDS\"", info->target,
                     info->target + 1, info->params.window / 1000,
                     info->params.window % 1000, 2 * info->target);

    if (info->over) {
        ms = (info->end_us - from_us) / 1000;

        return ngx_slprintf(p, last, " mediaPresentationDuration=\""
                            "PT%L.%03LS\">\n", ms / 1000, ms % 1000);
    }

    return ngx_slprintf(p, last, " minimumUpdatePeriod=\"PT%uD.%03uDS\">\n",
                        info->params.segment / 1000,
                        info->params.segment % 1000);
}


/* the first run that is listed: with too many, older ones leave early */

static uint32_t
ngx_webrtc_hls_mpd_first(const ngx_webrtc_hls_list_t *lists)
{
    uint32_t                      newest;
    ngx_uint_t                    i;
    const ngx_webrtc_hls_list_t  *list;

    newest = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        list = &lists[i];

        if (list->nsegments) {
            newest = ngx_max(list->segments[list->nsegments - 1].run, newest);
        }
    }

    return (newest > NGX_WEBRTC_HLS_RUNS) ? newest - NGX_WEBRTC_HLS_RUNS : 1;
}


/*
 * The first run that has media, from one on, or 0: there is none; and where it
 * begins in each list, or a later one does: in at, which goes on from where it
 * was.
 */

static uint32_t
ngx_webrtc_hls_mpd_run(const ngx_webrtc_hls_list_t *lists, ngx_uint_t *at,
    uint32_t least, int64_t *run_us)
{
    uint32_t                         run;
    ngx_uint_t                       i;
    const ngx_webrtc_hls_segment_t  *s;

    run = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {

        for ( /* void */ ; at[i] < lists[i].nsegments; at[i]++) {
            s = &lists[i].segments[at[i]];

            if (s->run < least || s->bytes == 0) {
                continue;
            }

            if (run == 0 || s->run < run) {
                run = s->run;
                *run_us = s->run_us;
            }

            break;
        }
    }

    return run;
}


/* videos are of one set; sound in another codec is of another */

static u_char *
ngx_webrtc_hls_mpd_period(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_list_t *lists,
    const ngx_uint_t *at, uint32_t run, const ngx_str_t *query)
{
    u_char      *from, *set;
    ngx_uint_t   i;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; /* void */ ) {

        from = p;
        set = ngx_slprintf(p, last, "<AdaptationSet contentType=\"%s\" "
                           "mimeType=\"%s/mp4\" startWithSAP=\"1\">\n",
                           i < NGX_WEBRTC_HLS_AAC ? "video" : "audio",
                           i < NGX_WEBRTC_HLS_AAC ? "video" : "audio");
        p = set;

        do {
            p = ngx_webrtc_hls_mpd_track(p, last, info, i, &lists[i], at[i],
                                         run, query);
            i++;
        } while (i < NGX_WEBRTC_HLS_AAC);

        p = (p == set) ? from : ngx_slprintf(p, last, "</AdaptationSet>\n");
    }

    return p;
}


/* nothing, if the track has nothing of the run; what it has of one is in one
 * piece: a gap comes before or behind it */

static u_char *
ngx_webrtc_hls_mpd_track(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, ngx_uint_t at, uint32_t run,
    const ngx_str_t *query)
{
    ngx_uint_t                       n;
    const ngx_str_t                 *name;
    const ngx_webrtc_hls_track_t    *t;
    const ngx_webrtc_hls_segment_t  *s;

    t = &info->tracks[track];
    name = &ngx_webrtc_hls_names[track];

    if (at == list->nsegments || list->segments[at].run != run) {
        return p;
    }

    s = &list->segments[at];

    p = ngx_slprintf(p, last, "<Representation id=\"%V\" codecs=\"%*s\" "
                     "bandwidth=\"%uD\"", name, (size_t) t->codec_len,
                     t->codec, ngx_max(t->peak, 1));

    if (track < NGX_WEBRTC_HLS_AAC && t->width) {
        p = ngx_slprintf(p, last, " width=\"%uD\" height=\"%uD\"", t->width,
                         t->height);

    } else if (track >= NGX_WEBRTC_HLS_AAC) {
        p = ngx_slprintf(p, last, " audioSamplingRate=\"%uD\"", t->clock);
    }

    p = ngx_slprintf(p, last, ">\n<SegmentTemplate timescale=\"%uD\" "
                     "presentationTimeOffset=\"%L\" startNumber=\"%uD\" "
                     "initialization=\"%V.%08xD.%uD.mp4%V\" "
                     "media=\"%V.%08xD.$Number$.m4s%V\">\n<SegmentTimeline>\n",
                     t->clock,
                     s->ts + (s->run_us - s->wall_us) / 1000
                             * (int64_t) t->clock / 1000,
                     list->first + (uint32_t) at, name, info->gen, run, query,
                     name, info->gen, query);

    for (n = at; n < list->nsegments; n++) {
        s = &list->segments[n];

        if (s->run != run || s->bytes == 0) {
            break;
        }

        p = ngx_slprintf(p, last, "<S t=\"%L\" d=\"%uD\"/>\n", s->ts,
                         s->duration);
    }

    return ngx_slprintf(p, last, "</SegmentTimeline>\n</SegmentTemplate>\n"
                        "</Representation>\n");
}
