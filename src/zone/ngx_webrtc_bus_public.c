
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The public id of a session.
 */


#include "ngx_webrtc_bus_public.h"
#include <ngx_sha1.h>


void
ngx_webrtc_bus_public(const u_char *id, u_char *out)
{
    ngx_sha1_t  sha1;
    u_char      digest[20];

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, id, NGX_WEBRTC_PEER_ID_LEN);
    ngx_sha1_final(digest, &sha1);

    (void) ngx_hex_dump(out, digest, NGX_WEBRTC_PUBLIC_LEN / 2);
}
