/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/dns/packet.h - builds answer packets piece by piece, right or
 * wrong as the test wants it. */
#ifndef TESTS_UNIT_DNS_PACKET_H
#define TESTS_UNIT_DNS_PACKET_H

#include "base/span.h"
#include "dns/answer.h"

struct made {
	uint8_t	b[65600];
	size_t	n;
};

static inline void
made_u8(struct made *m, unsigned v)
{
	m->b[m->n++] = (uint8_t)v;
}

static inline void
made_u16(struct made *m, unsigned v)
{
	made_u8(m, v >> 8);
	made_u8(m, v & 0xff);
}

static inline void
made_u32(struct made *m, uint32_t v)
{
	made_u16(m, v >> 16);
	made_u16(m, v & 0xffff);
}

/* "mx.example.org"; "@12" is a compression pointer to offset 12, also behind
 * labels: "mx@12". "" is the root. */
static inline void
made_name(struct made *m, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ".@");

		if (n > 0) {
			made_u8(m, (unsigned)n);
			memcpy(m->b + m->n, text, n);
			m->n += n;
			text += n;
		}
		if (*text == '@') {
			unsigned at = 0;

			for (text++; *text != '\0'; text++)
				at = at * 10 + (unsigned)(*text - '0');
			made_u16(m, 0xc000u | at);
			return;
		}
		if (*text == '.')
			text++;
	}
	made_u8(m, 0);
}

static inline void
made_head(struct made *m, unsigned rcode, const char *name, unsigned type,
    unsigned an, unsigned ns)
{
	m->n = 0;
	made_u16(m, 0x1234);
	made_u16(m, 0x8180 | rcode);
	made_u16(m, 1);
	made_u16(m, an);
	made_u16(m, ns);
	made_u16(m, 0);
	made_name(m, name);
	made_u16(m, type);
	made_u16(m, 1);
}

/* Returns where the length goes; made_end() fills it in. */
static inline size_t
made_rr(struct made *m, const char *owner, unsigned type, uint32_t ttl)
{
	made_name(m, owner);
	made_u16(m, type);
	made_u16(m, 1);
	made_u32(m, ttl);
	made_u16(m, 0);
	return m->n;
}

static inline void
made_end(struct made *m, size_t data)
{
	size_t len = m->n - data;

	m->b[data - 2] = (uint8_t)(len >> 8);
	m->b[data - 1] = (uint8_t)len;
}

/* A string with its length in front, RFC 1035 sec 3.3. */
static inline void
made_string(struct made *m, const char *p, size_t n)
{
	made_u8(m, (unsigned)n);
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static inline void
made_a(struct made *m, const char *owner, uint32_t ttl, uint8_t last)
{
	size_t at = made_rr(m, owner, DNS_TYPE_A, ttl);

	made_u8(m, 192);
	made_u8(m, 0);
	made_u8(m, 2);
	made_u8(m, last);
	made_end(m, at);
}

static inline void
made_mx(struct made *m, const char *owner, uint32_t ttl, unsigned pref,
    const char *host)
{
	size_t at = made_rr(m, owner, DNS_TYPE_MX, ttl);

	made_u16(m, pref);
	made_name(m, host);
	made_end(m, at);
}

static inline void
made_cname(struct made *m, const char *owner, uint32_t ttl, const char *to)
{
	size_t at = made_rr(m, owner, DNS_TYPE_CNAME, ttl);

	made_name(m, to);
	made_end(m, at);
}

static inline void
made_soa(struct made *m, const char *owner, uint32_t ttl, uint32_t minimum)
{
	size_t at = made_rr(m, owner, 6, ttl);

	made_name(m, "ns.example.org");
	made_name(m, "root.example.org");
	for (uint32_t i = 0; i < 4; i++)
		made_u32(m, 7200 + i);
	made_u32(m, minimum);
	made_end(m, at);
}

#endif
