
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

/*
 * Unwrapping, scaling, the timeline and the order of B-frames.  The figures of
 * the wrap and scale tables come from Python's integers:
 *
 *     t * 48000 // 90000, (t + offset_ms * 90) % 2**32 and so on
 *
 * those of the scenarios are in milliseconds and were reckoned by hand.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_timestamp.h"
#include "ngx_webrtc_time.h"
#include "tap.h"


/* 2023-11-14T22:13:20.123456Z */
#define N0_US  INT64_C(1700000000123456)
#define N0_MS  INT64_C(1700000000123)

#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static const struct {
    int64_t   v;
    uint32_t  num;
    uint32_t  den;
    int64_t   want;
} scales[] = {
    { INT64_C(0), 48000U, 90000U,
      INT64_C(0) },
    { INT64_C(1), 48000U, 90000U,
      INT64_C(0) },
    { INT64_C(-1), 48000U, 90000U,
      INT64_C(-1) },
    { INT64_C(15), 8000U, 90000U,
      INT64_C(1) },
    { INT64_C(-15), 8000U, 90000U,
      INT64_C(-2) },
    { INT64_C(8589934591), 48000U, 90000U,
      INT64_C(4581298448) },
    { INT64_C(8589934592), 48000U, 90000U,
      INT64_C(4581298449) },
    { INT64_C(60129554489), 48000U, 90000U,
      INT64_C(32069095727) },
    { INT64_C(60129554489), 8000U, 90000U,
      INT64_C(5344849287) },
    { INT64_C(-25769803783), 48000U, 90000U,
      INT64_C(-13743895351) },
    { INT64_C(123456789012345), 90000U, 1000U,
      INT64_C(11111111011111050) },
    { INT64_C(1000000000000007), 90000U, 1000000U,
      INT64_C(90000000000000) },
    { INT64_C(4611686030773066805), 48000U, 90000U,
      INT64_C(2459565883078968962) },
    { INT64_C(-4611686018427387905), 4294967295U, 4294967295U,
      INT64_C(-4611686018427387905) },
    { INT64_C(9223372036854775807), 1U, 4294967295U,
      INT64_C(2147483648) },
    { INT64_MIN, 1U, 3U,
      INT64_C(-3074457345618258603) },
    { INT64_C(9223372036854775807), 4294967294U, 4294967295U,
      INT64_C(9223372034707292158) },
    { INT64_C(9223372036854775807), 90000U, 1U,
      INT64_C(-90000) },
    { INT64_MIN, 90000U, 7U,
      INT64_C(7905747460161236406) },
};


/* a program of 90 kHz, from just before its first wrap to its seventh one */

