
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Playlists of streams in segments: what is in them, line by line, and names
 * and arguments.
 */


#include "tap.h"

#include "ngx_webrtc_hls_text.h"


#define S  1000000LL


static ngx_webrtc_hls_info_t     info;
static ngx_webrtc_hls_segment_t  segments[100];
static ngx_webrtc_hls_list_t     list;
static ngx_str_t                 none = ngx_null_string;
static u_char                    buf[65536];


/* n segments of two seconds from msn 7 on, the last of them of another run, and
 * two parts under way */

static void
make(ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_webrtc_hls_track_t  *t;

    memset(&info, 0, sizeof(info));
    memset(&list, 0, sizeof(list));

    info.params.segment = 2000;
    info.params.part = 500;
    info.params.window = 6000;
    info.gen = 0xabcdef;
    info.target = 2;
    info.part_us = 500000;
    info.run = 2;
    info.begun_us = 1700000000 * S;
    info.end_us = info.begun_us;

    t = &info.tracks[0];
    t->clock = 90000;
    t->width = 640;
    t->height = 360;
    t->fps_milli = 29970;
    t->peak = 900000;
    t->average = 800000;
    t->first = 7;
    t->next = 7 + (uint32_t) n;
    t->last_parts = 4;
    t->codec_len = 11;
    memcpy(t->codec, "avc1.42E01F", 11);

    list.segments = segments;
    list.nsegments = n;
    list.first = 7;

    for (i = 0; i < n; i++) {
        segments[i].ts = (int64_t) i * 180000;
        segments[i].wall_us = info.begun_us + (int64_t) i * 2 * S;
        segments[i].run = (i == n - 1) ? 2 : 1;
        segments[i].run_us = (i == n - 1) ? segments[i].wall_us
                                          : info.begun_us;
        segments[i].duration = 180000;
        segments[i].bytes = 200000;
    }

    t->open.wall_us = info.begun_us + (int64_t) n * 2 * S;
    t->open.run = 2;
    t->open.parts = 2;
    t->open.duration = 90000;

    for (i = 0; i < 2; i++) {
        list.parts[i].msn = t->next;
        list.parts[i].n = (uint32_t) i;
        list.parts[i].duration = 45000;
        list.parts[i].independent = (i == 0);
    }

    list.nparts = 2;

    info.tracks[NGX_WEBRTC_HLS_AAC] = *t;
    info.tracks[NGX_WEBRTC_HLS_AAC].channels = 2;
    info.tracks[NGX_WEBRTC_HLS_AAC].clock = 48000;
    info.tracks[NGX_WEBRTC_HLS_AAC].codec_len = 9;
    memcpy(info.tracks[NGX_WEBRTC_HLS_AAC].codec, "mp4a.40.2", 9);
}


static const char *
text(ngx_webrtc_hls_ask_t *ask)
{
    u_char  *p;
    size_t   size;

    size = ngx_webrtc_hls_text_list_size(&list, &none);
    p = ngx_webrtc_hls_text_list(buf, buf + size, &info, 0, &list, ask, &none);

    tap_ok(p < buf + size, "there is room");
    *p = '\0';

    return (const char *) buf;
}


static int
has(const char *s, const char *line)
{
    int  found;

    found = (strstr(s, line) != NULL);

    if (!found) {
        tap_diag("no %s in\n%s", line, s);
    }

    return found;
}


