/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/header.c - see header.h. */
#include "smtp/header.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 sec 3.6.8 */
static bool
is_ftext(char c)
{
	return c > ' ' && c <= '~' && c != ':';
}

static void
field_seen(struct smtp_header *h)
{
	struct span name = span_of(h->name, h->n);

	if (h->n > SMTP_HEADER_NAME_MAX)
		return;
	if (span_ieq(name, SPAN_LIT("received")))
		h->hops++;
	else if (span_ieq(name, SPAN_LIT("date")))
		h->date = true;
	else if (span_ieq(name, SPAN_LIT("message-id")))
		h->message_id = true;
	else if (span_ieq(name, SPAN_LIT("tls-required")))
		h->in_tls = ++h->tls_fields == 1;
}

/* The envelope line of an mbox on top, which some programs leave there: no
 * field, but not the end either. */
static bool
is_mbox(const struct smtp_header *h)
{
	struct span name = span_of(h->name, h->n);

	return h->size <= sizeof ">From " &&
	    (span_eq(name, SPAN_LIT("From")) ||
	    span_eq(name, SPAN_LIT(">From")));
}

static void
name_byte(struct smtp_header *h, char c)
{
	if (c == ':' && h->n > 0) {
		field_seen(h);
		h->at = h->in_tls ? HEADER_VALUE : HEADER_REST;
	} else if (is_space(c)) {
		h->at = HEADER_COLON;	/* RFC 5322 sec 4.5: may be ahead of it */
	} else if (h->at == HEADER_COLON || !is_ftext(c)) {
		h->at = HEADER_REST;
		h->ended = !is_mbox(h);
	} else if (h->n < SMTP_HEADER_NAME_MAX) {
		h->name[h->n++] = c;
	} else {
		h->n = SMTP_HEADER_NAME_MAX + 1;
	}
}

static void
value_byte(struct smtp_header *h, char c)
{
	if (c == '\n')
		h->at = HEADER_START;
	if (is_space(c) || c == '\n' || c == '\r')
		return;
	if (h->tls_n < sizeof h->tls)
		h->tls[h->tls_n] = c;
	if (h->tls_n <= sizeof h->tls)
		h->tls_n++;
}

static void
header_byte(struct smtp_header *h, char c)
{
	h->size++;
	if (h->at == HEADER_START) {
		if (c == '\n')
			h->ended = true;
		if (c == '\n' || c == '\r')
			return;
		h->n = 0;
		h->in_tls = h->in_tls && is_space(c);
		h->at = h->in_tls ? HEADER_VALUE : is_space(c) ? HEADER_REST :
		    HEADER_NAME;
	}
	if (h->at == HEADER_VALUE) {
		value_byte(h, c);
		return;
	}
	if (h->at == HEADER_REST) {
		if (c == '\n')
			h->at = HEADER_START;
		return;
	}
	name_byte(h, c);
}

void
smtp_header_feed(struct smtp_header *h, struct span s)
{
	while (s.n > 0 && !h->ended) {
		if (h->at == HEADER_REST) {
			const char *lf = memchr(s.p, '\n', s.n);
			size_t n = lf == NULL ? s.n : (size_t)(lf - s.p);

			h->size += n;
			s = span_skip(s, n);
			if (lf == NULL)
				return;
		}
		header_byte(h, s.p[0]);
		s = span_skip(s, 1);
	}
}

bool
smtp_header_tls_optional(const struct smtp_header *h)
{
	return h->tls_fields == 1 && h->tls_n == sizeof h->tls &&
	    span_ieq(span_of(h->tls, sizeof h->tls), SPAN_LIT("no"));
}
