/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/helo.c - see helo.h. */
#include "smtp/helo.h"

static bool
is_host_char(char c)
{
	char l = ascii_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '.' || c == '_' || c == ':';
}

bool
smtp_helo(struct span arg, struct span *name)
{
	struct span in;
	bool literal;

	arg = span_trim(arg);
	*name = in = arg;
	literal = arg.n > 2 && arg.p[0] == '[' && arg.p[arg.n - 1] == ']';
	if (literal)
		in = span_of(arg.p + 1, arg.n - 2);
	if (arg.n == 0 || arg.n > SMTP_HELO_MAX)
		return false;
	/* fe80::1%eth0: a scope is nobody else's business, but it is there. */
	for (size_t i = 0; i < in.n; i++)
		if (!is_host_char(in.p[i]) && !(literal && in.p[i] == '%'))
			return false;
	return true;
}
