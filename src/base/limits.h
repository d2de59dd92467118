/* limits.h - every cap on size, count, depth and time, with its unit and reason.
 *
 * A reader of foreign bytes takes its cap from here, never from the bytes.
 */
#ifndef WA_BASE_LIMITS_H
#define WA_BASE_LIMITS_H

/* --- errors and logs --- */
#define WA_ERR_TEXT_MAX 1024u /* bytes: fits a chain of about eight contexts */
#define WA_LOG_LINE_MAX 4096u /* bytes: one event, longer values are cut */

/* --- names and paths --- */
#define WA_PATH_MAX 4096u        /* bytes: PATH_MAX of Linux */
#define WA_RELPATH_MAX 1024u     /* bytes: a member name of a package; NTFS allows 255 a part */
#define WA_RELPATH_DEPTH_MAX 64u /* components */
#define WA_NAME_MAX 255u         /* bytes: package, host and file names */
#define WA_UUID_MAX 64u          /* bytes: a host's identity, with room for fqdn-like ones */

/* --- JSON --- */
#define WA_JSON_DEPTH_MAX 32u         /* levels: WAPT's own messages use 6 */
#define WA_JSON_BYTES_MAX (16u << 20) /* bytes: the largest inventory seen is below 1 MiB */
#define WA_JSON_LEGACY_MEMBERS_MAX                                                                 \
    1024u /* members of an object whose order is that of a Python 2 dict: WAPT's have 40 */

/* --- XML --- */
#define WA_XML_BYTES_MAX (1u << 20) /* bytes: a document; manifests of large apps have 200 KiB */
#define WA_XML_DEPTH_MAX 32u        /* elements in one another: manifests use 8 */
#define WA_XML_PATH_MAX 4096u       /* bytes: elements in one another, an attribute */
#define WA_XML_ATTRS_MAX 64u        /* of one element; those that declare name spaces, too */

/* --- INI --- */
#define WA_INI_BYTES_MAX (1u << 20) /* bytes */
#define WA_INI_LINE_MAX 65536u      /* bytes */

/* --- packages --- */
#define WA_CONTROL_BYTES_MAX (256u << 10)  /* bytes: WAPT/control; the longest real one is 6 KiB */
#define WA_MANIFEST_BYTES_MAX (16u << 20)  /* bytes: about 100,000 files */
#define WA_SIGNATURE_BYTES_MAX (16u << 10) /* bytes: base64 of RSA-16384 is 2.8 KiB */
#define WA_CERTFILE_BYTES_MAX (256u << 10) /* bytes: a chain of a hundred certificates */
#define WA_SETUP_PY_BYTES_MAX (4u << 20)   /* bytes: setup.py */
#define WA_ZIP_MEMBERS_MAX 200000u         /* members of an archive */
#define WA_ZIP_COMMENT_MAX 65535u          /* bytes: limit of the format */
#define WA_ZIP_RATIO_MAX 1100u /* inflated/deflated: deflate itself can't exceed 1,032 */
#define WA_PACKAGE_BYTES_MAX (64ull << 30)     /* bytes: the archive */
#define WA_PACKAGE_INFLATED_MAX (256ull << 30) /* bytes: the sum of its members */
#define WA_INDEX_BYTES_MAX                                                                         \
    (256u << 20)                     /* bytes: inflated Packages text; 10,000 packages are 20 MiB */
#define WA_INDEX_ENTRIES_MAX 200000u /* entries of one index */
#define WA_ZIP_DIRECTORY_BYTES_MAX                                                                 \
    (64u << 20) /* bytes: read as a whole; 200,000 members with names of 250 bytes */
#define WA_ICON_BYTES_MAX (1u << 20) /* bytes: WAPT/icon.png; the largest real one is 60 KiB */
#define WA_ICON_SIDE_MAX 2048u       /* pixels: whoever shows it takes four bytes for each */
#define WA_INDEX_PACKED_BYTES_MAX (128u << 20) /* bytes: the index as it is downloaded */
#define WA_PLAN_PROBLEMS_BYTES_MAX (1u << 20)  /* bytes: what a plan says that can't be done */
#define WA_PLAN_LITERALS_MAX                                                                       \
    (4u << 20) /* literals: 16 MiB; 10,000 packages that all need one another have 200,000 */
#define WA_PLAN_WORK_MAX                                                                           \
    10000000u /* literals looked at for one plan: below a second; an honest one takes some 10,000  \
               */
#define WA_WINDOWS_MAX 32u /* maintenance windows of one machine */
#define WA_WINDOWS_BYTES_MAX                                                                       \
    4096u                  /* bytes: their text, of all packages together; of freezes too          \
                            */
#define WA_FREEZES_MAX 32u /* freezes of one machine */
#define WA_UTC_OFFSET_MAX_S (26 * 3600) /* s: how far a clock on the wall is from UTC */
#define WA_FLEET_SAID_MAX                                                                          \
    64u /* names of one kind that a machine has in lists, and names that it alone ever said */
