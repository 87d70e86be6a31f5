/* The device profile: packet buffers of 3.5 and 2 KiB, one channel, ChaCha20-Poly1305. A session with its engine and buffers stays below 8 KiB
   (tests/size/session.c asserts it). What these limits mean stands in platform/dory_config.h. */
#define DORY_ERROR_TEXTS 0
#define DORY_CIPHER_CTX_SIZE 64
#define DORY_MAC_CTX_SIZE 8
#define DORY_KEX_STATE_SIZE 32
#define DORY_KEY_SECRET_SIZE 96
#define DORY_MAX_PACKET_LENGTH 4096
#define DORY_CHANNEL_MAX_PACKET 3840
#define DORY_TX_RESERVE 1024
#define DORY_USER_NAME_MAX 32
#define DORY_COMMAND_MAX 128
#define DORY_NAME_MAX 40
#define DORY_SCP_DEPTH_MAX 4
#define DORY_SCP_PATH_MAX 64

/* One session and one newcomer that waits for it: 64 KiB of RAM are shared with the application that a product adds. */
#define DORY_DEVICE_SESSIONS  1
#define DORY_LWIP_CONNECTIONS 2

/* 1 KiB pages as on the chip. */
#define EMULATED_FLASH_PAGE  1024u
#define EMULATED_FLASH_PAGES 256u
#define EMULATED_FLASH_UNIT  4u
