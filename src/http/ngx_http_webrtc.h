
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Configuration of the module, shared by the files of src/http.
 */


#ifndef _NGX_HTTP_WEBRTC_H_INCLUDED_
#define _NGX_HTTP_WEBRTC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_webrtc_media_message.h"
#include "ngx_webrtc_worker.h"


/* defaults of "webrtc_listen" and "webrtc_zone" */
#define NGX_HTTP_WEBRTC_PORT        8000
#define NGX_HTTP_WEBRTC_ZONE        "live"
#define NGX_HTTP_WEBRTC_ZONE_SIZE   (512 * 1024 * 1024)

/* "webrtc_publish_conflict" */
#define NGX_HTTP_WEBRTC_CONFLICT_REJECT   0
#define NGX_HTTP_WEBRTC_CONFLICT_REPLACE  1

/* "webrtc_etag" */
#define NGX_HTTP_WEBRTC_ETAG_LENIENT      0
#define NGX_HTTP_WEBRTC_ETAG_STRICT       1

/* "webrtc_ice" */
#define NGX_HTTP_WEBRTC_ICE_LITE   0
#define NGX_HTTP_WEBRTC_ICE_FULL   1
#define NGX_HTTP_WEBRTC_ICE_RELAY  2

/* maximum candidates in one answer, of all kinds; chosen */
#define NGX_HTTP_WEBRTC_CANDIDATES  32


/* position of a directive in the configuration */
typedef struct {
    ngx_str_t                    file;
    ngx_uint_t                   line;       /* 0: not set */
} ngx_http_webrtc_where_t;


/* "webrtc_candidate": an address at which we are reached from outside */
typedef struct {
    ngx_str_t                    text;       /* address without port */
    ngx_str_t                    value;      /* as configured */
    in_port_t                    port;       /* 0: the listening one */
    int                          family;
    ngx_uint_t                   loopback;   /* unsigned  loopback:1; */
    ngx_uint_t                   tcp;        /* not over UDP */
    ngx_uint_t                   udp;        /* not over TCP */
} ngx_http_webrtc_candidate_t;


/* media over TCP on a port */
typedef enum {
    NGX_HTTP_WEBRTC_TCP_OFF = 0,
    NGX_HTTP_WEBRTC_TCP_IF_FREE,
    NGX_HTTP_WEBRTC_TCP_ON
} ngx_http_webrtc_tcp_e;


typedef struct {
    ngx_addr_t                   addr;
    in_port_t                    port;
    ngx_uint_t                   wildcard;   /* unsigned  wildcard:1; */
    ngx_uint_t                   udp;        /* unsigned  udp:1; */
    ngx_uint_t                   tcp;        /* of ngx_http_webrtc_tcp_e */
} ngx_http_webrtc_listen_t;


typedef struct {
    ngx_str_t                    zone_name;
    ssize_t                      zone_size;

    ngx_array_t                  listens;    /* ngx_http_webrtc_listen_t */
    ngx_array_t                  candidates; /* ngx_http_webrtc_candidate_t */

    ngx_str_t                    certificate;
    ngx_str_t                    certificate_key;
    ngx_flag_t                   gso;
    ngx_str_t                    crypto_name;
    const ngx_webrtc_srtp_gcm_t *crypto;     /* NULL: the fastest */
    ngx_int_t                    max_sessions;   /* 0: no limit */
    size_t                       file_memory;    /* per worker */
    ngx_str_t                    media_path;     /* executable */
    size_t                       media_memory;   /* per media process */
    ngx_flag_t                   media_prestart; /* workers start one */
    ngx_int_t                    max_transcodes; /* of the zone */

    ngx_array_t                  always;     /* ngx_http_webrtc_pull_t *:
                                                "start=always" without
                                                variables */

    ngx_array_t                  execs;      /* ngx_http_webrtc_exec_t * */
    ngx_array_t                  records;    /* ngx_http_webrtc_record_t * */
    ngx_uint_t                   hls;        /* there is a "webrtc_hls" */
    ngx_array_t                  pulls;      /* ngx_http_webrtc_pull_t *: as
                                                configured */
    ngx_array_t                  ingests;    /* ngx_http_webrtc_ingest_conf_t */
    ngx_array_t                  locations;  /* ngx_http_webrtc_loc_conf_t *
                                                that play or publish */
    ngx_array_t                  served;     /* ngx_http_webrtc_loc_conf_t *
                                                that play, publish or have
                                                files */
    ngx_http_webrtc_where_t      where;      /* the first directive of http */

    ngx_array_t                  pools;      /* ngx_thread_pool_t *: "default"
                                                and those of "aio" */

    ngx_webrtc_bus_t            *bus;
    ngx_webrtc_dtls_conf_t      *dtls;
    ngx_str_t                    pem;        /* generated certificate and key */
    ngx_str_t                    fingerprint;   /* "sha-256 AB:CD:..." */
    ngx_uint_t                   used;       /* a location needs the port */
    ngx_uint_t                   rtmp;       /* something is pulled over it */
    ngx_uint_t                   pushes;     /* something may be pushed */
    const char                  *live;       /* a directive of "http/live" */
} ngx_http_webrtc_main_conf_t;


