
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Privileges that the media process drops.
 *
 * The system call filter lists what is refused, not what is allowed:
 * libraries that demux and connect use too many other calls, and different
 * ones in each version.  Files can be read as far as the worker's user may,
 * but not written, created or removed; nothing can be executed.
 *
 * A job that plays no file cannot read any but the system's (Landlock, where
 * the kernel has it): whatever a playlist names, libavformat cannot open it.
 * That binds its threads, not others of this process, whose memory is shared:
 * it is against a library that is led astray, not against one taken over.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <stddef.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "ngx_webrtc_helper_gpu.h"
#include "ngx_webrtc_helper_sandbox.h"


/* descriptors; chosen: a thousand jobs with a few each */
#define NGX_WEBRTC_HELPER_FILES  8192

/*
 * bytes that a job reserves: while it looks into an MPEG-TS, FFmpeg does with 2
 * MB for each packet, of which 5 MB of a small stream have thousands
 */
#define NGX_WEBRTC_HELPER_RESERVED  (8 * (rlim_t) 1024 * 1024 * 1024)

/* so many times at most: as many jobs as there may be */
#define NGX_WEBRTC_HELPER_RESERVES  1024

#if defined(__x86_64__)
#define NGX_WEBRTC_HELPER_ARCH   AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NGX_WEBRTC_HELPER_ARCH   AUDIT_ARCH_AARCH64
#endif

/* sanitizers inspect the process from another one when it exits */

#if (__SANITIZE_ADDRESS__)
#define NGX_WEBRTC_HELPER_SANITIZED  1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define NGX_WEBRTC_HELPER_SANITIZED  1
#endif
#endif

#ifndef NGX_WEBRTC_HELPER_SANITIZED
#define NGX_WEBRTC_HELPER_SANITIZED  0
#endif


static void ngx_webrtc_helper_sandbox_limits(void);

#ifdef SYS_landlock_create_ruleset

/* all of the first version, so that any kernel that has it knows them */

#define NGX_WEBRTC_HELPER_FS                                                  \
    (LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_WRITE_FILE                 \
     |LANDLOCK_ACCESS_FS_READ_FILE|LANDLOCK_ACCESS_FS_READ_DIR                \
     |LANDLOCK_ACCESS_FS_REMOVE_DIR|LANDLOCK_ACCESS_FS_REMOVE_FILE            \
     |LANDLOCK_ACCESS_FS_MAKE_CHAR|LANDLOCK_ACCESS_FS_MAKE_DIR                \
     |LANDLOCK_ACCESS_FS_MAKE_REG|LANDLOCK_ACCESS_FS_MAKE_SOCK                \
     |LANDLOCK_ACCESS_FS_MAKE_FIFO|LANDLOCK_ACCESS_FS_MAKE_BLOCK              \
     |LANDLOCK_ACCESS_FS_MAKE_SYM)

/* resolving names, certificates, libraries loaded on demand, numbers of CPUs */

static const char *const  ngx_webrtc_helper_readable[] = {
    "/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve",
    "/run/resolvconf", "/run/NetworkManager", "/sys/devices/system",
    "/dev/urandom", "/dev/random", "/dev/null", NULL
};

#endif

#ifdef NGX_WEBRTC_HELPER_ARCH
static void ngx_webrtc_helper_sandbox_filter(ngx_uint_t gpu);
#endif


void
ngx_webrtc_helper_sandbox_close(int fd)
{
    int  i;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, fd, ~0U, 0) == -1)
#endif
    {
        for (i = fd; i < NGX_WEBRTC_HELPER_FILES; i++) {
            (void) close(i);
        }
    }
}


ngx_int_t
ngx_webrtc_helper_sandbox_begin(pid_t parent, int fd)
{
    ngx_webrtc_helper_sandbox_close(fd);

    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1) {
        return NGX_DECLINED;
    }

    return (getppid() == parent) ? NGX_OK : NGX_DECLINED;
}


void
ngx_webrtc_helper_sandbox_enter(ngx_uint_t gpu)
{
    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

    ngx_webrtc_helper_sandbox_limits();

    if (gpu && ngx_webrtc_helper_gpu_allow() != NGX_OK) {
        gpu = 0;
    }

#ifdef NGX_WEBRTC_HELPER_ARCH
    if (!NGX_WEBRTC_HELPER_SANITIZED) {
        ngx_webrtc_helper_sandbox_filter(gpu);
    }
#endif
}


