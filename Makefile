# Kouan. `make demo` shows it at work, `make test` proves it; `make help` lists the rest.
#
#   core.a  <- routes.a <- io.a <- kouan        (arrows of knowledge: io -> routes -> core)
#   tests of a folder link only the archives that the folder may know.
#
# Variants build beside each other:
#   make BUILD=build/asan SANITIZE=address,undefined test
#   make BUILD=build/clang CC=clang test
# V=1 shows whole commands; JOBS=1 builds with one processor.

BUILD    ?= build
CC       ?= gcc
ifeq ($(origin CC),default)
CC       := gcc
endif
OPTIMIZE ?= -O2
VERSION  := 0.1.0

# One goal is built by all processors. Several goals (`make clean all`) are left in their order.
ifeq ($(MAKELEVEL)$(word 2,$(MAKECMDGOALS)),0)
JOBS      ?= $(shell nproc)
MAKEFLAGS += -j$(JOBS)
endif

# $(call say,CC,FILE) before a command prints `CC FILE` (or else its target) in the command's place.
ifeq ($(filter 1,$(V)),)
say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '$(1) $(or $(2),$@)';)
endif
MAKEFLAGS += --no-print-directory

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS   ?= -g $(OPTIMIZE)
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -fno-omit-frame-pointer -pthread -I. \
             -I$(BUILD) -DKOUAN_VERSION='"$(VERSION)"' -MMD -MP
ALL_LDFLAGS = -pthread $(LDFLAGS)
ifneq ($(SANITIZE),)
ALL_CFLAGS  += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
ALL_LDFLAGS += -fsanitize=$(SANITIZE)
endif

CORE_LIBS   := -lxxhash -lm
ROUTES_LIBS := -lfyaml
IO_LIBS     := -luring -lhiredis -lexpat -ljansson -lcrypto
BENCH_LIBS  := -lnats

# Every source file is a module of its folder; a new file needs no line here.
core_sources   := $(wildcard core/*.c)
routes_sources := $(wildcard routes/*.c routes/*/*.c)
io_sources     := $(filter-out io/main.c,$(wildcard io/*.c io/*/*.c))
bench_sources  := $(filter-out bench/main.c bench/acl/%,$(wildcard bench/*.c bench/*/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

.PHONY: all
all: $(BUILD)/kouan $(BUILD)/kouan-bench

include tests/tests.mk

# ---- archives and programs ---------------------------------------------------------------------

$(BUILD)/core.a: $(call objects,$(core_sources))
$(BUILD)/routes.a: $(call objects,$(routes_sources)) $(BUILD)/routes/dialect/shipped.o
$(BUILD)/io.a: $(call objects,$(io_sources))
$(BUILD)/bench.a: $(call objects,$(bench_sources))
$(BUILD)/%.a:
	@rm -f $@
	$(call say,AR)ar rcs $@ $^

$(BUILD)/kouan: $(BUILD)/io/main.o $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)

$(BUILD)/kouan-bench: $(BUILD)/bench/main.o $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(BENCH_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)

# Optional, and no part of `all`: the matcher beside rte_acl.
acl_objects := $(call objects,$(wildcard bench/acl/*.c))
$(BUILD)/kouan-acl: $(acl_objects) $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lrte_acl -lrte_eal $(BENCH_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(acl_objects): ALL_CFLAGS += $(subst -I/,-isystem /,$(shell pkg-config --cflags libdpdk 2>/dev/null))
$(acl_objects): | dpdk
.PHONY: dpdk
dpdk:
	@pkg-config --exists libdpdk || { echo 'kouan-acl: install libdpdk-dev (the rest of Kouan does without)' >&2; exit 1; }

$(BUILD)/%.o: %.c | packages
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The shipped profiles stand in the program itself: each file of routes/profiles, byte by byte. The
# canonical event is the first of JSON, so that its first member decides for it.
shipped_profiles := routes/profiles/event.yaml \
                    $(filter-out %/event.yaml,$(sort $(wildcard routes/profiles/*.yaml)))
$(BUILD)/routes/dialect/shipped.S: routes/dialect/embed.sh $(shipped_profiles)
	@mkdir -p $(@D)
	$(call say,EMBED,routes/profiles)sh routes/dialect/embed.sh $(shipped_profiles) > $@
$(BUILD)/routes/dialect/shipped.o: $(BUILD)/routes/dialect/shipped.S | packages
	$(call say,AS)$(CC) -c -I. -o $@ $<

# ---- the two commands --------------------------------------------------------------------------

.PHONY: packages
packages:
	@sh .ci/packages.sh build

.PHONY: demo
demo: all
	@sh bench/demo.sh '$(BUILD)'

.PHONY: report
report: all
	@$(BUILD)/kouan-bench report --out '$(BUILD)/report.html'
	@echo '$(BUILD)/report.html'

.PHONY: help
help:
	@echo 'make            build $(BUILD)/kouan and $(BUILD)/kouan-bench'
	@echo 'make demo       a generated provincial day from six e-ports through Kouan; ends by itself'
	@echo 'make test       build and run all tests'
	@echo 'make torture    kill -9, power cuts, full and failing disks, jumping clocks; TORTURE=short is quicker'
	@echo 'make check      format, include arrows, warnings under gcc and clang'
	@echo 'make fuzz       every fuzzer for FUZZ_SECONDS (default 180) seconds'
	@echo 'make report     one HTML page of what was measured (perf/results, perf/budget.csv)'
	@echo 'make format     lay out the code with clang-format'
	@echo 'make clean'

.PHONY: clean
clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
