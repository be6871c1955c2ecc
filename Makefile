# SPDX-License-Identifier: MIT
# streamd: one plain Makefile. `make help` lists the targets.
# The module lists are the map: read them left to right as the data flows.

MODE ?= release
BUILD := build/$(MODE)

CC ?= gcc
CSTD := -std=c11 -D_GNU_SOURCE
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wvla -Werror
CFLAGS_release := -O2 -g -fno-omit-frame-pointer
CFLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS_coverage := -O0 -g --coverage
HARDEN := -fstack-protector-strong -fPIE
ALL_CFLAGS = $(CSTD) $(WARN) $(HARDEN) $(CFLAGS_$(MODE)) $(CFLAGS) -I. -MMD -MP
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(filter -fsanitize% --coverage,$(CFLAGS_$(MODE))) $(LDFLAGS)

# Where the code lives, in the order the data flows.
PURE_DIRS := base proto throttle insight
DAEMON_DIRS := streamd streamd/ingest streamd/session streamd/transport streamd/http

BASE_SRC := $(wildcard base/*.c)
PURE_SRC := $(foreach d,$(PURE_DIRS),$(wildcard $(d)/*.c))
DAEMON_SRC := $(filter-out streamd/main.c,$(foreach d,$(DAEMON_DIRS),$(wildcard $(d)/*.c)))
CLIENT_SRC := $(wildcard clients/c/*.c)
DEMO_SRC := $(wildcard demo/*.c)
CONFORMANCE_SRC := $(wildcard tests/conformance/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

DAEMON_LIBS := -lwebsockets -lev -lcjson -lz -lcrypto -lm -lpthread
CLIENT_LIBS := -lcjson -lm -lpthread

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

DAEMON := $(BUILD)/streamd
DEMO := $(BUILD)/demo-trainer
CONFORMANCE := build/conformance/streamd-conformance

.PHONY: all daemon
all: $(DAEMON) $(DEMO)
daemon: $(DAEMON)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(DAEMON): $(call obj,$(PURE_SRC) $(DAEMON_SRC) streamd/main.c)
	$(CC) $(ALL_LDFLAGS) $^ -o $@ $(DAEMON_LIBS)

$(DEMO): $(call obj,$(BASE_SRC) $(wildcard proto/*.c) $(CLIENT_SRC) $(DEMO_SRC))
	$(CC) $(ALL_LDFLAGS) $^ -o $@ $(CLIENT_LIBS)
