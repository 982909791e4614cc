#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# "webrtc_ice full" with Chromium: over host candidates, with trickle, through
# an ICE restart, and through coturn only, over UDP and TCP, relayed by the
# browser's side, by ours, and by both.

use strict;
use warnings;

use Test::More;

use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 4, asan => 1);

# with relayed candidates a test's own coturn on 127.0.0.1 is all there is

my $turn = $t->turn;
my $port = $t->port('turn');

my $servers = $turn ? <<"EOF" : '';
location /udp {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    webrtc_ice   relay;
    webrtc_ice_allow loopback;
    webrtc_ice_server turn:127.0.0.1:$port username=u credential=p;
}
location /tcp {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    webrtc_ice   relay;
    webrtc_ice_allow loopback;
    webrtc_ice_server turn:127.0.0.1:$port?transport=tcp username=u
                      credential=p;
}
location /all {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    webrtc_ice   full;
    webrtc_ice_server stun:127.0.0.1:$port;
    webrtc_ice_server turn:127.0.0.1:$port username=u credential=p;
    webrtc_ice_server turn:127.0.0.1:$port?transport=tcp username=u
                      credential=p;
}
EOF

$t->start(http => 'webrtc_wait 30s;', server => <<"EOF");
location /whep {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
    webrtc_ice   full;
}
location /whip {
    webrtc_publish  mine;
    webrtc_ice      full;
}
location /files/ {
    alias        %%DIR%%/;
    webrtc_file  on;
    webrtc_ice   full;
}
location /mine {
    webrtc_play  mine;
    webrtc_ice   full;
}
$servers
EOF


