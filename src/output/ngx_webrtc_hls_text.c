
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playlists: see the header file.
 *
 * The numbers of segments, and of discontinuities, are those of the channel, so
 * they go on from one reload of a playlist to the next, whatever has left it.
 * Where a track has nothing of a run, there are two discontinuities at one
 * place: all tracks count the same.
 *
 * A track that has stopped has gaps (4.4.4.7), and none of what is to come; who
 * begins to play is not told of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <time.h>

#include "ngx_webrtc_hls_text.h"


/* bytes of lines: at the head and of a track, of a segment, of a part, all
 * without names */
#define NGX_WEBRTC_HLS_TEXT_HEAD     1024
#define NGX_WEBRTC_HLS_TEXT_SEGMENT  256
#define NGX_WEBRTC_HLS_TEXT_PART     192
#define NGX_WEBRTC_HLS_TEXT_TRACK    768

/* of the line of a discontinuity */
#define NGX_WEBRTC_HLS_TEXT_RUN      (sizeof("#EXT-X-DISCONTINUITY\n") - 1)

/* targets from the end up to which segments may be left out, and parts are
 * listed (4.4.3.8 and 4.4.4.9) */
#define NGX_WEBRTC_HLS_TEXT_SKIP     6
#define NGX_WEBRTC_HLS_TEXT_PARTS    3

/* segments with which a player begins, and what is told of a peak that has not
 * been measured; bit/s */
#define NGX_WEBRTC_HLS_TEXT_FIRST    1
#define NGX_WEBRTC_HLS_TEXT_PEAK     1000000


static ngx_uint_t ngx_webrtc_hls_text_comes(const ngx_webrtc_hls_track_t *t);
static uint32_t ngx_webrtc_hls_text_peak(const ngx_webrtc_hls_track_t *t);
static u_char *ngx_webrtc_hls_text_variant(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t video, ngx_uint_t audio,
    const ngx_str_t *query);
static u_char *ngx_webrtc_hls_text_control(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info);
static uint32_t ngx_webrtc_hls_text_newest(
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_track_t *t,
    const ngx_webrtc_hls_list_t *list);
static ngx_uint_t ngx_webrtc_hls_text_first(
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_track_t *t,
    const ngx_webrtc_hls_list_t *list);
static ngx_uint_t ngx_webrtc_hls_text_skipped(
    const ngx_webrtc_hls_info_t *info, const ngx_webrtc_hls_track_t *t,
    const ngx_webrtc_hls_list_t *list, ngx_uint_t first);
static ngx_uint_t ngx_webrtc_hls_text_from(const ngx_webrtc_hls_info_t *info,
    const ngx_webrtc_hls_track_t *t, const ngx_webrtc_hls_list_t *list,
    ngx_uint_t targets);
static uint32_t ngx_webrtc_hls_text_known(const ngx_webrtc_hls_list_t *list,
    ngx_uint_t first, ngx_uint_t end);
static u_char *ngx_webrtc_hls_text_runs(u_char *p, u_char *last, uint32_t from,
    uint32_t run);
static u_char *ngx_webrtc_hls_text_map(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track, uint32_t *map,
    uint32_t run, const ngx_str_t *query);
static u_char *ngx_webrtc_hls_text_segment(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_segment_t *s, uint32_t msn, const ngx_str_t *query);
static u_char *ngx_webrtc_hls_text_parts(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, uint32_t msn, const ngx_str_t *query);
static u_char *ngx_webrtc_hls_text_next(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_str_t *query);
static u_char *ngx_webrtc_hls_text_reports(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_str_t *query);


ngx_int_t
ngx_webrtc_hls_text_has(const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_ask_t *ask)
{
    const ngx_webrtc_hls_track_t  *t;

    t = &info->tracks[track];

    if (!ask->has_msn || info->over || ask->msn < t->next) {
        return NGX_OK;
    }

    if (ask->msn - t->next > 2) {
        return NGX_DECLINED;
    }

    /* a part behind the last of a segment is the first of the next one, which
     * is known when that has begun */

    return (info->params.part && ask->has_part && ask->msn == t->next
            && ask->part < t->open.parts)
           ? NGX_OK : NGX_AGAIN;
}


ngx_uint_t
ngx_webrtc_hls_text_ready(const ngx_webrtc_hls_info_t *info)
{
    ngx_uint_t  i, any;

    any = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {

        if (info->tracks[i].clock == 0) {
            continue;
        }

        any = 1;

        if (info->tracks[i].next - info->tracks[i].first
            < NGX_WEBRTC_HLS_TEXT_FIRST)
        {
            return 0;
        }
    }

    return any;
}