#define WA_POLICIES_BYTES_MAX                                                                      \
    (1u << 20) /* bytes: which package says what of windows, freezes and holds, as JSON */
#define WA_PLAN_REASONS_MAX 200u /* lines of one explanation */
#define WA_PLAN_EXPLAINED_MAX                                                                      \
    64u /* problems of one plan that are explained; the others are named */

/* --- making packages --- */
#define WA_FACT_BYTES_MAX 255u          /* bytes: what an installer says of itself, one thing */
#define WA_LEFTOVER_AGE_S 3600          /* s: a package being made is written to within that */
#define WA_LINT_FINDINGS_MAX 1000u      /* mistakes of one package that are told */
#define WA_TOOL_OUTPUT_MAX (256u << 10) /* bytes: what a tool says of an installer */
#define WA_TOOL_TIMEOUT_MS 30000u       /* ms: reading the properties of an installer */
#define WA_TOOL_MEMORY_MAX (1ull << 30) /* bytes: of address space, beside the mapped file */
#define WA_TOOL_FILE_MAX (64u << 20)    /* bytes: a file it writes; dpkg-deb unpacks the control */
#define WA_INSTALLER_BYTES_MAX (16ull << 30) /* bytes: an installer to make a package from */

/* --- self-service --- */
#define WA_SELF_GROUPS_MAX 96u        /* groups in all rules of a machine */
#define WA_SELF_PACKAGES_MAX 4096u    /* packages in them */
#define WA_SELF_BYTES_MAX (1u << 20)  /* bytes: the rules of one package */
#define WA_SELF_MEMORY_MAX (8u << 20) /* bytes: all rules, read */

/* --- certificates --- */
#define WA_CHAIN_MAX 16u             /* certificates of one signer's chain */
#define WA_ANCHORS_MAX 4096u         /* certificates of one trust store */
#define WA_CRLS_MAX 256u             /* revocation lists of one trust store, or of an index */
#define WA_CRL_BYTES_MAX (16u << 20) /* bytes: one list; about 400,000 revoked certificates */
#define WA_CRL_URLS_MAX 16u          /* addresses of lists, of all anchors together */
#define WA_CRLS_KEPT_MAX 128u        /* lists that an agent keeps for later: half of a store */
#define WA_CRL_AGE_MAX_S 86400       /* seconds: a list that can be fetched is not kept longer */
#define WA_RSA_BITS_MIN 2048         /* bits: below is weak (NIST SP 800-57, 2014 on) */
#define WA_RSA_BITS_MAX 16384        /* bits: above is a denial of service */
#define WA_TRUST_FILE_BYTES_MAX                                                                    \
    (16u << 20) /* bytes: a file of the administrator's; revocation lists can be long */
#define WA_CERT_SERIAL_SIZE 41 /* bytes with the NUL: 20 bytes in hex (RFC 5280, 4.1.2.2) */
#define WA_CSR_BYTES_MAX                                                                           \
    8192u              /* bytes: a request for a certificate; an RSA key of 16,384 bits fits */
#define WA_CN_SIZE 260 /* bytes with the NUL: 64 characters, the longest name that X.520 allows */
#define WA_TRUST_CHECKS_MAX                                                                        \
    128u /* signature checks of one search: a path of 16 with eight namesakes each */
#define WA_KEY_BYTES_MAX (64u << 10)     /* bytes: a key's PEM file; RSA-16384 takes 13 KiB */
#define WA_KEY_ROUNDS_MAX 10000000       /* PBKDF2 rounds of an encrypted key: about five seconds */
#define WA_PKCS12_BYTES_MAX (256u << 10) /* bytes: a key with a long chain */
#define WA_PKCS12_BAGS_MAX 64u           /* keys, certificates and other things in a PKCS#12 file */

/* --- repository metadata --- */
#define WA_ROOT_BYTES_MAX (1u << 20) /* bytes: a root document; 288 certificates of 3 KiB */
#define WA_ROOT_ADMINISTRATORS_MAX 32u
#define WA_ROOT_SIGNERS_MAX 256u
#define WA_ROOT_TIMESTAMP_KEYS_MAX 4u
#define WA_ROOT_LIST_MAX 64u  /* items of a signer's sections, prefixes, actions, groups, units */
#define WA_ROOT_STEPS_MAX 64u /* roots that one update walks through */
#define WA_PUBLISHED_BYTES_MAX (16u << 20)  /* bytes: a list of 90,000 packages */
#define WA_PUBLISHED_DAYS_MAX 30            /* days that a published list is good for */
#define WA_PUBLISHED_REVOKED_MAX 4096u      /* fingerprints */
#define WA_TIMESTAMP_BYTES_MAX (16u << 10)  /* bytes: a timestamp with four signatures */
#define WA_TIMESTAMP_HOURS_MAX 168          /* hours that a timestamp is good for */
#define WA_METADATA_SIGNATURES_MAX 64u      /* signatures of one document */
#define WA_METADATA_MEMORY_MAX (256u << 20) /* bytes: a document as a tree of nodes */
#define WA_STAMP_EVERY_MS 600000u /* ms: how often a server looks whether its timestamp ages */
#define WA_STAMP_RETRY_MS 20000u  /* ms: then it tries again what has failed */
#define WA_METADATA_SKEW_S 900    /* s: how far ahead of ours the clock of a signer may be */

