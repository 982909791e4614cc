
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * AMF 0 ("Action Message Format -- AMF 0", 2007), as far as RTMP's commands
 * need it.  The section numbers in the source are those of that document.
 *
 * Readers and writers as in ngx_webrtc_cursor.h: they take a position and the
 * end, and return the new position or NULL.
 */


#ifndef _NGX_WEBRTC_AMF0_H_INCLUDED_
#define _NGX_WEBRTC_AMF0_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* markers, 2.1 */
#define NGX_WEBRTC_AMF0_NUMBER        0
#define NGX_WEBRTC_AMF0_BOOLEAN       1
#define NGX_WEBRTC_AMF0_STRING        2
#define NGX_WEBRTC_AMF0_OBJECT        3
#define NGX_WEBRTC_AMF0_NULL          5
#define NGX_WEBRTC_AMF0_UNDEFINED     6
#define NGX_WEBRTC_AMF0_REFERENCE     7
#define NGX_WEBRTC_AMF0_ECMA_ARRAY    8
#define NGX_WEBRTC_AMF0_OBJECT_END    9
#define NGX_WEBRTC_AMF0_STRICT_ARRAY  10
#define NGX_WEBRTC_AMF0_DATE          11
#define NGX_WEBRTC_AMF0_LONG_STRING   12

/* objects in objects; chosen: clients nest two */
#define NGX_WEBRTC_AMF0_DEPTH         8


/* a property of an object that is wanted; not set where there is none */
typedef struct {
    const char              *name;
    ngx_str_t               *value;           /* of strings only */
} ngx_webrtc_amf0_want_t;


/* Reads a string of either kind, without a copy; a number. */
u_char *ngx_webrtc_amf0_read_string(u_char *p, u_char *end, ngx_str_t *s);
u_char *ngx_webrtc_amf0_read_number(u_char *p, u_char *end, double *v);

/*
 * Reads any value; of an object or ECMA array the wanted properties, of
 * anything else nothing.
 *
 *   want, n   may be NULL, 0
 */
u_char *ngx_webrtc_amf0_read(u_char *p, u_char *end,
    const ngx_webrtc_amf0_want_t *want, ngx_uint_t n);

u_char *ngx_webrtc_amf0_write_string(u_char *p, u_char *end, ngx_str_t *s);
u_char *ngx_webrtc_amf0_write_number(u_char *p, u_char *end, double v);

/* a marker that stands alone: NULL, OBJECT */
u_char *ngx_webrtc_amf0_write_marker(u_char *p, u_char *end, uint8_t marker);

/* Within an object: a property; its end, 2.5. */
u_char *ngx_webrtc_amf0_write_property(u_char *p, u_char *end,
    const char *name, ngx_str_t *value);
u_char *ngx_webrtc_amf0_write_end(u_char *p, u_char *end);


#endif /* _NGX_WEBRTC_AMF0_H_INCLUDED_ */