static void
test_list(void)
{
    const char                *s;
    ngx_uint_t                 i;
    ngx_webrtc_hls_ask_t       ask;

    static const char         *lines[] = {
        "#EXT-X-TARGETDURATION:2\n",
        "#EXT-X-MEDIA-SEQUENCE:7\n",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n",
        "PART-HOLD-BACK=1.503\n",
        "#EXT-X-PART-INF:PART-TARGET=0.500000\n",
        "#EXT-X-MAP:URI=\"v0.00abcdef.1.mp4\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z\n"
        "#EXTINF:2.000000,\nv0.00abcdef.7.m4s\n",
        "v0.00abcdef.8.m4s\n#EXT-X-DISCONTINUITY\n"
        "#EXT-X-MAP:URI=\"v0.00abcdef.2.mp4\"\n",
        "#EXT-X-PART:DURATION=0.500000,URI=\"v0.00abcdef.10.0.m4s\","
        "INDEPENDENT=YES\n",
        "#EXT-X-PART:DURATION=0.500000,URI=\"v0.00abcdef.10.1.m4s\"\n",
        "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v0.00abcdef.10.2.m4s\"\n",
        "#EXT-X-RENDITION-REPORT:URI=\"aac.m3u8\",LAST-MSN=10,LAST-PART=1\n",
    };

    memset(&ask, 0, sizeof(ask));
    make(3);
    s = text(&ask);

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        tap_ok(has(s, lines[i]), "line %d", (int) i);
    }

    tap_ok(!strstr(s, "CAN-SKIP-UNTIL"), "a short list is not skipped");

    info.over = 1;
    s = text(&ask);
    tap_ok(has(s, "#EXT-X-ENDLIST\n"), "over");
    tap_ok(!strstr(s, "PRELOAD"), "nothing is hinted at");
    tap_ok(!strstr(s, "EXT-X-PART"), "nor are there parts");

    make(40);
    info.params.window = 80000;
    ask.skip = 1;
    s = text(&ask);
    tap_ok(has(s, "CAN-SKIP-UNTIL=12.0\n"), "a long one may be");
    tap_ok(has(s, "#EXT-X-SKIP:SKIPPED-SEGMENTS=34\n"), "and is");
    tap_ok(!strstr(s, "v0.00abcdef.40.m4s\n"), "up to there");
    tap_ok(has(s, "v0.00abcdef.41.m4s\n"), "and no further");
    tap_ok(has(s, "#EXT-X-DISCONTINUITY\n"), "a discontinuity stays");

    make(3);
    info.params.part = 0;
    s = text(NULL);
    tap_ok(!strstr(s, "PART") && has(s, "#EXT-X-VERSION:7\n"), "no parts");
}


/* the last two of four are gaps, one of either run */

static void
test_gap(void)
{
    u_char                 *p;
    size_t                  size;
    const char             *s;
    ngx_webrtc_hls_list_t   lists[NGX_WEBRTC_HLS_TRACKS];

    make(4);
    segments[2].bytes = 0;
    segments[3].bytes = 0;
    list.nparts = 0;

    info.tracks[1] = info.tracks[0];
    info.tracks[1].gap = 1;
    info.tracks[1].open.parts = 0;

    size = ngx_webrtc_hls_text_list_size(&list, &none);
    p = ngx_webrtc_hls_text_list(buf, buf + size, &info, 1, &list, NULL,
                                 &none);
    *p = '\0';
    s = (const char *) buf;

    tap_ok(has(s, ".000Z\n#EXT-X-GAP\n#EXTINF:2.000000,\n"
                  "v1.00abcdef.9.m4s\n"
                  "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:"),
           "a gap, and no head of a run that has nothing else");
    tap_ok(!strstr(s, "v1.00abcdef.2.mp4"), "which there is not");
    tap_ok(!strstr(s, "PRELOAD"), "nothing is hinted at");
    tap_ok(has(s, "#EXT-X-RENDITION-REPORT:URI=\"v0.m3u8\""), "of others");

    segments[0].bytes = 0;
    segments[1].bytes = 0;
    segments[2].bytes = 1;
    p = ngx_webrtc_hls_text_list(buf, buf + size, &info, 1, &list, NULL,
                                 &none);
    *p = '\0';

    tap_ok(has(s, "#EXT-X-MAP:URI=\"v1.00abcdef.1.mp4\"\n"
                  "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z\n"
                  "#EXTINF"), "the head is before what needs it");

    p = ngx_webrtc_hls_text_list(buf, buf + size, &info, 0, &list, NULL,
                                 &none);
    *p = '\0';
    tap_ok(!strstr(s, "REPORT:URI=\"v1.m3u8\""), "no report of it");

    p = ngx_webrtc_hls_text_index(buf, buf + sizeof(buf), &info, &none);
    *p = '\0';
    tap_ok(strstr(s, "v0.m3u8") && !strstr(s, "v1.m3u8"),
           "nobody is to begin with it");

    info.tracks[NGX_WEBRTC_HLS_AAC].gap = 1;
    p = ngx_webrtc_hls_text_index(buf, buf + sizeof(buf), &info, &none);
    *p = '\0';
    tap_ok(strstr(s, "v0.m3u8") && !strstr(s, "aac"), "nor with such sound");

    info.tracks[0].gap = 1;
    info.tracks[NGX_WEBRTC_HLS_AAC].gap = 0;
    p = ngx_webrtc_hls_text_index(buf, buf + sizeof(buf), &info, &none);
    *p = '\0';
    tap_ok(has(s, "\naac.m3u8\n") && !strstr(s, "v0.m3u8"), "sound alone");

    memset(lists, 0, sizeof(lists));
    lists[0] = list;

    p = ngx_webrtc_hls_text_mpd(buf, buf + sizeof(buf), &info, lists,
                                info.begun_us, &none);
    *p = '\0';
    tap_ok(has(s, "startNumber=\"9\"") && has(s, "<S t=\"360000\""),
           "a manifest begins behind it");
    tap_ok(!strstr(s, "<S t=\"0\"") && !strstr(s, "<S t=\"540000\""),
           "and ends before it");
}


