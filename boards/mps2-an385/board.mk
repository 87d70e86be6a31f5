# QEMU's mps2-an385 (Cortex-M3); the image runs on mps2-an386 (Cortex-M4) as well. SCP, SFTP, ML-KEM,
# the client that fetches, two sessions.
CPU           = -mcpu=cortex-m3 -mthumb -fno-move-loop-invariants
TOOLS         = arm-none-eabi-
LINKER_SCRIPT = boards/mps2-an385/mps2.ld
EMULATED      = 1
MLKEM         = 1

DIRS_program  = boards/mps2-an385
DIRS_platform = platform platform/device platform/flash platform/lwip platform/cortex-m platform/emulated

include mk/firmware.mk
