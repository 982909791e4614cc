
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The module: directives, configurations, process hooks.
 */


#include "ngx_http_webrtc.h"
#include "ngx_http_webrtc_call.h"
#include "ngx_http_webrtc_candidates.h"
#include "ngx_http_webrtc_conf.h"
#include "ngx_http_webrtc_conf_check.h"
#include "ngx_http_webrtc_conf_value.h"
#include "ngx_http_webrtc_cors.h"
#include "ngx_http_webrtc_ended.h"
#include "ngx_http_webrtc_ice.h"
#include "ngx_http_webrtc_ice_server.h"
#include "ngx_http_webrtc_exec.h"
#include "ngx_http_webrtc_feed.h"
#include "ngx_http_webrtc_file.h"
#include "ngx_http_webrtc_file_play.h"
#include "ngx_http_webrtc_hook.h"
#include "ngx_http_webrtc_ingest.h"
#include "ngx_http_webrtc_ingest_conf.h"
#include "ngx_http_webrtc_ingest_publish.h"
#include "ngx_http_webrtc_jwt.h"
#include "ngx_http_webrtc_jwt_conf.h"
#include "ngx_http_webrtc_listen.h"
#include "ngx_http_webrtc_log.h"
#include "ngx_http_webrtc_max_bitrate.h"
#include "ngx_http_webrtc_media.h"
#include "ngx_http_webrtc_metrics.h"
#include "ngx_http_webrtc_hls.h"
#include "ngx_http_webrtc_muxed.h"
#include "ngx_http_webrtc_own.h"
#include "ngx_http_webrtc_player.h"
#include "ngx_http_webrtc_pull.h"
#include "ngx_http_webrtc_pull_conf.h"
#include "ngx_http_webrtc_layer.h"
#include "ngx_http_webrtc_push.h"
#include "ngx_http_webrtc_push_whip.h"
#include "ngx_http_webrtc_record.h"
#include "ngx_http_webrtc_records.h"
#include "ngx_http_webrtc_snapshot.h"
#include "ngx_http_webrtc_vars.h"
#include "ngx_http_webrtc_signal_log.h"
#include "ngx_http_webrtc_srt_gateway.h"
#include "ngx_http_webrtc_sse.h"
#include "ngx_http_webrtc_status.h"
#include "ngx_http_webrtc_transcode.h"
#include "ngx_http_webrtc_url.h"
#include "ngx_http_webrtc_full.h"
#include "ngx_http_webrtc_whep.h"
#include "ngx_http_webrtc_whip.h"
#include "ngx_webrtc_door.h"
#include "ngx_webrtc_exec_out.h"
#include "ngx_webrtc_files_role.h"
#include "ngx_webrtc_hls.h"
#include "ngx_webrtc_viewer_role.h"
#include "ngx_webrtc_publisher_role.h"
#include "ngx_webrtc_media.h"
#include "ngx_webrtc_muxed.h"
#include "ngx_webrtc_snapshot.h"
#include "ngx_webrtc_variants.h"


static void *ngx_http_webrtc_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_webrtc_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_webrtc_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_webrtc_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_webrtc_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_webrtc_init_process(ngx_cycle_t *cycle);
static void ngx_http_webrtc_open_doors(ngx_cycle_t *cycle,
    ngx_webrtc_bus_t *bus);
static void ngx_http_webrtc_exit_process(ngx_cycle_t *cycle);
static ngx_uint_t ngx_http_webrtc_busy(void *ctx);
static void ngx_http_webrtc_on_unheard(void *ctx, ngx_webrtc_peer_t *peer,
    ngx_uint_t row);
