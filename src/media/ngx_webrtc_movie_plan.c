
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What is done to a file so that a client can play it:
 *
 * 1. A track goes as it is if the client accepts its codec, and fragmented MP4
 *    can have it.
 * 2. If all that is played may go as it is, and the container is one that
 *    browsers play, so does the file: byte ranges.
 * 3. Sound that does not is transcoded to AAC, or Opus.  A picture is encoded
 *    to H.264 with NGX_WEBRTC_MOVIE_ON only: that takes more than a core.
 * 4. The first picture and sound that the file marks as default, or else the
 *    first, are played; sound that nobody can play is passed over for sound
 *    that somebody can.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_movie_plan.h"


/* of a name without parameters: whatever the codec has */
#define NGX_WEBRTC_MOVIE_ANY     255

/* of what only few decoders take, as 4:4:4 */
#define NGX_WEBRTC_MOVIE_RARE    200


typedef enum {
    NGX_WEBRTC_MOVIE_UNKNOWN = 0,
    NGX_WEBRTC_MOVIE_AVC,
    NGX_WEBRTC_MOVIE_HEVC,
    NGX_WEBRTC_MOVIE_AV1,
    NGX_WEBRTC_MOVIE_VP9,
    NGX_WEBRTC_MOVIE_VP8,
    NGX_WEBRTC_MOVIE_MP4A,          /* AAC, but for other object types */
    NGX_WEBRTC_MOVIE_MP3,
    NGX_WEBRTC_MOVIE_OPUS_CODEC,
    NGX_WEBRTC_MOVIE_FLAC,
    NGX_WEBRTC_MOVIE_VORBIS,
    NGX_WEBRTC_MOVIE_AC3,
    NGX_WEBRTC_MOVIE_EC3
} ngx_webrtc_movie_family_e;


typedef void (*ngx_webrtc_movie_parts_pt)(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);


static void ngx_webrtc_movie_avc(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);
static void ngx_webrtc_movie_hevc(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);
static void ngx_webrtc_movie_av1(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);
static void ngx_webrtc_movie_vp9(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);
static void ngx_webrtc_movie_dotted(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec, ngx_uint_t first);
static void ngx_webrtc_movie_mp4a(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec);
static ngx_uint_t ngx_webrtc_movie_number(const u_char **p, const u_char *end,
    ngx_uint_t base);
static ngx_uint_t ngx_webrtc_movie_is(const u_char *p, size_t n,
    const char *name);
static int ngx_webrtc_movie_unescape(const u_char **p, const u_char *end);
static void ngx_webrtc_movie_look(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_accept_t *accept, ngx_webrtc_movie_plan_t *plan,
    uint32_t *played, uint32_t *playable);
static ngx_uint_t ngx_webrtc_movie_as_is(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_plan_t *plan, uint32_t played);
static ngx_uint_t ngx_webrtc_movie_accepts(
    const ngx_webrtc_movie_accept_t *accept,
    const ngx_webrtc_movie_codec_t *codec);
static ngx_uint_t ngx_webrtc_movie_accepts_family(
    const ngx_webrtc_movie_accept_t *accept, ngx_webrtc_movie_family_e family);
static ngx_uint_t ngx_webrtc_movie_pick(const ngx_webrtc_movie_t *movie,
    ngx_webrtc_movie_kind_e kind, uint32_t among);
static ngx_int_t ngx_webrtc_movie_refuse(
    const ngx_webrtc_movie_track_t *track, const char *why, u_char *cause);


