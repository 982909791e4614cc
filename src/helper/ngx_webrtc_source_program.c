
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Which of several programs is played: see ngx_webrtc_source_program.h.
 *
 * The list of programs (PAT) comes first, the table of each one (PMT) at any
 * time, so the program whose table comes first differs from start to start.
 * The decision waits for all tables, but not forever: captures keep the list
 * of the multiplex that they were taken from.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_webrtc_source_program.h"
#include "ngx_webrtc_source_audio.h"
#include "ngx_webrtc_source_codecs.h"
#include "ngx_webrtc_source_thread.h"


/*
 * us to wait for tables; chosen: DVB has them every 100 ms (ETSI TR 101 211,
 * 4.4), others every 500 ms
 */
#define NGX_WEBRTC_SOURCE_PROGRAM_WAIT  1500000

/*
 * packets, for input that is read in no time; chosen: more than a second of
 * many programs
 */
#define NGX_WEBRTC_SOURCE_PROGRAM_READ  2000


static ngx_uint_t ngx_webrtc_source_program_waits(
    ngx_webrtc_source_read_t *rd);
static AVProgram *ngx_webrtc_source_program_best(ngx_webrtc_source_read_t *rd);
static ngx_uint_t ngx_webrtc_source_program_rank(
    ngx_webrtc_source_read_t *rd, AVProgram *program);


ngx_int_t
ngx_webrtc_source_program(ngx_webrtc_source_read_t *rd)
{
    ngx_uint_t   i;
    AVProgram   *program;

    if (rd->chosen) {
        return NGX_OK;
    }

    program = ngx_webrtc_source_program_best(rd);

    if (rd->wanted != NGX_WEBRTC_SOURCE_NO_PROGRAM) {

        if (program == NULL) {
            return ngx_webrtc_source_program_waits(rd) ? NGX_AGAIN
                                                       : NGX_DECLINED;
        }

    } else if (ngx_webrtc_source_program_waits(rd)) {
        return NGX_AGAIN;
    }

    rd->chosen = 1;
    rd->program = program ? program->id : NGX_WEBRTC_SOURCE_NO_PROGRAM;

    if (program && rd->ts) {
        for (i = 0; i < rd->ic->nb_programs; i++) {
            rd->ic->programs[i]->discard = (rd->ic->programs[i] == program)
                                           ? AVDISCARD_DEFAULT
                                           : AVDISCARD_ALL;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_webrtc_source_program_has(ngx_webrtc_source_read_t *rd, int stream)
{
    ngx_uint_t   i, k;
    AVProgram   *program;

    if (rd->program == NGX_WEBRTC_SOURCE_NO_PROGRAM) {
        return 1;
    }

    for (i = 0; i < rd->ic->nb_programs; i++) {
        program = rd->ic->programs[i];

        if (program->id != rd->program) {
            continue;
        }

        for (k = 0; k < program->nb_stream_indexes; k++) {
            if (program->stream_index[k] == (unsigned int) stream) {
                return 1;
            }
        }
    }

    return 0;
}


u_char *
ngx_webrtc_source_program_print(ngx_webrtc_source_read_t *rd, u_char *p,
    u_char *last)
{
    ngx_uint_t  i;

    p = ngx_slprintf(p, last, "program %d of", rd->chosen ? rd->program
                                                          : rd->wanted);

    for (i = 0; i < rd->ic->nb_programs; i++) {
        p = ngx_slprintf(p, last, i ? ", %d" : " %d",
                         rd->ic->programs[i]->id);
    }

    return rd->ic->nb_programs ? p : ngx_slprintf(p, last, " none");
}


static ngx_uint_t
ngx_webrtc_source_program_waits(ngx_webrtc_source_read_t *rd)
{
    ngx_uint_t  i;

    if (!rd->ts || rd->all) {
        return 0;
    }

    if (rd->ic->nb_programs == 0) {
        /* without a list, streams are what libavformat finds by itself */
        return rd->ic->nb_streams == 0;
    }

    for (i = 0; i < rd->ic->nb_programs; i++) {
        if (rd->ic->programs[i]->pmt_version == -1) {
            break;
        }
    }

    if (i == rd->ic->nb_programs) {
        return 0;
    }

    return rd->nskipped == 0
           || (rd->paced
               ? rd->nskipped < NGX_WEBRTC_SOURCE_PROGRAM_READ
               : rd->came_us - rd->since_us < NGX_WEBRTC_SOURCE_PROGRAM_WAIT);
}


/* the one that is wanted, or the first one of the highest rank; or NULL */

static AVProgram *
ngx_webrtc_source_program_best(ngx_webrtc_source_read_t *rd)
{
    ngx_uint_t   i, rank, best_rank;
    AVProgram   *program, *best;

    best = NULL;
    best_rank = 0;

    for (i = 0; i < rd->ic->nb_programs; i++) {
        program = rd->ic->programs[i];

        if (rd->wanted != NGX_WEBRTC_SOURCE_NO_PROGRAM) {

            if (program->id == rd->wanted) {
                return program;
            }

            continue;
        }

        rank = ngx_webrtc_source_program_rank(rd, program);

        if (rank > best_rank) {
            best = program;
            best_rank = rank;
        }
    }

    return best;
}


static ngx_uint_t
ngx_webrtc_source_program_rank(ngx_webrtc_source_read_t *rd,
    AVProgram *program)
{
    ngx_uint_t          i, rank;
    AVCodecParameters  *par;

    rank = 0;

    for (i = 0; i < program->nb_stream_indexes; i++) {
        par = rd->ic->streams[program->stream_index[i]]->codecpar;

        if (par->codec_type == AVMEDIA_TYPE_VIDEO) {

            if (ngx_webrtc_source_codecs_video(par->codec_id,
                                               rd->foreign))
            {
                return 3;
            }

            rank = 2;

        } else if (par->codec_type == AVMEDIA_TYPE_AUDIO
                   && ngx_webrtc_source_audio_known(par->codec_id))
        {
            rank = ngx_max(rank, 1);
        }
    }

    return rank;
}