/* --- digest trees --- */
#define WA_TREE_LEAVES_MAX (1u << 20) /* leaves: a million machines in one batch */
#define WA_TREE_DEPTH_MAX 20u         /* log2 of the above */

/* --- HTTP and WebSocket --- */
#define WA_HTTP_HEAD_MAX (16u << 10)       /* bytes: request line and headers together */
#define WA_HTTP_HEADERS_MAX 64u            /* headers of one message */
#define WA_HTTP_BODY_MAX (1u << 20)        /* bytes: default, a route may allow more */
#define WA_WS_MESSAGE_MAX (4u << 20)       /* bytes: one message, all fragments together */
#define WA_WS_HELLO_MAX (512u << 10)       /* bytes: first message, before authentication */
#define WA_HTTP_HEAD_TIMEOUT_MS 10000u     /* ms: a client that feeds headers slowly is cut */
#define WA_HTTP_IDLE_TIMEOUT_MS 60000u     /* ms: keep-alive without a request */
#define WA_TLS_HANDSHAKE_TIMEOUT_MS 10000u /* ms */
#define WA_TLS_WAITING_TIMEOUT_MS 25000u   /* ms: for its turn; agents give up after 30 s */
#define WA_TLS_WAITING_MAX 16384u          /* connections that wait for that, of 1 KiB each */
#define WA_TLS_PREFERRED_MAX 32u           /* handshakes beyond the others' largest number */
#define WA_WS_PING_MS 25000u               /* ms: keeps NAT and proxies from forgetting us */
#define WA_WS_PONG_TIMEOUT_MS 60000u       /* ms: silence after which the peer is gone */
#define WA_HTTP_ANSWER_MAX (64u << 20)     /* bytes: one answer that is not a file */
#define WA_HTTP_INTERIM_MAX 8u             /* answers 1xx before the one that counts */
#define WA_LINES_KEPT_MAX 6u      /* connections of a client that wait for its next request */
#define WA_LINE_IDLE_MS 20000u    /* ms: they do so; below what servers and firewalls allow */
#define WA_LINE_ORDER_MS 2000u    /* ms: the same for what must not be sent twice */
#define WA_LINE_AGE_MS 300000u    /* ms: then certificates are judged again */
#define WA_LINE_CONNECT_MS 15000u /* ms: to a connection, TLS included */
#define WA_HTTP_STREAM_WAITING_MAX                                                                 \
    (1u << 20)                          /* bytes of a stream that its client does not read         \
                                         */
#define WA_HTTP_STALL_TIMEOUT_MS 30000u /* ms: a body or an answer of which nothing moves */
#define WA_RATE_BYTES_MS 1u      /* bytes a ms: slower than 1,000 bytes a second over all is cut */
#define WA_PROXY_LOGIN_MAX 512u  /* bytes: "user:password" of a proxy */
#define WA_HTTP_REDIRECTS_MAX 5u /* redirects that one download follows */
#define WA_HTTP_ANSWER_HEAD_MAX                                                                    \
    (64u << 10) /* bytes: the header lines of an answer, with all interim ones and redirects */
#define WA_FETCH_RATE_MIN_BYTES_S                                                                  \
    1000u /* bytes a second: an answer that is slower on average over `timeout` stalls on purpose  \
           */
#define WA_LINGER_MS 5000u /* ms: for the peer to read our last words */
#define WA_HTTP_REFUSED_MAX                                                                        \
    64u /* connections that are answered 503 at the same time, beyond the largest count */
#define WA_WS_QUEUE_MAX                                                                            \
    (4u << 20) /* bytes waiting for a peer that does not read: a message of the largest size */
#define WA_WS_PONG_QUEUE_MAX                                                                       \
    (64u << 10) /* bytes waiting above which pings go unanswered: the peer does not read */
#define WA_WS_OUT_MAX                                                                              \
    (16u << 20) /* bytes on their way to the socket: what may be queued, twice over */
#define WA_WS_WAITING_MAX (4u << 20) /* bytes: beyond, the server sends an agent nothing more */
/* ms: from the name to the open WebSocket. A server to which a whole fleet comes back lets its
 * agents wait for their turn: those who give up come later and later. */
#define WA_WS_CONNECT_TIMEOUT_MS 30000u
#define WA_WS_ADDRESS_TIMEOUT_MS 5000u /* ms: for one address of a name, while there are others */
#define WA_PROXY_ANSWER_MAX 4096u      /* bytes: a proxy's answer to CONNECT */

