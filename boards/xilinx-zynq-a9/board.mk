# QEMU's xilinx-zynq-a9: a Cortex-A9 and the Ethernet controller (Cadence GEM) that many parts have.
# SCP, SFTP, ML-KEM, the client that fetches, two sessions.
CPU           = -mcpu=cortex-a9 -mthumb -mfloat-abi=soft -fno-move-loop-invariants
TOOLS         = arm-none-eabi-
LINKER_SCRIPT = boards/xilinx-zynq-a9/zynq.ld
EMULATED      = 1
MLKEM         = 1

DIRS_program  = boards/xilinx-zynq-a9
DIRS_platform = platform platform/device platform/flash platform/lwip platform/emulated

include mk/firmware.mk