static ngx_uint_t
count(const char *s, const char *line)
{
    ngx_uint_t  n;

    for (n = 0; (s = strstr(s, line)) != NULL; n++) {
        s += strlen(line);
    }

    return n;
}


/* segments of many runs, and runs without any */

static void
test_runs(void)
{
    size_t                 n;
    ngx_uint_t             i;
    const char            *s;
    ngx_webrtc_hls_ask_t   ask;

    static const char      run[] = "#EXT-X-DISCONTINUITY\n";

    memset(&ask, 0, sizeof(ask));

    make(100);

    for (i = 0; i < 100; i++) {
        segments[i].run = (uint32_t) i + 1;
    }

    info.tracks[0].open.run = 101;
    s = text(&ask);

    tap_ok(count(s, run) == 100, "a run of each segment");
    tap_ok(count(s, "#EXT-X-MAP:") == 101, "with its head");
    tap_ok(count(s, "#EXTINF:") == 100, "all are listed");
    tap_ok(has(s, "#EXT-X-RENDITION-REPORT:URI=\"aac.m3u8\",LAST-MSN=107,"
                  "LAST-PART=1\n"), "up to its end");

    /* none of what is between the second and the third */

    make(4);
    segments[2].run = 300;
    segments[3].run = 300;
    info.tracks[0].open.run = 300;
    s = text(&ask);

    tap_ok(count(s, run) == 299, "runs without a segment count");
    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:7\n"
                  "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"), "nothing has left");
    tap_ok(has(s, "URI=\"aac.m3u8\",LAST-MSN=11,LAST-PART=1\n"),
           "up to its end");

    segments[2].run = NGX_WEBRTC_HLS_RUNS + 1;
    segments[3].run = NGX_WEBRTC_HLS_RUNS + 1;
    info.tracks[0].open.run = NGX_WEBRTC_HLS_RUNS + 1;
    s = text(&ask);

    tap_ok(count(s, run) == NGX_WEBRTC_HLS_RUNS, "as many as there may be");
    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:7\n"
                  "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"), "nothing has left");

    info.tracks[0].open.run++;
    s = text(&ask);

    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:9\n"
                  "#EXT-X-DISCONTINUITY-SEQUENCE:500\n"),
           "one more: the oldest leave");
    tap_ok(count(s, run) == 1, "with their discontinuities");
    tap_ok(count(s, "#EXTINF:") == 2, "two segments are left");
    tap_ok(has(s, "-INDEPENDENT-SEGMENTS\n"
                  "#EXT-X-MAP:URI=\"v0.00abcdef.501.mp4\"\n"),
           "which begin with their head");
    tap_ok(has(s, "INDEPENDENT-SEGMENTS\n#EXT-X-MAP"), "and nothing else");

    info.tracks[0].open.run = 4000000000U;
    s = text(&ask);

    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:11\n"
                  "#EXT-X-DISCONTINUITY-SEQUENCE:3999999999\n"),
           "all leave but what is under way");
    tap_ok(count(s, run) == 0 && count(s, "#EXTINF:") == 0
           && count(s, "#EXT-X-PART:") == 2, "which is listed");

    info.params.part = 0;
    s = text(&ask);
    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:7\n")
           && count(s, "#EXTINF:") == 4, "where it is not, all stay");

    /* what has left is not skipped */

    make(60);
    info.params.window = 120000;
    info.tracks[0].open.run = 1000;

    for (i = 0; i < 60; i++) {
        segments[i].run = (i < 10) ? 1 : 1000;
    }

    ask.skip = 1;
    s = text(&ask);
    n = count(s, "#EXTINF:");
    tap_ok(has(s, "#EXT-X-MEDIA-SEQUENCE:17\n"
                  "#EXT-X-DISCONTINUITY-SEQUENCE:999\n"), "ten have left");
    tap_ok(n == 6 && has(s, "#EXT-X-SKIP:SKIPPED-SEGMENTS=44\n"),
           "44 are skipped");
    tap_ok(!strstr(s, "#EXT-X-MAP:"), "their head is known");
}


