
# Copyright (C) the ngx_http_webrtc_module authors
#
#   make test       build everything and run all tests;
#                   make test T="t/whep.t" runs some of them
#   make unit       the unit tests alone
#   make fuzz       fuzz each target for SECONDS=60
#   make soak       churn for MINUTES=10, and what is left of it
#   make compat     build against the newest nginx that Debian has
#   make asan       nginx and the module with sanitizers
#
# Included by the Makefile.

CLANG      = clang
SECONDS    = 60
MINUTES    = 10
T          =

# for warnings: those of clang do not depend on optimization, and the others of
# gcc have been looked for when the module itself was built; the flags beside
# these are nginx's own for either compiler

WARN_OPT      = -O0 -g0 -fPIC
NGX_OPT_gcc   = -pipe -W -Wall -Wpointer-arith -Wno-unused-parameter -Werror
NGX_OPT_clang = -Wextra -Wconditional-uninitialized $(NGX_OPT_gcc)

# Two thirds of the time of a compiler goes to headers of nginx and of the
# system.  What is built for tests has them precompiled, which the module itself
# and its package have not: there it shows when a file lacks one.  A compiler cache
# does better without.

PCH       := $(if $(findstring ccache,$(CC) $(realpath                        \
                 $(shell command -v $(CC)))),,1)

SAN        = -fsanitize=address,undefined -fno-sanitize-recover=undefined     \
             -fno-omit-frame-pointer

# what nginx itself does on purpose, and what its idioms make of us: an empty
# ngx_str_t is { 0, NULL }, and goes to ngx_memcpy()

SAN_NGX    = -fno-sanitize=nonnull-attribute,alignment,pointer-overflow,shift
SAN_MODULE = -fno-sanitize=nonnull-attribute

# what unit tests and fuzz targets link with: the pure rooms of t/layers.t,
# strictly without a warning, and of those above what works without nginx's
# event loop

