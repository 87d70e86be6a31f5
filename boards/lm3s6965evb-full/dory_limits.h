/* The device profile (platform/device/dory_profile.h) with room for ML-KEM: packet buffers of 3.5 and 3 KiB. */
#define DORY_ERROR_TEXTS 1
#define DORY_KEX_STATE_SIZE 96 /* mlkem768x25519 */
#define DORY_TX_RESERVE 1536 /* the reply of mlkem768x25519 */

#define DORY_DEVICE_TX        3072 /* beyond the reserve */
#define DORY_DEVICE_SESSIONS  2
#define DORY_FLASH_SLOTS      10
#define DORY_LWIP_CONNECTIONS 3 /* two sessions; a pull, or one newcomer that waits */

/* 1 KiB pages as on the chip. */
#define EMULATED_FLASH_PAGE  1024u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  4u