static const struct {
    uint64_t  pts;             /* 33 bits */
    int64_t   unwrapped;
    int64_t   now_us;
    uint32_t  video;           /* RTP at 90000, 48000 and 8000 Hz */
    uint32_t  opus;
    uint32_t  pcmu;
} wraps[] = {
    { UINT64_C(8589484592), INT64_C(8589484592),
      INT64_C(1700000000123456), 380025724U, 4211316529U, 2133541853U },
    { UINT64_C(8589664592), INT64_C(8589664592),
      INT64_C(1700000002123456), 380205724U, 4211412529U, 2133557853U },
    { UINT64_C(8589934591), INT64_C(8589934591),
      INT64_C(1700000005123444), 380475723U, 4211556528U, 2133581853U },
    { UINT64_C(0), INT64_C(8589934592),
      INT64_C(1700000005123456), 380475724U, 4211556529U, 2133581853U },
    { UINT64_C(1), INT64_C(8589934593),
      INT64_C(1700000005123467), 380475725U, 4211556529U, 2133581853U },
    { UINT64_C(1800), INT64_C(8589936392),
      INT64_C(1700000005143456), 380477524U, 4211557489U, 2133582013U },
    { UINT64_C(270000), INT64_C(8590204592),
      INT64_C(1700000008123456), 380745724U, 4211700529U, 2133605853U },
    { UINT64_C(2863311530), INT64_C(11453246122),
      INT64_C(1700031819696011), 3243787254U, 1443688715U, 2388098433U },
    { UINT64_C(5726623061), INT64_C(14316557653),
      INT64_C(1700063634268578), 1812131489U, 2970788198U, 2642615014U },
    { UINT64_C(8589664592), INT64_C(17179599184),
      INT64_C(1700095445841144), 380205724U, 202776386U, 2897107595U },
    { UINT64_C(8589934591), INT64_C(17179869183),
      INT64_C(1700095448841133), 380475723U, 202920385U, 2897131594U },
    { UINT64_C(0), INT64_C(17179869184),
      INT64_C(1700095448841144), 380475724U, 202920386U, 2897131595U },
    { UINT64_C(1), INT64_C(17179869185),
      INT64_C(1700095448841156), 380475725U, 202920386U, 2897131595U },
    { UINT64_C(1800), INT64_C(17179870984),
      INT64_C(1700095448861144), 380477524U, 202921346U, 2897131755U },
    { UINT64_C(270000), INT64_C(17180139184),
      INT64_C(1700095451841144), 380745724U, 203064386U, 2897155595U },
    { UINT64_C(2863311530), INT64_C(20043180714),
      INT64_C(1700127263413700), 3243787254U, 1730019868U, 3151648175U },
    { UINT64_C(5726623061), INT64_C(22906492245),
      INT64_C(1700159077986267), 1812131489U, 3257119352U, 3406164756U },
    { UINT64_C(8589664592), INT64_C(25769533776),
      INT64_C(1700190889558833), 380205724U, 489107539U, 3660657336U },
    { UINT64_C(8589934591), INT64_C(25769803775),
      INT64_C(1700190892558822), 380475723U, 489251538U, 3660681336U },
    { UINT64_C(0), INT64_C(25769803776),
      INT64_C(1700190892558833), 380475724U, 489251539U, 3660681336U },
    { UINT64_C(1), INT64_C(25769803777),
      INT64_C(1700190892558844), 380475725U, 489251539U, 3660681336U },
    { UINT64_C(1800), INT64_C(25769805576),
      INT64_C(1700190892578833), 380477524U, 489252499U, 3660681496U },
    { UINT64_C(270000), INT64_C(25770073776),
      INT64_C(1700190895558833), 380745724U, 489395539U, 3660705336U },
    { UINT64_C(2863311530), INT64_C(28633115306),
      INT64_C(1700222707131389), 3243787254U, 2016351021U, 3915197916U },
    { UINT64_C(5726623061), INT64_C(31496426837),
      INT64_C(1700254521703956), 1812131489U, 3543450505U, 4169714497U },
    { UINT64_C(8589664592), INT64_C(34359468368),
      INT64_C(1700286333276522), 380205724U, 775438692U, 129239782U },
    { UINT64_C(8589934591), INT64_C(34359738367),
      INT64_C(1700286336276511), 380475723U, 775582691U, 129263781U },
    { UINT64_C(0), INT64_C(34359738368),
      INT64_C(1700286336276522), 380475724U, 775582692U, 129263782U },
    { UINT64_C(1), INT64_C(34359738369),
      INT64_C(1700286336276533), 380475725U, 775582692U, 129263782U },
    { UINT64_C(1800), INT64_C(34359740168),
      INT64_C(1700286336296522), 380477524U, 775583652U, 129263942U },
    { UINT64_C(270000), INT64_C(34360008368),
      INT64_C(1700286339276522), 380745724U, 775726692U, 129287782U },
    { UINT64_C(2863311530), INT64_C(37223049898),
      INT64_C(1700318150849078), 3243787254U, 2302682174U, 383780362U },
    { UINT64_C(5726623061), INT64_C(40086361429),
      INT64_C(1700349965421644), 1812131489U, 3829781658U, 638296943U },
    { UINT64_C(8589664592), INT64_C(42949402960),
      INT64_C(1700381776994211), 380205724U, 1061769845U, 892789523U },
    { UINT64_C(8589934591), INT64_C(42949672959),
      INT64_C(1700381779994200), 380475723U, 1061913844U, 892813523U },
    { UINT64_C(0), INT64_C(42949672960),
      INT64_C(1700381779994211), 380475724U, 1061913845U, 892813523U },
    { UINT64_C(1), INT64_C(42949672961),
      INT64_C(1700381779994222), 380475725U, 1061913845U, 892813523U },
    { UINT64_C(1800), INT64_C(42949674760),
      INT64_C(1700381780014211), 380477524U, 1061914805U, 892813683U },
    { UINT64_C(270000), INT64_C(42949942960),
      INT64_C(1700381782994211), 380745724U, 1062057845U, 892837523U },
    { UINT64_C(2863311530), INT64_C(45812984490),
      INT64_C(1700413594566767), 3243787254U, 2589013328U, 1147330104U },
    { UINT64_C(5726623061), INT64_C(48676296021),
      INT64_C(1700445409139333), 1812131489U, 4116112811U, 1401846684U },
    { UINT64_C(8589664592), INT64_C(51539337552),
      INT64_C(1700477220711900), 380205724U, 1348100998U, 1656339265U },
    { UINT64_C(8589934591), INT64_C(51539607551),
      INT64_C(1700477223711889), 380475723U, 1348244997U, 1656363264U },
    { UINT64_C(0), INT64_C(51539607552),
      INT64_C(1700477223711900), 380475724U, 1348244998U, 1656363265U },
    { UINT64_C(1), INT64_C(51539607553),
      INT64_C(1700477223711911), 380475725U, 1348244998U, 1656363265U },
    { UINT64_C(1800), INT64_C(51539609352),
      INT64_C(1700477223731900), 380477524U, 1348245958U, 1656363425U },
    { UINT64_C(270000), INT64_C(51539877552),
      INT64_C(1700477226711900), 380745724U, 1348388998U, 1656387265U },
    { UINT64_C(2863311530), INT64_C(54402919082),
      INT64_C(1700509038284456), 3243787254U, 2875344481U, 1910879845U },
    { UINT64_C(5726623061), INT64_C(57266230613),
      INT64_C(1700540852857022), 1812131489U, 107476668U, 2165396426U },
};


