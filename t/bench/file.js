/*
 * Copyright (C) the ngx_http_webrtc_module authors
 *
 * Throughput of one file session on loopback: nginx with webrtc_file against
 * libdatachannel (node-datachannel) serving the same file with the same frames,
 * in one run, to the same client: t/bench/filebench.c, which checks each byte.
 *
 *     node t/bench/file.js <nginx URL of the file> <path of the file> [runs]
 *
 * NGINX_PID: the worker, for its CPU time; BENCH_PREFIX goes before the client's
 * command, with BENCH_FIFO both servers should have the same ("chrt -f 5"; that
 * of nginx is up to the caller).
 */

'use strict';

const { fork, spawn, spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const build = process.env.WEBRTC_BUILD
              || path.join(__dirname, '..', '..', 'build');


/* a server on libdatachannel: 16 KiB frames, paused at 8 MiB, resumed at 1 */

function serve(file, port) {
    const ndc = require(path.join(build, 'node_modules', 'node-datachannel'));
    const data = fs.readFileSync(file);
    const keep = [];

    http.createServer((req, res) => {
        const parts = [];

        req.on('data', (d) => parts.push(d));
        req.on('end', () => {
            const pc = new ndc.PeerConnection('server', {
                iceServers: [], bindAddress: '127.0.0.1' });

            keep.push(pc);

            pc.onDataChannel((dc) => {
                keep.push(dc);

                let at = -1;
                const frame = Buffer.alloc(12 + 16384);

                const pump = () => {
                    while (at >= 0 && dc.bufferedAmount() < 8388608) {
                        const n = Math.min(16384, data.length - at);

                        frame[0] = 2;
                        frame[1] = at + n == data.length ? 1 : 0;
                        frame.writeUInt32BE(1, 4);
                        frame.writeUInt32BE(n, 8);
                        data.copy(frame, 12, at, at + n);
                        dc.sendMessageBinary(frame.subarray(0, 12 + n));

                        at += n;

                        if (at == data.length) {
                            at = -1;
                            const end = Buffer.alloc(16);
                            end[0] = 3;
                            end.writeUInt32BE(1, 4);
                            end.writeUInt32BE(4, 8);
                            dc.sendMessageBinary(end);
                        }
                    }
                };

                dc.setBufferedAmountLowThreshold(1048576);
                dc.onBufferedAmountLow(pump);
                dc.onMessage((m) => {
                    if (m[0] == 1) {
                        at = 0;
                        pump();
                    }
                });

                const hello = Buffer.alloc(24);
                hello.writeUInt32BE(12, 8);
                hello.writeBigUInt64BE(BigInt(data.length), 12);
                dc.sendMessageBinary(hello);
            });

            let answered = false;

            pc.onGatheringStateChange((s) => {
                if (s == 'complete' && !answered) {
                    answered = true;

                    /* its description may be behind its state */

                    setTimeout(() => {
                        res.writeHead(201, { Location: '/s' });
                        res.end(pc.localDescription().sdp);
                    }, 200);
                }
            });

            pc.setRemoteDescription(Buffer.concat(parts).toString(), 'offer');
        });
    }).listen(port, '127.0.0.1', () => process.send({ up: true }));
}


/* one transfer: build/bench/filebench, the same for both */

function transfer(url, file, pids) {
    return new Promise((resolve) => {
        const prefix = (process.env.BENCH_PREFIX || '').split(' ')
                       .filter(Boolean);
        const argv = [...prefix, path.join(build, 'bench', 'filebench'),
            '-url', url, '-file', file, '-quiet', '-pid', pids.join(',')];
        const c = spawn(argv[0], argv.slice(1),
                        { stdio: ['ignore', 'pipe', 'inherit'] });
        let out = '';

        c.stdout.on('data', (d) => out += d);
        c.on('close', () => {
            try {
                resolve(JSON.parse(out));
            } catch (e) {
                resolve({ error: 'no result' });
            }
        });
    });
}


const median = (l) => [...l].sort((a, b) => a - b)[l.length >> 1];


async function main() {
    const [url, file, runs] = process.argv.slice(2);
    const pids = (process.env.NGINX_PID || '').split(',').filter(Boolean);
    const port = 20000 + process.pid % 10000;
    const child = fork(__filename, ['serve', file, String(port)]);

    await new Promise((resolve) => child.once('message', resolve));

    if (process.env.BENCH_FIFO) {
        spawnSync('chrt', ['-a', '-f', '-p', '5', String(child.pid)]);
    }

    const all = { nginx: [], ndc: [] };

    for (let i = 0; i < (runs || 3); i++) {
        for (const [name, u, who] of [
            ['nginx', url, pids],
            ['ndc', `http://127.0.0.1:${port}/`, [child.pid]]])
        {
            let r;

            for (let n = 0; n < 5; n++) {
                r = await transfer(u, file, who);

                if (!r.error && !r.bad && r.status === 0) {
                    break;
                }
            }

            if (r.error || r.bad) {
                throw new Error(`${name}: ${JSON.stringify(r)}`);
            }

            all[name].push(r);
            console.log(`${name}: ${r.MB_per_s} MB/s, ms of CPU per MB: `
                        + `server ${r.server_ms_per_MB}, client `
                        + `${r.client_ms_per_MB}`);
        }
    }

    const of = (name, what) => median(all[name].map((r) => r[what]));
    const [a, b] = [of('nginx', 'MB_per_s'), of('ndc', 'MB_per_s')];
    const [c, d] = [of('nginx', 'server_ms_per_MB'),
                    of('ndc', 'server_ms_per_MB')];

    console.log(`median: nginx ${a} MB/s, ${c} ms/MB; node-datachannel ${b} `
        + `MB/s, ${d} ms/MB; ${(a / b).toFixed(2)} times as fast, `
        + `${(d / c).toFixed(2)} times as much for a ms of CPU`);

    child.kill();
    process.exit(0);
}


if (process.argv[2] == 'serve') {
    serve(process.argv[3], Number(process.argv[4]));
} else {
    main().catch((e) => { console.error(e); process.exit(1); });
}
