package NgxWebRTC::TestNginx;

# Copyright (C) the ngx_http_webrtc_module authors
#
# A small stand-in for Test::Nginx::Socket, on Test::Base: the sections and
# functions listed below mean what they mean there, anything else dies.  Runs
# the nginx with sanitizers; checks after every block, as all tests here do,
# that the log has no [alert] or [emerg] and that no sanitizer spoke.

use strict;
use warnings;

use Test::Base ();
use Test::More ();
use IO::Socket::INET;

use NgxWebRTC ();


my %SECTIONS = map { $_ => 1 } qw/
    main_config http_config config
    request pipelined_requests raw_request more_headers
    error_code error_code_like response_headers response_headers_like
    raw_response_headers_like raw_response_headers_unlike
    response_body response_body_like response_body_unlike
    error_log no_error_log must_die
    user_files timeout wait abort ignore_response
    ONLY SKIP LAST
/;

my @EXPORT = qw/ run_tests repeat_each no_long_string no_shuffle no_diff
                 no_root_location log_level workers master_on
                 add_block_preprocessor /;

my $repeat = 1;
my $level = 'info';
my $workers = 1;
my $root_location = 1;
my $plan;
my @preprocessors;
my $t;
my $running = '';
my $log_from = 0;


sub import_into {
    my ($class, @args) = @_;

    my ($caller) = caller(1);

    strict->import;
    warnings->import;

    $ENV{TEST_NGINX_MEDIA} ||= "$NgxWebRTC::BUILD/media";

    {
        no strict 'refs';

        # the caller's own DATA is what Test::Base reads its blocks from

        *{"${caller}::$_"} = \&{$_} for @EXPORT;
        *{"${caller}::plan"} = \&plan;
        *{"${caller}::blocks"} = \&blocks;

        for my $name (qw/ ok is isnt like unlike is_deeply cmp_ok diag pass
                          fail /)
        {
            *{"${caller}::$name"} = \&{"Test::More::$name"};
        }
    }

    plan(@args) if @args;
}


sub repeat_each { $repeat = $_[0] if @_; return $repeat }
sub log_level { $level = $_[0] if @_; return $level }
sub workers { $workers = $_[0] if @_; return $workers }

sub no_long_string { }
sub no_shuffle { }
sub no_diff { }
sub no_root_location { $root_location = 0 }
sub master_on { }

sub add_block_preprocessor { push @preprocessors, $_[0] }


sub plan {
    $plan = [ @_ ];
    Test::More::plan(@_);
}


my $blocks;

sub blocks {

    if (!$blocks) {
        my $base = Test::Base->new;

        $base->_spec_string(do { local $/; no warnings 'once';
                                 readline(*main::DATA) });
        $blocks = $base->block_list;

        $_->run_filters for @$blocks;
    }

    return @$blocks;
}


