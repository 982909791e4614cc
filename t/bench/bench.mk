# Copyright (C) the ngx_http_webrtc_module authors
#
#   make bench          all tables of docs/performance.md
#   make bench-tools    build/bench/{whepbench,whipbench,...} alone
#   make clients        build/unit/{whepbench,whipbench,filebench}: with
#                       sanitizers, what t/publish_*.t and t/file_seek.t run
#
#   make bench QUICK=1  a quarter of an hour; MINUTES=n bounds any run
#   make bench TABLES="viewers limit" N="100 1000" REPEAT=1 DURATION=3
#
# To be included by the Makefile behind its "flavour" and module rules.

# objects without sanitizers

CC_bench    = $(CC)
FLAGS_bench = -g -O2 -std=gnu99 -Wno-maybe-uninitialized

$(eval $(call flavour,bench))

BENCH_BINS  = $(B)/bench/whepbench $(B)/bench/whipbench $(B)/bench/limit      \
              $(B)/bench/srtp $(B)/bench/ring $(B)/bench/filebench        \
              $(B)/bench/transcode

CLIENT      = client.o stamp.o bench.o
WHEPBENCH   = whepbench.o viewer.o $(CLIENT)
WHIPBENCH   = whipbench.o publisher.o $(CLIENT)

$(B)/bench/whepbench: $(WHEPBENCH:%=$(B)/bench/obj/t/bench/%)
$(B)/bench/whipbench: $(WHIPBENCH:%=$(B)/bench/obj/t/bench/%)
$(B)/bench/limit: $(B)/bench/obj/t/bench/limit.o
$(B)/bench/srtp: $(B)/bench/obj/t/bench/srtp.o
$(B)/bench/ring: $(B)/bench/obj/t/bench/ring.o
$(B)/bench/filebench: $(B)/bench/obj/t/bench/filebench.o
$(B)/bench/transcode: $(B)/bench/obj/t/bench/transcode.o

$(BENCH_BINS): $(B)/bench/obj/t/bench/bench.o $(B)/bench/libpure.a
	$(Q)$(CC) $(FLAGS_bench) -o $@ $(filter %.o,$^) $(filter %.a,$^)       \
	    -Wl,--as-needed $(LIBS)

bench-tools: $(BENCH_BINS)

# the load clients as tests use them

CLIENT_BINS = $(B)/unit/whepbench $(B)/unit/whipbench $(B)/unit/filebench

$(B)/unit/whepbench: $(WHEPBENCH:%=$(B)/fuzz/obj/t/bench/%)
$(B)/unit/whipbench: $(WHIPBENCH:%=$(B)/fuzz/obj/t/bench/%)
$(B)/unit/filebench: $(B)/fuzz/obj/t/bench/filebench.o                        \
                     $(B)/fuzz/obj/t/bench/bench.o

$(CLIENT_BINS): $(B)/fuzz/libpure.a
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FLAGS_fuzz) -o $@ $(filter %.o,$^) $(filter %.a,$^)         \
	    -Wl,--as-needed $(LIBS)

clients: $(CLIENT_BINS)

bench: packages-test
	@$(MAKE) -s --no-print-directory -j$(JOBS) module bench-tools
	@mkdir -p $(TMPDIR)
	$(Q)t/bench/run $(if $(QUICK),-q) $(if $(N),-n "$(N)")                    \
	    $(if $(REPEAT),-r $(REPEAT)) $(if $(DURATION),-t $(DURATION))         \
	    $(if $(MINUTES),-m $(MINUTES)) $(TABLES)

.PHONY: bench bench-tools clients
