/* The device profile with room for ML-KEM: packet buffers of 4 KiB, one channel, ChaCha20-Poly1305. What these limits mean stands in
   platform/dory_config.h. */
#define DORY_CIPHER_CTX_SIZE 64
#define DORY_MAC_CTX_SIZE 8
#define DORY_KEX_STATE_SIZE 96
#define DORY_KEY_SECRET_SIZE 96
#define DORY_MAX_PACKET_LENGTH 4096
#define DORY_CHANNEL_MAX_PACKET 3840
#define DORY_TX_RESERVE 2048
#define DORY_USER_NAME_MAX 32
#define DORY_COMMAND_MAX 128
#define DORY_NAME_MAX 40
#define DORY_SCP_DEPTH_MAX 4
#define DORY_SCP_PATH_MAX 64

#define DORY_DEVICE_RX 4096
#define DORY_DEVICE_TX 4096
#define DORY_DEVICE_SESSIONS  2
#define DORY_FLASH_SLOTS      10
#define DORY_LWIP_CONNECTIONS 3 /* two sessions; a pull, or one newcomer that waits. The LAN9118 holds 10.5 KB, six full segments: all windows
                                   together take no more */

#define EMULATED_FLASH_PAGE  4096u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  8u

/* SFTP as one person's client needs it. */
#define DORY_DEVICE_ENGINE 2304
#define DORY_SFTP_QUEUE    1024
#define DORY_SFTP_WRITES   64
#define DORY_SFTP_HANDLES  4
#define DORY_SFTP_WINDOW   (8 * 1024)
#define DORY_SFTP_READ_MAX 2048
#define DORY_SFTP_LINK_MAX 63
