
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * What the beginning of an MP4 says, and the list of a directory: pages, order,
 * what does not count.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "tap.h"
#include "ngx_webrtc_record_list.h"


#define MVHD0                                                                 \
    "\0\0\0\x20mvhd\0\0\0\0\0\0\0\0\0\0\0\0"                                 \
    "\0\0\x03\xe8\0\0\x13\x88\0\0\0\0"
#define MVHD1                                                                 \
    "\0\0\0\x28mvhd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                 \
    "\0\0\0\1\0\0\0\0\0\0\0\x07"
#define STSD(type)                                                            \
    "\0\0\0\x18stsd\0\0\0\0\0\0\0\1\0\0\0\x08" type
#define TRAK(type)                                                            \
    "\0\0\0\x38trak\0\0\0\x30mdia\0\0\0\x28minf\0\0\0\x20stbl" STSD(type)


static const struct {
    const char  *what;
    const char  *p;
    size_t       n;
    uint64_t     ms;
    ngx_uint_t   ntracks;
    const char  *first;
} rows[] = {
#define ROW(what, text, ms, n, first)                                         \
    { what, text, sizeof(text) - 1, ms, n, first }

    ROW("version 0", "\0\0\0\x0c" "ftypisom\0\0\0\x28moov" MVHD0, 5000, 0,
        NULL),
    ROW("version 1", "\0\0\0\x30moov" MVHD1, 7000, 0, NULL),
    ROW("tracks", "\0\0\0\x98moov" MVHD0 TRAK("avc1") TRAK("Opus"), 5000, 2,
        "H264"),
    ROW("an unknown one", "\0\0\0\x98moov" MVHD0 TRAK("xxxx") TRAK("vp09"),
        5000, 1, "VP9"),
    ROW("cut off in a track", "\0\0\0\x98moov" MVHD0 "\0\0\0\x38trak\0\0\0\x30",
        5000, 0, NULL),
    ROW("cut off in the movie", "\0\0\0\x28moov\0\0\0\x20mvhd\0\0\0\0\0\0", 0,
        0, NULL),
    ROW("a box of no size", "\0\0\0\0moov" MVHD0, 0, 0, NULL),
    ROW("no time scale", "\0\0\0\x28moov\0\0\0\x20mvhd\0\0\0\0\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\x13\x88\0\0\0\0", 0, 0, NULL),
    ROW("a duration beyond belief", "\0\0\0\x30moov\0\0\0\x28mvhd\1\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff",
        0, 0, NULL),
    ROW("nothing", "", 0, 0, NULL),
    ROW("no MP4", "not a movie at all, is it", 0, 0, NULL)
};


static void
test_head(void)
{
    size_t                     n;
    u_char                    *p;
    ngx_uint_t                 i;
    ngx_webrtc_record_head_t   head;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        /* all beginnings of it, in memory that ends there */

        for (n = 0; n <= rows[i].n; n++) {
            p = malloc(n + 1);
            ngx_memcpy(p, rows[i].p, n);

            ngx_webrtc_record_head(p, n, &head);

            free(p);
        }

        tap_ok(head.duration_ms == rows[i].ms, "%s: %d ms", rows[i].what,
               (int) head.duration_ms);
        tap_ok(head.n == rows[i].ntracks, "%s: %d tracks", rows[i].what,
               (int) head.n);

        if (rows[i].first && head.n) {
            tap_ok(strcmp(head.codecs[0], rows[i].first) == 0, "%s: %s",
                   rows[i].what, head.codecs[0]);
        }
    }
}


static void
make(const char *dir, const char *name)
{
    int   fd;
    char  path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);

    fd = open(path, O_CREAT|O_WRONLY, 0600);

    if (fd == -1 || write(fd, "abc", 3) != 3) {
        tap_diag("%s: %s", path, strerror(errno));
    }

    (void) close(fd);
}


static ngx_webrtc_record_list_file_t  files[4];


static void
page(ngx_webrtc_record_list_t *list, const char *root, const char *after,
    ngx_uint_t limit)
{
    ngx_memzero(list, sizeof(ngx_webrtc_record_list_t));

    list->root = root;
    list->after_len = strlen(after);
    ngx_memcpy(list->after, after, list->after_len);
    list->limit = limit;
    list->files = files;

    ngx_webrtc_record_list(list);
}


static void
test_list(void)
{
    char                      dir[] = "/tmp/webrtc_list.XXXXXX";
    char                      cmd[64];
    ngx_webrtc_record_list_t  list;

    if (mkdtemp(dir) == NULL || chdir(dir) != 0
        || mkdir("b", 0700) != 0 || mkdir("b/c", 0700) != 0
        || mkdir("b/c/d", 0700) != 0 || mkdir("b/c/d/e", 0700) != 0
        || symlink("b", "link") != 0 || symlink("a.mp4", "l.mp4") != 0
        || mkfifo("fifo.mp4", 0600) != 0)
    {
        tap_ok(0, "a directory: %s", strerror(errno));
        return;
    }

    make(dir, "a.mp4");
    make(dir, "b/x.ts");
    make(dir, "b/c/d/y.mkv");
    make(dir, "b/c/d/e/deep.mp4");
    make(dir, "c.webm");
    make(dir, "c.webm.webrtc-part");
    make(dir, ".hidden.mp4");
    make(dir, "notes.txt");

    page(&list, dir, "", 3);

    tap_ok(list.err == 0 && list.n == 4, "a page, and one more: %d",
           (int) list.n);
    tap_ok(strcmp((char *) files[0].name, "a.mp4") == 0
           && strcmp((char *) files[1].name, "b/c/d/y.mkv") == 0
           && strcmp((char *) files[2].name, "b/x.ts") == 0, "in order");
    tap_ok(files[0].size == 3 && files[2].size == 3 && files[0].ended > 0,
           "sizes and times");

    page(&list, dir, "b/x.ts", 3);

    tap_ok(list.n == 1 && strcmp((char *) files[0].name, "c.webm") == 0,
           "the next page, without what does not count: %d", (int) list.n);

    page(&list, dir, "c.webm", 1);
    tap_ok(list.n == 0, "none after the last");

    page(&list, "/nonexistent", "", 1);
    tap_ok(list.n == 0 && list.err == ENOENT, "no such directory");

    snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
    tap_ok(chdir("/") == 0 && system(cmd) == 0, "all is removed");
}


int
main(void)
{
    test_head();
    test_list();

    return tap_done();
}