typedef struct ngx_http_webrtc_pull_s  ngx_http_webrtc_pull_t;
typedef struct ngx_http_webrtc_exec_s  ngx_http_webrtc_exec_t;
typedef struct ngx_http_webrtc_jwt_s   ngx_http_webrtc_jwt_t;
typedef struct ngx_http_webrtc_record_s  ngx_http_webrtc_record_t;
typedef struct ngx_http_webrtc_live_s  ngx_http_webrtc_live_t;
typedef struct ngx_http_webrtc_records_s  ngx_http_webrtc_records_t;
typedef struct ngx_http_webrtc_hls_s   ngx_http_webrtc_hls_t;

typedef struct ngx_http_webrtc_loc_conf_s  ngx_http_webrtc_loc_conf_t;

/* one URL of a location's "webrtc_pull", or what else feeds its stream */
struct ngx_http_webrtc_pull_s {
    ngx_http_webrtc_pull_t      *next;       /* to try after this one */
    ngx_uint_t                   kind;       /* NGX_WEBRTC_FEED_* */
    ngx_http_complex_value_t     url;        /* or words of the directive */
    ngx_str_t                    prefix;     /* literal part before the first
                                                variable */
    ngx_str_t                    format;
    ngx_uint_t                   program;    /* 0: the first with video */
    ngx_str_t                    name;       /* of the stream, if constant */
    ngx_http_core_loc_conf_t    *clcf;       /* the player's; first only */
    ngx_http_webrtc_loc_conf_t  *wlcf;       /* likewise */
    size_t                       buffer;
    size_t                       buffer_max;
    ngx_msec_t                   idle_timeout;
    ngx_http_webrtc_where_t      where;
    ngx_webrtc_stream_t         *held;       /* by this worker while it cannot
                                                be started */
    unsigned                     full:1;     /* no room for it, logged */
    unsigned                     used:1;     /* by a location that plays */
    unsigned                     constant:1; /* the URL has no variables */
    unsigned                     lists:1;    /* may be a playlist */
    unsigned                     loop:1;
    unsigned                     always:1;
    unsigned                     transcode:1;   /* what browsers cannot play */
};


/*
 * What a location with "webrtc_snapshot" and so on has; its stream's name is
 * wlcf->play.
 *
 *   directive   its name
 *   age         ms
 *   picture     quality; largest width and height, 0: any
 *   format      1: picture.webp is given, whatever a client accepts
 *   hls         of "webrtc_hls", else NULL
 */
struct ngx_http_webrtc_live_s {
    const char                  *directive;
    ngx_msec_t                   age;
    ngx_webrtc_media_picture_t   picture;
    ngx_uint_t                   format;     /* unsigned  format:1; */
    ngx_http_webrtc_hls_t       *hls;
};