static const struct {
    ngx_uint_t  bits;
    uint64_t    pts[6];
    int64_t     want[6];
    const char  *name;
} unwraps[] = {

    { 33, { 0x1fffffffe, 3, 0x1fffffffd, 0x1ffffffff, 0, 1 },
      { INT64_C(8589934590), INT64_C(8589934595), INT64_C(8589934589),
        INT64_C(8589934591), INT64_C(8589934592), INT64_C(8589934593) },
      "33 bits, tracks on both sides of a wrap" },

    { 33, { 5, 0x1fffffffd, 0x1ffffff00, 0, 0x1fffffffe, 5 },
      { 5, -3, -256, 0, -2, 5 },
      "33 bits, back before the first wrap" },

    /* -90 as libavformat gives it, then up */
    { 33, { UINT64_MAX - 89, 0, 90, UINT64_C(0x100000059), 90, 0 },
      { INT64_C(8589934502), INT64_C(8589934592), INT64_C(8589934682),
        INT64_C(12884901977), INT64_C(8589934682), INT64_C(8589934592) },
      "33 bits, sign-extended, largest step ahead" },

    { 32, { 0xfffffff0, 0x10, 0x7fffffff, 0xfffffffe, 0, 0x20 },
      { INT64_C(4294967280), INT64_C(4294967312), INT64_C(6442450943),
        INT64_C(8589934590), INT64_C(8589934592), INT64_C(8589934624) },
      "32 bits, RTMP milliseconds" },

    /* 0 -> half the range: the earlier one */
    { 32, { 0, 0x80000000, 0, 0x7fffffff, 0xffffffff, 0 },
      { 0, INT64_C(-2147483648), INT64_C(-4294967296), INT64_C(-2147483649),
        INT64_C(-4294967297), INT64_C(-4294967296) },
      "32 bits, half the range" },

    { 64, { 5, UINT64_MAX, 1, UINT64_C(0x8000000000000000),
            INT64_MAX, 0 },
      { 5, -1, 1, INT64_MIN, INT64_MAX, 0 },
      "64 bits are taken as they are" },
};


/*
 * Scenarios, in milliseconds: sources' timestamps, our clock and media time,
 * the last two less N0.  Track 0 is video, track 1 audio.
 */

enum { END, START, MAP };

typedef struct {
    int        op;
    int        track;
    int64_t    t;
    int64_t    now;
    int64_t    want;
} row_t;

typedef struct {
    const char  *name;
    uint32_t     jumps;
    row_t        rows[32];
} scenario_t;


#define V  0
#define A  1