void
ngx_webrtc_helper_sandbox_no_files(void)
{
#ifdef SYS_landlock_create_ruleset

    int                                 fd;
    struct stat                         st;
    const char *const                  *path;
    struct landlock_ruleset_attr        rules;
    struct landlock_path_beneath_attr   beneath;

    if (NGX_WEBRTC_HELPER_SANITIZED) {
        return;
    }

    ngx_memzero(&rules, sizeof(rules));
    rules.handled_access_fs = NGX_WEBRTC_HELPER_FS;

    fd = (int) syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

    if (fd == -1) {
        return;
    }

    for (path = ngx_webrtc_helper_readable; *path; path++) {

        beneath.parent_fd = open(*path, O_PATH|O_CLOEXEC);

        if (beneath.parent_fd == -1) {
            continue;
        }

        beneath.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;

        if (fstat(beneath.parent_fd, &st) == 0 && S_ISDIR(st.st_mode)) {
            beneath.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR
                                      |LANDLOCK_ACCESS_FS_EXECUTE;
        }

        (void) syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
                       &beneath, 0);

        (void) close(beneath.parent_fd);
    }

    (void) syscall(SYS_landlock_restrict_self, fd, 0);

    (void) close(fd);

#endif
}


static void
ngx_webrtc_helper_sandbox_limits(void)
{
    int            fd;
    struct rlimit  limit;

    /* when memory runs out, this process is killed before its worker */

    fd = open("/proc/self/oom_score_adj", O_WRONLY|O_CLOEXEC);

    if (fd != -1) {
        (void) (write(fd, "500", 3) == 3);
        (void) close(fd);
    }

    limit.rlim_cur = 0;
    limit.rlim_max = 0;
    (void) setrlimit(RLIMIT_CORE, &limit);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = ngx_min(limit.rlim_max, NGX_WEBRTC_HELPER_FILES);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}


void
ngx_webrtc_helper_sandbox_data(size_t memory, ngx_uint_t njobs)
{
    struct rlimit  limit;

    if (NGX_WEBRTC_HELPER_SANITIZED || getrlimit(RLIMIT_DATA, &limit) == -1) {
        return;
    }

    limit.rlim_max = ngx_min(limit.rlim_max, 2 * (rlim_t) memory
                             + NGX_WEBRTC_HELPER_RESERVED
                               * NGX_WEBRTC_HELPER_RESERVES);
    limit.rlim_cur = ngx_min(limit.rlim_max, 2 * (rlim_t) memory
                             + NGX_WEBRTC_HELPER_RESERVED * njobs);

    (void) setrlimit(RLIMIT_DATA, &limit);
}


#ifdef NGX_WEBRTC_HELPER_ARCH

#define ngx_webrtc_helper_load(field)                                         \
    BPF_STMT(BPF_LD|BPF_W|BPF_ABS, offsetof(struct seccomp_data, field))

#define ngx_webrtc_helper_refuse(err)                                         \
    BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|(err))

/* refuses a system call */
#define ngx_webrtc_helper_never(nr, err)                                      \
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (nr), 0, 1),                              \
    ngx_webrtc_helper_refuse(err)

/* ... if a bit of the low half of an argument is set */
#define ngx_webrtc_helper_if_set(nr, arg, bits, err)                          \
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (nr), 0, 4),                              \
    ngx_webrtc_helper_load(args[arg]),                                        \
    BPF_JUMP(BPF_JMP|BPF_JSET|BPF_K, (bits), 0, 1),                           \
    ngx_webrtc_helper_refuse(err),                                            \
    BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)

/* ... or is not set */
#define ngx_webrtc_helper_unless_set(nr, arg, bits, err)                      \
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (nr), 0, 4),                              \
    ngx_webrtc_helper_load(args[arg]),                                        \
    BPF_JUMP(BPF_JMP|BPF_JSET|BPF_K, (bits), 1, 0),                           \
    ngx_webrtc_helper_refuse(err),                                            \
    BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)

/* ... unless an argument's low half is the value */
#define ngx_webrtc_helper_unless_is(nr, arg, value, err)                      \
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (nr), 0, 4),                              \
    ngx_webrtc_helper_load(args[arg]),                                        \
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, (value), 1, 0),                           \
    ngx_webrtc_helper_refuse(err),                                            \
    BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)