size_t
ngx_webrtc_hls_text_index_size(const ngx_str_t *query)
{
    return NGX_WEBRTC_HLS_TEXT_HEAD
           + 3 * NGX_WEBRTC_HLS_TRACKS
             * (NGX_WEBRTC_HLS_TEXT_TRACK + query->len);
}


u_char *
ngx_webrtc_hls_text_index(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, const ngx_str_t *query)
{
    ngx_uint_t                     i, k, dependent, sounds;
    const ngx_str_t               *name;
    const ngx_webrtc_hls_track_t  *t;

    dependent = 0;
    sounds = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        dependent |= info->tracks[i].dependent;
        sounds += (i >= NGX_WEBRTC_HLS_AAC
                   && ngx_webrtc_hls_text_comes(&info->tracks[i]));
    }

    p = ngx_slprintf(p, last, "#EXTM3U\n#EXT-X-VERSION:%d\n%s",
                     info->params.part ? 9 : 7,
                     dependent ? "" : "#EXT-X-INDEPENDENT-SEGMENTS\n");

    for (i = NGX_WEBRTC_HLS_AAC; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        t = &info->tracks[i];
        name = &ngx_webrtc_hls_names[i];

        if (ngx_webrtc_hls_text_comes(t)) {
            p = ngx_slprintf(p, last,
                             "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"%V\","
                             "NAME=\"%V\",DEFAULT=YES,AUTOSELECT=YES,"
                             "CHANNELS=\"%uD\",URI=\"%V.m3u8%V\"\n",
                             name, name, t->channels, name, query);
        }
    }

    /* who takes the first that it can play is to find AAC, which all can */

    for (k = NGX_WEBRTC_HLS_AAC; k < NGX_WEBRTC_HLS_TRACKS; k++) {

        if (sounds && !ngx_webrtc_hls_text_comes(&info->tracks[k])) {
            continue;
        }

        for (i = 0; i < NGX_WEBRTC_HLS_VIDEOS; i++) {

            if (ngx_webrtc_hls_text_comes(&info->tracks[i])) {
                p = ngx_webrtc_hls_text_variant(p, last, info, i, k, query);
            }
        }

        if (sounds && !ngx_webrtc_hls_text_comes(&info->tracks[0])) {
            p = ngx_webrtc_hls_text_variant(p, last, info,
                                            NGX_WEBRTC_HLS_TRACKS, k, query);
        }

        if (sounds == 0) {
            break;
        }
    }

    return p;
}


static ngx_uint_t
ngx_webrtc_hls_text_comes(const ngx_webrtc_hls_track_t *t)
{
    return t->clock && !t->gap;
}


/* in a segment, at most */

static uint32_t
ngx_webrtc_hls_text_peak(const ngx_webrtc_hls_track_t *t)
{
    return t->peak ? t->peak : NGX_WEBRTC_HLS_TEXT_PEAK;
}


/* video: NGX_WEBRTC_HLS_TRACKS, there is none; audio: likewise if it does
 * not come */

static u_char *
ngx_webrtc_hls_text_variant(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t video, ngx_uint_t audio,
    const ngx_str_t *query)
{
    uint64_t                       peak, average;
    ngx_uint_t                     heard;
    const ngx_webrtc_hls_track_t  *v, *a;

    v = (video < NGX_WEBRTC_HLS_TRACKS) ? &info->tracks[video] : NULL;
    a = &info->tracks[audio];
    heard = ngx_webrtc_hls_text_comes(a);

    peak = 0;
    average = 0;

    if (v) {
        peak += ngx_webrtc_hls_text_peak(v);
        average += v->average;
    }

    if (heard) {
        peak += ngx_webrtc_hls_text_peak(a);
        average += a->average;
    }

    p = ngx_slprintf(p, last, "#EXT-X-STREAM-INF:BANDWIDTH=%uL,"
                     "AVERAGE-BANDWIDTH=%uL,CODECS=\"", peak,
                     average ? average : peak);

    if (v) {
        p = ngx_slprintf(p, last, "%*s%s", (size_t) v->codec_len, v->codec,
                         heard ? "," : "");
    }

    if (heard) {
        p = ngx_slprintf(p, last, "%*s", (size_t) a->codec_len, a->codec);
    }

    p = ngx_slprintf(p, last, "\"");

    if (v && v->width) {
        p = ngx_slprintf(p, last, ",RESOLUTION=%uDx%uD", v->width, v->height);
    }

    if (v && v->fps_milli) {
        p = ngx_slprintf(p, last, ",FRAME-RATE=%uD.%03uD",
                         v->fps_milli / 1000, v->fps_milli % 1000);
    }

    if (heard) {
        p = ngx_slprintf(p, last, ",AUDIO=\"%V\"",
                         &ngx_webrtc_hls_names[audio]);
    }

    return ngx_slprintf(p, last, "\n%V.m3u8%V\n",
                        &ngx_webrtc_hls_names[v ? video : audio], query);
}


