
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Paths of recordings, and their files: no name leads out of the directory, no
 * file is replaced, and leftovers of a crash get their names.
 */


#include "tap.h"

#include <sys/file.h>

#include "ngx_webrtc_record_file.h"


typedef struct {
    const char  *name;
    const char  *path;
    size_t       n;                       /* 0: strlen() */
    const char  *clean;                   /* NULL: refused */
} path_case_t;


static path_case_t  cases[] = {
    { "a name", "cam.mp4", 0, "cam.mp4" },
    { "directories", "a/b/c.mp4", 0, "a/b/c.mp4" },
    { "absolute", "/etc/passwd", 0, "etc/passwd" },
    { "many slashes", "//a///b", 0, "a/b" },
    { "up", "../x", 0, "__/x" },
    { "up, in between", "a/../../x", 0, "a/__/__/x" },
    { "up, at the end", "a/..", 0, "a/__" },
    { "here", "./a/./b", 0, "_/a/_/b" },
    { "three dots are a name", "...", 0, "..." },
    { "dots before a name", "..a/.b", 0, "..a/.b" },
    { "NUL", "a\0b", 3, "a_b" },
    { "NUL hides nothing", "..\0/x", 5, ".._/x" },
    { "control characters", "a\nb\x1f\x7f", 0, "a_b__" },
    { "UTF-8", "\xc3\xa4/\xe2\x82\xac", 0, "\xc3\xa4/\xe2\x82\xac" },
    { "what is not whole", "a.webrtc-part", 0, "a_webrtc-part" },
    { "a directory of that name", ".webrtc-part/x", 0, "_webrtc-part/x" },
    { "nothing", "", 0, NULL },
    { "slashes alone", "///", 0, NULL },
    { "no name at the end", "a/", 0, NULL },
};


static char  dir[] = "/tmp/record_file.XXXXXX";


static void
test_paths(void)
{
    size_t       n, len;
    u_char       buf[2048], *p;
    ngx_uint_t   i;
    const char  *cause;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        n = cases[i].n ? cases[i].n : strlen(cases[i].path);
        memcpy(buf, cases[i].path, n);

        if (ngx_webrtc_record_path_clean(buf, n, &len, &cause) != NGX_OK) {
            tap_ok(cases[i].clean == NULL, "path: %s: refused", cases[i].name);
            continue;
        }

        tap_ok(cases[i].clean && len == strlen(cases[i].clean)
               && memcmp(buf, cases[i].clean, len) == 0, "path: %s",
               cases[i].name);
    }

    memset(buf, 'x', sizeof(buf));
    tap_is_int(ngx_webrtc_record_path_clean(buf, NGX_WEBRTC_RECORD_NAME, &len,
                                            &cause),
               NGX_OK, "path: the longest name");
    tap_is_int(ngx_webrtc_record_path_clean(buf, NGX_WEBRTC_RECORD_NAME + 1,
                                            &len, &cause),
               NGX_DECLINED, "path: a longer one");

    for (i = 0, p = buf; i <= NGX_WEBRTC_RECORD_DEPTH; i++) {
        *p++ = 'a';
        *p++ = '/';
    }

    tap_is_int(ngx_webrtc_record_path_clean(buf, p - buf - 3, &len, &cause),
               NGX_OK, "path: the deepest");
    tap_is_int(ngx_webrtc_record_path_clean(buf, p - buf - 1, &len, &cause),
               NGX_DECLINED, "path: a deeper one");
}


static void
test_names(void)
{
    ngx_uint_t  i;
    ngx_str_t   name;
    u_char      to[NGX_WEBRTC_RECORD_NAME + 32];

    static const struct {
        const char  *name;
        ngx_uint_t   n;
        const char  *to;
    } rows[] = {
        { "cam.mp4", 0, "cam.mp4" },
        { "cam.mp4", 1, "cam-1.mp4" },
        { "cam.b.mp4", 12, "cam.b-12.mp4" },
        { "cam", 3, "cam-3" },
        { ".cam", 3, ".cam-3" },
        { "cam.", 3, "cam-3." },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        name.data = (u_char *) rows[i].name;
        name.len = strlen(rows[i].name);

        ngx_webrtc_record_path_name(to, &name, rows[i].n);
        tap_is_str((char *) to, rows[i].to, "name: %s, %d", rows[i].name,
                   (int) rows[i].n);
    }
}


static ngx_int_t
make(ngx_webrtc_record_file_t *file, const char *rel)
{
    memset(file, 0, sizeof(*file));

    file->root = dir;
    strcpy((char *) file->rel, rel);

    return ngx_webrtc_record_file_open(file);
}


static char *
in(const char *name)
{
    static char  path[1024];

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    return path;
}


static void
put(const char *name, const void *p, size_t n)
{
    FILE  *f;

    f = fopen(in(name), "w");
    fwrite(p, 1, n, f);
    fclose(f);
}


static long
size_of(const char *name)
{
    struct stat  st;

    return lstat(in(name), &st) == 0 ? (long) st.st_size : -1;
}