static const struct {
    const char                *name;
    ngx_webrtc_movie_family_e  family;
    ngx_webrtc_movie_parts_pt  parts;
} ngx_webrtc_movie_names[] = {
    { "avc1",   NGX_WEBRTC_MOVIE_AVC,        ngx_webrtc_movie_avc },
    { "avc3",   NGX_WEBRTC_MOVIE_AVC,        ngx_webrtc_movie_avc },
    { "hvc1",   NGX_WEBRTC_MOVIE_HEVC,       ngx_webrtc_movie_hevc },
    { "hev1",   NGX_WEBRTC_MOVIE_HEVC,       ngx_webrtc_movie_hevc },
    { "av01",   NGX_WEBRTC_MOVIE_AV1,        ngx_webrtc_movie_av1 },
    { "vp09",   NGX_WEBRTC_MOVIE_VP9,        ngx_webrtc_movie_vp9 },
    { "vp9",    NGX_WEBRTC_MOVIE_VP9,        NULL },
    { "vp08",   NGX_WEBRTC_MOVIE_VP8,        NULL },
    { "vp8",    NGX_WEBRTC_MOVIE_VP8,        NULL },
    { "mp4a",   NGX_WEBRTC_MOVIE_MP4A,       ngx_webrtc_movie_mp4a },
    { "mp3",    NGX_WEBRTC_MOVIE_MP3,        NULL },
    { "opus",   NGX_WEBRTC_MOVIE_OPUS_CODEC, NULL },
    { "flac",   NGX_WEBRTC_MOVIE_FLAC,       NULL },
    { "vorbis", NGX_WEBRTC_MOVIE_VORBIS,     NULL },
    { "ac-3",   NGX_WEBRTC_MOVIE_AC3,        NULL },
    { "ec-3",   NGX_WEBRTC_MOVIE_EC3,        NULL },
    { NULL,     NGX_WEBRTC_MOVIE_UNKNOWN,    NULL }
};


/* heights of qualities below the file's own; chosen: the usual ones */

static const uint16_t  ngx_webrtc_movie_heights[] = {
    1080, 720, 480, 360, 240, 0
};


void
ngx_webrtc_movie_codec(const u_char *p, size_t n,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_uint_t     i;
    const u_char  *end, *dot;

    ngx_memzero(codec, sizeof(ngx_webrtc_movie_codec_t));

    end = p + n;

    for (dot = p; dot < end && *dot != '.'; dot++) { /* void */ }

    for (i = 0; ngx_webrtc_movie_names[i].name; i++) {

        if (!ngx_webrtc_movie_is(p, dot - p, ngx_webrtc_movie_names[i].name)) {
            continue;
        }

        codec->family = ngx_webrtc_movie_names[i].family;
        codec->profile = NGX_WEBRTC_MOVIE_ANY;

        if (ngx_webrtc_movie_names[i].parts) {
            ngx_webrtc_movie_names[i].parts(dot < end ? dot + 1 : end, end,
                                            codec);
        }

        return;
    }
}


/* RFC 6381, 3.3: profile, constraints and level of the SPS */

static void
ngx_webrtc_movie_avc(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_uint_t     n, i;
    const u_char  *start;

    static const uint8_t  profiles[] = { 66, 77, 100, 110, 122, 244, 0 };

    if (p == end) {
        return;
    }

    start = p;
    n = ngx_webrtc_movie_number(&p, end, 16);

    codec->profile = NGX_WEBRTC_MOVIE_RARE;

    if (p - start != 6) {
        return;
    }

    for (i = 0; profiles[i]; i++) {
        if (profiles[i] == n >> 16) {
            codec->profile = (uint8_t) (i + 1);
        }
    }

    codec->level = (uint8_t) (n & 0xff);
    codec->depth = (codec->profile <= 3) ? 8 : 0;
}


/* profile (with its space), compatibility, tier and level */

static void
ngx_webrtc_movie_hevc(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_uint_t  n;

    if (p == end) {
        return;
    }

    n = ngx_webrtc_movie_number(&p, end, 10);

    codec->profile = (n == 1 || n == 2) ? (uint8_t) n : NGX_WEBRTC_MOVIE_RARE;

    if (p == end || *p++ != '.') {
        return;
    }

    (void) ngx_webrtc_movie_number(&p, end, 16);

    if (end - p < 2 || *p++ != '.') {
        return;
    }

    p++;

    n = ngx_webrtc_movie_number(&p, end, 10);
    codec->level = (uint8_t) ngx_min(n, 255);
}


