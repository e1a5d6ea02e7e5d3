/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/conf_hop.c - next hops as an operator writes them. */
#include "base/conf_impl.h"

#define LMTP_PORT	24
#define SMTP_PORT	25

/* Behind the protocol: "[host]:port", "[ip]", "domain:port", "domain". */
static bool
parse_host(struct span text, struct conf_hop *h, char name[256],
    const char **hint)
{
	struct span host = text, port = SPAN_NONE;
	unsigned long long n = 0;
	char ip[ADDR_TEXT_SIZE];
	bool bracket = text.n > 0 && text.p[0] == '[';

	if (bracket) {
		port = span_skip(text, 1);
		host = span_cut(&port, ']');
		if (host.n + 1 == text.n || (port.n > 0 && port.p[0] != ':'))
			return false;
		if (port.n > 0 && !(span_u64(span_skip(port, 1), 65535, &n) &&
		    n > 0))
			return false;
	} else if (memchr(text.p, ':', text.n) != NULL) {
		port = text;
		host = span_cut(&port, ':');
		if (!span_u64(port, 65535, &n) || n == 0)
			return false;
	}
	h->kind = bracket ? HOP_HOST : HOP_MX;
	h->port = (uint16_t)n;
	if (addr_parse_ip(host, &h->literal)) {
		if (!bracket) {		/* MX records of an address? */
			*hint = "; an address is written in [ ]";
			return false;
		}
		return span_copy(span_str(addr_ip_text(&h->literal, ip)), name,
		    256);
	}
	return conf_domain(host, false, name) > 0;
}

/* A mail store, not a mail system: no MX records lead to it. */
static bool
parse_lmtp(struct span text, struct conf_hop *h, char name[256],
    const char **hint)
{
	struct span prefix = SPAN_LIT("unix:");

	h->lmtp = true;
	if (span_istarts(text, prefix)) {
		text = span_skip(text, prefix.n);
		h->kind = HOP_UNIX;
		if (text.n > CONF_UNIX_PATH_MAX)
			*hint = "; the path of a socket has 107 bytes at most";
		return text.n > 1 && text.n <= CONF_UNIX_PATH_MAX &&
		    text.p[0] == '/' && span_copy(text, name, 256);
	}
	if (!parse_host(text, h, name, hint))
		return false;
	if (h->kind != HOP_HOST) {
		*hint = "; a host for LMTP is written in [ ]";
		return false;
	}
	if (h->port == 0)
		h->port = LMTP_PORT;
	if (h->port == SMTP_PORT) {
		*hint = "; LMTP is not for port 25 (RFC 2033 sec 5)";
		return false;
	}
	return true;
}

bool
conf_hop_parse(struct span text, bool via, struct conf_hop *h, char name[256],
    const char **hint)
{
	static const char smtp[] = "smtp:", lmtp[] = "lmtp:";

	*h = (struct conf_hop){ .kind = HOP_DISCARD };
	*hint = "";
	name[0] = '\0';
	if (span_istarts(text, span_str(lmtp)))
		return parse_lmtp(span_skip(text, sizeof lmtp - 1), h, name,
		    hint);
	if (via)
		return parse_host(text, h, name, hint);
	if (span_istarts(text, span_str(smtp)))
		return parse_host(span_skip(text, sizeof smtp - 1), h, name,
		    hint);
	return span_ieq(text, SPAN_LIT("discard:"));
}
