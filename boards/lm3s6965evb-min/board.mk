# The lm3s6965evb in 64 KiB of flash: SCP, two slots of an image, keys; no passwords, log, console, texts of errors. Hardware and linker
# script are the plain board's.
CPU           = -mcpu=cortex-m3 -mthumb -fno-move-loop-invariants
TOOLS         = arm-none-eabi-
LINKER_SCRIPT = boards/lm3s6965evb/lm3s6965.ld
EMULATED      = 1
LTO           = 1
STACK         = 7168

DIRS_program  = boards/lm3s6965evb-min
DIRS_platform = platform platform/device platform/flash platform/lwip platform/cortex-m platform/emulated boards/lm3s6965evb

include mk/firmware.mk

