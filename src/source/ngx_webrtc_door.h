
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Doors: this worker's own ports on the loopback, on which the nginx-rtmp of
 * the same nginx answers.
 *
 * A stream of nginx-rtmp is known only in its publisher's worker, and nobody
 * can choose which worker accepts a connection to port 1935.
 * "rtmp_auto_push" was meant to help; as a dynamic module, which Debian's is,
 * it opens its sockets after nginx has put all listening ones into epoll, so
 * connections there are never accepted.  So each worker listens on a port of
 * its own for each address that nginx-rtmp listens on, and hands connections
 * accepted there to the same handler with the same configuration.
 *
 * A door stays open while its worker shuts down: publishers stay there, too.
 */


#ifndef _NGX_WEBRTC_DOOR_H_INCLUDED_
#define _NGX_WEBRTC_DOOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Opens them; in init_process of a worker.
 *
 *   max   limit; if there are more, that is logged
 *
 * Returns how many there are.  Failures to open one are logged.
 */
ngx_uint_t ngx_webrtc_doors_open(ngx_cycle_t *cycle, ngx_uint_t max);

/* how many there are; callable in any thread, as the following */
ngx_uint_t ngx_webrtc_doors_count(void);

/* the key that door n has in every worker, and its port here */
uint32_t ngx_webrtc_door_key(ngx_uint_t n);
uint16_t ngx_webrtc_door_port(ngx_uint_t n);

/*
 * Does nginx-rtmp of this nginx listen on that address?
 *
 *   key   set
 *
 * NGX_OK
 * NGX_DECLINED   no, or there is no door
 * NGX_BUSY       yes, but with a wildcard, and the address is not a loopback
 *                one: which server{} is meant is unknown
 */
ngx_int_t ngx_webrtc_door_find(struct sockaddr *sa, uint32_t *key,
    int *family);


#endif /* _NGX_WEBRTC_DOOR_H_INCLUDED_ */
