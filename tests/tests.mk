# Tests, fuzzers and checks. One Criterion program a file, linked with what its folder may know:
#   tests/core -> core.a     tests/routes -> routes.a core.a     tests/io, tests/bench -> all
# tests/fuzz/*.c are libFuzzer targets; built with tests/fuzz/replay.c they also run as ordinary
# tests over their corpus (tests/data/fuzz/NAME). tests/e2e is Python against the real program.

test_programs = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/core/*_test.c tests/routes/*_test.c \
                tests/io/*_test.c tests/bench/*_test.c))
fuzz_names    = $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
replay_programs = $(patsubst %,$(BUILD)/tests/fuzz/%_replay,$(fuzz_names))

TEST_LIBS = -lcriterion

$(BUILD)/tests/core/%_test: $(BUILD)/tests/core/%_test.o $(BUILD)/core.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(CORE_LIBS)
$(BUILD)/tests/routes/%_test: $(BUILD)/tests/routes/%_test.o $(BUILD)/routes.a $(BUILD)/core.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/io/%_test: $(BUILD)/tests/io/%_test.o $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/bench/%_test: $(BUILD)/tests/bench/%_test.o $(BUILD)/bench.a $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS) $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
$(BUILD)/tests/fuzz/%_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/io.a $(BUILD)/routes.a $(BUILD)/core.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(IO_LIBS) $(ROUTES_LIBS) $(CORE_LIBS)
