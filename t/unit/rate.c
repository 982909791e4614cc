
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * How fast a counter grows.
 */


#include "tap.h"
#include "ngx_webrtc_rate.h"


typedef struct {
    const char  *name;
    ngx_uint_t   n;
    uint64_t     v[8];
    uint64_t     ms[8];
    uint64_t     second;                  /* expected, scale 8 */
    uint64_t     lately;
} rate_case_t;


static rate_case_t  cases[] = {
    { "no sample", 0, { 0 }, { 0 }, 0, 0 },
    { "one sample", 1, { 1000 }, { 5000 }, 0, 0 },
    { "two at once", 2, { 1000, 2000 }, { 5000, 5000 }, 0, 0 },
    { "a second", 2, { 1000, 126000 }, { 5000, 6000 }, 1000000, 0 },
    { "half a second", 2, { 0, 62500 }, { 0, 500 }, 1000000, 0 },
    { "nothing comes", 3, { 7, 7, 7 }, { 0, 1000, 2000 }, 0, 0 },
    { "the mean", 3, { 0, 1000, 4000 }, { 0, 1000, 2000 }, 16000, 16000 },
    { "it rises", 4, { 0, 0, 1000, 4000 }, { 0, 1000, 2000, 3000 }, 10666,
      16000 },
    { "three at once", 3, { 0, 1000, 2000 }, { 7, 7, 7 }, 0, 0 },
    { "what is old does not count", 8,
      { 0, 900000, 900000, 901000, 902000, 903000, 904000, 905000 },
      { 0, 1000, 2000, 3000, 4000, 5000, 6000, 7000 }, 8000, 8000 },
};


int
main(void)
{
    ngx_uint_t         i, k;
    ngx_webrtc_rate_t  rate;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        ngx_memzero(&rate, sizeof(rate));

        for (k = 0; k < cases[i].n; k++) {
            ngx_webrtc_rate_add(&rate, cases[i].v[k], cases[i].ms[k]);
        }

        tap_is_int(ngx_webrtc_rate_second(&rate, 8), cases[i].second,
                   "%s", cases[i].name);
        tap_is_int(ngx_webrtc_rate_lately(&rate, 8), cases[i].lately,
                   "%s: lately", cases[i].name);
    }

    return tap_done();
}
