#!/usr/bin/perl

# Copyright (C) the ngx_http_webrtc_module authors
#
# The road from POST to 201 is one, whatever an offer is for: what a response
# has, what is refused in which order, what logs tell.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use NgxWebRTC;
use NgxWebRTC::Offer;

my $t = NgxWebRTC->new(asan => 1);

mkdir $t->dir . '/www';
$t->write_file('www/a.bin', 'x' x 1000);

$t->start(http => <<'EOF', server => <<'EOF2');
webrtc_transcode off;
webrtc_max_sessions       12;
webrtc_max_pending        off;
webrtc_handshake_timeout  120s;
webrtc_ice_server         stun:stun.example.com;
log_format  t  '$request_method $request_uri $status '
               '[$webrtc_role] [$webrtc_stream] [$webrtc_session] '
               '[$webrtc_cause]';
access_log  %%DIR%%/t.log  t;
EOF
location /whep/ {
    webrtc_play  bars;
    webrtc_pull  file:%%MEDIA%%/bars.ts loop;
}
location /counter/ {
    webrtc_play           bars;
    webrtc_pull           file:%%MEDIA%%/bars.ts loop;
    webrtc_counter_offer  on;
}
location /named/  { webrtc_play     $arg_stream; }
location /called/ { webrtc_publish  $arg_stream; }
location ~ ^/whip/(?<name>\w+)$ { webrtc_publish  $name; }
location /files/ { alias %%DIR%%/www/; webrtc_file on; }
EOF2


sub signal {
    my ($sdp) = @_;

    return JSON::PP::encode_json({ type => 'offer', payload =>
        JSON::PP::encode_json({ type => 'offer', sdp => $sdp }) });
}

sub plain { return $_[0] }

my %data = (video => [], audio => [], application => 1);

# kind => path, offer that is taken, one that is not, status of that, how it is
# sent, its type, role and target in logs

my %KINDS = (
    whep   => [ '/whep/x', offer(), offer(video => [], audio => ['G722']),
                406, \&plain, 'application/sdp', 'play', 'bars' ],
    whip   => [ '/whip/cam', offer(direction => 'sendonly'), offer(), 422,
                \&plain, 'application/sdp', 'publish', 'cam' ],
    file   => [ '/files/a.bin', offer(%data), offer(), 406, \&plain,
                'application/sdp', 'file', 'a.bin' ],
    signal => [ '/files/a.bin?signal', offer(%data), offer(), 406, \&signal,
                'application/json', 'file', 'a.bin' ],
);

sub post {
    my ($kind, $sdp, $path) = @_;

    my (undef, undef, undef, undef, $code, $type) = @{ $KINDS{$kind} };

    return $t->http('POST', $path // $KINDS{$kind}[0], body => $code->($sdp),
                    headers => { 'Content-Type' => $type });
}

# the line of the last request; it is written when that is over

my $lines = 0;

sub logged {
    $lines++;

    my @l;
    wait_for(20, sub {
        @l = split /\n/, NgxWebRTC::slurp($t->dir . '/t.log') // '';
        return @l >= $lines;
    });

    return $l[$lines - 1] // '';
}

# what leads nowhere is not found, whatever the body is

for ([ whep => '/named/x' ], [ whip => '/called/x' ],
     [ file => '/files/none' ], [ signal => '/files/none?signal' ])
{
    my ($kind, $path) = @$_;

    is(post($kind, $_, $path)->{status}, 404, "$kind: 404"), logged()
        for $KINDS{$kind}[1], "v=1\r\n";
}

my @urls;

for my $kind (sort keys %KINDS) {
    my ($path, $good, $bad, $refused, undef, undef, $role, $name)
        = @{ $KINDS{$kind} };

    my $r = post($kind, $good);
    my $h = $r->{headers};
    my @links = ref $h->{link} ? @{ $h->{link} } : ($h->{link});

    is($r->{status}, 201, "$kind: 201") or diag($r->{content});
    like($h->{location}, qr{^/\w+/[\w.]+\?session=[0-9a-f]{32}$},
         "$kind: Location");
    like($h->{etag}, qr/^"[0-9a-f]{16}"$/, "$kind: ETag");
    is($h->{'cache-control'}, 'no-store', "$kind: Cache-Control");
    is(scalar(grep { /ice-server/ } @links), 1, "$kind: a Link of ICE servers");
    is(scalar(grep { /events/ } @links), $kind eq 'whep' ? 1 : 0,
       "$kind: a Link of events for viewers alone");
    like(logged(), qr/ 201 \[$role\] \[$name\] \[\w+\] /,
         "$kind: 201 in the log, with role, target and session");
    push @urls, $h->{location};

    $r = post($kind, $bad);
    is($r->{status}, $refused, "$kind: refused") or diag($r->{content});
    ok(!$r->{headers}{location}, "$kind: no Location then");
    like(logged(), qr/ $refused \[$role\] \[$name\] \[-?\] \[\w/,
         "$kind: in the log with role and target, and no session");

    $r = post($kind, "v=1\r\n");
    is($r->{status}, 400, "$kind: malformed");
    logged();
}

my $r = post('whep', offer(video => [], audio => ['G722']), '/counter/x');
is($r->{status}, 406, 'a counter-offer');
like($r->{headers}{location}, qr/session=/, 'has a session');
like(logged(), qr/ 406 \[play\] \[bars\] \[\w+\] /, 'in the log');
push @urls, $r->{headers}{location};

# full: before anything is done for an offer, whatever it is for

while (@urls < 12) {
    $r = post('file', offer(%data));
    is($r->{status}, 201, 'one more') or last;
    logged();
    push @urls, $r->{headers}{location};
}

for my $kind (sort keys %KINDS) {
    my ($path, $good) = @{ $KINDS{$kind} };

    $path =~ s{/a\.bin}{/none.bin};
    $r = post($kind, $good, $path);

    is($r->{status}, 503, "$kind: full") or diag($r->{content});
    like($r->{headers}{'retry-after'}, qr/^\d+$/, "$kind: Retry-After");
    like($r->{content}, qr/too many sessions/, "$kind: says so");
    like(logged(), qr/ 503 \[-?\] \[-?\] \[-?\] \[too many sessions\]/,
         "$kind: nothing was looked for");
}

is(scalar(grep { $t->http('DELETE', $_)->{status} == 200 } @urls), 12,
   'the sessions end');
ok($t->no_sessions, 'no session is left');

$t->done;
