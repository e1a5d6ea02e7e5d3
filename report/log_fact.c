/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_fact.c - whose line it is, and addresses in it, which strangers
 * have chosen: in a quoted local part (RFC 5321 sec 4.1.2) may stand anything,
 * also what looks like the rest of the line. */
#include "report/log_fact.h"

bool
log_fact_parse(const struct log_line *l, struct log_fact *f)
{
	if (span_eq(l->program, SPAN_LIT("exim")) ||
	    span_eq(l->program, SPAN_LIT("exim4")))
		return log_exim_parse(l, f);
	return log_postfix_parse(l, f);
}

bool
log_address_take(struct span *text, char end, struct span *address)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < text->n; i++) {
		char c = text->p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"' && (quoted || i == 0))
			quoted = !quoted;
		else if (c == end && !quoted)
			break;
	}
	if (i >= text->n)
		return false;
	*address = span_head(*text, i);
	*text = span_skip(*text, i);
	return true;
}

struct span
log_address_domain(struct span address)
{
	size_t i = address.n;

	while (i > 0 && address.p[i - 1] != '@')
		i--;
	return i == 0 ? SPAN_NONE : span_skip(address, i);
}
