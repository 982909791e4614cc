
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Datagrams that one binary passes on to another (src/net/
 * ngx_webrtc_twin.c).  The two may be of different versions: any change of the
 * format requires a new NGX_WEBRTC_PASS_MAGIC.
 *
 *   message   uint32_t magic, uint32_t pid of the sender's master, records
 *   record    uint16_t length of the datagram
 *             uint8_t  family of the address it came from, 4 or 6
 *             uint8_t  family of the address it came to, 4, 6 or 0: not known
 *             uint16_t port it came from
 *             address it came from, 4 or 16 bytes; for 6, a uint32_t scope
 *             address it came to, 0, 4 or 16 bytes
 *             datagram
 *
 * Numbers are big-endian.  A message without records only says that the sender
 * is alive.
 */


#ifndef _NGX_WEBRTC_PASS_H_INCLUDED_
#define _NGX_WEBRTC_PASS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_webrtc_addr.h"


#define NGX_WEBRTC_PASS_MAGIC   0x77704401  /* "wpD", version 1 */
#define NGX_WEBRTC_PASS_HEADER  8

/* bytes of a record without the datagram, at most */
#define NGX_WEBRTC_PASS_RECORD  (2 + 1 + 1 + 2 + 16 + 4 + 16)


/* Begins a message.  Returns the position behind it, NULL: no room. */
u_char *ngx_webrtc_pass_begin(u_char *p, u_char *end, uint32_t pid);

/*
 * Writes a record; path->listen is left out.
 *
 * Returns the position behind it, NULL: no room.
 */
u_char *ngx_webrtc_pass_write(u_char *p, u_char *end,
    const ngx_webrtc_path_t *path, const u_char *data, size_t n);

/* Reads a message's head.  Returns the position behind it, NULL: not one. */
u_char *ngx_webrtc_pass_open(u_char *p, u_char *end, uint32_t *pid);

/*
 * Reads a record.
 *
 *   path      out; listen is 0
 *   data, n   out: the datagram, where it is
 *
 * Returns the position behind it, NULL: malformed, drop the rest.
 */
u_char *ngx_webrtc_pass_read(u_char *p, u_char *end, ngx_webrtc_path_t *path,
    u_char **data, size_t *n);


#endif /* _NGX_WEBRTC_PASS_H_INCLUDED_ */
