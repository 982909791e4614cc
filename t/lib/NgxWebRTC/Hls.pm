package NgxWebRTC::Hls;

# Copyright (C) the ngx_http_webrtc_module authors
#
# A client of HLS that checks what it is given: RFC 8216, and the draft that
# follows it (draft-pantos-hls-rfc8216bis), as Apple's mediastreamvalidator does.
#
#     my $c = NgxWebRTC::Hls->new($t, '/hls/cam/v0.m3u8');
#     $c->reload or diag($c->said);      # waits for what comes next
#     $c->whole(4);                      # until it has seen so many segments
#     $c->fetch;                         # all that is listed: bytes of segments
#
# Each reload is compared with the one before.  What is wrong is in said().  An
# option "more" has arguments for all requests; "part" is the length of parts that
# is configured: where frames were left out some are longer.

use strict;
use warnings;

use Time::HiRes qw/ time /;


sub new {
    my ($class, $t, $path, %o) = @_;

    (my $base = $path) =~ s{[^/]*$}{};

    return bless { t => $t, path => $path, base => $base, wrong => [], files => {}, %o },
           $class;
}

sub said { return join "\n", @{ $_[0]{wrong} } }
sub list { return $_[0]{list} }

sub wrong {
    my ($self, $text) = @_;

    push @{ $self->{wrong} }, "$self->{path}: $text";
}


# 503: it takes longer than anybody should wait for

sub get_whole {
    my ($t, $url) = @_;

    my $end = time + 120;

    for ( ;; ) {
        my $r = $t->http('GET', $url, timeout => 120);
        return $r if $r->{status} != 503 || time > $end;
        select undef, undef, undef, 0.1;
    }
}


# what comes next, or what there is; false if there is nothing

sub reload {
    my ($self, %o) = @_;

    my $args = '';
    my $old = $self->{list};

    if ($old && !$old->{end} && !$o{now}) {
        $args = "?_HLS_msn=$old->{next}";
        $args .= "&_HLS_part=" . scalar @{ $old->{open} } if $old->{part_target};
    }

    my $more = $self->{more} // '';
    my $url = $self->{path} . $args . ($more && ($args ? '&' : '?') . $more);
    my $r = get_whole($self->{t}, $url);

    if ($r->{status} != 200) {
        $self->wrong("status $r->{status}: $r->{content}");
        return 0;
    }

    $self->wrong("type $r->{headers}{'content-type'}")
        if $r->{headers}{'content-type'} ne 'application/vnd.apple.mpegurl';

    my $list = $self->parse($r->{content});
    $list->{at} = time;
    $self->rules($list);
    $self->follows($old, $list, $args) if $old;

    $self->{list} = $list;

    return 1;
}


# until there are so many whole segments more than now

sub whole {
    my ($self, $n) = @_;

    $self->reload if !$self->{list};
    my $end = ($self->{list} || return 0)->{msn} + @{ $self->{list}{segments} } + $n;

    while ($self->{list}{msn} + @{ $self->{list}{segments} } < $end) {
        $self->reload or return 0;
        return 0 if $self->{list}{end};
    }

    return 1;
}