static const scenario_t  scenarios[] = {

    { "two tracks of one source", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 5000,   0,   0 },
        { MAP, A, 5010,   5,  10 },
        { MAP, V, 5040,  40,  40 },
        { MAP, A, 5031,  45,  31 },
        { MAP, A, 5052,  46,  52 } } },

    { "audio before video", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, A, 90000,   0,    0 },
        { MAP, V, 89000,   5, -1000 },
        { MAP, V, 89040,  40, -960 } } },

    { "b-frames are no jump", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 5000,   0,   0 },
        { MAP, V, 5160,  40, 160 },
        { MAP, V, 5080,  80,  80 },
        { MAP, V, 5040, 120,  40 },
        { MAP, V, 5120, 160, 120 },
        { MAP, V, 5320, 200, 320 } } },

    { "jump ahead, audio follows later", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   5000,   0,   0 },
        { MAP, A,   5000,   5,   0 },
        { MAP, V,   5200, 200, 200 },
        { MAP, A,   5190, 205, 190 },
        { MAP, V, 905240, 240, 240 },
        { MAP, A,   5205, 245, 205 },
        { MAP, V, 905280, 280, 280 },
        { MAP, A, 905225, 285, 225 },
        { MAP, A, 905245, 286, 245 },
        { MAP, V, 905320, 320, 320 } } },

    { "jump back, audio follows later", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 905000,   0,   0 },
        { MAP, A, 905000,   5,   0 },
        { MAP, V, 905040,  40,  40 },
        { MAP, A, 905020,  45,  20 },
        { MAP, V,   1000,  80,  80 },
        { MAP, A, 905040,  85,  40 },
        { MAP, V,   1040, 120, 120 },
        { MAP, A,   1000, 125,  80 },
        { MAP, A,   1020, 126, 100 },
        { MAP, V,   1080, 160, 160 } } },

    { "jump back seen in audio first", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 905000,   0,   0 },
        { MAP, A, 905000,   5,   0 },
        { MAP, A, 905020,  20,  20 },
        { MAP, A,   1000,  40,  40 },
        { MAP, V, 905040,  45,  40 },
        { MAP, A,   1020,  60,  60 },
        { MAP, V,   1040,  80,  80 },
        { MAP, V,   1080, 120, 120 } } },

    /* 1 ms is the least step; A would be at 350: everybody goes 13 ahead */
    { "no track goes back over a jump", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 905000,   0,   0 },
        { MAP, A, 905362, 355, 362 },
        { MAP, V, 905360, 360, 360 },
        { MAP, V,   1000, 400, 400 },
        { MAP, A,    950, 405, 363 },
        { MAP, V,   1040, 440, 453 },
        { MAP, A,    970, 441, 383 } } },

    { "jump without progress of our clock", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 905000,   0,   0 },
        { MAP, V, 905040,   0,  40 },
        { MAP, V,      0,   0,  41 },
        { MAP, V,     40,   0,  81 } } },

    { "many jumps both ways", 6, {
        { START, 0, 0, 0, 0 },
        { MAP, V,     1000,     0,     0 },
        { MAP, V,   100000,    40,    40 },
        { MAP, V,     1000,    80,    80 },
        { MAP, V, 10000000,   120,   120 },
        { MAP, V, -5000000,   160,   160 },
        { MAP, V, INT64_C(4294967296000), 200, 200 },
        { MAP, V,        0,   240,   240 },
        { MAP, V,       40,   280,   280 } } },

    /* just not a jump: +3000 ms and -2000 ms, then 1 ms more */
    { "limits", 2, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 10000,  0,     0 },
        { MAP, V, 13000,  0,  3000 },
        { MAP, V, 11000,  0,  1000 },
        { MAP, V, 16001,  0,  3001 },
        { MAP, V, 14001,  0,  1001 },
        { MAP, V, 14000,  0,  3002 },
        { MAP, V, 14001,  0,  3003 } } },

    { "burst: 20 s in 20 ms", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,  1000,  0,     0 },
        { MAP, V,  4000,  2,  3000 },
        { MAP, A,  3990,  3,  2990 },
        { MAP, V,  7000,  4,  6000 },
        { MAP, A,  6900,  5,  5900 },
        { MAP, V, 10000,  6,  9000 },
        { MAP, A,  9900,  7,  8900 },
        { MAP, V, 13000,  8, 12000 },
        { MAP, V, 16000, 10, 15000 },
        { MAP, V, 19000, 12, 18000 },
        { MAP, A, 12800, 13, 11800 },
        { MAP, V, 21000, 20, 20000 },
        { MAP, V, 21040, 60, 20040 } } },

    { "pause with time going on", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   1000,      0,      0 },
        { MAP, A,   1000,      0,      0 },
        { MAP, V, 601000, 600000, 600000 },
        { MAP, A, 601010, 600005, 600010 } } },

    { "pause with time standing still", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   1000,      0,      0 },
        { MAP, V,   1040, 600000,     40 },
        { MAP, V,   1080, 600001,     80 } } },

    { "standing still for more than an hour", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   1000,       0,       0 },
        { MAP, A,   1000,       5,       0 },
        { MAP, V,   1040, 3600041, 3600041 },
        { MAP, A,   1020, 3600042, 3600021 },
        { MAP, V,   1080, 3600081, 3600081 } } },

    { "restart", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V, 777000,    0,    0 },
        { MAP, A, 777010,   10,   10 },
        { MAP, V, 777040,   40,   40 },
        { START, 0, 0, 0, 0 },
        { MAP, V,      0, 2040, 2040 },
        { MAP, A,      5, 2045, 2045 },
        { MAP, V,     40, 2080, 2080 } } },

    { "restart, other track first, timestamps ahead", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,      0,    0,    0 },
        { MAP, A,      0,    5,    0 },
        { MAP, V,     40,   40,   40 },
        { MAP, A,     20,   45,   20 },
        { START, 0, 0, 0, 0 },
        { MAP, A, 900000, 1045, 1020 },
        { MAP, V, 900040, 1050, 1060 },
        { MAP, A, 900020, 1065, 1040 } } },

    { "restart at once", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,      0,    0,    0 },
        { MAP, V,     40,   40,   40 },
        { START, 0, 0, 0, 0 },
        { MAP, V,      0,   40,   41 },
        { START, 0, 0, 0, 0 },
        { MAP, V,     40,   40,   42 } } },

    { "restart with one track more", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,      0,    0,    0 },
        { START, 0, 0, 0, 0 },
        { MAP, A,      0, 1000, 1000 },
        { MAP, V,      0, 1010, 1000 },
        { MAP, A,     20, 1020, 1020 } } },

    /* nginx-rtmp and others: a stale packet at 0 in front */
    { "a stale first packet", 1, {
        { START, 0, 0, 0, 0 },
        { MAP, A,       0,   0,   0 },
        { MAP, V, 5000000,   5,   5 },
        { MAP, A, 5000010,  10,  15 },
        { MAP, V, 5000040,  45,  45 },
        { MAP, A, 5000030,  46,  35 } } },

    { "held until one that came later", 0, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   1000,  500,   500 },
        { MAP, V,   1040,    0,   540 },
        { MAP, V,   1080,   40,   580 },
        { MAP, A,   1080,   40,   580 } } },

    { "garbage is a jump", 3, {
        { START, 0, 0, 0, 0 },
        { MAP, V,   100000,  0,   0 },
        { MAP, V, INT64_MAX, 40, 40 },
        { MAP, V, INT64_MIN, 80, 40 },
        { MAP, V,   100120, 120, 120 },
        { MAP, V, INT64_MIN / 1000, 160, 160 },
        { MAP, V, 40, 200, 200 } } },
};


