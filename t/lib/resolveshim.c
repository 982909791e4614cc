
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * To be preloaded into nginx and, with "env LD_PRELOAD;", into its media
 * process: a resolver that never answers for "name.invalid".  Says so on
 * stderr, which is nginx's log.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>


static int (*real)(const char *, const char *, const struct addrinfo *,
                   struct addrinfo **);


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    static const char  asked[] = "resolveshim: asked\n";

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    }

    if (node == NULL || strcmp(node, "name.invalid") != 0) {
        return real(node, service, hints, res);
    }

    (void) !write(2, asked, sizeof(asked) - 1);

    for ( ;; ) {
        (void) pause();
    }
}