/* a period of each run that has media */

static void
test_periods(void)
{
    u_char                    *p, *text;
    size_t                     size, n;
    ngx_uint_t                 i;
    const char                *s;
    ngx_webrtc_hls_list_t      lists[NGX_WEBRTC_HLS_TRACKS];
    ngx_webrtc_hls_segment_t  *many;

    n = NGX_WEBRTC_HLS_RUNS + 100;

    make(3);
    memset(lists, 0, sizeof(lists));
    many = calloc(n, sizeof(ngx_webrtc_hls_segment_t));

    for (i = 0; i < n; i++) {
        many[i] = segments[0];
        many[i].ts = (int64_t) i * 180000;
        many[i].run = (uint32_t) i + 1;
        many[i].wall_us += (int64_t) i * 2 * S;
        many[i].run_us = many[i].wall_us;
    }

    many[n - 2].bytes = 0;

    for (i = 0; i < NGX_WEBRTC_HLS_TRACKS; i++) {
        info.tracks[i] = info.tracks[i < NGX_WEBRTC_HLS_AAC
                                     ? 0 : NGX_WEBRTC_HLS_AAC];
        lists[i].segments = many;
        lists[i].nsegments = n;
        lists[i].first = 7;
    }

    /* sound has nothing of the last run */

    lists[NGX_WEBRTC_HLS_AAC].nsegments--;

    size = ngx_webrtc_hls_text_mpd_size(lists, &none);
    text = malloc(size + 1);
    p = ngx_webrtc_hls_text_mpd(text, text + size, &info, lists,
                                info.begun_us, &none);
    *p = '\0';
    s = (const char *) text;

    tap_ok(p < text + size, "there is room");
    tap_ok(count(s, "<Period ") == NGX_WEBRTC_HLS_RUNS,
           "so many periods, but the one that has only gaps");
    tap_ok(!strstr(s, "<Period id=\"99\"")
           && has(s, "<Period id=\"100\" start=\"PT3798.000S\">"),
           "the oldest have left");
    tap_ok(!strstr(s, "<Period id=\"599\"")
           && has(s, "<Period id=\"600\""), "the newest is there");
    tap_ok(count(s, "<Period ") == count(s, "</Period>")
           && count(s, "<AdaptationSet ")
              == 3 * NGX_WEBRTC_HLS_RUNS - 1
           && count(s, "<Representation ")
              == NGX_WEBRTC_HLS_TRACKS * NGX_WEBRTC_HLS_RUNS - 1,
           "each with what it has");
    tap_ok(strcmp(s + strlen(s) - 7, "</MPD>\n") == 0, "up to its end");

    free(text);
    free(many);
}


static void
test_has(void)
{
    ngx_uint_t            i;
    ngx_webrtc_hls_ask_t  ask;

    static const struct {
        const char  *args;
        ngx_int_t    parsed;
        ngx_int_t    has;
    } cases[] = {
        { "", NGX_OK, NGX_OK },
        { "a=b&_HLS_x=1", NGX_OK, NGX_OK },
        { "_HLS_msn=9", NGX_OK, NGX_OK },
        { "_HLS_msn=9&_HLS_part=77", NGX_OK, NGX_OK },
        { "_HLS_msn=10", NGX_OK, NGX_AGAIN },
        { "_HLS_msn=10&_HLS_part=1", NGX_OK, NGX_OK },
        { "_HLS_part=2&_HLS_msn=10", NGX_OK, NGX_AGAIN },
        { "_HLS_msn=12&_HLS_part=0", NGX_OK, NGX_AGAIN },
        { "_HLS_msn=13", NGX_OK, NGX_DECLINED },
        { "_HLS_msn=4294967295", NGX_OK, NGX_DECLINED },
        { "_HLS_msn=4294967296", NGX_DECLINED, 0 },
        { "_HLS_msn=", NGX_DECLINED, 0 },
        { "_HLS_msn=-1", NGX_DECLINED, 0 },
        { "_HLS_msn=1x", NGX_DECLINED, 0 },
        { "_HLS_part=1", NGX_DECLINED, 0 },
        { "_HLS_msn=1&_HLS_msn=2", NGX_DECLINED, 0 },
    };

    make(3);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(ngx_webrtc_hls_ask_parse((u_char *) cases[i].args,
                                        strlen(cases[i].args), &ask)
               == cases[i].parsed, "parsed: %s", cases[i].args);

        if (cases[i].parsed == NGX_OK) {
            tap_ok(ngx_webrtc_hls_text_has(&info, 0, &ask) == cases[i].has,
                   "there: %s", cases[i].args);
        }
    }
}


