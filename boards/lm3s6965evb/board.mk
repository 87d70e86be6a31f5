# QEMU's lm3s6965evb: Cortex-M3, 256 KiB of flash, 64 KiB of RAM. Serves SCP with curve25519, ed25519, chacha20-poly1305, passwords and keys,
# A/B slots, a log, a console and commands.
CPU           = -mcpu=cortex-m3 -mthumb -fno-move-loop-invariants
TOOLS         = arm-none-eabi-
LINKER_SCRIPT = boards/lm3s6965evb/lm3s6965.ld
EMULATED      = 1
LTO           = 1
STACK         = 7168

DIRS_program  = boards/lm3s6965evb
DIRS_platform = platform platform/device platform/flash platform/lwip platform/cortex-m platform/emulated

include mk/firmware.mk