size_t
ngx_webrtc_hls_text_list_size(const ngx_webrtc_hls_list_t *list,
    const ngx_str_t *query)
{
    size_t  names;

    names = NGX_WEBRTC_HLS_NAME + query->len;

    return NGX_WEBRTC_HLS_TEXT_HEAD
           + NGX_WEBRTC_HLS_RUNS * NGX_WEBRTC_HLS_TEXT_RUN
           + (list->nsegments + 2) * (NGX_WEBRTC_HLS_TEXT_SEGMENT + 2 * names)
           + (list->nparts + NGX_WEBRTC_HLS_TRACKS)
             * (NGX_WEBRTC_HLS_TEXT_PART + names);
}


u_char *
ngx_webrtc_hls_text_list(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, const ngx_webrtc_hls_ask_t *ask,
    const ngx_str_t *query)
{
    uint32_t                         run, map, msn;
    ngx_uint_t                       i, first, skipped, parts;
    const ngx_webrtc_hls_track_t    *t;
    const ngx_webrtc_hls_segment_t  *s;

    t = &info->tracks[track];
    first = ngx_webrtc_hls_text_first(info, t, list);

    run = (first < list->nsegments)
          ? list->segments[first].run
          : ngx_webrtc_hls_text_newest(info, t, list);

    p = ngx_slprintf(p, last, "#EXTM3U\n#EXT-X-VERSION:%d\n"
                     "#EXT-X-TARGETDURATION:%uD\n",
                     info->params.part || (ask && ask->skip) ? 9 : 7,
                     info->target);

    p = ngx_webrtc_hls_text_control(p, last, info);

    p = ngx_slprintf(p, last, "#EXT-X-MEDIA-SEQUENCE:%uD\n"
                     "#EXT-X-DISCONTINUITY-SEQUENCE:%uD\n%s",
                     list->first + (uint32_t) first, run - 1,
                     t->dependent ? "" : "#EXT-X-INDEPENDENT-SEGMENTS\n");

    skipped = (ask && ask->skip)
              ? ngx_webrtc_hls_text_skipped(info, t, list, first) : 0;

    map = 0;

    if (skipped) {
        p = ngx_slprintf(p, last, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%ui\n",
                         skipped);
        run = list->segments[first + skipped - 1].run;
        map = ngx_webrtc_hls_text_known(list, first, first + skipped);
    }

    /* with nothing to come nobody is in a hurry */

    parts = (info->params.part && !info->over)
            ? ngx_webrtc_hls_text_from(info, t, list,
                                       NGX_WEBRTC_HLS_TEXT_PARTS)
            : list->nsegments;

    for (i = first + skipped; i < list->nsegments; i++) {
        s = &list->segments[i];
        msn = list->first + (uint32_t) i;

        p = ngx_webrtc_hls_text_runs(p, last, run, s->run);
        run = s->run;

        if (s->bytes) {
            p = ngx_webrtc_hls_text_map(p, last, info, track, &map, run,
                                        query);
        }

        p = ngx_slprintf(p, last, "#EXT-X-PROGRAM-DATE-TIME:");
        p = ngx_webrtc_hls_text_date(p, last, s->wall_us);
        p = ngx_slprintf(p, last, "\n");

        if (i >= parts) {
            p = ngx_webrtc_hls_text_parts(p, last, info, track, list, msn,
                                          query);
        }

        p = ngx_webrtc_hls_text_segment(p, last, info, track, s, msn, query);
    }

    if (info->over) {
        return ngx_slprintf(p, last, "#EXT-X-ENDLIST\n");
    }

    if (info->params.part == 0) {
        return p;
    }

    if (t->open.parts) {

        p = ngx_webrtc_hls_text_runs(p, last, run, t->open.run);
        p = ngx_webrtc_hls_text_map(p, last, info, track, &map, t->open.run,
                                    query);

        p = ngx_slprintf(p, last, "#EXT-X-PROGRAM-DATE-TIME:");
        p = ngx_webrtc_hls_text_date(p, last, t->open.wall_us);
        p = ngx_slprintf(p, last, "\n");

        p = ngx_webrtc_hls_text_parts(p, last, info, track, list, t->next,
                                      query);
    }

    if (!t->gap) {
        p = ngx_webrtc_hls_text_next(p, last, info, track, query);
    }

    return ngx_webrtc_hls_text_reports(p, last, info, track, query);
}


