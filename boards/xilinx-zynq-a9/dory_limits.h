/* The device profile (platform/device/dory_profile.h) with room for ML-KEM: packet buffers of 3.5 and 3 KiB. */
#define DORY_KEX_STATE_SIZE 96 /* mlkem768x25519 */
#define DORY_TX_RESERVE 1536 /* the reply of mlkem768x25519 */

#define DORY_DEVICE_SESSIONS  2
#define DORY_DEVICE_TX        3072 /* beyond the reserve */
#define DORY_FLASH_SLOTS      10
#define DORY_LWIP_CONNECTIONS 4 /* two sessions, a pull, and one newcomer that waits */

#define EMULATED_FLASH_PAGE  4096u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  4u

#define DORY_DEVICE_ENGINE 2304 /* SFTP's */
