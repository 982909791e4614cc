package NgxWebRTC::Pulls;

# Copyright (C) the ngx_http_webrtc_module authors
#
# For tests of what a source may open.
#
#     post_all($t, @paths)     offers to all of them at once: an array of
#                              { path, status, detail }
#     why($t, $stream, qr//)   what the log said of it, waits for that

use strict;
use warnings;

use Exporter qw/ import /;
use NgxWebRTC;
use NgxWebRTC::Offer;
use Time::HiRes qw/ time /;

our @EXPORT = qw/ post_all why /;


sub post_all {
    my ($t, @paths) = @_;

    my $offer = offer();
    my (@all, %open);

    for my $path (@paths) {
        my $s = $t->connects('http') or die "connect: $!";
        $s->autoflush(1);

        print $s "POST $path HTTP/1.1\r\nHost: localhost\r\n",
                 "Content-Type: application/sdp\r\nConnection: close\r\n",
                 'Content-Length: ', length $offer, "\r\n\r\n", $offer;

        push @all, { path => $path, text => '', status => 0 };
        $open{fileno $s} = [ $s, $all[-1] ];
    }

    my $end = time() + 60;

    while (%open && time() < $end) {
        my $bits = '';
        vec($bits, $_, 1) = 1 for keys %open;

        next if select($bits, undef, undef, 1) <= 0;

        for my $fd (grep { vec($bits, $_, 1) } keys %open) {
            my ($s, $r) = @{ $open{$fd} };

            next if sysread $s, $r->{text}, 65536, length $r->{text};
            delete $open{$fd};
        }
    }

    for my $r (@all) {
        ($r->{status}) = $r->{text} =~ m{^HTTP/1\.1 (\d+)};
        $r->{status} ||= 0;
        ($r->{detail}) = $r->{text} =~ /"detail":"(.*)"\}/;
        $r->{detail} //= '';
    }

    return @all;
}


sub why {
    my ($t, $stream, $like) = @_;
    my $why;

    wait_for(60, sub {
        my @all = $t->log =~ /webrtc\ source\ (?:failed|down)\ retry_ms:\d+
            \ reason:"([^\n]*?)",?\ (?:times:\d+,\ )?stream:\ "\Q$stream\E"/xg;

        ($why) = ((grep { $_ =~ $like } @all), $all[0], '');
        $why //= '';

        return $why =~ $like;
    });

    return $why;
}

1;
