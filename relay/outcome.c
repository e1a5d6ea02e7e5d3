/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/outcome.c - see outcome.h. */
#include "relay/outcome.h"

#include <stdio.h>

#define AT(step)	(1u << (step))
#define ANY		(~0u)
#define SETUP		(AT(CLIENT_GREETING) | AT(CLIENT_EHLO) | AT(CLIENT_HELO))
#define UP_TO_MAIL	(SETUP | AT(CLIENT_STARTTLS) | AT(CLIENT_HANDSHAKE) | \
			 AT(CLIENT_IDLE) | AT(CLIENT_RSET) | AT(CLIENT_MAIL))
#define CONTENT		(AT(CLIENT_DATA) | AT(CLIENT_BODY) | AT(CLIENT_FINAL))

#define SENT		OUTCOME_SENT
#define DEFER		OUTCOME_DEFERRED
#define FAIL		OUTCOME_FAILED

/* The first row that fits counts. */
struct reply_rule {
	unsigned	steps;
	int		low, high;
	struct outcome_rule rule;
};

static const struct reply_rule replies[] = {
	/* steps, codes			status next  again  trouble dsn */
	{ AT(CLIENT_FINAL), 200, 299,	{ SENT, false, false, false, "2.0.0" } },
	/* RFC 5321 sec 3.8: closing, whatever was asked */
	{ CONTENT, 421, 421,		{ DEFER, false, false, true, "4.3.2" } },
	{ ANY, 421, 421,		{ DEFER, true, false, true, "4.3.2" } },
	/* RFC 7504 */
	{ SETUP, 521, 521,		{ FAIL, true, false, true, "5.3.2" } },
	{ SETUP, 556, 556,		{ FAIL, true, false, true, "5.1.10" } },
	{ AT(CLIENT_HELO), 500, 599,	{ FAIL, true, false, true, "5.0.0" } },
	{ SETUP, 400, 599,		{ DEFER, true, false, true, "4.3.2" } },
	{ AT(CLIENT_MAIL), 400, 499,	{ DEFER, true, false, true, "4.0.0" } },
	/* RFC 5321 sec 4.5.3.1.10 */
	{ AT(CLIENT_RCPT), 452, 452,	{ DEFER, false, true, false, "4.5.3" } },
	{ AT(CLIENT_RCPT), 552, 552,	{ DEFER, false, true, false, "4.5.3" } },
	{ ANY, 400, 499,		{ DEFER, false, false, false, "4.0.0" } },
	{ ANY, 500, 599,		{ FAIL, false, false, false, "5.0.0" } },
	{ ANY, 0, 999,			{ DEFER, true, false, false, "4.5.0" } },
};

/* Ahead of `replies`, where a probe differs. */
static const struct reply_rule probe_replies[] = {
	{ AT(CLIENT_RCPT), 200, 299,	{ SENT, false, false, false, "2.1.5" } },
	{ SETUP, 500, 599,		{ DEFER, true, false, true, "4.3.2" } },
	{ ANY & ~AT(CLIENT_RCPT), 500, 599,
					{ DEFER, false, false, false, "4.0.0" } },
};

static const struct {
	unsigned	ends, steps;
	struct outcome_rule rule;
} endings[] = {
	{ AT(CLIENT_END_INJECTED), ANY,
	    { DEFER, true, false, false, "4.7.7" } },
	{ AT(CLIENT_END_TLS_REFUSED), ANY,
	    { DEFER, true, false, false, "4.7.5" } },
	/* RFC 1047: the message may have been taken, or not. */
	{ ANY, AT(CLIENT_FINAL), { DEFER, false, false, false, "4.4.2" } },
	{ AT(CLIENT_END_PROTOCOL), UP_TO_MAIL,
	    { DEFER, true, false, true, "4.5.0" } },
	{ AT(CLIENT_END_PROTOCOL), ANY,
	    { DEFER, true, false, false, "4.5.0" } },
	{ ANY, UP_TO_MAIL, { DEFER, true, false, true, "4.4.2" } },
	{ ANY, ANY, { DEFER, true, false, false, "4.4.2" } },
};

static bool
fits(const struct reply_rule *r, enum client_step step, int code)
{
	return (r->steps & AT(step)) && code >= r->low && code <= r->high;
}

const struct outcome_rule *
outcome_of_reply(enum client_step step, int code)
{
	size_t i = 0;

	while (!fits(&replies[i], step, code))
		i++;		/* the last row fits all */
	return &replies[i].rule;
}

const struct outcome_rule *
outcome_of_probe(enum client_step step, int code)
{
	for (size_t i = 0; i < sizeof(probe_replies) / sizeof(probe_replies[0]);
	    i++)
		if (fits(&probe_replies[i], step, code))
			return &probe_replies[i].rule;
	return outcome_of_reply(step, code);
}

const struct outcome_rule *
outcome_of_end(enum client_end end, enum client_step step)
{
	size_t i = 0;

	while (!(endings[i].ends & AT(end)) || !(endings[i].steps & AT(step)))
		i++;		/* the last row fits all */
	return &endings[i].rule;
}

void
outcome_dsn(const struct outcome_rule *r, const char *enhanced,
    char out[REPLY_ENHANCED_SIZE])
{
	static const char class[] = {
		[SENT] = '2', [DEFER] = '4', [FAIL] = '5',
	};
	const char *from = r->dsn;

	/* A code of success can't be made a reason for anything. */
	if (enhanced[0] == class[r->status] ||
	    (enhanced[0] == '5' && r->status == DEFER))
		from = enhanced;
	(void)span_copy(span_str(from), out, REPLY_ENHANCED_SIZE);
	out[0] = class[r->status];
}

void
outcome_text(enum client_end end, enum client_step step, const char *peer,
    const char *detail, char *out, size_t size)
{
	static const char *const what[] = {
		[CLIENT_END_NONE] = "connection closed",
		[CLIENT_END_QUIT] = "connection closed",
		[CLIENT_END_REPLY] = "connection closed",
		[CLIENT_END_TLS_REFUSED] = "STARTTLS refused",
		[CLIENT_END_INJECTED] =
		    "replies came ahead of the TLS handshake",
		[CLIENT_END_PROTOCOL] = "protocol error",
		[CLIENT_END_TIMEOUT] = "timed out",
		[CLIENT_END_LOST] = "connection lost",
	};

	(void)snprintf(out, size, "%s: %s (%s)%s%s", peer, what[end],
	    client_step_name(step), detail[0] != '\0' ? ": " : "", detail);
}
