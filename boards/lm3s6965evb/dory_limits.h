/* The device profile (platform/device/dory_profile.h) with packet buffers of 3.5 and 2 KiB. */
#define DORY_KEX_STATE_SIZE 32
#define DORY_TX_RESERVE 1024

/* One session and one newcomer that waits for it: 64 KiB of RAM are shared with the application that a product adds. */
#define DORY_DEVICE_SESSIONS  1
#define DORY_LWIP_CONNECTIONS 2

/* 1 KiB pages as on the chip. */
#define EMULATED_FLASH_PAGE  1024u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  4u