static const struct {
    int64_t             media;
    ngx_uint_t          discardable;
    ngx_webrtc_order_e  want;
    int64_t             want_media;
} orders[] = {

    /* decoding order I0 P4 B2 b1 b3 P8 B6 b5 b7, 3600 ticks each */

    {     0, 0, NGX_WEBRTC_ORDER_SEND,      0 },
    { 14400, 0, NGX_WEBRTC_ORDER_SEND,  14400 },
    {  7200, 0, NGX_WEBRTC_ORDER_CLAMP, 14401 },
    {  3600, 1, NGX_WEBRTC_ORDER_DROP,   3600 },
    { 10800, 1, NGX_WEBRTC_ORDER_DROP,  10800 },
    { 28800, 0, NGX_WEBRTC_ORDER_SEND,  28800 },
    { 21600, 0, NGX_WEBRTC_ORDER_CLAMP, 28801 },
    { 18000, 1, NGX_WEBRTC_ORDER_DROP,  18000 },
    { 25200, 1, NGX_WEBRTC_ORDER_DROP,  25200 },

    /* a second field, and many referenced frames one behind the other */

    { 32400, 0, NGX_WEBRTC_ORDER_SEND,  32400 },
    { 32400, 1, NGX_WEBRTC_ORDER_CLAMP, 32401 },
    { 32401, 0, NGX_WEBRTC_ORDER_CLAMP, 32402 },
    { 32402, 1, NGX_WEBRTC_ORDER_CLAMP, 32403 },
    { 32404, 1, NGX_WEBRTC_ORDER_SEND,  32404 },
};


