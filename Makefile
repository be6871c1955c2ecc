# SPDX-License-Identifier: MIT
# streamd: one plain Makefile. `make help` lists the targets.
# The module lists are the map: read them left to right as the data flows.

MODE ?= release
BUILD := build/$(MODE)
PREFIX ?= /usr/local
UNITDIR ?= $(PREFIX)/lib/systemd/system
export PATH := $(CURDIR)/.tools/bin:$(PATH)

ifeq ($(origin CC),default)
CC := gcc
endif
Q := $(if $(V),,@)
CSTD := -std=c11 -D_GNU_SOURCE
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wvla -Werror
CFLAGS_release := -O2 -g -fno-omit-frame-pointer
CFLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS_coverage := -O0 -g --coverage
CFLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow \
               -fno-sanitize-recover=all
HARDEN := -fstack-protector-strong -fPIE
ALL_CFLAGS = $(CSTD) $(WARN) $(HARDEN) $(CFLAGS_$(MODE)) $(CFLAGS) -I. -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(filter -fsanitize% --coverage,$(CFLAGS_$(MODE))) $(LDFLAGS)

# Where the code lives, in the order the data flows.
PURE_DIRS := base proto proto/logs throttle insight
DAEMON_DIRS := streamd streamd/auth streamd/ingest streamd/session streamd/store streamd/encode streamd/room \
               streamd/transport streamd/http streamd/notify streamd/mcp streamd/relay streamd/tools
TEST_DIRS := tests/base tests/proto tests/proto/logs tests/throttle tests/insight tests/streamd \
             tests/streamd/notify tests/streamd/auth tests/streamd/relay tests/clients/c tests/demo tests/fuzz tests/flow

PURE_SRC := $(foreach d,$(PURE_DIRS),$(wildcard $(d)/*.c))
DAEMON_SRC := $(filter-out streamd/main.c,$(foreach d,$(DAEMON_DIRS),$(wildcard $(d)/*.c)))
CLIENT_SRC := $(wildcard clients/c/*.c)
DEMO_SRC := $(filter-out demo/trainer.c,$(wildcard demo/*.c))
CONFORMANCE_SRC := $(wildcard tests/conformance/*.c)
TEST_SRC := $(foreach d,$(TEST_DIRS),$(wildcard $(d)/test_*.c))
SUPPORT_SRC := $(wildcard tests/support/*.c) $(filter-out tests/flow/test_%,$(wildcard tests/flow/*.c))
LOAD_SRC := $(wildcard tests/bench/load*.c)
C_FILES := $(wildcard base/*.[ch] proto/*.[ch] proto/logs/*.[ch] throttle/*.[ch] insight/*.[ch] streamd/*.[ch] \
             streamd/*/*.[ch] clients/c/*.[ch] demo/*.[ch] tests/*/*.[ch] tests/clients/c/*.[ch] tests/proto/logs/*.[ch] tests/streamd/*/*.[ch])

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

DAEMON_LIBS := -lwebsockets -lev -luring -lcjson -lsqlite3 -lssl -lcrypto -lz -lm -lpthread
CLIENT_LIBS := -lcjson -lm -lpthread

LIB := $(BUILD)/libstreamd.a
DAEMON := $(BUILD)/streamd
PORTABLE := $(BUILD)/portable/streamd
TRAINER := $(BUILD)/demo-trainer
CONFORMANCE := $(if $(filter release,$(MODE)),build/conformance,$(BUILD))/streamd-conformance
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SRC))
LOAD := $(BUILD)/bench/load
BARE := $(BUILD)/bench/bare_send
LOG_COST := $(BUILD)/bench/log_cost
SEGMENT_SIZE := $(BUILD)/bench/segment_size
HISTORY_COST := $(BUILD)/bench/history_cost
INSIGHT_COST := $(BUILD)/bench/insight_cost
GROKKING := $(BUILD)/bench/grokking_curves
READ_STORE := $(BUILD)/durable/read_store
BAD_DISK := $(BUILD)/durable/fault_preload.so
FAKE_NVML := $(BUILD)/tests/clients/c/fake_nvml.so
EVAL ?= ../shared/tools/eval_curves.py
CURVES ?= ../shared/data/curves-dev/curves-dev.tar.gz

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps portable portable-test build-tests unit flow wire durable soak python web web-test test asan tsan \
        fuzz lint format format-check \
        tidy cppcheck shellcheck deps-check purity headers size docs-check bench load bench-web conformance demo \
        coverage eval sweep install clean help

