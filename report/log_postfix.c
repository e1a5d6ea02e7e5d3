/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_postfix.c - lines of Postfix 3.4 and later.
 *
 * Which of them count is in docs/log-formats.md, with where each form is
 * known from. */
#include <string.h>

#include "report/log_fact.h"

static bool
take_prefix(struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	*s = span_skip(*s, n);
	return true;
}

/* Up to `mark`, and behind it. */
static bool
take_until(struct span *s, const char *mark, struct span *before)
{
	const char *at = memmem(s->p, s->n, mark, strlen(mark));

	if (at == NULL)
		return false;
	*before = span_head(*s, (size_t)(at - s->p));
	*s = span_skip(*s, before->n + strlen(mark));
	return true;
}

/* "4A7E05B1: " or "3Z1xYq2kWCz9m: ".  Long ones have no vowels, short ones are
 * hexadecimal: so "warning: " is none. */
static bool
take_id(struct span *s, struct span *id)
{
	size_t i;

	for (i = 0; i < s->n && s->p[i] != ':'; i++) {
		char c = s->p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z');

		if (!alnum || strchr("aeiou", c) != NULL)
			return false;
	}
	if (i < 5 || i + 1 >= s->n || s->p[i + 1] != ' ')
		return false;
	*id = span_head(*s, i);
	*s = span_skip(*s, i + 2);
	return true;
}

/* ---- host[addr]:port ---- */