struct ngx_http_webrtc_loc_conf_s {
    ngx_http_complex_value_t    *play;       /* stream name; one of the two */
    ngx_http_complex_value_t    *publish;
    ngx_http_webrtc_live_t      *live;       /* GETs are answered with it; NULL:
                                                offers are taken */
    ngx_http_handler_pt          handler;    /* of what it serves, except
                                                files */
    ngx_http_webrtc_where_t      where;      /* likewise, including files */
    ngx_http_webrtc_pull_t      *pull;
    ngx_http_webrtc_exec_t      *exec_publish;
    ngx_http_webrtc_record_t    *record;     /* NULL: none is set */
    ngx_http_webrtc_records_t   *recordings; /* a list is answered, or NULL */
    ngx_array_t                 *pushes;     /* likewise; empty: "off" */

    ngx_webrtc_policy_t          policy;     /* for its sessions */

    ngx_msec_t                   wait;
    ngx_msec_t                   idle_timeout;
    size_t                       max_sdp;
    ngx_uint_t                   ice;        /* NGX_HTTP_WEBRTC_ICE_* */
    ngx_uint_t                   ice_min_port;   /* 0: any */
    ngx_uint_t                   ice_max_port;
    ngx_array_t                 *ice_addrs;  /* of ice_servers, resolved */
    ngx_array_t                 *ice_rules;  /* of ngx_webrtc_ice_rule_t */
    ngx_flag_t                   file;
    ngx_int_t                    max_pending;    /* per client, 0: no limit */
    ngx_int_t                    max_names;
    ngx_http_complex_value_t    *pending_key;    /* NULL: by address */
    ngx_uint_t                   etag;
    ngx_uint_t                   playout;    /* "webrtc_playout_delay", 0: as
                                                it is published; see
                                                ngx_webrtc_playout.h */
    ngx_flag_t                   counter_offer;
    ngx_flag_t                   player;         /* a page for browsers */
    ngx_http_complex_value_t    *poster;     /* of the page; or NULL */
    ngx_http_complex_value_t    *player_list;    /* recordings there; or NULL */
    ngx_array_t                 *ice_servers;    /* ngx_http_webrtc_ice_server_t
                                                    or NULL */
    ngx_str_t                    cors_origin;
    ngx_http_complex_value_t    *public_path;    /* or NULL */
    ngx_uint_t                   public_host;    /* it names a host */
    ngx_http_webrtc_jwt_t       *jwt;        /* NULL: off */
    ngx_str_t                    jwt_claim;
    ngx_str_t                    jwt_arg;    /* empty: off */
    ngx_str_t                    jwt_issuer;
    ngx_str_t                    jwt_audience;
    ngx_msec_t                   jwt_leeway;
    ngx_flag_t                   jwt_expire;
    ngx_http_complex_value_t    *on_play;    /* NULL: off */
    ngx_http_complex_value_t    *on_publish;
    ngx_msec_t                   notify;     /* 0: off */
    ngx_http_complex_value_t    *on_play_done;
    ngx_http_complex_value_t    *on_publish_done;
    ngx_http_complex_value_t    *on_stream_up;
    ngx_http_complex_value_t    *on_stream_down;
    ngx_http_complex_value_t    *on_record_done;
    ngx_http_complex_value_t    *drain_to;
    uint32_t                     location;   /* a hash of "where" */
    ngx_http_conf_ctx_t         *ctx;        /* where it is; NULL: nowhere */
    void                        *log;        /* "webrtc_log", of nginx's log
                                                module; NULL: none */
    void                       **log_conf;   /* ctx->loc_conf with it */
    ngx_flag_t                   status;
    ngx_flag_t                   status_control;
    ngx_array_t                 *renditions; /* ngx_webrtc_variant_t or NULL */
    ngx_array_t                 *layer_bitrates; /* of "http/max_bitrate", or
                                                    NULL */
    ngx_uint_t                   metrics_streams;   /* "webrtc_metrics" */
    ngx_uint_t                   publish_conflict;
    ngx_array_t                 *codecs;     /* uint8_t NGX_WEBRTC_CODEC_*,
                                                preferred first; NULL: all */
};


extern ngx_module_t  ngx_http_webrtc_module;

/* of this process; NULL where no location needs the port */
extern ngx_webrtc_worker_t  *ngx_http_webrtc_worker;


#endif /* _NGX_HTTP_WEBRTC_H_INCLUDED_ */
