
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Test Anything Protocol for the unit tests: prints "ok" and "not ok" lines
 * on stdout.  A test includes this header once and does either
 *
 *     tap_plan(3);              or nothing at the start
 *     tap_ok(...);  ...
 *     return tap_done();        prints the plan when tap_plan() did not,
 *                               0 when everything passed, else 1
 *
 * Header only.  Not thread-safe: threads collect, main() reports.
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>


#define TAP_UNUSED  __attribute__((unused))

#define TAP_PRINTF(f, a)  __attribute__((format(printf, f, a)))


static struct {
    int  planned;     /* number given to tap_plan(), 0 when not called */
    int  run;
    int  failed;
} tap_state;


static TAP_UNUSED void
tap_plan(int n)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    tap_state.planned = n;
    printf("1..%d\n", n);
}


/* a comment line; shown by prove -v, and on failure by prove itself */

static TAP_UNUSED void TAP_PRINTF(1, 2)
tap_diag(const char *fmt, ...)
{
    va_list  args;

    fflush(stdout);
    fputs("# ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}


static TAP_UNUSED int
tap_result(int ok, const char *file, int line, const char *fmt, va_list args)
{
    int   i, n;
    char  name[512];

    n = vsnprintf(name, sizeof(name), fmt, args);

    if (n < 0) {
        name[0] = '\0';
    }

    /* '#' starts a directive and a line break ends the line in TAP */

    for (i = 0; name[i] != '\0'; i++) {
        if (name[i] == '#' || name[i] == '\n' || name[i] == '\r') {
            name[i] = ' ';
        }
    }

    if (tap_state.run == 0) {
        setvbuf(stdout, NULL, _IOLBF, 0);
    }

    tap_state.run++;

    printf("%sok %d - %s\n", ok ? "" : "not ", tap_state.run, name);

    if (!ok) {
        tap_state.failed++;
        tap_diag("failed: %s", name);
        tap_diag("  at %s line %d", file, line);
    }

    return ok;
}


static TAP_UNUSED int TAP_PRINTF(4, 5)
tap_ok_at(const char *file, int line, int ok, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    ok = tap_result(ok != 0, file, line, fmt, args);
    va_end(args);

    return ok;
}


static TAP_UNUSED int TAP_PRINTF(5, 6)
tap_is_int_at(const char *file, int line, int64_t got, int64_t want,
    const char *fmt, ...)
{
    int      ok;
    va_list  args;

    va_start(args, fmt);
    ok = tap_result(got == want, file, line, fmt, args);
    va_end(args);

    if (!ok) {
        tap_diag("       got: %lld (0x%llx)", (long long) got,
                 (unsigned long long) got);
        tap_diag("  expected: %lld (0x%llx)", (long long) want,
                 (unsigned long long) want);
    }

    return ok;
}


static TAP_UNUSED void
tap_dump(const char *title, const void *data, size_t n, size_t from)
{
    char           line[3 * 32 + 1];
    size_t         i, j;
    const uint8_t  *p;

    p = data;
    i = from & ~(size_t) 15;

    tap_diag("%s %lu bytes, from %lu:", title, (unsigned long) n,
             (unsigned long) i);

    /* three lines around the first difference are enough to see why */

    for (n = (n < i + 48) ? n : i + 48; i < n; i += 16) {

        for (j = 0; j < 16 && i + j < n; j++) {
            sprintf(line + 3 * j, " %02x", p[i + j]);
        }

        tap_diag("   %s", line);
    }
}


static TAP_UNUSED int TAP_PRINTF(7, 8)
tap_is_mem_at(const char *file, int line, const void *got, size_t glen,
    const void *want, size_t wlen, const char *fmt, ...)
{
    int            ok;
    size_t         i, n;
    va_list        args;
    const uint8_t  *g, *w;

    g = got;
    w = want;
    n = (glen < wlen) ? glen : wlen;

    if (g == NULL || w == NULL) {
        n = 0;
    }

    for (i = 0; i < n && g[i] == w[i]; i++) { /* void */ }

    ok = (glen == wlen && i == glen);

    va_start(args, fmt);
    ok = tap_result(ok, file, line, fmt, args);
    va_end(args);

    if (!ok) {
        tap_diag("  differ at byte %lu", (unsigned long) i);

        if (g != NULL) {
            tap_dump("       got:", g, glen, i);
        }

        if (w != NULL) {
            tap_dump("  expected:", w, wlen, i);
        }
    }

    return ok;
}


/* null-terminated strings; NULL equals only NULL */

static TAP_UNUSED int TAP_PRINTF(5, 6)
tap_is_str_at(const char *file, int line, const char *got, const char *want,
    const char *fmt, ...)
{
    int      ok;
    va_list  args;

    ok = (got == NULL || want == NULL) ? (got == want)
                                       : (strcmp(got, want) == 0);

    va_start(args, fmt);
    ok = tap_result(ok, file, line, fmt, args);
    va_end(args);

    if (!ok) {
        tap_diag("       got: %s", got ? got : "(null)");
        tap_diag("  expected: %s", want ? want : "(null)");
    }

    return ok;
}


/* the whole test does not apply here; use as: return tap_skip_all("why"); */

static TAP_UNUSED int
tap_skip_all(const char *why)
{
    printf("1..0 # SKIP %s\n", why);
    return 0;
}


static TAP_UNUSED int
tap_done(void)
{
    if (tap_state.planned == 0) {
        printf("1..%d\n", tap_state.run);

    } else if (tap_state.planned != tap_state.run) {
        tap_diag("planned %d tests but ran %d", tap_state.planned,
                 tap_state.run);
        tap_state.failed++;
    }

    fflush(stdout);

    return tap_state.failed ? 1 : 0;
}


/*
 * tap_ok(cond, fmt, ...)
 * tap_is_int(got, want, fmt, ...)             any integer up to 64 bits
 * tap_is_mem(got, glen, want, wlen, fmt, ...)
 * tap_is_str(got, want, fmt, ...)             const char *
 *
 * Each returns 1 when it passed, else 0, so that a test can leave a loop.
 */

#define tap_ok(cond, ...)                                                     \
    tap_ok_at(__FILE__, __LINE__, (cond) ? 1 : 0, __VA_ARGS__)

#define tap_is_int(got, want, ...)                                            \
    tap_is_int_at(__FILE__, __LINE__, (int64_t) (got), (int64_t) (want),      \
                  __VA_ARGS__)

#define tap_is_mem(got, glen, want, wlen, ...)                                \
    tap_is_mem_at(__FILE__, __LINE__, got, glen, want, wlen, __VA_ARGS__)

#define tap_is_str(got, want, ...)                                            \
    tap_is_str_at(__FILE__, __LINE__, (const char *) (got),                   \
                  (const char *) (want), __VA_ARGS__)

#define tap_pass(...)  tap_ok(1, __VA_ARGS__)
#define tap_fail(...)  tap_ok(0, __VA_ARGS__)


#endif /* _TAP_H_INCLUDED_ */
