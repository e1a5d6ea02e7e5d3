/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/net.h - IP addresses as values: parse, print, compare, classify. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define ADDR_TEXT_SIZE	64	/* [ipv6]:port + NUL */

/* IPv4-mapped IPv6 (RFC 4291 sec 2.5.5.2) is always kept as IPv4 (addr_from_*
 * normalise it), so that one host has one spelling for limits, rules and
 * loops. */
struct addr {
	uint8_t		family;		/* 4, 6, or 0: none */
	uint8_t		ip[16];		/* IPv4 in the first four */
	uint16_t	port;		/* host order; 0: none */
};

struct prefix {
	struct addr	addr;
	unsigned	bits;
};

/* "192.0.2.1:25", "[2001:db8::1]:25", "[192.0.2.1]:25"; the port may be left
 * out when `default_port` is not 0; a bare IPv6 needs brackets if a port
 * follows. */
bool	addr_parse(struct span, uint16_t default_port, struct addr *);
bool	addr_parse_ip(struct span, struct addr *);	/* no port, no brackets */
bool	prefix_parse(struct span, struct prefix *);	/* "192.0.2.0/24", or one address */
bool	prefix_has(const struct prefix *, const struct addr *);

void	addr_from_sockaddr(struct addr *, const struct sockaddr *);
void	addr_from_ip4(struct addr *, const uint8_t ip[4]);
void	addr_from_ip6(struct addr *, const uint8_t ip[16]);
socklen_t	addr_to_sockaddr(const struct addr *, struct sockaddr_storage *);

/* The IP alone ("192.0.2.1", "2001:db8::1"), and with its port ("[...]:25"
 * for IPv6).  Both NUL-end and return `out`. */
const char	*addr_ip_text(const struct addr *, char out[ADDR_TEXT_SIZE]);
const char	*addr_text(const struct addr *, char out[ADDR_TEXT_SIZE]);

bool	addr_same_ip(const struct addr *, const struct addr *);
bool	addr_is_loopback(const struct addr *);
/* The IPv4 address inside an IPv6 form that carries one: 6to4, NAT64,
 * IPv4-compatible (RFC 6890).  False: `a` is none. */
bool	addr_unwrap(const struct addr *, struct addr *inner);
/* Anything that a name in the public DNS has no business pointing to:
 * loopback, private, link-local, unspecified, multicast, documentation,
 * and IPv6 forms that wrap such an IPv4 address (RFC 6890). */
bool	addr_is_special(const struct addr *);

#endif
