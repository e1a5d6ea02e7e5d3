/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_exim.c - lines of Exim's main log, 4.9x, with any log_selector.
 *
 * Each is an id, a mark ("<=", "=>", ...), an address, and fields "X=value",
 * whose values are quoted where they have spaces. */
#include <string.h>

#include "report/log_fact.h"

/* Of 4.97 on longer: 6-11-4 instead of 6-6-2. */
static bool
id_fits(struct span s, size_t middle, size_t last)
{
	size_t n = 6 + 1 + middle + 1 + last, i;

	if (s.n <= n || s.p[n] != ' ')
		return false;
	for (i = 0; i < n; i++) {
		char c = s.p[i];
		bool dash = i == 6 || i == 7 + middle;

		if (dash != (c == '-') || (!dash && !((c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))))
			return false;
	}
	return true;
}

static bool
take_id(struct span *s, struct span *id)
{
	size_t n = id_fits(*s, 6, 2) ? 16 : id_fits(*s, 11, 4) ? 23 : 0;

	*id = span_head(*s, n);
	*s = span_skip(*s, n + 1);
	return n > 0;
}

/* A word up to a space; spaces in a "..." or <...> value belong to it. */
static struct span
take_word(struct span *s)
{
	struct span rest = *s, word;
	const char *eq;
	char last = ' ';
	size_t i, n = 0;

	while (rest.n > 0 && rest.p[0] == ' ')
		rest = span_skip(rest, 1);
	eq = memchr(rest.p, '=', rest.n < 12 ? rest.n : 12);
	if (eq != NULL && memchr(rest.p, ' ', (size_t)(eq - rest.p)) == NULL)
		n = (size_t)(eq + 1 - rest.p);
	if (n > 0 && n < rest.n && (rest.p[n] == '"' || rest.p[n] == '<')) {
		last = rest.p[n] == '"' ? '"' : '>';
		n++;
	}
	for (i = n; i < rest.n && rest.p[i] != last; i++)
		if (last == '"' && rest.p[i] == '\\')
			i++;
	if (i < rest.n && last != ' ')
		i++;
	word = span_head(rest, i);
	*s = span_skip(rest, word.n);
	return word;
}

/* ---- fields ---- */

/* "name (helo) [192.0.2.1]:25*"; a star: on a connection made earlier. */
static void
take_host(struct span *s, struct log_fact *f)
{
	const char *open = memchr(s->p, '[', s->n), *end;
	struct span name;
	size_t n;

	if (open == NULL)
		return;
	end = memchr(open, ']', s->n - (size_t)(open - s->p));
	if (end == NULL)
		return;
	name = span_head(*s, (size_t)(open - s->p));
	f->host = span_cut(&name, ' ');
	f->addr = span_of(open + 1, (size_t)(end - open - 1));
	n = (size_t)(end + 1 - s->p);
	while (n < s->n && s->p[n] != ' ')
		f->reused |= s->p[n++] == '*';
	f->peer = f->addr;
	*s = span_skip(*s, n);
}

/* "TLS1.3:ECDHE_X25519__...__AES_256_GCM:256" */
static void
take_tls(struct span value, struct log_fact *f)
{
	f->version = span_cut(&value, ':');
	f->suite = span_cut(&value, ':');
	f->has_tls = f->version.n > 0 && f->suite.n > 0;
}

static void
take_recipients(struct span s, struct log_fact *f)
{
	uint64_t n = 0;

	while (s.n > 0)
		n += take_word(&s).n > 0;
	if (n > 0)
		f->recipients = n;
}

static void
take_fields(struct span s, struct log_fact *f)
{
	unsigned long long size;

	while (s.n > 0) {
		struct span word, value;

		while (s.n > 0 && s.p[0] == ' ')
			s = span_skip(s, 1);
		if (s.n > 2 && s.p[0] == 'H' && s.p[1] == '=') {
			struct span host = span_skip(s, 2);

			take_host(&host, f);
			s = f->addr.n > 0 ? host : span_skip(s, 2);
			continue;
		}
		word = take_word(&s);
		value = word;
		word = span_cut(&value, '=');
		if (span_eq(word, SPAN_LIT("X")))
			take_tls(value, f);
		else if (span_eq(word, SPAN_LIT("CV")) &&
		    span_eq(value, SPAN_LIT("dane")))
			f->trust = LOG_DANE;
		else if (span_eq(word, SPAN_LIT("S")) &&
		    span_u64(value, UINT64_MAX, &size))
			f->bytes = size;
		else if (span_eq(word, SPAN_LIT("for")) && !f->out)
			return take_recipients(s, f);
	}
}

/* ---- lines ---- */

static void
parse_received(struct span s, struct log_fact *f)
{
	struct span from;

	f->kind = LOG_UNKNOWN;
	if (!log_address_take(&s, ' ', &from))
		return;
	f->domain = span_eq(from, SPAN_LIT("<>")) ? SPAN_NONE :
	    log_address_domain(from);
	f->recipients = 1;
	take_fields(s, f);
	/* Without a host: handed over on this machine. */
	f->kind = f->addr.n > 0 ? LOG_RECEIVED : LOG_NOTHING;
}

/* "user <user@example.org>" or "user@example.org", and then fields. */
static void
parse_delivery(struct span s, struct log_fact *f)
{
	struct span to, orig;

	f->kind = LOG_UNKNOWN;
	f->out = true;
	if (!log_address_take(&s, ' ', &to))
		return;
	f->domain = log_address_domain(to);
	s = span_skip(s, 1);
	if (s.n > 0 && s.p[0] == '<') {
		s = span_skip(s, 1);
		if (!log_address_take(&s, '>', &orig))
			return;
		if (f->domain.n == 0)
			f->domain = log_address_domain(orig);
		s = span_skip(s, 1);
	}
	f->recipients = 1;
	take_fields(s, f);
	f->kind = f->addr.n > 0 ? LOG_DELIVERY : LOG_LOCAL;
}

static void
parse_marked(struct span s, struct log_fact *f)
{
	struct span mark = span_cut(&s, ' ');

	if (span_eq(mark, SPAN_LIT("<=")))
		parse_received(s, f);
	else if (span_eq(mark, SPAN_LIT("=>")) ||
	    span_eq(mark, SPAN_LIT(">>")))
		parse_delivery(s, f);
	else if (span_eq(mark, SPAN_LIT("->"))) {
		parse_delivery(s, f);
		f->again = true;
	} else if (span_eq(mark, SPAN_LIT("Completed")))
		f->kind = LOG_DONE;
}

/* By way of syslog the time stands there a second time. */
static void
skip_time(struct span *s)
{
	if (s->n < 20 || s->p[4] != '-' || s->p[7] != '-' || s->p[10] != ' ')
		return;
	*s = span_skip(*s, 11);
	(void)span_cut(s, ' ');
}

/* "[123] ", by log_selector = +pid */
static void
take_pid(struct span *s, uint64_t *pid)
{
	struct span rest = span_skip(*s, 1);
	unsigned long long n;

	if (s->n == 0 || s->p[0] != '[')
		return;
	if (!span_u64(span_cut(&rest, ']'), UINT32_MAX, &n))
		return;
	*pid = n;
	*s = span_skip(rest, 1);
}

bool
log_exim_parse(const struct log_line *l, struct log_fact *f)
{
	struct span s = l->text;

	*f = (struct log_fact){ .kind = LOG_NOTHING, .exim = true,
	    .pid = l->pid };
	skip_time(&s);
	take_pid(&s, &f->pid);
	if (take_id(&s, &f->id))
		parse_marked(s, f);
	return true;
}
