# QEMU's virt machine with 32 bits: rv32imac, virtio network and entropy. SCP, SFTP, ML-KEM, the client that fetches, two sessions.
CPU           = -march=rv32imac -mabi=ilp32 -msave-restore
TOOLS         = riscv64-unknown-elf-
LINKER_SCRIPT = boards/riscv32-virt/virt.ld
EMULATED      = 1
MLKEM         = 1

DIRS_program  = boards/riscv32-virt
DIRS_platform = platform platform/device platform/flash platform/lwip platform/emulated

include mk/firmware.mk

# This machine has an entropy device.
OMIT += platform/emulated/entropy.c

# The start-up of test images: tests/device/virt.c, virt.ld.
MACHINE_TEST = virt