sub attributes {
    my ($text) = @_;

    my %a;

    while ($text =~ /\G([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)/gc) {
        my ($k, $v) = ($1, $2);
        $v =~ s/^"(.*)"$/$1/;
        $a{$k} = $v;
    }

    return \%a;
}


sub parse {
    my ($self, $text) = @_;

    my %l = (text => $text, segments => [], open => [], reports => []);
    my @lines = split /\n/, $text;

    $self->wrong('it does not begin with #EXTM3U') if shift @lines ne '#EXTM3U';

    my ($map, $pdt, $dur, $gap, $breaks, @parts) = (undef, undef, undef, 0, 0);

    for (@lines) {
        if (/^#EXT-X-VERSION:(\d+)$/) {
            $l{version} = $1;
        } elsif (/^#EXT-X-TARGETDURATION:(\d+)$/) {
            $l{target} = $1;
        } elsif (/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/) {
            $l{msn} = $1;
        } elsif (/^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)$/) {
            $l{dsn} = $1;
        } elsif (/^#EXT-X-SERVER-CONTROL:(.*)$/) {
            $l{control} = attributes($1);
        } elsif (/^#EXT-X-PART-INF:(.*)$/) {
            $l{part_target} = attributes($1)->{'PART-TARGET'};
        } elsif (/^#EXT-X-SKIP:(.*)$/) {
            $l{skipped} = attributes($1)->{'SKIPPED-SEGMENTS'};
        } elsif (/^#EXT-X-MAP:(.*)$/) {
            $map = attributes($1)->{URI};
        } elsif (/^#EXT-X-DISCONTINUITY$/) {
            $breaks++;
        } elsif (/^#EXT-X-PROGRAM-DATE-TIME:(.*)$/) {
            $pdt = $1;
        } elsif (/^#EXT-X-GAP$/) {
            $gap = 1;
        } elsif (/^#EXT-X-PART:(.*)$/) {
            push @parts, attributes($1);
        } elsif (/^#EXTINF:([\d.]+),/) {
            $dur = $1;
        } elsif (/^#EXT-X-PRELOAD-HINT:(.*)$/) {
            $l{hint} = attributes($1);
        } elsif (/^#EXT-X-RENDITION-REPORT:(.*)$/) {
            push @{ $l{reports} }, attributes($1);
        } elsif (/^#EXT-X-ENDLIST$/) {
            $l{end} = 1;
        } elsif (/^#EXT-X-INDEPENDENT-SEGMENTS$/) {
            $l{independent} = 1;
        } elsif (/^#/) {
            $self->wrong("an unknown tag: $_");
        } else {
            push @{ $l{segments} }, { uri => $_, duration => $dur, pdt => $pdt, map => $map,
                                      breaks => $breaks, gap => $gap, parts => [ @parts ] };
            ($dur, $pdt, $gap, $breaks, @parts) = (undef, undef, 0, 0);
        }
    }

    $l{open} = \@parts;
    $l{open_breaks} = $breaks;
    $l{map} = $map;
    $l{next} = ($l{msn} // 0) + ($l{skipped} // 0) + @{ $l{segments} };

    return \%l;
}


# those of one playlist

sub rules {
    my ($self, $l) = @_;

    for (qw{ version target msn dsn }) {
        return $self->wrong("no $_") if !defined $l->{$_};
    }

    my $last = '';

    for my $s (@{ $l->{segments} }) {
        $self->wrong("$s->{uri} is longer than the target: $s->{duration}")
            if int($s->{duration} + 0.5) > $l->{target};
        $self->wrong("$s->{uri} has no head") if !$s->{map} && !$s->{gap};
        $self->wrong("$s->{uri} is a gap with parts") if $s->{gap} && @{ $s->{parts} };
        $self->wrong("$s->{uri} has no date") if !$s->{pdt};
        $self->wrong("$s->{uri} is dated before the one before it") if $s->{pdt} le $last;
        $last = $s->{pdt};

        $self->parts($l, $s->{parts}, 1, $s->{duration}, $s->{uri}) if @{ $s->{parts} };
    }

    return if !$l->{part_target};

    $self->parts($l, $l->{open}, 0, undef, 'the segment under way');

    my $c = $l->{control} || {};

    return if $l->{end};

    $self->wrong('the hold back is less than three parts')
        if ($c->{'PART-HOLD-BACK'} // 0) < 3 * $l->{part_target};
    $self->wrong('it does not block') if ($c->{'CAN-BLOCK-RELOAD'} // '') ne 'YES';
    $self->wrong('no hint') if !$l->{hint} ? !$l->{segments}[-1]{gap} : $l->{hint}{TYPE} ne 'PART';
    $self->wrong('a version without parts') if $l->{version} < 6;
    $self->wrong('it may skip too early')
        if ($c->{'CAN-SKIP-UNTIL'} // 1e9) < 6 * $l->{target};
}


sub parts {
    my ($self, $l, $parts, $whole, $duration, $of) = @_;

    my $sum = 0;

    for my $i (0 .. $#$parts) {
        my $d = $parts->[$i]{DURATION};
        $sum += $d;

        $self->wrong("part $i of $of is longer than the target: $d")
            if $d > $l->{part_target} + 0.000001;
        $self->wrong("part $i of $of is too short: $d")
            if $d < 0.85 * ($self->{part} // $l->{part_target}) && $i < $#$parts;
    }

    $self->wrong("the first part of $of cannot be begun with")
        if @$parts && ($parts->[0]{INDEPENDENT} // '') ne 'YES';
    $self->wrong("parts of $of are $sum, and it is $duration")
        if $whole && abs($sum - $duration) > 0.001;
}


# those of two, one after the other

sub follows {
    my ($self, $old, $l, $args) = @_;

    $self->wrong("the target was $old->{target}, and is $l->{target}")
        if $old->{target} > $l->{target};
    $self->wrong("segments were left before $l->{msn}, and are at $old->{msn} again")
        if $l->{msn} < $old->{msn};

    my %was;

    for my $i (0 .. $#{ $old->{segments} }) {
        $was{$old->{msn} + ($old->{skipped} // 0) + $i} = $old->{segments}[$i];
    }

    for my $i (0 .. $#{ $l->{segments} }) {
        my $n = $l->{msn} + ($l->{skipped} // 0) + $i;
        my ($was, $is) = ($was{$n} || next, $l->{segments}[$i]);

        for (qw{ uri duration pdt gap }, $is->{gap} ? () : 'map') {
            $self->wrong("$_ of segment $n was $was->{$_}, and is $is->{$_}")
                if $was->{$_} ne $is->{$_};
        }
    }

    # discontinuities that have left with their segments

    my $left = 0;

    for my $n ($old->{msn} + 1 .. $l->{msn}) {
        $left += $was{$n} ? $was{$n}{breaks} : $n == $old->{next} ? $old->{open_breaks} : 0;
    }

    $self->wrong("the discontinuity sequence was $old->{dsn}, $left have left, it is $l->{dsn}")
        if !defined $old->{skipped} && $l->{msn} < $old->{next} && $l->{dsn} != $old->{dsn} + $left;

    return if !$args || $l->{end};

    my ($msn, $part) = $args =~ /msn=(\d+)(?:&_HLS_part=(\d+))?/;

    $self->wrong("asked for $args, and did not get it")
        if $l->{next} < $msn
           || ($l->{next} == $msn && (!defined $part || @{ $l->{open} } <= $part));
}


# every file that is listed, once; returns those of whole segments, with their
# head, in the order of their numbers

sub fetch {
    my ($self) = @_;

    my $l = $self->{list};
    my @segments;

    for my $s (grep { !$_->{gap} } @{ $l->{segments} }) {
        my $head = $self->get($s->{map});
        my $data = $self->get($s->{uri});
        my $parts = join '', map { $self->get($_->{URI}) } @{ $s->{parts} };

        $self->wrong("parts of $s->{uri} are not what it is")
            if @{ $s->{parts} } && $parts ne $data;

        push @segments, { %$s, head => $head, data => $data };
    }

    $self->get($_->{URI}) for @{ $l->{open} };

    return @segments;
}


sub get {
    my ($self, $uri) = @_;

    $self->{files}{$uri} //= do {
        my $more = $self->{more} ? "?$self->{more}" : '';
        my $r = get_whole($self->{t}, "$self->{base}$uri$more");

        $self->wrong("$uri is listed: $r->{status}") if $r->{status} != 200;
        $self->wrong("$uri is empty") if !length($r->{content} // '');
        $r->{content} // '';
    };

    return $self->{files}{$uri};
}


1;
