/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/helo.c - see helo.h. */
#include "smtp/helo.h"

#include "smtp/address.h"

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
	char literal[SMTP_LITERAL_SIZE];

	arg = span_trim(arg);
	*name = arg;
	if (arg.n == 0 || arg.n > SMTP_HELO_MAX)
		return false;
	if (arg.p[0] == '[')
		return smtp_literal(arg, literal) > 0;
	for (size_t i = 0; i < arg.n; i++)
		if (!is_host_char(arg.p[i]))
			return false;
	return true;
}