sub plays {
    my ($p, $what) = @_;

    is($p->{status}, 201, "$what: POST") or return;

    my $s = $p->wait(50);

    cmp_ok($s->{framesDecoded} // 0, '>=', 50, "$what: plays");
    ok($p->connected, "$what: connected");

    return $s;
}


subtest 'host candidates' => sub {
    my $p = $t->browser->play($t->url('/whep'));
    my $s = plays($p, 'host') or return;

    unlike($p->{answer}, qr/^a=ice-lite/m, 'no a=ice-lite');
    isnt($s->{remote}, '127.0.0.1:' . $t->port('udp'), 'a port of its own');
    colour_bars_ok($p->bars, 'the picture is right');
    is($t->status->{sessions}, 1, 'one session');

    # DELETE goes to any of the workers

    is($p->stop->{status}, 200, 'DELETE');
    ok($t->no_sessions(20), 'the session is gone before webrtc_timeout');
};


subtest 'trickle, with mDNS names' => sub {
    my $p = $t->browser->play($t->url('/whep'), trickle => 1);

    plays($p, 'trickle') or return;

    my @patched;

    ok(NgxWebRTC::wait_for(60, sub { @patched = @{ $p->patched->{patched} } }),
       'candidates were sent');
    is(scalar(grep { $_ != 204 } @patched), 0, 'and taken') or diag("@patched");
    $p->stop;
};


subtest 'ICE restart' => sub {
    my $p = $t->browser->play($t->url('/whep'));

    plays($p, 'before') or return;

    for my $n (1 .. 3) {
        my $r = $p->restart;

        is($r->{status}, 200, "PATCH $n") or diag($r->{frag}), return;
        like($r->{etag}, qr/^".+"$/, 'with an ETag');
        unlike($r->{frag}, qr/a=ice-lite/, 'no a=ice-lite');

        my $s = $p->wait(60);

        ok(!$s->{error}, "plays on, $n");
        ok($p->connected, "connected, $n");
    }

    is($t->status->{sessions}, 1, 'one session');
    is($p->stop->{status}, 200, 'DELETE');
};


subtest 'publishing' => sub {
    my $p = $t->browser->publish($t->url('/whip'), codec => 'VP8');

    is($p->{status}, 201, 'POST') or return;

    my $v = $t->browser->play($t->url('/mine'));

    plays($v, 'viewer');
    $v->stop;
    is($p->stop->{status}, 200, 'DELETE');
};


subtest 'a file' => sub {
    my $size = 20_000_000;

    $t->write_file('twenty.bin', 'x' x $size);

    my $b = $t->browser;
    my $page = $b->page($t->url('/streams'));

    my $r = $b->call('eval', page => $page->{page}, timeout => 60,
                     script => <<'EOS');
(window.job ||= (async () => {
    try {
        const pc = new RTCPeerConnection();
        const dc = pc.createDataChannel('f');
        let n = 0, start = 0, hello = false;

        dc.binaryType = 'arraybuffer';
        dc.onmessage = (e) => {
            const v = new DataView(e.data);

            if (v.getUint8(0) == 0) {
                const req = new DataView(new ArrayBuffer(28));

                hello = true;
                req.setUint8(0, 1);
                req.setUint32(4, 1);
                req.setUint32(8, 16);
                dc.send(req.buffer);
                start = performance.now();

            } else if (v.getUint8(0) == 2) {
                n += v.getUint32(8);

            } else if (v.getUint8(0) == 3) {
                window.res = { n, hello, status: v.getUint32(12),
                               ms: performance.now() - start };
                pc.close();
            }
        };

        await pc.setLocalDescription(await pc.createOffer());

        const r = await fetch('/files/twenty.bin', { method: 'POST',
            headers: { 'Content-Type': 'application/sdp' },
            body: pc.localDescription.sdp });
        const sdp = await r.text();

        if (r.status != 201 || /a=ice-lite/.test(sdp)) {
            window.res = { error: r.status + sdp };
            return;
        }

        window.session = r.headers.get('Location');
        await pc.setRemoteDescription({ type: 'answer', sdp });

    } catch (e) {
        window.res = { error: String(e) };
    }
})(), window.res)
EOS

    my $v = $r->{value} || {};

    is($v->{error}, undef, 'no error');
    is($v->{n}, $size, 'all bytes') or diag(explain($r));
    is($v->{status}, 0, 'RangeEnd 0');
    diag(sprintf '%.0f MB/s', $size / 1e3 / $v->{ms}) if $v->{ms};

    $b->call('eval', page => $page->{page}, script =>
        '(fetch(session, { method: "DELETE" }), true)');
    ok($t->no_sessions, 'closed');
};


SKIP: {
    skip 'coturn is not installed', 4 if !$turn;

    my $rtc = sub {
        return { iceTransportPolicy => $_[1] || 'relay', iceServers => [
            { urls => "turn:127.0.0.1:$port?transport=$_[0]",
              username => 'u', credential => 'p' } ] };
    };

    subtest 'all kinds of candidates' => sub {
        my $p = $t->browser->play($t->url('/all'));

        plays($p, 'all') or return;

        my %types;
        $types{$_}++ for $p->{answer} =~ /^a=candidate:.* typ (\w+)/mg;

        ok($types{host}, 'host');
        ok($types{relay}, 'relayed') or diag($p->{answer});
        is($p->stop->{status}, 200, 'DELETE');
    };

    for my $theirs (qw/ udp tcp /) {
        subtest "the browser's relay, $theirs" => sub {
            my $p = $t->browser->play($t->url('/whep'), trickle => 1,
                                      rtc => $rtc->($theirs));
            my $s = plays($p, $theirs) or return;

            is($s->{localType} // 'relay', 'relay', 'relayed');
            is($p->stop->{status}, 200, 'DELETE');
        };
    }

    for my $ours (qw/ udp tcp /) {
        subtest "our relay, $ours" => sub {
            my $p = $t->browser->play($t->url("/$ours"), trickle => 1,
                                      addresses => 1);

            is($p->{status}, 201, 'POST') or return;

            my @types = $p->{answer} =~ /^a=candidate:.* typ (\w+)/mg;

            is("@types", 'relay', 'the only candidate')
                or diag($p->{answer});

            plays($p, $ours);
            is($p->stop->{status}, 200, 'DELETE');
        };
    }

    subtest 'relayed by both' => sub {
        my $p = $t->browser->play($t->url('/tcp'), trickle => 1,
                                  rtc => $rtc->('udp'));
        my $s = plays($p, 'both') or return;

        is($p->stop->{status}, 200, 'DELETE');
    };

    subtest 'allocations are given back' => sub {
        ok(NgxWebRTC::wait_for(60, sub {
            my $log = NgxWebRTC::slurp($turn->{turn});
            my $new = () = $log =~ /ALLOCATE processed, success/g;
            my $end = () = $log =~ /closed \(2nd stage\)|deleted, reason|REFRESH processed, success/g;
            return $new && $end >= 1;
        }), 'by a refresh with lifetime 0');
    };
}

ok($t->no_sessions, 'no session is left');

$t->done;
