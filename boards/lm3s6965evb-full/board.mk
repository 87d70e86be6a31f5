# The lm3s6965evb with everything: ML-KEM, the client that fetches, two sessions. Hardware and linker script are the plain board's.
CPU           = -mcpu=cortex-m3 -mthumb -fno-move-loop-invariants
TOOLS         = arm-none-eabi-
LINKER_SCRIPT = boards/lm3s6965evb/lm3s6965.ld
EMULATED      = 1
LTO           = 1
MLKEM         = 1
# Decapsulation of ML-KEM takes 5 KiB.
STACK         = 9216

DIRS_program  = boards/lm3s6965evb-full
DIRS_platform = platform platform/device platform/flash platform/lwip platform/cortex-m platform/emulated boards/lm3s6965evb

include mk/firmware.mk
