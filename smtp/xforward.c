/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/xforward.c - see xforward.h. */
#include "smtp/xforward.h"

#include <stddef.h>

#include "smtp/xtext.h"

#define AT(member)	offsetof(struct smtp_xforward, member),		\
	sizeof(((struct smtp_xforward *)0)->member)

static const struct {
	const char	*word;
	size_t		 offset, size;
} attributes[] = {
	{ "NAME", AT(name) }, { "ADDR", AT(addr) }, { "PORT", AT(port) },
	{ "PROTO", AT(proto) }, { "HELO", AT(helo) }, { "IDENT", AT(ident) },
	{ "SOURCE", AT(source) },
};
#define NATTRIBUTES	(sizeof attributes / sizeof attributes[0])

static bool
is_unknown(struct span v)
{
	return span_ieq(v, SPAN_LIT("[UNAVAILABLE]")) ||
	    span_ieq(v, SPAN_LIT("[TEMPUNAVAIL]"));
}

static bool
value_take(struct span in, char *out, size_t size)
{
	char text[SMTP_XFORWARD_MAX];
	struct span v = { text, 0 };

	if (in.n > sizeof text || !smtp_xtext_decode(in, false, text,
	    &v.n))
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == ' ' || v.p[i] == '\t')
			return false;
	if (is_unknown(v))
		v.n = 0;
	else if (span_istarts(v, SPAN_LIT("IPv6:")))
		v = span_skip(v, 5);
	return span_copy(v, out, size);
}

bool
smtp_xforward_take(struct span arg, struct smtp_xforward *x)
{
	struct smtp_xforward next = *x;
	unsigned taken = 0;
	size_t i;

	while (arg.n > 0) {
		struct span value = span_cut(&arg, ' '), word;

		if (value.n == 0)
			continue;
		word = span_cut(&value, '=');
		for (i = 0; i < NATTRIBUTES; i++)
			if (span_ieq(word, span_str(attributes[i].word)))
				break;
		if (i == NATTRIBUTES || !value_take(value, (char *)&next +
		    attributes[i].offset, attributes[i].size))
			return false;
		taken++;
	}
	if (taken > 0)
		*x = next;
	return taken > 0;
}