#define NGX_WEBRTC_HELPER_CREATES (O_CREAT|O_TRUNC)
#define NGX_WEBRTC_HELPER_WRITES  (O_WRONLY|O_RDWR|NGX_WEBRTC_HELPER_CREATES)
#define NGX_WEBRTC_HELPER_THREAD  0x00010000              /* CLONE_THREAD */

/* numbers of x86-64's second table of system calls, x32 */
#define NGX_WEBRTC_HELPER_X32     0x40000000

/* stands for the process's own id, until that is known */
#define NGX_WEBRTC_HELPER_SELF    0x7ffffff1

#ifndef SYS_fchmodat2
#define SYS_fchmodat2             452
#endif


static struct sock_filter  ngx_webrtc_helper_calls[] = {

    ngx_webrtc_helper_load(arch),
    BPF_JUMP(BPF_JMP|BPF_JEQ|BPF_K, NGX_WEBRTC_HELPER_ARCH, 1, 0),
    ngx_webrtc_helper_refuse(ENOSYS),

    ngx_webrtc_helper_load(nr),

    BPF_JUMP(BPF_JMP|BPF_JGE|BPF_K, NGX_WEBRTC_HELPER_X32, 0, 1),
    ngx_webrtc_helper_refuse(ENOSYS),

    /* programs, processes; the C library does without clone3() */

    ngx_webrtc_helper_never(SYS_execve, EPERM),
    ngx_webrtc_helper_never(SYS_execveat, EPERM),
    ngx_webrtc_helper_never(SYS_clone3, ENOSYS),
    ngx_webrtc_helper_unless_set(SYS_clone, 0, NGX_WEBRTC_HELPER_THREAD,
                                 EPERM),
#ifdef SYS_fork
    ngx_webrtc_helper_never(SYS_fork, EPERM),
    ngx_webrtc_helper_never(SYS_vfork, EPERM),
#endif

    /* memory of other processes, signals */

    ngx_webrtc_helper_never(SYS_ptrace, EPERM),
    ngx_webrtc_helper_never(SYS_process_vm_readv, EPERM),
    ngx_webrtc_helper_never(SYS_process_vm_writev, EPERM),
    ngx_webrtc_helper_never(SYS_kill, EPERM),
    ngx_webrtc_helper_never(SYS_tkill, EPERM),
    ngx_webrtc_helper_never(SYS_rt_sigqueueinfo, EPERM),
    ngx_webrtc_helper_never(SYS_rt_tgsigqueueinfo, EPERM),
    ngx_webrtc_helper_never(SYS_pidfd_open, EPERM),
    ngx_webrtc_helper_never(SYS_pidfd_send_signal, EPERM),
    ngx_webrtc_helper_unless_is(SYS_tgkill, 0, NGX_WEBRTC_HELPER_SELF, EPERM),

    /* limits and priority of others; 0: its own, the thread's */

    ngx_webrtc_helper_unless_is(SYS_prlimit64, 0, 0, EPERM),
    ngx_webrtc_helper_unless_is(SYS_setpriority, 1, 0, EPERM),

    /* files are read only */

    ngx_webrtc_helper_if_set(SYS_openat, 2, NGX_WEBRTC_HELPER_WRITES, EACCES),
    ngx_webrtc_helper_never(SYS_openat2, ENOSYS),
    ngx_webrtc_helper_never(SYS_truncate, EACCES),
    ngx_webrtc_helper_never(SYS_unlinkat, EACCES),
    ngx_webrtc_helper_never(SYS_mkdirat, EACCES),
    ngx_webrtc_helper_never(SYS_linkat, EACCES),
    ngx_webrtc_helper_never(SYS_symlinkat, EACCES),
    ngx_webrtc_helper_never(SYS_renameat2, EACCES),
    ngx_webrtc_helper_never(SYS_mknodat, EACCES),
    ngx_webrtc_helper_never(SYS_fchmod, EACCES),
    ngx_webrtc_helper_never(SYS_fchmodat, EACCES),
    ngx_webrtc_helper_never(SYS_fchmodat2, ENOSYS),
    ngx_webrtc_helper_never(SYS_fchown, EACCES),
    ngx_webrtc_helper_never(SYS_fchownat, EACCES),
#ifdef SYS_open
    ngx_webrtc_helper_if_set(SYS_open, 1, NGX_WEBRTC_HELPER_WRITES, EACCES),
    ngx_webrtc_helper_never(SYS_creat, EACCES),
    ngx_webrtc_helper_never(SYS_unlink, EACCES),
    ngx_webrtc_helper_never(SYS_rmdir, EACCES),
    ngx_webrtc_helper_never(SYS_mkdir, EACCES),
    ngx_webrtc_helper_never(SYS_link, EACCES),
    ngx_webrtc_helper_never(SYS_symlink, EACCES),
    ngx_webrtc_helper_never(SYS_rename, EACCES),
    ngx_webrtc_helper_never(SYS_renameat, EACCES),
    ngx_webrtc_helper_never(SYS_mknod, EACCES),
    ngx_webrtc_helper_never(SYS_chmod, EACCES),
    ngx_webrtc_helper_never(SYS_chown, EACCES),
    ngx_webrtc_helper_never(SYS_lchown, EACCES),
#endif

