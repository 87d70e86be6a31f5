/* The device profile (platform/device/dory_profile.h) with room for ML-KEM: packet buffers of 4 KiB. */
#define DORY_KEX_STATE_SIZE 96
#define DORY_TX_RESERVE 2048

#define DORY_DEVICE_RX 4096
#define DORY_DEVICE_TX 4096
#define DORY_DEVICE_SESSIONS  2
#define DORY_FLASH_SLOTS      10
#define DORY_LWIP_CONNECTIONS 3 /* two sessions; a pull, or one newcomer that waits. The LAN9118 holds 10.5 KB, six full segments: all windows
                                   together take no more */

#define EMULATED_FLASH_PAGE  4096u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  8u

#define DORY_DEVICE_ENGINE 2304 /* SFTP's */
