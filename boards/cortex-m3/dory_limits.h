/* The device profile (platform/device/dory_profile.h) with packet buffers of 3.5 and 2 KiB; both SFTP engines as small as they are of use. */
#define DORY_KEX_STATE_SIZE 32
#define DORY_TX_RESERVE 1024
#define DORY_SFTP_QUEUE 480
#define DORY_SFTP_WRITES 16
#define DORY_SFTP_WINDOW 8192
#define DORY_SFTP_READ_MAX 32768
#define DORY_SFTP_LINK_MAX 40
#define DORY_SFTP_REQUESTS 12
#define DORY_SFTP_MOVING 6
#define DORY_SFTP_CHUNK 2048
#define DORY_SFTP_FILES 2
#define DORY_SFTP_NAMES 2048
#define DORY_SFTP_HANDLE_MAX 32
