#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A resolver that does not answer while nginx ends: t/lib/resolveshim.c.  The
# media process's thread that asks cannot be ended, and nobody waits for it.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(workers => 1);

$t->{env} = { LD_PRELOAD => $t->resolveshim };

$t->start(http => 'webrtc_wait 1s;', main => 'env LD_PRELOAD;',
          server => <<'EOF');
location = /whep/only {
    webrtc_play  only;
    webrtc_pull  tcp://name.invalid:1 format=flv;
}
EOF

isnt($t->post_offer('/whep/only', offer())->{status}, 201,
     'a stream does not play, as its host has no address so far');
ok(wait_for(30, sub { $t->log =~ /resolveshim: asked/ }), 'it is asked for');

$t->stop('QUIT');

like($t->log, qr/\[notice\].* worker process \d+ exited with code 0/,
     'the worker ends in peace');
unlike($t->log, qr/exited on signal/, 'and not by a signal');

$t->done;
