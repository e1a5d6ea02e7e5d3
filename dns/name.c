/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/name.c - see dns/name.h. */
#include <idn2.h>

#include "dns/name.h"

static bool
name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_';
}

bool
dns_name_valid(struct span s)
{
	size_t label = 0;

	if (s.n == 0 || s.n > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!name_byte(s.p[i]) || ++label > 63)
			return false;
	}
	return label > 0;
}

bool
dns_name_numeric(struct span s)
{
	size_t digits = 0;

	while (digits < s.n && s.p[s.n - digits - 1] >= '0' &&
	    s.p[s.n - digits - 1] <= '9')
		digits++;
	return digits > 0 &&
	    (digits == s.n || s.p[s.n - digits - 1] == '.');
}

/* libidn2 wants a C string and gives one back in memory of its own. */
static int
name_from_unicode(struct span in, char out[DNS_NAME_SIZE])
{
	char text[4 * DNS_NAME_SIZE];
	uint8_t *alabel = NULL;
	bool fits;

	if (!span_copy(in, text, sizeof(text)))
		return -1;
	if (idn2_lookup_u8((const uint8_t *)text, &alabel,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return -1;
	fits = span_copy(span_str((const char *)alabel), out, DNS_NAME_SIZE);
	idn2_free(alabel);
	return fits ? 0 : -1;
}

static bool
name_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

int
dns_name_normalize(struct span in, char out[DNS_NAME_SIZE])
{
	size_t n;

	/* ASCII names do not pass through libidn2: it would refuse or change
	 * underscores and odd xn-- labels that the DNS itself does not mind. */
	if (name_is_ascii(in)) {
		if (!span_copy(in, out, DNS_NAME_SIZE))
			goto bad;
	} else if (name_from_unicode(in, out) == -1) {
		goto bad;
	}
	n = strlen(out);
	for (size_t i = 0; i < n; i++)
		out[i] = ascii_lower(out[i]);
	if (n > 0 && out[n - 1] == '.')
		out[--n] = '\0';
	if (!dns_name_valid(span_of(out, n)))
		goto bad;
	return 0;
bad:
	out[0] = '\0';
	return -1;
}

bool
dns_name_literal(struct span s, struct addr *a)
{
	const struct span tag = SPAN_LIT("IPv6:");

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	s = span_of(s.p + 1, s.n - 2);
	if (span_istarts(s, tag)) {
		s = span_skip(s, tag.n);
		return memchr(s.p, ':', s.n) != NULL && addr_parse_ip(s, a);
	}
	/* Without the tag only IPv4 is an address literal. */
	return memchr(s.p, ':', s.n) == NULL && addr_parse_ip(s, a);
}