/* Off the front; a name has no bracket, an address no other. */
static bool
take_peer(struct span *s, struct log_fact *f)
{
	const char *open = memchr(s->p, '[', s->n), *end;
	size_t n;

	if (open == NULL)
		return false;
	n = (size_t)(open - s->p);
	end = memchr(open, ']', s->n - n);
	if (end == NULL)
		return false;
	f->host = span_head(*s, n);
	f->addr = span_of(open + 1, (size_t)(end - open - 1));
	n = (size_t)(end + 1 - s->p);
	if (n < s->n && s->p[n] == ':' && n + 1 < s->n && s->p[n + 1] != ' ')
		for (n++; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
			;
	f->peer = span_head(*s, n);
	*s = span_skip(*s, n);
	return true;
}

/* ---- TLS ---- */

/* "TLSv1.3 with cipher NAME (256/256 bits) key-exchange X25519 server-..." */
static bool
take_tls(struct span s, struct log_fact *f)
{
	struct span bits;
	const char *kx, *end;

	if (!take_until(&s, " with cipher ", &f->version))
		return false;
	f->suite = span_cut(&s, ' ');
	(void)take_until(&s, ") ", &bits);
	if (take_prefix(&s, "key-exchange ")) {
		kx = s.p;
		end = memmem(s.p, s.n, " server-", 8);
		if (end == NULL)
			end = memmem(s.p, s.n, " client-", 8);
		f->kx = span_of(kx, end == NULL ? s.n : (size_t)(end - kx));
	}
	f->has_tls = true;
	return f->version.n > 0 && f->suite.n > 0;
}

/* "Untrusted TLS connection established to PEER: ...": true when the line is
 * one of these, understood or not. */
static bool
parse_tls(struct span s, bool out, struct log_fact *f)
{
	static const char *const trusts[] = { "Untrusted", "Trusted",
	    "Anonymous", "Verified" };
	struct span trust = span_cut(&s, ' '), between;
	size_t i;

	for (i = 0; i < 4 && !span_eq(trust, span_str(trusts[i])); i++)
		;
	if (i == 4 || !take_prefix(&s, "TLS connection "))
		return false;
	f->kind = LOG_UNKNOWN;
	f->trust = i == 3 ? LOG_VERIFIED : LOG_UNTRUSTED;
	f->reused = take_prefix(&s, "reused ");
	if (!f->reused && !take_prefix(&s, "established "))
		return true;
	if (!take_prefix(&s, out ? "to " : "from ") || !take_peer(&s, f))
		return true;
	/* A server also says which name the client asked for. */
	if (take_until(&s, ": ", &between) && take_tls(s, f))
		f->kind = LOG_TLS;
	return true;
}

/* ---- smtp and lmtp ---- */

/* "dane", "secure:encrypt", "!dane", "may/requiretls": desired level, what
 * became of it, and further features, of Postfix 3.11 on. */
static void
take_policy(struct span value, struct log_fact *f)
{
	struct span level = span_cut(&value, '/');

	if (span_eq(level, SPAN_LIT("dane")) ||
	    span_eq(level, SPAN_LIT("dane-only")))
		f->trust = LOG_DANE;
	else if (span_eq(level, SPAN_LIT("secure")) ||
	    span_eq(level, SPAN_LIT("verify")) ||
	    span_eq(level, SPAN_LIT("fingerprint")))
		f->trust = LOG_VERIFIED;
}

/* "sent (250 2.0.0 Ok)" */
static void
take_status(struct span s, struct log_fact *f)
{
	struct span status = span_cut(&s, ' ');
	bool hop = f->addr.n > 0 && f->addr.p[0] != '/' &&
	    memchr(f->addr.p, '/', f->addr.n) == NULL;

	if (span_eq(status, SPAN_LIT("sent")))
		f->kind = hop ? LOG_DELIVERY : LOG_LOCAL;
	else if (hop && memmem(s.p, s.n, " said: ", 7) != NULL)
		f->kind = LOG_DEFERRED;
	else
		f->kind = LOG_NOTHING;
}

/* Behind the addresses: "relay=PEER, conn_use=2, delay=0.1, ..., status=". */
static void
parse_fields(struct span s, struct log_fact *f)
{
	struct span field, value, relay = SPAN_NONE;

	f->kind = LOG_UNKNOWN;
	while (s.n > 0) {
		if (take_prefix(&s, "status=")) {
			if (relay.n > 0)
				take_status(s, f);
			return;
		}
		if (!take_until(&s, ", ", &field))
			return;
		value = field;
		field = span_cut(&value, '=');
		if (span_eq(field, SPAN_LIT("relay"))) {
			relay = value;
			(void)take_peer(&value, f);
		} else if (span_eq(field, SPAN_LIT("conn_use"))) {
			f->reused = true;
		} else if (span_eq(field, SPAN_LIT("tls"))) {
			take_policy(value, f);
		}
	}
}

static void
parse_delivery(struct span s, struct log_fact *f)
{
	struct span to, orig;

	f->kind = LOG_UNKNOWN;
	if (!log_address_take(&s, '>', &to) || !take_prefix(&s, ">, "))
		return;
	f->domain = log_address_domain(to);
	if (take_prefix(&s, "orig_to=<") &&
	    (!log_address_take(&s, '>', &orig) || !take_prefix(&s, ">, ")))
		return;
	parse_fields(s, f);
}

/* "PEER: Matched DANE EE certificate at depth 0: 3 1 1 ..." */
static void
parse_client_note(struct span s, struct log_fact *f)
{
	if (memmem(s.p, s.n, ": Matched DANE ", 15) != NULL &&
	    take_peer(&s, f) && take_prefix(&s, ": Matched DANE "))
		f->kind = LOG_DANE_MATCHED;
}

static void
parse_client(struct span s, struct log_fact *f)
{
	f->out = true;
	if (take_id(&s, &f->id)) {
		f->recipients = 1;
		if (take_prefix(&s, "to=<"))
			parse_delivery(s, f);
		else if (take_prefix(&s, "Cannot start TLS: "))
			f->kind = LOG_TLS_FAILED;
	} else if (!parse_tls(s, true, f)) {
		parse_client_note(s, f);
	}
}

/* ---- smtpd ---- */

/* "ehlo=2 starttls=1": how often; "0/1" is a failed one. */
static bool
counts(struct span s, const char *command)
{
	const char *at = memmem(s.p, s.n, command, strlen(command));
	const char *end = s.p + s.n;

	if (at == NULL)
		return false;
	at += strlen(command);
	return at < end && *at >= '1' && *at <= '9';
}

static void
parse_disconnect(struct span s, struct log_fact *f)
{
	f->kind = LOG_DISCONNECT;
	f->starttls = counts(s, " starttls=");
	f->hello = counts(s, " ehlo=") || counts(s, " helo=");
}

static void
parse_server(struct span s, struct log_fact *f)
{
	if (take_id(&s, &f->id)) {
		if (!take_prefix(&s, "client="))
			return;
		f->kind = take_peer(&s, f) ? LOG_MESSAGE : LOG_UNKNOWN;
	} else if (take_prefix(&s, "connect from ")) {
		f->kind = take_peer(&s, f) ? LOG_CONNECT : LOG_UNKNOWN;
	} else if (take_prefix(&s, "disconnect from ")) {
		parse_disconnect(s, f);
	} else {
		(void)parse_tls(s, false, f);
	}
}

/* ---- qmgr ---- */

/* "from=<a@example.org>, size=475, nrcpt=1 (queue active)" */
static void
parse_manager(struct span s, struct log_fact *f)
{
	unsigned long long size, nrcpt;
	struct span from;

	if (!take_id(&s, &f->id))
		return;
	if (span_eq(s, SPAN_LIT("removed"))) {
		f->kind = LOG_DONE;
		return;
	}
	if (!take_prefix(&s, "from=<"))
		return;
	f->kind = LOG_UNKNOWN;
	if (!log_address_take(&s, '>', &from) || !take_prefix(&s, ">, "))
		return;
	if (!take_prefix(&s, "size=")) {	/* status=expired */
		f->kind = LOG_NOTHING;
		return;
	}
	if (!span_u64(span_cut(&s, ','), UINT64_MAX, &size) ||
	    !take_prefix(&s, " nrcpt=") ||
	    !span_u64(span_cut(&s, ' '), UINT32_MAX, &nrcpt))
		return;
	f->kind = LOG_ACCEPTED;
	f->domain = log_address_domain(from);
	f->bytes = size;
	f->recipients = nrcpt;
}

/* local, virtual and pipe write in the form of smtp. */
static void
parse_local(struct span s, struct log_fact *f)
{
	if (take_id(&s, &f->id) && take_prefix(&s, "to=<") &&
	    memmem(s.p, s.n, ", status=sent ", 14) != NULL)
		f->kind = LOG_LOCAL;
}

static const struct program {
	struct span	name;
	void		(*parse)(struct span, struct log_fact *);
} programs[] = {
	{ { "smtp", 4 }, parse_client }, { { "lmtp", 4 }, parse_client },
	{ { "smtpd", 5 }, parse_server },
	{ { "qmgr", 4 }, parse_manager }, { { "nqmgr", 5 }, parse_manager },
	{ { "oqmgr", 5 }, parse_manager },
	{ { "local", 5 }, parse_local }, { { "virtual", 7 }, parse_local },
	{ { "pipe", 4 }, parse_local },
};

bool
log_postfix_parse(const struct log_line *l, struct log_fact *f)
{
	const char *slash = memrchr(l->program.p, '/', l->program.n);
	struct span name;

	*f = (struct log_fact){ .kind = LOG_NOTHING, .pid = l->pid };
	if (slash == NULL)
		return false;
	name = span_skip(l->program, (size_t)(slash + 1 - l->program.p));
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (span_eq(name, programs[i].name)) {
			programs[i].parse(l->text, f);
			return true;
		}
	return false;
}
