
# Copyright (C) the ngx_http_webrtc_module authors
#
#   make            build/ngx_http_webrtc_module.so for the installed nginx
#   make run        build and start the demo on http://localhost:8080/
#   make test       build everything and run all tests;
#                   make test T="t/whep.t" runs some of them
#   make install    put the module where the installed nginx looks for it
#   make deb        build/libnginx-mod-http-webrtc_*.deb for it
#   make clean      remove build/, the only place where anything is written
#
# t/test.mk has the tests, and what they need.
#
# Missing Debian packages are installed first (t/tools/packages.sh).

SHELL      = /bin/bash
.SHELLFLAGS = -e -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL = module
MAKEFLAGS  += --no-builtin-rules

# nginx, ip and nft live where Debian's users do not look

export PATH := $(PATH):/usr/sbin:/sbin

CC         = gcc
JOBS       = 2

# nginx-dev: configure, headers and the flags of the installed nginx

NGX_DEV    = /usr/share/nginx/src

override ROOT := $(CURDIR)
override B    := $(CURDIR)/build

MODULE     = $(B)/ngx_http_webrtc_module.so
MEDIA      = $(B)/ngx-webrtc-media
GATEWAY    = $(B)/ngx-webrtc-srt

CC_OPT     = -g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
LD_OPT     = -fPIC -Wl,-z,relro -Wl,-z,now

# one in arguments of functions

,         := ,

SRCS       = $(wildcard *.c src/*/*.c)
HDRS       = $(wildcard src/*/*.h)

Q          = $(if $(V),,@)

# runs a command, one make at a time, with its output in a log that is shown
# when it fails

quietly    = mkdir -p $(B)/log; exec 9>$(B)/log/$(1).lock; flock 9;           \
             { $(2); } 9>&- >$(B)/log/$(1).log 2>&1                           \
             || { tail -n 60 $(B)/log/$(1).log >&2;                           \
                  echo "failed, see build/log/$(1).log" >&2; exit 1; }


# targets that are made where there is libsrt, once packages are there

if_srt     = @if t/tools/libsrt.sh $(CC) >/dev/null; then                     \
	         $(MAKE) -s --no-print-directory $(1); fi


.PHONY: module run install deb clean FORCE                                    \
        packages-build packages-run packages-deb

module: $(MODULE) $(MEDIA)
	$(call if_srt,$(GATEWAY))

FORCE:


# packages

packages-build:
	@t/tools/packages.sh build

packages-run:
	@t/tools/packages.sh build run

packages-deb:
	@t/tools/packages.sh build deb

# changes when the installed nginx or the compiler does; makes that run beside
# each other (if_srt) have a new file each

$(B)/nginx.version: FORCE | packages-build
	@mkdir -p $(B)
	@new=$@.$$$$;                                                             \
	{ nginx -V; $(CC) --version; cat $(NGX_DEV)/conf_flags; } >$$new 2>&1     \
	    || { cat $$new >&2; rm $$new; exit 1; };                              \
	cmp -s $@ $$new && rm $$new || mv $$new $@


# changes when a file of the module comes or goes: config looks for them

$(B)/sources: FORCE
	@mkdir -p $(B)
	@new=$@.$$$$; printf '%s\n' $(sort $(SRCS) $(HDRS)) >$$new;               \
	cmp -s $@ $$new && rm $$new || mv $$new $@


# the module for the installed nginx

configure_dev = . $(NGX_DEV)/conf_flags && cd $(NGX_DEV) && rm -rf $(1)       \
        && ./configure --builddir=$(1) "$${NGX_CONF_FLAGS[@]}"                \
               --with-cc=$(2) --with-cc-opt='$(3)'                            \
               --with-ld-opt='$(LD_OPT)' --add-dynamic-module=$(ROOT)         \
        || { rm -f $(1)/Makefile; false; }

$(B)/objs/Makefile: config $(B)/sources $(B)/nginx.version
	@echo "configuring the module for the installed nginx"
	$(Q)$(call quietly,configure,$(call configure_dev,$(B)/objs,$(CC),$(CC_OPT)))

$(MODULE): FORCE $(B)/objs/Makefile
	$(Q)$(MAKE) -s -j$(JOBS) -f $(B)/objs/Makefile -C $(NGX_DEV) modules      \
	    >/dev/null
	@cmp -s $(B)/objs/$(@F) $@                                                \
	    || { cp $(B)/objs/$(@F) $@.new && mv $@.new $@ && echo "built $@"; }