    /* its identity, and the machine */

    ngx_webrtc_helper_never(SYS_setuid, EPERM),
    ngx_webrtc_helper_never(SYS_setgid, EPERM),
    ngx_webrtc_helper_never(SYS_setresuid, EPERM),
    ngx_webrtc_helper_never(SYS_setresgid, EPERM),
    ngx_webrtc_helper_never(SYS_setreuid, EPERM),
    ngx_webrtc_helper_never(SYS_setregid, EPERM),
    ngx_webrtc_helper_never(SYS_setgroups, EPERM),
    ngx_webrtc_helper_never(SYS_capset, EPERM),
    ngx_webrtc_helper_never(SYS_chroot, EPERM),
    ngx_webrtc_helper_never(SYS_mount, EPERM),
    ngx_webrtc_helper_never(SYS_umount2, EPERM),
    ngx_webrtc_helper_never(SYS_pivot_root, EPERM),
    ngx_webrtc_helper_never(SYS_unshare, EPERM),
    ngx_webrtc_helper_never(SYS_setns, EPERM),
    ngx_webrtc_helper_never(SYS_bpf, EPERM),
    ngx_webrtc_helper_never(SYS_perf_event_open, EPERM),
    ngx_webrtc_helper_never(SYS_userfaultfd, EPERM),
    ngx_webrtc_helper_never(SYS_io_uring_setup, ENOSYS),
    ngx_webrtc_helper_never(SYS_add_key, EPERM),
    ngx_webrtc_helper_never(SYS_request_key, EPERM),
    ngx_webrtc_helper_never(SYS_keyctl, EPERM),
    ngx_webrtc_helper_never(SYS_init_module, EPERM),
    ngx_webrtc_helper_never(SYS_finit_module, EPERM),
    ngx_webrtc_helper_never(SYS_delete_module, EPERM),
    ngx_webrtc_helper_never(SYS_kexec_load, EPERM),
    ngx_webrtc_helper_never(SYS_reboot, EPERM),
    ngx_webrtc_helper_never(SYS_settimeofday, EPERM),
    ngx_webrtc_helper_never(SYS_clock_settime, EPERM),
    ngx_webrtc_helper_never(SYS_personality, EPERM),
    ngx_webrtc_helper_never(SYS_swapon, EPERM),
    ngx_webrtc_helper_never(SYS_swapoff, EPERM),

    BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)
};


static void
ngx_webrtc_helper_sandbox_filter(ngx_uint_t gpu)
{
    ngx_uint_t           i;
    struct sock_fprog    program;
    struct sock_filter  *call;

    program.filter = ngx_webrtc_helper_calls;
    program.len = sizeof(ngx_webrtc_helper_calls)
                  / sizeof(ngx_webrtc_helper_calls[0]);

    for (i = 0; i < program.len; i++) {
        call = &ngx_webrtc_helper_calls[i];

        if (call->code == (BPF_JMP|BPF_JEQ|BPF_K)
            && call->k == NGX_WEBRTC_HELPER_SELF)
        {
            call->k = (uint32_t) getpid();
        }

        /* what may be written to is restricted already */

        if (gpu
            && call->code == (BPF_JMP|BPF_JSET|BPF_K)
            && call->k == NGX_WEBRTC_HELPER_WRITES)
        {
            call->k = NGX_WEBRTC_HELPER_CREATES;
        }
    }

    (void) prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#endif
