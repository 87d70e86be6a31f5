# Linux and its relatives: the programs that people run. CC, or CROSS=mips-linux-gnu- for another machine.
ifeq ($(origin CC),default)
CC = $(CROSS)gcc
endif
AR = $(CROSS)ar

CFLAGS     ?= -O2 -g
LIB_CFLAGS  = -fPIE
LIB_OPT_MBEDTLS = -O2
LIB_OPT_SODIUM  = -O3
HARDEN      = -fPIE -fstack-protector-strong
LINK        = -pie -Wl,-z,relro,-z,now

# Other compilers and the sanitizers build beside the plain build, not over it. Sanitizers make gcc warn of what is not there.
SANITIZE = $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-error)
VARIANT  = $(CROSS:%-=-%)$(if $(filter-out $(CROSS)gcc,$(CC)),-$(notdir $(firstword $(CC))))$(if $(SAN),-asan)

DIRS_crypto-port = crypto-port crypto-port/hybrid crypto-port/posix
DIRS_platform    = platform platform/posix platform/ram platform/flash platform/device
DIRS_program     = boards/posix

MBEDTLS_CONFIG = crypto-port/mbedtls_config.h
MBEDTLS_FILES  = *.c
SODIUM_FILES   = *.c *.S
