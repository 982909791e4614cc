#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# A receiver that tells its own estimate (REMB), without the header extension by
# which its packets are counted: it gets what that says, and where it says
# nothing, as nothing comes that it could measure, pictures are tried again.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use NgxWebRTC;

my $t = NgxWebRTC->new(workers => 1, asan => 1);
my $dir = $t->dir;

$t->start(http => 'webrtc_wait 30s;', server => <<'END');
location = /whep/bars {
    webrtc_play       bars;
    webrtc_pull       file:%%MEDIA%%/bars.mp4 loop;
    webrtc_transcode  auto hw=none;
    webrtc_rendition  low 90 100k fps=10;
}
END

sub session {
    my ($s) = @{ json($t->http('GET', '/streams?sessions')->{content})
                     ->{session_list} || [] };

    return $s || {};
}

sub seen { return (slurp("$dir/seen") // '') || 0 }

my $p = $t->python('whep.py', $t->url('/whep/bars'), JSON::PP::encode_json({
    until => "$dir/enough", progress => "$dir/seen", remb => "$dir/remb",
    without => 'abs-send-time', most => 150,
}));

ok(wait_for(60, sub { seen() > 10 }), 'frames are decoded');
is(session()->{layer}, '', 'of the stream itself');

$t->write_file('remb', '30000');

ok(wait_for(60, sub { (session()->{limited} // '') eq 'audio' }),
   'a path of 30 kbit/s: sound alone');

# nothing is told any more

unlink "$dir/remb" or die "$dir/remb: $!";

my $from = seen();

ok(wait_for(60, sub { seen() > $from + 5 }), 'pictures are tried again');
is(session()->{layer}, 'low', 'the lowest');

$t->write_file('remb', '5000000');

ok(wait_for(60, sub { my $s = session();
                      $s->{layer} eq '' && $s->{limited} eq '' }),
   'the path carries more: all of the stream');

$from = seen();

ok(wait_for(60, sub { seen() > $from + 25 }), 'which is decoded');

$t->write_file('enough', '1');

my $result = $t->python_result($p);

unlike($result->{answer}, qr/abs-send-time/, 'the extension is not there');
like($result->{answer}, qr/goog-remb/, 'but REMB is');

ok($t->no_sessions, 'no session is left');

$t->done;
