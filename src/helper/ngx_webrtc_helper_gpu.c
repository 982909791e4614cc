
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Access to hardware that encodes.  Drivers open their devices for writing,
 * which the filter of system calls cannot tell from writing to a file: Landlock
 * can.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <fcntl.h>
#include <glob.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

#include "ngx_webrtc_helper_gpu.h"


#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset  444
#define SYS_landlock_add_rule        445
#define SYS_landlock_restrict_self   446
#endif


/* VAAPI and QSV; NVENC; V4L2 */

static const char  *ngx_webrtc_helper_devices[] = {
    "/dev/dri",
    "/dev/nvidia*",
    "/dev/video[0-9]*"
};

#define NGX_WEBRTC_HELPER_DEVICES                                             \
    (sizeof(ngx_webrtc_helper_devices) / sizeof(ngx_webrtc_helper_devices[0]))


static ngx_uint_t ngx_webrtc_helper_gpu_rules(int ruleset);
static ngx_uint_t ngx_webrtc_helper_gpu_rule(int ruleset, const char *path);


ngx_int_t
ngx_webrtc_helper_gpu_allow(void)
{
    int                              ruleset;
    ngx_int_t                        rc;
    struct landlock_ruleset_attr     attr;

    ngx_memzero(&attr, sizeof(struct landlock_ruleset_attr));
    attr.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE;

    ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (ruleset == -1) {
        return NGX_DECLINED;
    }

    rc = (ngx_webrtc_helper_gpu_rules(ruleset)
          && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0)
         ? NGX_OK : NGX_DECLINED;

    (void) close(ruleset);

    return rc;
}


/* how many devices there are */

static ngx_uint_t
ngx_webrtc_helper_gpu_rules(int ruleset)
{
    size_t      k;
    glob_t      found;
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_WEBRTC_HELPER_DEVICES; i++) {

        if (glob(ngx_webrtc_helper_devices[i], 0, NULL, &found) != 0) {
            continue;
        }

        for (k = 0; k < found.gl_pathc; k++) {
            n += ngx_webrtc_helper_gpu_rule(ruleset, found.gl_pathv[k]);
        }

        globfree(&found);
    }

    return n;
}


static ngx_uint_t
ngx_webrtc_helper_gpu_rule(int ruleset, const char *path)
{
    long                               rc;
    struct landlock_path_beneath_attr  attr;

    ngx_memzero(&attr, sizeof(struct landlock_path_beneath_attr));
    attr.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE;
    attr.parent_fd = open(path, O_PATH|O_CLOEXEC);

    if (attr.parent_fd == -1) {
        return 0;
    }

    rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                 &attr, 0);

    (void) close(attr.parent_fd);

    return rc == 0;
}