PURE_DIRS  = base rtp codec sdp secure data signal token rtmp rtsp srt
LOOP_DIRS  = $(filter-out $(PURE_DIRS) http gateway,                          \
                          $(patsubst src/%/,%,$(wildcard src/*/)))
PURE_SRCS  = $(wildcard $(PURE_DIRS:%=src/%/*.c))
LOOP_SRCS  = $(filter-out src/helper/ngx_webrtc_helper.c                      \
                          src/helper/ngx_webrtc_helper_string.c,              \
                          $(wildcard $(LOOP_DIRS:%=src/%/*.c)))

# nginx's own files that these need; an archive, so that only what is used is
# linked

NGX_CORE   = core/ngx_string.c core/ngx_palloc.c core/ngx_array.c             \
             core/ngx_list.c core/ngx_buf.c core/ngx_crc32.c core/ngx_queue.c \
             core/ngx_rbtree.c core/ngx_hash.c core/ngx_inet.c                \
             core/ngx_slab.c core/ngx_shmtx.c core/ngx_murmurhash.c           \
             core/ngx_md5.c core/ngx_sha1.c os/unix/ngx_alloc.c               \
             os/unix/ngx_shmem.c

UNITS      = $(patsubst t/unit/%.c,%,$(wildcard t/unit/*.c))
FUZZERS    = $(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c))
TSANS      = $(filter ring_hammer,$(UNITS))
TSAN_SRCS  = src/zone/ngx_webrtc_bus_ring.c

LIBS       = -lsrtp2 -lssl -lcrypto -lnice -lgio-2.0 -lgobject-2.0 -lglib-2.0 \
             -lusrsctp -ljansson -lavformat -lavcodec     \
             -lavfilter -lswscale -lswresample -lavutil -lpthread -lm         \
             $(patsubst %,-lIPSec_MB,$(wildcard /usr/include/intel-ipsec-mb.h))

INCS       = $(patsubst %,-I src/%,$(PURE_DIRS) $(LOOP_DIRS))               \
             -isystem $(B)/src/nginx/src/core                                 \
             -isystem $(B)/src/nginx/src/event                                \
             -isystem $(B)/src/nginx/src/event/modules                        \
             -isystem $(B)/src/nginx/src/event/quic                           \
             -isystem $(B)/src/nginx/src/os/unix                              \
             -isystem $(B)/objs                                               \
             $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I     \
                                       gio-2.0 2>/dev/null))

WARN       = -Wall -Wextra -Werror


.PHONY: test unit fuzz soak compat asan packages-test

packages-test:
	@t/tools/packages.sh build run deb test


# Precompiled headers of a configured nginx: the directory $(1), for $(2), the
# compiler with its flags; $(3): where nginx is.  Its makes have $(use_headers).

make_headers = { cat $(1)/Makefile; printf '%s\n\t%s\n' headers: '$(if $(PCH),\
        $(2) -fPIC $$(CFLAGS) $$(ALL_INCS) -x c-header                        \
            -o $(1)/headers.h.gch $(1)/headers.h)'; } >$(1)/headers.mk        \
    && printf '\#include <ngx_%s.h>\n' config core event http >$(1)/headers.h \
    && $(MAKE) -s -f $(1)/headers.mk -C $(3) headers

use_headers = $(if $(PCH),-include $(1)/headers.h)

# The module as it has been configured in the directory $(2), in another one,
# $(1), with the compiler $(3), flags $(4), and those of the linker $(5), for nginx
# in $(6): what is looked for depends on none of these, and takes as long as fifty
# files.  headers.h comes last.

reconfigure = $(call reconfigured,$(strip $(1)),$(strip $(2)),$(strip $(3)),$(4),$(5),$(strip $(6)))

reconfigured = rm -rf $(1) && mkdir -p $(1) && cp $(2)/*.[ch] $(1)            \
    && cd $(2) && find addon -type d -exec mkdir $(1)/{} \;                   \
    && sed -e 's|$(2)/|$(1)/|g; s|$(2) |$(1) |g'                              \
           -e 's|^CC =.*|CC = $(3) $(use_headers)|'                           \
           -e 's|^CFLAGS =.*|CFLAGS = $(4)|'                                  \
           -e 's|^LINK =.*|LINK = $(3) $(5)|' Makefile >$(1)/Makefile         \
    && { $(call make_headers,$(1),$(3),$(6)); }                               \
    || { rm -f $(1)/headers.h; false; }


# the module with clang

$(B)/clang/headers.h: $(B)/objs/Makefile | packages-test
	$(Q)$(call quietly,configure-clang,$(call reconfigure,$(B)/clang,         \
	    $(B)/objs,$(CLANG),$(NGX_OPT_clang) $(WARN_OPT),,$(NGX_DEV)))

$(B)/clang/ngx_http_webrtc_module.so: FORCE $(B)/clang/headers.h
	$(Q)$(MAKE) -s -j$(JOBS) -f $(B)/clang/Makefile -C $(NGX_DEV) modules     \
	    >/dev/null


# nginx's C sources: of the installed version, and the newest that can be had

$(B)/src/nginx.stamp: $(B)/nginx.version t/tools/nginx-source.sh | packages-test
	@echo "fetching nginx's source package"
	$(Q)$(call quietly,nginx-source,                                          \
	    t/tools/nginx-source.sh $(B)/src installed)
	@echo "nginx's source: $$(cat $(B)/src/nginx-source.txt)"
	@touch $@

$(B)/new/nginx.stamp: t/tools/nginx-source.sh | packages-test
	@echo "fetching the source package of the newest nginx"
	$(Q)$(call quietly,nginx-source-new,                                      \
	    t/tools/nginx-source.sh $(B)/new sid testing stable)
	@echo "nginx's source: $$(cat $(B)/new/nginx-source.txt)"
	@touch $@


# a whole nginx with sanitizers, and the module for it

# a leak check takes its time: the master waits for more than a second before
# it kills workers

SAN_OPT    = -g1 -O1 -fPIC -DNGX_DEBUG_PALLOC=1

$(B)/asan/nginx: $(B)/src/nginx.stamp
	@echo "building nginx with sanitizers"
	$(Q)$(call quietly,asan-nginx,. $(NGX_DEV)/conf_flags;                    \
	    cd $(B)/src/nginx && sed -i 's/if (delay > 1000)/if (delay > 20000)/' \
	        src/os/unix/ngx_process_cycle.c                                   \
	    && rm -rf $(B)/asan/nginx-objs                                        \
	    && ./configure --builddir=$(B)/asan/nginx-objs                        \
	        "$${NGX_CONF_FLAGS[@]}" --with-debug --with-cc-opt='$(SAN_OPT)'   \
	    && $(call make_headers,$(B)/asan/nginx-objs,$(CC) $(SAN) $(SAN_NGX),  \
	        $(B)/src/nginx)                                                   \
	    && $(MAKE) -s -j$(JOBS) -f $(B)/asan/nginx-objs/Makefile binary       \
	        CC='$(CC) $(SAN) $(SAN_NGX) $(call use_headers,$(B)/asan/nginx-objs)')
	@cp $(B)/asan/nginx-objs/nginx $@

# nodelete: a module that was unloaded has no names in a leak's call stack

$(B)/asan/objs/headers.h: $(B)/objs/Makefile $(B)/src/nginx.stamp
	$(Q)$(call quietly,asan-configure,$(call reconfigure,$(B)/asan/objs,      \
	    $(B)/objs,$(CC),$(NGX_OPT_gcc) $(SAN_OPT) $(SAN) $(SAN_MODULE),       \
	    $(SAN) -Wl$(,)-z$(,)nodelete,$(B)/src/nginx))

$(B)/asan/ngx_http_webrtc_module.so: FORCE $(B)/asan/objs/headers.h
	$(Q)$(MAKE) -s -j$(JOBS) -f $(B)/asan/objs/Makefile                       \
	    -C $(B)/src/nginx modules >/dev/null
	@cmp -s $(B)/asan/objs/$(@F) $@                                           \
	    || { cp $(B)/asan/objs/$(@F) $@.new && mv $@.new $@; }

# the media process has what it shares with the module of that

HELPERS    = $(filter src/helper/%,$(MEDIA_SRCS))

$(eval $(call media_program,$(B)/asan,$(SAN_OPT) $(SAN) $(SAN_MODULE) -Wall   \
        $(if $(PCH),-include $(B)/asan/objs/headers.h),-pie $(SAN),$(HELPERS),\
        $(patsubst src/%.c,$(B)/asan/objs/addon/%.o,                          \
                   $(filter-out $(HELPERS),$(MEDIA_SRCS)))))

$(B)/asan/ngx-webrtc-media: $(B)/asan/ngx_http_webrtc_module.so
$(patsubst %.c,$(B)/asan/obj/%.o,$(HELPERS) $(GATEWAY_SRCS)):                 \
        $(B)/asan/objs/headers.h

$(eval $(call gateway_program,$(B)/asan,-pie $(SAN)))

asan: $(B)/asan/nginx $(B)/asan/ngx_http_webrtc_module.so                     \
      $(B)/asan/ngx-webrtc-media
	$(call if_srt,$(B)/asan/ngx-webrtc-srt)


# the module with --with-compat alone, against current sources

$(B)/compat/objs/Makefile: config $(B)/sources $(B)/new/nginx.stamp
	@echo "configuring the module for the newest nginx"
	$(Q)$(call quietly,configure-compat,cd $(B)/new/nginx                     \
	    && rm -rf $(B)/compat && ./configure --builddir=$(B)/compat/objs      \
	        --with-compat --with-cc=$(CC) --with-cc-opt='$(WARN_OPT)'         \
	        --with-ld-opt='$(LD_OPT)' --add-dynamic-module=$(ROOT)            \
	    || { rm -f $(B)/compat/objs/Makefile; false; })

$(B)/compat/gcc/headers.h $(B)/compat/clang/headers.h:                        \
$(B)/compat/%/headers.h: $(B)/compat/objs/Makefile
	$(Q)$(call quietly,configure-compat-$*,$(call reconfigure,$(B)/compat/$*, \
	    $(B)/compat/objs,$*,$(NGX_OPT_$*) $(WARN_OPT),,$(B)/new/nginx))

COMPAT = $(B)/compat/gcc/ngx_http_webrtc_module.so                            \
         $(B)/compat/clang/ngx_http_webrtc_module.so

$(COMPAT): $(B)/compat/%/ngx_http_webrtc_module.so: FORCE                     \
        $(B)/compat/%/headers.h
	$(Q)$(MAKE) -s -j$(JOBS) -f $(B)/compat/$*/Makefile -C $(B)/new/nginx     \
	    modules >/dev/null

compat: $(COMPAT)


# Unit tests.  Each flavour has its own objects:
#     fuzz   clang, ASan and UBSan    t/unit/*.c, t/fuzz/*.c, clients of tests
#     tsan   gcc, TSan                those of $(TSANS)
# What libFuzzer counts with costs unit tests less time than objects of their
# own take to be made.  (gcc sees uninitialised variables in what its sanitizers
# insert.)

FLAVOURS   = fuzz tsan

CC_tsan    = $(CC)
CC_fuzz    = $(CLANG)

FLAGS_tsan = -g1 -O1 -std=gnu99 -fsanitize=thread -Wno-maybe-uninitialized
FLAGS_fuzz = -g1 -O1 -std=gnu99 -DNGX_DEBUG_PALLOC=1 -fno-omit-frame-pointer   \
             -fsanitize=address,undefined -fno-sanitize-recover=undefined     \
             -fsanitize=fuzzer-no-link

SAN_NGX_fuzz = $(SAN_NGX)

define flavour

OBJS_$(1) = $$(PURE_SRCS:%.c=$$(B)/$(1)/obj/%.o)                              \
            $$(LOOP_SRCS:%.c=$$(B)/$(1)/obj/%.o)                              \
            $$(NGX_CORE:%.c=$$(B)/$(1)/obj/nginx/%.o)                         \
            $$(B)/$(1)/obj/t/lib/ngx_stubs.o

$$(B)/$(1)/obj/nginx/%.o: $$(B)/src/nginx.stamp | $$(B)/objs/Makefile
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(FLAGS_$(1)) $$(SAN_NGX_$(1)) -w $$(INCS) -c                            \
	    -o $$@ $$(B)/src/nginx/src/$$*.c

$$(B)/$(1)/obj/headers.h: Makefile t/test.mk $$(B)/src/nginx.stamp               \
        $$(B)/objs/Makefile
	@mkdir -p $$(@D)
	@printf '#include <ngx_%s.h>\n' config core event >$$@
	$$(Q)$$(if $$(PCH),$$(CC_$(1)) $$(FLAGS_$(1)) $$(INCS) -x c-header        \
	    -o $$@.gch $$@)

$$(B)/$(1)/obj/%.o: %.c $$(B)/$(1)/obj/headers.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$(1)) $$(WARN) $$(FLAGS_$(1)) $$(INCS) -I t/unit -MMD -MP -c   \
	    $$(if $$(PCH),-include $$(B)/$(1)/obj/headers.h) -o $$@ $$<

$$(LOOP_DIRS:%=$$(B)/$(1)/obj/src/%/%.o): WARN += -Wno-unused-parameter
$$(B)/$(1)/obj/t/lib/ngx_stubs.o: WARN += -Wno-unused-parameter

$$(B)/$(1)/libpure.a: $$(OBJS_$(1)) Makefile t/test.mk
	@rm -f $$@
	$$(Q)ar rcs $$@ $$(OBJS_$(1))

-include $$(wildcard $$(B)/$(1)/obj/*/*.d $$(B)/$(1)/obj/*/*/*.d)

endef

$(foreach f,$(FLAVOURS),$(eval $(call flavour,$(f))))

UNIT_BINS  = $(UNITS:%=$(B)/unit/%)
TSAN_BINS  = $(TSANS:%=$(B)/tsan/%)
FUZZ_BINS  = $(FUZZERS:%=$(B)/fuzz/%)

$(UNIT_BINS): $(B)/unit/%: $(B)/fuzz/obj/t/unit/%.o $(B)/fuzz/libpure.a
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FLAGS_fuzz) -o $@ $^ -Wl,--as-needed $(LIBS)

$(TSAN_BINS): $(B)/tsan/%: $(B)/tsan/obj/t/unit/%.o                           \
                           $(TSAN_SRCS:%.c=$(B)/tsan/obj/%.o)
	$(Q)$(CC) $(FLAGS_tsan) -o $@ $^

$(FUZZ_BINS): $(B)/fuzz/%: $(B)/fuzz/obj/t/fuzz/%.o $(B)/fuzz/libpure.a
	$(Q)$(CLANG) $(FLAGS_fuzz) -fsanitize=fuzzer -o $@ $^                     \
	    -Wl,--as-needed $(LIBS)

.SECONDARY:

units: $(UNIT_BINS) $(TSAN_BINS)
fuzzers: $(FUZZ_BINS)

.PHONY: units fuzzers

include t/bench/bench.mk


# what browser tests are driven with

PLAYWRIGHT  = 1.49.1
DATACHANNEL = 0.33.4
WHIPWHEP    = 1.2.0
HLSJS       = 1.5.20

# JavaScript clients of WHIP and WHEP, and players of HLS and DASH; npm removes
# what it is not told of, so that all is installed at once

JS_CLIENTS  = whip-whep@$(WHIPWHEP) @eyevinn/webrtc-player@0.13.0              \
              @eyevinn/whip-web-client@1.1.7 hls.js@$(HLSJS) dashjs@4.7.4

override NPM_STAMP :=                                                         \
    $(B)/node_modules/$(PLAYWRIGHT)-$(DATACHANNEL)-$(WHIPWHEP)-$(HLSJS).stamp

$(NPM_STAMP): | packages-test
	@echo "installing playwright-core and clients with npm"
	$(Q)$(call quietly,npm,npm install --prefix $(B) --cache $(B)/npm-cache   \
	    --no-save --no-package-lock --no-audit --no-fund --ignore-scripts     \
	    --loglevel=error playwright-core@$(PLAYWRIGHT)                        \
	    node-datachannel@$(DATACHANNEL) $(JS_CLIENTS))
	@rm -rf $(B)/npm-cache
	@touch $@

browser: $(NPM_STAMP)

.PHONY: browser


# what tests play

$(B)/media/stamp: t/lib/media.sh | packages-test
	@echo "generating the test streams"
	$(Q)$(call quietly,media,rm -rf $(B)/media; t/lib/media.sh $(B)/media)
	@touch $@

media: $(B)/media/stamp

.PHONY: media


# The tests, four at a time, of which two play in a browser (t/testrules.yml: two
# rows of about the same length, where a new one is in the second), and one
# builds.  Most of the others wait for most of their time; the longest begin
# first.

export WEBRTC_ROOT     = $(ROOT)
export WEBRTC_BUILD    = $(B)
export TMPDIR          = $(B)/tmp

SAN_ENV    = ASAN_OPTIONS=detect_odr_violation=0                              \
             UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1                 \
             TSAN_OPTIONS=halt_on_error=0:exitcode=66                         \
             LSAN_OPTIONS=suppressions=$(ROOT)/t/lib/lsan.supp:print_suppressions=0

PROVE      = $(SAN_ENV) prove --timer -I t/lib

# A test that fails beside others is run once more, alone: prove then names it
# twice.  What fails alone too has failed; so have more than AGAIN of them.

AGAIN      = 5
STATE      = --statefile=$(B)/tests.state

TESTS      = $(sort $(wildcard t/*.t t/attack/*.t)) $(UNIT_BINS) $(TSAN_BINS)

all-tests:
	@$(MAKE) -s --no-print-directory -j$(JOBS) module units asan fuzzers      \
	    clients browser media

test: packages-test
	@$(MAKE) -s --no-print-directory all-tests
	@mkdir -p $(TMPDIR)
	@rm -f $(B)/tests.state
	$(Q)$(PROVE) -j4 --state=save $(STATE)                                    \
	    $(if $(T),$(T),$(TESTS:$(ROOT)/%=%)) || {                             \
	    prove -D --state=failed $(STATE) >$(B)/tests.failed;                  \
	    n=$$(wc -l <$(B)/tests.failed);                                       \
	    [ $$n -gt 0 ] && [ $$n -le $(AGAIN) ] || exit 1;                      \
	    echo "failed beside others, now alone:" $$(cat $(B)/tests.failed);    \
	    $(PROVE) -j1 $$(cat $(B)/tests.failed); }

unit: packages-test
	@$(MAKE) -s --no-print-directory -j$(JOBS) units
	@mkdir -p $(TMPDIR)
	$(Q)$(PROVE) -j4 $(UNIT_BINS:$(ROOT)/%=%) $(TSAN_BINS:$(ROOT)/%=%)

.PHONY: all-tests

# a target's new inputs are kept in build/fuzz/corpus

fuzz: packages-test
	@$(MAKE) -s --no-print-directory -j$(JOBS) fuzzers
	@cd $(B)/fuzz && for name in $(FUZZERS); do                               \
	    echo "== $$name";                                                     \
	    mkdir -p corpus/$$name $(ROOT)/t/data/corpus/$$name;                  \
	    $(SAN_ENV) ./$$name -max_total_time=$(SECONDS) -timeout=10            \
	        -detect_leaks=0                                                   \
	        -print_final_stats=1 -verbosity=0                                 \
	        corpus/$$name $(ROOT)/t/data/corpus/$$name || exit 1;             \
	done


# churn for MINUTES=10, with a line a minute: t/soak/soak.pl

soak: packages-test
	@$(MAKE) -s --no-print-directory module browser media
	@mkdir -p $(TMPDIR)
	@MINUTES=$(MINUTES) perl t/soak/soak.pl