static void
test_index(void)
{
    u_char      *p;
    size_t       size;
    ngx_str_t    query = ngx_string("?jwt=a.b.c");
    const char  *s;

    make(3);

    tap_ok(ngx_webrtc_hls_text_ready(&info), "there is enough");

    size = ngx_webrtc_hls_text_index_size(&query);
    p = ngx_webrtc_hls_text_index(buf, buf + size, &info, &query);
    *p = '\0';
    s = (const char *) buf;

    tap_ok(p < buf + size, "there is room");
    tap_ok(has(s, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",NAME=\"aac\","
                  "DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\","
                  "URI=\"aac.m3u8?jwt=a.b.c\"\n"), "sound");
    tap_ok(has(s, "#EXT-X-STREAM-INF:BANDWIDTH=1800000,"
                  "AVERAGE-BANDWIDTH=1600000,CODECS=\"avc1.42E01F,mp4a.40.2\","
                  "RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO=\"aac\"\n"
                  "v0.m3u8?jwt=a.b.c\n"), "pictures with sound");

    info.tracks[NGX_WEBRTC_HLS_AAC].clock = 0;
    p = ngx_webrtc_hls_text_index(buf, buf + size, &info, &none);
    *p = '\0';
    tap_ok(!strstr(s, "AUDIO"), "without sound");

    make(0);
    tap_ok(!ngx_webrtc_hls_text_ready(&info), "without segments");
}


static void
test_mpd(void)
{
    u_char                 *p;
    size_t                  size;
    const char             *s;
    ngx_webrtc_hls_list_t   lists[NGX_WEBRTC_HLS_TRACKS];

    make(3);
    memset(lists, 0, sizeof(lists));
    lists[0] = list;

    size = ngx_webrtc_hls_text_mpd_size(lists, &none);
    p = ngx_webrtc_hls_text_mpd(buf, buf + size, &info, lists,
                                info.begun_us, &none);
    *p = '\0';
    s = (const char *) buf;

    tap_ok(p < buf + size, "there is room");
    tap_ok(has(s, "availabilityStartTime=\"2023-11-14T21:13:20.000Z\""),
           "an hour before");
    tap_ok(has(s, "<Period id=\"1\" start=\"PT3600.000S\">"), "a run");
    tap_ok(has(s, "<Period id=\"2\" start=\"PT3604.000S\">"), "and another");
    tap_ok(has(s, "presentationTimeOffset=\"360000\" startNumber=\"9\""),
           "which begins at its own time");
    tap_ok(has(s, "<S t=\"180000\" d=\"180000\"/>"), "a segment");
    tap_ok(!strstr(s, "audio"), "no sound");
}


static void
test_dir(void)
{
    u_char     a[NGX_WEBRTC_HLS_DIR + 1], b[NGX_WEBRTC_HLS_DIR + 1];
    u_char     p[127];
    ngx_str_t  name = ngx_string("../A b");

    ngx_webrtc_hls_name_dir(a, &name, 0x12);
    tap_ok(strcmp((char *) a, "~2E~2E~2FA~20b-00000012") == 0, "a name");

    memset(p, '.', sizeof(p));
    name.data = p;
    name.len = sizeof(p);

    ngx_webrtc_hls_name_dir(a, &name, 1);
    p[126] = ',';
    ngx_webrtc_hls_name_dir(b, &name, 1);

    tap_ok(strcmp((char *) a, (char *) b) != 0, "long ones differ");
    tap_ok(strlen((char *) a) <= NGX_WEBRTC_HLS_DIR, "and are no longer");
}


int
main(void)
{
    test_list();
    test_gap();
    test_runs();
    test_periods();
    test_has();
    test_index();
    test_mpd();
    test_dir();

    return tap_done();
}
