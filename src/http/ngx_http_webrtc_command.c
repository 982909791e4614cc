
/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * The words of a command in the configuration.  There is no shell: each
 * argument of the directive is one word of the command, whatever a variable in
 * it has.  The program itself has none, so that nobody but the operator names
 * what is run.
 */


#include "ngx_http_webrtc_command.h"
#include "ngx_webrtc_legs.h"
#include "ngx_webrtc_track.h"


static ngx_int_t ngx_http_webrtc_command_option(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_str_t *word);
static ngx_int_t ngx_http_webrtc_command_program(ngx_conf_t *cf,
    ngx_str_t *word, ngx_str_t *path);
static ngx_uint_t ngx_http_webrtc_command_runs(ngx_str_t *path);
static ngx_int_t ngx_http_webrtc_command_words(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_uint_t first);
static ngx_int_t ngx_http_webrtc_command_ports(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_uint_t bits);


ngx_int_t
ngx_http_webrtc_command_conf(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command)
{
    u_char             *p;
    size_t              n;
    ngx_int_t           rc;
    ngx_str_t          *value, path;
    ngx_uint_t          i, first;
    ngx_webrtc_legs_t   legs;

    value = cf->args->elts;

    ngx_webrtc_legs_init(&legs);

    for (first = 1; first < cf->args->nelts; first++) {

        rc = ngx_http_webrtc_command_option(cf, command, &legs, &value[first]);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            break;
        }
    }

    if (first == cf->args->nelts) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has no program, expected one and its words, "
                           "such as \"ffmpeg -i rtsp://host/a ...\"",
                           &value[0]);
        return NGX_ERROR;
    }

    ngx_webrtc_legs_default(&legs);

    if (ngx_http_webrtc_command_words(cf, command, &legs, first) != NGX_OK
        || ngx_http_webrtc_command_program(cf, &value[first], &path) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = path.len + 1;

    for (i = 1; i < cf->args->nelts; i++) {
        n += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, n + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    command->text.data = p;

    for (i = 1; i < first; i++) {

        if (ngx_strncmp(value[i].data, "video=", 6) == 0
            || ngx_strncmp(value[i].data, "audio=", 6) == 0)
        {
            p = ngx_cpymem(p, value[i].data, value[i].len);
            *p++ = ' ';
        }
    }

    *p++ = '\0';

    p = ngx_cpymem(p, path.data, path.len);
    *p++ = '\0';

    for (i = first + 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = '\0';
    }

    command->text.len = p - command->text.data;

    return NGX_OK;
}


/* NGX_DECLINED: the program begins here */

static ngx_int_t
ngx_http_webrtc_command_option(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_str_t *word)
{
    ngx_int_t    rc;
    ngx_str_t   *value;
    const char  *cause;

    value = cf->args->elts;

    if (command->always && ngx_strncmp(word->data, "start=", 6) == 0) {

        if (ngx_strcmp(word->data + 6, "always") == 0) {
            command->always = 2;
            return NGX_OK;
        }

        if (ngx_strcmp(word->data + 6, "demand") == 0) {
            command->always = 1;
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in %V, expected "
                           "\"start=demand\" or \"start=always\"", word,
                           &value[0]);
        return NGX_ERROR;
    }

    if (command->always && ngx_strcmp(word->data, "always") == 0) {
        command->always = 2;
        return NGX_OK;
    }

    if (!command->legs) {
        return NGX_DECLINED;
    }

    rc = ngx_webrtc_legs_codec(legs, word, &cause);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in %V, expected %s", word,
                           &value[0], cause);
    }

    return rc;
}


/* the path of the program, as it is when nginx reads its configuration */

