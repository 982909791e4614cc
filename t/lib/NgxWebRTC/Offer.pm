package NgxWebRTC::Offer;

# Copyright (C) the ngx_http_webrtc_module authors
#
# Offers as a viewer would make them, whole or with something wrong.
#
#     offer()                             H264, VP8 and Opus, recvonly
#     offer(video => ['VP8'], audio => [])
#     offer(video => [['VP8'], ['VP8']])  two m-lines of one kind
#     direction, setup, ufrag, pwd, fingerprint, bundle => 0, mux => 0,
#     application => 1, without => qr/.../ (lines that are left out)

use strict;
use warnings;

use Exporter qw/ import /;

our @EXPORT = qw/ offer /;

my %CODECS = (
    H264 => [ 102, 'H264/90000', 'level-asymmetry-allowed=1;'
              . 'packetization-mode=1;profile-level-id=42e01f' ],
    VP8  => [ 96, 'VP8/90000' ],
    VP9  => [ 98, 'VP9/90000', 'profile-id=0' ],
    AV1  => [ 45, 'AV1/90000' ],
    opus => [ 111, 'opus/48000/2', 'minptime=10;useinbandfec=1' ],
    PCMU => [ 0, 'PCMU/8000' ],
    G722 => [ 9, 'G722/8000' ],
);

our $FINGERPRINT = join ':', map { sprintf '%02X', $_ } 1 .. 32;


sub offer {
    my %o = (
        video       => [ 'H264', 'VP8' ],
        audio       => [ 'opus' ],
        direction   => 'recvonly',
        setup       => 'actpass',
        ufrag       => 'tEsT',
        pwd         => 'a-password-of-24-letters',
        fingerprint => "sha-256 $FINGERPRINT",
        bundle      => 1,
        mux         => 1,
        @_,
    );

    my @media;

    for my $kind (qw/ video audio /) {
        my @lines = @{ $o{$kind} } && ref $o{$kind}[0] ? @{ $o{$kind} }
                    : @{ $o{$kind} } ? ($o{$kind}) : ();
        push @media, map { [ $kind, $_ ] } @lines;
    }

    push @media, [ 'application', [] ] if $o{application};

    my $sdp = "v=0\r\no=- 42 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

    $sdp .= 'a=group:BUNDLE ' . join(' ', 0 .. $#media) . "\r\n"
        if $o{bundle};

    for my $mid (0 .. $#media) {
        my ($kind, $codecs) = @{ $media[$mid] };
        my @codecs = map { $CODECS{$_} } @$codecs;

        if ($kind eq 'application') {
            $sdp .= "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

        } else {
            $sdp .= "m=$kind 9 UDP/TLS/RTP/SAVPF "
                    . join(' ', map { $_->[0] } @codecs) . "\r\n";
        }

        $sdp .= "c=IN IP4 0.0.0.0\r\n"
                . "a=ice-ufrag:$o{ufrag}\r\na=ice-pwd:$o{pwd}\r\n"
                . "a=ice-options:trickle\r\n"
                . "a=fingerprint:$o{fingerprint}\r\na=setup:$o{setup}\r\n"
                . "a=mid:$mid\r\n";

        if ($kind eq 'application') {
            $sdp .= "a=sctp-port:5000\r\na=max-message-size:262144\r\n";
            next;
        }

        $sdp .= "a=$o{direction}\r\n";
        $sdp .= "a=rtcp-mux\r\n" if $o{mux};

        for my $c (@codecs) {
            $sdp .= "a=rtpmap:$c->[0] $c->[1]\r\n";
            $sdp .= "a=fmtp:$c->[0] $c->[2]\r\n" if $c->[2];
            $sdp .= "a=rtcp-fb:$c->[0] nack\r\na=rtcp-fb:$c->[0] nack pli\r\n"
                if $kind eq 'video';
        }
    }

    $sdp = join '', grep { !/$o{without}/ } $sdp =~ /.*?\r\n/g
        if $o{without};

    return $sdp;
}


1;