# the media process: a program of its own, the only one with FFmpeg's libraries

MEDIA_SRCS = $(wildcard $(patsubst %,src/%/*.c,base rtp codec helper))       \
             $(patsubst %,src/media/ngx_webrtc_%.c,                           \
                        media_message media_ring movie movie_plan source_mask    \
                        source_url target)

MEDIA_INCS = $(patsubst %,-I src/%,base rtp codec media helper srt gateway)  \
             $(addprefix -isystem ,$(wildcard                                 \
                 $(patsubst %,$(NGX_DEV)/src/%,core event event/*/ os/unix))) \
             -isystem $(B)/objs

MEDIA_OPT  = $(CC_OPT) -fPIE -ffunction-sections -Wall
MEDIA_LD   = -pie -Wl,-z,relro -Wl,-z,now -Wl,--gc-sections -Wl,--as-needed

MEDIA_LIBS = -lavformat -lavcodec -lavfilter -lswscale -lswresample -lavutil \
             -lpthread -lm

# $(1): a directory, $(2): flags, $(3): of the linker, $(4): the sources, and
# $(5): objects that others have made

define media_program

$(1)/obj/%.o: %.c Makefile $(B)/objs/Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(2) $$(MEDIA_INCS) -MMD -MP -c -o $$@ $$<

$(1)/ngx-webrtc-media: $(4:%.c=$(1)/obj/%.o)
	$$(Q)$$(CC) $(3) -o $$@.new $$(filter %.o,$$^) $(5) $$(MEDIA_LIBS)
	@mv $$@.new $$@ && echo "built $$@"

-include $(4:%.c=$(1)/obj/%.d)

endef

$(eval $(call media_program,$(B),$(MEDIA_OPT),$(MEDIA_LD),$(MEDIA_SRCS)))


# the port of SRT publishers: another one, the only one with libsrt, of which
# FFmpeg's libraries may have a copy of their own

GATEWAY_SRCS = $(wildcard src/gateway/*.c src/srt/*.c)                        \
               $(patsubst %,src/base/ngx_webrtc_%.c,time uri)                 \
               $(patsubst %,src/helper/ngx_webrtc_helper_%.c,                 \
                          gpu sandbox string)

# $(1): a directory, $(2): flags, $(3): of the linker

define gateway_program

$(1)/ngx-webrtc-srt: $$(GATEWAY_SRCS:%.c=$(1)/obj/%.o) t/tools/libsrt.sh
	$$(Q)$$(CC) $(2) -o $$@.new $$(filter %.o,$$^)                            \
	    $$$$(t/tools/libsrt.sh $$(CC)) -lpthread
	@mv $$@.new $$@ && echo "built $$@"

-include $$(GATEWAY_SRCS:%.c=$(1)/obj/%.d)

endef

$(eval $(call gateway_program,$(B),$(MEDIA_LD)))

install: module
	dir=$$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p');     \
	install -D -m 0644 $(MODULE)                                              \
	    "$(DESTDIR)$${dir:-/usr/lib/nginx/modules}/$(notdir $(MODULE))";      \
	for program in $(MEDIA) $(GATEWAY); do                                    \
	    [ ! -e $$program ] || install -m 0755 $$program                       \
	        "$(DESTDIR)$${dir:-/usr/lib/nginx/modules}/";                     \
	done


# a Debian package, of a copy: debian/ is expected at the top

deb: packages-deb
	@echo "building the Debian package"
	@rm -rf $(B)/deb && mkdir -p $(B)/deb/source $(TMPDIR)
	@tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C $(B)/deb/source
	@cp -r docs/packaging/debian $(B)/deb/source/
	$(Q)$(call quietly,deb,cd $(B)/deb/source                                 \
	    && DEB_BUILD_OPTIONS="parallel=$(JOBS) noautodbgsym"                  \
	       dpkg-buildpackage -b -us -uc)
	@rm -f $(B)/*.deb && mv $(B)/deb/*.deb $(B)/ && rm -rf $(B)/deb
	@ls $(B)/*.deb


# the demo

run: packages-run
	@$(MAKE) -s --no-print-directory module
	@docs/demo/run.sh $(B)


clean:
	rm -rf $(B)


include t/test.mk
