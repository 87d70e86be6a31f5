# Dory: SSH and SCP for small devices. `make help` lists the targets.
#
# A board is a folder boards/<name> with a board.mk, which names the compiler, its flags and the folders that belong to it.
# Variables for the command line: BOARD=name  CC=clang  CROSS=mips-linux-gnu-  SAN=1 (address and undefined-behaviour sanitizers)
# MBEDTLS_DIR=, SODIUM_DIR= and LWIP_DIR= (unpacked sources to use instead of fetched ones)  DESTDIR=  PREFIX=

BOARD       ?= posix
HOSTCC      ?= cc
MBEDTLS_DIR ?= third_party/mbedtls
SODIUM_DIR  ?= third_party/libsodium
LWIP_DIR    ?= third_party/lwip
PREFIX      ?= /usr/local

BOARDS    = $(patsubst boards/%/board.mk,%,$(wildcard boards/*/board.mk))
# Those that QEMU runs.
FIRMWARES = $(patsubst boards/%/qemu,%,$(wildcard boards/*/qemu))
$(if $(wildcard boards/$(BOARD)/board.mk),,$(error there is no board '$(BOARD)' (boards/$(BOARD)/board.mk). Boards: $(BOARDS)))

include boards/$(BOARD)/board.mk

B := build/$(BOARD)$(VARIANT)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
comma := ,
MAKEFLAGS += --no-builtin-rules

# ---- what there is: new files need no edit here

DIRS_ssh  = ssh
DIRS_scp  = scp
DIRS_sftp = sftp

# The file that tells that a library's sources are there; nothing for those of a user.
fetched = $(if $(filter third_party/%,$1),$1/.dory-version)