static void
test_scale(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nelts(scales); i++) {
        tap_is_int(ngx_webrtc_ts_scale(scales[i].v, scales[i].num,
                                       scales[i].den),
                   scales[i].want, "scale %lld * %u / %u",
                   (long long) scales[i].v, scales[i].num, scales[i].den);
    }
}


static void
test_unwrap(void)
{
    ngx_uint_t              i, k, bad;
    ngx_webrtc_ts_unwrap_t  u;

    for (i = 0; i < nelts(unwraps); i++) {
        ngx_memzero(&u, sizeof(u));
        bad = 0;

        for (k = 0; k < 6; k++) {
            int64_t  got;

            got = ngx_webrtc_ts_unwrap(&u, unwraps[i].pts[k],
                                       unwraps[i].bits);
            if (got != unwraps[i].want[k]) {
                tap_diag("step %d: %lld", (int) k, (long long) got);
                bad = 1;
            }
        }

        tap_ok(!bad, "unwrap %s", unwraps[i].name);
    }
}


/* what a source does, from 33 bits to RTP, over six wraps of 33 bits */

static void
test_wraps(void)
{
    int64_t                 t, v, o, p;
    ngx_uint_t              i;
    ngx_webrtc_timeline_t   tl;
    ngx_webrtc_ts_unwrap_t  u;

    ngx_memzero(&u, sizeof(u));

    ngx_webrtc_timeline_init(&tl);
    ngx_webrtc_timeline_start(&tl);

    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 1, 90000), NGX_OK,
               "video track");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 1, 48000, 1, 90000), NGX_OK,
               "opus track");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 2, 8000, 1, 90000), NGX_OK,
               "pcmu track");

    for (i = 0; i < nelts(wraps); i++) {
        t = ngx_webrtc_ts_unwrap(&u, wraps[i].pts, 33);

        tap_is_int(t, wraps[i].unwrapped, "wraps %d unwrapped", (int) i);

        v = ngx_webrtc_timeline_map(&tl, 0, t, wraps[i].now_us);
        o = ngx_webrtc_timeline_map(&tl, 1, t, wraps[i].now_us);
        p = ngx_webrtc_timeline_map(&tl, 2, t, wraps[i].now_us);

        tap_is_int(ngx_webrtc_timeline_rtp(v), wraps[i].video,
                   "wraps %d video", (int) i);
        tap_is_int(ngx_webrtc_timeline_rtp(o), wraps[i].opus,
                   "wraps %d opus", (int) i);
        tap_is_int(ngx_webrtc_timeline_rtp(p), wraps[i].pcmu,
                   "wraps %d pcmu", (int) i);
    }

    tap_is_int(tl.jumps, 0, "no wrap is a jump");
}


/*
 * The same second by second for eight days: each step is exact in both
 * tracks, whatever wraps: 7 wraps of 33 bits, 14 of 32 bits in video, 9 in
 * audio.
 */

static void
test_steps(void)
{
    int64_t                 t, last_t, now;
    uint32_t                v, a, last_v, last_a;
    ngx_uint_t              i, bad, wraps33, wraps_v, wraps_a;
    ngx_webrtc_timeline_t   tl;
    ngx_webrtc_ts_unwrap_t  u;

    ngx_memzero(&u, sizeof(u));

    ngx_webrtc_timeline_init(&tl);
    ngx_webrtc_timeline_start(&tl);

    (void) ngx_webrtc_timeline_track(&tl, 0, 90000, 1, 90000);
    (void) ngx_webrtc_timeline_track(&tl, 1, 48000, 1, 90000);

    bad = wraps33 = wraps_v = wraps_a = 0;
    last_v = last_a = 0;
    last_t = 0;

    for (i = 0; i < 8 * 86400; i++) {
        t = ((int64_t) i * 90000 + 12345) & 0x1ffffffff;
        now = N0_US + (int64_t) i * 1000000;

        wraps33 += (t < last_t);
        last_t = t;

        t = ngx_webrtc_ts_unwrap(&u, (uint64_t) t, 33);

        v = ngx_webrtc_timeline_rtp(ngx_webrtc_timeline_map(&tl, 0, t, now));
        a = ngx_webrtc_timeline_rtp(ngx_webrtc_timeline_map(&tl, 1, t, now));

        if (i) {
            bad += (v - last_v != 90000) + (a - last_a != 48000);
            wraps_v += (v < last_v);
            wraps_a += (a < last_a);
        }

        last_v = v;
        last_a = a;
    }

    tap_is_int(bad, 0, "eight days without an inexact step");
    tap_is_int(tl.jumps, 0, "eight days without a jump");
    tap_is_int(wraps33, 7, "wraps of 33 bits");
    tap_ok(wraps_v == 14 || wraps_v == 15, "wraps of video");
    tap_ok(wraps_a == 7 || wraps_a == 8, "wraps of audio");
}