static ngx_int_t
ngx_http_webrtc_command_program(ngx_conf_t *cf, ngx_str_t *word,
    ngx_str_t *path)
{
    u_char      *p;
    ngx_str_t   *value, *dir;

    static ngx_str_t  dirs[] = {
        ngx_string("/usr/local/bin/"),
        ngx_string("/usr/bin/"),
        ngx_string("/bin/"),
        ngx_null_string
    };

    value = cf->args->elts;

    if (ngx_strlchr(word->data, word->data + word->len, '/')) {
        *path = *word;

        if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_webrtc_command_runs(path)) {
            return NGX_OK;
        }

    } else {

        for (dir = dirs; dir->len; dir++) {

            path->len = dir->len + word->len;
            path->data = ngx_pnalloc(cf->pool, path->len + 1);

            if (path->data == NULL) {
                return NGX_ERROR;
            }

            p = ngx_cpymem(path->data, dir->data, dir->len);
            p = ngx_cpymem(p, word->data, word->len);
            *p = '\0';

            if (ngx_http_webrtc_command_runs(path)) {
                return NGX_OK;
            }
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid program \"%V\" in %V, expected one that can be "
                       "run, with its path unless it is in /usr/local/bin, "
                       "/usr/bin or /bin", word, &value[0]);

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_webrtc_command_runs(ngx_str_t *path)
{
    ngx_file_info_t  fi;

    return ngx_file_info(path->data, &fi) != NGX_FILE_ERROR
           && ngx_is_file(&fi)
           && access((char *) path->data, X_OK) == 0;
}


static ngx_int_t
ngx_http_webrtc_command_words(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_uint_t first)
{
    ngx_str_t   *value, bad;
    ngx_uint_t   i, bits, all;

    value = cf->args->elts;
    all = 0;

    for (i = first; i < cf->args->nelts; i++) {
        bits = 0;

        if (ngx_webrtc_command_word(&value[i], &bits, &bad) != NGX_OK
            || (bits & ~command->variables))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid variable in \"%V\" of %V, expected "
                               "$webrtc_name%s or a port, $webrtc_video_port "
                               "or $webrtc_audio_port", &value[i], &value[0],
                               (command->variables & NGX_WEBRTC_COMMAND_SDP)
                               ? ", $webrtc_sdp" : "");
            return NGX_ERROR;
        }

        if (i == first && bits) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "variable in the program \"%V\" of %V, expected "
                               "its path", &value[i], &value[0]);
            return NGX_ERROR;
        }

        all |= bits;
    }

    if (cf->args->nelts - first > NGX_WEBRTC_COMMAND_WORDS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many words in %V, expected at most %d",
                           &value[0], NGX_WEBRTC_COMMAND_WORDS);
        return NGX_ERROR;
    }

    return ngx_http_webrtc_command_ports(cf, command, legs, all);
}


/* a command that is not told where can only fail */

static ngx_int_t
ngx_http_webrtc_command_ports(ngx_conf_t *cf,
    ngx_http_webrtc_command_conf_t *command, ngx_webrtc_legs_t *legs,
    ngx_uint_t bits)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const struct {
        ngx_uint_t   bit;
        const char  *port;
        const char  *leg;
    } rows[] = {
        { NGX_WEBRTC_COMMAND_VIDEO, "$webrtc_video_port", "video=" },
        { NGX_WEBRTC_COMMAND_AUDIO, "$webrtc_audio_port", "audio=" }
    };

    value = cf->args->elts;

    if ((bits & (command->variables & ~NGX_WEBRTC_COMMAND_NAME)) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the words of %V have %s, expected them in what the "
                           "command %s", &value[0],
                           (command->variables & NGX_WEBRTC_COMMAND_SDP)
                           ? "neither $webrtc_sdp nor a port"
                           : "neither $webrtc_video_port nor "
                             "$webrtc_audio_port",
                           (command->variables & NGX_WEBRTC_COMMAND_SDP)
                           ? "reads" : "sends to");
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_WEBRTC_LEGS && command->legs; i++) {

        if ((bits & rows[i].bit)
            && legs->legs[i].codec == NGX_WEBRTC_CODEC_NONE)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%V has %s but no such leg, expected \"%s\" "
                               "with a codec before the program", &value[0],
                               rows[i].port, rows[i].leg);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