/* --- processes and their messages --- */
#define WA_IPC_MESSAGE_MAX (20u << 20)   /* bytes: above the largest JSON it may carry */
#define WA_LOCAL_REQUEST_MAX (64u << 10) /* bytes: what a local tool may send at once */
#define WA_LANGUAGE_BYTES_MAX 15u        /* of a language's name that it asks for */
#define WA_LOCAL_CLIENTS_MAX 64u         /* local connections at the same time */
#define WA_LOCAL_CLIENTS_PER_UID_MAX 8u  /* of one user, so that one can't starve others */
#define WA_LOCAL_ROOT_PLACES 16u         /* of all, those that others than root don't get */
#define WA_LOCAL_REQUEST_MS 30000u       /* ms: from the connection to a whole request */
#define WA_LOCAL_PASSWORD_MS 180000u     /* ms: a person types */
#define WA_LOCAL_STALL_MS 60000u         /* ms: without taking anything of what waits for it */
#define WA_LOCAL_WAITING_MAX (16u << 20) /* bytes waiting for all connections of one user */
#define WA_LOCAL_EVENTS_MAX (256u << 10) /* bytes waiting beyond which events are left out */
#define WA_LOCAL_QUESTIONS_MAX 3u        /* look-ups at the same time; the pool has four threads */
#define WA_LOCAL_NAMELESS_MAX 16u        /* connections whose account is being looked up */
#define WA_LOCAL_NAMES 64u               /* accounts whose names are remembered */
#define WA_LOCAL_NAME_MS 600000u         /* ms: and how long */
#define WA_LOCAL_RESTART_S 60            /* s: between two restarts by users */
#define WA_LOCAL_GRACES 64u              /* proven passwords that are remembered */
#define WA_LOCAL_TRIES_MAX 3u            /* wrong passwords without a delay */
#define WA_LOCAL_DELAY_FIRST_MS 10000u   /* ms: after these, doubled by each one more */
#define WA_LOCAL_DELAY_MAX_MS 900000u    /* ms */
#define WA_CATALOGUE_PAGE_MAX 500        /* packages of one page */
#define WA_CATALOGUE_PAGES_MAX 1000000   /* pages */
#define WA_CATALOGUE_CATEGORIES_MAX 200u /* that are told; packages may name what they like */
#define WA_ICON_KEPT_BYTES_MAX                                                                     \
    (128u << 10)                        /* bytes: an icon that the agent keeps for its users       \
                                         */
#define WA_ICONS_KEPT_MAX 500u          /* icons: 64 MiB at most; the oldest makes room */
#define WA_ICONS_WANTED_MAX 256u        /* that are to be fetched: a few screens full */
#define WA_ICONS_FETCHED_MAX 1000u      /* in WA_ICONS_HOUR_MS, whoever asks */
#define WA_ICONS_HOUR_MS 3600000u       /* ms */
#define WA_ICON_FETCH_MS 10000u         /* ms: a task that comes meanwhile waits for it */
#define WA_ICONS_NONE_S 86400           /* s: what has none is not looked for again */
#define WA_ICONS_AGAIN_MS 600000u       /* ms: after a repository that did not answer */
#define WA_ICONS_ANSWER_MAX (4u << 20)  /* bytes of icons in one answer */
#define WA_SCRIPT_OUTPUT_MAX (1u << 20) /* bytes kept of a script's output: head and tail */
#define WA_SCRIPT_TIMEOUT_S 3600u       /* s: a hook without its own limit */
#define WA_SCRIPT_STORE_MAX                                                                        \
    (256u << 10)                      /* bytes of JSON: all that scripts keep by WAPT.write_param */
#define WA_SCRIPT_STORE_NAMES_MAX 256 /* of them, that one run may change */
#define WA_SCRIPT_WISHES_MAX 32       /* tasks that one run may ask for */
#define WA_SCRIPT_DEPTH_MAX 3         /* scripts that ask for one another, in a row */
#define WA_AUTH_TIMEOUT_MS 15000u     /* ms: PAM adds 2 s to a wrong password */
#define WA_CHAN_QUEUE_MAX (64u << 20) /* bytes waiting for another process that does not read */
#define WA_OLD_DB_BYTES_MAX                                                                        \
    (256u << 20) /* bytes: WAPT 1.8's database; one of a thousand packages has 20 MiB */
#define WA_OLD_ROWS_MAX 20000u      /* rows of it: packages of one machine */
#define WA_OLD_TEXT_MAX (16u << 10) /* bytes: one attribute of such a package */
#define WA_OLD_KEYS_MAX (64u << 10) /* bytes: uninstall keys of one */
#define WA_HOST_TEXT_MAX                                                                           \
    (4u << 20) /* bytes: a file of /proc; cpuinfo of a machine with a thousand processors */
#define WA_PLACE_BYTES_MAX                                                                         \
    (64u << 10) /* bytes: the groups of a machine's account; a thousand with long names */