sources   = $(filter-out %/main.c $(OMIT),$(wildcard $(DIRS_$1:%=%/*.c)))
objects   = $(patsubst %.c,$B/%.o,$(call sources,$1))
PARTS    := $(foreach p,program platform scp sftp ssh crypto-port,$(if $(call sources,$p),$p)) $(if $(LWIP_FILES),lwip)
ARCHIVES := $(PARTS:%=$B/%.a)
# With a linker script (LINKER_SCRIPT of board.mk) the program is firmware.
PROGRAM  := $(patsubst boards/%/main.c,$B/dory$(if $(LINKER_SCRIPT),.elf),$(wildcard $(DIRS_program:%=%/main.c)))
TESTS    := $(patsubst %.c,$B/%,$(wildcard tests/unit/test_*.c tests/hostile/test_*.c))
BENCHES  := $(patsubst %.c,$B/%,$(wildcard tests/bench/*.c))
SUPPORT  := $(patsubst %.c,$B/%.o,$(wildcard tests/support/*.c))

all: $(ARCHIVES) $(PROGRAM) $(PROGRAM:%.elf=%.bin) ## build the archives and the program: build/posix/dory (the default), or build/<board>/dory.elf and dory.bin

# ---- our own code

WARN      = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Werror
INCLUDES  = -I. -Issh -Iscp -Isftp -Icrypto-port -Iplatform
OURS      = -std=c11 $(WARN) $(CFLAGS) $(HARDEN) $(MACHINE) $(SANITIZE) $(INCLUDES)
LIBRARIES = -isystem $(MBEDTLS_DIR)/include -isystem $(MBEDTLS_DIR)/3rdparty/p256-m -isystem $(SODIUM_DIR)/src/libsodium/include -isystem $(SODIUM_DIR)/src/libsodium \
            -isystem $(SODIUM_DIR)/src/libsodium/include/sodium -isystem $B/lib/include -DSODIUM_STATIC \
            -DMBEDTLS_CONFIG_FILE=\"$(MBEDTLS_CONFIG)\"

$B/crypto-port/%.o: EXTRA = $(LIBRARIES)
# These include libsodium's sources, which want their configuration, their headers and their options.
$B/crypto-port/small/%.o: EXTRA = $(LIBRARIES) $(LIB_OPT_SODIUM) -fno-strict-aliasing -fno-strict-overflow \
    -include crypto-port/sodium_config.h -isystem $(SODIUM_DIR)/src/libsodium/include/sodium
$B/platform/posix/%.o $B/boards/posix/%.o: EXTRA = -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Iboards/posix
$(foreach d,program platform,$(patsubst %,$B/%/%.o,$(filter-out platform boards/posix platform/posix platform/ram,$(DIRS_$d)))): EXTRA = $(FIRMWARE)
$B/tests/%.o: EXTRA = -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Iboards/posix -Itests/support -Iplatform/posix -Iplatform/ram $(LIBRARIES)

# The compiler itself calls memcpy and memset, behind the optimisation of the whole.
$B/platform/cortex-m/memory.o: EXTRA = $(LTO:1=-fno-lto)

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	@echo "  $@"
	@$(CC) $(OURS) $(EXTRA) -MMD -MP -c -o $@ $<

$(foreach p,$(PARTS),$(eval $B/$p.a: $(call objects,$p) $B/$p.members))
# A file that comes, goes, or is omitted changes its archive, however old it is.
$B/%.members: FORCE
	@mkdir -p $(@D)
	@echo '$(call objects,$*)' | cmp -s - $@ || echo '$(call objects,$*)' > $@
$(ARCHIVES):
	@rm -f $@
	@$(AR) qcs $@ $(filter %.o,$^) $(if $(filter %/crypto-port.a,$@),$$(find $B/lib/mbedtls $B/lib/sodium -name '*.o' | sort)) \
	    $(if $(filter %/lwip.a,$@),$$(find $B/lib/lwip -name '*.o' | sort))
	@echo "  $@"

linked = $(CC) $(CFLAGS) $(SANITIZE) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) \
         -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$B/dory $B/dory.elf: $B/$(DIRS_program)/main.o $(ARCHIVES) $(LINKER_SCRIPT) $(if $(LINKER_SCRIPT),platform/device/sections.ld)
	@echo "  $@"
	@$(linked)

# What a flash slot takes.
$B/dory.bin: $B/dory.elf
	@$(TOOLS)objcopy -O binary $< $@

# The slots of a firmware's main.c, checked on this machine against the flash of FLASH_GEOMETRY (the file that defines dory_board_flash).
ifneq ($(LINKER_SCRIPT),)
$(PROGRAM): $B/slots.checked
$B/slots.checked: mk/check_slots.c $(DIRS_program)/main.c platform/flash/flash_check.c $(FLASH_GEOMETRY) $(wildcard $(DIRS_program)/*.h platform/device/*.h platform/flash/*.h) $B/flags
	@$(HOSTCC) -std=gnu11 -w -Dmain=firmware_main -include boards/$(BOARD)/dory_limits.h -include platform/device/dory_profile.h $(INCLUDES) $(FIRMWARE) -no-pie \
	    -Wl,--unresolved-symbols=ignore-all -o $B/check_slots $(filter %.c,$^)
	@$B/check_slots
	@touch $@
endif

$(TESTS) $(BENCHES): %: %.o $(ARCHIVES)
	@echo "  $@"
	@$(linked) $(LDLIBS)

$(TESTS): $(SUPPORT)
ifeq ($(CROSS),)
$(TESTS): LDLIBS = -lcmocka
else
# Debian has no CMocka for the other machine: built from its source.
$(TESTS:=.o) $(SUPPORT): LIBRARIES += -Wno-error -isystem third_party/cmocka/include -include tests/support/cmocka_2.h
$(TESTS:=.o) $(SUPPORT): | $(call fetched,third_party/cmocka)
$(TESTS): $B/lib/cmocka.o
$B/lib/cmocka.o: $(call fetched,third_party/cmocka)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -w -fPIE -DHAVE_MALLOC_H -DHAVE_SIGNAL_H -DHAVE_INTTYPES_H -DHAVE_STRINGS_H -DHAVE_TIME_H -DHAVE_UNISTD_H -DHAVE_GCC_THREAD_LOCAL_STORAGE \
	    -DHAVE_CLOCK_REALTIME -DHAVE_CLOCK_GETTIME -DHAVE_STRUCT_TIMESPEC -D_GNU_SOURCE -Ithird_party/cmocka/include -c -o $@ third_party/cmocka/src/cmocka.c
endif
$B/tests/unit/test_pull: $B/tests/device/session.o

# Test images for QEMU: each from its own file, tests/device/device.h and the archives (tests/device/run builds and runs them).
$B/tests/device/transfer.elf: $(patsubst %.c,$B/%.o,$(wildcard platform/ram/*.c)) $B/tests/device/session.o
$B/tests/device/server.elf: $B/tests/device/session.o
$B/tests/device/%.elf: $B/tests/device/%.o $B/tests/device/$(MACHINE_TEST).o $(ARCHIVES) tests/device/$(MACHINE_TEST).ld
	@echo "  $@"
	@$(CC) $(MACHINE) -nostartfiles -T tests/device/$(MACHINE_TEST).ld -Wl,--gc-sections -Wl,-Map=$(@:.elf=.map) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

# The shipped archive under valgrind (tests/ct/run). p256-m has marks of its own for that, which are compiled in for this alone.
$B/tests/ct/p256.o: crypto-port/p256.c $B/flags | $(call fetched,$(MBEDTLS_DIR))
	@mkdir -p $(@D)
	@$(CC) $(OURS) $(LIBRARIES) -DCT_VALGRIND -c -o $@ $<
$B/tests/ct/secrets: LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,dory_equal mbedtls_ct_memcmp crypto_verify_16 \
    crypto_xof_shake128_update crypto_scalarmult_curve25519)
$B/tests/ct/secrets: $B/tests/ct/secrets.o $B/tests/ct/p256.o $(ARCHIVES)
	@echo "  $@"
	@$(linked)

# A change of flags rebuilds, a repeated make does not.
all_flags = $(CC) $(OURS) $(LIBRARIES) $(LIB_OPT_MBEDTLS) $(LIB_OPT_SODIUM) $(LIB_OPT_LWIP) $(LIB_CFLAGS) $(MBEDTLS_FILES) $(SODIUM_FILES) \
            $(LWIP_FILES) $(FIRMWARE) $(LINK)
$B/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(all_flags)' | cmp -s - $@ || echo '$(all_flags)' > $@

-include $(foreach p,$(PARTS),$(patsubst %.o,%.d,$(call objects,$p)))
-include $(wildcard $B/tests/device/*.d $B/platform/ram/*.d)
-include $(SUPPORT:.o=.d) $(TESTS:=.d) $(BENCHES:=.d) $(if $(PROGRAM),$B/$(DIRS_program)/main.d)

# ---- the libraries, with flags of their own; their objects end up in crypto-port.a

third_party/%/.dory-version:
	scripts/fetch $*

$B/lib/mbedtls.done: $(MBEDTLS_CONFIG) $B/flags $(call fetched,$(MBEDTLS_DIR))
	@echo "  Mbed TLS for $B"
	@rm -rf $B/lib/mbedtls
	@$(MAKE) --no-print-directory -f mk/library.mk FROM=$(MBEDTLS_DIR)/library TO=$B/lib/mbedtls FILES='$(MBEDTLS_FILES)' CC='$(CC)' \
	    FLAGS='$(LIB_OPT_MBEDTLS) $(LIB_CFLAGS) $(MACHINE) -I. $(LIBRARIES) -I$(MBEDTLS_DIR)/library'
	@touch $@

$B/lib/sodium.done: crypto-port/sodium_config.h $B/flags $B/lib/include/sodium/version.h
	@echo "  libsodium for $B"
	@rm -rf $B/lib/sodium
	@$(MAKE) --no-print-directory -f mk/library.mk FROM=$(SODIUM_DIR)/src/libsodium TO=$B/lib/sodium FILES='$(SODIUM_FILES)' CC='$(CC)' \
	    FLAGS='$(LIB_OPT_SODIUM) $(LIB_CFLAGS) $(MACHINE) -w -fno-strict-aliasing -fno-strict-overflow -fvisibility=hidden \
	    -include crypto-port/sodium_config.h -I$B/lib/include/sodium -I$(SODIUM_DIR)/src/libsodium/include/sodium'
	@touch $@

$B/lib/lwip.done: $(wildcard boards/$(BOARD)/lwipopts.h platform/lwip/*.h platform/lwip/arch/*.h) $B/flags $(call fetched,$(LWIP_DIR))
	@echo "  lwIP for $B"
	@rm -rf $B/lib/lwip
	@$(MAKE) --no-print-directory -f mk/library.mk FROM=$(LWIP_DIR)/src TO=$B/lib/lwip FILES='$(LWIP_FILES)' CC='$(CC)' \
	    FLAGS='$(LIB_OPT_LWIP) $(LIB_CFLAGS) $(MACHINE) $(INCLUDES) $(FIRMWARE)'
	@touch $@

# The one header that libsodium's configure would make.
$B/lib/include/sodium/version.h: $(call fetched,$(SODIUM_DIR))
	@mkdir -p $(@D)
	@cp $(SODIUM_DIR)/builds/msvc/version.h $@

$B/crypto-port.a: $B/lib/mbedtls.done $B/lib/sodium.done
$B/lwip.a: $B/lib/lwip.done
# -MMD leaves out what a library's header includes.
$(if $(LWIP_FILES),$(foreach p,program platform,$(call objects,$p))): $(wildcard boards/$(BOARD)/lwipopts.h platform/lwip/dory_lwipopts.h) | $(call fetched,$(LWIP_DIR))
$(call objects,crypto-port) $(SUPPORT) $(TESTS:=.o) $(BENCHES:=.o): | $B/lib/include/sodium/version.h $(call fetched,$(MBEDTLS_DIR))

libs: $B/lib/mbedtls.done $B/lib/sodium.done $(if $(LWIP_FILES),$B/lib/lwip.done) ## build only the libraries' objects

# ---- a peer for the interop tests: Debian 12's Dropbear does not know ML-KEM

NEW_DROPBEAR = build/dropbear

dropbear: $(NEW_DROPBEAR)/done ## build the newer Dropbear that the interop tests speak to

$(NEW_DROPBEAR)/done: $(call fetched,third_party/dropbear)
	@echo "  Dropbear for the tests"
	@rm -rf $(@D) && mkdir -p build && cp -a third_party/dropbear $(@D)
	@echo '#define DROPBEAR_ENABLE_GCM_MODE 1' > $(@D)/localoptions.h
	@cd $(@D) && { ./configure --enable-bundled-libtom --disable-zlib --disable-lastlog --disable-utmp --disable-utmpx --disable-wtmp \
	    --disable-wtmpx && MAKEFLAGS= $(MAKE) -j$$(nproc) PROGRAMS='dropbear dbclient'; } > log 2>&1 || { tail -n 30 log; false; }
	@touch $@

# ---- set-up and demonstration

setup: ## install the Debian packages and fetch the library sources that are missing
	@scripts/setup

demo: ## set up, build, then copy real files both ways between Dory and a stock scp
	@scripts/setup build demo
	@$(MAKE) --no-print-directory all
	@scripts/demo

# ---- tests

test: ## everything: set-up, builds, checks, sizes, unit, hostile and interop tests
	@tests/run all

unit: setup ## unit and hostile tests, under the sanitizers
	@tests/run unit

interop: setup ## against OpenSSH, Dropbear and paramiko on 127.0.0.1
	@$(MAKE) --no-print-directory all dropbear
	@tests/run interop

boards: setup ## build the firmware of each board, check its budgets, run it in QEMU against stock clients
	@tests/run boards

bigendian: setup ## unit and hostile tests as programs of a 32-bit big-endian MIPS, under QEMU's user emulation
	@tests/run bigendian

check-deps: ## the layers: what each file may include
	@scripts/check-deps

check-symbols: all ## the engines: no I/O, no heap, no writable globals, names that begin with dory_
	@scripts/check-symbols $B

test-programs: $(TESTS)

# ---- measurements

# Those that are optimised as a whole are built once more, in parts that can be told apart.
IN_PARTS  = $(patsubst boards/%/board.mk,%,$(shell grep -l '^LTO' boards/*/board.mk))

parts:
	@for board in $(IN_PARTS); do $(MAKE) --no-print-directory BOARD=$$board LTO= VARIANT=-parts all || exit 1; done

size: ## flash, RAM, stack and instructions of each board into docs/FOOTPRINT.md
	@scripts/setup build boards test
	@$(MAKE) --no-print-directory BOARD=cortex-m3 all $(patsubst %.c,build/cortex-m3/%.o,$(wildcard tests/size/*.c))
	@$(MAKE) --no-print-directory BOARD=posix all
	@for board in $(FIRMWARES); do $(MAKE) --no-print-directory BOARD=$$board all || exit 1; done
	@$(MAKE) --no-print-directory parts
	@tests/boards/run "instructions of" "stack of"
	@scripts/size build/cortex-m3
	@scripts/footprint

bench: ## 512 MiB against OpenSSH's scp, with the primitives' own rate, into docs/BENCHMARKS.md
	@scripts/setup build bench
	@$(MAKE) --no-print-directory all bench-programs
	@scripts/bench

bench-programs: $(BENCHES)

ct: setup ## constant time: no branch and no index depends on a secret, by valgrind over what ships
	@tests/run ct

fuzz: ## all parsers that meet what others wrote under libFuzzer: SSH in both roles, SFTP, SCP, keys, texts; for SECONDS=60
	@scripts/setup build test
	@tests/fuzz/run $(or $(SECONDS),60)

# ---- the rest

install: all ## install into $(DESTDIR)$(PREFIX)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $B/dory '$(DESTDIR)$(PREFIX)/bin/dory'
	install -d '$(DESTDIR)$(PREFIX)/share/man/man1' '$(DESTDIR)$(PREFIX)/share/man/man8'
	install -m 644 docs/man/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 docs/man/*.8 '$(DESTDIR)$(PREFIX)/share/man/man8'
	install -d '$(DESTDIR)$(PREFIX)/share/bash-completion/completions' '$(DESTDIR)$(PREFIX)/share/zsh/site-functions'
	install -m 644 completions/dory.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/dory'
	install -m 644 completions/_dory '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_dory'

run: ## start a board in QEMU for a person: BOARD=lm3s6965evb, PORT=2222 or any free one; Ctrl-C ends it
	$(if $(filter $(BOARD),$(FIRMWARES)),,$(error make run wants BOARD=one of: $(FIRMWARES)))
	@scripts/setup build boards
	@$(MAKE) --no-print-directory BOARD=$(BOARD) all
	@scripts/run-board $(BOARD) $(PORT)

clean: ## remove what was built (fetched sources stay)
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

FORCE:
.PHONY: all libs dropbear setup demo test unit interop boards bigendian check-deps check-symbols test-programs bench-programs parts size bench ct fuzz install run clean help FORCE
.SECONDARY:
