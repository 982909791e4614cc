
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * "webrtc_exec_publish".  A publisher's slot names the directive of its
 * location by a number made of its words, as the session may begin in another
 * worker, and outlive the configuration: what is not in this one is not run.
 */


#include "ngx_http_webrtc_exec.h"
#include "ngx_http_webrtc_command.h"
#include "ngx_webrtc_exec_out.h"


static ngx_http_webrtc_exec_t *ngx_http_webrtc_exec_find(
    ngx_http_webrtc_main_conf_t *wmcf, uint32_t id);


char *
ngx_http_webrtc_exec_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_webrtc_loc_conf_t *wlcf = conf;

    ngx_http_webrtc_exec_t          *exec, **written;
    ngx_http_webrtc_main_conf_t     *wmcf;
    ngx_http_webrtc_command_conf_t   command;

    if (wlcf->exec_publish != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    ngx_memzero(&command, sizeof(ngx_http_webrtc_command_conf_t));

    command.variables = NGX_WEBRTC_COMMAND_NAME|NGX_WEBRTC_COMMAND_SDP
                        |NGX_WEBRTC_COMMAND_VIDEO|NGX_WEBRTC_COMMAND_AUDIO;

    if (ngx_http_webrtc_command_conf(cf, &command) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    exec = ngx_pcalloc(cf->pool, sizeof(ngx_http_webrtc_exec_t));
    if (exec == NULL) {
        return NGX_CONF_ERROR;
    }

    /* the first byte ends the words of legs, of which there are none */

    exec->text.data = command.text.data + 1;
    exec->text.len = command.text.len - 1;

    exec->id = ngx_crc32_long(exec->text.data, exec->text.len);
    exec->id += (exec->id == 0);

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_webrtc_module);

    written = ngx_array_push(&wmcf->execs);
    if (written == NULL) {
        return NGX_CONF_ERROR;
    }

    *written = exec;
    wlcf->exec_publish = exec;

    return NGX_CONF_OK;
}


void
ngx_http_webrtc_exec_merge(ngx_conf_t *cf, ngx_http_webrtc_loc_conf_t *prev,
    ngx_http_webrtc_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_ptr_value(conf->exec_publish, prev->exec_publish, NULL);

    if (conf->exec_publish == NULL || conf->publish == NULL) {
        return;
    }

    conf->policy.exec = conf->exec_publish->id;

    /* a directory that only workers read and write */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    conf->exec_publish->dir = clcf->client_body_temp_path->name;
}


void
ngx_http_webrtc_exec_tick(ngx_http_webrtc_main_conf_t *wmcf)
{
    uint64_t                   holder;
    ngx_uint_t                 cursor;
    ngx_webrtc_bus_t          *bus;
    ngx_webrtc_peer_t         *peer;
    ngx_webrtc_stream_t       *st;
    ngx_http_webrtc_exec_t    *exec;
    ngx_webrtc_stream_info_t   info;

    if (wmcf->execs.nelts == 0 && !ngx_webrtc_exec_outs_any()) {
        return;
    }

    bus = ngx_http_webrtc_worker->bus;
    cursor = 0;

    while (ngx_webrtc_bus_next(bus, &cursor, &info) == NGX_OK) {

        if (info.claim_kind != NGX_WEBRTC_CLAIM_PUBLISH
            || info.parent
            || info.claim_worker != bus->worker)
        {
            continue;
        }

        st = ngx_webrtc_bus_stream_ref(bus, info.ref);
        if (st == NULL) {
            continue;
        }

        holder = ngx_webrtc_atomic_load(&st->holder);
        peer = holder ? ngx_webrtc_peers_mine(bus, holder) : NULL;

        exec = (peer && peer->policy.exec)
               ? ngx_http_webrtc_exec_find(wmcf, peer->policy.exec) : NULL;

        if (exec) {
            ngx_webrtc_exec_outs_want(bus, st, &exec->text, &exec->dir,
                                      ngx_http_webrtc_worker->log);
        }

        ngx_webrtc_bus_release(bus, st);
    }

    ngx_webrtc_exec_outs_tick();
}


static ngx_http_webrtc_exec_t *
ngx_http_webrtc_exec_find(ngx_http_webrtc_main_conf_t *wmcf, uint32_t id)
{
    ngx_uint_t                i;
    ngx_http_webrtc_exec_t  **exec;

    exec = wmcf->execs.elts;

    for (i = 0; i < wmcf->execs.nelts; i++) {

        /* dir is set where a location publishes */

        if (exec[i]->id == id && exec[i]->dir.len) {
            return exec[i];
        }
    }

    return NULL;
}