#define WA_ASSIGNED_MAX 1024u           /* packages that are one machine's own: a thousand groups */
#define WA_SCENE_BYTES_MAX (512u << 10) /* bytes: their names, and what they hold */
#define WA_TASK_LOG_MAX (32u << 10) /* bytes of a task's talk kept in the history, 200 of them */
#define WA_HOLDS_BYTES_MAX (256u << 10) /* bytes: what a plan leaves alone, from all sources */
#define WA_DMI_TABLE_MAX (1u << 20)     /* bytes: the largest servers' are some 64 KiB */
#define WA_DMI_STRUCTURES_MAX 4096u     /* structures of a table that are looked at */
#define WA_DMI_VALUES_MAX 32u           /* fields of one structure that are shown */
#define WA_RPM_OUTPUT_MAX (16u << 20)   /* bytes: what rpm lists; 10,000 packages are 1 MiB */
#define WA_DPKG_PARAGRAPH_MAX                                                                      \
    (1u << 20) /* bytes: of dpkg's status file, with its list of configuration files */
#define WA_LOCAL_ANSWERS_MAX (8u << 20) /* bytes waiting for a local tool that does not read */
#define WA_LOCAL_LINE_MAX (32u << 20)   /* bytes: one line of the service's answer */
#define WA_REPOSITORIES_MAX 32u         /* repositories of one machine */
#define WA_MIRRORS_MAX 16u              /* further addresses of one repository */
#define WA_PENDING_BYTES_MAX (4u << 20) /* bytes: names of the files of one upgrade */
#define WA_DOWNLOAD_PARTS_MAX 8u        /* interrupted downloads that wait for their rest */
#define WA_LOCAL_TASKS_MAX 100      /* tasks that wait and nobody ordered: the disk is not filled */
#define WA_LOCAL_TASKS_USERS_MAX 64 /* of these, of local users but root: the others have room */
#define WA_LOCAL_TASKS_PER_UID_MAX 16 /* and of one of them */
#define WA_ROLE_JSON_MAX (1u << 20)   /* bytes: a configuration or a call: certificates, headers */
#define WA_ROLE_NOTE_MAX                                                                           \
    (32u << 10) /* bytes: a state, an answer, an error; escapes take six bytes */
#define WA_ROLE_DATA_MAX (256u << 10) /* bytes: one piece of a stream */
#define WA_ROLE_BODY_MAX (32u << 20)  /* bytes: a request's body: above the largest inventory */
#define WA_INVENTORY_BYTES_MAX                                                                     \
    (8u << 20) /* bytes: facts and software of a machine; 10,000 packages are 2 MiB */
#define WA_INVENTORY_TIMEOUT_MS 60000u /* ms: a directory that is away answers after 30 s */
#define WA_AUTH_GROUPS_MAX 128u        /* groups that are asked about at once */
#define WA_ROLE_AUTH_MAX (256u << 10)  /* bytes: a user, a password, those groups, all escaped */

/* --- directories --- */
#define WA_AUTH_KNOWN_MAX 16u            /* local users whose groups are remembered for a while */
#define WA_LDAP_SERVERS_MAX 4u           /* servers of one directory that are tried */
#define WA_LDAP_TIMEOUT_MS 9000u         /* ms: a whole login; below WA_AUTH_TIMEOUT_MS */
#define WA_LDAP_CONNECT_MS 3000u         /* ms: to reach one address, and again for its TLS */
#define WA_LDAP_MESSAGE_MAX (512u << 10) /* bytes: a token of a thousand groups is 30 KiB */
#define WA_LDAP_QUESTION_MAX (96u << 10) /* bytes: a search for 128 groups with long names */
#define WA_LDAP_ENTRIES_MAX 256u         /* entries and references in the answer to one search */
#define WA_LDAP_SID_MAX 68u              /* bytes: a SID with its 15 parts */

/* --- OpenID Connect --- */
#define WA_JWS_BYTES_MAX (64u << 10)    /* bytes: an ID token with a thousand groups */
#define WA_JWK_KEYS_MAX 64u             /* keys of a provider */
#define WA_OIDC_ANSWER_MAX (256u << 10) /* bytes: its description, its keys, its tokens */
#define WA_OIDC_TIMEOUT_MS 8000u        /* ms: for one request; other logins wait meanwhile */
#define WA_OIDC_CODE_MAX 2048u          /* bytes: a code, as providers make them */
#define WA_OIDC_REFRESH_MAX                                                                        \
    4096u                          /* bytes: a refresh token; with a larger one nothing is renewed \
                                    */
#define WA_OIDC_SEALED_MAX 8192u   /* bytes: what is kept of it, as a text */
#define WA_OIDC_RETRY_S 15         /* s: that sessions wait when the provider does not answer */
#define WA_OIDC_CLAIM_S 60         /* s: one server has to ask, before any may again */
#define WA_OIDC_SKEW_S 60          /* s: that its clock may be off */
#define WA_OIDC_TOKEN_AGE_S 600    /* s: an ID token is used at once */
#define WA_OIDC_DESCRIPTION_S 3600 /* s: that its description is believed */
#define WA_OIDC_FAILED_S 5         /* s: that it is not asked again after it failed */