static void
test_scenario(const scenario_t *sc)
{
    int64_t                 got, want, rate;
    ngx_uint_t              bad;
    const row_t            *r;
    ngx_webrtc_timeline_t   tl;

    bad = 0;

    ngx_webrtc_timeline_init(&tl);

    for (r = sc->rows; r->op != END; r++) {

        if (r->op == START) {
            ngx_webrtc_timeline_start(&tl);
            (void) ngx_webrtc_timeline_track(&tl, V, 90000, 1, 1000);
            (void) ngx_webrtc_timeline_track(&tl, A, 48000, 1, 1000);
            continue;
        }

        rate = (r->track == V) ? 90 : 48;

        got = ngx_webrtc_timeline_map(&tl, r->track, r->t,
                                      N0_US + r->now * 1000);
        want = (N0_MS + r->want) * rate;

        if (got != want) {
            tap_diag("row %d: got %lld ticks from N0, want %lld",
                     (int) (r - sc->rows), (long long) (got - N0_MS * rate),
                     (long long) (want - N0_MS * rate));
            bad++;
        }
    }

    tap_is_int(bad, 0, "%s", sc->name);
    tap_is_int(tl.jumps, sc->jumps, "%s: jumps counted", sc->name);
}


static void
test_track(void)
{
    ngx_webrtc_timeline_t  tl;

    ngx_webrtc_timeline_init(&tl);

    tap_is_int(ngx_webrtc_timeline_track(&tl, 4, 90000, 1, 90000),
               NGX_DECLINED, "no fifth track");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 44100, 1, 90000),
               NGX_DECLINED, "44100 is no multiple of 1000");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 0, 1, 90000),
               NGX_DECLINED, "rate 0");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 0, 90000),
               NGX_DECLINED, "num 0");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 1, 0),
               NGX_DECLINED, "den 0");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 47722, 1),
               NGX_DECLINED, "90000 * 47722 does not fit");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 47721, 1),
               NGX_OK, "90000 * 47721 does");
    tap_is_int(ngx_webrtc_timeline_track(&tl, 0, 90000, 1001, 30000),
               NGX_OK, "1001/30000");
}


static void
test_ntp(void)
{
    uint32_t               rtp;
    ngx_webrtc_timeline_t  tl;

    ngx_webrtc_timeline_init(&tl);

    tap_is_int(ngx_webrtc_timeline_at(&tl, 90000, N0_US, &rtp),
               NGX_AGAIN, "no report before a packet");

    ngx_webrtc_timeline_start(&tl);
    (void) ngx_webrtc_timeline_track(&tl, V, 90000, 1, 1000);
    (void) ngx_webrtc_timeline_track(&tl, A, 48000, 1, 1000);

    tap_is_int(ngx_webrtc_timeline_at(&tl, 90000, N0_US, &rtp),
               NGX_AGAIN, "no report before a packet, started");

    (void) ngx_webrtc_timeline_map(&tl, V, 5000, N0_US);

    tap_is_int(ngx_webrtc_timeline_at(&tl, 90000, N0_US + 1000000, &rtp),
               NGX_OK, "report of video");
    tap_is_int(rtp, 380115662U, "rtp of video");

    tap_is_int(ngx_webrtc_timeline_at(&tl, 48000, N0_US + 1000000, &rtp),
               NGX_OK, "report of audio");
    tap_is_int(rtp, 4211364496U, "rtp of audio");

    /* the packets of that instant have these very timestamps */

    tap_is_int(ngx_webrtc_timeline_rtp(
                   ngx_webrtc_timeline_map(&tl, V, 6000, N0_US + 1000000)),
               380115662U, "video packet on the line");
    tap_is_int(ngx_webrtc_timeline_rtp(
                   ngx_webrtc_timeline_map(&tl, A, 6000, N0_US + 1000000)),
               4211364496U, "audio packet on the line");

    /* a restart, with other timestamps */

    ngx_webrtc_timeline_start(&tl);
    (void) ngx_webrtc_timeline_track(&tl, V, 90000, 1, 90000);
    (void) ngx_webrtc_timeline_track(&tl, A, 48000, 1, 90000);

    (void) ngx_webrtc_timeline_map(&tl, A, 900000, N0_US + 61000000);

    (void) ngx_webrtc_timeline_at(&tl, 48000, N0_US + 62000000, &rtp);

    tap_is_int(ngx_webrtc_timeline_rtp(
                   ngx_webrtc_timeline_map(&tl, A, 990000, N0_US + 62000000)),
               rtp, "audio on the line after a restart");

    (void) ngx_webrtc_timeline_at(&tl, 90000, N0_US + 62000000, &rtp);

    tap_is_int(ngx_webrtc_timeline_rtp(
                   ngx_webrtc_timeline_map(&tl, V, 990000, N0_US + 62000000)),
               rtp, "video on the line after a restart");
}


