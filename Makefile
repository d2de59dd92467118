# The two commands a person needs, and the rest of the round. Meson and Ninja do the work.
#   make run [ARGS=--once]   a whole small organisation on this machine
#   make vectors [DIR=...]   packages, indexes and texts with the expected answers
#   make coverage            what the units, vectors and fuzz corpora reach of packages and trust
#   make crash [N=300]       kill -9 of any process at N random moments (SEED= repeats one); a crash and a power cut at each step of installing
#                            (EVERY=5: at each fifth)
#   make scale [N=20000]     N simulated machines on a real server: memory, storms, orders, reports
#   make deb                 Debian packages: wapt-agent, wapt-server, wapt-console
#   make test-domain-asan    the tests with real directories, by programs with the sanitizers
#   make test-windows        the programs for Windows, cross-built, tested under wine
#   make test                every test but the campaigns
BUILD ?= build
export CC ?= gcc

.PHONY: all build run test test-domain-asan test-windows vectors coverage bench scale fuzz crash install deb deps clean

all: build

deps:
	@tools/deps.sh

# Every program ends up in build/bin/.
build: deps
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD)
	@tools/collect.sh $(BUILD)

run: build
	@tools/demo/run.sh $(BUILD) $(ARGS)

test: build
	@tools/test.sh $(BUILD)

# A campaign: what make test does with real directories, by programs with the sanitizers.
test-domain-asan: deps
	@tools/asan.sh build-asan all
	@tools/collect.sh build-asan
	@ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 tests/domain/run.sh build-asan

# Its own folder; the libraries are built once, into the user's cache.
test-windows:
	@tools/deps.sh windows
	@tools/windows.sh build-windows
	@tests/wine-run.sh build-windows

DIR ?= tests/vectors
vectors: build
	@$(BUILD)/tests/vectors_check/wapt-vectors $(DIR)

# Needs a build of its own, build-cov/.
coverage: deps
	@tools/coverage.sh

bench: build
	@bench/run.sh $(BUILD)

# As many simulated machines as the box holds; JSON=--json for a program.
scale: build
	@WAPT_TEST_BIN=$(abspath $(BUILD))/bin /usr/bin/python3 bench/scale.py $(or $(N),20000) $(JSON)

# Fuzzing needs clang; FUZZ_SECONDS is for each target.
fuzz: deps
	@tools/fuzz.sh

crash: build
	@WAPT_TEST_BIN=$(abspath $(BUILD))/bin /usr/bin/python3 tests/proc/crash.py $(or $(N),300) $(SEED)
	@WAPT_TEST_BIN=$(abspath $(BUILD))/bin /usr/bin/python3 tests/proc/crash_install.py $(or $(EVERY),1)

# Debian packages, in build-deb/; tests/deb.sh tries them on a machine of its own.
deb:
	@tools/deps.sh
	@tools/deps.sh deb
	@tools/deb.sh

install: build
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*