all: $(DAEMON) $(TRAINER) ## build the daemon and the demo trainer (build/release/)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install Debian packages, Node and npm packages that are missing
	@scripts/deps build demo test lint

# ---- building ----

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  cc   $<" &&) $(CC) $(ALL_CFLAGS) -c $< -o $@

$(LIB): $(call obj,$(PURE_SRC) $(DAEMON_SRC) $(CLIENT_SRC) $(DEMO_SRC) $(SUPPORT_SRC))
	@rm -f $@
	@ar rcs $@ $^

$(DAEMON): $(call obj,$(PURE_SRC) $(DAEMON_SRC) $(CLIENT_SRC) streamd/main.c)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ $(DAEMON_LIBS)

$(TRAINER): $(call obj,$(wildcard base/*.c proto/*.c) $(CLIENT_SRC) $(DEMO_SRC) demo/trainer.c)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ $(CLIENT_LIBS)

# One file that needs no other: the same objects, the page inside, all libraries static. Those that
# Debian does not have so are built once, from its sources (decision 021).
PORTABLE_LIBS := build/portable-libs
portable: $(PORTABLE) ## build one static file that needs nothing beside it (build/release/portable/)
$(PORTABLE_LIBS)/built: scripts/portable-libs
	@scripts/portable-libs $(PORTABLE_LIBS)
$(BUILD)/portable/page.S: scripts/embed-page web/dist/index.html
	@mkdir -p $(@D)
	@scripts/embed-page web/dist >$@
$(BUILD)/portable/page.o: $(BUILD)/portable/page.S
	$(Q)$(CC) -c $< -o $@
$(PORTABLE): $(call obj,$(PURE_SRC) $(filter-out %/page_none.c %/notify/libcurl.c,$(DAEMON_SRC)) $(CLIENT_SRC) \
             $(wildcard streamd/portable/*.c) streamd/main.c) $(BUILD)/portable/page.o | $(PORTABLE_LIBS)/built
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) -static-pie -L$(PORTABLE_LIBS) $^ -o $@ \
		-lcurl $(DAEMON_LIBS) -lcap 2>$(BUILD)/portable/link.log || { cat $(BUILD)/portable/link.log; false; }

# The same objects, plus handlers registered on the same tables.
conformance: $(CONFORMANCE) ## build the daemon the official protocol suites are pointed at
$(CONFORMANCE): $(call obj,$(PURE_SRC) $(DAEMON_SRC) $(CLIENT_SRC) $(CONFORMANCE_SRC))
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ $(DAEMON_LIBS)

# Tests are built three times and run once each: what they cost is compiling and linking.
$(BUILD)/obj/tests/%.o: CFLAGS += -O0
$(BUILD)/obj/tests/bench/%.o: CFLAGS += $(if $(filter release,$(MODE)),-O2)

# Vectorised: it is the one place where arithmetic is the work.
$(BUILD)/obj/demo/%.o: CFLAGS += $(if $(filter release,$(MODE)),-O3 -ffp-contract=off)

# What a chart of a long history waits for: bytes put together to numbers.
$(BUILD)/obj/streamd/store/%.o: CFLAGS += $(if $(filter release,$(MODE)),-O3)

# Our allocations go through tests/support/oom, so that a test can make one fail.
OOM_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup,-u,__wrap_malloc

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) -fuse-ld=gold $(OOM_WRAP) $(filter %.o,$^) $(LIB) -o $@ -lcmocka $(DAEMON_LIBS)

# All harnesses in one program, each under the name of its file.
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
$(BUILD)/tests/fuzz/test_kept_inputs: $(call obj,$(FUZZ_SRC))
$(call obj,$(if $(filter fuzz,$(MODE)),,$(FUZZ_SRC))): CFLAGS += -DLLVMFuzzerTestOneInput=$(notdir $*)

$(LOAD): $(call obj,$(LOAD_SRC))
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ -lz -lcrypto -lm

$(BARE): $(call obj,tests/bench/bare_send.c)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ -lcrypto

$(LOG_COST): $(call obj,tests/bench/log_cost.c) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ $(CLIENT_LIBS)

$(SEGMENT_SIZE) $(HISTORY_COST) $(INSIGHT_COST) $(GROKKING): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $^ -o $@ $(DAEMON_LIBS)

$(READ_STORE): $(call obj,tests/durable/read_store.c) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) $< $(LIB) -o $@ $(DAEMON_LIBS)

# Loaded into the daemon, which may be one with a sanitizer: it brings nothing of its own.
$(BAD_DISK): tests/durable/fault_preload.c
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(CSTD) $(WARN) -O2 -g -fPIC -shared $< -o $@ -ldl

# A fuzzer, MODE=fuzz: what the app logs of disks that break is for nobody (tests/fuzz/fuzz.h).
$(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(LIB)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -Wl,--wrap=log_line $< $(LIB) -o $@ -lcmocka $(DAEMON_LIBS)

$(FAKE_NVML): tests/clients/c/fake_nvml.c
	@mkdir -p $(@D)
	$(Q)$(if $(V),,echo "  link $@" &&) $(CC) $(CSTD) $(WARN) -O2 -g -fPIC -shared $< -o $@
$(BUILD)/tests/clients/c/test_nvml $(BUILD)/tests/clients/c/test_sampler: | $(FAKE_NVML)

web/dist/index.html: $(shell find web/src web/client/src web/client/*.json web/client/*.ts web/public web/*.json web/*.ts web/index.html -type f 2>/dev/null)
	cd web && npm run --silent build

web: web/dist/index.html ## build the dashboard (web/dist/)

# ---- testing ----

unit: $(filter-out $(BUILD)/tests/flow/%,$(TESTS)) ## the pure folders and the daemon's modules
	@scripts/run-tests unit $^

flow: $(filter $(BUILD)/tests/flow/%,$(TESTS)) ## the whole app, fake transport, fake clock
	@scripts/run-tests flow $^

python: ## the Python client
	@scripts/run-tests python clients/python

wire: $(DAEMON) $(CONFORMANCE) $(TRAINER) $(LOAD) web ## the real daemon, real sockets, unmodified public clients
	@STREAMD=$(CURDIR)/$(DAEMON) CONFORMANCE=$(CURDIR)/$(CONFORMANCE) scripts/run-tests wire tests/wire tests/faults

durable: $(DAEMON) $(TRAINER) $(READ_STORE) $(BAD_DISK) ## crashes, torn files and bad disks; STREAMD_KILLS=200: all
	@STREAMD=$(CURDIR)/$(DAEMON) scripts/run-tests durable tests/durable tests/soak

web-test: $(DAEMON) web ## the page: Vitest, then headless Chromium
	@STREAMD=$(CURDIR)/$(DAEMON) scripts/run-tests web web tests/web

portable-test: portable ## that file alone in an empty root
	@PORTABLE=$(CURDIR)/$(PORTABLE) scripts/run-tests portable tests/portable

asan: ## unit, flow and wire under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory MODE=asan unit flow wire

tsan: ## what has threads (the C client, the store, notify, a relay's tunnels, senders) under ThreadSanitizer
	@$(MAKE) --no-print-directory MODE=tsan tsan-tests
tsan-tests: $(filter $(BUILD)/tests/clients/c/% %/test_mailbox %/test_keeper %/test_notify %/test_tunnel %/test_outlets,$(TESTS))
	@scripts/run-tests tsan $^

# All of it ahead, since two makes beside each other may not build the same file.
build-tests: all conformance $(TESTS) $(LOAD) $(READ_STORE) $(BAD_DISK)

test: deps ## everything: build, lint, all layers, sanitizers
	@scripts/test-all

coverage: ## lines and branches of the C that the tests run, and what none does (tests/uncovered.txt)
	@scripts/coverage

fuzz: ## libFuzzer on the decoders, FUZZ_SECONDS (30) each
	@scripts/fuzz $(or $(FUZZ_SECONDS),30)

bench: $(DAEMON) $(LOAD) $(BARE) $(LOG_COST) $(SEGMENT_SIZE) $(HISTORY_COST) $(INSIGHT_COST) ## figures, beside a bare send() loop and four peers
	@scripts/deps bench
	@$(LOG_COST)
	@$(SEGMENT_SIZE) $(CURVES)
	@$(HISTORY_COST)
	@scripts/insight-cost $(INSIGHT_COST) $(CURVES)
	@PYTHONPATH=clients/python python3 tests/bench/log_cost.py
	@PATH="$(CURDIR)/.tools/bin:$$PATH" python3 tests/bench/run.py $(BENCH_FLAGS) --curves '$(CURVES)' $(DAEMON) $(LOAD) $(BARE)

load: $(DAEMON) $(LOAD) ## five minutes at the limits: subscribers, trainers, a reconnect storm, overload, runs in store
	@python3 tests/bench/load.py $(LOAD_FLAGS) $(DAEMON) $(LOAD)

soak: $(DAEMON) ## ten minutes (SOAK_S) of clients that come and go, and a restart: nothing grows, is missing or twice
	@STREAMD=$(CURDIR)/$(DAEMON) PYTHONPATH=tests/soak:tests/durable:tests/faults python3 tests/soak/soak.py

eval: $(DAEMON) ## the interpreter on real training curves, beside the usual rules
	@scripts/insight-eval $(DAEMON) $(CURVES) $(EVAL)

sweep: $(DAEMON) ## the advice to stop, cautious and bold, against every patience on the same curves
	@scripts/insight-eval $(DAEMON) $(CURVES) $(EVAL) sweep

bench-web: $(DAEMON) web ## what the page costs its browser; BENCH_SECONDS=600: whether its heap stays flat
	@cd tests/web && npm ci --silent --no-fund --no-audit
	@STREAMD=$(CURDIR)/$(DAEMON) node tests/web/bench/charts.ts $(or $(BENCH_SECONDS),30)

# ---- reading it strictly ----

lint: format-check deps-check purity headers size cppcheck shellcheck tidy docs-check ## all checks of form
	@cd web && npm run --silent lint
	@cd tests/web && npm run --silent lint

format: ## put the C into the house's format
	@clang-format -i $(C_FILES)
format-check:
	@clang-format --dry-run -Werror $(C_FILES)
tidy:
	@scripts/tidy $(filter %.c,$(filter-out tests/%,$(C_FILES)))
cppcheck:
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 -I. -D_GNU_SOURCE --suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches $(filter %.c,$(filter-out tests/%,$(C_FILES)))
shellcheck:
	@shellcheck $$(grep -lE '^#!/(bin/sh|usr/bin/env bash)' scripts/* .ci/run)
deps-check: ## the #includes against DEPS
	@scripts/deps-check
purity: $(call obj,$(PURE_SRC)) ## the pure folders call nothing but memory, text and arithmetic
	@scripts/purity $^
headers: ## every header compiles alone
	@scripts/headers-check '$(CC) $(CSTD) $(WARN) -I.' $(filter-out tests/%,$(filter %.h,$(C_FILES)))
size: ## no .c over 600 lines, no function over 60
	@scripts/size-check
docs-check: $(DAEMON) ## the tables in docs/ against the tables in the code
	@scripts/docs-check $(DAEMON)

# ---- using it ----

demo: ## install, build, train for real and show it live, until Ctrl+C
	@scripts/deps build demo
	@$(MAKE) --no-print-directory all web
	@python3 demo/run.py demo --keep --streamd $(DAEMON) --trainer $(TRAINER)

install: $(DAEMON) web ## into PREFIX (/usr/local), below DESTDIR; with systemd units
	install -D -m 755 $(DAEMON) $(DESTDIR)$(PREFIX)/bin/streamd
	install -D -m 644 docs/streamd.8 $(DESTDIR)$(PREFIX)/share/man/man8/streamd.8
	rm -rf $(DESTDIR)$(PREFIX)/share/streamd/web
	mkdir -p $(DESTDIR)$(PREFIX)/share/streamd $(DESTDIR)$(UNITDIR)
	cp -r web/dist $(DESTDIR)$(PREFIX)/share/streamd/web
	sed 's|@BINDIR@|$(PREFIX)/bin|' packaging/streamd.service.in >$(DESTDIR)$(UNITDIR)/streamd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/streamd.service
	install -D -m 644 packaging/streamd.socket $(DESTDIR)$(UNITDIR)/streamd.socket
	install -D -m 644 packaging/streamd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/streamd.conf

clean: ## forget what was built
	rm -rf build web/dist web/client/dist

-include $(wildcard build/*/obj/*/*.d build/*/obj/*/*/*.d build/*/obj/*/*/*/*.d)
