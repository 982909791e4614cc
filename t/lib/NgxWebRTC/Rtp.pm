package NgxWebRTC::Rtp;

# Copyright (C) the ngx_http_webrtc_module authors
#
# Drives t/lib/rtp.js: WHIP and WHEP clients, packet by packet.
#
#     my $c = NgxWebRTC::Rtp->new($t);
#     my $p = $c->call('open', url => ..., publish => 1, media => [ opus() ]);
#     $c->call('send', peer => $p->{peer}, packets => [ rtp(pt => 111, ...) ]);

use strict;
use warnings;

use Exporter qw/ import /;
use NgxWebRTC::Range;

our @ISA = qw/ NgxWebRTC::Range /;
our @EXPORT = qw/ rtp opus h264 /;

sub new {
    my ($class, $t) = @_;

    return undef unless -d "$NgxWebRTC::BUILD/node_modules/node-datachannel";

    my $p = $t->spawn('rtp', [ 'node', "$NgxWebRTC::ROOT/t/lib/rtp.js" ],
                      pipe => 1, env => { WEBRTC_BUILD => $NgxWebRTC::BUILD });

    return bless { t => $t, p => $p }, $class;
}

# m-lines of an offer

sub opus {
    my (@more) = @_;

    return { kind => 'audio', pts => [ 111 ],
             lines => [ 'rtpmap:111 opus/48000/2',
                        'fmtp:111 minptime=10;useinbandfec=1' ], @more };
}

sub h264 {
    my (@more) = @_;

    return { kind => 'video', pts => [ 96 ],
             lines => [ 'rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=1;'
                        . 'profile-level-id=42e01f', 'rtcp-fb:96 nack',
                        'rtcp-fb:96 nack pli' ], @more };
}

# A packet in hexadecimal: pt, seq, ts, ssrc, marker, payload (hexadecimal);
# ext: [ profile, bytes in hexadecimal ].

sub rtp {
    my (%o) = @_;

    my $p = pack('CCnNN', 0x80 | ($o{ext} ? 0x10 : 0),
                 ($o{marker} ? 0x80 : 0) | $o{pt}, $o{seq} & 0xffff,
                 $o{ts} & 0xffffffff, $o{ssrc});

    if ($o{ext}) {
        my $ext = pack 'H*', $o{ext}[1];

        $ext .= "\0" while length($ext) % 4;
        $p .= pack('nn', $o{ext}[0], length($ext) / 4) . $ext;
    }

    return unpack('H*', $p) . ($o{payload} // '');
}

1;