sub run_tests {
    for my $block (blocks()) {
        $_->($block) for @preprocessors;

        for my $name (keys %{ $block->_section_map }) {
            if (!$SECTIONS{$name}) {
                die $block->name . ": unknown section --- $name\n";
            }
        }

        # the real one would go on with the block's before

        if (!defined $block->config) {
            die $block->name . ": no section --- config\n";
        }

        # the real one adds one of its own

        if ($root_location && $block->config =~ m{^\s*location\s+/\s*\{}m) {
            die $block->name . ": no_root_location() is not called\n";
        }

        run_block($block) for 1 .. $repeat;
    }

    stop();

    Test::More::done_testing() if !$plan;
}


# a section after its filters: undef, a string, or a reference

sub value {
    my ($block, $name) = @_;

    return undef if !exists $block->{$name};

    my @v = $block->$name;

    return @v > 1 ? [ @v ] : $v[0];
}


sub env {
    my ($text) = @_;

    $text //= '';
    $text =~ s/\$\{?(TEST_NGINX_\w+)\}?/
               $ENV{$1} \/\/ die "\$ENV{$1} is not set\n"/ge;

    return $text;
}


sub server {
    my ($block) = @_;

    my %conf = (
        udp    => undef,
        status => '',
        main   => env(value($block, 'main_config')),
        http   => env(value($block, 'http_config')),
        server => env(value($block, 'config')),
    );

    my $key = join "\0", map { $_ // '' } map { $conf{$_} } sort keys %conf;

    return if $t && $key eq $running && $t->{nginx};

    stop();

    $t = NgxWebRTC->new(asan => 1, workers => $workers,
                        log_level => $level);
    $log_from = 0;

    if (my $files = value($block, 'user_files')) {
        my @files = ref $files ? @$files : ();

        if (!ref $files) {
            while ($files =~ /^>>> (\S+)[^\n]*\n(.*?)(?=^>>> |\z)/gms) {
                push @files, [ $1, $2 ];
            }
        }

        mkdir $t->dir . '/html';
        $t->write_file("html/$_->[0]", $_->[1]) for @files;
    }

    if (exists $block->{must_die}) {
        my ($ok, $said) = $t->test_config(%conf);
        $running = '';
        return ($ok, $said);
    }

    $t->start(%conf);
    $running = $key;

    return;
}


sub stop {
    return if !$t;

    my $old = $t;
    $t = undef;
    $running = '';

    if ($old->{nginx}) {
        Test::More::ok(!$old->exited($old->{nginx}), 'nginx still runs');
        Test::More::ok($old->stop, 'nginx stops when told to');
    }

    # a configuration that must die says [emerg] on stderr, not in the log

    my @bad = $old->complaints;

    Test::More::is(scalar(@bad), 0, 'no alerts, no sanitizer reports')
        or Test::More::diag(join "\n", @bad);

    $old->{remove} = Test::More->builder->is_passing;
}


sub requests {
    my ($block) = @_;

    my $raw = value($block, 'raw_request');

    if (defined $raw) {
        return map { ref $_ ? join('', @$_) : $_ }
               ref $raw ? @$raw : ($raw);
    }

    my $request = value($block, 'pipelined_requests')
                  // value($block, 'request') // return;
    my $more = value($block, 'more_headers');

    my @requests = ref $request ? @$request : ($request);
    my @out;

    for my $i (0 .. $#requests) {
        my $text = ref $requests[$i] ? join '', map { ref $_ ? $_->{value}
                                       : $_ } @{ $requests[$i] }
                                     : $requests[$i];

        $text =~ s/^\s+//;
        my ($line, $body) = $text =~ /^([^\n]*)\n?(.*)\z/s;
        $line =~ s/\r$//;

        my ($method, $uri, $version) =
            $line =~ m{^(\S+)\s+(\S+)(?:\s+(HTTP/\S+))?\s*$}
            or die $block->name . ": bad request line: $line\n";
        $version ||= 'HTTP/1.1';

        my $headers = ref $more ? $more->[$i] // '' : $more // '';
        $headers =~ s/\r?\n/\r\n/g;
        $headers =~ s/(?:\r\n)+\z//;
        $headers .= "\r\n" if $headers ne '';

        # as there: a body's last line break is the section's, not the body's
        chomp $body if !ref $request;

        my $length = $headers =~ /^(?:Content-Length|Transfer-Encoding):/im
                     || ($body eq '' && $method !~ /^(?:POST|PUT|PATCH)$/)
                     ? '' : 'Content-Length: ' . length($body) . "\r\n";

        my $host = $headers =~ /^Host:/im ? '' : "Host: localhost\r\n";

        push @out, "$method $uri $version\r\n${host}Connection: close\r\n"
                   . "$headers$length\r\n$body";
    }

    return @out;
}


sub talk {
    my ($request, $timeout, $method) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $t->port('http'))
        or return (undef, "connect: $!");

    local $SIG{PIPE} = 'IGNORE';
    $s->autoflush(1);

    my ($sent, $buf) = (0, '');
    my $end = Time::HiRes::time() + $timeout;

    # write and read at once: the server may answer before it has it all

    while ((my $left = $end - Time::HiRes::time()) > 0) {
        my ($r, $w) = ('', '');
        vec($r, fileno($s), 1) = 1;
        vec($w, fileno($s), 1) = 1 if $sent < length $request;

        next if select($r, $w, undef, $left) <= 0;

        if ($sent < length $request && vec($w, fileno($s), 1)) {
            my $n = syswrite $s, $request, 65536, $sent;
            $sent = defined $n ? $sent + $n : length $request;
        }

        if (vec($r, fileno($s), 1)) {
            my $n = sysread $s, $buf, 65536, length $buf;
            return (parse($buf)) if !$n;
        }
    }

    return (undef, "timeout after $timeout s, so far: $buf");
}


sub parse {
    my ($buf) = @_;

    my ($head, $body) = $buf =~ /^(.*?\r\n)\r\n(.*)\z/s
        or return (undef, "no response: $buf");

    my ($status) = $head =~ m{^HTTP/\S+ (\d+)};
    my %headers;

    while ($head =~ /^([^:\r\n]+):[ \t]*([^\r\n]*)\r$/mg) {
        push @{ $headers{lc $1} }, $2;
    }

    if (lc(($headers{'transfer-encoding'} || [ '' ])->[0]) eq 'chunked') {
        my $out = '';
        while ($body =~ s/^([0-9a-f]+)[^\r\n]*\r\n//i) {
            my $n = hex $1 or last;
            $out .= substr $body, 0, $n + 2, '';
            substr $out, -2, 2, '';
        }
        $body = $out;
    }

    return { status => $status, headers => \%headers, raw => $head,
             body => $body };
}


# what a section expects of the response to request $i; as there, many requests
# have an array of expectations

sub nth {
    my ($block, $section, $i) = @_;

    my $value = value($block, $section);

    return $value->[$i] if ref $value eq 'ARRAY';

    if (defined $value && ref value($block, 'request')) {
        die $block->name . ": --- $section is no array\n";
    }

    return $value;
}


sub regex {
    my ($value) = @_;

    return $value if ref $value eq 'Regexp';

    chomp $value;
    return qr/$value/sm;
}


sub run_block {
    my ($block) = @_;

    my $name = $block->name;
    my ($ok, $said) = server($block);

    if (exists $block->{must_die}) {
        Test::More::ok(!$ok, "$name - configuration is refused");
        check_log($block, $name, sub { $said });
        return;
    }

    my @requests = requests($block);

    # a server that goes on running is asked about this block's lines only

    $log_from = @requests ? length $t->log : 0;

    my $timeout = value($block, 'timeout') || 10;
    chomp $timeout;
    $timeout =~ s/s?$//;

    for my $i (0 .. $#requests) {
        my $n = @requests > 1 ? "$name - request $i" : $name;
        my ($r, $error) = talk($requests[$i], $timeout);

        next if exists $block->{ignore_response}
                || exists $block->{abort};

        if (!$r) {
            Test::More::fail("$n - response");
            Test::More::diag($error);
            next;
        }

        check_response($block, $n, $r, $i);
    }

    check_log($block, $name, sub { substr $t->log, $log_from });
}


sub check_response {
    my ($block, $name, $r, $i) = @_;

    my $v;

    my $ok;

    if (defined($v = nth($block, 'error_code_like', $i))) {
        $ok = Test::More::like($r->{status}, regex($v), "$name - status code");

    } else {
        $v = nth($block, 'error_code', $i) // 200;
        $v =~ s/\s//g;
        $ok = Test::More::is($r->{status}, $v, "$name - status code");
    }

    Test::More::diag($r->{raw}, $r->{body}) if !$ok;

    if (defined($v = nth($block, 'response_headers', $i))) {
        for my $line (grep { /\S/ } split /\r?\n/, $v) {
            if ($line =~ /^!\s*(\S+)/) {
                Test::More::ok(!$r->{headers}{lc $1},
                               "$name - header $1 is absent");

            } elsif ($line =~ /^([^:]+):\s*(.*?)\s*$/) {
                Test::More::is(join(', ', @{ $r->{headers}{lc $1} || [] }),
                               $2, "$name - header $1");
            }
        }
    }

    if (defined($v = nth($block, 'response_headers_like', $i))) {
        for my $line (grep { /\S/ } split /\r?\n/, $v) {
            my ($header, $re) = $line =~ /^([^:]+):\s*(.*?)\s*$/;
            Test::More::like(join(', ', @{ $r->{headers}{lc $header} || [] }),
                             qr/^$re$/, "$name - header $header");
        }
    }

    if (defined($v = nth($block, 'raw_response_headers_like', $i))) {
        Test::More::like($r->{raw}, regex($v), "$name - headers");
    }

    if (defined($v = nth($block, 'raw_response_headers_unlike', $i))) {
        Test::More::unlike($r->{raw}, regex($v), "$name - headers");
    }

    if (defined($v = nth($block, 'response_body', $i))) {
        Test::More::is($r->{body}, $v, "$name - body");
    }

    if (defined($v = nth($block, 'response_body_like', $i))) {
        Test::More::like($r->{body}, regex($v), "$name - body");
    }

    if (defined($v = nth($block, 'response_body_unlike', $i))) {
        Test::More::unlike($r->{body}, regex($v), "$name - body");
    }
}


sub patterns {
    my ($v) = @_;

    return () if !defined $v;
    return map { ref $_ eq 'Regexp' ? $_ : qr/\Q$_\E/ }
           grep { ref $_ || /\S/ }
           ref $v eq 'ARRAY' ? @$v : ref $v ? ($v) : split /\n/, $v;
}


sub check_log {
    my ($block, $name, $log) = @_;

    for my $re (patterns(value($block, 'error_log'))) {

        # "wait" is how long the real one sleeps before it reads the log

        my $found = NgxWebRTC::wait_for(20, sub { $log->() =~ $re });
        Test::More::ok($found, "$name - log has $re")
            or Test::More::diag($log->());
    }

    for my $re (patterns(value($block, 'no_error_log'))) {
        Test::More::unlike($log->(), $re, "$name - log has no $re");
    }
}


END {
    local $?;
    undef $t;
}


1;
