/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/ehlo.c - EHLO keywords, RFC 5321 sec 4.1.1.1. */
#include "smtp/ehlo.h"

static const struct {
	const char	*word;
	unsigned	 cap;
} keywords[] = {
	{ "STARTTLS",			EHLO_STARTTLS },
	{ "PIPELINING",			EHLO_PIPELINING },
	{ "SIZE",			EHLO_SIZE },
	{ "8BITMIME",			EHLO_8BITMIME },
	{ "ENHANCEDSTATUSCODES",	EHLO_ENHANCED },
	{ "CHUNKING",			EHLO_CHUNKING },
	{ "DSN",			EHLO_DSN },
	{ "SMTPUTF8",			EHLO_SMTPUTF8 },
	{ "LIMITS",			EHLO_LIMITS },
	{ "REQUIRETLS",			EHLO_REQUIRETLS },
};

bool
ehlo_word_mangled(struct span w)
{
	char fill;
	size_t i;

	/* Cisco's inspection writes X over all but the last letter and puts an
	 * A there; others write stars. A real private keyword (XFORWARD) has
	 * other letters within. */
	if (w.n < 4)
		return false;
	fill = w.p[0];
	if (fill != 'X' && fill != 'x' && fill != '*')
		return false;
	for (i = 1; i + 1 < w.n; i++) {
		if (w.p[i] != fill)
			return false;
	}
	return true;
}

/* The largest number wins nothing here: of two SIZE lines the last counts, and
 * one that is no number means "no limit named" (RFC 1870 sec 3). */
static void
take_size(struct ehlo *e, struct span arg)
{
	unsigned long long n;

	e->size_max = span_u64(span_trim(arg), UINT64_MAX, &n) ? n : 0;
}

/* RFC 9422 sec 3: words like RCPTMAX=100.  What is unknown or no number names
 * no limit. */
static void
take_limits(struct ehlo *e, struct span arg)
{
	const struct {
		struct span	 name;
		unsigned	*to;
	} limits[] = {
		{ SPAN_LIT("MAILMAX"), &e->mail_max },
		{ SPAN_LIT("RCPTMAX"), &e->rcpt_max },
		{ SPAN_LIT("RCPTDOMAINMAX"), &e->domain_max },
	};
	unsigned long long n;
	size_t i;

	while ((arg = span_trim(arg)).n > 0) {
		struct span value = span_cut(&arg, ' ');
		struct span name = span_cut(&value, '=');

		for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
			if (span_ieq(name, limits[i].name) &&
			    span_u64(value, UINT32_MAX, &n))
				*limits[i].to = (unsigned)n;
		}
	}
}

static struct span
cut_word(struct span *line)
{
	size_t i;

	*line = span_trim(*line);
	for (i = 0; i < line->n; i++) {
		/* "AUTH=LOGIN", "SIZE=100": an old spelling. */
		if (line->p[i] == ' ' || line->p[i] == '\t' ||
		    line->p[i] == '=')
			break;
	}
	struct span word = span_head(*line, i);
	*line = span_skip(*line, i < line->n ? i + 1 : i);
	return word;
}

static void
take_line(struct ehlo *e, struct span line)
{
	struct span word = cut_word(&line);
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!span_ieq(word, span_str(keywords[i].word)))
			continue;
		e->caps |= keywords[i].cap;
		if (keywords[i].cap == EHLO_SIZE)
			take_size(e, line);
		if (keywords[i].cap == EHLO_LIMITS)
			take_limits(e, line);
		return;
	}
	if (!e->mangled && ehlo_word_mangled(word)) {
		e->mangled = true;
		(void)span_copy(word, e->mangled_word, sizeof(e->mangled_word));
	}
}

void
ehlo_parse(struct ehlo *e, struct span lines)
{
	struct span first = span_cut(&lines, '\n');

	*e = (struct ehlo){ .caps = 0 };
	if (span_ieq(cut_word(&first), SPAN_LIT("STARTTLS")))
		e->caps |= EHLO_STARTTLS;
	while (lines.n > 0)
		take_line(e, span_cut(&lines, '\n'));
}
