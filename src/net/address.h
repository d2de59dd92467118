/* address.h - which addresses are of the public internet, and networks as text. For a server that
 * connects to where somebody tells it to, and must not be led into its own network. */
#ifndef WA_NET_ADDRESS_H
#define WA_NET_ADDRESS_H

#include "base/sv.h"

/* "192.0.2.1" or "2001:db8::1"; IPv4 as ::ffff:0:0/96. False for anything else. */
bool wa_address_parse(struct wa_sv text, uint8_t ret[16]);
/* False for all that RFC 6890 and its registries set apart: private, loopback, link-local, shared,
 * documentation, multicast, reserved; and IPv6 addresses that carry such an IPv4 one. */
bool wa_address_is_public(const uint8_t a[16]);
bool wa_address_is_loopback(const uint8_t a[16]);
/* Whether it is in one of these: "10.0.0.0/8,fd00::/8,192.0.2.7". What is no network has nothing in
 * it. */
bool wa_address_is_in(const uint8_t a[16], struct wa_sv networks);
/* "10.1.2.0/24", or an address, which is a network of 32 bits. False for what is no IPv4 network.
 */
bool wa_network_v4_parse(struct wa_sv text, uint8_t ret[4], unsigned *ret_bits);
/* WA_E_USAGE names the first that is none. */
WA_CHECK enum wa_code wa_networks_check(struct wa_sv networks, struct wa_err *err);

#endif