/* level 2.0 is number 0 */

static void
ngx_webrtc_movie_av1(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_webrtc_movie_dotted(p, end, codec, 1);
}


static void
ngx_webrtc_movie_vp9(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_webrtc_movie_dotted(p, end, codec, 0);
}


/* profile, level (and tier), depth; first: number of the lowest level */

static void
ngx_webrtc_movie_dotted(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec, ngx_uint_t first)
{
    ngx_uint_t  n;

    if (p == end) {
        return;
    }

    n = ngx_webrtc_movie_number(&p, end, 10);
    codec->profile = (uint8_t) ngx_min(n, NGX_WEBRTC_MOVIE_RARE);

    if (p == end || *p++ != '.') {
        return;
    }

    n = ngx_webrtc_movie_number(&p, end, 10);
    codec->level = (uint8_t) (ngx_min(n, NGX_WEBRTC_MOVIE_RARE) + first);

    if (p < end && *p != '.') {
        p++;
    }

    if (p == end || *p++ != '.') {
        return;
    }

    n = ngx_webrtc_movie_number(&p, end, 10);
    codec->depth = (uint8_t) ngx_min(n, 255);
}


/* object type of MPEG-4 Systems, and of MPEG-4 Audio */

static void
ngx_webrtc_movie_mp4a(const u_char *p, const u_char *end,
    ngx_webrtc_movie_codec_t *codec)
{
    ngx_uint_t  n;

    codec->profile = 1;

    if (p == end) {
        return;
    }

    switch (ngx_webrtc_movie_number(&p, end, 16)) {

    case 0x40:

        if (p < end && *p == '.') {
            p++;
            n = ngx_webrtc_movie_number(&p, end, 10);

            /* LC, and SBR and PS on top of it */

            codec->profile = (n == 2 || n == 5 || n == 29)
                             ? 1 : NGX_WEBRTC_MOVIE_RARE;
        }

        break;

    case 0x66:
    case 0x67:
    case 0x68:
        break;

    case 0x69:
    case 0x6b:
        codec->family = NGX_WEBRTC_MOVIE_MP3;
        break;

    case 0xa5:
        codec->family = NGX_WEBRTC_MOVIE_AC3;
        break;

    case 0xa6:
        codec->family = NGX_WEBRTC_MOVIE_EC3;
        break;

    case 0xad:
        codec->family = NGX_WEBRTC_MOVIE_OPUS_CODEC;
        break;

    default:
        codec->family = NGX_WEBRTC_MOVIE_UNKNOWN;
    }
}


/* digits up to something else; what does not fit is the largest */

static ngx_uint_t
ngx_webrtc_movie_number(const u_char **p, const u_char *end, ngx_uint_t base)
{
    u_char      c;
    ngx_uint_t  n, digit;

    n = 0;

    for ( /* void */ ; *p < end; (*p)++) {
        c = **p;

        if (c >= '0' && c <= '9') {
            digit = c - '0';

        } else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (c | 0x20) - 'a' + 10;

        } else {
            break;
        }

        n = n * base + digit;
        n = ngx_min(n, 0xffffffff);
    }

    return n;
}


