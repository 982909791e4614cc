
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Directives with one bounded value: a time, a size, a number or a name.  The
 * error for an invalid value says what was expected and gives an example, which
 * nginx's own setters do not.
 */


#ifndef _NGX_HTTP_WEBRTC_CONF_VALUE_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_CONF_VALUE_H_INCLUDED_


#include "ngx_http_webrtc.h"


/*
 * What a directive takes.
 *
 *   parse      the value, or NGX_HTTP_WEBRTC_CONF_INVALID
 *   size       of the field: 4 or 8 bytes
 *   least,
 *   most       bounds of the value, inclusive
 *   zero       0 is allowed even if out of bounds
 *   names      for ngx_http_webrtc_conf_name(); the last one is empty
 *   expected   as in "expected <...>"; NULL: built from the names
 */
typedef struct {
    int64_t              (*parse)(ngx_str_t *value, ngx_conf_enum_t *names);
    size_t                 size;
    int64_t                least;
    int64_t                most;
    ngx_uint_t             zero;        /* unsigned  zero:1; */
    ngx_conf_enum_t       *names;
    const char            *expected;
} ngx_http_webrtc_conf_value_t;


/*
 * The "post" of a command whose setter is ngx_http_webrtc_conf_value() and
 * whose offset is that of the field: accepted values and the default.  The row
 * describes such a directive completely.
 */
typedef struct {
    ngx_http_webrtc_conf_value_t  *value;
    int64_t                        init;
} ngx_http_webrtc_conf_field_t;


#define ngx_http_webrtc_conf_field(value, init)                               \
    &(ngx_http_webrtc_conf_field_t) { &ngx_http_webrtc_conf_##value, init }


#define NGX_HTTP_WEBRTC_CONF_INVALID  (-1)

#define NGX_HTTP_WEBRTC_K             1024
#define NGX_HTTP_WEBRTC_M             (1024 * 1024)
#define NGX_HTTP_WEBRTC_G             ((int64_t) 1024 * 1024 * 1024)

/* ms; chosen: none of our timers needs to be longer */
#define NGX_HTTP_WEBRTC_DAY           86400000


/* The setter. */
char *ngx_http_webrtc_conf_value(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Unset and merge the fields of all such commands in a table.
 *
 *   cmd           the table, up to ngx_null_command
 *   conf_offset   NGX_HTTP_MAIN_CONF_OFFSET, ...: which fields
 *   prev          the level above, or NULL
 */
void ngx_http_webrtc_conf_unset(ngx_command_t *cmd, ngx_uint_t conf_offset,
    void *conf);
void ngx_http_webrtc_conf_merge(ngx_command_t *cmd, ngx_uint_t conf_offset,
    void *prev, void *conf);

/* kinds: milliseconds; bytes or bits; a count; a name from a table */
int64_t ngx_http_webrtc_conf_time(ngx_str_t *value, ngx_conf_enum_t *names);
int64_t ngx_http_webrtc_conf_amount(ngx_str_t *value, ngx_conf_enum_t *names);
int64_t ngx_http_webrtc_conf_number(ngx_str_t *value, ngx_conf_enum_t *names);
int64_t ngx_http_webrtc_conf_name(ngx_str_t *value, ngx_conf_enum_t *names);

/* "webrtc_cors_origin" */
char *ngx_http_webrtc_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* rows */
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_wait;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_period;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_timeout;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_buffer;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_max_sdp;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_chunk;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_ranges;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_changes;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_file_memory;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_media_memory;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_transcodes;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_count;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_conflict;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_etag;
extern ngx_http_webrtc_conf_value_t  ngx_http_webrtc_conf_ice;


#endif /* _NGX_HTTP_WEBRTC_CONF_VALUE_H_INCLUDED_ */
