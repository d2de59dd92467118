/* limits.h - every cap on size, count, depth and time, with its unit and reason.
 *
 * A reader of foreign bytes takes its cap from here, never from the bytes.
 */
#ifndef WA_BASE_LIMITS_H
#define WA_BASE_LIMITS_H

/* --- errors and logs --- */
#define WA_ERR_TEXT_MAX 1024u     /* bytes: fits a chain of about eight contexts */
#define WA_LOG_LINE_MAX 4096u     /* bytes: one event, longer values are cut */

/* --- names and paths --- */
#define WA_PATH_MAX 4096u         /* bytes: PATH_MAX of Linux */
#define WA_RELPATH_MAX 1024u      /* bytes: a member name of a package; NTFS allows 255 a part */
#define WA_RELPATH_DEPTH_MAX 64u  /* components */
#define WA_NAME_MAX 255u          /* bytes: package, host and file names */
#define WA_UUID_MAX 64u           /* bytes: a host's identity, with room for fqdn-like ones */

/* --- JSON --- */
#define WA_JSON_DEPTH_MAX 32u     /* levels: WAPT's own messages use 6 */
#define WA_JSON_BYTES_MAX (16u << 20) /* bytes: the largest inventory seen is below 1 MiB */

/* --- INI --- */
#define WA_INI_BYTES_MAX (1u << 20)   /* bytes */
#define WA_INI_LINE_MAX 65536u        /* bytes */

/* --- packages --- */
#define WA_CONTROL_BYTES_MAX (256u << 10)   /* bytes: WAPT/control; the longest real one is 6 KiB */
#define WA_MANIFEST_BYTES_MAX (16u << 20)   /* bytes: about 100,000 files */
#define WA_SIGNATURE_BYTES_MAX (16u << 10)  /* bytes: base64 of RSA-16384 is 2.8 KiB */
#define WA_CERTFILE_BYTES_MAX (256u << 10)  /* bytes: a chain of a hundred certificates */
#define WA_SETUP_PY_BYTES_MAX (4u << 20)    /* bytes: setup.py */
#define WA_ZIP_MEMBERS_MAX 200000u          /* members of an archive */
#define WA_ZIP_COMMENT_MAX 65535u           /* bytes: limit of the format */
#define WA_ZIP_RATIO_MAX 1100u              /* inflated/deflated: deflate itself can't exceed 1,032 */
#define WA_PACKAGE_BYTES_MAX (64ull << 30)  /* bytes: the archive */
#define WA_PACKAGE_INFLATED_MAX (256ull << 30) /* bytes: the sum of its members */
#define WA_INDEX_BYTES_MAX (256u << 20)     /* bytes: inflated Packages text; 10,000 packages are 20 MiB */
#define WA_INDEX_ENTRIES_MAX 200000u        /* entries of one index */
#define WA_DEPENDS_DEPTH_MAX 64u            /* levels; WAPT stops at 30 */

/* --- certificates --- */
#define WA_CHAIN_MAX 16u                    /* certificates of one signer's chain */
#define WA_ANCHORS_MAX 4096u                /* certificates of one trust store */
#define WA_CRLS_MAX 256u                    /* revocation lists of one trust store, or of an index */
#define WA_CRL_BYTES_MAX (16u << 20)        /* bytes: one list; about 400,000 revoked certificates */
#define WA_RSA_BITS_MIN 2048                /* bits: below is weak (NIST SP 800-57, 2014 on) */
#define WA_RSA_BITS_MAX 16384               /* bits: above is a denial of service */

/* --- digest trees --- */
#define WA_TREE_LEAVES_MAX (1u << 20)       /* leaves: a million machines in one batch */
#define WA_TREE_DEPTH_MAX 20u               /* log2 of the above */

/* --- HTTP and WebSocket --- */
#define WA_HTTP_HEAD_MAX (16u << 10)        /* bytes: request line and headers together */
#define WA_HTTP_HEADERS_MAX 64u             /* headers of one message */
#define WA_HTTP_BODY_MAX (1u << 20)         /* bytes: default, a route may allow more */
#define WA_WS_MESSAGE_MAX (4u << 20)        /* bytes: one message, all fragments together */
#define WA_WS_HELLO_MAX (512u << 10)        /* bytes: first message, before authentication */
#define WA_HTTP_HEAD_TIMEOUT_MS 10000u      /* ms: a client that feeds headers slowly is cut */
#define WA_HTTP_IDLE_TIMEOUT_MS 60000u      /* ms: keep-alive without a request */
#define WA_TLS_HANDSHAKE_TIMEOUT_MS 10000u  /* ms */
#define WA_WS_PING_MS 25000u                /* ms: keeps NAT and proxies from forgetting us */
#define WA_WS_PONG_TIMEOUT_MS 60000u        /* ms: silence after which the peer is gone */

/* --- processes and their messages --- */
#define WA_IPC_MESSAGE_MAX (20u << 20)      /* bytes: above the largest JSON it may carry */
#define WA_LOCAL_REQUEST_MAX (64u << 10)    /* bytes: what a local tool may send at once */
#define WA_LOCAL_CLIENTS_MAX 64u            /* local connections at the same time */
#define WA_LOCAL_CLIENTS_PER_UID_MAX 8u     /* of one user, so that one can't starve others */
#define WA_SCRIPT_OUTPUT_MAX (1u << 20)     /* bytes kept of a script's output: head and tail */
#define WA_SCRIPT_TIMEOUT_S 3600u           /* s: a hook without its own limit */
#define WA_AUTH_TIMEOUT_MS 15000u           /* ms: PAM adds 2 s to a wrong password */

/* --- actions (security target F3A) --- */
#define WA_ACTION_BYTES_MAX (64u << 10)     /* bytes: one signed action with its arguments */
#define WA_ACTION_AGE_MAX_S (30u * 86400u)  /* s: not_after - issued_at; an identifier is kept that long */
#define WA_ACTION_SKEW_S 60                 /* s: countersignature, each way (F3A: one minute) */
#define WA_ACTION_HOSTS_MAX 100000u         /* machines of one batch */

#endif