/* --- what clients send to a server's front --- */
#define WA_FRONT_LOGIN_MAX 8192u         /* bytes: a name and a password */
#define WA_FRONT_PERSON_MAX (256u << 10) /* bytes: who a machine asks about, in a statement */
#define WA_FRONT_REPORT_MAX (12u << 20)  /* bytes: an inventory */
#define WA_FRONT_REGISTER_MAX (1u << 20) /* bytes: what a machine is, and its certificate */
#define WA_FRONT_API_MAX (15u << 20)     /* bytes: orders of many machines */
#define WA_FRONT_BODIES_MAX                                                                        \
    (256u << 20) /* bytes of all bodies being collected; one address gets a quarter */
#define WA_FRONT_GREETING_MS 20000u /* ms: for the greeting of a WebSocket */
#define WA_FRONT_SEEN_MAX 4096u /* machines of which one message says that nothing has changed */
#define WA_FRONT_UNGREETED_MAX 256u /* WebSockets of one address that have not greeted yet */

/* --- webhooks --- */
#define WA_HOOKS_MAX 32u       /* webhooks */
#define WA_HOOK_URL_MAX 1000u  /* bytes */
#define WA_HOOK_QUEUE_MAX 1000 /* events that wait for one: beyond, they are counted as missed */
#define WA_HOOK_BODY_MAX (256u << 10) /* bytes of one request: a hundred events */
#define WA_HOOK_TIMEOUT_MS 10000u     /* ms: for one request; the others wait meanwhile */
#define WA_HOOK_GIVE_UP_S (3 * 86400) /* s of nothing but failures: a long weekend */

/* --- live events --- */
#define WA_EVENTS_KEPT 4096u    /* events: what somebody who was away for a moment can catch up */
#define WA_EVENTS_A_SECOND 100u /* of a kind: beyond, one event says that there are many */
#define WA_EVENT_IDS_A_SECOND                                                                      \
    1000000u /* numbers: more than there can be events, so that a new run's are greater */
#define WA_EVENT_NAME_MAX 128u           /* bytes */
#define WA_EVENTS_BYTES_MAX (256u << 10) /* bytes: what one watcher is told at once */
#define WA_PROXY_BYTES_MAX 1024u         /* of what a proxy says before TLS (PROXY protocol) */
#define WA_SYSLOG_BYTES_MAX 2048u        /* of one message: what every receiver takes (RFC 5424) */
#define WA_HOOKS_AT_ONCE 8u              /* webhooks that are sent to at the same time */
#define WA_VIEWS_MAX 100u                /* saved views of one person */
#define WA_VIEW_BYTES_MAX (16u << 10)    /* bytes: of one, as JSON */
#define WA_WATCHERS_MAX 128u             /* streams in all */
#define WA_WATCHERS_PERSON_MAX 8u        /* of one person: some windows of a console */
#define WA_WATCHER_BEAT_MS 15000u /* ms: a sign of life, before proxies forget a silent stream */

/* --- uploads --- */
#define WA_UPLOAD_PIECE                                                                            \
    (64u << 20) /* bytes: sent by one request; more are sent again when it breaks off */
#define WA_UPLOADS_OPEN_MAX 64            /* unfinished uploads of one person */
#define WA_SCAN_QUESTION_MAX (256u << 10) /* bytes: what the store asks the scan process */

/* --- passwords --- */
#define WA_PASSPHRASE_MAX 1024 /* bytes: of a key; what OpenSSL's PEM reader has room for */
#define WA_TERM_LINE_MAX                                                                           \
    1024u /* bytes: what a person types, or the first line of a password's file */
#define WA_PASSWORD_MAX 4096u /* bytes: what is hashed */
#define WA_PWHASH_MEMORY_KIB_MAX                                                                   \
    (256u << 10)                      /* KiB: a stored hash must not be able to stop the server */
#define WA_PWHASH_PASSES_MAX 16u      /* passes of Argon2, for the same reason */
#define WA_PBKDF2_ROUNDS_MAX 2000000u /* rounds, for the same reason: about a second */
#define WA_SHA512_CRYPT_ROUNDS_MAX                                                                 \
    1000000u                  /* rounds, for the same reason: about a second; passlib: 656,000 */
#define WA_BCRYPT_COST_MAX 14 /* 2^14 rounds, for the same reason: about a second */
#define WA_HTPASSWD_BYTES_MAX                                                                      \
    (1u << 20)                   /* bytes: the passwords of a WAPT 1.8 server, some 10,000 people */
