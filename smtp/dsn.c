/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtp/dsn.c - see dsn.h. */
#include "smtp/dsn.h"

#include "base/utf8.h"
#include "smtp/xtext.h"

/* ---- NOTIFY ---- */

static const struct {
	struct span	word;
	uint8_t		bit;
} notify_words[] = {
	{ { "NEVER", 5 }, NOTIFY_NEVER },
	{ { "SUCCESS", 7 }, NOTIFY_SUCCESS },
	{ { "FAILURE", 7 }, NOTIFY_FAILURE },
	{ { "DELAY", 5 }, NOTIFY_DELAY },
};
#define NWORDS	(sizeof notify_words / sizeof notify_words[0])

bool
smtp_notify(struct span value, uint8_t *notify)
{
	bool more;

	*notify = 0;
	do {
		struct span word;
		size_t i;

		more = memchr(value.p, ',', value.n) != NULL;
		word = span_cut(&value, ',');
		for (i = 0; i < NWORDS; i++)
			if (span_ieq(word, notify_words[i].word))
				break;
		if (i == NWORDS)
			return false;
		*notify |= notify_words[i].bit;
	} while (more);
	return (*notify & NOTIFY_NEVER) == 0 || *notify == NOTIFY_NEVER;
}

/* ---- ENVID ---- */

bool
smtp_envid(struct span value, char out[ENVELOPE_ENVID_MAX], size_t *n)
{
	return value.n <= ENVELOPE_ENVID_MAX &&
	    smtp_xtext_decode(value, false, out, n);
}

/* ---- ORCPT ---- */

/* addr-type, RFC 3461 sec 4.2. */
static bool
atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("()<>@,;:\\\".[]", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* "\x{2B}", RFC 6533 sec 3. */
static bool
embedded_take(struct span *in, uint32_t *code)
{
	struct span s = *in;
	unsigned digits;
	int v;

	if (s.n < 5 || memcmp(s.p, "\\x{", 3) != 0)
		return false;
	s = span_skip(s, 3);
	*code = 0;
	for (digits = 0; digits < 6 && s.n > 0 &&
	    (v = smtp_hex_digit(s.p[0])) != -1; digits++) {
		*code = *code << 4 | (uint32_t)v;
		s = span_skip(s, 1);
	}
	if (digits == 0 || s.n == 0 || s.p[0] != '}')
		return false;
	*in = span_skip(s, 1);
	return true;
}

static bool
control(uint32_t code)
{
	return (code < ' ' && code != '\t') || (code >= 0x7f && code < 0xa0);
}

/* Each character takes no more room than its encoded form. */
static bool
utf8_decode(struct span in, bool raw, char *out, size_t *n)
{
	for (*n = 0; in.n > 0;) {
		uint32_t code = 0;
		size_t k;

		if (in.p[0] == '\\') {
			if (!embedded_take(&in, &code))
				return false;
		} else {
			k = utf8_take(in, &code);
			if (k == 0 || code <= ' ' || code == '+' ||
			    code == '=' || (code > '~' && !raw))
				return false;
			in = span_skip(in, k);
		}
		k = control(code) ? 0 : utf8_put(code, out + *n);
		if (k == 0)
			return false;
		*n += k;
	}
	return *n > 0;
}

static bool
is_text(struct span s)
{
	size_t k;

	for (; s.n > 0; s = span_skip(s, k)) {
		uint32_t code = 0;

		k = utf8_take(s, &code);
		if (k == 0 || control(code))
			return false;
	}
	return true;
}

/* Bytes beyond ASCII, encoded, say UTF-8 in any type: Postfix sends such a
 * recipient as rfc822, where RFC 6533 sec 3 has a type of its own. */
bool
smtp_orcpt(struct span value, bool raw, struct smtp_orcpt *o)
{
	if (value.n > ENVELOPE_ORCPT_MAX ||
	    memchr(value.p, ';', value.n) == NULL)
		return false;
	o->type = span_cut(&value, ';');
	if (!atom(o->type))
		return false;
	if (span_ieq(o->type, SPAN_LIT("utf-8")))
		return utf8_decode(value, raw, o->address, &o->n);
	return smtp_xtext_decode(value, raw, o->address, &o->n) &&
	    is_text(span_of(o->address, o->n));
}

void
smtp_utf8_xtext_put(struct buf *b, struct span s)
{
	while (s.n > 0) {
		uint32_t code = '?';
		size_t n = utf8_take(s, &code);

		if (code <= ' ' || code >= 0x7f || code == '\\' ||
		    code == '+' || code == '=')
			(void)buf_printf(b, "\\x{%02X}", (unsigned)code);
		else
			(void)buf_char(b, (char)code);
		s = span_skip(s, n == 0 ? 1 : n);
	}
}