static u_char *
ngx_webrtc_hls_text_control(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info)
{
    uint32_t  hold;

    if (info->over) {
        return p;
    }

    p = ngx_slprintf(p, last, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES");

    if (info->params.part) {

        /* 4.4.3.8: three of the parts' target */

        hold = 3 * (info->part_us / 1000 + 1);

        p = ngx_slprintf(p, last, ",PART-HOLD-BACK=%uD.%03uD", hold / 1000,
                         hold % 1000);
    }

    if (info->params.window
        > 1000 * (NGX_WEBRTC_HLS_TEXT_SKIP + 2) * info->target)
    {
        p = ngx_slprintf(p, last, ",CAN-SKIP-UNTIL=%uD.0",
                         NGX_WEBRTC_HLS_TEXT_SKIP * info->target);
    }

    p = ngx_slprintf(p, last, "\n");

    if (info->params.part) {
        p = ngx_slprintf(p, last, "#EXT-X-PART-INF:PART-TARGET=%uD.%06uD\n",
                         info->part_us / 1000000, info->part_us % 1000000);
    }

    return p;
}


/* the run of what is listed last */

static uint32_t
ngx_webrtc_hls_text_newest(const ngx_webrtc_hls_info_t *info,
    const ngx_webrtc_hls_track_t *t, const ngx_webrtc_hls_list_t *list)
{
    if (info->params.part && !info->over && t->open.parts) {
        return t->open.run;
    }

    return list->nsegments ? list->segments[list->nsegments - 1].run
                           : ngx_max(info->run, 1);
}


/*
 * The first segment that is listed: one with more discontinuities behind it
 * than there may be leaves early.
 */

static ngx_uint_t
ngx_webrtc_hls_text_first(const ngx_webrtc_hls_info_t *info,
    const ngx_webrtc_hls_track_t *t, const ngx_webrtc_hls_list_t *list)
{
    uint32_t    newest;
    ngx_uint_t  i;

    newest = ngx_webrtc_hls_text_newest(info, t, list);

    for (i = 0; i < list->nsegments; i++) {

        if (newest - list->segments[i].run <= NGX_WEBRTC_HLS_RUNS) {
            break;
        }
    }

    return i;
}


/* how many segments a delta update leaves out; it says so if any */

static ngx_uint_t
ngx_webrtc_hls_text_skipped(const ngx_webrtc_hls_info_t *info,
    const ngx_webrtc_hls_track_t *t, const ngx_webrtc_hls_list_t *list,
    ngx_uint_t first)
{
    ngx_uint_t  i;

    if (info->over
        || info->params.window
           <= 1000 * (NGX_WEBRTC_HLS_TEXT_SKIP + 2) * info->target)
    {
        return 0;
    }

    i = ngx_webrtc_hls_text_from(info, t, list, NGX_WEBRTC_HLS_TEXT_SKIP);

    return (i > first) ? i - first : 0;
}


/* which segment is the first of those that are not that far from the end */

static ngx_uint_t
ngx_webrtc_hls_text_from(const ngx_webrtc_hls_info_t *info,
    const ngx_webrtc_hls_track_t *t, const ngx_webrtc_hls_list_t *list,
    ngx_uint_t targets)
{
    uint64_t    all, most;
    ngx_uint_t  i;

    all = t->open.parts ? t->open.duration : 0;
    most = (uint64_t) targets * info->target * t->clock;

    for (i = list->nsegments; i > 0 && all <= most; i--) {
        all += list->segments[i - 1].duration;
    }

    return i;
}


/* the run whose head was listed for what is skipped; 0: none */

static uint32_t
ngx_webrtc_hls_text_known(const ngx_webrtc_hls_list_t *list,
    ngx_uint_t first, ngx_uint_t end)
{
    while (end-- > first) {

        if (list->segments[end].bytes) {
            return list->segments[end].run;
        }
    }

    return 0;
}


/* what comes is of another run, or of the same one */

static u_char *
ngx_webrtc_hls_text_runs(u_char *p, u_char *last, uint32_t from, uint32_t run)
{
    for ( /* void */ ; from < run; from++) {
        p = ngx_slprintf(p, last, "#EXT-X-DISCONTINUITY\n");
    }

    return p;
}


/* the run's head, unless it has been listed; gaps need none */

static u_char *
ngx_webrtc_hls_text_map(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track, uint32_t *map,
    uint32_t run, const ngx_str_t *query)
{
    if (*map == run) {
        return p;
    }

    *map = run;

    return ngx_slprintf(p, last, "#EXT-X-MAP:URI=\"%V.%08xD.%uD.mp4%V\"\n",
                        &ngx_webrtc_hls_names[track], info->gen, run, query);
}


static u_char *
ngx_webrtc_hls_text_segment(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_segment_t *s, uint32_t msn, const ngx_str_t *query)
{
    uint32_t  clock;
    uint64_t  us;

    clock = info->tracks[track].clock;
    us = ((uint64_t) s->duration * 1000000 + clock / 2) / clock;

    return ngx_slprintf(p, last, "%s#EXTINF:%uL.%06uL,\n"
                        "%V.%08xD.%uD.m4s%V\n",
                        s->bytes ? "" : "#EXT-X-GAP\n", us / 1000000,
                        us % 1000000, &ngx_webrtc_hls_names[track], info->gen,
                        msn, query);
}


static u_char *
ngx_webrtc_hls_text_parts(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_webrtc_hls_list_t *list, uint32_t msn, const ngx_str_t *query)
{
    uint64_t                      us;
    ngx_uint_t                    i;
    const ngx_webrtc_hls_part_t  *part;

    for (i = 0; i < list->nparts && list->parts[i].msn != msn; i++) {
        /* void */
    }

    /* all of a segment's, or none */

    if (i == list->nparts || list->parts[i].n != 0) {
        return p;
    }

    for ( /* void */ ; i < list->nparts && list->parts[i].msn == msn; i++) {
        part = &list->parts[i];

        us = ((uint64_t) part->duration * 1000000
              + info->tracks[track].clock / 2)
             / info->tracks[track].clock;

        p = ngx_slprintf(p, last, "#EXT-X-PART:DURATION=%uL.%06uL,"
                         "URI=\"%V.%08xD.%uD.%uD.m4s%V\"%s\n",
                         us / 1000000, us % 1000000,
                         &ngx_webrtc_hls_names[track], info->gen, msn, part->n,
                         query, part->independent ? ",INDEPENDENT=YES" : "");
    }

    return p;
}


static u_char *
ngx_webrtc_hls_text_next(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_str_t *query)
{
    const ngx_webrtc_hls_track_t  *t;

    t = &info->tracks[track];

    return ngx_slprintf(p, last, "#EXT-X-PRELOAD-HINT:TYPE=PART,"
                        "URI=\"%V.%08xD.%uD.%uD.m4s%V\"\n",
                        &ngx_webrtc_hls_names[track], info->gen, t->next,
                        t->open.parts, query);
}


static u_char *
ngx_webrtc_hls_text_reports(u_char *p, u_char *last,
    const ngx_webrtc_hls_info_t *info, ngx_uint_t track,
    const ngx_str_t *query)
{
    ngx_uint_t                     i;
    const ngx_webrtc_hls_track_t  *t;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        t = &info->tracks[i];

        if (i == track || !ngx_webrtc_hls_text_comes(t) || t->next == 0) {
            continue;
        }

        p = ngx_slprintf(p, last, "#EXT-X-RENDITION-REPORT:URI=\"%V.m3u8%V\","
                         "LAST-MSN=%uD,LAST-PART=%uD\n",
                         &ngx_webrtc_hls_names[i], query,
                         t->open.parts ? t->next : t->next - 1,
                         (t->open.parts ? t->open.parts : t->last_parts) - 1);
    }

    return p;
}


u_char *
ngx_webrtc_hls_text_date(u_char *p, u_char *last, int64_t us)
{
    time_t     sec;
    struct tm  tm;

    sec = (time_t) (us / 1000000);

    if (gmtime_r(&sec, &tm) == NULL) {
        return p;
    }

    return ngx_slprintf(p, last, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                        tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (int) (us / 1000 % 1000));
}