static void
test_files(void)
{
    static ngx_webrtc_record_file_t  a, b, c;

    tap_is_int(make(&a, "x/y/cam.mp4"), NGX_OK, "file: with its directories");
    tap_is_int(size_of("x/y/cam.mp4.webrtc-part"), 0, "file: not whole yet");
    tap_is_str((char *) a.path, in("x/y/cam.mp4"), "file: its name to be");

    tap_is_int(make(&b, "x/y/cam.mp4"), NGX_OK, "file: another of its name");
    tap_is_int(b.found, 0, "file: which does not take it for a leftover");
    tap_is_int(size_of("x/y/cam-1.mp4.webrtc-part"), 0, "file: numbered");

    tap_is_int(write(a.fd, "abc", 3), 3, "file: written");
    put("x/y/cam.mp4", "mine", 4);

    tap_is_int(ngx_webrtc_record_file_done(&a), NGX_OK, "file: whole");
    tap_is_int(size_of("x/y/cam.mp4"), 4, "file: nothing is replaced");
    tap_is_int(size_of("x/y/cam-1.mp4"), 3, "file: it has the next name");
    tap_is_int(a.size, 3, "file: its size");

    tap_is_int(ngx_webrtc_record_file_done(&b), NGX_OK, "file: empty");
    tap_is_int(b.size, 0, "file: without a size");
    tap_is_int(size_of("x/y/cam-1.mp4.webrtc-part"), -1, "file: is removed");

    if (symlink("/tmp", in("link")) == 0
        && symlink("/tmp/nowhere", in("x/to.mp4")) == 0)
    {
        tap_is_int(make(&c, "link/cam.mp4"), NGX_ERROR,
                   "file: no link to a directory");
        tap_ok(c.err == ENOTDIR || c.err == ELOOP, "file: says so");
        tap_is_int(make(&c, "x/to.mp4"), NGX_OK, "file: a link is a name");
        tap_is_str((char *) c.path, in("x/to-1.mp4"), "file: that is taken");
        (void) ngx_webrtc_record_file_done(&c);
    }

    put("plain", "x", 1);
    tap_is_int(make(&c, "plain/cam.mp4"), NGX_ERROR,
               "file: no directory, but a file");
}


static const u_char  movie[] =
    "\0\0\0\x0c" "ftypisom" "\0\0\0\x08" "moov"
    "\0\0\0\x09" "moofx" "\0\0\0\x09" "mdaty";

#define WHOLE  (sizeof(movie) - 1)


static void
test_leftovers(void)
{
    int     fd;
    size_t  i;
    char    name[64];
    u_char  buf[WHOLE + 32];

    static ngx_webrtc_record_file_t  f;

    (void) mkdir(in("old"), 0755);
    (void) mkdir(in("old/deep"), 0755);

    /* cut at each byte of another fragment */

    memcpy(buf, movie, WHOLE);
    memcpy(buf + WHOLE, movie + 20, 18);

    for (i = 0; i <= 18; i++) {
        snprintf(name, sizeof(name), "old/%d.mp4.webrtc-part", (int) i);
        put(name, buf, WHOLE + i);
    }

    put("old/deep/a.ts.webrtc-part", "\x47 and more", 10);
    put("old/empty.mkv.webrtc-part", "", 0);
    put("old/other.part", "x", 1);

    fd = open(in("old/live.mp4.webrtc-part"), O_RDWR|O_CREAT, 0644);
    (void) flock(fd, LOCK_EX);
    tap_is_int(write(fd, "x", 1), 1, "leftover: one is being written");

    tap_is_int(make(&f, "old/new.mp4"), NGX_OK, "leftover: a file beside them");
    tap_is_int(f.found, 19, "leftover: they are found");
    (void) ngx_webrtc_record_file_done(&f);

    for (i = 0; i <= 18; i++) {
        snprintf(name, sizeof(name), "old/%d.mp4", (int) i);
        tap_is_int(size_of(name), i == 18 ? WHOLE + 18 : WHOLE,
                   "leftover: cut to whole fragments, %d", (int) i);
    }

    tap_is_int(size_of("old/live.mp4.webrtc-part"), 1,
               "leftover: what is written is left alone");
    tap_is_int(size_of("old/other.part"), 1,
               "leftover: as is what is not ours");
    tap_is_int(size_of("old/empty.mkv"), -1, "leftover: nothing of nothing");
    tap_is_int(size_of("old/deep/a.ts"), -1, "leftover: not in other places");

    tap_is_int(ngx_webrtc_record_file_find(dir), 1, "leftover: but in all");
    tap_is_int(size_of("old/deep/a.ts"), 10, "leftover: as it is");

    (void) close(fd);
}


int
main(void)
{
    char  command[64];

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    test_paths();
    test_names();
    test_files();
    test_leftovers();

    snprintf(command, sizeof(command), "rm -rf %s", dir);

    tap_is_int(system(command), 0, "tidied up");

    return tap_done();
}
