/* The device profile: what a device's limits are where its dory_limits.h does not say otherwise. Packet buffers of 4 KiB at the most, one channel,
   ChaCha20-Poly1305. A session with its engine and buffers stays below 8 KiB (tests/size/session.c asserts it). What these limits mean stands in
   platform/dory_config.h. Every part of an image is compiled with it, behind the board's dory_limits.h (mk/firmware.mk). */
#ifndef DORY_PROFILE_H
#define DORY_PROFILE_H

#ifndef DORY_CIPHER_CTX_SIZE
#define DORY_CIPHER_CTX_SIZE 64
#endif
#ifndef DORY_MAC_CTX_SIZE
#define DORY_MAC_CTX_SIZE 8
#endif
#ifndef DORY_KEY_SECRET_SIZE
#define DORY_KEY_SECRET_SIZE 96
#endif
#ifndef DORY_MAX_PACKET_LENGTH
#define DORY_MAX_PACKET_LENGTH 4096
#endif
#ifndef DORY_CHANNEL_MAX_PACKET
#define DORY_CHANNEL_MAX_PACKET 3840
#endif
#ifndef DORY_USER_NAME_MAX
#define DORY_USER_NAME_MAX 32
#endif
#ifndef DORY_COMMAND_MAX
#define DORY_COMMAND_MAX 128
#endif
#ifndef DORY_NAME_MAX
#define DORY_NAME_MAX 40
#endif
#ifndef DORY_SCP_DEPTH_MAX
#define DORY_SCP_DEPTH_MAX 4
#endif
#ifndef DORY_SCP_PATH_MAX
#define DORY_SCP_PATH_MAX 64
#endif

/* SFTP as one person's client needs it. */
#ifndef DORY_SFTP_QUEUE
#define DORY_SFTP_QUEUE 1024
#endif
#ifndef DORY_SFTP_WRITES
#define DORY_SFTP_WRITES 64
#endif
#ifndef DORY_SFTP_HANDLES
#define DORY_SFTP_HANDLES 4
#endif
#ifndef DORY_SFTP_WINDOW
#define DORY_SFTP_WINDOW (8 * 1024)
#endif
#ifndef DORY_SFTP_READ_MAX
#define DORY_SFTP_READ_MAX 2048
#endif
#ifndef DORY_SFTP_LINK_MAX
#define DORY_SFTP_LINK_MAX 63
#endif

#endif
