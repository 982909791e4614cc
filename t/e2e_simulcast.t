#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# Chromium publishes three layers of one picture, Chromium watches: each of them
# by its choice, with all of its pictures and fewer, and what is left when the
# publisher stops one; by HLS too.  The same of layers inside one encoding.
# Nothing is encoded here.

use strict;
use warnings;

use HTTP::Tiny;
use IO::Handle;
use POSIX ();
use Test::More;
use NgxWebRTC;
use NgxWebRTC::Hls;

my $t = NgxWebRTC->new(workers => 2, asan => 1);

mkdir $t->dir . '/hls' or die;

$t->start(http => 'webrtc_wait 30s; webrtc_keyframe_interval 500ms;',
          server => <<'EOF');
location ~ ^/whip/(?<name>\w+)$ {
    webrtc_publish  $name;
}
location ~ ^/whep/(?<name>\w+)$ {
    webrtc_play  $name;
}
location /hls/ {
    webrtc_hls  h264 %%DIR%%/hls segment=1s part=250ms window=10m;
}
EOF

my $json = { 'Content-Type' => 'application/json' };

# the heights of what comes, by rid; of less than 540 lines Chromium makes no
# three layers

my %HEIGHT;

sub publish {
    my ($name, $codec, $height) = @_;

    my $pub = $t->browser->publish($t->url("/whip/$name"), codec => $codec,
        width => $height * 16 / 9, height => $height, fps => 10, layers => [
            { rid => 'h', maxBitrate => 500_000 },
            { rid => 'm', scaleResolutionDownBy => 2, maxBitrate => 200_000 },
            { rid => 'l', scaleResolutionDownBy => 4, maxBitrate => 80_000 },
        ]);

    @HEIGHT{qw/ h m l /} = ($height, $height / 2, $height / 4);

    is($pub->{status}, 201, "$codec: WHIP") or BAIL_OUT($pub->{answer});
    like($pub->{answer}, qr/^a=simulcast:recv h;m;l\r$/m, 'three layers');
    is(() = $pub->{answer} =~ /^a=rid:[hml] recv\r$/mg, 3, 'by their rids');

    return $pub;
}

sub layers {
    my ($name) = @_;

    return { map { $_->{rid} => $_ } @{ ($t->stream($name) || {})->{layers}
                                        || [] } };
}

sub all_layers {
    my ($name, @rids) = @_;

    ok(wait_for(60, sub {
        my $l = layers($name);

        return "@rids" eq join ' ', grep { $l->{$_}{active} } sort keys %$l;
    }), "layers that come: @rids") or diag(explain(layers($name)));
}