#define WA_PAM_PASSWORD_MAX 512u /* bytes: PAM_MAX_RESP_SIZE, beyond which modules refuse */
#define WA_PAM_USER_MAX 255u     /* bytes: LOGIN_NAME_MAX */

/* --- reports, the console, the database --- */
#define WA_SERVER_BODY_MAX                                                                         \
    (16u                                                                                           \
     << 20) /* bytes: the largest body that the server takes: a report; orders of many machines */
#define WA_REPORT_MEMORY_MAX (256u << 20) /* bytes: a report as a tree of nodes */
#define WA_REPORT_ANSWER_MAX (256u << 10) /* bytes: what the server answers to a report */
#define WA_CONSOLE_ANSWER_MAX                                                                      \
    (64u << 20) /* bytes: what the server answers to the console: 100,000 machines */
#define WA_LOCAL_TICKET_MS 60000u    /* ms: from printing a link to the browser's first request */
#define WA_LOCAL_BODY_MAX (5u << 20) /* bytes: 100,000 machines by their uuids */
#define WA_LOCAL_SMALL_MAX 4096u     /* bytes: a ticket, a password, an identifier */
#define WA_LOCAL_CONNECTIONS 128u    /* of all tabs; a browser opens six to one host */
#define WA_LOCAL_STREAMS 8u          /* that a person may have at the server */
#define WA_LOCAL_THREADS 24u         /* calls at the same time; six wait for the server at most */
#define WA_LOCAL_PREPARED 16u        /* shown and not confirmed yet; each may hold 10,000 orders */
#define WA_LOCAL_PREPARED_S 900      /* s: what was shown longer ago is shown again */
#define WA_LOCAL_FILES 1024u         /* that were dropped into a page and wait; a folder's, too */
#define WA_LOCAL_FILE_S 3600         /* s: and how long */
#define WA_LOCAL_FILES_SPARE (256ull << 20) /* bytes that they leave free on the disk */
#define WA_LOCAL_KEYS 32u                   /* certificates of one person */
#define WA_LOCAL_UNLOCK_S_MAX 43200         /* s: a working day */
#define WA_POLICY_WAY_MAX 32u         /* packages of a chain of needs that a person is shown */
#define WA_REPORT_SKEW_S 900          /* s: a clock further off is told to the administrator */
#define WA_DESK_EVENT_MAX (64u << 10) /* bytes: one line of the agent's events */
#define WA_DESK_ICONS_MAX (32u << 10) /* bytes: the names of 64 packages */

/* --- what the console's pages keep --- */
#define WA_LOCAL_PREFS_MAX (256u << 10) /* bytes: what a person has chosen in them */

#define WA_TWIN_DOUBTS_MAX                                                                         \
    3 /* reports in a row that the server had before: beyond chance, and answers that got lost */
#define WA_TLS_IDENTITY_MAX (64u << 10) /* bytes: a certificate and its key */
#define WA_TICKET_TEXT_MAX                                                                         \
    (96u << 10) /* bytes: a SPNEGO token in base64; Active Directory's are at most 48,000 bytes */
#define WA_TICKET_TIMEOUT_MS                                                                       \
    40000u /* ms: MIT asks each KDC three times; nobody waits for it but a registration */
#define WA_KEYTAB_BYTES_MAX (256u << 10) /* bytes: the keys of a machine, or of a service */
#define WA_CLIENT_CERT_DAYS_MAX 825 /* days: a machine's TLS certificate; renewed long before */
#define WA_CLIENT_CERTS_A_DAY                                                                      \
    10 /* new ones for one machine: a hostile one must not fill the table */
#define WA_REVOKED_MAX                                                                             \
    250000u           /* certificates of machines on their list: some 80 bytes each in a message */
#define WA_CRL_DAYS 7 /* days that a list of revoked ones holds; renewed each day */
#define WA_KIT_BYTES_MAX (3u << 20)  /* bytes: configuration, certificates, a root document */
#define WA_KIT_AGENT_MAX (64u << 20) /* bytes: the package of the agent in a kit */
#define WA_KIT_CERTS_MAX 64u         /* certificates that a kit has a machine trust */
#define WA_TOKEN_MAX 160             /* bytes with NUL: an enrolment token */
#define WA_SQL_VALUE_BYTES_MAX                                                                     \
    (64 << 20) /* bytes: one value of the database, above the largest message */

/* --- the inventory's rows on the server --- */
#define WA_REPORT_BURST_MS                                                                         \
    2000u /* ms of the store's time that one machine's reports may take at once */
