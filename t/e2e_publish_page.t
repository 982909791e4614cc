#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The demo's publisher page sends layers, as it is told on the page and in its
# address; whip.js does not send what nobody watches, and none more than
# webrtc_max_bitrate gives it.

use strict;
use warnings;

use Test::More;
use NgxWebRTC;
use NgxWebRTC::Demo;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

my $demo = NgxWebRTC::Demo->new($t,
    http => 'webrtc_wait 30s; webrtc_keyframe_interval 500ms;', server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish      $name;
    webrtc_max_bitrate  0 layer=h:900k layer=m:300k layer=l:100k;
}
location ~ ^/live/(?<name>\w+)$ {
    webrtc_play  $name;
}
location = /old/publish.html { alias %%DIR%%/old.html; }
location /old/ { alias %%ROOT%%/docs/demo/; }
EOF

# the page in a browser that takes the first encoding only

my $page = NgxWebRTC::slurp("$NgxWebRTC::ROOT/docs/demo/publish.html");

$page =~ s{(?=<script)}{<script>
RTCPeerConnection.prototype.addTransceiver = ((real) => function (kind) {
    return real.call(this, kind, { direction: 'sendonly' });
})(RTCPeerConnection.prototype.addTransceiver);
</script>} or die;

$t->write_file('old.html', $page);

$demo->start;

my $json = { 'Content-Type' => 'application/json' };

sub layers {
    return { map { $_->{rid} => $_ } @{ ($t->stream($_[0]) || {})->{layers}
                                        || [] } };
}

sub active {
    my ($name, $want, $what) = @_;

    ok(wait_for(90, sub {
        my $l = layers($name);
        return $want eq join ' ', grep { $l->{$_}{active} } sort keys %$l;
    }), $what) or diag(explain(layers($name)));
}

# its connections, whose parameters are looked at, and a click

sub publish {
    my ($what) = @_;

    $demo->eval(<<'EOF');
window.pcs = [], RTCPeerConnection.prototype.addTransceiver = ((real) =>
    function (...args) {
        pcs.includes(this) || pcs.push(this);
        return real.apply(this, args);
    })(RTCPeerConnection.prototype.addTransceiver),
document.getElementById('form').requestSubmit(), true
EOF
    ok($demo->eval("document.getElementById('screen').dataset.state == 'playing'"
                   . ' || null'), $what);
}

# rid, active and maxBitrate of each encoding

my $SENT = <<'EOF';
pcs.at(-1).getSenders().find((s) => s.track.kind == 'video').getParameters()
    .encodings.map((e) => [e.rid, e.active ? 'on' : 'off', e.maxBitrate].join(':'))
    .join(' ')
EOF

sub sends {
    my ($like, $what) = @_;

    ok($demo->eval("((t) => t.match($like) && t)($SENT)", 60), $what)
        or diag($demo->eval($SENT));
}

sub height {
    my ($p, $height, $what) = @_;

    ok(!$p->until(sub { ($_[0]{height} || 0) == $height })->{error}, $what);

    my $s = $p->wait(8);
    ok(!$s->{error}, "$what: frames are decoded");
    note("$what: framesDecoded $s->{framesDecoded}");
}

sub value { return $demo->eval("document.getElementById('$_[0]').value") }
sub text { return $demo->eval("document.getElementById('$_[0]').textContent") }

sub set {
    my ($id, $to, $event) = @_;

    $demo->eval("((e) => { e.value = '$to'; e.dispatchEvent(new Event('$event'));"
                . " })(document.getElementById('$id')), true");
}

sub submit {
    $demo->eval("document.getElementById('form').requestSubmit(), true");
}

$demo->open('/publish.html?stream=three&codec=VP8&layers=3&size=1280x720'
            . '&bitrate=2.5');

is(value('name'), 'three', 'the address says the name');
is(value('layers'), '3', 'and the layers');
is(value('codec'), 'VP8', 'and the codec');
is(text('bitrate-text'), '2.5 Mbit/s', 'and the bitrate');
ok($demo->eval("document.getElementById('layers-hint').hidden"),
   'there is nothing to hint at');

publish('it publishes');
active('three', 'h l m', 'three layers');

is(layers('three')->{h}{limit}, 900 * 1024, 'the status has the limit');
is(layers('three')->{h}{height}, 720, 'and sizes');
ok($demo->eval("document.getElementById('layers').disabled"),
   'how many is not changed now');

my ($h, $m, $l) = map { $_ * 1024 } 900, 300, 100;

sends("/^h:on:$h m:on:$m l:on:$l\$/", 'whip.js obeys the limits of layers');

# a viewer of each

my $p = $t->browser->play($t->url('/live/three'));
is($p->{status}, 201, 'WHEP') or BAIL_OUT($p->{answer});

my ($url) = ($p->{link} // '')
            =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;

sub choose {
    my ($rid) = @_;

    is($t->http('POST', $url, body => qq({"encodingId":"$rid"}), headers => $json)
       ->{status}, 200, "$rid is chosen");
}

height($p, 720, 'the best one comes');

for my $one ([ m => 360 ], [ h => 720 ], [ l => 180 ]) {
    choose($one->[0]);
    height($p, $one->[1], 'it comes');
}

# nobody watches the others

sends('/^h:off:\d+ m:off:\d+ l:on:\d+$/', 'whip.js stops what nobody watches');
active('three', 'l', 'it does not come');
ok($demo->eval("document.getElementById('s-layers').textContent == '180p' || null"),
   'the page says what is sent');
height($p, 180, 'the lowest goes on');

choose('h');
sends('/^h:on:\d+ /', 'whip.js begins it again');
height($p, 720, 'it comes');

# another bitrate of all: each its part, and the limits hold

set('bitrate', 1, 'input');
sends('/^h:on:720000 m:\w+:210000 l:\w+:70000$/', 'less of each');

set('bitrate', 8, 'input');
sends("/^h:on:$h m:\\w+:$m l:\\w+:$l\$/", 'and no more than the limits');

is($p->stop->{status}, 200, 'the viewer leaves');

submit();
ok($demo->eval("document.getElementById('screen').dataset.state == 'idle' || null"),
   'it stops');
$demo->close;

# fewer lines

$demo->open('/publish.html?stream=two&codec=VP8&size=640x360');

is(value('layers'), '1', 'one layer, if nothing is said');

set('layers', 3, 'change');
like(text('layers-hint'), qr/two of a picture of 360 lines/, 'a hint');

publish('it publishes');
active('two', 'h m', 'two layers');

my $errors = $t->browser->call('eval', page => $demo->{page}{page},
                               script => 'true')->{errors} || [];
is("@$errors", '', 'no errors of the page');
submit();
$demo->close;

# a browser that sends one only

$demo->open('/old/publish.html?layers=3');

ok($demo->eval("document.getElementById('layers').disabled"),
   'a browser that cannot');
like(text('layers-hint'), qr/one layer only/, 'says so');
ok($demo->eval("!document.getElementById('layers-hint').hidden"), 'in sight');
$demo->close;

ok($t->no_sessions, 'no session is left');

$t->done;