sub height {
    my ($p, $height, $what) = @_;

    my $s = $p->until(sub { ($_[0]{height} || 0) == $height });

    ok(!$s->{error}, $what);

    $s = $p->wait(8);
    ok(!$s->{error}, "$what: frames are decoded");

    note(join ', ', map { "$_ " . ($s->{$_} // '-') }
         qw/ framesDecoded freezeCount maxGapMs plis nacks videoLost /);

    $p->mark;
}

my $pub = publish('three', 'VP8', 720);
my $p = $t->browser->play($t->url('/whep/three'));

is($p->{status}, 201, 'WHEP') or BAIL_OUT($p->{answer});

like($p->{answer}, qr/^a=extmap:\d+ \S*transport-wide-cc\S*\r$/m,
     'it is asked to report of its bandwidth');

all_layers('three', qw/ h l m /);
height($p, 720, 'the best layer');

my ($url) = ($p->{link} // '')
            =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;

ok($url, 'it may choose') or diag($p->{link});

sub choose {
    my ($body, $what) = @_;

    my $r = $t->http('POST', $url, body => $body, headers => $json);

    is($r->{status}, 200, $what) or diag($r->{content});
}

for my $rid (qw/ l m h l /) {
    choose(qq({"encodingId":"$rid"}), "$rid is chosen");
    height($p, $HEIGHT{$rid}, "$rid comes");
}

# Temporal layers: with each one less, half of what is sent is decoded.  The
# browser sees no loss, and needs no key frame for that.

sub fewer {
    my ($p, $pub, $rid, $tids, $what, $sids) = @_;

    my $before = $p->_call('stats');

    for my $tid (@$tids) {
        choose(qq({"encodingId":"$rid","temporalLayerId":$tid}), "$what: $tid");

        # until that is so: of the last pictures, so many are decoded

        # what is sent counts for each spatial layer

        my ($share, @last) = (1 / 2 ** (2 - $tid) / ($sids || 1));

        ok(wait_for(60, sub {
            my ($s, $r) = ($pub->sent, $p->_call('stats'));

            push @last, [ $s->{layers}{$rid eq 'original' ? '' : $rid}{frames},
                          $r->{framesDecoded} ];

            my ($x, $y) = @last[0, -1];
            my $n = $y->[0] - $x->[0];

            if ($n >= 24) {
                my $got = ($y->[1] - $x->[1]) / $n;

                return 1 if $got > $share * 0.65 && $got < $share * 1.4;
                shift @last;
            }

            return 0;
        }), "$what: $tid, that much of it is decoded")
            or diag(explain(\@last), $t->log =~ /viewer wants.*/g);
    }

    my $after = $p->_call('stats');

    is($after->{plis}, $before->{plis}, "$what: nothing was missed");
    is($after->{keyFramesDecoded}, $before->{keyFramesDecoded},
       "$what: without a key frame");
}

choose('{"encodingId":"m"}', 'one in the middle');
height($p, $HEIGHT{m}, 'which comes');
fewer($p, $pub, 'm', [ 1, 0, 2 ], 'pictures of VP8');

choose('{"encodingId":"l"}', 'all of the lowest');
height($p, $HEIGHT{l}, 'which comes');

my $l = layers('three');

is($l->{l}{temporal}, 3, 'the status has its temporal layers');
is($l->{l}{height}, 180, 'the status has its size');
is($l->{l}{viewers}, 1, 'and its viewer');
is($l->{h}{best}, JSON::PP::true(), 'and which one is the best');

is($t->http('POST', $url, body => '{"encodingId":"x"}',
            headers => $json)->{status}, 404, 'there is no other');

# Who publishes is told what is watched, and stops the rest: events of one
# connection, which does not forget, as a new one would.

my ($events) = ($pub->{link} // '')
    =~ /<([^>]*)>;\s*rel="urn:ietf:params:whip:ext:core:server-sent-events"/;

ok($events, 'the publisher may have events') or diag($pub->{link});

my $told = $t->{dir} . '/told';
my $child = fork() // die "fork: $!";

if ($child == 0) {
    open my $fh, '>', $told or POSIX::_exit(1);
    $fh->autoflush(1);

    HTTP::Tiny->new(timeout => 300)->get($t->url($events), {
        data_callback => sub { print $fh $_[0] },
    });

    POSIX::_exit(0);
}

sub told {
    my ($state, $what) = @_;

    my $want = join ',', map {
        my ($rid, $on) = split /=/;
        qq({"encodingId":"$rid","active":) . ($on ? 'true' : 'false') . '}'
    } split / /, $state;

    ok(wait_for(60, sub {
        my @all = (-e $told ? NgxWebRTC::slurp($told) : '') =~ /^data: (.*)$/mg;
        return @all && index($all[-1], "[$want]") >= 0;
    }), $what) or diag(-e $told ? NgxWebRTC::slurp($told) : 'nothing');
}

told('h=0 m=0 l=1', 'the lowest one was chosen: nobody watches the others');

$pub->active($_, JSON::PP::false()) for qw/ h m /;
all_layers('three', qw/ l /);
height($p, 180, 'it still comes');

choose('{"encodingId":"h"}', 'one that has stopped is chosen');
told('h=1 m=1 l=1', 'the publisher is told');

$pub->active($_, JSON::PP::true()) for qw/ h m /;
height($p, 720, 'and it comes');

kill 'TERM', $child;
waitpid $child, 0;

# the publisher stops the best one; it was chosen

choose('{"encodingId":"original"}', 'the best');
height($p, 720, 'which comes');

$pub->active('h', JSON::PP::false());
height($p, 360, 'it stops: the next one');
all_layers('three', qw/ l m /);

$pub->active('h', JSON::PP::true());
height($p, 720, 'it begins again');

# the same for one of the others

choose('{"encodingId":"l"}', 'the lowest');
height($p, 180, 'which comes');

$pub->active('l', JSON::PP::false());
ok(!$p->until(sub { $_[0]{height} > 180 })->{error},
   'it stops: another one');

$pub->active('l', JSON::PP::true());
height($p, 180, 'it begins again, and is what was chosen');

# another publisher, without layers and with, while it watches one

is($pub->stop->{status}, 200, 'the publisher leaves');

$pub = $t->browser->publish($t->url('/whip/three'), codec => 'VP8', fps => 10,
                            width => 480, height => 270);
is($pub->{status}, 201, 'another one comes, without layers');
height($p, 270, 'which the viewer gets');

is($pub->stop->{status}, 200, 'that leaves, too');

$pub = publish('three', 'VP8', 720);
height($p, 180, 'its choice is there again');

is($p->stop->{status}, 200, 'the viewer leaves');
is($pub->stop->{status}, 200, 'the publisher leaves');

$pub = publish('h264', 'H264', 576);
$p = $t->browser->play($t->url('/whep/h264?layer=l'));

is($p->{status}, 201, 'WHEP of a layer') or BAIL_OUT($p->{answer});

all_layers('h264', qw/ h l m /);
height($p, $HEIGHT{l}, 'which comes');

($url) = ($p->{link} // '')
         =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;

for my $rid (qw/ h m /) {
    choose(qq({"encodingId":"$rid"}), "$rid is chosen");
    height($p, $HEIGHT{$rid}, "$rid comes");
}

is($p->stop->{status}, 200, 'the viewer leaves');

# each is a variant of HLS; one that stops has gaps, and the others go on

sub variants {
    my $list = NgxWebRTC::Hls::get_whole($t, '/hls/index.m3u8')->{content} // '';

    return { map { /BANDWIDTH=(\d+).*RESOLUTION=\d+x(\d+).*\n(v\d)\.m3u8/
                   ? ($2 => { bandwidth => $1, name => $3 }) : () }
             split /^(?=#EXT-X-STREAM-INF)/m, $list };
}

sub has_variants {
    my ($what, @heights) = @_;

    my $v;

    ok(wait_for(60, sub { $v = variants(); "@heights" eq join ' ', sort { $a <=> $b } keys %$v }),
       $what) or diag(explain($v), $t->log);

    return $v;
}

my $v = has_variants('a variant of each', 144, 288, 576);

cmp_ok($v->{144}{bandwidth}, '<', $v->{576}{bandwidth}, 'the small one has less bits');
is($v->{576}{name}, 'v0', 'the best is the first');

# ten frames a second do not fill parts of 250 ms

my %c = map { $_ => NgxWebRTC::Hls->new($t, "/hls/$v->{$_}{name}.m3u8", part => 0) } keys %$v;

sub decodes {
    my ($height) = @_;

    my $c = $c{$height};
    $c->reload(now => 1);
    my ($s) = reverse $c->fetch;

    is($c->said, '', "$height: by the rules") or diag($c->list->{text});

    $t->write_file('one.mp4', $s->{head} . $s->{data});
    my $said = `ffmpeg -nostdin -v warning -xerror -i @{[ $t->dir ]}/one.mp4 -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`;
    is("$? $said", '0 ', "$height: FFmpeg decodes it");
}

decodes($_) for sort keys %c;

$pub->active('m', JSON::PP::false());
has_variants('it stops: nobody is told of it', 144, 576);

ok(wait_for(60, sub { $c{288}->reload(now => 1);
                      2 <= grep { $_->{gap} } @{ $c{288}->list->{segments} } }),
   'who plays it sees gaps') or diag($c{288}->list->{text});
ok($c{$_}->whole(1), "$_ goes on") for 144, 576;
is(scalar(grep { $_->{breaks} } @{ $c{576}->list->{segments} }), 0, 'without a discontinuity');

# another worker goes on with it, and knows whose playlist is whose

my $was = { map { $_ => $v->{$_}{name} } keys %$v };

$t->reload;
ok(wait_for(60, sub { $t->log =~ /webrtc hls taken over from a worker that has gone/
                      || (variants(), 0)[1] }), 'another worker takes it over');

$pub->active('m', JSON::PP::true());
$v = has_variants('it begins again', 144, 288, 576);
is_deeply({ map { $_ => $v->{$_}{name} } keys %$v }, $was, 'in the same playlists');
decodes($_) for sort keys %c;

is($pub->stop->{status}, 200, 'the publisher leaves');

# layers inside one encoding

sub inside {
    my ($codec, $mode) = @_;

    my $name = lc $codec;

    $pub = $t->browser->publish($t->url("/whip/$name"), codec => $codec,
        width => $mode =~ /^L2/ ? 640 : 320,
        height => $mode =~ /^L2/ ? 360 : 180, fps => 12,
        layers => [ { scalabilityMode => $mode } ]);

    is($pub->{status}, 201, "$codec $mode") or BAIL_OUT($pub->{answer});

    $p = $t->browser->play($t->url("/whep/$name"));
    is($p->{status}, 201, "$codec: WHEP") or BAIL_OUT($p->{answer});
    ok(!$p->wait(8)->{error}, "$codec: it comes");

    # the upper spatial layer may begin later, with a key picture

    my ($spatial) = $mode =~ /^L(\d)/;

    ok(wait_for(60, sub {
        my @l = @{ ($t->stream($name) || {})->{layers} || [] };

        return @l == $spatial && ($l[0]{temporal} // 0) == 3
               && ($l[0]{height} // 0) == 180 * $spatial;
    }), "$codec: three layers") or diag(explain($t->stream($name)));

    ($url) = ($p->{link} // '')
             =~ /<([^>]*)>;\s*rel="urn:ietf:params:whep:ext:core:layer"/;
}

sub leave {
    is($p->stop->{status}, 200, 'the viewer leaves');
    is($pub->stop->{status}, 200, 'the publisher leaves');
}

inside('AV1', 'L1T3');
fewer($p, $pub, 'original', [ 0, 2 ], 'pictures of AV1');
leave();

inside('VP9', 'L2T3_KEY');
fewer($p, $pub, 'original', [ 0, 2 ], 'pictures of VP9', 2);

# Chromium makes a spatial layer of no less than 240 x 135: of the two, each

my $sizes = ($t->stream('vp9') || {})->{layers} || [];

is(@$sizes, 2, 'VP9: two spatial layers') or diag(explain($sizes));

for my $sid (0, 1, 0) {
    choose(qq({"encodingId":"original","spatialLayerId":$sid}),
           "the spatial layer $sid");
    height($p, $sid ? 360 : 180, 'which comes');
}

choose('{"maxHeight":360}', 'no more than the upper one');
height($p, 360, 'which comes');
leave();

ok($t->no_sessions, 'no session is left');
unlike($t->log, qr/stream encoded/, 'nothing was encoded');

$t->done;
