/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * All clients, for the npm package.
 */

export * from './whep.js';
export * from './whip.js';
export * from './range-client.js';
export * from './movie-client.js';
