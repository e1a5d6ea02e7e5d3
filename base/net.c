/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/net.c - see net.h. */
#include "base/net.h"

#include <arpa/inet.h>
#include <stdio.h>

void
addr_from_ip4(struct addr *a, const uint8_t ip[4])
{
	uint16_t port = a->port;

	*a = (struct addr){ .family = 4, .port = port };
	memcpy(a->ip, ip, 4);
}

void
addr_from_ip6(struct addr *a, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(ip, mapped, sizeof mapped) == 0) {
		addr_from_ip4(a, ip + 12);
		return;
	}
	a->family = 6;
	memcpy(a->ip, ip, 16);
}

bool
addr_parse_ip(struct span s, struct addr *a)
{
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t ip[16];

	*a = (struct addr){ 0 };
	if (!span_copy(s, text, sizeof text))
		return false;
	if (inet_pton(AF_INET, text, ip) == 1)
		addr_from_ip4(a, ip);
	else if (inet_pton(AF_INET6, text, ip) == 1)
		addr_from_ip6(a, ip);
	else
		return false;
	return true;
}

bool
addr_parse(struct span s, uint16_t default_port, struct addr *a)
{
	struct span host = s, rest = SPAN_NONE;
	unsigned long long port = default_port;

	if (s.n > 0 && s.p[0] == '[') {
		rest = span_skip(s, 1);
		host = span_cut(&rest, ']');
		if (host.n + 1 == s.n)
			return false;		/* no closing bracket */
		if (rest.n > 0 && rest.p[0] != ':')
			return false;
		if (rest.n > 0) {
			rest = span_skip(rest, 1);
			if (rest.n == 0)
				return false;
		}
	} else if (s.n > 0 && memchr(s.p, '.', s.n) != NULL &&
	    memchr(s.p, ':', s.n) != NULL) {
		struct addr mapped;

		if (!addr_parse_ip(s, &mapped)) {	/* not ::ffff:192.0.2.1 */
			rest = s;
			host = span_cut(&rest, ':');
			if (rest.n == 0)
				return false;
		}
	}
	if (rest.n > 0 && !span_u64(rest, 65535, &port))
		return false;
	if (port == 0 || !addr_parse_ip(host, a))
		return false;
	a->port = (uint16_t)port;
	return true;
}

bool
prefix_parse(struct span s, struct prefix *p)
{
	bool slash = s.n > 0 && memchr(s.p, '/', s.n) != NULL;
	struct span bits = s, ip = span_cut(&bits, '/');
	unsigned long long v;
	unsigned most;

	if (!addr_parse_ip(ip, &p->addr))
		return false;
	most = p->addr.family == 4 ? 32 : 128;
	v = most;
	if (slash && !span_u64(bits, most, &v))
		return false;
	p->bits = (unsigned)v;
	return true;
}

bool
prefix_has(const struct prefix *p, const struct addr *a)
{
	unsigned whole = p->bits / 8, left = p->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> left);

	if (a->family == 0 || p->addr.family != a->family)
		return false;
	if (memcmp(p->addr.ip, a->ip, whole) != 0)
		return false;
	return left == 0 || ((p->addr.ip[whole] ^ a->ip[whole]) & mask) == 0;
}

void
addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
	*a = (struct addr){ 0 };
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		a->port = ntohs(in.sin_port);
		addr_from_ip4(a, (const uint8_t *)&in.sin_addr);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, sa, sizeof in);
		a->port = ntohs(in.sin6_port);
		addr_from_ip6(a, in.sin6_addr.s6_addr);
	}
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof *ss);
	if (a->family == 4) {
		struct sockaddr_in in = { .sin_family = AF_INET,
		    .sin_port = htons(a->port) };

		memcpy(&in.sin_addr, a->ip, 4);
		memcpy(ss, &in, sizeof in);
		return sizeof in;
	}
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(a->port) };

	memcpy(&in6.sin6_addr, a->ip, 16);
	memcpy(ss, &in6, sizeof in6);
	return sizeof in6;
}

const char *
addr_ip_text(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	if (a->family == 0 || inet_ntop(a->family == 4 ? AF_INET : AF_INET6,
	    a->ip, out, ADDR_TEXT_SIZE) == NULL)
		snprintf(out, ADDR_TEXT_SIZE, "none");
	return out;
}

const char *
addr_text(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];

	addr_ip_text(a, ip);
	snprintf(out, ADDR_TEXT_SIZE, a->family == 6 ? "[%.46s]:%u" : "%.46s:%u",
	    ip, a->port);
	return out;
}

bool
addr_same_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->family != 0 &&
	    memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

static bool
in_any(const char *const *list, size_t n, const struct addr *a)
{
	struct prefix p;

	for (size_t i = 0; i < n; i++)
		if (prefix_parse(span_str(list[i]), &p) && prefix_has(&p, a))
			return true;
	return false;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const char *const list[] = { "127.0.0.0/8", "::1" };

	return in_any(list, 2, a);
}

bool
addr_unwrap(const struct addr *a, struct addr *inner)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t compat[15];

	*inner = (struct addr){ 0 };
	if (a->family != 6)
		return false;
	if (a->ip[0] == 0x20 && a->ip[1] == 0x02)		/* 6to4 */
		addr_from_ip4(inner, a->ip + 2);
	else if (memcmp(a->ip, nat64, 12) == 0 ||
	    (memcmp(a->ip, compat, 15) != 0 &&		/* neither :: nor ::1 */
	    memcmp(a->ip, compat, 12) == 0))
		addr_from_ip4(inner, a->ip + 12);
	return inner->family != 0;
}

bool
addr_is_special(const struct addr *a)
{
	static const char *const list[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
		"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::", "::1", "100::/64", "2001:db8::/32", "fc00::/7",
		"fe80::/10", "ff00::/8",
	};
	struct addr inner;

	if (a->family == 0)
		return true;
	if (in_any(list, sizeof list / sizeof list[0], a))
		return true;
	return addr_unwrap(a, &inner) &&
	    in_any(list, sizeof list / sizeof list[0], &inner);
}
