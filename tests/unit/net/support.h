/* support.h - what the network's tests share: certificates, a loop, a listening socket, and a
 * client that sends exactly the bytes it is told to. */
#ifndef WA_TEST_NET_SUPPORT_H
#define WA_TEST_NET_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "net/tls.h"
#include "os/loop.h"

/* Fails the test with the error's text. */
#define must(call)                                                                                 \
    do {                                                                                           \
        if ((call) != WA_OK)                                                                       \
            fail_msg("%s: %s", #call, err.text);                                                   \
    } while (0)

/* A key with a certificate, and the certificate as PEM. */
struct identity {
    struct wa_key *key;
    struct wa_certs chain; /* [0] its own */
    struct wa_buf pem;
};
enum identity_kind {
    IDENTITY_CA = 1,
    IDENTITY_SERVER = 2,
    IDENTITY_CLIENT = 4,
    IDENTITY_RSA = 8,
    IDENTITY_LONG = 16
};
/* For 30 days, authorities 60, long ones 90. Issued by issuer, by itself when NULL; names: NULL or
 * a NULL-terminated list. */
void identity_new(struct identity *i, int kind, const char *cn, const char *const *names,
                  const struct identity *issuer);
void identity_free(struct identity *i);

/* Listening, non-blocking, on 127.0.0.1. */
int listen_loopback(uint16_t *ret_port);
/* Nobody listens there, nor is anybody else given the port, until it is closed. */
int dead_loopback(uint16_t *ret_port);
int connect_loopback(uint16_t port);
/* Turns the loop until *flag. Endless when it never comes: the runner's time limit says so. */
void run_until(struct wa_loop *loop, const bool *flag);
/* Some turns, for what should not happen. */
void run_a_little(struct wa_loop *loop);

/* Sends bytes over plain TCP and collects what comes back until the other side closes. */
struct raw_client {
    struct wa_loop *loop;
    int fd;
    struct wa_io *io;
    struct wa_buf out, in;
    size_t piece;     /* bytes written at once; 0: all */
    bool half_closes; /* says that nothing follows, once all is out */
    bool reads;
    bool is_over;
};
void raw_start(struct raw_client *r, struct wa_loop *loop, uint16_t port, struct wa_sv bytes);
void raw_more(struct raw_client *r, struct wa_sv bytes);
void raw_read(struct raw_client *r, bool on);
void raw_end(struct raw_client *r);

#endif
