# Tests, fuzzers and checks. One Criterion program a file, linked with what its folder may know:
#   tests/core -> core.a     tests/routes -> routes.a core.a     tests/io, tests/bench -> all
# tests/fuzz/*.c are libFuzzer targets; built with tests/fuzz/replay.c they also run as ordinary
# tests over their corpus (tests/data/fuzz/NAME). tests/e2e is Python against the real program.

test_programs = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/core/*_test.c tests/routes/*_test.c \
                tests/io/*_test.c tests/bench/*_test.c))
fuzz_names    = $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
replay_programs = $(patsubst %,$(BUILD)/tests/fuzz/%_replay,$(fuzz_names))

TEST_LIBS = -lcriterion

# Make would remove these as intermediate files, and compile them again the next time.
.SECONDARY: $(patsubst %,%.o,$(test_programs)) $(patsubst %,$(BUILD)/tests/fuzz/%_fuzz.o,$(fuzz_names)) \
            $(BUILD)/tests/fuzz/replay.o $(BUILD)/tests/io/fake_disk.o $(BUILD)/tests/plain_runner.o

$(BUILD)/tests/core/%_test: $(BUILD)/tests/core/%_test.o $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(CORE_LIBS)
$(BUILD)/tests/routes/%_test: $(BUILD)/tests/routes/%_test.o $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/io/%_test: $(BUILD)/tests/io/%_test.o $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/bench/%_test: $(BUILD)/tests/bench/%_test.o $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(BENCH_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/fuzz/%_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)

# Those that play with a disk in memory.
$(patsubst %,$(BUILD)/tests/io/%_test,segments journal_writer journal_crash journal_spare sidecar_reader sidecars): $(BUILD)/tests/io/fake_disk.o

# Programs of other people's client libraries, run by tests/e2e/clients_test.py.
$(BUILD)/tests/clients/hiredis_client: $(BUILD)/tests/clients/hiredis_client.o
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lhiredis

# ---- run ---------------------------------------------------------------------------------------

.PHONY: test-packages
test-packages:
	@sh .ci/packages.sh test
	@sh tests/clients/install.sh build/clients
.PHONY: check-packages
check-packages:
	@sh .ci/packages.sh check

# Everything, with one line at the end that counts it.
.PHONY: test
test: test-packages
	@$(MAKE) BUILD=$(BUILD) test-build
	@sh tests/check_arrows.sh
	@sh tests/check_diagnostics.sh
	@bash tests/run.sh '$(BUILD)'

.PHONY: test-build
test-build: all $(test_programs) $(replay_programs) $(BUILD)/tests/clients/hiredis_client

# ---- torture -------------------------------------------------------------------------------------

# kill -9, power cuts, disks that fill up and fail, clocks that jump: an hour by hand, some minutes
# with TORTURE=short. TORTURE_OF chooses among states, kill, power, disk and clock; SEED repeats a run.
TORTURE ?= long

.PHONY: torture
torture:
	@sh .ci/packages.sh test
	@$(MAKE) BUILD=$(BUILD) torture-build
	@bash tests/torture/run.sh '$(BUILD)' '$(TORTURE)' $(TORTURE_OF)

.PHONY: torture-build
torture-build: $(BUILD)/kouan $(BUILD)/tests/io/journal_crash_test $(BUILD)/tests/torture/clock_shim.so

$(BUILD)/tests/torture/clock_shim.so: tests/torture/clock_shim.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

# ---- checks of the source ------------------------------------------------------------------------

c_files = $(wildcard $(foreach folder,core routes io bench tests,$(folder)/*.[ch] $(folder)/*/*.[ch]))

.PHONY: format
format: check-packages
	clang-format -i $(c_files)

.PHONY: check-format
check-format: check-packages
	@clang-format --dry-run -Werror $(c_files)

.PHONY: check
check: check-packages check-format
	@sh tests/check_arrows.sh
	@sh tests/check_diagnostics.sh
	@$(MAKE) BUILD=build/check-gcc CC=gcc test-build
	@$(MAKE) BUILD=build/check-clang CC=clang test-build

# ---- sanitizers ----------------------------------------------------------------------------------

.PHONY: test-sanitize
test-sanitize: test-packages
	@$(MAKE) BUILD=build/asan SANITIZE=address,undefined OPTIMIZE=-O1 test-build
	@bash tests/run.sh build/asan

# What several threads share, under ThreadSanitizer: its tests, by a runner that it can live with, and
# the whole server (which ends with an error after a report).
threaded_tests = core/ring io/mesh io/room
threaded_scripts = shards errands reload reroute

.PHONY: test-threads
test-threads: test-packages
	@$(MAKE) BUILD=build/tsan SANITIZE=thread OPTIMIZE=-O1 test-threads-run
.PHONY: test-threads-run
test-threads-run: $(patsubst %,test-threads/%,$(threaded_scripts) $(threaded_tests))

# What each says is kept until it ends: they run side by side.
.SECONDARY: $(patsubst %,$(BUILD)/tests/%_plain,$(threaded_tests))
test-threads/%: $(BUILD)/tests/%_plain
	@out=$$($< 2>&1); status=$$?; echo "$$out"; exit $$status
$(patsubst %,test-threads/%,$(threaded_scripts)): test-threads/%: $(BUILD)/kouan
	@out=$$(KOUAN="'$(abspath $(BUILD))/kouan'" TSAN_OPTIONS=suppressions=$(abspath tests/tsan.supp) \
		python3 tests/e2e/$*_test.py 2>&1); \
		status=$$?; echo "$$out"; exit $$status

$(BUILD)/tests/core/%_plain: $(BUILD)/tests/core/%_test.o $(BUILD)/tests/plain_runner.o $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(CORE_LIBS)
$(BUILD)/tests/io/%_plain: $(BUILD)/tests/io/%_test.o $(BUILD)/tests/plain_runner.o $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)

# ---- fuzzing -------------------------------------------------------------------------------------

FUZZ_SECONDS ?= 180
fuzz_programs = $(patsubst %,build/fuzz/%_fuzz,$(fuzz_names))

.PHONY: fuzz-build
fuzz-build: check-packages
	@$(MAKE) BUILD=build/fuzz CC=clang OPTIMIZE=-O1 \
		SANITIZE=fuzzer-no-link,address,undefined fuzz-programs

.PHONY: fuzz-programs
fuzz-programs: $(patsubst %,$(BUILD)/%_fuzz,$(fuzz_names))
$(BUILD)/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)

# New inputs stay in build/fuzz/corpus; findings in build/fuzz.
.PHONY: fuzz
fuzz: fuzz-build
	@bash tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(fuzz_names)