#define WA_REPORT_SHARE_MS 20u      /* ms: and of each second after that */
#define WA_REPORT_OWED_MS 20000u    /* ms: the most that is held against it, a quarter of an hour */
#define WA_SOFTWARE_ROWS_MAX 10000u /* titles of a machine: texlive and its friends are 4,000 */
#define WA_PACKAGE_ROWS_MAX 2000u   /* packages of a machine that can be searched */
#define WA_HISTORY_ROWS_MAX 2000u   /* of what became of one machine's packages */
#define WA_HISTORY_AGE_S (2 * 366 * 86400) /* s: and how long that is kept */
#define WA_SEARCHES_EACH 8u /* searches of one person that wait, of two seconds at most each */
#define WA_SEARCH_BYTES_MAX (4u << 20) /* bytes: a question with the machines that it is among */
#define WA_SOFTWARE_NAMES_MAX 1000     /* rules that name software in reports */
#define WA_COLUMNS_MAX 16u             /* fields of the inventory in one list of machines */
#define WA_COLUMN_PATH_MAX 255u        /* bytes: the path of one; members' names are below 64 */
#define WA_COLUMN_VALUE_MAX 255u       /* bytes of what is shown of one */
#define WA_COLUMNS_PAGE_MAX 1000 /* machines of a page that has such: each is read and parsed */
#define WA_COLUMNS_SECTION_MAX (1u << 20) /* bytes of a machine's section that is read for them */
#define WA_COUNTS_PAGE_MAX 5000           /* titles, or packages, that one answer holds */
#define WA_HISTORY_PAGE_MAX 2000          /* entries that one answer holds */

/* --- actions (security target F3A) --- */
#define WA_DESCRIPTION_MAX 255u /* bytes: what a machine is called for people; as lists keep it */
#define WA_ACTION_BYTES_MAX (64u << 10) /* bytes: one signed action with its arguments */
#define WA_ACTION_AGE_MAX_S                                                                        \
    (30u * 86400u) /* s: not_after - issued_at; an identifier is kept that long */
#define WA_ROLLOUT_AGE_MAX_S                                                                       \
    (90u * 86400u)                     /* s: of a roll-out's statement, and of what cancels one */
#define WA_ACTION_SKEW_S 60            /* s: countersignature, each way (F3A: one minute) */
#define WA_ACTION_HOSTS_MAX 100000u    /* machines of one batch */
#define WA_ACTION_PACKAGES_MAX 64u     /* packages of one action: what a task of the agent takes */
#define WA_QUEUE_TASKS_MAX 64u         /* tasks that a machine tells of its queue at once */
#define WA_QUEUE_BYTES_MAX (64u << 10) /* bytes: and what is said of them; the rest is counted */
#define WA_QUEUE_LOG_MAX 1000u         /* characters: the end of what a task told */
#define WA_QUEUE_WATCH_S 60            /* s that a machine tells it after it was asked */
#define WA_QUEUE_TOLD_MAX                                                                          \
    (2u * WA_QUEUE_WATCH_S) /* times that it may in these: it does once a second at most */
#define WA_QUEUE_MEMORY_MAX (16u * WA_QUEUE_BYTES_MAX) /* bytes: such a message as a tree */
#define WA_QUEUE_ASKS 32u /* machines of which a server remembers that it has just asked them */
#define WA_IN_USE_BYTES_MAX 4096u /* bytes: names of programs that a task waits for */
#define WA_ROLLOUT_MACHINES_MAX                                                                    \
    1000u /* machines that a roll-out lists: its statement goes to each of them */
#define WA_ROLLOUT_NAMES_MAX 64u        /* groups, units and profiles that a roll-out is for */
#define WA_ROLLOUTS_LIVE_MAX 256u       /* roll-outs that are looked at */
#define WA_ROLLOUT_RINGS_MAX 16u        /* rings of one roll-out */
#define WA_ROLLOUT_PLAN_MAX (64u << 10) /* bytes: its plan, with the machines of its rings */
#define WA_ACTION_CANCELS_MAX 256u      /* actions that one action cancels */
#define WA_ACTION_MACS_MAX 64u   /* network cards that one action wakes: a small packet each */
#define WA_ACTION_TEXT_MAX 1000u /* bytes: what a message shows on desktops and terminals */

/* --- people --- */
#define WA_SESSIONS_MAX                                                                            \
    64u /* sessions of one person: who logs in each minute has 60 that are not over (session_idle) \
         */
#define WA_LOGIN_CERTIFICATES_MAX 16u /* certificates by which one person can log in */

/* --- machines that the server itself wakes --- */
#define WA_WAKE_PORTS_MAX 4u      /* ports that a card's packet goes to */
#define WA_WAKE_NETWORKS_MAX 256u /* networks that the configuration lists */
#define WA_WAKE_HOSTS_MAX 100u    /* machines of one request: their inventories are read at once */
#define WA_WAKE_CARDS_MAX 8u      /* cards of one machine: what more it reports is left out */
#define WA_WAKE_ADDRESSES_MAX 16u /* addresses of one machine, likewise */
#define WA_WAKE_FACTS_MAX                                                                          \
    (1u << 20) /* bytes: what a machine says of itself; from more nothing is read */
#define WA_WAKE_PACKETS_MAX 20000u /* packets of one request: 2 MB */
#define WA_WAKE_MINUTE_MAX 1000u   /* machines that one person wakes within a minute */

#endif
