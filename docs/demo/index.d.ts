/*
 * Copyright (C) the ngx_http_webrtc_module authors
 */

type Later<T> = T | (() => T | Promise<T>);

export interface ClientOptions {
    /** of every HTTP request; a function is asked for each one */
    headers?: Later<Record<string, string>>;
    /** sent as "Authorization: Bearer" */
    token?: Later<string>;
    /** instead of those of the server's Link headers */
    iceServers?: RTCIceServer[];
    iceTransportPolicy?: RTCIceTransportPolicy;
}

export class Reason extends Error {
    constructor(code: string, title: string, detail?: string, again?: boolean);
    code: string;
    title: string;
    detail: string;
    again: boolean;
    /** the detail as a sentence, for people */
    readonly text: string;
}

/** has a path gone silent?  One look at a time; "seen" of its statistics */
export class Silence {
    look(now: number, seen: { bytes: number, asked: number, report: number,
                              rtt?: number } | null): boolean;
}

export type RestartCause = 'silence' | 'disconnected' | 'online' | 'network';

/** RFC 9725, 4.3.3: another path for a session, by a PATCH; one at a time */
export class Restarts {
    constructor(pc: RTCPeerConnection, how: {
        session(): string | null;
        options: ClientOptions;
        edit?(sdp: string): string;
        trickle?(sdp: string, etag: string | null): void;
        gone(): void;
        asked?(): number;
        begins?(cause: RestartCause): void;
    });
    want(cause: RestartCause): void;
    close(): void;
}

export class Session extends EventTarget {
    constructor(url: string, options?: ClientOptions);
    readonly url: string;
    readonly state: string;
    readonly reason: Reason | null;
    readonly message: string;
    readonly retryIn: number;
    stop(): void;
}

export interface TrackStats {
    codec: string;
    fmtp: string;
    rate?: number;
    channels?: number;
    jitterMs: number;
    nacks?: number;
    plis?: number;
}

export interface PlayerStats {
    time: number;
    bytes: number;
    packets: number;
    lost: number;
    frames: number;
    firstFrameMs: number | null;
    bitrate?: number;
    fps?: number;
    lossPercent?: number;
    rttMs?: number;
    remote?: string;
    relay?: string;
    width?: number;
    height?: number;
    dropped?: number;
    freezes?: number;
    decoder?: string;
    bufferMs?: number | null;
    srtp?: string;
    dtls?: string;
    video?: TrackStats;
    audio?: TrackStats;
}

export interface Layer {
    name: string;
    spatial: number;
    temporal: number;
    parts: number[];
    bitrate?: number;
    width?: number;
    height?: number;
}

/** events: "state", "stats" (detail: PlayerStats), "muted", "restart" (detail:
    RestartCause), "layers" */
export class WhepPlayer extends Session {
    constructor(url: string, video: HTMLVideoElement, options?: ClientOptions);
    readonly state: 'idle' | 'connecting' | 'playing' | 'stalled' | 'retry'
                    | 'failed';
    readonly firstFrameMs: number | null;
    readonly layers: Layer[];
    readonly layer: string | null;
    readonly spatial: number;
    readonly temporal: number | null;
    readonly automatic: boolean;
    readonly limited: '' | 'thin' | 'key frames' | 'audio';
    start(): void;
    choose(name: string | null, spatial?: number | null,
           temporal?: number | null): Promise<boolean>;
}

export interface PublishedLayer {
    /** '' of a publisher of one layer */
    rid: string;
    /** it has had frames in the last second */
    sent: boolean;
    width?: number;
    height?: number;
    bitrate?: number;
}

export interface PublisherStats {
    /** the largest first */
    layers: PublishedLayer[];
    bitrate?: number;
    available?: number;
    rtt?: number;
    loss?: number;
    width?: number;
    height?: number;
    fps?: number;
    keys: number;
    again: number;
}

/** events: "state", "stats" (detail: PublisherStats), "restart" (detail:
    RestartCause) */
export class WhipPublisher extends Session {
    readonly state: 'idle' | 'connecting' | 'live' | 'stalled' | 'retry'
                    | 'failed';
    start(stream: MediaStream, how?: { codec?: string, bitrate?: number,
                                       layers?: RTCRtpEncodingParameters[] }):
        void;
    limit(bitrate: number): void;
    replace(stream: MediaStream): Promise<void>;
}

export class RangeStatus extends Error {
    constructor(status: number);
    status: number;
}

export interface RangeOptions extends ClientOptions {
    signalling?: 'post' | 'sse';
    /** false: a connection that is lost ends the client */
    reconnect?: boolean;
    /** names of codecs, see playable(): files with others are remuxed */
    accept?: string | string[];
    /** the largest picture, as "720p" */
    max?: string;
}

export interface MovieTrack {
    index: number;
    kind: 'video' | 'audio' | 'subtitles';
    codec: string;
    language?: string;
    title?: string;
    width?: number;
    height?: number;
    channels?: number;
    selected?: boolean;
    default?: boolean;
}

export interface MovieInfo {
    duration_ms: number;
    mime: string;
    mode: 'remux' | 'transcode' | 'failed';
    reason: string;
    tracks: MovieTrack[];
    subtitles: MovieTrack[];
    qualities: { name: string, height: number, bitrate?: number,
                 original?: boolean, selected?: boolean }[];
}

/** what this browser can play */
export function playable(): string[];

/** plays a RangeClient that is streaming in a <video>; events: "info", "end",
    "error" (detail: Error) */
export class MoviePlayer extends EventTarget {
    constructor(video: HTMLVideoElement, file: RangeClient);
    readonly info: MovieInfo | null;
    readonly starved: number;
    start(): void;
    quality(index: number): void;
    track(index: number): void;
    stop(): void;
}

/** events: "open" (after an outage, too), "state", "close", "size" (size or growing
    has changed), "restart" (detail: RestartCause) */
export class RangeClient extends EventTarget {
    constructor(url: string, options?: RangeOptions);
    readonly url: string;
    readonly state: 'idle' | 'connecting' | 'open' | 'reconnecting' | 'closed';
    /** why it is not open */
    readonly reason: Error | null;
    readonly size: number;
    /** it is still written to: size is what there is now */
    readonly growing: boolean;
    readonly name: string;
    readonly received: number;
    readonly active: number;
    readonly waiting: number;
    readonly closed: boolean;
    readonly error?: Error;
    readonly pc?: RTCPeerConnection;
    readonly session?: string | null;
    /** it is remuxed: there are events "info", "init", "media", "cue" and "end"
        instead of ranges */
    readonly streaming: boolean;
    readonly info: MovieInfo | null;
    seek(seconds: number): void;
    quality(index: number): void;
    track(index: number): void;
    pause(): void;
    open(): Promise<{ name: string, size: number, growing: boolean }>;
    read(offset: number, length: number,
         options?: { signal?: AbortSignal }): Promise<Uint8Array>;
    stream(offset?: number, length?: number,
           options?: { signal?: AbortSignal }): AsyncIterableIterator<Uint8Array>;
    close(): void;
}

export function iceServers(link: string | null): RTCIceServer[];
/** the target of the Link header with that relation */
export function linked(link: string | null, rel: string): string | undefined;
export function useServers(pc: RTCPeerConnection, response: Response,
                           options: ClientOptions): void;
export function headersOf(options: ClientOptions,
                          more?: Record<string, string>):
    Promise<Record<string, string>>;
export function refusal(response: Response, body: string): Reason;
export function unreachable(url: string): Promise<Reason>;
export function noAnswer(pc: RTCPeerConnection): Reason;