static void ngx_http_webrtc_on_stream(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_http_webrtc_on_keyframe(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_http_webrtc_on_tell(void *ctx, uint64_t ref, ngx_uint_t why);
static void ngx_http_webrtc_on_end(void *ctx, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, const char *reason);
static void ngx_http_webrtc_on_notify(void *ctx, ngx_webrtc_peer_t *peer);
static void ngx_http_webrtc_on_up(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_http_webrtc_on_down(void *ctx, ngx_webrtc_stream_t *st);
static void ngx_http_webrtc_on_ice(void *ctx, uint64_t ref,
    ngx_uint_t gathered);
static void ngx_http_webrtc_on_candidates(void *ctx, uint64_t ref, u_char *p,
    size_t n);


ngx_webrtc_worker_t  *ngx_http_webrtc_worker;


static ngx_command_t  ngx_http_webrtc_commands[] = {

    { ngx_string("webrtc_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_webrtc_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_listen"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_webrtc_listen,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_candidate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_conf_candidate,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, certificate),
      NULL },

    { ngx_string("webrtc_certificate_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, certificate_key),
      NULL },

    { ngx_string("webrtc_gso"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, gso),
      NULL },

    { ngx_string("webrtc_crypto"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_crypto,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_max_sessions"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, max_sessions),
      ngx_http_webrtc_conf_field(count, 0) },

    { ngx_string("webrtc_play"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_whep_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_pull"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_HTTP_LIF_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_pull_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_rtp"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_feed_rtp,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_exec"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_feed_exec,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_publish"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_whip_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_ingest"),
      NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_ingest_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_exec_publish"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_HTTP_LIF_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_exec_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_record"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_record_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_recordings"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_webrtc_records_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_push"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_push_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_snapshot"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_snapshot_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_ts"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_muxed_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_mp4"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_muxed_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_hls"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_2MORE,
      ngx_http_webrtc_hls_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_publish_conflict"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, publish_conflict),
      ngx_http_webrtc_conf_field(conflict, NGX_HTTP_WEBRTC_CONFLICT_REJECT) },

    { ngx_string("webrtc_codecs"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_whip_codecs,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_linger"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.linger),
      ngx_http_webrtc_conf_field(wait, 30000) },

    { ngx_string("webrtc_keyframe_interval"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.keyframe_interval),
      ngx_http_webrtc_conf_field(wait, 1000) },

    { ngx_string("webrtc_max_bitrate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_max_bitrate_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_wait"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, wait),
      ngx_http_webrtc_conf_field(wait, 5000) },

    { ngx_string("webrtc_idle_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, idle_timeout),
      ngx_http_webrtc_conf_field(wait, 10000) },

    { ngx_string("webrtc_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.timeout),
      ngx_http_webrtc_conf_field(timeout, 30000) },

    { ngx_string("webrtc_handshake_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.handshake_timeout),
      ngx_http_webrtc_conf_field(timeout, 30000) },

    { ngx_string("webrtc_buffer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.buffer),
      ngx_http_webrtc_conf_field(buffer, NGX_HTTP_WEBRTC_BUFFER) },

    { ngx_string("webrtc_buffer_max"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.buffer_max),
      ngx_http_webrtc_conf_field(buffer, NGX_HTTP_WEBRTC_BUFFER_MAX) },

    { ngx_string("webrtc_pacing"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_webrtc_conf_pacing,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_playout_delay"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_webrtc_conf_playout,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_transcode"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_transcode_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_rendition"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_TAKE3|NGX_CONF_TAKE4,
      ngx_http_webrtc_transcode_rendition,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_max_transcodes"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, max_transcodes),
      ngx_http_webrtc_conf_field(transcodes, 0) },

    { ngx_string("webrtc_max_sdp"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, max_sdp),
      ngx_http_webrtc_conf_field(max_sdp, 64 * 1024) },

    { ngx_string("webrtc_max_viewers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.max_viewers),
      ngx_http_webrtc_conf_field(count, 0) },

    { ngx_string("webrtc_max_pending"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_webrtc_full_pending,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_etag"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, etag),
      ngx_http_webrtc_conf_field(etag, NGX_HTTP_WEBRTC_ETAG_LENIENT) },

    { ngx_string("webrtc_counter_offer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, counter_offer),
      NULL },

    { ngx_string("webrtc_player"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_webrtc_player_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_ice_server"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_ice_server_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_HTTP_LIF_CONF|NGX_CONF_FLAG,
      ngx_http_webrtc_file_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, file),
      NULL },

    { ngx_string("webrtc_file_chunk"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.file_chunk),
      ngx_http_webrtc_conf_field(file_chunk, 16384) },

    { ngx_string("webrtc_file_ranges"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.file_ranges),
      ngx_http_webrtc_conf_field(file_ranges, 4) },

    { ngx_string("webrtc_file_changes"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.file_changes),
      ngx_http_webrtc_conf_field(file_changes, NGX_WEBRTC_FILE_END) },

    { ngx_string("webrtc_file_quiet"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, policy.file_quiet),
      ngx_http_webrtc_conf_field(timeout, 30000) },

    { ngx_string("webrtc_file_transcode"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_webrtc_file_transcode,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_file_memory"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, file_memory),
      ngx_http_webrtc_conf_field(file_memory, 268435456) },

    { ngx_string("webrtc_media_path"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, media_path),
      NULL },

    { ngx_string("webrtc_media_memory"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, media_memory),
      ngx_http_webrtc_conf_field(media_memory, 1073741824) },

    { ngx_string("webrtc_media_prestart"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_webrtc_main_conf_t, media_prestart),
      NULL },

    { ngx_string("webrtc_ice"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, ice),
      ngx_http_webrtc_conf_field(ice, NGX_HTTP_WEBRTC_ICE_LITE) },

    { ngx_string("webrtc_ice_ports"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_ice_ports,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_ice_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_ice_rule,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_ice_deny"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_ice_rule,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_cors_origin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_public_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_url_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_jwt_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_jwt_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_jwt_claim"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_jwt_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_claim),
      &ngx_http_webrtc_jwt_claim },

    { ngx_string("webrtc_jwt_arg"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_jwt_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_arg),
      &ngx_http_webrtc_jwt_argument },

    { ngx_string("webrtc_jwt_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_jwt_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_issuer),
      &ngx_http_webrtc_jwt_issuer },

    { ngx_string("webrtc_jwt_audience"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_jwt_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_audience),
      &ngx_http_webrtc_jwt_audience },

    { ngx_string("webrtc_jwt_leeway"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_leeway),
      ngx_http_webrtc_conf_field(wait, 0) },

    { ngx_string("webrtc_jwt_expire"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, jwt_expire),
      NULL },

    { ngx_string("webrtc_on_publish"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_publish),
      NULL },

    { ngx_string("webrtc_on_play"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_play),
      NULL },

    { ngx_string("webrtc_on_publish_done"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_publish_done),
      NULL },

    { ngx_string("webrtc_on_play_done"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_play_done),
      NULL },

    { ngx_string("webrtc_on_stream_up"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_stream_up),
      NULL },

    { ngx_string("webrtc_on_stream_down"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_stream_down),
      NULL },

    { ngx_string("webrtc_on_record_done"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, on_record_done),
      NULL },

    { ngx_string("webrtc_notify"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_conf_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, notify),
      ngx_http_webrtc_conf_field(period, 0) },

    { ngx_string("webrtc_drain_to"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_webrtc_hook_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_webrtc_loc_conf_t, drain_to),
      NULL },

    { ngx_string("webrtc_log"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_webrtc_ended_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_webrtc_status_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webrtc_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_webrtc_metrics_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_webrtc_module_ctx = {
    ngx_http_webrtc_vars_add,              /* preconfiguration */
    ngx_http_webrtc_init,                  /* postconfiguration */

    ngx_http_webrtc_create_main_conf,      /* create main configuration */
    ngx_http_webrtc_init_main_conf,        /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_webrtc_create_loc_conf,       /* create location configuration */
    ngx_http_webrtc_merge_loc_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_webrtc_module = {
    NGX_MODULE_V1,
    &ngx_http_webrtc_module_ctx,           /* module context */
    ngx_http_webrtc_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_webrtc_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_webrtc_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_webrtc_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    ngx_http_webrtc_conf_unset(ngx_http_webrtc_commands,
                               NGX_HTTP_MAIN_CONF_OFFSET, wmcf);

    wmcf->gso = NGX_CONF_UNSET;
    wmcf->media_prestart = NGX_CONF_UNSET;

    if (ngx_array_init(&wmcf->listens, cf->pool, 2,
                       sizeof(ngx_http_webrtc_listen_t))
        != NGX_OK
        || ngx_array_init(&wmcf->candidates, cf->pool, 4,
                          sizeof(ngx_http_webrtc_candidate_t))
           != NGX_OK
        || ngx_array_init(&wmcf->always, cf->pool, 4,
                          sizeof(ngx_http_webrtc_pull_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->pulls, cf->pool, 4,
                          sizeof(ngx_http_webrtc_pull_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->execs, cf->pool, 4,
                          sizeof(ngx_http_webrtc_exec_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->records, cf->pool, 4,
                          sizeof(ngx_http_webrtc_record_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->ingests, cf->pool, 2,
                          sizeof(ngx_http_webrtc_ingest_conf_t))
           != NGX_OK
        || ngx_array_init(&wmcf->locations, cf->pool, 4,
                          sizeof(ngx_http_webrtc_loc_conf_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->served, cf->pool, 4,
                          sizeof(ngx_http_webrtc_loc_conf_t *))
           != NGX_OK
        || ngx_array_init(&wmcf->pools, cf->pool, 1, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    return wmcf;
}


static char *
ngx_http_webrtc_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_webrtc_main_conf_t *wmcf = conf;

    ngx_http_webrtc_conf_merge(ngx_http_webrtc_commands,
                               NGX_HTTP_MAIN_CONF_OFFSET, NULL, wmcf);

    ngx_conf_init_value(wmcf->gso, 1);
    ngx_conf_init_value(wmcf->media_prestart, 1);

    if (wmcf->max_transcodes == 0) {
        wmcf->max_transcodes = NGX_HTTP_WEBRTC_TRANSCODES * ngx_ncpu;
    }

    if ((wmcf->certificate.len == 0) != (wmcf->certificate_key.len == 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"webrtc_certificate\" and "
                           "\"webrtc_certificate_key\" need each other");
        return NGX_CONF_ERROR;
    }

    return ngx_http_webrtc_media_conf(cf, wmcf);
}


static void *
ngx_http_webrtc_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_webrtc_loc_conf_t  *wlcf;

    wlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_loc_conf_t));
    if (wlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wlcf->play = NULL;
     *     wlcf->publish = NULL;
     *     wlcf->live = NULL;
     *     wlcf->handler = NULL;
     *     wlcf->poster = NULL;
     *     wlcf->codecs = NULL;
     *     wlcf->record = NULL;
     *     wlcf->pushes = NULL;
     *     wlcf->renditions = NULL;
     *     wlcf->layer_bitrates = NULL;
     *     wlcf->cors_origin = { 0, NULL };
     *     wlcf->jwt_claim = { 0, NULL };
     *     wlcf->jwt_arg = { 0, NULL };
     *     wlcf->jwt_issuer = { 0, NULL };
     *     wlcf->jwt_audience = { 0, NULL };
     *     wlcf->status = 0;
     *     wlcf->status_control = 0;
     *     wlcf->metrics_streams = 0;
     */

    ngx_http_webrtc_conf_unset(ngx_http_webrtc_commands,
                               NGX_HTTP_LOC_CONF_OFFSET, wlcf);

    wlcf->pull = NGX_CONF_UNSET_PTR;
    wlcf->exec_publish = NGX_CONF_UNSET_PTR;
    wlcf->policy.max_bitrate = NGX_CONF_UNSET;
    wlcf->policy.pacing_rate = NGX_CONF_UNSET;
    wlcf->policy.pacing_burst = NGX_CONF_UNSET_SIZE;
    wlcf->playout = NGX_CONF_UNSET_UINT;
    wlcf->policy.transcode = NGX_CONF_UNSET_UINT;
    wlcf->ice_min_port = NGX_CONF_UNSET_UINT;
    wlcf->ice_max_port = NGX_CONF_UNSET_UINT;
    wlcf->file = NGX_CONF_UNSET;
    wlcf->policy.file_transcode = NGX_CONF_UNSET_UINT;
    wlcf->max_pending = NGX_CONF_UNSET;
    wlcf->max_names = NGX_CONF_UNSET;
    wlcf->counter_offer = NGX_CONF_UNSET;
    wlcf->player = NGX_CONF_UNSET;
    wlcf->ice_servers = NGX_CONF_UNSET_PTR;
    wlcf->ice_rules = NGX_CONF_UNSET_PTR;
    wlcf->public_path = NGX_CONF_UNSET_PTR;
    wlcf->jwt = NGX_CONF_UNSET_PTR;
    wlcf->jwt_expire = NGX_CONF_UNSET;
    wlcf->on_play = NGX_CONF_UNSET_PTR;
    wlcf->on_publish = NGX_CONF_UNSET_PTR;
    wlcf->on_play_done = NGX_CONF_UNSET_PTR;
    wlcf->on_publish_done = NGX_CONF_UNSET_PTR;
    wlcf->on_stream_up = NGX_CONF_UNSET_PTR;
    wlcf->on_stream_down = NGX_CONF_UNSET_PTR;
    wlcf->on_record_done = NGX_CONF_UNSET_PTR;
    wlcf->drain_to = NGX_CONF_UNSET_PTR;

    return wlcf;
}


static char *
ngx_http_webrtc_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_webrtc_loc_conf_t *prev = parent;
    ngx_http_webrtc_loc_conf_t *conf = child;

    if (ngx_http_webrtc_check_location(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_webrtc_conf_inherit(cf, prev, conf);

    if (ngx_http_webrtc_conf_merge_buffer(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_webrtc_conf_merge(ngx_http_webrtc_commands,
                               NGX_HTTP_LOC_CONF_OFFSET, prev, conf);

    ngx_conf_merge_ptr_value(conf->pull, prev->pull, NULL);

    if (conf->codecs == NULL) {
        conf->codecs = prev->codecs;
    }

    ngx_conf_merge_off_value(conf->policy.pacing_rate,
                             prev->policy.pacing_rate,
                             NGX_HTTP_WEBRTC_PACING_RATE);
    ngx_conf_merge_size_value(conf->policy.pacing_burst,
                              prev->policy.pacing_burst,
                              NGX_HTTP_WEBRTC_PACING_BURST);
    ngx_conf_merge_uint_value(conf->playout, prev->playout, 0);
    ngx_conf_merge_value(conf->counter_offer, prev->counter_offer, 0);
    ngx_conf_merge_ptr_value(conf->ice_servers, prev->ice_servers, NULL);
    ngx_conf_merge_ptr_value(conf->ice_rules, prev->ice_rules, NULL);
    ngx_conf_merge_uint_value(conf->ice_min_port, prev->ice_min_port, 0);
    ngx_conf_merge_uint_value(conf->ice_max_port, prev->ice_max_port, 0);
    ngx_conf_merge_str_value(conf->cors_origin, prev->cors_origin, "");
    ngx_conf_merge_ptr_value(conf->on_play, prev->on_play, NULL);
    ngx_conf_merge_ptr_value(conf->on_publish, prev->on_publish, NULL);
    ngx_conf_merge_ptr_value(conf->on_play_done, prev->on_play_done, NULL);
    ngx_conf_merge_ptr_value(conf->on_publish_done, prev->on_publish_done,
                             NULL);
    ngx_conf_merge_ptr_value(conf->on_stream_up, prev->on_stream_up, NULL);
    ngx_conf_merge_ptr_value(conf->on_stream_down, prev->on_stream_down, NULL);
    ngx_conf_merge_ptr_value(conf->on_record_done, prev->on_record_done, NULL);
    ngx_conf_merge_ptr_value(conf->drain_to, prev->drain_to, NULL);

    ngx_http_webrtc_max_bitrate_merge(prev, conf);
    ngx_http_webrtc_player_merge(prev, conf);
    ngx_http_webrtc_exec_merge(cf, prev, conf);
    ngx_http_webrtc_full_merge(prev, conf);
    ngx_http_webrtc_url_merge(prev, conf);
    ngx_http_webrtc_jwt_merge(prev, conf);
    ngx_http_webrtc_push_merge(prev, conf);

    if (ngx_http_webrtc_transcode_merge(cf, prev, conf) != NGX_OK
        || ngx_http_webrtc_file_merge(cf, prev, conf) != NGX_OK
        || ngx_http_webrtc_ice_resolve(cf, prev, conf) != NGX_CONF_OK
        || ngx_http_webrtc_check_merged(cf, conf) != NGX_OK
        || ngx_http_webrtc_pull_merge(cf, conf) != NGX_OK
        || ngx_http_webrtc_record_merge(cf, prev, conf) != NGX_OK
        || ngx_http_webrtc_own_conf(cf, prev, conf) != NGX_OK
        || ngx_http_webrtc_ended_merge(cf, prev, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_webrtc_init(ngx_conf_t *cf)
{
    ngx_http_webrtc_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    ngx_http_webrtc_check(cf, wmcf);

    if (!wmcf->used) {
        return NGX_OK;
    }

    if (ngx_http_webrtc_conf_open(cf, wmcf) != NGX_OK
        || ngx_http_webrtc_conf_certificate(cf, wmcf) != NGX_OK
        || ngx_http_webrtc_file_init(cf) != NGX_OK
        || ngx_http_webrtc_log_init(cf) != NGX_OK
        || ngx_http_webrtc_ingest_init(cf) != NGX_OK
        || ngx_http_webrtc_jwt_init(cf) != NGX_OK
        || ngx_http_webrtc_hook_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_webrtc_cors_init(cf);
}


static ngx_int_t
ngx_http_webrtc_init_process(ngx_cycle_t *cycle)
{
    ngx_core_conf_t              *ccf;
    ngx_webrtc_files_conf_t       files;
    ngx_webrtc_worker_conf_t      conf;
    ngx_http_webrtc_main_conf_t  *wmcf;

    ngx_webrtc_viewer_conf_t      viewer = { ngx_http_webrtc_layer_family };

    ngx_webrtc_role_conf_t        roles[] = {
        { &ngx_webrtc_viewer_role, &viewer },
        { &ngx_webrtc_publisher_role, NULL },
        { &ngx_webrtc_files_role, &files },
        { &ngx_webrtc_viewer_push_role, NULL },
        { NULL, NULL }
    };

    /* without a master process, this is called again on reload */

    if (ngx_http_webrtc_worker) {
        ngx_http_webrtc_whep_done();
        ngx_http_webrtc_snapshot_exit();
        ngx_http_webrtc_muxed_exit();
        ngx_http_webrtc_hls_exit();
        ngx_http_webrtc_sse_done();
    }

    ngx_http_webrtc_exit_process(cycle);

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_webrtc_module);

    if (wmcf == NULL || !wmcf->used) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    files.memory = wmcf->file_memory;
    files.pools = wmcf->pools.elts;
    files.npools = wmcf->pools.nelts;

    ngx_memzero(&conf, sizeof(ngx_webrtc_worker_conf_t));

    conf.bus = wmcf->bus;
    conf.dtls = wmcf->dtls;
    conf.gso = wmcf->gso;
    conf.crypto = wmcf->crypto;
    conf.roles = roles;
    conf.shutdown = ccf->shutdown_timeout;
    conf.on_stream = ngx_http_webrtc_on_stream;
    conf.on_keyframe = ngx_http_webrtc_on_keyframe;
    conf.busy = ngx_http_webrtc_busy;
    conf.on_unheard = ngx_http_webrtc_on_unheard;
    conf.on_tell = ngx_http_webrtc_on_tell;
    conf.on_end = ngx_http_webrtc_on_end;
    conf.on_notify = ngx_http_webrtc_on_notify;
    conf.on_up = ngx_http_webrtc_on_up;
    conf.on_down = ngx_http_webrtc_on_down;
    conf.on_ice = ngx_http_webrtc_on_ice;
    conf.on_candidates = ngx_http_webrtc_on_candidates;
    conf.ctx = wmcf;

    ngx_http_webrtc_worker = ngx_webrtc_worker_init(cycle, &conf);

    if (ngx_http_webrtc_worker == NULL) {

        /* failing here would stop nginx altogether */

        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "webrtc is off in this worker");

        return NGX_OK;
    }

    ngx_webrtc_media_init(&wmcf->media_path, wmcf->media_memory,
                          wmcf->media_prestart
                          && ngx_http_webrtc_media_needed(wmcf),
                          cycle->log);

    ngx_http_webrtc_record_init(wmcf);
    ngx_http_webrtc_hls_init(wmcf);
    ngx_http_webrtc_record_on_done(ngx_http_webrtc_ended_record);

    if (wmcf->rtmp && ngx_process == NGX_PROCESS_WORKER) {
        ngx_http_webrtc_open_doors(cycle, wmcf->bus);
    }

    return NGX_OK;
}


/* publishes the addresses of this worker's nginx-rtmp for other workers */

static void
ngx_http_webrtc_open_doors(ngx_cycle_t *cycle, ngx_webrtc_bus_t *bus)
{
    ngx_uint_t  i, n;

    n = ngx_webrtc_doors_open(cycle, NGX_WEBRTC_DOORS);

    for (i = 0; i < n; i++) {
        ngx_webrtc_bus_set_door(bus, i, ngx_webrtc_door_key(i),
                                ngx_webrtc_door_port(i));
    }
}


static void
ngx_http_webrtc_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_webrtc_worker) {
        ngx_webrtc_records_exit();
        ngx_webrtc_pushes_exit();
        ngx_http_webrtc_push_whip_exit();
        ngx_webrtc_snapshots_exit();
        ngx_webrtc_muxeds_exit();
        ngx_webrtc_hlss_exit();
        ngx_webrtc_variants_exit();
        ngx_webrtc_exec_outs_exit();
        ngx_http_webrtc_ingest_exit();
        ngx_http_webrtc_pull_done();
        ngx_webrtc_worker_done(ngx_http_webrtc_worker);
        ngx_http_webrtc_call_exit();
        ngx_http_webrtc_worker = NULL;
    }
}


static void
ngx_http_webrtc_on_stream(void *ctx, ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_whep_wake(st);

    if (st) {
        ngx_webrtc_variants_news(st);
        ngx_webrtc_exec_outs_news(st);
        ngx_webrtc_records_news(st);
        ngx_webrtc_pushes_news(st);
        ngx_webrtc_snapshots_news(st);
        ngx_webrtc_muxeds_news(st);
        ngx_webrtc_hlss_news(st);
        return;
    }

    ngx_http_webrtc_whip_tick();
    ngx_http_webrtc_ingest_tick();
    ngx_http_webrtc_srt_tick(ctx);
    ngx_http_webrtc_pull_tick(ctx);
    ngx_http_webrtc_exec_tick(ctx);
    ngx_http_webrtc_record_tick(ctx);
    ngx_http_webrtc_push_tick(ctx);
    ngx_http_webrtc_snapshot_tick();
    ngx_webrtc_snapshots_tick();
    ngx_http_webrtc_muxed_tick();
    ngx_webrtc_muxeds_tick();
    ngx_http_webrtc_hls_tick(ctx);

    ngx_webrtc_variants_tick(ngx_http_webrtc_worker->bus,
                             ngx_http_webrtc_worker->log);
}


static void
ngx_http_webrtc_on_keyframe(void *ctx, ngx_webrtc_stream_t *st)
{
    if (st->parent) {
        ngx_webrtc_variants_keyframe(st);
        return;
    }

    ngx_http_webrtc_pull_keyframe(st);
}


static ngx_uint_t
ngx_http_webrtc_busy(void *ctx)
{
    return ngx_http_webrtc_whip_pending_any()
           || ngx_http_webrtc_ingest_any()
           || ngx_http_webrtc_pull_wanted()
           || ngx_webrtc_variants_busy()
           || ngx_webrtc_records_busy()
           || ngx_webrtc_pushes_busy()
           || ngx_http_webrtc_push_whip_busy()
           || ngx_webrtc_snapshots_any()
           || ngx_webrtc_muxeds_any()
           || ngx_webrtc_hlss_busy();
}


static void
ngx_http_webrtc_on_unheard(void *ctx, ngx_webrtc_peer_t *peer, ngx_uint_t row)
{
    ngx_http_webrtc_candidates_unheard(ctx, peer, row,
                                       ngx_http_webrtc_worker->log);
}


static void
ngx_http_webrtc_on_tell(void *ctx, uint64_t ref, ngx_uint_t why)
{
    ngx_http_webrtc_ingest_tell(ref, why);
}


static void
ngx_http_webrtc_on_end(void *ctx, ngx_webrtc_peer_t *peer,
    ngx_webrtc_peer_about_t *about, const char *reason)
{
    ngx_http_webrtc_push_whip_ended(peer, reason);
    ngx_http_webrtc_ended_session(ctx, peer, about, reason, ngx_cycle->log);
}


static void
ngx_http_webrtc_on_notify(void *ctx, ngx_webrtc_peer_t *peer)
{
    ngx_http_webrtc_ended_notify(ctx, peer, ngx_cycle->log);
}


static void
ngx_http_webrtc_on_up(void *ctx, ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_ended_stream(ctx, st, 1, ngx_cycle->log);
}


static void
ngx_http_webrtc_on_down(void *ctx, ngx_webrtc_stream_t *st)
{
    ngx_http_webrtc_ended_stream(ctx, st, 0, ngx_cycle->log);
}


static void
ngx_http_webrtc_on_ice(void *ctx, uint64_t ref, ngx_uint_t gathered)
{
    ngx_http_webrtc_signal_gathered(ref, gathered);
    ngx_http_webrtc_ice_wake(ref, gathered);

    if (gathered) {
        ngx_http_webrtc_push_whip_gathered(ref);
    }
}


static void
ngx_http_webrtc_on_candidates(void *ctx, uint64_t ref, u_char *p, size_t n)
{
    ngx_http_webrtc_ice_told(ref, p, n);
}