/*
 * Two hours of packets every 20 ms from a clock that is wrong by ppm, and that
 * come late by up to jitter ms.
 */

static void
test_drift(int64_t ppm, uint32_t jitter_ms)
{
    int64_t                s, now, media, line, last, step, off, worst, late;
    int64_t                exact;
    uint32_t               seed;
    ngx_uint_t             i, steps;
    ngx_webrtc_timeline_t  tl;

    ngx_webrtc_timeline_init(&tl);
    ngx_webrtc_timeline_start(&tl);
    (void) ngx_webrtc_timeline_track(&tl, V, 90000, 1, 1000);
    (void) ngx_webrtc_timeline_track(&tl, A, 48000, 1, 1000);

    seed = 1;
    now = 0;
    last = 0;
    worst = 0;
    steps = 0;
    off = 0;

    for (i = 0; i < 2 * 3600 * 50; i++) {

        /* the source's clock says s; by then ours is that far */

        s = (int64_t) i * 20;
        exact = N0_US + s * 1000 * 1000000 / (1000000 + ppm);

        seed = seed * 1664525 + 1013904223;

        late = (int64_t) ((seed >> 8) % (jitter_ms * 1000 + 1));

        /* nothing overtakes */
        now = ngx_max(now, exact + late);

        media = ngx_webrtc_timeline_map(&tl, (i & 1) ? A : V, s, now)
                / ((i & 1) ? 48 : 90);

        line = (int64_t) (tl.line - NGX_WEBRTC_TIMELINE_BIAS);

        if (i) {
            step = line - last;

            /* 500 ppm of the 100 ms between two packets at most */
            steps += (step > 50 || step < -50);


            /* from where the media is to where the line says it is */

            off = exact + line - media * 1000;

            if (off < 0) {
                off = -off;
            }

            if (i > 60 * 50 && off > worst) {
                worst = off;
            }
        }

        last = line;
    }

    tap_is_int(steps, 0, "drift %d ppm, jitter %u: no step", (int) ppm,
               jitter_ms);
    tap_ok(worst < 10000, "drift %d ppm, jitter %u: line off by %d us at most",
           (int) ppm, jitter_ms, (int) worst);
    tap_is_int(tl.jumps, 0, "drift %d ppm: no jump", (int) ppm);
}


static void
test_order(void)
{
    int64_t             media;
    ngx_uint_t          i;
    ngx_webrtc_order_t  o;

    ngx_memzero(&o, sizeof(o));

    for (i = 0; i < nelts(orders); i++) {
        media = orders[i].media;

        tap_is_int(ngx_webrtc_order(&o, &media, orders[i].discardable),
                   orders[i].want, "order %d", (int) i);
        tap_is_int(media, orders[i].want_media, "order %d media", (int) i);
    }

    tap_is_int(o.sent, 5, "sent");
    tap_is_int(o.dropped, 4, "dropped");
    tap_is_int(o.clamped, 5, "clamped");
}


int
main(void)
{
    ngx_uint_t  i;

    test_scale();
    test_unwrap();
    test_wraps();
    test_steps();

    for (i = 0; i < nelts(scenarios); i++) {
        test_scenario(&scenarios[i]);
    }

    test_track();
    test_ntp();

    test_drift(0, 0);
    test_drift(100, 0);
    test_drift(-100, 0);
    test_drift(200, 60);
    test_drift(-200, 60);

    test_order();

    return tap_done();
}
