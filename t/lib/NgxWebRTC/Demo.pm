package NgxWebRTC::Demo;

# Copyright (C) the ngx_http_webrtc_module authors
#
# The pages and clients of docs/demo in a browser, with files for them.
#
#     my $demo = NgxWebRTC::Demo->new($t, http => '...', server => '...',
#                                     files => [ 'a.bin' ]);
#     $demo->start;                   # again after $t->stop, too
#     my $page = $demo->open('/file.html?file=/files/a.bin');
#     $demo->eval('document.title')   # of the page opened last, until it is true
#     $demo->{data};                  # bytes of each file: 2.6 MB, no two alike
#
# The server has docs/demo at /, and an empty page at /page.  Pages come from
# localhost, which browsers trust.

use strict;
use warnings;


sub new {
    my ($class, $t, %o) = @_;

    my $self = bless {
        t    => $t,
        b    => $o{browser},
        http => 'types { text/html html; text/javascript js; text/css css; }'
                . ($o{http} || ''),
        server => "location / { root %%ROOT%%/docs/demo; }\n"
                  . "location = /page { default_type text/html;"
                  . " return 200 '<!doctype html>'; }\n"
                  . ($o{server} || ''),
    }, $class;

    if ($o{files}) {
        mkdir $t->dir . '/files';

        $self->{data} = pack 'N*', map { $_ * 2654435761 & 0xffffffff }
                                   0 .. 640 * 1024 - 1;
        $t->write_file("files/$_", $self->{data}) for @{ $o{files} };
    }

    return $self;
}


sub start {
    my ($self) = @_;

    return $self->{t}->start(http => $self->{http},
                             server => $self->{server});
}


# another browser than Chromium from here on

sub browser {
    my ($self, $b) = @_;

    $self->{b} = $b if $b;

    return $self->{b} ||= $self->{t}->browser;
}


sub open {
    my ($self, $path) = @_;

    (my $url = $self->{t}->url($path)) =~ s/127\.0\.0\.1/localhost/;

    return $self->{page} = $self->browser->page($url);
}


sub eval {
    my ($self, $script, $timeout) = @_;

    return $self->browser->call('eval', page => $self->{page}{page},
                                script => $script,
                                timeout => $timeout || 60)->{value};
}


sub close {
    my ($self) = @_;

    return $self->browser->call('close', page => $self->{page}{page});
}


1;