static ngx_uint_t
ngx_webrtc_movie_is(const u_char *p, size_t n, const char *name)
{
    size_t  i;
    u_char  c;

    if (ngx_strlen(name) != n) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        c = (p[i] >= 'A' && p[i] <= 'Z') ? (u_char) (p[i] | 0x20) : p[i];

        if (c != (u_char) name[i]) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_webrtc_movie_accept(const ngx_str_t *names, const ngx_str_t *max,
    ngx_webrtc_movie_accept_t *accept)
{
    int                        c;
    size_t                     n;
    u_char                     name[NGX_WEBRTC_MOVIE_CODEC];
    ngx_uint_t                 height;
    const u_char              *p, *end;
    ngx_webrtc_movie_codec_t  *codec;

    ngx_memzero(accept, sizeof(ngx_webrtc_movie_accept_t));

    if (names->len > NGX_WEBRTC_MOVIE_ACCEPT) {
        return NGX_DECLINED;
    }

    p = names->data;
    end = p + names->len;

    while (p < end && accept->n < NGX_WEBRTC_MOVIE_ACCEPTS) {

        for (n = 0; p < end; /* void */ ) {
            c = ngx_webrtc_movie_unescape(&p, end);

            if (c == ',') {
                break;
            }

            /* as of the codecs parameter of a type */

            if (c == '"' || c == ' ' || c == '+') {
                continue;
            }

            if (n < sizeof(name)) {
                name[n] = (u_char) c;
            }

            n++;
        }

        if (n == 0 || n > sizeof(name)) {
            continue;
        }

        codec = &accept->codecs[accept->n];

        ngx_webrtc_movie_codec(name, n, codec);

        if (codec->family) {
            accept->n++;
        }
    }

    if (max->len == 0) {
        return NGX_OK;
    }

    p = max->data;
    end = p + max->len;

    if (end[-1] == 'p') {
        end--;
    }

    height = ngx_webrtc_movie_number(&p, end, 10);

    if (p != end || height == 0 || height > 65535) {
        return NGX_DECLINED;
    }

    accept->height = (uint16_t) height;

    return NGX_OK;
}


/* one byte; what is no escape stands for itself */

static int
ngx_webrtc_movie_unescape(const u_char **p, const u_char *end)
{
    u_char         c;
    ngx_uint_t     n;
    const u_char  *digits;

    c = *(*p)++;

    if (c != '%' || end - *p < 2) {
        return c;
    }

    digits = *p;
    n = ngx_webrtc_movie_number(&digits, *p + 2, 16);

    if (digits != *p + 2) {
        return c;
    }

    *p = digits;

    return (int) n;
}


ngx_int_t
ngx_webrtc_movie_plan(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_accept_t *accept, ngx_webrtc_movie_how_e how,
    ngx_webrtc_movie_plan_t *plan, u_char *cause)
{
    uint32_t    played, playable;
    ngx_uint_t  i;

    ngx_memzero(plan, sizeof(ngx_webrtc_movie_plan_t));

    if (how == NGX_WEBRTC_MOVIE_ON
        && (movie->flags & NGX_WEBRTC_MOVIE_TO_H264)
        && ngx_webrtc_movie_accepts_family(accept, NGX_WEBRTC_MOVIE_AVC))
    {
        plan->picture = NGX_WEBRTC_MOVIE_H264;
        plan->height = accept->height;
    }

    if ((movie->flags & NGX_WEBRTC_MOVIE_TO_AAC)
        && ngx_webrtc_movie_accepts_family(accept, NGX_WEBRTC_MOVIE_MP4A))
    {
        plan->sound = NGX_WEBRTC_MOVIE_AAC;

    } else if ((movie->flags & NGX_WEBRTC_MOVIE_TO_OPUS)
               && ngx_webrtc_movie_accepts_family(accept,
                                               NGX_WEBRTC_MOVIE_OPUS_CODEC))
    {
        plan->sound = NGX_WEBRTC_MOVIE_OPUS;
    }

    ngx_webrtc_movie_look(movie, accept, plan, &played, &playable);

    /* as it is? */

    plan->video = (uint8_t) ngx_webrtc_movie_pick(movie,
                                       NGX_WEBRTC_MOVIE_VIDEO, (uint32_t) -1);
    plan->audio = (uint8_t) ngx_webrtc_movie_pick(movie,
                                       NGX_WEBRTC_MOVIE_AUDIO, (uint32_t) -1);

    if (plan->video == NGX_WEBRTC_MOVIE_NONE
        && plan->audio == NGX_WEBRTC_MOVIE_NONE)
    {
        ngx_memzero(plan, sizeof(ngx_webrtc_movie_plan_t));
        return NGX_OK;
    }

    if (ngx_webrtc_movie_as_is(movie, plan, played)) {
        ngx_memzero(plan, sizeof(ngx_webrtc_movie_plan_t));
        return NGX_OK;
    }

    if (plan->video != NGX_WEBRTC_MOVIE_NONE) {
        i = ngx_webrtc_movie_pick(movie, NGX_WEBRTC_MOVIE_VIDEO, playable);

        if (i == NGX_WEBRTC_MOVIE_NONE) {
            return ngx_webrtc_movie_refuse(&movie->tracks[plan->video],
                                           how == NGX_WEBRTC_MOVIE_ON
                                           ? "it cannot be encoded for the"
                                             " client"
                                           : "\"webrtc_file_transcode remux\""
                                             " encodes no video",
                                           cause);
        }

        plan->video = (uint8_t) i;
    }

    if (plan->audio != NGX_WEBRTC_MOVIE_NONE) {
        i = ngx_webrtc_movie_pick(movie, NGX_WEBRTC_MOVIE_AUDIO, playable);

        if (i == NGX_WEBRTC_MOVIE_NONE) {
            return ngx_webrtc_movie_refuse(&movie->tracks[plan->audio],
                                           "it cannot be transcoded for the"
                                           " client",
                                           cause);
        }

        plan->audio = (uint8_t) i;
    }

    plan->scale = (plan->picture && plan->video != NGX_WEBRTC_MOVIE_NONE
                   && (movie->tracks[plan->video].flags
                       & NGX_WEBRTC_MOVIE_DECODE));

    plan->mode = (plan->video != NGX_WEBRTC_MOVIE_NONE
                  && ngx_webrtc_movie_action(movie, plan, plan->video, 0)
                     == NGX_WEBRTC_MOVIE_H264)
                 ? NGX_WEBRTC_MOVIE_ON : NGX_WEBRTC_MOVIE_REMUX;

    return NGX_OK;
}


/*
 * What the client understands (played, bits by place), what can go as it is
 * (plan->copy), and what can be played at all.
 */

static void
ngx_webrtc_movie_look(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_accept_t *accept, ngx_webrtc_movie_plan_t *plan,
    uint32_t *played, uint32_t *playable)
{
    uint32_t                         bit;
    ngx_uint_t                       i;
    ngx_webrtc_movie_codec_t         codec;
    const ngx_webrtc_movie_track_t  *track;

    *played = 0;
    *playable = 0;

    for (i = 0; i < movie->ntracks; i++) {
        track = &movie->tracks[i];
        bit = (uint32_t) 1 << i;

        ngx_webrtc_movie_codec(track->codec, track->codec_len, &codec);

        if (ngx_webrtc_movie_accepts(accept, &codec)) {
            *played |= bit;

            if (track->flags & NGX_WEBRTC_MOVIE_COPY) {
                plan->copy |= bit;
            }
        }

        if (ngx_webrtc_movie_action(movie, plan, i, 0)
            != NGX_WEBRTC_MOVIE_LEAVE)
        {
            *playable |= bit;
        }
    }
}


/* the picture and the sound that are played, in a container of browsers */

static ngx_uint_t
ngx_webrtc_movie_as_is(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_plan_t *plan, uint32_t played)
{
    if (movie->container == NGX_WEBRTC_MOVIE_OTHER) {
        return 0;
    }

    if (plan->video != NGX_WEBRTC_MOVIE_NONE
        && (!(played & ((uint32_t) 1 << plan->video))
            || (plan->height
                && movie->tracks[plan->video].height > plan->height)))
    {
        return 0;
    }

    return plan->audio == NGX_WEBRTC_MOVIE_NONE
           || (played & ((uint32_t) 1 << plan->audio));
}


static ngx_uint_t
ngx_webrtc_movie_accepts(const ngx_webrtc_movie_accept_t *accept,
    const ngx_webrtc_movie_codec_t *codec)
{
    ngx_uint_t                       i;
    const ngx_webrtc_movie_codec_t  *a;

    if (codec->family == NGX_WEBRTC_MOVIE_UNKNOWN) {
        return 0;
    }

    for (i = 0; i < accept->n; i++) {
        a = &accept->codecs[i];

        if (a->family == codec->family
            && codec->profile <= a->profile
            && (a->level == 0 || codec->level <= a->level)
            && (a->depth == 0 || codec->depth <= a->depth))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_webrtc_movie_accepts_family(const ngx_webrtc_movie_accept_t *accept,
    ngx_webrtc_movie_family_e family)
{
    ngx_uint_t  i;

    for (i = 0; i < accept->n; i++) {
        if (accept->codecs[i].family == family) {
            return 1;
        }
    }

    return 0;
}


/* the default one, or else the first, of those among which it may be */

static ngx_uint_t
ngx_webrtc_movie_pick(const ngx_webrtc_movie_t *movie,
    ngx_webrtc_movie_kind_e kind, uint32_t among)
{
    ngx_uint_t  i, first;

    first = NGX_WEBRTC_MOVIE_NONE;

    for (i = 0; i < movie->ntracks; i++) {

        if (movie->tracks[i].kind != kind || !(among & ((uint32_t) 1 << i))) {
            continue;
        }

        if (movie->tracks[i].flags & NGX_WEBRTC_MOVIE_DEFAULT) {
            return i;
        }

        if (first == NGX_WEBRTC_MOVIE_NONE) {
            first = i;
        }
    }

    return first;
}


static ngx_int_t
ngx_webrtc_movie_refuse(const ngx_webrtc_movie_track_t *track, const char *why,
    u_char *cause)
{
    u_char  *p, *last;

    last = cause + NGX_WEBRTC_MOVIE_CAUSE - 1;

    p = ngx_slprintf(cause, last, "%s codec %*s (%*s): %s",
                     track->kind == NGX_WEBRTC_MOVIE_VIDEO ? "video" : "audio",
                     (size_t) track->plain_len, track->plain,
                     (size_t) track->codec_len, track->codec, why);
    *p = '\0';

    return NGX_DECLINED;
}


ngx_webrtc_movie_action_e
ngx_webrtc_movie_action(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_plan_t *plan, ngx_uint_t track, ngx_uint_t height)
{
    ngx_uint_t                       lower;
    const ngx_webrtc_movie_track_t  *t;

    t = &movie->tracks[track];

    if (t->kind == NGX_WEBRTC_MOVIE_TEXT) {
        return NGX_WEBRTC_MOVIE_LEAVE;
    }

    lower = t->kind == NGX_WEBRTC_MOVIE_VIDEO
            && plan->picture != NGX_WEBRTC_MOVIE_LEAVE
            && (t->flags & NGX_WEBRTC_MOVIE_DECODE)
            && ((height && height < t->height)
                || (plan->height && plan->height < t->height));

    if ((plan->copy & ((uint32_t) 1 << track)) && !lower) {
        return NGX_WEBRTC_MOVIE_AS_IS;
    }

    if (!(t->flags & NGX_WEBRTC_MOVIE_DECODE)) {
        return NGX_WEBRTC_MOVIE_LEAVE;
    }

    return (t->kind == NGX_WEBRTC_MOVIE_VIDEO) ? plan->picture : plan->sound;
}


ngx_uint_t
ngx_webrtc_movie_qualities(const ngx_webrtc_movie_t *movie,
    const ngx_webrtc_movie_plan_t *plan,
    uint16_t heights[NGX_WEBRTC_MOVIE_QUALITIES])
{
    uint16_t    own;
    ngx_uint_t  i, n;

    if (plan->video >= movie->ntracks) {
        return 0;
    }

    own = movie->tracks[plan->video].height;

    if (plan->height && plan->height < own) {
        own = plan->height;
    }

    n = 0;
    heights[n++] = own;

    if (!plan->scale) {
        return n;
    }

    for (i = 0; ngx_webrtc_movie_heights[i]
                && n < NGX_WEBRTC_MOVIE_QUALITIES; i++)
    {
        if (ngx_webrtc_movie_heights[i] < own) {
            heights[n++] = ngx_webrtc_movie_heights[i];
        }
    }

    return n;
}
